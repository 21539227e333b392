"""Hypothesis strategies for those who embed this library: calls, exports and configurations; asserts nothing itself.

Install the extra `testing`. Strategies build valid data rather than filter for it: what they make without
`malformed=True` is read without an error and without an issue. With it, anything may be wrong, and only an error of our
family may result. Values are plain JSON unless `python_values=True` asks for more, and names are drawn from small sets,
so that they collide as they do in real traffic. A test of a service::

    from hypothesis import given
    from statsig_segment import translate_many
    from statsig_segment.testing import integration_configs, segment_calls

    @given(segment_calls(malformed=True), integration_configs())
    def test_my_service_answers_every_call(call, config): ...
"""

import json
import numbers
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import wraps
from types import MappingProxyType
from typing import Any, Final, ParamSpec, TypeAlias, TypeGuard, TypeVar

import attrs
from hypothesis import strategies as st

from statsig_segment import EventNaming, IntegrationConfig, configuration, load_config, statsig
from statsig_segment.segment.calls import CALL_TYPES
from statsig_segment.statsig.events import PLAIN_FIELDS

__all__ = [
    "CALL_TYPES",
    "config_changes",
    "even_odd_arrays",
    "event_bridge_envelopes",
    "identifiers",
    "integration_configs",
    "integration_tables",
    "json_values",
    "log_event_bodies",
    "python_values",
    "segment_batches",
    "segment_calls",
    "statsig_events",
    "statsig_exports",
    "timestamps",
    "warehouse_rows",
]

JsonObject: TypeAlias = dict[str, Any]
_Objects: TypeAlias = st.SearchStrategy[JsonObject]
_P = ParamSpec("_P")
_T = TypeVar("_T")


def _deferred(make: Callable[_P, st.SearchStrategy[_T]]) -> Callable[_P, st.SearchStrategy[_T]]:
    """Build a strategy when it is first drawn from: modules of tests name dozens, and each run draws from few."""

    @wraps(make)
    def when_drawn(*args: _P.args, **kwargs: _P.kwargs) -> st.SearchStrategy[_T]:
        return st.deferred(lambda: make(*args, **kwargs))

    return when_drawn


def _one(*values: _T) -> st.SearchStrategy[_T]:
    return st.sampled_from(values)


def _object(mandatory: JsonObject, **optional: st.SearchStrategy[Any]) -> _Objects:
    return st.fixed_dictionaries(mandatory, optional=optional)


# Small sets: a strategy that never repeats a name never tests what happens when one is repeated.
_ID_TYPE_NAMES: Final = ("companyID", "segmentAnonymousId", "deviceID", "stableID", "company_id", "équipe")
_ID_TYPES: Final = st.sampled_from(_ID_TYPE_NAMES)
_ANY_ID_TYPES: Final = _one(*_ID_TYPE_NAMES, "userID", "userid", "UserId")
_NO_NAME: Final = _one(
    *("plan", "value", "revenue", "category", "groupId", "cart value", "a.b", "ключ", "companyId", "id"),
    *("cart", "cart_id", "total"),
)
_KEYS: Final = _NO_NAME | st.just("name")
_FREE_KEYS: Final = _KEYS | st.text(max_size=6)
_NAMES: Final = _one("Signed Up", "Order Completed", "Heartbeat", "Home", "Docs", "checkout", "🙂 Liked")
_TIERS: Final = _one("production", "staging", "development")
_PLACEHOLDERS: Final = _one("undefined", "NULL", " ", "0000", 0, -1.0)
_EXPOSURES: Final = _one(*sorted(statsig.EXPOSURES))
_TEXTS: Final = st.text(min_size=1, max_size=8)
_HEXADECIMAL: Final = st.text("0123456789abcdef-", min_size=1, max_size=8)
_ATOMS: Final = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12)
)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000
_LAST_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_SECONDS_BELOW: Final = 31_557_600_000
_EXPORT_MS: Final = st.integers(_SECONDS_BELOW, 10**14 - 1)
_RECEIVED: Final = _one("9999-12-31T12:00:00Z", 253_402_257_600_000_000_000)  # nothing is implausibly later (IN-5)


# -- Values -----------------------------------------------------------------------------------------------------------


@_deferred
def json_values(*, max_leaves: int = 8) -> st.SearchStrategy[Any]:
    """Make any value that JSON has: null, booleans, finite numbers, strings, and arrays and objects of them.

    Shape: `max_leaves` bounds the number of values in one tree. There are no lone surrogates and no NaN.

    >>> import json
    >>> from hypothesis import given
    >>> @given(json_values())
    ... def check(value: object) -> None:
    ...     assert json.loads(json.dumps(value)) == value
    >>> check()
    """
    return st.recursive(
        _ATOMS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_FREE_KEYS, inner, max_size=4),
        max_leaves=max_leaves,
    )


@_deferred
def identifiers(*, numbers: bool = True) -> st.SearchStrategy[Any]:
    """Make what IN-4 reads as an ID: a non-empty string, an integer, or a float with an integral value.

    Shape: with `numbers=False` only strings. None of them is a placeholder (ID-8).

    >>> from hypothesis import given
    >>> @given(identifiers(numbers=False))
    ... def check(value: object) -> None:
    ...     assert isinstance(value, str) and value
    >>> check()
    """
    texts = _one("u1", "0042", "9f3c1c6e-9f0d") | st.text(max_size=11).map("{}x".format)
    if not numbers:
        return texts
    whole = st.integers(1) | st.integers(max_value=-2)
    floats = st.integers(1, 2**53) | st.integers(-(2**53), -2)
    return st.one_of(texts, whole, floats.map(float), _one(1e22, 1e300))


_IDS: Final = identifiers()


@_deferred
def timestamps() -> st.SearchStrategy[Any]:
    """Make what IN-6 reads as a time: ISO 8601 text in all its forms, numbers, and numbers as text.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_segment_event
    >>> @given(timestamps())
    ... def check(value: object) -> None:
    ...     call = {"type": "track", "event": "Signed Up", "timestamp": value}
    ...     assert parse_segment_event(call).time_ms is not None
    >>> check()
    """
    seconds = st.integers(0, _SECONDS_BELOW - 1)
    finer = _EXPORT_MS | st.integers(10**14, (_LAST_MS - _DAY) * 10**6)
    whole = seconds | finer
    fractional = st.integers(0, _SECONDS_BELOW * 1000 - 1).map(lambda number: number / 1000)
    return st.one_of(_iso_texts(), whole, whole.map(str), fractional, fractional.map(str), finer.map("{:.6E}".format))


@st.composite
def _iso_texts(draw: st.DrawFn) -> str:
    moment = _EPOCH + timedelta(milliseconds=draw(st.integers(_DAY, _LAST_MS - _DAY)))
    if draw(st.booleans()):  # what clients send
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    text: str = draw(_one(f"{moment:%Y-%m-%d}", f"{moment.year}-{moment.month}-{moment.day}"))
    clock: str = draw(_one("", f"{moment:%H:%M}", f"{moment:%H:%M:%S}", "fraction"))
    if not clock:
        return text
    if clock == "fraction":
        clock = f"{moment:%H:%M:%S}.{draw(st.text('0123456789', min_size=1, max_size=9))}"
    zone: str = draw(_one("", "Z", "+02", "-0330", "+05:45", " +0000", " UTC", "UTC"))
    return text + draw(_one("T", " ")) + clock + zone


_TIMES: Final = timestamps()


@_deferred
def even_odd_arrays(
    *, names: st.SearchStrategy[Any] = _ID_TYPES, values: st.SearchStrategy[Any] = _IDS, malformed: bool = False
) -> st.SearchStrategy[list[Any]]:
    """Make the arrays of `statsigCustomIDs` and `statsigCustom`: a name at each even index, its value after it.

    Shape: `names` are those of a few ID types by default, each of them at most once; `values` are IDs by default. With
    `malformed=True` names repeat, names and values may be of any kind, and the last name may lack its value.

    >>> from hypothesis import given
    >>> @given(even_odd_arrays())
    ... def check(array: list[object]) -> None:
    ...     assert len(array) % 2 == 0 and all(isinstance(name, str) for name in array[::2])
    >>> check()
    """
    if not malformed:
        pairs = st.lists(st.tuples(names, values), max_size=4, unique_by=lambda pair: pair[0])
        return pairs.map(lambda rows: [item for row in rows for item in row])
    anything = json_values(max_leaves=3) | st.just(float("nan"))
    name, value = st.one_of(names, names, anything), st.one_of(values, values, anything)
    array = st.tuples(st.lists(st.tuples(name, value), max_size=5), st.lists(name, max_size=1))
    return array.map(lambda drawn: [item for row in drawn[0] for item in row] + drawn[1])


class _Plan(Enum):
    """An enumeration, as applications have them."""

    GOLD = "gold"
    SEATS = 7


@numbers.Integral.register
class _Count:
    """A whole number of a type that is not `int`, as numpy has them."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __int__(self) -> int:
        return self.number

    __index__ = __int__

    def __repr__(self) -> str:
        return f"_Count({self.number})"


_ZONES: Final = st.integers(-720, 720).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@_deferred
def python_values(*, max_leaves: int = 4) -> st.SearchStrategy[Any]:
    """Make Python values that JSON does not have but IN-10 reads, alone and inside lists and dicts.

    Shape: `datetime` and `date`, `Decimal`, `UUID`, `Enum`, sets of numbers and strings, and numbers of other types.
    `max_leaves` bounds the number of values in one tree.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_segment_event
    >>> @given(python_values())
    ... def check(value: object) -> None:
    ...     call = {"type": "track", "event": "Signed Up", "userId": "u1", "properties": {"of_python": value}}
    ...     assert parse_segment_event(call).issues == ()
    >>> check()
    """
    alone = st.one_of(
        st.datetimes() | st.datetimes(timezones=_ZONES) | st.dates() | st.uuids() | st.sampled_from(_Plan),
        st.frozensets(st.integers(0, 20) | st.text(max_size=3), max_size=4) | st.sets(st.integers(0, 20), max_size=3),
        st.decimals(-(10**6), 10**6, places=2) | st.fractions(-100, 100, max_denominator=8),
        st.integers(-(10**6), 10**6).map(_Count),
    )
    return st.recursive(
        alone | _ATOMS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FREE_KEYS, inner, max_size=3),
        max_leaves=max_leaves,
    )


def _is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


@st.composite
def _spoiled(draw: st.DrawFn, objects: _Objects) -> JsonObject:
    """Draw an object, and put anything, or nothing, in up to three places of it or of the objects in it."""
    whole = dict(draw(objects))
    for value in draw(st.lists(_ANYTHING_OR_NOTHING, min_size=1, max_size=3)):
        held = whole
        key = draw(_one(*held, "id"))
        if _is_object(held.get(key)) and draw(st.booleans()):
            held[key] = held = dict(held[key])
            key = draw(_one(*held, "id"))
        if value is ...:
            held.pop(key, None)
        else:
            held[key] = value
    return whole


_ANYTHING_OR_NOTHING: Final = st.one_of(
    st.just(...), json_values(max_leaves=4), _one(float("nan"), float("inf"), "", -1, ()), _PLACEHOLDERS
)


# -- Segment ----------------------------------------------------------------------------------------------------------


def _merged(*objects: _Objects) -> _Objects:
    """Draw each of the objects, and put their entries together; the later ones win."""
    return st.tuples(*objects).map(lambda drawn: {key: one[key] for one in drawn for key in one})


def _properties(*, malformed: bool, named: bool = True) -> _Objects:
    """Make the properties or traits of a call: free keys, and the control keys at times."""
    # What names a page although the call has no name gives an issue (US-6).
    keys = _FREE_KEYS if named or malformed else _NO_NAME | st.text(max_size=5).map("{}x".format)
    scalars = st.one_of(st.text(max_size=8), st.booleans(), st.integers(), st.floats(-1e6, 1e6))
    custom = scalars | st.lists(st.text(max_size=4), max_size=3)
    types, ids = (_ANY_ID_TYPES, _IDS | _PLACEHOLDERS) if malformed else (_ID_TYPES, _IDS)
    controls = {
        "statsigCustomIDs": even_odd_arrays(names=types, values=ids, malformed=malformed),
        "statsigCustom": even_odd_arrays(names=_KEYS, values=custom, malformed=malformed),
        "statsigEnvironment": _object({"tier": _TIERS}),
    }
    if malformed:
        controls = {key: value | json_values(max_leaves=3) for key, value in controls.items()}
    return _merged(st.dictionaries(keys, json_values(max_leaves=3), max_size=3), _object({}) | _object({}, **controls))


_EXTERNAL_IDS: Final = st.lists(
    _object({"type": _one("phone", "ios.idfa", "ga_client_id"), "id": _IDS}, collection=st.just("users")), max_size=3
)
_PREFERENCES: Final = st.dictionaries(_one("Advertising", "Analytics"), st.booleans())
_CONTEXTS: Final = _object(
    {},
    consent=_object({}, categoryPreferences=_PREFERENCES),
    ip=_one("203.0.113.24", "2001:db8::1"),
    userAgent=st.just("Mozilla/5.0"),
    locale=_one("en-GB", "fr-CH"),
    library=_object({"name": _one("analytics.js", "analytics-ios", "statsig")}),
    device=_object({"id": _IDS}),
    externalIds=_EXTERNAL_IDS,
    page=_object({"path": _one("/", "/pricing")}),
    campaign=_object({"source": st.just("mail-7")}),
    traits=_object({"plan": _one("pro", 7) | st.booleans()}),
)
_INTEGRATIONS: Final = _object(
    {},
    **dict.fromkeys(("All", "all", "ALL", "Mixpanel"), st.booleans()),
    **dict.fromkeys(("Statsig", "Webhooks"), st.booleans() | st.just({"a": 1})),
)
# Whose call it is: Segment asks for one of the two at least.
_OWNERS: Final = _object({"userId": _IDS}, anonymousId=_IDS) | _object({"anonymousId": _IDS}, userId=st.none())
_COMMON: Final = _object(
    {},
    context=_CONTEXTS,
    integrations=_INTEGRATIONS,
    messageId=_HEXADECIMAL,
    timestamp=_TIMES,
    sentAt=_TIMES,
    receivedAt=_RECEIVED,
    groupId=_IDS,
    shopId=_IDS,
    externalIds=_EXTERNAL_IDS,
)


@_deferred
def _valid_call(kind: str, *, malformed: bool = False) -> _Objects:
    blank, type_ = _one(None, "", " "), st.just(kind)
    properties = _properties(malformed=malformed)
    if kind in {"page", "screen"}:  # with a name, or without one in its properties either
        names = _NAMES | _one(404, 1.5)
        nameless = _properties(malformed=malformed, named=False)
        own = _object({"type": type_, "name": names}, category=names | blank, properties=properties) | (
            _object({"type": type_}, category=names | blank, name=blank, properties=nameless)
        )
    elif kind == "track":
        own = _object({"type": type_, "event": _NAMES | st.text(min_size=1, max_size=12)}, properties=properties)
    else:
        own = _object({"type": type_}, traits=properties)
    return _merged(own, _COMMON, _OWNERS)


# Shared by all that draw calls, for each of them is a large tree.
_CALLS: Final = MappingProxyType(
    {(kind, malformed): _valid_call(kind, malformed=malformed) for kind in CALL_TYPES for malformed in (False, True)}
)


@st.composite
def _membership(draw: st.DrawFn, kind: str) -> JsonObject:
    """Make the call by which Engage says that a user or an account entered or left an audience."""
    key, entered = draw(_one("vip_users", "trial-ended", "Buyers_2026")), draw(st.booleans())
    personas = {"computation_class": draw(_one("audience", "journey_step")), "computation_key": key}
    call = draw(_CALLS[kind, False])
    return call | {
        "context": {**call.get("context", {}), "personas": {**personas, "computation_id": "aud_1"}},
        "traits": {**call.get("traits", {}), key: entered},
    }


@_deferred
def segment_calls(
    *, types: Sequence[str] = CALL_TYPES, malformed: bool = False, python_values: bool = False
) -> _Objects:
    """Make Segment calls as parsed JSON.

    Shape: an object with `type`, a `userId` or `anonymousId`, `event` for a track, and at times every other field that
    this library reads, unknown ones, control keys and audience memberships among them. `types` narrows the types. With
    `malformed=True` the arrays are malformed too, IDs may be placeholders, and up to three places hold anything or
    nothing. With `python_values=True` times, IDs, properties and traits may be Python values that JSON does not have
    but IN-10 reads.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_segment_event
    >>> @given(segment_calls(types=["track", "page"]))
    ... def check(call: dict[str, object]) -> None:
    ...     assert parse_segment_event(call).issues == ()
    >>> check()
    """
    calls = [_CALLS[kind, malformed] for kind in types]
    calls += [_membership(kind) for kind in ("identify", "group") if kind in types]
    whole = st.one_of(calls)
    if malformed:
        whole = whole | _spoiled(whole)
    return _pythonic(whole) if python_values else whole


@st.composite
def _pythonic(draw: st.DrawFn, calls: _Objects) -> JsonObject:
    """Draw a call, and put Python values into it: times, IDs, and entries of its properties or traits."""
    first, last = datetime(1970, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 - the zones are drawn
    times = st.one_of(st.datetimes(first, last), st.datetimes(first, last, timezones=_ZONES), st.dates(first.date()))
    ids = st.one_of(st.uuids(), st.integers(1).map(Decimal), st.just(_Plan.GOLD))
    call = draw(calls) | draw(_object({}, timestamp=times, userId=ids, shopId=ids))
    field = "traits" if call.get("type") in ("group", "identify") else "properties"  # of any type
    held = call.get(field, {})
    entries = draw(st.dictionaries(_NO_NAME, python_values(), max_size=3))
    return call | {field: held | entries} if _is_object(held) and entries else call


@_deferred
def segment_batches(*, malformed: bool = False) -> st.SearchStrategy[Any]:
    """Make request bodies as `split_segment_batch` takes them: one call, an array, or an envelope with `batch`.

    >>> from hypothesis import given
    >>> from statsig_segment import split_segment_batch
    >>> @given(segment_batches())
    ... def check(body: dict[str, list[object]]) -> None:
    ...     assert all(call["type"] for call in split_segment_batch(body))
    >>> check()
    """
    calls = segment_calls(malformed=malformed)
    if malformed:
        calls = calls | json_values(max_leaves=3)
    items = st.lists(calls, max_size=3)
    shared = {"context": _CONTEXTS, "integrations": _INTEGRATIONS, "sentAt": _TIMES, "receivedAt": _RECEIVED}
    envelopes = _object({"batch": items}, **shared, writeKey=st.just("a-write-key"))
    bridges = event_bridge_envelopes(calls | envelopes)
    bodies = st.one_of(calls, items, envelopes, bridges)
    return st.one_of(bodies, _spoiled(envelopes), _spoiled(bridges)) if malformed else bodies


@_deferred
def event_bridge_envelopes(details: st.SearchStrategy[Any] | None = None) -> _Objects:
    """Make the objects in which Amazon EventBridge carries calls (IN-8).

    Shape: `detail-type`, `detail`, and at times what else EventBridge writes. `details` are Segment calls by default.

    >>> from hypothesis import given
    >>> from statsig_segment import split_segment_batch
    >>> @given(event_bridge_envelopes())
    ... def check(envelope: dict[str, object]) -> None:
    ...     assert list(split_segment_batch(envelope)) == [envelope["detail"]]
    >>> check()
    """
    details = segment_calls() if details is None else details
    return _object(
        {"detail-type": _one("track", "page", "Segment Event"), "detail": details},
        version=st.just("0"),
        id=st.uuids().map(str),
        source=st.just("aws.partner/segment.com"),
        account=st.just("123456789012"),
        time=st.just("2026-11-03T09:10:12Z"),
        region=st.just("eu-west-1"),
        resources=st.builds(list[str]),
    )


# -- Statsig ----------------------------------------------------------------------------------------------------------

_FEW_IDS: Final = st.dictionaries(_ID_TYPES, identifiers(numbers=False), max_size=2)
_USERS: Final = _object(
    {},
    userID=_IDS | _one("", None),
    email=st.just("ada@example.com"),
    customIDs=_FEW_IDS,
    custom=st.dictionaries(_FREE_KEYS, _ATOMS, max_size=2),
    privateAttributes=st.just({"phone": "+44 1632 960000"}),
    statsigEnvironment=_object({"tier": _TIERS}),
)
_METADATA: Final = st.dictionaries(_FREE_KEYS, json_values(max_leaves=2), max_size=3)
_SDK: Final = _object({}, stableID=_IDS | st.none(), sdkType=_one("js-client", "py-server", "segment"))


@_deferred
def statsig_events(*, changes: bool = True, malformed: bool = False) -> _Objects:
    """Make single events of Statsig's export as parsed JSON: custom events, exposures, diagnostics, config changes.

    Shape: an object with `eventName`, and at times `user`, `userID`, `timestamp` or `time` (as OU-1 reads them),
    `value`, `metadata`, `statsigMetadata`, `timeUUID`, `unitID`. Some came from Segment (FL-7). Config changes are
    those of `config_changes`, the Segment form (which has `event` in place of `eventName`) among them; with
    `changes=False` there are none. With `malformed=True` up to three places hold anything or nothing.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_statsig_event
    >>> @given(statsig_events())
    ... def check(event: dict[str, object]) -> None:
    ...     assert parse_statsig_event(event).event_name
    >>> check()
    """
    names = _NAMES | _EXPOSURES | _one("statsig::diagnostics", "segment::Order Completed") | st.text(min_size=1)
    events = _object(
        {"eventName": names.filter(lambda name: name != statsig.CONFIG_CHANGE)},
        user=_USERS | st.none(),
        userID=_IDS | _one("", None),
        timestamp=_TIMES | st.none(),
        time=_TIMES | st.none(),
        value=st.none() | st.integers() | st.text(max_size=6),
        metadata=_METADATA,
        statsigMetadata=_SDK,
        timeUUID=_HEXADECIMAL,
        unitID=_IDS,
    )
    every = events | config_changes() if changes else events
    return every | _spoiled(every) if malformed else every


@_deferred
def config_changes() -> _Objects:
    """Make config changes as parsed JSON, in the five shapes that are public (OU-7).

    Shape: the Segment form (`event`, `userId`, `properties`), or `eventName` with `metadata` of four kinds: plain, with
    `environment`, the older one with a lower-case type, a string timestamp and `timeUUID`, and the current one with
    `projectName`, `environments`, `tags`, `targetApps` and a `user` that may miss any field or be absent.

    >>> from hypothesis import given
    >>> from statsig_segment import ConfigChange, parse_statsig_event
    >>> @given(config_changes())
    ... def check(change: dict[str, object]) -> None:
    ...     assert isinstance(parse_statsig_event(change), ConfigChange)
    >>> check()
    """
    email, named = st.just("grace@example.com"), {"eventName": st.just(statsig.CONFIG_CHANGE), "timestamp": _EXPORT_MS}
    signed: JsonObject = {**named, "user": _object({"name": _TEXTS, "email": email})}
    plain: JsonObject = {
        "type": _one("Gate", "Experiment", "Dynamic Config"),
        "name": _TEXTS,
        "description": _TEXTS,
        "action": _one("created", "updated", "deleted"),
    }
    current: JsonObject = {
        "projectName": _TEXTS,
        "environments": _one("production", "production,staging", ""),
        "tags": st.lists(_TEXTS, max_size=2),
        "targetApps": st.lists(_TEXTS, max_size=2),
    }
    older: JsonObject = {"type": _one("gate", "experiment", "config")}
    segment_form: JsonObject = {
        "event": st.just(statsig.CONFIG_CHANGE),
        "userId": _IDS,
        "timestamp": _EXPORT_MS,
        "context": st.just({"library": {"name": "statsig", "version": "1.0"}}),
        "properties": _object(dict.fromkeys(("author", "configName", "description", "environment"), _TEXTS)),
    }
    return st.one_of(
        _object(segment_form),
        *(_object(signed | {"metadata": _object(plain | more)}) for more in ({}, {"environment": _TEXTS})),
        _object(
            signed | {"timestamp": _EXPORT_MS.map(str), "timeUUID": _HEXADECIMAL, "metadata": _object(plain | older)}
        ),
        _object(
            named | {"metadata": _object(plain | current)},
            user=_object({}, name=_TEXTS, email=email, userID=_IDS),
            timeUUID=_HEXADECIMAL,
            userID=_IDS,
        ),
    )


@_deferred
def statsig_exports(*, malformed: bool = False) -> st.SearchStrategy[Any]:
    """Make bodies of Statsig's export webhook as `split_statsig_export` takes them.

    Shape: one event or warehouse row, an array of them, `{"data": […]}`, a body of `log_event`, or the registration
    handshake, which holds no event. With `malformed=True` events are malformed, and values of other kinds are among
    them.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_statsig_event, split_statsig_export
    >>> @given(statsig_exports())
    ... def check(body: dict[str, list[object]]) -> None:
    ...     assert all(parse_statsig_event(event) for event in split_statsig_export(body))
    >>> check()
    """
    events = statsig_events(malformed=malformed) | warehouse_rows(malformed=malformed)
    items = st.lists(events | json_values(max_leaves=3) if malformed else events, max_size=3)
    handshakes = _object({"event": st.just("url_verification"), "verification_code": st.text(max_size=6)})
    data: st.SearchStrategy[Any] = st.one_of(items, handshakes, *([json_values()] if malformed else []))
    bodies = st.one_of(events, items, _object({"data": data}), log_event_bodies(malformed=malformed))
    return bodies | json_values() if malformed else bodies


@_deferred
def log_event_bodies(*, malformed: bool = False) -> _Objects:
    """Make bodies of Statsig's `log_event` API, as its SDKs post them (OU-2).

    Shape: `events`, and at times the `user` and the `statsigMetadata` of those that have none of their own. With
    `malformed=True` events are malformed, and up to three places hold anything or nothing.

    >>> from hypothesis import given
    >>> from statsig_segment import split_statsig_export
    >>> @given(log_event_bodies())
    ... def check(body: dict[str, list[object]]) -> None:
    ...     assert len(list(split_statsig_export(body))) == len(body["events"])
    >>> check()
    """
    events = st.lists(statsig_events(malformed=malformed), max_size=3)
    bodies = _object({"events": events}, user=_USERS, statsigMetadata=_SDK)
    return bodies | _spoiled(bodies) if malformed else bodies


def _perhaps_text(objects: st.SearchStrategy[Mapping[Any, Any]]) -> st.SearchStrategy[Any]:
    return objects | objects.map(json.dumps)


def _warehouse_time(time_ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=time_ms)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC"


@_deferred
def warehouse_rows(*, malformed: bool = False) -> _Objects:
    """Make rows of Statsig's warehouse export (OU-9).

    Shape: an object with `event_name`, and at times `user_id`, `stable_id`, `custom_ids`, `timestamp`, `event_value`,
    `user_object`, `statsig_metadata`, `company_metadata`, each of which may be null; the objects are objects or JSON
    text. With `malformed=True` up to three columns hold anything or nothing.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_statsig_event
    >>> @given(warehouse_rows())
    ... def check(row: dict[str, object]) -> None:
    ...     assert parse_statsig_event(row).event_name == row["event_name"]
    >>> check()
    """
    columns: dict[str, st.SearchStrategy[Any]] = {
        "user_id": _IDS,
        "stable_id": _IDS,
        "custom_ids": _perhaps_text(_FEW_IDS),
        "timestamp": _TIMES | _EXPORT_MS.map(_warehouse_time),
        "event_value": st.integers() | st.text(max_size=6),
        "user_object": _perhaps_text(_USERS),
        "statsig_metadata": _perhaps_text(_SDK),
        "company_metadata": _perhaps_text(_METADATA),
        "ds": st.just("2026-11-03"),
    }
    names = _NAMES | _EXPOSURES | st.just("segment::Order Completed")
    rows = _object({"event_name": names}, **{column: values | st.none() for column, values in columns.items()})
    return rows | _spoiled(rows) if malformed else rows


# -- Configurations ---------------------------------------------------------------------------------------------------


@_deferred
def integration_tables() -> _Objects:
    """Make configurations as the mapping that `load_config` reads; every one of them is valid.

    >>> from hypothesis import given
    >>> from statsig_segment import load_config
    >>> @given(integration_tables())
    ... def check(table: dict[str, object]) -> None:
    ...     load_config(table)
    >>> check()
    """
    return _table_of(IntegrationConfig)


def _table_of(model: type[attrs.AttrsInstance]) -> _Objects:
    """Make tables of a model with some of its settings."""
    return _object({}, **{field.name: _setting(field.name, field.type) for field in attrs.fields(model) if field.init})


def _setting(name: str, kind: Any) -> st.SearchStrategy[Any]:
    if kind is bool:
        return st.booleans()
    if kind is EventNaming:
        return _table_of(EventNaming) | st.just("segment_2021")
    return _table_of(kind) if attrs.has(kind) else _SETTINGS[name]


_FIELDS: Final = _one(
    *("anonymousId", "userId", "groupId", "shopId", "context.ip", "context.device.id", "context.page.path"),
    *("context.campaign", "context.traits.plan", "traits.companyId", "traits.email", "properties.id"),
    *("properties.plan", "properties.cart.id", "context.externalIds[type=phone].id", "externalIds[type=ios.idfa].id"),
)
_DROPPED: Final = _one(
    *("context.userAgent", "userId", "type", "properties.plan", "metadata.plan", "x"),
    *("eventName", "userID", "user.email", "user.customIDs.companyID"),
)
_PATTERNS: Final = st.lists(_one("*Bot/*", "Moz*", "u1", "*", "t?st", "true"), min_size=1, max_size=2)
_SOME_NAMES: Final = st.lists(_NAMES, max_size=3)
_PATHS: Final = st.dictionaries(_KEYS, _FIELDS, max_size=3)
_VALUES: Final = _one("value", "revenue", "total", "a.b")
_VIEWS: Final = _one("{category} {name}", "{name}", "Saw {name} in {category}", "Page")

_SETTINGS: Final[Mapping[str, st.SearchStrategy[Any]]] = MappingProxyType(
    {
        "default_environment": _TIERS,
        "id_types": st.lists(_ID_TYPES, max_size=3),
        "id_mappings": st.lists(st.tuples(_FIELDS, _ANY_ID_TYPES), max_size=3, unique=True).map(
            lambda rows: [{"field": field, "id_type": id_type} for field, id_type in rows]
        ),
        "user_fields": st.dictionaries(st.sampled_from(sorted(PLAIN_FIELDS)), _FIELDS, max_size=3),
        "custom_fields": _PATHS,
        "metadata_fields": _PATHS,
        "nested": _one(configuration.JSON, configuration.FLATTEN),
        "value_property": _VALUES | st.lists(_VALUES, max_size=3, unique=True),
        "integration_names": st.lists(_one("Statsig", "Webhooks"), min_size=1, unique=True),
        "consent_categories": st.lists(_one("Advertising", "Analytics"), unique=True),
        "include": _SOME_NAMES,
        "exclude": _SOME_NAMES,
        "types": st.lists(st.sampled_from(CALL_TYPES), unique=True),
        "drop_where": st.lists(_object({"field": _DROPPED, "matches": _PATTERNS}), max_size=2),
        "prefix": _one("", "segment::", "web/"),
        "track": _one("{event}", "t: {event}"),
        "page": _VIEWS,
        "page_unnamed": st.just("A page"),
        "screen": _VIEWS,
        "screen_unnamed": st.just("A screen"),
        "group": _one("group", "Joined {groupId}"),
        "profile": st.sampled_from(configuration.PROFILES),
        "anonymous_id": _ID_TYPES | st.lists(_ID_TYPES, min_size=1, max_size=3),
        "group_id": _ID_TYPES,
        "message_id": _one(configuration.TIME_UUID, configuration.CONTENT),
        "config_change_user_id": st.just("statsig-console"),
        "events": st.dictionaries(_NAMES, st.booleans(), max_size=2),
    }
)
"""What a setting that is neither a switch nor a table of its own is drawn from, by its name."""


@_deferred
def integration_configs() -> st.SearchStrategy[IntegrationConfig]:
    """Make configurations as models: what `load_config` reads from `integration_tables`.

    >>> from hypothesis import given
    >>> from statsig_segment import IntegrationConfig
    >>> @given(integration_configs())
    ... def check(config: IntegrationConfig) -> None:
    ...     assert config.outbound.profile in ("documented", "deliverable")
    >>> check()
    """
    return integration_tables().map(load_config)
