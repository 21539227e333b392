"""The playground in a real browser: it gives what the library gives, and nothing that is typed leaves the page."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.request import urlopen

import attrs
import pytest
from tests.support.playground import NEEDS_BROWSER, PATIENCE_MS, READY

from statsig_segment import (
    AudienceUpdate,
    Explanation,
    Rejected,
    Skipped,
    StatsigEvent,
    explain,
    explain_export,
    load_config,
    split_segment_batch,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    translate,
    translate_many,
)
from statsig_segment.rulebook.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from playwright.sync_api import Browser, Page

pytestmark = NEEDS_BROWSER

ROOT = Path(__file__).parents[2]
CONFIG = (ROOT / "examples" / "integration.toml").read_text(encoding="utf-8")
CONFIGURED = load_config(CONFIG)
Samples: TypeAlias = dict[str, list[dict[str, str]]]
LOADED = "all that came before was asked for while the page loaded"
FIELD = "#pg-in [role=option]"


@pytest.fixture(scope="module")
def asked() -> list[str]:
    """Collect the addresses that the page asks for."""
    return []


@pytest.fixture(scope="module")
def page(browser: Browser, site: str, asked: list[str]) -> Page:
    """Open the playground, and wait until it has translated its first sample."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    asked.append(LOADED)
    return page


@pytest.fixture(autouse=True)
def first_tab(page: Page) -> None:
    """Begin each test with the first tab, the configuration of the examples, and every choice as it was."""
    page.click("#pg-tab-in")
    page.evaluate(
        "() => document.querySelectorAll('[data-part=option]').forEach((each) => { each.selectedIndex = 0; })"
    )
    page.select_option("[data-part=configs]", "0")


@pytest.fixture(scope="module")
def samples(site: str) -> Samples:
    """Read the samples that the page offers."""
    with urlopen(f"{site}/_static/playground/samples.json") as answer:  # noqa: S310 - our own server
        found: Samples = json.load(answer)
    return found


@contextmanager
def answered(page: Page, way: str) -> Generator[None]:
    """Wait until what is done inside has been translated."""
    yield
    page.wait_for_selector(f"#{way} [data-part=result][aria-busy=false]", state="attached")


def load(page: Page, way: str, at: int) -> None:
    """Choose a sample, and wait for its answer."""
    with answered(page, way):
        page.select_option(f"#{way} [data-part=sample]", str(at))


def write(page: Page, way: str, text: str) -> None:
    """Replace the input by hand, and wait for the answer."""
    page.click(f"#{way} [data-part=source] .cm-content")
    page.keyboard.press("Control+A")
    with answered(page, way):
        page.keyboard.insert_text(text)


def shown(page: Page, way: str) -> list[Any]:
    """Give the values that the page shows, read as JSON."""
    texts: list[str] = page.evaluate(
        """(way) => [...document.querySelectorAll(`#${way} .pg-lines`)].map((box) =>
            [...box.querySelectorAll(".pg-text")].map((line) => line.textContent).join("\\n"))""",
        way,
    )
    return [json.loads(text) for text in texts]


def codes(page: Page, way: str) -> list[str]:
    """Give the codes that the page shows: of what is wrong as a whole, then of the issues."""
    return page.locator(f"#{way} .pg-card h3 code, #{way} .pg-card li > code:first-child").all_inner_texts()


def why(page: Page) -> str:
    return page.inner_text("#pg-in [data-part=why]")


def expected(outcome: StatsigEvent | AudienceUpdate | Skipped | Rejected) -> tuple[list[Any], list[str]]:
    """Give what the library makes of a call: the values, and the codes."""
    if isinstance(outcome, Skipped):
        return [], [outcome.reason]
    if isinstance(outcome, Rejected):
        return [], [outcome.error.code]
    issues = [issue.code for issue in outcome.issues]
    if isinstance(outcome, StatsigEvent):
        return [to_log_event(outcome)], issues
    wire = {
        "idList": outcome.id_list,
        "member": outcome.member,
        "userID": outcome.user_id,
        "customIDs": dict(outcome.custom_ids),
        "time": outcome.time_ms,
    }
    return [{name: value for name, value in wire.items() if value is not None and value != {}}], issues


def test_every_sample_call_becomes_what_the_library_makes_of_it(page: Page, samples: Samples) -> None:
    lines = (ROOT / "examples" / "segment_calls.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(samples["calls"]) == len(lines) + 1  # and one whole body
    seen: set[type] = set()
    for at, sample in enumerate(samples["calls"][:-1]):
        load(page, "pg-in", at)
        (outcome,) = translate_many([json.loads(sample["text"])], CONFIGURED)
        assert (shown(page, "pg-in"), codes(page, "pg-in")) == expected(outcome), sample["title"]
        seen.add(type(outcome))
    assert seen == {StatsigEvent, AudienceUpdate, Skipped, Rejected}


def test_a_sample_is_a_line_of_the_examples(samples: Samples) -> None:
    lines = (ROOT / "examples" / "segment_calls.ndjson").read_text(encoding="utf-8").splitlines()
    for sample in samples["calls"][:-1]:
        number = int(sample["title"].partition(".")[0])
        assert repr(json.loads(sample["text"])) == repr(json.loads(lines[number - 1]))  # NaN equals its own text alone


def test_a_whole_batch_becomes_what_the_library_makes_of_it(page: Page, samples: Samples) -> None:
    load(page, "pg-in", len(samples["calls"]) - 1)
    outcomes = [
        expected(each) for each in translate_many(split_segment_batch(samples["calls"][-1]["text"]), CONFIGURED)
    ]

    assert shown(page, "pg-in") == [value for values, _ in outcomes for value in values]
    assert codes(page, "pg-in") == [code for _, codes in outcomes for code in codes]


@pytest.mark.parametrize("profile", ["", "documented", "deliverable"])
def test_every_sample_export_becomes_what_the_library_makes_of_it(page: Page, samples: Samples, profile: str) -> None:
    page.click("#pg-tab-out")
    page.select_option("#pg-out [data-part=option]", profile)
    outbound = CONFIGURED.outbound
    config = attrs.evolve(CONFIGURED, outbound=attrs.evolve(outbound, profile=profile or outbound.profile))
    for at, sample in enumerate(samples["exports"]):
        load(page, "pg-out", (at + 1) % len(samples["exports"]))
        load(page, "pg-out", at)
        explained = [explain_export(each, config) for each in split_statsig_export(sample["text"])]
        outcomes = [each.result for each in explained]
        assert shown(page, "pg-out") == [each for each in outcomes if isinstance(each, dict)], sample["title"]
        assert codes(page, "pg-out") == [code for each in explained for code in export_codes(each)]


def export_codes(explained: Explanation[Any]) -> list[str]:
    """Give the codes of an export: why nothing leaves, or its issues."""
    if isinstance(explained.result, Skipped):
        return [explained.result.reason]
    if isinstance(explained.result, Rejected):
        return [explained.result.error.code]
    return [issue.code for issue in explained.issues]


def request_of(event: StatsigEvent) -> Any:
    return to_log_event_request([event])


@pytest.mark.parametrize(
    ("form", "write_form"),
    [("webhook", to_event_webhook), ("request", request_of)],
)
def test_other_forms_are_those_of_the_library(
    page: Page, samples: Samples, form: str, write_form: Callable[[StatsigEvent], Any]
) -> None:
    load(page, "pg-in", 1)
    load(page, "pg-in", 0)
    with answered(page, "pg-in"):
        page.select_option("#pg-in [data-part=option]", form)
    event = translate(samples["calls"][0]["text"], CONFIGURED)
    assert isinstance(event, StatsigEvent)

    assert shown(page, "pg-in") == [write_form(event)]
    assert page.locator(FIELD).count() == len(explain(samples["calls"][0]["text"], CONFIGURED).rows) + 2 * (
        form == "request"  # the two fields that say who sends
    )


def test_every_field_shows_the_source_and_the_rule_that_the_library_gives(page: Page, samples: Samples) -> None:
    load(page, "pg-in", 0)
    rows = explain(samples["calls"][0]["text"], CONFIGURED).rows
    by_target = {row.target: row for row in rows}
    assert page.locator(FIELD).count() == len(rows)
    for field in page.locator(FIELD).all():
        field.focus()
        text = why(page)
        row = by_target[text.partition(" = ")[0]]
        rule = RULES[row.rule]
        assert f"{rule.id} {rule.title}" in text
        assert [
            word.replace("our ", "") for word in page.locator("#pg-in .pg-why .pg-badge").all_inner_texts()
        ] == list(rule.status)
        assert (f"From {row.source}:" in text) if row.source else ("Not from the input" in text)


def test_it_says_why_an_id_is_missing_and_a_click_adds_the_mapping(page: Page) -> None:
    """The question that the README begins with: one's own call starts from an empty configuration."""
    call = {"type": "track", "event": "E", "userId": "u", "context": {"groupId": "g-1"}}
    paste(page, "pg-in", json.dumps(call))

    assert page.input_value("[data-part=configs]") == "1"
    assert "$.context.groupId holds an ID that nothing reads. To send it as companyID, add:" in why(page)

    page.press("#pg-in .pg-why .pg-add", "Enter")
    page.wait_for_function("() => document.querySelector('#pg-in .pg-lines').textContent.includes('companyID')")
    assert page.evaluate("() => document.activeElement.closest('.pg-why') !== null")  # not lost

    assert shown(page, "pg-in")[0]["user"]["customIDs"] == {"companyID": "g-1"}
    paste(page, "pg-in", json.dumps(call | {"context": {"group_id": "g-1"}}))
    assert "companyID is missing: $.context.groupId is absent (did you mean $.context.group_id?)." in why(page)


def test_equal_answers_about_many_calls_are_given_once(page: Page) -> None:
    call = {"type": "track", "event": "E", "anonymousId": "a"}
    paste(page, "pg-in", "\n".join(map(json.dumps, [call, call | {"userId": "u"}, call])))

    assert why(page).count("userID is missing: $.userId is absent. (in 2 of 3)") == 1


def test_the_setting_that_skipped_a_call_leads_to_its_section(page: Page, site: str) -> None:
    paste(page, "pg-in", '{"type": "track", "event": "E", "userId": "u", "context": {"library": {"name": "statsig"}}}')
    link = page.locator("#pg-in .pg-reason a", has_text="inbound.allow_statsig_origin")
    path, _, anchor = str(link.get_attribute("href")).partition("#")

    with urlopen(f"{site}/{path}") as answer:  # noqa: S310 - our own server
        assert f'id="{anchor}"' in answer.read().decode()


def test_the_way_back_is_explained_field_by_field(page: Page) -> None:
    export = {"eventName": "checkout", "user": {"email": "a@example.com"}}
    page.click("#pg-tab-out")
    paste(page, "pg-out", json.dumps(export))
    rows = explain_export(export).rows
    fields = page.locator("#pg-out [role=option]")
    panel = page.locator("#pg-out .pg-why")

    assert fields.count() == len(rows)
    assert "userId is missing: $.userID is absent; $.user.userID is absent." in panel.inner_text()
    for field, row in zip(fields.all(), rows, strict=True):
        field.focus()
        assert panel.inner_text().startswith(f"{row.target} = ")
        assert (f"From {row.source}:" if row.source else "Not from the input") in panel.inner_text()


def test_pointing_at_a_field_lights_up_its_very_source(page: Page) -> None:
    call = '{"type": "track", "event": "E", "userId": "u", "properties": {"cart value": "one", "cart": {"value": 2}}}'
    write(page, "pg-in", call)
    page.hover(f'{FIELD}:has-text("cart value")')

    assert "".join(page.locator("#pg-in .cm-content .pg-lit").all_inner_texts()) == '"cart value": "one"'

    page.hover("#pg-tab-in")

    assert page.locator("#pg-in .cm-content .pg-lit").count() == 0


def test_a_chosen_field_stays_lit_and_leads_to_its_source(page: Page) -> None:
    load(page, "pg-in", 1)
    page.click(f'{FIELD}:has-text("eventName")')
    page.click('#pg-in .pg-why button:has-text("Go there")')

    assert page.evaluate("() => document.activeElement.closest('#pg-in [data-part=source]') !== null")
    assert page.evaluate("() => getSelection().toString()") != ""


def test_an_issue_is_marked_where_it_is(page: Page) -> None:
    write(page, "pg-in", '{"type": "track", "event": "E", "userId": "u", "properties": {"statsigCustomIDs": "none"}}')

    assert codes(page, "pg-in") == ["custom_ids_not_array"]
    assert "".join(page.locator("#pg-in .cm-content .pg-issue").all_inner_texts()) == '"statsigCustomIDs": "none"'


def test_fields_can_be_reached_by_keyboard_alone(page: Page) -> None:
    load(page, "pg-in", 1)
    page.focus(f"{FIELD} >> nth=0")
    seen = [why(page)]
    for key in ("ArrowDown", "End", "Home"):
        page.keyboard.press(key)
        seen.append(why(page))

    assert len(set(seen)) == 3
    assert seen[0] == seen[3]
    page.keyboard.press("Enter")
    assert page.locator(f"{FIELD}[aria-selected=true]").count() == 1
    page.keyboard.press("Escape")
    assert page.locator(f"{FIELD}[aria-selected=true]").count() == 0


def test_every_rule_leads_to_its_section(page: Page, site: str) -> None:
    load(page, "pg-in", 0)
    links: set[str] = set()
    for field in page.locator(FIELD).all():
        field.focus()
        links.add(str(page.get_attribute("#pg-in .pg-why a.pg-rule", "href")))

    assert len(links) > 8
    for link in links:
        path, _, anchor = link.partition("#")
        with urlopen(f"{site}/{path}") as answer:  # noqa: S310 - our own server
            assert f'id="{anchor}"' in answer.read().decode()


@pytest.mark.parametrize(("key", "chosen"), [("ArrowRight", "out"), ("ArrowLeft", "preview"), ("End", "preview")])
def test_tabs_follow_the_arrow_keys(page: Page, key: str, chosen: str) -> None:
    page.focus("#pg-tab-in")
    page.keyboard.press(key)

    assert page.get_attribute(f"#pg-tab-{chosen}", "aria-selected") == "true"
    assert page.evaluate("() => document.activeElement.id") == f"pg-tab-{chosen}"
    assert page.is_visible(f"#pg-{chosen}")
    assert not page.is_visible("#pg-in")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid_json"),
        ("[]]", "invalid_json"),
        ("7", "not_an_object"),
        ('{"type": "video"}', "unsupported_type"),
        ('{"type": "track"}', "missing_event"),
        ('{"batch": 1}', "batch_not_array"),
    ],
)
def test_what_is_wrong_has_a_code_and_no_traceback(page: Page, text: str, code: str) -> None:
    write(page, "pg-in", text)

    assert codes(page, "pg-in") == [code]
    assert "Traceback" not in page.inner_text("#playground")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[inbound", ["invalid_toml"]),
        ("{", ["invalid_json"]),
        ("[inbound]\nfoo = 1\nvalue_property = 3", ["wrong_type", "unknown_key"]),
    ],
)
def test_every_problem_of_a_configuration_has_a_code(page: Page, text: str, problems: list[str]) -> None:
    load(page, "pg-in", 0)
    page.click(".pg-config .cm-content")
    page.keyboard.press("Control+A")
    with answered(page, "pg-in"):
        page.keyboard.insert_text(text)

    assert codes(page, "pg-in") == problems
    assert "Traceback" not in page.inner_text("#playground")


def test_screen_readers_hear_what_comes_out(page: Page) -> None:
    write(page, "pg-in", '{"type": "identify", "userId": "u"}')

    assert page.inner_text("#playground [role=status]") == "1 skipped."


def paste(page: Page, way: str, text: str) -> None:
    """Replace the input as a paste does, which is quick for a large text, and wait for the answer."""
    page.click(f"#{way} [data-part=source] .cm-content")
    page.keyboard.press("Control+A")
    with answered(page, way):
        page.evaluate(
            """([way, text]) => {
                const clipboardData = new DataTransfer();
                clipboardData.setData("text/plain", text);
                const event = new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true});
                document.querySelector(`#${way} [data-part=source] .cm-content`).dispatchEvent(event);
            }""",
            [way, text],
        )


def test_each_line_of_ndjson_is_a_call_of_its_own(page: Page) -> None:
    paste(page, "pg-in", '{"type": "track", "event": "A", "userId": "u"}\n\n{"type": "track"}\noops\n')

    assert [value["eventName"] for value in shown(page, "pg-in")] == ["segment::A"]
    assert codes(page, "pg-in") == ["missing_event", "invalid_json"]
    assert "line 4, column 1" in page.inner_text("#pg-in [data-part=result]")
    assert page.inner_text("#playground [role=status]") == "2 rejected, 1 event."


def test_an_issue_in_ndjson_is_marked_on_its_own_line(page: Page) -> None:
    calls = [{"type": "track", "event": "A", "userId": "u", "anonymousId": value} for value in ("a", True)]
    paste(page, "pg-in", "\n".join(map(json.dumps, calls)))

    assert "".join(page.locator("#pg-in .cm-content .pg-issue").all_inner_texts()) == '"anonymousId": true'


def test_broken_json_is_marked_where_it_breaks(page: Page) -> None:
    paste(page, "pg-in", '{\n  "type": "track",\n  "event": é\n}')

    assert "line 3, column 12" in page.inner_text("#pg-in [data-part=result]")
    assert page.locator("#pg-in .cm-content .pg-issue").all_inner_texts() == ["é"]


@pytest.mark.parametrize(
    ("way", "other", "text"),
    [
        ("pg-in", "pg-out", '{"data": [{"eventName": "checkout", "userID": "u"}]}'),
        ("pg-in", "pg-out", '{"event_name": "checkout", "user_id": "u"}'),
        ("pg-out", "pg-in", '{"batch": [{"type": "track", "event": "A", "userId": "u"}]}'),
    ],
)
def test_input_of_the_other_direction_moves_there(page: Page, way: str, other: str, text: str) -> None:
    page.click(f"#pg-tab-{way.removeprefix('pg-')}")
    with answered(page, other):
        paste(page, way, text)
        page.wait_for_selector(f"#{other}:not([hidden])")

    assert page.inner_text(f"#{other} [data-part=source] .cm-content") == text
    assert len(shown(page, other)) == 1
    page.wait_for_function(
        "() => document.querySelector('#playground [role=status]').textContent.includes('direction was switched')"
    )


def test_characters_that_cannot_be_seen_are_shown_as_marks(page: Page) -> None:
    call = {"type": "track", "event": "a\u202eb\u0007", "userId": "u"}
    paste(page, "pg-in", json.dumps(call, ensure_ascii=False).replace("\\u0007", "\\u0007"))

    assert page.locator("#pg-in [data-part=source] .cm-specialChar").count() == 1
    assert "\\u202e" in page.inner_text("#pg-in [data-part=result]")
    assert "\u202e" not in page.inner_text("#pg-in [data-part=result]")


def test_five_megabytes_show_their_first_calls_at_once_and_leave_the_page_quick(page: Page) -> None:
    line = json.dumps({"type": "track", "event": "E", "userId": "u", "properties": {"text": "x" * 900}})
    paste(page, "pg-in", "\n".join([line] * 5_200))

    assert page.inner_text("#playground [role=status]") == "5200 events."
    assert 0 < page.locator("#pg-in .pg-card").count() < 100
    typing = page.evaluate("""async () => {
        const begin = performance.now();
        document.querySelector("#pg-in [data-part=option]").focus();
        await new Promise(requestAnimationFrame);
        return performance.now() - begin;
    }""")
    assert typing < 500
    page.evaluate("() => document.querySelector('#pg-in .pg-more').scrollIntoView()")
    page.wait_for_function("() => document.querySelectorAll('#pg-in .pg-card').length > 30")


def test_the_input_survives_a_reload(browser: Browser, site: str) -> None:
    page = browser.new_page()
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    page.click("#pg-tab-out")
    paste(page, "pg-out", '{"eventName": "kept", "userID": "u"}')
    page.reload()
    page.wait_for_selector(READY, timeout=PATIENCE_MS)

    assert page.get_attribute("#pg-tab-out", "aria-selected") == "true"
    assert shown(page, "pg-out")[0]["event"] == "kept"

    page.goto(f"{site}/index.html")
    page.go_back()
    page.wait_for_selector(READY, timeout=PATIENCE_MS)

    assert shown(page, "pg-out")[0]["event"] == "kept"
    page.close()


def test_a_sample_and_its_result_are_there_before_python_is(browser: Browser, site: str, samples: Samples) -> None:
    page = browser.new_page()
    page.route("**/pyodide/**", lambda route: route.abort())
    page.goto(f"{site}/playground.html")
    page.wait_for_selector("#playground[data-shown=true]", timeout=PATIENCE_MS)
    event = translate(samples["calls"][0]["text"], CONFIGURED)
    assert isinstance(event, StatsigEvent)

    assert shown(page, "pg-in") == [to_log_event(event)]
    page.close()


def test_the_copied_output_is_all_of_it(page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    calls = [{"type": "track", "event": f"E{number}", "userId": "u"} for number in range(100)]
    paste(page, "pg-in", json.dumps(calls))
    page.click("#pg-in [data-part=copy]")
    page.wait_for_function("() => window.copied")
    copied: str = page.evaluate("() => window.copied")

    assert json.loads(f"[{copied.replace(chr(10) + '}' + chr(10) + '{', '},{')}]") == [
        to_log_event(outcome) for outcome in translate_many(calls) if isinstance(outcome, StatsigEvent)
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["playground", "index", "codes", "identities", "rules"])
def test_axe_finds_no_violation_of_ours(browser: Browser, site: str, axe: str, name: str, scheme: Any) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{site}/{name}.html")
    if name == "playground":
        page.wait_for_selector(READY, timeout=PATIENCE_MS)
    page.evaluate(axe)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run('article[role=main]')).violations")
    context.close()

    assert [(each["id"], node["target"]) for each in found for node in each["nodes"]] == []


def test_a_link_carries_the_input(page: Page, browser: Browser) -> None:
    call = {"type": "track", "event": "From A Link", "userId": "u-é🚶"}
    write(page, "pg-in", json.dumps(call, ensure_ascii=False))
    page.click("#pg-in [data-part=link]")
    page.wait_for_function("() => location.hash.startsWith('#play=')")

    other = browser.new_page()
    other.goto(page.url)
    other.wait_for_selector(READY, timeout=PATIENCE_MS)

    assert shown(other, "pg-in")[0]["eventName"] == "segment::From A Link"
    assert shown(other, "pg-in")[0]["user"]["userID"] == "u-é🚶"
    other.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(browser: Browser, site: str, scheme: Any) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    phone = context.new_page()
    phone.goto(f"{site}/playground.html")
    phone.wait_for_selector(READY, timeout=PATIENCE_MS)

    phone.tap(f"{FIELD} >> nth=2")
    assert phone.locator("#pg-in .pg-why").bounding_box() is not None
    box = phone.evaluate("() => document.querySelector('#pg-in .pg-why').getBoundingClientRect().toJSON()")
    assert box["top"] > 300  # half the screen stays free
    assert box["bottom"] <= 844
    assert phone.evaluate("() => document.documentElement.scrollWidth") == 390
    phone.tap("#pg-in .pg-close")
    phone.tap("#pg-tab-out")
    assert phone.evaluate("() => document.documentElement.scrollWidth") == 390
    context.close()


CONTRAST = """() => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const paint = (colour, on) => {
        canvas.fillStyle = on ? `rgb(${on})` : "white"; canvas.fillRect(0, 0, 1, 1);
        canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const ground = (element) => {
        const above = element.parentElement ? ground(element.parentElement) : [255, 255, 255];
        return paint(getComputedStyle(element).backgroundColor, above);
    };
    const texts = [...document.querySelectorAll(
        "#playground :is(.pg-badge, .pg-key, .pg-string, .pg-number, .pg-atom, .pg-chip, .pg-read, .pg-rule, " +
        ".pg-foot, .pg-status, .pg-excerpt, [role=tab], h2, h3, small, button, select, .cm-line span, " +
        ".cm-lineNumbers div)")];
    return texts.filter((element) => element.checkVisibility() && element.textContent.trim()).map((element) => {
        const back = ground(element), front = paint(getComputedStyle(element).color, back);
        const [high, low] = [light(back), light(front)].sort((a, b) => b - a);
        return [element.className || element.localName, (high + 0.05) / (low + 0.05)];
    });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("chosen", ["auto", "light", "dark"])
def test_text_stands_out_in_light_and_dark(browser: Browser, site: str, scheme: Any, chosen: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('theme', '{chosen}')")  # as the button of the theme does
    page.goto(f"{site}/playground.html")
    page.wait_for_selector(READY, timeout=PATIENCE_MS)
    page.click(f"{FIELD} >> nth=2")
    ratios: list[tuple[str, float]] = page.evaluate(CONTRAST)
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    context.close()

    assert dark == ((scheme if chosen == "auto" else chosen) == "dark")
    assert len(ratios) > 100
    assert [(name, round(ratio, 2)) for name, ratio in ratios if ratio < 4.5] == []  # WCAG 2.2, AA


def test_nothing_was_asked_of_another_origin_and_nothing_after_loading(page: Page, site: str, asked: list[str]) -> None:
    write(page, "pg-in", '{"type": "track", "event": "Quiet", "userId": "u-1"}')
    loading, after = asked[: asked.index(LOADED)], asked[asked.index(LOADED) + 1 :]
    after = [address for address in after if address != f"{site}/_static/favicon.svg"]  # the browser's, at any time

    assert any(".whl" in address for address in loading)  # so what the worker asks for is seen, too
    assert [address for address in loading if not address.startswith((f"{site}/", "data:", "blob:"))] == []
    assert after == []
