"""Where each field of a result came from; runs the steps of a translation once, and keeps what they know of sources."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import freeze
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig
from statsig_segment.errors import StatsigSegmentError, join_path
from statsig_segment.inbound.audiences import KEY_PATH, AudienceUpdate, audience_update, membership_path
from statsig_segment.inbound.conversion import Conversion, Leaf, convert
from statsig_segment.inbound.identity import apply_id_mappings, id_path
from statsig_segment.inbound.skips import IDENTIFY_WITHOUT_AUDIENCE, UNSUPPORTED_TYPE, Skip, find_skip
from statsig_segment.inbound.translate import Outcome, parse_supported
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.rulebook.codes import CODES
from statsig_segment.segment.calls import Identify, SegmentEvent
from statsig_segment.statsig.events import USER_FIELDS, StatsigEvent

_DEFAULT: Final = IntegrationConfig()


@attrs.frozen(kw_only=True, slots=False)
class Row:
    """One leaf of a result: where it stands, what it is, where it came from, and the rule that put it there."""

    target: str
    """The path in the log event, such as `$.user.customIDs.companyID`."""
    value: Any = attrs.field(converter=freeze)  # pyright: ignore[reportUnknownVariableType] - attrs' stubs infer nothing from `Any`
    source: str | None
    """The wire path in the call, `None` where the configuration or the library put it."""
    rule: str


def _tuple_of_rows(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(rows)


@attrs.frozen(kw_only=True, slots=False)
class Explanation:
    """A result, and a row for each leaf of it; no rows where there is no result."""

    rows: tuple[Row, ...] = attrs.field(default=(), converter=_tuple_of_rows)
    result: Outcome
    rule: str | None = None
    """The rule that skipped or rejected the call; `None` where there is a result."""
    setting: str | None = None
    """The setting that skipped it, such as `inbound.filters.exclude`; `None` where no setting did."""


def explain(payload: Any, config: IntegrationConfig = _DEFAULT) -> Explanation:
    """Say where each field of a translated call came from, or why there is none.

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
        return _explained(payload, config.inbound)
    except StatsigSegmentError as error:
        return Explanation(
            result=Rejected(error=error.with_traceback(None), payload=payload), rule=CODES[error.code].rule
        )


def _explained(payload: Any, config: InboundConfig) -> Explanation:
    """Run the steps of `translate`, and turn what they know of sources into rows."""
    call = parse_supported(payload)
    if call is None:
        return _skipped(UNSUPPORTED_TYPE, payload)
    skip = find_skip(call, config)
    if skip is not None:
        return _skipped(skip, payload)
    call = apply_id_mappings(call, config.id_mappings, drop_placeholders=config.drop_placeholder_ids)
    if not isinstance(call, Identify):
        conversion = convert(call, config)
        return Explanation(rows=_event_rows(call, conversion), result=conversion.event)
    update = audience_update(call)
    if update is None:
        return _skipped(IDENTIFY_WITHOUT_AUDIENCE, payload)
    return Explanation(rows=_update_rows(call, update), result=update)


def _skipped(skip: Skip, payload: Any) -> Explanation:
    return Explanation(result=Skipped(reason=skip.reason, payload=payload), rule=skip.rule, setting=skip.setting)


def _event_rows(call: SegmentEvent, conversion: Conversion) -> Iterator[Row]:
    """Give a row for each leaf of the log event, in the order of the wire."""
    yield _row(f"$.{statsig.EVENT_NAME}", conversion.name)
    yield from _user_rows(call, conversion)
    yield from _time_rows(call)
    if conversion.value is not None:
        yield _row(f"$.{statsig.VALUE}", conversion.value)
    yield from _table_rows(f"$.{statsig.METADATA}", conversion.metadata)


def _row(target: str, leaf: Leaf) -> Row:
    return Row(target=target, value=leaf.value, source=leaf.source, rule=leaf.rule)


def _table_rows(target: str, leaves: Mapping[str, Leaf]) -> Iterator[Row]:
    return (_row(join_path(target, key), leaf) for key, leaf in leaves.items())


def _user_rows(call: SegmentEvent, conversion: Conversion) -> Iterator[Row]:
    yield from _id_rows(call, conversion.event, f"$.{statsig.USER}")
    for name, attribute in USER_FIELDS.items():
        if name == statsig.CUSTOM:
            yield from _table_rows(f"$.{statsig.USER}.{statsig.CUSTOM}", conversion.custom)
        elif attribute in conversion.fields:
            inside = f".{statsig.TIER}" if name == statsig.ENVIRONMENT else ""
            yield _row(f"$.{statsig.USER}.{name}{inside}", conversion.fields[attribute])


def _id_rows(call: SegmentEvent, result: StatsigEvent | AudienceUpdate, target: str) -> Iterator[Row]:
    """Give a row for the user ID and for each custom ID of a result."""
    owner = result.user if isinstance(result, StatsigEvent) else result
    if owner.user_id is not None:
        yield _id_row(call, f"{target}.{statsig.USER_ID}", segment.USER_ID_TYPE, owner.user_id)
    for id_type, text in owner.custom_ids.items():
        yield _id_row(call, join_path(f"{target}.{statsig.CUSTOM_IDS}", id_type), id_type, text)


def _id_row(call: SegmentEvent, target: str, id_type: str, text: str) -> Row:
    return Row(target=target, value=text, source=id_path(call, id_type), rule=_id_rule(call, id_type))


def _id_rule(call: SegmentEvent, id_type: str) -> str:
    """Name the rule that an ID came by: the call's own user ID, a pair of the array, or a mapping."""
    if id_type not in call.id_sources:
        return "ID-1" if id_type == segment.USER_ID_TYPE else "ID-2"
    path, type_path = call.id_sources[id_type]
    return "ID-4" if path == type_path else "ID-2"


def _time_rows(call: SegmentEvent) -> Iterator[Row]:
    if call.time_ms is not None:
        yield Row(target=f"$.{statsig.TIME}", value=call.time_ms, source=f"$.{call.time_source}", rule="IN-5")


def _update_rows(call: SegmentEvent, update: AudienceUpdate) -> Iterator[Row]:
    """Give the rows of a membership; its targets are the attributes by their wire names."""
    yield Row(target="$.idList", value=update.id_list, source=KEY_PATH, rule="AU-2")
    yield Row(target="$.member", value=update.member, source=membership_path(call, update.id_list), rule="AU-2")
    yield from _id_rows(call, update, "$")
    yield from _time_rows(call)
