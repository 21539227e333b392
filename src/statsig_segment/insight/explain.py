"""Where each field of a result came from; runs the steps of a translation once, and keeps what they know of sources."""

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any, Final, Generic, TypeAlias, TypeVar

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import freeze, read_payload
from statsig_segment.configuration.event_names import Named
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig, derived_of, require_config
from statsig_segment.errors import Issue, SegmentEventError, StatsigSegmentError, join_path
from statsig_segment.inbound.audiences import KEY_PATH, audience_update, membership_path
from statsig_segment.inbound.conversion import (
    METADATA_SOURCES,
    custom_pairs,
    metadata_of,
    read_tier,
    to_statsig_event,
    value_property,
)
from statsig_segment.inbound.identity import apply_id_mappings, id_path
from statsig_segment.inbound.skips import IDENTIFY_WITHOUT_AUDIENCE, UNSUPPORTED_TYPE, Skip, find_skip
from statsig_segment.inbound.translate import Outcome, parse_supported
from statsig_segment.insight.identifiers import Identifier, Unused, find_identifiers, find_unused
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.rulebook import CODES
from statsig_segment.segment.calls import (
    CALL_TYPES,
    Identify,
    SegmentEvent,
    controls,
    find_all,
    id_sources,
    read_time,
)
from statsig_segment.statsig.events import StatsigUser, to_log_event, user_wire

_DEFAULT: Final = IntegrationConfig()
_Result = TypeVar("_Result")
_ID_LIST: Final = "idList"
_MEMBER: Final = "member"

Names: TypeAlias = tuple[str, ...]
"""The keys that lead to a value: in a result, or in what it came from."""
Origin: TypeAlias = tuple[str | None, str]
"""The wire path that a leaf came from, if it has one, and the rule that put it there."""


@attrs.frozen(kw_only=True, slots=False)
class Row:
    """One leaf of a result: where it is, what it is, where it came from, and the rule that put it there."""

    target: str
    """The path in the log event, such as `$.user.customIDs.companyID`."""
    value: Any = attrs.field(converter=freeze)  # pyright: ignore[reportUnknownVariableType] - attrs' stubs infer nothing from `Any`
    """What the log event has there."""
    source: str | None
    """The wire path in the call, `None` if the configuration or the library put it."""
    rule: str
    """The id of the rule."""


def _tuple_of_rows(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(rows)


@attrs.frozen(kw_only=True, slots=False)
class Explanation(Generic[_Result]):
    """A result, and a row for each leaf of it; no rows where there is no result."""

    rows: tuple[Row, ...] = attrs.field(default=(), converter=_tuple_of_rows)
    """One row for each leaf of the log event."""
    result: _Result
    """What `translate_many`, or for an export `export_many`, yields for the payload."""
    rule: str | None = None
    """The rule that skipped or rejected the call; `None` if there is a result."""
    setting: str | None = None
    """The setting that skipped it, such as `inbound.filters.exclude`; `None` if no setting did."""
    identifiers: tuple[Identifier, ...] = ()
    """The user ID and each ID type, with every place where it was looked for; empty if the payload is not a call."""
    unused: tuple[Unused, ...] = ()
    """Identifiers that the call holds and that nothing reads."""
    issues: tuple[Issue, ...] = ()
    """What the sender should know: the issues of the result, and of an export those found when it was read."""


def explain(payload: Any, config: IntegrationConfig = _DEFAULT) -> Explanation[Outcome]:
    """Return where each field of a translated call came from, or why there is no event.

    Args:
        payload: A call, as `translate` takes it.
        config: Both directions; only `config.inbound` counts.

    Returns:
        An `Explanation`. Its `result` is what `translate_many` yields, so a bad payload gives `Rejected` and no
        exception; its `rows` hold one row for each leaf of the log event.

    Raises:
        TypeError: `config` is not an `IntegrationConfig`.

    Rules: EX-1, and those that the rows name.
    Source: our policy.

    >>> from statsig_segment import explain
    >>> for row in explain({"type": "track", "event": "Signed Up", "userId": 7}).rows:
    ...     print(row.target, row.value, row.source, row.rule)
    $.eventName segment::Signed Up $.event US-5
    $.user.userID 7 $.userId ID-1

    """
    require_config(config, "explain")
    try:
        explained: Explanation[Outcome] = _explained(payload, config.inbound)
    except StatsigSegmentError as error:
        rejected = Rejected(error=error.with_traceback(None), payload=payload)
        explained = Explanation(result=rejected, rule=CODES[error.code].rule)
    issues = getattr(explained.result, "issues", ())
    return attrs.evolve(explained, issues=issues, **_identifiers(payload, config.inbound))


def _identifiers(payload: Any, config: InboundConfig) -> dict[str, Any]:
    """Find the identifiers of a call, whatever its outcome; nothing if the payload is not a call."""
    try:
        call, _ = read_payload(payload, SegmentEventError)
    except StatsigSegmentError:
        return {}
    if call.get(segment.TYPE) not in CALL_TYPES:
        return {}
    identifiers = tuple(find_identifiers(call, config))
    return {"identifiers": identifiers, "unused": tuple(find_unused(call, config, identifiers[0].value))}


def _explained(payload: Any, config: InboundConfig) -> Explanation[Outcome]:
    """Run the steps of `translate`, and turn what they know of sources into rows."""
    call = parse_supported(payload)
    if call is None:
        return _skipped(UNSUPPORTED_TYPE, payload)
    skip = find_skip(call, config)
    if skip is not None:
        return _skipped(skip, payload)
    call = apply_id_mappings(call, config.id_mappings, drop_placeholders=config.drop_placeholder_ids)
    if not isinstance(call, Identify):
        event = to_statsig_event(call, config)
        origins = _event_origins(call, config)
        return Explanation(rows=rows_of(to_log_event(event), origins.__getitem__), result=event)
    update = audience_update(call)
    if update is None:
        return _skipped(IDENTIFY_WITHOUT_AUDIENCE, payload)
    # The targets of a membership are its attributes, by their wire names.
    user = user_wire(StatsigUser(user_id=update.user_id, custom_ids=update.custom_ids))
    time = {} if update.time_ms is None else {statsig.TIME: update.time_ms}
    origins = {
        (_ID_LIST,): (KEY_PATH, "AU-2"),
        (_MEMBER,): (membership_path(call, update.id_list), "AU-2"),
        **_common_origins(call),
    }
    written = {_ID_LIST: update.id_list, _MEMBER: update.member, **user, **time}
    return Explanation(rows=rows_of(written, origins.__getitem__), result=update)


def _skipped(skip: Skip, payload: Any) -> Explanation[Outcome]:
    return Explanation(result=Skipped(reason=skip.reason, payload=payload), rule=skip.rule, setting=skip.setting)


def rows_of(record: Any, origin: Callable[[Names], Origin], names: Names = ()) -> Iterator[Row]:
    """Yield a row for each leaf of a record, in its order; an array is one leaf, and an empty object has none."""
    for key, value in record.items():
        if isinstance(value, dict):
            yield from rows_of(value, origin, (*names, key))
        else:
            source, rule = origin((*names, key))
            yield Row(target=reduce(join_path, (*names, key), "$"), value=value, source=source, rule=rule)


def _event_origins(call: Named, config: InboundConfig) -> dict[Names, Origin]:
    """Return the origin of each leaf that the log event of a call may have."""
    derived, holder = derived_of(config), METADATA_SOURCES[call.type].holder
    name_path = config.naming.source(call)
    tier, tier_path = read_tier(controls(call, segment.ENVIRONMENT)[0], [])
    [custom] = controls(call, segment.CUSTOM)
    user_fields, custom_fields = (find_all(call, paths, {}) for paths in (derived.user_paths, derived.custom_paths))
    value_name = value_property(getattr(call, holder), derived)
    metadata = metadata_of(call, config, {}, [])
    common = _common_origins(call)
    return {
        (statsig.EVENT_NAME,): (None if name_path == "$" else name_path, "US-5"),
        **common,
        **{(statsig.USER, *names): origin for names, origin in common.items()},
        **{(statsig.USER, name): (path, "US-2") for name, (_, path) in user_fields.items()},
        # A pair of the call wins over a field that the configuration names, so it comes later.
        **{(statsig.USER, statsig.CUSTOM, name): (path, "US-10") for name, (_, path) in custom_fields.items()},
        **{
            (statsig.USER, statsig.CUSTOM, name): (f"{custom[1]}[{index}]", "US-1")
            for name, (_, index) in custom_pairs(custom, []).items()
        },
        (statsig.USER, statsig.ENVIRONMENT, statsig.TIER): (None, "US-4") if tier is None else (tier_path, "US-3"),
        (statsig.VALUE,): (join_path(f"$.{holder}", value_name or ""), "US-8"),
        **{
            (statsig.METADATA, key): (metadata.path_of(key), "US-7" if index < metadata.own_count else "US-11")
            for index, key in enumerate(metadata.entries)
        },
    }


def _common_origins(call: SegmentEvent) -> dict[Names, Origin]:
    """Return the origins of the time and of the IDs, which stand in the user where the result is an event."""
    origins: dict[Names, Origin] = {
        (statsig.TIME,): (f"$.{read_time(call.other, {}, [])[1]}", "IN-5"),
        (statsig.USER_ID,): (id_path(call, segment.USER_ID_TYPE), "ID-1"),
    }
    for id_type, source in id_sources(call).items():
        names = (statsig.USER_ID,) if id_type == segment.USER_ID_TYPE else (statsig.CUSTOM_IDS, id_type)
        origins[names] = id_path(call, id_type), "ID-2" if isinstance(source, int) else "ID-4"
    return origins
