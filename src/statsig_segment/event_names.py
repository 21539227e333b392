"""The names of events: templates for each type of call; what is filtered and sent goes by them."""

from collections.abc import Mapping
from itertools import product
from string import Formatter
from typing import Any, Final, Self, TypeAlias

import attrs

from statsig_segment._validators import TEXT, problem
from statsig_segment._values import EMPTY, FrozenDict
from statsig_segment.segment import (
    CALL_TYPES,
    CATEGORY,
    EVENT,
    GROUP_ID,
    NAME,
    Group,
    Identify,
    Page,
    Screen,
    SegmentEvent,
    Track,
)

_PLACEHOLDERS: Final = FrozenDict(
    {
        "prefix": (),
        "track": (EVENT,),
        "page": (CATEGORY, NAME),
        "page_unnamed": (),
        "screen": (CATEGORY, NAME),
        "screen_unnamed": (),
        "group": (GROUP_ID,),
    }
)
"""Template -> the placeholders that it may name (US-6)."""

Named: TypeAlias = Track | Page | Screen | Group
"""The calls that have a name: all but identify."""

_VERBATIM: Final = "{event}"

_Pieces = tuple[tuple[str, str | None], ...]
_Forms = tuple[str, ...]
"""A template as %-formats, one for each choice of the parts that are there: none, the last, the first, both."""


def _pieces(template: str, key: str) -> _Pieces:
    """Cut a template into (literal text, placeholder after it); `ConfigError` for a placeholder it may not name."""
    try:
        parsed = tuple(Formatter().parse(template))
    except ValueError:
        raise problem("wrong_value", key, "the template's braces do not match") from None
    for _, placeholder, format_spec, conversion in parsed:
        if placeholder is not None and (placeholder not in _PLACEHOLDERS[key] or format_spec or conversion):
            allowed = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS[key]) or "none"
            raise problem("unknown_placeholder", key, f"the template names an unknown placeholder; allowed: {allowed}")
    return tuple((literal, placeholder) for literal, placeholder, _, _ in parsed)


def _cut(naming: Any) -> Mapping[str, _Pieces]:
    texts: dict[str, Any] = {key: getattr(naming, key) for key in _PLACEHOLDERS}
    return FrozenDict({key: _pieces(text, key) for key, text in texts.items() if isinstance(text, str)})


def _all_forms(naming: Any) -> Mapping[str, _Forms]:
    templates = naming._templates  # noqa: SLF001 - the model's own default
    return FrozenDict({kind: _forms(templates, kind) for kind in CALL_TYPES if kind in templates})


def _fill_prefix(naming: Any) -> str:
    return _fill(naming._templates.get("prefix", ()), EMPTY)  # noqa: SLF001 - the model's own default


@attrs.frozen(kw_only=True, slots=False)
class EventNaming:
    """How calls become event names: the prefix, and a template for each type of call (US-5, US-6).

    Shape: templates with the placeholders `{event}` in `track`, `{category}` and `{name}` in `page` and `screen`,
    `{groupId}` in `group`; a missing part takes the one space before it along, and a page or screen with no part at
    all has the `_unnamed` name. The default is Segment's classic rule, a policy: Statsig documents only the prefix and
    that a track keeps its name.
    Errors: `ConfigError` with code `unknown_placeholder`, `wrong_type` or `wrong_value`.

    >>> from statsig_segment import EventNaming, Page
    >>> EventNaming().full_name(Page(category="Docs", name="Home"))
    'segment::Viewed Docs Home Page'
    """

    prefix: str = attrs.field(default="segment::", validator=TEXT)
    track: str = attrs.field(default=_VERBATIM, validator=TEXT)
    page: str = attrs.field(default="Viewed {category} {name} Page", validator=TEXT)
    page_unnamed: str = attrs.field(default="Loaded a Page", validator=TEXT)
    screen: str = attrs.field(default="Viewed {category} {name} Screen", validator=TEXT)
    screen_unnamed: str = attrs.field(default="Loaded a Screen", validator=TEXT)
    group: str = attrs.field(default="group", validator=TEXT)
    # Cut once, so that a right template costs little later; the validators refuse what is no string.
    _templates: Mapping[str, _Pieces] = attrs.field(
        init=False, default=attrs.Factory(_cut, takes_self=True), eq=False, repr=False
    )
    _forms: Mapping[str, _Forms] = attrs.field(
        init=False, default=attrs.Factory(_all_forms, takes_self=True), eq=False, repr=False
    )
    _prefix: str = attrs.field(init=False, default=attrs.Factory(_fill_prefix, takes_self=True), eq=False, repr=False)

    @classmethod
    def segment_2021(cls) -> Self:
        """Give the names that Segment's own Statsig destination page printed in 2021."""
        return cls(prefix="", track="segment_track:{event}", page="segment_page:{name}", screen="segment_screen:{name}")

    def name(self, event: SegmentEvent) -> str | None:
        """Name an event without the prefix, as filters see it (FL-1); an identify has no name: `None`."""
        if isinstance(event, Track):
            if self.track == _VERBATIM:
                return event.event
            return self._forms["track"][bool(event.event)] % {EVENT: event.event}
        if isinstance(event, Group):
            return self._forms["group"][bool(event.group_id)] % {GROUP_ID: event.group_id}
        if isinstance(event, Identify):
            return None
        category, name = event.category, event.name
        return self._forms[event.type][2 * bool(category) + bool(name)] % {CATEGORY: category, NAME: name}

    def full_name(self, event: Named) -> str:
        """Name an event as it is sent: prefix and name (US-5)."""
        return f"{self._prefix}{self.name(event)}"

    def source(self, event: SegmentEvent) -> str | None:
        """Give the wire path that the name of an event comes from, `None` where the templates alone make it."""
        used = [name for _, name in self._templates.get(event.type, ()) if name and getattr(event, event.held[name])]
        return f"$.{used[-1]}" if used else None


def _forms(templates: Mapping[str, _Pieces], kind: str) -> _Forms:
    """Fill the template of a type of call once for each choice of parts, so that naming is quick."""
    pieces, allowed = templates[kind], _PLACEHOLDERS[kind]
    used = {placeholder for _, placeholder in pieces if placeholder}
    forms: list[str] = []
    for there in product((False, True), repeat=len(allowed)):
        parts = {name: f"%({name})s" for name, is_there in zip(allowed, there, strict=True) if is_there}
        unnamed = templates.get(f"{kind}_unnamed") if used and used.isdisjoint(parts) else None
        forms.append(_fill(_escaped(pieces if unnamed is None else unnamed), parts))
    return tuple(forms)


def _escaped(pieces: _Pieces) -> _Pieces:
    return tuple((literal.replace("%", "%%"), placeholder) for literal, placeholder in pieces)


def _fill(pieces: _Pieces, parts: Mapping[str, str | None]) -> str:
    """Put the parts into a template; a missing one takes along the space before it, or at the start that after it."""
    text = ""
    at_start = False  # nothing but missing parts so far
    for literal, placeholder in pieces:
        text += literal[1:] if at_start and literal.startswith(" ") else literal
        part = parts.get(placeholder) if placeholder else None
        if part:
            text += part
        elif placeholder and literal.endswith(" "):
            text = text.removesuffix(" ")
        elif placeholder:
            at_start = not text
            continue
        at_start = False
    return text
