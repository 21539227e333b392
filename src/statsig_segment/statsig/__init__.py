"""Statsig's side: the names that its events have on the wire, each written here and nowhere else."""

from typing import Final

EVENT_NAME: Final = "eventName"
USER: Final = "user"
USER_ID: Final = "userID"
CUSTOM_IDS: Final = "customIDs"
CUSTOM: Final = "custom"
ENVIRONMENT: Final = "statsigEnvironment"
TIER: Final = "tier"
EMAIL: Final = "email"
TIME: Final = "time"
TIMESTAMP: Final = "timestamp"
VALUE: Final = "value"
METADATA: Final = "metadata"
STATSIG_METADATA: Final = "statsigMetadata"
EVENTS: Final = "events"

# What only exports have.
STABLE_ID: Final = "stableID"
TIME_UUID: Final = "timeUUID"
UNIT_ID: Final = "unitID"
SDK_TYPE: Final = "sdkType"
PRIVATE_ATTRIBUTES: Final = "privateAttributes"
DATA: Final = "data"

# Statsig's own events.
INTERNAL_PREFIX: Final = "statsig::"
CONFIG_CHANGE: Final = "statsig::config_change"
EXPOSURES: Final = frozenset(
    f"statsig::{kind}_exposure" for kind in ("gate", "config", "experiment", "layer", "holdout")
)
"""The events that `OutboundFilter.exposures` switches (FL-2)."""

# What marks an event that came from Segment (FL-7).
SEGMENT_PREFIX: Final = "segment::"
SEGMENT_SDK: Final = "segment"
