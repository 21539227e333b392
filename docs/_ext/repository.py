"""Sphinx: a link to the repository on every page, from the one place where its address is set."""

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_config_value("repository", "", "html", types=frozenset({str}))
    app.connect("html-page-context", _give)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _give(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _document: object) -> None:
    context["repository"] = app.config.repository
