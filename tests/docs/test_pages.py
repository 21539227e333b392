"""The reference pages say what the tables say: rules, codes and configuration, no row more and no row less."""

from __future__ import annotations

import html
import json
import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import cast

import attrs
import pytest
from tests.support.losses import LEFT_BEHIND

import statsig_segment
from statsig_segment import (
    EventNaming,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    StatsigEvent,
    load_config,
    to_log_event,
    translate,
)
from statsig_segment.cli import main
from statsig_segment.cli.commands import COMMANDS
from statsig_segment.rulebook import CODES, FAMILIES, RULES, Family

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TESTS = ROOT / "tests"

# The ids of the contract, family by family. They are stable: one that is added or dropped shows here.
COUNTS = {
    "IN": 10,
    "ID": 10,
    "US": 11,
    "FL": 8,
    "AU": 6,
    "WI": 3,
    "OU": 10,
    "TR": 5,
    "EX": 5,
    "CF": 2,
    "CO": 10,
    "CM": 7,
    "DI": 2,
    "JO": 3,
    "CL": 8,
}
IDS = tuple(f"{letters}-{number}" for letters, last in COUNTS.items() for number in range(1, last + 1))

# Rules that vectors do not show: about Python itself, and about many calls at once.
WITHOUT_VECTORS = {"IN-10", *(id_ for id_ in IDS if id_.startswith(("EX-", "CF-", "CO-", "CM-", "DI-", "JO-", "CL-")))}

# CM-5 says what a comparison is good for: docs/how_to_compare.md runs.
WITHOUT_CLASS = {"CM-5"}

# Rules whose code is not there yet. Their classes and vectors come with it, and this set goes.
PENDING = {"CM-7"}

# Prefix of a configuration key -> the model that holds it.
MODELS: dict[str, type[attrs.AttrsInstance]] = {
    "": IntegrationConfig,
    "inbound.": InboundConfig,
    "inbound.id_mappings.": IdMapping,
    "inbound.filters.": InboundFilter,
    "inbound.naming.": EventNaming,
    "outbound.": OutboundConfig,
    "outbound.filters.": OutboundFilter,
}


FAMILY = re.compile(r"^```{family} (\w+)\n```$", re.MULTILINE)
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if "_build" not in path.parts)


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def whole(path: Path) -> str:
    """Give the text of a page with the files of rules that it takes in."""
    text = path.read_text(encoding="utf-8")
    return FAMILY.sub(lambda found: page(f"rules/{found[1]}.md"), text)


def entries(name: str) -> dict[str, str]:
    """Give the third-level headings of a page, each with the text below it."""
    parts = re.split(r"^### (.*)$", page(name), flags=re.MULTILINE)[1:]
    titles = parts[::2]
    assert len(set(titles)) == len(titles), "a heading stands twice"
    return {
        title: re.split(r"^## ", text, flags=re.MULTILINE)[0] for title, text in zip(titles, parts[1::2], strict=True)
    }


def slug(heading: str) -> str:
    """Make the anchor that Markdown renderers make of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


class TestTheRuleTable:
    def test_it_holds_the_ids_of_the_contract_in_order(self) -> None:
        assert tuple(RULES) == IDS

    def test_a_rule_stands_under_its_own_id_with_title_and_summary(self) -> None:
        assert [(rule.id, bool(rule.title), rule.summary[-1:]) for rule in RULES.values()] == [
            (id_, True, ".") for id_ in RULES
        ]

    def test_a_rule_has_a_source_or_is_our_policy(self) -> None:
        assert [rule.id for rule in RULES.values() if not (rule.sources or rule.policy) or rule.policy == ""] == []

    def test_the_status_follows_from_sources_and_policy(self) -> None:
        for rule in RULES.values():
            found: set[str] = {source.status for source in rule.sources}

            assert set(rule.status) == found | ({"policy"} if rule.policy else set()), rule.id
            order = [word for word in ("documented", "observed", "policy") if word in rule.status]
            assert list(rule.status) == order, rule.id

    def test_every_source_is_a_link_and_dated_where_it_was_read(self) -> None:
        for rule in RULES.values():
            for source in rule.sources:
                assert source.title, rule.id
                assert source.url.startswith("https://"), rule.id
                assert source.read is None or date.fromisoformat(source.read) >= date(2026, 11, 1), rule.id

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(TypeError):
            RULES["IN-1"] = RULES["IN-2"]  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


class TestTheTableOfCodes:
    def test_a_code_cites_a_rule_of_ours(self) -> None:
        assert [code for code, row in CODES.items() if row.rule not in RULES] == []

    def test_a_meaning_is_a_phrase_and_advice_is_sentences(self) -> None:
        for code, row in CODES.items():
            assert not row.meaning.endswith("."), code
            for advice in filter(None, (row.advice, row.outbound_advice)):
                assert advice[0].isupper(), code
                assert advice.endswith("."), code

    def test_a_limit_shows_in_its_meaning(self) -> None:
        for row in CODES.values():
            assert row.limit is None or str(row.limit) in row.meaning or f"{row.limit // 1024} KB" in row.meaning


class TestTheRulesPage:
    @pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.slug)
    def test_a_file_has_a_heading_for_each_rule_of_its_family_in_order(self, family: Family) -> None:
        headings = re.findall(r"^## (.*)$", page(f"rules/{family.slug}.md"), flags=re.MULTILINE)

        assert headings == [rule.id for rule in family.rules]

    def test_every_file_belongs_to_a_family_and_is_on_one_page(self) -> None:
        shown = [slug for path in DOCS.glob("*.md") for slug in FAMILY.findall(path.read_text(encoding="utf-8"))]

        assert sorted(shown) == sorted(family.slug for family in FAMILIES)
        assert {path.stem for path in (DOCS / "rules").glob("*.md")} == set(shown)

    @pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.slug)
    def test_the_codes_that_a_file_names_exist(self, family: Family) -> None:
        pattern = r"`((?:custom|time|object|name|value|metadata|environment|user_field|unknown)_\w+)`"
        named = re.findall(pattern, page(f"rules/{family.slug}.md"))

        assert [code for code in named if code not in CODES and code not in ALSO_NAMES] == []


# Words of the rules pages that look like codes.
ALSO_NAMES = frozenset(
    attribute.name for model in (InboundConfig, OutboundConfig, EventNaming) for attribute in attrs.fields(model)
) | {"custom_fields", "custom_ids", "metadata_fields", "time_ms", "user_fields"}


class TestTheCodesPage:
    def test_it_shows_every_group_of_codes_once(self) -> None:
        shown = re.findall(r"^```{codes} (.*)$", page("codes.md"), flags=re.MULTILINE)

        assert shown == list(dict.fromkeys(row.group for row in CODES.values()))


class TestTheTablesOfLosses:
    def test_it_shows_what_each_direction_leaves_behind(self) -> None:
        shown = re.findall(r"^```{losses} (.*)$", page("conformance.md"), flags=re.MULTILINE)

        assert shown == list(dict.fromkeys(row.direction for row in LEFT_BEHIND))


class TestTheConfigurationPage:
    def test_it_lists_every_key_and_no_other(self) -> None:
        keys = {
            prefix + attribute.name
            for prefix, model in MODELS.items()
            for attribute in attrs.fields(model)
            if attribute.init
        }

        assert {heading.strip("`") for heading in entries("configuration.md")} == keys

    def test_a_key_has_type_default_and_rule_first(self) -> None:
        begins = re.compile(r"\n\n- Type: .+\n- Default: .+\n- Rules?: .+\n\n\S")

        assert [key for key, text in entries("configuration.md").items() if not begins.match(text)] == []

    @pytest.mark.parametrize("key", entries("configuration.md"))
    def test_the_printed_default_is_the_default(self, key: str) -> None:
        prefix, _, name = key.strip("`").rpartition(".")
        printed = re.search(r"^- Default: (.+)$", entries("configuration.md")[key], flags=re.MULTILINE)
        default = getattr(attrs.fields_dict(MODELS[f"{prefix}." if prefix else ""])[name], "default", None)

        assert printed
        if isinstance(default, bool | str):
            assert printed[1] == f"`{json.dumps(default)}`"
        else:
            assert not re.fullmatch(r"`(true|false|\".*\")`", printed[1])

    @pytest.mark.parametrize(
        "example", re.findall(r"^```toml\n(.*?)^```$", page("configuration.md"), re.DOTALL | re.MULTILINE)
    )
    def test_an_example_can_be_loaded(self, example: str) -> None:
        assert load_config(example) != IntegrationConfig()


class TestTheCommandLinePage:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_it_lists_every_option_of_a_command_and_no_other(
        self, command: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        main([command, "--help"])
        options = set(re.findall(r"--[a-z-]+\b", capsys.readouterr().out)) - {"--help"}
        section = re.split(r"^## ", page("command_line.md").partition(f"## {command}\n")[2], flags=re.MULTILINE)[0]

        assert set(re.findall(r"`(--[a-z-]+)\b", section)) - {"--jobs"} == options - {"--jobs"}
        assert ("--jobs" in options) == ("`--jobs N`" in section)


class TestThePageOfTheFiveQuestions:
    @pytest.mark.parametrize(
        "command", re.findall(r"^```shell\n(.*?)^```$", page("questions.md"), re.DOTALL | re.MULTILINE)
    )
    def test_each_of_its_commands_runs_as_pasted(
        self, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "examples").symlink_to(ROOT / "examples")
        monkeypatch.chdir(tmp_path)

        assert main(command.replace("\\\n", " ").split()[1:]) in {0, 1}


class TestTheApiPage:
    def test_it_shows_every_public_name(self) -> None:
        shown = set(
            re.findall(r"auto(?:function|class|data):: statsig_segment\.(\w+)$", page("api.md"), flags=re.MULTILINE)
        )

        assert shown == set(statsig_segment.__all__) - {"__version__"}


class TestTheDiagram:
    def test_the_picture_shows_every_label_of_its_source(self) -> None:
        labels = re.findall(r'label="(.+?)"', page("anonymous_users.dot"))
        texts = re.findall(r"<text[^>]*>(.*?)</text>", page("anonymous_users.svg"))

        assert sorted(map(html.unescape, texts)) == sorted(line for label in labels for line in label.split("\\n"))


class TestTheLinks:
    @pytest.mark.parametrize("name", PAGES)
    def test_every_link_between_pages_leads_to_a_heading(self, name: str) -> None:
        broken: list[str] = []
        text = re.sub(r"^```.*?^```$", "", page(name), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if target.startswith("http"):
                continue
            path, _, anchor = target.partition("#")
            linked = (DOCS / name).parent / path if path else DOCS / name
            if not linked.exists():
                broken.append(target)
            elif anchor:
                headings = re.findall(r"^#+ (.*)$", whole(linked), flags=re.MULTILINE)
                if anchor not in {slug(heading) for heading in headings}:
                    broken.append(target)

        assert broken == []

    def test_there_are_few_pages(self) -> None:
        """A newcomer reads a list of pages; more than this is not read."""
        assert len(list(DOCS.glob("*.md"))) <= 22

    def test_the_start_page_leads_to_every_other_page(self) -> None:
        others = {path.name for path in DOCS.glob("*.md")} - {"index.md"}

        links = re.findall(r"\]\(([\w-]+)\.md\)|^:link: (\w+)$", page("index.md"), flags=re.MULTILINE)

        assert others <= {f"{link or card}.md" for link, card in links}


class TestTheRulesAreTested:
    def test_a_class_of_properties_is_named_for_each_rule(self) -> None:
        assert [rule for rule in IDS if rule not in WITHOUT_CLASS | PENDING and not named_class(rule)] == []

    def test_a_vector_names_each_rule(self) -> None:
        assert set(IDS) - WITHOUT_VECTORS - PENDING <= vector_rules()

    def test_no_vector_names_an_unknown_rule(self) -> None:
        assert vector_rules() <= set(IDS)


def named_class(rule: str) -> bool:
    """Say whether a class of the property tests is named for a rule."""
    named = rf"^class Test{rule.replace('-', '')}(?:[A-Z]\w*)?:$"
    return re.search(named, text_of_properties(), flags=re.MULTILINE) is not None


@cache
def text_of_properties() -> str:
    """Give the text of the property tests, which have one class per rule."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((TESTS / "properties").glob("test_*.py")))


@cache
def vector_rules() -> set[str]:
    """Give the rule ids that the vectors name."""
    found: set[str] = set()
    for path in sorted((TESTS / "vectors").glob("*.json")):
        collect_rules(json.loads(path.read_text(encoding="utf-8")), found)
    return found


def collect_rules(value: object, found: set[str]) -> None:
    """Add every rule id under a key `rules`, however deep."""
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        rules = table.get("rules")
        if isinstance(rules, list):
            found.update(rule for rule in cast("list[object]", rules) if isinstance(rule, str))
        for item in table.values():
            collect_rules(item, found)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            collect_rules(item, found)


class TestTheReadme:
    TEXT = (ROOT / "README.md").read_text(encoding="utf-8")

    def test_it_says_what_its_command_prints(self, capsys: pytest.CaptureFixture[str]) -> None:
        main(
            [
                "inbound",
                str(ROOT / "examples/segment_calls.ndjson"),
                "--config",
                str(ROOT / "examples/integration.toml"),
            ]
        )
        [said] = re.findall(r"`(read \d+ = .*?)`", self.TEXT)

        assert said in capsys.readouterr().err

    def test_it_is_short(self) -> None:
        assert len(self.TEXT.splitlines()) <= 130

    @pytest.mark.parametrize("block", re.findall(r"^```text\n\$ (.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE))
    def test_a_command_shows_the_lines_below_it(
        self, block: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command, *lines = block.splitlines()
        monkeypatch.chdir(ROOT)
        monkeypatch.setenv("COLUMNS", "100")
        main(command.split()[1:])
        shown = capsys.readouterr()

        assert lines
        assert "\n".join(lines) in shown.out + shown.err

    def test_its_event_is_what_its_call_becomes(self) -> None:
        blocks = re.findall(r"^```json\n(.*?)^```$", self.TEXT, flags=re.DOTALL | re.MULTILINE)
        call, event = map(json.loads, blocks)
        mapping = {"field": "anonymousId", "id_type": "segmentAnonymousId"}
        outcome = translate(call, load_config({"inbound": {"id_mappings": [mapping]}}))

        assert isinstance(outcome, StatsigEvent)
        assert to_log_event(outcome) == event
