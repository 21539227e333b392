"""What stays behind on purpose, as data: places of a call or an export that may not arrive, why, and by which rule.

`docs/losses.md` is made from this table. Nothing in the library reads it; a test holds the code against it by taking
calls and exports apart leaf by leaf. A leaf that is neither in the result nor named by an issue needs a row below.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

import attrs

__all__ = ["LEFT_BEHIND", "Direction", "LeftBehind", "left_behind"]

Direction: TypeAlias = Literal["inbound", "outbound"]
Values: TypeAlias = Literal["any", "null", "blank"]
Steps: TypeAlias = tuple[str | int, ...]

_VIEWS: Final = ("page", "screen")
_EVENTS: Final = ("track", "page", "screen", "group")


@attrs.frozen(kw_only=True)
class LeftBehind:
    """A place whose value may stay behind without an issue.

    >>> rows = left_behind("inbound", ("messageId",), "m-1", {"type": "track", "messageId": "m-1"})
    >>> [(row.path, row.rule) for row in rows]
    [('$.messageId.**', 'IN-9')]
    """

    direction: Direction
    """`inbound` for Segment calls, `outbound` for what Statsig exports."""
    path: str
    """The place: `*` stands for any one key or index, `**` for everything below, `$.*` for a field no row names."""
    why: str
    """The reason, as the end of a sentence that begins with the place."""
    rule: str
    """The id of the rule that says so."""
    kinds: tuple[str, ...] = ()
    """The types of call, or `event` and `change` outbound, that it is about; all of them where there are none."""
    values: Values = "any"
    """Which values stay behind: any, only null, or only null and blank text."""
    beside: str | None = None
    """Another place, such as `properties.name`, without which the row does not apply."""
    profile: str | None = None
    """The outbound profile that it is about; both where there is none."""


def _inbound(path: str, rule: str, why: str, **more: Any) -> LeftBehind:
    return LeftBehind(direction="inbound", path=path, rule=rule, why=why, **more)


def _outbound(path: str, rule: str, why: str, **more: Any) -> LeftBehind:
    return LeftBehind(direction="outbound", path=path, rule=rule, why=why, **more)


LEFT_BEHIND: Final = (
    # -- Segment to Statsig ---------------------------------------------------------------------------------------
    _inbound("$.type", "IN-2", "decides what the call becomes"),
    _inbound("$.messageId.**", "IN-9", "stays on the model and is never sent"),
    _inbound("$.integrations.**", "FL-4", "decides whether the call is sent"),
    _inbound("$.context.**", "US-2", "stays where it is unless the configuration asks for it"),
    _inbound("$.anonymousId", "ID-4", "is sent only where a row maps it"),
    _inbound(
        "$.groupId", "ID-4", "is sent only by a group call whose traits have no `groupId`, or where a row maps it"
    ),
    _inbound("$.timestamp", "IN-5", "says nothing as null", values="null"),
    _inbound("$.originalTimestamp.**", "IN-5", "is read only where `timestamp` is not a time"),
    _inbound("$.receivedAt.**", "IN-5", "is read only where no field before it is a time"),
    _inbound("$.sentAt.**", "IN-5", "is read only where no other field is a time"),
    _inbound("$.userId", "IN-4", "says nothing as null", values="null"),
    _inbound("$.event.**", "US-6", "names track calls only", kinds=("page", "screen", "group", "identify")),
    _inbound("$.name.**", "US-6", "names pages and screens only", kinds=("track", "group", "identify")),
    _inbound("$.category.**", "US-6", "names pages and screens only", kinds=("track", "group", "identify")),
    _inbound("$.name", "US-6", "says nothing where it is blank", kinds=_VIEWS, values="blank"),
    _inbound("$.category", "US-6", "says nothing where it is blank", kinds=_VIEWS, values="blank"),
    _inbound(
        "$.name",
        "US-7",
        "gives way to the property of that name, where the template does not use it",
        kinds=_VIEWS,
        beside="properties.name",
    ),
    _inbound(
        "$.category",
        "US-7",
        "gives way to the property of that name, where the template does not use it",
        kinds=_VIEWS,
        beside="properties.category",
    ),
    _inbound("$.properties.**", "US-7", "is left out where it is null", values="null"),
    _inbound("$.traits.**", "US-7", "is left out where it is null", values="null"),
    _inbound(
        "$.properties.**",
        "ID-3",
        "is not read in these calls, except for the control keys",
        kinds=("group", "identify"),
    ),
    _inbound("$.traits.**", "IN-7", "is read only where the configuration names it", kinds=("track", "page", "screen")),
    _inbound(
        "$.traits.**", "AU-1", "is not sent, except for the trait that says who is in an audience", kinds=("identify",)
    ),
    _inbound(
        "$.traits.statsigCustomIDs.**",
        "ID-3",
        "gives way to the one in `properties`",
        beside="properties.statsigCustomIDs",
    ),
    _inbound(
        "$.traits.statsigCustom.**", "ID-3", "gives way to the one in `properties`", beside="properties.statsigCustom"
    ),
    _inbound(
        "$.traits.statsigEnvironment.**",
        "ID-3",
        "gives way to the one in `properties`",
        beside="properties.statsigEnvironment",
    ),
    _inbound("$.properties.statsigEnvironment.*.**", "US-3", "is not sent: only `tier` is", kinds=_EVENTS),
    _inbound("$.traits.statsigEnvironment.*.**", "US-3", "is not sent: only `tier` is", kinds=_EVENTS),
    _inbound("$.*.**", "IN-7", "is sent only where a row or a table of the configuration reads it"),
    # -- Statsig to Segment ---------------------------------------------------------------------------------------
    _outbound("$.user.privateAttributes.**", "OU-5", "never leaves"),
    _outbound(
        "$.userID.**", "OU-3", "is sent only where it is an ID, or else null or empty in the profile `documented`"
    ),
    _outbound("$.timestamp", "OU-1", "says nothing as null", values="null"),
    _outbound("$.time", "OU-1", "says nothing as null", values="null"),
    _outbound("$.time.**", "OU-1", "is read only where there is no `timestamp`", beside="timestamp"),
    _outbound("$.statsigMetadata.**", "OU-3", "stays behind, except for the `stableID`"),
    _outbound("$.timeUUID.**", "OU-3", "has no place in Statsig's schema of a call", profile="documented"),
    _outbound("$.timeUUID.**", "OU-4", "is sent only where it is text", profile="deliverable"),
    _outbound("$.user.**", "OU-6", "is sent only as author, email and user ID", kinds=("change",)),
    _outbound("$.metadata.**", "OU-6", "is sent only in part", kinds=("change",), profile="documented"),
    _outbound("$.context.**", "OU-7", "is made anew", kinds=("change",)),
    _outbound("$.unitID.**", "OU-3", "has no place in Statsig's schema of a call"),
    _outbound("$.user", "OU-1", "counts as absent where it is not an object"),
    _outbound("$.metadata", "OU-1", "counts as absent where it is not an object"),
    _outbound("$.*.**", "OU-1", "has no place in Statsig's schema of a call"),
)
"""Every place that may stay behind without an issue, in the order of the fields."""

_SENT_INBOUND: Final = frozenset(("event", "userId", "name", "category", "properties", "traits"))
_SENT_OUTBOUND: Final = frozenset(("eventName", "userID", "user", "value", "metadata"))
"""Fields that are sent, so that the row for all other fields is not about them."""


def left_behind(
    direction: Direction, steps: Steps, value: object, payload: dict[str, Any], *, profile: str | None = None
) -> list[LeftBehind]:
    """Give the rows that cover a leaf: its path as keys and indices, its value, and the payload that it stands in.

    >>> call = {"type": "page", "name": " ", "context": {"page": {"path": "/"}}}
    >>> [row.rule for row in left_behind("inbound", ("context", "page", "path"), "/", call)]
    ['US-2']
    >>> [row.rule for row in left_behind("inbound", ("name",), " ", call)]
    ['US-6']
    >>> left_behind("inbound", ("name",), "Home", call)
    []
    """
    kind = payload.get("type") if direction == "inbound" else _kind_of_export(payload)
    return [
        row
        for row in LEFT_BEHIND
        if row.direction == direction
        and (not row.kinds or kind in row.kinds)
        and row.profile in {None, profile}
        and _fits(row, steps)
        and _is_among(row.values, value)
        and (row.beside is None or _is_there(row.beside, payload))
    ]


def _kind_of_export(payload: dict[str, Any]) -> str:
    name = payload.get("eventName", payload.get("event"))
    return "change" if name == "statsig::config_change" else "event"


def _fits(row: LeftBehind, steps: Steps) -> bool:
    pattern = row.path.removeprefix("$.").split(".")
    if pattern[0] == "*":
        return steps[0] not in _named(row.direction)
    below = pattern[-1] == "**"
    wanted = pattern[:-1] if below else pattern
    further = steps[len(wanted) :]
    ends = below or not further or isinstance(further[0], int)  # an array that stands in the place is in it
    return (
        ends and len(steps) >= len(wanted) and all(one in ("*", step) for one, step in zip(wanted, steps, strict=False))
    )


def _named(direction: Direction) -> frozenset[str]:
    heads = {row.path.split(".")[1] for row in LEFT_BEHIND if row.direction == direction}
    return (_SENT_INBOUND if direction == "inbound" else _SENT_OUTBOUND) | (heads - {"*"})


def _is_among(values: Values, value: object) -> bool:
    if values == "any" or value is None:
        return True
    return values == "blank" and isinstance(value, str) and not value.strip()


def _is_there(place: str, payload: dict[str, Any]) -> bool:
    field, _, key = place.partition(".")
    held = payload.get(field)
    return held is not None if not key else isinstance(held, dict) and key in held
