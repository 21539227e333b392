"""What a function refuses with a `TypeError` or as one rejected payload, and what the tables refuse to answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.support.lookalikes import Text

from statsig_segment import (
    ConfigChange,
    InboundConfig,
    IntegrationConfig,
    Rejected,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    explain,
    export,
    export_many,
    fold_audience_updates,
    log_events,
    split_segment_batch,
    to_event_webhook,
    to_log_event,
    to_outbound_track,
    to_segment_batches,
    translate,
    translate_many,
)
from statsig_segment.configuration.models import derived_of
from statsig_segment.inbound.fast_lane import log_event
from statsig_segment.insight.comparison import compare
from statsig_segment.insight.join import join
from statsig_segment.insight.preview import preview
from statsig_segment.rulebook import limit

CALL: Final[dict[str, Any]] = {"type": "track", "event": "Signed Up", "userId": "u1", "messageId": "m1"}
MANY: Final[dict[str, Callable[[Any], object]]] = {
    "translate_many": translate_many,
    "log_events": log_events,
    "preview": preview,
    "compare": lambda calls: compare(calls, []),
}


class TestASingleCall:
    @pytest.mark.parametrize("name", MANY)
    @pytest.mark.parametrize("call", [CALL, '{"type": "track"}', b"{}"], ids=["mapping", "text", "bytes"])
    def test_it_is_refused_at_once_where_many_are_expected(self, name: str, call: Any) -> None:
        with pytest.raises(TypeError, match=rf"^{name} takes an iterable of calls, not a single \w+; put it in a list"):
            MANY[name](call)


CONFIGURED: Final[dict[str, Callable[[Any], object]]] = {
    "translate": lambda config: translate(CALL, config),
    "translate_many": lambda config: translate_many([CALL], config),
    "log_events": lambda config: log_events([CALL], config),
    "explain": lambda config: explain(CALL, config),
    "export": lambda config: export({"eventName": "a", "userID": "u1"}, config),
    "export_many": lambda config: list(export_many([], config)),
    "compare": lambda config: compare([], [], config),
    "join": lambda config: join([], [], config),
    "preview": lambda config: preview([], config),
}


class TestAnotherConfiguration:
    @pytest.mark.parametrize("name", CONFIGURED)
    @pytest.mark.parametrize("config", [{}, InboundConfig(), None], ids=["table", "one direction", "none"])
    def test_it_is_refused_at_once_with_the_way_to_make_the_right_one(self, name: str, config: Any) -> None:
        expected = rf"^{name} takes an IntegrationConfig, not {type(config).__name__}; load_config makes one"
        with pytest.raises(TypeError, match=expected):
            CONFIGURED[name](config)

    def test_a_subclass_is_taken(self) -> None:
        class Own(IntegrationConfig):
            pass

        assert isinstance(translate(CALL, Own()), StatsigEvent)


class TestAnythingButAPreview:
    def test_it_is_not_merged(self) -> None:
        other: Any = None

        with pytest.raises(TypeError, match=r"^merge takes previews, not NoneType"):
            preview([]).merge(other)


class TestAnythingButAnUpdate:
    @pytest.mark.parametrize("update", [5, None, {}])
    def test_it_is_not_folded(self, update: Any) -> None:
        with pytest.raises(
            TypeError, match=rf"^fold_audience_updates takes AudienceUpdates, not {type(update).__name__}"
        ):
            fold_audience_updates([update])


class TestBrokenText:
    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ('{"a": 1,,}', "(at line 1, column 9)"),
            (b'{\n "b": oops', "(at line 2, column 7)"),
            ("", "(at line 1, column 1)"),
        ],
    )
    def test_the_message_says_where_python_stopped_reading(self, text: str | bytes, place: str) -> None:
        with pytest.raises(SegmentEventError) as caught:
            translate(text)

        assert (caught.value.code, caught.value.path) == ("invalid_json", None)
        assert str(caught.value) == f"not valid JSON {place}"


class TestAnythingButAnEvent:
    @pytest.mark.parametrize("write", [to_log_event, to_event_webhook])
    def test_an_outcome_of_another_kind_is_not_written_for_statsig(self, write: Callable[[Any], object]) -> None:
        with pytest.raises(TypeError, match=rf"^{write.__name__} takes a StatsigEvent, not Skipped"):
            write(Skipped(reason="filtered"))

    def test_a_config_change_is_not_written_as_a_track_call(self) -> None:
        change: Any = ConfigChange(user_id="u1")

        with pytest.raises(TypeError, match=r"^to_outbound_track takes a StatsigEvent or ExportedEvent, not ConfigCh"):
            to_outbound_track(change)


class TestBatches:
    def test_an_envelope_with_too_much_to_share_is_refused(self) -> None:
        envelope: dict[str, Any] = {"context": {"text": "x" * 600_000}, "batch": [{}]}

        with pytest.raises(SegmentEventError) as refused:
            list(split_segment_batch(envelope))

        assert (refused.value.code, refused.value.path) == ("envelope_too_large", "$")

    def test_a_track_call_that_cannot_be_printed_is_rejected_alone(self) -> None:
        odd: Any = {"event": "Odd", "properties": {"total": 10**5_000}}

        batch, rejected = sorted(to_segment_batches([{"event": "a"}, odd]), key=lambda each: isinstance(each, Rejected))

        assert batch == {"batch": [{"type": "track", "event": "a"}]}
        assert isinstance(rejected, Rejected)
        assert (rejected.error.code, rejected.position) == ("number_too_long", 1)


def test_a_repeated_message_is_skipped_by_log_events_too() -> None:
    """IN-9"""
    sent, repeated = log_events([CALL, CALL], seen=set[str]())

    assert sent == {"eventName": "segment::Signed Up", "user": {"userID": "u1"}, "metadata": {}}
    assert repeated == Skipped(reason="duplicate_message", position=1, payload=CALL)


@pytest.mark.parametrize("name", [7, Text("id")], ids=["number", "type of its own"])
def test_the_fast_lane_leaves_names_that_are_not_exact_strings_to_the_reference(name: Any) -> None:
    plan = derived_of(InboundConfig(nested="flatten")).plan

    assert log_event(CALL | {"properties": {"cart": {"id": 1}}}, plan) is not None
    assert log_event(CALL | {"properties": {"cart": {name: 1}}}, plan) is None


def test_a_code_without_a_limit_has_none_to_give() -> None:
    with pytest.raises(LookupError, match="missing_event"):
        limit("missing_event")
