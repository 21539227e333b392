"""Properties of IDs that identify nobody, and of user IDs among the custom IDs (ID-8, ID-9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import read_id, track
from tests.support.strategies import PLACEHOLDER_VALUES
from tests.support.values import JsonObject

from statsig_segment import (
    AudienceUpdate,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    TranslationError,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    translate,
)
from statsig_segment.testing import identifiers, json_values, segment_calls

Issues = set[tuple[str, str]]


def identify(fields: JsonObject) -> JsonObject:
    """The same IDs on the call of an audience."""
    personas = {"computation_class": "audience", "computation_key": "vip_users"}
    traits = {**fields.get("properties", {}), "vip_users": True}
    return {**fields, "type": "identify", "traits": traits, "context": {"personas": personas}}


# The table of ID-8, once more and from the rule's text alone.
WORDS = frozenset(
    (
        *("undefined", "null", "nil", "none", "nan", "true", "false", "0", "-1", "unknown", "anonymous", "guest"),
        *("n/a", "(not set)", "not_authenticated", "distinct_id", "[object object]"),
    )
)


def is_placeholder(text: str) -> bool:
    """The oracle of ID-8."""
    while text and (text[0].isspace() or text[0] in "\"'"):
        text = text[1:]
    while text and (text[-1].isspace() or text[-1] in "\"'"):
        text = text[:-1]
    return text.lower() in WORDS or set(text) <= set("0-")


ARRAY = "$.properties.statsigCustomIDs"


class Judged:
    """The oracle of which IDs a call has, and of the issues of ID-8 and ID-9, and those of unusable mapped fields."""

    def __init__(self, call: JsonObject, rows: list[IdMapping], *, drop: bool) -> None:
        self.drop = drop
        self.issues: Issues = set()
        self.custom_ids: dict[str, str] = {}
        given_id = read_id(call.get("userId"))
        self.user_id = self.judge(given_id, "$.userId")
        self.read_pairs(call, given_id)
        for row in rows:
            self.read_row(call, row)

    def judge(self, text: str | None, path: str) -> str | None:
        if text is not None and is_placeholder(text):
            self.issues.add(("id_placeholder", path))
            return None if self.drop else text
        return text

    def read_pairs(self, call: JsonObject, given_id: str | None) -> None:
        array = call.get("properties", {}).get("statsigCustomIDs", [])
        winners: dict[str, tuple[str | None, int]] = {}
        for at in range(0, len(array), 2):
            text = read_id(array[at + 1])
            if text is not None:
                name = "userID" if array[at].lower() == "userid" else array[at]
                winners[name] = self.judge(text, f"{ARRAY}[{at + 1}]"), at
        user_id, at = winners.pop("userID", (None, 0))
        if user_id is not None:
            if given_id is None or is_placeholder(given_id):
                self.user_id = user_id
            elif user_id != given_id:
                self.issues.add(("custom_id_is_user_id", f"{ARRAY}[{at}]"))
        self.custom_ids = {name: text for name, (text, _) in winners.items() if text is not None}

    def read_row(self, call: JsonObject, row: IdMapping) -> None:
        is_user_id = row.id_type.lower() == "userid"
        if (self.user_id is not None) if is_user_id else (row.id_type in self.custom_ids):
            return
        value = call.get(row.field)
        if value is not None and read_id(value) is None:
            self.issues.add(("id_invalid", f"$.{row.field}"))
        text = self.judge(read_id(value), f"$.{row.field}")
        if text is not None:
            if is_user_id:
                self.user_id = text
            else:
                self.custom_ids[row.id_type] = text


FIELDS = ("userId", "anonymousId", "groupId", "shopId")
VALUES = st.one_of(identifiers(), PLACEHOLDER_VALUES, PLACEHOLDER_VALUES, st.sampled_from((None, True, "", 1.5)))
NAMES = ("companyID", "teamID", "user_id")
USER_NAMES = ("userID", "userid", "USERID")


def array_of(pairs: list[tuple[str, Any]], own: list[tuple[str, Any]], at: int) -> list[Any]:
    """A well-formed array, with at most one pair for the user ID somewhere in it."""
    rows = [*pairs[:at], *own, *pairs[at:]]
    return [item for row in rows for item in row]


ARRAYS = st.builds(
    array_of,
    st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=3),
    st.lists(st.tuples(st.sampled_from(USER_NAMES), VALUES), max_size=1),
    st.integers(0, 3),
)


def call_of(fields: JsonObject, array: list[Any]) -> JsonObject:
    """A track call with these fields, and with this array of custom IDs."""
    return track(**fields, properties={"statsigCustomIDs": array})


CALLS = st.builds(
    call_of,
    st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, VALUES)),
    ARRAYS,
)
ROWS = st.lists(
    st.builds(
        IdMapping,
        field=st.sampled_from(FIELDS),
        id_type=st.sampled_from((*NAMES, *USER_NAMES, "segmentAnonymousId")),
    ),
    max_size=4,
)
JUDGED_CODES = {"id_placeholder", "custom_id_is_user_id", "id_invalid"}


def issues_of(event: Any, codes: set[str]) -> Issues:
    return {(issue.code, issue.path) for issue in event.issues if issue.code in codes}


def expected_issues(call: JsonObject, judged: Judged) -> Issues:
    """Those of the oracle, and those of top-level IDs that cannot be read (IN-4)."""
    fields = {("id_invalid", f"$.{field}") for field in ("userId", "anonymousId", "groupId") if unreadable(call, field)}
    return judged.issues | fields


def unreadable(call: JsonObject, field: str) -> bool:
    return call.get(field) is not None and read_id(call[field]) is None


def config_of(rows: list[IdMapping], *, drop: bool, **more: Any) -> IntegrationConfig:
    return IntegrationConfig(inbound=InboundConfig(id_mappings=rows, drop_placeholder_ids=drop, **more))


class TestID8Placeholders:
    """
    A placeholder is not a person. An ID (user ID or custom ID) is one if, without the white space and quotes around it
    and in lower case, it is empty, or one of `undefined`, `null`, `nil`, `none`, `nan`, `true`, `false`, `0`, `-1`,
    `unknown`, `anonymous`, `guest`, `n/a`, `(not set)`, `not_authenticated`, `distinct_id`, `[object object]`, or made
    of zeros and hyphens alone. It gives an issue `id_placeholder` at its path and is sent all the same, unless
    `InboundConfig.drop_placeholder_ids` is true: then it counts as absent, with that issue, before mapping, so that a
    mapping may fill in. [policy]

    Corners: quotes are `"` and `'`, in any mix with white space. Every valid pair is judged, at its value, also one
    that a later pair replaces; a placeholder that replaced an earlier pair and is dropped leaves nothing behind.
    Memberships are judged too; `anonymousId` and `groupId` only where a row maps them. Numbers are judged by their
    digits.
    """

    @given(VALUES | st.text(max_size=6))
    @example("  ")
    @example("''")
    @example("'\"' null \"'")
    @example("null null")
    @example("`null`")
    @example("undefined.")
    @example("0-0")
    @example("-")
    @example("\u00a0NONE\u2003")
    @example(-0.0)
    @example(10)
    def test_the_table_decides(self, value: Any) -> None:
        event = translate(track(userId=value, properties={"statsigCustomIDs": ["companyID", "c1"]}))

        assert isinstance(event, StatsigEvent)
        text = read_id(value)
        assert event.user.user_id == text
        expected = {("id_placeholder", "$.userId")} if text is not None and is_placeholder(text) else set[Any]()
        assert issues_of(event, {"id_placeholder"}) == expected

    @given(PLACEHOLDER_VALUES)
    def test_the_strategy_makes_placeholders_only(self, value: Any) -> None:
        text = read_id(value)
        assert text is not None
        assert is_placeholder(text)

    @given(identifiers())
    def test_no_usual_id_is_one(self, value: Any) -> None:
        assert not is_placeholder(read_id(value) or "")

    @given(CALLS, ROWS, st.booleans())
    @example(track(userId="null", properties={"statsigCustomIDs": ["companyID", "c1", "companyID", "none"]}), [], True)
    @example(track(userId="u1", properties={"statsigCustomIDs": ["companyID", "nil", "companyID", "c1"]}), [], True)
    @example(
        track(anonymousId="guest", shopId="s1", properties={"statsigCustomIDs": ["userID", "u1"]}),
        [IdMapping(field="anonymousId", id_type="teamID"), IdMapping(field="shopId", id_type="teamID")],
        True,
    )
    @example(track(userId="u1", properties={"statsigCustomIDs": ["userID", "undefined"]}), [], True)
    @example(track(userId="u1", properties={"statsigCustomIDs": ["userID", "undefined"]}), [], False)
    @example(
        track(userId="undefined", properties={"statsigCustomIDs": ["userID", "u1"]}),
        [IdMapping(field="userId", id_type="companyID")],
        False,
    )
    def test_ids_are_judged_and_dropped_as_the_rules_say(
        self, call: JsonObject, rows: list[IdMapping], drop: bool
    ) -> None:
        judged = Judged(call, rows, drop=drop)

        if judged.user_id is None and not judged.custom_ids:
            with pytest.raises(TranslationError) as caught:
                translate(call, config_of(rows, drop=drop))
            assert caught.value.code == "no_identifier"
            return
        event = translate(call, config_of(rows, drop=drop))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.user.custom_ids) == (judged.user_id, judged.custom_ids)
        assert issues_of(event, JUDGED_CODES - {"id_invalid"}) == judged.issues - {
            pair for pair in judged.issues if pair[0] == "id_invalid"
        }
        assert issues_of(event, {"id_invalid"}) == {
            pair for pair in expected_issues(call, judged) if pair[0] == "id_invalid"
        }

    @given(CALLS, ROWS)
    def test_dropping_is_as_if_they_were_absent(self, call: JsonObject, rows: list[IdMapping]) -> None:
        """Take the placeholders out of the call by hand: the same event comes of it."""
        bare = {key: value for key, value in call.items() if key not in FIELDS or not looks_empty(value)}
        winners: JsonObject = {}
        array = call["properties"]["statsigCustomIDs"]
        for name, value in zip(array[::2], array[1::2], strict=True):
            if read_id(value) is not None:
                winners[name] = value
        kept = [item for name, value in winners.items() if not looks_empty(value) for item in (name, value)]
        bare["properties"] = {"statsigCustomIDs": kept}

        assert wire_of(call, config_of(rows, drop=True)) == wire_of(bare, config_of(rows, drop=True))
        assert wire_of(bare, config_of(rows, drop=True)) == wire_of(bare, config_of(rows, drop=False))

    @given(CALLS, ROWS, st.booleans())
    def test_memberships_are_judged_alike(self, call: JsonObject, rows: list[IdMapping], drop: bool) -> None:
        judged = Judged(call, rows, drop=drop)
        if judged.user_id is None and not judged.custom_ids:
            return

        update = translate(identify({**call, "properties": call["properties"]}), config_of(rows, drop=drop))

        assert isinstance(update, AudienceUpdate)
        assert (update.user_id, update.custom_ids) == (judged.user_id, judged.custom_ids)
        codes = {code for code, _ in issues_of(update, {"id_placeholder", "custom_id_is_user_id"})}
        assert codes == {code for code, _ in judged.issues} - {"id_invalid"}

    @given(CALLS, ROWS, st.booleans())
    def test_the_step_alone_does_the_same(self, call: JsonObject, rows: list[IdMapping], drop: bool) -> None:
        judged = Judged(call, rows, drop=drop)

        event = apply_id_mappings(parse_segment_event(call), rows, drop_placeholders=drop)

        assert (event.user_id, event.custom_ids) == (judged.user_id, judged.custom_ids)
        assert apply_id_mappings(event, rows, drop_placeholders=drop) == event

    @given(CALLS, ROWS)
    def test_the_step_drops_nothing_by_default(self, call: JsonObject, rows: list[IdMapping]) -> None:
        event = parse_segment_event(call)

        assert apply_id_mappings(event, rows) == apply_id_mappings(event, rows, drop_placeholders=False)

    @given(segment_calls(types=("track", "page", "screen", "group")), PLACEHOLDER_VALUES)
    def test_nothing_but_ids_is_judged(self, call: JsonObject, value: Any) -> None:
        field = "traits" if call["type"] == "group" else "properties"
        held: Any = call.get(field) or {}
        call = {**call, "userId": "u1", "integrations": {}, "context": {}, "groupId": "g1"}
        call[field] = {**held, "plan": value, "statsigCustom": ["plan", value]}

        assert wire_of(call, config_of([], drop=True)) == wire_of(call, config_of([], drop=False))

    @given(st.dictionaries(st.sampled_from(("anonymousId", "groupId")), PLACEHOLDER_VALUES, min_size=1))
    def test_what_no_row_maps_is_not_judged(self, fields: JsonObject) -> None:
        for drop in (False, True):
            event = translate(track(userId="u1", **fields), config_of([], drop=drop))

            assert isinstance(event, StatsigEvent)
            assert event.issues == ()


def looks_empty(value: Any) -> bool:
    text = read_id(value)
    return text is not None and is_placeholder(text)


def wire_of(call: JsonObject, config: IntegrationConfig) -> Any:
    """What is sent, or the code of the error."""
    try:
        event = translate(call, config)
    except TranslationError as error:
        return error.code
    assert isinstance(event, StatsigEvent)
    return to_log_event(event)


class TestID9UserIdAmongCustomIds:
    """
    An ID type that is `userid` in any letter case is not a custom ID but the user ID itself, as Statsig's SDKs compare
    it [seen]. A pair of `statsigCustomIDs` with it fills `user_id` where the call has none, or only a placeholder
    (ID-8); otherwise a mapping row does where there is none (after ID-8); neither ever makes a custom ID. Where the
    call has another user ID, the pair is dropped with an issue `custom_id_is_user_id` at its name; where it has the
    same, silently. [policy]

    Corners: names that differ in case only are one name (`custom_id_repeated`, the last valid one wins). The type need
    not be declared in `id_types`.
    """

    CASES = st.sampled_from(("userID", "userid", "USERID", "UserId", "uSeRiD"))

    @given(CALLS, ROWS, st.booleans())
    def test_it_never_becomes_a_custom_id(self, call: JsonObject, rows: list[IdMapping], drop: bool) -> None:
        event = apply_id_mappings(parse_segment_event(call), rows, drop_placeholders=drop)

        assert not [name for name in event.custom_ids if name.lower() == "userid"]

    @given(CASES, identifiers())
    def test_a_pair_fills_the_user_id(self, name: str, value: Any) -> None:
        event = translate(track(properties={"statsigCustomIDs": [name, value]}))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.user.custom_ids) == (read_id(value), {})
        assert issues_of(event, JUDGED_CODES) == set()

    @given(CASES, identifiers(), st.sampled_from(("anonymousId", "shopId")))
    def test_a_row_fills_the_user_id(self, name: str, value: Any, field: str) -> None:
        rows = [IdMapping(field=field, id_type=name)]

        event = translate(track(**{field: value}), config_of(rows, drop=False))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.user.custom_ids) == (read_id(value), {})
        assert issues_of(event, JUDGED_CODES) == set()

    @given(CASES, identifiers(), identifiers())
    def test_another_user_id_of_the_call_wins_with_an_issue(self, name: str, user_id: Any, value: Any) -> None:
        event = translate(track(userId=user_id, properties={"statsigCustomIDs": ["companyID", "c1", name, value]}))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.user.custom_ids) == (read_id(user_id), {"companyID": "c1"})
        same = read_id(user_id) == read_id(value)
        assert issues_of(event, JUDGED_CODES) == (set() if same else {("custom_id_is_user_id", f"{ARRAY}[2]")})

    @given(CASES, CASES, identifiers(), identifiers())
    def test_names_in_different_case_are_one_name(self, first: str, second: str, one: Any, other: Any) -> None:
        event = translate(track(properties={"statsigCustomIDs": [first, one, second, other]}))

        assert isinstance(event, StatsigEvent)
        assert event.user.user_id == read_id(other)
        assert issues_of(event, {"custom_id_repeated"}) == {("custom_id_repeated", f"{ARRAY}[2]")}

    @given(st.sampled_from(("user_id", "user-id", "user ID", "userIDs", " userID", "users")), identifiers())
    def test_no_other_name_is_the_user_id(self, name: str, value: Any) -> None:
        event = translate(track(properties={"statsigCustomIDs": [name, value]}))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.user.custom_ids) == (None, {name: read_id(value)})

    @given(CASES, st.booleans())
    def test_it_need_not_be_declared(self, name: str, mapped: bool) -> None:
        fields: JsonObject = {"shopId": "u1"} if mapped else {"properties": {"statsigCustomIDs": [name, "u1"]}}
        rows = [IdMapping(field="shopId", id_type=name)] if mapped else []

        event = translate(track(**fields), config_of(rows, drop=False, id_types=["companyID"]))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.issues) == ("u1", ())

    @given(CASES, json_values(max_leaves=2).filter(lambda value: read_id(value) is None))
    def test_an_unusable_pair_leaves_it_to_the_rows(self, name: str, value: Any) -> None:
        rows = [IdMapping(field="shopId", id_type="userID")]

        event = translate(
            track(shopId="s1", properties={"statsigCustomIDs": [name, value]}), config_of(rows, drop=True)
        )

        assert isinstance(event, StatsigEvent)
        assert event.user.user_id == "s1"
