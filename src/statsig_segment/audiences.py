"""Engage audiences -> Statsig ID lists: memberships, and folding many of them into patches."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import attrs

from statsig_segment._validators import problem
from statsig_segment._values import EMPTY, FrozenDict, freeze, is_object, plain
from statsig_segment.errors import Issue, TranslationError, child
from statsig_segment.models import defaults_on_class, frozen_ids, frozen_issues, make
from statsig_segment.segment import ANONYMOUS_ID, CONTEXT, PROPERTIES, TRAITS, Identify, SegmentEvent, Track
from statsig_segment.statsig import USER_ID

_PERSONAS: Final = "personas"
_CLASS: Final = "computation_class"
_KEY: Final = "computation_key"
_CLASSES: Final = frozenset({"audience", "journey_step"})
_MEMBERSHIP_TEXTS: Final = FrozenDict({"true": True, "false": False})
_ID_LIST: Final = re.compile(r"[A-Za-z0-9_-]{3,100}")  # Statsig's Console API

KEY_PATH: Final = f"$.{CONTEXT}.{_PERSONAS}.{_KEY}"


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class AudienceUpdate:
    """One user or unit entered or left one ID list."""

    id_list: str
    member: bool
    user_id: str | None = None
    custom_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=frozen_ids)
    time_ms: int | None = None
    """Epoch milliseconds."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=frozen_issues)


@attrs.frozen(kw_only=True, slots=False)
class IdListPatch:
    """What to add to and remove from one ID list, each in order of first appearance."""

    id_list: str
    add: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    remove: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])

    def split(self, max_ids: int) -> Iterator["IdListPatch"]:
        """Cut a patch to the limits of Statsig's Console API: 100,000 IDs a call, 1,000 for a user-store list (AU-5).

        Shape: patches with at most `max_ids` in `add` and at most `max_ids` in `remove`, none empty, order kept.
        Errors: `ConfigError` with code `wrong_value` where `max_ids` is below 1.

        >>> [patch.add for patch in IdListPatch(id_list="vip", add=("a", "b", "c")).split(2)]
        [('a', 'b'), ('c',)]
        """
        if max_ids < 1:
            raise problem("wrong_value", "max_ids", "expected at least 1")
        starts = range(0, max(len(self.add), len(self.remove)), max_ids)
        return (
            IdListPatch(id_list=self.id_list, add=self.add[at : at + max_ids], remove=self.remove[at : at + max_ids])
            for at in starts
        )


@attrs.frozen(kw_only=True, slots=False)
class AudienceFold:
    """Many updates folded: the patches, what could not be folded, and the updates that decided."""

    patches: tuple[IdListPatch, ...] = attrs.field(default=(), converter=tuple[IdListPatch, ...])
    """One per ID list, in order of first appearance."""
    apart: tuple[AudienceUpdate, ...] = attrs.field(default=(), converter=tuple[AudienceUpdate, ...])
    """The updates without an ID of the type asked for."""
    winners: tuple[AudienceUpdate, ...] = attrs.field(default=(), converter=tuple[AudienceUpdate, ...])
    """The update that decided each (list, ID); folding the winners of parts gives the fold of the whole."""


def audience_update(event: SegmentEvent) -> AudienceUpdate | None:
    """Read a membership of an Engage audience.

    Shape: an identify, or a track such as `Audience Entered`, in; an `AudienceUpdate` out, `None` where the call is no
    audience membership. The call's `custom_ids` count, so map IDs first.
    Units: `time_ms` is in epoch milliseconds.
    Errors: `TranslationError` with code `audience_membership` (missing or no boolean: never taken for "remove") or
    `no_identifier`.
    Rules: AU-2, AU-3, AU-4, AU-6. Source: Statsig's page on Segment, "Syncing ... Engage Audiences"; Segment's Engage.

    >>> from statsig_segment import Identify, audience_update
    >>> personas = {"computation_class": "audience", "computation_key": "vip_users"}
    >>> update = audience_update(Identify(user_id="u1", traits={"vip_users": True}, context={"personas": personas}))
    >>> update.id_list, update.member, update.user_id
    ('vip_users', True, 'u1')
    """
    key = _computation_key(event)
    if key is None:
        return None
    member, issue = _membership(event, key)
    if event.user_id is None and not event.custom_ids:
        raise no_identifier(event)
    issues = event.issues if issue is None else (*event.issues, issue)
    if not _ID_LIST.fullmatch(key):
        issues = (*issues, Issue(code="id_list_invalid", path=KEY_PATH))
    return make(
        AudienceUpdate,
        {
            "id_list": key,
            "member": member,
            "user_id": event.user_id,
            "custom_ids": freeze(event.custom_ids),
            "time_ms": event.time_ms,
            "issues": issues,
        },
    )


def _computation_key(event: SegmentEvent) -> str | None:
    """Give the audience's key, `None` where the call is about no audience (AU-2)."""
    personas = event.context.get(_PERSONAS)
    if not is_object(personas) or not isinstance(event, Identify | Track):
        return None
    kind, key = plain(personas.get(_CLASS)), plain(personas.get(_KEY))
    return key if isinstance(kind, str) and kind in _CLASSES and isinstance(key, str) and key else None


def holder_path(event: SegmentEvent) -> str:
    """Give the wire path of the object that holds memberships (AU-2)."""
    return f"$.{TRAITS if isinstance(event, Identify) else PROPERTIES}"


def membership_path(event: SegmentEvent, key: str) -> str:
    """Give the wire path of the membership in the audience of this key."""
    return child(holder_path(event), key)


def _membership(event: SegmentEvent, key: str) -> tuple[bool, Issue | None]:
    holder = event.traits if isinstance(event, Identify) else event.properties
    value = plain(holder.get(key))
    if isinstance(value, bool):
        return value, None
    path = membership_path(event, key)
    if isinstance(value, str) and value in _MEMBERSHIP_TEXTS:
        return _MEMBERSHIP_TEXTS[value], Issue(code="audience_membership_string", path=path)
    # Where there is no such key, the path must not tell it: then it is but a value of the payload (TR-3).
    raise TranslationError("audience_membership", path if key in holder else holder_path(event))


def no_identifier(event: SegmentEvent) -> TranslationError:
    """Make the error for a call that belongs to nobody, which says what mapping would have saved it (ID-6)."""
    if event.anonymous_id is None:
        return TranslationError("no_identifier", "$")
    saved = f"{ANONYMOUS_ID} -> segmentAnonymousId"
    return TranslationError(
        "no_identifier", "$", f"neither a user ID nor a custom ID; an ID mapping {saved} would give one"
    )


def fold_audience_updates(updates: Iterable[AudienceUpdate], *, id_type: str = USER_ID) -> AudienceFold:
    """Fold memberships into one patch per ID list.

    Shape: updates in any number, and the ID type that the lists hold, in; an `AudienceFold` out. Per list and ID the
    update with the latest time wins, among equal or missing times the one that came last; one without a time is older
    than any with one. Updates without that ID type are in `apart`.
    Errors: none.
    Rules: AU-5. Source: Statsig's Console API for the limits; the fold is our policy.

    >>> from statsig_segment import AudienceUpdate, fold_audience_updates
    >>> entered = AudienceUpdate(id_list="vip_users", member=True, user_id="u1", time_ms=2)
    >>> left = AudienceUpdate(id_list="vip_users", member=False, user_id="u1", time_ms=1)
    >>> fold_audience_updates([entered, left]).patches
    (IdListPatch(id_list='vip_users', add=('u1',), remove=()),)
    """
    winners: dict[tuple[str, str], AudienceUpdate] = {}
    apart: list[AudienceUpdate] = []
    for update in updates:
        unit = update.user_id if id_type == USER_ID else update.custom_ids.get(id_type)
        if unit is None:
            apart.append(update)
            continue
        best = winners.get((update.id_list, unit))
        if best is None or _time(update) >= _time(best):
            winners[update.id_list, unit] = update
    return AudienceFold(patches=_patches(winners), apart=apart, winners=winners.values())


def _time(update: AudienceUpdate) -> int:
    return -1 if update.time_ms is None else update.time_ms


def _patches(winners: Mapping[tuple[str, str], AudienceUpdate]) -> Iterator[IdListPatch]:
    lists: dict[str, tuple[list[str], list[str]]] = {}
    for (id_list, unit), update in winners.items():
        lists.setdefault(id_list, ([], []))[0 if update.member else 1].append(unit)
    return (IdListPatch(id_list=id_list, add=add, remove=remove) for id_list, (add, remove) in lists.items())
