"""The Preview tab in a real browser: it counts a file of calls in the page, and a click on a gain counts anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.playground import NEEDS_BROWSER, PATIENCE_MS, READY

from statsig_segment import Preview, differences, load_config, preview
from statsig_segment.cli.preview_facts import Shown
from statsig_segment.cli.preview_html import preview_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER

ROOT = Path(__file__).parents[2]
SAMPLE = (ROOT / "examples" / "segment_calls.ndjson").read_text(encoding="utf-8")
CONFIG = "#pg-config .cm-content"
RESULT = "#pg-preview [data-part=result]"
ADD = f"{RESULT} .pg-add"
HOSTILE = [
    '<img src=x onerror="window.owned=1">',
    "</script><script>window.owned=1</script>",
    "a\u202eb\u0000c",
    "x" * 9000,
]
MB = 1_000_000
PAUSE_MS = 1000
"""No pause of the page is longer: it takes tens of milliseconds where it has the machine for itself."""


@pytest.fixture(scope="module")
def page(browser: Browser, site: str) -> Iterator[Page]:
    """Open the playground at its Preview tab."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY)
    page.click("#pg-tab-preview")
    yield page
    page.close()


@pytest.fixture(autouse=True)
def sample_calls(page: Page) -> None:
    """Begin each test with the sample calls and an empty configuration."""
    page.select_option("[data-part=configs]", "0")
    page.select_option("[data-part=configs]", "1")
    page.click("#pg-preview [data-part=example]")
    counted(page)


def counted(page: Page) -> None:
    """Wait until everything has been counted."""
    page.wait_for_selector(f"{RESULT}[aria-busy=false]", state="attached")


def choose(page: Page, path: Path) -> None:
    page.set_input_files("#pg-preview [data-part=file]", path)
    counted(page)


def calls_file(tmp_path: Path, *calls: object) -> Path:
    path = tmp_path / "calls.ndjson"
    path.write_text("".join(f"{json.dumps(call)}\n" for call in calls), encoding="utf-8")
    return path


def big_file(tmp_path: Path, size: int) -> tuple[Path, int]:
    """Write calls of a kilobyte each, and say how many."""
    line = json.dumps({"type": "track", "event": "E", "anonymousId": "a", "properties": {"text": "x" * 920}}) + "\n"
    path = tmp_path / "big.ndjson"
    path.write_text(line * (size // len(line)), encoding="utf-8")
    return path, size // len(line)


def figures(page: Page) -> list[int]:
    """Give what came of the calls: events, audiences, skipped, rejected."""
    return [int(text.replace(",", "")) for text in page.locator(f"{RESULT} .pg-figures strong").all_inner_texts()]


def figures_of(found: Preview) -> list[int]:
    return [found.translated, found.audiences, sum(found.skipped.values()), sum(found.rejected.values())]


def units(page: Page) -> list[tuple[str, str]]:
    rows = page.locator(f"{RESULT} .pg-section > .pg-units li").all()
    return [(row.locator("bdi").inner_text(), row.locator("strong").inner_text()) for row in rows]


def config_text(page: Page) -> str:
    """Give the whole configuration, of which the editor draws what is in view."""
    lines: list[str] = page.evaluate(
        "(selector) => document.querySelector(selector).cmTile.view.state.doc.toJSON()", CONFIG
    )
    return "\n".join(lines)


def sample_lines() -> list[str]:
    return [line for line in SAMPLE.splitlines() if line.strip()]


def test_it_shows_what_an_edit_of_the_configuration_changes(page: Page) -> None:
    changes = page.locator(f"{RESULT} section", has_text="What your edits of the configuration change")
    page.click("#pg-preview [data-part=keep]")
    counted(page)
    assert "Nothing so far, for 66 calls." in changes.inner_text()

    page.select_option("[data-part=configs]", "0")
    counted(page)
    after = load_config((ROOT / "examples" / "integration.toml").read_text(encoding="utf-8"))
    found = differences(sample_lines(), load_config(""), after)
    assert (
        f"Of 66 calls, {found.changed} change, {found.started} start and {found.stopped} stop being sent; "
        f"{found.same} stay the same."
    ) in changes.inner_text()

    page.click("#pg-preview [data-part=keep]")
    counted(page)
    assert changes.count() == 0


def test_the_sample_calls_are_counted_as_the_library_counts_them(page: Page) -> None:
    found = preview(sample_lines())

    assert figures(page) == figures_of(found)
    assert units(page)[0] == ("userID", "100 %")
    assert [name for name, _ in units(page)[1:]] == sorted(found.id_types, key=lambda n: (-found.id_types[n], n))


def test_a_file_shows_each_event_with_its_counts_and_ids(page: Page, tmp_path: Path) -> None:
    paid = {"type": "track", "event": "Paid", "userId": "u"}
    ids = {"properties": {"statsigCustomIDs": ["companyID", "c1"]}}
    choose(page, calls_file(tmp_path, paid, paid | ids, {"type": "track", "event": "Paid"}))
    (row,) = page.locator(f"{RESULT} .pg-events tbody tr").all()

    assert row.locator("> *").all_inner_texts()[:5] == ["segment::Paid", "track", "3", "2", "1"]
    assert row.locator("li").all_inner_texts() == ["userID\n100 %", "companyID\n50.0 %"]


def test_what_was_rejected_says_why_and_what_would_change_it(page: Page, tmp_path: Path) -> None:
    path = calls_file(tmp_path, {"type": "track", "event": "Paid"})
    path.write_text(path.read_text(encoding="utf-8") + "oops\n", encoding="utf-8")
    choose(page, path)
    text = page.inner_text(RESULT)

    assert figures(page) == [0, 0, 0, 2]
    assert "1 no_identifier" in text
    assert "1 invalid_json" in text
    assert "add a row to [[inbound.id_mappings]]" in text


def test_a_gain_is_said_in_a_sentence(page: Page, tmp_path: Path) -> None:
    choose(page, calls_file(tmp_path, {"type": "track", "event": "Paid", "anonymousId": "a"}, {"type": "track"}))

    assert page.inner_text(f"{RESULT} .pg-gain p") == (
        "Mapping anonymousId to segmentAnonymousId would save 1 of 2 rejected calls."
    )


def test_a_click_on_a_gain_adds_its_row_to_the_configuration(page: Page) -> None:
    page.click(f"{ADD} >> nth=0")
    page.wait_for_function("() => document.querySelector('#pg-config .cm-content').innerText.includes('anonymousId')")
    counted(page)

    assert config_text(page) == '[[inbound.id_mappings]]\nfield = "anonymousId"\nid_type = "segmentAnonymousId"\n'


def test_a_click_on_a_gain_changes_the_figures_to_those_of_the_new_configuration(page: Page) -> None:
    before = figures(page)
    page.click(f"{ADD} >> nth=0")
    page.wait_for_function("() => document.querySelector('#pg-config .cm-content').innerText.includes('anonymousId')")
    counted(page)
    found = preview(sample_lines(), load_config(config_text(page)))

    assert figures(page) == figures_of(found)
    assert figures(page)[3] < before[3]
    assert "Mapping anonymousId" not in page.inner_text(RESULT)


def test_gains_can_be_added_one_after_the_other_by_keyboard(page: Page) -> None:
    page.focus(f"{ADD} >> nth=0")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#pg-config .cm-content').innerText.includes('anonymousId')")
    counted(page)
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#pg-config .cm-content').innerText.includes('deviceID')")

    assert len(load_config(config_text(page)).inbound.id_mappings) == 2


def test_an_edit_of_the_configuration_counts_again(page: Page) -> None:
    page.click(CONFIG)
    page.keyboard.insert_text('[inbound.filters]\ntypes = ["page"]')
    counted(page)

    assert figures(page) == figures_of(preview(sample_lines(), load_config(config_text(page))))


def test_a_broken_configuration_shows_its_problem(page: Page) -> None:
    page.click(CONFIG)
    page.keyboard.insert_text("[inbound]\nfoo = 1")
    counted(page)

    assert page.inner_text(f"{RESULT} li code >> nth=0") == "unknown_key"
    assert page.inner_text("#playground [role=status]") == "The configuration has 1 problem."


@pytest.mark.parametrize("name", HOSTILE, ids=["markup", "script", "hidden characters", "long"])
def test_a_hostile_event_name_is_shown_as_text(page: Page, tmp_path: Path, name: str) -> None:
    choose(page, calls_file(tmp_path, {"type": "track", "event": name, "userId": "u"}))
    (shown,) = page.locator(f"{RESULT} .pg-events tbody th").all_inner_texts()

    plain = name.replace("\u202e", "\\u202e").replace("\0", "\\u0000")
    assert shown == (f"segment::{plain}" if len(plain) < 100 else f"segment::{plain}"[:119] + "…")
    assert page.evaluate("() => window.owned") is None
    assert page.locator(f"{RESULT} :is(img, script)").count() == 0
    assert page.evaluate("() => document.documentElement.scrollWidth") == 1280


def test_a_hostile_id_type_is_shown_as_text(page: Page, tmp_path: Path) -> None:
    ids = {"statsigCustomIDs": [HOSTILE[0], "c1"]}
    choose(page, calls_file(tmp_path, {"type": "track", "event": "E", "properties": ids}))

    assert HOSTILE[0] in dict(units(page))
    assert page.evaluate("() => window.owned") is None


TICKS = """() => {
    window.worst = 0;
    window.ticks = 0;
    let last = performance.now();
    window.ticking = setInterval(() => {
        const now = performance.now();
        window.worst = Math.max(window.worst, now - last);
        window.ticks += 1;
        last = now;
    }, 20);
}"""


def test_twenty_megabytes_do_not_block_the_page(page: Page, tmp_path: Path) -> None:
    path, lines = big_file(tmp_path, 20 * MB)
    page.evaluate(TICKS)
    page.set_input_files("#pg-preview [data-part=file]", path)
    page.wait_for_function("() => document.querySelector('#pg-preview progress').value > 0.2")
    counted(page)
    page.evaluate("() => clearInterval(window.ticking)")

    assert figures(page) == [0, 0, 0, lines]
    assert page.evaluate("() => window.ticks") > 20
    assert page.evaluate("() => window.worst") < PAUSE_MS


def test_twenty_megabytes_can_be_pasted_without_blocking_the_page(page: Page, tmp_path: Path) -> None:
    path, lines = big_file(tmp_path, 20 * MB)
    page.evaluate("(text) => { window.text = text; }", path.read_text(encoding="utf-8"))
    page.evaluate(TICKS)
    page.evaluate(
        """() => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", window.text);
            const event = new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true});
            document.querySelector("#pg-preview [data-part=text]").dispatchEvent(event);
        }"""
    )
    page.wait_for_function("() => document.querySelector('#pg-preview progress').value > 0.2")
    counted(page)
    page.evaluate("() => clearInterval(window.ticking)")

    assert figures(page) == [0, 0, 0, lines]
    assert page.input_value("#pg-preview [data-part=text]") == ""
    assert page.evaluate("() => window.worst") < PAUSE_MS


def test_another_question_is_answered_while_a_file_is_counted(page: Page, tmp_path: Path) -> None:
    path, lines = big_file(tmp_path, 20 * MB)
    page.set_input_files("#pg-preview [data-part=file]", path)
    page.wait_for_function("() => document.querySelector('#pg-preview progress').value > 0")
    page.click("#pg-tab-in")
    page.select_option("#pg-in [data-part=sample]", "3")
    page.wait_for_selector("#pg-in [data-part=result][aria-busy=false]", state="attached")

    assert page.evaluate("() => document.querySelector('#pg-preview progress').value") < 1
    assert page.get_attribute(RESULT, "aria-busy") == "true"
    page.click("#pg-tab-preview")
    counted(page)
    assert figures(page)[3] == lines


def test_a_newer_file_ends_the_count_of_an_older_one(page: Page, tmp_path: Path) -> None:
    path, _ = big_file(tmp_path, 20 * MB)
    page.set_input_files("#pg-preview [data-part=file]", path)
    page.wait_for_function("() => document.querySelector('#pg-preview progress').value > 0")
    choose(page, calls_file(tmp_path, {"type": "track", "event": "New", "userId": "u"}))
    page.wait_for_timeout(500)

    assert figures(page) == [1, 0, 0, 0]


def test_a_file_that_is_too_large_leads_to_the_command_line(page: Page, tmp_path: Path) -> None:
    path, _ = big_file(tmp_path, 21 * MB)
    choose(page, path)

    assert "up to 20 MB, and this one has 21.0 MB" in page.inner_text(RESULT)
    assert "statsig-segment preview FILE" in page.inner_text(RESULT)


def test_a_dropped_file_is_counted(page: Page) -> None:
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File(['{"type": "track", "event": "D", "userId": "u"}'], "dropped.json"));
            const event = new DragEvent("drop", {dataTransfer, bubbles: true, cancelable: true});
            document.querySelector("#pg-preview .pg-source").dispatchEvent(event);
        }"""
    )
    counted(page)

    assert figures(page) == [1, 0, 0, 0]
    assert page.inner_text("#pg-preview [data-part=name]") == "dropped.json, 1 KB"


def test_typed_calls_are_counted(page: Page) -> None:
    page.click("#pg-preview [data-part=text]")
    page.keyboard.insert_text('[{"type": "track", "event": "A", "userId": "u"}, {"type": "track"}]')
    counted(page)

    assert figures(page) == [1, 0, 0, 1]


def test_statsig_events_are_pointed_out(page: Page, tmp_path: Path) -> None:
    choose(page, calls_file(tmp_path, {"eventName": "checkout", "user": {"userID": "u"}}))

    assert "This is an event of Statsig's" in page.inner_text(RESULT)


def test_more_events_are_shown_when_asked_for(page: Page, tmp_path: Path) -> None:
    choose(page, calls_file(tmp_path, *({"type": "track", "event": f"E{n}", "userId": "u"} for n in range(25))))
    rows = page.locator(f"{RESULT} .pg-events tbody tr")
    seen = [rows.count()]
    for _ in range(2):
        page.click(f"{RESULT} .pg-events + button")
        seen.append(rows.count())

    assert seen == [10, 20, 25]
    assert not page.is_visible(f"{RESULT} .pg-events + button")


def test_the_preview_can_be_saved_as_the_page_that_the_command_writes(page: Page) -> None:
    with page.expect_download() as download:
        page.click("#pg-preview [data-part=save]")

    assert download.value.path().read_text(encoding="utf-8") == preview_page(Shown(preview(sample_lines())))


def test_screen_readers_hear_what_came_out(page: Page, tmp_path: Path) -> None:
    choose(page, calls_file(tmp_path, {"type": "track", "event": "Paid", "anonymousId": "a", "userId": "u"}))

    assert page.inner_text("#playground [role=status]") == "1 call: 1 event, 1 mapping would help."


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Browser, site: str, axe: str, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    page.click("#pg-tab-preview")
    page.select_option("[data-part=configs]", "1")
    page.wait_for_selector(f"{ADD} >> nth=0", timeout=PATIENCE_MS)
    page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run('article[role=main]')).violations")
    context.close()

    assert [(each["id"], node["target"]) for each in found for node in each["nodes"]] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Browser, site: str, tmp_path: Path, scheme: Any) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    phone = context.new_page()
    phone.goto(f"{site}/playground.html")
    phone.wait_for_selector(READY, timeout=PATIENCE_MS)
    phone.tap("#pg-tab-preview")
    choose(phone, calls_file(tmp_path, {"type": "track", "event": "x" * 500, "userId": "u", "anonymousId": "a"}))

    assert phone.evaluate("() => document.documentElement.scrollWidth") == 390
    context.close()


def test_text_survives_a_reload(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY)
    page.click("#pg-tab-preview")
    page.click("#pg-preview [data-part=text]")
    page.keyboard.insert_text('{"type": "track", "event": "Kept", "userId": "u"}')
    counted(page)
    page.reload()
    page.wait_for_selector(READY)
    counted(page)

    assert page.get_attribute("#pg-tab-preview", "aria-selected") == "true"
    assert figures(page) == [1, 0, 0, 0]
    page.close()


def test_nothing_that_is_counted_leaves_the_page(page: Page, tmp_path: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, calls_file(tmp_path, {"type": "track", "event": "Quiet", "userId": "u"}))

    assert [address for address in asked if not address.startswith(("data:", "blob:"))] == []
