"""Properties of user, names, metadata and limits (US-1 to US-9): one class for each rule, the rule quoted.

What numbers, blanks and properties do to the names of US-6 is in test_view_names.py, the flattening of US-7 in
test_flattening.py, the several values of US-8, US-10 and US-11 in test_configured_fields.py.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import struct
import subprocess
from decimal import Decimal
from random import Random
from typing import Any, cast

import attrs
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tests.support.calls import found
from tests.support.calls import user_track as track
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_array, is_finite, is_object

from statsig_segment import (
    ConfigError,
    EventNaming,
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    load_config,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
    translate,
)
from statsig_segment.testing import even_odd_arrays, json_values, segment_calls

CONTROL_KEYS = ("statsigCustomIDs", "statsigCustom", "statsigEnvironment")
NAN = float("nan")


def convert(call: JsonObject, config: InboundConfig | None = None) -> StatsigEvent:
    return to_statsig_event(parse_segment_event(call), config or InboundConfig())


def sent(call: JsonObject, config: InboundConfig | None = None) -> Any:
    return to_log_event(convert(call, config))


def codes(event: StatsigEvent) -> set[str]:
    return {code for code, _ in found(event)}


def number_text(number: float) -> str:
    """The oracle of JavaScript's Number::toString (ECMA-262, 6.1.6.1.20), by its steps, over the shortest digits."""
    if isinstance(number, int):
        return format(Decimal(number), "f")
    if not number:
        return "0"
    sign, all_digits, exponent = Decimal(repr(number)).as_tuple()
    digits = "".join(map(str, all_digits)).rstrip("0")
    assert isinstance(exponent, int)
    k = len(digits)
    n = len(all_digits) + exponent
    if k <= n <= 21:
        text = digits + "0" * (n - k)
    elif 0 < n <= 21:
        text = f"{digits[:n]}.{digits[n:]}"
    elif -6 < n <= 0:
        text = f"0.{'0' * -n}{digits}"
    else:
        e = n - 1
        text = f"{digits[0]}{'.' if k > 1 else ''}{digits[1:]}e{'+' if e > 0 else '-'}{abs(e)}"
    return "-" * sign + text


def json_text(value: Any) -> str:
    """The oracle of compact JSON text: numbers as JavaScript prints them, key order kept, non-ASCII kept."""
    if value is None or not is_finite(value):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if is_object(value):
        return "{" + ",".join(f"{json_text(key)}:{json_text(item)}" for key, item in value.items()) + "}"
    return "[" + ",".join(json_text(item) for item in value) + "]"


def all_finite(value: Any) -> bool:
    if is_object(value):
        return all(all_finite(item) for item in value.values())
    if is_array(value):
        return all(all_finite(item) for item in value)
    return is_finite(value)


# JSON as some clients have it: NaN and infinities among the numbers.
LOOSE_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


class TestUS1CustomProperties:
    """
    `properties.statsigCustom`, the same even/odd array [doc] -> `user.custom`. Values: string, bool, number and list of
    strings kept as they are; null dropped with an issue; anything else becomes its compact JSON text with an issue. The
    odd/even and malformed cases as in ID-2, with codes `custom_…`.

    Corners: an empty list is a list of strings; a non-finite number: dropped, `non_finite_number`; inside a list or
    object it prints as `null` with that issue. `custom_repeated` counts valid pairs only.
    """

    PATH = "$.properties.statsigCustom"

    @classmethod
    def expected(cls, array: list[Any]) -> tuple[JsonObject, set[tuple[str, str]]]:
        """The oracle, written from the rule: the properties, and the issues with their paths."""
        custom: JsonObject = {}
        issues: set[tuple[str, str]] = set()
        if len(array) % 2:
            issues.add(("custom_unpaired", f"{cls.PATH}[{len(array) - 1}]"))
        for at, (name, value) in enumerate(zip(array[::2], array[1::2], strict=False)):
            name_path, value_path = f"{cls.PATH}[{2 * at}]", f"{cls.PATH}[{2 * at + 1}]"
            if not isinstance(name, str) or not name:
                issues.add(("custom_name", name_path))
                continue
            if value is None:
                issues.add(("custom_value", value_path))
                continue
            if not is_finite(value):
                issues.add(("non_finite_number", value_path))
                continue
            if name in custom:
                issues.add(("custom_repeated", name_path))
            if isinstance(value, str | bool | int | float) or (
                is_array(value) and all(isinstance(item, str) for item in value)
            ):
                custom[name] = value
                continue
            custom[name] = json_text(value)
            issues.add(("custom_value_json", value_path))
            if not all_finite(value):
                issues.add(("non_finite_number", value_path))
        return custom, issues

    ARRAYS = even_odd_arrays(
        names=st.sampled_from(("plan", "isVIP", "tags")),
        values=st.one_of(LOOSE_JSON, st.lists(st.text(max_size=3), max_size=2), st.none()),
        malformed=True,
    )

    @given(ARRAYS)
    @example([])
    @example(["tags", []])
    @example(["tags", ["a", 1]])
    @example(["tags", ["a", NAN]])
    @example(["plan", {"a": [float("inf"), 1e21]}])
    @example(["plan", NAN, "plan", 1.0, "plan", None])
    @example(["plan", None])
    @example(["plan"])
    @example([True, "x", "", "y"])
    @example(["a", -0.0, "b", 10**30])
    def test_arrays_are_read_as_the_rule_says(self, array: list[Any]) -> None:
        event = convert(track(properties={"statsigCustom": array}))

        custom, issues = self.expected(array)
        got = json.loads(json.dumps(sent(track(properties={"statsigCustom": array}))))["user"].get("custom", {})
        assert repr(sorted(got.items())) == repr(sorted(json.loads(json.dumps(custom)).items()))
        assert found(event) == issues

    @given(json_values().filter(lambda value: not is_array(value)))
    def test_what_is_no_array_is_not_read(self, value: Any) -> None:
        event = convert(track(properties={"statsigCustom": value}))

        assert event.user.custom == {}
        assert found(event) == (set() if value is None else {("custom_not_array", self.PATH)})

    @given(ARRAYS)
    def test_a_tuple_is_an_array(self, array: list[Any]) -> None:
        array = [tuple[Any, ...](item) if is_array(item) else item for item in array]
        as_list = convert(track(properties={"statsigCustom": array}))
        as_tuple = convert(track(properties={"statsigCustom": tuple(array)}))

        assert repr(as_tuple) == repr(as_list)

    @given(st.lists(hostile_values(), max_size=4))
    def test_what_json_does_not_have_never_reaches_the_wire(self, array: list[Any]) -> None:
        try:
            event = sent(track(properties={"statsigCustom": array}))
        except ValueError:
            return
        for name, value in event["user"].get("custom", {}).items():
            assert type(name) is str
            assert type(value) in {str, bool, int, float, list}


class TestUS2FieldsFromTheContext:
    """
    From `context`: `ip` -> `ip`, `userAgent` -> `userAgent`, `locale` -> `locale` [seen]. Nothing else is copied unless
    asked for: personal data stays where it is. `InboundConfig.user_fields` is a table of `StatsigUser` field -> dotted
    source path that replaces the default three; the allowed targets are `email`, `ip`, `userAgent`, `country`,
    `locale`, `appVersion`.

    Corner: values follow IN-4 (a number becomes its digits); another kind: `user_field_invalid`.
    """

    VALUES = st.one_of(json_values(max_leaves=2), st.text(max_size=4), st.integers(), st.sampled_from(("", None, 2.0)))
    TARGETS = ("email", "ip", "userAgent", "country", "locale", "appVersion")
    PATHS = ("context.ip", "context.app.version", "traits.email", "properties.country", "shopId", "userId", "context")

    @staticmethod
    def expected(call: JsonObject, table: dict[str, str]) -> tuple[dict[str, str], set[tuple[str, str]]]:
        fields: dict[str, str] = {}
        issues: set[tuple[str, str]] = set()
        for target, source in table.items():
            value: Any = call
            for key in source.split("."):
                inner: Any = value
                value = inner.get(key) if is_object(inner) else None
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            if isinstance(value, str) and value:
                fields[target] = value
            elif whole and not isinstance(value, bool):
                fields[target] = str(int(value))
            elif value is not None:
                issues.add(("user_field_invalid", f"$.{source}"))
        return fields, issues

    @given(st.dictionaries(st.sampled_from(("ip", "userAgent", "locale", "email", "country", "appVersion")), VALUES))
    def test_three_fields_are_copied_by_default(self, context: JsonObject) -> None:
        call = track(context=context, email="x@example.com", traits={"email": "x@example.com"})

        user = sent(call)["user"]

        table = {"ip": "context.ip", "userAgent": "context.userAgent", "locale": "context.locale"}
        fields, issues = self.expected(call, table)
        assert user == {"userID": "u1", **fields}
        assert found(convert(call)) == issues

    @given(
        st.dictionaries(st.sampled_from(TARGETS), st.sampled_from(PATHS), max_size=4),
        st.lists(VALUES, min_size=5, max_size=5),
    )
    def test_a_table_replaces_them(self, table: dict[str, str], values: list[Any]) -> None:
        ip, version, email, country, shop = values
        call: JsonObject = {
            "type": "group",
            "userId": "u1",
            "context": {"ip": ip, "app": {"version": version}, "locale": "en"},
            "traits": {"email": email},
            "properties": {"country": country},
            "shopId": shop,
        }
        config = InboundConfig(user_fields=table)

        fields, issues = self.expected(call, table)
        assert sent(call, config)["user"] == {"userID": "u1", **fields}
        assert {pair for pair in found(convert(call, config)) if pair[0] == "user_field_invalid"} == issues

    @given(st.text(max_size=12).filter(lambda name: name not in TestUS2FieldsFromTheContext.TARGETS))
    @example("userID")
    @example("user_agent")
    @example("privateAttributes")
    def test_other_targets_are_refused(self, target: str) -> None:
        with pytest.raises(ConfigError):
            load_config({"inbound": {"user_fields": {target: "context.ip"}}})
        with pytest.raises(ConfigError):
            InboundConfig(user_fields={target: "context.ip"})


class TestUS3EnvironmentOfTheEvent:
    """
    `properties.statsigEnvironment = {"tier": …}` [doc] -> `user.statsigEnvironment = {"tier": …}`, spelling kept. A
    bare string is taken as the tier, with an issue; anything else is ignored with an issue `environment_invalid`.

    Corners: the tier is a non-empty string; its other keys stay behind; an ignored one leaves room for US-4. Issue
    codes: `environment_string`, `environment_invalid`.
    """

    @given(
        st.one_of(
            json_values(max_leaves=3),
            st.text(max_size=4),
            st.fixed_dictionaries(
                {"tier": st.text(max_size=4) | json_values(max_leaves=2)}, optional={"x": st.just(1)}
            ),
        )
    )
    @example({"tier": "Staging"})
    @example({"Tier": "staging"})
    @example({"tier": ""})
    @example({"tier": None})
    @example({})
    @example("")
    @example("staging")
    @example(["tier", "staging"])
    def test_the_tier_is_read_as_the_rule_says(self, environment: Any) -> None:
        call = track(properties={"statsigEnvironment": environment})
        tier: str | None = None
        expected: set[str] = set()
        if is_object(environment) and isinstance(environment.get("tier"), str) and environment["tier"]:
            tier = environment["tier"]
        elif isinstance(environment, str) and environment:
            tier, expected = environment, {"environment_string"}
        elif environment is not None:
            expected = {"environment_invalid"}

        event = convert(call)

        assert event.user.environment == tier
        assert sent(call)["user"].get("statsigEnvironment") == (None if tier is None else {"tier": tier})
        assert codes(event) == expected
        assert all(path.startswith("$.properties.statsigEnvironment") for _, path in found(event))


class TestUS4DefaultEnvironment:
    """
    No tier on the event: `InboundConfig.default_environment` if set, else none is sent, and Statsig treats it as
    production [doc]. The event's own tier always wins.
    """

    @given(
        st.sampled_from((..., None, {"tier": "own"}, "own", {"tier": ""}, {}, 7, "", [])),
        st.none() | st.text(min_size=1, max_size=8),
    )
    def test_the_default_fills_in_for_an_event_without_a_tier(self, environment: Any, default: str | None) -> None:
        call = track(properties={} if environment is ... else {"statsigEnvironment": environment})

        user = sent(call, InboundConfig(default_environment=default))["user"]

        tier = "own" if environment in ({"tier": "own"}, "own") else default
        assert user.get("statsigEnvironment", ...) == (... if tier is None else {"tier": tier})


NAME = st.sampled_from(("Docs", "Home", " x ", "{name}", "a{b}")) | st.text(max_size=5).map("{}x".format)
PART = st.none() | st.just("") | NAME


class TestUS5Prefix:
    """`eventName` = prefix + name. Default prefix `segment::` [doc]; the track name is verbatim [seen]."""

    @given(st.text(min_size=1))
    @example("segment::Signed Up")
    @example("  {event} ")
    def test_a_track_keeps_its_name_behind_the_prefix(self, name: str) -> None:
        assert sent(track(event=name))["eventName"] == "segment::" + name

    @given(st.text(alphabet=st.characters(exclude_characters="{}", codec="utf-8"), max_size=8), segment_calls())
    def test_any_prefix_stands_before_the_name_of_any_call(self, prefix: str, call: JsonObject) -> None:
        assume(call["type"] != "identify")
        event = parse_segment_event({**call, "userId": "u1"})

        with_prefix = to_statsig_event(event, InboundConfig(naming=EventNaming(prefix=prefix)))
        without = to_statsig_event(event, InboundConfig(naming=EventNaming(prefix="")))

        assert with_prefix.event_name == prefix + without.event_name


def view(kind: str, **fields: Any) -> JsonObject:
    return {"type": kind, "userId": "u1", **fields}


def fill(pieces: list[str], parts: dict[str, str | None]) -> str:
    """The oracle of templates: `pieces` alternate between text and placeholder; a missing part takes a space along."""
    text = list(pieces)
    for at in range(1, len(text), 2):
        part = parts.get(text[at][1:-1])
        if not part:
            if text[at - 1].endswith(" "):
                text[at - 1] = text[at - 1][:-1]
            elif not any(text[:at]) and text[at + 1].startswith(" "):
                text[at + 1] = text[at + 1][1:]
        text[at] = part or ""
    return "".join(text)


PLACEHOLDERS = {
    "prefix": (),
    "track": ("event",),
    "page": ("category", "name"),
    "page_unnamed": (),
    "screen": ("category", "name"),
    "screen_unnamed": (),
    "group": ("groupId",),
}


class TestUS6NamesOfOtherCalls:
    """
    Names of page, screen and group calls are documented by nobody today [policy], so `EventNaming` decides. Default:
    Segment's classic rule: `Viewed {category} {name} Page`, missing parts left out, and `Loaded a Page` when both are
    missing; `… Screen` likewise; `group` for group. So `segment::Viewed Docs Home Page`. Preset
    `EventNaming.segment_2021()`: `segment_track:{event}`, `segment_page:{name}`, `segment_screen:{name}` as Segment's
    own destination page printed it. Templates are the caller's to set; a template naming an unknown placeholder is a
    `ConfigError`.

    Corners: placeholders `{event}` in track, `{category}` and `{name}` in page and screen, `{groupId}` in group, none
    elsewhere; values are inserted verbatim. A missing part takes the one space before it along (at the very start, the
    one after it); where every part a page or screen template uses is missing, the `_unnamed` template is used.
    `segment_2021()` has the empty prefix; group is `group`, and its `_unnamed` are the default's. By default only the
    top-level `name` and `category` count.
    """

    @given(st.sampled_from(("page", "screen")), PART, PART)
    def test_the_classic_rule_is_the_default(self, kind: str, category: str | None, name: str | None) -> None:
        words = ["Viewed", *filter(None, (category, name)), kind.title()]
        expected = " ".join(words) if category or name else f"Loaded a {kind.title()}"

        event = sent(view(kind, category=category, name=name, properties={"name": "not me", "category": "nor me"}))

        assert event["eventName"] == "segment::" + expected

    @given(st.sampled_from(("name", "category")), json_values() | st.booleans())
    def test_a_part_that_is_no_string_and_no_number_is_missing(self, field: str, value: Any) -> None:
        assume(isinstance(value, bool) or not isinstance(value, str | int | float))
        event = convert(view("page", **{field: value}))

        assert event.event_name == "segment::Loaded a Page"
        assert found(event) == (set() if value is None else {("name_invalid", f"$.{field}")})
        assert field not in event.metadata

    @given(st.none() | NAME)
    def test_a_group_is_called_group(self, group: str | None) -> None:
        assert sent(view("group", groupId=group))["eventName"] == "segment::group"

    @given(st.sampled_from(("track", "page", "screen", "group")), NAME, PART)
    def test_the_preset_of_2021(self, kind: str, event: str, name: str | None) -> None:
        naming = EventNaming.segment_2021()
        expected = {
            "track": f"segment_track:{event}",
            "page": f"segment_page:{name}" if name else "Loaded a Page",
            "screen": f"segment_screen:{name}" if name else "Loaded a Screen",
            "group": "group",
        }

        call = view(kind, event=event, name=name, category="Docs", groupId="g1")

        assert sent(call, InboundConfig(naming=naming))["eventName"] == expected[kind]

    TEXTS = st.text(" ab:-", max_size=3)

    @given(st.sampled_from(("page", "screen")), TEXTS, TEXTS, TEXTS, st.booleans(), PART, PART)
    @example("page", "", " ", "", False, None, "Home")
    @example("page", "", " ", "", False, "Docs", None)
    @example("page", "", "", " x", False, "Docs ", None)
    @example("screen", " ", " ", " ", True, "Docs", None)
    @example("page", "", " ", " ", True, "Docs", None)
    @example("page", "", "  ", "", False, None, "Home")
    def test_templates_are_filled_as_the_rule_says(
        self, kind: str, first: str, second: str, third: str, swap: bool, category: str | None, name: str | None
    ) -> None:
        placeholders = ["{name}", "{category}"] if swap else ["{category}", "{name}"]
        pieces = [first, placeholders[0], second, placeholders[1], third]
        naming = attrs.evolve(
            EventNaming(), **cast("Any", {"prefix": "", kind: "".join(pieces), f"{kind}_unnamed": "nothing"})
        )

        event = sent(view(kind, category=category, name=name), InboundConfig(naming=naming))

        parts = {"category": category, "name": name}
        assert event["eventName"] == (fill(pieces, parts) if category or name else "nothing")

    @given(st.sampled_from(("page", "screen")), st.sampled_from(("name", "category")), PART, PART)
    def test_a_template_of_one_part_is_unnamed_without_it(
        self, kind: str, used: str, category: str | None, name: str | None
    ) -> None:
        naming = attrs.evolve(EventNaming(), **cast("Any", {kind: f"x {{{used}}}"}))
        part = {"category": category, "name": name}[used]

        event = sent(view(kind, category=category, name=name), InboundConfig(naming=naming))

        assert event["eventName"] == "segment::" + (f"x {part}" if part else f"Loaded a {kind.title()}")

    @given(st.none() | NAME)
    def test_a_group_may_be_called_by_its_id(self, group: str | None) -> None:
        naming = EventNaming(group="Joined {groupId} today")

        event = sent(view("group", groupId=group), InboundConfig(naming=naming))

        assert event["eventName"] == ("segment::Joined today" if group is None else f"segment::Joined {group} today")

    @given(
        st.sampled_from(sorted(PLACEHOLDERS)),
        st.sampled_from(("event", "category", "name", "groupId", "type", "Name", "0", "", "name ", "userId")),
        TEXTS,
    )
    def test_an_unknown_placeholder_is_a_config_error(self, key: str, placeholder: str, text: str) -> None:
        template = f"{text}{{{placeholder}}}"
        if placeholder in PLACEHOLDERS[key]:
            assert getattr(attrs.evolve(EventNaming(), **cast("Any", {key: template})), key) == template
            return
        with pytest.raises(ConfigError):
            attrs.evolve(EventNaming(), **cast("Any", {key: template}))
        with pytest.raises(ConfigError):
            load_config({"inbound": {"naming": {key: template}}})


def random_floats(count: int) -> list[float]:
    """Floats of every kind, the same each time: random bits, and numbers about the borders of the notation."""
    random = Random(2026)
    bits = [struct.unpack("<d", random.randbytes(8))[0] for _ in range(count)]
    powers = [math.copysign(random.choice((1, 1.5, 9.999999999999999)), random.random() - 0.3) for _ in range(count)]
    scaled = [power * 10.0 ** random.randint(-12, 26) for power in powers]
    shortened = [round(random.uniform(-1e6, 1e6), random.randint(0, 12)) for _ in range(count)]
    edges = [0.0, -0.0, 1e21, 1e-7, 1e-6, 999999999999999900000.0, 5e-324, 1.7976931348623157e308, 2.0**53, 0.1 + 0.2]
    return [number for number in bits + scaled + shortened + edges if math.isfinite(number)]


class TestUS7Metadata:
    """
    `metadata`: from `properties` (track, page, screen) or `traits` (group), less the three control keys; page and
    screen add `name` and `category`, group adds `groupId`, where the object has no such key. Every value becomes a
    string [seen]: strings as they are; `true`/`false`; numbers as JavaScript prints them (`1.0` -> `"1"`, `1e21` ->
    `"1e+21"`, `1e-7` -> `"1e-7"`, integers in full however long); objects and arrays as compact JSON text, key order
    kept, non-ASCII kept; null left out; NaN and infinities left out with an issue `non_finite_number`.

    Corners: an object is any mapping, an array a list or tuple; a Python value that JSON does not have counts as absent
    or unusable and never escapes. A property that is present with null keeps `name`/`category`/`groupId` from being
    added, and is left out. Nested numbers print by the same rule.
    """

    @staticmethod
    def printed(value: float) -> Any:
        return sent(track(properties={"x": value}))["metadata"]["x"]

    @pytest.mark.parametrize(
        ("number", "text"),
        [
            (1.0, "1"),
            (-1.0, "-1"),
            (0.0, "0"),
            (-0.0, "0"),
            (1e21, "1e+21"),
            (1.5e21, "1.5e+21"),
            (1e20, "100000000000000000000"),
            (123456789012345680000.0, "123456789012345680000"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-1.5e-7, "-1.5e-7"),
            (0.1, "0.1"),
            (0.30000000000000004, "0.30000000000000004"),
            (5e-324, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (12345678901234567890123, "12345678901234567890123"),
            (-(10**30), "-" + "1" + "0" * 30),
            (True, "true"),
            (False, "false"),
        ],
    )
    def test_numbers_by_the_table(self, number: float, text: str) -> None:
        assert self.printed(number) == text
        assert sent(track(properties={"x": [number]}))["metadata"]["x"] == f"[{text}]"

    @given(st.floats(allow_nan=False, allow_infinity=False) | st.integers())
    def test_numbers_by_the_steps_of_ecma_262(self, number: float) -> None:
        assert self.printed(number) == number_text(number)

    def test_numbers_as_node_prints_them(self) -> None:
        node = shutil.which("node")
        if node is None:
            pytest.skip("node is not on the PATH: the table and the steps of ECMA-262 alone judge the numbers")
        numbers = random_floats(1000)
        program = (
            "const hex = require('fs').readFileSync(0, 'utf8').trim().split('\\n');"
            "console.log(hex.map(h => String(Buffer.from(h, 'hex').readDoubleBE(0))).join('\\n'))"
        )
        given_hex = "\n".join(struct.pack(">d", number).hex() for number in numbers)

        run = subprocess.run([node, "-e", program], input=given_hex, capture_output=True, text=True, check=True)  # noqa: S603

        metadata = sent(track(properties={str(at): number for at, number in enumerate(numbers)}))["metadata"]
        printed = run.stdout.split()
        assert list(metadata.values()) == printed
        assert [number_text(number) for number in numbers] == printed

    @staticmethod
    def expected(source: JsonObject, added: JsonObject) -> tuple[dict[str, str], set[str]]:
        """The oracle, written from the rule: the metadata, and the names of the properties that give an issue."""
        metadata: dict[str, str] = {}
        unprintable: set[str] = set()
        whole = {**source, **{key: value for key, value in added.items() if key not in source and value}}
        for key, value in whole.items():
            if key in CONTROL_KEYS or value is None:
                continue
            if not all_finite(value):
                unprintable.add(key)
            if is_finite(value):
                metadata[key] = value if isinstance(value, str) else json_text(value)
        return metadata, unprintable

    OBJECTS = st.dictionaries(
        st.sampled_from(("name", "category", "groupId", "value", "x", "ключ", "a b")) | st.text(max_size=4), LOOSE_JSON
    )

    @given(st.sampled_from(("track", "page", "screen", "group")), OBJECTS, OBJECTS, NAME, NAME, st.booleans())
    @example("page", {"name": None}, {}, "Home", "Docs", True)
    @example("group", {"groupId": None}, {"groupId": None}, "Home", "Docs", True)
    @example("track", {"x": {"b": 1e21, "a": NAN, "é": [None, True]}}, {}, "Home", "Docs", True)
    @example("screen", {"x": {}, "y": []}, {}, "Home", "Docs", True)
    def test_metadata_is_made_as_the_rule_says(
        self, kind: str, properties: JsonObject, traits: JsonObject, name: str, category: str, named: bool
    ) -> None:
        call = view(kind, event="a", properties=properties, traits=traits)
        if named:
            call |= {"name": name, "category": category, "groupId": "g1"}
        added: JsonObject = {}
        if named:
            added = {"group": {"groupId": "g1"}, "track": {}}.get(kind, {"name": name, "category": category})

        event = convert(call)

        metadata, unprintable = self.expected(traits if kind == "group" else properties, added)
        assert event.metadata == metadata
        where = "traits" if kind == "group" else "properties"
        paths = [path for code, path in found(event) if code == "non_finite_number"]
        assert len(paths) == len(unprintable)
        assert all(path.startswith(f"$.{where}") for path in paths)
        assert {f"$.{where}.{key}" for key in unprintable if key.isidentifier()} <= set(paths)

    @given(OBJECTS)
    def test_key_order_is_kept_all_the_way_down(self, value: JsonObject) -> None:
        metadata = sent(track(properties={"x": value, **value}))["metadata"]

        if "x" not in value:
            assert metadata["x"] == json_text(value)
            assert list(metadata) == [key for key in ("x", *value) if key in metadata]

    @given(
        st.dictionaries(st.sampled_from(CONTROL_KEYS), json_values(max_leaves=2)), st.sampled_from(("track", "group"))
    )
    def test_control_keys_stay_behind(self, controls: JsonObject, kind: str) -> None:
        call = view(kind, event="a", properties=controls, traits=controls)

        assert sent(call)["metadata"] == {}

    @given(st.dictionaries(st.text(max_size=3), hostile_values(), max_size=4))
    def test_what_json_does_not_have_never_escapes(self, properties: JsonObject) -> None:
        try:
            event = sent(track(properties=properties))
        except ValueError:
            return
        assert all(type(key) is str and type(value) is str for key, value in event["metadata"].items())


class TestUS8Value:
    """
    `value`: `properties.value` if it is a string or a finite number, not a bool [policy]; it also stays in metadata.
    `InboundConfig.value_property` names another property (`"revenue"`), or `None` for none.

    Corner: reads the same object as metadata (group: traits); a plain key, dots and all.
    """

    @given(
        st.sampled_from(("track", "page", "screen", "group")),
        st.dictionaries(st.sampled_from(("value", "revenue", "a.b")), LOOSE_JSON),
        st.dictionaries(st.sampled_from(("value", "revenue", "a.b")), LOOSE_JSON),
        st.sampled_from(("value", "revenue", "a.b", None)),
    )
    @example("track", {"value": True}, {}, "value")
    @example("track", {"value": ""}, {}, "value")
    @example("group", {"value": 1}, {"value": 2.0}, "value")
    @example("page", {"a": {"b": 1}, "a.b": 2}, {}, "a.b")
    def test_the_value_is_taken_as_the_rule_says(
        self, kind: str, properties: JsonObject, traits: JsonObject, name: str | None
    ) -> None:
        source = traits if kind == "group" else properties
        value = source.get(name) if name else None
        usable = isinstance(value, str | int | float) and not isinstance(value, bool) and is_finite(value)
        call = view(kind, event="a", properties=properties, traits=traits)

        event = sent(call, InboundConfig(value_property=name))

        assert ("value" in event) == usable
        if usable:
            assert (type(event["value"]), event["value"]) == (type(value), value)
            assert name in event["metadata"]


class TestUS9Limits:
    r"""
    Statsig silently drops or trims some events; we say so in advance as issues and change nothing: names over 128
    characters `name_too_long`, names with any of `\ [ ] { } < > # = ; & $ % |` NUL LF CR or `"`
    `name_forbidden_character`, IDs and values over 128 characters, metadata over 4096 characters of JSON, metadata keys
    with `.`. The limits live in one table with their sources. [doc; the docs disagree on 64 or 128]

    Corner: limits look at what is sent: the name with its prefix, userID and custom ID values, a string `value`, the
    compact JSON of `metadata`; characters are code points.
    """

    FORBIDDEN = '\\[]{}<>#=;&$%|\0\n\r"'
    LENGTHS = st.integers(0, 300) | st.integers(110, 130)

    @staticmethod
    def limits(call: JsonObject, config: InboundConfig | None = None) -> set[str]:
        return codes(convert(call, config))

    @given(LENGTHS, st.sampled_from("aé🙂"), st.sampled_from(("segment::", "")))
    @example(119, "🙂", "segment::")
    @example(120, "🙂", "segment::")
    @example(128, "🙂", "")
    @example(129, "🙂", "")
    def test_long_names(self, length: int, character: str, prefix: str) -> None:
        config = InboundConfig(naming=EventNaming(prefix=prefix))
        name = character * max(length, 1)

        event = convert(track(event=name), config)

        assert event.event_name == prefix + name
        assert codes(event) == ({"name_too_long"} if len(prefix + name) > 128 else set())

    @given(st.text(alphabet=st.sampled_from(FORBIDDEN + "abc:_-./'!@^*()+,?~ \t"), min_size=1, max_size=6))
    @example("\t")
    @example('"')
    def test_forbidden_characters(self, name: str) -> None:
        event = convert(track(event=name))

        assert event.event_name == "segment::" + name
        expected = {"name_forbidden_character"} if re.search(f"[{re.escape(self.FORBIDDEN)}]", name) else set[str]()
        assert codes(event) == expected

    @given(LENGTHS, LENGTHS, st.sampled_from("aé🙂"))
    @example(128, 128, "🙂")
    @example(129, 0, "🙂")
    @example(0, 129, "a")
    def test_long_ids(self, user: int, custom: int, character: str) -> None:
        user_id, custom_id = character * max(user, 1), character * max(custom, 1)
        call = track(userId=user_id, properties={"statsigCustomIDs": ["companyID", custom_id]})

        event = convert(call)

        assert (event.user.user_id, event.user.custom_ids) == (user_id, {"companyID": custom_id})
        expected = {
            path
            for path, text in (("$.userId", user_id), ("$.properties.statsigCustomIDs[1]", custom_id))
            if len(text) > 128
        }
        assert found(event) == {("id_too_long", path) for path in expected}

    @given(LENGTHS, st.sampled_from("aé🙂"))
    @example(128, "🙂")
    @example(129, "🙂")
    def test_long_values(self, length: int, character: str) -> None:
        event = convert(track(properties={"value": character * length}))

        assert event.value == character * length
        assert found(event) == ({("value_too_long", "$.properties.value")} if length > 128 else set())

    @given(st.integers(0, 9000) | st.integers(4080, 4100), st.sampled_from('aé"🙂'))
    @example(4096 - len('{"x":""}'), "🙂")
    @example(4097 - len('{"x":""}'), "🙂")
    @example((4096 - len('{"x":""}')) // 2, '"')
    @example((4096 - len('{"x":""}')) // 2 + 1, '"')
    def test_large_metadata(self, length: int, character: str) -> None:
        event = convert(track(properties={"x": character * length}))

        size = len(json.dumps(dict(event.metadata), ensure_ascii=False, separators=(",", ":")))
        assert event.metadata == {"x": character * length}
        assert codes(event) == ({"metadata_too_large"} if size > 4096 else set())

    @given(st.dictionaries(st.text("ab.", max_size=3), st.sampled_from(("x", 1, None, NAN)), max_size=3))
    @example({".": None})
    @example({"a.b": {"c.d": 1}})
    @example({"a": {"c.d": 1}})
    def test_dotted_keys_of_metadata(self, properties: JsonObject) -> None:
        event = convert(track(properties=properties))

        dotted = [key for key in event.metadata if "." in key]
        assert len([path for code, path in found(event) if code == "metadata_key_dot"]) == len(dotted)

    @given(segment_calls(malformed=True))
    def test_limits_change_nothing(self, call: JsonObject) -> None:
        call = {**call, "type": "track", "event": "x" * 200, "userId": "u" * 200}

        event = translate(
            call, IntegrationConfig(inbound=InboundConfig(allow_statsig_origin=True, honor_integrations=False))
        )

        assert isinstance(event, StatsigEvent)
        assert (event.event_name, event.user.user_id) == ("segment::" + "x" * 200, "u" * 200)
        assert {"name_too_long", "id_too_long"} <= codes(event)
