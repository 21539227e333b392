"""Where each field of a result came from; runs the steps of a translation once, and keeps what they know of sources."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Generic, TypeVar

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import freeze, read_payload
from statsig_segment.configuration.event_names import Named
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig, derived_of, require_config
from statsig_segment.errors import Issue, SegmentEventError, StatsigSegmentError, join_path
from statsig_segment.inbound.audiences import KEY_PATH, AudienceUpdate, audience_update, membership_path
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
from statsig_segment.rulebook.codes import CODES
from statsig_segment.segment.calls import (
    CALL_TYPES,
    Identify,
    SegmentEvent,
    controls,
    find_all,
    id_sources,
    read_time,
)
from statsig_segment.statsig.events import USER_ATTRIBUTES, StatsigEvent, StatsigUser

_DEFAULT: Final = IntegrationConfig()
_Result = TypeVar("_Result")


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
        return Explanation(rows=_event_rows(call, event, config), result=event)
    update = audience_update(call)
    if update is None:
        return _skipped(IDENTIFY_WITHOUT_AUDIENCE, payload)
    return Explanation(rows=_update_rows(call, update), result=update)


def _skipped(skip: Skip, payload: Any) -> Explanation[Outcome]:
    return Explanation(result=Skipped(reason=skip.reason, payload=payload), rule=skip.rule, setting=skip.setting)


def _event_rows(call: Named, event: StatsigEvent, config: InboundConfig) -> Iterator[Row]:
    """Yield a row for each leaf of the log event, in the order of the wire."""
    path = config.naming.source(call)
    source = None if path == "$" else path
    yield Row(target=f"$.{statsig.EVENT_NAME}", value=event.event_name, source=source, rule="US-5")
    yield from _user_rows(call, event.user, config)
    yield from _time_rows(call, event)
    holder = METADATA_SOURCES[call.type].holder
    name = value_property(getattr(call, holder), derived_of(config))
    if name is not None:
        source = join_path(f"$.{holder}", name)
        yield Row(target=f"$.{statsig.VALUE}", value=event.value, source=source, rule="US-8")
    metadata = metadata_of(call, config, {}, [])
    for index, (key, value) in enumerate(event.metadata.items()):
        source = metadata.path_of(key)
        rule = "US-7" if index < metadata.own_count else "US-11"
        yield Row(target=join_path(f"$.{statsig.METADATA}", key), value=value, source=source, rule=rule)


def _user_rows(call: Named, user: StatsigUser, config: InboundConfig) -> Iterator[Row]:
    yield from _id_rows(call, user, f"$.{statsig.USER}")
    found = find_all(call, derived_of(config).user_paths, {})
    for name, attribute in USER_ATTRIBUTES.items():
        if name == statsig.CUSTOM:
            yield from _custom_rows(call, user, config)
        elif name in found and getattr(user, attribute) is not None:
            target, path = f"$.{statsig.USER}.{name}", found[name][1]
            yield Row(target=target, value=getattr(user, attribute), source=path, rule="US-2")
    if user.environment is not None:
        tier, path = read_tier(controls(call, segment.ENVIRONMENT)[0], [])
        source, rule = (None, "US-4") if tier is None else (path, "US-3")
        target = f"$.{statsig.USER}.{statsig.ENVIRONMENT}.{statsig.TIER}"
        yield Row(target=target, value=user.environment, source=source, rule=rule)


def _custom_rows(call: Named, user: StatsigUser, config: InboundConfig) -> Iterator[Row]:
    [custom] = controls(call, segment.CUSTOM)
    pairs, array_path = custom_pairs(custom, []), custom[1]
    found = find_all(call, derived_of(config).custom_paths, {})
    for name, value in user.custom.items():
        if name in pairs:
            source, rule = f"{array_path}[{pairs[name][1]}]", "US-1"
        else:
            source, rule = found[name][1], "US-10"
        yield Row(target=join_path(f"$.{statsig.USER}.{statsig.CUSTOM}", name), value=value, source=source, rule=rule)


def _id_rows(call: SegmentEvent, owner: StatsigUser | AudienceUpdate, target: str) -> Iterator[Row]:
    """Yield a row for the user ID and for each custom ID of a result."""
    if owner.user_id is not None:
        yield _id_row(call, f"{target}.{statsig.USER_ID}", segment.USER_ID_TYPE, owner.user_id)
    for id_type, text in owner.custom_ids.items():
        yield _id_row(call, join_path(f"{target}.{statsig.CUSTOM_IDS}", id_type), id_type, text)


def _id_row(call: SegmentEvent, target: str, id_type: str, text: str) -> Row:
    """Return the row of an ID, by the rule that it came by: the call's own user ID, a pair, or a mapping."""
    source = id_sources(call).get(id_type, segment.USER_ID)
    is_own = id_type == segment.USER_ID_TYPE and id_type not in id_sources(call)
    rule = "ID-1" if is_own else "ID-2" if isinstance(source, int) else "ID-4"
    return Row(target=target, value=text, source=id_path(call, id_type), rule=rule)


def _time_rows(call: SegmentEvent, result: StatsigEvent | AudienceUpdate) -> Iterator[Row]:
    if result.time_ms is not None:
        _, field = read_time(call.other, {}, [])
        yield Row(target=f"$.{statsig.TIME}", value=result.time_ms, source=f"$.{field}", rule="IN-5")


def _update_rows(call: SegmentEvent, update: AudienceUpdate) -> Iterator[Row]:
    """Yield the rows of a membership; its targets are the attributes by their wire names."""
    yield Row(target="$.idList", value=update.id_list, source=KEY_PATH, rule="AU-2")
    yield Row(target="$.member", value=update.member, source=membership_path(call, update.id_list), rule="AU-2")
    yield from _id_rows(call, update, "$")
    yield from _time_rows(call, update)
