"""No silent loss: every leaf of the input is in the result, is named by an issue, or stays behind by the table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeGuard

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.losses import LEFT_BEHIND, Direction, LeftBehind, left_behind

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    OutboundConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    explain,
    export_many,
    load_config,
    parse_statsig_event,
    split_segment_batch,
    translate,
)
from statsig_segment.rulebook import RULES
from statsig_segment.testing import (
    config_changes,
    integration_configs,
    json_values,
    segment_calls,
    statsig_events,
    warehouse_rows,
)

JsonObject = dict[str, Any]
Steps = tuple[str | int, ...]

EXAMPLES = Path(__file__).parents[2] / "examples"


def is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def leaves(value: Any, above: Steps = ()) -> Iterator[tuple[Steps, Any]]:
    """Every value that is neither an object nor an array, with the keys and indices that lead to it."""
    if is_object(value):
        for key, item in value.items():
            yield from leaves(item, (*above, key))
    elif is_array(value):
        for index, item in enumerate(value):
            yield from leaves(item, (*above, index))
    else:
        yield above, value


_STEP = re.compile(r'\.(?P<name>[^.\[\]"\s]+)|\[(?P<index>[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def steps_of(path: str) -> Steps:
    """Read a path back into its keys and indices."""
    steps: list[str | int] = []
    for step in _STEP.finditer(path, 1):
        if step["quoted"] is not None:
            steps.append(json.loads(step["quoted"], strict=False))
        else:
            steps.append(step["name"] if step["index"] is None else int(step["index"]))
    return tuple(steps)


def is_under(steps: Steps, place: Steps) -> bool:
    return steps[: len(place)] == place


# Codes that say that a value was not used. The others are about what is used all the same.
UNUSED = frozenset(
    (
        *(
            "id_invalid",
            "id_placeholder",
            "json_unreadable",
            "time_unreadable",
            "object_expected",
            "name_invalid",
            "not_json",
            "too_deep",
        ),
        *("custom_ids_not_array", "custom_id_name", "custom_id_value", "custom_id_unpaired", "custom_id_repeated"),
        *("custom_not_array", "custom_name", "custom_value", "custom_unpaired", "custom_repeated"),
        *("custom_id_is_user_id", "environment_invalid", "user_field_invalid"),
        *("non_finite_number", "metadata_key_taken"),
    )
)
ARRAYS = ("statsigCustomIDs", "statsigCustom")


def pair_of(steps: Steps) -> tuple[Steps, int] | None:
    """The pair that a leaf of an even/odd array belongs to: the place of the array, and the index of the name."""
    if len(steps) < 3 or steps[1] not in ARRAYS or not isinstance(steps[2], int):
        return None
    return steps[:2], steps[2] - steps[2] % 2


class Account:
    """Everything that accounts for the leaves of one call."""

    def __init__(self, call: JsonObject, config: IntegrationConfig) -> None:
        explanation = explain(call, config)
        assert isinstance(explanation.result, StatsigEvent | AudienceUpdate)
        self.call = call
        self.name = getattr(explanation.result, "event_name", "")
        self.sources = [steps_of(row.source) for row in explanation.rows if row.source is not None]
        issues = explanation.result.issues
        self.unused = [(issue.code, steps_of(issue.path)) for issue in issues if issue.code in UNUSED]

    def lost(self) -> list[Steps]:
        """The leaves that nothing accounts for."""
        return [
            steps
            for steps, value in leaves(self.call)
            if not (
                self.is_sent(steps, value)
                or self.is_named(steps)
                or left_behind("inbound", steps, value, self.call)
                or self.says_the_user_id_again(steps)
            )
        ]

    def is_sent(self, steps: Steps, value: Any) -> bool:
        if any(is_under(steps, source) for source in self.sources):
            return True
        if steps in {("event",), ("name",), ("category",), ("groupId",)}:
            return value is not None and printed(value) in self.name
        pair = pair_of(steps)  # whose name is the key of its value
        return pair is not None and (*pair[0], pair[1] + 1) in self.sources

    def is_named(self, steps: Steps) -> bool:
        return any(is_under(steps, place) or self.is_of_pair(code, place, steps) for code, place in self.unused)

    def is_of_pair(self, code: str, place: Steps, steps: Steps) -> bool:
        """Whether an issue of one pair is about a leaf: of the same pair, or of an earlier one of the same name."""
        named, leaf = pair_of(place), pair_of(steps)
        if named is None or leaf is None or named[0] != leaf[0]:
            return False
        if named[1] == leaf[1]:
            return True
        return code.endswith("_repeated") and leaf[1] < named[1] and self.key(*named) == self.key(*leaf)

    def key(self, array: Steps, index: int) -> Any:
        name: Any = self.call[str(array[0])][array[1]][index]
        return name.lower() if isinstance(name, str) and name.lower() == "userid" else name

    def says_the_user_id_again(self, steps: Steps) -> bool:
        """Whether a leaf is of a pair that repeats the user ID of the call (ID-9), which is sent from there."""
        pair = pair_of(steps)
        return pair is not None and self.key(*pair) == "userid" and ("userId",) in self.sources


def printed(value: Any) -> str:
    """The text of a part of a name, as US-6 prints it."""
    if isinstance(value, str) and value.strip():
        return value
    if not isinstance(value, int | float) or isinstance(value, bool) or Decimal(value).is_nan():
        return "not a part of a name"
    event = translate({"type": "page", "userId": "u1", "name": value})
    assert isinstance(event, StatsigEvent)
    return str(event.metadata.get("name", "not a part of a name"))


def accounted(call: JsonObject, config: IntegrationConfig) -> list[Steps]:
    """The leaves that are lost in silence, none where the whole call comes back as skipped or rejected."""
    if isinstance(explain(call, config).result, Skipped | Rejected):
        return []
    return Account(call, config).lost()


class TestNothingIsLostInbound:
    """
    Nothing that is present and not usable passes without an issue: every leaf of a call is in the result, is named by
    an issue, or stands in the table of what is left behind on purpose.
    """

    @given(segment_calls(malformed=True), integration_configs())
    @example(
        {"type": "track", "event": "a", "userId": "u1", "properties": {"a": None, "b": [None]}}, IntegrationConfig()
    )
    @example({"type": "page", "userId": "u1", "name": True, "category": " "}, IntegrationConfig())
    @example(
        {"type": "page", "userId": "u1", "properties": {"statsigEnvironment": {"tier": "a", "b": {"c": [1]}}}},
        IntegrationConfig(),
    )
    @example({"type": "group", "userId": "u1", "groupId": "g1", "traits": {"groupId": None}}, IntegrationConfig())
    @example(
        {
            "type": "track",
            "event": "a",
            "userId": "u1",
            "properties": {"statsigCustomIDs": ["a", "1", "a", "2", "userid", "u1", "b", None, "c"]},
        },
        IntegrationConfig(),
    )
    def test_every_leaf_of_a_call_is_accounted_for(self, call: JsonObject, config: IntegrationConfig) -> None:
        assert accounted(call, config) == []

    @given(segment_calls(python_values=True), integration_configs())
    def test_so_is_every_python_value(self, call: JsonObject, config: IntegrationConfig) -> None:
        assert accounted(call, config) == []

    @pytest.mark.parametrize("config", ["", (EXAMPLES / "integration.toml").read_text(encoding="utf-8")])
    def test_so_is_every_leaf_of_the_examples(self, config: str) -> None:
        lines = (EXAMPLES / "segment_calls.ndjson").read_text(encoding="utf-8").splitlines()
        calls = [call for line in lines for call in split_segment_batch(line)]

        assert len(calls) > 5
        assert [lost for call in calls if (lost := accounted(call, load_config(config)))] == []

    def test_a_loss_would_be_noticed(self) -> None:
        """Without the table this call would lose a field."""
        call = {"type": "track", "event": "a", "userId": "u1", "context": {"page": {"path": "/"}}}
        account = Account(call, IntegrationConfig())

        assert not account.is_sent(("context", "page", "path"), "/")
        assert not account.is_named(("context", "page", "path"))
        assert left_behind("inbound", ("context", "page", "path"), "/", call)


def inside(holder: Any, *keys: str | int) -> Any:
    for key in keys:
        if is_object(holder) and isinstance(key, str):
            holder = holder.get(key, ...)
        elif is_array(holder) and isinstance(key, int):
            holder = holder[key] if key < len(holder) else ...
        else:
            return ...
    return holder


def same(one: Any, other: Any) -> bool:
    return repr(one) == repr(other)


def arrives(steps: Steps, value: Any, track: JsonObject) -> bool:
    """Whether a leaf of an exported event stands in the call that is made of it."""
    head, rest = str(steps[0]), steps[1:]
    places: dict[str, Any] = {
        "eventName": track["event"],
        "userID": track.get("userId", ...),
        "user": inside(track, "context", "user", *rest),
        "value": inside(track, "properties", "value", *rest),
        "metadata": inside(track, "properties", "metadata", *rest),
        "timeUUID": track.get("messageId", ...),
    }
    if head in {"timestamp", "time"}:
        return not rest and "timestamp" in track
    if steps == ("statsigMetadata", "stableID"):
        return "stableID" in track["context"]
    return same(places.get(head, ...), value) or (steps == ("userID",) and read_id(value) == places["userID"])


def read_id(value: Any) -> Any:
    """The oracle of IN-4 for what is a number."""
    whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
    return format(Decimal(value), "f") if whole else value


def lost_outbound(payload: JsonObject, profile: str) -> list[Steps]:
    """The leaves of an export that are lost in silence, none where it comes back as skipped or rejected."""
    config = IntegrationConfig(outbound=OutboundConfig(profile=profile, allow_segment_origin=True))
    (track,) = export_many([payload], config)
    if not is_object(track):
        return []
    issues = [steps_of(issue.path) for issue in parse_statsig_event(payload).issues if issue.code in UNUSED]
    return [
        steps
        for steps, value in leaves(payload)
        if not (
            arrives(steps, value, track)
            or any(is_under(steps, place) for place in issues)
            or left_behind("outbound", steps, value, payload, profile=profile)
        )
    ]


def lost_of_change(payload: JsonObject, profile: str) -> list[Steps]:
    """The same for a config change, whose metadata become properties, some under another name."""
    config = IntegrationConfig(outbound=OutboundConfig(profile=profile, allow_segment_origin=True))
    (track,) = export_many([payload], config)
    if not is_object(track):
        return []
    names = {"name": "configName", "type": "configType", "environments": "environment"}
    own = {"eventName", "event", "timestamp", "userID", "userId", "timeUUID", "properties"}

    def arrives_there(steps: Steps, value: Any) -> bool:
        first = steps[0]
        if first == "metadata" and len(steps) > 1:
            return same(inside(track, "properties", names.get(str(steps[1]), steps[1]), *steps[2:]), value)
        if first == "properties":
            return same(inside(track, *steps), value)
        return first in own - {"timeUUID"} or same(track.get("messageId"), value)

    return [
        steps
        for steps, value in leaves(payload)
        if not (arrives_there(steps, value) or left_behind("outbound", steps, value, payload, profile=profile))
    ]


COLUMNS: dict[str, tuple[str, ...]] = {
    "event_name": ("event",),
    "user_id": ("userId",),
    "event_value": ("context", "value"),
    "user_object": ("context", "user"),
    "custom_ids": ("context", "user", "customIDs"),
    "company_metadata": ("properties", "metadata"),
    "stable_id": ("context", "stableID"),
}
OBJECT_COLUMNS = ("user_object", "custom_ids", "statsig_metadata", "company_metadata")
EXPOSURE_COLUMNS: dict[str, tuple[str, ...]] = {
    name: ("properties", "metadata", name) for name in ("name", "rule", "rule_name", "experiment_group", "group_id")
}


def lost_of_row(row: JsonObject, profile: str) -> list[Steps]:
    """The same for a row of a table, whose null columns are absent; empty text is null where an object is expected."""
    config = IntegrationConfig(outbound=OutboundConfig(profile=profile, allow_segment_origin=True))
    (track,) = export_many([row], config)
    if not is_object(track):
        return []
    issues = [steps_of(issue.path) for issue in parse_statsig_event(row).issues if issue.code in UNUSED]
    sent = COLUMNS if "event_name" in row else EXPOSURE_COLUMNS

    def arrives_there(steps: Steps, value: Any) -> bool:
        column = str(steps[0])
        if column in {"timestamp", "first_exposure_utc"}:
            return "timestamp" in track
        found = inside(track, *sent[column], *steps[1:]) if column in sent else ...
        return same(found, value) or (len(steps) == 1 and read_id(value) == found)

    return [
        steps
        for steps, value in leaves(row)
        if not (
            (len(steps) == 1 and (value is None or (value == "" and steps[0] in OBJECT_COLUMNS)))
            or arrives_there(steps, value)
            or any(is_under(steps, place) for place in issues)
            or left_behind("outbound", steps, value, row, profile=profile)
        )
    ]


PROFILES = st.sampled_from(("documented", "deliverable"))
EXPOSURES: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {"exposure_type": st.sampled_from(("gate", "experiment")), "unit_id": st.sampled_from(("u1", 7, None, True))},
    optional={
        "unit_type": st.sampled_from(("user_id", "companyID", None)),
        "first_exposure_utc": st.sampled_from(("2026-11-05 07:08:09.010 UTC", "soon", None)),
        **dict.fromkeys(EXPOSURE_COLUMNS, json_values(max_leaves=2)),
        "percent": st.just(50.5),
    },
)


def with_objects(row: JsonObject) -> JsonObject:
    """A row whose texts of objects are objects, so that their leaves can be looked for."""

    def parsed(value: Any) -> Any:
        try:
            found = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value
        return found if is_object(found) else value

    return {key: parsed(value) if key in OBJECT_COLUMNS else value for key, value in row.items()}


class TestNothingIsLostOutbound:
    """
    The same on the way to Segment: every leaf of an export is in the call, is named by an issue, or stands in the table
    of what is left behind on purpose.
    """

    @given(statsig_events(changes=False, malformed=True), PROFILES)
    @example({"eventName": "a", "userID": "u1", "timestamp": "soon", "time": 5}, "deliverable")
    @example({"eventName": "a", "userID": "u1", "metadata": 7, "statsigMetadata": "x"}, "documented")
    def test_every_leaf_of_an_event_is_accounted_for(self, payload: JsonObject, profile: str) -> None:
        assert lost_outbound(payload, profile) == []

    @given(config_changes(), PROFILES)
    def test_so_is_every_leaf_of_a_config_change(self, payload: JsonObject, profile: str) -> None:
        assert lost_of_change(payload, profile) == []

    @given(warehouse_rows(malformed=True), PROFILES)
    @example(
        {"event_name": "a", "user_id": 7, "user_object": {"customIDs": {"a": "b"}}, "custom_ids": {}}, "documented"
    )
    @example({"event_name": "a", "user_id": "u1", "company_metadata": "{", "stable_id": True}, "deliverable")
    @example({"event_name": "a", "user_id": "u1", "company_metadata": "", "user_object": ""}, "documented")
    def test_so_is_every_leaf_of_a_row(self, row: JsonObject, profile: str) -> None:
        assert lost_of_row(with_objects(row), profile) == []

    @given(EXPOSURES, PROFILES)
    def test_so_is_every_leaf_of_a_row_of_exposures(self, row: JsonObject, profile: str) -> None:
        assert lost_of_row(row, profile) == []

    @pytest.mark.parametrize("profile", ["documented", "deliverable"])
    def test_so_is_every_leaf_of_the_examples(self, profile: str) -> None:
        lines = (EXAMPLES / "statsig_export.ndjson").read_text(encoding="utf-8").splitlines()
        payloads: list[JsonObject] = [json.loads(line) for line in lines if line.strip()]
        changes = [payload for payload in payloads if payload.get("eventName") == "statsig::config_change"]
        rows = [payload for payload in payloads if "event_name" in payload]
        events = [payload for payload in payloads if payload not in changes and payload not in rows]

        assert payloads
        assert [lost for payload in rows if (lost := lost_of_row(with_objects(payload), profile))] == []
        assert [lost for payload in events if (lost := lost_outbound(payload, profile))] == []
        assert [lost for payload in changes if (lost := lost_of_change(payload, profile))] == []


def call(kind: str, **fields: Any) -> JsonObject:
    return {"type": kind, "userId": "u1", **({"event": "a"} if kind == "track" else {}), **fields}


def exported(**fields: Any) -> JsonObject:
    return {"eventName": "a", **fields}


def row(**columns: Any) -> JsonObject:
    return {"event_name": "a", **columns}


def exposure(**columns: Any) -> JsonObject:
    return {"exposure_type": "gate", "unit_id": "u1", **columns}


def change(**fields: Any) -> JsonObject:
    return {"eventName": "statsig::config_change", "userID": "u1", **fields}


# For each row of the table a payload that needs it, and the leaf that stays behind.
INBOUND_NEEDS: tuple[tuple[JsonObject, Steps], ...] = (
    (call("track"), ("type",)),
    (call("track", messageId="m1"), ("messageId",)),
    (call("track", integrations={"All": True}), ("integrations", "All")),
    (call("track", context={"page": {"path": "/"}}), ("context", "page", "path")),
    (call("track", anonymousId="a1"), ("anonymousId",)),
    (call("track", groupId="g1"), ("groupId",)),
    (call("track", timestamp=None), ("timestamp",)),
    (call("track", timestamp=1, originalTimestamp=2), ("originalTimestamp",)),
    (call("track", timestamp=1, receivedAt=2), ("receivedAt",)),
    (call("track", timestamp=1, sentAt=2), ("sentAt",)),
    ({**call("track", properties={"statsigCustomIDs": ["a", "1"]}), "userId": None}, ("userId",)),
    (call("page", event="unread"), ("event",)),
    (call("track", name="unread"), ("name",)),
    (call("track", category="unread"), ("category",)),
    (call("page", name=" "), ("name",)),
    (call("page", category=" "), ("category",)),
    (call("page", name="unused", properties={"name": "own"}), ("name",)),
    (call("page", category="unused", properties={"category": "own"}), ("category",)),
    (call("track", properties={"a": None}), ("properties", "a")),
    (call("group", traits={"a": None}), ("traits", "a")),
    (call("group", properties={"a": 1}), ("properties", "a")),
    (call("track", traits={"a": 1}), ("traits", "a")),
    (
        call(
            "identify",
            traits={"vip_users": True, "plan": "gold"},
            context={"personas": {"computation_class": "audience", "computation_key": "vip_users"}},
        ),
        ("traits", "plan"),
    ),
    (
        call("group", properties={"statsigCustomIDs": []}, traits={"statsigCustomIDs": ["a", "1"]}),
        ("traits", "statsigCustomIDs", 0),
    ),
    (
        call("group", properties={"statsigCustom": []}, traits={"statsigCustom": ["a", "1"]}),
        ("traits", "statsigCustom", 1),
    ),
    (
        call("group", properties={"statsigEnvironment": {"tier": "a"}}, traits={"statsigEnvironment": "b"}),
        ("traits", "statsigEnvironment"),
    ),
    (
        call("track", properties={"statsigEnvironment": {"tier": "a", "region": "b"}}),
        ("properties", "statsigEnvironment", "region"),
    ),
    (
        call("group", traits={"statsigEnvironment": {"tier": "a", "region": "b"}}),
        ("traits", "statsigEnvironment", "region"),
    ),
    (call("track", version=2), ("version",)),
)
OUTBOUND_NEEDS: tuple[tuple[JsonObject, Steps, str], ...] = (
    (exported(user={"privateAttributes": {"phone": "1"}}), ("user", "privateAttributes", "phone"), "documented"),
    (exported(userID=1.5), ("userID",), "documented"),
    (exported(timestamp=None), ("timestamp",), "documented"),
    (exported(time=None), ("time",), "documented"),
    (exported(timestamp=1, time=2), ("time",), "documented"),
    (exported(statsigMetadata={"sdkType": "py-server"}), ("statsigMetadata", "sdkType"), "documented"),
    (exported(timeUUID="t1"), ("timeUUID",), "documented"),
    (exported(timeUUID=7, userID="u1"), ("timeUUID",), "deliverable"),
    (change(user={"country": "NZ"}), ("user", "country"), "deliverable"),
    (change(metadata={"action": "created"}), ("metadata", "action"), "documented"),
    (
        {"event": "statsig::config_change", "userId": "u1", "context": {"library": {"name": "statsig"}}},
        ("context", "library", "name"),
        "documented",
    ),
    (exported(unitID="n1"), ("unitID",), "documented"),
    (exported(user="u1"), ("user",), "documented"),
    (exported(metadata=["a"]), ("metadata", 0), "documented"),
    (exported(company="c1"), ("company",), "documented"),
    (row(user_id=1.5), ("user_id",), "documented"),
    (
        row(user_object={"privateAttributes": {"phone": "1"}}),
        ("user_object", "privateAttributes", "phone"),
        "documented",
    ),
    (row(user_object={"customIDs": {"a": "1"}}, custom_ids={}), ("user_object", "customIDs", "a"), "documented"),
    (row(statsig_metadata={"sdkType": "py-server"}), ("statsig_metadata", "sdkType"), "documented"),
    (row(stable_id=1.5), ("stable_id",), "documented"),
    (exposure(), ("exposure_type",), "documented"),
    (exposure(unit_id=1.5), ("unit_id",), "documented"),
    (exposure(unit_type="companyID"), ("unit_type",), "documented"),
)
UNUSED_PARTS = load_config({"inbound": {"naming": {"page": "A page"}}})


class TestTheTable:
    """Each row is needed, and none is wider than it says."""

    @pytest.mark.parametrize(("payload", "steps"), INBOUND_NEEDS, ids=lambda value: repr(value)[:40])
    def test_each_row_inbound_is_needed(self, payload: JsonObject, steps: Steps) -> None:
        account = Account(payload, UNUSED_PARTS)
        value = inside(payload, *steps)

        assert not account.is_sent(steps, value)
        assert not account.is_named(steps)
        assert len(left_behind("inbound", steps, value, payload)) == 1
        assert account.lost() == []

    @pytest.mark.parametrize(("payload", "steps", "profile"), OUTBOUND_NEEDS, ids=lambda value: repr(value)[:40])
    def test_each_row_outbound_is_needed(self, payload: JsonObject, steps: Steps, profile: str) -> None:
        lost = lost_of_row if "eventName" not in payload else lost_outbound
        if "statsig::config_change" in payload.values():
            lost = lost_of_change

        assert len(left_behind("outbound", steps, inside(payload, *steps), payload, profile=profile)) == 1
        assert lost(payload, profile) == []

    def test_no_row_lacks_a_payload_that_needs_it(self) -> None:
        rows = [row for payload, steps in INBOUND_NEEDS for row in self.rows("inbound", payload, steps)]
        rows += [
            row for payload, steps, profile in OUTBOUND_NEEDS for row in self.rows("outbound", payload, steps, profile)
        ]

        assert sorted(map(repr, rows)) == sorted(map(repr, LEFT_BEHIND))

    @staticmethod
    def rows(direction: Direction, payload: JsonObject, steps: Steps, profile: str | None = None) -> list[LeftBehind]:
        return left_behind(direction, steps, inside(payload, *steps), payload, profile=profile)

    @pytest.mark.parametrize("row", LEFT_BEHIND, ids=lambda row: f"{row.direction} {row.path} {row.rule}")
    def test_each_row_names_a_place_and_a_rule(self, row: LeftBehind) -> None:
        assert re.fullmatch(r"\$([.]([A-Za-z_]+|[*]{1,2}))+", row.path)
        assert row.rule in RULES
        assert row.why
        assert not row.why.endswith(".")

    @pytest.mark.parametrize("direction", ["inbound", "outbound"])
    def test_no_two_rows_say_the_same(self, direction: Direction) -> None:
        rows = [
            (row.path, row.kinds, row.values, row.beside, row.profile)
            for row in LEFT_BEHIND
            if row.direction == direction
        ]

        assert len(rows) == len(set(rows))

    @given(st.sampled_from(("event", "userId", "properties", "traits", "name", "category")), st.text(min_size=1))
    def test_what_is_sent_is_not_left_behind(self, field: str, text: str) -> None:
        kind = "group" if field == "traits" else "page" if field in {"name", "category"} else "track"
        call = {"type": kind, field: {"plan": text} if field in {"properties", "traits"} else text}
        ((steps, value),) = [leaf for leaf in leaves(call) if leaf[0] != ("type",)]

        assert not [row for row in left_behind("inbound", steps, value, call) if row.values != "blank"]
