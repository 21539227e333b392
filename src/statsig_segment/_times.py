"""Times as Segment's clients send them -> integer epoch milliseconds, and back to ISO text; no clock."""

import re
from datetime import UTC, date, datetime
from typing import Any, Final

from statsig_segment._values import plain

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_LAST_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_SECONDS_BELOW: Final = 31_557_600_000  # after Segment's own lenient parser: larger numbers are milliseconds
_DAY_MS: Final = 86_400_000

_ISO: Final = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)"
    r"(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?"
    r"(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)?)?",
    re.ASCII,
)
_COMMON: Final = "2024-03-01T12:34:56.789Z"
"""The form that clients send."""
_COMMON_LENGTH: Final = len(_COMMON)
_COMMON_MARKS: Final = _COMMON[4:20:3]


def epoch_ms(value: Any) -> int | None:
    """Read a time as integer epoch milliseconds, cut and not rounded; `None` where it is unreadable (IN-6).

    Shape: ISO 8601 text, a number, or a string of digits. Numbers below 31,557,600,000 are seconds, others
    milliseconds.

    >>> epoch_ms("2024-03-01 12:34:56.7899+01:00"), epoch_ms(1709292896), epoch_ms("yesterday")
    (1709292896789, 1709292896000, None)
    """
    if type(value) is str:
        # The form that clients send, read at C speed; all other forms are the pattern's. Python 3.14 reads 24:00 too.
        return _common_ms(value) if len(value) == _COMMON_LENGTH else _text_ms(value)
    value = plain(value)
    if type(value) is str:
        return _text_ms(value)
    if type(value) is int:
        return _number_ms(value)
    return _float_ms(value) if type(value) is float else None


def _common_ms(text: str) -> int | None:
    """Read text of the common length: with every mark in its place at C speed, else as any other."""
    if text[4:20:3] != _COMMON_MARKS or text[23] != "Z" or text[11:13] == "24":  # Python 3.14 reads 24:00
        return _text_ms(text)
    try:
        since = datetime.fromisoformat(text) - _EPOCH
    except ValueError:
        return None
    return _in_range(since.days * _DAY_MS + since.seconds * 1000 + since.microseconds // 1000)


def _text_ms(text: str) -> int | None:
    if text.isascii() and text.isdigit():
        significant = text.lstrip("0")
        return _number_ms(int(significant or "0")) if len(significant) <= len(str(_LAST_MS)) else None
    found = _ISO.fullmatch(text)
    return _fields_ms(*found.groups("")) if found else None


def _fields_ms(*fields: str) -> int | None:
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = fields
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None
    seconds = int(hour or 0) * 3600 + int(minute or 0) * 60 + int(second or 0)
    offset = int(offset_hour or 0) * 3600 + int(offset_minute or 0) * 60
    seconds += offset if sign == "-" else -offset
    return _in_range(days * _DAY_MS + seconds * 1000 + int(f"{fraction:0<3.3}"))


def _number_ms(number: int) -> int | None:
    return _in_range(number * 1000 if number < _SECONDS_BELOW else number)


def _float_ms(number: float) -> int | None:
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
    """Read the time of a Statsig export: a finite number cut to milliseconds, or digits; always milliseconds (OU-1)."""
    if type(value) is int:
        return _in_range(value)
    value = plain(value)
    if type(value) is str and value.isascii() and value.isdigit():
        significant = value.lstrip("0") or "0"
        return _in_range(int(significant)) if len(significant) <= len(str(_LAST_MS)) else None
    if type(value) is float:
        return int(value) if -1 < value < _LAST_MS + 1 else None
    return _in_range(value) if type(value) is int else None


def iso_text(time_ms: int) -> str:
    """Write epoch milliseconds as ISO 8601 with exactly three fraction digits and `Z` (OU-4).

    >>> iso_text(1709292896789)
    '2024-03-01T11:34:56.789Z'
    """
    seconds, ms = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat()[:19]}.{ms:03}Z"
