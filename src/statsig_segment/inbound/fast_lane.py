"""The fast lane from a Segment call to its log event: one pass over a sound call; it leaves any other call alone.

**The law.** For every payload and every configuration, `log_event` returns exactly what the reference returns, that is
`translate.reference_outcome` and `to_log_event`, or it returns `None` and leaves the call to the reference. What it
returns belongs to a call without an issue.

**The theory.** Nearly all calls are sound: exact dicts with the fields and types that Segment's clients send. For
those, nothing has to be frozen, noted or explained, and no model has to be made. So the lane reads a sound call once,
from top to bottom, and writes the log event as it goes. It knows no issue, no path and no code: wherever the reference
might add an issue, raise an error, or convert a type that JSON does not have, the lane steps aside. It does so in two
ways, and both cost a sound call nothing: it returns `None`, or it raises whatever comes (a `KeyError` for a type that
a table lacks, a `ValueError` for an integer too long to print), which `log_event` turns into `None`.

Every shortcut here rests on a check of an *exact* type: `type(x) is str`, never `isinstance`, because only exact types
are known to behave. The lane trusts one thing that would cost a tenth of its time to check: a key equals a string
exactly where the reference reads it as that string. What the lane needs from the configuration is computed once, as a
`Plan`, when the configuration is made.

Order matters in one place: the reference parses before it skips. So the lane reads everything that can make parsing
fail before it returns a skip.

tests/properties/test_fast_lane.py holds the law.
"""

# An exact type narrows `Any` to a dict or list of unknown entries, says pyright; a narrower declaration would be
# checked anew where this is compiled. mypy, strict as well, takes the entries for `Any`.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from json.encoder import encode_basestring as _quote
from math import isfinite
from operator import itemgetter
from typing import Any, Final, TypeAlias

from statsig_segment._json.javascript import float_text
from statsig_segment._json.models import made
from statsig_segment._json.paths import Selector, Step
from statsig_segment._json.times import DAY_MS, epoch_ms
from statsig_segment._json.values import EMPTY, FrozenDict, JsonValue
from statsig_segment.configuration.plans import ROOM, PathRow, Plan
from statsig_segment.inbound.audiences import CLASSES, AudienceUpdate, is_id_list
from statsig_segment.inbound.skips import ALL, STATSIG_LIBRARY, denies_consent, is_disabled
from statsig_segment.segment import (
    ANONYMOUS_ID,
    CATEGORY,
    CATEGORY_PREFERENCES,
    CONSENT,
    CONTEXT,
    CONTROL_KEYS,
    CUSTOM,
    CUSTOM_IDS,
    ENVIRONMENT,
    EVENT,
    GROUP_ID,
    INTEGRATIONS,
    MESSAGE_ID,
    NAME,
    PERSONAS,
    PROPERTIES,
    RECEIVED_AT,
    TIME_FIELDS,
    TIMESTAMP,
    TRAITS,
    TYPE,
    USER_ID,
    USER_ID_TYPE,
)
from statsig_segment.segment import COMPUTATION_CLASS as CLASS
from statsig_segment.segment import COMPUTATION_KEY as KEY
from statsig_segment.segment.calls import PLAUSIBLE_MS
from statsig_segment.segment.placeholders import PLAIN_ENDS, PLAIN_STARTS, is_placeholder
from statsig_segment.statsig import CUSTOM as STATSIG_CUSTOM
from statsig_segment.statsig import CUSTOM_IDS as STATSIG_CUSTOM_IDS
from statsig_segment.statsig import EVENT_NAME, METADATA, TIER, TIME, USER, VALUE
from statsig_segment.statsig.events import UNKNOWN, USER_ATTRIBUTES, StatsigEvent, StatsigUser
from statsig_segment.statsig.limits import (
    LONGEST_JOINED_NAME,
    MOST_ID,
    MOST_METADATA,
    MOST_NAME,
    MOST_VALUE,
    find_forbidden,
)

JsonObject: TypeAlias = dict[str, Any]
_read_time: Final = datetime.fromisoformat
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMMON_TIME: Final = "2024-03-01T12:34:56.789Z"
"""The form in which clients write the time."""
_TIME_LENGTH: Final = len(_COMMON_TIME)
_TIME_MARKS: Final = _COMMON_TIME[4:20:3]
_STRINGS: Final = frozenset({str})
_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_JSON: Final = _SCALARS | {dict, list, tuple}
_LEAST_COMMON: Final = 1e-4
_LEAST_UNCOMMON: Final = 1e16
"""Between these bounds, `repr` writes a fraction as JavaScript does; beyond them, it uses an exponent earlier."""
_MOST_ESCAPED: Final = 6
"""The most characters of JSON that one character of text can become, as in \\u0001."""
_MARKS: Final = len('"":"",')
"""The number of punctuation marks that JSON adds to one entry of metadata."""
_USER_ID_IN_LOWER_CASE: Final = USER_ID_TYPE.lower()
_LONGEST_SEARCH: Final = 100
"""The longest array that a selector searches here. The lane reads an array again for each selector, which is cheap only
for a short one; the reference reads it once for all selectors, so the cost stays linear (TR-4)."""
_TIME_TYPES: Final = frozenset({str, int, float})
_ATTRIBUTES: Final = frozenset({str, int, float, bool})


COMPILED: Final = __file__.endswith((".so", ".pyd"))
"""Whether the fast lanes run as machine code compiled by mypyc (`True`), or as Python (`False`)."""


class _OddError(Exception):
    """Raised to leave the call to the reference."""


def log_event(given: object, plan: Plan | None) -> JsonObject | AudienceUpdate | str | None:  # noqa: C901, PLR0911, PLR0912, PLR0915
    """Return the log event, the audience update or the skip reason of a sound call; `None` for any other payload.

    It takes any payload, and steps aside for all but exact dicts. It is one long function, because calling another
    function costs as much as a rule.
    """
    if type(given) is not dict or plan is None:
        return None
    payload: JsonObject = given  # pyright: ignore[reportUnknownVariableType] - the check tells nothing of keys
    try:
        (
            allow_statsig_origin,
            integration_names,
            consent_categories,
            types,
            include,
            exclude,
            drop_rows,
            prefix,
            forms,
            is_verbatim,
            names_from_properties,
            dotted,
            id_rows,
            id_types,
            user_rows,
            custom_rows,
            metadata_rows,
            value_properties,
            flattens,
            environment,
        ) = plan
        kind = payload.get(TYPE)
        message_id = payload.get(MESSAGE_ID)
        if type(kind) is not str or (message_id is not None and type(message_id) is not str):
            return None
        # A top-level field with a dotted name takes precedence over the path of that name (ID-4), and the steps in the
        # plan follow the path alone.
        for field in dotted:
            if field in payload:
                return None

        # -- What parsing reads: IDs, objects, the time (IN-1, IN-2, IN-4 to IN-7, IN-9, IN-10) ------------------------
        # A string that is not empty is an ID already. Of the rest, only an integer has a text without any issue (IN-4).
        user_id, anonymous_id, group_id = payload.get(USER_ID), payload.get(ANONYMOUS_ID), payload.get(GROUP_ID)
        if user_id is not None and (type(user_id) is not str or not user_id):
            user_id = _number_id(user_id)
        if anonymous_id is not None and (type(anonymous_id) is not str or not anonymous_id):
            _number_id(anonymous_id)  # for the error alone: only a mapping reads the value, and it does so again
        if group_id is not None and (type(group_id) is not str or not group_id):
            group_id = _number_id(group_id)
        own: Any = payload.get(CONTEXT)
        context: JsonObject = own if type(own) is dict else _empty(own)
        own = payload.get(INTEGRATIONS)
        integrations: JsonObject = own if type(own) is dict else _empty(own)
        own = payload.get(PROPERTIES)
        properties: JsonObject = own if type(own) is dict else _empty(own)
        # A call inside itself would never end: the reference cuts it, with an issue (TR-5).
        if context is payload or integrations is payload or properties is payload:
            return None
        time_ms: int | None
        text = payload.get(TIMESTAMP)
        # `fromisoformat` reads more forms than the reference does. In this one, which nearly all clients write, the two
        # agree, and the length and the marks are enough to recognize it.
        if type(text) is str and len(text) == _TIME_LENGTH and text[4:20:3] == _TIME_MARKS and text[23] == "Z":
            since = _read_time(text) - _EPOCH
            seconds = since.seconds
            time_ms = since.days * DAY_MS + seconds * 1000 + since.microseconds // 1000
            received = payload.get(RECEIVED_AT)
            if time_ms < 0 or (not seconds and text[11] == "2"):  # 24:00, which Python 3.14 reads
                return None
            # A call is implausible only if it is much later than its arrival. In this form text sorts like time, to the
            # minute, so comparing the texts rules that out. A time that the reference can read, with its T in this
            # position, has two digits for month and day.
            if received is not None and (
                type(received) is not str or text > received or received[10] != "T" or received[-1] != "Z"
            ):
                _check_plausible(time_ms, received)
        else:
            time_ms = _uncommon_ms(payload)

        # -- What each type of call has of its own (IN-3, IN-7, US-5, US-6), and the pairs (ID-2, ID-3, ID-8, ID-9) ---
        holder = properties
        traits: JsonObject | None = None
        name = own_name = category = None
        if kind == "track":
            name = event = payload.get(EVENT)
            if type(event) is not str or not event:
                return None
            if not is_verbatim:
                name = forms[kind][1] % {EVENT: event}
        elif kind == "page" or kind == "screen":  # noqa: PLR1714 - faster than a set
            own_name, category = _name_part(payload.get(NAME)), _name_part(payload.get(CATEGORY))
            name_part, category_part = own_name, category
            if names_from_properties:
                name_part = own_name or _name_part(properties.get(NAME))
                category_part = category or _name_part(properties.get(CATEGORY))
            # The reference notes a name that is in the properties alone (US-6).
            elif own_name is None and properties.get(NAME) is not None:
                return None
            form = forms[kind][2 * (category_part is not None) + (name_part is not None)]
            name = form % {CATEGORY: category_part, NAME: name_part}
        elif kind == "group" or kind == "identify":  # noqa: PLR1714 - likewise
            own = payload.get(TRAITS)
            holder = traits = own if type(own) is dict else _empty(own)
            if kind == "group":
                for key in CONTROL_KEYS:
                    if key in holder and properties.get(key) is not None:
                        return None  # the properties win (ID-3), but what is unreadable in the trait is noted
                name = forms[kind][group_id is not None] % {GROUP_ID: group_id}
        else:
            return None
        array: JsonValue = properties.get(CUSTOM_IDS)
        if array is None and traits:
            array = traits.get(CUSTOM_IDS)
        ids: dict[str, str] = {} if array is None else _pairs(array)

        # -- What is not sent: the loop guard (FL-5), consent (FL-8), integrations (FL-4), filters (FL-1) --------------
        # Parsing can no longer fail, so a skip may be returned from here on.
        library: Any = context.get("library")
        if library is not None and not allow_statsig_origin:
            library_name: Any = library.get(NAME) if type(library) is dict else _name_in(library)
            if type(library_name) is str:
                if library_name == STATSIG_LIBRARY:
                    return None if library is payload or library is context else "statsig_origin"
            elif type(library_name) not in _JSON:
                return None
        if consent_categories and context.get(CONSENT) is not None:
            consent = _checked_consent(context[CONSENT], payload, context)
            if denies_consent(consent, consent_categories, has_integrations=bool(_checked(integrations, payload))):
                return "consent_denied"
        # Many clients send `{"All": true}` with every call, and it disables nothing.
        is_plain = not integrations or (len(integrations) == 1 and integrations.get(ALL) is True)
        if not is_plain and integration_names and is_disabled(_checked(integrations, payload), integration_names):
            return "integration_disabled"
        if types is not None and kind not in types:
            return "filtered"
        if name is not None and ((include is not None and name not in include) or name in exclude):
            return "filtered"
        for dropped, fits in drop_rows:
            value = _value_at(payload, dropped)
            if type(value) not in _JSON:
                return None
            if fits(value):
                return "filtered"

        # -- IDs: the call's own (ID-1), mapped ones (ID-4, ID-5, ID-8, ID-9), memberships (AU-1 to AU-3, AU-6) ---
        # A long ID and a placeholder each have an issue (US-9, ID-8). The first or last character of nearly every ID
        # shows that it is not a placeholder, so the full check is rare.
        if user_id is not None and (
            len(user_id) > MOST_ID
            or (user_id[0] not in PLAIN_STARTS and user_id[-1] not in PLAIN_ENDS and is_placeholder(user_id))
        ):
            return None
        # An ID type that has a value keeps it, so its row need not be read at all (ID-4, ID-9).
        for id_type, context_key, key, steps in id_rows:
            if id_type in ids or (id_type is None and user_id is not None):
                continue
            if context_key is not None:
                value = context.get(context_key)
                if value is not None:
                    value = _within(value, key, payload, context)
            else:
                value = _walk(payload, steps) if steps else payload.get(key)
            if value is None:
                continue
            if type(value) is not str or not value:
                value = _number_id(value)
            if len(value) > MOST_ID or (
                value[0] not in PLAIN_STARTS and value[-1] not in PLAIN_ENDS and is_placeholder(value)
            ):
                return None
            if id_type is None:
                user_id = value
            else:
                ids[id_type] = value
        if name is None:
            personas = context.get(PERSONAS)
            if personas is None:
                return "identify_without_audience"
            return _audience_update(personas, holder, user_id, ids, time_ms, message_id)

        # -- The user: declared types (ID-7), nobody (ID-6), fields (US-2), attributes (US-1, US-10), tier (US-3, US-4)
        # An undeclared ID type has an issue, and a call without any ID is an error; the reference knows the texts.
        user: JsonObject = {}
        if user_id is not None:
            user[USER_ID_TYPE] = user_id
        if ids:
            if id_types is not None and not ids.keys() <= id_types:
                return None
            user[STATSIG_CUSTOM_IDS] = ids
        elif user_id is None:
            return None
        for field, context_key, row in user_rows:
            value = context.get(context_key) if row is None else _value_at(payload, row)
            if value is not None:
                if type(value) is not str or not value:
                    value = _number_id(value)
                user[field] = value
        array = properties.get(CUSTOM)
        if array is None and traits:
            array = traits.get(CUSTOM)
        if array is not None or custom_rows:
            custom = {} if array is None else _custom_pairs(array)
            for row in custom_rows:
                value = None if row[0] in custom else _value_at(payload, row)
                if value is not None:
                    custom[row[0]] = _custom_value(value)
            if custom:
                user[STATSIG_CUSTOM] = custom
        own_environment = properties.get(ENVIRONMENT)
        if own_environment is None and traits:
            own_environment = traits.get(ENVIRONMENT)
        tier = environment if own_environment is None else _tier(own_environment)
        if tier is not None:
            user[ENVIRONMENT] = {TIER: tier}

        # -- Name, time, value (US-5, US-8, US-9, WI-1) ----------------------------------------------------------------
        # Nothing is cut to Statsig's limits: a name or value beyond them is sent whole, with an issue (US-9).
        event_name = prefix + name
        if len(event_name) > MOST_NAME or find_forbidden(event_name) is not None:
            return None
        written: JsonObject = {EVENT_NAME: event_name, USER: user}
        if time_ms is not None:
            written[TIME] = time_ms
        for property_name in value_properties:
            value = holder.get(property_name)
            if value is None:
                continue
            if type(value) is str:
                if len(value) > MOST_VALUE:
                    return None
                written[VALUE] = value
                break
            if type(value) is int or type(value) is float:
                written[VALUE] = value
                break

        # -- Metadata (US-7, US-9, US-11) ------------------------------------------------------------------------------
        metadata: dict[str, str] = {}
        if flattens:
            _flatten(holder, metadata)
        else:
            for key, value in holder.items():
                value_type: type[object] = type(value)  # pyright: ignore[reportUnknownVariableType] - likewise
                if type(key) is not str:
                    return None
                if value_type is str:
                    metadata[key] = value
                elif value_type is dict or value_type is list:
                    if key not in CONTROL_KEYS:
                        metadata[key] = _tree_text(value)
                elif value is not None:
                    metadata[key] = _scalar_text(value)
        if kind == "group" and group_id is not None and GROUP_ID not in holder:
            metadata[GROUP_ID] = group_id
        if own_name is not None and NAME not in holder:
            metadata[NAME] = own_name
        if category is not None and CATEGORY not in holder:
            metadata[CATEGORY] = category
        for row in metadata_rows:
            value = None if row[0] in metadata else _value_at(payload, row)
            if value is not None:
                _add_entry(metadata, row[0], value, flattens=flattens)
        if metadata:
            # A dot in a key and metadata that is too large each have an issue. One search of all keys joined is faster
            # than one for each. `most` is an upper bound, so only metadata that may be too large is written.
            keys, texts = "".join(metadata), "".join(metadata.values())
            if "." in keys:
                return None
            marks = _MARKS * len(metadata)
            most = _MOST_ESCAPED * (len(keys) + len(texts)) + marks
            # The sum is one more than the JSON: two quotation marks and a last comma too many, two braces too few.
            if most >= MOST_METADATA and len(_quote(_whole(keys + texts))) + marks > MOST_METADATA + 1:
                return None
        written[METADATA] = metadata
        return written  # noqa: TRY300 - the reader comes here from above, not from the handler
    except Exception:  # noqa: BLE001 - the law: whatever is odd, in whatever way it shows, is the reference's
        return None


def event_of(log_event: JsonObject, message_id: str | None) -> StatsigEvent:
    """Return the model of a log event that the lane wrote; `to_log_event` turns it back into the same log event.

    The values need neither conversion nor checks, so this bypasses the constructors, which do both.
    """
    attributes: dict[str, Any] = {**UNKNOWN, "custom_ids": FrozenDict(), "custom": FrozenDict()}
    for name, value in log_event[USER].items():
        attributes[USER_ATTRIBUTES[name]] = _USER_VALUES[name](value) if type(value) is dict else value
    user = made(StatsigUser, attributes)
    attributes = {
        "event_name": log_event[EVENT_NAME],
        "user": user,
        "time_ms": log_event.get(TIME),
        "value": log_event.get(VALUE),
        "metadata": FrozenDict(log_event[METADATA]),
        "message_id": message_id,
        "issues": (),
    }
    return made(StatsigEvent, attributes)


def _frozen_attributes(custom: Mapping[str, JsonValue]) -> FrozenDict:
    return FrozenDict({name: tuple(value) if type(value) is list else value for name, value in custom.items()})


_USER_VALUES: Final = FrozenDict(
    {STATSIG_CUSTOM_IDS: FrozenDict, STATSIG_CUSTOM: _frozen_attributes, ENVIRONMENT: itemgetter(TIER)}
)
"""Field of the user that is an object on the wire -> how its value becomes that of the model."""


# -- IDs, objects, names, times (IN-4 to IN-7, US-6, FL-4, FL-8) -------------------------------------------------------


def _number_id(value: Any) -> str:
    if type(value) is not int:
        raise _OddError
    return str(value)


def _empty(value: Any) -> FrozenDict:
    if value is not None and not (type(value) is list and not value):
        raise _OddError
    return EMPTY


def _name_part(value: Any) -> str | None:
    if type(value) is str:
        return None if not value or value.isspace() else value
    return None if value is None else _number_id(value)


def _name_in(library: JsonValue) -> Any:
    """Return nothing, because a library that is not an object has no name; raise if it may be unreadable."""
    if type(library) not in _JSON:
        raise _OddError


def _checked(integrations: Any, payload: JsonObject) -> Any:
    """Return an object if its keys and values have exact types, so that it equals what the reference freezes."""
    values = integrations.values()
    if not _JSON.issuperset(map(type, values)) or not _STRINGS.issuperset(map(type, integrations)):
        raise _OddError
    # An object inside itself would pass the checks of types above.
    if not {id(payload), id(integrations)}.isdisjoint(map(id, values)):
        raise _OddError
    return integrations


def _checked_consent(consent: JsonValue, payload: JsonObject, context: Any) -> Any:
    """Return a consent if its preferences have exact types, so that it equals what the reference freezes."""
    preferences: JsonValue = consent.get(CATEGORY_PREFERENCES) if type(consent) is dict else None
    if type(consent) not in _JSON or type(preferences) not in _JSON:
        raise _OddError
    if type(preferences) is dict and not _JSON.issuperset(map(type, preferences.values())):
        raise _OddError
    if len({id(payload), id(context), id(consent), id(preferences)}) < 4:  # noqa: PLR2004 - one is inside itself
        raise _OddError
    return consent


def _uncommon_ms(payload: JsonObject) -> int | None:
    for name in TIME_FIELDS:
        value = payload.get(name)
        if value is not None:
            time_ms = epoch_ms(value) if type(value) in _TIME_TYPES else None
            if time_ms is None:
                raise _OddError
            _check_plausible(time_ms, payload.get(RECEIVED_AT))
            return time_ms
    return None


def _check_plausible(time_ms: int, received: Any) -> None:
    if type(received) not in _JSON:
        raise _OddError
    received_ms = epoch_ms(received)
    if received_ms is not None and time_ms > received_ms + PLAUSIBLE_MS:
        raise _OddError


# -- Arrays, environments, memberships, paths (ID-2, US-1, US-3, AU-2, AU-3, ID-4) -------------------------------------


def _pairs(array: Any) -> dict[str, str]:
    """Read a sound array of custom IDs."""
    ids: dict[str, str] = {}
    for id_type, value in _each_pair(array):
        if id_type in ids or id_type.lower() == _USER_ID_IN_LOWER_CASE:
            raise _OddError
        text = value if type(value) is str and value else _number_id(value)
        if len(text) > MOST_ID or (text[0] not in PLAIN_STARTS and text[-1] not in PLAIN_ENDS and is_placeholder(text)):
            raise _OddError
        ids[id_type] = text
    return ids


def _custom_pairs(array: Any) -> JsonObject:
    """Read a sound array of custom attributes."""
    custom: JsonObject = {}
    for name, value in _each_pair(array):
        if name in custom:
            raise _OddError
        custom[name] = _custom_value(value)
    return custom


def _each_pair(array: JsonValue) -> Iterable[tuple[str, Any]]:
    if type(array) is not list or len(array) % 2:
        raise _OddError
    # A pair without a usable name has an issue (ID-2); so has a repeated one, which the callers look for.
    names = array[::2]
    if not _STRINGS.issuperset(map(type, names)) or not all(names):
        raise _OddError
    return zip(names, array[1::2], strict=True)


def _custom_value(value: JsonValue) -> Any:
    if type(value) is list:
        if not _STRINGS.issuperset(map(type, value)):
            raise _OddError
        return value.copy()  # the event is the caller's to change, and the call must stay what it was
    if type(value) not in _ATTRIBUTES or (type(value) is float and not isfinite(value)):
        raise _OddError
    return value


def _tier(environment: JsonValue) -> str:
    tier = environment.get(TIER) if type(environment) is dict and len(environment) == 1 else None
    if type(tier) is not str or not tier:
        raise _OddError
    return tier


def _within(value: JsonValue, key: str, payload: JsonObject, context: Any) -> Any:
    """Return a value from an object in the context; step aside if that object is the call or the context itself."""
    if type(value) is not dict:
        return _nothing_in(value)
    if value is payload or value is context:
        raise _OddError
    return value.get(key)


def _audience_update(
    personas: JsonValue,
    traits: Mapping[str, Any],
    user_id: str | None,
    ids: dict[str, str],
    time_ms: int | None,
    message_id: JsonValue,
) -> AudienceUpdate:
    """Return the audience update of an identify call; step aside if anything about its audience is odd."""
    if type(personas) is not dict or type(computation := personas.get(CLASS)) is not str or not (user_id or ids):
        raise _OddError
    key = personas.get(KEY)
    if type(key) is not str or computation not in CLASSES or not is_id_list(key):
        raise _OddError
    # Anything but a boolean is an error and never a removal (AU-2).
    member = traits.get(key)
    if type(member) is not bool:
        raise _OddError
    return AudienceUpdate(
        id_list=key,
        member=member,
        user_id=user_id,
        custom_ids=FrozenDict(ids),
        time_ms=time_ms,
        message_id=message_id if type(message_id) is str and message_id else None,
    )


def _value_at(payload: JsonObject, row: PathRow) -> Any:
    _, key, steps = row
    return _walk(payload, steps) if steps else payload.get(key)


def _walk(payload: JsonObject, steps: tuple[Step, ...]) -> Any:
    """Return the value that a path leads to through exact dicts, none of which is inside itself."""
    value: JsonValue = payload
    passed: list[int] = []
    for name, selector in steps:
        if type(value) is not dict:
            return _nothing_in(value)
        if id(value) in passed:
            raise _OddError
        passed.append(id(value))
        value = value.get(name)
        if selector is not None:
            value = _select(value, selector)
    return value


def _nothing_in(value: Any) -> None:
    """Return nothing, because no path leads on from a scalar.

    Step aside for anything else: the reference notes what it could not read inside an array.
    """
    if type(value) not in _SCALARS and not (type(value) is list and not value):
        raise _OddError


def _select(array: JsonValue, selector: Selector) -> Any:
    if type(array) is not list:
        return _nothing_in(array)
    if len(array) > _LONGEST_SEARCH:
        raise _OddError
    item: JsonValue
    for item in array:
        text = item.get(selector.key) if type(item) is dict else None
        if type(item) not in _JSON or type(text) not in _JSON:
            raise _OddError
        if type(text) is str and text == selector.text:
            return item
    # No item fits. One that could not be read may be the one that was meant, which the reference notes (IN-10). So all
    # items must be plain enough to have been read whole.
    for item in array:
        if type(item) is not dict or not _SCALARS.issuperset(map(type, item.values())):
            raise _OddError
    return None


# -- Metadata (US-7, TR-5) ---------------------------------------------------------------------------------------------


def _flatten(holder: JsonObject, metadata: dict[str, str]) -> None:
    """Add the properties to the metadata, with one entry for each leaf of an object."""
    for key, value in holder.items():
        name = _a_string(key)
        if value is not None and name not in CONTROL_KEYS:
            _add_entry(metadata, name, value, flattens=True)


def _add_entry(metadata: dict[str, str], key: str, value: JsonValue, *, flattens: bool, room: int = ROOM) -> None:
    if type(value) is dict and flattens and len(key) <= LONGEST_JOINED_NAME:
        if not room:
            raise _OddError
        for name, item in value.items():
            if item is not None:
                _add_entry(metadata, f"{key}_{_a_string(name)}", item, flattens=flattens, room=room - 1)
        return
    if key in metadata:  # two leaves share a name, and the reference notes the one that is lost
        raise _OddError
    if type(value) is dict or type(value) is list:
        metadata[key] = _tree_text(value, room)
    else:
        metadata[key] = value if type(value) is str else _scalar_text(value)


def _a_string(name: Any) -> str:
    if type(name) is not str:
        raise _OddError
    return name


def _scalar_text(value: Any) -> str:
    """Write a number or boolean as JavaScript does."""
    if type(value) is float:
        number: float = value
        # A whole number has no ".0" in JavaScript, hence the remainder.
        if _LEAST_COMMON <= number < _LEAST_UNCOMMON and number % 1:
            return repr(number)
        written = float_text(number)
        if written is None:
            raise _OddError
        return written
    if type(value) is int:
        return repr(value)
    if type(value) is not bool:
        raise _OddError
    return "true" if value else "false"


def _tree_text(value: dict[str, Any] | list[Any], room: int = ROOM) -> str:
    """Write an object or array as `JSON.stringify` does."""
    return _whole(_tree(value, room))


def _whole(text: str) -> str:
    """Return a text without lone surrogates; step aside for one that has any, because JSON must escape them."""
    if not text.isascii():
        text.encode()  # raises for a lone surrogate; encoding is faster than any search for one
    return text


def _tree(value: dict[str, Any] | list[Any], room: int) -> str:
    if not room:  # perhaps too deep for the reference, too, or a value inside itself (TR-5)
        raise _OddError
    item: Any
    kind: type[object]
    if type(value) is dict:
        entries: list[str] = []
        for key, item in value.items():
            kind = type(item)  # pyright: ignore[reportUnknownVariableType] - the type of Any; a cast costs time
            if kind is str:
                text = _quote(item)
            elif kind is dict or kind is list:
                text = _tree(item, room - 1)
            else:
                text = "null" if item is None else _scalar_text(item)
            entries.append(f"{_quote(key)}:{text}")
        return f"{{{','.join(entries)}}}"
    items: list[str] = []
    for item in value:
        kind = type(item)  # pyright: ignore[reportUnknownVariableType] - the type of Any; a cast costs time
        if kind is str:
            items.append(_quote(item))
        elif kind is dict or kind is list:
            items.append(_tree(item, room - 1))  # pyright: ignore[reportArgumentType] - an item, not a key: dicts went above
        else:
            items.append("null" if item is None else _scalar_text(item))
    return f"[{','.join(items)}]"
