"""Properties of what is not sent (FL-1 to FL-6): one class for each rule, the rule quoted.

The letter case of FL-4 and the loop guard of the way back, FL-7, are in test_loop_guards.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.oracles import goes_on, is_disabled
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_object

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    ConfigError,
    EventNaming,
    ExportedEvent,
    FieldFilter,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundFilter,
    Rejected,
    Skipped,
    StatsigEvent,
    apply_filters,
    apply_id_mappings,
    export_many,
    parse_segment_event,
    parse_statsig_event,
    translate,
    translate_many,
)
from statsig_segment._json.javascript import scalar_text
from statsig_segment.testing import CALL_TYPES, integration_configs, json_values, segment_calls, statsig_events

NAMES = ("Signed Up", "signed up", "segment::Signed Up", "Viewed Docs Page", "Loaded a Screen", "group", "")
NAME_LISTS = st.lists(st.sampled_from(NAMES), max_size=3)
CALLS = st.sampled_from(
    (
        {"type": "track", "event": "Signed Up"},
        {"type": "track", "event": "signed up"},
        {"type": "track", "event": "segment::Signed Up"},
        {"type": "track", "event": "group"},
        {"type": "page", "category": "Docs"},
        {"type": "screen"},
        {"type": "group", "groupId": "g1"},
        {"type": "identify"},
    )
)
PLAIN_NAMES = {"page": "Viewed Docs Page", "screen": "Loaded a Screen", "group": "group"}
MAPPINGS = st.lists(
    st.builds(IdMapping, field=st.sampled_from(("anonymousId", "userId", "shopId")), id_type=st.sampled_from("abc")),
    max_size=3,
)


FILTERS = st.builds(
    InboundFilter,
    include=st.none() | NAME_LISTS,
    exclude=NAME_LISTS,
    types=st.none() | st.lists(st.sampled_from(CALL_TYPES), unique=True),
)


class TestFL1InboundFilter:
    """
    `InboundFilter` chooses by event name **without** the prefix, exact and case-sensitive, as the console's list does
    [seen]. Default: everything passes. `include=[…]`: only those ("all others will not be logged" [doc]; an empty list
    means none). `exclude=[…]`: all but those. Both: included and not excluded. `types=[…]` narrows to call types.
    `drop_where=[{field, matches}]`: a call whose `field` (a path of ID-4) holds text, a number or a boolean that one of
    the patterns in `matches` fits is filtered. A pattern is matched against the whole JSON-like text of the value
    (`true`, `12`), case-sensitively; `*` stands for any characters, `?` for one, nothing else is special, and matching
    is linear.

    Corners: an identify has no name: only `types` and `drop_where` can filter it. An object, an array, null, nothing, a
    number that is not finite: no row fits. A row's patterns are one or more non-empty strings. A number is matched as
    US-7 prints it.
    """

    @given(CALLS, FILTERS)
    @example({"type": "identify"}, InboundFilter(include=[]))
    @example({"type": "track", "event": "Signed Up"}, InboundFilter(include=[]))
    @example({"type": "track", "event": "Signed Up"}, InboundFilter(include=["Signed Up"], exclude=["Signed Up"]))
    @example({"type": "track", "event": "Signed Up"}, InboundFilter(types=[]))
    @example({"type": "track", "event": "Signed Up"}, InboundFilter(include=["segment::Signed Up"]))
    def test_calls_pass_as_the_rule_says(self, call: JsonObject, filters: InboundFilter) -> None:
        event = parse_segment_event(call)
        name = call.get("event", PLAIN_NAMES.get(call["type"]))
        passes = filters.types is None or call["type"] in filters.types
        if passes and name is not None:
            passes = (filters.include is None or name in filters.include) and name not in filters.exclude

        assert apply_filters(event, filters) is (event if passes else None)

    @given(segment_calls())
    def test_by_default_everything_passes(self, call: JsonObject) -> None:
        event = parse_segment_event(call)

        assert apply_filters(event, InboundFilter()) is event

    @given(CALLS, FILTERS, st.sampled_from(("", "web/", "segment::")))
    def test_the_prefix_is_not_looked_at(self, call: JsonObject, filters: InboundFilter, prefix: str) -> None:
        event = parse_segment_event(call)

        assert apply_filters(event, filters, naming=EventNaming(prefix=prefix)) == apply_filters(event, filters)

    @given(st.sampled_from(("segment_page:Docs", "Viewed Docs Page")))
    def test_page_names_are_those_that_the_naming_gives(self, name: str) -> None:
        event = parse_segment_event({"type": "page", "name": "Docs"})
        filters = InboundFilter(include=[name])

        assert (apply_filters(event, filters) is None) == (name != "Viewed Docs Page")
        assert (apply_filters(event, filters, naming=EventNaming.segment_2021()) is None) == (
            name != "segment_page:Docs"
        )

    @given(CALLS, FILTERS)
    def test_translate_skips_what_is_filtered(self, call: JsonObject, filters: InboundFilter) -> None:
        config = IntegrationConfig(inbound=InboundConfig(filters=filters))
        call = {**call, "userId": "u1"}

        outcome = translate(call, config)

        filtered = isinstance(outcome, Skipped) and outcome.reason == "filtered"
        assert filtered == (apply_filters(parse_segment_event(call), filters) is None)

    @given(
        st.text("ab*?[]\n", min_size=1, max_size=6) | st.text(min_size=1, max_size=6),
        st.text("ab*?[]\n", max_size=8) | st.text(max_size=8) | st.booleans() | st.integers() | st.floats(),
    )
    @example("?*a", "\na")
    @example("[ab]", "a")
    @example("1e+21", 1e21)
    @example("nan", float("nan"))
    @example("*", 10**5000)
    def test_a_pattern_fits_the_whole_text_of_a_value(self, pattern: str, value: Any) -> None:
        text = printed(value)

        assert FieldFilter(field="a", matches=[pattern]).fits(value) == (text is not None and fits(pattern, text))

    @given(st.lists(st.sampled_from(("*", "a", "1*", "true")), min_size=1, max_size=3), json_values(max_leaves=3))
    def test_only_text_numbers_and_booleans_are_matched(self, matches: list[str], value: Any) -> None:
        call = parse_segment_event({"type": "track", "event": "a", "properties": {"tenant": value}})
        row = FieldFilter(field="properties.tenant", matches=matches)
        text = printed(value)

        dropped = apply_filters(call, InboundFilter(drop_where=[row])) is None

        assert dropped == (text is not None and any(fits(pattern, text) for pattern in matches))

    @given(CALLS, FILTERS, st.lists(st.sampled_from(("event", "type", "properties.a", "groupId")), max_size=2))
    def test_a_row_that_fits_filters_a_call_of_any_type(
        self, call: JsonObject, filters: InboundFilter, fields: list[str]
    ) -> None:
        event = parse_segment_event(call)
        rows = [FieldFilter(field=field, matches=["*"]) for field in fields]
        has_one = any(isinstance(call.get(field), str) for field in fields)

        left = apply_filters(event, attrs.evolve(filters, drop_where=rows))

        assert left is (None if has_one else apply_filters(event, filters))

    @pytest.mark.parametrize("matches", [[], [""], "a", [1], None, [["a"]]])
    def test_patterns_are_one_or_more_filled_texts(self, matches: Any) -> None:
        with pytest.raises(ConfigError):
            FieldFilter(field="a", matches=matches)

    @pytest.mark.parametrize("size", [10_000, 20_000])
    def test_matching_takes_steps_in_proportion_to_the_text(self, size: int) -> None:
        row = FieldFilter(field="a", matches=["*a*a*a*a*a*a*a*a*a*a*b"])

        assert not row.fits("a" * size)  # a backtracking matcher would not end


def printed(value: Any) -> str | None:
    """Print a value as the rule has it: text, a number or a boolean, else nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) > 10**4300:
        return None
    return scalar_text(value) if isinstance(value, str | int | float) else None


def fits(pattern: str, text: str) -> bool:
    """Match a pattern the plain way: by what each of its characters may stand for."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return fits(pattern[1:], text) or (bool(text) and fits(pattern, text[1:]))
    return bool(text) and pattern[0] in {"?", text[0]} and fits(pattern[1:], text[1:])


EXPOSURES = ("gate_exposure", "config_exposure", "experiment_exposure", "layer_exposure", "holdout_exposure")
STATSIG_NAMES = st.sampled_from(
    (
        *(
            f"statsig::{name}"
            for name in (*EXPOSURES, "config_change", "diagnostics", "", "gate_exposure ", "anything")
        ),
        *("checkout", "Checkout", "Statsig::gate_exposure", "segment::Signed Up", "xstatsig::diagnostics", "statsig:"),
    )
)


class TestFL2OutboundFilter:
    """
    `OutboundFilter(exposures=True, config_changes=True, include_new_events=True, events={name: bool})`: the console's
    outgoing panel [seen]. `exposures` covers `statsig::gate_exposure`, `statsig::config_exposure`,
    `statsig::experiment_exposure`, `statsig::layer_exposure`, `statsig::holdout_exposure`; `config_changes` covers
    `statsig::config_change`; any other name follows its own entry, or `include_new_events` where it has none. Statsig's
    other internal events (`statsig::diagnostics` and any other `statsig::…` not named above) never leave.
    """

    @given(
        STATSIG_NAMES,
        st.booleans(),
        st.booleans(),
        st.booleans(),
        st.dictionaries(STATSIG_NAMES, st.booleans()),
    )
    @example("statsig::diagnostics", True, True, True, {"statsig::diagnostics": True})
    @example("statsig::gate_exposure", False, True, True, {"statsig::gate_exposure": True})
    def test_events_pass_as_the_panel_says(
        self, name: str, exposures: bool, config_changes: bool, include_new: bool, events: dict[str, bool]
    ) -> None:
        filters = OutboundFilter(
            exposures=exposures, config_changes=config_changes, include_new_events=include_new, events=events
        )
        if name == "statsig::config_change":
            passes = config_changes
        elif name in {f"statsig::{exposure}" for exposure in EXPOSURES}:
            passes = exposures
        elif name.startswith("statsig::"):
            passes = False
        else:
            passes = events.get(name, include_new)

        event = parse_statsig_event({"eventName": name})

        assert apply_filters(event, filters) is (event if passes else None)
        (outcome,) = export_many([{"eventName": name, "userID": "u1"}], IntegrationConfig())
        if not apply_filters(event, OutboundFilter()):
            assert isinstance(outcome, Skipped)
            assert outcome.reason == "filtered"

    @given(statsig_events())
    def test_by_default_all_but_internal_events_pass(self, payload: JsonObject) -> None:
        event = parse_statsig_event(payload)

        internal = isinstance(event, ExportedEvent) and event.event_name == "statsig::diagnostics"
        assert apply_filters(event, OutboundFilter()) is (None if internal else event)
        assert isinstance(event, ExportedEvent | ConfigChange)


class TestFL3FilteringAndMapping:
    """
    `apply_filters(event, filters)` returns the event itself, or `None` where it is filtered. Filtering is idempotent,
    and commutes with ID mapping.
    """

    @given(segment_calls(), FILTERS)
    def test_filtering_twice_is_filtering_once(self, call: JsonObject, filters: InboundFilter) -> None:
        event = parse_segment_event(call)

        once = apply_filters(event, filters)

        assert once is event or once is None
        if once is not None:
            assert apply_filters(once, filters) is once

    @given(segment_calls(), FILTERS, MAPPINGS)
    def test_filtering_commutes_with_mapping(
        self, call: JsonObject, filters: InboundFilter, mappings: list[IdMapping]
    ) -> None:
        event = parse_segment_event(call)
        filtered = apply_filters(event, filters)

        first_filtered = None if filtered is None else apply_id_mappings(filtered, mappings)

        assert apply_filters(apply_id_mappings(event, mappings), filters) == first_filtered

    @given(statsig_events(), integration_configs())
    def test_outbound_filtering_twice_is_filtering_once(self, payload: JsonObject, config: IntegrationConfig) -> None:
        event = parse_statsig_event(payload)

        once = apply_filters(event, config.outbound.filters)

        assert once is event or once is None
        assert once is None or apply_filters(once, config.outbound.filters) is once


ODD: tuple[Any, ...] = ("false", 0, "", [], {})
NO_LIBRARIES: tuple[Any, ...] = (None, "statsig", ["statsig"], {})
ENTRIES = st.one_of(st.booleans(), st.none(), st.sampled_from(ODD), st.just({"a": 1}))


class TestFL4Integrations:
    """
    The `integrations` object decides as Segment does: an entry `Statsig` (exact case) beats `All`; `false` disables,
    `true` or an object enables; `All: false` without a `Statsig` entry disables [doc]. `All` is read in any letter
    case; of several, any `false` counts [seen]. Skipped with reason `integration_disabled`.
    `InboundConfig.honor_integrations=False` turns this off. `InboundConfig.integration_names` (default `["Statsig"]`)
    lists the names under which this destination may stand there, exact case. Of several that are there, any `false`
    disables, else they enable.

    Corners: `Statsig: null` counts as no entry; any other value but `false` enables, even `"false"` and 0; `All`
    disables only as `false`. FL-4 and FL-5 are no part of `apply_filters`. `integration_names` is not empty; `All`
    among them, in any letter case, is a `ConfigError`.
    """

    @given(
        st.sampled_from(CALL_TYPES),
        st.dictionaries(st.sampled_from(("All", "Statsig", "statsig", "all", "Mixpanel")), ENTRIES),
        st.booleans(),
    )
    @example("track", {"All": False, "Statsig": None}, True)
    @example("track", {"Statsig": 0, "All": False}, True)
    @example("track", {"All": 0}, True)
    @example("identify", {"Statsig": False, "All": True}, True)
    def test_the_integrations_object_decides(self, kind: str, integrations: JsonObject, honor: bool) -> None:
        call = {"type": kind, "event": "a", "userId": "u1", "integrations": integrations}
        disabled = is_disabled(integrations, ["Statsig"])

        outcome = translate(call, IntegrationConfig(inbound=InboundConfig(honor_integrations=honor)))

        skipped = isinstance(outcome, Skipped) and outcome.reason == "integration_disabled"
        assert skipped == (disabled and honor)
        event = parse_segment_event(call)
        assert apply_filters(event, InboundFilter()) is event

    @given(
        st.lists(st.sampled_from(("Statsig", "STATSIG", "Webhooks")), min_size=1, unique=True),
        st.dictionaries(st.sampled_from(("All", "Statsig", "STATSIG", "Webhooks", "webhooks")), ENTRIES),
    )
    @example(["Statsig", "Webhooks"], {"All": False, "Webhooks": True})
    @example(["Webhooks"], {"Statsig": False})
    def test_an_entry_under_any_of_the_names_decides(self, names: list[str], integrations: JsonObject) -> None:
        call = {"type": "track", "event": "a", "userId": "u1", "integrations": integrations}
        disabled = is_disabled(integrations, names)

        outcome = translate(call, IntegrationConfig(inbound=InboundConfig(integration_names=names)))

        assert isinstance(outcome, Skipped) == disabled

    @pytest.mark.parametrize("names", [[], ["All"], ["Statsig", "aLL"], [""], "Statsig", [1]])
    def test_names_that_cannot_be_are_refused(self, names: Any) -> None:
        with pytest.raises(ConfigError):
            InboundConfig(integration_names=names)

    @given(st.sampled_from((None, False, 0, "Statsig", ["Statsig"])))
    def test_integrations_that_are_no_object_disable_nothing(self, integrations: Any) -> None:
        outcome = translate({"type": "track", "event": "a", "userId": "u1", "integrations": integrations})

        assert isinstance(outcome, StatsigEvent)


PREFERENCES = st.dictionaries(
    st.sampled_from(("Ads", "ads", "Sales")), st.booleans() | st.sampled_from((1, "true", None))
)
CONSENTS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from((None, [], {}, "given", True, 0, ["Ads"])),
    (PREFERENCES | st.sampled_from((None, [], "Ads", ["Ads"], False))).map(lambda held: {"categoryPreferences": held}),
)


class TestFL8Consent:
    """
    Consent, as Segment enforces it for every event destination, and for S3 archives does not [doc].
    `InboundConfig.consent_categories` lists the category IDs that this destination is mapped to in Segment; default
    none: not mapped, and nothing is enforced. Where it lists some, a call of any type goes on only if each of them is
    `true` in `context.consent.categoryPreferences`; else it is skipped with reason `consent_denied`. A call without
    `context.consent`, or with it null, goes on. `categoryPreferences` that is empty, or lacks a category, denies. A
    `consent` without `categoryPreferences` goes on where `integrations` is absent or empty, and denies where it has
    entries. What is there and no object, `[]` aside, denies. A category counts as given only if it is `true` itself
    [policy]. `honor_integrations` has no part in it.
    """

    @given(
        st.sampled_from(CALL_TYPES),
        CONSENTS,
        st.sampled_from((None, {}, {"Amplitude": True}, [], "odd")),
        st.lists(st.sampled_from(("Ads", "Sales")), unique=True),
        st.booleans(),
    )
    @example("track", {}, {"Amplitude": True}, ["Ads"], False)
    @example("track", {"categoryPreferences": {"Ads": True}}, None, ["Ads"], True)
    def test_a_call_goes_on_as_the_table_has_it(
        self, kind: str, consent: Any, integrations: Any, categories: list[str], honor: bool
    ) -> None:
        call = {
            "type": kind,
            "event": "a",
            "userId": "u1",
            "context": {"consent": consent},
            "integrations": integrations,
        }
        config = InboundConfig(consent_categories=categories, honor_integrations=honor)

        outcome = translate(call, IntegrationConfig(inbound=config))

        is_denied = isinstance(outcome, Skipped) and outcome.reason == "consent_denied"
        assert is_denied == (bool(categories) and not goes_on(consent, integrations, categories))

    @given(st.sampled_from(CALL_TYPES), CONSENTS)
    def test_by_default_nothing_is_enforced(self, kind: str, consent: Any) -> None:
        call = {"type": kind, "event": "a", "userId": "u1"}

        outcome = translate({**call, "context": {"consent": consent}})

        assert not isinstance(outcome, Skipped) or outcome.reason == "identify_without_audience"

    @given(hostile_values(), st.booleans())
    @example(b"", False)
    @example(b"", True)
    def test_a_refusal_that_cannot_be_read_is_no_consent(self, odd: Any, is_inside: bool) -> None:
        consent = {"categoryPreferences": odd} if is_inside else odd
        call = {"type": "track", "event": "a", "userId": "u1", "context": {"consent": consent}}

        outcomes = list(translate_many([call], IntegrationConfig(inbound=InboundConfig(consent_categories=["Ads"]))))

        value: object = odd
        kind = type(value)
        is_empty_array = issubclass(kind, list | tuple | set | frozenset) and not odd
        may_go_on = odd is None or (not is_inside and (issubclass(kind, Mapping) or is_empty_array))
        assert may_go_on or isinstance(outcomes[0], Skipped | Rejected)


class TestFL5LoopGuard:
    """
    Loop guard: a call whose `context.library.name` is `statsig` came from Statsig's own export, and sending it back
    would count it twice: skipped with reason `statsig_origin`; `InboundConfig.allow_statsig_origin=True` lets it pass.
    [policy]
    """

    @given(
        st.sampled_from(CALL_TYPES),
        st.one_of(
            st.sampled_from(("statsig", "Statsig", "statsig ", "analytics.js", "", None)),
            json_values(max_leaves=2),
        ).map(lambda name: {"name": name})
        | st.sampled_from(NO_LIBRARIES),
        st.booleans(),
    )
    @example("track", {"name": ["statsig"]}, False)
    def test_only_the_library_of_that_name_is_turned_away(self, kind: str, library: Any, allow: bool) -> None:
        call = {"type": kind, "event": "a", "userId": "u1", "context": {"library": library}}

        outcome = translate(call, IntegrationConfig(inbound=InboundConfig(allow_statsig_origin=allow)))

        skipped = isinstance(outcome, Skipped) and outcome.reason == "statsig_origin"
        assert skipped == (is_object(library) and library.get("name") == "statsig" and not allow)

    @given(statsig_events(), integration_configs())
    def test_what_statsig_exports_does_not_come_back(self, payload: JsonObject, config: IntegrationConfig) -> None:
        (track,) = export_many([payload], config)
        if isinstance(track, Skipped | Rejected):
            return
        outcome = translate({"type": "track", "userId": "u1", **track})

        assert isinstance(outcome, Skipped)
        assert outcome.reason == "statsig_origin"


class TestFL6NothingDisappears:
    """
    Nothing disappears: every payload given to `translate_many` comes out as exactly one of `StatsigEvent`,
    `AudienceUpdate`, `Skipped`, `Rejected`, in order, and `Skipped`/`Rejected` carry the position and the payload
    itself.

    Corner: skip reasons, in this order, the first that applies: `duplicate_message`, `statsig_origin`,
    `integration_disabled`, `filtered`, then `identify_without_audience`.
    """

    PAYLOADS = st.lists(
        st.one_of(segment_calls(malformed=True), json_values(max_leaves=3), hostile_values()), max_size=6
    )

    @given(PAYLOADS, integration_configs())
    def test_every_payload_comes_out_once_and_in_order(self, payloads: list[Any], config: IntegrationConfig) -> None:
        outcomes = list(translate_many(iter(payloads), config, seen=set[str]()))

        assert len(outcomes) == len(payloads)
        for position, (outcome, payload) in enumerate(zip(outcomes, payloads, strict=True)):
            assert type(outcome) in {StatsigEvent, AudienceUpdate, Skipped, Rejected}
            if isinstance(outcome, Skipped | Rejected):
                assert outcome.position == position
                assert outcome.payload is payload

    @given(st.lists(st.one_of(statsig_events(malformed=True), json_values(max_leaves=3), hostile_values()), max_size=6))
    def test_the_way_back_loses_nothing_either(self, payloads: list[Any]) -> None:
        outcomes = list(export_many(iter(payloads)))

        assert len(outcomes) == len(payloads)
        for position, (outcome, payload) in enumerate(zip(outcomes, payloads, strict=True)):
            if isinstance(outcome, Skipped | Rejected):
                assert outcome.position == position
                assert outcome.payload is payload
            else:
                assert is_object(outcome)

    def test_a_stream_is_answered_as_it_comes(self) -> None:
        pulled: list[int] = []

        def payloads() -> Any:
            for number in range(3):
                pulled.append(number)
                yield {"type": "track", "event": "a", "userId": number}

        outcomes = translate_many(payloads())

        assert pulled == []
        next(iter(outcomes))
        assert pulled == [0]

    @given(st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()))
    def test_the_first_reason_that_applies_is_given(self, applies: tuple[bool, bool, bool, bool]) -> None:
        duplicate, origin, disabled, filtered = applies
        call = {
            "type": "identify",
            "messageId": "m1",
            "context": {"library": {"name": "statsig"}} if origin else {},
            "integrations": {"All": False} if disabled else {},
        }
        filters = InboundFilter(types=["track"] if filtered else None)
        config = IntegrationConfig(inbound=InboundConfig(filters=filters))
        reasons = ("duplicate_message", "statsig_origin", "integration_disabled", "filtered")
        expected = [reason for reason, one in zip(reasons, applies, strict=True) if one]

        (outcome,) = translate_many([call], config, seen={"m1"} if duplicate else set[str]())

        assert isinstance(outcome, Skipped)
        assert outcome.reason == [*expected, "identify_without_audience"][0]
