"""What your traffic would become: one pass that counts outcomes by event and by client, and what likely mappings add.

It translates nothing itself: each call goes through the fast lane, or where that steps aside through the reference, and
this module counts the outcome. What a missing mapping would add is read off the call's own fields, so no call is
translated twice.

Traffic repeats itself: thousands of calls hold different IDs, but at the same few places. So what a call holds where
mappings look, which client sent it and what it consents to is first reduced to a key, equal keys are counted in a dict,
and only now and then is each key worked out and added to the counts that it belongs to.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from math import inf
from operator import methodcaller
from typing import Any, Final, NamedTuple, Self, TypeAlias, TypeVar, cast

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.paths import FieldPath, Step, select
from statsig_segment._json.values import (
    EMPTY,
    FrozenDict,
    as_object,
    filled_text,
    freeze,
    is_object,
    kind_of,
    type_name,
)
from statsig_segment.configuration.mappings import IdMapping, cut_row
from statsig_segment.configuration.models import IntegrationConfig, require_config
from statsig_segment.errors import SegmentEventError, StatsigSegmentError
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import Seen, check_iterable, translated_with_calls
from statsig_segment.insight.places import near_key, near_path
from statsig_segment.outcomes import Rejected, Skipped, settled
from statsig_segment.segment.arrays import ID_CODES, coerce_id, read_pairs
from statsig_segment.segment.calls import Identify, parse_segment_event, read_id, spelled_id_type
from statsig_segment.segment.placeholders import PLAIN_ENDS, is_placeholder
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
"""The most ID types that are counted separately: senders can invent them, and no project declares that many."""
# Senders name their library and consent categories freely, too; a company has a few dozen of either at most.
MAX_LIBRARIES: Final = 50
MAX_CATEGORIES: Final = 100
OTHERS: Final = ""
"""The name under which libraries and categories beyond these limits count together; no library has it."""

_DEFAULT: Final = IntegrationConfig()
_MAX_NAMES: Final = 1000  # more than people can plan, and so a sign of names with IDs in them
_MAX_KINDS: Final = 1024  # kinds of calls that wait to be counted: enough for ordinary traffic, and little memory
_MAX_IDENTITIES: Final = 4096  # names that are remembered, because naming a call by its template is slow
_NAMING_FIELDS: Final = ("type", "event", "name", "category", "groupId")
_TEXT_OR_NONE: Final = frozenset({str, type(None)})


# -- The models --------------------------------------------------------------------------------------------------------


_NOTHING: Final[Mapping[str, Any]] = FrozenDict()


def _frozen_counts(counts: Mapping[str, Any]) -> Mapping[str, Any]:
    return FrozenDict(counts) if counts else _NOTHING


@attrs.frozen(kw_only=True, slots=False)
class _Units:
    """How many events there are, and which IDs they have."""

    translated: int = 0
    """Calls that became a `StatsigEvent`: the events that Statsig would bill."""
    user_ids: int = 0
    """Translated events with a user ID."""
    id_types: Mapping[str, int] = attrs.field(default=_NOTHING, converter=_frozen_counts)
    """ID type -> translated events with a custom ID of that type."""
    other_ids: int = 0
    """Custom IDs of further ID types, beyond the first 100."""


@attrs.frozen(kw_only=True, slots=False)
class LibraryPreview(_Units):
    """The events of one client library (CO-7)."""

    name: str | None = None
    """`context.library.name`; `None` if it is absent, `""` for all libraries beyond the first 50."""


@attrs.frozen(kw_only=True, slots=False)
class Counts(_Units):
    """What became of some payloads. Numbers count payloads unless they say otherwise."""

    audiences: int = 0
    """Calls that became an `AudienceUpdate`."""
    skipped: Mapping[str, int] = attrs.field(default=_NOTHING, converter=_frozen_counts)
    """Reason -> payloads."""
    rejected: Mapping[str, int] = attrs.field(default=_NOTHING, converter=_frozen_counts)
    """Error code -> payloads."""
    issues: Mapping[str, int] = attrs.field(default=_NOTHING, converter=_frozen_counts)
    """Issue code -> issues of what was translated and of audiences; one call may have several."""

    @property
    def read(self) -> int:
        """All payloads: translated, audiences, skipped and rejected."""
        return self.translated + self.audiences + sum(self.skipped.values()) + sum(self.rejected.values())


@attrs.frozen(kw_only=True, slots=False)
class EventPreview(Counts):
    """The counts of one event."""

    type: str | None = None
    """The type of call; `None` if it is not one of the five."""
    name: str | None = None
    """The name as it would be sent, prefix included; `None` for calls that have none."""


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
        """The mapping itself, for `InboundConfig.id_mappings`."""
        return IdMapping(field=self.field, id_type=self.id_type)


@attrs.frozen(kw_only=True, slots=False)
class MappingUse:
    """What one row of `id_mappings` did (CO-8)."""

    field: str
    id_type: str
    found: int = 0
    """Calls that had an ID at the field."""
    gave: int = 0
    """Calls whose ID of this type came from the row: an earlier row or `statsigCustomIDs` may have given it first."""
    near: str | None = None
    """If the row found no ID in any call: the field that differs in letter case or separators only, if there is one."""


@attrs.frozen(kw_only=True, slots=False)
class Consent:
    """How often a consent category was given and refused, in the calls that name it (CO-9)."""

    given: int = 0
    """Calls in which the category is `true`."""
    refused: int = 0
    """Calls in which it is anything else."""


@attrs.frozen(kw_only=True, slots=False)
class Preview(Counts):
    """What a body of Segment calls would become (CO-1 to CO-10).

    Its own counts are the totals: sums over `events` and `rest`. It holds names of events, ID types, client libraries
    and consent categories, and no other values of the calls.
    """

    events: tuple[EventPreview, ...] = ()
    """One entry for each type and name, in order of first appearance; calls without a name have one for each type."""
    rest: EventPreview = attrs.field(factory=EventPreview)
    """All calls with names beyond the first `max_names`, counted together; `rest.read` is 0 where there are none."""
    libraries: tuple[LibraryPreview, ...] = ()
    """One entry for each client library of the translated events, in order of first appearance; they add up to all."""
    gains: tuple[Gain, ...] = ()
    """One entry for each of `LIKELY_MAPPINGS` and the candidates that the configuration lacks, in their order."""
    mappings: tuple[MappingUse, ...] = ()
    """One entry for each row of `id_mappings`, in their order; of all calls that can be parsed, skipped ones too."""
    consent: Mapping[str, Consent] = attrs.field(default=_NOTHING, converter=_frozen_counts)
    """Category -> how often it was given and refused; those beyond the first 100 are under `""`."""
    first_ms: int | None = None
    """The earliest time of a translated event, in epoch milliseconds."""
    last_ms: int | None = None
    """The latest."""
    max_names: int = _MAX_NAMES
    """How many names are kept apart."""

    def share(self, id_type: str) -> float:
        """Return the share of translated events that an experiment on this unit could use (CO-2).

        Args:
            id_type: An ID type, `userID` included.

        Returns:
            From 0 to 1; 0.0 where nothing was translated.

        >>> calls = [{"type": "track", "event": "Signed Up", "userId": "u1"}]
        >>> preview(calls).share("userID"), preview(calls).share("companyID"), preview([]).share("userID")
        (1.0, 0.0, 0.0)

        """
        if not self.translated:
            return 0.0
        is_user_id = spelled_id_type(id_type) == segment.USER_ID_TYPE
        return (self.user_ids if is_user_id else self.id_types.get(id_type, 0)) / self.translated

    def merge(self, *others: "Preview") -> "Preview":
        """Return the preview of the calls of this and of others, as if they had been counted in one pass (CO-4).

        `preview(a + b, config)` equals `preview(a, config).merge(preview(b, config))` while all parts together stay
        within `max_names` names, 100 ID types, 50 libraries and 100 consent categories. Beyond that, every total still
        holds and the groups still add up to it, but a name that one part counted in its `rest` stays there, even where
        another part keeps it apart.

        Args:
            others: Previews under the same configuration. Of different `max_names`, the largest counts.

        Returns:
            A new preview.

        Raises:
            TypeError: One of the others is not a `Preview`.

        >>> calls = [{"type": "track", "event": name, "userId": "u1"} for name in ("Signed Up", "Signed In")]
        >>> preview(calls[:1]).merge(preview(calls[1:])) == preview(calls)
        True

        """
        for part in others:
            if not issubclass(type(cast("object", part)), Preview):
                raise TypeError(f"merge takes previews, not {type_name(part)}")
        sums = _Sums(max(part.max_names for part in (self, *others)))
        for part in (self, *others):
            sums.merge(part)
        return sums.preview()


def preview(
    payloads: Iterable[Any],
    config: IntegrationConfig = _DEFAULT,
    *,
    candidates: Iterable[IdMapping] = (),
    seen: Seen | None = None,
    max_names: int = _MAX_NAMES,
) -> Preview:
    """Count what Segment calls would become, in one pass and in constant memory for each distinct event name.

    Args:
        payloads: Calls as `translate_many` takes them. A `Rejected` among them, for what could not be decoded, counts
            as what it is.
        config: The configuration under which the calls would be translated.
        candidates: ID mappings to try, besides `LIKELY_MAPPINGS`: `Preview.gains` has what each would add.
        seen: Remembers message IDs, as for `translate_many`: a repeated call is skipped as `duplicate_message`.
        max_names: How many event names are kept apart; the rest count together in `Preview.rest`.

    Returns:
        The outcomes in all, by event and by client library; the share of events with each ID type; what each mapping
        did, and what likely ones would add.

    Raises:
        TypeError: The payloads are a single call. What cannot be read or translated counts in `rejected`.

    Rules: CO-1 to CO-10.
    Source: Our policy: Statsig's console shows no figures before events arrive.

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
    require_config(config, "preview")
    growing = GrowingPreview(config, candidates=candidates, max_names=max_names)
    for call, outcome in translated_with_calls(payloads, config.inbound, seen):
        growing.add(call, outcome)
    return growing.preview()


# -- Counts while they grow --------------------------------------------------------------------------------------------


_Fate: TypeAlias = tuple[str, str]
"""Which of the counts an outcome belongs to, and under which reason or code."""
_UnitsOf: TypeAlias = tuple[bool, tuple[str, ...]]
"""Whether an event has a user ID, and its ID types."""
_TRANSLATED: Final = ("translated", "")
_AUDIENCE: Final = ("audiences", "")
_NO_UNITS: Final[_UnitsOf] = (False, ())
_WITHOUT_ID: Final = ("rejected", "no_identifier")


def _fate(outcome: Any) -> _Fate:
    """Return what became of a payload, whatever the kind of outcome: a model, a log event, a track, or none."""
    if isinstance(outcome, Skipped):
        return "skipped", outcome.reason
    if isinstance(outcome, Rejected):
        return "rejected", settled(outcome).error.code
    return _AUDIENCE if isinstance(outcome, AudienceUpdate) else _TRANSLATED


_Model = TypeVar("_Model", bound=Counts)


def _new_counts() -> defaultdict[Any, int]:
    return defaultdict(int)


class GrowingCounts:
    """`Counts` while they grow: what every summary is made of, be it of calls or of exports (CO-10)."""

    __slots__ = tuple(attrs.fields_dict(Counts))

    def __init__(self) -> None:
        """Start empty."""
        self.translated = self.audiences = self.user_ids = self.other_ids = 0
        self.skipped, self.rejected = _new_counts(), _new_counts()
        self.issues, self.id_types = _new_counts(), _new_counts()

    def add(self, outcome: Any) -> None:
        """Count an outcome of any kind; of a track or a log event, which are dicts, nothing but that it is there."""
        self.count(_fate(outcome))
        self.count_issues(outcome)

    def count(self, fate: _Fate) -> None:
        """Count what became of a payload."""
        name, code = fate
        if code:
            getattr(self, name)[code] += 1
        else:
            setattr(self, name, getattr(self, name) + 1)

    def count_issues(self, outcome: Any) -> None:
        """Count the issues of an outcome, if it may have some."""
        for issue in getattr(outcome, "issues", ()):
            self.issues[issue.code] += 1

    @property
    def read(self) -> int:
        """All payloads."""
        return self.translated + self.audiences + sum(self.skipped.values()) + sum(self.rejected.values())

    def merge(self, counts: Counts) -> None:
        """Add what was counted before, except for the IDs."""
        self.translated += counts.translated
        self.audiences += counts.audiences
        for name in ("skipped", "rejected", "issues"):
            mine = getattr(self, name)
            for key, number in getattr(counts, name).items():
                mine[key] += number

    def frozen(self, model: type[_Model], **own: Any) -> _Model:
        """Return the counts as a model, with what the model has of its own."""
        return model(**{name: getattr(self, name) for name in self.__slots__}, **own)


class _Sums:
    """A `Preview` while it grows."""

    def __init__(self, max_names: int) -> None:
        self.total, self.rest = GrowingCounts(), GrowingCounts()
        self.events: dict[tuple[str | None, str | None], GrowingCounts] = {}
        self.libraries = defaultdict[str | None, GrowingCounts](GrowingCounts)
        self.gains = _Pairs[tuple[str, str]]()
        self.mappings = _Pairs[tuple[str, str]]()
        self.consent = _Pairs[str]()
        self.near: dict[tuple[str, str], str] = {}
        self.first_ms: float = inf
        self.last_ms: float = -inf
        self.max_names = max_names
        self._names = 0
        self._id_types: set[str] = set()  # that are counted apart

    def event(self, kind: str | None, name: str | None) -> GrowingCounts:
        """Return the counts of an event: those of the rest where there are too many names; few calls have no name."""
        counts = self.events.get((kind, name))
        if counts is None:
            if name is not None and self._names >= self.max_names:
                return self.rest
            self._names += name is not None
            counts = self.events[kind, name] = GrowingCounts()
        return counts

    def library(self, name: str | None) -> GrowingCounts:
        """Return the counts of a client library."""
        return self.libraries[_place(name, self.libraries, MAX_LIBRARIES)]

    def count_consent(self, category: str, given: int, refused: int) -> None:
        """Count how often a category was given and refused."""
        self.consent.add(_place(category, self.consent, MAX_CATEGORIES), given, refused)

    def see(self, time_ms: int) -> None:
        """Take the time of an event into the span."""
        self.first_ms, self.last_ms = min(self.first_ms, time_ms), max(self.last_ms, time_ms)

    def count_units(self, counts: GrowingCounts, units: _UnitsOf, number: int) -> None:
        """Count events by the IDs that they have; ID types for which there is no room go together."""
        has_user_id, id_types = units
        counts.user_ids += number * has_user_id
        for id_type in id_types:
            if id_type in self._id_types or self._has_room(id_type):
                counts.id_types[id_type] += number
            else:
                counts.other_ids += number

    def _has_room(self, id_type: str) -> bool:
        if len(self._id_types) < MAX_ID_TYPES:
            self._id_types.add(id_type)
        return id_type in self._id_types

    def _merge_units(self, counts: GrowingCounts, part: _Units) -> None:
        counts.user_ids += part.user_ids
        counts.other_ids += part.other_ids
        for id_type, number in part.id_types.items():
            self.count_units(counts, (False, (id_type,)), number)

    def merge(self, part: Preview) -> None:
        """Add a preview."""
        groups = [(self.total, part), *((self.event(event.type, event.name), event) for event in part.events)]
        for counts, group in (*groups, (self.rest, part.rest)):
            counts.merge(group)
            self._merge_units(counts, group)
        for library in part.libraries:
            counts = self.library(library.name)
            counts.translated += library.translated
            self._merge_units(counts, library)
        for gain in part.gains:
            self.gains.add((gain.field, gain.id_type), gain.saved_calls, gain.enriched_events)
        for use in part.mappings:
            self.mappings.add((use.field, use.id_type), use.found, use.gave)
            if use.near is not None:
                self.near.setdefault((use.field, use.id_type), use.near)
        for category, consent in part.consent.items():
            self.count_consent(category, consent.given, consent.refused)
        for time_ms in (part.first_ms, part.last_ms):
            if time_ms is not None:
                self.see(time_ms)

    def preview(self) -> Preview:
        """Return all counts as a model."""
        return self.total.frozen(
            Preview,
            events=tuple(self.events[key].frozen(EventPreview, type=key[0], name=key[1]) for key in self.events),
            rest=self.rest.frozen(EventPreview),
            libraries=tuple(
                LibraryPreview(
                    name=name,
                    translated=counts.translated,
                    user_ids=counts.user_ids,
                    id_types=counts.id_types,
                    other_ids=counts.other_ids,
                )
                for name, counts in sorted(self.libraries.items(), key=lambda item: item[0] == OTHERS)
            ),
            gains=tuple(
                Gain(field=field, id_type=id_type, saved_calls=saved, enriched_events=enriched)
                for (field, id_type), (saved, enriched) in self.gains.items()
            ),
            mappings=tuple(
                MappingUse(
                    field=row[0], id_type=row[1], found=found, gave=gave, near=None if found else self.near.get(row)
                )
                for row, (found, gave) in self.mappings.items()
            ),
            consent={name: Consent(given=given, refused=refused) for name, (given, refused) in self.consent.items()},
            first_ms=None if self.first_ms == inf else int(self.first_ms),
            last_ms=None if self.last_ms == -inf else int(self.last_ms),
            max_names=self.max_names,
        )


_Key = TypeVar("_Key")


class _Pairs(dict[_Key, tuple[int, int]]):
    """Two counts for each key."""

    def add(self, key: _Key, one: int, other: int) -> None:
        before = self.get(key, (0, 0))
        self[key] = (before[0] + one, before[1] + other)


def _place(name: str | None, counts: Mapping[Any, Any], most: int) -> Any:
    """Return the name under which to count: that of the others where there is no room for one more."""
    return name if name in counts or len(counts) - (OTHERS in counts) < most else OTHERS


# -- One pass over calls -----------------------------------------------------------------------------------------------

_CONTEXT: Final = Step(segment.CONTEXT)
_IDS: Final = frozenset({str, int})
_WITH_TRAITS: Final = frozenset({"group", "identify"})
_PLACEHOLDER: Final = 1
_USABLE: Final = 2
"""What there is at a place where a mapping looks for an ID: this, or nothing."""


class _Row(NamedTuple):
    """An ID mapping while it is counted."""

    field: str
    id_type: str
    filled: str
    """The ID type in the spelling of an event."""
    path: FieldPath
    is_nested: bool
    inside: Callable[[Mapping[str, Any]], Any] | None
    """For a path into the context: gives the value there."""

    @classmethod
    def of(cls, mapping: IdMapping) -> Self:
        filled, path = cut_row(mapping)
        head, *steps = path.steps
        inside: Callable[[Mapping[str, Any]], Any] | None = None
        if head == _CONTEXT and steps:
            is_key = len(steps) == 1 and steps[0].selector is None
            inside = methodcaller("get", steps[0].name) if is_key else partial(_walk, steps)
        is_nested = bool(steps) or head.selector is not None
        return cls(mapping.field, mapping.id_type, filled, path, is_nested, inside)


class GrowingPreview:
    """Collects a `Preview`: counts calls one by one, each with its outcome."""

    def __init__(
        self, config: IntegrationConfig, *, candidates: Iterable[IdMapping] = (), max_names: int = _MAX_NAMES
    ) -> None:
        """Start empty."""
        self._config = config.inbound
        self._sums = _Sums(max_names)
        self._identities: dict[tuple[Any, ...], tuple[str | None, str | None]] = {}
        self._alike: dict[tuple[Any, ...], int] = defaultdict(int)
        mappings = dict.fromkeys(self._config.id_mappings)
        self._rows = [*map(_Row.of, mappings)]
        self._lacking = [
            *map(_Row.of, dict.fromkeys(row for row in (*LIKELY_MAPPINGS, *candidates) if row not in mappings))
        ]
        for sums, rows in ((self._sums.mappings, self._rows), (self._sums.gains, self._lacking)):
            for row in rows:
                sums.add(row[:2], 0, 0)
        self._row_types = frozenset(row.filled for row in self._rows)
        self._unfound = [*self._rows]
        """The rows that have not found an ID yet, nor another field that was probably meant."""
        self._near: dict[tuple[tuple[str, ...], str], str | None] = {}
        # If each ID type has one row, an event has the ID exactly when the row found one, so the call need not be read.
        self._shows_found = len(self._row_types) == len(self._rows) and segment.USER_ID_TYPE not in self._row_types

    def add(self, payload: Any, outcome: Any) -> None:
        """Count a call by its outcome: a log event, or anything that `translate_many` yields."""
        call = payload if kind_of(payload) is dict else freeze(payload)
        sums = self._sums
        if kind_of(outcome) is dict:
            user = outcome[statsig.USER]
            has_user_id, id_types = segment.USER_ID_TYPE in user, tuple(user.get(statsig.CUSTOM_IDS, ()))
            name, time_ms = outcome[statsig.EVENT_NAME], outcome.get(statsig.TIME)
        elif isinstance(outcome, StatsigEvent):
            has_user_id, id_types = outcome.user.user_id is not None, tuple(outcome.user.custom_ids)
            name, time_ms = outcome.event_name, outcome.time_ms
        else:
            self._add_unsent(call, outcome)
            return
        # Nearly every call passes here, so the usual case calls no function, which would cost more than the counting.
        kind = call[segment.TYPE]
        if type(kind) is not str:  # an enumeration, say
            kind = parse_segment_event(call).type
        group = sums.events.get((kind, name)) or sums.event(kind, name)
        group.translated += 1
        group.user_ids += has_user_id
        counts = group.id_types
        for id_type in id_types:
            if id_type in counts:
                counts[id_type] += 1
            else:
                sums.count_units(group, (False, (id_type,)), 1)
        if time_ms is not None and not sums.first_ms <= time_ms <= sums.last_ms:
            sums.see(time_ms)
        if kind_of(outcome) is not dict:
            for each in (group, sums.total):
                each.count_issues(outcome)
        self._look(call, _TRANSLATED, id_types, has_user_id=has_user_id)

    def _add_unsent(self, call: Any, outcome: Any) -> None:
        fate, sums = _fate(outcome), self._sums
        group = sums.event(*((Identify.type, None) if fate is _AUDIENCE else self._identity(call)))
        for counts in (group, sums.total):
            counts.add(outcome)
        if _is_parsed(outcome):
            self._look(call, fate, has_user_id=False, id_types=())

    def _look(self, call: Any, fate: _Fate, id_types: tuple[str, ...], *, has_user_id: bool) -> None:
        """Collect the client, the consent and the IDs of a call at the places that mappings read."""
        context = call.get(segment.CONTEXT)
        context = context if kind_of(context) is dict else _plain_object(context)
        name = context.get(segment.LIBRARY)
        if name is not None:
            name = (name if kind_of(name) is dict else _plain_object(name)).get(segment.NAME)
        if name is not None and type(name) is not str:
            name = filled_text(freeze(name))
        # A row counts as the source of an ID only if the call had none of that type by itself (ID-5). Plain properties
        # without `statsigCustomIDs` show that, and spare nearly all calls the reading.
        own_types: tuple[str, ...] = ()
        reads = fate is not _TRANSLATED or not self._shows_found
        if self._rows:
            properties = call.get(segment.PROPERTIES)
            if kind_of(properties) is not dict or segment.CUSTOM_IDS in properties or segment.TRAITS in call or reads:
                own_types = self._own_types(call)
        held: tuple[int, ...] | None = None
        if reads or own_types:
            held = tuple(
                [
                    _held(_value(call, row)) if reads or row.filled in own_types else _USABLE * (row.filled in id_types)
                    for row in self._rows
                ]
            )
        if self._unfound:
            self._search(call)
        lacking: tuple[int, ...] = ()
        for place, row in enumerate(self._lacking):
            if row.filled not in id_types:
                value = row.inside(context) if row.inside and row.field not in call else _value(call, row)
                # A usual last character shows that text is usable, as in the fast lane; `_held` decides the rest.
                if value is not None and ((type(value) is str and value[-1:] in PLAIN_ENDS) or _held(value) == _USABLE):
                    lacking += (place,)
        consent = _given(context[segment.CONSENT]) if segment.CONSENT in context else ()
        self._alike[fate, name, has_user_id, id_types, own_types, held, lacking, consent] += 1
        if len(self._alike) >= _MAX_KINDS:
            self._work_out()

    def _near_key(self, keys: tuple[str, ...], wanted: str) -> str | None:
        """Return the key that was probably meant; objects of the same keys are looked at once."""
        # Forgetting all at once keeps the memory bounded, and is cheaper than keeping track of the oldest.
        if len(self._near) >= _MAX_KINDS:
            self._near.clear()
        if (keys, wanted) not in self._near:
            self._near[keys, wanted] = near_key(keys, wanted)
        return self._near[keys, wanted]

    def _search(self, call: Mapping[str, Any]) -> None:
        """Search for the field that was probably meant by each mapping that has found nothing so far (CO-8)."""
        # A row leaves the list as soon as it found something, so the search soon costs nothing.
        for row in [*self._unfound]:
            is_found = _held(_value(call, row)) > self._config.drop_placeholder_ids
            near = None if is_found else near_path(call, row.path, self._near_key)
            if near is not None:
                self._sums.near.setdefault(row[:2], near)
            if is_found or near is not None:
                self._unfound.remove(row)

    def _own_types(self, call: Any) -> tuple[str, ...]:
        """Return the ID types that have an ID before anything is mapped (ID-5)."""
        array = _own_ids(call)
        drops = self._config.drop_placeholder_ids
        found: list[str] = []
        if kind_of(array) is list and not drops and _IDS.issuperset(map(kind_of, array)) and len(array) % 2 == 0:
            pairs = zip(array[::2], array[1::2], strict=True)
            found += [spelled_id_type(name) for name, id_ in pairs if name and id_ != ""]
        elif array is not None:
            read = read_pairs(freeze(array), "", ID_CODES, read_id, [], spelled_id_type)
            found += [id_type for id_type, (id_, _) in read.items() if not drops or not is_placeholder(id_)]
        if segment.USER_ID_TYPE in self._row_types and _held(call.get(segment.USER_ID)) > drops:
            found.append(segment.USER_ID_TYPE)
        return tuple(found)

    def _identity(self, call: Any) -> tuple[str | None, str | None]:
        """Return the type and name of a call that made no event, from what names it and nothing else."""
        if not (kind_of(call) is dict or is_object(call)):
            return None, None
        # Only these fields make a name, unless templates read the properties; only text is safe as a key of a dict.
        parts = tuple(map(call.get, _NAMING_FIELDS))
        if self._config.naming.from_properties or not _TEXT_OR_NONE.issuperset(map(kind_of, parts)):
            return self._named(call)
        identity = self._identities.get(parts)
        if identity is None:
            if len(self._identities) >= _MAX_IDENTITIES:
                self._identities.clear()
            identity = self._identities[parts] = self._named(call)
        return identity

    def _named(self, call: Mapping[str, Any]) -> tuple[str | None, str | None]:
        naming = self._config.naming
        fields = (*_NAMING_FIELDS, segment.PROPERTIES) if naming.from_properties else _NAMING_FIELDS
        try:
            parsed = parse_segment_event({key: call[key] for key in fields if key in call})
        except StatsigSegmentError as error:
            return ("track" if error.code == "missing_event" else None), None
        return parsed.type, None if isinstance(parsed, Identify) else naming.full_name(parsed)

    def preview(self) -> Preview:
        """Return what has been counted so far."""
        self._work_out()
        return self._sums.preview()

    def _work_out(self) -> None:
        """Add the kinds of calls that were collected to the counts, and start collecting anew."""
        sums = self._sums
        for (fate, library, has_user_id, id_types, own_types, held, lacking, consent), number in self._alike.items():
            if fate is _TRANSLATED:
                for group in (sums.total, sums.library(library or None)):
                    group.translated += number
                    sums.count_units(group, (has_user_id, id_types), number)
            for category, is_given in consent:
                sums.count_consent(category, number * is_given, number * (not is_given))
            wanting: tuple[int, ...] = lacking if fate in {_TRANSLATED, _WITHOUT_ID} else ()
            for row in map(self._lacking.__getitem__, wanting):
                if row.filled != segment.USER_ID_TYPE or not has_user_id:
                    sums.gains.add(row[:2], number * (fate != _TRANSLATED), number * (fate == _TRANSLATED))
            # Rows apply in order, and the first to find an ID of a type fills it (ID-4).
            filled = set(own_types)
            for mapped, is_found in zip(self._rows, self._found(id_types, held), strict=True):
                if is_found:
                    sums.mappings.add(mapped[:2], number, number * (mapped.filled not in filled))
                    filled.add(mapped.filled)
        self._alike.clear()

    def _found(self, id_types: tuple[str, ...], held: tuple[int, ...] | None) -> Iterable[bool]:
        """Return for each mapping whether it found an ID."""
        if held is None:
            return (row.filled in id_types for row in self._rows)
        return (each > self._config.drop_placeholder_ids for each in held)


def _value(call: Mapping[str, Any], row: _Row) -> Any:
    """Return the value that a mapping reads in a call as it was sent (ID-4)."""
    if not row.is_nested or row.field in call:  # a field of that exact name stops the walk
        return call.get(row.field)
    return _walk(row.path.steps, call)


def _walk(steps: Iterable[Step], value: Any) -> Any:
    """Return the value at the end of the steps; `None` if they lead nowhere."""
    for name, selector in steps:
        if value is None:
            return None
        value = (value if kind_of(value) is dict else _plain_object(value)).get(name)
        if selector is not None:
            _, value = select(freeze(value), selector, {})
    return value


def _plain_object(value: object) -> Mapping[str, Any]:
    """Return a value if it is an object, else an empty object."""
    return EMPTY if value is None else as_object(value) or EMPTY


def _own_ids(call: Any) -> Any:
    """Return the array `statsigCustomIDs` of a call, or `None` (ID-3)."""
    array = _plain_object(call.get(segment.PROPERTIES)).get(segment.CUSTOM_IDS)
    if array is None and segment.TRAITS in call and freeze(call[segment.TYPE]) in _WITH_TRAITS:
        array = _plain_object(call[segment.TRAITS]).get(segment.CUSTOM_IDS)
    return array


def _held(value: Any) -> int:
    """Return whether a value is usable as an ID, a placeholder, or neither (0) (IN-4, ID-8)."""
    if value is None:
        return 0
    text = value if type(value) is str else coerce_id(freeze(value))
    return (_PLACEHOLDER if is_placeholder(text) else _USABLE) if text else 0


def _given(consent: Any) -> tuple[tuple[str, bool], ...]:
    """Return the categories of a call, and whether each is given; anything but `true` refuses (CO-9)."""
    preferences = freeze(_plain_object(consent).get(segment.CATEGORY_PREFERENCES))
    return tuple((name, value is True) for name, value in preferences.items()) if is_object(preferences) else ()


def _is_parsed(outcome: Any) -> bool:
    """Return whether a payload is a call that can be parsed, whatever its outcome."""
    if isinstance(outcome, Rejected):
        return not isinstance(settled(outcome).error, SegmentEventError)
    return not isinstance(outcome, Skipped) or outcome.reason != "unsupported_type"
