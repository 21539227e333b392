"""Properties of the join of exposures and events (JO-1 to JO-3): one class for each rule, the rule quoted."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject

from statsig_segment import IdMapping, InboundConfig, IntegrationConfig, StatsigEvent, translate_many
from statsig_segment.insight.join import ExperimentJoin, join
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.testing import segment_calls, statsig_events

IDS = ("u-1", "U-1", "u 1", "u-2", "c-1", "undefined")
FIELDS = ("userId", "anonymousId", "groupId", "shopId")
TYPES = ("userID", "companyID", "stableID")
NAMES = ("name", "config", "gate", "gateName", "configName")
ROWS = st.lists(st.sampled_from([IdMapping(field="groupId", id_type="companyID")]), max_size=1)
CONFIGS = ROWS.map(lambda rows: IntegrationConfig(inbound=InboundConfig(id_mappings=rows)))


@st.composite
def calls(draw: st.DrawFn) -> JsonObject:
    """Draw a call that has some of the IDs, at the top level, in a pair, or in the context."""
    call = draw(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(IDS)))
    context = draw(st.fixed_dictionaries({}, optional={"groupId": st.sampled_from(IDS)}))
    pairs = draw(st.dictionaries(st.sampled_from(TYPES[1:]), st.sampled_from(IDS), max_size=1))
    array = [text for pair in pairs.items() for text in pair]
    kind = draw(st.sampled_from(("track", "page", "identify")))
    return call | {"type": kind, "event": "e", "context": context, "properties": {"statsigCustomIDs": array}}


@st.composite
def exposures(draw: st.DrawFn) -> JsonObject:
    """Draw an exposure of one of the IDs under one of the ID types."""
    kind = draw(st.sampled_from(TYPES))
    unit = draw(st.sampled_from(IDS))
    user: JsonObject = {"userID": unit} if kind == "userID" else {"customIDs": {kind: unit}}
    event: JsonObject = {"eventName": "statsig::experiment_exposure", "user": user, "metadata": {"name": "pricing"}}
    return event | draw(st.fixed_dictionaries({}, optional={"unitID": st.just(kind)}))


def total(found: ExperimentJoin) -> int:
    """Add up what became of the units."""
    parts = (found.placeholders, found.joined, *found.elsewhere.values(), found.spelled, found.absent)
    return sum(parts)


class TestJO1WhatBecomesOfEachUnit:
    """
    `exposures` are exposure events, webhook or warehouse (OU-1, OU-10). For each experiment or gate (by `metadata`
    `name`, `config`, `gate`, `gateName`, `configName`, the first that is there) and unit type: `exposed` units
    (distinct), how many are placeholders (ID-8), `joined` (an event under `config` carries that ID under that type),
    and of those that are not: `elsewhere` (the ID stands in the calls under another ID type or at a path of CO-3's
    table or in the top level: which, and how many), `spelled` (there but for letter case or white space), `absent`.
    The sums add up; an ID counts once, in this order.

    Corner: the unit type of an exposure event is its `unitID` where it has one, else `userID` where there is a user ID,
    else its only custom ID; otherwise it is counted as `absent` under the unit type `None`.
    """

    @given(st.lists(calls(), max_size=4), st.lists(exposures(), max_size=4), CONFIGS)
    def test_the_sums_add_up_to_the_distinct_units(
        self, some: list[JsonObject], exposed: list[JsonObject], config: IntegrationConfig
    ) -> None:
        units = {(kind, unit) for each in exposed for kind, unit in [unit_of(each)]}

        found = join(some, exposed, config).experiments

        assert all(total(each) == each.exposed for each in found)
        assert sum(each.exposed for each in found) == len(units)

    @given(st.lists(calls(), max_size=4), st.lists(exposures(), max_size=4), CONFIGS)
    def test_a_unit_is_joined_where_an_event_has_its_id_under_its_type(
        self, some: list[JsonObject], exposed: list[JsonObject], config: IntegrationConfig
    ) -> None:
        events = [each for each in translate_many(some, config) if isinstance(each, StatsigEvent)]
        carried = {("userID", each.user.user_id) for each in events}
        carried |= {pair for each in events for pair in each.user.custom_ids.items()}

        found = {each.unit_type: each for each in join(some, exposed, config).experiments}

        for kind, counts in found.items():
            units = {unit for each in exposed for own, unit in [unit_of(each)] if own == kind}
            real = {unit for unit in units if not is_placeholder(unit)}
            assert counts.placeholders == len(units - real)
            assert counts.joined == sum((kind, unit) in carried for unit in real)

    @pytest.mark.parametrize("key", NAMES)
    def test_the_metadata_names_the_experiment(self, key: str) -> None:
        later = dict.fromkeys(NAMES[NAMES.index(key) + 1 :], "another")
        exposure = {"eventName": "statsig::gate_exposure", "userID": "u-1", "metadata": {**later, key: "pricing"}}

        assert [each.name for each in join([], [exposure]).experiments] == ["pricing"]

    @pytest.mark.parametrize(
        ("fields", "unit_type", "elsewhere"),
        [
            ({"unitID": "USERID", "userID": "u-1"}, "userID", {}),
            ({"userID": "u-1", "user": {"customIDs": {"companyID": "c-1"}}}, "userID", {}),
            ({"user": {"customIDs": {"companyID": "c-1"}}}, "companyID", {"$.context.groupId": 1}),
            ({"unitID": "stableID", "statsigMetadata": {"stableID": "s-1"}}, "stableID", {"$.shopId": 1}),
        ],
    )
    def test_the_unit_type_is_told_by_the_exposure(
        self, fields: JsonObject, unit_type: str, elsewhere: dict[str, int]
    ) -> None:
        call = {"type": "track", "event": "e", "userId": "u-1", "shopId": "s-1", "context": {"groupId": "c-1"}}

        (found,) = join([call], [{"eventName": "statsig::layer_exposure", **fields}]).experiments

        assert (found.unit_type, found.elsewhere) == (unit_type, elsewhere)
        assert found.joined == (not elsewhere)

    def test_an_id_in_place_of_the_unit_type_is_no_unit_type(self) -> None:
        exposure = {"eventName": "statsig::gate_exposure", "unitID": "u-1", "userID": "u-1"}

        assert [each.unit_type for each in join([], [exposure]).experiments] == ["userID"]

    def test_exposures_that_tell_no_unit_are_absent(self) -> None:
        many: JsonObject = {"customIDs": {"companyID": "c-1", "teamID": "t-1"}}

        (found,) = join([], [{"eventName": "statsig::gate_exposure", "user": many}] * 3).experiments

        assert (found.unit_type, found.exposed, found.absent) == (None, 3, 3)

    def test_letter_case_and_white_space_are_told(self) -> None:
        call = {"type": "track", "event": "e", "userId": "U-1 "}
        exposed = [{"eventName": "statsig::gate_exposure", "userID": unit} for unit in ("u-1", "U-1 ")]

        (found,) = join([call], exposed).experiments

        assert (found.joined, found.spelled, found.absent) == (1, 1, 0)

    def test_a_row_of_the_exposures_table_counts(self) -> None:
        row = {"exposure_type": "experiment", "unit_id": "u-1", "unit_type": "user_id", "name": "pricing"}
        call = {"type": "track", "event": "e", "userId": "u-1"}

        assert [(each.name, each.joined) for each in join([call], [row]).experiments] == [("pricing", 1)]

    @given(st.lists(segment_calls(malformed=True), max_size=2), st.lists(statsig_events(malformed=True), max_size=2))
    def test_anything_at_all_is_joined(self, some: list[Any], exposed: list[Any]) -> None:
        assert all(total(each) == each.exposed for each in join(some, exposed).experiments)

    @given(hostile_values(), exposures())
    def test_hostile_values_are_passed_over(self, odd: Any, exposure: JsonObject) -> None:
        found = join([odd, {"type": "track", "event": "e", "userId": odd}], [odd, exposure])

        assert [total(each) for each in found.experiments] == [1]

    def test_a_number_too_long_to_be_an_id_is_none(self) -> None:
        call = {"type": "track", "event": "e", "userId": "u-1", "groupId": 10**5_000}
        exposed = [{"eventName": "statsig::gate_exposure", "userID": unit} for unit in ("u-1", 10**5_000)]

        found = join([call], exposed).experiments

        assert [(each.unit_type, each.exposed) for each in found] == [("userID", 1)]

    @pytest.mark.parametrize(
        ("unit", "text", "spelled"), [("U\x00 x", "u\x00X", 1), ("u-1", "a\x00u-1", 0), ("a", "a\x00u-1", 0)]
    )
    def test_a_spelling_is_that_of_the_whole_id(self, unit: str, text: str, spelled: int) -> None:
        call = {"type": "track", "event": "e", "userId": "u-2", "shopId": text}

        [found] = join([call], [{"eventName": "statsig::gate_exposure", "userID": unit}]).experiments

        assert (found.spelled, found.absent) == (spelled, 1 - spelled)


def unit_of(exposure: JsonObject) -> tuple[str, str]:
    """Give the unit type and ID of an exposure that `exposures` drew."""
    user = exposure["user"]
    if "userID" in user:
        return "userID", user["userID"]
    ((kind, unit),) = user["customIDs"].items()
    return kind, unit


class TestJO2Advice:
    """
    `advice`: for each unit type the mapping row that would join most of the units that are not, measured; none where
    none would.
    """

    @given(st.lists(calls(), max_size=5), st.lists(exposures(), max_size=5), CONFIGS)
    @example(
        [{"type": "track", "event": "e", "anonymousId": "u-1"}],
        [{"eventName": "statsig::gate_exposure", "userID": "u-1"}],
        IntegrationConfig(),
    )
    def test_the_row_joins_as_many_units_as_it_says(
        self, some: list[JsonObject], exposed: list[JsonObject], config: IntegrationConfig
    ) -> None:
        before = {each.unit_type: each.joined for each in join(some, exposed, config).experiments}

        for advice in join(some, exposed, config).advice:
            rows = (*config.inbound.id_mappings, advice.mapping)
            inbound = attrs.evolve(config.inbound, id_mappings=rows)
            after = {
                each.unit_type: each.joined
                for each in join(some, exposed, IntegrationConfig(inbound=inbound)).experiments
            }
            assert after[advice.unit_type] - before[advice.unit_type] == advice.would_join > 0

    def test_there_is_none_where_no_row_would_join(self) -> None:
        call = {"type": "track", "event": "e", "userId": "u-1"}

        assert join([call], [{"eventName": "statsig::gate_exposure", "userID": "u-2"}]).advice == ()


class TestJO3NoIdStandsInIt:
    """
    No ID stands in it. Memory grows with the number of distinct units and IDs, and with nothing else; it is said so.
    """

    @given(st.lists(calls(), max_size=4), st.lists(exposures(), max_size=4))
    def test_no_id_stands_in_it(self, some: list[JsonObject], exposed: list[JsonObject]) -> None:
        shown = repr(join(some, exposed))

        assert not any(unit in shown for unit in IDS)
