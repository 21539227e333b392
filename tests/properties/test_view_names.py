"""Properties of the parts of page and screen names (US-6): numbers, blanks, and names that stand in the properties."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.values import JsonObject

from statsig_segment import (
    EventNaming,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Skipped,
    StatsigEvent,
    translate,
)
from statsig_segment.testing import json_values

NAN = float("nan")


def translated(call: JsonObject, *, from_properties: bool = False) -> StatsigEvent:
    naming = EventNaming(from_properties=from_properties)
    event = translate(call, IntegrationConfig(inbound=InboundConfig(naming=naming)))
    assert isinstance(event, StatsigEvent)
    return event


def issues_of(event: StatsigEvent) -> set[tuple[str, str]]:
    """The issues of US-6."""
    codes = {"name_invalid", "name_in_properties"}
    return {(issue.code, issue.path) for issue in event.issues if issue.code in codes}


def counts(value: Any) -> bool:
    """The oracle of what counts as a part of a name."""
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_invalid(value: Any) -> bool:
    return not (value is ... or value is None or isinstance(value, str) or counts(value))


def says(text: str, value: Any) -> bool:
    """Whether a part of a name says a value: the text itself, or a number as JavaScript may print it."""
    if isinstance(value, str):
        return text == value
    return float(Decimal(text)) == float(value)


PARTS = st.one_of(
    st.just(...),
    st.sampled_from((None, "", " ", "\t\n", "Home", " Home ", "404", 404, 1.5, 1e21, -0.0, True, [], {}, NAN)),
    st.text(min_size=1, max_size=5),
    st.integers(-(10**6), 10**6),
    st.floats(-1e6, 1e6),
    json_values(max_leaves=2),
)


def held(**parts: Any) -> JsonObject:
    return {key: value for key, value in parts.items() if value is not ...}


class TestUS6PartsOfNames:
    """
    `name` and `category` count when they are a string that is not blank, or a number, as JavaScript prints it
    (Segment's Facade does so) [seen]; blank is missing; anything else is missing with `name_invalid`. A page or screen
    without a name whose `properties.name` would count gives an issue `name_in_properties`; with
    `EventNaming(from_properties=True)` both parts are taken from `properties` where the top level has none. [policy]

    Corners: blank is white space only; NaN and infinities are `name_invalid`; a name that counts is inserted verbatim,
    padding too. `name_in_properties` stands at `$.properties.name`, also beside `name_invalid`, and not under
    `from_properties=True`; a property that does not count there is missing without an issue.
    """

    NAMING = EventNaming(prefix="", page="{name}", page_unnamed="")

    @given(st.sampled_from(("page", "screen")), PARTS, PARTS)
    @example("page", 404, ...)
    @example("page", " ", "\n")
    @example("screen", NAN, True)
    def test_strings_and_numbers_count(self, kind: str, name: Any, category: Any) -> None:
        event = translated({"type": kind, "userId": "u1", **held(name=name, category=category)})

        parts = [part for part in (category, name) if counts(part)]
        words = event.event_name.removeprefix("segment::")
        if not parts:
            assert words == f"Loaded a {kind.title()}"
        else:
            inner = words.removeprefix("Viewed ").removesuffix(f" {kind.title()}")
            texts = [event.metadata[key] for key in ("category", "name") if key in event.metadata]
            assert inner == " ".join(texts)
            assert len(texts) == len(parts)
            assert all(says(text, part) for text, part in zip(texts, parts, strict=True))
        assert issues_of(event) == {
            ("name_invalid", f"$.{key}") for key, part in (("name", name), ("category", category)) if is_invalid(part)
        }

    @given(st.sampled_from(("page", "screen")), PARTS, PARTS, st.booleans())
    @example("page", ..., "Pricing", False)
    @example("page", True, "Pricing", False)
    @example("page", True, "Pricing", True)
    @example("page", ..., True, True)
    def test_a_name_in_the_properties_is_noticed_or_taken(
        self, kind: str, top: Any, inner: Any, from_properties: bool
    ) -> None:
        call = {"type": kind, "userId": "u1", **held(name=top), "properties": held(name=inner)}

        event = translated(call, from_properties=from_properties)

        expected = {("name_invalid", "$.name")} if is_invalid(top) else set[Any]()
        if counts(inner) and not counts(top) and not from_properties:
            expected.add(("name_in_properties", "$.properties.name"))
        assert issues_of(event) == expected
        taken = top if counts(top) else inner if from_properties and counts(inner) else ...
        words = event.event_name.removeprefix("segment::")
        assert (words == f"Loaded a {kind.title()}") == (taken is ...)
        if taken is not ...:
            assert says(words.removeprefix("Viewed ").removesuffix(f" {kind.title()}"), taken)

    @given(PARTS, PARTS)
    def test_each_part_is_taken_on_its_own(self, top: Any, inner: Any) -> None:
        call = {
            "type": "page",
            "userId": "u1",
            "name": "Home",
            **held(category=top),
            "properties": {"name": "Start", **held(category=inner)},
        }

        event = translated(call, from_properties=True)

        taken = top if counts(top) else inner if counts(inner) else ...
        words = event.event_name.removeprefix("segment::Viewed ")
        assert words.endswith("Home Page")
        assert (words == "Home Page") == (taken is ...)

    @given(PARTS.filter(counts))
    def test_filters_see_the_same_name(self, inner: Any) -> None:
        call = {"type": "page", "userId": "u1", "properties": {"name": inner}}
        name = translated(call, from_properties=True).event_name.removeprefix("segment::")
        config = InboundConfig(naming=EventNaming(from_properties=True), filters=InboundFilter(exclude=[name]))

        outcome = translate(call, IntegrationConfig(inbound=config))

        assert isinstance(outcome, Skipped)
        assert outcome.reason == "filtered"

    @given(st.sampled_from(("track", "group")), PARTS)
    def test_other_calls_have_no_parts(self, kind: str, inner: Any) -> None:
        call = {"type": kind, "event": "a", "userId": "u1", "properties": held(name=inner), "traits": held(name=inner)}

        assert issues_of(translated(call)) == set()
