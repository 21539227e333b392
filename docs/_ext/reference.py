"""Sphinx: the docstrings of this library as fields, and public names by their public place."""

import re
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import statsig_segment

_FIELD = re.compile(r"(Shape|Units|Errors|Rules|Source): ")


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("autodoc-process-docstring", _fields)
    app.connect("missing-reference", _public_place)
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
