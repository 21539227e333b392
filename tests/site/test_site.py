"""The documentation as a built site: what the build itself does not check, link by link and rule by rule."""

from __future__ import annotations

import html
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from tests.support.losses import LEFT_BEHIND

from statsig_segment.rulebook import CODES, FAMILIES, RULES, Family, Rule

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(importlib.util.find_spec("furo") is None, reason="needs the packages of the group docs"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="the playground needs npm, and there is none here"),
]

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REPOSITORY = "https://code.example/statsig-segment"


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
    built = folder / "html"
    options = ["-n", "-W", "--keep-going", "-q", "-d", f"{folder}/doctrees", "-D", f"repository={REPOSITORY}"]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(built)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    assert done.returncode == 0, done.stderr
    return built


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts}


def test_every_document_is_a_page(pages: dict[Path, Page]) -> None:
    assert {path.stem for path in DOCS.glob("*.md")} <= {path.stem for path in pages}


def test_no_sentence_is_taken_for_a_type(site: Path) -> None:
    """Napoleon takes what comes before a colon in the first line of `Returns` for the type."""
    assert "Return type" not in (site / "api.html").read_text(encoding="utf-8")


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


def test_every_page_leads_to_the_repository_once_its_address_is_set(pages: dict[Path, Page]) -> None:
    assert [path for path, page in pages.items() if REPOSITORY not in page.values("href", of_links=True)] == []


@pytest.mark.parametrize("word", ["anonym", "kafka", "lambda", "webhook", "pub", "eventbridg", "playground"])
def test_the_search_finds(site: Path, word: str) -> None:
    """The index holds the stems of words, those of headings apart."""
    index = json.loads((site / "searchindex.js").read_text(encoding="utf-8").removeprefix("Search.setIndex(")[:-1])

    assert word in index["terms"].keys() | index["titleterms"].keys()


def test_the_start_page_shows_the_example_that_the_library_gives(site: Path) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "", (site / "index.html").read_text(encoding="utf-8")))

    assert '"segmentAnonymousId": "anon-7"' in text
    assert "$.user.customIDs.companyID" in text


def test_every_picture_says_in_words_what_it_shows(pages: dict[Path, Page]) -> None:
    images = [attributes for page in pages.values() for tag, attributes in page.elements if tag == "img"]
    ours = [image for image in images if image["src"].startswith("_images/")]  # the theme's are buttons

    assert ours
    assert [image["src"] for image in ours if len(image.get("alt", "").split()) < 3] == []


def test_every_rule_shows_its_status(site: Path, pages: dict[Path, Page]) -> None:
    for family in FAMILIES:
        shown = pages[site / page_of(family)].statuses()

        assert {rule.id: shown.get(rule.id.lower()) for rule in family.rules} == {
            rule.id: list(rule.status) for rule in family.rules
        }


def test_every_rule_shows_title_summary_and_sources(site: Path) -> None:
    for family in FAMILIES:
        page = (site / page_of(family)).read_text(encoding="utf-8")
        text = re.sub(r"<[^>]+>", "", page)

        for rule in family.rules:
            wanted = [f"{rule.title} ({rule.id})", rule.summary, policy_line(rule)]
            assert [part for part in wanted if escape(part) not in text] == []
            assert [source.url for source in rule.sources if f'href="{source.url}"' not in page] == []


def test_every_code_has_a_place_meaning_and_advice(site: Path, pages: dict[Path, Page]) -> None:
    text = (site / "codes.html").read_text(encoding="utf-8")

    assert CODES.keys() <= pages[site / "codes.html"].anchors()
    for row in CODES.values():
        assert escape(row.meaning[1:]) in text
        assert escape(row.advice) in text


def test_an_option_keeps_its_dashes(site: Path) -> None:
    """Typographic quotes and dashes would spoil what readers copy."""
    text = (site / "codes.html").read_text(encoding="utf-8")

    assert "--deduplicate" in text
    assert "\N{EN DASH}deduplicate" not in text


def test_no_signature_shows_how_attrs_keeps_a_default(site: Path) -> None:
    text = (site / "api.html").read_text(encoding="utf-8")

    assert "StatsigUser" in text
    assert [word for word in ("attr_dict", "NOTHING") if word in text] == []


def test_a_colon_in_the_text_of_an_attribute_makes_no_type(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "api.html").read_text(encoding="utf-8"))

    assert "such as undefined: they identify no one" in text
    assert "\nType:\n" not in text


def test_a_phone_gets_pictures_of_its_own(site: Path, pages: dict[Path, Page]) -> None:
    offered = {attributes["srcset"] for page in pages.values() for tag, attributes in page.elements if tag == "source"}

    assert offered == {f"_static/phone/{path.name}" for path in DOCS.glob("terminal_*.svg")}
    assert [address for address in offered if not (site / address).is_file()] == []


def test_everything_that_stays_behind_is_on_its_page(site: Path) -> None:
    text = (site / "conformance.html").read_text(encoding="utf-8")
    plain = re.sub(r"<[^>]+>", "", text)

    assert [row.path for row in LEFT_BEHIND if escape(row.why.replace("`", '"')) not in plain] == []
    part = text.partition('<section id="what-gets-lost-in-translation">')[2].partition('<section id="limits-of')[0]
    assert part.count("<tr") == len(LEFT_BEHIND) + len({row.direction for row in LEFT_BEHIND})


def test_the_rules_by_status_are_all_rules_once(site: Path) -> None:
    text = (site / "rules.html").read_text(encoding="utf-8")
    part = text.partition("rules-by-status")[2].partition("</ul>")[0]

    assert sorted(re.findall(r">([A-Z]{2}-\d+)<", part)) == sorted(RULES)
    assert sum(int(count) for count in re.findall(r"(\d+): ", part)) == len(RULES)


def page_of(family: Family) -> str:
    """Give the page that shows the rules of a family: the two about files and options are with those."""
    return f"{family.slug}.html" if family.slug in {"configuration", "command_line"} else "rules.html"


def policy_line(rule: Rule) -> str:
    """Give what the page says of our own choice, unless the badge says it all."""
    return f"Our policy: {rule.policy}" if rule.policy and (rule.sources or rule.policy != "all of it") else ""


def escape(text: str) -> str:
    """Write text as the site does: its quotes become typographic, so only what has none is looked for."""
    return max(re.split(r"[\"']|\.\.\.|--", html.escape(text, quote=False)), key=len)
