"""Learning a configuration from pairs: one row for each setting, in the order in which they build on each other (CM-3).

A row looks at what differs and gives the setting that agrees with the most pairs; of equals the current one stays, and
where others fit as well it says that the examples cannot decide. How a setting works is never written down a second
time: candidates are read by translating the calls with all of them at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment.comparison import templates
from statsig_segment.comparison.arrivals import Arrivals, unmistakable
from statsig_segment.comparison.aspects import USER_FIELDS, is_trimmed
from statsig_segment.comparison.choice import Choice, Order, Row, choose
from statsig_segment.comparison.pairing import Pairing
from statsig_segment.comparison.sides import Call, Pair, converted, id_text, places
from statsig_segment.config import InboundConfig, IntegrationConfig
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.identity import IdMapping, apply_id_mappings
from statsig_segment.inbound import translate
from statsig_segment.statsig import StatsigEvent

_MARK: Final = "\x00"
"""Begins the names of probes, so that no name of a call is one."""
_MAX_KEYS: Final = 50  # of one table
_MAX_SOURCES: Final = 200  # that are probed for one table
_LIKELY: Final = ("anonymousId", "userId", "groupId", "context.groupId", "context.device.id")


@attrs.frozen(kw_only=True)
class Learned:
    """What one row of the table found: attributes of `InboundConfig` to change, and keys that stay open."""

    changes: Mapping[str, Any]
    undecided: tuple[str, ...] = ()


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
    """Learn the prefix and the templates (US-5, US-6)."""
    samples = templates.Samples(config.naming)
    for pair in pairing.pairs:
        name = pair.exported.event.event_name
        if not is_trimmed(config.naming.full_name(_named(pair.call)), name):
            samples.add(pair.call.event, name)
    found = templates.learn(samples, config.naming)
    return Learned(changes={"naming": found.naming}, undecided=tuple(f"naming.{key}" for key in found.undecided))


def _named(call: Call) -> Any:
    return call.event  # never an identify: those are not read as calls


# -- The value --------------------------------------------------------------------------------------------------------


def learn_value(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn which property is the value (US-8)."""
    rows = [
        Row(wanted=pair.exported.event.value, offers=_usable(pair.call))
        for pair in pairing.pairs
        if not is_trimmed(_current_value(pair, config), pair.exported.event.value)
    ]
    current = (config.value_property,) if config.value_property is not None else ()
    choice = choose(rows, current, _by_name, longest=1)
    return Learned(
        changes={"value_property": choice.order[0] if choice.order else None},
        undecided=() if choice.is_decided else ("value_property",),
    )


def _usable(call: Call) -> Mapping[str, Any]:
    """Give the properties that can be a value: strings and numbers."""
    event: Any = call.event
    holder: Mapping[str, Any] = event.traits if event.type == "group" else event.properties
    return {key: value for key, value in holder.items() if type(value) in {str, int, float}}


def _current_value(pair: Pair, config: InboundConfig) -> Any:
    event = converted(pair.call.event, config)
    return None if event is None else event.value


def _by_name(source: str) -> str:
    return source


# -- The environment --------------------------------------------------------------------------------------------------


def learn_environment(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn the tier of calls that name none (US-4)."""
    bare = attrs.evolve(config, default_environment=None)
    tiers: Counter[str | None] = Counter()
    for pair in pairing.pairs:
        event = converted(pair.call.event, bare)
        if event is not None and event.user.environment is None:
            tiers[pair.exported.event.user.environment] += 1
    current = config.default_environment
    best = max(tiers, key=lambda tier: (tiers[tier], tier == current), default=current)
    return Learned(changes={"default_environment": best}, undecided=() if tiers else ("default_environment",))


# -- Tables of paths --------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Question:
    """What one pair says about a table of keys and paths."""

    call: Call
    wanted: Mapping[str, Any]
    """Key -> what Statsig holds."""
    given: frozenset[str] = frozenset()
    """Keys that the call fills by itself, whatever the table says."""
    is_weak: bool = False


Probe = Callable[[Call, Sequence[str]], Mapping[str, Any]]
"""Read many paths of a call at once: path -> value, for those that have one."""


def _answer(
    questions: Sequence[Question], current: Mapping[str, Order], probe: Probe, longest: int
) -> dict[str, Choice]:
    """Choose for every key of a table the paths that agree with the most pairs."""
    keys = _keys(questions, current)
    sources = _candidates(questions, keys)
    for key in keys:
        sources[key].update(dict.fromkeys(current.get(key, ())))
    every = list(dict.fromkeys(source for key in keys for source in sources[key]))
    rows: dict[str, list[Row]] = {key: [] for key in keys}
    for question in questions:
        offers = probe(question.call, every)
        for key in keys:
            if key not in question.given:
                own = {source: offers[source] for source in sources[key] if source in offers}
                rows[key].append(Row(wanted=question.wanted.get(key), offers=own, is_weak=question.is_weak))
    return {key: choose(rows[key], current.get(key, ()), _likelihood, longest=longest) for key in keys}


def _keys(questions: Iterable[Question], current: Iterable[str]) -> list[str]:
    seen = Counter(key for question in questions for key in question.wanted if key not in question.given)
    return list(dict.fromkeys([*current, *(key for key, _ in seen.most_common(_MAX_KEYS))]))


def _candidates(questions: Iterable[Question], keys: Sequence[str]) -> dict[str, dict[str, None]]:
    """Find for each key the paths at which what Statsig holds stands in the calls."""
    hits: dict[str, Counter[str]] = {key: Counter() for key in keys}
    for question in questions:
        wanted = {key: question.wanted[key] for key in keys if key in question.wanted and key not in question.given}
        if not wanted:
            continue
        held: dict[str, list[str]] = {}
        for path, value in places(question.call.payload):
            held.setdefault(_text(value), []).append(path)
        for key, value in wanted.items():
            hits[key].update(held.get(_text(value), ()))
    return {key: dict.fromkeys(path for path, _ in found.most_common(_MAX_SOURCES)) for key, found in hits.items()}


def _text(value: Any) -> str:
    return id_text(value) or str(value)


def _likelihood(path: str) -> tuple[int, int, str]:
    """Rank paths that fit equally well: the usual ones, then the shortest walks."""
    return (_LIKELY.index(path) if path in _LIKELY else len(_LIKELY), path.count("."), path)


def _read_ids(call: Call, paths: Sequence[str]) -> Mapping[str, str]:
    """Read paths as ID mappings do (ID-4)."""
    found = apply_id_mappings(call.event, [IdMapping(field=path, id_type=_MARK + path) for path in paths]).custom_ids
    return {path: found[_MARK + path] for path in paths if _MARK + path in found}


def learn_user_fields(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn where the fields of the user come from (US-2)."""
    questions = [Question(call=pair.call, wanted=_user_fields(pair.exported.event)) for pair in pairing.pairs]
    current = {key: (path,) for key, path in config.user_fields.items()}
    answers = _answer(questions, current, _read_ids, 1)
    fields = {key: choice.order[0] for key, choice in answers.items() if choice.order}
    return Learned(changes={"user_fields": fields}, undecided=tuple(f"user_fields.{key}" for key in _open(answers)))


def _user_fields(event: StatsigEvent) -> Mapping[str, str]:
    values = ((key, getattr(event.user, attribute)) for key, attribute in USER_FIELDS)
    return {key: value for key, value in values if value is not None}


def _open(answers: Mapping[str, Choice]) -> Iterator[str]:
    return (key for key, choice in answers.items() if not choice.is_decided)


def learn_mappings(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn which fields become custom IDs (ID-4)."""
    questions = [
        Question(
            call=pair.call,
            wanted=pair.exported.event.user.custom_ids,
            given=frozenset(pair.call.event.custom_ids),
        )
        for pair in pairing.pairs
    ]
    questions += [
        Question(call=call, wanted={}, is_weak=True)
        for call in pairing.only_called
        if call.event.user_id is None and not call.event.custom_ids
    ]
    current: dict[str, Order] = {}
    for row in config.id_mappings:
        current[row.id_type] = (*current.get(row.id_type, ()), row.field)
    answers = _answer(questions, current, _read_ids, 5)
    rows = [IdMapping(field=field, id_type=id_type) for id_type, choice in answers.items() for field in choice.order]
    return Learned(changes={"id_mappings": tuple(rows)}, undecided=("id_mappings",) if any(_open(answers)) else ())


# -- What is not sent -------------------------------------------------------------------------------------------------


def learn_exclude(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn the names whose calls never arrive (FL-1)."""
    arrived = [(pair.call, config.naming.name(pair.call.event) or "") for pair in pairing.pairs]
    names = frozenset(name for _, name in arrived)
    kept = config.filters.exclude - names
    sendable = attrs.evolve(config, filters=attrs.evolve(config.filters, exclude=kept))
    missing = [(call, config.naming.name(call.event) or "") for call in pairing.only_called if is_sent(call, sendable)]
    unknown = frozenset(config.naming.name(call.event) or "" for call in pairing.ambiguous_calls)
    found = unmistakable(Arrivals(arrived=arrived, missing=missing, unknown=unknown))
    return Learned(changes={"filters": attrs.evolve(config.filters, exclude=kept | found)})


def is_sent(call: Call, config: InboundConfig) -> bool:
    """Tell whether a call would be sent."""
    try:
        return isinstance(translate(call.payload, IntegrationConfig(inbound=config)), StatsigEvent)
    except StatsigSegmentError:
        return False


LEARNERS: Final[tuple[Learner, ...]] = (
    learn_naming,
    learn_value,
    learn_environment,
    learn_user_fields,
    learn_mappings,
    learn_exclude,
)
"""One row for each setting; a later one builds on those before it."""
