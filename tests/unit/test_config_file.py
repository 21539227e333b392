"""Reading a configuration: every key, every problem with its path, and nothing but `ConfigError` for anything else."""

from __future__ import annotations

import enum
from collections import UserDict
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values

from statsig_segment import (
    ConfigError,
    EventNaming,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Issue,
    OutboundConfig,
    OutboundFilter,
    load_config,
)
from statsig_segment.rulebook import CODES
from statsig_segment.statsig.events import PLAIN_FIELDS
from statsig_segment.testing import json_values

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WHOLE: dict[str, dict[str, Any]] = {
    "inbound": {
        "default_environment": "staging",
        "id_types": ["companyID", "deviceID"],
        "id_mappings": [{"field": "anonymousId", "id_type": "segmentAnonymousId"}],
        "filters": {"include": ["A", "B"], "exclude": ["B"], "types": ["track", "page"]},
        "naming": {"prefix": "p::", "page": "page {name}", "group": "joined {groupId}"},
        "user_fields": {"email": "traits.email"},
        "value_property": "revenue",
        "honor_integrations": False,
        "allow_statsig_origin": True,
    },
    "outbound": {
        "profile": "deliverable",
        "anonymous_id": "deviceID",
        "filters": {
            "exposures": False,
            "config_changes": False,
            "include_new_events": False,
            "events": {"checkout": True, "map panned": False},
        },
    },
}
WHOLE_MODEL = IntegrationConfig(
    inbound=InboundConfig(
        default_environment="staging",
        id_types={"companyID", "deviceID"},
        id_mappings=[IdMapping(field="anonymousId", id_type="segmentAnonymousId")],
        filters=InboundFilter(include={"A", "B"}, exclude={"B"}, types={"track", "page"}),
        naming=EventNaming(prefix="p::", page="page {name}", group="joined {groupId}"),
        user_fields={"email": "traits.email"},
        value_property="revenue",
        honor_integrations=False,
        allow_statsig_origin=True,
    ),
    outbound=OutboundConfig(
        profile="deliverable",
        anonymous_id="deviceID",
        filters=OutboundFilter(
            exposures=False,
            config_changes=False,
            include_new_events=False,
            events={"checkout": True, "map panned": False},
        ),
    ),
)


class Tier(enum.StrEnum):
    STAGING = "staging"


def problems(source: Any) -> list[tuple[str, str]]:
    """Code and path of everything that is wrong with a configuration."""
    with pytest.raises(ConfigError) as caught:
        load_config(source)
    return [(issue.code, issue.path) for issue in caught.value.issues]


def messages(source: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(source)
    return [issue.message for issue in caught.value.issues]


def inbound(**keys: Any) -> dict[str, Any]:
    return {"inbound": keys}


def outbound(**keys: Any) -> dict[str, Any]:
    return {"outbound": keys}


class TestWhatCanBeRead:
    def test_every_key_is_read_from_a_mapping(self) -> None:
        assert load_config(WHOLE) == WHOLE_MODEL

    @pytest.mark.parametrize(
        "text", ["", " ", "\n\n", "# nothing\n", "{}", "\ufeff", "\ufeff{}", '{"inbound": {}}', "[outbound]"]
    )
    def test_what_says_nothing_is_the_default(self, text: str) -> None:
        assert load_config(text) == IntegrationConfig()

    @pytest.mark.parametrize("wrap", [MappingProxyType, UserDict, dict])
    def test_a_mapping_of_any_kind_is_read(self, wrap: Any) -> None:
        table = wrap({"inbound": wrap({"user_fields": wrap({"ip": "context.ip"}), "id_types": ("a", "b")})})

        assert load_config(table).inbound.id_types == frozenset({"a", "b"})

    def test_the_preset_of_names_has_a_name(self) -> None:
        assert load_config(inbound(naming="segment_2021")).inbound.naming == EventNaming.segment_2021()

    def test_null_means_none_where_none_is_allowed(self) -> None:
        source = (
            '{"inbound": {"default_environment": null, "id_types": null, "filters": {"include": null, "types": null}}}'
        )

        assert load_config(source) == IntegrationConfig()

    def test_text_of_a_class_of_its_own_becomes_plain(self) -> None:
        config = load_config(
            {
                "inbound": {"default_environment": Tier.STAGING},
                "outbound": {"filters": {"events": {Tier.STAGING: True}}},
            }
        )

        assert type(config.inbound.default_environment) is str
        assert [type(name) for name in config.outbound.filters.events] == [str]

    def test_an_empty_list_is_not_the_same_as_none(self) -> None:
        filters = load_config(inbound(filters={"include": [], "types": []}, id_types=[])).inbound

        assert (filters.filters.include, filters.filters.types, filters.id_types) == (
            frozenset(),
            frozenset(),
            frozenset(),
        )

    def test_including_and_excluding_one_name_is_no_contradiction(self) -> None:
        assert load_config(inbound(filters={"include": ["A"], "exclude": ["A"]})).inbound.filters.exclude == {"A"}

    def test_two_rows_for_one_id_type_are_no_contradiction(self) -> None:
        rows = [{"field": "userId", "id_type": "a"}, {"field": "anonymousId", "id_type": "a"}]

        assert len(load_config(inbound(id_mappings=rows)).inbound.id_mappings) == 2


class TestProblems:
    @pytest.mark.parametrize(
        ("source", "code", "path"),
        [
            # The top.
            (b"", "not_a_table", "$"),
            (None, "not_a_table", "$"),
            ([], "not_a_table", "$"),
            ({"colour": 1}, "unknown_key", "$.colour"),
            ({"in bound": 1}, "unknown_key", '$["in bound"]'),
            ({1: 1}, "unknown_key", "$"),
            ({"inbound": None}, "not_a_table", "$.inbound"),
            ({"outbound": "x"}, "not_a_table", "$.outbound"),
            # Text.
            (inbound(default_environment=1), "wrong_type", "$.inbound.default_environment"),
            (inbound(default_environment=""), "wrong_value", "$.inbound.default_environment"),
            (inbound(default_environment=b"x"), "wrong_type", "$.inbound.default_environment"),
            (inbound(value_property=0), "wrong_type", "$.inbound.value_property"),
            (inbound(value_property=True), "wrong_type", "$.inbound.value_property"),
            (inbound(value_property=""), "wrong_value", "$.inbound.value_property"),
            (outbound(profile="fast"), "wrong_value", "$.outbound.profile"),
            (outbound(profile=None), "wrong_type", "$.outbound.profile"),
            (outbound(anonymous_id=""), "wrong_value", "$.outbound.anonymous_id"),
            # Truth values: nothing is coerced.
            (inbound(honor_integrations="false"), "wrong_type", "$.inbound.honor_integrations"),
            (inbound(honor_integrations=0), "wrong_type", "$.inbound.honor_integrations"),
            (inbound(allow_statsig_origin=None), "wrong_type", "$.inbound.allow_statsig_origin"),
            (outbound(filters={"exposures": 1}), "wrong_type", "$.outbound.filters.exposures"),
            (outbound(filters={"events": {"a": "yes"}}), "wrong_type", "$.outbound.filters.events.a"),
            # Lists.
            (inbound(id_types="companyID"), "wrong_type", "$.inbound.id_types"),
            (inbound(id_types={"companyID"}), "wrong_type", "$.inbound.id_types"),
            (inbound(id_types=["a", 1]), "wrong_type", "$.inbound.id_types[1]"),
            (inbound(filters={"exclude": None}), "wrong_type", "$.inbound.filters.exclude"),
            (inbound(filters={"include": ["a", ["b"]]}), "wrong_type", "$.inbound.filters.include[1]"),
            (inbound(filters={"types": ["track", "Page"]}), "wrong_value", "$.inbound.filters.types[1]"),
            # Tables.
            (inbound(filters=["A"]), "not_a_table", "$.inbound.filters"),
            (inbound(user_fields="ip"), "not_a_table", "$.inbound.user_fields"),
            (inbound(user_fields={"phone": "x"}), "unknown_key", "$.inbound.user_fields.phone"),
            (inbound(user_fields={"ip": ""}), "wrong_value", "$.inbound.user_fields.ip"),
            (inbound(user_fields={"ip": 1}), "wrong_type", "$.inbound.user_fields.ip"),
            (inbound(user_fields={1: "x"}), "unknown_key", "$.inbound.user_fields"),
            (outbound(filters={"events": []}), "not_a_table", "$.outbound.filters.events"),
            # Mappings.
            (inbound(id_mappings={"field": "a"}), "wrong_type", "$.inbound.id_mappings"),
            (inbound(id_mappings=["a"]), "not_a_table", "$.inbound.id_mappings[0]"),
            (inbound(id_mappings=[{"field": "a"}]), "missing_key", "$.inbound.id_mappings[0].id_type"),
            (inbound(id_mappings=[{"field": "a", "id_type": ""}]), "wrong_value", "$.inbound.id_mappings[0].id_type"),
            (inbound(id_mappings=[{"field": 1, "id_type": "b"}]), "wrong_type", "$.inbound.id_mappings[0].field"),
            (
                inbound(id_mappings=[{"field": "a", "id_type": "b", "c": 1}]),
                "unknown_key",
                "$.inbound.id_mappings[0].c",
            ),
            # Names.
            (inbound(naming="segment_2022"), "wrong_value", "$.inbound.naming"),
            (inbound(naming=1), "not_a_table", "$.inbound.naming"),
            (inbound(naming={"track": "{name}"}), "unknown_placeholder", "$.inbound.naming.track"),
            (inbound(naming={"page": "{"}), "wrong_value", "$.inbound.naming.page"),
            (inbound(naming={"group": None}), "wrong_type", "$.inbound.naming.group"),
            (inbound(naming={"_templates": {}}), "unknown_key", "$.inbound.naming._templates"),
        ],
    )
    def test_a_problem_has_its_code_and_its_path(self, source: Any, code: str, path: str) -> None:
        assert problems(source) == [(code, path)]

    @pytest.mark.parametrize(
        "source",
        [
            inbound(honor_integrations="false"),
            inbound(user_fields={"ip": ""}),
            inbound(id_types="a"),
            inbound(id_mappings=[{"field": "a", "id_type": "b"}] * 2),
            inbound(id_mappings=[{"field": "a"}]),
            inbound(naming={"page": "{"}),
            inbound(naming={"page": "{event}"}),
            inbound(default_environment=1),
            '{"inbound": {}, "inbound": {}}',
        ],
    )
    def test_a_problem_is_told_in_words(self, source: Any) -> None:
        assert [type(message) for message in messages(source)] == [str]

    def test_an_unknown_field_of_the_user_is_told_with_those_that_are_known(self) -> None:
        [message] = messages(inbound(user_fields={"phone": "x"}))

        assert [name for name in PLAIN_FIELDS if name not in message] == []

    def test_all_of_them_are_listed(self) -> None:
        source = {
            "inbound": {
                "id_mappings": [
                    {"field": 1, "id_type": ""},
                    {"field": "a", "id_type": "b"},
                    {"field": "a", "id_type": "b"},
                    "row",
                ],
                "naming": {"track": "{x}", "page": "}", "screen": 1, "grup": ""},
                "filters": {"include": "A", "types": ["trak", 1]},
            },
            "outbound": {"filters": {"events": {"statsig::diagnostics": 1, "b": None}}, "profile": "x"},
            "more": 1,
            "also": 1,
        }

        assert set(problems(source)) == {
            ("wrong_type", "$.inbound.id_mappings[0].field"),
            ("wrong_value", "$.inbound.id_mappings[0].id_type"),
            ("contradiction", "$.inbound.id_mappings[2]"),
            ("not_a_table", "$.inbound.id_mappings[3]"),
            ("unknown_placeholder", "$.inbound.naming.track"),
            ("wrong_value", "$.inbound.naming.page"),
            ("wrong_type", "$.inbound.naming.screen"),
            ("unknown_key", "$.inbound.naming.grup"),
            ("wrong_type", "$.inbound.filters.include"),
            ("wrong_value", "$.inbound.filters.types[0]"),
            ("wrong_type", "$.inbound.filters.types[1]"),
            ("wrong_type", '$.outbound.filters.events["statsig::diagnostics"]'),
            ("contradiction", '$.outbound.filters.events["statsig::diagnostics"]'),
            ("wrong_type", "$.outbound.filters.events.b"),
            ("wrong_value", "$.outbound.profile"),
            ("unknown_key", "$.also"),
            ("unknown_key", "$.more"),
        }

    def test_the_order_does_not_hang_on_chance(self) -> None:
        source = {f"key{at}": at for at in range(50)}

        assert problems(source) == [("unknown_key", f"$.{key}") for key in sorted(source)]

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("statsig::gate_exposure", "use the key exposures for these events"),
            ("statsig::holdout_exposure", "use the key exposures for these events"),
            ("statsig::config_change", "use the key config_changes for these events"),
            ("statsig::diagnostics", "these events are never exported"),
        ],
    )
    def test_statsigs_own_events_contradict_their_switches(self, name: str, told: str) -> None:
        assert problems(outbound(filters={"events": {name: True}})) == [
            ("contradiction", f'$.outbound.filters.events["{name}"]')
        ]
        assert messages(outbound(filters={"events": {name: False}})) == [told]

    def test_the_same_row_twice_is_a_contradiction(self) -> None:
        row = {"field": "anonymousId", "id_type": "a"}

        assert problems(inbound(id_mappings=[row, {"field": "x", "id_type": "y"}, row, row])) == [
            ("contradiction", "$.inbound.id_mappings[2]"),
            ("contradiction", "$.inbound.id_mappings[3]"),
        ]

    @pytest.mark.parametrize(
        ("text", "path"),
        [
            ('{"inbound": {}, "inbound": {}}', "$.inbound"),
            ('{"inbound": {"naming": {"page": "a", "track": "b", "page": "c"}}}', "$.inbound.naming.page"),
            ('{"outbound": {"filters": {"events": {"a": true, "a": true}}}}', "$.outbound.filters.events.a"),
        ],
    )
    def test_a_key_that_stands_twice_is_a_contradiction(self, text: str, path: str) -> None:
        assert problems(text) == [("contradiction", path)]

    def test_a_key_that_is_nearly_right_is_told(self) -> None:
        assert messages(inbound(default_enviroment="x")) == ["no such key; did you mean default_environment?"]
        assert messages(inbound(colour="x")) == ["no such key"]
        assert messages({1: 2}) == ["no such key; a key that is not a string"]

    def test_of_more_than_twenty_keys_none_is_guessed_at(self) -> None:
        nearly = {f"default_environment{at}": 1 for at in range(21)}

        assert messages({"inbound": nearly}) == ["no such key"] * 21
        nearly.popitem()
        assert messages({"inbound": nearly}) == ["no such key; did you mean default_environment?"] * 20

    def test_what_a_key_may_hold_is_told(self) -> None:
        assert messages(outbound(profile="x")) == ["expected documented or deliverable"]
        assert messages(inbound(filters={"types": ["x"]})) == ["expected one of track, page, screen, group, identify"]
        assert messages(inbound(naming="x")) == ['expected a table or "segment_2021"']
        assert messages(inbound(naming={"page": "{event}", "group": "{name}", "prefix": "{name}"})) == [
            "the template names an unknown placeholder; allowed: none",
            "the template names an unknown placeholder; allowed: {category}, {name}",
            "the template names an unknown placeholder; allowed: {groupId}",
        ]

    def test_the_error_is_that_of_the_first_problem_and_tells_all(self) -> None:
        with pytest.raises(ConfigError) as caught:
            load_config({"inbound": 1, "outbound": 2})

        assert (caught.value.code, caught.value.path) == ("not_a_table", "$.inbound")
        assert str(caught.value) == "$.inbound: expected a table\n$.outbound: expected a table"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None


class TestTextThatCannotBeRead:
    @pytest.mark.parametrize(
        ("text", "code", "place"),
        [
            ("a", "invalid_toml", "at end of document"),
            ("a = secret\n", "invalid_toml", "at line 1, column 5"),
            ("[a]\n[a]", "invalid_toml", "at line 2, column 3"),
            (" {}", "invalid_toml", "at line 1, column 2"),
            ("[inbound]\nid_types = [\n", "invalid_toml", "at end of document"),
            ("a = " + "[" * 100_000, "invalid_toml", "nested too deep"),
            (".".join("a" * 100_000) + " = 1", "invalid_toml", "nested too deep"),
            ("[" + " . ".join("a" * 100_000) + "]", "invalid_toml", "nested too deep"),
            ("a = " + "9" * 5_000, "invalid_toml", "a number has too many digits"),
            ("{", "invalid_json", "at line 1, column 2"),
            ('{"a":\nsecret}', "invalid_json", "at line 2, column 1"),
            ('{"a": ' + "[" * 100_000, "invalid_json", "nested too deep"),
            ('{"a": ' + "9" * 5_000 + "}", "invalid_json", "a number has too many digits"),
        ],
    )
    def test_it_is_told_where(self, text: str, code: str, place: str) -> None:
        assert problems(text) == [(code, "$")]
        assert messages(text) == [f"{CODES[code].meaning} ({place})"]

    def test_a_date_is_no_text(self) -> None:
        assert problems("[inbound]\ndefault_environment = 2026-11-03") == [
            ("wrong_type", "$.inbound.default_environment")
        ]

    def test_a_path_may_have_as_many_dots_as_anybody_means(self) -> None:
        path = ".".join("a" * 100)

        assert load_config(f'[inbound.user_fields]\nip = "{path}"').inbound.user_fields == {"ip": path}

    @pytest.mark.parametrize(("dots", "code"), [(1_000, "unknown_key"), (1_001, "invalid_toml")])
    def test_a_key_of_more_than_a_thousand_dots_is_refused_unread(self, dots: int, code: str) -> None:
        [(found, _)] = problems(".".join("a" * (dots + 1)) + " = 1")

        assert found == code

    def test_a_file_may_have_as_many_rows_with_dots_as_anybody_means(self) -> None:
        rows = "".join(f'[[inbound.id_mappings]]\nfield = "context.a{n}"\nid_type = "id{n}"\n' for n in range(1_001))

        assert len(load_config(rows).inbound.id_mappings) == 1_001


KEYS = st.sampled_from(
    (
        "inbound",
        "outbound",
        "id_mappings",
        "field",
        "id_type",
        "filters",
        "types",
        "naming",
        "events",
        "user_fields",
        "ip",
    )
)


class TestHostileSources:
    """Anything at all gives a configuration or a `ConfigError`, whose messages hold none of its values."""

    @given(hostile_values())
    def test_a_hostile_value_anywhere(self, value: Any) -> None:
        for source in (
            value,
            {"inbound": value, "outbound": value},
            inbound(**dict.fromkeys(WHOLE["inbound"], value)),
            inbound(id_mappings=[value], filters={"types": [value], "include": value}, user_fields={"ip": value}),
            outbound(**dict.fromkeys(WHOLE["outbound"], value)),
            outbound(filters={"events": {"a": value}, "exposures": value}),
        ):
            self.check(source)

    @given(st.recursive(json_values(), lambda inner: st.dictionaries(KEYS, inner, max_size=4)))
    def test_tables_of_known_keys(self, source: Any) -> None:
        self.check(source)

    @given(st.text() | st.text(alphabet='[]{}"=.#\n\\\x00\ud800ax1').map(lambda text: f"{{{text}"))
    @example('"\ud800" = 1')
    @example("[inbound]\nid_types = ['\ud800']")
    def test_any_text(self, source: str) -> None:
        self.check(source)

    def check(self, source: Any) -> None:
        issues: tuple[Issue, ...] = ()
        try:
            load_config(source)
        except ConfigError as error:
            issues = error.issues

        assert all(type(issue.message) is str for issue in issues)
        assert {issue.code for issue in issues} <= {code for code, row in CODES.items() if "ConfigError" in row.kinds}

    def test_a_table_that_holds_itself(self) -> None:
        table: dict[str, Any] = {"filters": {}}
        table["filters"]["include"] = table["naming"] = table["inbound"] = table

        assert set(problems(table)) >= {("unknown_key", "$.filters"), ("unknown_key", "$.naming")}

    def test_nesting_100_000_deep(self) -> None:
        value: Any = "x"
        for _ in range(100_000):
            value = [value]

        assert problems(inbound(id_types=value)) == [("wrong_type", "$.inbound.id_types[0]")]

    def test_a_key_that_cannot_be_printed(self) -> None:
        assert problems({10**5_000: 1, "inbound": {"user_fields": {10**5_000: "x"}}}) == [
            ("unknown_key", "$"),
            ("unknown_key", "$.inbound.user_fields"),
        ]

    def test_a_hundred_thousand_wrong_keys(self) -> None:
        assert len(problems({f"k{at}": at for at in range(100_000)})) == 100_000

    @pytest.mark.parametrize(
        "source",
        [
            inbound(default_environment=["s3cret"], filters={"types": ["s3cret"], "include": [{"a": "s3cret"}]}),
            inbound(naming="s3cret", id_mappings=["s3cret"], user_fields={"ip": ["s3cret"]}),
            inbound(naming={"track": "{s3cret}", "page": "{s3cret"}),
            outbound(profile="s3cret", filters={"events": {"a": "s3cret"}}),
            outbound(anonymous_id=date(2026, 11, 3), filters="s3cret"),
            "s3cret",
            "a = s3cret",
            '{"a": s3cret}',
            '["a (at s3cret"]\n["a (at s3cret"]',
        ],
    )
    def test_no_message_holds_a_value(self, source: Mapping[str, Any] | str) -> None:
        with pytest.raises(ConfigError) as caught:
            load_config(source)

        assert "s3cret" not in f"{caught.value} {caught.value!r} {caught.value.issues}"
        assert "2026" not in str(caught.value)


class TestFiles:
    """A `pathlib.Path` is read as UTF-8; a file that cannot be read is a problem of the configuration."""

    def problem(self, source: Any) -> tuple[str, str, str]:
        with pytest.raises(ConfigError) as refused:
            load_config(source)
        (issue,) = refused.value.issues
        return issue.code, issue.path, issue.message

    def test_one_that_is_not_there_is_named_by_the_reason_alone(self, tmp_path: Path) -> None:
        expected = ("wrong_value", "$", "the file cannot be read: No such file or directory")

        assert self.problem(tmp_path / "secret.toml") == expected

    def test_one_in_another_encoding_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_bytes('[inbound]\ndefault_environment = "\xe9"\n'.encode("latin-1"))

        assert self.problem(tmp_path / "config.toml") == ("wrong_value", "$", "the file is not in UTF-8")

    @pytest.mark.parametrize("name", ["integration.toml", "conf/integration.json", "a b.toml\n"])
    def test_the_name_of_one_as_text_is_refused_with_advice(self, name: str) -> None:
        code, path, message = self.problem(name)

        assert (code, path) == ("wrong_value", "$")
        assert message == "expected a configuration, not the name of a file; pass pathlib.Path(name)"
