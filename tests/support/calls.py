"""Segment calls, and oracles for what comes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
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
