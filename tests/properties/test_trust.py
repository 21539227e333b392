"""Properties of trust (TR-1 to TR-4): one class for each rule, the rule quoted.

The `repr` of what carries a payload (TR-3) is in test_delivery.py, TR-5 in test_depth.py and test_paths.py.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import hmac
import json
import time
import traceback
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.lookalikes import Lookup
from tests.support.sizes import small_and_large
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_array, is_object

from statsig_segment import (
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    OutboundConfig,
    Rejected,
    SignatureError,
    StatsigEvent,
    StatsigSegmentError,
    audience_update,
    explain,
    export_many,
    load_config,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_segment_batches,
    to_statsig_event,
    translate,
    translate_many,
    url_verification_code,
    verify_segment_signature,
    verify_statsig_signature,
)
from statsig_segment.testing import integration_configs, json_values, segment_calls, statsig_events

SECRETS = st.text(min_size=1, max_size=20)
TIMESTAMPS = st.integers(0, 10**14).map(str)
GARBAGE = st.one_of(
    hostile_values(), st.sampled_from((None, 1, "", b"", "\ud800", "é", "v0=", "v0=zz", bytearray(b"a")))
)


def statsig_signature(body: bytes, timestamp: str, secret: str) -> str:
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def segment_signature(signed: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), signed, hashlib.sha1).hexdigest()


def refused(verify: Callable[..., None], *arguments: Any, **keywords: Any) -> SignatureError:
    with pytest.raises(SignatureError) as caught:
        verify(*arguments, **keywords)
    return caught.value


class TestTR1StatsigSignature:
    """
    `verify_statsig_signature(body, timestamp, signature, secret, *, now_ms=None, tolerance_ms=None)`: `v0=` + hex
    HMAC-SHA256 of `v0:{timestamp}:{raw body}` [doc]; constant-time; with `now_ms` and `tolerance_ms` also refuses stale
    times. Raises `SignatureError`; garbage in any argument raises that too and nothing else.

    Corners: stale means further than `tolerance_ms` from `now_ms` on either side; equal is fresh; with both given,
    `timestamp` must be digits. `body` is bytes, the rest text; an empty secret is refused.
    """

    @given(st.binary(), TIMESTAMPS | st.text(max_size=8), SECRETS)
    def test_the_right_signature_is_accepted(self, body: bytes, timestamp: str, secret: str) -> None:
        verify_statsig_signature(body, timestamp, statsig_signature(body, timestamp, secret), secret)

    @given(st.binary(), TIMESTAMPS, SECRETS, st.data())
    def test_any_change_is_noticed(self, body: bytes, timestamp: str, secret: str, data: st.DataObject) -> None:
        right = statsig_signature(body, timestamp, secret)
        at = data.draw(st.integers(0, len(right) - 1))
        wrong = right[:at] + ("0" if right[at] != "0" else "1") + right[at + 1 :]

        for arguments in (
            (body, timestamp, wrong, secret),
            (body, timestamp, right[: max(at, 1)], secret),
            (body, timestamp, right + "0", secret),
            (body, timestamp, right.removeprefix("v0="), secret),
            (body, timestamp, " " + right, secret),
            (body + b"\n", timestamp, right, secret),
            (body, timestamp + "0", right, secret),
            (body, timestamp, right, secret + "x"),
        ):
            refused(verify_statsig_signature, *arguments)

    @given(st.integers(0, 10**14), st.integers(0, 10**7), st.integers(-(10**7) - 2, 10**7 + 2))
    @example(10**12, 5, 5)
    @example(10**12, 5, -5)
    @example(10**12, 5, 6)
    @example(10**12, 5, -6)
    @example(0, 0, 0)
    def test_stale_times_are_refused_on_either_side(self, sent_ms: int, tolerance_ms: int, age: int) -> None:
        timestamp = str(sent_ms)
        arguments = (b"{}", timestamp, statsig_signature(b"{}", timestamp, "s"), "s")
        now_ms = sent_ms + age
        if abs(age) <= tolerance_ms:
            verify_statsig_signature(*arguments, now_ms=now_ms, tolerance_ms=tolerance_ms)
        else:
            refused(verify_statsig_signature, *arguments, now_ms=now_ms, tolerance_ms=tolerance_ms)
        verify_statsig_signature(*arguments, now_ms=now_ms)
        verify_statsig_signature(*arguments, tolerance_ms=tolerance_ms)

    @pytest.mark.parametrize("zeros", [1, 18, 49, 5_000])  # 49: found by fuzzing
    def test_zeros_before_a_time_change_nothing(self, zeros: int) -> None:
        for digits in ("5", "0"):
            timestamp = "0" * zeros + digits
            signature = statsig_signature(b"{}", timestamp, "s")

            verify_statsig_signature(b"{}", timestamp, signature, "s", now_ms=4, tolerance_ms=4)
            refused(verify_statsig_signature, b"{}", timestamp, signature, "s", now_ms=50, tolerance_ms=4)

    @given(st.sampled_from(("", " 5", "5 ", "-5", "+5", "5.0", "1e3", "٥", "five", "5\n", "0x5")))
    def test_with_a_clock_the_time_is_digits(self, timestamp: str) -> None:
        signature = statsig_signature(b"{}", timestamp, "s")

        refused(verify_statsig_signature, b"{}", timestamp, signature, "s", now_ms=5, tolerance_ms=10**9)

    @given(st.lists(st.tuples(st.integers(0, 5), GARBAGE), min_size=1, max_size=3))
    @example([(0, "{}")])
    @example([(0, bytearray(b"{}"))])
    @example([(1, 5)])
    @example([(1, "9" * 5000)])
    @example([(3, "")])
    @example([(3, b"s")])
    @example([(2, "v0=\udcff")])
    @example([(2, "v0=é")])
    def test_garbage_raises_our_error_and_nothing_else(self, changes: list[tuple[int, Any]]) -> None:
        arguments: list[Any] = [b"{}", "5", statsig_signature(b"{}", "5", "s"), "s", 5, 5]
        for at, value in changes:
            arguments[at] = value
        body, timestamp, signature, secret, now_ms, tolerance_ms = arguments
        try:
            verify_statsig_signature(body, timestamp, signature, secret, now_ms=now_ms, tolerance_ms=tolerance_ms)
        except SignatureError:
            return
        assert (body, signature, secret) == (b"{}", statsig_signature(b"{}", "5", "s"), "s")
        assert timestamp == "5"

    @given(st.binary(), TIMESTAMPS, st.text("0123456789abcdef", max_size=70))
    def test_an_empty_secret_is_refused(self, body: bytes, timestamp: str, rest: str) -> None:
        refused(verify_statsig_signature, body, timestamp, statsig_signature(body, timestamp, ""), "")
        refused(verify_statsig_signature, body, timestamp, "v0=" + rest, "")


class TestTR2SegmentSignature:
    """
    `verify_segment_signature(body, signature, secret)`: hex HMAC-SHA1 over the raw bytes; for a batch over the exact
    bytes of the first element [doc]. For an array, a signature over the whole raw body is accepted too: Segment is
    moving to it [seen], and it is the stronger one. An empty array has only that.

    Corner: an object is one event, also an envelope; only a JSON array counts as a batch.
    """

    SPACES = st.text(" \t\n\r", max_size=3)

    @staticmethod
    def written(value: Any, style: int) -> str:
        """JSON text of an element in one of the ways that libraries write it."""
        styles: list[JsonObject] = [
            {},
            {"separators": (",", ":"), "ensure_ascii": False},
            {"indent": 2},
            {"separators": (" ,\t", "\n: "), "sort_keys": True},
        ]
        return json.dumps(value, **styles[style])

    @given(json_values().filter(lambda value: not is_array(value)), st.integers(0, 3), SECRETS, SPACES)
    @example({"batch": [{"type": "track"}]}, 0, "s", " ")
    def test_a_single_body_is_signed_whole(self, value: Any, style: int, secret: str, space: str) -> None:
        body = (space + self.written(value, style) + space).encode()

        verify_segment_signature(body, segment_signature(body, secret), secret)
        refused(verify_segment_signature, body + b" ", segment_signature(body, secret), secret)

    @given(
        st.lists(st.tuples(json_values(max_leaves=5), st.integers(0, 3), SPACES, SPACES), min_size=1, max_size=3),
        SECRETS,
        SPACES,
    )
    @example([('a]\\"', 0, "", ""), (1, 0, "", "")], "s", "")
    @example([({"x": "},["}, 1, " ", "\n")], "s", "\n")
    @example([([[1], {"a": []}], 2, "", " ")], "s", "")
    @example([(10**4500, 0, "", "")], "s", "")
    @example([(float("nan"), 0, "", ""), ({}, 0, "", "")], "s", "")
    @example([("🙂é", 1, "\t", "")], "s", "")
    def test_a_batch_is_signed_by_its_first_element_or_whole(
        self, items: list[tuple[Any, int, str, str]], secret: str, space: str
    ) -> None:
        texts = [
            "7" * 4500 if isinstance(value, int) and value > 10**4000 else self.written(value, style)
            for value, style, _, _ in items
        ]
        inner = ",".join(before + text + after for text, (_, _, before, after) in zip(texts, items, strict=True))
        body = f"{space}[{inner}]{space}".encode()
        signature = segment_signature(texts[0].encode(), secret)

        verify_segment_signature(body, signature, secret)
        verify_segment_signature(body, segment_signature(body, secret), secret)
        refused(verify_segment_signature, body, signature, secret + "x")

    @given(SPACES, SPACES)
    def test_an_empty_batch_is_signed_whole(self, before: str, within: str) -> None:
        body = f"{before}[{within}]".encode()

        verify_segment_signature(body, segment_signature(body, "s"), "s")
        for signed in {b"", within.encode(), b"[]"} - {body}:
            refused(verify_segment_signature, body, segment_signature(signed, "s"), "s")

    @given(st.lists(st.tuples(st.integers(0, 2), GARBAGE), min_size=1, max_size=3))
    @example([(1, "é")])
    @example([(1, "\ud800")])
    @example([(2, "")])
    def test_garbage_raises_our_error_and_nothing_else(self, changes: list[tuple[int, Any]]) -> None:
        arguments: list[Any] = [b"{}", segment_signature(b"{}", "s"), "s"]
        for at, value in changes:
            arguments[at] = value
        try:
            verify_segment_signature(*arguments)
        except SignatureError:
            return
        assert arguments == [b"{}", segment_signature(b"{}", "s"), "s"]

    @given(st.binary(max_size=12), st.sampled_from((b"", b"[", b"[{", b'["', b"[[", b"[1", b"[\xff", b"[nul")))
    def test_broken_bodies_raise_our_error_and_nothing_else(self, rest: bytes, start: bytes) -> None:
        refused(verify_segment_signature, start + rest, "0" * 40, "s")


CANARY = "canary-"


def with_canaries(value: Any, kept: frozenset[str], count: Iterator[int]) -> Any:
    """The same tree with every string but the given ones, and every number, exchanged for one seen nowhere else."""
    if is_object(value):
        return {key: with_canaries(item, kept, count) for key, item in value.items()}
    if is_array(value):
        return [with_canaries(item, kept, count) for item in value]
    if isinstance(value, str) and value not in kept:
        return f"{CANARY}{next(count)}" if value else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(f"7319{next(count)}7319") + (0.5 if isinstance(value, float) else 0)
    return value


def told(error: BaseException) -> str:
    """Everything that an error tells a log: its own text, that of its chain, its traceback."""
    texts = [str(error), repr(error), repr(error.args), "".join(traceback.format_exception(error))]
    chain = (error.__cause__, None if error.__suppress_context__ else error.__context__)
    texts += [told(linked) for linked in chain if linked is not None]
    if isinstance(error, StatsigSegmentError):
        texts += [str(error.code), str(error.path)]
    return "\n".join(texts)


class TestTR3MessagesHoldNoData:
    """
    No error message and no `repr` of an error holds a payload's values: codes, paths and types only.

    Corners: TR-3 holds for chained exceptions too (`raise … from None`). Keys may stand in a path.
    """

    KEPT = frozenset(("track", "page", "screen", "group", "identify", "audience", "journey_step", "statsig"))

    @staticmethod
    def check(text: str) -> None:
        assert CANARY not in text
        assert "7319" not in text

    @given(segment_calls(malformed=True), integration_configs())
    @example(
        {"type": "track", "event": "x", "context": {"ip": ["y"]}, "userId": {"a": "z"}, "timestamp": "t"},
        IntegrationConfig(),
    )
    def test_errors_and_issues_of_calls_hold_none(self, call: JsonObject, config: IntegrationConfig) -> None:
        payload = with_canaries(call, self.KEPT, iter(range(10**6)))

        (outcome,) = translate_many([payload], config)
        if isinstance(outcome, Rejected):
            self.check(told(outcome.error))
        for issue in getattr(outcome, "issues", ()):
            self.check(f"{issue.code} {issue.path} {issue.message} {issue!r}")
        for step in (parse_segment_event, translate):
            try:
                result = step(payload)
            except StatsigSegmentError as error:
                self.check(told(error))
            else:
                for issue in getattr(result, "issues", ()):
                    self.check(repr(issue))

    @given(statsig_events(malformed=True), st.sampled_from(("documented", "deliverable")))
    def test_errors_of_exports_hold_none(self, event: JsonObject, profile: str) -> None:
        payload = with_canaries(event, frozenset(("statsig::config_change",)), iter(range(10**6)))
        config = IntegrationConfig(outbound=OutboundConfig(profile=profile))

        for outcome in export_many([payload, json.dumps(payload), [payload]], config):
            if isinstance(outcome, Rejected):
                self.check(told(outcome.error))

    @given(segment_calls(), st.integers(0, 400))
    def test_errors_of_broken_text_hold_none(self, call: JsonObject, cut: int) -> None:
        text = json.dumps(with_canaries(call, self.KEPT, iter(range(10**6))))[:cut]

        for parse in (parse_segment_event, parse_statsig_event):
            for form in (
                text,
                text.encode(),
                text.encode() + b"\xff",
                '{"a": "canary-1", "a": canary-1',
                "7319" * 2000,
            ):
                try:
                    parse(form)
                except StatsigSegmentError as error:
                    self.check(told(error))

    @given(st.sampled_from((0, 1, 2, 3)))
    def test_errors_of_signatures_hold_none(self, spoiled: int) -> None:
        arguments: list[Any] = [b"canary-1", "7319", "v0=canary-2", "canary-3"]
        self.check(told(refused(verify_statsig_signature, *arguments)))
        arguments[spoiled] = ["canary-4"]
        self.check(told(refused(verify_statsig_signature, *arguments)))
        for body in (b"canary-1", b'["canary-1', b"[canary-1", b'["canary-1", 7319]'):
            self.check(told(refused(verify_segment_signature, body, "canary-2", "canary-3")))


def nested_text(depth: int, before: str, after: str, middle: str = "1") -> str:
    return before * depth + middle + after * depth


def nested(depth: int, make: Callable[[Any], Any]) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = make(value)
    return value


def dismantle(value: Any) -> None:
    """Take a deep tree apart from the top, for Python's own deallocation of it may be deep."""
    pending: list[Any] = [value]
    while pending:
        inner = pending.pop()
        if is_object(inner):
            pending += inner.values()
            inner.clear()
        elif is_array(inner):
            pending += inner
            inner.clear()


CONFIG = IntegrationConfig(
    inbound=InboundConfig(
        id_mappings=[
            IdMapping(field="anonymousId", id_type="segmentAnonymousId"),
            IdMapping(field="context.device.id", id_type="deviceID"),
        ],
        user_fields={"email": "traits.email", "ip": "context.ip"},
        default_environment="staging",
        id_types=["companyID"],
    )
)


def sent(payload: Any) -> Any:
    event = translate(payload, CONFIG)
    return to_log_event(event) if isinstance(event, StatsigEvent) else event


ENTRIES: dict[str, Callable[[Any], Any]] = {
    "parse_segment_event": parse_segment_event,
    "translate": sent,
    "to_statsig_event": lambda payload: to_event_webhook(to_statsig_event(parse_segment_event(payload))),
    "audience_update": lambda payload: audience_update(parse_segment_event(payload)),
    "translate_many": lambda payload: list(translate_many([payload, payload], CONFIG, seen=set[str]())),
    "explain": lambda payload: explain(payload, CONFIG),
    "split_segment_batch": lambda payload: list(split_segment_batch(payload)),
    "parse_statsig_event": parse_statsig_event,
    "split_statsig_export": lambda payload: list(split_statsig_export(payload)),
    "url_verification_code": url_verification_code,
    "export_many": lambda payload: list(export_many([payload])),
    "to_segment_batches": lambda payload: list(to_segment_batches([payload])),
    "load_config": load_config,
}


def withstand(payload: Any, *names: str) -> None:
    """Give a payload to every way in, or to those of the names; only our own errors may come out."""
    for name in names or ENTRIES:
        with contextlib.suppress(StatsigSegmentError):
            ENTRIES[name](payload)


@contextlib.contextmanager
def without_collector() -> Generator[None]:
    """Keep the garbage collector's passes, which grow with everything that is alive, out of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def in_object(inner: Any) -> Any:
    return {"a": inner}


def in_array(inner: Any) -> Any:
    return [inner]


SIZED: tuple[Callable[[int], Any], ...] = (
    lambda size: {
        "type": "track",
        "event": "a",
        "userId": "u",
        "properties": {"statsigCustomIDs": ["a", "b"] * size},
    },
    lambda size: {
        "type": "track",
        "event": "a",
        "userId": "u",
        "properties": {"statsigCustom": [1, None] * size},
    },
    lambda size: {
        "type": "track",
        "event": "a",
        "userId": "u",
        "properties": {"statsigCustom": ["a", dict[str, Any]()] * size},
    },
    lambda size: {"type": "track", "event": "a", "userId": "u", "properties": {"x": [[1.5] * 3] * size}},
    lambda size: {
        "type": "track",
        "event": "a",
        "userId": "u",
        "properties": {f"a.{at}": at for at in range(size)},
    },
    lambda size: {"batch": [{"type": "track"}] * size, "context": {"a": {"b": 1}}},
    lambda size: {"type": "track", "event": "a", "timestamp": "1" * size},
    lambda size: {"type": "track", "event": "{event}" * size, "userId": "u"},
    lambda size: {"eventName": "a", "userID": "u", "user": {"custom": {str(at): at for at in range(size)}}},
    lambda size: nested(size, in_object),
    lambda size: '{"a":' * size,
    lambda size: "{" + '"a": 1,' * size + '"type": "track", "event": "a", "userId": "u"}',
)
"""Calls and bodies that grow in one place."""


class TestTR4HostileInput:
    """
    Hostile input — nesting 100,000 deep, a 10 MB string, 1,000,000 keys, lone surrogates, duplicate keys, NaN, numbers
    of 10,000 digits — gives a result or a `StatsigSegmentError`, in time linear in its size; never `RecursionError`,
    never another exception.

    Corner: Python objects that contain themselves give a result or an error of ours as well, and never a hang.
    """

    PLACES = st.sampled_from(
        (
            *("userId", "anonymousId", "groupId", "event", "type", "name", "messageId", "timestamp"),
            *("context", "integrations", "properties", "traits", "batch", "data", "user", "metadata", "eventName"),
            *("inbound", "outbound", "value", "statsigMetadata", "timeUUID", "userID"),
        )
    )

    @given(hostile_values() | json_values())
    def test_any_python_object_is_withstood(self, payload: Any) -> None:
        withstand(payload)

    @given(
        st.sampled_from(("track", "page", "group", "identify")), st.dictionaries(PLACES, hostile_values(), max_size=3)
    )
    @example("track", {"properties": {b"key": float("nan")}})
    @example("track", {"properties": {"plan": 1, 0: "x", None: [1], ("a", 1): {2: 3}}})
    @example("group", {"traits": {0: {}}})
    @example("track", {"context": {0: {1: 2}}, "integrations": {0: False}, "metadata": {3: 4}, 5: 6})
    def test_any_python_object_in_any_place_is_withstood(self, kind: str, fields: JsonObject) -> None:
        withstand({"type": kind, "event": "a", "eventName": "statsig::config_change", "userId": "u1", **fields})

    @given(st.dictionaries(PLACES, hostile_values(), max_size=3))
    def test_any_mapping_is_withstood(self, fields: JsonObject) -> None:
        withstand(Lookup({"type": "track", "event": "a", "userId": "u1", "context": Lookup(fields), **fields}))

    @given(st.text() | st.binary() | st.text('{}[]",:truefalsn0123456789.eE+-\\u \ud800', max_size=30))
    @example("\ufeff{}")
    @example(b"\xef\xbb\xbf{}")
    @example('{"type": "track", "event": "\\ud800", "userId": "\\udfff"}')
    @example('{"a": 1e999, "type": "track", "event": "a", "userId": 1e400}')
    def test_any_text_is_withstood(self, text: str | bytes) -> None:
        withstand(text)

    @given(
        st.sampled_from(("userId", "event", "name", "properties", "traits", "messageId")),
        st.text("\ud800\udfffa", min_size=1),
    )
    def test_lone_surrogates_are_withstood(self, place: str, text: str) -> None:
        for kind in ("track", "page", "group", "identify"):
            call = {"type": kind, "event": "a", "userId": "u1", place: {text: [text, {text: text}]}}
            withstand(call)
            withstand({**call, place: text})
            withstand(json.dumps(call))

    DEEP = (
        pytest.param(in_object, '{"a":', "}", id="objects"),
        pytest.param(in_array, "[", "]", id="arrays"),
    )
    CALL = "parse_segment_event", "translate", "explain"
    BATCH = ("split_segment_batch",)
    EXPORT = "parse_statsig_event", "export_many", "to_segment_batches"
    BODY = "split_statsig_export", "url_verification_code"
    SPOTS: tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...] = (
        (CALL, lambda deep: {"type": "track", "event": "a", "userId": "u1", "properties": {"x": deep}}),
        (CALL, lambda deep: {"type": "track", "event": "a", "userId": "u1", "context": {"x": deep, "ip": deep}}),
        (CALL, lambda deep: {"type": "page", "userId": deep, "name": deep, "other": deep}),
        (CALL, lambda deep: {"type": "group", "userId": "u1", "traits": {"statsigCustom": ["x", deep]}}),
        (CALL, lambda deep: {"type": "group", "userId": "u1", "traits": {"statsigCustomIDs": deep}}),
        (BATCH, lambda deep: {"batch": [deep], "context": {"x": deep}}),
        (BATCH, lambda deep: {"batch": [{"type": "track", "context": {"x": deep}}], "context": {"x": deep}}),
        (EXPORT, lambda deep: {"eventName": "a", "userID": "u1", "user": {"x": deep}, "metadata": {"x": deep}}),
        (EXPORT, lambda deep: {"eventName": "statsig::config_change", "userID": "u1", "metadata": {"tags": deep}}),
        (BODY, lambda deep: {"data": deep}),
        (("load_config",), lambda deep: {"inbound": {"user_fields": deep, "id_types": deep}}),
        ((*CALL, *BATCH, *EXPORT, *BODY, "load_config"), lambda deep: deep),
    )

    @pytest.mark.parametrize("spot", range(len(SPOTS)))
    @pytest.mark.parametrize(("make", "before", "after"), DEEP)
    @pytest.mark.parametrize("levels", small_and_large(3_000, 100_000))
    def test_nesting_is_withstood(
        self, levels: int, spot: int, make: Callable[[Any], Any], before: str, after: str
    ) -> None:
        names, put = self.SPOTS[spot]
        text = json.dumps(put("@")).replace('"@"', nested_text(levels, before, after))
        deep = nested(levels, make)

        with without_collector():
            withstand(put(deep), *names)
            withstand(text, *names)
            withstand(text.encode(), *names)

        dismantle(deep)

    @pytest.mark.parametrize(("before", "after"), [('{"a":', "}"), ("[", "]")])
    def test_nesting_in_a_signed_body_is_withstood(self, before: str, after: str) -> None:
        body = nested_text(100_000, before, after)

        refused(verify_segment_signature, f"[{body}]".encode(), "0" * 40, "s")
        refused(verify_segment_signature, body.encode(), "0" * 40, "s")

    @pytest.mark.parametrize("size", small_and_large(100_000, 10_000_000))
    def test_long_text_is_withstood(self, size: int) -> None:
        huge = "x" * size
        for place in ("userId", "event", "timestamp", "name", "messageId", "other"):
            withstand(
                {"type": "track", "event": "a", "userId": "u1", place: huge},
                "parse_segment_event",
                "translate",
                "explain",
            )
        withstand(
            {
                "type": "page",
                "userId": "u1",
                "properties": {"value": huge, "x": [huge], "statsigCustomIDs": ["a", huge]},
            }
        )
        withstand({"eventName": huge, "userID": huge, "timestamp": huge, "timeUUID": huge})
        withstand("[" * size)
        withstand("1" * size)
        withstand(" " * (size // 10))

    @pytest.mark.parametrize("place", ["properties", "context", "integrations", "user", "metadata"])
    @pytest.mark.parametrize("count", small_and_large(10_000, 1_000_000))
    def test_many_keys_are_withstood(self, count: int, place: str) -> None:
        many = {str(number): number for number in range(count)}

        (outcome,) = translate_many([{"type": "track", "event": "a", "userId": "u1", place: many}], CONFIG)
        (exported,) = export_many([{"eventName": "a", "userID": "u1", place: many}])

        assert not isinstance(outcome, Rejected)
        assert not isinstance(exported, Rejected)

    @pytest.mark.parametrize("sign", [1, -1])
    def test_numbers_of_10_000_digits_are_withstood(self, sign: int) -> None:
        number = sign * 10**10_000
        for place in ("userId", "timestamp", "event", "messageId", "other"):
            withstand({"type": "track", "event": "a", place: number})
        for holder in ({"value": number}, {"x": [number]}, {"statsigCustom": ["a", number, "b", [number]]}):
            withstand({"type": "track", "event": "a", "userId": "u1", "properties": holder})
        withstand({"type": "track", "event": "a", "properties": {"statsigCustomIDs": ["a", number]}})
        withstand({"eventName": "a", "userID": number, "timestamp": number, "value": number, "metadata": {"x": number}})
        digits = "7" * 10_000
        withstand(f'{{"type": "track", "event": "a", "userId": {digits}, "timestamp": "{digits}"}}')
        withstand(f'{{"eventName": "a", "userID": "u", "timestamp": "{digits}", "value": 1e{digits}}}')

    def test_what_contains_itself_is_withstood(self) -> None:
        loop: JsonObject = {"type": "track", "event": "a", "userId": "u1", "eventName": "a"}
        ring: list[Any] = []
        ring.append(ring)
        loop |= {"properties": loop, "context": loop, "user": loop, "metadata": loop, "data": loop, "traits": ring}
        withstand(loop)
        withstand({**loop, "batch": [loop], "inbound": loop, "outbound": loop})
        withstand({"batch": [loop, {"context": loop}], "context": loop})
        withstand(ring)
        withstand({"data": ring})
        withstand(Lookup(loop))

    @staticmethod
    def seconds(payload: Any) -> float:
        best = float("inf")
        with without_collector():
            for _ in range(3):
                start = time.process_time()
                withstand(payload)
                best = min(best, time.process_time() - start)
        return best

    @pytest.mark.parametrize("make", SIZED)
    @pytest.mark.parametrize("size", small_and_large(50, 500))
    def test_time_is_linear_in_size(self, size: int, make: Callable[[int], Any]) -> None:
        small, large = make(size), make(16 * size)

        ratio = self.seconds(large) / self.seconds(small)

        assert ratio < 16 * 6  # quadratic time would be 256 times as long
        dismantle(large)
