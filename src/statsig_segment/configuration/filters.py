"""Decide which events pass: by name, by type, and by the value of a field."""

import re
from collections.abc import Callable, Mapping
from fnmatch import translate
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

import attrs

from statsig_segment import statsig
from statsig_segment._json.javascript import scalar_text
from statsig_segment._json.paths import Arrays, FieldPath
from statsig_segment._json.values import EMPTY, freeze
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.validators import (
    PATH,
    by_type,
    checked,
    derived,
    expect,
    name_set,
    read_path,
    rows,
    table,
)
from statsig_segment.errors import TranslationError
from statsig_segment.segment.calls import CALL_TYPES, SegmentEvent, find, walk
from statsig_segment.statsig.events import StatsigEvent, to_log_event

if TYPE_CHECKING:  # a program that only translates calls need not import the exports
    from statsig_segment.statsig.exports import ConfigChange, ExportedEvent


_PRINTED: Final = frozenset({str, int, float, bool})
_MATCHES: Final = expect("a list of one or more non-empty strings", lambda patterns: patterns and all(patterns))
_TYPES: Final = expect(f"a list of {', '.join(CALL_TYPES)}", lambda types: types is None or types <= set(CALL_TYPES))


def _cut_patterns(row: Any) -> re.Pattern[str]:
    """Return one compiled pattern for all patterns of a row."""
    # `translate` writes each `*` as an atomic group, so matching is linear; a bracket is nothing special here.
    return re.compile("|".join(translate(text.replace("[", "[[]")) for text in row.matches))


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class FieldFilter:
    """Drop events by what a field holds: crawlers by their user agent, say, or a test tenant (FL-1, FL-2).

    In a pattern, `*` stands for any characters and `?` for one. A pattern has to match the whole value, in the same
    letter case; a number is written as JavaScript prints it, a boolean as `true` or `false`. It never matches an
    object, an array or null.

    Raises:
        ConfigError: Code `wrong_type` or `wrong_value`.

    Rules: FL-1, FL-2.
    Source: our policy.

    >>> FieldFilter(field="context.userAgent", matches=["*Bot/*"]).fits("SomeBot/2.1")
    True

    """

    field: str = attrs.field(validator=PATH)
    """A top-level field, or a path as in an ID mapping."""
    matches: tuple[str, ...] = attrs.field(converter=rows, validator=_MATCHES)
    """One or more patterns; one that fits is enough."""
    _checked: None = checked()
    _path: FieldPath = derived(read_path)
    _pattern: re.Pattern[str] = derived(_cut_patterns)

    def fits(self, value: Any) -> bool:
        """Return whether one of the patterns fits a value."""
        if type(value) not in _PRINTED:
            return False
        try:
            text = scalar_text(value)
        except TranslationError:  # an integer that Python refuses to print
            return False
        return text is not None and self._pattern.match(text) is not None


def _dropped_by(rows: tuple[FieldFilter, ...], value_at: Callable[[FieldPath, Arrays], Any]) -> str | None:
    """Return the first row that fits the value at its path, as `drop_where[0]`; `None` if no row fits."""
    arrays: Arrays = {}
    for index, row in enumerate(rows):
        path = row._path  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the model's own module
        if row.fits(value_at(path, arrays)):
            return f"drop_where[{index}]"
    return None


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class InboundFilter:
    """Choose Segment calls by event name without the prefix, by type, and by what a field holds (FL-1).

    Names are exact and case-sensitive. An identify has no name: only `types` and `drop_where` filter it.

    Raises:
        ConfigError: Code `wrong_type` or `wrong_value`.

    Rules: FL-1.
    Source: Statsig's page on event filtering, and its console; `types` and `drop_where` are our policy.

    >>> InboundFilter(include=["Signed Up"], types=["track"]).exclude
    frozenset()

    """

    include: frozenset[str] | None = attrs.field(default=None, converter=name_set)
    """The only names that pass; `None` means all, and an empty set none."""
    exclude: frozenset[str] = attrs.field(default=frozenset[str](), converter=name_set)
    """The names that do not pass."""
    types: frozenset[str] | None = attrs.field(default=None, converter=name_set, validator=_TYPES)
    """The only types of call that pass; `None` means all."""
    drop_where: tuple[FieldFilter, ...] = attrs.field(default=(), converter=rows)
    """Calls that one of these fits do not pass."""

    def stopped_by(self, event: SegmentEvent, naming: EventNaming) -> str | None:
        """Return the setting that keeps a call out, such as `exclude` or `drop_where[0]`, or None if it passes."""
        if self.types is not None and event.type not in self.types:
            return "types"
        if self.include is not None or self.exclude:
            name = naming.name(event)
            if name is not None and self.include is not None and name not in self.include:
                return "include"
            if name in self.exclude:
                return "exclude"
        return _dropped_by(self.drop_where, lambda path, arrays: find(event, path, arrays)[0])


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class OutboundFilter:
    """Choose Statsig events as the console's outgoing panel does, and by what a field holds (FL-2).

    Statsig's other internal events (`statsig::…`) are never sent.

    Raises:
        ConfigError: Code `wrong_type` or `wrong_value`.

    Rules: FL-2.
    Source: Statsig's console; `drop_where` is our policy.

    >>> OutboundFilter(include_new_events=False, events={"checkout": True}).events["checkout"]
    True

    """

    exposures: bool = True
    """Whether exposures pass."""
    config_changes: bool = True
    """Whether config changes pass."""
    include_new_events: bool = True
    """Whether any other event passes that has no entry in `events`."""
    events: Mapping[str, bool] = attrs.field(default=EMPTY, converter=table)
    """Event name -> whether it passes."""
    drop_where: tuple[FieldFilter, ...] = attrs.field(default=(), converter=rows)
    """Events that one of these fits do not pass; a row of a table is looked at as the event that it is about."""

    def stopped_by(self, event: "StatsigEvent | ExportedEvent | ConfigChange") -> str | None:
        """Return the setting that stops an event, such as `exposures` or `drop_where[0]`, or None if it passes.

        What never leaves, whatever the settings, is stopped by the empty text.
        """
        name = event.event_name
        setting, passes = "events" if name in self.events else "include_new_events", False
        if name in statsig.EXPOSURES:
            setting, passes = "exposures", self.exposures
        elif name == statsig.CONFIG_CHANGE:
            setting, passes = "config_changes", self.config_changes
        elif name.startswith(statsig.INTERNAL_PREFIX):
            setting = ""
        else:
            passes = self.events.get(name, self.include_new_events)
        if not passes or not self.drop_where:
            return None if passes else setting
        fields = freeze(to_log_event(event)) if isinstance(event, StatsigEvent) else event.fields
        return _dropped_by(self.drop_where, lambda path, arrays: _value_at(fields, path, arrays))


def _value_at(fields: Mapping[str, Any], path: FieldPath, arrays: Arrays) -> Any:
    """Return what an export holds at a path; a top-level field of exactly that name stops the walk, as in ID-4."""
    return fields[path.field] if path.field in fields else walk(fields.get(path.name), path, arrays)[0]


_Call = TypeVar("_Call", bound=SegmentEvent)
_Export = TypeVar("_Export", bound="StatsigEvent | ExportedEvent | ConfigChange")
_NAMING: Final = EventNaming()


@overload
def apply_filters(event: _Call, filters: InboundFilter, *, naming: EventNaming = ...) -> _Call | None: ...
@overload
def apply_filters(event: _Export, filters: OutboundFilter, *, naming: EventNaming = ...) -> _Export | None: ...
def apply_filters(event: Any, filters: InboundFilter | OutboundFilter, *, naming: EventNaming = _NAMING) -> Any:
    """Return the event itself if it passes the filters, else `None`.

    Args:
        event: A Segment call, or a Statsig event or config change.
        filters: An `InboundFilter` for a call, an `OutboundFilter` for anything else.
        naming: Names calls, without the prefix, for the filters by name. It matters for calls only.

    Returns:
        The very event, or `None`.

    Rules: FL-1, FL-2, FL-3.
    Source: Statsig's page on event filtering, and its console.

    >>> from statsig_segment import InboundFilter, Track, apply_filters
    >>> apply_filters(Track(event="Heartbeat", user_id="u1"), InboundFilter(exclude=["Heartbeat"])) is None
    True

    """
    if isinstance(filters, InboundFilter):
        return event if filters.stopped_by(event, naming) is None else None
    return event if filters.stopped_by(event) is None else None
