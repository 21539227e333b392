"""Segment's events to Statsig and back: frozen models and pure functions; no clock, no network, no state."""

from statsig_segment._version import __version__
from statsig_segment.audiences import AudienceFold, AudienceUpdate, IdListPatch, audience_update, fold_audience_updates
from statsig_segment.batches import split_segment_batch
from statsig_segment.config import InboundConfig, IntegrationConfig, OutboundConfig
from statsig_segment.config_file import load_config
from statsig_segment.conversion import to_statsig_event
from statsig_segment.errors import (
    ConfigError,
    Issue,
    SegmentEventError,
    SignatureError,
    StatsigEventError,
    StatsigSegmentError,
    TranslationError,
)
from statsig_segment.event_names import EventNaming
from statsig_segment.explain import Explanation, Row, explain
from statsig_segment.filters import InboundFilter, OutboundFilter, apply_filters
from statsig_segment.identity import IdMapping, apply_id_mappings
from statsig_segment.inbound import translate, translate_many
from statsig_segment.outbound import config_change_event, export, export_many, to_outbound_track, to_segment_batches
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment import Group, Identify, Page, Screen, SegmentEvent, Track, parse_segment_event
from statsig_segment.signatures import verify_segment_signature, verify_statsig_signature
from statsig_segment.statsig import (
    ConfigChange,
    StatsigEvent,
    StatsigUser,
    parse_statsig_event,
    split_statsig_export,
    url_verification_code,
)
from statsig_segment.wire import to_event_webhook, to_log_event, to_log_event_request

__all__ = [
    "AudienceFold",
    "AudienceUpdate",
    "ConfigChange",
    "ConfigError",
    "EventNaming",
    "Explanation",
    "Group",
    "IdListPatch",
    "IdMapping",
    "Identify",
    "InboundConfig",
    "InboundFilter",
    "IntegrationConfig",
    "Issue",
    "OutboundConfig",
    "OutboundFilter",
    "Page",
    "Rejected",
    "Row",
    "Screen",
    "SegmentEvent",
    "SegmentEventError",
    "SignatureError",
    "Skipped",
    "StatsigEvent",
    "StatsigEventError",
    "StatsigSegmentError",
    "StatsigUser",
    "Track",
    "TranslationError",
    "__version__",
    "apply_filters",
    "apply_id_mappings",
    "audience_update",
    "config_change_event",
    "explain",
    "export",
    "export_many",
    "fold_audience_updates",
    "load_config",
    "parse_segment_event",
    "parse_statsig_event",
    "split_segment_batch",
    "split_statsig_export",
    "to_event_webhook",
    "to_log_event",
    "to_log_event_request",
    "to_outbound_track",
    "to_segment_batches",
    "to_statsig_event",
    "translate",
    "translate_many",
    "url_verification_code",
    "verify_segment_signature",
    "verify_statsig_signature",
]
