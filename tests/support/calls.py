"""Segment calls, and oracles for what comes of them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.values import JsonObject


def track(**fields: Any) -> JsonObject:
    """A track call without an ID."""
    return {"type": "track", "event": "Signed Up", **fields}


def user_track(**fields: Any) -> JsonObject:
    """A track call of the user `u1`."""
    return {"type": "track", "event": "Signed Up", "userId": "u1", **fields}


def found(event: Any) -> set[tuple[str, str]]:
    """The issues of an event; each (code, path) occurs once."""
    pairs = [(issue.code, issue.path) for issue in event.issues]
    assert len(pairs) == len(set(pairs))
    return set(pairs)


def read_id(value: Any) -> str | None:
    """The oracle of IN-4, by way of exact decimal arithmetic."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return value or None
    if isinstance(value, int | float):
        exact = Decimal(value)
        if exact.is_finite() and exact == exact.to_integral_value():
            return format(exact.to_integral_value(), "f") if exact else "0"
    return None


def iso(time_ms: int) -> str:
    """The text of a time that Segment writes, with exactly three digits of milliseconds."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

# The grammar of IN-6, once more and from the rule's text alone.
_GRAMMAR = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})"
    r"(?P<clock>[T ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,9}))?)?"
    r"(?P<zone> ?(Z|UTC|(?P<sign>[+-])(?P<zone_hour>[0-9]{2})(:?(?P<zone_minute>[0-9]{2}))?))?)?"
)


def read_iso(text: str) -> int | None:
    """The oracle for text that is not a number: the grammar above, and the calendar of `datetime`."""
    matched = _GRAMMAR.fullmatch(text)
    if matched is None:
        return None
    part = matched.groupdict(default="0")
    try:
        moment = datetime(
            int(part["year"]),
            int(part["month"]),
            int(part["day"]),
            int(part["hour"]),
            int(part["minute"]),
            int(part["second"]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    if int(part["zone_hour"]) > 23 or int(part["zone_minute"]) > 59:
        return None
    offset = timedelta(hours=int(part["zone_hour"]), minutes=int(part["zone_minute"]))
    since = (moment - EPOCH) + (offset if part["sign"] == "-" else -offset)
    time_ms = since // timedelta(seconds=1) * 1000 + int((part["fraction"] + "00")[:3] if matched["fraction"] else 0)
    return time_ms if 0 <= time_ms <= LAST_MS else None


_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_MS_BELOW, _US_BELOW = 100_000_000_000_000, 100_000_000_000_000_000
SECONDS_BELOW = 31_557_600_000


def read_number(text: str) -> int | None:
    """The oracle for numbers, as JSON or as text: exact fractions of the number that the text spells."""
    if not _NUMBER.fullmatch(text):
        return None
    number = Fraction(text)
    if number < SECONDS_BELOW:
        number *= 1000
    elif number >= _US_BELOW:
        number /= 1_000_000
    elif number >= _MS_BELOW:
        number /= 1000
    time_ms = math.floor(number)
    return time_ms if time_ms <= LAST_MS else None


def read_time(value: Any) -> int | None:
    """The oracle of IN-6 for any JSON value."""
    if isinstance(value, str):
        return read_number(value) if _NUMBER.fullmatch(value) else read_iso(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return read_number(repr(value + 0.0) if isinstance(value, float) else str(max(-1, min(value, 10**30))))
