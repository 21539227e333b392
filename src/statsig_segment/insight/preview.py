"""What your traffic would become: one pass that counts outcomes by event and by client, and what likely mappings add.

It translates nothing itself: each call goes through the fast lane, or where that steps aside through the reference, and
this module counts the outcome. What a missing mapping would add is read off the call's own fields, so no call is
translated twice.

Traffic repeats itself: thousands of calls hold different IDs, but at the same few places. So what a call holds where
mappings look, which client sent it and what it consents to is first reduced to a key, equal keys are counted in a dict,
and only now and then is each key worked out and added to the counts that it belongs to. The name of the event is no
part of the key, because clients and names hardly depend on each other: a key of both would rarely repeat.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar, cast

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.paths import FieldPath
from statsig_segment._json.values import EMPTY, FrozenDict, filled_text, freeze, is_object, kind_of, type_name
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.mappings import IdMapping, cut_row
from statsig_segment.configuration.models import IntegrationConfig, require_config
from statsig_segment.errors import SegmentEventError, StatsigSegmentError
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import Seen, check_iterable, event_of_outcome, translated_with_calls
from statsig_segment.insight.places import id_text, near_key, near_path, object_in, own_ids, value_at
from statsig_segment.outcomes import Rejected, Skipped, settled
from statsig_segment.segment.arrays import ID_CODES, read_pairs
from statsig_segment.segment.calls import Identify, parse_segment_event, read_id, spelled_id_type
from statsig_segment.segment.placeholders import PLAIN_ENDS, is_placeholder

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
_MAX_KINDS: Final = 512  # kinds of calls that wait to be counted: enough for ordinary traffic, and little memory
_MAX_IDENTITIES: Final = 4096  # names that are remembered, because naming a call by its template is slow
_NAMING_FIELDS: Final = ("type", "event", "name", "category", "groupId")
_TEXT_OR_NONE: Final = frozenset({str, type(None)})


# -- The models --------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True, slots=False)
class _Units:
    """How many events there are, and which IDs they have."""

    translated: int = 0
    """Calls that became a `StatsigEvent`: the events that Statsig would bill."""
    user_ids: int = 0
    """Translated events with a user ID."""
    id_types: Mapping[str, int] = attrs.field(default=EMPTY, converter=FrozenDict)
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
    skipped: Mapping[str, int] = attrs.field(default=EMPTY, converter=FrozenDict)
    """Reason -> payloads."""
    rejected: Mapping[str, int] = attrs.field(default=EMPTY, converter=FrozenDict)
    """Error code -> payloads."""
    issues: Mapping[str, int] = attrs.field(default=EMPTY, converter=FrozenDict)
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
    consent: Mapping[str, Consent] = attrs.field(default=EMPTY, converter=FrozenDict)
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
            as what it is. Some are read ahead, so a generator has to yield a new object for each call.
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
_TRANSLATED: Final = ("translated", "")
_WITHOUT_ID: Final = ("rejected", "no_identifier")
_Identity: TypeAlias = tuple[str | None, str | None]
"""The type and the name of an event."""
_Model = TypeVar("_Model", bound=Counts)


def _fate(outcome: Any) -> _Fate:
    """Return what became of a payload, whatever the kind of outcome: a model, a log event, a track, or none."""
    if isinstance(outcome, Skipped):
        return "skipped", outcome.reason
    if isinstance(outcome, Rejected):
        return "rejected", settled(outcome).error.code
    return ("audiences", "") if isinstance(outcome, AudienceUpdate) else _TRANSLATED


class GrowingCounts:
    """`Counts` while they grow: what every summary is made of, be it of calls or of exports (CO-10)."""

    def __init__(self) -> None:
        """Start empty, with the attributes of `Counts`."""
        self.translated = self.audiences = self.user_ids = self.other_ids = 0
        self.skipped, self.rejected, self.issues, self.id_types = (defaultdict[str, int](int) for _ in range(4))

    def add(self, outcome: Any) -> None:
        """Count an outcome of any kind; of a track or a log event, which are dicts, nothing but that it is there."""
        name, code = _fate(outcome)
        if code:
            getattr(self, name)[code] += 1
        else:
            setattr(self, name, getattr(self, name) + 1)
        self.add_issues(outcome)

    def add_issues(self, outcome: Any) -> None:
        """Count the issues of an outcome, if it may have some."""
        for issue in getattr(outcome, "issues", ()):
            self.issues[issue.code] += 1

    def add_events(self, number: int, id_types: Iterable[str], *, has_user_id: bool) -> None:
        """Count events that have the same IDs."""
        self.translated += number
        self.user_ids += number * has_user_id
        for id_type in id_types:
            self.id_types[id_type] += number

    @property
    def read(self) -> int:
        """All payloads."""
        return self.translated + self.audiences + sum(self.skipped.values()) + sum(self.rejected.values())

    def merge(self, counts: "_Units | GrowingCounts") -> None:
        """Add what was counted before."""
        theirs = vars(counts)
        for name, mine in vars(self).items():
            if type(mine) is int:
                setattr(self, name, mine + theirs.get(name, 0))  # a library has not all of the numbers
                continue
            for key, number in theirs.get(name, EMPTY).items():
                mine[key] += number

    def frozen(self, model: type[_Model], **own: Any) -> _Model:
        """Return the counts as a model, with what the model has of its own."""
        return model(**vars(self), **own)


class _Sums:
    """A `Preview` while it grows."""

    def __init__(self, max_names: int) -> None:
        self.max_names = max_names
        self.events: dict[_Identity, GrowingCounts] = {}
        self.total, self.rest = GrowingCounts(), GrowingCounts()
        self.libraries = defaultdict[str | None, GrowingCounts](GrowingCounts)
        self.gains = defaultdict[tuple[str, str], Counter[str]](Counter)
        self.mappings = defaultdict[tuple[str, str], Counter[str]](Counter)
        self.consent = defaultdict[str, Counter[str]](Counter)
        self.near: dict[tuple[str, str], str] = {}
        self.first_ms: int | None = None
        self.last_ms: int | None = None
        self._names = 0

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

    def category(self, name: str) -> Counter[str]:
        """Return the counts of a consent category."""
        return self.consent[_place(name, self.consent, MAX_CATEGORIES)]

    def see(self, time_ms: int | None) -> None:
        """Take the time of an event into the span."""
        if time_ms is not None:
            self.first_ms = time_ms if self.first_ms is None else min(self.first_ms, time_ms)
            self.last_ms = time_ms if self.last_ms is None else max(self.last_ms, time_ms)

    def keep_id_types(self) -> None:
        """Count ID types together for which there is no room."""
        for id_type in [*self.total.id_types][MAX_ID_TYPES:]:
            for counts in (self.total, *self.events.values(), self.rest, *self.libraries.values()):
                counts.other_ids += counts.id_types.pop(id_type, 0)

    def merge(self, part: Preview) -> None:
        """Add a preview."""
        self.total.merge(part)
        for event in part.events:
            self.event(event.type, event.name).merge(event)
        self.rest.merge(part.rest)
        for library in part.libraries:
            self.library(library.name).merge(library)
        for gain in part.gains:
            sums = self.gains[gain.field, gain.id_type]
            sums.update(saved_calls=gain.saved_calls, enriched_events=gain.enriched_events)
        for use in part.mappings:
            self.mappings[use.field, use.id_type].update(found=use.found, gave=use.gave)
            if use.near is not None:
                self.near.setdefault((use.field, use.id_type), use.near)
        for name, consent in part.consent.items():
            self.category(name).update(given=consent.given, refused=consent.refused)
        self.see(part.first_ms)
        self.see(part.last_ms)
        self.keep_id_types()

    def preview(self) -> Preview:
        """Return all counts as a model."""
        return self.total.frozen(
            Preview,
            events=tuple(
                counts.frozen(EventPreview, type=kind, name=name) for (kind, name), counts in self.events.items()
            ),
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
            gains=tuple(Gain(field=row[0], id_type=row[1], **counts) for row, counts in self.gains.items()),
            mappings=tuple(
                MappingUse(field=row[0], id_type=row[1], near=None if counts["found"] else self.near.get(row), **counts)
                for row, counts in self.mappings.items()
            ),
            consent={name: Consent(**counts) for name, counts in self.consent.items()},
            first_ms=self.first_ms,
            last_ms=self.last_ms,
            max_names=self.max_names,
        )


def _place(name: str | None, counts: Mapping[Any, Any], most: int) -> Any:
    """Return the name under which to count: that of the others where there is no room for one more."""
    return name if name in counts or len(counts) - (OTHERS in counts) < most else OTHERS


# -- One pass over calls -----------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """An ID mapping while it is counted."""

    key: tuple[str, str]
    """The field and the ID type, as the mapping spells them."""
    filled: str
    """The ID type in the spelling of an event."""
    path: FieldPath
    is_mapped: bool
    """Whether the configuration has it, so that it counts as a `MappingUse`; else it counts as a `Gain`."""


class _Remembered:
    """A function that remembers what it returned for the latest arguments."""

    def __init__(self, find: Callable[..., Any], most: int) -> None:
        self._find, self._most = find, most
        self._known: dict[tuple[Any, ...], Any] = {}

    def __call__(self, *key: Any) -> Any:
        if key not in self._known:
            # Forgetting all at once bounds the memory, and is cheaper than keeping track of the oldest.
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = self._find(*key)
        return self._known[key]


class GrowingPreview:
    """Collects a `Preview`: counts calls one by one, each with its outcome."""

    def __init__(
        self, config: IntegrationConfig, *, candidates: Iterable[IdMapping] = (), max_names: int = _MAX_NAMES
    ) -> None:
        """Start empty."""
        self._config = config.inbound
        self._drops = self._config.drop_placeholder_ids
        self._sums = _Sums(max_names)
        mapped = dict.fromkeys(self._config.id_mappings)
        self._rows = [
            _Row((row.field, row.id_type), *cut_row(row), row in mapped)
            for row in dict.fromkeys((*mapped, *LIKELY_MAPPINGS, *candidates))
        ]
        for row in self._rows:  # so that a row that finds nothing is counted with 0
            (self._sums.mappings if row.is_mapped else self._sums.gains)[row.key].clear()
        self._mapped_types = frozenset(row.filled for row in self._rows if row.is_mapped)
        self._unfound = [(place, row) for place, row in enumerate(self._rows) if row.is_mapped]
        """The rows that have not found an ID yet, nor another field that was probably meant."""
        self._alike: dict[tuple[Any, ...], int] = defaultdict(int)
        self._near_key = _Remembered(near_key, _MAX_KINDS)
        naming = self._config.naming
        # Only these fields make a name, unless templates read the properties.
        self._naming_fields = (*_NAMING_FIELDS, segment.PROPERTIES) if naming.from_properties else _NAMING_FIELDS
        self._identity = partial(_identity, naming, self._naming_fields)
        self._known_identity = _Remembered(self._identity, _MAX_IDENTITIES)

    def add(self, payload: Any, outcome: Any) -> None:
        """Count a call by its outcome: a log event, or anything that `translate_many` yields."""
        call = payload if kind_of(payload) is dict else freeze(payload)
        event: Any = event_of_outcome(outcome)
        if event is None:
            for counts in (self._sums.total, self._sums.event(*self._unsent_identity(call, outcome))):
                counts.add(outcome)
            if _is_parsed(outcome):
                self._look(call, _fate(outcome), (), has_user_id=False)
            return
        kind, user = call[segment.TYPE], event[statsig.USER]
        has_user_id, id_types = statsig.USER_ID in user, tuple(user.get(statsig.CUSTOM_IDS, ()))
        counts = self._sums.event(kind if type(kind) is str else freeze(kind), event[statsig.EVENT_NAME])
        counts.add_events(1, id_types, has_user_id=has_user_id)
        if event is not outcome:  # a log event from the fast lane has no issues
            for each in (self._sums.total, counts):
                each.add_issues(outcome)
        self._sums.see(event.get(statsig.TIME))
        self._look(call, _TRANSLATED, id_types, has_user_id=has_user_id)

    def _look(self, call: Any, fate: _Fate, id_types: tuple[str, ...], *, has_user_id: bool) -> None:
        """Collect the client, the consent and the IDs of a call at the places that mappings read."""
        context = object_in(call, segment.CONTEXT)
        library = object_in(context, segment.LIBRARY).get(segment.NAME)
        library = library if type(library) is str else filled_text(freeze(library))
        found: list[int] = []
        for place, (_, filled, path, is_mapped) in enumerate(self._rows):
            if is_mapped or filled not in id_types:
                value = value_at(call, path)
                # A usual last character shows that text is usable, as in the fast lane; `_is_id` decides the rest.
                is_plain = type(value) is str and value[-1:] in PLAIN_ENDS
                if is_plain or (value is not None and _is_id(value, drops=self._drops or not is_mapped)):
                    found.append(place)
        if self._unfound:
            self._search(call, found)
        own_types = self._own_types(call) if self._mapped_types else ()
        consent = _given(context) if segment.CONSENT in context else ()
        self._alike[fate, library or None, has_user_id, id_types, own_types, tuple(found), consent] += 1
        if len(self._alike) >= _MAX_KINDS:
            self._work_out()

    def _search(self, call: Mapping[str, Any], found: list[int]) -> None:
        """Search for the field that was probably meant by each mapping that has found nothing so far (CO-8)."""
        # A row leaves the list as soon as it found something, so the search soon costs nothing.
        for place, row in [*self._unfound]:
            near = None if place in found else near_path(call, row.path, self._near_key)
            if near is not None:
                self._sums.near.setdefault(row.key, near)
            if near is not None or place in found:
                self._unfound.remove((place, row))

    def _own_types(self, call: Any) -> tuple[str, ...]:
        """Return the ID types that have an ID before anything is mapped, so that no row gives one (ID-5)."""
        array, path = own_ids(call)
        own: tuple[str, ...] = ()
        if array is not None:
            pairs = read_pairs(freeze(array), path, ID_CODES, read_id, [], spelled_id_type)
            own = tuple(id_type for id_type, (id_, _) in pairs.items() if not (self._drops and is_placeholder(id_)))
        is_own = segment.USER_ID_TYPE in self._mapped_types and _is_id(call.get(segment.USER_ID), drops=self._drops)
        return (*own, segment.USER_ID_TYPE) if is_own else own

    def _unsent_identity(self, call: Any, outcome: Any) -> _Identity:
        """Return the type and name of a call that made no event, from what names it and nothing else."""
        if isinstance(outcome, AudienceUpdate):
            return Identify.type, None
        if not (kind_of(call) is dict or is_object(call)):
            return None, None
        parts = tuple(map(call.get, self._naming_fields))
        # Only text is safe as a key of a dict: elsewhere, a number equals a boolean.
        is_text = _TEXT_OR_NONE.issuperset(map(kind_of, parts))
        return cast("_Identity", self._known_identity(*parts) if is_text else self._identity(*parts))

    def preview(self) -> Preview:
        """Return what has been counted so far."""
        self._work_out()
        return self._sums.preview()

    def _work_out(self) -> None:
        """Add the kinds of calls that were collected to the counts, and start collecting anew."""
        sums = self._sums
        for (fate, library, has_user_id, id_types, own_types, found, consent), number in self._alike.items():
            if fate == _TRANSLATED:
                for counts in (sums.total, sums.library(library)):
                    counts.add_events(number, id_types, has_user_id=has_user_id)
            for category, is_given in consent:
                sums.category(category)["given" if is_given else "refused"] += number
            filled = set(own_types)
            for row in map(self._rows.__getitem__, found):
                if row.is_mapped:
                    # Rows apply in order, and the first to find an ID of a type fills it (ID-4).
                    sums.mappings[row.key]["found"] += number
                    sums.mappings[row.key]["gave"] += number * (row.filled not in filled)
                    filled.add(row.filled)
                elif row.filled != segment.USER_ID_TYPE or not has_user_id:
                    sums.gains[row.key]["enriched_events"] += number * (fate == _TRANSLATED)
                    sums.gains[row.key]["saved_calls"] += number * (fate == _WITHOUT_ID)
        sums.keep_id_types()
        self._alike.clear()


def _identity(naming: EventNaming, fields: Iterable[str], *parts: Any) -> _Identity:
    """Return the type of a call and the name it would have, from the fields that make it."""
    named = {field: value for field, value in zip(fields, parts, strict=True) if value is not None}
    try:
        parsed = parse_segment_event(named)
    except StatsigSegmentError as error:
        return ("track" if error.code == "missing_event" else None), None
    return parsed.type, None if isinstance(parsed, Identify) else naming.full_name(parsed)


def _is_id(value: Any, *, drops: bool) -> bool:
    """Return whether a value is usable as an ID (IN-4, ID-8)."""
    text = id_text(value)
    return text is not None and not (drops and is_placeholder(text))


def _given(context: Any) -> tuple[tuple[str, bool], ...]:
    """Return the categories of a call, and whether each is given; anything but `true` refuses (CO-9)."""
    preferences = freeze(object_in(context, segment.CONSENT).get(segment.CATEGORY_PREFERENCES))
    return tuple((name, value is True) for name, value in preferences.items()) if is_object(preferences) else ()


def _is_parsed(outcome: Any) -> bool:
    """Return whether a payload is a call that can be parsed, whatever its outcome."""
    if isinstance(outcome, Rejected):
        return not isinstance(settled(outcome).error, SegmentEventError)
    return not isinstance(outcome, Skipped) or outcome.reason != "unsupported_type"
