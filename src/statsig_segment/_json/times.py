"""Times as both vendors' clients write them -> integer epoch milliseconds, and back to ISO text; no clock (IN-6)."""

import re
from datetime import UTC, date, datetime
from typing import Any, Final

DAY_MS: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z

LEAST_MS: Final = 31_557_600_000
MOST_MS: Final = 10**14 - 1
"""Whole numbers between these are milliseconds, from 1971 to 5138. The lower bound is that of Segment's own lenient
parser."""
_BEYOND: Final = 10**21  # as nanoseconds the year 33658
_UNITS: Final = ((LEAST_MS, 3), (MOST_MS + 1, 0), (10**17, -3), (_BEYOND, -6))
"""Numbers below the bound, and the power of ten that makes them milliseconds: seconds, milliseconds, microseconds,
nanoseconds."""

_NUMBER: Final = re.compile(r"(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_ISO: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"
    r"(?:[T ](?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?:Z|UTC|(?P<sign>[+-])(?P<offset_hour>[01]\d|2[0-3])(?::?(?P<offset_minute>[0-5]\d))?))?)?",
    re.ASCII,
)


def epoch_ms(value: Any) -> int | None:
    """Return a time as integer epoch milliseconds, cut and not rounded; `None` for what is not a time.

    A time is ISO 8601 text, a number, or a number as text, in both directions (IN-6). The size of a number decides its
    unit: seconds, milliseconds, microseconds or nanoseconds.

    >>> epoch_ms("2024-03-01 12:34:56.7899 +0100"), epoch_ms(1709292896), epoch_ms("1.709292896789E15")
    (1709292896789, 1709292896000, 1709292896789)
    >>> epoch_ms("yesterday") is None
    True
    """
    if type(value) is int and LEAST_MS <= value <= MOST_MS:  # as nearly all exports write it
        return value
    if type(value) is str:
        text = value
    elif type(value) is int and 0 <= value < _BEYOND:  # Python refuses to print an integer of thousands of digits
        text = str(value)
    elif type(value) is float:
        text = repr(value + 0.0)  # the shortest decimal form: 1.005 is 1005 ms, not 1004; adding zero makes -0.0 a 0.0
    else:
        return None
    number = _NUMBER.fullmatch(text)
    time_ms = _iso_ms(text) if number is None else _number_ms(*number.groups(default=""))
    return time_ms if time_ms is not None and 0 <= time_ms <= _LAST_MS else None


def _number_ms(whole: str, fraction: str, exponent: str) -> int | None:
    """Read a decimal number by its digits: floats are inexact, and a `Decimal` obeys its caller's context."""
    digits = (whole + fraction).lstrip("0")
    places = len(digits) - len(fraction) + int(exponent or "0")
    if not digits:
        return 0
    if places > len(str(_BEYOND)):
        return None
    size = _first(digits, places)
    return next((_first(digits, places + shift) for bound, shift in _UNITS if size < bound), None)


def _first(digits: str, places: int) -> int:
    """Return the first `places` digits as a whole number, with zeros appended if there are fewer."""
    return int(f"{digits:0<{places}}"[:places]) if places > 0 else 0


def _iso_ms(text: str) -> int | None:
    """Read ISO 8601 text; one without an offset is in UTC."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = found.groups(default="0")
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second)
    offset = int(offset_hour) * 3600 + int(offset_minute) * 60
    seconds += offset if sign == "-" else -offset
    return days * DAY_MS + seconds * 1000 + int(f"{fraction:0<3.3}")


def iso_text(time_ms: int) -> str:
    """Return epoch milliseconds as ISO 8601 with exactly three fraction digits and `Z` (OU-4).

    >>> iso_text(1709292896789)
    '2024-03-01T11:34:56.789Z'
    """
    seconds, ms = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{ms:03}Z"
