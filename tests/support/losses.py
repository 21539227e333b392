"""What stays behind on purpose: the rows of docs/losses.toml, and which of them cover a leaf of a call or an export."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import attrs

Direction: TypeAlias = Literal["inbound", "outbound"]
Values: TypeAlias = Literal["any", "null", "blank"]
Steps: TypeAlias = tuple[str | int, ...]


@attrs.frozen(kw_only=True)
class LeftBehind:
    """A place whose value may stay behind without an issue; the table says what each key means."""

    direction: Direction
    path: str
    why: str
    rule: str
    kinds: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    values: Values = "any"
    beside: str | None = None
    profile: str | None = None


_TABLE: Final = tomllib.loads((Path(__file__).parents[2] / "docs" / "losses.toml").read_text(encoding="utf-8"))
_DIRECTIONS: Final[tuple[Direction, ...]] = ("inbound", "outbound")
LEFT_BEHIND: Final = tuple(
    LeftBehind(direction=direction, **row) for direction in _DIRECTIONS for row in _TABLE[direction]
)

# Fields that are sent, so that the row for all other fields is not about them.
_SENT: Final[dict[Direction, frozenset[str]]] = {
    "inbound": frozenset(("event", "userId", "name", "category", "properties", "traits")),
    "outbound": frozenset(("eventName", "userID", "user", "value", "metadata")),
}
_COLUMNS: Final = {
    "row": frozenset(("event_name", "timestamp", "user_object", "custom_ids", "event_value", "company_metadata")),
    "exposure": frozenset(("first_exposure_utc", "name", "rule", "rule_name", "experiment_group", "group_id")),
}


def left_behind(
    direction: Direction, steps: Steps, value: object, payload: dict[str, Any], *, profile: str | None = None
) -> list[LeftBehind]:
    """Return the rows that cover a leaf: its path as keys and indices, its value, and the payload that it is in."""
    kind = payload.get("type") if direction == "inbound" else _kind_of_export(payload)
    return [
        row
        for row in LEFT_BEHIND
        if row.direction == direction
        and (not row.kinds or kind in row.kinds)
        and row.profile in {None, profile}
        and _fits(row, steps, kind)
        and _is_among(row.values, value)
        and (row.beside is None or _is_there(row.beside, payload))
    ]


def _kind_of_export(payload: dict[str, Any]) -> str:
    if "eventName" not in payload and "event_name" in payload:
        return "row"
    if "eventName" not in payload and {"exposure_type", "unit_id"} <= payload.keys():
        return "exposure"
    name = payload.get("eventName", payload.get("event"))
    return "change" if name == "statsig::config_change" else "event"


def _fits(row: LeftBehind, steps: Steps, kind: Any) -> bool:
    pattern = row.path.removeprefix("$.").split(".")
    if pattern[0] == "*":
        rows = [other for other in LEFT_BEHIND if other.direction == row.direction]
        heads = {
            other.path.split(".")[1] for other in rows if not other.kinds or kind in other.kinds or kind not in _COLUMNS
        }
        return steps[0] not in _COLUMNS.get(str(kind), _SENT[row.direction]) | (heads - {"*"})
    below = pattern[-1] == "**"
    wanted = pattern[:-1] if below else pattern
    further = steps[len(wanted) :]
    ends = below or not further or isinstance(further[0], int)  # an array in this place is a value of it
    return (
        ends and len(steps) >= len(wanted) and all(one in ("*", step) for one, step in zip(wanted, steps, strict=False))
    )


def _is_among(values: Values, value: object) -> bool:
    if values == "any" or value is None:
        return True
    return values == "blank" and isinstance(value, str) and not value.strip()


def _is_there(place: str, payload: dict[str, Any]) -> bool:
    field, _, key = place.partition(".")
    held = payload.get(field)
    return held is not None if not key else isinstance(held, dict) and key in held
