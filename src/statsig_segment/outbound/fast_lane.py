"""The fast lane back: from a sound event of a Statsig export to its Segment track call, or it steps aside.

The law is that of `fast_lane`: for every payload and every configuration, `outbound_track` returns exactly what the
reference returns (`exports.parse_statsig_event`, the filters, `outbound.to_outbound_track`), the reason for which an
event is skipped, or `None`, which leaves the event to the reference. Config changes are always the reference's.
"""

from typing import Any, Final, TypeAlias

from statsig_segment._json.times import LEAST_MS, MOST_MS, epoch_ms, iso_text
from statsig_segment._json.values import EMPTY, JsonValue
from statsig_segment.configuration.plans import OutboundPlan
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
"""So deep may an event be; a deeper one is the reference's."""


class _OddError(Exception):
    """The event is the reference's."""


def outbound_track(payload: object, plan: OutboundPlan | None) -> JsonObject | str | None:  # noqa: C901, PLR0911, PLR0912, PLR0915
    """Give the track call of a sound event, the reason for which it is skipped, or `None` to step aside.

    It takes any payload, and steps aside for all but exact dicts. It reads an event from top to bottom; one long
    function, because each call of another costs what a rule costs.
    """
    if type(payload) is not dict or plan is None:
        return None
    try:
        get = payload.get
        is_deliverable, anonymous_id_type, allow_segment_origin, exposures, include_new_events, events = plan
        name = get(EVENT_NAME)
        if type(name) is not str or not name or name == CONFIG_CHANGE:
            return None

        # -- What parsing reads ----------------------------------------------------------------------------------------
        user: JsonValue
        metadata: JsonValue
        statsig_metadata: JsonValue
        user_id, user, value, metadata = get(USER_ID), get(USER), get(VALUE), get(METADATA)
        statsig_metadata, time_uuid = get(STATSIG_METADATA), get(TIME_UUID)
        timestamp = get(TIMESTAMP)
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

        # -- What is not sent ------------------------------------------------------------------------------------------
        if name.startswith(INTERNAL_PREFIX):
            passes = exposures and name in EXPOSURES
        else:
            passes = events.get(name, include_new_events)
        if not passes:
            return "filtered"
        if not allow_segment_origin and (sdk_type == SEGMENT_SDK or name.startswith(SEGMENT_PREFIX)):
            return "segment_origin"

        # -- The call --------------------------------------------------------------------------------------------------
        context: JsonObject = {}
        properties: JsonObject = {}
        custom_ids: JsonObject = EMPTY
        if user is not None:
            if type(user) is not dict:
                return None
            copied = _copy(user, _ROOM)
            if PRIVATE_ATTRIBUTES in copied:
                del copied[PRIVATE_ATTRIBUTES]
            context[USER] = copied
            custom_ids = user.get(CUSTOM_IDS) or EMPTY
            if type(custom_ids) is not dict and custom_ids is not EMPTY:
                return None
        elif USER in payload:
            context[USER] = None
        if value is not None or VALUE in payload:
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
        if not has_stable_id or type(stable_id) is not str or not stable_id:
            if has_stable_id and stable_id is not None:
                return None
            own = custom_ids.get(STABLE_ID)
            if own is not None and (type(own) is not str or not own):
                return None
            has_stable_id = has_stable_id or STABLE_ID in custom_ids
            stable_id = own
        if has_stable_id:
            context[STABLE_ID] = stable_id

        track: JsonObject = {"type": "track"}
        if type(user_id) is str and user_id:
            track["userId"] = user_id
        elif not _is_nobody(track, payload, user_id, user, is_deliverable=is_deliverable):
            return None
        if timestamp is not None:
            track["timestamp"] = timestamp
        track["event"] = name
        track["context"] = context
        track["properties"] = properties
        if is_deliverable:
            anonymous_id = stable_id if anonymous_id_type == STABLE_ID else custom_ids.get(anonymous_id_type)
            if anonymous_id is not None:
                if type(anonymous_id) is not str or not anonymous_id:
                    return None
                track["anonymousId"] = anonymous_id
            elif "userId" not in track:
                return None
            if timestamp is not None:
                track["timestamp"] = iso_text(timestamp)
            if type(time_uuid) is str and time_uuid:
                track["messageId"] = time_uuid
            email = None if user is None else user.get(EMAIL)
            if email is not None:
                if type(email) is not str:
                    return None
                if email:
                    context["traits"] = {EMAIL: email}
        return track  # noqa: TRY300 - the reader comes here from above, not from the handler
    except Exception:  # noqa: BLE001 - the law: whatever is odd, in whatever way it shows, is the reference's
        return None


def _time_ms(payload: JsonObject) -> int | None:
    """Read a time that is not a plain integer."""
    for name in (TIMESTAMP, "time"):
        value = payload.get(name)
        if value is not None:
            time_ms = epoch_ms(value) if type(value) in _SCALARS else None
            if time_ms is None:
                raise _OddError
            return time_ms
    return None


def _is_nobody(track: JsonObject, payload: JsonObject, user_id: Any, user: Any, *, is_deliverable: bool) -> bool:
    """Add the user ID of an event whose top-level one is absent, null or empty; give `False` to step aside."""
    inner = None if user is None else user.get(USER_ID)
    if type(inner) is str and inner and (user_id is None or user_id == ""):
        track["userId"] = inner
        return True
    if (user_id is not None and user_id != "") or (inner is not None and inner != ""):
        return False
    if not is_deliverable:
        if USER_ID in payload:
            track["userId"] = user_id
        elif user is not None and USER_ID in user:
            track["userId"] = inner
    return True


def _copy(value: JsonValue, room: int) -> Any:
    """Copy an object or array of exact types."""
    if not room:
        raise _OddError
    if type(value) is dict:
        copied: JsonObject = value.copy()
        for key, item in value.items():
            if type(key) is not str:
                raise _OddError
            if type(item) is not str and type(item) not in _SCALARS:
                copied[key] = _copy(item, room - 1)
        return copied
    if type(value) is not list:
        raise _OddError
    items: list[Any] = value
    if _SCALARS.issuperset(map(type, items)):
        return items.copy()
    return [item if type(item) in _SCALARS else _copy(item, room - 1) for item in items]
