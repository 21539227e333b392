"""Reading both sides of a comparison: Segment calls, and what Statsig holds of them; pairs nothing.

Both sides are kept as they parse. Everything else is worked out by translating the call, so that no rule of the
translation is written here a second time.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment
from statsig_segment._json.javascript import json_text, scalar_text
from statsig_segment._json.paths import FieldPath
from statsig_segment._json.values import is_array, is_object
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.inbound.conversion import to_statsig_event
from statsig_segment.inbound.identity import apply_id_mappings, ids_of
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import (
    Group,
    Identify,
    Page,
    Screen,
    SegmentEvent,
    Track,
    id_sources,
    parse_segment_event,
)
from statsig_segment.statsig.events import StatsigEvent, StatsigUser
from statsig_segment.statsig.exports import ConfigChange, ExportedEvent, parse_statsig_event

_MAX_PLACES: Final = 2000  # of one call
_MAX_DEPTH: Final = 8
_MAX_ITEMS: Final = 20  # of an array whose objects are looked into
_RESERVED: Final = frozenset(".[]=")
"""What no step of a path may hold (ID-4)."""
_TEXT_OR_NUMBER: Final = frozenset({str, int, float})
_NOBODY: Final = "nobody"  # stands in for an ID that is not compared


@attrs.frozen(kw_only=True)
class Call:
    """A Segment call that could make an event."""

    position: int
    event: Track | Page | Screen | Group
    near_ids: frozenset[str]
    """The IDs that it has itself, or that are at its top level or in its context, as far as the export has them."""
    far_ids: frozenset[str]
    """The same with its properties and traits."""

    @property
    def time_ms(self) -> int | None:
        """Give the time in epoch milliseconds."""
        return self.event.time_ms


@attrs.frozen(kw_only=True)
class Exported:
    """An event that Statsig holds."""

    position: int
    event_name: str
    user: StatsigUser
    time_ms: int | None
    value: Any
    metadata: Mapping[str, Any]

    @classmethod
    def of(cls, position: int, event: ExportedEvent) -> "Exported":
        """Keep of an event what is compared."""
        return cls(
            position=position,
            event_name=event.event_name,
            user=event.user,
            time_ms=event.time_ms,
            value=event.value,
            metadata=event.metadata,
        )

    @property
    def ids(self) -> dict[str, str]:
        """Give all IDs by ID type, the user ID among them."""
        own = {} if self.user.user_id is None else {segment.USER_ID_TYPE: self.user.user_id}
        return own | dict(self.user.custom_ids)


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
    """Read what Statsig holds; anything else is counted and left."""
    events: list[Exported] = []
    changes = unreadable = swapped = 0
    for position, payload in enumerate(payloads):
        event = _parsed(parse_statsig_event, payload)
        if event is None:
            unreadable += 1
            swapped += _parsed(parse_segment_event, payload) is not None
        elif isinstance(event, ConfigChange):
            changes += 1
        else:
            events.append(Exported.of(position, event))
    return ExportedSide(events=tuple(events), config_changes=changes, unreadable=unreadable, swapped=swapped)


def read_calls(payloads: Iterable[Any], config: InboundConfig, known_ids: frozenset[str]) -> CallSide:
    """Read calls; of the IDs in them only those that the export knows are kept."""
    calls: list[Call] = []
    identifies = unreadable = swapped = 0
    for position, payload in enumerate(payloads):
        event = _parsed(parse_segment_event, payload)
        if event is None:
            unreadable += 1
            swapped += _parsed(parse_statsig_event, payload) is not None
        elif isinstance(event, Identify):
            identifies += 1
        else:
            calls.append(_call(position, event, config, known_ids))
    return CallSide(calls=tuple(calls), identifies=identifies, unreadable=unreadable, swapped=swapped)


def _parsed(parse: Any, payload: Any) -> Any:
    try:
        return parse(payload)
    except StatsigSegmentError:
        return None


def _call(
    position: int, event: Track | Page | Screen | Group, config: InboundConfig, known_ids: frozenset[str]
) -> Call:
    near = {*ids_of(mapped(event, config)).values()}
    far: set[str] = set()
    for path, value in places(event):
        if type(value) in _TEXT_OR_NUMBER:
            (far if path.startswith((segment.PROPERTIES, segment.TRAITS)) else near).update(texts_of(value))
    return Call(position=position, event=event, near_ids=known_ids & near, far_ids=known_ids & (near | far))


# -- Looking into a call ----------------------------------------------------------------------------------------------


def fields_of(event: SegmentEvent) -> Mapping[str, Any]:
    """Give the top-level fields of a call, as a mapping sees them (ID-4)."""
    held: dict[str, Any] = {name: getattr(event, attribute) for name, attribute in event.attribute_of.items()}
    if segment.USER_ID_TYPE in id_sources(event):  # a pair filled the user ID: no field of the call holds it
        del held[segment.USER_ID]
    return {**held, **event.other}


def places(event: SegmentEvent) -> Iterator[tuple[str, Any]]:
    """List the values in a call, containers among them, with their paths as a mapping would name them (ID-4)."""
    found = 0
    stack = [(path, value, 1) for path, value in _top_level(event)]
    while stack and found < _MAX_PLACES:
        path, value, depth = stack.pop()
        found += 1
        yield path, value
        if depth < _MAX_DEPTH and (is_object(value) or is_array(value)):
            inside = _entries(value, path) if is_object(value) else _selected(value, path)
            stack += [(step, item, depth + 1) for step, item in inside]


def _top_level(event: SegmentEvent) -> Iterator[tuple[str, Any]]:
    for name, value in fields_of(event).items():
        is_step = name and _RESERVED.isdisjoint(name)
        if is_step or (FieldPath.read(name) is not None and not is_object(value) and not is_array(value)):
            yield name, value


def _entries(holder: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    return ((f"{path}.{key}", value) for key, value in holder.items() if key and _RESERVED.isdisjoint(key))


def _selected(array: tuple[Any, ...], path: str) -> Iterator[tuple[str, Any]]:
    """List the objects of an array by each of their texts: `externalIds[type=phone]`."""
    for item in array[:_MAX_ITEMS]:
        for key, value in item.items() if is_object(item) else ():
            if type(value) is str and "]" not in value and key and _RESERVED.isdisjoint(key):
                yield f"{path}[{key}={value}]", item


def texts_of(value: Any) -> frozenset[str]:
    """Give a value as the texts that it may have become: as an ID, and as metadata (IN-4, US-7); none for null.

    >>> sorted(texts_of(1e21)), sorted(texts_of(True)), sorted(texts_of(None))
    (['1000000000000000000000', '1e+21'], ['true'], [])
    """
    if type(value) is str:
        return frozenset((value,) if value else ())
    try:
        return frozenset(filter(None, (coerce_id(value), _metadata_text(value))))
    except StatsigSegmentError:  # a number that is too long to print
        return frozenset()


def _metadata_text(value: Any) -> str | None:
    if value is None:
        return None
    return json_text(value)[0] if is_object(value) or is_array(value) else scalar_text(value)


# -- Translating a call, and looking at the result --------------------------------------------------------------------


def mapped(event: SegmentEvent, config: InboundConfig) -> SegmentEvent:
    """Give a call with its IDs, as `translate` maps them."""
    return apply_id_mappings(event, config.id_mappings, drop_placeholders=config.drop_placeholder_ids)


def converted(event: SegmentEvent, config: InboundConfig) -> StatsigEvent | None:
    """Convert a call whether or not it is filtered or has an ID, `None` where it cannot be; its IDs do not count."""
    if event.user_id is None and not event.custom_ids:
        event = attrs.evolve(event, user_id=_NOBODY)
    try:
        return to_statsig_event(event, config)
    except StatsigSegmentError:
        return None
