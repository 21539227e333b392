"""Rules read from top to bottom, for properties of more than one module."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tests.support.values import is_object


def goes_on(consent: Any, integrations: Any, categories: Collection[str]) -> bool:
    """FL-8, where any category is listed."""
    has_entries = is_object(integrations) and bool(integrations)
    if consent is None:
        return True
    if consent in ([], ()):
        return not has_entries
    if not is_object(consent):
        return False
    preferences = consent.get("categoryPreferences")
    if preferences is None:
        return not has_entries
    return is_object(preferences) and all(preferences.get(category) is True for category in categories)


def is_disabled(integrations: Mapping[str, Any], names: Collection[str]) -> bool:
    """FL-4, where `integrations` is honored."""
    own = [integrations[name] for name in names if integrations.get(name) is not None]
    if own:
        return any(entry is False for entry in own)
    return any(name.lower() == "all" and entry is False for name, entry in integrations.items())
