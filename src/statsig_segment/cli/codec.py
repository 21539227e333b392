"""Bytes of JSON <-> values for the command line: orjson where it is installed, with the same outcome as without it.

orjson is taken at its word only where it must agree with the standard library. What it refuses (NaN, lone surrogates,
1e400, a byte order mark), and what it would read or print in another way (integers beyond 64 bits, numbers from 1e-9 to
1e-4), goes to the standard library. Numbers that JSON does not have are written as null, as JavaScript writes them.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment._javascript import json_text
from statsig_segment._values import read_text
from statsig_segment.errors import StatsigSegmentError

_Error: TypeAlias = type[StatsigSegmentError]

_NINES: Final = bytes.maketrans(b"012345678", b"9" * 9)
_LONG_INTEGER: Final = b"9" * 19  # 64 bits hold every integer of fewer digits
_find_small_exponent: Final = re.compile(rb"e-[5-9](?:[,}\]]|\Z)").search
_SMALL_DECIMAL: Final = b"0.0000"
_dump: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


@attrs.frozen(kw_only=True)
class Codec:
    """A way to read and write JSON."""

    decode: Callable[[bytes, _Error], Any]
    """UTF-8 bytes -> value; raises the error class given, with code `invalid_json` or `number_too_long`."""
    encode: Callable[[Any], bytes]
    """Value -> compact JSON in UTF-8; a lone surrogate is escaped."""


def _encode(value: object) -> bytes:
    try:
        text = _dump(value)
    except ValueError:  # NaN or an infinity
        text = _dump(json.loads(json.dumps(value), parse_constant=_null))
    except RecursionError:
        text = json_text(value)[0]
    return text.encode("utf-8", "backslashreplace")  # which for a surrogate is JSON's escape too


def _null(_token: str) -> None:
    """Read NaN and the infinities."""


STANDARD: Final = Codec(decode=read_text, encode=_encode)


def best_codec() -> Codec:
    """Give the codec with orjson, or without it where the extra `fast` is not installed."""
    try:
        import orjson  # noqa: PLC0415 - an extra
    except ImportError:
        return STANDARD

    def decode(text: bytes, error: _Error) -> Any:
        if _LONG_INTEGER not in text.translate(_NINES):
            try:
                return orjson.loads(text)
            except orjson.JSONDecodeError:
                pass
        return read_text(text, error)

    def encode(value: object) -> bytes:
        try:
            text = orjson.dumps(value)
        except orjson.JSONEncodeError:
            return _encode(value)
        return _encode(value) if _SMALL_DECIMAL in text or _find_small_exponent(text) else text

    return Codec(decode=decode, encode=encode)


FAST: Final = best_codec()
