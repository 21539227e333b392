"""Errors as objects: what makes two of them equal, and the place that each of them tells."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, cast

import pytest

from statsig_segment import (
    EventNaming,
    Identify,
    InboundConfig,
    Page,
    SegmentEventError,
    StatsigEventError,
    StatsigSegmentError,
    Track,
    audience_update,
    export,
    load_config,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    to_statsig_event,
    translate,
    verify_segment_signature,
    verify_statsig_signature,
)
from statsig_segment.errors import join_path
from statsig_segment.rulebook import CODES

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "a secret"
NOT_BYTES: Any = "[]"
DELIVERABLE = load_config({"outbound": {"profile": "deliverable"}})
DIGITS = "1" * 18


def sign(body: bytes, timestamp: str) -> str:
    return f"v0={hmac.new(SECRET.encode(), f'v0:{timestamp}:'.encode() + body, hashlib.sha256).hexdigest()}"


def verify(timestamp: str, *, tolerance_ms: int = 1) -> None:
    verify_statsig_signature(
        b"{}", timestamp, sign(b"{}", timestamp), SECRET, now_ms=int(DIGITS), tolerance_ms=tolerance_ms
    )


def member(**traits: Any) -> object:
    computation = {"context": {"personas": {"computation_class": "audience", "computation_key": "vip"}}}
    return audience_update(parse_segment_event({"type": "identify", "userId": "u", "traits": traits} | computation))


class TestEquality:
    ERROR = SegmentEventError("missing_type", "$.type")

    def test_errors_of_the_same_facts_are_equal(self) -> None:
        same = SegmentEventError("missing_type", "$.type")

        assert same == self.ERROR
        assert hash(same) == hash(self.ERROR)

    @pytest.mark.parametrize(
        "other",
        [
            SegmentEventError("missing_event", "$.type"),
            SegmentEventError("missing_type", "$.event"),
            SegmentEventError("missing_type", "$.type", "in other words"),
            StatsigEventError("missing_type", "$.type"),
            ValueError("missing_type"),
            "missing_type",
        ],
    )
    def test_errors_of_other_facts_are_not(self, other: object) -> None:
        assert other != self.ERROR
        assert hash(other) != hash(self.ERROR)

    def test_an_error_prints_its_class_code_and_path(self) -> None:
        assert repr(self.ERROR) == "SegmentEventError(code='missing_type', path='$.type')"


class TestTheTableOfCodes:
    def test_each_has_kinds_a_rule_and_a_meaning(self) -> None:
        assert all(code.kinds and code.rule and code.meaning for code in CODES.values())

    def test_a_message_is_the_meaning_of_its_code(self) -> None:
        assert str(SegmentEventError("missing_type")) == CODES["missing_type"].meaning


PLACES: list[tuple[Callable[[], object], str, str]] = [
    (lambda: translate({"type": "track", "event": "e"}), "no_identifier", "$"),
    (lambda: translate({"type": "track", "event": "e", "anonymousId": "a"}), "no_identifier", "$"),
    (lambda: export({"eventName": "e"}, DELIVERABLE), "no_identifier", "$.userID"),
    (lambda: member(vip="maybe"), "audience_membership", "$.traits.vip"),
    (lambda: member(other=True), "audience_membership", "$.traits"),
    (lambda: verify_statsig_signature(cast("bytes", "text"), "1", "", SECRET), "signature_argument", "body"),
    (lambda: verify_statsig_signature(b"", "1", "", ""), "signature_argument", "secret"),
    (lambda: verify("x"), "signature_argument", "timestamp"),
    (lambda: verify_statsig_signature(b"", None, "", SECRET), "signature_argument", "timestamp"),
    (lambda: verify_statsig_signature(b"", "1", None, SECRET), "signature_argument", "signature"),
    (lambda: verify_segment_signature(b"", None, SECRET), "signature_argument", "signature"),
    (lambda: verify_segment_signature(b"", cast("str", b""), SECRET), "signature_argument", "signature"),
    (lambda: verify("1"), "signature_stale", "timestamp"),
    (lambda: verify(f"{DIGITS}1"), "signature_stale", "timestamp"),
    (lambda: verify_segment_signature(NOT_BYTES, "", SECRET), "signature_argument", "body"),
    (lambda: split_segment_batch({"batch": 1}), "batch_not_array", "$.batch"),
    (lambda: to_statsig_event(Identify(user_id="u")), "identify_without_event", "$"),
    (lambda: parse_statsig_event({"userID": "u"}), "missing_event", "$.eventName"),
]


class TestPlaces:
    """TR-3: a path tells where, and no value."""

    @pytest.mark.parametrize(("function", "code", "path"), PLACES)
    def test_an_error_tells_its_place(self, function: Callable[[], object], code: str, path: str) -> None:
        with pytest.raises(StatsigSegmentError) as caught:
            function()

        assert (caught.value.code, caught.value.path) == (code, path)

    def test_a_path_keeps_what_is_no_ascii(self) -> None:
        assert join_path("$", "é è") == '$["é è"]'

    def test_a_name_that_no_field_gives_is_nowhere_in_a_payload(self) -> None:
        """US-9"""
        event = to_statsig_event(Page(user_id="u"), InboundConfig(naming=EventNaming(page_unnamed="#")))

        assert [(issue.code, issue.path) for issue in event.issues] == [("name_forbidden_character", "$")]

    def test_a_timestamp_of_eighteen_digits_can_be_fresh(self) -> None:
        verify(DIGITS)

    @pytest.mark.parametrize("body", [b"[1]\x0b", b"\x0b[1]", b"[\x0b1]", "[1]\u00a0".encode()])
    def test_white_space_that_json_lacks_makes_it_no_batch(self, body: bytes) -> None:
        """TR-2: then the whole body is signed."""
        verify_segment_signature(body, hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest(), SECRET)

    def test_an_id_of_a_call_made_by_hand_is_nowhere_in_a_payload(self) -> None:
        event = to_statsig_event(
            Track(event="e", custom_ids={"team": "t" * 2_000}), InboundConfig(id_types=["companyID"])
        )

        assert [(issue.code, issue.path) for issue in event.issues] == [("id_too_long", "$"), ("unknown_id_type", "$")]

    def test_an_undeclared_id_type_that_is_like_none_is_told_as_such(self) -> None:
        event = to_statsig_event(Track(event="e", custom_ids={"team": "t"}), InboundConfig(id_types=["companyID"]))

        assert [issue.message for issue in event.issues] == [CODES["unknown_id_type"].meaning]

    def test_an_undeclared_id_type_that_is_like_one_is_told_with_it(self) -> None:
        event = to_statsig_event(
            Track(event="e", custom_ids={"company_id": "c"}), InboundConfig(id_types=["companyID"])
        )

        assert "companyID" in event.issues[0].message
