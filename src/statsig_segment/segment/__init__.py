"""Segment's side: the names that its calls have on the wire, each written here and nowhere else."""

from typing import Final

TYPE: Final = "type"
EVENT: Final = "event"
NAME: Final = "name"
CATEGORY: Final = "category"
USER_ID: Final = "userId"
ANONYMOUS_ID: Final = "anonymousId"
GROUP_ID: Final = "groupId"
MESSAGE_ID: Final = "messageId"
CONTEXT: Final = "context"
INTEGRATIONS: Final = "integrations"
PROPERTIES: Final = "properties"
TRAITS: Final = "traits"
TIMESTAMP: Final = "timestamp"
ORIGINAL_TIMESTAMP: Final = "originalTimestamp"
RECEIVED_AT: Final = "receivedAt"
SENT_AT: Final = "sentAt"
TIME_FIELDS: Final = (TIMESTAMP, ORIGINAL_TIMESTAMP, RECEIVED_AT, SENT_AT)
"""The fields that may hold the time, in order (IN-5)."""
LIBRARY: Final = "library"
CONSENT: Final = "consent"
CATEGORY_PREFERENCES: Final = "categoryPreferences"

# The control keys, by which a call speaks to Statsig.
CUSTOM_IDS: Final = "statsigCustomIDs"
CUSTOM: Final = "statsigCustom"
ENVIRONMENT: Final = "statsigEnvironment"
CONTROL_KEYS: Final = frozenset({CUSTOM_IDS, CUSTOM, ENVIRONMENT})
USER_ID_TYPE: Final = "userID"
"""The one ID type that is not a custom ID; Statsig's SDKs compare it in lower case (ID-9)."""

NEVER_EVENTS: Final = frozenset({"alias", "delete"})
"""The types of call that can never make an event (IN-2)."""

# Envelopes: Segment's own, and Amazon EventBridge's (IN-8).
BATCH: Final = "batch"
DETAIL: Final = "detail"
DETAIL_TYPE: Final = "detail-type"

# What Engage writes into the context of an audience membership (AU-2).
PERSONAS: Final = "personas"
COMPUTATION_CLASS: Final = "computation_class"
COMPUTATION_KEY: Final = "computation_key"
