"""The preview as a page: what it holds, that it is well formed, and that no name can break out of it."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from statsig_segment import load_config
from statsig_segment.cli.preview_facts import Shown
from statsig_segment.cli.preview_html import preview_page
from statsig_segment.insight.preview import preview
from statsig_segment.testing import segment_calls

VOID = {"meta", "br"}


class Page(HTMLParser):
    """A page as a browser takes it: its tags, its text, and whether every tag is closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def track(event: str = "Signed Up", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, **fields}


def page_of(*calls: Any, max_names: int = 1000) -> Page:
    return Page(preview_page(Shown(preview(calls, max_names=max_names))))


def test_it_counts_what_came_of_the_calls() -> None:
    text = page_of(track(userId="u1"), track(), {"type": "identify"}).text

    assert "3 calls Events 1 Audience updates 0 Skipped 1 Rejected 1" in text


def test_it_shows_the_share_of_each_unit() -> None:
    array = ["companyID", "c1"]
    text = page_of(track(userId="u1"), track(properties={"statsigCustomIDs": array}), track(userId="u2")).text

    assert "User ID 66.7 %" in text
    assert "companyID 33.3 %" in text


def test_it_says_what_a_mapping_would_add_and_how_to_add_it() -> None:
    text = page_of(track(userId="u1", anonymousId="a1"), track(anonymousId="a2"), track()).text

    assert (
        "Mapping anonymousId to segmentAnonymousId would save 1 of 2 rejected calls"
        " and would give one more ID to 1 event" in text
    )
    assert '[[inbound.id_mappings]] field = "anonymousId" id_type = "segmentAnonymousId"' in text


def test_it_says_why_calls_were_lost_and_what_to_do() -> None:
    text = page_of(track()).text

    assert "no_identifier neither a user ID nor a custom ID Send a userId" in text


def test_the_commonest_event_stands_first() -> None:
    text = page_of(track("Rare", userId="u1"), track("Common", userId="u1"), track("Common", userId="u1")).text

    assert text.index("segment::Common") < text.index("segment::Rare")


def test_many_events_are_folded_away() -> None:
    page = page_of(*(track(f"Event {number}", userId="u1") for number in range(40)))

    assert page.tags.count("details") == 1
    assert "15 more" in page.text


def test_names_that_were_not_kept_apart_are_said_to_be_together() -> None:
    text = page_of(track("One", userId="u1"), track("Two", userId="u1"), track("Three", userId="u1"), max_names=1).text

    assert "All names beyond the first 1, together" in text


def test_an_empty_preview_makes_a_page() -> None:
    assert "0 calls" in page_of().text


def test_it_loads_nothing_and_runs_nothing() -> None:
    page = page_of(track(userId="u1"))

    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "onclick", "onload"} & {name for name, _ in page.attributes}
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</style><script>",
        "<!--",
        "&lt;b&gt;",
        "' onmouseover='alert(1)",
        "{{7*7}}",
    ],
)
def test_a_name_stays_text(name: str) -> None:
    page = page_of(track(name, userId="u1", properties={"statsigCustomIDs": [name, "x"]}))

    assert page.tags == page_of(track("Plain", userId="u1", properties={"statsigCustomIDs": ["plain", "x"]})).tags or (
        "name_forbidden_character" in page.text
    )
    assert f"segment::{name}" in "".join(page.texts)
    assert not {"script", "img"} & set(page.tags)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\u202egnol", "\\u202egnol"),
        ("a\x00b", "a\\x00b"),
        ("\ud800", "\\ud800"),
        ("a\nb", "a\\nb"),
        ("\u200b", "\\u200b"),
        ("x" * 500, f"segment::{'x' * 110}…"),
    ],
)
def test_what_cannot_be_seen_is_shown_and_what_is_too_long_is_cut(name: str, shown: str) -> None:
    assert shown in page_of(track(name, userId="u1")).text


def test_each_client_library_is_shown_with_the_ids_of_its_events() -> None:
    calls = [
        track(userId="u1", context={"library": {"name": "analytics.js"}}, groupId="g1"),
        track(userId="u1", context={"library": {"name": "analytics-swift"}}),
    ]
    mapped = load_config({"inbound": {"id_mappings": [{"field": "groupId", "id_type": "companyID"}]}})
    text = Page(preview_page(Shown(preview(calls, mapped), mapped))).text

    assert "Name Events User ID companyID analytics-swift 1 100 % 0 % analytics.js 1 100 % 100 %" in text
    assert "groupId to companyID found 1, gave 1 ID" in text


def test_it_says_what_it_was_made_of() -> None:
    text = Page(preview_page(Shown(preview([]), inputs=["-", *"abcdef"]))).text

    assert (
        "Made of standard input , a , b , c , d and 2 more. Configuration: none, so every setting has its default."
        in text
    )


def test_it_shows_consent_and_what_segment_would_have_withheld() -> None:
    text = page_of(track(userId="u1", context={"consent": {"categoryPreferences": {"Ads": False}}})).text

    assert "Consent Ads given 0 refused 1 Segment withholds calls" in text


@given(st.lists(segment_calls(malformed=True), max_size=4), st.integers(0, 2))
def test_every_preview_makes_a_well_formed_page_in_utf_8(calls: list[Any], most: int) -> None:
    text = preview_page(Shown(preview(calls, max_names=most)))

    assert text.encode().decode() == text
    Page(text)
