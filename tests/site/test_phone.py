"""The documentation on a phone: only code and tables of figures are scrolled sideways, and nothing is cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.support.playground import NEEDS_BROWSER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(path.stem for path in DOCS.glob("*.md"))
WIDE = """() => [...document.querySelectorAll("article :is(p, li, img, h1, h2, h3, dt, .table-wrapper)")]
    .filter((box) => !box.closest("#playground") && !box.closest(".table-wrapper")?.querySelector(".text-right"))
    .filter((box) => box.scrollWidth > box.clientWidth || box.getBoundingClientRect().right > innerWidth)
    .map((box) => box.textContent.trim() || box.src)"""


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, is_mobile=True)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits(phone: Page, site: str, name: str) -> None:
    phone.goto(f"{site}/{name}.html")

    assert phone.evaluate(WIDE) == []
    assert phone.evaluate("() => document.documentElement.scrollWidth") == 390


def test_a_picture_of_a_terminal_is_the_one_for_phones(phone: Page, site: str) -> None:
    phone.goto(f"{site}/questions.html")
    pictures = phone.locator("picture > img")
    shown: list[str] = pictures.evaluate_all("(images) => images.map((image) => image.currentSrc)")

    assert shown
    assert [address for address in shown if "/_static/phone/terminal_" not in address] == []


def test_a_row_of_a_wide_table_names_its_columns(phone: Page, site: str) -> None:
    phone.goto(f"{site}/index.html")
    cell = phone.locator("td[data-head='Comes from']").first

    assert cell.inner_text() == "$.event"
    assert cell.evaluate("(cell) => getComputedStyle(cell, '::before').content") == '"Comes from: "'
