"""Segment's events to Statsig and back: frozen models and pure functions; no clock, no network, no state."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from statsig_segment._json.values import FrozenDict
from statsig_segment._version import __version__
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.filters import FieldFilter, InboundFilter, OutboundFilter, apply_filters
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig, OutboundConfig
from statsig_segment.errors import (
    ConfigError,
    Issue,
    SegmentEventError,
    SignatureError,
    StatsigEventError,
    StatsigSegmentError,
    TranslationError,
)
from statsig_segment.inbound.audiences import (
    AudienceFold,
    AudienceUpdate,
    IdListPatch,
    audience_update,
    fold_audience_updates,
)
from statsig_segment.inbound.conversion import to_statsig_event
from statsig_segment.inbound.fast_lane import COMPILED
from statsig_segment.inbound.identity import apply_id_mappings
from statsig_segment.inbound.translate import LogOutcome, Outcome, Seen, log_events, translate, translate_many
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.arrays import custom_ids_property, custom_property
from statsig_segment.segment.calls import Group, Identify, Page, Screen, SegmentEvent, Track, parse_segment_event
from statsig_segment.statsig.events import (
    EventWebhook,
    LogEvent,
    LogEventRequest,
    LogEventUser,
    StatsigEvent,
    StatsigUser,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
)

if TYPE_CHECKING:
    from statsig_segment.configuration.file import load_config
    from statsig_segment.insight.comparison import Comparison, compare
    from statsig_segment.insight.differences import Differences, differences
    from statsig_segment.insight.explain import Explanation, Row, explain
    from statsig_segment.insight.exported import explain_export
    from statsig_segment.insight.join import Join, join
    from statsig_segment.insight.preview import Preview, preview
    from statsig_segment.outbound.export import (
        ExportOutcome,
        OutboundTrack,
        config_change_event,
        export,
        export_many,
        to_outbound_track,
    )
    from statsig_segment.segment.batches import SegmentBatch, split_segment_batch, to_segment_batches
    from statsig_segment.signatures import verify_segment_signature, verify_statsig_signature
    from statsig_segment.statsig.exports import (
        ConfigChange,
        ExportedEvent,
        parse_statsig_event,
        split_statsig_export,
        url_verification_code,
    )

__all__ = [
    "COMPILED",
    "AudienceFold",
    "AudienceUpdate",
    "Comparison",
    "ConfigChange",
    "ConfigError",
    "Differences",
    "EventNaming",
    "EventWebhook",
    "Explanation",
    "ExportOutcome",
    "ExportedEvent",
    "FieldFilter",
    "Group",
    "IdListPatch",
    "IdMapping",
    "Identify",
    "InboundConfig",
    "InboundFilter",
    "IntegrationConfig",
    "Issue",
    "Join",
    "LogEvent",
    "LogEventRequest",
    "LogEventUser",
    "LogOutcome",
    "OutboundConfig",
    "OutboundFilter",
    "OutboundTrack",
    "Outcome",
    "Page",
    "Preview",
    "Rejected",
    "Row",
    "Screen",
    "Seen",
    "SegmentBatch",
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
    "compare",
    "config_change_event",
    "custom_ids_property",
    "custom_property",
    "differences",
    "explain",
    "explain_export",
    "export",
    "export_many",
    "fold_audience_updates",
    "join",
    "load_config",
    "log_events",
    "parse_segment_event",
    "parse_statsig_event",
    "preview",
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

_LAZY: Final = (
    ("configuration.file", "load_config"),
    ("insight.comparison", "Comparison compare"),
    ("insight.differences", "Differences differences"),
    ("insight.explain", "Explanation Row explain"),
    ("insight.exported", "explain_export"),
    ("insight.join", "Join join"),
    ("insight.preview", "Preview preview"),
    ("outbound.export", "ExportOutcome OutboundTrack config_change_event export export_many to_outbound_track"),
    ("segment.batches", "SegmentBatch split_segment_batch to_segment_batches"),
    ("signatures", "verify_segment_signature verify_statsig_signature"),
    ("statsig.exports", "ConfigChange ExportedEvent parse_statsig_event split_statsig_export url_verification_code"),
)
_MODULES: Final = FrozenDict({name: module for module, names in _LAZY for name in names.split()})
"""What is imported when it is first asked for, and from where: translating calls needs none of it."""


def __getattr__(name: str) -> object:
    """Import a name from the table above when it is first used (PEP 562)."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return __all__
