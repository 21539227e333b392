"""Times as both vendors' clients write them -> integer epoch milliseconds, and back to ISO text; no clock."""

import re
from datetime import UTC, date, datetime
from typing import Any, Final

DAY_MS: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_MOST_DIGITS: Final = len(str(_LAST_MS))
_SECONDS_BELOW: Final = 31_557_600_000  # after Segment's own lenient parser: larger numbers are milliseconds

_ISO: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d?)-(?P<day>\d\d?)"
    r"(?:[T ](?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?:Z|(?P<sign>[+-])(?P<offset_hour>[01]\d|2[0-3])(?::?(?P<offset_minute>[0-5]\d))?)?)?",
    re.ASCII,
)
_DIGITS: Final = re.compile(r"0*(\d+)(?:\.\d+)?", re.ASCII)


def epoch_ms(value: Any) -> int | None:
    """Read a time of a Segment call as integer epoch milliseconds, cut and not rounded; else `None` (IN-6).

    Shape: ISO 8601 text, a number, or a string of digits. Numbers below 31,557,600,000 are seconds, others
    milliseconds.

    >>> epoch_ms("2024-03-01 12:34:56.7899+01:00"), epoch_ms(1709292896), epoch_ms("yesterday")
    (1709292896789, 1709292896000, None)
    """
    if type(value) is str:
        return _seconds_or_ms(_whole_number(value)) if value.isdecimal() else iso_ms(value)
    if type(value) is int:
        return _seconds_or_ms(value)
    return _fractional_ms(value) if type(value) is float else None


def iso_ms(text: str) -> int | None:
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
    return _in_range(days * DAY_MS + seconds * 1000 + int(f"{fraction:0<3.3}"))


def _whole_number(digits: str) -> int | None:
    """Read ASCII digits, as many as any time has."""
    found = _DIGITS.fullmatch(digits)
    return int(found[1]) if found and len(found[1]) <= _MOST_DIGITS else None


def _seconds_or_ms(number: int | None) -> int | None:
    if number is None:
        return None
    return _in_range(number * 1000 if number < _SECONDS_BELOW else number)


def _fractional_ms(number: float) -> int | None:
    if not 0 <= number <= _LAST_MS + 1:
        return None
    if number >= _SECONDS_BELOW:
        return _in_range(int(number))
    whole, _, fraction = repr(number).partition(".")  # its shortest decimal form: 1.005 is 1005 ms, not 1004
    if "e" in fraction or "e" in whole:  # less than 0.0001 s
        return 0
    return int(whole) * 1000 + int(f"{fraction:0<3.3}")


def _in_range(time_ms: int) -> int | None:
    return time_ms if 0 <= time_ms <= _LAST_MS else None


def export_ms(value: Any) -> int | None:
    """Read the time of a Statsig export: numbers and digits are milliseconds, all else is ISO text (OU-1, OU-9).

    >>> export_ms(1709292896789.5), export_ms("1709292896789.5"), export_ms("2024-03-01 11:34:56.789 UTC")
    (1709292896789, 1709292896789, 1709292896789)
    """
    if type(value) is str:
        number = _whole_number(value)
        return iso_ms(_without_utc(value)) if number is None else _in_range(number)
    if type(value) is float:
        return int(value) if -1 < value < _LAST_MS + 1 else None
    return _in_range(value) if type(value) is int else None


def _without_utc(text: str) -> str:
    """Cut off the ` UTC` that may follow a text without an offset."""
    bare = text.removesuffix(" UTC")
    return f"{bare}Z" if bare != text and ":" in bare else bare


def iso_text(time_ms: int) -> str:
    """Write epoch milliseconds as ISO 8601 with exactly three fraction digits and `Z` (OU-4).

    >>> iso_text(1709292896789)
    '2024-03-01T11:34:56.789Z'
    """
    seconds, ms = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{ms:03}Z"
