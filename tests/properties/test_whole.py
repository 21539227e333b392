"""Properties across rules: totality, purity, no aliasing and no mutation, steps against the whole, models as values."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.lanes import INBOUND
from tests.support.oracles import goes_on, is_disabled
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_array, is_object

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    Identify,
    IdListPatch,
    IdMapping,
    IntegrationConfig,
    Issue,
    Rejected,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    StatsigUser,
    apply_filters,
    apply_id_mappings,
    audience_update,
    config_change_event,
    explain,
    export,
    export_many,
    fold_audience_updates,
    load_config,
    log_events,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    to_outbound_track,
    to_segment_batches,
    to_statsig_event,
    translate,
    translate_many,
)
from statsig_segment.inbound.translate import reference_outcome
from statsig_segment.testing import (
    integration_configs,
    integration_tables,
    json_values,
    segment_batches,
    segment_calls,
    statsig_events,
    statsig_exports,
)

Outcome = StatsigEvent | AudienceUpdate | Skipped | Rejected


CALLS = segment_calls(malformed=True)
EXPORTS = statsig_events(malformed=True)
CONFIGS = integration_configs()


def snapshot(value: Any) -> Any:
    """A deep copy that tells apart what `==` does not: `1`, `1.0` and `true`, key order, NaN."""
    return json.dumps(value)


def overwrite(value: Any) -> None:
    """Change a tree in every place where it can be changed."""
    if is_object(value):
        for item in list(value.values()):
            overwrite(item)
        for key in value:
            value[key] = "overwritten"
        value["overwritten"] = ["overwritten"]
    elif is_array(value):
        for item in value:
            overwrite(item)
        value[:] = ["overwritten", *value]


def read_only(value: Any) -> Any:
    """A wire result as text, a model as text: what must not change any more."""
    return json.dumps(value) if is_object(value) else repr(value)


def outcome_of(payload: Any, config: IntegrationConfig) -> Any:
    """What `translate` gives, errors included."""
    try:
        return translate(payload, config)
    except StatsigSegmentError as error:
        return error


def forms(value: Any) -> tuple[Any, str, bytes]:
    """The ways to hand in one JSON value: an object, text, bytes."""
    text = json.dumps(value)
    return value, text, text.encode()


def bare(outcome: Any) -> Any:
    """An outcome without the payload and the position that it carries."""
    if isinstance(outcome, Skipped):
        return Skipped(reason=outcome.reason)
    return outcome.error if isinstance(outcome, Rejected) else outcome


def on_the_wire(outcome: Any) -> str | None:
    """An outcome up to the wire as text: a log event, a reason, a membership or an error; `None` for nothing."""
    if isinstance(outcome, StatsigEvent):
        return json.dumps(to_log_event(outcome))
    if isinstance(outcome, Skipped):
        return json.dumps(outcome.reason)
    if outcome is None or isinstance(outcome, str | dict):
        return None if outcome is None else json.dumps(outcome)
    return repr(bare(outcome))


def same(one: Any, other: Any) -> bool:
    """Equality that lets NaN equal itself, and does not look at the payloads that `Skipped` and `Rejected` carry."""
    if isinstance(one, Skipped) and isinstance(other, Skipped):
        return one.reason == other.reason
    one = one.error if isinstance(one, Rejected) else one
    other = other.error if isinstance(other, Rejected) else other
    return repr(one) == repr(other) and type(one) is type(other)


def composed(payload: Any, config: IntegrationConfig) -> Any:
    """The composition of the steps, as the pinned section spells it: parse, skip checks, filter, map, convert."""
    inbound = config.inbound
    event = parse_segment_event(payload)
    library: Any = event.context.get("library")
    if not inbound.allow_statsig_origin and is_object(library) and library.get("name") == "statsig":
        return Skipped(reason="statsig_origin", payload=payload)
    categories = inbound.consent_categories
    if categories and not goes_on(event.context.get("consent"), event.integrations, categories):
        return Skipped(reason="consent_denied", payload=payload)
    if inbound.honor_integrations and is_disabled(event.integrations, inbound.integration_names):
        return Skipped(reason="integration_disabled", payload=payload)
    kept = apply_filters(event, inbound.filters, naming=inbound.naming)
    if kept is None:
        return Skipped(reason="filtered", payload=payload)
    mapped = apply_id_mappings(kept, inbound.id_mappings, drop_placeholders=inbound.drop_placeholder_ids)
    if isinstance(mapped, Identify):
        return audience_update(mapped) or Skipped(reason="identify_without_audience", payload=payload)
    return to_statsig_event(mapped, inbound)


def came_from_segment(payload: JsonObject) -> bool:
    """The oracle of FL-7."""
    name, metadata = payload.get("eventName"), payload.get("statsigMetadata")
    named = isinstance(name, str) and name.startswith("segment::")
    return named or (is_object(metadata) and metadata.get("sdkType") == "segment")


@pytest.mark.differential
class TestTranslateIsItsSteps:
    """
    The steps see what the event holds: `to_statsig_event` does not filter and maps nothing by itself; `translate` =
    parse, skip checks, filter, map, convert. FL-4, FL-5 and FL-7 are no part of `apply_filters`.
    """

    @given(CALLS, CONFIGS)
    @example(
        {"type": "track", "event": "a", "userId": "u1", "context": {"consent": {"categoryPreferences": {}}}},
        load_config({"inbound": {"consent_categories": ["Advertising"]}}),
    )
    @example(
        {"type": "track", "event": "a", "userId": "u1", "integrations": {"All": False, "Webhooks": True}},
        load_config({"inbound": {"integration_names": ["Webhooks"]}}),
    )
    def test_the_steps_give_what_translate_gives(self, call: JsonObject, config: IntegrationConfig) -> None:
        for form in forms(call):
            assert same(caught(partial(composed, form, config)), outcome_of(call, config))

    @given(CALLS, CONFIGS)
    def test_mapping_may_come_before_filtering(self, call: JsonObject, config: IntegrationConfig) -> None:
        inbound = config.inbound
        try:
            event = parse_segment_event(call)
        except StatsigSegmentError:
            return
        filtered = apply_filters(event, inbound.filters, naming=inbound.naming)
        mapped = apply_id_mappings(event, inbound.id_mappings)

        first = None if filtered is None else apply_id_mappings(filtered, inbound.id_mappings)

        assert repr(apply_filters(mapped, inbound.filters, naming=inbound.naming)) == repr(first)

    @given(EXPORTS, CONFIGS)
    def test_the_steps_give_what_export_gives(self, payload: JsonObject, config: IntegrationConfig) -> None:
        def stepwise(form: Any) -> Any:
            event = parse_statsig_event(form)
            if apply_filters(event, config.outbound.filters) is None:
                return Skipped(reason="filtered", payload=payload)
            if came_from_segment(payload) and not config.outbound.allow_segment_origin:
                return Skipped(reason="segment_origin", payload=payload)
            if isinstance(event, ConfigChange):
                return config_change_event(event, config.outbound)
            return to_outbound_track(event, config.outbound)

        for form in forms(payload):
            assert read_only(caught(partial(stepwise, form))) == read_only(caught(lambda: export(payload, config)))


def caught(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except StatsigSegmentError as error:
        return error


@pytest.mark.differential
class TestOneEventByAnyWay:
    """
    Input is a mapping, or JSON text as `str`/`bytes` (IN-1). `translate_many(payloads, config)` = the same over any
    iterable, lazily, and never raises for a bad payload: it yields `Rejected`.
    """

    @given(CALLS, CONFIGS)
    def test_objects_text_and_bytes_are_translated_alike(self, call: JsonObject, config: IntegrationConfig) -> None:
        for form in forms(call):
            assert same(outcome_of(call, config), outcome_of(form, config))

    @given(CALLS, CONFIGS)
    def test_a_log_event_is_the_same_by_every_way(self, call: JsonObject, config: IntegrationConfig) -> None:
        """By the reference, by `translate_many`, by `log_events`, and by the fast lane where it takes the call."""
        reference = on_the_wire(reference_outcome(call, config.inbound, 0, None))

        assert [on_the_wire(outcome) for outcome in translate_many([call], config)] == [reference]
        assert [on_the_wire(outcome) for outcome in log_events([call], config)] == [reference]
        assert on_the_wire(INBOUND.answer(call, config)) in {None, reference}

    @given(EXPORTS, CONFIGS)
    def test_objects_text_and_bytes_are_exported_alike(self, payload: JsonObject, config: IntegrationConfig) -> None:
        outcomes = [caught(partial(export, form, config)) for form in forms(payload)]

        if isinstance(outcomes[0], Skipped):
            assert all(isinstance(outcome, Skipped) for outcome in outcomes)
        else:
            assert len({read_only(outcome) for outcome in outcomes}) == 1

    @given(st.lists(CALLS, max_size=4), CONFIGS)
    def test_many_are_translated_as_one_by_one(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        for call, outcome in zip(calls, translate_many(calls, config), strict=True):
            assert same(outcome_of(call, config), outcome)

    @given(st.lists(EXPORTS, max_size=4), CONFIGS)
    def test_many_are_exported_as_one_by_one(self, payloads: list[JsonObject], config: IntegrationConfig) -> None:
        for payload, outcome in zip(payloads, export_many(payloads, config), strict=True):
            alone = caught(partial(export, payload, config))
            if isinstance(outcome, Rejected):
                assert outcome.error == alone
            elif isinstance(outcome, Skipped):
                assert isinstance(alone, Skipped)
                assert (outcome.reason, alone.position) == (alone.reason, None)
            else:
                assert read_only(outcome) == read_only(alone)

    @given(st.lists(CALLS, max_size=4), CONFIGS)
    def test_a_batch_is_translated_as_its_calls(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        alone = [outcome_of(call, config) for call in calls]

        for body in (*forms(calls), *forms({"batch": calls})):
            outcomes = list(translate_many(split_segment_batch(body), config))
            assert len(outcomes) == len(calls)
            assert all(map(same, alone, outcomes))

    @given(st.lists(EXPORTS, max_size=4), CONFIGS)
    def test_a_delivery_is_exported_as_its_events(self, events: list[JsonObject], config: IntegrationConfig) -> None:
        alone = [read_only(bare(caught(partial(export, event, config)))) for event in events]

        for body in (*forms(events), *forms({"data": events})):
            assert list(map(read_only, map(bare, export_many(split_statsig_export(body), config)))) == alone

    @given(st.lists(CALLS, max_size=4), CONFIGS)
    def test_events_are_written_together_as_alone(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        events = [event for event in translate_many(calls, config) if isinstance(event, StatsigEvent)]

        together = to_log_event_request(events)["events"]

        assert json.dumps(together) == json.dumps([to_log_event(event) for event in events])

    @given(CALLS, CONFIGS)
    def test_positions_are_those_of_the_iterable_and_none_alone(
        self, call: JsonObject, config: IntegrationConfig
    ) -> None:
        alone = outcome_of(call, config)
        (_, second) = translate_many([None, call], config)
        if isinstance(alone, Skipped):
            assert isinstance(second, Skipped)
            assert (alone.position, second.position) == (None, 1)
            assert alone.payload is second.payload is call


class TestTotality:
    """
    No clock, no randomness, no network. Hostile input gives a result or a `StatsigSegmentError`, never another
    exception (TR-4). All errors are also `ValueError`.
    """

    ANYTHING = st.one_of(json_values(), hostile_values(), st.text(), st.binary(), CALLS, EXPORTS)

    @given(ANYTHING, CONFIGS)
    def test_only_our_errors_escape_from_the_ways_in(self, payload: Any, config: IntegrationConfig) -> None:
        ways_in: tuple[Callable[[Any], Any], ...] = (
            parse_segment_event,
            parse_statsig_event,
            lambda body: list(split_segment_batch(body)),
            lambda body: list(split_statsig_export(body)),
            lambda body: translate(body, config),
            lambda body: export(body, config),
            load_config,
        )
        for enter in ways_in:
            error = caught(partial(enter, payload))
            if isinstance(error, StatsigSegmentError):
                assert isinstance(error, ValueError)
                assert isinstance(error.code, str)
                assert error.path is None or error.path.startswith("$")
                assert str(error)

    @given(st.lists(ANYTHING, max_size=4), CONFIGS)
    def test_the_many_forms_raise_nothing(self, payloads: list[Any], config: IntegrationConfig) -> None:
        assert len(list(translate_many(payloads, config, seen=set[str]()))) == len(payloads)
        assert len(list(export_many(payloads, config))) == len(payloads)
        for payload in payloads:
            explain(payload, config)

    @given(segment_batches(malformed=True), statsig_exports(malformed=True), CONFIGS)
    def test_whole_bodies_go_all_the_way(self, body: Any, exported: Any, config: IntegrationConfig) -> None:
        calls = caught(lambda: list(split_segment_batch(body)))
        if is_array(calls):
            outcomes = list(translate_many(calls, config))
            events = [outcome for outcome in outcomes if isinstance(outcome, StatsigEvent)]
            assert len(json.loads(json.dumps(to_log_event_request(events)))["events"]) == len(events)
        events_out = caught(lambda: list(split_statsig_export(exported)))
        if is_array(events_out):
            tracks = [track for track in export_many(events_out, config) if is_object(track)]
            bodies = [batch for batch in to_segment_batches(tracks) if is_object(batch)]
            assert sum(len(batch["batch"]) for batch in bodies) == len(tracks)

    @pytest.mark.parametrize("seen", [set[str](), None])
    def test_nothing_of_an_exception_in_the_callers_iterable_is_swallowed(self, seen: set[str] | None) -> None:
        def broken() -> Iterator[JsonObject]:
            yield {"type": "track", "event": "a", "userId": "u1"}
            raise OSError

        outcomes = translate_many(broken(), seen=seen)

        assert isinstance(next(outcomes), StatsigEvent)
        with pytest.raises(OSError):  # noqa: PT011 - the very error of the iterable
            next(outcomes)


class TestPurity:
    """Same arguments, same result: no clock, no randomness, no network, no environment, no global state."""

    @given(CALLS, CONFIGS, st.lists(CALLS, max_size=2))
    def test_the_same_call_twice_gives_the_same(
        self, call: JsonObject, config: IntegrationConfig, between: list[JsonObject]
    ) -> None:
        first = outcome_of(call, config)
        list(translate_many(between, config, seen=set[str]()))
        second = outcome_of(copy.deepcopy(call), config)

        assert same(first, second)
        assert repr(explain(call, config).rows) == repr(explain(call, config).rows)

    @given(EXPORTS, CONFIGS, st.lists(EXPORTS, max_size=2))
    def test_the_same_export_twice_gives_the_same(
        self, payload: JsonObject, config: IntegrationConfig, between: list[JsonObject]
    ) -> None:
        first = read_only(caught(lambda: export(payload, config)))
        list(export_many(between, config))

        assert read_only(caught(lambda: export(payload, config))) == first


class TestNoMutation:
    """No function ever changes an argument."""

    @given(CALLS, CONFIGS)
    def test_calls_are_left_as_they_were(self, call: JsonObject, config: IntegrationConfig) -> None:
        before, settings = snapshot(call), repr(config)

        outcome = outcome_of(call, config)
        explain(call, config)
        list(translate_many([call], config, seen=set[str]()))
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)
            to_event_webhook(outcome)

        assert snapshot(call) == before
        assert repr(config) == settings

    @given(segment_batches(malformed=True), statsig_exports(malformed=True))
    def test_bodies_are_left_as_they_were(self, body: Any, exported: Any) -> None:
        before = snapshot([body, exported])

        for items in (
            caught(lambda: list(split_segment_batch(body))),
            caught(lambda: list(split_statsig_export(exported))),
        ):
            if is_array(items):
                overwrite(items)

        assert snapshot([body, exported]) == before

    @given(EXPORTS, CONFIGS)
    def test_exports_are_left_as_they_were(self, payload: JsonObject, config: IntegrationConfig) -> None:
        before = snapshot(payload)

        outcome = caught(lambda: export(payload, config))
        if is_object(outcome):
            tracks = [outcome]
            written = snapshot(tracks)
            list(to_segment_batches(tracks))
            assert snapshot(tracks) == written
            overwrite(outcome)

        assert snapshot(payload) == before

    @given(segment_calls(types=("identify",)), st.lists(st.booleans(), max_size=3))
    def test_updates_and_seen_are_left_as_they_were(self, call: JsonObject, members: list[bool]) -> None:
        updates = [AudienceUpdate(id_list="vip", member=member, user_id="u1") for member in members]
        before = list(updates)
        mappings = [IdMapping(field="anonymousId", id_type="x")]

        fold_audience_updates(updates)
        apply_id_mappings(parse_segment_event(call), mappings)

        assert updates == before
        assert mappings == [IdMapping(field="anonymousId", id_type="x")]


class TestNoAliasing:
    """
    Nothing done to an argument after the call, or to one result, changes another result: models are immutable all the
    way down, or hold copies of their own.
    """

    @given(CALLS, CONFIGS)
    def test_changing_the_call_afterwards_changes_no_result(self, call: JsonObject, config: IntegrationConfig) -> None:
        results = [
            caught(lambda: parse_segment_event(call)),
            caught(lambda: apply_id_mappings(parse_segment_event(call), config.inbound.id_mappings)),
            outcome_of(call, config),
            explain(call, config).rows,
        ]
        results = [result for result in results if not isinstance(result, Skipped)]
        if isinstance(results[-2], StatsigEvent):
            results += [to_log_event(results[-2]), to_event_webhook(results[-2])]
        before = [read_only(result) for result in results]

        overwrite(call)

        assert [read_only(result) for result in results] == before

    @given(CALLS, CONFIGS)
    def test_changing_one_wire_result_changes_no_other(self, call: JsonObject, config: IntegrationConfig) -> None:
        outcome = outcome_of(call, config)
        if not isinstance(outcome, StatsigEvent):
            return
        wires: list[Any] = [to_log_event(outcome), to_event_webhook(outcome), to_log_event_request([outcome, outcome])]
        before = [read_only(wire) for wire in wires]
        event = repr(outcome)

        overwrite(wires[0])
        overwrite(wires[2]["events"][0])

        assert read_only(wires[1]) == before[1]
        assert json.dumps(wires[2]["events"][1]) == before[0]
        assert read_only(to_log_event(outcome)) == before[0]
        assert repr(outcome) == event

    @given(EXPORTS, CONFIGS)
    def test_changing_the_export_afterwards_changes_no_result(
        self, payload: JsonObject, config: IntegrationConfig
    ) -> None:
        event, track = caught(lambda: parse_statsig_event(payload)), caught(lambda: export(payload, config))
        if isinstance(track, Skipped):  # which carries the very payload given
            return
        bodies = list(to_segment_batches([track])) if is_object(track) else []
        before = read_only(event), read_only(track), [read_only(body) for body in bodies]

        overwrite(payload)

        assert (read_only(event), read_only(track), [read_only(body) for body in bodies]) == before
        overwrite(track)
        assert (read_only(event), [read_only(body) for body in bodies]) == (before[0], before[2])

    @given(segment_batches(), st.data())
    def test_changing_a_body_afterwards_changes_no_item(self, body: Any, data: st.DataObject) -> None:
        items = list(split_segment_batch(body))
        before = [snapshot(item) for item in items]

        overwrite(body)
        if items:
            at = data.draw(st.integers(0, len(items) - 1))
            overwrite(items.pop(at))
            before.pop(at)

        assert [snapshot(item) for item in items] == before

    @given(integration_tables(), segment_calls())
    def test_a_configuration_keeps_nothing_of_its_table(self, table: JsonObject, call: JsonObject) -> None:
        config = load_config(table)
        outcome = repr(outcome_of(call, config))

        overwrite(table)

        assert repr(outcome_of(call, config)) == outcome

    @given(st.dictionaries(st.text(max_size=3), json_values(max_leaves=4), max_size=3))
    def test_a_model_keeps_nothing_of_what_it_is_made_of(self, metadata: JsonObject) -> None:
        event = StatsigEvent(event_name="a", metadata=metadata, user=StatsigUser(custom={"a": metadata}))
        change = ConfigChange(metadata=metadata)
        before = repr(event), repr(change)

        overwrite(metadata)

        assert (repr(event), repr(change)) == before


def models() -> st.SearchStrategy[Any]:
    """Every kind of public model, made the ways that callers get them."""
    calls = segment_calls()
    return st.one_of(
        calls.map(parse_segment_event),
        segment_calls(types=("track", "page", "screen", "group")).map(
            lambda call: to_statsig_event(parse_segment_event({**call, "userId": "u1"}))
        ),
        segment_calls(types=("track",)).map(
            lambda call: to_statsig_event(parse_segment_event({**call, "userId": "u1"})).user
        ),
        statsig_events().map(parse_statsig_event),
        integration_configs(),
        st.builds(AudienceUpdate, id_list=st.just("vip"), member=st.booleans(), user_id=st.just("u1")),
        st.lists(st.builds(AudienceUpdate, id_list=st.just("vip"), member=st.booleans(), user_id=st.just("u1"))).map(
            fold_audience_updates
        ),
        st.just(IdListPatch(id_list="vip", add=("u1",), remove=())),
        st.just(Issue(code="id_invalid", path="$.userId", message="no ID")),
        calls.map(explain),
        calls.map(
            lambda call: (
                explain(call).rows[0] if explain(call).rows else Issue(code="id_invalid", path="$", message="no ID")
            )
        ),
        st.sampled_from(("video", "track")).map(lambda kind: next(translate_many([{"type": kind}]))),
        st.just(Skipped(reason="filtered")),
    )


def fields_of(model: Any) -> list[str]:
    """The names of a model's attributes, none for what is no model."""
    kind: type[Any] = model.__class__
    return [field.name for field in attrs.fields(kind)] if attrs.has(kind) else []


def parts(model: Any) -> Iterator[Any]:
    """A model and everything that it holds, as far as it is ours or a container."""
    yield model
    for name in fields_of(model):
        if name != "payload":
            yield from parts(getattr(model, name))
    held: Any = model
    if isinstance(model, Mapping | tuple | frozenset | list | set):
        for item in held.values() if isinstance(model, Mapping) else held:
            yield from parts(item)


class TestModelsAreValues:
    """
    Frozen attrs models, immutable all the way down. Public models are keyword-only and compare by value.
    """

    @given(models())
    def test_nothing_in_a_model_can_be_changed(self, model: Any) -> None:
        for part in parts(model):
            assert not isinstance(part, list | set | bytearray)
            for name in fields_of(part):
                with pytest.raises(attrs.exceptions.FrozenInstanceError):
                    setattr(part, name, None)
                with pytest.raises(attrs.exceptions.FrozenInstanceError):
                    delattr(part, name)
            if isinstance(part, Mapping):
                refuses_changes(part)

    @given(models())
    def test_a_copy_of_any_kind_is_equal(self, model: Any) -> None:
        for again in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own
            assert type(again) is type(model)
            assert again == model
            assert repr(again) == repr(model)

    @given(models())
    def test_equal_models_have_equal_hashes(self, model: Any) -> None:
        again = copy.deepcopy(model)
        try:
            made = hash(model)
        except TypeError:
            return
        assert hash(again) == made

    @given(models())
    def test_models_take_keywords_only(self, model: Any) -> None:
        with pytest.raises(TypeError):
            type(model)("positional")

    @given(CALLS, CALLS)
    def test_models_compare_by_value(self, one: JsonObject, other: JsonObject) -> None:
        first, second = caught(lambda: parse_segment_event(one)), caught(lambda: parse_segment_event(other))
        if isinstance(first, StatsigSegmentError) or "nan" in repr(first):
            return
        assert first == parse_segment_event(copy.deepcopy(one))
        assert first != object()
        if repr(first) == repr(second):
            assert first == second

    @given(segment_calls())
    def test_a_model_evolves_without_changing(self, call: JsonObject) -> None:
        event = parse_segment_event(call)
        before = repr(event)

        changed = attrs.evolve(event, user_id="someone else")

        assert changed.user_id == "someone else"
        assert attrs.evolve(changed, user_id=event.user_id) == event
        assert repr(event) == before

    @given(CALLS, CONFIGS)
    def test_errors_compare_and_can_be_sent_between_processes(
        self, call: JsonObject, config: IntegrationConfig
    ) -> None:
        outcome = outcome_of(call, config)
        if isinstance(outcome, StatsigSegmentError):
            again = pickle.loads(pickle.dumps(outcome))  # noqa: S301 - our own

            assert (type(again), again.code, again.path, str(again)) == (
                type(outcome),
                outcome.code,
                outcome.path,
                str(outcome),
            )


def refuses_changes(mapping: Any) -> None:
    before = dict(mapping)
    held = next(iter(mapping), "x")
    changes: dict[str, tuple[Any, ...]] = {
        "__setitem__": ("x", 1),
        "__delitem__": (held,),
        "__ior__": ({"x": 1},),
        "update": ({"x": 1},),
        "setdefault": ("x", 1),
        "pop": (held, None),
        "popitem": (),
        "clear": (),
    }
    for name, arguments in changes.items():
        with pytest.raises((TypeError, AttributeError)):
            getattr(mapping, name)(*arguments)
    assert repr(dict(mapping)) == repr(before)
