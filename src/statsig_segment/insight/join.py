"""Whether experiments will see your events: the units of exposures, held against the IDs that calls carry (JO-1).

Statsig joins an exposure to an event only where both carry the same ID under the same ID type. So the exposures are
read first, and then the calls, once: of each call only the IDs that some exposure has are remembered, and where they
were. Memory grows with the number of distinct exposed units, and with nothing else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.paths import FieldPath
from statsig_segment._json.values import EMPTY, FrozenDict, as_object, filled_text
from statsig_segment.configuration.mappings import IdMapping, cut_row
from statsig_segment.configuration.models import IntegrationConfig, require_config
from statsig_segment.errors import StatsigSegmentError, join_path
from statsig_segment.inbound.translate import Outcome, check_iterable, event_of_outcome, translated_with_calls
from statsig_segment.insight.places import id_text, value_at
from statsig_segment.insight.preview import LIKELY_MAPPINGS
from statsig_segment.outcomes import Rejected
from statsig_segment.segment.calls import spelled_id_type
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.statsig.events import LogEvent
from statsig_segment.statsig.exports import ExportedEvent, object_in, parse_statsig_event, stable_id_of, user_id_of

_DEFAULT: Final = IntegrationConfig()
_NAMES: Final = ("name", "config", "gate", "gateName", "configName")
"""The metadata that may name the experiment or gate; the first that is there counts."""
_NUMBERS: Final = frozenset({int, float})
_NESTED: Final = FrozenDict({row.field: path for row in LIKELY_MAPPINGS for _, path in [cut_row(row)] if path.moves})
"""The nested fields that likely hold an ID; of the top level, every field is looked at."""


@attrs.frozen(kw_only=True, slots=False)
class ExperimentJoin:
    """How many units of one experiment or gate Statsig can join to an event. The counts below add up to `exposed`."""

    name: str | None
    """The experiment or gate; `None` if the exposures name none."""
    unit_type: str | None
    """The ID type by which it exposes units; `None` if the exposures name none."""
    exposed: int = 0
    """Distinct units; each exposure without an ID counts as one."""
    placeholders: int = 0
    """Units whose ID is a placeholder such as `undefined`: they identify no one (ID-8)."""
    joined: int = 0
    """Units whose ID an event carries under this ID type."""
    elsewhere: Mapping[str, int] = attrs.field(default=EMPTY, converter=FrozenDict)
    """Place -> units whose ID is in the calls, but at that place: under another ID type, or at a wire path."""
    spelled: int = 0
    """Units whose ID is in the calls, apart from letter case and white space."""
    absent: int = 0
    """Units whose ID is not in any call."""


@attrs.frozen(kw_only=True, slots=False)
class Advice:
    """The ID mapping that would join most of the units of an ID type that are not joined (JO-2)."""

    unit_type: str
    """The ID type of the units."""
    mapping: IdMapping
    """A row for `InboundConfig.id_mappings`."""
    would_join: int
    """Distinct units that it would join, measured on the calls."""


@attrs.frozen(kw_only=True, slots=False)
class Join:
    """Which exposed units the events of your calls reach, and what would reach more. It holds no ID (JO-3)."""

    experiments: tuple[ExperimentJoin, ...] = ()
    """One entry for each experiment or gate and unit type, in order of first appearance."""
    advice: tuple[Advice, ...] = ()
    """At most one entry for each unit type."""


def join(calls: Iterable[Any], exposures: Iterable[Any], config: IntegrationConfig = _DEFAULT) -> Join:
    """Count the exposed units that events of Segment calls reach, and find the mapping that would reach more.

    The exposures are held in memory while the calls pass by: a few hundred bytes for each distinct unit.

    Args:
        calls: Segment calls, as `translate_many` takes them. Some are read ahead, so a generator has to yield a new
            object for each call.
        exposures: Exposure events as `parse_statsig_event` takes them: of the export webhook, or rows of the warehouse
            export or of the exposures table. Anything else among them is ignored.
        config: The configuration under which the calls are translated.

    Returns:
        The counts for each experiment and unit type, and at most one piece of advice for each unit type.

    Raises:
        TypeError: One of the two is a single call or event.

    Rules: JO-1, JO-2, JO-3.
    Source: Statsig's page on Segment: the ID of the exposure and that of the event must be the same.

    >>> exposure = {"eventName": "statsig::experiment_exposure", "unitID": "companyID", "metadata": {"name": "pricing"}}
    >>> exposures = [exposure | {"user": {"customIDs": {"companyID": each}}} for each in ("c-1", "c-2")]
    >>> found = join([{"type": "track", "event": "Paid", "userId": "u1", "groupId": "c-1"}], exposures)
    >>> found.experiments[0].joined, found.experiments[0].elsewhere, found.experiments[0].absent
    (0, {'$.groupId': 1}, 1)
    >>> found.advice[0].mapping, found.advice[0].would_join
    (IdMapping(field='groupId', id_type='companyID'), 1)

    """
    check_iterable(calls, "join")
    check_iterable(exposures, "join")
    require_config(config, "join")
    groups = _groups(exposures)
    units = _Units(groups)
    for call, outcome in translated_with_calls(calls, config.inbound):
        units.see(call, outcome)
    return Join(
        experiments=tuple(units.counted(name, unit_type, ids) for (name, unit_type), ids in groups.items()),
        advice=tuple(units.advice()),
    )


_Groups = Mapping[tuple[str | None, str | None], Counter[str | None]]
"""Experiment and unit type -> how often each ID was exposed, and under `None`, how many exposures had no ID."""


def _groups(exposures: Iterable[Any]) -> _Groups:
    groups: dict[tuple[str | None, str | None], Counter[str | None]] = defaultdict(Counter)
    for payload in exposures:
        try:
            event = parse_statsig_event(payload)
        except StatsigSegmentError:
            continue
        if isinstance(event, ExportedEvent) and event.event_name in statsig.EXPOSURES:
            metadata = object_in(event.fields, statsig.METADATA)
            name = next(filter(None, (filled_text(metadata.get(key)) for key in _NAMES)), None)
            unit_type, unit = _unit(event.fields)
            groups[name, unit_type][unit] += 1
    return groups


def _unit(fields: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the ID type and the ID of the unit that an exposure is about."""
    custom_ids = object_in(object_in(fields, statsig.USER), statsig.CUSTOM_IDS)
    user_id = id_text(user_id_of(fields))
    named = spelled_id_type(filled_text(fields.get(statsig.UNIT_ID)) or "")
    unit_type: str | None = named
    if named not in {segment.USER_ID_TYPE, statsig.STABLE_ID, *custom_ids}:  # no type that the exposure itself has
        unit_type = next(iter(custom_ids)) if len(custom_ids) == 1 else None
        unit_type = unit_type if user_id is None else segment.USER_ID_TYPE
    if unit_type == segment.USER_ID_TYPE:
        return unit_type, user_id
    if unit_type == statsig.STABLE_ID:
        return unit_type, id_text(stable_id_of(fields))
    return unit_type, None if unit_type is None else id_text(custom_ids.get(unit_type))


def _folded(text: str) -> str:
    """Return an ID without letter case and white space."""
    return "".join(text.split()).casefold()


def _all_folded(texts: list[str]) -> Iterable[str]:
    """Fold IDs at once, which is faster than one by one; where one has a NUL, which separates them here, it is not."""
    joined = "\0".join(texts)
    return _folded(joined).split("\0") if joined.count("\0") == len(texts) - 1 else map(_folded, texts)


class _Units:
    """The exposed units, and where the calls so far have their IDs."""

    def __init__(self, groups: _Groups) -> None:
        """Start empty."""
        self._of_type: dict[str, set[str]] = {}
        for (_, unit_type), ids in groups.items():
            if unit_type:
                self._of_type.setdefault(unit_type, set()).update(unit for unit in ids if unit is not None)
        units = [unit for ids in groups.values() for unit in ids if unit is not None]
        self._places: dict[str, set[str]] = {unit: set() for unit in units}
        """Exposed ID -> the ID types of events and the wire paths of calls that have it."""
        self._gains: dict[str, set[tuple[str, str]]] = {unit: set() for unit in units}
        """Exposed ID -> each field that has it, with an ID type that the event of that call lacks."""
        self._exposed = {*map(_folded, units)}
        self._spelled: set[str] = set()
        """The folded IDs that the calls have in any spelling."""

    def see(self, call: Any, outcome: LogEvent | Outcome) -> None:
        """Look for exposed IDs in a call and in the event that it became."""
        own, fields = _ids_of(outcome), _identifiers(call)
        folded = self._exposed.intersection(_all_folded([*own.values(), *fields.values()]))
        if not folded:  # nearly always, and then nothing else needs to be looked at
            return
        self._spelled |= folded
        for id_type, text in own.items():
            if text in self._places:
                self._places[text].add(id_type)
        has_no_id = isinstance(outcome, Rejected) and outcome.error.code == "no_identifier"
        lacking = self._of_type.keys() - own.keys() if own or has_no_id else ()
        for field, text in fields.items():
            if text in self._places:
                self._places[text].add(_NESTED[field].path if field in _NESTED else join_path("$", field))
                self._gains[text].update((field, unit_type) for unit_type in lacking)

    def counted(self, name: str | None, unit_type: str | None, units: Counter[str | None]) -> ExperimentJoin:
        """Return the counts of one experiment."""
        fates: Counter[str] = Counter()
        elsewhere: Counter[str] = Counter()
        for unit, exposures in units.items():
            place = None if unit is None else self._elsewhere(unit, unit_type)
            if unit is None:
                fates["absent"] += exposures
            elif is_placeholder(unit):
                fates["placeholders"] += 1
            elif place == unit_type:
                fates["joined"] += 1
            elif place is not None:
                elsewhere[place] += 1
            else:
                fates["spelled" if _folded(unit) in self._spelled else "absent"] += 1
        exposed = fates.total() + elsewhere.total()
        return ExperimentJoin(name=name, unit_type=unit_type, exposed=exposed, elsewhere=elsewhere, **fates)

    def _elsewhere(self, unit: str, unit_type: str | None) -> str | None:
        """Return the place of an ID that counts, if any: this ID type, else another one, else a path."""
        return min(
            self._places[unit], key=lambda place: (place != unit_type, place.startswith("$"), place), default=None
        )

    def advice(self) -> Iterator[Advice]:
        """Yield the best mapping for each unit type, if any would join a unit."""
        for unit_type, units in self._of_type.items():
            gains = Counter(
                field
                for unit in units
                if unit_type not in self._places[unit] and not is_placeholder(unit)
                for field, gained in self._gains[unit]
                if gained == unit_type and FieldPath.read(field) is not None
            )
            best = max(sorted(gains), key=gains.__getitem__, default=None)
            if best is not None:
                yield Advice(
                    unit_type=unit_type, mapping=IdMapping(field=best, id_type=unit_type), would_join=gains[best]
                )


def _ids_of(outcome: LogEvent | Outcome) -> Mapping[str, str]:
    """Return the IDs of an event by ID type, the user ID among them; none of any other outcome."""
    event = event_of_outcome(outcome)
    if event is None:
        return EMPTY
    user, ids = event["user"], event["user"].get("customIDs", {})
    return {segment.USER_ID_TYPE: user["userID"], **ids} if "userID" in user else ids


def _identifiers(call: Any) -> Mapping[str, str]:
    """Return what may be an ID in a call, by the field as a mapping names it."""
    fields = as_object(call) or EMPTY
    values = [*fields.items(), *((field, value_at(fields, path)) for field, path in _NESTED.items())]
    return {
        field: text
        for field, value in values
        if (text := value if type(value) is str else id_text(value) if type(value) in _NUMBERS else None)
    }
