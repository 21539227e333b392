"""Properties of what can be set for the way to Segment: IDs, groups, message IDs (OU-4), fields to drop by (FL-2)."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import read_id
from tests.support.strategies import PLACEHOLDER_VALUES
from tests.support.values import JsonObject, canonical, is_object

from statsig_segment import (
    ConfigChange,
    ConfigError,
    ExportedEvent,
    FieldFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    Rejected,
    Skipped,
    StatsigEvent,
    StatsigUser,
    TranslationError,
    apply_filters,
    config_change_event,
    export,
    export_many,
    load_config,
    parse_statsig_event,
    to_outbound_track,
)
from statsig_segment.testing import config_changes, identifiers, json_values, statsig_events

ID_TYPES = ("stableID", "companyID", "deviceID", "StableID")
EVENTS = statsig_events(changes=False, malformed=True).filter(
    lambda payload: (
        isinstance(payload.get("eventName"), str) and payload["eventName"] not in ("", "statsig::config_change")
    )
)
ANY_IDS = identifiers() | PLACEHOLDER_VALUES | st.sampled_from((None, "", True, 1.5))


def inside(holder: Any, *keys: str) -> Any:
    for key in keys:
        held: Any = holder
        holder = held.get(key) if is_object(held) else None
    return holder


PADDING = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\"'"
WORDS = {
    *("undefined", "null", "nil", "none", "nan", "true", "false", "0", "-1", "unknown", "anonymous", "guest", "n/a"),
    *("not_authenticated", "distinct_id", "(not set)", "[object object]"),
}


def is_placeholder(value: Any) -> bool:
    """The oracle of ID-8, for IDs."""
    bare = str(read_id(value)).strip(PADDING).lower()
    return bare in WORDS or set(bare) <= set("0-")


def settings(**more: Any) -> OutboundConfig:
    return OutboundConfig(profile="deliverable", **more)


def outcome(payload: JsonObject, config: OutboundConfig) -> Any:
    (found,) = export_many([payload], IntegrationConfig(outbound=config))
    return found


def ids_of(payload: JsonObject) -> list[tuple[str, Any]]:
    """The IDs of an event that are judged, with their places."""
    user = inside(payload, "user")
    own = ("$.userID", payload.get("userID")), ("$.user.userID", inside(user, "userID"))
    first = [(place, value) for place, value in own if read_id(value) is not None][:1]
    custom = inside(user, "customIDs")
    each = [(f"$.user.customIDs.{key}", value) for key, value in custom.items()] if is_object(custom) else []
    return [*first, *each, ("$.statsigMetadata.stableID", inside(payload, "statsigMetadata", "stableID"))]


class TestOU4Settings:
    """
    `anonymous_id` may be a list of ID types: the first that has an ID. `OutboundConfig.group_id`, an ID type, fills
    `context.groupId`. `OutboundConfig.message_id = "content"` (default `"time_uuid"`) gives an event without `timeUUID`
    a `messageId` made of its content: `statsig-` and the first 32 hex digits of the SHA-256 of the compact JSON (keys
    sorted) of the track without it, so that a second run over a warehouse table is counted once. An ID that is a
    placeholder (ID-8) gives an issue `id_placeholder` at its path when the event is parsed, and
    `OutboundConfig.drop_placeholder_ids` leaves it out of this profile. [policy]

    Corners: of a list, each is looked for as a single one is; an empty list is a `ConfigError`. `timeUUID` wins in
    either mode. The digest is that of the track as it leaves, less `messageId`, keys sorted by code point, non-ASCII
    kept, numbers as US-7 prints them, over UTF-8, lone surrogates as their three bytes, NaN and infinities as `null`.
    `group_id` reads `user.customIDs` under that exact name. A placeholder that is dropped counts as absent before the
    choice. Left out are `userId`, `anonymousId` and `context.groupId` alone. `documented` never drops anything. Dropped
    and no other: `no_identifier`. All settings hold for config changes too.
    """

    @given(EVENTS, st.lists(st.sampled_from(ID_TYPES), min_size=1, max_size=3))
    def test_the_first_id_type_of_a_list_that_has_an_id_is_taken(self, payload: JsonObject, types: list[str]) -> None:
        config = settings(anonymous_id=types, allow_segment_origin=True)
        singles = [outcome(payload, settings(anonymous_id=name, allow_segment_origin=True)) for name in types]

        found = outcome(payload, config)

        with_one = [single for single in singles if is_object(single) and "anonymousId" in single]
        if with_one:
            assert canonical(found) == canonical(with_one[0])
        elif not is_object(found):
            assert type(found) is type(singles[0])
        else:
            assert "anonymousId" not in found

    @given(EVENTS, st.sampled_from(ID_TYPES))
    @example({"eventName": "a", "userID": "u1", "statsigMetadata": {"stableID": "s1"}}, "stableID")
    def test_the_group_is_a_custom_id(self, payload: JsonObject, id_type: str) -> None:
        plain, grouped = outcome(payload, settings()), outcome(payload, settings(group_id=id_type))

        if not is_object(grouped):
            assert type(grouped) is type(plain)
            return
        group = read_id(inside(payload, "user", "customIDs", id_type))
        assert grouped["context"].get("groupId") == group
        grouped["context"].pop("groupId", None)
        assert canonical(grouped) == canonical(plain)

    @given(EVENTS)
    @example({"eventName": "é", "userID": "u1", "value": 1e21, "metadata": {"b": 1.0, "a": [0.1, None]}})
    @example({"eventName": "a", "userID": "u1", "timeUUID": 7})
    @example({"eventName": "a", "userID": "u1", "timeUUID": "t1"})
    def test_a_message_id_is_made_of_the_content(self, payload: JsonObject) -> None:
        plain, made = outcome(payload, settings()), outcome(payload, settings(message_id="content"))

        if not is_object(made):
            assert type(made) is type(plain)
            return
        if "messageId" in plain:
            assert canonical(made) == canonical(plain)
            return
        message_id = made.pop("messageId")
        assert canonical(made) == canonical(plain)
        assert message_id.startswith("statsig-")
        assert len(message_id) == len("statsig-") + 32
        again: Any = outcome(payload, settings(message_id="content"))
        other: Any = outcome({**payload, "value": "another"}, settings(message_id="content"))
        assert again["messageId"] == message_id
        assert (other["messageId"] == message_id) == (payload.get("value") == "another")

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (1.0, "1"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (math.nan, "null"),
            (-math.inf, "null"),
            ("é", '"é"'),
            ("\ud800", '"\ud800"'),
            ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
            ({"\uffff": 1, "\U00010000": 2}, '{"\uffff":1,"\U00010000":2}'),
        ],
    )
    def test_the_digest_is_that_of_compact_json(self, value: Any, written: str) -> None:
        track: Any = export(
            {"eventName": "e", "userID": "u1", "value": value},
            IntegrationConfig(outbound=settings(message_id="content")),
        )

        context = '{"library":{"name":"statsig","version":"1.0"},"value":' + written + "}"
        text = f'{{"context":{context},"event":"e","properties":{{"value":{written}}},"type":"track","userId":"u1"}}'
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
        assert track["messageId"] == f"statsig-{digest[:32]}"

    @given(EVENTS)
    def test_each_placeholder_is_an_issue(self, payload: JsonObject) -> None:
        event = parse_statsig_event(payload)

        expected = {place for place, value in ids_of(payload) if read_id(value) is not None and is_placeholder(value)}
        found = [issue.path for issue in event.issues if issue.code == "id_placeholder"]
        assert {path.replace('["', ".").removesuffix('"]') for path in found} == expected
        assert len(found) == len(set(found))

    @given(ANY_IDS, ANY_IDS, ANY_IDS, ANY_IDS, ANY_IDS)
    @example("undefined", "undefined", None, "st-71", None)
    @example("undefined", "u2", None, None, None)
    @example("undefined", None, "0", "s2", "null")
    def test_a_dropped_placeholder_counts_as_absent(
        self, top: Any, inner: Any, own: Any, stable: Any, company: Any
    ) -> None:
        def usable(*values: Any) -> str | None:
            return next(
                (read_id(value) for value in values if read_id(value) is not None and not is_placeholder(value)), None
            )

        payload: JsonObject = {
            "eventName": "a",
            "userID": top,
            "user": {"userID": inner, "customIDs": {"stableID": stable, "companyID": company}},
            "statsigMetadata": {"stableID": own},
        }
        config = settings(anonymous_id=["stableID", "companyID"], group_id="companyID", drop_placeholder_ids=True)

        for name, write in (("a", to_outbound_track), ("statsig::config_change", config_change_event)):
            event: Any = parse_statsig_event({**payload, "eventName": name})
            user_id, anonymous_id = usable(top, inner), usable(own, stable, company)
            if user_id is None and anonymous_id is None:
                with pytest.raises(TranslationError) as caught:
                    write(event, config)
                assert caught.value.code == "no_identifier"
                continue
            track: Any = write(event, config)
            assert (track.get("userId"), track.get("anonymousId")) == (user_id, anonymous_id)
            assert track["context"].get("groupId") == usable(company)
            if name == "a":
                assert canonical(track["context"]["user"]) == canonical(payload["user"])

    @given(statsig_events(malformed=True))
    def test_the_documented_profile_never_changes(self, payload: JsonObject) -> None:
        config = OutboundConfig(
            anonymous_id=["a", "b"], group_id="companyID", message_id="content", drop_placeholder_ids=True
        )

        assert shown(outcome(payload, config)) == shown(outcome(payload, OutboundConfig()))

    @given(config_changes(), identifiers(numbers=False))
    def test_config_changes_have_groups_and_message_ids_too(self, payload: JsonObject, company: str) -> None:
        change = parse_statsig_event(payload)
        assert isinstance(change, ConfigChange)
        own = ConfigChange(user_id="u1", custom_ids={"companyID": company}, config_name="gate")

        for each in (change, own):
            try:
                plain: Any = config_change_event(each, settings(config_change_user_id="nobody"))
            except TranslationError:
                continue
            made: Any = config_change_event(
                each, settings(config_change_user_id="nobody", group_id="companyID", message_id="content")
            )
            assert made["context"].get("groupId") == each.custom_ids.get("companyID")
            assert made["messageId"].startswith("statsig-") or made["messageId"] == plain["messageId"]

    def test_the_segment_form_has_its_own_place(self) -> None:
        change = parse_statsig_event({"event": "statsig::config_change", "userId": "undefined", "properties": {}})

        assert [(issue.code, issue.path) for issue in change.issues] == [("id_placeholder", "$.userId")]

    @pytest.mark.parametrize("anonymous_id", [[], [""], ["a", 1], 7, None, {"a": 1}])
    def test_an_anonymous_id_names_types(self, anonymous_id: Any) -> None:
        with pytest.raises(ConfigError) as caught:
            OutboundConfig(anonymous_id=anonymous_id)
        assert caught.value.path == "anonymous_id"
        with pytest.raises(ConfigError):
            load_config({"outbound": {"anonymous_id": anonymous_id}})


def shown(found: Any) -> str:
    match found:
        case Skipped():
            return found.reason
        case Rejected():
            return found.error.code
        case _:
            return canonical(found)


class TestFL2DropWhere:
    """
    `drop_where` as in FL-1, over the event as it was exported (`user.userAgent`, `user.statsigEnvironment.tier`,
    `metadata.type`); for a `StatsigEvent` of the caller's, over its log event (WI-1).

    Corners: a warehouse or exposure row is filtered as the event that it stands for (`metadata.type`). A top-level
    field of exactly that name stops the walk.
    """

    PATHS = st.sampled_from(
        ("user.userID", "metadata.plan", "userID", "eventName", "value", "unitID", "user.custom.a b")
    )

    @given(statsig_events(), PATHS, st.text("u1*?ab", min_size=1, max_size=3))
    @example({"eventName": "a", "metadata": {"plan": True}}, "metadata.plan", "true")
    @example({"eventName": "a", "metadata": {"plan": 7.0}}, "metadata.plan", "7")
    @example({"eventName": "a", "metadata.plan": "x", "metadata": {"plan": "b"}}, "metadata.plan", "b")
    def test_what_a_row_fits_does_not_leave(self, payload: JsonObject, field: str, pattern: str) -> None:
        row = FieldFilter(field=field, matches=[pattern])
        filters = OutboundFilter(drop_where=[row])
        event = parse_statsig_event(payload)
        exported = payload
        if (
            "eventName" not in payload and "userId" in payload
        ):  # the form that Segment gets stands for the change (OU-7)
            exported = payload | {"userID": payload["userId"]}
        value = exported.get(field) if field in exported else inside(exported, *field.split("."))

        passes = apply_filters(event, filters)

        plain = apply_filters(event, OutboundFilter())
        assert passes is (None if row.fits(value) else plain)
        config = OutboundConfig(filters=filters)
        if passes is None:
            assert shown(outcome(payload, config)) == "filtered"
        else:
            assert shown(outcome(payload, config)) == shown(outcome(payload, OutboundConfig()))

    @given(st.sampled_from(("Gate", "Experiment")))
    def test_config_changes_of_one_type_can_be_left_out(self, kind: str) -> None:
        filters = OutboundFilter(drop_where=[FieldFilter(field="metadata.type", matches=["Gate"])])
        change = parse_statsig_event({"eventName": "statsig::config_change", "metadata": {"type": kind}})

        assert (apply_filters(change, filters) is None) == (kind == "Gate")

    def test_private_attributes_are_not_looked_at(self) -> None:
        filters = OutboundFilter(drop_where=[FieldFilter(field="user.privateAttributes.a", matches=["*"])])
        event = parse_statsig_event({"eventName": "a", "user": {"privateAttributes": {"a": "b"}}})

        assert apply_filters(event, filters) is event

    def test_rows_are_looked_at_as_the_events_that_they_are_about(self) -> None:
        filters = OutboundFilter(drop_where=[FieldFilter(field="metadata.name", matches=["old_*"])])
        exposure = {"exposure_type": "gate", "unit_id": "u1", "name": "old_gate"}
        row = {"event_name": "a", "company_metadata": '{"name": "old_gate"}'}

        assert apply_filters(parse_statsig_event(exposure), filters) is None
        assert apply_filters(parse_statsig_event(row), filters) is None

    def test_an_event_of_the_callers_own_is_looked_at_as_its_log_event(self) -> None:
        event = StatsigEvent(event_name="a", user=StatsigUser(user_agent="SomeBot/2"), metadata={"plan": "pro"})

        for field, pattern, passes in (
            *(("user.userAgent", "*Bot/*", False), ("metadata.plan", "pro", False), ("eventName", "b", True)),
        ):
            filters = OutboundFilter(drop_where=[FieldFilter(field=field, matches=[pattern])])
            assert (apply_filters(event, filters) is event) == passes

    def test_a_config_change_of_the_callers_own_has_not_been_exported(self) -> None:
        filters = OutboundFilter(drop_where=[FieldFilter(field="metadata.type", matches=["*"])])
        change = ConfigChange(metadata={"type": "Gate"})

        assert apply_filters(change, filters) is change


class TestIssuesOfExports:
    """Issues of exports are as visible as those of calls: the one event of an export has them."""

    @given(json_values(max_leaves=2))
    def test_an_event_and_a_change_carry_them(self, time: Any) -> None:
        for name, kind in (("a", ExportedEvent), ("statsig::config_change", ConfigChange)):
            event = parse_statsig_event({"eventName": name, "timestamp": time, "userID": "undefined"})
            assert isinstance(event, kind)
            assert "id_placeholder" in [issue.code for issue in event.issues]
            assert json.loads(json.dumps([issue.path for issue in event.issues]))
