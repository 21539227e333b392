"""The signatures of both vendors' webhooks: verify or raise. This module reads no clock and keeps no secret."""

import hashlib
import hmac
import json
from typing import Any, Final

from statsig_segment.errors import SignatureError

# No number is looked at. Read as text, none is too long.
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

    The signature is `v0=` and the hexadecimal HMAC-SHA256 of `v0:{timestamp}:{body}`.

    Args:
        body: The raw body.
        timestamp: The header `X-Statsig-Request-Timestamp`, in epoch milliseconds; `None` if it is missing, which
            is refused.
        signature: The header `X-Statsig-Signature`, likewise.
        secret: The signing secret.
        now_ms: The current time in epoch milliseconds. With `tolerance_ms`, a timestamp further than that from now, on
            either side, is refused too.
        tolerance_ms: The greatest distance from now, in milliseconds.

    Raises:
        SignatureError: Code `signature_mismatch`, `signature_stale` or `signature_argument`. Nothing else is raised.

    Rules: TR-1.
    Source: Statsig's page on webhooks.

    >>> verify_statsig_signature(b"{}", "1", "v0=00", "secret")
    Traceback (most recent call last):
    statsig_segment.errors.SignatureError: the signature does not match the body

    """
    given = _header(timestamp, "timestamp", "X-Statsig-Request-Timestamp")
    key, raw = _key(secret), _body(body)
    expected = f"v0={hmac.new(key, b'v0:' + given + b':' + raw, hashlib.sha256).hexdigest()}"
    if not hmac.compare_digest(expected.encode(), _header(signature, "signature", "X-Statsig-Signature")):
        raise SignatureError("signature_mismatch")
    if not {type(now_ms), type(tolerance_ms)} <= {int, type(None)}:
        raise SignatureError("signature_argument")
    if now_ms is None or tolerance_ms is None:
        return
    if not given.isdigit():
        raise SignatureError("signature_argument", "timestamp")
    digits = given.lstrip(b"0")
    if len(digits) > _MOST_DIGITS or abs(int(digits or b"0") - now_ms) > tolerance_ms:
        raise SignatureError("signature_stale", "timestamp")


def verify_segment_signature(body: bytes, signature: str | None, secret: str) -> None:
    """Verify the signature of a Segment webhook, in constant time.

    The signature is the hexadecimal HMAC-SHA1 of the raw bytes; for a batch, a JSON array, that or the one of the
    exact bytes of its first element.

    Args:
        body: The raw body.
        signature: The header `X-Signature`; `None` if it is missing, which is refused.
        secret: The shared secret.

    Raises:
        SignatureError: Code `signature_mismatch` or `signature_argument`. Nothing else is raised.

    Rules: TR-2.
    Source: Segment's page on its webhook destination.

    >>> verify_segment_signature(b"{}", "00", "secret")
    Traceback (most recent call last):
    statsig_segment.errors.SignatureError: the signature does not match the body

    """
    key, raw = _key(secret), _body(body)
    given = _header(signature, "signature", "X-Signature")
    signed = (raw, *_first_element(raw))
    # All of them are compared, so that the time says nothing about which one matched.
    matches = [hmac.compare_digest(hmac.new(key, part, hashlib.sha1).hexdigest().encode(), given) for part in signed]
    if not any(matches):
        raise SignatureError("signature_mismatch")


def _body(body: Any) -> bytes:
    if not issubclass(type(body), bytes):
        raise SignatureError("signature_argument", "body")
    return bytes.__getitem__(body, slice(None))


def _header(text: Any, argument: str, header: str) -> bytes:
    if text is None:
        raise SignatureError("signature_argument", argument, f"the header {header} is missing")
    if not issubclass(type(text), str):
        raise SignatureError("signature_argument", argument)
    return str.encode(text, errors="surrogatepass")


def _key(secret: Any) -> bytes:
    key = str.encode(secret, errors="surrogatepass") if issubclass(type(secret), str) else b""
    if not key:
        raise SignatureError("signature_argument", "secret")
    return key


def _first_element(body: bytes) -> tuple[bytes, ...]:
    """Return the exact bytes of the first element of a body that is a JSON array with elements."""
    try:
        text = bytes.decode(body).strip(_JSON_SPACE)
        value, end = _DECODER.raw_decode(text)
        if end != len(text) or type(value) is not list or not value:
            return ()
        inside = text[len("[") :].lstrip(_JSON_SPACE)
        return (inside[: _DECODER.raw_decode(inside)[1]].encode(),)
    except (ValueError, RecursionError):
        return ()
