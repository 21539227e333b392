"""Properties of what a configuration asks for: several values, attributes, more metadata (US-8, US-10, US-11)."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import found
from tests.support.calls import user_track as track
from tests.support.values import JsonObject, is_finite
from tests.support.values import canonical as plain

from statsig_segment import InboundConfig, IntegrationConfig, StatsigEvent, explain, to_log_event, translate
from statsig_segment.testing import json_values

NAN = float("nan")


def translated(call: JsonObject, **inbound: Any) -> StatsigEvent:
    event = translate(call, IntegrationConfig(inbound=InboundConfig(**inbound)))
    assert isinstance(event, StatsigEvent)
    return event


VALUES = st.one_of(
    json_values(max_leaves=3),
    st.text(max_size=4),
    st.lists(st.text(max_size=3), max_size=2),
    st.sampled_from((None, True, 0, "", [], {}, NAN, float("inf"), 1e21, [1])),
)
KEYS = ("revenue", "total", "a.b", "value")


class TestUS8SeveralValues:
    """
    `InboundConfig.value_property` names another property, or none, or several, of which the first usable one counts: a
    string or a finite number, not a boolean.

    Corners: empty text is usable; an empty list is none.
    """

    @given(st.dictionaries(st.sampled_from(KEYS), VALUES), st.lists(st.sampled_from(KEYS), max_size=4, unique=True))
    @example({"revenue": True, "total": "", "value": 1}, ["revenue", "total", "value"])
    @example({"revenue": NAN, "total": 0}, ["revenue", "total"])
    @example({"value": 1}, [])
    def test_the_first_usable_property_counts(self, properties: JsonObject, names: list[str]) -> None:
        usable = [
            properties[name]
            for name in names
            if isinstance(properties.get(name), str | int | float)
            and not isinstance(properties[name], bool)
            and is_finite(properties[name])
        ]

        sent: Any = to_log_event(translated(track(properties=properties), value_property=names))

        assert plain(sent.get("value")) == plain(usable[0] if usable else None)

    @given(st.dictionaries(st.sampled_from(KEYS), VALUES), st.sampled_from(KEYS))
    def test_a_list_of_one_is_that_one(self, properties: JsonObject, name: str) -> None:
        call = track(properties=properties)

        assert repr(translated(call, value_property=[name])) == repr(translated(call, value_property=name))

    @given(st.dictionaries(st.sampled_from(KEYS), VALUES))
    def test_an_empty_list_is_none(self, properties: JsonObject) -> None:
        call = track(properties=properties)

        assert repr(translated(call, value_property=[])) == repr(translated(call, value_property=None))


PATH = "context.traits.plan"


class TestUS10CustomFields:
    """
    `InboundConfig.custom_fields` is a table of key -> path (ID-4's syntax) that adds to `user.custom`; values as in
    US-1; `statsigCustom` wins. Default: none. [policy]

    Corners: absent and null are nothing, without an issue; a key that is taken is not read, without an issue.
    """

    @given(VALUES | st.just(...))
    def test_a_field_is_read_as_a_pair_would_be(self, value: Any) -> None:
        traits = {} if value is ... else {"plan": value}
        nothing = value is ... or value is None
        pair = translated(track(properties={"statsigCustom": [] if nothing else ["plan", value]}))

        event = translated(track(context={"traits": traits}), custom_fields={"plan": PATH})

        assert repr(event.user.custom) == repr(pair.user.custom)
        assert found(event) == {(code, f"$.{PATH}") for code, _ in found(pair)}

    @given(VALUES, st.sampled_from(("gold", False, 0, ["a"], "")))
    def test_the_event_itself_wins_and_the_field_is_not_read(self, value: Any, own: Any) -> None:
        call = track(context={"traits": {"plan": value}}, properties={"statsigCustom": ["plan", own]})

        event = translated(call, custom_fields={"plan": PATH})

        assert plain(to_log_event(event)["user"].get("custom")) == plain({"plan": own})
        assert event.issues == ()

    @given(
        st.dictionaries(st.sampled_from(("plan", "seats", "a.b")), st.sampled_from((PATH, "shopId", "context.none")))
    )
    def test_each_key_has_its_field(self, table: dict[str, str]) -> None:
        call = track(context={"traits": {"plan": "gold"}}, shopId=7)
        values = {PATH: "gold", "shopId": 7}

        event = translated(call, custom_fields=table)

        assert event.user.custom == {key: values[path] for key, path in table.items() if path in values}

    @given(VALUES)
    def test_by_default_nothing_is_added(self, value: Any) -> None:
        call = track(context={"traits": {"plan": value}}, traits={"plan": value})

        assert translated(call).user.custom == {}

    def test_each_is_explained_by_its_path(self) -> None:
        config = IntegrationConfig(inbound=InboundConfig(custom_fields={"plan": PATH}))

        rows = explain(track(context={"traits": {"plan": "gold"}}), config).rows

        assert ("$.user.custom.plan", "gold", f"$.{PATH}", "US-10") in [
            (row.target, row.value, row.source, row.rule) for row in rows
        ]


class TestUS11MetadataFields:
    """
    `InboundConfig.metadata_fields` is a table of key -> path (ID-4's syntax) that adds to `metadata` where it has no
    such key; values as in US-7. Default: none: `context` stays where it is unless asked for. [policy]

    Corners: absent and null are nothing, without an issue; a key that is taken is not read, without an issue; what is
    written decides, so a property of null leaves room; an object under `flatten` gives `key_…` entries.
    """

    SOURCE = "context.page.path"

    @given(VALUES | st.just(...), st.sampled_from(("json", "flatten")))
    @example({"a": {"b": 1}, "c": [2]}, "flatten")
    @example({"a": NAN}, "flatten")
    def test_a_field_is_written_as_a_property_would_be(self, value: Any, nested: str) -> None:
        held = {} if value is ... else {"x": value}
        own = translated(track(properties=held), nested=nested)
        page = {} if value is ... else {"path": value}

        event = translated(track(context={"page": page}), nested=nested, metadata_fields={"x": self.SOURCE})

        assert dict(event.metadata) == dict(own.metadata)
        moved = {(code, path.replace("$.properties.x", f"$.{self.SOURCE}")) for code, path in found(own)}
        assert {pair for pair in found(event) if pair[0] != "metadata_key_dot"} == {
            pair for pair in moved if pair[0] != "metadata_key_dot"
        }

    @given(VALUES, VALUES)
    def test_what_is_written_stays(self, own: Any, value: Any) -> None:
        call = track(properties={"x": own}, context={"page": {"path": value}})
        bare = translated(track(properties={"x": own}))

        event = translated(call, metadata_fields={"x": self.SOURCE})

        if "x" in bare.metadata:
            assert event.metadata == bare.metadata
            assert found(event) == found(bare)
        else:
            alone = translated(track(context={"page": {"path": value}}), metadata_fields={"x": self.SOURCE})
            assert event.metadata == alone.metadata

    @given(VALUES)
    def test_by_default_the_context_stays_where_it_is(self, value: Any) -> None:
        event = translated(track(context={"page": {"path": value}, "campaign": value}))

        assert (event.metadata, event.issues) == ({}, ())

    @given(st.sampled_from(("name", "category")), st.text(min_size=1).filter(str.strip))
    def test_the_name_of_a_page_takes_its_key(self, field: str, text: str) -> None:
        call = {"type": "page", "userId": "u1", field: text, "context": {"page": {"path": "/"}}}

        assert translated(call, metadata_fields={field: self.SOURCE}).metadata == {field: text}

    def test_each_is_explained_by_its_path(self) -> None:
        config = IntegrationConfig(inbound=InboundConfig(metadata_fields={"path": self.SOURCE}, nested="flatten"))

        rows = explain(track(context={"page": {"path": {"a": 1}}}), config).rows

        assert ("$.metadata.path_a", "1", f"$.{self.SOURCE}.a", "US-11") in [
            (row.target, row.value, row.source, row.rule) for row in rows
        ]
