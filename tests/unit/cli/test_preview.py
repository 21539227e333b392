"""`preview`: what it counts, what it says would help, and how it looks; at any terminal, and with any input."""

from __future__ import annotations

import gzip
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from tests.support.sizes import small_and_large
from tests.unit.cli.program import CALLS, CONFIG, EXPORT, GOOD, MEMBER, Run, ndjson
from tests.unit.cli.test_terminal import ESCAPES, ODD, at_terminal

from statsig_segment import load_config
from statsig_segment.cli.blocks import CALLS as CALLS_IN
from statsig_segment.cli.blocks import Block, Payloads
from statsig_segment.cli.preview_facts import REPLAY, preview_record
from statsig_segment.cli.preview_text import MAX_EVENTS, MAX_UNITS
from statsig_segment.insight.preview import preview

if TYPE_CHECKING:
    from pathlib import Path

ANONYMOUS = {"type": "track", "event": "Seen", "anonymousId": "a1"}

COUNT = CALLS.read_bytes().count(b"\n")
"""The number of sample calls, one a line."""


def exit_early(_found: object) -> None:
    sys.exit(2)


def track(event: str = "Signed Up", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": "u1", **fields}


class TestAsJson:
    """`--json` writes one JSON object."""

    def test_it_says_what_the_library_counts(self, run: Run) -> None:
        config = load_config(CONFIG)
        ended = run("preview", "--json", CALLS, "--config", CONFIG)
        payloads = Payloads(Block(data=CALLS.read_bytes()), CALLS_IN)

        assert ended.status == 1
        assert ended.lines == [json.loads(json.dumps(preview_record(preview(payloads, config))))]

    def test_it_counts_what_inbound_counts(self, run: Run, tmp_path: Path) -> None:
        odd = tmp_path / "odd"
        odd.write_bytes(CALLS.read_bytes() + b'oops\n"text"\n7\n[1,{"type":"video"}]\n{"batch":7}\n' + ndjson(ODD))
        run("inbound", odd, "--config", CONFIG, "--summary-json", tmp_path / "summary")
        summary = json.loads((tmp_path / "summary").read_bytes())
        ended = run("preview", "--json", odd, "--config", CONFIG)
        [record] = ended.lines

        assert {name: record[name] for name in summary} == summary
        assert ended.counts == run("inbound", odd, "--config", CONFIG).counts

    def test_files_count_as_one(self, run: Run, tmp_path: Path) -> None:
        lines = CALLS.read_bytes().splitlines(keepends=True)
        (tmp_path / "first").write_bytes(b"".join(lines[:20]))
        (tmp_path / "second.gz").write_bytes(gzip.compress(b"".join(lines[20:])))

        assert (
            run("preview", "--json", tmp_path / "second.gz", tmp_path / "first").out
            == run("preview", "--json", CALLS).out
        )
        assert run("preview", "--json", stdin=CALLS.read_bytes()).out == run("preview", "--json", CALLS).out

    @pytest.mark.parametrize("times", small_and_large(20, 200))
    def test_processes_count_as_one(self, run: Run, tmp_path: Path, times: int) -> None:
        calls = tmp_path / "calls"
        calls.write_bytes(CALLS.read_bytes() * times)
        alone = run("preview", "--json", calls, "--config", CONFIG)
        shared = run("preview", "--json", calls, "--config", CONFIG, "--jobs", "2")

        assert shared == alone
        assert alone.lines[0]["read"] == COUNT * times

    def test_blocks_count_as_one(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        whole = run("preview", "--json", CALLS, "--config", CONFIG)
        monkeypatch.setattr("statsig_segment.cli.files._PIECE", 1_000)

        assert run("preview", "--json", CALLS, "--config", CONFIG) == whole

    def test_no_more_calls_are_counted_than_asked_for(self, run: Run) -> None:
        assert run("preview", "--json", CALLS, "--limit", "3").lines[0]["read"] == 3

    def test_empty_input_has_no_calls(self, run: Run) -> None:
        ended = run("preview", "--json")

        assert ended.status == 0
        assert (ended.lines[0]["read"], ended.lines[0]["events"], ended.lines[0]["shares"]) == (0, [], {"userID": 0.0})

    def test_no_value_but_names_stands_in_it(self, run: Run) -> None:
        call = track(properties={"secret": "s-1", "statsigCustomIDs": ["team", "s-2"]}, context={"ip": "s-3"})
        ended = run("preview", "--json", stdin=ndjson(call, {**call, "type": "s"}))

        assert b"s-" not in ended.out
        assert b'"team"' in ended.out

    def test_names_may_hold_anything(self, run: Run) -> None:
        [record] = run("preview", "--json", stdin=ndjson(ODD)).lines

        assert record["events"][0]["name"] == f"segment::{ODD['event']}"

    def test_names_beyond_the_limit_count_together(self, run: Run) -> None:
        [record] = run("preview", "--json", stdin=ndjson(*(track(f"Event {number}") for number in range(1_100)))).lines

        assert (len(record["events"]), record["rest"]["read"], record["read"]) == (1_000, 100, 1_100)

    def test_input_of_the_other_direction_is_named_once(self, run: Run) -> None:
        ended = run("preview", "--json", EXPORT)

        assert ended.status == 1
        assert ended.err.count("look like a Statsig export: `statsig-segment outbound` reads those") == 1

    def test_an_input_that_fails_midway_is_counted_as_far_as_it_goes(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "cut.gz").write_bytes(gzip.compress(ndjson(GOOD) * 20_000)[:-20])
        ended = run("preview", "--json", tmp_path / "cut.gz")

        assert ended.status == 2
        assert "cut.gz: " in ended.err
        assert ended.lines[0]["read"] == ended.lines[0]["translated"]


class TestAtATerminal:
    def shown(self, tmp_path: Path, *calls: Any, columns: int = 120, **variables: Any) -> list[str]:
        (tmp_path / "calls").write_bytes(ndjson(*calls))
        return at_terminal("preview", tmp_path / "calls", columns=columns, NO_COLOR="1", **variables).lines

    def test_it_begins_with_the_sum_and_ends_with_why_calls_were_lost(self, tmp_path: Path) -> None:
        lines = self.shown(tmp_path, track(), MEMBER, {"type": "identify", "userId": "u"}, ANONYMOUS, ANONYMOUS)

        assert lines[0] == "read 5 = translated 1 + audiences 1 + skipped 1 + rejected 2"
        at = lines.index("Skipped, rejected, and issues")
        assert lines[at + 1].startswith("  2  rejected: no_identifier             Send a userId or statsigCustomIDs")
        assert lines[at + 3].startswith("  1  skipped: identify_without_audience  ")

    def test_nothing_is_said_twice(self, tmp_path: Path) -> None:
        assert "\n".join(self.shown(tmp_path, track())).count("read 1 = ") == 1

    def test_bars_show_the_share_of_every_unit(self, tmp_path: Path) -> None:
        teams = {"statsigCustomIDs": ["team", "t1"]}
        lines = self.shown(tmp_path, track(properties=teams), *[track()] * 3)
        at = lines.index("Units that experiments could use, of 4 events")

        assert lines[at + 1].split() == ["userID", "━" * 40, "100", "%"]
        assert lines[at + 2].split() == ["team", "━" * 10, "25.0", "%"]

    def test_the_commonest_events_stand_first_with_their_counts(self, tmp_path: Path) -> None:
        lines = self.shown(tmp_path, track("Rare"), *[track("Common")] * 2, {"type": "track", "event": "Common"})
        at = lines.index("Events, and how many of them have each ID")

        assert lines[at + 1].split() == ["event", "type", "calls", "events", "not", "sent", "userID"]
        assert lines[at + 2].split() == ["segment::Common", "track", "3", "2", "1", "100", "%"]
        assert lines[at + 3].split() == ["segment::Rare", "track", "1", "1", "0", "100", "%"]

    def test_calls_without_a_name_are_named_by_what_they_are(self, tmp_path: Path) -> None:
        text = "\n".join(self.shown(tmp_path, {"type": "identify", "userId": "u"}, 7))

        assert "  identify calls without a name  identify      1       0         1" in text
        assert "  Not readable as a call                       1       0         1" in text

    def test_only_the_largest_are_shown_and_it_is_said_how_many_more_there_are(self, tmp_path: Path) -> None:
        ids = [{"statsigCustomIDs": [f"type {number}", "x"]} for number in range(MAX_UNITS + 1)]
        calls = [track(f"Event {number}") for number in range(MAX_EVENTS + 1)]
        calls += [track("Event 0", properties=properties) for properties in ids]
        text = "\n".join(self.shown(tmp_path, *calls))

        assert text.count("  segment::Event ") == MAX_EVENTS
        assert "  and 1 more event; --json shows them all" in text
        assert text.count("\n  type ") == MAX_UNITS - 1
        assert "  and 2 more units; --json shows them all" in text

    def test_names_beyond_the_limit_are_shown_together(self, tmp_path: Path) -> None:
        text = " ".join(self.shown(tmp_path, *(track(f"Event {number}") for number in range(1_100)), columns=200))

        assert "  All names beyond the first 1,000, together  " in text

    def test_gains_are_sentences_with_the_lines_to_add(self, tmp_path: Path) -> None:
        lines = self.shown(tmp_path, *[ANONYMOUS] * 2, {"type": "video"}, track(anonymousId="a1"), columns=200)
        at = lines.index("What would help")

        assert lines[at + 1] == (
            "  Mapping anonymousId to segmentAnonymousId would save 2 of 3 rejected calls"
            " and would give one more ID to 1 event:"
        )
        assert lines[at + 2 : at + 5] == [
            "    [[inbound.id_mappings]]",
            '    field = "anonymousId"',
            '    id_type = "segmentAnonymousId"',
        ]

    def test_those_lines_do_what_is_said(self, run: Run, tmp_path: Path) -> None:
        calls = ndjson(*[ANONYMOUS] * 2, {"type": "video"})
        lines = self.shown(tmp_path, *[ANONYMOUS] * 2, {"type": "video"}, columns=200)
        at = lines.index("    [[inbound.id_mappings]]")
        added = lines[at : at + 3]
        (tmp_path / "config.toml").write_text("\n".join(added), encoding="utf-8")
        [record] = run("preview", "--json", "--config", tmp_path / "config.toml", stdin=calls).lines

        assert (record["translated"], sum(record["rejected"].values())) == (2, 1)

    def test_nothing_is_said_to_help_where_nothing_would(self, tmp_path: Path) -> None:
        assert "What would help" not in self.shown(tmp_path, track())

    def test_empty_input_has_a_sum_and_no_sections(self, tmp_path: Path) -> None:
        lines = self.shown(tmp_path)

        assert lines[:2] == [
            "read 0 = translated 0 + audiences 0 + skipped 0 + rejected 0",
            f"Statsig would bill 0 events. {REPLAY}",
        ]
        assert len(lines) == 2

    def test_the_time_span_and_what_would_be_billed_stand_below_the_sum(self, tmp_path: Path) -> None:
        calls = [track(timestamp=f"2026-01-0{day}T23:00:00-02:00") for day in (3, 1, 2)]

        assert self.shown(tmp_path, *calls, columns=200)[1].startswith(
            "Statsig would bill 3 events, the oldest of 2026-01-02, the newest of 2026-01-04 (UTC). "
        )

    def test_the_client_that_forgot_the_id_can_be_seen(self, tmp_path: Path) -> None:
        ids = {"statsigCustomIDs": ["companyID", "c1"]}
        web = track(context={"library": {"name": "analytics.js"}}, properties=ids)
        lines = self.shown(tmp_path, web, web, track(context={"library": {"name": "analytics-swift"}}), track())
        at = lines.index("Client libraries, likewise")

        assert [line.split() for line in lines[at + 1 : at + 5]] == [
            ["library", "events", "userID", "companyID"],
            ["analytics.js", "2", "100", "%", "100", "%"],
            ["No", "library", "named", "1", "100", "%", "0", "%"],
            ["analytics-swift", "1", "100", "%", "0", "%"],
        ]

    def test_a_mapping_that_finds_nothing_is_named_with_what_was_meant(self, tmp_path: Path) -> None:
        rows = (("anonymousID", "segmentAnonymousId"), ("groupId", "companyID"), ("traits.plan", "planID"))
        config = "".join(f'[[inbound.id_mappings]]\nfield = "{field}"\nid_type = "{kind}"\n' for field, kind in rows)
        (tmp_path / "config.toml").write_text(config, encoding="utf-8")
        (tmp_path / "calls").write_bytes(ndjson(track(anonymousId="a1", groupId="g1")))
        config_file = tmp_path / "config.toml"
        lines = at_terminal("preview", tmp_path / "calls", "-c", config_file, columns=120, NO_COLOR="1").lines
        at = lines.index("What your ID mappings did")

        assert lines[at + 1 : at + 4] == [
            "  anonymousID -> segmentAnonymousId  never found an ID; did you mean anonymousId?",
            "  groupId -> companyID               found 1, gave 1 ID",
            "  traits.plan -> planID              never found an ID",
        ]

    def test_a_declared_id_type_that_no_event_has_is_listed_with_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "config.toml").write_text('[inbound]\nid_types = ["userID", "companyID"]', encoding="utf-8")
        (tmp_path / "calls").write_bytes(ndjson(track()))
        lines = at_terminal("preview", tmp_path / "calls", "--config", tmp_path / "config.toml", NO_COLOR="1").lines

        assert [line.split()[-2:] for line in lines if line.startswith("  companyID")] == [["0", "%"]]

    def test_consent_that_is_refused_and_not_configured_is_pointed_out(self, tmp_path: Path) -> None:
        call = track(context={"consent": {"categoryPreferences": {"Analytics": True, "Ads": False}}})
        shown = "\n".join(self.shown(tmp_path, call))
        (tmp_path / "config.toml").write_text('[inbound]\nconsent_categories = ["Analytics"]', encoding="utf-8")
        configured = at_terminal("preview", tmp_path / "calls", "--config", tmp_path / "config.toml", NO_COLOR="1").text

        assert "  Ads        given 0  refused 1" in shown
        assert "inbound.consent_categories" in shown
        assert "inbound.consent_categories" not in configured

    def test_a_mapping_that_is_tried_is_measured_whatever_it_adds(self, tmp_path: Path) -> None:
        (tmp_path / "calls").write_bytes(ndjson({"type": "group", "userId": "u1", "traits": {"companyId": 'c"1'}}))
        tries = ("--try", "traits.companyId=companyID", "--try", "context.externalIds[type=x].id=x")
        text = at_terminal("preview", tmp_path / "calls", *tries, NO_COLOR="1", columns=200).text

        assert "Mapping traits.companyId to companyID would give one more ID to 1 event:" in text
        assert "Mapping context.externalIds[type=x].id to x would add nothing." in text

    def test_json_is_written_where_it_is_asked_for(self, run: Run) -> None:
        assert at_terminal("preview", CALLS, "--json").text.startswith(run("preview", "--json", CALLS).out.decode())

    @pytest.mark.parametrize("columns", [20, 59, 60, 80, 99, 100, 120])
    def test_nothing_is_wider_than_it_is(self, tmp_path: Path, columns: int) -> None:
        (tmp_path / "odd").write_bytes(
            CALLS.read_bytes()
            + ndjson(ODD, track("登録" * 60), track(properties={"statsigCustomIDs": ["x" * 90, "y"]}))
        )
        lines = at_terminal("preview", tmp_path / "odd", columns=columns).lines

        assert max(cell_len(ESCAPES.sub("", line)) for line in lines) <= columns

    def test_a_narrow_one_has_all_figures_too(self, tmp_path: Path) -> None:
        text = " ".join(" ".join(self.shown(tmp_path, track("Long Name Of An Event"), ANONYMOUS, columns=20)).split())

        assert "userID 100 % ━━━━━━━━━━━━━━━━━━" in text
        assert "segment::Long Name Of An Event track, 1 calls, 1 events, 0 not sent, userID 100 %" in text
        assert "would save 1 of 1 rejected call:" in text

    @pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
    def test_one_that_is_plain_gets_no_escape_codes(self, variables: dict[str, Any]) -> None:
        assert "\x1b[32m━" in at_terminal("preview", CALLS).text
        assert "\x1b" not in at_terminal("preview", CALLS, **variables).text

    @pytest.mark.parametrize("columns", [20, 80, 300])
    @pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
    def test_it_obeys_nothing_that_a_payload_holds(self, tmp_path: Path, encoding: str, columns: int) -> None:
        ids = {"statsigCustomIDs": [ODD["event"], "x"]}
        text = "\n".join(
            self.shown(tmp_path, ODD, ODD | {"properties": ids}, columns=columns, PYTHONIOENCODING=encoding)
        )

        assert all(character.isprintable() or character == "\n" for character in text)
        assert "\\u001b[31mred" in "".join(text.split())

    def test_one_without_line_drawing_gets_bars_of_hyphens(self, tmp_path: Path) -> None:
        lines = self.shown(tmp_path, track(), PYTHONIOENCODING="ascii")

        assert f"  userID  {'-' * 40}  100 %" in lines
        assert "\\u2501" not in "\n".join(lines)


class TestIntoAPipe:
    """What people read is text in a pipe as well, without escape codes."""

    def test_it_is_the_text_of_a_terminal(self, run: Run) -> None:
        ended = run("preview", CALLS)

        assert ended.out.startswith(b"read 66 = ")
        assert b"\x1b" not in ended.out
        assert b"Units that experiments could use" in ended.out
        assert b"read 66" not in ended.err.encode()


class TestItsArguments:
    def test_a_repeated_message_counts_once(self, run: Run) -> None:
        calls = ndjson(*[track(messageId="m1")] * 3, track(messageId="m2"))
        [record] = run("preview", "--json", "--deduplicate", stdin=calls).lines

        assert (record["translated"], record["skipped"]) == (2, {"duplicate_message": 2})

    def test_that_needs_one_process(self, run: Run) -> None:
        ended = run("preview", "--deduplicate", "--jobs", "2")

        assert (ended.status, ended.out) == (2, b"")
        assert "--deduplicate needs a single process" in ended.err

    @pytest.mark.parametrize("text", ["companyID", "=companyID", "groupId=", "items[0].id=x"])
    def test_what_is_no_mapping_cannot_be_tried(self, run: Run, text: str) -> None:
        ended = run("preview", "--try", text)

        assert ended.status == 2
        assert f"argument --try: expected FIELD=TYPE, not {text!r}" in ended.err

    def test_json_lists_no_gain_of_nothing(self, run: Run) -> None:
        [record] = run("preview", "--json", "--try", "no.such=x", stdin=ndjson(track(anonymousId="a1"))).lines

        assert [(gain["field"], gain["enriched_events"]) for gain in record["gains"]] == [("anonymousId", 1)]


class TestTheHtmlPage:
    def test_it_is_the_page_of_the_same_preview(self, run: Run, tmp_path: Path) -> None:
        ended = run("preview", CALLS, "--html", tmp_path / "preview.html")
        page = (tmp_path / "preview.html").read_text(encoding="utf-8")

        assert ended.out == run("preview", CALLS).out
        assert page.startswith("<!doctype html>")
        assert f"{COUNT} calls" in page

    def test_it_names_its_inputs_and_the_configuration(self, run: Run, tmp_path: Path) -> None:
        run("preview", CALLS, "--config", CONFIG, "--html", tmp_path / "preview.html")
        page = (tmp_path / "preview.html").read_text(encoding="utf-8")

        assert f"<bdi>{CALLS}</bdi>" in page
        assert f"Configuration: <code><bdi>{CONFIG}</bdi></code>" in page
        assert "the newest of 2026-" in page

    def test_it_is_whole_or_not_there(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "preview.html").write_text("old", encoding="utf-8")
        monkeypatch.setattr("statsig_segment.cli.commands.preview.preview_page", exit_early)
        run("preview", CALLS, "--html", tmp_path / "preview.html")

        assert [path.name for path in tmp_path.iterdir()] == ["preview.html"]
        assert (tmp_path / "preview.html").read_text(encoding="utf-8") == "old"

    def test_it_is_none_of_the_inputs(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "calls").write_bytes(ndjson(GOOD))
        ended = run("preview", tmp_path / "calls", "--html", tmp_path / "calls")

        assert (ended.status, ended.out) == (2, b"")
        assert "the same file as the input" in ended.err
        assert (tmp_path / "calls").read_bytes() == ndjson(GOOD)

    def test_names_of_half_a_pair_are_written(self, run: Run, tmp_path: Path) -> None:
        run("preview", "--html", tmp_path / "preview.html", stdin=ndjson(ODD))

        assert "\\ud800" in (tmp_path / "preview.html").read_text(encoding="utf-8")
