"""Use in tests: the mapping of a project, checked before any event is sent.

This is a test file as a project that embeds the library would write it. It needs no server, no key and no clock. The
last tests draw their calls with the strategies of `statsig_segment.testing` (extra `testing`).

Run it:  python -m pytest examples/test_my_mapping.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

from statsig_segment import (
    AudienceUpdate,
    Rejected,
    Skipped,
    StatsigEvent,
    TranslationError,
    explain,
    export_many,
    load_config,
    to_log_event,
    translate,
    translate_many,
)
from statsig_segment.testing import segment_calls, statsig_events

CONFIG = load_config((Path(__file__).parent / "integration.toml").read_text(encoding="utf-8"))


def track(event: str, **fields: object) -> dict[str, object]:
    """One track call of our web client, with what it always sends."""
    return {
        "type": "track",
        "event": event,
        "userId": None,
        "anonymousId": "anon-1",
        "timestamp": "2026-11-03T09:00:00.000Z",
        "context": {"library": {"name": "analytics.js", "version": "next-1.81.0"}},
        "properties": {},
        **fields,
    }


def translated(payload: dict[str, object]) -> StatsigEvent:
    """Translate a call that must come out as an event."""
    event = translate(payload, CONFIG)
    assert isinstance(event, StatsigEvent)
    return event


def test_an_anonymous_visitor_is_counted_under_the_segment_anonymous_id() -> None:
    user = translated(track("Signed Up")).user

    assert user.user_id is None
    assert user.custom_ids == {"segmentAnonymousId": "anon-1"}


def test_an_id_on_the_event_beats_the_mapped_one() -> None:
    chosen = track("Signed Up", properties={"statsigCustomIDs": ["segmentAnonymousId", "anon-2"]})

    assert translated(chosen).user.custom_ids == {"segmentAnonymousId": "anon-2"}


def test_the_name_in_statsig_is_the_one_our_dashboards_use() -> None:
    assert to_log_event(translated(track("Signed Up")))["eventName"] == "segment::Signed Up"


def test_our_staging_traffic_stays_out_of_production() -> None:
    staging = track("Signed Up", properties={"statsigEnvironment": {"tier": "staging"}})

    assert translated(staging).user.environment == "staging"
    assert translated(track("Signed Up")).user.environment == "development"


def test_heartbeats_cost_us_nothing() -> None:
    outcome = translate(track("Heartbeat"), CONFIG)

    assert isinstance(outcome, Skipped)
    assert outcome.reason == "filtered"


def test_a_job_without_a_user_is_refused() -> None:
    with pytest.raises(TranslationError) as caught:
        translate(track("Report Built", anonymousId=None), CONFIG)

    assert caught.value.code == "no_identifier"


def test_a_misspelled_id_type_is_noticed() -> None:
    misspelled = track("Signed Up", properties={"statsigCustomIDs": ["company_id", "company-9"]})

    assert [issue.code for issue in translated(misspelled).issues] == ["unknown_id_type"]


def test_the_company_comes_from_the_group_call() -> None:
    group: dict[str, object] = {"type": "group", "userId": "user-1", "groupId": "company-9", "traits": {}}

    rows = {row.target: row for row in explain(group, CONFIG).rows}

    assert rows["$.user.customIDs.companyID"].value == "company-9"
    assert rows["$.user.customIDs.companyID"].source == "$.groupId"
    assert rows["$.user.customIDs.companyID"].rule == "ID-4"


@given(segment_calls(malformed=True))
def test_whatever_arrives_is_sent_skipped_or_refused(call: dict[str, object]) -> None:
    (outcome,) = translate_many([call], CONFIG)

    assert isinstance(outcome, StatsigEvent | AudienceUpdate | Skipped | Rejected)
    if isinstance(outcome, StatsigEvent):
        json.dumps(to_log_event(outcome))  # our queue takes nothing but JSON


@given(segment_calls(types=("track", "page")))
def test_every_event_has_a_user_and_an_environment(call: dict[str, object]) -> None:
    (outcome,) = translate_many([call], CONFIG)

    if isinstance(outcome, StatsigEvent):
        user = outcome.user
        assert user.user_id or user.custom_ids
        assert user.environment


@given(statsig_events())
def test_no_private_attribute_leaves_for_segment(event: dict[str, object]) -> None:
    event["user"] = {"userID": "user-1", "privateAttributes": {"plan": "a secret of ours"}}

    (outcome,) = export_many([event], CONFIG)

    assert isinstance(outcome, Skipped) or "a secret of ours" not in json.dumps(outcome)
