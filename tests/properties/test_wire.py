"""Properties of Statsig's wire forms (WI-1 to WI-3): one class for each rule, the rule quoted."""

from __future__ import annotations

import importlib.metadata
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.values import JsonObject, is_array, is_object, thawed

from statsig_segment import (
    Skipped,
    StatsigEvent,
    StatsigUser,
    __version__,
    parse_segment_event,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    to_statsig_event,
)
from statsig_segment.testing import segment_calls

# Wire name -> attribute, once more and from the rule's text alone.
USER_KEYS = {
    "userID": "user_id",
    "customIDs": "custom_ids",
    "email": "email",
    "ip": "ip",
    "userAgent": "user_agent",
    "country": "country",
    "locale": "locale",
    "appVersion": "app_version",
    "custom": "custom",
    "statsigEnvironment": "environment",
}
TEXTS = st.text(min_size=1, max_size=5)
IDS = st.dictionaries(TEXTS, TEXTS, max_size=2)
CUSTOM = st.dictionaries(
    TEXTS, st.one_of(TEXTS, st.booleans(), st.integers(), st.floats(-9, 9), st.lists(TEXTS, max_size=2)), max_size=2
)


def made_of(fields: JsonObject) -> StatsigUser:
    return StatsigUser(**fields)


USERS = st.builds(
    made_of,
    st.fixed_dictionaries(
        {},
        optional={
            attribute: {"custom_ids": IDS, "custom": CUSTOM}.get(attribute, TEXTS) for attribute in USER_KEYS.values()
        },
    ),
)
EVENTS = st.builds(
    StatsigEvent,
    event_name=TEXTS,
    user=USERS,
    time_ms=st.none() | st.integers(0, 253_402_300_799_999),
    value=st.none() | TEXTS | st.just("") | st.integers() | st.floats(-9, 9),
    metadata=st.dictionaries(TEXTS, TEXTS, max_size=2),
)


def user_of(user: StatsigUser) -> JsonObject:
    """The oracle of a user on the wire: only what is known."""
    known: JsonObject = {}
    for key, attribute in USER_KEYS.items():
        value = getattr(user, attribute)
        if value is None or value == {}:
            continue
        if attribute == "environment":
            value = {"tier": value}
        elif attribute == "custom":
            value = {name: thawed(item) for name, item in user.custom.items()}
        known[key] = value
    return known


def strict_json(value: Any) -> Any:
    """Through the standard encoder, which takes exact dicts, lists and atoms only; and no NaN."""
    return json.loads(json.dumps(value, allow_nan=False))


def containers(value: Any) -> list[Any]:
    """Every dict and list of a tree."""
    if is_object(value):
        return [value, *(inner for item in value.values() for inner in containers(item))]
    if is_array(value):
        return [value, *(inner for item in value for inner in containers(item))]
    return []


def no_nulls(value: Any) -> bool:
    if is_object(value):
        return all(no_nulls(item) for item in value.values())
    if is_array(value):
        return all(no_nulls(item) for item in value)
    return value is not None


class TestWI1LogEvent:
    """
    `to_log_event(event)`: `{eventName, user, time, value, metadata}`, time in integer milliseconds; user keys `userID,
    customIDs, email, ip, userAgent, country, locale, appVersion, custom, statsigEnvironment`. Absent things have no
    key; `user` has only what is known; `metadata` is always there. [doc]
    """

    @given(EVENTS)
    @example(StatsigEvent(event_name="a"))
    @example(StatsigEvent(event_name="a", value="", time_ms=0, metadata={"x": ""}))
    @example(StatsigEvent(event_name="a", value=0, user=StatsigUser(custom={"tags": [], "vip": False, "n": 0})))
    def test_it_holds_what_the_event_holds_and_nothing_else(self, event: StatsigEvent) -> None:
        expected: JsonObject = {"eventName": event.event_name, "user": user_of(event.user)}
        if event.time_ms is not None:
            expected["time"] = event.time_ms
        if event.value is not None:
            expected["value"] = event.value
        expected["metadata"] = dict(event.metadata)

        assert to_log_event(event) == expected

    @given(segment_calls(types=("track", "page", "screen", "group"), malformed=True))
    def test_it_is_plain_json_without_nulls(self, call: JsonObject) -> None:
        try:
            event = to_statsig_event(parse_segment_event(call))
        except ValueError:
            return
        sent: Any = to_log_event(event)

        assert strict_json(sent) == sent
        assert no_nulls(sent)
        assert {type(inner) for inner in containers(sent)} <= {dict, list}
        assert "time" not in sent or type(sent["time"]) is int

    @given(EVENTS)
    def test_each_result_is_fresh(self, event: StatsigEvent) -> None:
        first: Any = to_log_event(event)
        second: Any = to_log_event(event)
        before = json.dumps(second)

        assert not {id(inner) for inner in containers(first)} & {id(inner) for inner in containers(second)}
        for inner in containers(first):
            inner.clear()
        assert json.dumps(second) == json.dumps(to_log_event(event)) == before


class TestWI2LogEventRequest:
    """
    `to_log_event_request(events)`: `{"events": […], "statsigMetadata": {"sdkType": "statsig-segment", "sdkVersion":
    <package version>}}`, for `POST /v1/log_event` (headers `statsig-api-key`, `STATSIG-CLIENT-TIME`, which the caller
    sets). [doc]

    Corner: it takes what `log_events` yields as well as a `StatsigEvent`.
    """

    @given(st.lists(EVENTS, max_size=3))
    def test_log_events_are_taken_too_and_copied(self, events: list[StatsigEvent]) -> None:
        logged = [to_log_event(event) for event in events]

        request: Any = to_log_event_request(logged)

        assert request == to_log_event_request(events)
        for inner in containers(request):
            inner.clear()
        assert logged == [to_log_event(event) for event in events]

    @pytest.mark.parametrize("odd", [{}, {"event": "e"}, Skipped(reason="filtered"), None])
    def test_anything_else_is_refused(self, odd: Any) -> None:
        with pytest.raises(TypeError, match="to_log_event_request takes a StatsigEvent"):
            to_log_event_request([odd])

    @given(st.lists(EVENTS, max_size=4))
    def test_it_holds_the_events_in_order(self, events: list[StatsigEvent]) -> None:
        request = to_log_event_request(iter(events))

        assert request == {
            "events": [to_log_event(event) for event in events],
            "statsigMetadata": {"sdkType": "statsig-segment", "sdkVersion": __version__},
        }
        assert list(request) == ["events", "statsigMetadata"]

    def test_the_version_is_that_of_the_package(self) -> None:
        try:
            installed = importlib.metadata.version("statsig-segment")
        except importlib.metadata.PackageNotFoundError:
            pytest.skip("the package is not installed: its sources alone are on the path")
        assert __version__ == installed

    @given(st.lists(EVENTS, min_size=1, max_size=2))
    def test_each_request_is_fresh(self, events: list[StatsigEvent]) -> None:
        first: Any = to_log_event_request(events)
        second: Any = to_log_event_request(events)
        before = json.dumps(second)

        for inner in containers(first):
            inner.clear()

        assert json.dumps(second) == json.dumps(to_log_event_request(events)) == before


class TestWI3EventWebhook:
    """
    `to_event_webhook(event)`: `{user, event, value, metadata, timestamp}` for `POST /v1/webhooks/event_webhook`. [doc]

    Corner: it takes what `log_events` yields as well as a `StatsigEvent`.
    """

    @given(EVENTS)
    def test_a_log_event_is_taken_too(self, event: StatsigEvent) -> None:
        webhook = to_event_webhook(to_log_event(event))

        assert json.dumps(webhook) == json.dumps(to_event_webhook(event))

    @given(EVENTS)
    def test_it_says_what_the_log_event_says(self, event: StatsigEvent) -> None:
        names = {"eventName": "event", "time": "timestamp"}

        log_event: Any = to_log_event(event)

        assert to_event_webhook(event) == {names.get(key, key): value for key, value in log_event.items()}

    @given(EVENTS)
    def test_each_result_is_fresh(self, event: StatsigEvent) -> None:
        first: Any = to_event_webhook(event)
        second: Any = to_event_webhook(event)
        before = json.dumps(second)

        for inner in containers(first):
            inner.clear()

        assert json.dumps(second) == json.dumps(to_event_webhook(event)) == before
