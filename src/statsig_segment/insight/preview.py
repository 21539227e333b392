"""What your traffic would become: counts by outcome and by event, and what likely ID mappings would add; one pass.

It translates nothing itself: each call goes through the fast lane, or where that steps aside through the reference, and
only its outcome is counted. What a missing mapping would add is read off the call's own fields, so no call is
translated twice.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Self

import attrs
from typing_extensions import TypeIs

from statsig_segment import segment
from statsig_segment._json.values import FrozenDict, freeze, is_object, read_text
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import IntegrationConfig, derived_of
from statsig_segment.errors import SegmentEventError, StatsigSegmentError
from statsig_segment.inbound import fast_lane
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.identity import apply_id_mappings
from statsig_segment.inbound.translate import check_iterable, reference_outcome
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.calls import Identify, parse_segment_event, spelled_id_type
from statsig_segment.statsig.events import StatsigEvent

LIKELY_MAPPINGS: Final = (
    IdMapping(field="anonymousId", id_type="segmentAnonymousId"),
    IdMapping(field="groupId", id_type="companyID"),
    IdMapping(field="context.groupId", id_type="companyID"),
    IdMapping(field="context.device.id", id_type="deviceID"),
    IdMapping(field="context.device.advertisingId", id_type="advertisingID"),
)
"""The mappings whose gains are measured where the configuration lacks them (CO-3)."""

MAX_ID_TYPES: Final = 100
"""How many ID types are counted apart: senders can invent them, and no project declares that many."""

_DEFAULT: Final = IntegrationConfig()
_MAX_NAMES: Final = 1000
_NAMING_FIELDS: Final = ("type", "event", "name", "category", "groupId")
_TEXT_OR_NONE: Final = frozenset({str, type(None)})
_MAX_IDENTITIES: Final = 4096  # remembered, so that calls of one name are named once


def _frozen_counts(counts: Mapping[str, int]) -> Mapping[str, int]:
    return FrozenDict(counts)


_NO_COUNTS: Final[Mapping[str, int]] = FrozenDict()


@attrs.frozen(kw_only=True, slots=False)
class EventPreview:
    """The counts of one event, or of any other group of calls. Numbers count calls unless they say otherwise."""

    type: str | None = None
    """The type of call; `None` where it is not one of the five."""
    name: str | None = None
    """The name as it would be sent, prefix included; `None` for calls that have none."""
    translated: int = 0
    """Calls that became a `StatsigEvent`."""
    audiences: int = 0
    """Calls that became an `AudienceUpdate`."""
    skipped: Mapping[str, int] = attrs.field(default=_NO_COUNTS, converter=_frozen_counts)
    """Reason -> calls."""
    rejected: Mapping[str, int] = attrs.field(default=_NO_COUNTS, converter=_frozen_counts)
    """Error code -> calls."""
    issues: Mapping[str, int] = attrs.field(default=_NO_COUNTS, converter=_frozen_counts)
    """Issue code -> issues of translated calls and audiences; one call may have several."""
    user_ids: int = 0
    """Translated events with a user ID."""
    id_types: Mapping[str, int] = attrs.field(default=_NO_COUNTS, converter=_frozen_counts)
    """ID type -> translated events with a custom ID of that type."""
    other_ids: int = 0
    """Custom IDs of further ID types, beyond the first 100."""

    @property
    def read(self) -> int:
        """Count all calls: translated, audiences, skipped and rejected."""
        return self.translated + self.audiences + sum(self.skipped.values()) + sum(self.rejected.values())


@attrs.frozen(kw_only=True, slots=False)
class Gain:
    """What one ID mapping would add, measured on the calls themselves (CO-3)."""

    field: str
    """The field that the mapping would read."""
    id_type: str
    """The ID type that it would fill."""
    saved_calls: int = 0
    """Calls rejected as `no_identifier` that the mapping would save."""
    enriched_events: int = 0
    """Events translated already that would gain an ID of this type."""

    @property
    def mapping(self) -> IdMapping:
        """Give the mapping itself, for `InboundConfig.id_mappings`."""
        return IdMapping(field=self.field, id_type=self.id_type)


def _total(preview: Any) -> EventPreview:
    tally = _Tally()
    for event in preview.groups:
        tally.add(event)
    return tally.frozen(None, None)


@attrs.frozen(kw_only=True, slots=False)
class Preview:
    """What a body of Segment calls would become (CO-1 to CO-5).

    It holds no value of a payload but event names and ID types. All totals are sums over `events` and `rest`, so they
    always add up.
    """

    events: tuple[EventPreview, ...] = ()
    """One entry for each type and name, in order of first appearance; calls without a name have one for each type."""
    rest: EventPreview = attrs.field(factory=EventPreview)
    """All calls with names beyond the first `max_names`, counted together; `rest.read` is 0 where there are none."""
    gains: tuple[Gain, ...] = ()
    """One entry for each of `LIKELY_MAPPINGS` that the configuration lacks, in their order."""
    max_names: int = _MAX_NAMES
    """How many names are kept apart."""
    total: EventPreview = attrs.field(init=False, eq=False, repr=False, default=attrs.Factory(_total, takes_self=True))
    """The counts of all calls."""

    @property
    def groups(self) -> tuple[EventPreview, ...]:
        """Give every group of calls: the events, then the rest."""
        return (*self.events, self.rest)

    @property
    def read(self) -> int:
        """Count all calls."""
        return self.total.read

    @property
    def translated(self) -> int:
        """Count the calls that became a `StatsigEvent`."""
        return self.total.translated

    @property
    def audiences(self) -> int:
        """Count the calls that became an `AudienceUpdate`."""
        return self.total.audiences

    @property
    def skipped(self) -> Mapping[str, int]:
        """Count skipped calls by reason."""
        return self.total.skipped

    @property
    def rejected(self) -> Mapping[str, int]:
        """Count rejected calls by error code."""
        return self.total.rejected

    @property
    def issues(self) -> Mapping[str, int]:
        """Count the issues of translated calls and audiences by code."""
        return self.total.issues

    @property
    def user_ids(self) -> int:
        """Count the translated events with a user ID."""
        return self.total.user_ids

    @property
    def id_types(self) -> Mapping[str, int]:
        """Count the translated events with a custom ID, by ID type."""
        return self.total.id_types

    def share(self, id_type: str) -> float:
        """Give the share of translated events that an experiment on this unit could use, from 0 to 1 (CO-2).

        Shape: an ID type in, `userID` included; 0.0 where nothing was translated.
        Errors: none.

        >>> calls = [{"type": "track", "event": "Signed Up", "userId": "u1"}]
        >>> preview(calls).share("userID"), preview(calls).share("companyID"), preview([]).share("userID")
        (1.0, 0.0, 0.0)
        """
        if not self.translated:
            return 0.0
        is_user_id = spelled_id_type(id_type) == segment.USER_ID_TYPE
        return (self.user_ids if is_user_id else self.id_types.get(id_type, 0)) / self.translated

    def merge(self, *others: "Preview") -> "Preview":
        """Give the preview of the calls of this and of others, as if they had been counted in one pass (CO-4).

        Shape: `preview(a + b, config)` equals `preview(a, config).merge(preview(b, config))`, as long as all
        together have at most `max_names` names and 100 ID types. Beyond that, every total still holds, and the groups
        still add up to it; but a name that one part counted in its `rest` stays there, even where another part keeps
        it apart. Of different limits the largest counts.
        Errors: none.

        >>> calls = [{"type": "track", "event": name, "userId": "u1"} for name in ("Signed Up", "Signed In")]
        >>> preview(calls[:1]).merge(preview(calls[1:])) == preview(calls)
        True
        """
        parts = (self, *others)
        tallies = _Tallies(max(part.max_names for part in parts))
        for part in parts:
            for event in part.events:
                tallies.of(event.type, event.name).add(event, tallies.id_types)
            tallies.rest.add(part.rest, tallies.id_types)
        return tallies.frozen(_merged_gains(*(part.gains for part in parts)))


def preview(payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT, *, max_names: int = _MAX_NAMES) -> Preview:
    """Count what Segment calls would become, in one pass and in constant memory for each distinct event name.

    Shape: payloads as `translate_many` takes them in; a `Preview` out: outcomes in all and by event, the share of
    events with each ID type, and what likely ID mappings would add. At most `max_names` names are kept apart; the rest
    count together in `Preview.rest`.
    Errors: `TypeError` where the payloads are a single call; what cannot be read or translated counts in `rejected`.
    Rules: CO-1 to CO-5. Source: our policy; Statsig's console shows no such figures before events arrive.

    >>> from statsig_segment.insight.preview import preview
    >>> found = preview([
    ...     {"type": "track", "event": "Signed Up", "userId": "u1", "anonymousId": "a1"},
    ...     {"type": "track", "event": "Signed Up", "anonymousId": "a2"},
    ... ])
    >>> found.read, found.translated, found.rejected
    (2, 1, {'no_identifier': 1})
    >>> found.gains[0]
    Gain(field='anonymousId', id_type='segmentAnonymousId', saved_calls=1, enriched_events=1)
    """
    check_iterable(payloads, "preview")
    count = _Count(config, max_names)
    plan = derived_of(config.inbound).plan
    for position, given in enumerate(payloads):
        payload = _decoded(given)
        outcome = fast_lane.log_event(payload, plan) or reference_outcome(payload, config.inbound, position, None)
        count.add(payload if _is_dict(payload) else freeze(payload), outcome)
    return count.tallies.frozen(tuple(row.gain() for row in count.rows))


def _decoded(payload: Any) -> Any:
    """Decode JSON text once for both the translation and the counting; leave anything else as it came."""
    if not issubclass(type(payload), str | bytes):
        return payload
    try:
        value = read_text(payload, SegmentEventError)
    except StatsigSegmentError:
        return payload
    return value if _is_dict(value) else payload


def _is_dict(value: Any) -> TypeIs[dict[str, Any]]:
    """Say whether a value is a dict as JSON decoders make it; what is asked of it then runs no code of the caller."""
    return type(value) is dict


class _Tally:
    """The counts of one event while they grow."""

    __slots__ = ("audiences", "id_types", "issues", "other_ids", "rejected", "skipped", "translated", "user_ids")

    def __init__(self) -> None:
        self.translated = self.audiences = self.user_ids = self.other_ids = 0
        self.skipped: dict[str, int] = {}
        self.rejected: dict[str, int] = {}
        self.issues: dict[str, int] = {}
        self.id_types: dict[str, int] = {}

    def add(self, event: EventPreview, known: dict[str, None] | None = None) -> None:
        """Add counts made before; ID types that are not among the known ones, and find no room there, go together."""
        self.translated += event.translated
        self.audiences += event.audiences
        self.user_ids += event.user_ids
        self.other_ids += event.other_ids
        for counts, more in (
            (self.skipped, event.skipped),
            (self.rejected, event.rejected),
            (self.issues, event.issues),
        ):
            for key, number in more.items():
                counts[key] = counts.get(key, 0) + number
        for id_type, number in event.id_types.items():
            self.add_ids(id_type, number, known)

    def add_ids(self, id_type: str, number: int, known: dict[str, None] | None) -> None:
        """Count events with an ID type."""
        if known is not None and id_type not in known:
            if len(known) >= MAX_ID_TYPES:
                self.other_ids += number
                return
            known[id_type] = None
        self.id_types[id_type] = self.id_types.get(id_type, 0) + number

    def frozen(self, kind: str | None, name: str | None) -> EventPreview:
        """Give the counts as a model."""
        return EventPreview(type=kind, name=name, **{key: getattr(self, key) for key in self.__slots__})


class _Tallies:
    """The tallies of all events while they grow."""

    def __init__(self, max_names: int) -> None:
        self.max_names = max_names
        self.names = 0
        self.by_event: dict[tuple[str | None, str | None], _Tally] = {}
        self.rest = _Tally()
        self.id_types: dict[str, None] = {}

    def of(self, kind: str | None, name: str | None) -> _Tally:
        """Give the tally of an event: that of the rest where there are too many names. Calls without a name are few."""
        tally = self.by_event.get((kind, name))
        if tally is not None:
            return tally
        if name is not None:
            if self.names >= self.max_names:
                return self.rest
            self.names += 1
        tally = self.by_event[kind, name] = _Tally()
        return tally

    def frozen(self, gains: tuple[Gain, ...]) -> Preview:
        """Give all counts as a model."""
        return Preview(
            events=tuple(tally.frozen(kind, name) for (kind, name), tally in self.by_event.items()),
            rest=self.rest.frozen(None, None),
            gains=gains,
            max_names=self.max_names,
        )


class _Row:
    """One likely mapping that the configuration lacks, and what it has been seen to add so far."""

    __slots__ = ("enriched", "field", "id_type", "keys", "saved")

    def __init__(self, mapping: IdMapping) -> None:
        self.field, self.id_type = mapping.field, mapping.id_type
        self.keys = tuple(mapping.field.split("."))
        self.saved = self.enriched = 0

    @classmethod
    def lacking(cls, config: IntegrationConfig) -> Iterator[Self]:
        """Give a row for each likely mapping that a configuration lacks."""
        return (cls(mapping) for mapping in LIKELY_MAPPINGS if mapping not in config.inbound.id_mappings)

    def value(self, payload: Mapping[str, Any]) -> Any:
        """Give the raw value that the mapping would read; a top-level field of that exact name stops the walk."""
        if len(self.keys) > 1 and self.field in payload:
            return payload[self.field]
        value: Any = payload
        for key in self.keys:
            if not _is_dict(value):
                value = freeze(value)
                if not is_object(value):
                    return None
            value = value.get(key)
        return value

    def gain(self) -> Gain:
        """Give what the mapping would add."""
        return Gain(field=self.field, id_type=self.id_type, saved_calls=self.saved, enriched_events=self.enriched)


class _Count:
    """One pass over the outcomes of calls."""

    def __init__(self, config: IntegrationConfig, max_names: int) -> None:
        self.config = config.inbound
        self.tallies = _Tallies(max_names)
        self.rows = tuple(_Row.lacking(config))
        self.identities: dict[tuple[Any, ...], tuple[str | None, str | None]] = {}

    def add(self, payload: Any, outcome: Any) -> None:
        """Count one call by its outcome: what the fast lane gives, which has no issues, or the reference."""
        if _is_dict(outcome):
            user = outcome["user"]
            self._event(
                payload,
                outcome["eventName"],
                user.get("customIDs", _NO_COUNTS),
                has_user_id=segment.USER_ID_TYPE in user,
            )
        elif isinstance(outcome, StatsigEvent):
            user = outcome.user
            tally = self._event(payload, outcome.event_name, user.custom_ids, has_user_id=user.user_id is not None)
            if outcome.issues:
                _count_issues(tally, outcome)
        elif isinstance(outcome, AudienceUpdate):
            tally = self.tallies.of("identify", None)
            tally.audiences += 1
            _count_issues(tally, outcome)
        elif isinstance(outcome, str):
            self._skipped(payload, outcome)
        elif isinstance(outcome, Skipped):
            self._skipped(payload, outcome.reason)
        else:
            self._rejected(payload, outcome)

    def _event(self, payload: Any, name: str, ids: Mapping[str, Any], *, has_user_id: bool) -> _Tally:
        kind = payload["type"]
        if type(kind) is not str:  # an enumeration, say
            kind = parse_segment_event(payload).type
        tally = self.tallies.of(kind, name)
        tally.translated += 1
        tally.user_ids += has_user_id
        counts = tally.id_types
        for id_type in ids:
            if id_type in counts:
                counts[id_type] += 1
            else:
                tally.add_ids(id_type, 1, self.tallies.id_types)
        for row in self.rows:
            if row.id_type not in ids:
                row.enriched += self._is_id(row.value(payload))
        return tally

    def _skipped(self, payload: Any, reason: str) -> None:
        skipped = self.tallies.of(*self._identity(payload)).skipped
        skipped[reason] = skipped.get(reason, 0) + 1

    def _rejected(self, payload: Any, outcome: Rejected) -> None:
        code = outcome.error.code
        rejected = self.tallies.of(*self._identity(payload)).rejected
        rejected[code] = rejected.get(code, 0) + 1
        if code == "no_identifier":
            for row in self.rows:
                row.saved += self._is_id(row.value(payload))

    def _is_id(self, value: Any) -> bool:
        """Say whether a mapping would take a value as an ID (IN-4, ID-8)."""
        is_usual = value is None or (type(value) is str and not self.config.drop_placeholder_ids)
        return bool(value) if is_usual else self._is_odd_id(value)

    def _is_odd_id(self, value: Any) -> bool:
        probe = parse_segment_event({"type": "identify", "anonymousId": value})
        mapped = apply_id_mappings(probe, LIKELY_MAPPINGS[:1], drop_placeholders=self.config.drop_placeholder_ids)
        return bool(mapped.custom_ids)

    def _identity(self, payload: Any) -> tuple[str | None, str | None]:
        """Give the type and name of a call that made no event, from what names it alone."""
        if not (_is_dict(payload) or is_object(payload)):
            return None, None
        parts = tuple(map(payload.get, _NAMING_FIELDS))
        if self.config.naming.from_properties or not _TEXT_OR_NONE.issuperset(map(type, parts)):
            return self._named(payload)
        identity = self.identities.get(parts)
        if identity is None:
            if len(self.identities) >= _MAX_IDENTITIES:
                self.identities.clear()
            identity = self.identities[parts] = self._named(payload)
        return identity

    def _named(self, payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
        naming = self.config.naming
        fields = (*_NAMING_FIELDS, "properties") if naming.from_properties else _NAMING_FIELDS
        try:
            call = parse_segment_event({key: payload[key] for key in fields if key in payload})
        except StatsigSegmentError as error:
            return ("track" if error.code == "missing_event" else None), None
        return call.type, None if isinstance(call, Identify) else naming.full_name(call)


def _count_issues(tally: _Tally, outcome: StatsigEvent | AudienceUpdate) -> None:
    for issue in outcome.issues:
        tally.issues[issue.code] = tally.issues.get(issue.code, 0) + 1


def _merged_gains(*parts: tuple[Gain, ...]) -> tuple[Gain, ...]:
    merged: dict[tuple[str, str], Gain] = {}
    for gain in (gain for part in parts for gain in part):
        before = merged.get((gain.field, gain.id_type))
        if before is not None:
            gain = attrs.evolve(  # noqa: PLW2901 - the sum takes its place
                gain,
                saved_calls=gain.saved_calls + before.saved_calls,
                enriched_events=gain.enriched_events + before.enriched_events,
            )
        merged[gain.field, gain.id_type] = gain
    return tuple(merged.values())
