"""The names of events: templates for each type of call; what is filtered and sent goes by them (US-5, US-6)."""

from collections.abc import Mapping
from string import Formatter
from typing import Any, Final, Self, TypeAlias

import attrs

from statsig_segment import segment
from statsig_segment._json.values import FrozenDict
from statsig_segment.configuration.validators import Attribute, by_type, checked, derived, problem
from statsig_segment.segment.calls import Group, Identify, Page, Screen, SegmentEvent, Track, name_part

TEMPLATE_PARTS: Final = FrozenDict(
    {
        "prefix": (),
        "track": (segment.EVENT,),
        "page": (segment.CATEGORY, segment.NAME),
        "page_unnamed": (),
        "screen": (segment.CATEGORY, segment.NAME),
        "screen_unnamed": (),
        "group": (segment.GROUP_ID,),
    }
)
"""Template -> the placeholders that it may name (US-6)."""

Named: TypeAlias = Track | Page | Screen | Group
"""The calls that have a name: all but identify."""


Template: TypeAlias = tuple[tuple[str, str | None], ...]
"""Literal text, and the placeholder after it, if any; and so on."""


def _cut(text: str, key: str) -> Template:
    """Parse a template into its pieces; raise `ConfigError` for a placeholder that it may not use."""
    try:
        pieces = list(Formatter().parse(text))
    except ValueError:
        pieces = None
    if pieces is None:  # raised here, so that no error of `Formatter`, which quotes the text, is its context
        raise problem("wrong_value", key, "the template's braces do not match")
    for _, placeholder, format_spec, conversion in pieces:
        if placeholder is not None and (placeholder not in TEMPLATE_PARTS[key] or format_spec or conversion):
            allowed = ", ".join(f"{{{name}}}" for name in TEMPLATE_PARTS[key]) or "none"
            raise problem("unknown_placeholder", key, f"the template names an unknown placeholder; allowed: {allowed}")
    return tuple((literal, placeholder) for literal, placeholder, _, _ in pieces)


def _check_template(_naming: object, attribute: Attribute, text: str) -> None:
    _cut(text, attribute.name)


def _cut_all(naming: Any) -> Mapping[str, Template]:
    return FrozenDict({key: _cut(getattr(naming, key), key) for key in TEMPLATE_PARTS})


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class EventNaming:
    """How calls become event names: the prefix, and a template for each type of call (US-5, US-6).

    A part that is missing takes the one space before it along. The default is Segment's classic rule, a policy:
    Statsig documents only the prefix, and that a track keeps its name.

    Raises:
        ConfigError: Code `unknown_placeholder`, `wrong_type` or `wrong_value`.

    Rules: US-5, US-6.
    Source: Statsig's page on Segment for the prefix; the names of pages and screens are Segment's older ones.

    >>> from statsig_segment import EventNaming, Page
    >>> EventNaming().full_name(Page(category="Docs", name="Home"))
    'segment::Viewed Docs Home Page'

    """

    prefix: str = attrs.field(default="segment::", validator=_check_template)
    """What every name begins with."""
    track: str = attrs.field(default="{event}", validator=_check_template)
    """The name of a track call, with the placeholder `{event}`."""
    page: str = attrs.field(default="Viewed {category} {name} Page", validator=_check_template)
    """The name of a page call, with the placeholders `{category}` and `{name}`."""
    page_unnamed: str = attrs.field(default="Loaded a Page", validator=_check_template)
    """The name of a page call that has no part that `page` uses."""
    screen: str = attrs.field(default="Viewed {category} {name} Screen", validator=_check_template)
    """The name of a screen call, with the placeholders `{category}` and `{name}`."""
    screen_unnamed: str = attrs.field(default="Loaded a Screen", validator=_check_template)
    """The name of a screen call that has no part that `screen` uses."""
    group: str = attrs.field(default="group", validator=_check_template)
    """The name of a group call, with the placeholder `{groupId}`."""
    from_properties: bool = False
    """Take the name and category of a page or screen from its properties where it has none of its own."""
    _checked: None = checked()
    _templates: Mapping[str, Template] = derived(_cut_all)

    @classmethod
    def segment_2021(cls) -> Self:
        """Return the naming that Segment's page on its Statsig destination documented in 2021."""
        return cls(prefix="", track="segment_track:{event}", page="segment_page:{name}", screen="segment_screen:{name}")

    def name(self, event: SegmentEvent) -> str | None:
        """Return the name of an event without the prefix, as filters see it (FL-1); `None` for an identify."""
        return None if isinstance(event, Identify) else self.filled(event.type, self._parts(event))

    def full_name(self, event: Named) -> str:
        """Return the name of an event with the prefix, as it is sent (US-5)."""
        return self.prefix.format() + self.filled(event.type, self._parts(event))

    def source(self, event: Named) -> str:
        """Return the wire path of the last part in the name of an event; `$` where the templates alone make it."""
        parts = self._parts(event)
        used = [part for _, part in self._templates[event.type] if part and part in parts]
        if not used:
            return "$"
        is_own = not isinstance(event, Page | Screen) or getattr(event, event.attribute_of[used[-1]])
        return f"$.{used[-1]}" if is_own else f"$.{segment.PROPERTIES}.{used[-1]}"

    def filled(self, kind: str, parts: Mapping[str, str]) -> str:
        """Return the name that a type of call has with some parts, without the prefix.

        A page or screen without any part that its template names is unnamed (US-6).
        """
        template, unnamed = self._templates[kind], self._templates.get(f"{kind}_unnamed")
        if unnamed is not None:
            used = {part for _, part in template if part}
            if used and used.isdisjoint(parts):
                template = unnamed
        return _fill(template, parts)

    def _parts(self, event: Named) -> Mapping[str, str]:
        """Return the parts of a name that the call has, by placeholder."""
        if isinstance(event, Track):
            return {segment.EVENT: event.event}
        if isinstance(event, Group):
            return {segment.GROUP_ID: event.group_id} if event.group_id else {}
        parts = {segment.NAME: event.name, segment.CATEGORY: event.category}
        if self.from_properties:
            parts = {part: own or name_part(event.properties.get(part)) for part, own in parts.items()}
        return {part: text for part, text in parts.items() if text}


def _fill(template: Template, parts: Mapping[str, str]) -> str:
    """Return a template with the parts filled in; a missing part takes one space with it, preferably the one before."""
    text = ""
    at_start = False  # nothing but missing parts so far
    for literal, placeholder in template:
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
