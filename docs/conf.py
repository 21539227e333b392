"""Sphinx: the documentation as a site. Build it with `python -m sphinx -n -W --keep-going docs docs/_build/html`."""

import sys
from pathlib import Path

from statsig_segment import __version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "statsig-segment"
author = "The statsig-segment contributors"
copyright = author  # noqa: A001 - the name that Sphinx wants
version = release = __version__

# The address of the repository, once it is decided. Every page then links to it.
repository = ""

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    *("repository", "reference", "tables", "pictures", "example", "playground"),  # our own
]
exclude_patterns = ["_build", "playground", "rules"]  # a page takes in the files of rules
templates_path = ["_templates"]
source_suffix = {".md": "markdown"}
default_role = "code"  # docstrings mark code as Markdown does
highlight_language = "python"
smartquotes = False  # the tables hold options and pieces of JSON: `--json` must not become a dash
pygments_style = "default"
pygments_dark_style = "monokai"

myst_heading_anchors = 3
myst_enable_extensions = ["attrs_inline", "colon_fence"]

# What is copied runs: no prompts and no results.
copybutton_prompt_text = r">>> |\.\.\. ?"
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False

napoleon_numpy_docstring = False
autodoc_default_options = {"members": True, "undoc-members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
toc_object_entries_show_parents = "hide"
# The types of Python and of our dependencies are not looked up: the build asks no other site.
# Nor are our own type variables and private classes, or the protocol that stands for pathlib's paths.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!statsig_segment\b).*"),
    (r"py:.*", r"statsig_segment(\.\w+)*\._\w+(\.\w+)*"),
    (r"py:.*", r"statsig_segment\.configuration\.text\.TextFile"),
]

html_theme = "furo"
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/repository.html",
        "sidebar/scroll-end.html",
    ]
}
html_title = f"statsig-segment {__version__}"
html_static_path = ["_static"]
html_favicon = "_static/favicon.svg"
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#2b5fc1",
        "color-brand-content": "#2b5fc1",
        "color-documented": "#1b6e3c",
        "color-observed": "#1f5fa8",
        "color-policy": "#9a4f00",
    },
    "dark_css_variables": {
        "color-brand-primary": "#8db4ff",
        "color-brand-content": "#8db4ff",
        "color-documented": "#7fd6a0",
        "color-observed": "#8fc1ff",
        "color-policy": "#ffb866",
    },
}
