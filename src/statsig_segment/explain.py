"""The same rules, told as rows: where each field of a result came from; runs the very steps that translate runs."""

# The stubs of attrs know no type of what a converter or validator of Any takes:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment, statsig
from statsig_segment._values import read_object
from statsig_segment.audiences import KEY_PATH, AudienceUpdate, membership_path
from statsig_segment.config import InboundConfig, IntegrationConfig
from statsig_segment.conversion import METADATA_SOURCES, metadata_path, read_tier
from statsig_segment.errors import SegmentEventError, StatsigSegmentError, child
from statsig_segment.even_odd import CUSTOM_CODES, custom_value, read_pairs
from statsig_segment.identity import FieldPath, apply_id_mappings, id_paths
from statsig_segment.inbound import translate
from statsig_segment.models import frozen_value
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment import SegmentEvent, control, control_path, read_call, read_time
from statsig_segment.statsig import StatsigEvent
from statsig_segment.wire import to_log_event

_DEFAULT: Final = IntegrationConfig()


@attrs.frozen(kw_only=True, slots=False)
class Row:
    """One leaf of a result: where it stands, what it is, where it came from, and the rule that put it there."""

    target: str
    """The path in the log event, such as `$.user.customIDs.companyID`."""
    value: Any = attrs.field(converter=frozen_value)
    source: str | None
    """The wire path in the call, `None` where the configuration or the library put it."""
    rule: str


@attrs.frozen(kw_only=True, slots=False)
class Explanation:
    """A result, and a row for each leaf of it; no rows where there is no result."""

    rows: tuple[Row, ...] = attrs.field(converter=tuple[Row, ...])
    result: StatsigEvent | AudienceUpdate | Skipped | Rejected


def explain(payload: Any, config: IntegrationConfig = _DEFAULT) -> Explanation:
    """Tell where each field of a translated call came from, or why there is none.

    Shape: what `translate` takes in; an `Explanation` out, whose `result` is what `translate_many` yields, so a bad
    payload gives `Rejected` and no exception, and whose `rows` hold one row for every leaf of the log event.
    Errors: none.
    Rules: those that the rows name.

    >>> from statsig_segment import explain
    >>> for row in explain({"type": "track", "event": "Signed Up", "userId": 7}).rows:
    ...     print(row.target, row.value, row.source, row.rule)
    $.eventName segment::Signed Up $.event US-5
    $.user.userID 7 $.userId ID-1
    """
    try:
        whole = read_object(payload, SegmentEventError)
        result = translate(whole, config)
    except StatsigSegmentError as error:
        return Explanation(rows=(), result=Rejected(error=error.with_traceback(None), payload=payload))
    if isinstance(result, Skipped):
        return Explanation(rows=(), result=attrs.evolve(result, payload=payload))
    call = apply_id_mappings(read_call(whole), config.inbound.id_mappings)
    rows = _event_rows(call, result, config.inbound) if isinstance(result, StatsigEvent) else _update_rows(call, result)
    return Explanation(rows=rows, result=result)


def _event_rows(call: SegmentEvent, event: StatsigEvent, config: InboundConfig) -> Iterator[Row]:
    log_event = to_log_event(event)
    yield Row(target="$.eventName", value=event.event_name, source=config.naming.source(call), rule="US-5")
    yield from _user_rows(call, log_event["user"], config)
    yield from _time_row(call, event.time_ms)
    if event.value is not None:
        source = child(metadata_path(call), str(config.value_property))
        yield Row(target="$.value", value=event.value, source=source, rule="US-8")
    for key, text in event.metadata.items():
        yield Row(target=child("$.metadata", key), value=text, source=_metadata_path(call, key), rule="US-7")


def _user_rows(call: SegmentEvent, user: Mapping[str, Any], config: InboundConfig) -> Iterator[Row]:
    custom_paths = _custom_paths(call)
    tier, _, inside = read_tier(control(call, segment.ENVIRONMENT))
    for name, value in user.items():
        target = f"$.user.{name}"
        if name == statsig.USER_ID:
            yield Row(target=target, value=value, source=f"$.{segment.USER_ID}", rule="ID-1")
        elif name == statsig.CUSTOM_IDS:
            yield from _custom_id_rows(call, target)
        elif name == statsig.CUSTOM:
            for key in value:
                yield Row(target=child(target, key), value=value[key], source=custom_paths[key], rule="US-1")
        elif name == statsig.ENVIRONMENT:
            source = None if tier is None else control_path(call, segment.ENVIRONMENT) + inside
            rule = "US-4" if tier is None else "US-3"
            yield Row(target=f"{target}.{statsig.TIER}", value=value[statsig.TIER], source=source, rule=rule)
        else:
            yield Row(
                target=target, value=value, source=FieldPath.of(config.user_fields[name]).wire_path(call), rule="US-2"
            )


def _custom_id_rows(call: SegmentEvent, target: str) -> Iterator[Row]:
    for id_type, (path, _) in id_paths(call).items():
        rule = "ID-4" if id_type in call.id_sources else "ID-2"
        yield Row(target=child(target, id_type), value=call.custom_ids[id_type], source=path, rule=rule)


def _custom_paths(call: SegmentEvent) -> dict[str, str]:
    """Give for each custom property the wire path of its value (US-1)."""
    _, indexes, _ = read_pairs(control(call, segment.CUSTOM) or (), CUSTOM_CODES, custom_value)
    return {name: f"{control_path(call, segment.CUSTOM)}[{at}]" for name, at in indexes.items()}


def _metadata_path(call: SegmentEvent, key: str) -> str:
    """Give the wire path of a metadata value: from the object, or a top-level field added to it (US-7)."""
    name, added = METADATA_SOURCES[call.type]
    return child("$" if key in added and key not in getattr(call, name) else f"$.{name}", key)


def _time_row(call: SegmentEvent, time_ms: int | None) -> Iterator[Row]:
    if time_ms is not None:
        yield Row(target="$.time", value=time_ms, source=f"$.{read_time(call.other, [])[1]}", rule="IN-5")


def _update_rows(call: SegmentEvent, update: AudienceUpdate) -> Iterator[Row]:
    """Tell a membership; its targets are the attributes by their wire names."""
    yield Row(target="$.idList", value=update.id_list, source=KEY_PATH, rule="AU-2")
    yield Row(target="$.member", value=update.member, source=membership_path(call, update.id_list), rule="AU-2")
    if update.user_id is not None:
        yield Row(target=f"$.{statsig.USER_ID}", value=update.user_id, source=f"$.{segment.USER_ID}", rule="ID-1")
    yield from _custom_id_rows(call, f"$.{statsig.CUSTOM_IDS}")
    yield from _time_row(call, update.time_ms)
