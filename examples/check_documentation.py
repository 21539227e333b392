"""Use as a reference: every example on Statsig's Segment page that concerns data, put to the test.

Each check names what the page says, does it with this library, and compares. The words are ours; the data is the
page's. Where the page shows a placeholder such as `<this_company_id>`, the placeholder is the value.

Run it:  python examples/check_documentation.py
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    ExportedEvent,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Skipped,
    StatsigEvent,
    config_change_event,
    parse_statsig_event,
    to_log_event,
    to_outbound_track,
    translate,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from statsig_segment.statsig.events import LogEvent

ANONYMOUS = IntegrationConfig(
    inbound=InboundConfig(id_mappings=(IdMapping(field="anonymousId", id_type="segmentAnonymousId"),))
)


def log_event(payload: dict[str, object], config: IntegrationConfig | None = None) -> LogEvent:
    """Translate a call that must come out as an event, to Statsig's wire form."""
    event = translate(payload, config or IntegrationConfig())
    if not isinstance(event, StatsigEvent):
        message = f"expected an event, got {type(event).__name__}"
        raise TypeError(message)
    return to_log_event(event)


def the_event_and_user_id_are_detected() -> bool:
    """Pick up `event` and `userId` of a track call by themselves (ID-1, US-5)."""
    sent = log_event({"type": "track", "event": "Signed Up", "userId": "some_user_id"})
    return sent["eventName"].endswith("Signed Up") and sent["user"] == {"userID": "some_user_id"}


def four_types_make_events() -> bool:
    """Make events of track, page, group and screen calls (IN-2)."""
    for type_ in ("track", "page", "group", "screen"):
        payload: dict[str, object] = {"type": type_, "event": "e", "name": "n", "groupId": "g", "userId": "u"}
        if not isinstance(translate(payload), StatsigEvent):
            return False
    return True


def identify_is_for_audiences_only() -> bool:
    """Use identify calls for syncing Engage audiences, and for nothing else (AU-1)."""
    outcome = translate({"type": "identify", "userId": "u", "traits": {"plan": "trial"}})
    return isinstance(outcome, Skipped) and outcome.reason == "identify_without_audience"


def the_audience_key_is_the_id_list() -> bool:
    """Sync an audience to the ID list that its key names (AU-2)."""
    outcome = translate(
        {
            "type": "identify",
            "userId": "u",
            "traits": {"frequent_walkers": True},
            "context": {"personas": {"computation_class": "audience", "computation_key": "frequent_walkers"}},
        }
    )
    return isinstance(outcome, AudienceUpdate) and outcome.id_list == "frequent_walkers" and outcome.member


def custom_ids_stand_in_even_and_odd_places() -> bool:
    """Read the even index of `statsigCustomIDs` as the ID type, and the odd index as its value (ID-2)."""
    sent = log_event(
        {
            "type": "track",
            "event": "e",
            "properties": {"statsigCustomIDs": ["companyID", "<this_company_id>"]},
        }
    )
    return sent["user"] == {"customIDs": {"companyID": "<this_company_id>"}}


def the_anonymous_id_is_mapped() -> bool:
    """Map a top-level field to a custom ID: `anonymousId` to `segmentAnonymousId` (ID-4)."""
    sent = log_event({"type": "track", "event": "e", "anonymousId": "a-1"}, ANONYMOUS)
    return sent["user"] == {"customIDs": {"segmentAnonymousId": "a-1"}}


def the_event_beats_the_mapping() -> bool:
    """Prefer a value in `statsigCustomIDs` to a mapped identifier (ID-5)."""
    sent = log_event(
        {
            "type": "track",
            "event": "e",
            "anonymousId": "a-1",
            "properties": {"statsigCustomIDs": ["segmentAnonymousId", "a-2"]},
        },
        ANONYMOUS,
    )
    return sent["user"] == {"customIDs": {"segmentAnonymousId": "a-2"}}


def custom_fields_are_key_value_pairs() -> bool:
    """Read `statsigCustom` as keys and values of the user's custom fields (US-1)."""
    custom = ["isVIP", "true", "marketing_campaign", "abx343"]
    sent = log_event({"type": "track", "event": "e", "userId": "u", "properties": {"statsigCustom": custom}})
    return sent["user"] == {"userID": "u", "custom": {"isVIP": "true", "marketing_campaign": "abx343"}}


def the_environment_is_in_the_properties() -> bool:
    """Set the environment by the tier of `statsigEnvironment`, and none without it (US-3, US-4)."""
    staging = {"statsigEnvironment": {"tier": "staging"}}
    sent = log_event({"type": "track", "event": "e", "userId": "u", "properties": staging})
    plain = log_event({"type": "track", "event": "e", "userId": "u"})
    return sent["user"].get("statsigEnvironment") == {"tier": "staging"} and "statsigEnvironment" not in plain["user"]


def names_are_prefixed() -> bool:
    """Begin event names with `segment::` (US-5)."""
    return log_event({"type": "track", "event": "Signed Up", "userId": "u"})["eventName"] == "segment::Signed Up"


def events_can_be_filtered() -> bool:
    """Take in only the events that filtering lets pass (FL-1)."""
    config = IntegrationConfig(inbound=InboundConfig(filters=InboundFilter(include=("Signed Up",))))
    kept = translate({"type": "track", "event": "Signed Up", "userId": "u"}, config)
    lost = translate({"type": "track", "event": "Logged In", "userId": "u"}, config)
    return isinstance(kept, StatsigEvent) and isinstance(lost, Skipped) and lost.reason == "filtered"


def outbound_events_follow_the_schema() -> bool:
    """Export an event as the track call that the page prints, field by field (OU-3)."""
    event = parse_statsig_event(
        {
            "eventName": "my_custom_event",
            "userID": "a_user",
            "user": {"userID": "a_user", "email": "a.user@example.com"},
            "timestamp": 1655231253265,
            "value": "a_custom_value",
            "metadata": {"key": "text"},
            "statsigMetadata": {"stableID": "a_stable_id"},
        }
    )
    return isinstance(event, ExportedEvent) and to_outbound_track(event) == {
        "type": "track",
        "userId": "a_user",
        "timestamp": 1655231253265,
        "event": "my_custom_event",
        "context": {
            "user": {"userID": "a_user", "email": "a.user@example.com"},
            "value": "a_custom_value",
            "metadata": {"key": "text"},
            "library": {"name": "statsig", "version": "1.0"},
            "stableID": "a_stable_id",
        },
        "properties": {"value": "a_custom_value", "metadata": {"key": "text"}},
    }


def config_changes_follow_the_schema() -> bool:
    """Export a config change as the call that the page prints, without a type (OU-6)."""
    change = parse_statsig_event(
        {
            "eventName": "statsig::config_change",
            "userID": "a_user",
            "user": {"name": "Grace"},
            "timestamp": 1655231253265,
            "metadata": {"name": "a_gate", "description": "changed", "environment": "production"},
        }
    )
    return isinstance(change, ConfigChange) and config_change_event(change) == {
        "userId": "a_user",
        "timestamp": 1655231253265,
        "event": "statsig::config_change",
        "context": {"library": {"name": "statsig", "version": "1.0"}},
        "properties": {
            "author": "Grace",
            "configName": "a_gate",
            "description": "changed",
            "environment": "production",
        },
    }


CHECKS: tuple[Callable[[], bool], ...] = (
    the_event_and_user_id_are_detected,
    four_types_make_events,
    identify_is_for_audiences_only,
    the_audience_key_is_the_id_list,
    custom_ids_stand_in_even_and_odd_places,
    the_anonymous_id_is_mapped,
    the_event_beats_the_mapping,
    custom_fields_are_key_value_pairs,
    the_environment_is_in_the_properties,
    names_are_prefixed,
    events_can_be_filtered,
    outbound_events_follow_the_schema,
    config_changes_follow_the_schema,
)


def main() -> int:
    """Run every check, print one line for each, and return how many differ from the page."""
    differing = 0
    for check in CHECKS:
        holds = check()
        differing += not holds
        print("agrees " if holds else "DIFFERS", check.__doc__)
    print(f"{len(CHECKS) - differing} of {len(CHECKS)} agree")
    return differing


if __name__ == "__main__":
    sys.exit(main())
