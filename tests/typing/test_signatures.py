"""What type checkers see: `assert_type` for every public function, and outcomes that can be matched exhaustively.

mypy and pyright check this file as it stands; pytest runs it, so that what it says of types is said of values too.
"""

from collections.abc import Iterator
from typing import assert_never, assert_type

from statsig_segment import (
    AudienceFold,
    AudienceUpdate,
    ConfigChange,
    EventNaming,
    EventWebhook,
    Explanation,
    ExportedEvent,
    Group,
    Identify,
    IdListPatch,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    LogEvent,
    LogEventRequest,
    OutboundFilter,
    OutboundTrack,
    Page,
    Rejected,
    Screen,
    SegmentBatch,
    SegmentEvent,
    Skipped,
    StatsigEvent,
    StatsigUser,
    Track,
    apply_filters,
    apply_id_mappings,
    audience_update,
    config_change_event,
    explain,
    export,
    export_many,
    fold_audience_updates,
    load_config,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    to_outbound_track,
    to_segment_batches,
    to_statsig_event,
    translate,
    translate_many,
    url_verification_code,
)

CALL = '{"type": "track", "event": "Signed Up", "userId": "u1"}'
EXPORT = '{"eventName": "checkout", "userID": "u1"}'
USER = StatsigUser(user_id="u1")
EVENT = StatsigEvent(event_name="checkout", user=USER)
CHANGE = ConfigChange(user_id="u1")
TRACK = Track(event="Signed Up", user_id="u1")


def test_inbound_steps() -> None:
    assert_type(parse_segment_event(CALL), Track | Page | Screen | Group | Identify)
    assert_type(apply_id_mappings(TRACK, [IdMapping(field="anonymousId", id_type="device")]), Track)
    assert_type(to_statsig_event(TRACK), StatsigEvent)
    assert_type(to_statsig_event(TRACK, InboundConfig()), StatsigEvent)
    assert_type(audience_update(TRACK), AudienceUpdate | None)
    fold = assert_type(fold_audience_updates([]), AudienceFold)
    assert_type(fold.patches, tuple[IdListPatch, ...])
    assert_type(IdListPatch(id_list="vip").split(2), Iterator[IdListPatch])
    assert_type(to_log_event(EVENT), LogEvent)
    assert_type(to_log_event_request([EVENT]), LogEventRequest)
    assert_type(to_event_webhook(EVENT), EventWebhook)


def test_the_whole_way() -> None:
    assert_type(translate(CALL), StatsigEvent | AudienceUpdate | Skipped)
    assert_type(translate_many([CALL], seen=set[str]()), Iterator[StatsigEvent | AudienceUpdate | Skipped | Rejected])
    assert_type(explain(CALL), Explanation[StatsigEvent | AudienceUpdate | Skipped | Rejected])
    assert_type(export(EXPORT), OutboundTrack | Skipped)
    assert_type(export_many([EXPORT]), Iterator[OutboundTrack | Skipped | Rejected])
    assert_type(to_segment_batches([{"event": "a"}]), Iterator[SegmentBatch | Rejected])
    assert_type(load_config(""), IntegrationConfig)


def test_outbound_steps() -> None:
    assert_type(parse_statsig_event(EXPORT), ExportedEvent | ConfigChange)
    assert_type(to_outbound_track(EVENT), OutboundTrack)
    assert_type(config_change_event(CHANGE), OutboundTrack)
    assert_type(url_verification_code("{}"), str | None)
    assert list(split_segment_batch("[]")) == list(split_statsig_export("[]")) == []


def test_a_filter_gives_back_the_very_type_it_was_given() -> None:
    assert_type(apply_filters(TRACK, InboundFilter()), Track | None)
    assert_type(apply_filters(TRACK, InboundFilter(), naming=EventNaming.segment_2021()), Track | None)
    assert_type(apply_filters(EVENT, OutboundFilter()), StatsigEvent | None)
    assert_type(apply_filters(CHANGE, OutboundFilter()), ConfigChange | None)


def outcome_name(outcome: StatsigEvent | AudienceUpdate | Skipped | Rejected) -> str:
    match outcome:
        case StatsigEvent(event_name=name):
            return assert_type(name, str)
        case AudienceUpdate(id_list=id_list):
            return assert_type(id_list, str)
        case Skipped(reason=reason):
            return assert_type(reason, str)
        case Rejected(error=error):
            return assert_type(error.code, str)
        case _:
            assert_never(outcome)


def call_name(call: SegmentEvent) -> str | None:
    match call:
        case Track(event=event):
            return assert_type(event, str)
        case Page(name=name) | Screen(name=name):
            return assert_type(name, str | None)
        case Group(group_id=group_id):
            return assert_type(group_id, str | None)
        case Identify():
            return None
        case _:
            assert_never(call)


def test_outcomes_can_be_matched_exhaustively() -> None:
    payloads = [CALL, '{"type": "identify"}', "{", '{"type": "video"}']

    assert [outcome_name(outcome) for outcome in translate_many(payloads)] == [
        "segment::Signed Up",
        "identify_without_audience",
        "invalid_json",
        "unsupported_type",
    ]


def test_calls_can_be_matched_exhaustively() -> None:
    calls: list[SegmentEvent] = [TRACK, Page(name="Home"), Screen(name="Start"), Group(group_id="g1"), Identify()]

    assert [call_name(call) for call in calls] == ["Signed Up", "Home", "Start", "g1", None]
