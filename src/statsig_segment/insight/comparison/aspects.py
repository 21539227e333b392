"""What a pair is compared by: one row for each aspect, with its rule; proposes nothing (CM-2).

A row looks at one pair and gives the path of the first difference, or that there is none, or that the pair says nothing
about it. What Statsig trims or drops by its limits (US-9) says nothing: the configuration has no part in that.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from statsig_segment.configuration.models import InboundConfig
from statsig_segment.errors import join_path
from statsig_segment.insight.comparison.choice import are_alike
from statsig_segment.insight.comparison.sides import Exported, Pair, converted, mapped
from statsig_segment.segment.calls import SegmentEvent
from statsig_segment.statsig.events import StatsigEvent

USER_FIELDS: Final = (
    ("email", "email"),
    ("ip", "ip"),
    ("userAgent", "user_agent"),
    ("country", "country"),
    ("locale", "locale"),
    ("appVersion", "app_version"),
)
"""Key of `user_fields` -> attribute of `StatsigUser`."""

AGREES: Final = ""
"""In place of a path: the pair agrees."""

_TRIMMED_FROM: Final = 64  # Statsig's pages name 64 and 128 characters: no text is trimmed to less
_USER: Final = "$.user"
_METADATA: Final = "$.metadata"


@attrs.frozen(kw_only=True)
class View:
    """A pair as it is compared: what the call becomes here, and what Statsig holds of it."""

    call: SegmentEvent
    """With its IDs as they are mapped."""
    event: StatsigEvent
    """What it becomes, whether or not it would be sent; its IDs are those of `call`."""
    exported: Exported
    metadata: Mapping[str, Any]
    """The exported metadata without what is null."""


def view(pair: Pair, config: InboundConfig) -> View | None:
    """Translate the call of a pair; `None` where that is not possible."""
    call = mapped(pair.call.event, config)
    event = converted(call, config)
    if event is None:
        return None
    metadata = {key: value for key, value in pair.exported.metadata.items() if value is not None}
    return View(call=call, event=event, exported=pair.exported, metadata=metadata)


Look = Callable[[View], str | None]
"""Give the path of the first difference, `AGREES`, or `None` where a pair says nothing about the aspect."""


@attrs.frozen(kw_only=True)
class Aspect:
    """One row of the table."""

    name: str
    rule: str
    look: Look


def _of_type(kind: str, look: Look) -> Look:
    return lambda seen: look(seen) if seen.call.type == kind else None


def _same(one: Any, two: Any, path: str) -> str | None:
    """Compare two values; a text that Statsig has trimmed says nothing."""
    if are_alike(one, two):
        return AGREES
    return None if is_trimmed(one, two) else path


def is_trimmed(whole: Any, part: Any) -> bool:
    """Say whether a text may be another one, trimmed by Statsig's limits (US-9)."""
    return type(whole) is str and type(part) is str and len(part) >= _TRIMMED_FROM and whole.startswith(part)


def _first(paths: "list[str | None]") -> str | None:
    """Give the first difference among several, else whether any of them says something."""
    known = [path for path in paths if path is not None]
    return next(filter(None, known), AGREES) if known else None


def _look_name(seen: View) -> str | None:
    return _same(seen.event.event_name, seen.exported.event_name, "$.eventName")


def _look_user_id(seen: View) -> str | None:
    return _same(seen.call.user_id, seen.exported.user.user_id, f"{_USER}.userID")


def _look_custom_ids(seen: View) -> str | None:
    return _table(seen.call.custom_ids, seen.exported.user.custom_ids, f"{_USER}.customIDs")


def _look_user_fields(seen: View) -> str | None:
    here, there = seen.event.user, seen.exported.user
    return _first(
        [
            _same(getattr(here, attribute), getattr(there, attribute), f"{_USER}.{key}")
            for key, attribute in USER_FIELDS
            if getattr(here, attribute) is not None or getattr(there, attribute) is not None
        ]
    )


def _look_custom(seen: View) -> str | None:
    return _table(seen.event.user.custom, seen.exported.user.custom, f"{_USER}.custom")


def _look_environment(seen: View) -> str | None:
    return _same(seen.event.user.environment, seen.exported.user.environment, f"{_USER}.statsigEnvironment")


def _look_value(seen: View) -> str | None:
    here, there = seen.event.value, seen.exported.value
    return None if here is None and there is None else _same(here, there, "$.value")


def _look_metadata_keys(seen: View) -> str | None:
    here, there = seen.event.metadata, seen.metadata
    missing = [key for key in here if key not in there and not _may_be_dropped(seen, key)]
    different = [*missing, *(key for key in there if key not in here)]
    return join_path(_METADATA, different[0]) if different else AGREES if here or there else None


def _may_be_dropped(seen: View, key: str) -> bool:
    """Say whether Statsig may drop an entry: one with a dot in its key, or any of what is too large (US-9)."""
    return "." in key or any(issue.code == "metadata_too_large" for issue in seen.event.issues)


def _look_metadata_values(seen: View) -> str | None:
    here, there = seen.event.metadata, seen.metadata
    return _first([_same(here[key], there[key], join_path(_METADATA, key)) for key in here if key in there])


def _table(here: Mapping[str, Any], there: Mapping[str, Any], path: str) -> str | None:
    """Compare two tables key by key; both empty says nothing."""
    return _first(
        [_same(here.get(key), there.get(key), join_path(path, key)) for key in dict.fromkeys([*here, *there])]
    )


ASPECTS: Final = (
    Aspect(name="track name", rule="US-5", look=_of_type("track", _look_name)),
    Aspect(name="page name", rule="US-6", look=_of_type("page", _look_name)),
    Aspect(name="screen name", rule="US-6", look=_of_type("screen", _look_name)),
    Aspect(name="group name", rule="US-6", look=_of_type("group", _look_name)),
    Aspect(name="user ID", rule="ID-1", look=_look_user_id),
    Aspect(name="custom IDs", rule="ID-4", look=_look_custom_ids),
    Aspect(name="user fields", rule="US-2", look=_look_user_fields),
    Aspect(name="custom attributes", rule="US-1", look=_look_custom),
    Aspect(name="environment", rule="US-4", look=_look_environment),
    Aspect(name="value", rule="US-8", look=_look_value),
    Aspect(name="metadata keys", rule="US-7", look=_look_metadata_keys),
    Aspect(name="metadata values", rule="US-7", look=_look_metadata_values),
)
"""Everything that a pair is compared by; whether it is filtered needs the calls without a pair, too (`arrivals`)."""


def compared(pair: Pair, config: InboundConfig) -> dict[str, str]:
    """Compare one pair: aspect -> path of the first difference, or `AGREES`."""
    seen = view(pair, config)
    if seen is None:
        return {}
    found = {aspect.name: aspect.look(seen) for aspect in ASPECTS}
    return {name: path for name, path in found.items() if path is not None}
