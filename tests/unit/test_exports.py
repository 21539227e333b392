"""What a model of an export says of its user and its change, wherever the export says it."""

from __future__ import annotations

from typing import Any

import pytest

from statsig_segment import ConfigChange, ExportedEvent, StatsigUser, parse_statsig_event


def user(**export: Any) -> StatsigUser:
    event = parse_statsig_event({"eventName": "checkout"} | export)
    assert isinstance(event, ExportedEvent)
    return event.user


def change(**export: Any) -> ConfigChange:
    event = parse_statsig_event({"eventName": "statsig::config_change"} | export)
    assert isinstance(event, ConfigChange)
    return event


@pytest.mark.parametrize("read", [user, change])
@pytest.mark.parametrize(
    ("export", "user_id"),
    [
        ({"userID": "top", "user": {"userID": "inner"}}, "top"),
        ({"userID": None, "user": {"userID": "inner"}}, "inner"),
        ({"userID": "", "user": {"userID": "inner"}}, "inner"),
        ({"user": {"userID": "inner"}}, "inner"),
        ({"userID": "top", "user": None}, "top"),
        ({"userID": 7}, "7"),
        ({"userID": True}, None),
        ({}, None),
    ],
)
def test_the_user_id_is_that_of_the_top_before_that_of_the_user(
    read: Any, export: dict[str, Any], user_id: str | None
) -> None:
    """OU-3"""
    assert read(**export).user_id == user_id


@pytest.mark.parametrize("custom", [None, "text", 7, ["a"]])
def test_custom_fields_of_another_kind_are_none(custom: Any) -> None:
    assert user(user={"custom": custom}).custom == {}


@pytest.mark.parametrize(
    "environment", [None, "production", {"tier": ""}, {"tier": 7}, {"tier": {"tier": "production"}}, {}]
)
def test_an_environment_of_another_kind_is_none(environment: Any) -> None:
    assert user(user={"statsigEnvironment": environment}).environment is None


@pytest.mark.parametrize("name", ["name", "description", "environment"])
def test_what_a_change_says_in_another_kind_is_none(name: str) -> None:
    """OU-6"""
    told = change(metadata={name: ["a"]})

    assert (told.config_name, told.description, told.environment) == (None, None, None)
