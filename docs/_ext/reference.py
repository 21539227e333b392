"""Sphinx: docstrings of this house as fields, public names by their public place, ids of rules as links, badges."""

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from docutils import nodes
from sphinx.addnodes import desc_signature, pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import statsig_segment
from statsig_segment.rules import RULES

_FIELD = re.compile(r"(Shape|Units|Errors|Rules|Source): ")
_RULE = re.compile(rf"\b({'|'.join(RULES)})\b")
_STATUS = re.compile(r"(Status: )?((?:documented|observed|policy)(?:, (?:observed|policy))*)")
_UNLINKED = (nodes.title, nodes.reference, nodes.literal, nodes.FixedTextElement, nodes.raw, desc_signature)
_ANCHORS = {
    rule.id: re.sub(r"[^\w\- ]", "", f"{rule.id}: {rule.title}".lower()).replace(" ", "-") for rule in RULES.values()
}


class RulesByStatus(SphinxDirective):
    """A table of the rules by how sure we are of them, made from the rules themselves."""

    def run(self) -> list[nodes.Node]:
        """Write the table as Markdown; the ids in it become links as they do everywhere."""
        groups: dict[str, list[str]] = {}
        for rule in RULES.values():
            groups.setdefault(", ".join(rule.status), []).append(rule.id)
        rows = [f"| {status} | {len(ids)} | {', '.join(ids)} |" for status, ids in sorted(groups.items())]
        return self.parse_text_to_nodes("\n".join(("| Status | Count | Rules |", "|---|---:|---|", *rows)))


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_directive("rules-by-status", RulesByStatus)
    app.connect("autodoc-process-docstring", _fields)
    app.connect("missing-reference", _public_place)
    app.connect("doctree-resolved", _badges)
    app.connect("doctree-resolved", _link_rules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fields(_app: Sphinx, _what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Make a field list of the lines that say shape, units, errors, rules and source."""
    written: list[str] = []
    inside = False
    for line in "\n".join(lines).replace(". Source: ", ".\nSource: ").split("\n"):
        begins = _FIELD.match(line)
        if begins and not inside:
            written.append("")
        inside = bool(begins) or (inside and bool(line.strip()))
        written.append(f":{begins[1]}: {line[begins.end() :]}" if begins else f"    {line}" if inside else line)
    lines[:] = written


def _public_place(app: Sphinx, _env: object, node: pending_xref, inner: nodes.Element) -> nodes.Node | None:
    """Find a model that an annotation names by its module where the API page shows it: in the package itself."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if name not in statsig_segment.__all__:
        return None
    domain = app.env.domains.python_domain
    return domain.resolve_xref(app.env, node["refdoc"], app.builder, "obj", f"statsig_segment.{name}", node, inner)


def _badges(_app: Sphinx, document: nodes.document, _name: str) -> None:
    """Show words that say how sure we are as badges, where they stand alone; the words stay words."""
    for paragraph in document.findall(nodes.paragraph):
        told = _STATUS.fullmatch(paragraph.astext())
        if told:
            badges = [nodes.inline("", word, classes=["status", f"status-{word}"]) for word in told[2].split(", ")]
            spaced = chain.from_iterable((nodes.Text(" "), badge) for badge in badges)
            paragraph[:] = [nodes.Text((told[1] or "").rstrip()), *list(spaced)[0 if told[1] else 1 :]]


def _link_rules(app: Sphinx, document: nodes.document, name: str) -> None:
    """Make a link of every id of a rule in running text, and keep an id that is a link on one line."""
    page = app.builder.get_relative_uri(name, "rules")
    for text in [text for text in document.findall(nodes.Text) if _RULE.search(text) and not _is_within(text)]:
        text.parent.replace(text, list(_split(str(text), lambda rule: f"{page}#{_ANCHORS[rule]}")))
    for reference in document.findall(nodes.reference):
        if _RULE.fullmatch(reference.astext()):
            reference["classes"].append("rule")


def _is_within(text: nodes.Node) -> bool:
    """Tell whether text stands where no link belongs."""
    parent = text.parent
    return parent is not None and (isinstance(parent, _UNLINKED) or _is_within(parent))


def _split(text: str, address: Callable[[str], str]) -> Iterable[nodes.Node]:
    """Part text at the ids of rules, and give those as links."""
    for part in filter(None, _RULE.split(text)):
        yield nodes.reference("", part, refuri=address(part)) if part in RULES else nodes.Text(part)
