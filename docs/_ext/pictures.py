"""Sphinx: a phone gets pictures of a terminal that are drawn for it, with letters as large as those of code."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.connect("doctree-resolved", _offer_narrow)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _offer_narrow(_app: Sphinx, document: nodes.document, _name: str) -> None:
    """Put each picture of a terminal into an element that holds the one for phones as well."""
    for image in [image for image in document.findall(nodes.image) if image["uri"].startswith("terminal_")]:
        source = f'<source media="(max-width: 40em)" srcset="_static/phone/{image["uri"]}">'
        opening, closing = f"<picture>{source}", "</picture>"
        image.replace_self([nodes.raw("", opening, format="html"), image, nodes.raw("", closing, format="html")])
