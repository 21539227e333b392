"""Learning a configuration from pairs: one row for each setting, in the order in which they build on each other (CM-3).

A row looks at what differs and gives the setting that agrees with the most pairs; of equals the current one stays, and
where others fit as well it says that the examples cannot decide. How a setting works is never written down a second
time: candidates are read by translating the calls with all of them at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment
from statsig_segment._json.values import EMPTY, is_object
from statsig_segment.configuration.choices import FLATTEN, JSON
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.models import InboundConfig, derived_of
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.inbound.conversion import metadata_holder
from statsig_segment.inbound.translate import outcome_of
from statsig_segment.insight.comparison import templates
from statsig_segment.insight.comparison.arrivals import Arrivals, unmistakable
from statsig_segment.insight.comparison.aspects import is_trimmed
from statsig_segment.insight.comparison.choice import Row, are_alike, choose
from statsig_segment.insight.comparison.learned import Learned
from statsig_segment.insight.comparison.pairing import Pairing
from statsig_segment.insight.comparison.path_tables import (
    learn_custom_fields,
    learn_mappings,
    learn_metadata_fields,
    learn_user_fields,
)
from statsig_segment.insight.comparison.sides import Call, Pair, converted, texts_of
from statsig_segment.segment.calls import SegmentEvent, control
from statsig_segment.statsig.events import StatsigEvent

_LONGEST: Final = 5  # properties that may be the value

Learner = Callable[[Pairing, InboundConfig], Learned]


def learn(pairing: Pairing, config: InboundConfig) -> tuple[InboundConfig, tuple[str, ...]]:
    """Learn all settings; give the configuration that agrees with the most pairs, and what they cannot decide."""
    undecided: list[str] = []
    for learner in LEARNERS:
        found = learner(pairing, config)
        config = attrs.evolve(config, **found.changes)
        undecided += found.undecided
    return config, tuple(f"inbound.{key}" for key in undecided)


# -- Names ------------------------------------------------------------------------------------------------------------


def learn_naming(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn the prefix, the templates, and whether properties may hold the parts of a name (US-5, US-6)."""
    current = config.naming
    found = {way: _named(pairing, attrs.evolve(current, from_properties=way)) for way in (False, True)}
    own, other = found[current.from_properties], found[not current.from_properties]
    best = other if other.agree > own.agree else own
    is_open = own.agree == other.agree
    undecided = (*best.undecided, "from_properties") if is_open else best.undecided
    return Learned(changes={"naming": best.naming}, undecided=tuple(f"naming.{key}" for key in undecided))


def _named(pairing: Pairing, naming: EventNaming) -> templates.Learned:
    samples = templates.Samples(naming)
    for pair in pairing.pairs:
        if not is_trimmed(naming.full_name(pair.call.event), pair.exported.event_name):
            samples.add(pair.call.event, pair.exported.event_name)
    return templates.learn(samples, naming)


# -- The environment --------------------------------------------------------------------------------------------------


def learn_environment(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn the tier of calls that name none (US-4)."""
    bare = attrs.evolve(config, default_environment=None)
    tiers: Counter[str | None] = Counter()
    for pair in pairing.pairs:
        if not _names_a_tier(pair.call.event, bare):
            tiers[pair.exported.user.environment] += 1
    current = config.default_environment
    best = max(tiers, key=lambda tier: (tiers[tier], tier == current), default=current)
    return Learned(changes={"default_environment": best}, undecided=() if tiers else ("default_environment",))


def _names_a_tier(event: SegmentEvent, bare: InboundConfig) -> bool:
    if control(event, segment.ENVIRONMENT)[0] is None:
        return False
    made = converted(event, bare)
    return made is None or made.user.environment is not None


# -- The value, and nested properties ---------------------------------------------------------------------------------


def learn_value(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn which properties may be the value (US-8)."""
    rows = [
        Row(wanted=pair.exported.value, offers=_usable(pair.call.event))
        for pair in pairing.pairs
        if not _is_trimmed_value(pair)
    ]
    choice = choose(rows, derived_of(config).value_properties, _by_name, longest=_LONGEST)
    names = choice.order
    if names == derived_of(config).value_properties:
        return Learned(changes={}, undecided=() if choice.is_decided else ("value_property",))
    return Learned(
        changes={"value_property": names if len(names) > 1 else names[0] if names else None},
        undecided=() if choice.is_decided else ("value_property",),
    )


def _usable(event: SegmentEvent) -> Mapping[str, Any]:
    """Give the properties that can be a value: strings and finite numbers."""
    properties = metadata_holder(event)
    return {key: value for key, value in properties.items() if _is_usable(value)}


def _is_usable(value: Any) -> bool:
    return type(value) is str or (type(value) in {int, float} and bool(texts_of(value)))


def _is_trimmed_value(pair: Pair) -> bool:
    values = _usable(pair.call.event).values()
    return pair.exported.value not in values and any(is_trimmed(value, pair.exported.value) for value in values)


def _by_name(source: str) -> str:
    return source


def learn_metadata(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn what becomes of objects and which fields are added, as only both explain all entries (US-7, US-11)."""
    ways = (config.nested, JSON if config.nested == FLATTEN else FLATTEN)
    learned = {way: learn_metadata_fields(pairing, attrs.evolve(config, nested=way)) for way in ways}
    meant = {way: attrs.evolve(config, nested=way, **learned[way].changes) for way in ways}
    # Where nothing is added, a call without objects becomes the same either way.
    pairs = [
        pair for pair in pairing.pairs if any(each.metadata_fields for each in meant.values()) or _has_object(pair)
    ]
    apart = {way: sum(_entries_apart(pair, meant[way]) for pair in pairs) for way in ways}
    best = min(ways, key=lambda way: apart[way])  # of equals the first: the current one
    open_keys = ("nested",) if len(set(apart.values())) == 1 else ()
    return Learned(changes={"nested": best, **learned[best].changes}, undecided=(*open_keys, *learned[best].undecided))


def _has_object(pair: Pair) -> bool:
    return any(is_object(value) for value in metadata_holder(pair.call.event).values())


def _entries_apart(pair: Pair, config: InboundConfig) -> int:
    """Count the metadata entries that only one side has."""
    event = converted(pair.call.event, config)
    here: Mapping[str, Any] = EMPTY if event is None else event.metadata
    there = pair.exported.metadata
    return sum(not are_alike(here.get(key), there.get(key)) for key in {*here, *there})


# -- What is not sent -------------------------------------------------------------------------------------------------


def learn_exclude(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn the names whose calls never arrive (FL-1)."""

    def named(calls: Iterable[Call]) -> list[tuple[Call, str]]:
        return [(call, config.naming.name(call.event) or "") for call in calls]

    arrived = named(pair.call for pair in pairing.pairs)
    kept = config.filters.exclude - {name for _, name in arrived}
    sendable = attrs.evolve(config, filters=attrs.evolve(config.filters, exclude=kept))
    missing = named(call for call in pairing.only_called if is_sent(call, sendable))
    unknown = frozenset(name for _, name in named(pairing.ambiguous_calls))
    found = unmistakable(Arrivals(arrived=arrived, missing=missing, unknown=unknown))
    return Learned(changes={"filters": attrs.evolve(config.filters, exclude=kept | found)})


def is_sent(call: Call, config: InboundConfig) -> bool:
    """Say whether a call would be sent."""
    try:
        return isinstance(outcome_of(call.event, None, config, None), StatsigEvent)
    except StatsigSegmentError:
        return False


LEARNERS: Final[tuple[Learner, ...]] = (
    learn_naming,
    learn_environment,
    learn_value,
    learn_user_fields,
    learn_custom_fields,
    learn_metadata,
    learn_mappings,
    learn_exclude,
)
"""One row for each setting; a later one builds on those before it."""
