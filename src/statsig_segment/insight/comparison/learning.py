"""Learn a configuration that agrees with more pairs than the one given, and in nothing with fewer (CM-3).

A setting is looked at only where the pairs differ in what it decides: a configuration that agrees stays as it is. Of
settings that agree with as many pairs the current one stays, and where others would do as well it is said that the
pairs cannot decide.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, cast

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.configuration import FLATTEN, JSON
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig, derived_of
from statsig_segment.inbound.conversion import METADATA_SOURCES
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison.archive import Json, ids_of, object_of
from statsig_segment.insight.comparison.choice import Choice, Rows, choose
from statsig_segment.insight.comparison.evaluation import Evaluation
from statsig_segment.insight.comparison.likeness import is_trimmed, may_be_lost
from statsig_segment.insight.comparison.pairing import Archive
from statsig_segment.insight.comparison.paths import (
    CUSTOM_FIELDS,
    ID_MAPPINGS,
    TABLES,
    Key,
    Search,
    current_orders,
    learn_paths,
)
from statsig_segment.insight.comparison.sending import learn_sending
from statsig_segment.insight.comparison.templates import KINDS, Samples, learn_naming
from statsig_segment.insight.comparison.translation import BARE, MARK, Question
from statsig_segment.segment.calls import spelled_id_type
from statsig_segment.segment.placeholders import is_placeholder

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
_NESTED: Final = 1_000
"""The number of pairs with nested properties to look at. One entry nearly decides the setting, so this is plenty."""


class _Evidence:
    """Collects what the pairs say about each setting."""

    def __init__(self, config: InboundConfig) -> None:
        """Start empty."""
        self.samples = Samples()
        self.tiers: Counter[str | None] = Counter()
        """The tiers that Statsig holds of calls that name none."""
        self.values = Rows()
        """The value that Statsig holds, and the properties that may be it."""
        self.unheld: Counter[str] = Counter({JSON: 0, FLATTEN: 0})
        """Metadata entries of calls with nested properties that Statsig does not hold, by the setting of `nested`."""
        self.placeholders: Counter[bool] = Counter()
        """Whether Statsig holds placeholders in place of IDs (ID-8)."""
        self.search = Search(config)
        self._config = config
        self._bare = {way: Question(config, **BARE, nested=way) for way in (JSON, FLATTEN)}
        self._with_placeholders = Question(config, **BARE, drop_placeholder_ids=False)
        self._nested_seen = 0

    def see(self, call: Json, here: Json, held: Json) -> None:
        """Take what one pair says into account."""
        # A call that becomes an event with all that a configuration adds also becomes one without it.
        by_itself = cast("Json", self._bare[self._config.nested].answer(call))
        self.samples.add(call, here, held)
        if by_itself[statsig.USER][statsig.ENVIRONMENT][statsig.TIER] == MARK:
            self.tiers[held[statsig.USER].get(statsig.ENVIRONMENT, EMPTY).get(statsig.TIER)] += 1
        properties = object_of(call.get(METADATA_SOURCES[call[segment.TYPE]].holder))
        value = held.get(statsig.VALUE)
        usable = {key: each for key, each in properties.items() if _is_usable(each)}
        if not any(is_trimmed(each, value) and each != value for each in usable.values()):
            self.values.add(value, usable)
        if self._nested_seen < _NESTED and any(type(each) is dict for each in properties.values()):
            self._nested_seen += 1
            for way, question in self._bare.items():
                event = question.answer(call)
                metadata: Json = {} if event is None else event[statsig.METADATA]
                self.unheld[way] += sum(
                    key not in held[statsig.METADATA] and not may_be_lost(key, metadata) for key in metadata
                )
        # If the configuration drops placeholders, the call by itself shows none, so it is asked with them.
        own = self._with_placeholders.answer(call) if self._config.drop_placeholder_ids else by_itself
        for id_type, text in ids_of(own).items() if own else ():
            if is_placeholder(text):
                self.placeholders[ids_of(held).get(id_type) == text] += 1
        self.search.see(call, by_itself, here, held)


class Learner:
    """Learns from one archive, starting from the configuration given."""

    def __init__(self, archive: Archive, config: InboundConfig) -> None:
        """Read the archive, and learn the configuration that agrees with the most pairs."""
        self._archive, self._config = archive, config
        evidence = _Evidence(config)
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

    def _with_plain(self, naming: EventNaming, evidence: _Evidence) -> InboundConfig:
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

    def _best_of_ways(self, config: InboundConfig, evidence: _Evidence) -> Evaluation:
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
                rows: dict[Key, IdMapping] = {}
                for key, path in ((key, path) for key, choice in own.items() for path in choice.order):
                    rows.setdefault((path, spelled_id_type(key)), IdMapping(field=path, id_type=key))
                changes[table] = tuple(rows.values())
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


def _is_usable(value: Any) -> bool:
    """Return whether a property can be a value: a string or a finite number (US-8)."""
    return type(value) in {str, int} or (type(value) is float and isfinite(value))
