"""Two log events of one call, aspect by aspect and path by path (CM-2, DI-1)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.values import is_object

from statsig_segment.insight.aspects import Difference, differences

EVENT: dict[str, Any] = {
    "eventName": "segment::Paid",
    "user": {"userID": "u1", "customIDs": {"companyID": "c1"}, "ip": "203.0.113.9", "custom": {"beta": True}},
    "value": 5,
    "metadata": {"plan": "pro"},
}


def found(here: Any, there: Any) -> list[Difference]:
    return [each for each in differences(here, there, "track") if each.kind != "same"]


def test_an_event_is_the_same_as_itself() -> None:
    assert found(EVENT, EVENT) == []
    assert Difference("custom attributes", "", "same") in list(differences(EVENT, EVENT, "track"))


@pytest.mark.parametrize(
    ("here", "there", "kind"), [(EVENT, None, "missing"), (None, EVENT, "extra")], ids=["missing", "extra"]
)
def test_an_event_that_only_one_side_sends_differs_in_being_sent(here: Any, there: Any, kind: str) -> None:
    assert found(here, there) == [("sent", "$", kind)]


def test_a_call_that_nobody_sends_says_nothing() -> None:
    assert list(differences(None, None, "track")) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"eventName": "web/Paid"}, ("track name", "$.eventName", "different")),
        ({"user": EVENT["user"] | {"userID": "u2"}}, ("user ID", "$.user.userID", "different")),
        ({"user": EVENT["user"] | {"customIDs": {}}}, ("custom IDs", "$.user.customIDs.companyID", "missing")),
        ({"user": EVENT["user"] | {"locale": "en"}}, ("user fields", "$.user.locale", "extra")),
        ({"user": EVENT["user"] | {"custom": {"beta": 1}}}, ("custom attributes", "$.user.custom.beta", "different")),
        (
            {"user": EVENT["user"] | {"statsigEnvironment": {"tier": "staging"}}},
            ("environment", "$.user.statsigEnvironment", "extra"),
        ),
        ({"value": "5"}, ("value", "$.value", "different")),
        ({"metadata": {}}, ("metadata keys", "$.metadata.plan", "missing")),
        ({"metadata": {"plan": "team"}}, ("metadata values", "$.metadata.plan", "different")),
    ],
    ids=lambda value: "" if is_object(value) else value[0],
)
def test_it_names_aspect_path_and_kind(change: dict[str, Any], difference: tuple[str, str, str]) -> None:
    assert found(EVENT, EVENT | change) == [difference]
