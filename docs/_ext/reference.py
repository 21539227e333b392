"""Sphinx: docstrings of this house as fields with links to the rules, public names by their public place, badges."""

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

import statsig_segment
from statsig_segment.rules import RULES

_FIELD = re.compile(r"(Shape|Units|Errors|Rules|Source): ")
_RULE = re.compile(r"\b(?:IN|ID|US|FL|AU|WI|OU|TR)-\d+\b")
_STATUS = re.compile(r"Status: ((?:documented|observed|policy)(?:, (?:observed|policy))*)")
_SLUGS = {
    rule.id: re.sub(r"[^\w\- ]", "", f"{rule.id}: {rule.title}".lower()).replace(" ", "-") for rule in RULES.values()
}


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("autodoc-process-docstring", _fields)
    app.connect("missing-reference", _public_place)
    app.add_transform(Badges)
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
        text = f":{begins[1]}: {line[begins.end() :]}" if begins else f"    {line}" if inside else line
        written.append(_RULE.sub(_link, text) if inside else text)
    lines[:] = written


def _link(found: re.Match[str]) -> str:
    return f"`{found[0]} <rules.html#{_SLUGS[found[0]]}>`__" if found[0] in _SLUGS else found[0]


def _public_place(app: Sphinx, _env: object, node: pending_xref, inner: nodes.Element) -> nodes.Node | None:
    """Find a model that an annotation names by its module where the API page shows it: in the package itself."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if name not in statsig_segment.__all__:
        return None
    domain = app.env.domains.python_domain
    return domain.resolve_xref(app.env, node["refdoc"], app.builder, "obj", f"statsig_segment.{name}", node, inner)


class Badges(SphinxTransform):
    """Show the status of a rule as badges; the words stay words."""

    default_priority = 500

    def apply(self, **_: Any) -> None:
        """Replace the text after `Status:` in the lists of rules."""
        for paragraph in self.document.findall(nodes.paragraph):
            told = _STATUS.fullmatch(paragraph.astext())
            if told:
                badges = [nodes.inline("", word, classes=["status", f"status-{word}"]) for word in told[1].split(", ")]
                spaced = [part for badge in badges for part in (badge, nodes.Text(" "))]
                paragraph[:] = [nodes.Text("Status: "), *spaced[:-1]]
