"""Where each field of a Segment track came from in a Statsig export, or why nothing leaves (EX-5)."""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Final

from statsig_segment import segment, statsig
from statsig_segment._json.values import EMPTY, FrozenDict, filled_text, read_payload
from statsig_segment.configuration import DELIVERABLE
from statsig_segment.configuration.models import IntegrationConfig, OutboundConfig, require_config
from statsig_segment.errors import StatsigEventError, StatsigSegmentError
from statsig_segment.insight.explain import Explanation, Names, Origin, Row, rows_of
from statsig_segment.insight.identifiers import USED, Identifier, Place, look_up
from statsig_segment.insight.places import near_key, object_in
from statsig_segment.outbound.export import ExportOutcome, outcome_and_issues
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.statsig.exports import parse_statsig_event
from statsig_segment.statsig.rows import NO_PLACES, Places, event_of_row, place_of

_DEFAULT: Final = IntegrationConfig()
_USER_ID: Final = "userId"
_ANONYMOUS_ID: Final = "anonymousId"
_GROUP_ID: Final = "groupId"
_USER_IDS: Final[tuple[Names, ...]] = ((statsig.USER_ID,), (statsig.USER, statsig.USER_ID))
_STABLE_IDS: Final[tuple[Names, ...]] = (
    (statsig.STATSIG_METADATA, statsig.STABLE_ID),
    (statsig.USER, statsig.CUSTOM_IDS, statsig.STABLE_ID),
)
_EMAIL: Final = (statsig.USER, statsig.EMAIL)
_COPIED: Final = frozenset({statsig.USER, statsig.VALUE, statsig.METADATA})
_CHANGE_SOURCES: Final[Mapping[str, tuple[Names, ...]]] = FrozenDict(
    {
        "author": ((statsig.USER, "name"), _EMAIL, (statsig.USER, statsig.USER_ID), (statsig.USER_ID,)),
        "configName": ((statsig.METADATA, "name"),),
        "configType": ((statsig.METADATA, "type"),),
        "environment": ((statsig.METADATA, "environment"), (statsig.METADATA, "environments")),
    }
)
"""Property of a config change -> where it may come from, if not from the metadata under its own name (OU-6, OU-7)."""
_SKIP_RULES: Final = FrozenDict({"filtered": "FL-2", "segment_origin": "FL-7"})


def explain_export(payload: Any, config: IntegrationConfig = _DEFAULT) -> Explanation[ExportOutcome]:
    """Return where each field of an exported track came from, or why nothing leaves.

    Args:
        payload: An event of a Statsig export, as `export` takes it.
        config: Both directions; only `config.outbound` counts.

    Returns:
        An `Explanation`. Its `result` is what `export_many` yields, so a bad payload gives `Rejected` and no exception.
        Its `rows` hold one row for each leaf of the track, and its `identifiers` are `userId`, `anonymousId` and
        `groupId`, the last two only in the profile `deliverable`.

    Raises:
        TypeError: `config` is not an `IntegrationConfig`.

    Rules: EX-5, and those that the rows name.
    Source: our policy.

    >>> from statsig_segment import explain_export
    >>> for row in explain_export({"eventName": "checkout", "user": {"userID": "u1"}}).rows:
    ...     print(row.target, row.value, row.source, row.rule)
    $.type track None OU-3
    $.userId u1 $.user.userID OU-3
    $.event checkout $.eventName OU-3
    $.context.user.userID u1 $.user.userID OU-3
    $.context.library.name statsig None OU-3
    $.context.library.version 1.0 None OU-3

    """
    require_config(config, "explain_export")
    outcome, issues = outcome_and_issues(payload, config.outbound, None)
    source = _Source(payload, config.outbound)
    rule = setting = None
    rows: Iterable[Row] = ()
    if isinstance(outcome, Rejected):
        rule = "OU-1" if isinstance(outcome.error, StatsigEventError) else "OU-4"
    elif isinstance(outcome, Skipped):
        rule, setting = _SKIP_RULES[outcome.reason], _setting(payload, outcome.reason, config.outbound)
    else:
        rows = rows_of(outcome, source.origin)
    return Explanation(
        rows=rows, result=outcome, rule=rule, setting=setting, identifiers=source.identifiers, issues=issues
    )


def _setting(payload: Any, reason: str, config: OutboundConfig) -> str | None:
    """Return the setting that stopped an event; none stops what never leaves."""
    if reason == "segment_origin":
        return "outbound.allow_segment_origin"
    setting = config.filters.stopped_by(parse_statsig_event(payload))
    return f"outbound.filters.{setting}" if setting else None


class _Source:
    """An export as the event that it is about, and where each of its values is in the export."""

    def __init__(self, payload: Any, config: OutboundConfig) -> None:
        """Read what can be read; of what cannot, everything is absent."""
        self._fields, self._places = _read(payload)
        self._config = config
        self._is_change = statsig.CONFIG_CHANGE in {
            self._fields.get(statsig.EVENT_NAME),
            self._fields.get(segment.EVENT),
        }
        self._is_deliverable = config.profile == DELIVERABLE
        self.identifiers: tuple[Identifier, ...] = tuple(self._looked_up()) if self._fields else ()

    def _holder(self, names: Names) -> Mapping[str, Any]:
        return reduce(object_in, names[:-1], self._fields)

    def _value(self, names: Names) -> Any:
        return self._holder(names).get(names[-1])

    def _path(self, names: Names) -> str:
        return place_of(self._places, *names)

    # -- Identifiers ---------------------------------------------------------------------------------------------------

    def _looked_up(self) -> Iterator[Identifier]:
        """Yield the three identifiers of a track, with every place where each was looked for (OU-3, OU-4, OU-6)."""
        user_ids: list[Names] = [(_USER_ID,), *_USER_IDS] if self._is_change else [*_USER_IDS]
        if self._is_change and self._is_deliverable:
            user_ids.append(_EMAIL)
        places = [*map(self._place, user_ids)]
        if self._is_change and self._is_deliverable and self._config.config_change_user_id is not None:
            places.append(Place("outbound.config_change_user_id", self._config.config_change_user_id))
        yield look_up(_USER_ID, places)
        anonymous = self._config.anonymous_id
        id_types = (anonymous,) if isinstance(anonymous, str) else anonymous
        names = [each for id_type in id_types for each in _of_id_type(id_type)] if self._is_deliverable else []
        yield look_up(_ANONYMOUS_ID, map(self._place, names))
        group_id = self._config.group_id if self._is_deliverable else None
        names = [(statsig.USER, statsig.CUSTOM_IDS, group_id)] if group_id else []
        yield look_up(_GROUP_ID, map(self._place, names))

    def _place(self, names: Names) -> Place:
        near = near_key(self._holder(names), names[-1])
        drops = self._is_deliverable and self._config.drop_placeholder_ids
        return Place(self._path(names), self._value(names), near and self._path((*names[:-1], near)), drops)

    def _used(self, id_type: str) -> str | None:
        """Return the place that an identifier came from."""
        found = next((each for each in self.identifiers if each.id_type == id_type), None)
        used = [place.path for place in found.tried if place.outcome == USED] if found else []
        return next((path for path in used if path.startswith("$")), None)

    # -- Rows ----------------------------------------------------------------------------------------------------------

    def origin(self, names: Names) -> Origin:
        """Return the place in the export where a leaf of the track came from, if it has one, and the rule."""
        source: str | None = None
        rule = "OU-6" if self._is_change else "OU-3"
        match names:
            case ("event",):
                source = self._first(((statsig.EVENT_NAME,), (segment.EVENT,)))
            case ("userId",):
                source = self._used(_USER_ID) or self._first(_USER_IDS)
            case ("timestamp",):
                source, rule = self._first(((statsig.TIMESTAMP,), (statsig.TIME,))), "OU-1"
            case ("anonymousId",):
                source, rule = self._used(_ANONYMOUS_ID), "OU-4"
            case ("messageId",):
                has_uuid = filled_text(self._fields.get(statsig.TIME_UUID)) is not None
                source, rule = self._path((statsig.TIME_UUID,)) if has_uuid else None, "OU-4"
            case ("context", "groupId"):
                source, rule = self._used(_GROUP_ID), "OU-4"
            case ("context", "traits", _):
                source, rule = self._path(_EMAIL), "OU-4"
            case ("context", statsig.STABLE_ID):
                source = self._first(_STABLE_IDS)
            case ("context" | "properties", first, *_) if not self._is_change and first in _COPIED:
                source = self._path(names[1:])
            case ("properties", first, *rest):
                sources = (("properties", first), *_CHANGE_SOURCES.get(first, ((statsig.METADATA, first),)))
                source = self._first(tuple((*each, *rest) for each in sources))
            case _:
                pass
        return source, rule

    def _first(self, candidates: Iterable[Names]) -> str | None:
        """Return the first of some places that has a value."""
        return next((self._path(names) for names in candidates if self._value(names) is not None), None)


def _of_id_type(id_type: str) -> tuple[Names, ...]:
    return _STABLE_IDS if id_type == statsig.STABLE_ID else ((statsig.USER, statsig.CUSTOM_IDS, id_type),)


def _read(payload: Any) -> tuple[Mapping[str, Any], Places]:
    """Read an export as the event that it is about; empty where it cannot be read."""
    try:
        fields, lost = read_payload(payload, StatsigEventError)
        row = None if statsig.EVENT_NAME in fields else event_of_row(fields, lost, [])
    except StatsigSegmentError:
        return EMPTY, NO_PLACES
    return (fields, NO_PLACES) if row is None else row
