"""Reading both sides of a comparison: Segment calls, and what Statsig holds of them; pairs nothing.

A call is kept as it came and as it parses, an exported event as it parses. Everything else is worked out by translating
the call, so that no rule of the translation stands here a second time.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment._values import ATOMS, is_array, is_object, read_object
from statsig_segment.config import InboundConfig
from statsig_segment.conversion import to_statsig_event
from statsig_segment.errors import SegmentEventError, StatsigSegmentError
from statsig_segment.identity import apply_id_mappings
from statsig_segment.segment import Identify, SegmentEvent, Track, parse_segment_event
from statsig_segment.statsig import ConfigChange, StatsigEvent, parse_statsig_event

_MAX_PLACES: Final = 2000  # of one call
_MAX_DEPTH: Final = 8
_MAX_ITEMS: Final = 20  # of an array whose objects are looked into
_MAX_BITS: Final = 14_000  # less than the 4,300 digits that Python prints
_RESERVED: Final = frozenset(".[]=")
"""What no step of a path may hold (ID-4)."""
_FREE_OBJECTS: Final = ("properties", "traits")
_NOBODY: Final = "nobody"  # stands in for an ID that is not compared


@attrs.frozen(kw_only=True)
class Call:
    """A Segment call that could make an event."""

    position: int
    payload: Mapping[str, Any]
    event: SegmentEvent
    near_ids: frozenset[str]
    """The IDs that it has itself, or that stand at its top level or in its context, as far as the export has them."""
    far_ids: frozenset[str]
    """The same for its properties and traits."""

    @property
    def time_ms(self) -> int | None:
        """Give the time in epoch milliseconds."""
        return self.event.time_ms


@attrs.frozen(kw_only=True)
class Exported:
    """An event that Statsig holds."""

    position: int
    event: StatsigEvent
    ids: frozenset[str]


@attrs.frozen(kw_only=True)
class Pair:
    """A call and the exported event that came of it."""

    call: Call
    exported: Exported


@attrs.frozen(kw_only=True)
class CallSide:
    """All calls, as far as they can be read."""

    calls: tuple[Call, ...]
    identifies: int
    """Identify calls: they make no event, so nothing can pair with them."""
    unreadable: int
    swapped: int
    """How many of the unreadable ones are events of Statsig."""

    @property
    def read(self) -> int:
        """Count everything that was given."""
        return len(self.calls) + self.identifies + self.unreadable


@attrs.frozen(kw_only=True)
class ExportedSide:
    """All exported events, as far as they can be read."""

    events: tuple[Exported, ...]
    config_changes: int
    """Changes in Statsig's console: no call makes one."""
    unreadable: int
    swapped: int
    """How many of the unreadable ones are Segment calls."""

    @property
    def read(self) -> int:
        """Count everything that was given."""
        return len(self.events) + self.config_changes + self.unreadable


def read_exported(payloads: Iterable[Any]) -> ExportedSide:
    """Read what Statsig holds; what is not an event is counted and left."""
    events: list[Exported] = []
    changes = unreadable = swapped = 0
    for position, payload in enumerate(payloads):
        try:
            event = parse_statsig_event(payload)
        except StatsigSegmentError:
            unreadable += 1
            swapped += _is_read(parse_segment_event, payload)
            continue
        if isinstance(event, ConfigChange):
            changes += 1
        else:
            ids = frozenset(filter(None, (event.user.user_id, *event.user.custom_ids.values())))
            events.append(Exported(position=position, event=event, ids=ids))
    return ExportedSide(events=tuple(events), config_changes=changes, unreadable=unreadable, swapped=swapped)


def read_calls(payloads: Iterable[Any], config: InboundConfig, known_ids: frozenset[str]) -> CallSide:
    """Read calls; of the IDs in them only those that the export knows are kept."""
    calls: list[Call] = []
    identifies = unreadable = swapped = 0
    for position, payload in enumerate(payloads):
        try:
            whole = read_object(payload, SegmentEventError)
            event = parse_segment_event(whole)
        except StatsigSegmentError:
            unreadable += 1
            swapped += _is_read(parse_statsig_event, payload)
            continue
        if isinstance(event, Identify):
            identifies += 1
        else:
            calls.append(_call(position, whole, event, config, known_ids))
    return CallSide(calls=tuple(calls), identifies=identifies, unreadable=unreadable, swapped=swapped)


def _is_read(parse: Any, payload: Any) -> bool:
    try:
        parse(payload)
    except StatsigSegmentError:
        return False
    return True


def _call(
    position: int, payload: Mapping[str, Any], event: SegmentEvent, config: InboundConfig, known_ids: frozenset[str]
) -> Call:
    near = {*mapped(event, config).custom_ids.values()}
    far: set[str] = set()
    for path, value in places(payload):
        text = id_text(value)
        if text is not None:
            (far if path.startswith(_FREE_OBJECTS) else near).add(text)
    return Call(
        position=position, payload=payload, event=event, near_ids=known_ids & near, far_ids=known_ids & (near | far)
    )


def places(payload: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """List the single values of a call with their paths, as a mapping would name them (ID-4)."""
    found = 0
    stack = [(path, value, 1) for path, value in _entries(payload, "")]
    while stack and found < _MAX_PLACES:
        path, value, depth = stack.pop()
        if type(value) in ATOMS or not (is_object(value) or is_array(value)):
            found += 1
            yield path, value
        elif depth < _MAX_DEPTH:
            inside = _entries(value, f"{path}.") if is_object(value) else _selected(value, path)
            stack += [(step, item, depth + 1) for step, item in inside]


def _entries(holder: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in holder.items():
        if type(key) is str and key and _RESERVED.isdisjoint(key):
            yield f"{prefix}{key}", value


def _selected(array: Any, path: str) -> Iterator[tuple[str, Any]]:
    """List the objects of an array by each of their texts: `externalIds[type=phone]`."""
    for item in array[:_MAX_ITEMS]:
        if is_object(item):
            for key, value in _entries(item, ""):
                if type(value) is str and value and "]" not in value:
                    yield f"{path}[{key}={value}]", item


def id_text(value: Any) -> str | None:
    """Give the text of a value that may be an ID, `None` for any other; whoever goes by it has it read properly."""
    if type(value) is str:
        return value or None
    if type(value) is int and value.bit_length() < _MAX_BITS:
        return str(value)
    return str(int(value)) if type(value) is float and value.is_integer() else None


def mapped(event: SegmentEvent, config: InboundConfig) -> SegmentEvent:
    """Give a call with its IDs, as `translate` maps them."""
    return apply_id_mappings(event, config.id_mappings)


def converted(event: SegmentEvent, config: InboundConfig) -> StatsigEvent | None:
    """Convert a call whether or not it is filtered or has an ID, `None` where it cannot be; its IDs do not count."""
    if event.user_id is None and not event.custom_ids:
        event = attrs.evolve(event, user_id=_NOBODY)
    try:
        return to_statsig_event(event, config)
    except StatsigSegmentError:
        return None


def texts(values: Mapping[str, Any]) -> Mapping[str, str]:
    """Give values as the text that metadata would have (US-7)."""
    if all(type(value) is str for value in values.values()):
        return values
    probe = converted(Track(event="probe", properties={f"={key}": values[key] for key in values}), _PLAIN)
    return {} if probe is None else {key[1:]: text for key, text in probe.metadata.items()}


_PLAIN: Final = InboundConfig()
