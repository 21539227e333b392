"""What the fast lanes need from a configuration, computed once when the configuration is made; imports no lane."""

from collections.abc import Callable, Mapping
from itertools import compress, product
from typing import Any, Final, NamedTuple, TypeAlias

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.paths import FieldPath, Step
from statsig_segment._json.values import DEPTH, FrozenDict
from statsig_segment.configuration import CONTENT, DELIVERABLE, FLATTEN
from statsig_segment.configuration.event_names import TEMPLATE_PARTS, EventNaming
from statsig_segment.configuration.mappings import cut_row
from statsig_segment.configuration.validators import read_path
from statsig_segment.statsig.events import USER_ATTRIBUTES

PathRow: TypeAlias = tuple[str, str, tuple[Step, ...]]
"""What a path fills, the top-level key that it begins with, and its steps if it is longer than that key."""

# The reference reads 100 levels and notes what is deeper (TR-5). The lane stops well before that, and does not have to
# know where exactly: real properties are a few levels deep.
ROOM: Final = 64
"""The most levels of a property that the lane writes; deeper ones are left to the reference."""
_LONGEST_PATH: Final = DEPTH - ROOM
"""The most levels that a path may have, so that a value of `ROOM` levels at its end is within the reference's limit."""


class Plan(NamedTuple):
    """What the lane needs from an `InboundConfig`."""

    allow_statsig_origin: bool
    integration_names: frozenset[str] | None
    """The names of this destination; `None` if `integrations` is not honored."""
    consent_categories: frozenset[str]
    types: frozenset[str] | None
    include: frozenset[str] | None
    exclude: frozenset[str]
    drop_rows: tuple[tuple[PathRow, Callable[[Any], bool]], ...]
    """A path, and a function that returns whether the value there drops the call."""
    prefix: str
    forms: Mapping[str, tuple[str, ...]]
    """Type of call -> its template as %-formats, one for each combination of parts that a call can have."""
    is_verbatim: bool
    """Whether a track keeps its name."""
    names_from_properties: bool
    dotted: tuple[str, ...]
    """The dotted paths; a top-level field of exactly that name takes precedence over the path."""
    id_rows: tuple[tuple[str | None, str | None, str, tuple[Step, ...]], ...]
    """ID type, `None` for the user ID; the key in the context if the path leads into an object there; key; steps."""
    id_types: frozenset[str] | None
    user_rows: tuple[tuple[str, str, PathRow | None], ...]
    """Field of the user, in the order of the wire; its key in the context, or its path if it is elsewhere."""
    custom_rows: tuple[PathRow, ...]
    metadata_rows: tuple[PathRow, ...]
    value_properties: tuple[str, ...]
    flattens: bool
    environment: str | None


Paths: TypeAlias = Mapping[str, FieldPath]
"""What each path fills -> the path."""


def cut_plan(
    config: Any, user: Paths, custom: Paths, metadata: Paths, value_properties: tuple[str, ...]
) -> Plan | None:
    """Return the plan of an `InboundConfig`; `None` if its paths are too long for the lane."""
    paths = [cut_row(row)[1] for row in config.id_mappings] + [read_path(row) for row in config.filters.drop_where]
    paths += [path for table in (user, custom, metadata) for path in table.values()]
    # A value at the end of a very long path may be deeper than the reference reads, which the lane cannot see.
    if max(map(_levels, paths), default=0) > _LONGEST_PATH:
        return None
    naming, filters = config.naming, config.filters
    # Text of a template may contain a percent sign, which a %-format must double.
    doubled = attrs.evolve(naming, **{key: getattr(naming, key).replace("%", "%%") for key in TEMPLATE_PARTS})
    return Plan(
        allow_statsig_origin=config.allow_statsig_origin,
        integration_names=config.integration_names if config.honor_integrations else None,
        consent_categories=config.consent_categories,
        types=filters.types,
        include=filters.include,
        exclude=filters.exclude,
        drop_rows=tuple((_row("", read_path(row)), row.fits) for row in filters.drop_where),
        prefix=naming.prefix.format(),
        forms=FrozenDict({kind: _forms(doubled, kind) for kind in ("track", "page", "screen", "group")}),
        is_verbatim=naming.track == f"{{{segment.EVENT}}}",
        names_from_properties=naming.from_properties,
        dotted=tuple(dict.fromkeys(path.field for path in paths if path.moves)),
        id_rows=tuple(_id_row(*cut_row(row)) for row in config.id_mappings),
        id_types=config.id_types,
        user_rows=tuple(_user_row(name, user[name]) for name in USER_ATTRIBUTES if name in user),
        custom_rows=tuple(_row(key, path) for key, path in custom.items()),
        metadata_rows=tuple(_row(key, path) for key, path in metadata.items()),
        value_properties=value_properties,
        flattens=config.nested == FLATTEN,
        environment=config.default_environment,
    )


def _levels(path: FieldPath) -> int:
    """Return the number of objects and arrays around the value that a path leads to."""
    return sum(1 if step.selector is None else 2 for step in path.steps)


def _row(target: str, path: FieldPath) -> PathRow:
    return target, path.name, path.steps if path.moves else ()


def _id_row(id_type: str, path: FieldPath) -> tuple[str | None, str | None, str, tuple[Step, ...]]:
    # Most mappings lead to `context.x.y`, and most fields of a user to `context.x`. The lane has read the context then,
    # so these two forms are one look-up, without a walk from the top.
    target = None if id_type == segment.USER_ID_TYPE else id_type
    match _context_keys(path):
        case [outer, key]:
            return target, outer, key, ()
        case _:
            _, key, steps = _row(id_type, path)
            return target, None, key, steps


def _user_row(name: str, path: FieldPath) -> tuple[str, str, PathRow | None]:
    match _context_keys(path):
        case [key]:
            return name, key, None
        case _:
            return name, "", _row(name, path)


def _context_keys(path: FieldPath) -> list[str]:
    """Return the keys of a path after the context; empty if it begins elsewhere or selects items of an array."""
    head, *others = path.steps
    is_plain = head.name == segment.CONTEXT and all(step.selector is None for step in path.steps)
    return [step.name for step in others] if is_plain else []


def _forms(naming: EventNaming, kind: str) -> tuple[str, ...]:
    """Return a template filled for each combination of parts, in the order none, last, first, both.

    Templates drop the space beside a missing part, so filling them is slow; a %-format is C.
    """
    names = TEMPLATE_PARTS[kind]
    present = (compress(names, chosen) for chosen in product((False, True), repeat=len(names)))
    return tuple(naming.filled(kind, {name: f"%({name})s" for name in names}) for names in present)


class OutboundPlan(NamedTuple):
    """What the lane needs from an `OutboundConfig`."""

    is_deliverable: bool
    anonymous_ids: tuple[str, ...]
    group_id: str | None
    needs_time_uuid: bool
    """Whether an event without a `timeUUID` gets a message ID from its content, which only the reference computes."""
    allow_segment_origin: bool
    exposures: bool
    include_new_events: bool
    events: Mapping[str, bool]
    drop_rows: tuple[tuple[str, tuple[str, ...], Callable[[Any], bool]], ...]
    """A path, its keys, and a function that returns whether the value there drops the event."""


def cut_outbound_plan(config: Any) -> OutboundPlan | None:
    """Return the plan of an `OutboundConfig`; `None` if it names a field that only the reference reads."""
    filters, anonymous_ids = config.filters, config.anonymous_id
    try:
        return OutboundPlan(
            is_deliverable=config.profile == DELIVERABLE,
            anonymous_ids=(anonymous_ids,) if isinstance(anonymous_ids, str) else anonymous_ids,
            group_id=config.group_id,
            needs_time_uuid=config.message_id == CONTENT,
            allow_segment_origin=config.allow_segment_origin,
            exposures=filters.exposures,
            include_new_events=filters.include_new_events,
            events=filters.events,
            drop_rows=tuple((row.field, _drop_path(read_path(row)), row.fits) for row in filters.drop_where),
        )
    except ValueError:
        return None


_DROPPED_BY: Final = frozenset({statsig.EVENT_NAME, statsig.USER_ID, statsig.USER, statsig.VALUE, statsig.METADATA})
"""The fields that the lane has already read when it decides whether to drop an event."""


def _drop_path(path: FieldPath) -> tuple[str, ...]:
    """Return the keys of a path; raise `ValueError` for a path that only the reference follows."""
    names = tuple(step.name for step in path.steps)
    if names[0] not in _DROPPED_BY or any(step.selector for step in path.steps):
        raise ValueError
    return names
