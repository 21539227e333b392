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
from collections import UserDict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import wraps
from types import MappingProxyType
from typing import Any, Final, ParamSpec, TypeAlias, TypeGuard, TypeVar

from hypothesis import strategies as st

from statsig_segment import (
    EventNaming,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
)

__all__ = [
    "CALL_TYPES",
    "config_changes",
    "deep_values",
    "even_odd_arrays",
    "event_bridge_envelopes",
    "hostile_values",
    "identifiers",
    "integration_configs",
    "integration_tables",
    "json_values",
    "log_event_bodies",
    "nested_objects",
    "placeholders",
    "python_values",
    "segment_batches",
    "segment_calls",
    "statsig_events",
    "statsig_exports",
    "timestamps",
    "warehouse_rows",
]

JsonObject: TypeAlias = dict[str, Any]
_P = ParamSpec("_P")
_T = TypeVar("_T")

CALL_TYPES: Final = ("track", "page", "screen", "group", "identify")
"""The types of call that `segment_calls` can make."""

# Small sets: a strategy that never repeats a name never tests what happens when one is repeated.
_ID_TYPES: Final = ("companyID", "segmentAnonymousId", "deviceID", "stableID", "company_id", "équipe")
_USER_ID_TYPES: Final = ("userID", "userid", "UserId")
_KEYS: Final = (
    "plan",
    "value",
    "revenue",
    "name",
    "category",
    "groupId",
    "cart value",
    "a.b",
    "ключ",
    "companyId",
    "id",
    "cart",
    "cart_id",
    "total",
)
_NO_NAME: Final = tuple(key for key in _KEYS if key != "name")
_NAMES: Final = ("Signed Up", "Order Completed", "Heartbeat", "Home", "Docs", "checkout", "🙂 Liked")
_TIERS: Final = ("production", "staging", "development")
_FIELDS: Final = (
    "anonymousId",
    "userId",
    "groupId",
    "context.device.id",
    "traits.companyId",
    "properties.id",
    "shopId",
    "context.externalIds[type=phone].id",
    "externalIds[type=ios.idfa].id",
)
_PATHS: Final = (
    "context.ip",
    "context.device.id",
    "context.page.path",
    "context.campaign",
    "context.traits.plan",
    "context.externalIds[type=phone].id",
    "traits.email",
    "properties.plan",
    "properties.cart.id",
    "shopId",
)
_PLACEHOLDER_TEXTS: Final = (
    *("undefined", "null", "nil", "none", "NaN", "true", "False", "0", "-1", "Unknown", "anonymous", "GUEST"),
    *("n/a", "(not set)", "not_authenticated", "distinct_id", "[object Object]", "0000", "--"),
    *("00000000-0000-0000-0000-000000000000", " ", '""', "' '"),
)
_EXPOSURES: Final = tuple(f"statsig::{kind}_exposure" for kind in ("gate", "config", "experiment", "layer", "holdout"))
_LISTS: Final = ("vip_users", "trial-ended", "Buyers_2026")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400_000
_LAST_MS: Final = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z
_SECONDS_BELOW: Final = 31_557_600_000
_RECEIVED: Final = ("9999-12-31T12:00:00Z", 253_402_257_600_000_000_000)  # nothing is implausibly later (IN-5)


def _deferred(make: Callable[_P, st.SearchStrategy[_T]]) -> Callable[_P, st.SearchStrategy[_T]]:
    """Build a strategy when it is first drawn from: modules of tests name dozens, and each run draws from few."""

    @wraps(make)
    def when_drawn(*args: _P.args, **kwargs: _P.kwargs) -> st.SearchStrategy[_T]:
        return st.deferred(lambda: make(*args, **kwargs))

    return when_drawn


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
        _atoms(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys(), inner, max_size=4),
        max_leaves=max_leaves,
    )


def _atoms() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=12),
    )


def _keys() -> st.SearchStrategy[str]:
    return st.sampled_from(_KEYS) | st.text(max_size=6)


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
    texts = st.sampled_from(("u1", "0042", "9f3c1c6e-9f0d")) | st.text(max_size=11).map("{}x".format)
    if not numbers:
        return texts
    whole = st.integers(1) | st.integers(max_value=-2)
    floats = st.integers(1, 2**53) | st.integers(-(2**53), -2)
    return st.one_of(texts, whole, floats.map(float), st.sampled_from((1e22, 1e300)))


@_deferred
def placeholders() -> st.SearchStrategy[Any]:
    """Make what ID-8 takes for a placeholder: words such as `undefined`, zeros, blanks, in any case and any quotes.

    >>> from hypothesis import given
    >>> from statsig_segment import StatsigEvent, translate
    >>> @given(placeholders())
    ... def check(value: object) -> None:
    ...     event = translate({"type": "track", "event": "Signed Up", "userId": value})
    ...     assert isinstance(event, StatsigEvent)
    ...     assert [issue.code for issue in event.issues] == ["id_placeholder"]
    >>> check()
    """
    words = st.sampled_from(_PLACEHOLDER_TEXTS)
    cases = st.sampled_from((str.lower, str.upper, str.title, str))
    around = st.text(" \t\n\"'", max_size=2)
    texts = st.builds(_between, around, words, cases, around)
    return st.one_of(words, texts, st.sampled_from((0, -1, 0.0, -0.0, -1.0)))


def _between(before: str, word: str, case: Callable[[str], str], after: str) -> str:
    return before + case(word) + after


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
    finer = st.integers(_SECONDS_BELOW, 10**14 - 1) | st.integers(10**14, (_LAST_MS - _DAY) * 10**6)
    numbers = seconds | finer
    fractional = st.integers(0, _SECONDS_BELOW * 1000 - 1).map(lambda number: number / 1000)
    return st.one_of(
        _iso_texts(), numbers, numbers.map(str), fractional, fractional.map(str), finer.map("{:.6E}".format)
    )


@st.composite
def _iso_texts(draw: st.DrawFn) -> str:
    moment = _EPOCH + timedelta(milliseconds=draw(st.integers(_DAY, _LAST_MS - _DAY)))
    if draw(st.booleans()):  # what clients send
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
    text = draw(st.sampled_from((f"{moment:%Y-%m-%d}", f"{moment.year}-{moment.month}-{moment.day}")))
    clock = draw(st.sampled_from(("", f"{moment:%H:%M}", f"{moment:%H:%M:%S}", "fraction")))
    if not clock:
        return text
    if clock == "fraction":
        clock = f"{moment:%H:%M:%S}.{draw(st.text('0123456789', min_size=1, max_size=9))}"
    zones = ("", "Z", "+02", "-0330", "+05:45", " +0000", " UTC", "UTC")
    return text + draw(st.sampled_from("T ")) + clock + draw(st.sampled_from(zones))


@_deferred
def even_odd_arrays(
    *,
    names: st.SearchStrategy[Any] | None = None,
    values: st.SearchStrategy[Any] | None = None,
    malformed: bool = False,
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
    names = st.sampled_from(_ID_TYPES) if names is None else names
    values = identifiers() if values is None else values
    if not malformed:
        pairs = st.lists(st.tuples(names, values), max_size=4, unique_by=lambda pair: pair[0])
        return pairs.map(lambda rows: [item for row in rows for item in row])
    anything = json_values(max_leaves=3) | st.just(float("nan"))
    either = st.one_of(names, names, anything), st.one_of(values, values, anything)
    pairs = st.lists(st.tuples(*either), max_size=5)
    return st.tuples(pairs, st.lists(either[0], max_size=1)).map(
        lambda drawn: [item for row in drawn[0] for item in row] + drawn[1]
    )


def _merged(*objects: st.SearchStrategy[JsonObject]) -> st.SearchStrategy[JsonObject]:
    """Draw each of the objects, and put their entries together; the later ones win."""
    return st.tuples(*objects).map(lambda drawn: {key: one[key] for one in drawn for key in one})


def _control(*, malformed: bool) -> JsonObject:
    custom_values = st.one_of(
        st.text(max_size=8),
        st.booleans(),
        st.integers(),
        st.floats(-1e6, 1e6),
        st.lists(st.text(max_size=4), max_size=3),
    )
    id_types = st.sampled_from((*_ID_TYPES, *_USER_ID_TYPES) if malformed else _ID_TYPES)
    ids = identifiers() | placeholders() if malformed else identifiers()
    controls: JsonObject = {
        "statsigCustomIDs": even_odd_arrays(names=id_types, values=ids, malformed=malformed),
        "statsigCustom": even_odd_arrays(names=st.sampled_from(_KEYS), values=custom_values, malformed=malformed),
        "statsigEnvironment": st.fixed_dictionaries({"tier": st.sampled_from(_TIERS)}),
    }
    if malformed:
        return {key: value | json_values(max_leaves=3) for key, value in controls.items()}
    return controls


@_deferred
def nested_objects(*, keys: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[JsonObject]:
    """Make objects inside objects whose keys, joined by `_`, meet at times (US-7, `nested = "flatten"`).

    Shape: `keys` are drawn from a few by default.

    >>> from hypothesis import given
    >>> @given(nested_objects())
    ... def check(value: object) -> None:
    ...     assert isinstance(value, dict)
    >>> check()
    """
    keys = st.sampled_from(("cart", "id", "cart_id", "total", "")) if keys is None else keys
    leaves = _atoms() | st.lists(_atoms(), max_size=2)
    inner = st.recursive(leaves, lambda held: st.dictionaries(keys, held, max_size=3), max_leaves=6)
    return st.dictionaries(keys, inner, max_size=4)


def _objects(*, malformed: bool, named: bool = True) -> st.SearchStrategy[JsonObject]:
    """Make the properties or traits of a call: free keys, and the control keys at times."""
    nothing: JsonObject = {}
    # What names a page although the call has no name gives an issue (US-6).
    keys = _keys() if named or malformed else st.sampled_from(_NO_NAME) | st.text(max_size=5).map("{}x".format)
    free = st.dictionaries(keys, json_values(max_leaves=3), max_size=3) | nested_objects()
    controls = st.just(nothing) | st.fixed_dictionaries(nothing, optional=_control(malformed=malformed))
    return _merged(free, controls)


def _external_ids() -> st.SearchStrategy[list[JsonObject]]:
    kinds = st.sampled_from(("phone", "ios.idfa", "ga_client_id"))
    row: JsonObject = {"type": kinds, "id": identifiers()}
    return st.lists(st.fixed_dictionaries(row, optional={"collection": st.just("users")}), max_size=3)


def _contexts() -> st.SearchStrategy[JsonObject]:
    return st.fixed_dictionaries(
        {},
        optional={
            "ip": st.sampled_from(("203.0.113.24", "2001:db8::1")),
            "userAgent": st.just("Mozilla/5.0"),
            "locale": st.sampled_from(("en-GB", "fr-CH")),
            "library": st.fixed_dictionaries({"name": st.sampled_from(("analytics.js", "analytics-ios", "statsig"))}),
            "device": st.fixed_dictionaries({"id": identifiers()}),
            "externalIds": _external_ids(),
            "page": st.fixed_dictionaries({"path": st.sampled_from(("/", "/pricing"))}),
            "campaign": st.fixed_dictionaries({"source": st.just("mail-7")}),
            "traits": st.fixed_dictionaries({"plan": st.sampled_from(("pro", 7, True))}),
        },
    )


def _integrations() -> st.SearchStrategy[JsonObject]:
    switches: JsonObject = dict.fromkeys(("All", "all", "ALL", "Mixpanel"), st.booleans())
    return st.fixed_dictionaries({}, optional={**switches, "Statsig": st.booleans() | st.just({"a": 1})})


def _owners() -> st.SearchStrategy[JsonObject]:
    """Make the fields that tell whose call it is: Segment asks for one of the two at least."""
    return st.fixed_dictionaries({"userId": identifiers()}, optional={"anonymousId": identifiers()}) | (
        st.fixed_dictionaries({"anonymousId": identifiers()}, optional={"userId": st.none()})
    )


@_deferred
def _valid_call(kind: str, *, malformed: bool = False) -> st.SearchStrategy[JsonObject]:
    mandatory: JsonObject = {"type": st.just(kind)}
    optional: JsonObject = {
        "context": _contexts(),
        "integrations": _integrations(),
        "messageId": st.text("0123456789abcdef", min_size=1, max_size=4),
        "timestamp": timestamps(),
        "sentAt": timestamps(),
        "receivedAt": st.sampled_from(_RECEIVED),
        "groupId": identifiers(),
        "shopId": identifiers(),
        "externalIds": _external_ids(),
    }
    if kind in {"page", "screen"}:
        return _view(mandatory, optional, malformed=malformed)
    if kind == "track":
        mandatory["event"] = st.sampled_from(_NAMES) | st.text(min_size=1, max_size=12)
    optional["properties" if kind == "track" else "traits"] = _objects(malformed=malformed)
    return _merged(st.fixed_dictionaries(mandatory, optional=optional), _owners())


def _view(mandatory: JsonObject, optional: JsonObject, *, malformed: bool) -> st.SearchStrategy[JsonObject]:
    """Make a page or screen call: with a name, or without one in its properties either."""
    names = st.sampled_from(_NAMES) | st.sampled_from((404, 1.5))
    part: JsonObject = {"category": names | st.sampled_from((None, "", " "))}
    with_name = {**optional, **part, "properties": _objects(malformed=malformed)}
    nameless = {**optional, **part, "name": st.sampled_from((None, "", " "))}
    nameless["properties"] = _objects(malformed=malformed, named=False)
    return st.one_of(
        _merged(st.fixed_dictionaries({**mandatory, "name": names}, optional=with_name), _owners()),
        _merged(st.fixed_dictionaries(mandatory, optional=nameless), _owners()),
    )


# Shared by all that draw calls, for each of them is a large tree.
_CALLS: Final = MappingProxyType(
    {(kind, malformed): _valid_call(kind, malformed=malformed) for kind in CALL_TYPES for malformed in (False, True)}
)


@st.composite
def _membership(draw: st.DrawFn, kind: str) -> JsonObject:
    """Make the call by which Engage says that a user or an account entered or left an audience."""
    key = draw(st.sampled_from(_LISTS))
    call = draw(_CALLS[kind, False])
    personas = {
        "computation_class": draw(st.sampled_from(("audience", "journey_step"))),
        "computation_key": key,
        "computation_id": "aud_1",
    }
    call["context"] = {**call.get("context", {}), "personas": personas}
    call["traits"] = {**call.get("traits", {}), key: draw(st.booleans())}
    return call


_SPOILED: Final = (
    ("type",),
    ("event",),
    ("name",),
    ("userId",),
    ("anonymousId",),
    ("groupId",),
    ("timestamp",),
    ("messageId",),
    ("context",),
    ("context", "ip"),
    ("context", "personas"),
    ("context", "library"),
    ("context", "externalIds"),
    ("receivedAt",),
    ("category",),
    ("integrations",),
    ("properties",),
    ("properties", "value"),
    ("properties", "name"),
    ("traits",),
)


def _is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


def _spoiled(objects: st.SearchStrategy[JsonObject], paths: Sequence[tuple[str, ...]]) -> st.SearchStrategy[JsonObject]:
    """Put anything, or nothing, in one to three places of an object."""

    def spoil(whole: JsonObject, rows: list[tuple[tuple[str, ...], Any]]) -> JsonObject:
        whole = dict(whole)
        for (*above, last), value in rows:
            inner = whole
            for key in above:
                held = inner.get(key)
                inner[key] = inner = {**held} if _is_object(held) else {}
            if value is ...:
                inner.pop(last, None)
            else:
                inner[last] = value
        return whole

    odd: tuple[Any, ...] = (float("nan"), float("inf"), "", -1, [])
    anything = st.one_of(st.just(...), json_values(max_leaves=4), st.sampled_from(odd), placeholders())
    return st.builds(spoil, objects, st.lists(st.tuples(st.sampled_from(paths), anything), min_size=1, max_size=3))


@_deferred
def segment_calls(
    *, types: Sequence[str] = CALL_TYPES, malformed: bool = False, python_values: bool = False
) -> st.SearchStrategy[JsonObject]:
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
        whole = whole | _spoiled(whole, _SPOILED)
    return st.builds(_pythonic, whole, _python_fields()) if python_values else whole


def _python_fields() -> st.SearchStrategy[JsonObject]:
    """Make fields of a call out of Python values: times, IDs and entries of its properties or traits."""
    first, last = datetime(1970, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001 - the zones are drawn
    times = st.one_of(st.datetimes(first, last), st.datetimes(first, last, timezones=_zones()), st.dates(first.date()))
    ids = st.one_of(st.uuids(), st.integers(1).map(Decimal), st.just(_Plan.GOLD))
    entries = st.dictionaries(st.sampled_from(_NO_NAME), python_values(), max_size=3)
    return st.fixed_dictionaries({}, optional={"timestamp": times, "userId": ids, "shopId": ids, "entries": entries})


def _pythonic(call: JsonObject, fields: JsonObject) -> JsonObject:
    """Put Python values into a call; its properties or traits gain the entries."""
    field = "traits" if call.get("type") in ("group", "identify") else "properties"  # of any type
    held = call.get(field, {})
    rest = {key: value for key, value in fields.items() if key != "entries"}
    if "entries" in fields and _is_object(held):
        rest[field] = {**held, **fields["entries"]}
    return {**call, **rest}


def _zones() -> st.SearchStrategy[timezone]:
    return st.integers(-720, 720).map(lambda minutes: timezone(timedelta(minutes=minutes)))


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
        st.datetimes(),
        st.datetimes(timezones=_zones()),
        st.dates(),
        st.decimals(-(10**6), 10**6, places=2),
        st.uuids(),
        st.sampled_from(_Plan),
        st.frozensets(st.integers(0, 20) | st.text(max_size=3), max_size=4),
        st.sets(st.integers(0, 20), max_size=3),
        st.integers(-(10**6), 10**6).map(_Count),
        st.fractions(-100, 100, max_denominator=8),
    )
    return st.recursive(
        alone | _atoms(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys(), inner, max_size=3),
        max_leaves=max_leaves,
    )


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
    anything = calls | json_values(max_leaves=3) if malformed else calls
    items = st.lists(anything, max_size=3)
    envelopes = _envelopes(items)
    if malformed:
        places = (("batch",), ("context",), ("integrations",), ("sentAt",))
        bridges = event_bridge_envelopes(anything | envelopes)
        spoiled_bridges = _spoiled(bridges, (("detail",), ("detail-type",), ("type",)))
        return st.one_of(anything, items, envelopes, _spoiled(envelopes, places), bridges, spoiled_bridges)
    return st.one_of(calls, items, envelopes, event_bridge_envelopes(calls | envelopes))


def _envelopes(items: st.SearchStrategy[list[Any]]) -> st.SearchStrategy[JsonObject]:
    return st.fixed_dictionaries(
        {"batch": items},
        optional={
            "context": _contexts(),
            "integrations": _integrations(),
            "sentAt": timestamps(),
            "receivedAt": st.sampled_from(_RECEIVED),
            "writeKey": st.just("a-write-key"),
        },
    )


@_deferred
def event_bridge_envelopes(details: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[JsonObject]:
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
    mandatory: JsonObject = {"detail-type": st.sampled_from(("track", "page", "Segment Event")), "detail": details}
    optional: JsonObject = {
        "version": st.just("0"),
        "id": st.uuids().map(str),
        "source": st.just("aws.partner/segment.com"),
        "account": st.just("123456789012"),
        "time": st.just("2026-11-03T09:10:12Z"),
        "region": st.just("eu-west-1"),
        "resources": st.just([]),
    }
    return st.fixed_dictionaries(mandatory, optional=optional)


def _users() -> st.SearchStrategy[JsonObject]:
    return st.fixed_dictionaries(
        {},
        optional={
            "userID": identifiers() | st.sampled_from(("", None)),
            "email": st.just("ada@example.com"),
            "customIDs": st.dictionaries(st.sampled_from(_ID_TYPES), identifiers(numbers=False), max_size=2),
            "custom": st.dictionaries(_keys(), _atoms(), max_size=2),
            "privateAttributes": st.just({"phone": "+44 1632 960000"}),
            "statsigEnvironment": st.fixed_dictionaries({"tier": st.sampled_from(_TIERS)}),
        },
    )


_EXPORT_MS: Final = st.integers(_SECONDS_BELOW, 10**14 - 1)

_SPOILED_EXPORT: Final = (
    ("eventName",),
    ("user",),
    ("user", "userID"),
    ("user", "customIDs"),
    ("user", "email"),
    ("userID",),
    ("timestamp",),
    ("time",),
    ("value",),
    ("metadata",),
    ("metadata", "environments"),
    ("statsigMetadata",),
    ("statsigMetadata", "stableID"),
    ("statsigMetadata", "sdkType"),
    ("timeUUID",),
)


@_deferred
def statsig_events(*, changes: bool = True, malformed: bool = False) -> st.SearchStrategy[JsonObject]:
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
    named = (*_NAMES, *_EXPOSURES, "statsig::diagnostics", "segment::Order Completed")
    names = st.sampled_from(named) | st.text(min_size=1, max_size=12)
    events = st.fixed_dictionaries(
        {"eventName": names.filter(lambda name: name != "statsig::config_change")},
        optional={
            "user": _users() | st.none(),
            "userID": identifiers() | st.sampled_from(("", None)),
            "timestamp": timestamps() | st.none(),
            "time": timestamps() | st.none(),
            "value": st.none() | st.integers() | st.text(max_size=6),
            "metadata": st.dictionaries(_keys(), json_values(max_leaves=2), max_size=3),
            "statsigMetadata": _sdk_metadata(),
            "timeUUID": st.text("0123456789abcdef-", min_size=1, max_size=8),
            "unitID": identifiers(),
        },
    )
    every = events | config_changes() if changes else events
    return every | _spoiled(every, _SPOILED_EXPORT) if malformed else every


def _sdk_metadata() -> st.SearchStrategy[JsonObject]:
    types = st.sampled_from(("js-client", "py-server", "segment"))
    return st.fixed_dictionaries({}, optional={"stableID": identifiers() | st.none(), "sdkType": types})


@_deferred
def config_changes() -> st.SearchStrategy[JsonObject]:
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
    optional: JsonObject = {
        "user": st.fixed_dictionaries({}, optional={**_author(), "userID": identifiers()}),
        "timeUUID": _uuids(),
        "userID": identifiers(),
    }
    earlier = [st.fixed_dictionaries(shape) for shape in (_segment_change(), *_earlier_changes())]
    return st.one_of(*earlier, st.fixed_dictionaries(_current_change(), optional=optional))


def _texts() -> st.SearchStrategy[str]:
    return st.text(min_size=1, max_size=8)


def _uuids() -> st.SearchStrategy[str]:
    return st.text("0123456789abcdef-", min_size=1, max_size=8)


def _author() -> JsonObject:
    return {"name": _texts(), "email": st.just("grace@example.com")}


def _changed() -> JsonObject:
    """Give the metadata that every config change has."""
    return {
        "type": st.sampled_from(("Gate", "Experiment", "Dynamic Config")),
        "name": _texts(),
        "description": _texts(),
        "action": st.sampled_from(("created", "updated", "deleted")),
    }


def _segment_change() -> JsonObject:
    """Give the fields of a config change in the Segment form."""
    return {
        "event": st.just("statsig::config_change"),
        "userId": identifiers(),
        "timestamp": _EXPORT_MS,
        "context": st.just({"library": {"name": "statsig", "version": "1.0"}}),
        "properties": st.fixed_dictionaries(
            dict.fromkeys(("author", "configName", "description", "environment"), _texts())
        ),
    }


def _earlier_changes() -> tuple[JsonObject, ...]:
    """Give the fields of the three earlier shapes with metadata: plain, with an environment, and the older one."""
    person: JsonObject = {
        "eventName": st.just("statsig::config_change"),
        "user": st.fixed_dictionaries(_author()),
        "timestamp": _EXPORT_MS,
    }
    older = {**_changed(), "type": st.sampled_from(("gate", "experiment", "config"))}
    return (
        {**person, "metadata": st.fixed_dictionaries(_changed())},
        {**person, "metadata": st.fixed_dictionaries({**_changed(), "environment": _texts()})},
        {
            **person,
            "timestamp": _EXPORT_MS.map(str),
            "timeUUID": _uuids(),
            "metadata": st.fixed_dictionaries(older),
        },
    )


def _current_change() -> JsonObject:
    """Give the fields that the current shape always has."""
    current: JsonObject = {
        **_changed(),
        "projectName": _texts(),
        "environments": st.sampled_from(("production", "production,staging", "")),
        "tags": st.lists(_texts(), max_size=2),
        "targetApps": st.lists(_texts(), max_size=2),
    }
    return {
        "eventName": st.just("statsig::config_change"),
        "timestamp": _EXPORT_MS,
        "metadata": st.fixed_dictionaries(current),
    }


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
    handshake = st.fixed_dictionaries({"event": st.just("url_verification"), "verification_code": st.text(max_size=6)})
    bodies = st.one_of(
        events,
        items,
        items.map(lambda data: {"data": data}),
        handshake.map(lambda data: {"data": data}),
        log_event_bodies(malformed=malformed),
    )
    return bodies | json_values() | json_values().map(lambda data: {"data": data}) if malformed else bodies


@_deferred
def log_event_bodies(*, malformed: bool = False) -> st.SearchStrategy[JsonObject]:
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
    optional: JsonObject = {"user": _users(), "statsigMetadata": _sdk_metadata()}
    bodies = st.fixed_dictionaries({"events": events}, optional=optional)
    return bodies | _spoiled(bodies, (("events",), ("user",), ("statsigMetadata",))) if malformed else bodies


_SPOILED_ROW: Final = (
    ("event_name",),
    ("user_id",),
    ("custom_ids",),
    ("user_object",),
    ("company_metadata",),
    ("statsig_metadata",),
    ("timestamp",),
)


@_deferred
def warehouse_rows(*, malformed: bool = False) -> st.SearchStrategy[JsonObject]:
    """Make rows of Statsig's warehouse export (OU-9).

    Shape: an object with `event_name`, and at times `user_id`, `stable_id`, `custom_ids`, `timestamp`, `event_value`,
    `user_object`, `statsig_metadata`, `company_metadata`, each of which may be null; the objects stand as they are or
    as JSON text. With `malformed=True` up to three columns hold anything or nothing.

    >>> from hypothesis import given
    >>> from statsig_segment import parse_statsig_event
    >>> @given(warehouse_rows())
    ... def check(row: dict[str, object]) -> None:
    ...     assert parse_statsig_event(row).event_name == row["event_name"]
    >>> check()
    """
    ids = st.dictionaries(st.sampled_from(_ID_TYPES), identifiers(numbers=False), max_size=2)
    metadata = st.dictionaries(_keys(), json_values(max_leaves=2), max_size=3)
    optional: JsonObject = {
        "user_id": identifiers(),
        "stable_id": identifiers(),
        "custom_ids": _perhaps_text(ids),
        "timestamp": timestamps() | st.none() | _warehouse_times(),
        "event_value": st.integers() | st.text(max_size=6),
        "user_object": _perhaps_text(_users()),
        "statsig_metadata": _perhaps_text(_sdk_metadata()),
        "company_metadata": _perhaps_text(metadata),
        "ds": st.just("2026-11-03"),
    }
    names = st.sampled_from((*_NAMES, *_EXPOSURES, "segment::Order Completed"))
    nullable = {column: values | st.none() for column, values in optional.items()}
    rows = st.fixed_dictionaries({"event_name": names}, optional=nullable)
    return rows | _spoiled(rows, _SPOILED_ROW) if malformed else rows


def _perhaps_text(objects: st.SearchStrategy[Mapping[Any, Any]]) -> st.SearchStrategy[Any]:
    return objects | objects.map(json.dumps)


def _warehouse_times() -> st.SearchStrategy[str]:
    moments = _EXPORT_MS.map(lambda time_ms: _EPOCH + timedelta(milliseconds=time_ms))
    return moments.map(lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC")


def _namings() -> st.SearchStrategy[JsonObject]:
    views = st.sampled_from(("{category} {name}", "{name}", "Saw {name} in {category}", "Page"))
    return st.fixed_dictionaries(
        {},
        optional={
            "prefix": st.sampled_from(("", "segment::", "web/")),
            "track": st.sampled_from(("{event}", "t: {event}")),
            "page": views,
            "screen": views,
            "page_unnamed": st.just("A page"),
            "group": st.sampled_from(("group", "Joined {groupId}")),
            "from_properties": st.booleans(),
        },
    )


@_deferred
def integration_tables() -> st.SearchStrategy[JsonObject]:
    """Make configurations as the mapping that `load_config` reads; every one of them is valid.

    >>> from hypothesis import given
    >>> from statsig_segment import load_config
    >>> @given(integration_tables())
    ... def check(table: dict[str, object]) -> None:
    ...     load_config(table)
    >>> check()
    """
    return st.fixed_dictionaries({}, optional={"inbound": _inbound_tables(), "outbound": _outbound_tables()})


def _inbound_tables() -> st.SearchStrategy[JsonObject]:
    names = st.lists(st.sampled_from(_NAMES), max_size=3)
    paths = st.sampled_from(_PATHS)
    fields = st.sampled_from(("email", "ip", "userAgent", "country", "locale", "appVersion"))
    id_types = st.sampled_from((*_ID_TYPES, *_USER_ID_TYPES))
    rows = st.fixed_dictionaries({"field": st.sampled_from(_FIELDS), "id_type": id_types})
    properties = st.sampled_from(("value", "revenue", "total", "a.b"))
    types = st.lists(st.sampled_from(CALL_TYPES), unique=True)
    inbound = {
        "default_environment": st.sampled_from(_TIERS),
        "id_types": st.lists(st.sampled_from(_ID_TYPES), max_size=3),
        "id_mappings": st.lists(rows, max_size=3, unique_by=lambda row: (row["field"], row["id_type"])),
        "filters": st.fixed_dictionaries({}, optional={"include": names, "exclude": names, "types": types}),
        "naming": _namings() | st.just("segment_2021"),
        "user_fields": st.dictionaries(fields, paths, max_size=3),
        "custom_fields": st.dictionaries(st.sampled_from(_KEYS), paths, max_size=3),
        "metadata_fields": st.dictionaries(st.sampled_from(_KEYS), paths, max_size=3),
        "nested": st.sampled_from(("json", "flatten")),
        "value_property": properties | st.lists(properties, max_size=3, unique=True),
        "drop_placeholder_ids": st.booleans(),
        "honor_integrations": st.booleans(),
        "allow_statsig_origin": st.booleans(),
    }
    return st.fixed_dictionaries({}, optional=inbound)


def _outbound_tables() -> st.SearchStrategy[JsonObject]:
    filters = {
        "exposures": st.booleans(),
        "config_changes": st.booleans(),
        "include_new_events": st.booleans(),
        "events": st.dictionaries(st.sampled_from(_NAMES), st.booleans(), max_size=2),
    }
    outbound = {
        "profile": st.sampled_from(("documented", "deliverable")),
        "anonymous_id": st.sampled_from(_ID_TYPES),
        "allow_segment_origin": st.booleans(),
        "config_change_user_id": st.just("statsig-console"),
        "filters": st.fixed_dictionaries({}, optional=filters),
    }
    return st.fixed_dictionaries({}, optional=outbound)


def integration_configs() -> st.SearchStrategy[IntegrationConfig]:
    """Make configurations as models: those of `integration_tables`, made without reading a file.

    >>> from hypothesis import given
    >>> from statsig_segment import IntegrationConfig
    >>> @given(integration_configs())
    ... def check(config: IntegrationConfig) -> None:
    ...     assert config.outbound.profile in ("documented", "deliverable")
    >>> check()
    """
    return integration_tables().map(_config_of)


def _config_of(table: Mapping[str, Any]) -> IntegrationConfig:
    inbound = dict(table.get("inbound", {}))
    outbound = dict(table.get("outbound", {}))
    convert: dict[str, Callable[[Any], Any]] = {
        "filters": lambda value: InboundFilter(**value),
        "id_mappings": lambda rows: tuple(IdMapping(**row) for row in rows),
        "naming": lambda value: EventNaming.segment_2021() if isinstance(value, str) else EventNaming(**value),
    }
    for key, make in convert.items():
        if key in inbound:
            inbound[key] = make(inbound[key])
    if "filters" in outbound:
        outbound["filters"] = OutboundFilter(**outbound["filters"])
    return IntegrationConfig(inbound=InboundConfig(**inbound), outbound=OutboundConfig(**outbound))


class _Text(str):
    """A string of a class of its own, as ORMs and template engines have them."""

    __slots__ = ()


class _Huge(int):
    """An integer of more digits than Python prints, that a failing test can still show."""

    def __repr__(self) -> str:
        return "_Huge(...)"


def _in_itself(make: Callable[[], Any]) -> Any:
    """Make a container that contains itself."""
    whole = make()
    if make is dict:
        whole["self"] = whole
    else:
        whole.append(whole)
    return whole


@_deferred
def deep_values(*, levels: st.SearchStrategy[int] | None = None) -> st.SearchStrategy[Any]:
    """Make values inside as many objects and arrays as `levels` says: by default 90 to 400, so that TR-5 cuts most.

    >>> from hypothesis import given
    >>> @given(deep_values())
    ... def check(value: object) -> None:
    ...     assert isinstance(value, dict | list)
    >>> check()
    """
    levels = st.integers(90, 110) | st.integers(90, 400) if levels is None else levels
    return st.builds(_nested, levels, st.sampled_from(("[", "{", "[{")), _atoms())


def _nested(levels: int, kinds: str, value: Any) -> Any:
    for level in range(levels):
        value = [value] if kinds[level % len(kinds)] == "[" else {"a": value}
    return value


def _hostile_atoms() -> st.SearchStrategy[Any]:
    return st.sampled_from(
        (
            float("nan"),
            float("inf"),
            float("-inf"),
            "\ud800",
            b"\xff",
            bytearray(b"a"),
            _EPOCH,
            date(2024, 3, 1),
            Decimal("1.5"),
            Decimal("NaN"),
            Fraction(1, 3),
            _Plan.GOLD,
            1j,
            object(),
            ...,
            int,
            len,
            frozenset({1}),
            range(3),
            _Huge(10**5000),
            _Text("u1"),
        )
    )


@_deferred
def hostile_values() -> st.SearchStrategy[Any]:
    """Make Python values that JSON does not have, alone and inside lists and dicts.

    Shape: NaN and infinities, lone surrogates, bytes, dates, decimals, sets, objects, integers of thousands of digits,
    keys that are not strings, mappings and tuples that are not dicts and lists, containers that contain themselves, and
    values inside hundreds of lists. A payload that holds one gives a result or an error of our family, never anything
    else.

    >>> from hypothesis import given
    >>> from statsig_segment import StatsigSegmentError, parse_segment_event
    >>> @given(hostile_values())
    ... def check(value: object) -> None:
    ...     try:
    ...         parse_segment_event({"type": "track", "event": "Signed Up", "properties": value, "userId": value})
    ...     except StatsigSegmentError:
    ...         pass
    >>> check()
    """
    containers = st.sampled_from((list, dict)).map(_in_itself) | st.sets(st.integers(), max_size=2)
    base = st.one_of(_hostile_atoms(), containers, _atoms(), deep_values(levels=st.integers(95, 300)))
    keys: st.SearchStrategy[Any] = st.one_of(
        _keys(), st.integers(), st.just(b"key"), st.none(), st.just(("a", 1)), st.just("\udfff"), st.just(float("nan"))
    )
    return st.recursive(
        base,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(keys, inner, max_size=3),
            st.dictionaries(keys, inner, max_size=2).map(MappingProxyType),
            st.dictionaries(keys, inner, max_size=2).map(UserDict),
        ),
        max_leaves=6,
    )
