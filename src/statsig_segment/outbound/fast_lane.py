"""The fast lane from an exported event to its track call: one pass over a sound event; it leaves any other alone.

**The law.** For every payload and every configuration, `outbound_track` returns exactly what the reference returns (the
modules `statsig.exports`, `configuration.filters` and `outbound.export`), or it returns `None` and leaves the event to
the reference. What it returns belongs to an event without an issue.

**The theory.** It is the same as in the other direction. Nearly all events are sound: exact dicts with the fields
and types that Statsig exports. For those nothing has to be frozen, noted or explained, so the lane reads an event once,
from top to bottom, and copies what is sent. It knows no issue, no path and no code: wherever the reference might add an
issue, raise an error or convert a value, the lane steps aside. It returns `None`, or it raises whatever comes, which
`outbound_track` turns into `None`. Every shortcut rests on a check of an exact type, `type(x) is str`, because only
exact types are known to behave.

Config changes, rows of tables, and message IDs made from an event's content (OU-4, OU-6, OU-7, OU-9, OU-10) are always
left to the reference.

tests/properties/test_fast_lane.py and tests/unit/test_fast_lane_outbound.py hold the law.
"""

# An exact type narrows `Any` to a dict or list of unknown entries, says pyright; a narrower declaration would be
# checked anew where this is compiled. mypy, strict as well, takes the entries for `Any`.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from typing import Any, Final, TypeAlias

from statsig_segment._json.times import LEAST_MS, MOST_MS, epoch_ms, iso_text
from statsig_segment._json.values import JsonValue
from statsig_segment.configuration.plans import OutboundPlan
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.placeholders import PLAIN_ENDS, PLAIN_STARTS, is_placeholder
from statsig_segment.statsig import (
    CONFIG_CHANGE,
    CUSTOM_IDS,
    EMAIL,
    EVENT_NAME,
    EXPOSURES,
    INTERNAL_PREFIX,
    METADATA,
    PRIVATE_ATTRIBUTES,
    SDK_TYPE,
    SEGMENT_PREFIX,
    SEGMENT_SDK,
    STABLE_ID,
    STATSIG_METADATA,
    TIME,
    TIME_UUID,
    TIMESTAMP,
    USER,
    USER_ID,
    VALUE,
)

JsonObject: TypeAlias = dict[str, Any]

_STRINGS: Final = frozenset({str})
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_ROOM: Final = 64
"""The most levels that the lane copies, well within the 100 of the reference, which cuts deeper values (TR-5)."""


class _OddError(Exception):
    """Raised to leave the event to the reference."""


def outbound_track(given: object, plan: OutboundPlan | None) -> JsonObject | str | None:  # noqa: C901, PLR0911, PLR0912, PLR0915
    """Return the track call or the skip reason of a sound event; `None` for any other payload.

    It takes any payload, and steps aside for all but exact dicts. It is one long function, because calling another
    function costs as much as a rule.
    """
    if type(given) is not dict or plan is None:
        return None
    payload: JsonObject = given  # pyright: ignore[reportUnknownVariableType] - the check tells nothing of keys
    try:
        (
            is_deliverable,
            anonymous_ids,
            group_id,
            needs_time_uuid,
            allow_segment_origin,
            exposures,
            include_new_events,
            events,
            drop_rows,
        ) = plan
        name = payload.get(EVENT_NAME)
        if type(name) is not str or not name or name == CONFIG_CHANGE:
            return None

        # -- What parsing reads (OU-1, IN-6) ---------------------------------------------------------------------------
        user_id, time_uuid, timestamp = payload.get(USER_ID), payload.get(TIME_UUID), payload.get(TIMESTAMP)
        user: Any = payload.get(USER)
        value: Any = payload.get(VALUE)
        metadata: Any = payload.get(METADATA)
        statsig_metadata: Any = payload.get(STATSIG_METADATA)
        # A whole number within these bounds is in milliseconds already; any other time has a unit to find out (IN-6).
        if type(timestamp) is not int or not LEAST_MS <= timestamp <= MOST_MS:
            timestamp = _time_ms(payload)
        if type(time_uuid) not in _SCALARS or type(user_id) not in _SCALARS:
            return None
        stable_id: JsonValue = None
        sdk_type: JsonValue = None
        has_stable_id = False
        if statsig_metadata is not None:
            if type(statsig_metadata) is not dict or statsig_metadata is payload:
                return None
            stable_id, sdk_type = statsig_metadata.get(STABLE_ID), statsig_metadata.get(SDK_TYPE)
            has_stable_id = STABLE_ID in statsig_metadata
            if type(sdk_type) is not str and sdk_type is not None:
                return None

        # -- What is not sent (FL-2, FL-7) -----------------------------------------------------------------------------
        if name.startswith(INTERNAL_PREFIX):
            passes = exposures and name in EXPOSURES
        else:
            passes = events.get(name, include_new_events)
        if not passes:
            return "filtered" if _has_printable_ids(user_id, user, stable_id) else None
        if not allow_segment_origin and (sdk_type == SEGMENT_SDK or name.startswith(SEGMENT_PREFIX)):
            if drop_rows or not _has_printable_ids(user_id, user, stable_id):  # a row that drops it comes first
                return None
            return "segment_origin"

        # -- The context and the properties (OU-3, OU-5) ---------------------------------------------------------------
        context: JsonObject = {}
        properties: JsonObject = {}
        custom_ids: JsonObject = {}
        if user is not None:
            if type(user) is not dict:
                return None
            copied = _copy(user, _ROOM)
            if PRIVATE_ATTRIBUTES in copied:
                del copied[PRIVATE_ATTRIBUTES]
            context[USER] = copied
            ids: JsonValue = user.get(CUSTOM_IDS)
            if ids is not None:
                if type(ids) is not dict:
                    return None
                custom_ids = ids
        elif USER in payload:  # an explicit null stays, an absent field stays absent (OU-3)
            context[USER] = None
        if value is not None or VALUE in payload:
            # The context and the properties get separate copies: the caller may change either.
            if type(value) in _SCALARS:
                context[VALUE] = properties[VALUE] = value
            else:
                context[VALUE], properties[VALUE] = _copy(value, _ROOM), _copy(value, _ROOM)
        if metadata is not None:
            if type(metadata) is not dict:
                return None
            if _STRINGS.issuperset(map(type, metadata)) and _SCALARS.issuperset(map(type, metadata.values())):
                context[METADATA], properties[METADATA] = metadata.copy(), metadata.copy()
            else:
                context[METADATA], properties[METADATA] = _copy(metadata, _ROOM), _copy(metadata, _ROOM)
        elif METADATA in payload:
            context[METADATA] = properties[METADATA] = None
        context["library"] = {"name": "statsig", "version": "1.0"}
        # A stable ID in the SDK's metadata wins over one among the custom IDs. If it is anything but text, the
        # reference chooses between the candidates, some of which may be null or empty (OU-3).
        if type(stable_id) is str and stable_id:
            if stable_id[0] not in PLAIN_STARTS and stable_id[-1] not in PLAIN_ENDS and is_placeholder(stable_id):
                return None
        else:
            if stable_id is not None:
                return None
            stable_id = custom_ids.get(STABLE_ID)
            if stable_id is not None and (type(stable_id) is not str or not stable_id):
                return None
            has_stable_id = has_stable_id or STABLE_ID in custom_ids
        if has_stable_id:
            context[STABLE_ID] = stable_id
        if drop_rows and _is_dropped(payload, context, drop_rows):
            return "filtered" if _has_printable_ids(user_id, user, stable_id) else None

        # -- The user ID, and the custom IDs, of which a placeholder has an issue even if unused (OU-3, ID-8) ----------
        track: JsonObject = {"type": "track"}
        if type(user_id) is str and user_id:
            if user_id[0] not in PLAIN_STARTS and user_id[-1] not in PLAIN_ENDS and is_placeholder(user_id):
                return None
            track["userId"] = user_id
        elif not _is_nobody(track, payload, user_id, user, is_deliverable=is_deliverable):
            return None
        for text in custom_ids.values():
            is_odd = type(text) is not str or not text or (text[0] not in PLAIN_STARTS and text[-1] not in PLAIN_ENDS)
            if is_odd and _is_placeholder(text):
                return None
        if timestamp is not None:
            track["timestamp"] = timestamp
        track["event"] = name
        track["context"] = context
        track["properties"] = properties

        # -- What Segment's API accepts (OU-4) -------------------------------------------------------------------------
        if is_deliverable:
            # The first ID type that has an ID counts, so a value that may or may not be one decides nothing here.
            for id_type in anonymous_ids:
                anonymous_id = stable_id if id_type == STABLE_ID else custom_ids.get(id_type)
                if anonymous_id is not None:
                    if type(anonymous_id) is not str or not anonymous_id:
                        return None
                    track["anonymousId"] = anonymous_id
                    break
            else:
                if "userId" not in track:
                    return None
            if timestamp is not None:
                track["timestamp"] = iso_text(timestamp)
            email = None if user is None else user.get(EMAIL)
            if email is not None:
                if type(email) is not str:
                    return None
                if email:
                    context["traits"] = {EMAIL: email}
            if group_id is not None:
                group = custom_ids.get(group_id)
                if group is not None:
                    if type(group) is not str or not group:
                        return None
                    context["groupId"] = group
            if type(time_uuid) is str and time_uuid:
                track["messageId"] = time_uuid
            elif needs_time_uuid:
                return None
        return track  # noqa: TRY300 - the reader comes here from above, not from the handler
    except Exception:  # noqa: BLE001 - the law: whatever is odd, in whatever way it shows, is the reference's
        return None


def _time_ms(payload: JsonObject) -> int | None:
    """Return a time that is not a plain integer, in epoch milliseconds (OU-1, IN-6)."""
    for name in (TIMESTAMP, TIME):
        value = payload.get(name)
        if value is not None:
            time_ms = epoch_ms(value) if type(value) in _SCALARS else None
            if time_ms is None:
                raise _OddError
            return time_ms
    return None


def _is_nobody(track: JsonObject, payload: JsonObject, user_id: Any, user: Any, *, is_deliverable: bool) -> bool:
    """Add the user ID of an event whose top-level one is absent, null or empty; return `False` to step aside (OU-3)."""
    inner = None if user is None else user.get(USER_ID)
    if type(inner) is str and inner and (user_id is None or user_id == ""):
        track["userId"] = inner
        return not is_placeholder(inner)
    if (user_id is not None and user_id != "") or (inner is not None and inner != ""):
        return False
    if not is_deliverable:
        if USER_ID in payload:
            track["userId"] = user_id
        elif user is not None and USER_ID in user:
            track["userId"] = inner
    return True


def _has_printable_ids(user_id: Any, user: Any, stable_id: Any) -> bool:
    """Return whether every ID is plain. Parsing prints those that are numbers, whatever is skipped later (ID-8).

    Raises:
        ValueError: A number is too long to print, which is an error that comes before any reason to skip.

    """
    values: list[Any] = [user_id, stable_id]
    if user is not None:
        if type(user) is not dict:
            return False
        held: JsonObject = user  # pyright: ignore[reportUnknownVariableType] - likewise
        values.append(held.get(USER_ID))
        ids: JsonValue = held.get(CUSTOM_IDS)
        if type(ids) is dict:
            values.extend(ids.values())
        elif ids is not None:
            return False
    for value in values:
        if type(value) is int:
            str(value)
        elif type(value) not in _SCALARS:
            return False
    return True


def _is_placeholder(value: Any) -> bool:
    """Return whether an ID of any JSON type is a placeholder (ID-8)."""
    text = coerce_id(value)
    return text is not None and is_placeholder(text)


def _is_dropped(payload: JsonObject, context: JsonObject, rows: tuple[tuple[str, tuple[str, ...], Any], ...]) -> bool:
    """Return whether a row of `drop_where` fits an event whose objects are already copied (FL-2)."""
    for field, names, fits in rows:
        first, others = names[0], names[1:]
        # A top-level field of exactly that name takes precedence over the path (FL-2, as in ID-4).
        if others and field in payload:
            raise _OddError
        value: JsonValue = payload.get(first) if first in {EVENT_NAME, USER_ID} else context.get(first)
        for name in others:
            value = value.get(name) if type(value) is dict else None
        if fits(value):
            return True
    return False


def _copy(value: JsonValue, room: int) -> Any:
    """Return a copy of an object or array of exact types, at most `room` levels deep."""
    if not room:
        raise _OddError
    if type(value) is dict:
        copied: JsonObject = value.copy()
        for key, item in value.items():  # faster than iterators in C: nearly all values are strings
            if type(key) is not str:
                raise _OddError
            if type(item) is not str and type(item) not in _SCALARS:
                copied[key] = _copy(item, room - 1)
        return copied
    if type(value) is not list:
        raise _OddError
    return [item if type(item) in _SCALARS else _copy(item, room - 1) for item in value]
