"""Decide which calls are skipped before they are mapped, and by which setting; this includes the filters by name."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from statsig_segment import segment
from statsig_segment._json.values import JsonValue, is_object
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.segment.calls import SegmentEvent, losses_of

ALL: Final = "All"
"""The entry of `integrations` for every destination, as Segment's clients spell it."""
STATSIG_LIBRARY: Final = "statsig"


class Skip(NamedTuple):
    """Why a call is skipped: the reason, the rule, and the setting of the configuration that decided."""

    reason: str
    rule: str
    setting: str | None = None


UNSUPPORTED_TYPE: Final = Skip("unsupported_type", "IN-2")
IDENTIFY_WITHOUT_AUDIENCE: Final = Skip("identify_without_audience", "AU-1")


def find_skip(call: SegmentEvent, config: InboundConfig) -> Skip | None:
    """Return why a call is skipped before it is mapped, or None if it goes on (FL-1, FL-4, FL-5, FL-8)."""
    library = call.context.get(segment.LIBRARY)
    is_from_statsig = is_object(library) and library.get(segment.NAME) == STATSIG_LIBRARY
    if is_from_statsig and not config.allow_statsig_origin:  # sending it back would count it twice
        return Skip("statsig_origin", "FL-5", "inbound.allow_statsig_origin")
    if config.consent_categories and _is_denied(call, config.consent_categories):
        return Skip("consent_denied", "FL-8", "inbound.consent_categories")
    if config.honor_integrations and is_disabled(call.integrations, config.integration_names):
        return Skip("integration_disabled", "FL-4", "inbound.integration_names")
    setting = config.filters.stopped_by(call, config.naming)
    return None if setting is None else Skip("filtered", "FL-1", f"inbound.filters.{setting}")


def is_disabled(integrations: Mapping[str, Any], names: Collection[str]) -> bool:
    """Return whether the sender keeps a call from Statsig: an entry for Statsig beats `All` in any case (FL-4)."""
    own = [value for name in names if (value := integrations.get(name)) is not None]
    if own:
        return any(value is False for value in own)
    return any(value is False and name.lower() == ALL.lower() for name, value in integrations.items())


def _is_denied(call: SegmentEvent, categories: Collection[str]) -> bool:
    """Return whether a call lacks consent; a consent that could not be read does not count (IN-10)."""
    context = losses_of(call).get(segment.CONTEXT)
    lost = context.get(segment.CONSENT) if is_object(context) else None
    lost = lost.get(segment.CATEGORY_PREFERENCES) if is_object(lost) else lost
    is_unreadable = isinstance(lost, str)
    consent = call.context.get(segment.CONSENT)
    return is_unreadable or denies_consent(consent, categories, has_integrations=bool(call.integrations))


def denies_consent(
    consent: JsonValue | tuple[Any, ...], categories: Collection[str], *, has_integrations: bool
) -> bool:
    """Return whether the user refused one of the categories, row by row as in Segment's table (FL-8).

    An empty array counts as an empty object: PHP writes it so. Anything else that is not an object denies, because a
    refusal that cannot be read does not count as consent.
    """
    if consent is None:
        return False
    if not isinstance(consent, dict):
        return has_integrations or bool(consent) or not isinstance(consent, list | tuple)
    preferences: JsonValue = consent.get(segment.CATEGORY_PREFERENCES)
    if preferences is None:
        return has_integrations
    return not isinstance(preferences, dict) or any(preferences.get(category) is not True for category in categories)
