"""Properties of Engage audiences (AU-1 to AU-6): one class for each rule, the rule quoted."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.values import JsonObject, is_object

from statsig_segment import (
    AudienceFold,
    AudienceUpdate,
    IdListPatch,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    Skipped,
    StatsigEvent,
    TranslationError,
    apply_id_mappings,
    audience_update,
    fold_audience_updates,
    parse_segment_event,
    to_statsig_event,
    translate,
)
from statsig_segment.testing import identifiers, json_values, segment_calls

CLASSES = ("audience", "journey_step")


def membership(member: Any = True, key: Any = "vip_users", *, kind: str = "identify", **fields: Any) -> JsonObject:
    """An Engage call; `...` for no membership at all."""
    values = {} if member is ... else {key: member}
    return {
        "type": kind,
        "event": "Audience Entered",
        "userId": "u1",
        "context": {"personas": {"computation_class": "audience", "computation_key": key}},
        **({"traits": values} if kind == "identify" else {"properties": values}),
        **fields,
    }


PERSONAS = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "computation_class": st.sampled_from((*CLASSES, "Audience", "trait", "", None, ["audience"])),
            "computation_key": st.sampled_from(("vip_users", "", None, 7, ["vip_users"], True)),
        },
    ),
    st.sampled_from((None, "audience", ["audience"], True)),
)


def is_audience(personas: Any) -> bool:
    """The oracle of when a call is an audience membership."""
    if not is_object(personas):
        return False
    key = personas.get("computation_key")
    return personas.get("computation_class") in CLASSES and isinstance(key, str) and bool(key)


class TestAU1IdentifyMakesNoEvent:
    """
    Identify makes no event; it is supported only to sync Engage Audiences with Statsig ID lists [doc]. An identify that
    is no audience membership: skipped, reason `identify_without_audience`.
    """

    @given(segment_calls(types=("identify",)), PERSONAS)
    @example({"type": "identify", "traits": {"vip_users": True}}, {"computation_key": "vip_users"})
    @example({"type": "identify"}, {"computation_class": "audience", "computation_key": ""})
    def test_an_identify_is_a_membership_or_skipped(self, call: JsonObject, personas: Any) -> None:
        call = {**call, "userId": "u1", "context": {"personas": personas}, "integrations": {}}
        call["traits"] = {**call.get("traits", {}), "vip_users": True}

        outcome = translate(call)

        if is_audience(personas):
            assert isinstance(outcome, AudienceUpdate)
        else:
            assert isinstance(outcome, Skipped)
            assert outcome.reason == "identify_without_audience"

    @given(segment_calls(types=("identify",)))
    def test_no_step_makes_an_event_of_it(self, call: JsonObject) -> None:
        with pytest.raises(TranslationError) as caught:
            to_statsig_event(parse_segment_event({**call, "userId": "u1"}))

        assert caught.value.code == "identify_without_event"

    def test_a_call_of_nobody_is_skipped_all_the_same(self) -> None:
        outcome = translate({"type": "identify", "traits": {"plan": "pro"}})

        assert isinstance(outcome, Skipped)


class TestAU2Membership:
    """
    It is one when `context.personas.computation_class` is `audience` or `journey_step` and `computation_key` is a
    string. The key is the ID list's id [doc]. Membership is the boolean at `traits[key]` (identify) or
    `properties[key]` (track). The strings `"true"`/`"false"` are read as booleans with an issue. Missing or anything
    else: `TranslationError` `audience_membership` — never taken for "remove". No other boolean trait is ever a
    membership.

    Corner: the key is a non-empty string; `audience_membership` is judged before `no_identifier`.
    """

    VALUES = st.one_of(
        st.booleans(), st.sampled_from(("true", "false", "True", "FALSE", "", "1", 0, 1, None, ...)), json_values()
    )

    @given(st.sampled_from(("identify", "track")), VALUES, st.sampled_from(("vip_users", "a.b", "ü", " ")))
    @example("identify", 0, "vip_users")
    @example("identify", None, "vip_users")
    @example("track", "true", "vip_users")
    def test_a_membership_is_read_as_the_rule_says(self, kind: str, value: Any, key: str) -> None:
        event = parse_segment_event(membership(value, key, kind=kind))
        expected = (
            {True: True, False: False, "true": True, "false": False}.get(value)
            if (isinstance(value, bool | str))
            else None
        )

        if expected is None:
            with pytest.raises(TranslationError) as caught:
                audience_update(event)
            assert caught.value.code == "audience_membership"
            return

        update = audience_update(event)

        assert update is not None
        assert (update.id_list, update.member) == (key, expected)
        told = [issue.code for issue in update.issues if issue.code == "audience_membership_string"]
        assert len(told) == isinstance(value, str)

    @given(st.sampled_from(CLASSES), st.dictionaries(st.sampled_from(("other", "VIP_USERS", "vip")), st.booleans()))
    def test_no_other_boolean_is_ever_a_membership(self, kind: str, traits: JsonObject) -> None:
        call = membership(traits=traits)
        call["context"]["personas"]["computation_class"] = kind

        with pytest.raises(TranslationError) as caught:
            translate(call)

        assert caught.value.code == "audience_membership"

    @given(st.booleans(), st.booleans())
    def test_membership_is_judged_before_identity(self, in_traits: bool, in_properties: bool) -> None:
        call = membership(userId=None, traits={"other": in_traits}, properties={"vip_users": in_properties})

        with pytest.raises(TranslationError) as caught:
            translate(call)

        assert caught.value.code == "audience_membership"

    @given(PERSONAS, st.sampled_from(("identify", "track")))
    def test_any_other_class_or_key_is_none(self, personas: Any, kind: str) -> None:
        event = parse_segment_event(membership(True, kind=kind, context={"personas": personas}))

        assert (audience_update(event) is not None) == is_audience(personas)


class TestAU3Update:
    """
    `AudienceUpdate(id_list, member, user_id, custom_ids, time_ms)`; IDs as for events (mappings apply), and without
    any: `no_identifier`.

    Corner: ID-7 and US-9 are about events; an `AudienceUpdate` carries neither.
    """

    FIELDS = st.fixed_dictionaries(
        {},
        optional={
            "userId": identifiers() | st.just(""),
            "anonymousId": identifiers(),
            "timestamp": st.integers(0, 10**9),
        },
    )
    CONTROLS = st.sampled_from(({}, {"statsigCustomIDs": ["companyID", "c1"]}, {"statsigCustomIDs": ["companyID", ""]}))

    @given(FIELDS, CONTROLS, st.booleans(), st.booleans())
    def test_ids_are_those_of_an_event(
        self, fields: JsonObject, controls: JsonObject, member: bool, mapped: bool
    ) -> None:
        mappings = [IdMapping(field="anonymousId", id_type="segmentAnonymousId")] if mapped else []
        call = {**membership(traits={"vip_users": member, **controls}), "userId": None, **fields}
        event = apply_id_mappings(parse_segment_event(call), mappings)
        config = IntegrationConfig(inbound=InboundConfig(id_mappings=mappings))

        if event.user_id is None and not event.custom_ids:
            with pytest.raises(TranslationError) as caught:
                translate(call, config)
            assert caught.value.code == "no_identifier"
            with pytest.raises(TranslationError):
                audience_update(event)
            return

        update = translate(call, config)

        assert isinstance(update, AudienceUpdate)
        assert update == audience_update(event)
        assert (update.id_list, update.member, update.time_ms) == ("vip_users", member, event.time_ms)
        assert (update.user_id, update.custom_ids) == (event.user_id, event.custom_ids)
        assert ("segmentAnonymousId" in update.custom_ids) == (mapped and event.anonymous_id is not None)

    @given(st.integers(100, 200), st.sampled_from((None, ["other"], ["companyID"])))
    def test_limits_and_declared_id_types_do_not_matter(self, length: int, declared: list[str] | None) -> None:
        controls = {"statsigCustomIDs": ["companyID", "c" * length]}
        call = membership(userId="u" * length, traits={"vip_users": True, **controls})

        update = translate(call, IntegrationConfig(inbound=InboundConfig(id_types=declared)))

        assert isinstance(update, AudienceUpdate)
        assert (update.user_id, update.custom_ids) == ("u" * length, {"companyID": "c" * length})
        assert update.issues == ()


class TestAU4MembershipsOfIdentifyOnly:
    """
    `translate` makes memberships of identify calls only; a track `Audience Entered`/`Audience Exited` is an ordinary
    event there. `audience_update(event)` reads both forms, and `None` for anything else. [doc for identify, policy for
    track]
    """

    @given(st.sampled_from(("Audience Entered", "Audience Exited", "Signed Up")), st.booleans() | st.just(...))
    def test_a_track_is_an_ordinary_event(self, name: str, member: Any) -> None:
        outcome = translate(membership(member, kind="track", event=name))

        assert isinstance(outcome, StatsigEvent)
        assert outcome.event_name == "segment::" + name

    @given(st.sampled_from(("page", "screen", "group")), st.booleans())
    def test_other_calls_are_none(self, kind: str, member: bool) -> None:
        call = membership(member, kind=kind, traits={"vip_users": member})

        assert audience_update(parse_segment_event(call)) is None

    @given(segment_calls(types=("track", "page", "screen", "group")))
    def test_calls_without_personas_are_none(self, call: JsonObject) -> None:
        assert audience_update(parse_segment_event(call)) is None


UPDATES = st.lists(
    st.builds(
        AudienceUpdate,
        id_list=st.sampled_from(("vip_users", "trial")),
        member=st.booleans(),
        user_id=st.sampled_from(("u1", "u2", "u3", None)),
        custom_ids=st.dictionaries(st.sampled_from(("companyID", "deviceID")), st.sampled_from(("x1", "x2", "u1"))),
        time_ms=st.none() | st.integers(0, 3),
    ),
    max_size=10,
)
ID_TYPES = st.sampled_from(("userID", "companyID", "deviceID"))


def id_of(update: AudienceUpdate, id_type: str) -> str | None:
    return update.user_id if id_type == "userID" else update.custom_ids.get(id_type)


def judged(updates: list[AudienceUpdate], id_type: str) -> dict[str, dict[str, bool]]:
    """The oracle of the fold: sort, and let the last one win. List -> ID -> membership, as they first appear."""
    state: dict[str, dict[str, bool]] = {}
    held = [(update, id_of(update, id_type)) for update in updates]
    for update, identity in held:
        if identity is not None:
            state.setdefault(update.id_list, {}).setdefault(identity, update.member)
    for update, identity in sorted(held, key=lambda pair: -1 if pair[0].time_ms is None else pair[0].time_ms):
        if identity is not None:
            state[update.id_list][identity] = update.member
    return state


def as_sets(fold: AudienceFold) -> tuple[Any, ...]:
    patches = {(patch.id_list, frozenset(patch.add), frozenset(patch.remove)) for patch in fold.patches}
    return patches, sorted(map(repr, fold.apart)), sorted(map(repr, fold.winners))


class TestAU5Fold:
    """
    `fold_audience_updates(updates, id_type="userID")` -> an `AudienceFold` with one `IdListPatch(id_list, add, remove)`
    per ID list for Statsig's Console API: per ID the update with the latest time wins, and among equal or missing times
    the one that came last; updates without that ID type are returned apart, not lost. `IdListPatch.split(max_ids)` cuts
    it to the API's limits (100,000 IDs a call for an ID list, 1,000 for a user-store list). The result is the same for
    any split of the input into consecutive folds merged again.

    Pinned: `AudienceFold(patches, apart, winners)`: `patches` one `IdListPatch` per list, `apart` the updates without
    that ID type, `winners` the update that decided each (list, ID), in order of first appearance of that pair, so that
    folding the concatenated winners of parts gives the fold of the whole (as sets). `split` yields patches with at most
    `max_ids` in `add` and at most `max_ids` in `remove`, none empty, order kept. An update without a time is older than
    any with one.
    """

    @given(UPDATES, ID_TYPES)
    def test_the_latest_update_of_an_id_wins(self, updates: list[AudienceUpdate], id_type: str) -> None:
        fold = fold_audience_updates(iter(updates), id_type=id_type)

        state = judged(updates, id_type)
        assert [patch.id_list for patch in fold.patches] == list(state)
        for patch in fold.patches:
            memberships = state[patch.id_list]
            assert patch.add == tuple(identity for identity, member in memberships.items() if member)
            assert patch.remove == tuple(identity for identity, member in memberships.items() if not member)

    @given(UPDATES, ID_TYPES)
    def test_nothing_is_lost(self, updates: list[AudienceUpdate], id_type: str) -> None:
        fold = fold_audience_updates(updates, id_type=id_type)

        assert list(fold.apart) == [update for update in updates if id_of(update, id_type) is None]
        pairs = list(dict.fromkeys((u.id_list, id_of(u, id_type)) for u in updates if id_of(u, id_type) is not None))
        assert [(winner.id_list, id_of(winner, id_type)) for winner in fold.winners] == pairs
        state = judged(updates, id_type)
        for winner in fold.winners:
            identity = id_of(winner, id_type)
            assert identity is not None
            assert winner in updates
            assert winner.member == state[winner.id_list][identity]

    @given(UPDATES, ID_TYPES, st.lists(st.integers(0, 10), max_size=3))
    def test_folding_parts_and_their_winners_is_folding_the_whole(
        self, updates: list[AudienceUpdate], id_type: str, cuts: list[int]
    ) -> None:
        borders = sorted({0, len(updates), *(cut for cut in cuts if cut <= len(updates))})
        parts = [fold_audience_updates(updates[start:end], id_type=id_type) for start, end in pairwise(borders)]
        whole = fold_audience_updates(updates, id_type=id_type)

        winners = [winner for part in parts for winner in part.winners]
        apart = tuple(update for part in parts for update in part.apart)
        merged = fold_audience_updates(winners, id_type=id_type)

        assert as_sets(merged)[0] == as_sets(whole)[0]
        assert as_sets(merged)[2] == as_sets(whole)[2]
        assert apart == whole.apart
        assert merged.apart == ()

    @given(UPDATES)
    def test_the_user_id_is_the_default_id_type(self, updates: list[AudienceUpdate]) -> None:
        assert fold_audience_updates(updates) == fold_audience_updates(updates, id_type="userID")

    @given(
        st.lists(st.integers(0, 99), unique=True).map(lambda ids: tuple(map(str, ids))),
        st.lists(st.integers(100, 199), unique=True).map(lambda ids: tuple(map(str, ids))),
        st.integers(1, 9),
    )
    def test_a_split_patch_is_the_patch(self, add: tuple[str, ...], remove: tuple[str, ...], max_ids: int) -> None:
        patches = list(IdListPatch(id_list="vip_users", add=add, remove=remove).split(max_ids))

        assert all(patch.id_list == "vip_users" for patch in patches)
        assert all(len(patch.add) <= max_ids and len(patch.remove) <= max_ids for patch in patches)
        assert all(patch.add or patch.remove for patch in patches)
        assert sum((patch.add for patch in patches), ()) == add
        assert sum((patch.remove for patch in patches), ()) == remove


class TestAU6IdsOfLists:
    """An id outside `^[A-Za-z0-9_-]{3,100}$` can be no ID list: issue `id_list_invalid`. [doc]"""

    @given(
        st.text(st.sampled_from("aZ09_-"), min_size=1, max_size=120)
        | st.text(st.sampled_from("aZ09_- .é٣\n"), min_size=1, max_size=5)
    )
    @example("ab")
    @example("abc")
    @example("a" * 100)
    @example("a" * 101)
    @example("abc\n")
    @example("ab٣")
    def test_an_impossible_id_gives_an_issue_and_stays(self, key: str) -> None:
        update = translate(membership(True, key))

        assert isinstance(update, AudienceUpdate)
        assert update.id_list == key
        expected = [] if re.fullmatch("[A-Za-z0-9_-]{3,100}", key) else ["id_list_invalid"]
        assert [issue.code for issue in update.issues] == expected
