"""What mapped calls are as objects: themselves where nothing changes, and immutable where something does."""

from __future__ import annotations

from typing import Any, cast

import pytest
from tests.support.calls import user_track

from statsig_segment import IdMapping, Track, apply_id_mappings, parse_segment_event
from statsig_segment.segment.calls import id_sources

ANONYMOUS = IdMapping(field="anonymousId", id_type="anonymousID")
DEVICE = IdMapping(field="context.device.id", id_type="deviceID")
CALL = Track(event="Opened", anonymous_id="a-1", context={"device": {"id": "d-1"}})


class TestApplyIdMappings:
    """ID-4"""

    def test_a_call_that_nothing_changes_is_given_back(self) -> None:
        assert apply_id_mappings(CALL, [IdMapping(field="userId", id_type="otherID")]) is CALL

    def test_a_call_that_is_mapped_already_is_given_back(self) -> None:
        mapped = apply_id_mappings(CALL, [ANONYMOUS])

        assert apply_id_mappings(mapped, [ANONYMOUS]) is mapped

    def test_an_issue_that_is_told_already_changes_nothing(self) -> None:
        told = apply_id_mappings(Track(event="Opened", context={"device": {"id": True}}), [DEVICE])

        assert [issue.code for issue in told.issues] == ["id_invalid"]
        assert apply_id_mappings(told, [DEVICE]) is told

    def test_an_issue_of_one_row_stays_beside_the_id_of_another(self) -> None:
        call = Track(event="Opened", anonymous_id="a-1", context={"device": {"id": True}})
        mapped = apply_id_mappings(call, [ANONYMOUS, DEVICE])

        assert mapped.custom_ids == {"anonymousID": "a-1"}
        assert [issue.code for issue in mapped.issues] == ["id_invalid"]

    def test_nothing_of_the_mapped_call_can_be_changed(self) -> None:
        held = cast("dict[str, Any]", apply_id_mappings(CALL, [ANONYMOUS]).custom_ids)

        with pytest.raises(TypeError):
            held["anonymousID"] = "a-2"

    def test_mapping_twice_keeps_the_paths_of_both(self) -> None:
        mapped = apply_id_mappings(apply_id_mappings(CALL, [ANONYMOUS]), [DEVICE])

        assert id_sources(mapped) == {"anonymousID": "$.anonymousId", "deviceID": "$.context.device.id"}

    def test_an_issue_that_goes_and_one_that_comes_are_both_seen(self) -> None:
        """ID-8, ID-9"""
        call = parse_segment_event(
            user_track(anonymousId="undefined", properties={"statsigCustomIDs": ["userID", "undefined"]})
        )
        mapped = apply_id_mappings(call, [ANONYMOUS], drop_placeholders=True)

        path = "$.properties.statsigCustomIDs"
        assert {(issue.code, issue.path) for issue in call.issues} == {
            ("custom_id_is_user_id", f"{path}[0]"),
            ("id_placeholder", f"{path}[1]"),
        }
        assert {(issue.code, issue.path) for issue in mapped.issues} == {
            ("id_placeholder", f"{path}[1]"),
            ("id_placeholder", "$.anonymousId"),
        }
