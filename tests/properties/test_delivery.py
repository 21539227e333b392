"""Properties of message IDs carried on (IN-9), of `log_events`, and of what carries a payload (TR-3)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_object

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    export_many,
    log_events,
    parse_segment_event,
    to_log_event,
    translate,
    translate_many,
)
from statsig_segment.testing import integration_configs, json_values, segment_calls, statsig_events


def kind_of(outcome: Any) -> Any:
    """An outcome as a value that compares: the wire, the membership, the reason, the error."""
    match outcome:
        case StatsigEvent():
            return json.dumps(to_log_event(outcome))
        case AudienceUpdate():
            return repr(outcome)
        case Skipped():
            return outcome.reason, outcome.position, id(outcome.payload)
        case Rejected():
            return repr(outcome.error), outcome.position, id(outcome.payload)
        case _:
            return json.dumps(outcome)


PAYLOADS = st.lists(st.one_of(segment_calls(malformed=True), json_values(max_leaves=3), hostile_values()), max_size=5)


class TestIN9MessageIdsCarriedOn:
    """
    `StatsigEvent.message_id` and `AudienceUpdate.message_id` carry the `messageId` on (never to the wire), so that a
    service can store an outcome and remember its id in one step.
    """

    @given(segment_calls(malformed=True), integration_configs())
    def test_an_outcome_has_the_message_id_of_its_call(self, call: JsonObject, config: IntegrationConfig) -> None:
        (outcome,) = translate_many([call], config)

        if isinstance(outcome, StatsigEvent | AudienceUpdate):
            assert outcome.message_id == parse_segment_event(call).message_id

    @given(segment_calls(types=("track", "page", "screen", "group")))
    def test_it_never_reaches_the_wire(self, call: JsonObject) -> None:
        call = {**call, "userId": "u1", "context": {}, "integrations": {}}
        first, second = (translate({**call, "messageId": name}) for name in ("canary-1", "canary-2"))

        assert isinstance(first, StatsigEvent)
        assert isinstance(second, StatsigEvent)
        assert to_log_event(first) == to_log_event(second)
        assert first != second

    def test_without_one_there_is_none(self) -> None:
        event = translate({"type": "track", "event": "a", "userId": "u1", "messageId": ""})

        assert isinstance(event, StatsigEvent)
        assert event.message_id is None
        assert StatsigEvent(event_name="a").message_id is None


class TestLogEvents:
    """
    `log_events(payloads, config)` = `translate_many`, lazily, up to the wire: where `translate_many` yields a
    `StatsigEvent` it yields its log event, a plain dict.

    Pinned: `log_events(payloads, config=IntegrationConfig(), *, seen=None)`.
    """

    @given(PAYLOADS, integration_configs(), st.booleans())
    def test_it_is_translate_many_up_to_the_wire(
        self, payloads: list[Any], config: IntegrationConfig, remembered: bool
    ) -> None:
        first, second = (set[str](), set[str]()) if remembered else (None, None)

        expected = list(translate_many(payloads, config, seen=first))
        found = list(log_events(payloads, config, seen=second))

        assert list(map(kind_of, found)) == list(map(kind_of, expected))
        assert first == second
        for model, sent in zip(expected, found, strict=True):
            assert (type(sent) is dict) == isinstance(model, StatsigEvent)

    @given(st.lists(segment_calls(), max_size=4))
    def test_the_default_configuration_is_the_same(self, calls: list[JsonObject]) -> None:
        assert list(map(kind_of, log_events(calls))) == list(map(kind_of, translate_many(calls)))

    def test_it_answers_as_it_is_asked(self) -> None:
        pulled: list[int] = []

        def payloads() -> Iterator[JsonObject]:
            for number in range(3):
                pulled.append(number)
                yield {"type": "track", "event": "a", "userId": f"u{number}"}

        found = log_events(payloads())

        assert pulled == []
        assert next(found) == {"eventName": "segment::a", "user": {"userID": "u0"}, "metadata": {}}
        assert pulled == [0]

    @given(segment_calls(types=("track",)))
    def test_each_log_event_is_fresh(self, call: JsonObject) -> None:
        call = {**call, "userId": "u1", "context": {}, "integrations": {}}
        first: Any
        second: Any
        (first, second) = log_events([call, call])
        written, before = json.dumps(second), json.dumps(call)

        for inner in first.values():
            if is_object(inner):
                inner.clear()
        first.clear()

        assert (json.dumps(second), json.dumps(call)) == (written, before)


class TestTR3ReprsOfWhatCarriesAPayload:
    """The `repr` of `Skipped` and `Rejected` holds none of a payload's values either: it leaves `payload` out."""

    @given(
        st.lists(segment_calls(malformed=True) | statsig_events(malformed=True) | hostile_values(), max_size=3),
        integration_configs(),
    )
    def test_it_leaves_the_payload_out(self, payloads: list[Any], config: IntegrationConfig) -> None:
        marked = [{**payload, "canary": "canary-1234"} if is_object(payload) else payload for payload in payloads]

        for outcome in (*translate_many(marked, config), *export_many(marked, config)):
            if isinstance(outcome, Skipped | Rejected):
                assert "canary" not in repr(outcome)
                assert "payload" not in repr(outcome)
