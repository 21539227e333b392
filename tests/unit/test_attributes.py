"""What stands behind each wire name: attributes of the models, which the vectors, being JSON, cannot see."""

from statsig_segment import (
    ConfigChange,
    ExportedEvent,
    Group,
    IdMapping,
    Page,
    SegmentEvent,
    Track,
    apply_id_mappings,
    config_change_event,
    parse_segment_event,
    parse_statsig_event,
)


def mapped(call: SegmentEvent, field: str) -> dict[str, str]:
    return dict(apply_id_mappings(call, [IdMapping(field=field, id_type="own")]).custom_ids)


def test_a_call_made_by_hand_is_mapped_by_wire_names() -> None:
    call = Track(
        event="event-1",
        user_id="user-1",
        anonymous_id="anonymous-1",
        group_id="group-1",
        message_id="message-1",
        context={"id": "context-1"},
        integrations={"id": "integration-1"},
        properties={"id": "property-1"},
    )

    assert {
        field: mapped(call, field)["own"] for field in ("userId", "anonymousId", "groupId", "messageId", "event")
    } == {
        "userId": "user-1",
        "anonymousId": "anonymous-1",
        "groupId": "group-1",
        "messageId": "message-1",
        "event": "event-1",
    }
    assert mapped(call, "context.id") == {"own": "context-1"}
    assert mapped(call, "integrations.id") == {"own": "integration-1"}
    assert mapped(call, "properties.id") == {"own": "property-1"}
    assert mapped(call, "type") == {"own": "track"}


def test_pages_and_groups_made_by_hand_are_mapped_by_wire_names() -> None:
    page = Page(user_id="user-1", name="name-1", category="category-1")

    assert (mapped(page, "name"), mapped(page, "category")) == ({"own": "name-1"}, {"own": "category-1"})
    assert mapped(Group(user_id="user-1", traits={"id": "trait-1"}), "traits.id") == {"own": "trait-1"}


def test_only_what_a_model_does_not_hold_is_other() -> None:
    call = parse_segment_event(
        {
            "type": "track",
            "event": "event-1",
            "userId": "user-1",
            "anonymousId": "anonymous-1",
            "groupId": "group-1",
            "messageId": "message-1",
            "context": {"id": "context-1"},
            "integrations": {"All": True},
            "properties": {"id": "property-1"},
            "version": 2,
        }
    )

    assert call.other == {"version": 2}


def test_the_user_of_an_export() -> None:
    event = parse_statsig_event(
        {
            "eventName": "checkout",
            "unitID": "unit-1",
            "user": {
                "userID": "user-1",
                "customIDs": {"companyID": "company-1"},
                "email": "email-1",
                "ip": "ip-1",
                "userAgent": "agent-1",
                "country": "country-1",
                "locale": "locale-1",
                "appVersion": "version-1",
                "custom": {"plan": "plan-1"},
                "statsigEnvironment": {"tier": "tier-1"},
            },
        }
    )
    assert isinstance(event, ExportedEvent)

    user = event.user
    assert (user.user_id, user.custom_ids, user.custom) == ("user-1", {"companyID": "company-1"}, {"plan": "plan-1"})
    assert (user.email, user.ip, user.user_agent) == ("email-1", "ip-1", "agent-1")
    assert (user.country, user.locale, user.app_version) == ("country-1", "locale-1", "version-1")
    assert user.environment == "tier-1"
    assert event.fields["unitID"] == "unit-1"


def test_a_config_change_read_and_one_made_by_hand() -> None:
    change = parse_statsig_event(
        {
            "eventName": "statsig::config_change",
            "user": {"name": "author-1", "userID": "user-1"},
            "timestamp": 5_000_000_000_000,
            "metadata": {"name": "name-1", "description": "description-1", "environment": "staging", "type": "Gate"},
        }
    )
    assert isinstance(change, ConfigChange)
    assert (change.author, change.config_name) == ("author-1", "name-1")
    assert (change.description, change.environment) == ("description-1", "staging")
    assert (change.timestamp, change.user_id, change.metadata) == (5_000_000_000_000, "user-1", {"configType": "Gate"})

    by_hand = ConfigChange(
        timestamp=5_000_000_000_000,
        user_id="user-1",
        author="author-1",
        config_name="name-1",
        description="description-1",
        environment="staging",
    )
    assert config_change_event(by_hand) == config_change_event(change)
