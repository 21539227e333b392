"""Learn a configuration that agrees with more pairs than the one given, and in nothing with fewer (CM-3).

A setting is looked at only where the pairs differ in what it decides: a configuration that agrees stays as it is. Of
settings that agree with as many pairs the current one stays, and where others would do as well it is said that the
pairs cannot decide.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment._json.values import FrozenDict
from statsig_segment.configuration import FLATTEN, JSON
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig, derived_of
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison.choice import Choice, choose
from statsig_segment.insight.comparison.evaluation import Evaluation
from statsig_segment.insight.comparison.evidence import Evidence
from statsig_segment.insight.comparison.pairing import Archive
from statsig_segment.insight.comparison.paths import learn_paths
from statsig_segment.insight.comparison.search import CUSTOM_FIELDS, ID_MAPPINGS, TABLES, Key, current_orders
from statsig_segment.insight.comparison.sending import learn_sending
from statsig_segment.insight.comparison.templates import KINDS, learn_naming
from statsig_segment.segment.calls import spelled_id_type

_IDS: Final = (aspects.USER_ID, aspects.CUSTOM_IDS)
_METADATA: Final = (aspects.METADATA_KEYS, aspects.METADATA_VALUES)
_SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = FrozenDict(
    {
        "naming": tuple(f"{kind} name" for kind in KINDS),
        "default_environment": (aspects.ENVIRONMENT,),
        "value_property": (aspects.VALUE,),
        "user_fields": (aspects.USER_FIELDS,),
        "custom_fields": (aspects.CUSTOM,),
        "nested": _METADATA,
        "metadata_fields": _METADATA,
        "id_mappings": _IDS,
        "drop_placeholder_ids": _IDS,
    }
)
"""Setting -> the aspects that show whether it is right. Whether a call is sent hangs on its IDs as well."""


class Learner:
    """Learns from one archive, starting from the configuration given."""

    def __init__(self, archive: Archive, config: InboundConfig) -> None:
        """Read the archive, and learn the configuration that agrees with the most pairs."""
        self._archive, self._config = archive, config
        evidence = Evidence(config)
        self.given = Evaluation(config, archive, evidence.see)
        """The configuration given, held against the archive."""
        naming = learn_naming(evidence.samples, config.naming)
        self.unfit = naming.unfit
        """The types of call whose names follow no template."""
        self._undecided = [f"naming.{key}" for key in naming.undecided]
        best = self._never_worse(self._best_of_ways(self._with_plain(naming.naming, evidence), evidence))
        self.sending = learn_sending(archive.calls, best)
        self.config = self.sending.config
        open_keys = [key for key in self._undecided if _setting(config, key) == _setting(self.config, key)]
        self.undecided = tuple(dict.fromkeys((*open_keys, *self.sending.undecided)))
        """Keys that the pairs cannot decide."""

    def _is_open(self, setting: str) -> bool:
        """Return whether any pair differs in what a setting decides."""
        return self.given.differs_in(*_SHOWN_BY[setting])

    def _with_plain(self, naming: EventNaming, evidence: Evidence) -> InboundConfig:
        """Return the configuration with the settings that are learned by counting."""
        config, undecided = self._config, self._undecided
        changes: dict[str, Any] = {"naming": naming} if self._is_open("naming") else {}
        tiers = evidence.tiers
        if not tiers:
            undecided.append("default_environment")
        elif self._is_open("default_environment"):
            changes["default_environment"] = max(
                tiers, key=lambda tier: (tiers[tier], tier == config.default_environment)
            )
        current = derived_of(config).value_properties
        value = choose(evidence.values, current, str)
        undecided += _open_keys("value_property", value)
        if value.order != current:
            changes["value_property"] = value.order if len(value.order) > 1 else next(iter(value.order), None)
        held = evidence.placeholders
        if not held:
            undecided.append("drop_placeholder_ids")
        elif self._is_open("drop_placeholder_ids"):
            changes["drop_placeholder_ids"] = held[False] > held[True]
        return attrs.evolve(config, **changes)

    def _best_of_ways(self, config: InboundConfig, evidence: Evidence) -> Evaluation:
        """Return the better way in which objects become metadata; sometimes only a trial of both can show it."""
        ways = [config.nested, FLATTEN if config.nested == JSON else JSON]
        if not self._is_open("nested"):
            ways = ways[:1]
        if len(set(evidence.unheld.values())) > 1:
            ways = [min(ways, key=lambda way: evidence.unheld[way])]
        elif len(ways) == 1:
            self._undecided.append("nested")
        sources = evidence.search.sources()
        found = [self._evaluated(self._with_paths(attrs.evolve(config, nested=way), sources)) for way in ways]
        apart = [sum(each.tallies[name].differ for name in _METADATA) for each in found]
        if len(found) > 1 and len(set(apart)) == 1:
            self._undecided.append("nested")
        return found[apart.index(min(apart))]

    def _with_paths(self, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> InboundConfig:
        """Return a configuration with learned tables of paths, if what they fill differs between the sides."""
        choices, current = learn_paths(self._archive, config, sources), current_orders(config)
        changes: dict[str, Any] = {}
        for table in TABLES:
            own = {key: choice for (name, key), choice in choices.items() if name == table}
            for key, choice in own.items():
                self._undecided += _open_keys(table if table == ID_MAPPINGS else f"{table}.{key}", choice)
            if all(choice.order == current.get((table, key), ()) for key, choice in own.items()):
                continue
            if table == ID_MAPPINGS and self._is_open(table):
                # The user ID has many spellings, and a row may not be there twice.
                rows = {(path, spelled_id_type(key)): key for key, choice in own.items() for path in choice.order}
                changes[table] = [IdMapping(field=path, id_type=key) for (path, _), key in rows.items()]
            elif table == CUSTOM_FIELDS or self._is_open(table):  # a custom value may be equal but for its type
                changes[table] = {key: choice.order[0] for key, choice in own.items() if choice.order}
        return attrs.evolve(config, **changes)

    def _never_worse(self, best: Evaluation) -> Evaluation:
        """Take back the changes that make an aspect worse.

        Settings depend on each other (a name decides what a filter drops), so a change that helped alone may harm
        together with others. The given configuration is never worse than itself, so this ends.
        """
        while worse := best.worse_than(self.given):
            changes = {
                setting: getattr(self._config, setting)
                for setting, shown in _SHOWN_BY.items()
                if (shown == _IDS if aspects.SENT in worse else not set(shown).isdisjoint(worse))
            }
            config = attrs.evolve(best.config, **changes)
            best = self._evaluated(config if config != best.config else self._config)
        return best

    def _evaluated(self, config: InboundConfig) -> Evaluation:
        return self.given if config == self._config else Evaluation(config, self._archive)


def _open_keys(key: str, choice: Choice) -> list[str]:
    return ([] if choice.is_decided else [key]) + ([] if choice.is_ordered else [f"{key}.order"])


def _setting(config: InboundConfig, key: str) -> Any:
    """Return a setting, or an entry of one; `None` if there is no such entry."""
    name, _, entry = key.partition(".")
    value = getattr(config, name)
    if not entry:
        return value
    return value.get(entry) if type(value) is FrozenDict else getattr(value, entry, None)
