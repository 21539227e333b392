"""Both sides of a comparison, kept small enough for archives of millions of calls (CM-7); compares nothing.

What the comparison needs of a call changes from step to step: its IDs to find its event, its log event under one
configuration and then under another, the places of a value. So a call is kept whole, but packed, and every step reads
the archive once more, in order. Packing costs about as much as parsing the JSON again would; what it saves is memory:
400 bytes in place of 5,000 for a call of 1.5 KB. `marshal` is the fastest way to bytes that Python has, and takes
exact types alone; nothing of it outlives the comparison.

Events are needed in the order of their calls, so each is packed by itself, and only what is compared of it is kept.
"""

import marshal
import zlib
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from statsig_segment import segment, statsig
from statsig_segment._json.values import JsonValue, freeze, read_text, thaw
from statsig_segment.errors import SegmentEventError, StatsigEventError, StatsigSegmentError
from statsig_segment.segment.calls import parse_segment_event
from statsig_segment.statsig.events import user_wire
from statsig_segment.statsig.exports import ConfigChange, ExportedEvent, object_in, parse_statsig_event

Json: TypeAlias = dict[str, Any]

NO_TIME: Final = -(2**62)
"""The time of what has none: so far from all others that no tolerance reaches them."""
_BLOCK: Final = 64
"""The number of calls that are compressed together: they share their keys, and a larger block would gain little."""
_LEVEL: Final = 1
"""zlib's fastest level; the next levels take twice the time to save a tenth of the size."""
_EXACT: Final = 2
"""The version of marshal's format in which equal values are equal bytes: later ones refer back to shared objects."""
_SEGMENT_SDKS: Final = frozenset({None, statsig.SEGMENT_SDK, "statsig-segment"})
"""What the events that came from Segment say of their SDK, if anything: Statsig's own integration, and this library."""
_DELIVERY: Final = frozenset({segment.MESSAGE_ID, *segment.TIME_FIELDS, "_metadata"})
"""The fields that may differ between two deliveries of one call."""


def object_of(value: JsonValue) -> Json:
    """Return an object of a call, an empty one in place of anything else."""
    return value if type(value) is dict else {}


def ids_of(event: Json) -> dict[str, str]:
    """Return all IDs of a log event by ID type, the user ID among them."""
    user = event[statsig.USER]
    ids: dict[str, str] = user.get(statsig.CUSTOM_IDS, {})
    return ids | {statsig.USER_ID: user[statsig.USER_ID]} if statsig.USER_ID in user else ids


class Calls:
    """The Segment calls that could make an event, in the order in which they were given."""

    def __init__(self) -> None:
        """Start empty."""
        self.times = array("q")
        """Epoch milliseconds, or `NO_TIME`."""
        self.positions = array("q")
        self.digests = array("q")
        """Calls with equal digests are deliveries of one call."""
        self.identifies = self.unreadable = 0
        self.swapped = 0
        """How many of the unreadable ones are events of Statsig."""
        self._blocks: list[bytes] = []
        self._block: list[bytes] = []

    def __len__(self) -> int:
        return len(self.times)

    def add(self, call: Json, position: int, time_ms: int) -> None:
        """Add a call of exact types."""
        self.times.append(time_ms)
        self.positions.append(position)
        # A digest of 8 bytes instead of the content: among millions of calls, an accidental match is most unlikely, and
        # it would only make two calls look like deliveries of one.
        content = {key: value for key, value in call.items() if key not in _DELIVERY}
        self.digests.append(hash(marshal.dumps(content, _EXACT)))
        self._block.append(marshal.dumps(call))
        if len(self._block) == _BLOCK:
            self._blocks.append(zlib.compress(marshal.dumps(self._block), _LEVEL))
            self._block = []

    def __iter__(self) -> Iterator[Json]:
        """Read all calls again, each a fresh dict."""
        for block in self._blocks:
            yield from map(marshal.loads, marshal.loads(zlib.decompress(block)))  # noqa: S302 - our own bytes
        yield from map(marshal.loads, self._block)


def exact_call(payload: Any) -> Json | None:
    """Return a payload as a dict that can be packed; `None` if it is not an object."""
    value: JsonValue = payload
    try:
        if issubclass(type(payload), str | bytes):
            value = read_text(payload, SegmentEventError)
        if type(value) is dict:
            marshal.dumps(value)
            return value
    except SegmentEventError:
        return None
    except ValueError:  # a type that JSON does not have, or containers deeper than anything that is sent
        pass
    plain: JsonValue = thaw(freeze(value))
    return plain if type(plain) is dict else None


class Exported:
    """The events that Statsig holds."""

    def __init__(self, payloads: Iterable[Any]) -> None:
        """Read all events; what cannot be read is counted."""
        self.times = array("q")
        """Epoch milliseconds, or `NO_TIME`."""
        self.positions = array("q")
        self.foreign = bytearray()
        """Whether each says itself that it did not come from Segment: another SDK, or an event of Statsig's own."""
        self.changes = 0
        """Changes in Statsig's console: no call makes one."""
        self.unreadable = 0
        self.swapped = 0
        """How many of the unreadable ones are Segment calls."""
        self._packed: list[bytes] = []
        for position, payload in enumerate(payloads):
            try:
                event = parse_statsig_event(payload)
            except StatsigEventError:
                self.unreadable += 1
                self.swapped += is_readable(parse_segment_event, payload)
                continue
            if isinstance(event, ConfigChange):
                self.changes += 1
                continue
            self._packed.append(marshal.dumps(_held(event)))
            self.times.append(NO_TIME if event.time_ms is None else event.time_ms)
            self.positions.append(position)
            sdk_type = object_in(event.fields, statsig.STATSIG_METADATA).get(statsig.SDK_TYPE)
            is_own = event.event_name.startswith(statsig.INTERNAL_PREFIX)
            self.foreign.append(is_own or sdk_type not in _SEGMENT_SDKS)

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, at: int) -> Json:
        """Return what is compared of an event."""
        event: Json = marshal.loads(self._packed[at])  # noqa: S302 - our own bytes
        return event

    def span(self) -> tuple[int, int] | None:
        """Return the first and the last time; `None` if there is none."""
        known = [time_ms for time_ms in self.times if time_ms != NO_TIME]
        return (min(known), max(known)) if known else None


def _held(event: ExportedEvent) -> Json:
    """Return what is compared of an event, in the form of a log event."""
    metadata = {key: thaw(value) for key, value in event.metadata.items() if value is not None}
    held = {statsig.EVENT_NAME: event.event_name, statsig.USER: user_wire(event.user), statsig.METADATA: metadata}
    return held if event.value is None else held | {statsig.VALUE: thaw(event.value)}


def is_readable(parse: Callable[[Any], object], payload: Any) -> bool:
    """Return whether a parser takes a payload."""
    try:
        parse(payload)
    except StatsigSegmentError:
        return False
    return True
