"""The playground in a real browser: it gives what the library gives, and nothing that is typed leaves the page."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_segment import StatsigEvent, load_config, to_log_event, translate_many
from statsig_segment.outbound import export_many

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium here"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="the playground is put together with npm"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="needs the group browser"),
]

ROOT = Path(__file__).parents[2]
CONFIG = (ROOT / "examples" / "integration.toml").read_text(encoding="utf-8")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
READY = "#playground[data-ready=true]"
FIELD = "#pg-in [role=option]"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        """Say nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the built site: the one that the environment names, else one that is built here."""
    built = os.environ.get("SITE")
    if built is None:
        built = str(tmp_path_factory.mktemp("site"))
        command = [sys.executable, "-m", "sphinx", "-n", "-W", "-q", str(ROOT / "docs"), built]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own documentation
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=built))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where it is installed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Collect the addresses that the page asks for."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, site: str, asked: list[str]) -> Page:
    """Open the playground, and wait until it has translated its first sample."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY, timeout=60_000)
    return page


@pytest.fixture(autouse=True)
def first_tab(page: Page) -> None:
    """Begin each test with the first tab and the configuration of the examples."""
    page.click("#pg-tab-in")
    page.select_option("[data-part=configs]", "0")


def load(page: Page, way: str, at: int) -> str:
    """Choose a sample, wait for its answer, and give its text."""
    page.evaluate("(way) => { document.querySelector(`#${way} [data-part=timing]`).textContent = ''; }", way)
    page.select_option(f"#{way} [data-part=sample]", str(at))
    page.wait_for_function("(way) => document.querySelector(`#${way} [data-part=timing]`).textContent !== ''", arg=way)
    samples: dict[str, Any] = page.evaluate("() => fetch('_static/playground/samples.json').then((s) => s.json())")
    text: str = samples["calls" if way == "pg-in" else "exports"][at]["text"]
    return text


def write(page: Page, way: str, text: str) -> None:
    """Replace the input by hand, and wait for the answer."""
    page.click(f"#{way} [data-part=source] .cm-content")
    page.keyboard.press("Control+A")
    page.evaluate("(way) => { document.querySelector(`#${way} [data-part=timing]`).textContent = ''; }", way)
    page.keyboard.insert_text(text)
    page.wait_for_function("(way) => document.querySelector(`#${way} [data-part=timing]`).textContent !== ''", arg=way)


def shown(page: Page, way: str) -> list[Any]:
    """Give the values that the page shows, read as JSON."""
    texts: list[str] = page.evaluate(
        """(way) => [...document.querySelectorAll(`#${way} .pg-lines`)].map((box) =>
            [...box.querySelectorAll(".pg-text")].map((line) => line.textContent).join("\\n"))""",
        way,
    )
    return [json.loads(text) for text in texts]


def count(page: Page, way: str) -> int:
    options: int = page.evaluate(
        "(way) => document.querySelectorAll(`#${way} [data-part=sample] option:not([hidden])`).length", way
    )
    return options


def test_every_sample_call_becomes_what_the_library_makes_of_it(page: Page) -> None:
    config, events = load_config(CONFIG), 0
    for at in range(count(page, "pg-in") - 1):  # the last is a whole body
        call = json.loads(load(page, "pg-in", at))
        (outcome,) = translate_many([call], config)
        if isinstance(outcome, StatsigEvent):
            assert shown(page, "pg-in") == [to_log_event(outcome)]
            events += 1
    assert events == 40


def test_every_sample_export_becomes_what_the_library_makes_of_it(page: Page) -> None:
    page.click("#pg-tab-out")
    config, tracks = load_config(CONFIG), 0
    for at in range(count(page, "pg-out") - 1):
        (outcome,) = export_many([json.loads(load(page, "pg-out", at))], config)
        if isinstance(outcome, dict):
            assert shown(page, "pg-out") == [outcome]
            tracks += 1
    assert tracks > 10


def test_a_field_lights_up_its_source_and_tells_its_rule(page: Page) -> None:
    load(page, "pg-in", 0)
    page.hover(f"{FIELD} >> nth=0")
    why = page.inner_text("#pg-in [data-part=why]")

    assert "US-5" in why
    assert "policy" in why or "documented" in why
    assert page.locator("#pg-in .cm-content .pg-lit, #pg-in .cm-content [class*=light]").count() > 0


def test_fields_can_be_reached_by_keyboard_alone(page: Page) -> None:
    load(page, "pg-in", 0)
    page.focus(f"{FIELD} >> nth=0")
    first = page.inner_text("#pg-in [data-part=why]")
    page.keyboard.press("ArrowDown")

    assert page.inner_text("#pg-in [data-part=why]") != first


def test_tabs_follow_the_arrow_keys(page: Page) -> None:
    page.focus("#pg-tab-in")
    page.keyboard.press("ArrowRight")

    assert page.get_attribute("#pg-tab-out", "aria-selected") == "true"
    assert page.is_visible("#pg-out")
    assert not page.is_visible("#pg-in")


@pytest.mark.parametrize("text", ["{", "[]]", "7", '{"type": "alias"}', '{"type": "track"}'])
def test_what_is_wrong_has_a_code_and_no_traceback(page: Page, text: str) -> None:
    write(page, "pg-in", text)

    result = page.inner_text("#pg-in [data-part=result]")

    assert "Traceback" not in result
    assert page.locator("#pg-in .pg-card.rejected code").count() > 0


def test_a_link_carries_the_input(page: Page, browser: Browser) -> None:
    call = {"type": "track", "event": "From A Link", "userId": "u-é🚶"}
    write(page, "pg-in", json.dumps(call, ensure_ascii=False))
    page.click("#pg-in [data-part=link]")
    page.wait_for_function("() => location.hash.startsWith('#play=')")

    other = browser.new_page()
    other.goto(page.url)
    other.wait_for_selector(READY, timeout=60_000)

    assert shown(other, "pg-in")[0]["eventName"] == "segment::From A Link"
    assert shown(other, "pg-in")[0]["user"]["userID"] == "u-é🚶"
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Browser, site: str, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
    phone = context.new_page()
    phone.goto(f"{site}/playground.html")
    phone.wait_for_selector(READY, timeout=60_000)

    assert phone.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_nothing_was_asked_of_another_origin_and_nothing_after_loading(page: Page, site: str, asked: list[str]) -> None:
    assert asked
    assert [address for address in asked if not address.startswith((site, "data:", "blob:"))] == []
    before = len(asked)
    write(page, "pg-in", '{"type": "track", "event": "Quiet", "userId": "u-1"}')
    assert asked[before:] == []
