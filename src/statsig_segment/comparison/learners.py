"""Learning a configuration from pairs: one row for each setting, in the order in which they build on each other (CM-3).

A row looks at what differs and gives the setting that agrees with the most pairs; of equals the current one stays, and
where others fit as well it says that the examples cannot decide. How a setting works is never written down a second
time: candidates are read by translating the calls with all of them at once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment._values import EMPTY
from statsig_segment.choices import FLATTEN, JSON
from statsig_segment.comparison import templates
from statsig_segment.comparison.arrivals import Arrivals, unmistakable
from statsig_segment.comparison.aspects import USER_FIELDS, is_trimmed
from statsig_segment.comparison.choice import Choice, Order, Row, are_alike, choose
from statsig_segment.comparison.pairing import Pairing
from statsig_segment.comparison.sides import Call, Pair, converted, places, texts_of
from statsig_segment.config import InboundConfig
from statsig_segment.conversion import metadata_holder
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.event_names import EventNaming
from statsig_segment.identity import IdMapping, apply_id_mappings, ids_of
from statsig_segment.inbound import outcome_of
from statsig_segment.segment import SegmentEvent, spelled_id_type
from statsig_segment.statsig import StatsigEvent, StatsigUser

_MARK: Final = "\x00"
"""Begins the names of probes, so that no name of a call is one."""
_MAX_KEYS: Final = 50  # of one table
_MAX_SOURCES: Final = 200  # that are probed for one key
_LONGEST: Final = 5  # rows that fill one ID type, properties that may be the value
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
        event = converted(pair.call.event, bare)
        if event is not None and event.user.environment is None:
            tiers[pair.exported.user.environment] += 1
    current = config.default_environment
    best = max(tiers, key=lambda tier: (tiers[tier], tier == current), default=current)
    return Learned(changes={"default_environment": best}, undecided=() if tiers else ("default_environment",))


# -- The value, and nested properties ---------------------------------------------------------------------------------


def learn_value(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn which properties may be the value (US-8)."""
    rows = [
        Row(wanted=pair.exported.value, offers=_usable(pair.call.event))
        for pair in pairing.pairs
        if not is_trimmed(_value(pair, config), pair.exported.value)
    ]
    choice = choose(rows, config.value_properties, _by_name, longest=_LONGEST)
    names = choice.order
    if names == config.value_properties:
        return Learned(changes={}, undecided=() if choice.is_decided else ("value_property",))
    return Learned(
        changes={"value_property": names if len(names) > 1 else names[0] if names else None},
        undecided=() if choice.is_decided else ("value_property",),
    )


def _usable(event: SegmentEvent) -> Mapping[str, Any]:
    """Give the properties that can be a value: strings and finite numbers."""
    properties = metadata_holder(event).value
    return {key: value for key, value in properties.items() if _is_usable(value)}


def _is_usable(value: Any) -> bool:
    return type(value) is str or (type(value) in {int, float} and bool(texts_of(value)))


def _value(pair: Pair, config: InboundConfig) -> Any:
    event = converted(pair.call.event, config)
    return None if event is None else event.value


def _by_name(source: str) -> str:
    return source


def learn_nested(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn what becomes of properties that are objects: their entries under one setting are closer to the export's."""
    apart = dict.fromkeys((JSON, FLATTEN), 0)
    for pair in pairing.pairs:
        for way in apart:
            apart[way] += _entries_apart(pair, attrs.evolve(config, nested=way))
    best = min(apart, key=lambda way: (apart[way], way != config.nested))
    return Learned(changes={"nested": best}, undecided=("nested",) if apart[JSON] == apart[FLATTEN] else ())


def _entries_apart(pair: Pair, config: InboundConfig) -> int:
    """Count the metadata entries that only one side has."""
    event = converted(pair.call.event, config)
    here = {} if event is None else event.metadata
    there = pair.exported.metadata
    return sum(not are_alike(here.get(key), there.get(key)) for key in {*here, *there})


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

    @property
    def open_keys(self) -> Mapping[str, Any]:
        """Give what is wanted of the table."""
        return {key: value for key, value in self.wanted.items() if key not in self.given}


Probe = Callable[[SegmentEvent, Sequence[str]], Mapping[str, Any]]
"""Read many paths of a call at once: path -> value, for those that have one."""


def _answer(
    questions: Sequence[Question], current: Mapping[str, Order], probe: Probe, longest: int = 1
) -> dict[str, Choice]:
    """Choose for every key of a table the paths that agree with the most pairs."""
    sources = _sources(questions, current)
    every = list(dict.fromkeys(source for paths in sources.values() for source in paths))
    rows: dict[str, list[Row]] = {key: [] for key in sources}
    for question in questions:
        offers = probe(question.call.event, every)
        for key, paths in sources.items():
            if key not in question.given:
                own = {path: offers[path] for path in paths if path in offers}
                rows[key].append(Row(wanted=question.wanted.get(key), offers=own, is_weak=question.is_weak))
    return {key: choose(rows[key], current.get(key, ()), _likelihood, longest=longest) for key in sources}


def _sources(questions: Sequence[Question], current: Mapping[str, Order]) -> dict[str, list[str]]:
    """Find for each key the paths at which what Statsig holds stands in the calls."""
    wanted = Counter(key for question in questions for key in question.open_keys)
    keys = dict.fromkeys([*current, *(key for key, _ in wanted.most_common(_MAX_KEYS))])
    hits: dict[str, Counter[str]] = {key: Counter() for key in keys}
    for question in questions:
        texts = {key: texts_of(value) for key, value in question.open_keys.items() if key in keys}
        if texts:
            is_deep = any(text[:1] in {"{", "["} for every in texts.values() for text in every)
            held = _paths_by_text(question.call, with_containers=is_deep)
            for key, every in texts.items():
                hits[key].update(sorted({path for text in every for path in held.get(text, ())}))
    return {
        key: list(dict.fromkeys([*current.get(key, ()), *(path for path, _ in found.most_common(_MAX_SOURCES))]))
        for key, found in hits.items()
    }


def _paths_by_text(call: Call, *, with_containers: bool) -> dict[str, list[str]]:
    held: dict[str, list[str]] = {}
    for path, value in places(call.event):
        if with_containers or not isinstance(value, dict | tuple):
            for text in texts_of(value):
                held.setdefault(text, []).append(path)
    return held


def _likelihood(path: str) -> tuple[int, int, str]:
    """Rank paths that fit equally well: the usual ones, then the shortest walks."""
    return (_LIKELY.index(path) if path in _LIKELY else len(_LIKELY), path.count("."), path)


def _open(answers: Mapping[str, Choice]) -> Iterator[str]:
    return (key for key, choice in answers.items() if not choice.is_decided)


def _learned_table(name: str, questions: Sequence[Question], config: InboundConfig, probe: Probe) -> Learned:
    """Learn a table with one path for each key."""
    current = {key: (path,) for key, path in getattr(config, name).items()}
    answers = _answer(questions, current, probe)
    paths = {key: choice.order[0] for key, choice in answers.items() if choice.order}
    return Learned(changes={name: paths}, undecided=tuple(f"{name}.{key}" for key in _open(answers)))


def _marked(paths: Iterable[str]) -> dict[str, str]:
    """Give a table that reads every path under a name of its own."""
    return {_MARK + path: path for path in paths}


def _unmarked(values: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    return {path: values[_MARK + path] for path in paths if _MARK + path in values}


def learn_user_fields(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn where the fields of the user come from (US-2)."""
    questions = [Question(call=pair.call, wanted=_user_fields(pair.exported.user)) for pair in pairing.pairs]
    return _learned_table("user_fields", questions, config, _read_ids)


def _user_fields(user: StatsigUser) -> Mapping[str, str]:
    values = ((key, getattr(user, attribute)) for key, attribute in USER_FIELDS)
    return {key: value for key, value in values if value is not None}


def _read_ids(event: SegmentEvent, paths: Sequence[str], *, drop_placeholders: bool = False) -> Mapping[str, str]:
    """Read paths as ID mappings and user fields do (ID-4, US-2)."""
    rows = [IdMapping(field=path, id_type=id_type) for id_type, path in _marked(paths).items()]
    return _unmarked(apply_id_mappings(event, rows, drop_placeholders=drop_placeholders).custom_ids, paths)


def learn_custom_fields(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn where custom attributes of the user come from that the call does not name itself (US-10)."""
    bare = attrs.evolve(config, custom_fields={})

    def read(event: SegmentEvent, paths: Sequence[str]) -> Mapping[str, Any]:
        return _unmarked(_custom(event, attrs.evolve(bare, custom_fields=_marked(paths))), paths)

    questions = [
        Question(call=pair.call, wanted=pair.exported.user.custom, given=frozenset(_custom(pair.call.event, bare)))
        for pair in pairing.pairs
    ]
    return _learned_table("custom_fields", questions, config, read)


def _custom(event: SegmentEvent, config: InboundConfig) -> Mapping[str, Any]:
    made = converted(event, config)
    return EMPTY if made is None else made.user.custom


def learn_metadata_fields(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn where metadata comes from that is not among the properties (US-11)."""
    bare = attrs.evolve(config, metadata_fields={})

    def read(event: SegmentEvent, paths: Sequence[str]) -> Mapping[str, Any]:
        return _unmarked(_metadata(event, attrs.evolve(bare, metadata_fields=_marked(paths))), paths)

    questions = [
        Question(call=pair.call, wanted=_present(pair), given=frozenset(_metadata(pair.call.event, bare)))
        for pair in pairing.pairs
    ]
    return _learned_table("metadata_fields", questions, config, read)


def _present(pair: Pair) -> Mapping[str, Any]:
    return {key: value for key, value in pair.exported.metadata.items() if value is not None}


def _metadata(event: SegmentEvent, config: InboundConfig) -> Mapping[str, Any]:
    made = converted(event, config)
    return EMPTY if made is None else made.metadata


def learn_mappings(pairing: Pairing, config: InboundConfig) -> Learned:
    """Learn which fields become IDs that the call does not name itself (ID-4, ID-9)."""
    drop = config.drop_placeholder_ids

    def read(event: SegmentEvent, paths: Sequence[str]) -> Mapping[str, str]:
        return _read_ids(event, paths, drop_placeholders=drop)

    def own(call: Call) -> frozenset[str]:
        return frozenset(ids_of(apply_id_mappings(call.event, (), drop_placeholders=drop)))

    questions = [Question(call=pair.call, wanted=pair.exported.ids, given=own(pair.call)) for pair in pairing.pairs]
    questions += [Question(call=call, wanted={}, is_weak=True) for call in pairing.only_called if not own(call)]
    current: dict[str, Order] = {}
    for row in config.id_mappings:
        id_type = spelled_id_type(row.id_type)
        current[id_type] = (*current.get(id_type, ()), row.field)
    answers = _answer(questions, current, read, _LONGEST)
    undecided = ("id_mappings",) if any(_open(answers)) else ()
    if all(choice.order == current.get(id_type, ()) for id_type, choice in answers.items()):
        return Learned(changes={}, undecided=undecided)
    rows = [IdMapping(field=field, id_type=id_type) for id_type, choice in answers.items() for field in choice.order]
    return Learned(changes={"id_mappings": tuple(rows)}, undecided=undecided)


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
    learn_nested,
    learn_metadata_fields,
    learn_mappings,
    learn_exclude,
)
"""One row for each setting; a later one builds on those before it."""
