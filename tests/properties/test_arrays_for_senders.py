"""Properties of the arrays that senders make (ID-10): what is written is what is read."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_array
from tests.support.values import canonical as plain

from statsig_segment import (
    ConfigError,
    custom_ids_property,
    custom_property,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
)
from statsig_segment.testing import identifiers, json_values

NAMES = st.sampled_from(("companyID", "a b.c", "équipe")) | st.text(min_size=1, max_size=6).filter(
    lambda name: name.lower() != "userid"  # which is not a custom ID when it is read (ID-9)
)
IDS = st.dictionaries(NAMES, identifiers(numbers=False) | st.text(min_size=1, max_size=6), max_size=4)
ATTRIBUTES = st.dictionaries(
    st.text(min_size=1, max_size=6),
    st.one_of(
        st.text(max_size=6),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.lists(st.text(max_size=3), max_size=3),
    ),
    max_size=4,
)


def track(**properties: Any) -> JsonObject:
    return {"type": "track", "event": "Signed Up", "userId": "u1", "properties": properties}


class TestID10Arrays:
    """
    `custom_ids_property(ids)` makes the array of ID-2 from a mapping of ID type to ID, for those who send, and
    `custom_property(custom)` that of US-1: reading the array back gives the same mapping. Names are non-empty strings;
    IDs non-empty strings; attributes what US-1 keeps (strings, booleans, finite numbers, lists of strings). Anything
    else is a `ConfigError`.
    """

    @given(IDS)
    @example({})
    def test_ids_are_read_as_they_were_written(self, ids: dict[str, str]) -> None:
        array = custom_ids_property(ids)

        event = parse_segment_event(track(statsigCustomIDs=array))

        assert event.custom_ids == ids
        assert {issue.code for issue in event.issues} <= {"id_placeholder"}

    @given(IDS)
    def test_the_array_is_plain_json_in_the_order_of_the_mapping(self, ids: dict[str, str]) -> None:
        array = custom_ids_property(MappingProxyType(ids))

        assert type(array) is list
        assert json.loads(json.dumps(array)) == array == [item for pair in ids.items() for item in pair]

    @given(ATTRIBUTES)
    @example({})
    @example({"n": -0.0, "l": [], "e": "", "f": False})
    def test_attributes_are_read_as_they_were_written(self, custom: JsonObject) -> None:
        event = to_statsig_event(parse_segment_event(track(statsigCustom=custom_property(custom))))

        sent: Any = to_log_event(event)
        assert plain(sent["user"].get("custom", {})) == plain(custom)
        assert event.issues == ()

    @given(ATTRIBUTES)
    def test_changing_the_array_changes_nothing_else(self, custom: JsonObject) -> None:
        before = plain(custom)
        first, second = custom_property(custom), custom_property(custom)
        written = plain(second)

        for item in first:
            if is_array(item):
                item.append("changed")
        first.clear()

        assert (plain(custom), plain(second)) == (before, written)

    @given(IDS, st.one_of(json_values(max_leaves=2), hostile_values()).filter(lambda value: not isinstance(value, str)))
    @example({}, 7)
    @example({"a": "b"}, True)
    @example({}, None)
    def test_an_id_that_is_not_text_is_refused(self, ids: dict[str, Any], value: Any) -> None:
        with pytest.raises(ConfigError):
            custom_ids_property({**ids, "companyID": value})

    @given(st.sampled_from(({"": "c1"}, {"companyID": ""}, {7: "c1"}, {None: "c1"}, {("a",): "c1"})))
    def test_empty_text_and_names_of_other_kinds_are_refused(self, ids: Any) -> None:
        with pytest.raises(ConfigError):
            custom_ids_property(ids)
        with pytest.raises(ConfigError):
            custom_property({key: value for key, value in ids.items() if value} or {"": "x"})

    @given(
        ATTRIBUTES,
        st.sampled_from((None, {}, {"a": 1}, [1], ["a", None], [["a"]], float("nan"), float("inf"), b"x", object())),
    )
    def test_an_attribute_that_reading_would_change_is_refused(self, custom: JsonObject, value: Any) -> None:
        with pytest.raises(ConfigError):
            custom_property({**custom, "plan": value})

    @given(st.sampled_from((None, "companyID", ["companyID", "c1"], 7, {"companyID"})))
    def test_only_a_mapping_is_one(self, value: Any) -> None:
        for make in (custom_ids_property, custom_property):
            with pytest.raises(ConfigError):
                make(value)

    @given(st.text(min_size=1))
    def test_no_error_holds_an_id(self, text: str) -> None:
        secret = f"canary-{text}"

        with pytest.raises(ConfigError) as caught:
            custom_ids_property({"companyID": [secret]})  # type: ignore[dict-item] # what is not text is the point

        assert "canary" not in str(caught.value) + repr(caught.value)
