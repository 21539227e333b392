"""Properties of the way back, Statsig to Segment (OU-1 to OU-8): one class for each rule, the rule quoted.

The forms of time of OU-1 are in test_event_times.py, bodies of `log_event` (OU-2) in test_envelopes.py, OU-9 in
test_warehouse_rows.py.
"""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.support.calls import iso, read_id, read_time
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, canonical, empty, is_object

from statsig_segment import (
    ConfigChange,
    ExportedEvent,
    IntegrationConfig,
    OutboundConfig,
    Rejected,
    StatsigEvent,
    StatsigEventError,
    StatsigUser,
    TranslationError,
    config_change_event,
    export,
    export_many,
    parse_statsig_event,
    split_statsig_export,
    to_outbound_track,
    to_segment_batches,
    url_verification_code,
)
from statsig_segment.testing import config_changes, identifiers, json_values, statsig_events, statsig_exports

LAST_MS = 253_402_300_799_999
LIBRARY = {"name": "statsig", "version": "1.0"}
CHANGE = "statsig::config_change"
DELIVERABLE = OutboundConfig(profile="deliverable")


def first_id(*candidates: Any) -> Any:
    """The oracle of OU-3's candidates: `...` is absent, and the answer where there is none."""
    for value in candidates:
        if value is not ... and read_id(value) is not None:
            return read_id(value)
    for value in candidates:
        if value is None or value == "":
            return value
    return ...


def came_from_segment(payload: JsonObject) -> bool:
    """The oracle of FL-7."""
    return (
        str(payload["eventName"]).startswith("segment::") or inside(payload, "statsigMetadata", "sdkType") == "segment"
    )


def held_object(payload: JsonObject, name: str) -> Any:
    """An object or an explicit null as it is; `...` for anything else."""
    value = payload.get(name, ...)
    return value if is_object(value) or value is None else ...


def inside(holder: Any, *keys: str) -> Any:
    for key in keys:
        held: Any = holder
        holder = held.get(key, ...) if is_object(held) else ...
    return holder


def present(**items: Any) -> JsonObject:
    return {key: value for key, value in items.items() if value is not ...}


def first_present(payload: JsonObject, *names: str) -> Any:
    """The value of the first field that is there and not null."""
    return next((payload[name] for name in names if payload.get(name) is not None), None)


def documented(payload: JsonObject) -> JsonObject:
    """The oracle of OU-3, laid out as Statsig's page lays it out."""
    user = held_object(payload, "user")
    if is_object(user):
        user = {key: value for key, value in user.items() if key != "privateAttributes"}
    value, metadata = payload.get("value", ...), held_object(payload, "metadata")
    time_ms = read_time(first_present(payload, "timestamp", "time"))
    stable_id = first_id(
        inside(held_object(payload, "statsigMetadata"), "stableID"), inside(user, "customIDs", "stableID")
    )
    return present(
        type="track",
        userId=first_id(payload.get("userID", ...), inside(user, "userID")),
        timestamp=... if time_ms is None else time_ms,
        event=payload["eventName"],
        context=present(user=user, value=value, metadata=metadata, library=LIBRARY, stableID=stable_id),
        properties=present(value=value, metadata=metadata),
    )


EVENTS = statsig_events(changes=False, malformed=True).filter(
    lambda payload: isinstance(payload.get("eventName"), str) and payload["eventName"] not in ("", CHANGE)
)


class TestOU1ParsingExports:
    """
    `parse_statsig_event(payload)`: `eventName` required, non-empty; `user`, `userID`, `timestamp`, `value`, `metadata`,
    `statsigMetadata`, `timeUUID`, `unitID`. `statsig::config_change` gives a `ConfigChange`, everything else an
    `ExportedEvent`. Errors: `StatsigEventError`.

    Corners: takes what IN-1 takes. `user`, `metadata`, `statsigMetadata` of another kind than object count as absent
    (null stays null).
    """

    @given(EVENTS)
    def test_an_event_is_read(self, payload: JsonObject) -> None:
        event = parse_statsig_event(payload)

        assert isinstance(event, ExportedEvent)
        assert event.event_name == payload["eventName"]
        assert event.time_ms == read_time(first_present(payload, "timestamp", "time"))
        assert canonical(event.value) == canonical(payload.get("value"))
        metadata = payload.get("metadata")
        assert canonical(dict(event.metadata)) == canonical(metadata if is_object(metadata) else {})

    @given(json_values().filter(lambda name: not isinstance(name, str)) | st.just("") | st.just(...))
    def test_an_event_needs_a_name(self, name: Any) -> None:
        payload = present(eventName=name, userID="u1")

        with pytest.raises(StatsigEventError) as caught:
            parse_statsig_event(payload)

        assert caught.value.code == "missing_event"

    @given(statsig_events())
    def test_only_a_config_change_is_one(self, payload: JsonObject) -> None:
        event = parse_statsig_event(payload)

        is_change = payload.get("eventName", payload.get("event")) == CHANGE
        assert type(event) is (ConfigChange if is_change else ExportedEvent)

    @given(statsig_events(), st.booleans())
    def test_objects_text_and_bytes_are_read_alike(self, payload: JsonObject, ascii_only: bool) -> None:
        text = json.dumps(payload, ensure_ascii=ascii_only)

        assert parse_statsig_event(payload) == parse_statsig_event(text) == parse_statsig_event(text.encode())

    @given(
        st.one_of(
            json_values().filter(lambda value: not is_object(value)).map(lambda value: (value, "not_an_object")),
            st.sampled_from(("", "{", "~", b"\xff", b'{"eventName": "\xff"}')).map(lambda text: (text, "invalid_json")),
            st.sampled_from(("[]", "1", b"null")).map(lambda text: (text, "not_an_object")),
        ).filter(
            lambda pair: not (isinstance(pair[0], str) and pair[1] == "not_an_object" and pair[0] not in ("[]", "1"))
        )
    )
    def test_what_is_no_object_is_refused(self, pair: tuple[Any, str]) -> None:
        payload, code = pair

        with pytest.raises(StatsigEventError) as caught:
            parse_statsig_event(payload)

        assert caught.value.code == code


class TestOU2SplittingExports:
    """
    `split_statsig_export(body)`: a bare array, `{"data": […]}`, or one event. `{"data": {"event": "url_verification",
    "verification_code": X}}` is the registration handshake: it yields nothing, and `url_verification_code(body)`
    returns X.

    Corners: `data` that is an object is one event unless it is the handshake; `data` of another kind: `not_an_object`;
    an object with `eventName` is one event whatever else it has.
    """

    @given(st.lists(json_values(max_leaves=3), max_size=4))
    def test_arrays_yield_their_items(self, items: list[Any]) -> None:
        assert list(split_statsig_export(items)) == items
        assert list(split_statsig_export(tuple(items))) == items
        assert list(split_statsig_export({"data": items})) == items
        assert url_verification_code({"data": items}) is None

    @given(statsig_events(), json_values())
    def test_an_object_with_a_name_is_one_event(self, event: JsonObject, data: Any) -> None:
        assert list(split_statsig_export(event)) == [event]
        assert list(split_statsig_export({"data": event})) == [event]
        named = {"eventName": "a", **event, "data": data}
        assert list(split_statsig_export(named)) == [named]

    @given(st.text(max_size=9))
    def test_the_handshake_yields_its_code_and_no_event(self, code: str) -> None:
        body = {"data": {"event": "url_verification", "verification_code": code}}
        text = json.dumps(body)

        assert list(split_statsig_export(body)) == list(split_statsig_export(text)) == []
        assert (
            url_verification_code(body) == url_verification_code(text) == url_verification_code(text.encode()) == code
        )

    @given(json_values().filter(lambda data: not isinstance(data, dict | list)))
    def test_data_of_another_kind_is_refused(self, data: Any) -> None:
        with pytest.raises(StatsigEventError) as caught:
            list(split_statsig_export({"data": data}))

        assert caught.value.code == "not_an_object"

    @given(statsig_exports(malformed=True))
    def test_objects_text_and_bytes_are_split_alike(self, body: Any) -> None:
        def split(form: Any) -> Any:
            try:
                return [canonical(item) for item in split_statsig_export(form)]
            except StatsigEventError as error:
                return error

        text = json.dumps(body)
        if isinstance(body, dict | list):
            assert split(body) == split(text)
        assert split(text) == split(text.encode())

    @given(
        st.one_of(
            statsig_events(), hostile_values(), st.text(), st.binary(), json_values().map(lambda data: {"data": data})
        )
    )
    def test_the_code_of_anything_else_is_none(self, body: Any) -> None:
        assert url_verification_code(body) is None


class TestOU3DocumentedProfile:
    """
    `to_outbound_track(event)`, profile `documented` (default), is exactly Statsig's published schema [doc]: `{type:
    'track', userId, timestamp: <number, ms>, event, context: {user, value, metadata, library: {name: 'statsig',
    version: '1.0'}, stableID}, properties: {value, metadata}}`. What is undefined in the source has no key, as in JSON
    made by JavaScript; an explicit null stays null. `userId` is the top-level `userID`, else `user.userID`. `stableID`
    is `statsigMetadata.stableID`, else `user.customIDs.stableID`.

    Corner: `userId` and `stableID` take the first candidate that is an ID under IN-4, else the first explicit null or
    `""` as it is, else have no key.
    """

    @given(EVENTS)
    @example({"eventName": "a"})
    @example({"eventName": "a", "user": None, "userID": None, "value": None, "metadata": None})
    @example({"eventName": "a", "user": {"userID": None}, "userID": ""})
    @example({"eventName": "a", "user": {"userID": "u1"}, "userID": ""})
    @example({"eventName": "a", "user": {"userID": 7.0}, "userID": True})
    @example({"eventName": "a", "statsigMetadata": {"stableID": None}, "user": {"customIDs": {"stableID": "s1"}}})
    @example({"eventName": "a", "statsigMetadata": {}, "user": {"customIDs": {"stableID": None}}})
    @example({"eventName": "a", "user": {"customIDs": [1], "custom": {"a": [{"b": None}]}}, "timestamp": "12"})
    def test_it_is_the_published_schema(self, payload: JsonObject) -> None:
        event = parse_statsig_event(payload)
        assert isinstance(event, ExportedEvent)

        track = to_outbound_track(event)

        assert canonical(track) == canonical(documented(payload))
        outcome = export(payload)
        if not payload["eventName"].startswith("statsig::") and not came_from_segment(payload):
            assert canonical(outcome) == canonical(track)

    @given(st.text(min_size=1), st.none() | st.text(min_size=1), st.none() | st.integers(0, LAST_MS), st.integers())
    def test_an_event_of_the_callers_own_goes_the_same_way(
        self, name: str, user_id: str | None, time_ms: int | None, value: int
    ) -> None:
        event = StatsigEvent(event_name=name, user=StatsigUser(user_id=user_id), time_ms=time_ms, value=value)

        track: Any = to_outbound_track(event)

        assert (track["type"], track["event"]) == ("track", name)
        assert (track.get("userId"), track.get("timestamp")) == (user_id, time_ms)
        assert track["properties"]["value"] == track["context"]["value"] == value
        assert track["context"]["library"] == LIBRARY

    @given(EVENTS)
    def test_each_result_is_fresh(self, payload: JsonObject) -> None:
        event = parse_statsig_event(payload)
        assert isinstance(event, ExportedEvent)
        first, second = to_outbound_track(event), to_outbound_track(event)
        before = canonical(second)

        empty(first)

        assert canonical(second) == canonical(to_outbound_track(event)) == before


class TestOU4DeliverableProfile:
    """
    Profile `deliverable` is what Segment's API accepts and Segment's Statsig Source page describes [doc]: as above, and
    `timestamp` ISO 8601 with exactly three fraction digits and `Z`; `anonymousId` from the ID type named in
    `OutboundConfig.anonymous_id` (default `stableID`); `messageId` from `timeUUID` so that a retried delivery is
    counted once; `context.traits.email` from `user.email`; and neither userId nor anonymousId: `TranslationError`
    `no_identifier` instead of the API's silent 200. `userId` is there only where it is an ID under IN-4: null and `""`
    have no key in this profile (SDKs send `""` for every anonymous user [seen]).

    Corner: `anonymousId` for `stableID` as OU-3's stableID, for any other type `user.customIDs` under that exact name;
    `messageId` and email are non-empty strings only; null `user`, `value`, `metadata` stay null.
    """

    @given(EVENTS, st.sampled_from(("stableID", "companyID", "deviceID", "StableID")))
    @example({"eventName": "a", "userID": "", "user": None}, "stableID")
    @example({"eventName": "a", "userID": None, "statsigMetadata": {"stableID": "s1"}, "value": None}, "stableID")
    @example({"eventName": "a", "userID": "u1", "statsigMetadata": {"stableID": None}}, "stableID")
    @example({"eventName": "a", "userID": "u1", "timeUUID": "", "user": {"email": ""}}, "stableID")
    @example({"eventName": "a", "user": {"customIDs": {"companyID": 7}}, "timestamp": 5}, "companyID")
    def test_it_is_what_segment_accepts(self, payload: JsonObject, id_type: str) -> None:
        event = parse_statsig_event(payload)
        assert isinstance(event, ExportedEvent)
        config = OutboundConfig(profile="deliverable", anonymous_id=id_type)
        expected = documented(payload)
        custom_id = inside(payload, "user", "customIDs", id_type)
        anonymous_id = read_id(expected["context"].get("stableID") if id_type == "stableID" else custom_id)
        if read_id(expected.get("userId")) is None:
            expected.pop("userId", None)
        if "userId" not in expected and anonymous_id is None:
            with pytest.raises(TranslationError) as caught:
                to_outbound_track(event, config)
            assert caught.value.code == "no_identifier"
            return
        if read_id(expected.get("userId")) is None:
            expected.pop("userId", None)
        if "timestamp" in expected:
            expected["timestamp"] = iso(expected["timestamp"])
        if anonymous_id is not None:
            expected["anonymousId"] = anonymous_id
        message_id, email = payload.get("timeUUID"), inside(payload, "user", "email")
        if isinstance(message_id, str) and message_id:
            expected["messageId"] = message_id
        if isinstance(email, str) and email:
            expected["context"]["traits"] = {"email": email}

        assert canonical(to_outbound_track(event, config)) == canonical(expected)

    @given(st.integers(0, LAST_MS))
    @example(0)
    @example(LAST_MS)
    def test_times_have_exactly_three_fraction_digits(self, time_ms: int) -> None:
        event = StatsigEvent(event_name="a", user=StatsigUser(user_id="u1"), time_ms=time_ms)

        assert to_outbound_track(event, DELIVERABLE).get("timestamp") == iso(time_ms)


class TestOU5PrivateAttributes:
    """`user.privateAttributes` never leaves, in any profile."""

    @given(statsig_events(malformed=True), st.sampled_from(("documented", "deliverable")), json_values(max_leaves=3))
    def test_it_never_leaves(self, payload: JsonObject, profile: str, more: Any) -> None:
        user = payload.get("user")
        secret = {"phone": "canary-1234", "more": [more, "canary-1234"]}
        payload = {
            **payload,
            "userID": "u1",
            "user": {**(user if is_object(user) else {}), "privateAttributes": secret},
        }

        (outcome,) = export_many([payload], IntegrationConfig(outbound=OutboundConfig(profile=profile)))

        if is_object(outcome):
            assert "canary-1234" not in json.dumps(outcome)
            assert "privateAttributes" not in json.dumps(outcome)
            assert "canary-1234" not in repr(parse_statsig_event(payload))


TEXT = st.text(min_size=1, max_size=6)
MAYBE_TEXT = st.one_of(TEXT, st.just(""), st.none(), st.just(7))
CHANGES: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {
        "eventName": st.just(CHANGE),
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "name": TEXT | st.none(),
                "type": TEXT,
                "description": TEXT | st.none(),
                "action": TEXT,
                "tags": st.lists(TEXT, max_size=2),
                "projectName": TEXT,
                "configName": TEXT,
                "author": TEXT,
                "targetApps": st.none(),
            },
        ),
    },
    optional={
        "timestamp": st.integers(0, LAST_MS) | st.integers(0, LAST_MS).map(str),
        "user": st.fixed_dictionaries(
            {}, optional={"name": MAYBE_TEXT, "email": MAYBE_TEXT, "userID": identifiers() | st.just("")}
        ),
        "timeUUID": MAYBE_TEXT,
    },
)
ENVIRONMENTS = st.sampled_from(
    ({}, {"environment": "staging"}, {"environments": "production,staging"}, {"environments": ["a"]})
)


def change_properties(payload: JsonObject) -> JsonObject:
    """The oracle of OU-6's four properties, for every shape but the Segment form."""
    metadata, user = payload.get("metadata", {}), payload.get("user", {})
    author = next((user[key] for key in ("name", "email") if isinstance(user.get(key), str) and user[key]), None)
    author = author or read_id(user.get("userID")) or read_id(payload.get("userID")) or ...
    return present(
        author=author,
        configName=metadata.get("name", ...),
        description=metadata.get("description", ...),
        environment=metadata.get("environment", metadata.get("environments", ...)),
    )


class TestOU6ConfigChanges:
    """
    `config_change_event(change)` [doc]: `{userId, timestamp, event: 'statsig::config_change', context: {library: {name:
    'statsig', version: '1.0'}}, properties: {author, configName, description, environment}}` — no `type` in the
    documented form; the `deliverable` profile adds `type`, ISO time, and keeps `configType`, `action`, `tags` and the
    rest of the source metadata in properties. The clock is the caller's: `timestamp` is an argument of `ConfigChange`.
    `OutboundConfig.config_change_user_id` is the `userId`, in the deliverable profile, of a change that has neither a
    user ID nor an email; it is used beside an `anonymousId` too, and for the Segment form.

    Corners: `environment` = `environment`, else `environments` as it stands; absent has no key, null stays null;
    `userId` as OU-3 over `userID`, `user.userID`. Deliverable: `messageId`, `anonymousId`, email and `no_identifier` as
    in OU-4; every other source key under its own name, the named ones win. Deliverable config change without any user
    ID: `userId` is the author's email where there is one; with neither that nor an `anonymousId`, `no_identifier`.
    `type` becomes `configType` and `name` `configName`; neither is kept twice.
    """

    @staticmethod
    def payload_of(change: JsonObject, environment: JsonObject) -> JsonObject:
        return {**change, "metadata": {**change["metadata"], **environment}}

    @given(CHANGES, ENVIRONMENTS)
    def test_the_documented_form(self, change: JsonObject, environment: JsonObject) -> None:
        payload = self.payload_of(change, environment)
        time_ms = read_time(payload.get("timestamp"))
        expected = present(
            userId=first_id(inside(payload, "user", "userID")),
            timestamp=... if time_ms is None else time_ms,
            event=CHANGE,
            context={"library": LIBRARY},
            properties=change_properties(payload),
        )

        parsed = parse_statsig_event(payload)

        assert isinstance(parsed, ConfigChange)
        assert canonical(config_change_event(parsed)) == canonical(expected)
        assert canonical(export(payload)) == canonical(expected)

    @given(CHANGES, ENVIRONMENTS)
    @example({"eventName": CHANGE, "metadata": {}, "user": {"email": "a@b.c", "userID": ""}}, {})
    @example({"eventName": CHANGE, "metadata": {"type": "Gate", "configType": "x"}, "user": {"userID": 1}}, {})
    def test_the_deliverable_form(self, change: JsonObject, environment: JsonObject) -> None:
        payload = self.payload_of(change, environment)
        parsed = parse_statsig_event(payload)
        assert isinstance(parsed, ConfigChange)
        email = inside(payload, "user", "email")
        email = email if isinstance(email, str) and email else None
        user_id = read_id(inside(payload, "user", "userID")) or email
        if user_id is None:
            with pytest.raises(TranslationError) as caught:
                config_change_event(parsed, DELIVERABLE)
            assert caught.value.code == "no_identifier"
            return

        track: Any = config_change_event(parsed, DELIVERABLE)

        assert (track["type"], track["event"], track["userId"]) == ("track", CHANGE, user_id)
        time_ms = read_time(payload.get("timestamp"))
        assert track.get("timestamp") == (None if time_ms is None else iso(time_ms))
        message_id = payload.get("timeUUID")
        assert track.get("messageId") == (message_id if isinstance(message_id, str) and message_id else None)
        assert track["context"] == {"library": LIBRARY, **({"traits": {"email": email}} if email else {})}
        metadata = dict(payload["metadata"])
        config_type = metadata.pop("type", metadata.get("configType", ...))
        metadata.pop("name", None)
        expected = {**metadata, **present(configType=config_type), **change_properties(payload)}
        assert canonical(track["properties"]) == canonical(expected)

    @given(config_changes(), TEXT, st.booleans())
    @example({"eventName": CHANGE, "statsigMetadata": {"stableID": "s1"}}, "console", True)
    @example({"event": CHANGE, "properties": {}}, "console", True)
    def test_a_change_by_nobody_gets_the_configured_user_id(
        self, payload: JsonObject, user_id: str, deliverable: bool
    ) -> None:
        profile = "deliverable" if deliverable else "documented"
        change = parse_statsig_event(payload)
        assert isinstance(change, ConfigChange)
        known = first_id(payload.get("userID", ...), inside(payload, "user", "userID"), payload.get("userId", ...))
        email = inside(payload, "user", "email")
        somebody = read_id(known) is not None or (isinstance(email, str) and email)

        track: Any = config_change_event(change, OutboundConfig(profile=profile, config_change_user_id=user_id))

        bare = OutboundConfig(profile=profile)
        if deliverable and not somebody:
            assert track["userId"] == user_id
        else:
            assert canonical(track) == canonical(config_change_event(change, bare))

    @given(st.none() | st.integers(0, LAST_MS), st.none() | TEXT, st.none() | TEXT, st.none() | TEXT, st.none() | TEXT)
    def test_a_change_of_the_callers_own(
        self, time_ms: int | None, user_id: str | None, author: str | None, name: str | None, environment: str | None
    ) -> None:
        change = ConfigChange(
            timestamp=time_ms, user_id=user_id, author=author, config_name=name, environment=environment
        )

        track = config_change_event(change)

        expected = {
            "userId": user_id,
            "timestamp": time_ms,
            "event": CHANGE,
            "context": {"library": LIBRARY},
            "properties": {
                key: value
                for key, value in (("author", author), ("configName", name), ("environment", environment))
                if value is not None
            },
        }
        assert track == {key: value for key, value in expected.items() if value is not None}

    @given(config_changes(), st.sampled_from(("documented", "deliverable")))
    def test_each_result_is_fresh(self, payload: JsonObject, profile: str) -> None:
        change = parse_statsig_event({**payload, "userID": "u1", "userId": "u1"})
        assert isinstance(change, ConfigChange)
        config = OutboundConfig(profile=profile)
        first, second = config_change_event(change, config), config_change_event(change, config)
        before = canonical(second)

        empty(first)

        assert canonical(second) == canonical(config_change_event(change, config)) == before


class TestOU7FiveShapes:
    """
    `ConfigChange` reads all five shapes that are public: the Segment form itself; `{user: {name, email}, timestamp,
    eventName, metadata: {type, name, description, action}}`; the same with `metadata.environment`; the older one with
    lower-case type, string timestamp and timeUUID; and the current one with `projectName`, `environments` (a
    comma-separated string), `tags`, `targetApps`, and a `user` that may miss any field or be absent. `author` = user
    name, else email, else userID.

    Corner: the Segment form is recognised by `event: "statsig::config_change"` without `eventName`; its properties pass
    as they are.
    """

    @given(config_changes())
    def test_each_shape_tells_the_same_things(self, payload: JsonObject) -> None:
        user = payload.get("user", {})
        if "userID" in payload and "userID" in user:
            assume(read_id(payload["userID"]) == read_id(user["userID"]))
        expected = payload["properties"] if "event" in payload else change_properties(payload)

        change = parse_statsig_event(payload)

        assert isinstance(change, ConfigChange)
        assert change.timestamp == read_time(payload["timestamp"])
        assert change.author == expected.get("author")
        assert change.config_name == expected["configName"]
        assert change.description == expected["description"]
        assert change.environment == expected.get("environment")
        assert config_change_event(change).get("properties") == expected

    @given(st.dictionaries(TEXT, json_values(max_leaves=3), max_size=3), identifiers(), st.integers(10**11, 10**14 - 1))
    def test_the_segment_form_passes_as_it_is(self, properties: JsonObject, user_id: Any, time_ms: int) -> None:
        payload = {"event": CHANGE, "userId": user_id, "timestamp": time_ms, "properties": properties}

        change = parse_statsig_event(payload)

        assert isinstance(change, ConfigChange)
        assert canonical(config_change_event(change)) == canonical(
            {
                "userId": read_id(user_id),
                "timestamp": time_ms,
                "event": CHANGE,
                "context": {"library": LIBRARY},
                "properties": properties,
            }
        )

    @given(config_changes())
    def test_what_was_exported_can_be_read_again(self, payload: JsonObject) -> None:
        once = parse_statsig_event(payload)
        assert isinstance(once, ConfigChange)
        sent: Any = config_change_event(once)

        again = parse_statsig_event(sent)

        assert isinstance(again, ConfigChange)
        assert config_change_event(again) == sent

    @given(st.text(min_size=1, max_size=6))
    def test_an_event_name_comes_before_the_segment_form(self, name: str) -> None:
        event = parse_statsig_event({"eventName": name, "event": CHANGE, "properties": {"author": "Ann"}})

        assert isinstance(event, ExportedEvent)
        assert event.event_name == name

    @given(st.text(min_size=1, max_size=6).filter(lambda name: name != CHANGE))
    def test_any_other_event_without_a_name_is_none(self, name: str) -> None:
        with pytest.raises(StatsigEventError):
            parse_statsig_event({"event": name, "properties": {}})


def size_of(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


class TestOU8Batches:
    """
    `to_segment_batches(tracks)` -> bodies for `POST /v1/batch` under Segment's limits: at most 2,500 events and 500 KB
    a batch, 32 KB an event; each item gets `type`; an oversized event comes back as `Rejected` (`event_too_large`),
    never inside a batch. No `sentAt`: it would shift historical times. [doc]

    Corner: sizes are those of compact UTF-8 JSON; 32 KB = 32,768 bytes an event, 500 KB = 500,000 bytes a body.
    """

    SIZES = st.sampled_from((1, 100, 20_000, 32_000, 32_767, 32_768, 32_769, 40_000))

    @staticmethod
    def track_of(size: int, number: int, character: str) -> JsonObject:
        """A call whose compact JSON has exactly the size, as far as it can."""
        track = {"type": "track", "userId": f"u{number}", "event": ""}
        left = max(size - size_of(track), 0)
        width = len(character.encode())
        return {**track, "event": character * (left // width) + "x" * (left % width)}

    @staticmethod
    def check(tracks: list[JsonObject]) -> None:
        outcomes = list(to_segment_batches(iter(tracks)))

        bodies = [outcome for outcome in outcomes if not isinstance(outcome, Rejected)]
        rejected = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
        typed = [{"type": "track", **track} for track in tracks]
        fitting = [track for track in typed if size_of(track) <= 32_768]
        assert [item for body in bodies for item in body["batch"]] == fitting
        for body in bodies:
            assert list(body) == ["batch"]
            assert 0 < len(body["batch"]) <= 2_500
            assert size_of(body) <= 500_000
        oversized = [at for at, track in enumerate(typed) if size_of(track) > 32_768]
        assert [one.position for one in rejected] == oversized
        for one in rejected:
            assert one.error.code == "event_too_large"
            assert one.position is not None
            assert one.payload is tracks[one.position]
        for before, after in pairwise(bodies):  # no body is cut short without need
            joined = {"batch": [*before["batch"], after["batch"][0]]}
            assert len(joined["batch"]) > 2_500 or size_of(joined) > 500_000

    @given(st.lists(SIZES, max_size=25), st.sampled_from("aé🙂"))
    @example([32_768], "a")
    @example([32_769], "a")
    @example([25_000] * 20, "🙂")
    def test_bodies_keep_the_limits_of_size(self, sizes: list[int], character: str) -> None:
        self.check([self.track_of(size, number, character) for number, size in enumerate(sizes)])

    @pytest.mark.parametrize("last", [499_999, 500_000, 500_001])
    def test_a_body_may_have_exactly_the_limit(self, last: int) -> None:
        tracks = [self.track_of(32_000, number, "a") for number in range(15)]
        left = last - size_of({"batch": [*tracks, {}]}) + 2
        tracks.append(self.track_of(left, 15, "a"))
        assert size_of({"batch": tracks}) == last

        self.check(tracks)

        assert len(list(to_segment_batches(tracks))) == (1 if last <= 500_000 else 2)

    @pytest.mark.parametrize("count", [0, 1, 2_500, 2_501, 5_001])
    def test_bodies_keep_the_limit_of_number(self, count: int) -> None:
        self.check([{"userId": str(number), "event": "a"} for number in range(count)])

    @given(st.lists(statsig_events() | config_changes(), max_size=4), st.sampled_from(("documented", "deliverable")))
    def test_each_item_gets_a_type(self, payloads: list[JsonObject], profile: str) -> None:
        outcomes = export_many(payloads, IntegrationConfig(outbound=OutboundConfig(profile=profile)))
        tracks = [outcome for outcome in outcomes if is_object(outcome)]

        items = [item for body in to_segment_batches(tracks) if is_object(body) for item in body["batch"]]

        assert [item["type"] for item in items] == ["track"] * len(tracks)
        assert items == [{"type": "track", **track} for track in tracks]

    @given(st.lists(config_changes(), min_size=1, max_size=2))
    def test_bodies_share_nothing_with_the_tracks(self, payloads: list[JsonObject]) -> None:
        tracks: list[Any] = [outcome for outcome in export_many(payloads) if is_object(outcome)]
        before = canonical(tracks)

        for body in to_segment_batches(tracks):
            empty(body)

        assert canonical(tracks) == before
