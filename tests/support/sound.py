"""Calls and events without a flaw, one for each way through the fast lanes, and configurations to go with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from statsig_segment import (
    EventNaming,
    FieldFilter,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
)
from tests.support.values import JsonObject

CONTEXT: Final[JsonObject] = {
    "ip": "203.0.113.24",
    "userAgent": "Mozilla/5.0",
    "locale": "en-GB",
    "library": {"name": "analytics.js", "version": "next-1.81.0"},
    "device": {"id": "d1", "type": "ios"},
    "externalIds": [{"type": "x", "id": "y"}, {"type": "phone", "id": 7, "collection": "users"}],
    "traits": {"plan": "pro", "seats": 7},
}
CONTROLS: Final[JsonObject] = {
    "statsigCustomIDs": ["companyID", "c1", "teamID", 12],
    "statsigCustom": ["vip", True, "seats", 7, "ratio", 0.5, "plans", ["a", "b"], "none", []],
    "statsigEnvironment": {"tier": "staging"},
}
CALLS: Final[Mapping[str, JsonObject]] = {
    "track": {
        "type": "track",
        "event": "Order Completed",
        "userId": "u1",
        "anonymousId": "a1",
        "messageId": "m1",
        "timestamp": "2024-03-01T12:34:56.789Z",
        "receivedAt": "2024-03-01T12:34:57.000Z",
        "integrations": {"All": True, "Statsig": {"a": 1}},
        "context": CONTEXT,
        "properties": {
            "value": 9.5,
            "coupon": None,
            "paid": True,
            "cart": {"id": 1, "rows": [1, "a", None, {"b": 0.1}]},
        }
        | CONTROLS,
    },
    "track with consent": {
        "type": "track",
        "event": "Plan Chosen",
        "userId": "u2",
        "context": {"consent": {"categoryPreferences": {"Advertising": True, "Analytics": True}}},
        "properties": {"plan": "test"},
    },
    "track with a refusal": {
        "type": "track",
        "event": "Plan Chosen",
        "userId": "u1",
        "context": {"consent": {"categoryPreferences": {"Advertising": True}}, "userAgent": "SomeBot/2.1"},
        "integrations": {"Amplitude": True},
    },
    "replayed track with empty consent": {
        "type": "track",
        "event": "Plan Chosen",
        "userId": "u1",
        "context": {"consent": {}},
        "integrations": {"All": False, "Webhooks": True},
        "properties": {"plan": 7},
    },
    "bare track": {"type": "track", "event": "Heartbeat", "anonymousId": "a1", "groupId": 7, "context": None},
    "page": {
        "type": "page",
        "name": "Home",
        "category": "Docs",
        "userId": 42,
        "timestamp": 1709296496789,
        "properties": {"title": "Welcome", "value": "high", "statsigCustomIDs": ["companyID", "c1"]},
    },
    "nameless page": {"type": "page", "userId": "u1", "name": " ", "context": [], "properties": {"path": "/"}},
    "screen": {"type": "screen", "name": 404, "userId": "u1", "integrations": [], "properties": None},
    "group": {
        "type": "group",
        "groupId": "g1",
        "userId": "u1",
        "sentAt": "2024-03-01",
        "properties": {"statsigCustom": ["vip", False]},
        "traits": {"name": "Initech", "value": 3, "statsigCustomIDs": ["companyID", "c1"]},
        "context": {"device": {"id": "d1"}},
    },
    "identify": {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}, "context": {}},
    "bare group": {"type": "group", "groupId": "g1", "userId": "u1"},
    "call of Statsig": {"type": "track", "event": "a", "userId": "u1", "context": {"library": {"name": "statsig"}}},
    "disabled call": {"type": "track", "event": "a", "userId": "u1", "integrations": {"all": False, "Statsig": None}},
    "audience": {
        "type": "identify",
        "userId": "u1",
        "anonymousId": "a1",
        "messageId": "m1",
        "timestamp": "2024-03-01T12:34:56.789Z",
        "context": {"personas": {"computation_class": "audience", "computation_key": "vip_users"}},
        "traits": {"vip_users": True, "statsigCustomIDs": ["companyID", "c1"]},
    },
    "audience of a unit": {
        "type": "identify",
        "anonymousId": "a1",
        "messageId": "",
        "context": {"personas": {"computation_class": "journey_step", "computation_key": "vip_users"}},
        "traits": {"vip_users": False, "statsigCustomIDs": ["companyID", "c1"]},
    },
    "track with one external ID": {
        "type": "track",
        "event": "Paid",
        "userId": "u1",
        "context": {"externalIds": [{"type": "x", "id": "y"}]},
    },
}
"""Calls that the lane takes as they are, or skips."""

MAPPINGS: Final = (
    IdMapping(field="anonymousId", id_type="segmentAnonymousId"),
    IdMapping(field="groupId", id_type="companyID"),
    IdMapping(field="context.device.id", id_type="deviceID"),
    IdMapping(field="context.externalIds[type=phone].id", id_type="phone"),
    IdMapping(field="shopId", id_type="shopID"),
    IdMapping(field="anonymousId", id_type="USERID"),
)
ID_TYPES: Final = ("segmentAnonymousId", "companyID", "deviceID", "phone", "shopID", "teamID")
EVERY_FIELD: Final = {
    "type": "type",
    "user": "userId",
    "anonymous": "anonymousId",
    "group": "groupId",
    "name": "name",
    "category": "category",
    "message": "messageId",
    "at": "timestamp",
    "seats": "context.traits.seats",
    "device": "context.device.id",
    "phone": "context.externalIds[type=phone].id",
    "shop": "shopId",
}
OBJECTS: Final = {
    "context": "context",
    "device": "context.device",
    "ids": "context.externalIds",
    "phone": "context.externalIds[type=phone]",
    "cart": "properties.cart",
    "a_b": "traits.name",
}
_INBOUND: Final[Mapping[str, InboundConfig]] = {
    "the default": InboundConfig(),
    "mappings": InboundConfig(id_mappings=MAPPINGS, id_types=ID_TYPES, default_environment="production"),
    "fields": InboundConfig(
        id_mappings=MAPPINGS[-1:],
        custom_fields=EVERY_FIELD,
        metadata_fields=EVERY_FIELD,
        user_fields={
            "appVersion": "context.traits.seats",
            "country": "context.externalIds[type=phone].id",
            "locale": "shopId",
            "email": "userId",
        },
    ),
    "objects": InboundConfig(metadata_fields=OBJECTS),
    "flattened objects": InboundConfig(nested="flatten", metadata_fields=OBJECTS, id_mappings=MAPPINGS[2:3]),
    "flattened fields": InboundConfig(nested="flatten", value_property=("a", "value", "title"), user_fields={}),
    "paths through arrays": InboundConfig(
        id_mappings=[
            IdMapping(field="context.externalIds.id", id_type="x"),
            IdMapping(field="context.externalIds[type=none].id", id_type="y"),
            IdMapping(field="context.device.id", id_type="deviceID"),
        ],
        custom_fields={
            "device": "context.device.id.name",
            "ids": "externalIds[type=x].id",
            "in_itself": "context.device.id.id.type",
        },
        metadata_fields={"mail": "traits.email.host", "of_array": "properties.cart.rows.b"},
    ),
    "control keys as values": InboundConfig(value_property=("statsigEnvironment", "statsigCustom", "value")),
    "control keys as metadata": InboundConfig(
        metadata_fields={"ids": "properties.statsigCustomIDs", "tier": "traits.statsigEnvironment.tier"},
        custom_fields={"plans": "properties.statsigCustom"},
        value_property=None,
    ),
    "names": InboundConfig(
        naming=EventNaming(
            prefix="web/ ",
            track="100% {event} %(event)s {{}}",
            page="{name} in {category}",
            screen="{category}%{name}",
            screen_unnamed="A screen",
            group="Joined {groupId}",
            from_properties=True,
        ),
        filters=InboundFilter(exclude=["Home", "in Docs"]),
    ),
    "names of 2021": InboundConfig(naming=EventNaming.segment_2021()),
    "plain names": InboundConfig(naming=EventNaming(prefix="", page="Page", screen="{name}", group="{groupId}")),
    "included names": InboundConfig(
        filters=InboundFilter(include=["Order Completed", "group", "Viewed Docs Home Page"])
    ),
    "types": InboundConfig(filters=InboundFilter(types=["page", "identify"])),
    "fields to drop by": InboundConfig(
        filters=InboundFilter(
            drop_where=[
                FieldFilter(field="context.userAgent", matches=["*Bot/*"]),
                FieldFilter(field="properties.plan", matches=["t?st", "true", "7"]),
                FieldFilter(field="userId", matches=["u2"]),
            ]
        )
    ),
    "consent": InboundConfig(consent_categories=["Advertising", "Analytics"]),
    "other names of the integration": InboundConfig(integration_names=["Webhooks", "STATSIG"]),
    "all let through": InboundConfig(
        drop_placeholder_ids=True, honor_integrations=False, allow_statsig_origin=True, id_mappings=MAPPINGS
    ),
    "long paths": InboundConfig(
        metadata_fields={"deep": ".".join(["context", "device", *"a" * 40])},
        custom_fields={"deeper": ".".join(["context", *"a" * 99])},
        id_mappings=[IdMapping(field=".".join(["context", *["a[id=i]"] * 60]), id_type="x")],
    ),
}
CONFIGS: Final = {name: IntegrationConfig(inbound=inbound) for name, inbound in _INBOUND.items()}
"""Configurations that differ in what the lane needs of them."""


# -- The way back ------------------------------------------------------------------------------------------------------

EVENTS: Final[Mapping[str, JsonObject]] = {
    "event": {
        "eventName": "checkout",
        "userID": "u1",
        "timestamp": 1709296496789,
        "value": 9.5,
        "metadata": {"plan": "pro", "rows": [1, "a", None, {"b": 0.1}]},
        "statsigMetadata": {"stableID": "s1", "sdkType": "js-client", "sdkVersion": "5.0.0"},
        "timeUUID": "t1",
        "user": {
            "userID": "u2",
            "email": "a@example.com",
            "customIDs": {"companyID": "c1", "stableID": "s2"},
            "custom": {"seats": 7},
            "privateAttributes": {"phone": "1"},
        },
    },
    "event of an SDK": {
        "eventName": "checkout",
        "time": 1709296496789,
        "value": {"a": [1]},
        "metadata": None,
        "user": {"userID": "u2", "customIDs": {"stableID": "s2"}},
    },
    "exposure": {
        "eventName": "statsig::gate_exposure",
        "userID": "u1",
        "timestamp": "2024-03-01T12:34:56.789Z",
        "metadata": {"gate": "new_checkout", "gateValue": "true"},
        "statsigMetadata": {"stableID": None},
        "user": None,
    },
    "event of nobody": {"eventName": "checkout", "userID": "", "statsigMetadata": {"stableID": "s1"}},
    "event with a time in digits": {"eventName": "checkout", "userID": "u1", "timestamp": "1709296496789"},
    "event with a fraction of a time": {
        "eventName": "checkout",
        "timestamp": 1709296496789.5,
        "user": {"userID": "u2"},
    },
    "event with a null time": {"eventName": "checkout", "userID": None, "timestamp": None, "time": 1709296496789},
    "event of an empty user ID": {"eventName": "checkout", "user": {"userID": ""}, "timestamp": 1709296496789},
    "empty event": {"eventName": "checkout", "user": {}, "statsigMetadata": {}},
    "bare event": {"eventName": "segment::Paid", "userID": "u1", "timestamp": 1709296496789},
}
_OUTBOUND: Final[Mapping[str, OutboundConfig]] = {
    "documented": OutboundConfig(),
    "deliverable": OutboundConfig(profile="deliverable"),
    "another anonymous ID": OutboundConfig(profile="deliverable", anonymous_id="companyID"),
    "filtered": OutboundConfig(
        filters=OutboundFilter(exposures=False, include_new_events=False, events={"checkout": True})
    ),
    "all let through": OutboundConfig(allow_segment_origin=True, drop_placeholder_ids=True),
    "several anonymous IDs and a group": OutboundConfig(
        profile="deliverable", anonymous_id=["deviceID", "companyID", "stableID"], group_id="companyID"
    ),
    "message IDs of the content": OutboundConfig(
        profile="deliverable", message_id="content", drop_placeholder_ids=True, group_id="stableID"
    ),
    "fields to drop by": OutboundConfig(
        filters=OutboundFilter(
            drop_where=[
                FieldFilter(field="user.custom.seats", matches=["7"]),
                FieldFilter(field="metadata.gate", matches=["new_*"]),
                FieldFilter(field="userID", matches=["u2"]),
                FieldFilter(field="value", matches=["9.5"]),
                FieldFilter(field="eventName", matches=["segment::*"]),
            ]
        )
    ),
    "a field that only the reference looks at": OutboundConfig(
        filters=OutboundFilter(drop_where=[FieldFilter(field="statsigMetadata.sdkType", matches=["js-client"])])
    ),
}
OUTBOUND_CONFIGS: Final = {name: IntegrationConfig(outbound=outbound) for name, outbound in _OUTBOUND.items()}
