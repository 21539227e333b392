"""Sphinx: bundles the playground among the static files, and puts its page together where `{playground}` stands."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_DOCS = Path(__file__).resolve().parents[1]
_SOURCES = _DOCS / "playground"
_BUILD = _DOCS / "_build"
_STATIC = "_static/playground"

sys.path.insert(0, str(_SOURCES))
from bundle import MissingToolError, bundle  # noqa: E402 - from the folder just named


class Playground(SphinxDirective):
    """The markup of the playground, and the script that brings it to life; the page has to lie beside `_static`."""

    has_content: ClassVar[bool] = False

    def run(self) -> list[nodes.Node]:
        """Give the page as one piece of HTML."""
        self.env.note_dependency(str(_SOURCES / "fragment.html"))
        self.env.note_reread()
        modules = _static_folder() / "playground" / "modules" / "importmap.json"
        named = json.loads(modules.read_text(encoding="utf-8"))["imports"]
        imports = {name: f"./{_STATIC}/modules/{path.removeprefix('./')}" for name, path in named.items()}
        html = "\n".join(
            (
                f'<link rel="stylesheet" href="{_STATIC}/style.css">',
                f'<script type="importmap">{json.dumps({"imports": imports})}</script>',
                (_SOURCES / "fragment.html").read_text(encoding="utf-8"),
                f'<script type="module" src="{_STATIC}/main.js"></script>',
            )
        )
        return [nodes.raw("", html, format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_directive("playground", Playground)
    app.connect("builder-inited", _bundle)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _bundle(app: Sphinx) -> None:
    try:
        bundle(_static_folder() / "playground", _BUILD / "playground-cache")
    except (MissingToolError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"playground: {error}") from None  # an error of Sphinx would bury the message in a report
    app.config.html_static_path.append(str(_static_folder()))


def _static_folder() -> Path:
    return _BUILD / "playground-static"
