"""Sphinx: what the pages say about rules, codes, limits and vectors, made from the tables of the library.

The rules of a family are a file in `docs/rules` with a heading `## IN-1` for each; a page takes it in where it says
`{family} parsing`. Title, summary, status and sources of each rule are filled in. Ids of rules and codes become links
wherever they occur in text.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import attrs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from statsig_segment.rulebook import CODES, FAMILIES, RULES, Code, Family, Rule, Source

_FAMILY = re.compile(r"^```{family} (\w+)\n```$", re.MULTILINE)
_HEADING = re.compile(r"^## ([A-Z]{2}-\d+)$", re.MULTILINE)
_RULE = re.compile(rf"\b({'|'.join(sorted(RULES, key=len, reverse=True))})\b")
_UNLINKED = (nodes.title, nodes.reference, nodes.literal, nodes.FixedTextElement, nodes.raw, nodes.term)
_CLASSES = {"issue": "Issue", "skipped": "Skipped"}
_KINDS_OF_EXPORTS = {
    "event": "events",
    "change": "config changes",
    "row": "rows of events",
    "exposure": "rows of exposures",
}
_ELSEWHERE = {"configuration", "command_line"}
"""Families whose rules are on the page of the same name; the others are on the page of rules."""
_PLACES = {
    rule.id: family.slug if family.slug in _ELSEWHERE else "rules" for family in FAMILIES for rule in family.rules
}
"""Id of a rule -> its page."""


def anchor(rule: str) -> str:
    """Give the anchor of a rule on its page."""
    return rule.lower()


class RuleText(SphinxDirective):
    """Status, summary and sources of a rule."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Write them above the details that the page gives."""
        self.env.note_reread()  # the library may have changed
        rule = RULES[self.arguments[0]]
        status = nodes.paragraph("", "", *_badges(rule), classes=["rule-status"])
        return [status, nodes.paragraph("", rule.summary), *_sources(rule)]


class RulesByFamily(SphinxDirective):
    """All rules, family by family, each with its badges."""

    def run(self) -> list[nodes.Node]:
        """Write a heading-like line and a list for each family."""
        self.env.note_reread()  # the library may have changed
        return [node for family in FAMILIES for node in self._family(family)]

    def _family(self, family: Family) -> Iterator[nodes.Node]:
        page = _address(self, _PLACES[family.rules[0].id])
        link = nodes.reference("", family.title, refuri=f"{page}#{_family_anchor(family.slug)}")
        yield nodes.paragraph("", "", link, classes=["rule-family"])
        yield nodes.bullet_list("", *(_entry(rule, page) for rule in family.rules), classes=["rule-list"])


class RulesByStatus(SphinxDirective):
    """The rules by how sure we are of them."""

    def run(self) -> list[nodes.Node]:
        """Write a list with one item for each status; the ids in it become links as they do everywhere."""
        self.env.note_reread()  # the library may have changed
        groups: dict[tuple[str, ...], list[Rule]] = {}
        for rule in RULES.values():
            groups.setdefault(rule.status, []).append(rule)
        items = (
            nodes.list_item("", nodes.paragraph("", "", *_badges(rules[0]), nodes.Text(_ids(rules))))
            for _, rules in sorted(groups.items())
        )
        return [nodes.bullet_list("", *items, classes=["rules-by-status"])]


class Sources(SphinxDirective):
    """Every source once, with the rules that rest on it."""

    def run(self) -> list[nodes.Node]:
        """Write them as a list, in the order of the rules."""
        self.env.note_reread()  # the library may have changed
        rules: dict[Source, list[str]] = {}
        for rule in RULES.values():
            for source in rule.sources:
                rules.setdefault(attrs.evolve(source, part=""), []).append(rule.id)
        items = (
            nodes.list_item(
                "", nodes.paragraph("", "", *_link(source), nodes.Text(f": {', '.join(dict.fromkeys(ids))}"))
            )
            for source, ids in rules.items()
        )
        return [nodes.bullet_list("", *items)]


class Codes(SphinxDirective):
    """The codes of a group: who carries each, its rule, meaning and advice."""

    required_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Write them as a list of definitions, which fits a phone."""
        self.env.note_reread()  # the library may have changed
        rows = [(code, row) for code, row in CODES.items() if row.group == self.arguments[0]]
        if not rows:
            raise self.error(f"no group of codes is called {self.arguments[0]!r}")
        return [nodes.definition_list("", *(_code(code, row) for code, row in rows), classes=["codes"])]


class Limits(SphinxDirective):
    """The limits that a code is about."""

    def run(self) -> list[nodes.Node]:
        """Write them as a table."""
        self.env.note_reread()  # the library may have changed
        rows = [
            f"| {_sentence(row.meaning)} | {row.limit:,} | `{code}` |"
            for code, row in CODES.items()
            if row.limit and row.rule == "US-9"
        ]
        return self.parse_text_to_nodes("\n".join(("| Issue | At most | Code |", "|---|---:|---|", *rows)))


class Losses(SphinxDirective):
    """What one direction leaves behind: the field, whose it is, what happens to it, and the rule."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Write the rows of losses.toml as a table."""
        source = Path(self.env.srcdir) / "losses.toml"
        self.env.note_dependency(source)
        rows = [_loss(row) for row in tomllib.loads(source.read_text(encoding="utf-8"))[self.arguments[0]]]
        return self.parse_text_to_nodes("\n".join(("| Field | Of | What happens | Rule |", "|---|---|---|---|", *rows)))


class Vectors(SphinxDirective):
    """How many cases the test vectors have, and for how many rules and operations."""

    def run(self) -> list[nodes.Node]:
        """Count them."""
        folder = Path(self.env.srcdir).parent / "tests" / "vectors"
        rules: set[str] = set()
        operations: Counter[str] = Counter()
        for file in sorted(folder.glob("*.json")):
            if file.name != "schema.json":
                self.env.note_dependency(str(file))
                for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
                    rules.update(case["rules"])
                    operations[case["operation"]] += 1
        counts = f"There are {operations.total():,} cases for {len(rules)} rules, in {len(operations)} operations."
        return [nodes.paragraph("", counts)]


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_directive("rule", RuleText)
    app.add_directive("rules-by-family", RulesByFamily)
    app.add_directive("rules-by-status", RulesByStatus)
    app.add_directive("sources", Sources)
    app.add_directive("codes", Codes)
    app.add_directive("limits", Limits)
    app.add_directive("losses", Losses)
    app.add_directive("vectors", Vectors)
    app.connect("source-read", _insert_families)
    app.connect("doctree-resolved", _link_rules)
    app.connect("doctree-resolved", _link_codes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _insert_families(app: Sphinx, _page: str, source: list[str]) -> None:
    """Take in the files of families, one level below the page, with the rule written below each heading."""
    source[0] = _FAMILY.sub(partial(_family_text, app), source[0])


def _family_text(app: Sphinx, found: re.Match[str]) -> str:
    file = Path(app.srcdir) / "rules" / f"{found[1]}.md"
    app.env.note_dependency(str(file))
    text = _HEADING.sub(_filled, file.read_text(encoding="utf-8")).replace("](../", "](")
    return f"({_family_anchor(found[1])})=\n#{text}"


def _family_anchor(slug: str) -> str:
    return f"{slug.replace('_', '-')}-rules"


def _filled(heading: re.Match[str]) -> str:
    rule = RULES[heading[1]]
    return f"({anchor(rule.id)})=\n### {rule.title} ({rule.id})\n\n```{{rule}} {rule.id}\n```"


def _badges(rule: Rule) -> Iterator[nodes.Node]:
    for word in rule.status:
        yield nodes.inline("", word, classes=["status", f"status-{word}"])
        yield nodes.Text(" ")


def _ids(rules: list[Rule]) -> str:
    return f"{len(rules)}: {', '.join(rule.id for rule in rules)}"


def _sources(rule: Rule) -> Iterator[nodes.bullet_list]:
    lines = [list(_link(source)) for source in rule.sources]
    if rule.policy and (rule.sources or rule.policy != "all of it"):
        lines.append([nodes.Text(f"Our policy: {rule.policy}")])
    items = (nodes.list_item("", nodes.paragraph("", "", *line)) for line in lines)
    if lines:
        yield nodes.bullet_list("", *items, classes=["rule-sources"])


def _link(source: Source) -> Iterator[nodes.Node]:
    yield nodes.reference("", source.title, refuri=source.url)
    if source.part:
        yield nodes.Text(f", {source.part}")
    days = ", ".join(filter(None, (source.dated and f"of {source.dated}", source.read and f"read {source.read}")))
    yield nodes.Text(f" ({days or 'day not noted'})")


def _entry(rule: Rule, page: str) -> nodes.list_item:
    link = nodes.reference("", f"{rule.title} ({rule.id})", refuri=f"{page}#{anchor(rule.id)}")
    return nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(" "), *_badges(rule)))


def _code(code: str, row: Code) -> nodes.definition_list_item:
    term = nodes.term("", "", nodes.literal("", code), ids=[code])
    carriers = ", ".join(_CLASSES.get(kind, kind) for kind in row.kinds)
    where = nodes.paragraph("", f"{carriers} · {row.rule}", classes=["code-where"])
    advice = [row.advice, *([f"To Segment: {row.outbound_advice}"] if row.outbound_advice else [])]
    texts = [nodes.paragraph("", _sentence(row.meaning)), *(nodes.paragraph("", text) for text in advice)]
    return nodes.definition_list_item("", term, nodes.definition("", *texts, where))


def _loss(row: dict[str, Any]) -> str:
    path = row["path"]
    field = "every other field" if path == "$.*.**" else f"`{path.removeprefix('$.').removesuffix('.**')}`"
    if path.endswith(".**") and row.get("values") == "null":
        field = f"anything in {field}"
    kinds = ", ".join(_KINDS_OF_EXPORTS.get(kind, kind) for kind in row.get("kinds", ())) or "all"
    owner = f"{kinds}, profile `{row['profile']}`" if "profile" in row else kinds
    return f"| {field} | {owner} | {row['why']} | {row['rule']} |"


def _sentence(phrase: str) -> str:
    return f"{phrase[0].upper()}{phrase[1:]}."


def _address(directive: SphinxDirective, page: str) -> str:
    return directive.env.app.builder.get_relative_uri(directive.env.docname, page)


def _link_rules(app: Sphinx, document: nodes.document, name: str) -> None:
    """Make a link of every id of a rule in running text, and keep an id that is a link on one line."""

    def address(rule: str) -> str:
        return f"{app.builder.get_relative_uri(name, _PLACES[rule])}#{anchor(rule)}"

    for text in [text for text in document.findall(nodes.Text) if _RULE.search(text) and not _is_within(text)]:
        text.parent.replace(text, list(_split(str(text), address)))
    for reference in document.findall(nodes.reference):
        if _RULE.fullmatch(reference.astext()):
            reference["classes"].append("rule")


def _link_codes(app: Sphinx, document: nodes.document, name: str) -> None:
    """Make a link of every code that stands as code in running text."""
    page = app.builder.get_relative_uri(name, "codes")
    for literal in [literal for literal in document.findall(nodes.literal) if literal.astext() in CODES]:
        if not _is_within(literal):
            code = literal.astext()
            literal.replace_self(nodes.reference("", "", literal.deepcopy(), refuri=f"{page}#{code}"))


def _is_within(text: nodes.Node) -> bool:
    """Tell whether text stands where no link belongs."""
    parent = text.parent
    return parent is not None and (isinstance(parent, _UNLINKED) or _is_within(parent))


def _split(text: str, address: Callable[[str], str]) -> Iterable[nodes.Node]:
    """Split text at the ids of rules, and give those as links."""
    for part in filter(None, _RULE.split(text)):
        yield nodes.reference("", part, refuri=address(part)) if part in RULES else nodes.Text(part)
