"""Whether experiments will see your events: the units of exposures, held against the IDs that calls carry (JO-1).

Statsig joins an exposure to an event only where both carry the same ID under the same ID type. So the exposures are
read first, and then the calls, once: of each call only the IDs that some exposure has are remembered, and where they
were. Memory grows with the number of distinct exposed units, and with nothing else.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.paths import FieldPath
from statsig_segment._json.values import EMPTY, FrozenDict, as_object, filled_text
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import IntegrationConfig, require_config
from statsig_segment.errors import StatsigSegmentError, join_path
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import Outcome, check_iterable, translated_with_calls
from statsig_segment.insight.preview import LIKELY_MAPPINGS
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import spelled_id_type
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.statsig.events import LogEvent, StatsigEvent
from statsig_segment.statsig.exports import ExportedEvent, object_in, parse_statsig_event, stable_id_of, user_id_of

_DEFAULT: Final = IntegrationConfig()
_NAMES: Final = ("name", "config", "gate", "gateName", "configName")
"""The metadata that may name the experiment or gate; the first that is there counts."""
_SCALARS: Final = frozenset({str, int, float})
_NESTED: Final = tuple((row.field, tuple(row.field.split("."))) for row in LIKELY_MAPPINGS if "." in row.field)
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
        calls: Segment calls, as `translate_many` takes them.
        exposures: Exposure events as `parse_statsig_event` takes them: of the export webhook, or rows of the warehouse
            export or of the exposures table. Anything else among them is passed over.
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
        advice=tuple(units.advice(groups)),
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
    user_id = coerce_id(user_id_of(fields))
    named = spelled_id_type(filled_text(fields.get(statsig.UNIT_ID)) or "")
    unit_type: str | None = named
    if named not in {segment.USER_ID_TYPE, statsig.STABLE_ID, *custom_ids}:  # no type that the exposure itself has
        unit_type = next(iter(custom_ids)) if len(custom_ids) == 1 else None
        unit_type = unit_type if user_id is None else segment.USER_ID_TYPE
    if unit_type == segment.USER_ID_TYPE:
        return unit_type, user_id
    if unit_type == statsig.STABLE_ID:
        return unit_type, coerce_id(stable_id_of(fields))
    return unit_type, None if unit_type is None else coerce_id(custom_ids.get(unit_type))


def _folded(text: str) -> str:
    """Return an ID without letter case and white space."""
    return "".join(text.split()).casefold()


class _Found(NamedTuple):
    """Where the calls have one exposed ID."""

    places: set[str]
    """ID types of events, and wire paths of calls."""
    gains: set[tuple[str, str]]
    """The field that holds it, and an ID type that the event of that call lacks."""


class _Units:
    """The exposed units, and where the calls so far have their IDs."""

    def __init__(self, groups: _Groups) -> None:
        """Start empty."""
        self._unit_types = [unit_type for unit_type in dict.fromkeys(kind for _, kind in groups) if unit_type]
        self._found = {unit: _Found(set(), set()) for units in groups.values() for unit in units if unit is not None}
        self._folded = dict.fromkeys(map(_folded, self._found), False)
        """An exposed ID, folded -> whether the calls have it in any spelling."""

    def see(self, call: Any, outcome: LogEvent | Outcome) -> None:
        """Look for exposed IDs in a call and in the event that it became."""
        user_id, custom_ids = _ids_of(outcome)
        if user_id is not None:
            self._at(user_id, segment.USER_ID_TYPE)
        for id_type, text in custom_ids.items():
            self._at(text, id_type)
        is_event = user_id is not None or custom_ids or _has_no_id(outcome)
        lacking = [
            unit_type
            for unit_type in self._unit_types
            if is_event and unit_type not in custom_ids and (user_id is None or unit_type != segment.USER_ID_TYPE)
        ]
        for field, text in _identifiers(call):
            found = self._at(text, None)
            if found is not None:
                found.places.add(_wire_path(field))
                found.gains.update((field, unit_type) for unit_type in lacking)

    def _at(self, text: str, id_type: str | None) -> _Found | None:
        """Return what is known of an ID of a call, if it was exposed, and note the ID type of its event."""
        found = self._found.get(text)
        folded = _folded(text)
        if folded in self._folded:
            self._folded[folded] = True
        if found is not None and id_type is not None:
            found.places.add(id_type)
        return found

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
                fates["spelled" if self._folded[_folded(unit)] else "absent"] += 1
        exposed = fates.total() + elsewhere.total()
        return ExperimentJoin(name=name, unit_type=unit_type, exposed=exposed, elsewhere=elsewhere, **fates)

    def _elsewhere(self, unit: str, unit_type: str | None) -> str | None:
        """Return the place of an ID that counts, if any: this ID type, else another one, else a path."""
        places = self._found[unit].places
        return min(places, key=lambda place: (place != unit_type, place.startswith("$"), place), default=None)

    def advice(self, groups: _Groups) -> Iterator[Advice]:
        """Yield the best mapping for each unit type, if any would join a unit."""
        for unit_type in self._unit_types:
            units = {unit for (_, kind), ids in groups.items() if kind == unit_type for unit in ids if unit is not None}
            gains = Counter(
                field
                for unit in units
                if unit_type not in self._found[unit].places and not is_placeholder(unit)
                for field, gained in self._found[unit].gains
                if gained == unit_type and FieldPath.read(field) is not None
            )
            best = max(sorted(gains), key=gains.__getitem__, default=None)
            if best is not None:
                yield Advice(
                    unit_type=unit_type, mapping=IdMapping(field=best, id_type=unit_type), would_join=gains[best]
                )


def _ids_of(outcome: LogEvent | Outcome) -> tuple[str | None, Mapping[str, str]]:
    """Return the user ID and the custom IDs of an event; empty for any other outcome."""
    if isinstance(outcome, StatsigEvent):
        return outcome.user.user_id, outcome.user.custom_ids
    if isinstance(outcome, AudienceUpdate | Skipped | Rejected):
        return None, EMPTY
    user = outcome["user"]
    return user.get("userID"), user.get("customIDs", EMPTY)


def _has_no_id(outcome: LogEvent | Outcome) -> bool:
    return isinstance(outcome, Rejected) and outcome.error.code == "no_identifier"


def _identifiers(call: Any) -> Iterator[tuple[str, str]]:
    """Yield what may be an ID in a call: the field, as a mapping names it, and the ID."""
    fields = as_object(call)
    if fields is None:
        return
    for field, value in fields.items():
        text = coerce_id(value) if type(value) in _SCALARS else None
        if text is not None:
            yield field, text
    for field, keys in _NESTED:
        held: Any = fields
        for key in keys:
            holder = None if held is None else as_object(held)
            held = None if holder is None else holder.get(key)
        text = coerce_id(held) if type(held) in _SCALARS and field not in fields else None
        if text is not None:
            yield field, text


def _wire_path(field: str) -> str:
    return f"$.{field}" if field in dict(_NESTED) else join_path("$", field)
