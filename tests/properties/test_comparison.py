"""Properties of the comparison (CM-1 to CM-5): one class for each rule, the rule quoted."""

from __future__ import annotations

import random
from typing import Any

import attrs
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.support.sizes import TEN_BY_DEFAULT
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject

from statsig_segment import IntegrationConfig, StatsigEvent, load_config, to_log_event, translate_many
from statsig_segment.insight.comparison import Comparison, compare, config_table
from statsig_segment.rulebook.rules import RULES
from statsig_segment.testing import integration_configs, json_values, segment_calls, statsig_events

START_MS = 1_793_692_800_000
SETTINGS = (
    "naming",
    "value_property",
    "nested",
    "default_environment",
    "user_fields",
    "custom_fields",
    "metadata_fields",
    "id_mappings",
    "filters",
)
"""What CM-3 names."""

# On CI the law holds for as many drawn cases as the contract asks for.
PROFILE = settings.get_current_profile_name()
LAW = settings(max_examples={"ci": 200, "nightly": 2_000}.get(PROFILE, 10))
FEWER = settings(max_examples={"ci": 50, "nightly": 200}.get(PROFILE, 10))  # each of them takes long to draw


KINDS: tuple[JsonObject, ...] = (
    *({"type": "track", "event": name} for name in ("Signed Up", "Order Completed", "Heartbeat", "e", "🙂 Liked")),
    *(
        {"type": kind, **parts}
        for kind in ("page", "screen")
        for parts in (
            {},
            {"name": "Home"},
            {"category": "Docs"},
            {"name": "Home", "category": "Docs"},
            {"name": "Page", "category": "A page"},
            {"name": "a", "category": "e"},
            {"name": "Docs", "category": "Docs"},
        )
    ),
    {"type": "group"},
    {"type": "group", "groupId": "g1"},
    {"type": "group", "groupId": 42},
    {"type": "identify"},
)
OWNERS: tuple[JsonObject, ...] = (
    {"userId": "u1"},
    {"userId": "u1", "anonymousId": "a1"},
    {"userId": 42, "anonymousId": 42},
    {"userId": "undefined", "anonymousId": "a2"},
    {"anonymousId": "a1"},
    {"anonymousId": "a1", "shopId": "s1"},
    {"anonymousId": 10**30, "userId": None},
    {"userId": "u2", "shopId": 7, "groupId": "g2"},
    {"groupId": "g1"},
    {},
)
CONTEXTS: tuple[JsonObject, ...] = (
    {},
    {"ip": "203.0.113.24", "locale": "en-GB"},
    {"device": {"id": "d1"}, "ip": "203.0.113.24"},
    {"device": {"id": "a1"}, "userAgent": "Mozilla/5.0"},
    {"library": {"name": "analytics.js"}, "groupId": "g3", "locale": "fr-CH"},
    {"library": {"name": "statsig"}},
    {"externalIds": [{"type": "email", "id": "ada@example.com"}, {"type": "phone", "id": "+44 1632"}]},
)
FREE: tuple[JsonObject, ...] = (
    {},
    {"value": 5, "plan": "trial"},
    {"value": "5", "revenue": 5},
    {"revenue": 9.5, "id": "p1", "name": "Landing"},
    {"value": None, "id": 7, "email": "ada@example.com"},
    {"plan": "pro", "companyId": "c1", "cart": {"size": 2, "items": [{"sku": "a"}]}},
    {"companyId": "c2", "value": True, "category": "Shop"},
)
CONTROL: tuple[JsonObject, ...] = (
    {},
    {},
    {"statsigCustomIDs": ["companyID", "c9"]},
    {"statsigCustomIDs": ["deviceID", "d1", "stableID", 5], "statsigEnvironment": {"tier": "staging"}},
    {"statsigCustom": ["tags", ["a", "b"], "beta", True], "statsigEnvironment": {"tier": "production"}},
)
REST: tuple[JsonObject, ...] = ({}, {}, {}, {"integrations": {"All": False}}, {"messageId": "m1"})


def call_of(
    kind: JsonObject, owner: JsonObject, context: JsonObject, free: JsonObject, *more: JsonObject
) -> JsonObject:
    control, rest = more
    holder = "properties" if kind["type"] in {"track", "page", "screen"} else "traits"
    return {**owner, **kind, "context": context, holder: {**free, **control}, **rest}


# Put together from a few parts, as real calls repeat theirs: drawn value by value they would take most of the time.
calls_of_parts = st.builds(call_of, *map(st.sampled_from, (KINDS, OWNERS, CONTEXTS, FREE, CONTROL, REST)))


def archives(calls: st.SearchStrategy[JsonObject] = calls_of_parts) -> st.SearchStrategy[list[JsonObject]]:
    """Calls, each at a time of its own."""
    return st.lists(calls, min_size=1, max_size=10).map(
        lambda drawn: [timed(call, at) for at, call in enumerate(drawn)]
    )


def timed(call: JsonObject, at: int) -> JsonObject:
    return {**call, "timestamp": START_MS + 1000 * at}


def sent(calls: list[Any], config: IntegrationConfig) -> list[JsonObject]:
    """The log events of calls."""
    outcomes = translate_many(calls, config)
    return [dict(to_log_event(outcome)) for outcome in outcomes if isinstance(outcome, StatsigEvent)]


def in_export_form(event: JsonObject) -> JsonObject:
    """A log event as the export webhook posts it."""
    event = dict(event)
    if "time" in event:
        event["timestamp"] = event.pop("time")
    return event


def exports(calls: list[Any], config: IntegrationConfig) -> list[JsonObject]:
    return [in_export_form(event) for event in sent(calls, config)]


names = st.sampled_from(("Signed Up", "Order Completed", "Heartbeat", "Home", "Docs", "checkout", "🙂 Liked"))
views = st.sampled_from(
    (
        "{category} {name}",
        "{name}",
        "{category}",
        "Saw {name} in {category}",
        "Page",
        "Viewed {category} {name} Page",
        "{{{name}}}",
        "{name}: {name}",
        "{name}/{category}",
    )
)
namings = st.fixed_dictionaries(
    {},
    optional={
        "prefix": st.sampled_from(("", "segment::", "web/", "Seen ")),
        "track": st.sampled_from(("{event}", "t: {event}", "{event} done")),
        "page": views,
        "screen": views,
        "page_unnamed": st.sampled_from(("A page", "Loaded a Page")),
        "screen_unnamed": st.sampled_from(("A screen", "Docs")),
        "from_properties": st.booleans(),
        "group": st.sampled_from(("group", "Joined {groupId}", "{groupId}!")),
    },
)
fields = st.sampled_from(
    (
        "anonymousId",
        "userId",
        "groupId",
        "context.device.id",
        "traits.companyId",
        "properties.id",
        "shopId",
        "messageId",
        "context.externalIds[type=phone].id",
    )
)
paths = st.sampled_from(
    (
        "context.ip",
        "context.device.id",
        "context.device",
        "context.externalIds[type=phone].id",
        "traits.email",
        "properties.plan",
        "properties.cart",
        "shopId",
        "context.locale",
        "anonymousId",
    )
)
id_types = st.sampled_from(("companyID", "segmentAnonymousId", "deviceID", "stableID", "userID", "USERID"))
rows = st.fixed_dictionaries({"field": fields, "id_type": id_types})
hidden_settings: JsonObject = {
    "naming": namings | st.just("segment_2021"),
    "value_property": st.sampled_from(
        ("value", "revenue", "plan", "id", False, ["revenue", "value"], ["plan", "id", "value"])
    ),
    "nested": st.sampled_from(("json", "flatten")),
    "custom_fields": st.dictionaries(st.sampled_from(("tags", "plan", "device")), paths, max_size=2),
    "metadata_fields": st.dictionaries(st.sampled_from(("plan", "ip", "device", "cart_size")), paths, max_size=2),
    "default_environment": st.sampled_from(("production", "staging", "development")),
    "user_fields": st.dictionaries(
        st.sampled_from(("email", "ip", "userAgent", "country", "locale", "appVersion")), paths, max_size=3
    ),
    "id_mappings": st.lists(rows, max_size=4, unique_by=lambda row: (row["field"], row["id_type"])),
    "filters": st.fixed_dictionaries({"exclude": st.lists(names, max_size=3, unique=True)}),
}


def hidden(*keys: str) -> st.SearchStrategy[IntegrationConfig]:
    """Configurations made of some settings."""
    inbound = st.fixed_dictionaries({}, optional={key: hidden_settings[key] for key in keys})
    return inbound.map(lambda table: load_config({"inbound": table}))


class TestCM1:
    """CM-1: A call and an exported event belong together when their times agree to the millisecond (`tolerance_ms=0`
    may widen it) and their user ID or a custom ID agrees, or any ID of the exported event is one that stands at the top
    level or in the `context` of the call; where several fit, those with equal names first; what stays ambiguous is
    counted so and compared with nothing. `Comparison` counts `paired`, `ambiguous`, `only_called`, `only_exported`."""

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_every_event_finds_its_call(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        events = exports(calls, config)

        found = compare(calls, events)

        assert (found.paired, found.ambiguous, found.only_exported) == (len(events), 0, 0)

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS), st.randoms(use_true_random=False))
    def test_the_order_of_the_export_does_not_matter(
        self, calls: list[JsonObject], config: IntegrationConfig, rng: random.Random
    ) -> None:
        events = exports(calls, config)
        shuffled = rng.sample(events, len(events))

        assert compare(calls, shuffled).proposal == compare(calls, events).proposal

    @given(st.lists(calls_of_parts, max_size=8), st.lists(calls_of_parts, max_size=8), st.integers(0, 2_000))
    def test_the_counts_add_up(self, calls: list[JsonObject], others: list[JsonObject], tolerance_ms: int) -> None:
        """Calls in crowded moments, and an export that is partly of other calls."""
        called = [timed(call, at // 3) for at, call in enumerate(calls)]
        events = exports([timed(call, at // 2) for at, call in enumerate([*calls[::2], *others])], IntegrationConfig())

        found = compare(called, events, tolerance_ms=tolerance_ms)

        assert_adds_up(found, len(called), len(events))

    @given(
        st.lists(segment_calls(malformed=True) | json_values(max_leaves=3) | hostile_values(), max_size=4),
        st.lists(statsig_events(malformed=True) | json_values(max_leaves=3) | hostile_values(), max_size=4),
    )
    def test_anything_at_all_is_compared(self, calls: list[Any], events: list[Any]) -> None:
        assert_adds_up(compare(calls, events), len(calls), len(events))


def assert_adds_up(found: Comparison, calls: int, events: int) -> None:
    assert found.calls == calls
    assert found.exported == events
    assert calls == found.paired + found.ambiguous + found.only_called + found.unreadable_calls
    assert events == found.paired + found.ambiguous_exported + found.only_exported + found.unreadable_exported


class TestCM6:
    """CM-6: `agrees` is true only where every aspect agrees and at most 5 % of the calls that we would send, and of the
    exported events that came from Segment, stay unpaired and unclassified."""

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS), hidden(*SETTINGS))
    def test_it_is_no_yes_where_anything_differs(
        self, calls: list[JsonObject], there: IntegrationConfig, given_: IntegrationConfig
    ) -> None:
        found = compare(calls, exports(calls, there), given_)

        assert not (found.agrees and any(finding.differ for finding in found.findings))
        assert not (found.agrees and 20 * found.unexplained_calls > len(sent(calls, given_)))

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_the_classes_never_count_more_than_has_no_partner(
        self, calls: list[JsonObject], config: IntegrationConfig
    ) -> None:
        found = compare(calls, exports(calls, config)[::2], config)
        of_calls = sum(found.unpaired.get(name, 0) for name in ("outside_export", "silent_name"))
        of_events = sum(found.unpaired.values()) - of_calls

        assert of_calls + found.unexplained_calls <= found.only_called + found.ambiguous
        assert of_events + found.unexplained_exported <= found.only_exported + found.ambiguous_exported


class TestCM2:
    """CM-2: For each aspect `Comparison.findings` says how many pairs agree, how many differ, the rule behind it, and
    up to five examples as positions and paths, never values."""

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_what_agrees_is_said_to_agree(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        found = compare(calls, exports(calls, config), config)

        assert [finding for finding in found.findings if finding.differ] == []
        assert found.agrees == (found.paired > 0)

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_pairs_are_counted_once_and_examples_are_few(
        self, calls: list[JsonObject], config: IntegrationConfig
    ) -> None:
        found = compare(calls, exports(calls, config))

        for finding in found.findings:
            assert 0 < finding.agree + finding.differ <= found.calls
            assert len(finding.examples) == min(5, finding.differ)
            assert finding.rule in RULES

    @TEN_BY_DEFAULT
    @given(archives(), hidden("naming", "id_mappings"))
    def test_no_value_stands_in_the_findings(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        for call in calls:
            call["userId"] = call["anonymousId"] = "only-in-values-7f3a"

        assert "only-in-values" not in repr(compare(calls, exports(calls, config)).findings)


class TestCM3:
    """CM-3: `Comparison.proposal` is a configuration table (for `load_config`) that agrees with the most pairs. Where
    the examples cannot tell two settings apart, the default stays, and `undecided` names the key."""

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_a_configuration_that_agrees_stays(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        events = exports(calls, config)
        assume(events)

        found = compare(calls, events, config)

        assert sent(calls, load_config(found.proposal)) == sent(calls, config)
        assert proposed(found).inbound.naming == config.inbound.naming
        assert proposed(found).inbound.value_property == config.inbound.value_property

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_comparing_again_under_the_proposal_changes_nothing(
        self, calls: list[JsonObject], config: IntegrationConfig
    ) -> None:
        events = exports(calls, config)
        once = proposed(compare(calls, events))

        assert proposed(compare(calls, events, once)) == once

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS))
    def test_the_output_of_a_configuration_compared_with_it_proposes_nothing(
        self, calls: list[JsonObject], config: IntegrationConfig
    ) -> None:
        assert compare(calls, exports(calls, config), config).proposal == config_table(config)

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS), hidden(*SETTINGS), st.randoms(use_true_random=False))
    def test_no_proposal_agrees_with_fewer_pairs_of_any_aspect(
        self, calls: list[JsonObject], there: IntegrationConfig, given_: IntegrationConfig, rng: random.Random
    ) -> None:
        """However little the export has to do with any configuration."""
        events = [spoiled(event, rng) for event in exports(calls, there) if rng.random() > 0.1]
        found = compare(calls, events, given_)
        again = compare(calls, events, proposed(found))

        before, after = verdicts(found), verdicts(again)
        if (found.paired, found.ambiguous) == (again.paired, again.ambiguous):  # the same pairs
            for aspect, (agree, differ) in before.items():
                assert after.get(aspect, (0, 0))[0] >= agree, aspect
                assert after.get(aspect, (0, 0))[1] <= differ, aspect

    @TEN_BY_DEFAULT
    @given(archives(), hidden(*SETTINGS), hidden(*SETTINGS))
    def test_a_key_that_is_proposed_is_not_undecided(
        self, calls: list[JsonObject], there: IntegrationConfig, given_: IntegrationConfig
    ) -> None:
        found = compare(calls, exports(calls, there), given_)
        for key in found.undecided:
            name, _, inner = key.removeprefix("inbound.").partition(".")
            if name != "filters" and inner != "order":
                assert setting(given_, name, inner) == setting(proposed(found), name, inner), key

    @given(integration_configs())
    def test_without_pairs_everything_stays_and_is_undecided(self, config: IntegrationConfig) -> None:
        found = compare([], [], config)

        assert proposed(found) == config
        assert {"inbound.naming.prefix", "inbound.naming.page", "inbound.default_environment"} <= set(found.undecided)

    @given(integration_configs())
    def test_a_configuration_can_be_written_as_a_table(self, config: IntegrationConfig) -> None:
        assert load_config(config_table(config)) == config


def spoiled(event: JsonObject, rng: random.Random) -> JsonObject:
    """An event that no configuration makes, at times: another name, another value, other metadata."""
    other: JsonObject = {
        "eventName": f"{event['eventName'].lower()}{rng.randrange(2)}",
        "value": rng.randrange(3),
        "metadata": {},
    }
    key = rng.choice([*other, None])
    return event if key is None or rng.random() < 0.5 else event | {key: other[key]}


def setting(config: IntegrationConfig, name: str, inner: str) -> Any:
    """A setting by its key, or an entry of it."""
    value: Any = getattr(config.inbound, name)
    if not inner:
        return value
    return getattr(value, inner) if name == "naming" else value.get(inner)


def verdicts(found: Comparison) -> dict[str, tuple[int, int]]:
    return {finding.aspect: (finding.agree, finding.differ) for finding in found.findings}


def proposed(found: Comparison) -> IntegrationConfig:
    return load_config(found.proposal)


class TestCM4:
    """CM-4: Law: for calls translated under a hidden configuration made of such settings, comparing them with that
    output, starting from the default, proposes a configuration under which `translate` gives that very output for
    those calls."""

    def holds(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        output = sent(calls, config)
        assume(output)  # from nothing that arrived nothing can be learned

        found = compare(calls, [in_export_form(event) for event in output])

        learned = load_config(found.proposal)
        if "inbound.nested" in found.undecided:  # `{"a.b": {}}`: Statsig may have dropped a key with a dot (US-9)
            learned = attrs.evolve(learned, inbound=attrs.evolve(learned.inbound, nested=config.inbound.nested))
        assert sent(calls, learned) == output

    @LAW
    @given(archives(), hidden(*SETTINGS))
    def test_for_all_settings_together(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        self.holds(calls, config)

    @FEWER
    @given(archives(segment_calls()), hidden(*SETTINGS))
    @example(
        [{"type": "track", "event": "e", "userId": "u1", "properties": {"a.b": {}}}],
        load_config('inbound.nested = "flatten"'),
    )
    def test_for_calls_of_any_kind(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        self.holds(calls, config)

    @LAW
    @given(archives(), st.sampled_from(SETTINGS).flatmap(hidden))
    def test_for_one_setting_alone(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        self.holds(calls, config)

    @LAW
    @given(archives(), st.lists(st.sampled_from(SETTINGS), min_size=2, max_size=3).flatmap(lambda keys: hidden(*keys)))
    def test_for_a_few_settings(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        self.holds(calls, config)
