"""Learning the settings that are tables of paths: for each key, where in the call its value is (CM-3).

The places of a value are looked up in the calls themselves. Whether it really comes from there then shows in
translating each call once with every candidate in the table.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.configuration.choices import FLATTEN
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.conversion import METADATA_SOURCES, metadata_holder
from statsig_segment.inbound.identity import apply_id_mappings, ids_of
from statsig_segment.insight.comparison.aspects import USER_FIELDS
from statsig_segment.insight.comparison.choice import Choice, Order, Row, choose
from statsig_segment.insight.comparison.learned import Learned
from statsig_segment.insight.comparison.pairing import Pairing
from statsig_segment.insight.comparison.sides import Call, Pair, converted, places, texts_of
from statsig_segment.segment.calls import SegmentEvent, spelled_id_type
from statsig_segment.statsig.events import StatsigUser

_MARK: Final = "\x00"
"""Begins the names of probes, so that no name of a call is one."""
_MAX_KEYS: Final = 50  # of one table
_MAX_SOURCES: Final = 200  # that are probed for one key
_LONGEST: Final = 5  # rows that fill one ID type
_LIKELY: Final = ("anonymousId", "userId", "groupId", "context.groupId", "context.device.id")
_JOINT: Final = "_"
"""Joins the names of flattened entries (US-7)."""


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
    if not sources:
        return {}
    every = list(dict.fromkeys(source for paths in sources.values() for source in paths))
    rows: dict[str, list[Row]] = {key: [] for key in sources}
    for question in questions:
        offers = probe(question.call.event, every) if every else EMPTY
        for key, paths in sources.items():
            if key not in question.given:
                own = {path: offers[path] for path in paths if path in offers}
                rows[key].append(Row(wanted=question.wanted.get(key), offers=own, is_weak=question.is_weak))
    return {key: choose(rows[key], current.get(key, ()), _likelihood, longest=longest) for key in sources}


def _sources(questions: Sequence[Question], current: Mapping[str, Order]) -> dict[str, list[str]]:
    """Find for each key the paths at which the calls hold what Statsig holds."""
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
    return _learned(name, _answer(questions, current, probe))


def _learned(name: str, answers: Mapping[str, Choice]) -> Learned:
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
    if not config.metadata_fields and all(map(_is_explained, pairing.pairs)):
        return Learned(changes={})
    bare = attrs.evolve(config, metadata_fields={})

    def read(event: SegmentEvent, paths: Sequence[str]) -> Mapping[str, Any]:
        return _unmarked(_metadata(event, attrs.evolve(bare, metadata_fields=_marked(paths))), paths)

    questions = [
        Question(call=pair.call, wanted=_present(pair), given=frozenset(_metadata(pair.call.event, bare)))
        for pair in pairing.pairs
    ]
    current = {key: (path,) for key, path in config.metadata_fields.items()}
    answers = _answer(questions, current, read)
    if config.nested == FLATTEN:
        answers = _with_objects(answers, questions, bare, current)
    return _learned("metadata_fields", answers)


def _is_explained(pair: Pair) -> bool:
    """Say whether properties alone explain all metadata, at a glance: most calls need no closer look."""
    properties = metadata_holder(pair.call.event)
    plain = {key for key, value in properties.items() if type(value) in {str, int, bool, tuple}}
    return plain.union(METADATA_SOURCES[pair.call.event.type].added).issuperset(pair.exported.metadata)


def _with_objects(
    answers: dict[str, Choice], questions: Sequence[Question], bare: InboundConfig, current: Mapping[str, Order]
) -> dict[str, Choice]:
    """Replace rows for single entries by one for the object whose leaves they are, where only that fits (US-7)."""
    found = dict(answers)
    for stem, paths in _stems(answers, questions).items():
        rows = [row for question in questions if (row := _object_row(stem, paths, question, bare)) is not None]
        choice = choose(rows, current.get(stem, ()), _likelihood, longest=1)
        if choice.order and choice.is_perfect:
            found = {key: each for key, each in found.items() if not key.startswith(stem + _JOINT)}
            found[stem] = choice
    return found


def _stems(answers: Mapping[str, Choice], questions: Sequence[Question]) -> dict[str, list[str]]:
    """Give the keys that rows for objects may have, with the paths of those objects, where no row for an entry fits."""
    odd = [key for key, choice in answers.items() if not choice.is_perfect]
    sources = _sources(questions, dict.fromkeys(odd, ()))
    stems: dict[str, dict[str, None]] = {}
    for key in odd:
        for at in (at for at, char in enumerate(key) if char == _JOINT and at):
            leaf = key[at:]
            above = [path[: -len(leaf)] for path in sources[key] if path.replace(".", _JOINT).endswith(leaf)]
            stems.setdefault(key[:at], {}).update(dict.fromkeys(filter(None, above)))
    return {stem: list(paths)[:_MAX_SOURCES] for stem, paths in stems.items() if paths}


def _object_row(stem: str, paths: Sequence[str], question: Question, bare: InboundConfig) -> Row | None:
    """Say what a pair says about a row for an object: all entries under its key at once."""
    if stem in question.given:
        return None
    entries = _metadata(question.call.event, attrs.evolve(bare, metadata_fields=_marked(paths)))

    def leaves(values: Mapping[str, Any], key: str) -> FrozenDict | None:
        start = len(key) + len(_JOINT)
        open_keys = (name for name in values if name.startswith(key + _JOINT))
        return (
            FrozenDict(
                {name[start:]: values[name] for name in open_keys if stem + _JOINT + name[start:] not in question.given}
            )
            or None
        )

    offers = {path: held for path in paths if (held := leaves(entries, _MARK + path)) is not None}
    return Row(wanted=leaves(question.open_keys, stem), offers=offers)


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
