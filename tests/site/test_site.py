"""The documentation as a built site: what the build itself does not check, link by link and rule by rule."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from statsig_segment.rules import RULES

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(importlib.util.find_spec("furo") is None, reason="needs the packages of the group docs"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="the playground needs npm, and there is none here"),
]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


class Page(HTMLParser):
    """A page as its tags, in order; an element is a name and its attributes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def anchors(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}

    def values(self, name: str, *, of_links: bool) -> list[str]:
        """Give an attribute of the elements that lead elsewhere, or of those that load something into the page."""
        return [
            attributes[name] for tag, attributes in self.elements if name in attributes and (tag == "a") == of_links
        ]

    def statuses(self) -> dict[str, list[str]]:
        """Give the badges below each heading, by the anchor of the section."""
        found: dict[str, list[str]] = {}
        section: list[str] = []
        for tag, attributes in self.elements:
            if tag == "section":
                section = found.setdefault(attributes["id"], [])
            classes = attributes.get("class", "").split()
            if "status" in classes:
                section += [name.removeprefix("status-") for name in classes if name.startswith("status-")]
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as continuous integration does: every broken reference is an error."""
    folder = tmp_path_factory.mktemp("site")
    html = folder / "html"
    options = ["-n", "-W", "--keep-going", "-q", "-d", f"{folder}/doctrees"]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(html)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert built.returncode == 0, built.stderr
    return html


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts}


def test_every_document_is_a_page(pages: dict[Path, Page]) -> None:
    assert {path.stem for path in DOCS.glob("*.md")} <= {path.stem for path in pages}


def test_no_page_loads_anything_from_elsewhere(pages: dict[Path, Page]) -> None:
    loaded = {
        value
        for page in pages.values()
        for name in ("src", "href", "srcset")
        for value in page.values(name, of_links=False)
    }

    assert loaded
    assert [value for value in loaded if urlsplit(value).scheme not in {"", "data"} or urlsplit(value).netloc] == []


def test_no_stylesheet_loads_anything_from_elsewhere(site: Path) -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.css")}
    loaded = {
        f"{path.name}: {address}"
        for path, text in texts.items()
        for address in re.findall(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""", text)
    }

    assert texts
    assert loaded == set()


def test_every_link_within_the_site_leads_to_something(pages: dict[Path, Page]) -> None:
    """Sphinx knows those that it made of references, not those that we or the theme made by hand."""
    anchors = {path: page.anchors() for path, page in pages.items()}
    broken: list[str] = []
    for path, page in pages.items():
        for link in chain(page.values("href", of_links=True), page.values("href", of_links=False)):
            target = urlsplit(link)
            if target.scheme or target.netloc:
                continue
            linked = (path.parent / unquote(target.path)).resolve() if target.path else path
            known = anchors.get(linked, set()) | {""}
            if not linked.is_file() or (linked in anchors and unquote(target.fragment) not in known):
                broken.append(f"{path.name}: {link}")

    assert broken == []


def test_every_picture_says_in_words_what_it_shows(pages: dict[Path, Page]) -> None:
    images = [attributes for page in pages.values() for tag, attributes in page.elements if tag == "img"]
    ours = [image for image in images if image["src"].startswith("_images/")]  # the theme's are buttons

    assert ours
    assert [image["src"] for image in ours if len(image.get("alt", "").split()) < 3] == []


def test_every_rule_shows_its_status(site: Path, pages: dict[Path, Page]) -> None:
    found = pages[site / "rules.html"].statuses()
    shown = {rule.id: found[anchor] for rule in RULES.values() for anchor in found if is_of(rule.id, anchor)}

    assert shown == {rule.id: list(rule.status) for rule in RULES.values()}


def test_the_rules_by_status_are_all_rules_once(site: Path) -> None:
    table = re.findall(r"<table.*?</table>", (site / "rules.html").read_text(encoding="utf-8"), flags=re.DOTALL)[0]
    cells = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td.*?</td>", table, flags=re.DOTALL)]
    listed = {tuple(status.split()): ids.strip().split(", ") for status, _, ids in zip(*[iter(cells)] * 3, strict=True)}

    assert {rule: status for status, rules in listed.items() for rule in rules} == {
        rule.id: rule.status for rule in RULES.values()
    }
    assert sum(int(count) for count in cells[1::3]) == len(RULES)


def is_of(rule: str, anchor: str) -> bool:
    return anchor.startswith(f"{rule.lower()}-") and not anchor.removeprefix(f"{rule.lower()}-")[:1].isdigit()
