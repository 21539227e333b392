"""Properties of the guards that keep events from going round and the switch of `integrations` (FL-4, FL-7)."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.values import JsonObject, is_object

from statsig_segment import (
    InboundConfig,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    Rejected,
    Skipped,
    StatsigEvent,
    apply_filters,
    config_change_event,
    export,
    export_many,
    parse_statsig_event,
    to_log_event,
    to_outbound_track,
    translate,
)
from statsig_segment.testing import config_changes, segment_calls, statsig_events, warehouse_rows

ALLOWED = IntegrationConfig(outbound=OutboundConfig(allow_segment_origin=True))
SPELLINGS = tuple("".join(letters) for letters in product("Aa", "Ll", "Ll"))


class TestFL4AllInAnyCase:
    """
    `All` is read in any letter case, as Segment's Facade does and its Python docs spell it [seen]; of several, any
    `false` counts. The entry `Statsig` is matched exactly and beats them all.
    """

    @given(
        st.dictionaries(
            st.sampled_from((*SPELLINGS, "statsig", "STATSIG", "alle", "a l l")),
            st.sampled_from((True, False, False, None, "false", 0, {})),
            max_size=4,
        ),
        st.sampled_from((..., None, True, {}, False)),
        st.booleans(),
    )
    @example({"All": True, "all": False}, ..., True)
    @example({"ALL": False}, True, True)
    @example({"statsig": True, "all": False}, ..., True)
    def test_any_spelling_that_is_false_disables(self, switches: JsonObject, own: Any, honor: bool) -> None:
        integrations = switches if own is ... else {**switches, "Statsig": own}
        disabled = own is False if own not in (..., None) else any(switches.get(name) is False for name in SPELLINGS)
        call = {"type": "track", "event": "a", "userId": "u1", "integrations": integrations}

        outcome = translate(call, IntegrationConfig(inbound=InboundConfig(honor_integrations=honor)))

        assert (isinstance(outcome, Skipped) and outcome.reason == "integration_disabled") == (disabled and honor)


EXPORTS = statsig_events(malformed=True) | config_changes() | warehouse_rows()


def came_from_segment(payload: JsonObject) -> bool:
    """The oracle of FL-7, for events that were not read from a warehouse row."""
    name, metadata = payload.get("eventName"), payload.get("statsigMetadata")
    named = isinstance(name, str) and name.startswith("segment::")
    return named or (is_object(metadata) and metadata.get("sdkType") == "segment")


class TestFL7LoopGuardOfTheWayBack:
    """
    An event whose name begins with `segment::` or whose `statsigMetadata.sdkType` is `segment` came from Segment.
    Sending it back would count and bill it twice: `export` and `export_many` skip it with reason `segment_origin`,
    after FL-2. `OutboundConfig.allow_segment_origin=True` lets it pass. It is not part of `apply_filters`. [policy]

    Corners: name and SDK type are compared exactly; any event with that SDK type is skipped, a config change too.
    """

    @given(statsig_events(malformed=True))
    @example({"eventName": "segment::", "userID": "u1"})
    @example({"eventName": "Segment::Signed Up", "userID": "u1"})
    @example({"eventName": "a", "statsigMetadata": {"sdkType": "segment "}})
    @example({"eventName": "statsig::config_change", "metadata": {}, "statsigMetadata": {"sdkType": "segment"}})
    @example({"event": "statsig::config_change", "properties": {}, "statsigMetadata": {"sdkType": "segment"}})
    def test_what_came_from_segment_is_skipped(self, payload: JsonObject) -> None:
        (outcome,) = export_many([payload])

        if isinstance(outcome, Rejected):
            assert outcome.error.code == "missing_event"
            return
        guarded = isinstance(outcome, Skipped) and outcome.reason == "segment_origin"
        filtered = apply_filters(parse_statsig_event(payload), OutboundFilter()) is None
        assert guarded == (came_from_segment(payload) and not filtered)

    @given(EXPORTS)
    def test_allowed_it_passes_as_any_other(self, payload: JsonObject) -> None:
        (outcome,) = export_many([payload], ALLOWED)
        (guarded,) = export_many([payload])

        assert not (isinstance(outcome, Skipped) and outcome.reason == "segment_origin")
        if is_object(guarded):
            assert repr(guarded) == repr(outcome)

    @given(EXPORTS)
    def test_guarding_twice_is_guarding_once(self, payload: JsonObject) -> None:
        """What the guard lets pass, it lets pass again; what it skips, it skips again."""
        (first,) = export_many([payload])
        (second,) = export_many([payload])

        assert repr(getattr(first, "reason", first)) == repr(getattr(second, "reason", second))

    @given(EXPORTS)
    def test_the_steps_alone_do_not_guard(self, payload: JsonObject) -> None:
        try:
            event = parse_statsig_event(payload)
        except ValueError:
            return
        kept = apply_filters(event, OutboundFilter(include_new_events=True))
        if kept is None:
            return
        passed: Any = export(payload, ALLOWED)
        step: Any = config_change_event if event.event_name == "statsig::config_change" else to_outbound_track
        assert repr(step(event)) == repr(passed)

    @given(st.booleans(), st.booleans())
    def test_the_filter_comes_first(self, filtered: bool, origin: bool) -> None:
        config = IntegrationConfig(
            outbound=OutboundConfig(profile="deliverable", filters=OutboundFilter(include_new_events=not filtered))
        )
        payload = {"eventName": "segment::Signed Up" if origin else "Signed Up"}

        (outcome,) = export_many([payload], config)

        reason = outcome.reason if isinstance(outcome, Skipped) else None
        assert reason == ("filtered" if filtered else "segment_origin" if origin else None)
        assert isinstance(outcome, Rejected) == (not filtered and not origin)

    @given(segment_calls(types=("track", "page", "screen", "group")))
    def test_what_this_library_sends_does_not_come_back(self, call: JsonObject) -> None:
        event = translate({**call, "userId": "u1", "context": {}, "integrations": {}})
        assert isinstance(event, StatsigEvent)
        exported: JsonObject = {**to_log_event(event)}

        outcome = export(exported)

        assert isinstance(outcome, Skipped)
        assert outcome.reason == "segment_origin"
