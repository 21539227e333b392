"""Sphinx: rules and sources of docstrings as fields, and public names by their public place."""

import re
from typing import Any

import attrs
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

import statsig_segment

_FIELD = re.compile(r"^(Rules|Source): (.*(?:\n(?=\S)(?!\w+: ).*)*)", re.MULTILINE)

_GENERATED = re.compile(r"\s*=\s*(?:attr_dict\['\w+'\]\.default|NOTHING)")

_DERIVED = frozenset(
    field.name
    for model in map(vars(statsig_segment).get, statsig_segment.__all__)
    if isinstance(model, type) and attrs.has(model)
    for field in attrs.fields(model)
    if not field.init
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("autodoc-process-docstring", _fields, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", _skip_derived)
    app.connect("autodoc-process-signature", _short_signature)
    app.connect("missing-reference", _public_place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fields(_app: Sphinx, what: str, _name: str, _thing: object, _options: object, lines: list[str]) -> None:
    """Make fields of the lines that name rules and source; napoleon makes those of Args, Returns and Raises."""
    lines[:] = _FIELD.sub(_field, "\n".join(lines)).split("\n")
    if what in {"attribute", "property"}:
        # Napoleon takes a first line "this: that" for a type and its meaning; a comment above it prevents that.
        lines[:0] = ["..", ""]


def _field(found: re.Match[str]) -> str:
    return f":{found[1]}: {' '.join(found[2].split())}"


def _skip_derived(_app: Sphinx, _what: str, name: str, _thing: object, _skip: bool, _options: object) -> bool | None:  # noqa: FBT001 - the signature that Sphinx calls
    """Leave out what a model makes of its own attributes: nobody passes it, and nobody reads it."""
    return True if name in _DERIVED else None


def _short_signature(
    _app: Sphinx, what: str, _name: str, thing: Any, _options: object, signature: str | None, returns: str | None
) -> tuple[str | None, str | None] | None:
    """Write the defaults that attrs generates as dots, and nothing for a protocol, which nobody calls."""
    if what != "class" or signature is None:
        return None
    if getattr(thing, "_is_protocol", False):
        return "", returns
    return _GENERATED.sub(" = ...", signature), returns


def _public_place(app: Sphinx, _env: object, node: pending_xref, inner: nodes.Element) -> nodes.Node | None:
    """Find a model that an annotation names by its module where the API page shows it: in the package itself."""
    name = str(node.get("reftarget", "")).rpartition(".")[2]
    if name not in statsig_segment.__all__:
        return None
    domain = app.env.domains.python_domain
    return domain.resolve_xref(app.env, node["refdoc"], app.builder, "obj", f"statsig_segment.{name}", node, inner)
