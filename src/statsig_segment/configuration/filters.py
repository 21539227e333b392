"""Which events pass: by name and type, by the `integrations` object, by where they came from; changes nothing."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar, overload

import attrs
from attrs import validators

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.validators import A_BOOL, NAMES, NAMES_OR_NONE, expect, name_set, table
from statsig_segment.segment.calls import CALL_TYPES, SegmentEvent
from statsig_segment.statsig.events import StatsigEvent
from statsig_segment.statsig.exports import ConfigChange, ExportedEvent

_NAMES: Final[type[frozenset[str]]] = frozenset
_EVENTS: Final = expect(
    "a table of event names and true or false",
    validators.deep_mapping(validators.instance_of(str), validators.instance_of(bool), validators.instance_of(dict)),
)
_TYPES: Final = expect(
    f"a list of {', '.join(CALL_TYPES)}",
    validators.optional(validators.deep_iterable(validators.in_(CALL_TYPES), validators.instance_of(_NAMES))),
)


@attrs.frozen(kw_only=True, slots=False)
class InboundFilter:
    """Choose Segment calls by event name without the prefix, and by type (FL-1).

    Shape: `include` (only those; `None` means all, an empty list none), `exclude` (all but those), `types` (only those
    types of call; `None` means all). Exact and case-sensitive. An identify has no name: only `types` filters it.
    Errors: `ConfigError` with code `wrong_type` or `wrong_value`.

    >>> InboundFilter(include=["Signed Up"], types=["track"]).exclude
    frozenset()
    """

    include: frozenset[str] | None = attrs.field(default=None, converter=name_set, validator=NAMES_OR_NONE)
    exclude: frozenset[str] = attrs.field(default=frozenset[str](), converter=name_set, validator=NAMES)
    types: frozenset[str] | None = attrs.field(default=None, converter=name_set, validator=[NAMES_OR_NONE, _TYPES])

    def passes(self, event: SegmentEvent, naming: EventNaming) -> bool:
        """Say whether a call passes."""
        if self.types is not None and event.type not in self.types:
            return False
        if self.include is None and not self.exclude:
            return True
        name = naming.name(event)
        return name is None or ((self.include is None or name in self.include) and name not in self.exclude)


@attrs.frozen(kw_only=True, slots=False)
class OutboundFilter:
    """Choose Statsig events as the console's outgoing panel does (FL-2).

    Shape: `exposures`, `config_changes` switch those kinds; any other name follows its entry in `events`, or
    `include_new_events` where it has none. Statsig's other internal events (`statsig::…`) never leave.
    Errors: `ConfigError` with code `wrong_type`.

    >>> OutboundFilter(include_new_events=False, events={"checkout": True}).passes("checkout")
    True
    """

    exposures: bool = attrs.field(default=True, validator=A_BOOL)
    config_changes: bool = attrs.field(default=True, validator=A_BOOL)
    include_new_events: bool = attrs.field(default=True, validator=A_BOOL)
    events: Mapping[str, bool] = attrs.field(default=EMPTY, converter=table, validator=_EVENTS)

    def passes(self, name: str) -> bool:
        """Say whether an event of this name passes."""
        if name in statsig.EXPOSURES:
            return self.exposures
        if name == statsig.CONFIG_CHANGE:
            return self.config_changes
        return not name.startswith(statsig.INTERNAL_PREFIX) and self.events.get(name, self.include_new_events)


_Call = TypeVar("_Call", bound=SegmentEvent)
_Export = TypeVar("_Export", bound=StatsigEvent | ExportedEvent | ConfigChange)
_NAMING: Final = EventNaming()


@overload
def apply_filters(event: _Call, filters: InboundFilter, *, naming: EventNaming = ...) -> _Call | None: ...
@overload
def apply_filters(event: _Export, filters: OutboundFilter, *, naming: EventNaming = ...) -> _Export | None: ...
def apply_filters(event: Any, filters: InboundFilter | OutboundFilter, *, naming: EventNaming = _NAMING) -> Any:
    """Give the event itself where it passes the filters, `None` where it does not.

    Shape: a Segment call with an `InboundFilter`, or a Statsig event or config change with an `OutboundFilter`.
    `naming` matters inbound only: page, screen and group calls are filtered by the name it gives them, without the
    prefix.
    Errors: none.
    Rules: FL-1, FL-2, FL-3. Source: Statsig's page on event filtering, and its console.

    >>> from statsig_segment import InboundFilter, Track, apply_filters
    >>> apply_filters(Track(event="Heartbeat", user_id="u1"), InboundFilter(exclude=["Heartbeat"])) is None
    True
    """
    if isinstance(filters, InboundFilter):
        return event if filters.passes(event, naming) else None
    return event if filters.passes(event.event_name) else None
