"""The public names are the ones of the contract, and each can be imported from the package itself."""

from __future__ import annotations

import attrs
import pytest

import statsig_segment
from statsig_segment import (
    ConfigError,
    Group,
    Identify,
    Page,
    Screen,
    SegmentEvent,
    SegmentEventError,
    SignatureError,
    StatsigEventError,
    StatsigSegmentError,
    Track,
    TranslationError,
)

# The table of the contract, row by row.
SEGMENT_MODELS = ("Group", "Identify", "Page", "Screen", "SegmentEvent", "Track")
STATSIG_MODELS = (
    "AudienceFold",
    "AudienceUpdate",
    "ConfigChange",
    "ExportedEvent",
    "IdListPatch",
    "StatsigEvent",
    "StatsigUser",
)
WIRE_SHAPES = (
    "EventWebhook",
    "LogEvent",
    "LogEventRequest",
    "LogEventUser",
    "OutboundTrack",
    "SegmentBatch",
)
UNIONS = ("ExportOutcome", "LogOutcome", "Outcome")
CONFIGURATION = (
    "EventNaming",
    "IdMapping",
    "InboundConfig",
    "FieldFilter",
    "InboundFilter",
    "IntegrationConfig",
    "OutboundConfig",
    "OutboundFilter",
    "load_config",
)
RESULTS = ("Explanation", "Issue", "Rejected", "Row", "Skipped")
ERRORS = (
    "ConfigError",
    "SegmentEventError",
    "SignatureError",
    "StatsigEventError",
    "StatsigSegmentError",
    "TranslationError",
)
INBOUND = (
    "apply_filters",
    "apply_id_mappings",
    "audience_update",
    "custom_ids_property",
    "custom_property",
    "explain",
    "fold_audience_updates",
    "log_events",
    "parse_segment_event",
    "split_segment_batch",
    "to_event_webhook",
    "to_log_event",
    "to_log_event_request",
    "to_statsig_event",
    "translate",
    "translate_many",
)
OUTBOUND = (
    "config_change_event",
    "export",
    "explain_export",
    "export_many",
    "parse_statsig_event",
    "split_statsig_export",
    "to_outbound_track",
    "to_segment_batches",
    "url_verification_code",
)
BEFORE_SWITCHING_ON = ("Comparison", "Differences", "Join", "Preview", "compare", "differences", "join", "preview")
TRUST = ("verify_segment_signature", "verify_statsig_signature")

MODELS = (*SEGMENT_MODELS, *STATSIG_MODELS, *CONFIGURATION[:-1], *RESULTS)
NAMES = (
    *MODELS,
    *WIRE_SHAPES,
    *UNIONS,
    "COMPILED",
    "Seen",
    "load_config",
    *ERRORS,
    *INBOUND,
    *OUTBOUND,
    *BEFORE_SWITCHING_ON,
    *TRUST,
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    assert getattr(statsig_segment, name).__doc__


def test_there_are_no_others() -> None:
    assert set(statsig_segment.__all__) == {*NAMES, "__version__"}


def test_each_is_listed_once() -> None:
    assert len(statsig_segment.__all__) == len(set(statsig_segment.__all__))


def test_a_segment_event_is_one_of_five() -> None:
    kinds = {Track, Page, Screen, Group, Identify}

    assert all(issubclass(kind, SegmentEvent) for kind in kinds)


@pytest.mark.parametrize("error", [SegmentEventError, StatsigEventError, TranslationError, ConfigError, SignatureError])
def test_an_error_is_of_the_family_and_a_value_error(error: type[Exception]) -> None:
    assert issubclass(error, StatsigSegmentError)
    assert issubclass(error, ValueError)


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"SegmentEvent"}))
def test_a_model_is_frozen_and_takes_keywords_only(name: str) -> None:
    model = getattr(statsig_segment, name)

    assert attrs.has(model)
    assert all(field.kw_only for field in attrs.fields(model) if field.init)
    assert all(field.on_setattr is None for field in attrs.fields(model))  # setting fails as a whole, not by field
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(model.__new__(model), "anything", 1)  # noqa: B010 - no type checker would let it stand


def test_the_package_lists_its_public_names_and_no_others() -> None:
    assert dir(statsig_segment) == sorted(statsig_segment.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'translte'"):
        getattr(statsig_segment, "translte")  # noqa: B009 - as an import asks for it
