"""Convert between JSON bytes and values, with orjson if it is installed, and with the same result without it.

orjson is trusted only where it must agree with the standard library. What it refuses (NaN, lone surrogates, 1e400, a
byte order mark), and what it would read or print differently (integers beyond 64 bits, numbers from 1e-9 to 1e-4), goes
to the standard library. Numbers that JSON does not have are written as null, as JavaScript writes them.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment._json.values import JsonValue, read_text
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
    quick_encode: Callable[[Any], bytes]
    """Like `encode`, for values without numbers from 1e-9 to 1e-4; raises TypeError if `encode` must decide."""
    quick_decoder: Callable[[bytes], Callable[[bytes], Any]]
    """Block of lines -> the fastest decoder for any line of it; it raises ValueError if `decode` must decide."""


def _encode(value: object) -> bytes:
    try:
        text = _dump(value)
    except ValueError:  # NaN or an infinity
        text = _dump(json.loads(json.dumps(value), parse_constant=_null))
    except RecursionError:
        return b"".join(_deep_pieces(value))
    return text.encode("utf-8", "backslashreplace")  # which for a surrogate is JSON's escape too


def _deep_pieces(value: Any) -> Iterator[bytes]:
    """Yield the pieces of a value of any depth: slow, but needed because readers accept deeper values than writers."""
    waiting: list[JsonValue | tuple[Any, ...] | bytes] = [value]
    while waiting:
        match waiting.pop():
            case bytes() as piece:  # which is JSON already
                yield piece
            case dict() as entries:
                parts: list[Any] = [part for key, item in entries.items() for part in (b",", _encode(key) + b":", item)]
                waiting += (b"}", *reversed(parts[1:]), b"{")
            case list() | tuple() as items:
                parts = [part for item in items for part in (b",", item)]
                waiting += (b"]", *reversed(parts[1:]), b"[")
            case scalar:
                yield _encode(scalar)


def _null(_token: str) -> None:
    """Read NaN and the infinities."""


def _read(text: bytes) -> Any:
    return read_text(text, StatsigSegmentError)


STANDARD: Final = Codec(decode=read_text, encode=_encode, quick_encode=_encode, quick_decoder=lambda _block: _read)


def best_codec() -> Codec:
    """Return the codec with orjson, or without it where it is not installed."""
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

    def careful(text: bytes) -> Any:
        return decode(text, StatsigSegmentError)

    def quick_decoder(block: bytes) -> Callable[[bytes], Any]:
        return careful if _LONG_INTEGER in block.translate(_NINES) else orjson.loads

    return Codec(decode=decode, encode=encode, quick_encode=orjson.dumps, quick_decoder=quick_decoder)


FAST: Final = best_codec()
