"""Properties of identity (ID-1 to ID-7): one class for each rule, the rule quoted.

The selectors of ID-4 are in test_paths.py, ID-8 and ID-9 in test_placeholders.py, ID-10 in test_arrays_for_senders.py.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.support.calls import found, read_id, track
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_array, is_object

from statsig_segment import (
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    TranslationError,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
    translate,
)
from statsig_segment.testing import even_odd_arrays, identifiers, json_values, segment_calls


def read_pairs(array: Any, path: str) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """The oracle of ID-2, written from the rule: the IDs, and the issues with their paths."""
    ids: dict[str, str] = {}
    issues: set[tuple[str, str]] = set()
    if array is None:
        return ids, issues
    if not is_array(array):
        return ids, {("custom_ids_not_array", path)}
    rest: list[tuple[int, Any]] = list(enumerate(array))
    while len(rest) >= 2:
        (name_at, name), (value_at, value) = rest[:2]
        rest = rest[2:]
        if not isinstance(name, str) or name == "":
            issues.add(("custom_id_name", f"{path}[{name_at}]"))
        elif read_id(value) is None:
            issues.add(("custom_id_value", f"{path}[{value_at}]"))
        else:
            if name in ids:
                issues.add(("custom_id_repeated", f"{path}[{name_at}]"))
            ids[name] = read_id(value) or ""
    for at, _ in rest:
        issues.add(("custom_id_unpaired", f"{path}[{at}]"))
    return ids, issues


def names_the_user(array: list[Any]) -> bool:
    """Whether a pair has the ID type of the user ID."""
    return any(isinstance(name, str) and name.lower() == "userid" for name in array[::2])


FIELDS = ("anonymousId", "userId", "groupId", "shopId", "a.b", "context.device.id", "context.device", "properties.id")
MAPPINGS = st.lists(
    st.builds(
        IdMapping,
        field=st.sampled_from(FIELDS),
        id_type=st.sampled_from(("companyID", "segmentAnonymousId", "deviceID", "x")),
    ),
    max_size=4,
)
ARRAYS = even_odd_arrays(
    names=st.sampled_from(("companyID", "segmentAnonymousId", "deviceID", "other")), malformed=True
)
# Anything that a field may hold: mostly IDs.
VALUES = st.one_of(identifiers(), json_values(max_leaves=2), st.sampled_from((None, "", True, 1.5)))


def call_of(fields: JsonObject, array: list[Any], device: Any, dotted: JsonObject) -> JsonObject:
    return {
        **fields,
        "type": "track",
        "event": "a",
        "properties": {"statsigCustomIDs": array, "id": "p1"},
        "context": {"device": device},
        **dotted,
    }


CALLS = st.builds(
    call_of,
    st.fixed_dictionaries({}, optional=dict.fromkeys(("anonymousId", "userId", "groupId", "shopId"), VALUES)),
    ARRAYS,
    st.one_of(VALUES, st.fixed_dictionaries({"id": VALUES})),
    st.fixed_dictionaries({}, optional={"a.b": VALUES, "a": st.fixed_dictionaries({"b": VALUES})}),
)


def less_placeholders(issues: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Leave out what ID-8 adds, which has a property class of its own."""
    return {(code, path) for code, path in issues if code != "id_placeholder"}


class TestID1UserId:
    """`userId` -> `user.userID` [doc]."""

    @given(segment_calls(types=("track", "page", "screen", "group")), identifiers())
    def test_the_user_id_of_the_call_is_that_of_the_user(self, call: JsonObject, user_id: Any) -> None:
        event = to_statsig_event(parse_segment_event({**call, "userId": user_id}))

        assert event.user.user_id == read_id(user_id)
        assert to_log_event(event)["user"].get("userID") == read_id(user_id)

    @given(st.sampled_from((..., None, "", True, {}, 1.5)))
    def test_no_usable_user_id_leaves_no_key(self, user_id: Any) -> None:
        fields = {} if user_id is ... else {"userId": user_id}
        call = track(**fields, properties={"statsigCustomIDs": ["companyID", "c1"]})

        assert "userID" not in to_log_event(to_statsig_event(parse_segment_event(call)))["user"]


class TestID2EvenOddPairs:
    """
    `properties.statsigCustomIDs` is an array: **the even index is the name of an ID type, the odd index the value of
    the element before it** [doc] -> `user.customIDs`. Names keep their spelling exactly. A name must be a non-empty
    string; a value follows IN-4; a pair that breaks either is dropped with an issue (code `custom_id_name` /
    `custom_id_value`, path `$.properties.statsigCustomIDs[i]`), and so is a last name without a value
    (`custom_id_unpaired`). A repeated name: the last valid value wins, with an issue `custom_id_repeated`. Not an
    array: nothing is read, issue `custom_ids_not_array`. Empty array: nothing, no issue. [policy for every malformed
    case]

    Corners: `custom_id_repeated` counts valid pairs only. One issue per (code, path). The name is judged before the
    value, and a lone last element is `custom_id_unpaired` whatever it is; issues carry the index of the offending
    element (name at even, value at odd index; repeated and unpaired: the name's).
    """

    PATH = "$.properties.statsigCustomIDs"

    @given(even_odd_arrays(malformed=True))
    @example([])
    @example(["companyID"])
    @example([None])
    @example(["companyID", None])
    @example(["companyID", "c1", "companyID", ""])
    @example(["companyID", "", "companyID", "c2"])
    @example(["companyID", "c1", "companyID", "c2", "companyID", "c3"])
    @example([None, None])
    @example(["", "c1"])
    @example([["companyID"], "c1"])
    @example([7, "c1", "companyID", 7])
    @example([" ", "c1", "companyid", "c2", "companyID", "c3"])
    @example(["a", True, "b", 1.5, "c", 2.0, "d", {}, "e", -0.0])
    @example(["a", "b", "a"])
    def test_arrays_are_read_as_the_rule_says(self, array: list[Any]) -> None:
        assume(not names_the_user(array))  # which is ID-9's
        event = parse_segment_event(track(properties={"statsigCustomIDs": array}))

        ids, issues = read_pairs(array, self.PATH)
        assert event.custom_ids == ids
        assert less_placeholders(found(event)) == issues

    @given(st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=6))
    def test_well_formed_pairs_become_a_dict_as_python_itself_makes_one(self, pairs: list[tuple[str, str]]) -> None:
        array = [item for pair in pairs for item in pair]
        assume(not names_the_user(array))

        event = parse_segment_event(track(properties={"statsigCustomIDs": array}))

        assert event.custom_ids == dict(pairs)
        assert {code for code, _ in less_placeholders(found(event))} == (
            {"custom_id_repeated"} if len(dict(pairs)) < len(pairs) else set()
        )

    @given(json_values().filter(lambda value: not is_array(value)))
    @example("companyID")
    @example({"companyID": "c1"})
    def test_what_is_no_array_is_not_read(self, value: Any) -> None:
        event = parse_segment_event(track(properties={"statsigCustomIDs": value}))

        assert event.custom_ids == {}
        assert found(event) == (set() if value is None else {("custom_ids_not_array", self.PATH)})

    @given(even_odd_arrays(malformed=True))
    def test_a_tuple_is_an_array(self, array: list[Any]) -> None:
        as_list = parse_segment_event(track(properties={"statsigCustomIDs": array}))
        as_tuple = parse_segment_event(track(properties={"statsigCustomIDs": tuple(array)}))

        assert as_tuple == as_list

    @given(even_odd_arrays(), st.text(min_size=1), st.text(min_size=1))
    def test_the_custom_ids_are_those_of_the_user(self, array: list[Any], name: str, value: str) -> None:
        assume(not names_the_user([name]))
        call = track(properties={"statsigCustomIDs": [*array, name, value]})

        sent = to_log_event(to_statsig_event(parse_segment_event(call)))["user"].get("customIDs")

        assert sent == read_pairs([*array, name, value], self.PATH)[0]

    @given(st.lists(hostile_values(), max_size=5))
    def test_no_other_python_value_is_taken_for_an_id(self, array: list[Any]) -> None:
        try:
            event = parse_segment_event(track(properties={"statsigCustomIDs": array}))
        except ValueError:
            return
        assert all(type(name) is str and type(value) is str for name, value in event.custom_ids.items())


class TestID3ControlKeysInTraits:
    """
    Group (and identify) calls have no properties in Segment's spec: the control keys (`statsigCustomIDs`,
    `statsigCustom`, `statsigEnvironment`) are read from `properties` if it has them, else from `traits`. [policy]

    Corners: ID-3 holds for identify too (mappings of audiences use `statsigCustomIDs` in `traits`). A control key that
    is null counts as absent, each key on its own.
    """

    @given(
        st.sampled_from(("track", "page", "screen", "group", "identify")),
        ARRAYS | st.sampled_from((..., None, "x")),
        ARRAYS | st.sampled_from((..., None, "x")),
    )
    def test_properties_come_before_traits(self, kind: str, in_properties: Any, in_traits: Any) -> None:
        call: JsonObject = {"type": kind, "event": "a", "properties": {}, "traits": {}}
        if in_properties is not ...:
            call["properties"]["statsigCustomIDs"] = in_properties
        if in_traits is not ...:
            call["traits"]["statsigCustomIDs"] = in_traits

        event = parse_segment_event(call)

        if in_properties is not ... and in_properties is not None:
            expected = read_pairs(in_properties, "$.properties.statsigCustomIDs")
        elif kind in {"group", "identify"} and in_traits is not ...:
            expected = read_pairs(in_traits, "$.traits.statsigCustomIDs")
        else:
            expected = dict[str, str](), set[tuple[str, str]]()
        assert (event.custom_ids, found(event)) == expected

    @given(st.lists(st.sampled_from(("statsigCustomIDs", "statsigCustom", "statsigEnvironment")), unique=True))
    def test_each_key_is_looked_up_on_its_own(self, in_properties: list[str]) -> None:
        sources = {
            "properties": {
                "statsigCustomIDs": ["companyID", "p"],
                "statsigCustom": ["plan", "p"],
                "statsigEnvironment": {"tier": "p"},
            },
            "traits": {
                "statsigCustomIDs": ["companyID", "t"],
                "statsigCustom": ["plan", "t"],
                "statsigEnvironment": {"tier": "t"},
            },
        }
        properties = {key: value for key, value in sources["properties"].items() if key in in_properties}
        call = {"type": "group", "properties": properties, "traits": sources["traits"]}

        user = to_log_event(to_statsig_event(parse_segment_event(call)))["user"]

        assert user == {
            "customIDs": {"companyID": "p" if "statsigCustomIDs" in in_properties else "t"},
            "custom": {"plan": "p" if "statsigCustom" in in_properties else "t"},
            "statsigEnvironment": {"tier": "p" if "statsigEnvironment" in in_properties else "t"},
        }


def walk(call: JsonObject, field: str) -> Any:
    """The oracle of ID-4's fields: what a mapping finds, `...` where there is nothing."""
    if field in call:
        return call[field]
    inner: Any = call
    for key in field.split("."):
        if not is_object(inner) or key not in inner:
            return ...
        inner = inner[key]
    return inner


def path_of(call: JsonObject, field: str) -> str:
    return f'$["{field}"]' if field in call and "." in field else f"$.{field}"


def mapped(
    call: JsonObject, own: dict[str, str], mappings: list[IdMapping]
) -> tuple[dict[str, str], set[tuple[str, str]]]:
    """The oracle of ID-4 and ID-5: the IDs, and the issues of the mappings."""
    ids = dict(own)
    issues: set[tuple[str, str]] = set()
    for row in mappings:
        if row.id_type in ids:
            continue
        value = walk(call, row.field)
        text = None if value is ... else read_id(value)
        if text is not None:
            ids[row.id_type] = text
        elif value is not ... and value is not None:
            issues.add(("id_invalid", path_of(call, row.field)))
    return ids, issues


class TestID4MappedIdentifiers:
    """
    `apply_id_mappings(event, mappings)`: each `IdMapping(field, id_type)` copies a **top-level** field (`anonymousId`,
    `userId`, `groupId`, any other) to a custom ID [doc]. Beyond the docs, a dotted `field` (`context.device.id`,
    `traits.companyId`) walks into objects when no top-level field has that exact name. Field names are case-sensitive.
    Value per IN-4. Rows apply in order, and the first row that yields a value for an ID type wins.

    Corners: a top-level field of exactly that name stops the walk, also where its value is null or unusable; without a
    selector the walk enters objects only. An unusable, non-null value: `id_invalid` at its path. A row whose ID type
    already has a value is not read, and gives no issue.
    """

    @given(CALLS, MAPPINGS)
    def test_rows_apply_as_the_rule_says(self, call: JsonObject, mappings: list[IdMapping]) -> None:
        parsed = parse_segment_event(call)

        event = apply_id_mappings(parsed, mappings)

        ids, issues = mapped(call, dict(parsed.custom_ids), mappings)
        assert event.custom_ids == ids
        assert found(event) == found(parsed) | issues

    @given(
        st.sampled_from(("track", "page", "screen", "group", "identify")),
        st.sampled_from(
            (
                *("type", "event", "name", "category", "messageId", "timestamp", "sentAt", "version", "userId"),
                *("context", "integrations", "properties", "traits", "anonymousId", "groupId"),
            )
        ),
        VALUES,
    )
    @example("page", "name", 7)
    @example("track", "messageId", 7)
    @example("track", "messageId", {})
    @example("page", "category", True)
    @example("screen", "integrations", [])
    @example("track", "context", "c1")
    @example("track", "context", {})
    @example("group", "traits", 0)
    @example("identify", "event", "Signed Up")
    def test_any_top_level_field_can_be_mapped(self, kind: str, field: str, value: Any) -> None:
        call = {"event": "a", field: value, "type": kind}
        if kind == "track":
            call["event"] = "a"
        parsed = parse_segment_event(call)

        event = apply_id_mappings(parsed, [IdMapping(field=field, id_type="own")])

        ids, issues = mapped(call, {}, [IdMapping(field=field, id_type="own")])
        assert event.custom_ids == ids
        assert less_placeholders(found(event)) == less_placeholders(found(parsed) | issues)

    @given(st.sampled_from(("anonymousID", "anonymousid", "ANONYMOUSID", "anonymous_id", " anonymousId")))
    def test_field_names_are_case_sensitive(self, field: str) -> None:
        event = parse_segment_event(track(anonymousId="a1"))

        assert apply_id_mappings(event, [IdMapping(field=field, id_type="x")]).custom_ids == {}

    @given(
        st.sampled_from(("items.0", "items.0.id", "items.id", "text.length", "text.0", "a..b", ".a", "a.", ".")).filter(
            lambda field: field
        )
    )
    def test_the_walk_enters_objects_only(self, field: str) -> None:
        event = parse_segment_event(track(items=[{"id": "i1"}], text="abc", a="b"))

        assert apply_id_mappings(event, [IdMapping(field=field, id_type="x")]) == event

    @given(segment_calls(), MAPPINGS)
    def test_nothing_but_ids_and_issues_changes(self, call: JsonObject, mappings: list[IdMapping]) -> None:
        parsed = parse_segment_event(call)

        event = apply_id_mappings(parsed, mappings)

        assert type(event) is type(parsed)
        for name in ("user_id", "anonymous_id", "group_id", "message_id", "time_ms", "context", "properties"):
            assert getattr(event, name) == getattr(parsed, name)
        assert event.issues[: len(parsed.issues)] == parsed.issues


class TestID5TheEventBeatsTheMapping:
    """
    **Values in `properties.statsigCustomIDs` take precedence over mapped identifiers** [doc], for any mappings in any
    order; a pair dropped under ID-2 is as if it were absent, so a mapping may fill it. Mapping is idempotent: applying
    the same mappings twice changes nothing.
    """

    @given(CALLS, MAPPINGS, st.randoms(use_true_random=False))
    def test_the_values_of_the_event_stand_for_any_mappings_in_any_order(
        self, call: JsonObject, mappings: list[IdMapping], random: Any
    ) -> None:
        own, _ = read_pairs(call["properties"]["statsigCustomIDs"], "$")
        random.shuffle(mappings)

        ids = apply_id_mappings(parse_segment_event(call), mappings).custom_ids

        assert {name: ids[name] for name in own} == own

    @given(st.sampled_from((None, "", True, 1.5, {}, [])), identifiers())
    def test_a_dropped_pair_leaves_room_for_a_mapping(self, unusable: Any, value: Any) -> None:
        call = track(anonymousId=value, properties={"statsigCustomIDs": ["companyID", unusable]})

        event = apply_id_mappings(parse_segment_event(call), [IdMapping(field="anonymousId", id_type="companyID")])

        assert event.custom_ids == {"companyID": read_id(value)}
        assert ("custom_id_value", "$.properties.statsigCustomIDs[1]") in found(event)

    @given(CALLS, MAPPINGS)
    def test_mapping_twice_changes_nothing(self, call: JsonObject, mappings: list[IdMapping]) -> None:
        once = apply_id_mappings(parse_segment_event(call), mappings)

        assert apply_id_mappings(once, mappings) == once

    @given(CALLS, MAPPINGS, MAPPINGS)
    def test_mapping_in_two_steps_is_mapping_in_one(
        self, call: JsonObject, first: list[IdMapping], second: list[IdMapping]
    ) -> None:
        event = parse_segment_event(call)

        assert apply_id_mappings(apply_id_mappings(event, first), second) == apply_id_mappings(event, first + second)

    @given(CALLS, MAPPINGS)
    def test_translate_sends_what_mapping_gives(self, call: JsonObject, mappings: list[IdMapping]) -> None:
        config = IntegrationConfig(inbound=InboundConfig(id_mappings=mappings))
        ids = apply_id_mappings(parse_segment_event(call), mappings).custom_ids

        try:
            event = translate(call, config)
        except TranslationError:
            assert not ids
        else:
            assert isinstance(event, StatsigEvent)
            assert event.user.custom_ids == ids


class TestID6AnEventOfNobody:
    """
    An event that ends with neither `userID` nor any custom ID belongs to nobody: `TranslationError` code
    `no_identifier`. Where `anonymousId` was there but unmapped, the message says which mapping would have saved it
    (`anonymousId` -> `segmentAnonymousId`). [doc: Statsig needs one of the two; a null-user bucket pollutes
    experiments]

    Corner: ID-6 is judged before other conversions; a `Skipped` event is never judged.
    """

    @given(CALLS, MAPPINGS)
    def test_an_event_needs_a_user_id_or_a_custom_id(self, call: JsonObject, mappings: list[IdMapping]) -> None:
        event = apply_id_mappings(parse_segment_event(call), mappings)

        if event.user_id is not None or event.custom_ids:
            assert to_statsig_event(event).user.user_id == event.user_id
            return
        with pytest.raises(TranslationError) as caught:
            to_statsig_event(event)
        assert caught.value.code == "no_identifier"
        for name in ("anonymousId", "segmentAnonymousId"):
            assert (name in str(caught.value)) == (event.anonymous_id is not None)

    @given(segment_calls(types=("track", "page", "screen", "group")))
    def test_a_skipped_event_is_never_judged(self, call: JsonObject) -> None:
        nobody = {
            "type": call["type"],
            "event": "a",
            "integrations": {"All": False},
            "properties": call.get("properties"),
        }

        assert type(translate(nobody)).__name__ == "Skipped"


class TestID7UndeclaredIdTypes:
    """
    `InboundConfig.id_types`, if given, is the set of ID types that the Statsig project declares: any other name in the
    result gives an issue `unknown_id_type`, and where it differs only in case or separators the message names the
    declared spelling. The ID is still sent. [policy; spelling drift is the commonest public failure]
    """

    NAMES = st.sampled_from(("companyID", "company_id", "Company-ID", "companyIDs", "teamID", "équipe"))

    @given(
        st.lists(NAMES, min_size=1, max_size=4),
        st.none() | st.sets(NAMES).map(sorted),
        st.sampled_from(("", "segmentAnonymousId")),
    )
    def test_an_undeclared_name_gives_an_issue_and_is_sent(
        self, names: list[str], declared: list[str] | None, id_type: str
    ) -> None:
        mappings = [IdMapping(field="anonymousId", id_type=id_type)] if id_type else []
        config = InboundConfig(id_types=declared, id_mappings=mappings)
        array = [item for name in names for item in (name, "x")]
        call = track(anonymousId="a1", properties={"statsigCustomIDs": array})

        event = translate(call, IntegrationConfig(inbound=config))

        assert isinstance(event, StatsigEvent)
        expected = {*names, *([id_type] if id_type else [])}
        assert set(event.user.custom_ids) == expected
        unknown = [issue for issue in event.issues if issue.code == "unknown_id_type"]
        assert len(unknown) == (0 if declared is None else len(expected - set(declared)))

    @pytest.mark.parametrize("name", ["company_id", "COMPANYID", "company-id", "Company ID", "company.id"])
    def test_a_name_that_differs_in_case_or_separators_is_told_the_declared_spelling(self, name: str) -> None:
        call = track(userId="u1", properties={"statsigCustomIDs": [name, "c1"]})

        event = to_statsig_event(parse_segment_event(call), InboundConfig(id_types=["companyID", "teamID"]))

        (issue,) = event.issues
        assert issue.code == "unknown_id_type"
        assert "companyID" in issue.message
        assert "teamID" not in issue.message

    def test_a_name_that_is_no_variant_is_told_none(self) -> None:
        call = track(userId="u1", properties={"statsigCustomIDs": ["companyNumber", "c1"]})

        (issue,) = to_statsig_event(parse_segment_event(call), InboundConfig(id_types=["companyID"])).issues

        assert "companyID" not in issue.message
