"""Properties of what calls and events arrive in: EventBridge (IN-8) and bodies of log_event (OU-2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.values import JsonObject, canonical, is_object

from statsig_segment import (
    IntegrationConfig,
    OutboundConfig,
    SegmentEventError,
    Skipped,
    export_many,
    parse_segment_event,
    split_segment_batch,
    split_statsig_export,
    translate,
    url_verification_code,
)
from statsig_segment.testing import (
    event_bridge_envelopes,
    json_values,
    log_event_bodies,
    segment_batches,
    segment_calls,
    statsig_events,
)


def split(body: Any) -> Any:
    """The items of a body, or the code of the error."""
    try:
        return list(split_segment_batch(body))
    except SegmentEventError as error:
        return error.code


class TestIN8EventBridge:
    """
    An object with a string `detail-type` and an object `detail` is what Amazon EventBridge carries: its `detail` is the
    body [doc: Segment's EventBridge destination]. An envelope given to `parse_segment_event` or `translate` stays
    `missing_type`, and the message says that `split_segment_batch` takes it apart.

    Corners: an item's own `context` or `integrations` of `[]` counts as `{}`: the envelope's come in. `detail` may be a
    call or a batch envelope; an object with a `type` is one call whatever else it has; items of an array or batch are
    not unwrapped. The message of `missing_type` names `split_segment_batch` for EventBridge events too.
    """

    @given(segment_batches(malformed=True), st.text(max_size=8))
    def test_the_detail_is_the_body(self, body: Any, detail_type: str) -> None:
        if not is_object(body) or ("type" not in body and "detail-type" in body):
            return  # an envelope in an envelope is not what EventBridge carries
        envelope = {"detail-type": detail_type, "detail": body}

        assert repr(split(envelope)) == repr(split(body))
        assert repr(split(json.dumps(envelope))) == repr(split(json.dumps(body)))

    @given(event_bridge_envelopes())
    def test_what_else_the_envelope_holds_does_not_matter(self, envelope: JsonObject) -> None:
        assert split(envelope) == [envelope["detail"]]

    @given(
        json_values(max_leaves=2).filter(lambda value: not isinstance(value, str)),
        json_values(max_leaves=2).filter(lambda value: not is_object(value)),
        st.booleans(),
    )
    def test_anything_else_is_one_event(self, detail_type: Any, detail: Any, wrong_type: bool) -> None:
        body: JsonObject = {"detail-type": "track", "detail": detail}
        if wrong_type:
            body = {"detail-type": detail_type, "detail": {}}

        assert split(body) == [body]

    @given(segment_calls(), event_bridge_envelopes())
    def test_an_object_with_a_type_is_one_call(self, call: JsonObject, envelope: JsonObject) -> None:
        whole = {**envelope, **call}

        assert split(whole) == [whole]

    @given(st.lists(event_bridge_envelopes(), max_size=2), st.booleans())
    def test_items_are_not_unwrapped(self, envelopes: list[JsonObject], batch: bool) -> None:
        assert split({"batch": envelopes} if batch else envelopes) == envelopes

    @given(st.lists(segment_calls(), max_size=2), event_bridge_envelopes())
    def test_as_a_call_an_envelope_has_no_type(self, calls: list[JsonObject], envelope: JsonObject) -> None:
        for body in ({"batch": calls}, envelope, json.dumps({"batch": calls}), json.dumps(envelope)):
            for read in (parse_segment_event, translate):
                with pytest.raises(SegmentEventError) as caught:
                    read(body)
                assert caught.value.code == "missing_type"
                assert "split_segment_batch" in str(caught.value)

    @given(segment_calls())
    def test_only_an_envelope_is_sent_to_the_splitter(self, call: JsonObject) -> None:
        del call["type"]

        with pytest.raises(SegmentEventError) as caught:
            parse_segment_event(call)

        assert "split_segment_batch" not in str(caught.value)

    @given(
        st.dictionaries(st.sampled_from("ab"), json_values(max_leaves=2), min_size=1),
        st.sampled_from(("context", "integrations")),
    )
    def test_an_empty_array_of_an_item_counts_as_an_empty_object(self, held: JsonObject, field: str) -> None:
        (item,) = split_segment_batch({"batch": [{"type": "track", field: []}], field: held})

        assert item == {"type": "track", field: held}


class TestOU2LogEventBodies:
    """
    `{"events": […], "user", "statsigMetadata"}`, the body of `log_event`, yields its events, with the body's `user` and
    `statsigMetadata` where an event has none.

    Corners: null counts as none; a body's `user` or `statsigMetadata` that is not an object is ignored; `events` that
    is not an array makes no body of it.
    """

    @staticmethod
    def expected(body: JsonObject, event: Any) -> Any:
        if not is_object(event):
            return event
        shared = {key: body[key] for key in ("user", "statsigMetadata") if is_object(body.get(key))}
        return {**event, **{key: value for key, value in shared.items() if event.get(key) is None}}

    @given(log_event_bodies())
    @example({"events": [{"eventName": "a", "user": None}], "user": {"userID": "u1"}, "statsigMetadata": None})
    @example({"events": [7, None, [], {}], "user": {"userID": "u1"}})
    @example({"events": [{"eventName": "a", "user": {}}], "user": {"userID": "u1"}})
    @example({"events": [{"eventName": "a"}], "user": "u1", "statsigMetadata": []})
    def test_events_have_what_the_body_says_where_they_say_nothing(self, body: JsonObject) -> None:
        expected = [self.expected(body, event) for event in body["events"]]

        for form in (body, json.dumps(body), json.dumps(body).encode()):
            assert list(split_statsig_export(form)) == expected
            assert url_verification_code(form) is None

    @given(log_event_bodies(), st.sampled_from(("user", "statsigMetadata")), json_values(max_leaves=2))
    def test_only_an_object_of_the_body_is_shared(self, body: JsonObject, key: str, value: Any) -> None:
        body = {**body, key: value}

        assert list(split_statsig_export(body)) == [self.expected(body, event) for event in body["events"]]

    @given(json_values(max_leaves=3).filter(lambda value: not isinstance(value, list)))
    def test_without_an_array_it_is_one_event(self, events: Any) -> None:
        body = {"events": events, "user": {"userID": "u1"}}

        assert list(split_statsig_export(body)) == [body]

    @given(statsig_events(changes=False), json_values(max_leaves=3))
    def test_an_event_with_a_name_is_one_event(self, event: JsonObject, events: Any) -> None:
        whole = {**event, "events": events}

        assert list(split_statsig_export(whole)) == [whole]

    @given(log_event_bodies())
    def test_it_is_exported_as_its_events_are(self, body: JsonObject) -> None:
        config = IntegrationConfig(outbound=OutboundConfig(profile="deliverable"))
        whole = [self.expected(body, event) for event in body["events"]]

        def exported(payloads: Any) -> list[str]:
            return [
                outcome.reason if isinstance(outcome, Skipped) else repr(getattr(outcome, "error", outcome))
                for outcome in export_many(payloads, config)
            ]

        assert exported(split_statsig_export(body)) == exported(whole)

    @given(log_event_bodies())
    def test_events_share_nothing(self, body: JsonObject) -> None:
        before = canonical(body)
        items: list[Any] = list(split_statsig_export(body))
        written = [canonical(item) for item in items]

        for at, item in enumerate(items):
            for inner in item.values():
                if is_object(inner):
                    inner.clear()
            item.clear()
            assert [canonical(other) for other in items[at + 1 :]] == written[at + 1 :]

        assert canonical(body) == before
