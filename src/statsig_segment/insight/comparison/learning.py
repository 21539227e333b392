"""Learn a configuration that agrees with more pairs than the one given, and in nothing with fewer (CM-3).

A setting is looked at only where the pairs differ in what it decides: a configuration that agrees stays as it is. Of
settings that agree with as many pairs the current one stays, and where others would do as well it is said that the
pairs cannot decide.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig, derived_of
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison import templates
from statsig_segment.insight.comparison.choice import Choice, choose
from statsig_segment.insight.comparison.evaluation import Evaluation
from statsig_segment.insight.comparison.evidence import (
    CUSTOM_FIELDS,
    ID_MAPPINGS,
    METADATA_FIELDS,
    USER_FIELDS,
    Evidence,
    current_orders,
    other_way,
)
from statsig_segment.insight.comparison.pairing import Archive
from statsig_segment.insight.comparison.paths import learn_paths
from statsig_segment.insight.comparison.sending import Sending, learn_sending
from statsig_segment.insight.comparison.templates import KINDS, Naming, Samples
from statsig_segment.segment.calls import spelled_id_type

_NAMES: Final = tuple(f"{kind} name" for kind in KINDS)
_IDS: Final = (aspects.USER_ID, aspects.CUSTOM_IDS)
_METADATA: Final = (aspects.METADATA_KEYS, aspects.METADATA_VALUES)

_KEYS: Final = tuple(field.name for field in attrs.fields(InboundConfig) if field.init)
_DECIDED_BY: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (("naming",), _NAMES),
    (("default_environment",), (aspects.ENVIRONMENT,)),
    (("value_property",), (aspects.VALUE,)),
    (("user_fields",), (aspects.USER_FIELDS,)),
    (("custom_fields",), (aspects.CUSTOM,)),
    (("nested", "metadata_fields"), _METADATA),
    (("id_mappings", "drop_placeholder_ids"), _IDS),
)
"""Settings, and the aspects that show whether they are right. Whether a call is sent hangs on its IDs as well."""


class Learner:
    """Learns from one archive, starting from the configuration given."""

    def __init__(self, archive: Archive, config: InboundConfig) -> None:
        """Start empty."""
        self.given = Evaluation(config)
        """The configuration given, held against the archive."""
        self.undecided: list[str] = []
        self.unfit: tuple[str, ...] = ()
        """The types of call whose names follow no template."""
        self._archive = archive
        self._config = config

    def learn(self) -> tuple[InboundConfig, Sending]:
        """Read the archive, and return the configuration that agrees with the most pairs."""
        evidence = Evidence(self._config)
        self.given.read(self._archive, evidence.see)
        best = self._best(list(self._candidates(evidence)))
        sending = learn_sending(self._archive.calls, best)
        learned = attrs.evolve(best.config, **sending.changes)
        self.undecided += sending.undecided
        changed = set(_changes(self._config, learned))
        self.undecided = [key for key in dict.fromkeys(self.undecided) if key not in changed]
        return learned, sending

    def _best(self, candidates: list[InboundConfig]) -> Evaluation:
        """Return the candidate that agrees best in metadata, without the changes that make an aspect worse."""
        found = [self._evaluated(config) for config in candidates]
        apart = [sum(each.tallies[name].differ for name in _METADATA) for each in found]
        best = found[apart.index(min(apart))]
        if len(found) > 1 and len(set(apart)) == 1:
            self.undecided.append("nested")
        # Settings depend on each other (a name decides what a filter drops), so a change that helped alone may harm
        # together with others. The given configuration is never worse than itself, so this ends.
        while worse := best.worse_than(self.given):
            taken_back = {
                key
                for keys, shown in _DECIDED_BY
                for key in keys
                if not {aspects.SENT, *shown}.isdisjoint(worse) and (aspects.SENT not in worse or shown == _IDS)
            }
            changes = {key: getattr(self._config, key) for key in taken_back}
            config = attrs.evolve(best.config, **changes)
            best = self._evaluated(config if config != best.config else self._config)
        return best

    def _evaluated(self, config: InboundConfig) -> Evaluation:
        if config == self._config:
            return self.given
        found = Evaluation(config)
        found.read(self._archive)
        return found

    def _candidates(self, evidence: Evidence) -> Iterator[InboundConfig]:
        """Yield the learned configuration, or two if only a trial can show how objects become metadata."""
        config = self._config
        changes: dict[str, Any] = {}
        naming = learn_naming(evidence.samples, config)
        self.unfit = naming.unfit
        self.undecided += [f"naming.{key}" for key in naming.undecided]
        if self.given.differs_in(*_NAMES):
            changes["naming"] = naming.naming
        tiers, tier = evidence.tiers, config.default_environment
        if not tiers:
            self.undecided.append("default_environment")
        elif self.given.differs_in(aspects.ENVIRONMENT):
            changes["default_environment"] = max(tiers, key=lambda each: (tiers[each], each == tier))
        value = choose(evidence.values, derived_of(config).value_properties, str)
        self.undecided += _open_keys("value_property", value)
        if value.order != derived_of(config).value_properties:
            names = value.order
            changes["value_property"] = names if len(names) > 1 else names[0] if names else None
        held = evidence.placeholders
        if not held:
            self.undecided.append("drop_placeholder_ids")
        elif self.given.differs_in(*_IDS):
            changes["drop_placeholder_ids"] = held[False] > held[True]
        learned = attrs.evolve(config, **changes)
        ways = [config.nested]
        if self.given.differs_in(*_METADATA):
            ways.append(other_way(config.nested))
        if len(set(evidence.unheld.values())) > 1:
            ways = [min(ways, key=lambda way: evidence.unheld[way])]
        elif len(ways) == 1:
            self.undecided.append("nested")
        for way in ways:
            yield self._with_paths(attrs.evolve(learned, nested=way), evidence)

    def _with_paths(self, config: InboundConfig, evidence: Evidence) -> InboundConfig:
        """Return a configuration with learned tables of paths, if what they fill differs between the sides."""
        choices = learn_paths(self._archive, config, evidence.sources())
        current = current_orders(config)
        changes: dict[str, Any] = {}
        differs_in = self.given.differs_in
        tables = (
            (USER_FIELDS, differs_in(aspects.USER_FIELDS)),
            (CUSTOM_FIELDS, True),  # a value of another type counts as equal, but another path may fit better
            (METADATA_FIELDS, differs_in(*_METADATA)),
            (ID_MAPPINGS, differs_in(*_IDS)),
        )
        for table, is_open in tables:
            own = {key: choice for (name, key), choice in choices.items() if name == table}
            is_ids = table == ID_MAPPINGS
            for key, choice in own.items():
                self.undecided += _open_keys(table if is_ids else f"{table}.{key}", choice)
            is_same = all(choice.order == current.get((table, key), ()) for key, choice in own.items())
            if not is_same and is_open:
                changes[table] = _rows(own) if is_ids else _paths(own)
        return attrs.evolve(config, **changes)


def learn_naming(samples: Mapping[bool, Samples], config: InboundConfig) -> Naming:
    """Learn the prefix, the templates, and whether properties may hold the parts of a name (US-5, US-6)."""
    current = config.naming
    found = {way: templates.learn(held, attrs.evolve(current, from_properties=way)) for way, held in samples.items()}
    own, other = found[current.from_properties], found[not current.from_properties]
    best = other if other.agree > own.agree else own
    if own.agree == other.agree:
        return best._replace(undecided=(*best.undecided, "from_properties"))
    return best


def _rows(choices: Mapping[str, Choice]) -> tuple[IdMapping, ...]:
    rows: dict[tuple[str, str], IdMapping] = {}
    for key, choice in choices.items():
        for path in choice.order:  # the user ID has many spellings, and a row may not stand there twice
            rows.setdefault((path, spelled_id_type(key)), IdMapping(field=path, id_type=key))
    return tuple(rows.values())


def _paths(choices: Mapping[str, Choice]) -> dict[str, str]:
    return {key: choice.order[0] for key, choice in choices.items() if choice.order}


def _open_keys(key: str, choice: Choice) -> Iterator[str]:
    if not choice.is_decided:
        yield key
    if not choice.is_ordered:
        yield f"{key}.order"


def _changes(before: InboundConfig, after: InboundConfig) -> Iterator[str]:
    """List the keys that differ, those of tables and models one by one."""
    for name in _KEYS:
        one, two = getattr(before, name), getattr(after, name)
        if one == two:
            continue
        tables = [_entries(one), _entries(two)]
        keys = dict.fromkeys(key for table in tables for key in table)
        yield from (f"{name}.{key}" for key in keys if tables[0].get(key) != tables[1].get(key))
        if not keys:
            yield name


def _entries(value: Any) -> Mapping[str, Any]:
    """Return the entries of a table or a model, none for anything else."""
    if attrs.has(value.__class__):
        return attrs.asdict(value, recurse=False)
    return value if type(value) is FrozenDict else EMPTY
