"""Engage audiences become Statsig ID lists: read memberships, and fold many of them into patches."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.models import checks, issue_tuple
from statsig_segment._json.values import FrozenDict, filled_text, is_object, type_name
from statsig_segment.configuration.validators import problem
from statsig_segment.errors import Issue, StatsigEventError, TranslationError, add_issue, join_path
from statsig_segment.inbound.identity import no_identifier, note_placeholders
from statsig_segment.segment.calls import Group, Identify, SegmentEvent, Track

CLASSES: Final = frozenset({"audience", "journey_step"})
_MEMBERSHIP_TEXTS: Final = FrozenDict({"true": True, "false": False})
_ID_LIST: Final = re.compile(r"[A-Za-z0-9_-]{3,100}")  # Statsig's Console API

KEY_PATH: Final = f"$.{segment.CONTEXT}.{segment.PERSONAS}.{segment.COMPUTATION_KEY}"


_CHECKED: Final = checks(StatsigEventError)


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class AudienceUpdate:
    """One user or unit entered or left one ID list.

    Raises:
        StatsigEventError: With code `wrong_type`; its path is the name of the attribute.

    """

    id_list: str
    """The ID list, by the key of the audience (AU-2)."""
    member: bool
    """Whether the user is on the list from now on."""
    user_id: str | None = None
    """The user ID."""
    custom_ids: Mapping[str, str] = attrs.field(factory=FrozenDict)
    """ID type -> ID."""
    time_ms: int | None = None
    """Epoch milliseconds."""
    message_id: str | None = None
    """The `messageId` of the call, to remember what was sent (IN-9)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=issue_tuple)
    """What the sender should know about the call."""


@attrs.frozen(kw_only=True, slots=False)
class IdListPatch:
    """What to add to and remove from one ID list, each in order of first appearance."""

    id_list: str
    """The ID list, by its id."""
    add: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    """The IDs to add."""
    remove: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...])
    """The IDs to remove."""

    def split(self, max_ids: int) -> Iterator["IdListPatch"]:
        """Cut a patch to the limits of Statsig's Console API.

        Args:
            max_ids: The most IDs to add and the most to remove in one patch: Statsig takes 100,000 a call, and 1,000
                for a user-store list.

        Returns:
            An iterator over patches within the limit, none of them empty, in the same order.

        Raises:
            ConfigError: Code `wrong_value` where `max_ids` is below 1.

        Rules: AU-5.
        Source: Statsig's Console API.

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
    """The result of folding updates: the patches, the updates left out, and the updates that decided."""

    patches: tuple[IdListPatch, ...] = attrs.field(default=(), converter=tuple[IdListPatch, ...])
    """One per ID list, in order of first appearance."""
    apart: tuple[AudienceUpdate, ...] = attrs.field(default=(), converter=tuple[AudienceUpdate, ...])
    """The updates without an ID of the type asked for."""
    winners: tuple[AudienceUpdate, ...] = attrs.field(default=(), converter=tuple[AudienceUpdate, ...])
    """The update that decided each (list, ID); folding the winners of parts gives the fold of the whole."""


_HOLDERS: Final[Mapping[str, str]] = FrozenDict(
    {Identify.type: segment.TRAITS, Group.type: segment.TRAITS, Track.type: segment.PROPERTIES}
)
"""Type of a call that can carry a membership -> the object that holds it (AU-2, AU-4)."""


def audience_update(event: SegmentEvent) -> AudienceUpdate | None:
    """Read a membership of an Engage audience.

    Args:
        event: An identify call, a track call such as `Audience Entered`, or the group call of an account audience. Its
            `custom_ids` count, so map IDs first.

    Returns:
        The membership, or `None` if the call is not about one.

    Raises:
        TranslationError: Code `audience_membership` where the membership is missing or not a boolean, which is never
            taken for "remove", or `no_identifier`.

    Rules: AU-2, AU-3, AU-4, AU-6.
    Source: Statsig's page on Segment, "Syncing ... Engage Audiences"; Segment's Engage.

    >>> from statsig_segment import Identify, audience_update
    >>> personas = {"computation_class": "audience", "computation_key": "vip_users"}
    >>> update = audience_update(Identify(user_id="u1", traits={"vip_users": True}, context={"personas": personas}))
    >>> assert update is not None
    >>> update.id_list, update.member, update.user_id
    ('vip_users', True, 'u1')

    """
    personas = event.context.get(segment.PERSONAS)
    if event.type not in _HOLDERS or not is_object(personas) or personas.get(segment.COMPUTATION_CLASS) not in CLASSES:
        return None
    key = filled_text(personas.get(segment.COMPUTATION_KEY))
    if key is None:
        return None
    issues = list(event.issues)
    member = _membership(event, key, issues)
    if event.user_id is None and not event.custom_ids:
        raise no_identifier(event)
    note_placeholders(event, issues)
    if not is_id_list(key):
        add_issue(issues, "id_list_invalid", KEY_PATH)
    return AudienceUpdate(
        id_list=key,
        member=member,
        user_id=event.user_id,
        custom_ids=event.custom_ids,
        time_ms=event.time_ms,
        message_id=event.message_id,
        issues=dict.fromkeys(issues),
    )


def is_id_list(key: str) -> bool:
    """Return whether Statsig takes an audience's key as the name of an ID list (AU-6)."""
    return _ID_LIST.fullmatch(key) is not None


def membership_path(event: SegmentEvent, key: str) -> str:
    """Return the wire path of the membership in the audience with this key."""
    return join_path(f"$.{_HOLDERS[event.type]}", key)


def _membership(event: SegmentEvent, key: str, issues: list[Issue]) -> bool:
    """Return whether the user is in the audience; anything unclear is an error, never a removal (AU-2)."""
    holder: Mapping[str, Any] = getattr(event, _HOLDERS[event.type])
    value = holder.get(key)
    if type(value) is bool:
        return value
    if type(value) is str and value in _MEMBERSHIP_TEXTS:
        add_issue(issues, "audience_membership_string", membership_path(event, key))
        return _MEMBERSHIP_TEXTS[value]  # type: ignore[no-any-return]  # a FrozenDict holds anything
    # A key that the object does not have is just a value of the payload, and no path may show it (TR-3).
    path = membership_path(event, key) if key in holder else f"$.{_HOLDERS[event.type]}"
    raise TranslationError("audience_membership", path)


def fold_audience_updates(updates: Iterable[AudienceUpdate], *, id_type: str = statsig.USER_ID) -> AudienceFold:
    """Fold memberships into one patch per ID list.

    For each list and ID the update with the latest time wins; of equal or missing times, the one that came last. An
    update without a time is older than any with one.

    Args:
        updates: Memberships in any number.
        id_type: The ID type that the lists hold.

    Returns:
        The patches, the updates without that ID type (`apart`), and those that decided (`winners`).

    Raises:
        TypeError: One of the updates is not an `AudienceUpdate`.

    Rules: AU-5.
    Source: Statsig's Console API for the limits; the fold is our policy.

    >>> from statsig_segment import AudienceUpdate, fold_audience_updates
    >>> entered = AudienceUpdate(id_list="vip_users", member=True, user_id="u1", time_ms=2)
    >>> left = AudienceUpdate(id_list="vip_users", member=False, user_id="u1", time_ms=1)
    >>> fold_audience_updates([entered, left]).patches
    (IdListPatch(id_list='vip_users', add=('u1',), remove=()),)

    """
    winners: dict[tuple[str, str], AudienceUpdate] = {}
    apart: list[AudienceUpdate] = []
    for update in updates:
        if not issubclass(cast("type[object]", type(update)), AudienceUpdate):
            raise TypeError(f"fold_audience_updates takes AudienceUpdates, not {type_name(update)}")
        unit = update.user_id if id_type == statsig.USER_ID else update.custom_ids.get(id_type)
        if unit is None:
            apart.append(update)
            continue
        best = winners.get((update.id_list, unit))
        if best is None or _time(update) >= _time(best):
            winners[update.id_list, unit] = update
    lists: dict[str, tuple[list[str], list[str]]] = {}
    for (id_list, unit), update in winners.items():
        lists.setdefault(id_list, ([], []))[0 if update.member else 1].append(unit)
    patches = (IdListPatch(id_list=id_list, add=add, remove=remove) for id_list, (add, remove) in lists.items())
    return AudienceFold(patches=patches, apart=apart, winners=winners.values())


def _time(update: AudienceUpdate) -> int:
    return -1 if update.time_ms is None else update.time_ms
