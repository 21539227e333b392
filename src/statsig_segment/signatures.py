"""The signatures of both vendors' webhooks: verify or raise; reads no clock, keeps no secret."""

import hashlib
import hmac
import json
from typing import Any, Final, NamedTuple, cast

from statsig_segment._json.values import JsonValue
from statsig_segment.errors import SignatureError

_VERSION: Final = "v0"
# No number is looked at: read as text, none is too long.
_DECODER: Final = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_JSON_SPACE: Final = " \t\n\r"
_MOST_DIGITS: Final = 18  # of a timestamp; longer ones are further off than any tolerance


def verify_statsig_signature(
    body: bytes,
    timestamp: str | None,
    signature: str | None,
    secret: str,
    *,
    now_ms: int | None = None,
    tolerance_ms: int | None = None,
) -> None:
    """Verify the signature of a Statsig webhook, in constant time.

    Shape: the raw body, the texts of the headers `X-Statsig-Request-Timestamp` and `X-Statsig-Signature`, and the
    signing secret; `None` stands for a missing header and is refused. The signature is `v0=` and the hexadecimal
    HMAC-SHA256 of `v0:{timestamp}:{body}`. With `now_ms` and `tolerance_ms` both given, a timestamp further than that
    from now, on either side, is refused too.
    Units: `timestamp`, `now_ms` in epoch milliseconds, `tolerance_ms` in milliseconds.
    Errors: `SignatureError` with code `signature_mismatch`, `signature_stale` or `signature_argument`; nothing else.
    Rules: TR-1. Source: Statsig's page on webhooks.

    >>> verify_statsig_signature(b"{}", "1", "v0=00", "secret")
    Traceback (most recent call last):
    statsig_segment.errors.SignatureError: the signature does not match the body
    """
    base = f"{_VERSION}:".encode() + _bytes(timestamp) + b":" + _body(body)
    expected = f"{_VERSION}={hmac.new(_secret(secret), base, hashlib.sha256).hexdigest()}"
    if not _is_signature(expected, signature):
        raise SignatureError("signature_mismatch")
    now, tolerance = _milliseconds(now_ms), _milliseconds(tolerance_ms)
    if now is not None and tolerance is not None:
        _check_age(timestamp, now, tolerance)


def verify_segment_signature(body: bytes, signature: str | None, secret: str) -> None:
    """Verify the signature of a Segment webhook, in constant time.

    Shape: the raw body, the text of the header `X-Signature`, and the shared secret; `None` stands for a missing header
    and is refused. The signature is the hexadecimal HMAC-SHA1 of the raw bytes; of a batch, a JSON array, either of
    those or of the exact bytes of its first element.
    Errors: `SignatureError` with code `signature_mismatch` or `signature_argument`; nothing else.
    Rules: TR-2. Source: Segment's page on its webhook destination.

    >>> verify_segment_signature(b"{}", "00", "secret")
    Traceback (most recent call last):
    statsig_segment.errors.SignatureError: the signature does not match the body
    """
    key = _secret(secret)
    signed = (_body(body), *_first_element(body))
    matches = [_is_signature(hmac.new(key, part, hashlib.sha1).hexdigest(), signature) for part in signed]
    if not any(matches):
        raise SignatureError("signature_mismatch")


def _is_signature(expected: str, signature: object) -> bool:
    return hmac.compare_digest(expected.encode(), _bytes(signature))


def _body(body: object) -> bytes:
    if not issubclass(type(body), bytes):
        raise SignatureError("signature_argument", "body")
    return cast("bytes", body)


def _bytes(text: object) -> bytes:
    if not issubclass(type(text), str):
        raise SignatureError("signature_argument")
    return str.encode(cast("str", text), errors="surrogatepass")


def _secret(secret: object) -> bytes:
    key = _bytes(secret)
    if not key:
        raise SignatureError("signature_argument", "secret")
    return key


def _milliseconds(number: object) -> int | None:
    if number is not None and type(number) is not int:
        raise SignatureError("signature_argument")
    return number


def _check_age(timestamp: Any, now_ms: int, tolerance_ms: int) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise SignatureError("signature_argument", "timestamp")
    digits = timestamp.lstrip("0")
    if len(digits) > _MOST_DIGITS or abs(int(digits or "0") - now_ms) > tolerance_ms:
        raise SignatureError("signature_stale", "timestamp")


def _first_element(body: bytes) -> tuple[bytes, ...]:
    """Give the exact bytes of the first element of a body that is a JSON array and not empty."""
    decoded = _decoded(body)
    if decoded is None or not isinstance(decoded.value, list) or not decoded.value:
        return ()
    inside = decoded.text[len("[") :].lstrip(_JSON_SPACE)
    return (inside[: _DECODER.raw_decode(inside)[1]].encode(),)


class _Decoded(NamedTuple):
    value: JsonValue
    text: str


def _decoded(body: bytes) -> _Decoded | None:
    """Read a body as JSON, `None` where it is not; the text comes without the space around it."""
    try:
        text = body.decode().strip(_JSON_SPACE)
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return _Decoded(value, text) if end == len(text) else None
