"""The command line: what it writes, what it counts, how it ends; in this process, and a few times in one of its own."""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import re
import runpy
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest
from rich.cells import cell_len
from tests.support.sizes import slow, small_and_large
from tests.unit.cli.program import (
    CALLS,
    CONFIG,
    EXPORT,
    GOOD,
    MEMBER,
    WEBHOOK,
    Ended,
    Run,
    environment,
    ndjson,
    records,
    spawned,
)

import statsig_segment
from statsig_segment import (
    EventNaming,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    Skipped,
    StatsigEvent,
    explain,
    export_many,
    load_config,
    split_statsig_export,
    to_event_webhook,
    to_log_event,
    to_log_event_request,
    translate_many,
)
from statsig_segment.cli import arguments as arguments_module
from statsig_segment.cli import main
from statsig_segment.cli import run as run_module
from statsig_segment.cli.messages import SEGMENT_HINT, STATSIG_HINT, summary_text
from statsig_segment.configuration.tables import config_table
from statsig_segment.insight.preview import Counts
from statsig_segment.rulebook import CODES
from statsig_segment.rulebook.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TestInbound:
    def test_it_writes_what_the_library_gives(self, run: Run) -> None:
        config = load_config(CONFIG.read_text(encoding="utf-8"))
        outcomes = list(translate_many(CALLS.read_text(encoding="utf-8").splitlines(), config))
        ended = run("inbound", CALLS, "--config", CONFIG)

        assert ended.lines == [to_log_event(outcome) for outcome in outcomes if isinstance(outcome, StatsigEvent)]
        assert ended.status == 1

    def test_the_counts_add_up(self, run: Run) -> None:
        ended = run("inbound", CALLS, "--config", CONFIG)

        assert ended.counts == "read 66 = translated 47 + audiences 7 + skipped 8 + rejected 4"
        assert 66 == 47 + 7 + 6 + 6
        assert len(ended.lines) == 47
        assert "integration_disabled 2" in ended.err
        assert "unsupported_type 2" in ended.err
        assert "\nissues: " in ended.err

    def test_all_is_well_where_nothing_is_rejected(self, run: Run) -> None:
        ended = run("inbound", stdin=ndjson(GOOD))

        assert ended == Ended(
            0,
            b'{"eventName":"segment::Signed Up","user":{"userID":"u1"},"metadata":{}}\n',
            "read 1 = translated 1 + audiences 0 + skipped 0 + rejected 0\n",
        )

    def test_nothing_gives_nothing(self, run: Run) -> None:
        assert run("inbound", "-") == Ended(0, b"", "read 0 = translated 0 + audiences 0 + skipped 0 + rejected 0\n")

    @pytest.mark.parametrize(("form", "write"), [("log-event", to_log_event), ("webhook", to_event_webhook)])
    def test_there_are_three_formats(self, run: Run, form: str, write: Callable[[Any], Any]) -> None:
        [event] = translate_many([GOOD])

        assert run("inbound", "--format", form, stdin=ndjson(GOOD)).lines == [write(event)]

    @pytest.mark.parametrize("jobs", small_and_large("1", "2"))
    def test_requests_hold_500_events(self, run: Run, jobs: str) -> None:
        calls = [GOOD | {"messageId": str(at), "properties": {"at": at}} for at in range(1_234)]
        ended = run("inbound", "--format", "request", "--jobs", jobs, stdin=ndjson(*calls))
        bodies = ended.lines

        assert [len(body["events"]) for body in bodies] == [500, 500, 234]
        assert [event["metadata"]["at"] for body in bodies for event in body["events"]] == [
            str(at) for at in range(1_234)
        ]
        assert bodies[0].keys() == to_log_event_request([]).keys()
        assert bodies[0]["statsigMetadata"] == to_log_event_request([])["statsigMetadata"]

    def test_full_requests_leave_no_empty_one(self, run: Run) -> None:
        ended = run("inbound", "--format", "request", stdin=ndjson(*[GOOD] * 500))

        assert [len(body["events"]) for body in ended.lines] == [500]

    def test_requests_are_filled_from_as_many_blocks_as_it_takes(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("statsig_segment.cli.files._PIECE", 10_000)
        calls = [GOOD | {"properties": {"at": at}} for at in range(1_001)]
        bodies = run("inbound", "--format", "request", stdin=ndjson(*calls)).lines

        assert [len(body["events"]) for body in bodies] == [500, 500, 1]
        assert [int(event["metadata"]["at"]) for body in bodies for event in body["events"]] == list(range(1_001))

    def test_files_are_read_one_after_the_other(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(ndjson(GOOD | {"event": "a"}))
        (tmp_path / "b.gz").write_bytes(gzip.compress(ndjson(GOOD | {"event": "b"})))
        (tmp_path / "d").write_text(json.dumps({"batch": [GOOD | {"event": "d"}]}, indent=2), encoding="utf-8")
        ended = run(
            "inbound", tmp_path / "a", tmp_path / "b.gz", "-", tmp_path / "d", stdin=ndjson(GOOD | {"event": "c"})
        )

        assert [event["eventName"] for event in ended.lines] == [f"segment::{name}" for name in "abcd"]

    def test_a_folder_stands_for_the_files_in_it(self, run: Run, tmp_path: Path) -> None:
        for name in ("2026/b", "2026/a", "2025/c", "2025/.hidden"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(ndjson(GOOD | {"event": name}))
        ended = run("inbound", tmp_path)

        assert [event["eventName"] for event in ended.lines] == [
            f"segment::{n}" for n in ("2025/c", "2026/a", "2026/b")
        ]

    @pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
    def test_lone_surrogates_are_escaped(self, run: Run, text: str, tmp_path: Path) -> None:
        calls = ndjson(GOOD | {"event": text}, {"type": text})
        ended = run("inbound", "--rejects", tmp_path / "rejects", stdin=calls)

        assert ended.lines[0]["eventName"] == f"segment::{text}"
        assert json.loads((tmp_path / "rejects").read_bytes())["payload"] == {"type": text}


class TestRejects:
    LINES = (
        b'{"type": "track"}\n'
        b"oops \xff\n"
        b'{"type": "track", "event": "e", "userId": "u"}\n'
        b'[{"type": "video"}, 5]\n'
        b'{"batch": 7}\n'
    )

    @pytest.mark.parametrize("jobs", small_and_large("1", "2"))
    def test_each_stands_in_the_file_with_its_position_and_why(self, run: Run, tmp_path: Path, jobs: str) -> None:
        ended = run("inbound", "--rejects", tmp_path / "rejects", "--jobs", jobs, stdin=self.LINES)
        found = records(tmp_path / "rejects")

        assert ended.status == 1
        assert ended.counts == "read 6 = translated 1 + audiences 0 + skipped 0 + rejected 5"
        assert [list(record) for record in found] == [
            ["position", "file", "line", "code", "path", "message", "payload"]
        ] * 5
        assert [tuple(record.values()) for record in found] == [
            (0, "-", 1, "missing_event", "$.event", "the event has no name", {"type": "track"}),
            (1, "-", 2, "invalid_json", None, "not valid JSON", "oops \\xff"),
            (3, "-", 4, "unsupported_type", "$.type", CODES["unsupported_type"].meaning, {"type": "video"}),
            (4, "-", 4, "not_an_object", None, "expected a JSON object, not int", 5),
            (5, "-", 5, "batch_not_array", "$.batch", "batch is not an array", '{"batch": 7}'),
        ]

    def test_each_has_the_file_and_the_line_where_it_begins(self, run: Run, tmp_path: Path) -> None:
        """CL-5: places are given as file and line, counted from 1, in rejects too."""
        lines, document, rejects = tmp_path / "lines", tmp_path / "document", tmp_path / "rejects"
        lines.write_bytes(b"\n" + ndjson(GOOD, [GOOD, {}]))
        document.write_text(json.dumps([GOOD, {}], indent=1), encoding="utf-8")
        for jobs in ("1", "2"):
            run("inbound", lines, document, "--rejects", rejects, "--jobs", jobs)

            assert [(record["file"], record["line"]) for record in records(rejects)] == [
                (str(lines), 3), (str(document), 8),
            ]  # fmt: skip
        run("outbound", lines, "--rejects", rejects)

        assert [record["line"] for record in records(rejects)] == [2, 3, 3]

    def test_the_elements_of_a_document_are_counted_like_lines(self, run: Run, tmp_path: Path) -> None:
        calls = [GOOD, {"type": "video"}, *[GOOD] * 600, {"type": "photo"}]
        run("inbound", "--rejects", tmp_path / "rejects", stdin=json.dumps(calls, indent=1).encode())
        found = records(tmp_path / "rejects")

        assert [record["position"] for record in found] == [1, 602]

    def test_events_of_an_export_too(self, run: Run, tmp_path: Path) -> None:
        ended = run("outbound", "--rejects", tmp_path / "rejects", stdin=b'{"eventName": "a"}\n{}\noops\n')
        found = records(tmp_path / "rejects")

        assert ended.status == 1
        assert [(record["position"], record["code"], record["payload"]) for record in found] == [
            (1, "missing_event", {}),
            (2, "invalid_json", "oops"),
        ]


class TestValuesThatFollowOneAnother:
    """CL-1: they are a record each, with or without a line break; a broken one costs itself and not its neighbors."""

    @pytest.mark.parametrize("separator", ["", " ", "\x1e", "\n\x1e"])
    @pytest.mark.parametrize("jobs", small_and_large("1", "2"))
    def test_a_broken_one_costs_itself(self, run: Run, separator: str, jobs: str) -> None:
        calls = (
            '{"type":"track","event":"One","userId":"user-71"}',
            '{"type":"track","event":}',
            '{"type":"track","event":"Three","userId":"user-73"}',
        )
        ended = run("inbound", "--jobs", jobs, stdin=f"{separator.join(calls)}\n".encode())

        assert [event["eventName"] for event in ended.lines] == ["segment::One", "segment::Three"]
        assert "\nrejected: invalid_json 1\n" in ended.err

    def test_files_that_were_joined_after_they_were_compressed_are_read(self, run: Run, tmp_path: Path) -> None:
        parts = [gzip.compress(json.dumps(GOOD | {"event": name}).encode()) for name in "abc"]
        (tmp_path / "joined.gz").write_bytes(b"".join(parts))

        assert [event["eventName"] for event in run("inbound", tmp_path / "joined.gz").lines] == [
            f"segment::{name}" for name in "abc"
        ]


class TestAudiences:
    def test_changes_are_written_as_they_come(self, run: Run, tmp_path: Path) -> None:
        left = MEMBER | {"traits": {"vip": False, "statsigCustomIDs": ["companyID", "c1"]}, "timestamp": 1_793_692_800}
        ended = run("inbound", "--audiences", tmp_path / "lists", stdin=ndjson(MEMBER, GOOD, left))

        assert ended.status == 0
        assert ended.counts == "read 3 = translated 1 + audiences 2 + skipped 0 + rejected 0"
        assert (tmp_path / "lists").read_bytes().splitlines() == [
            b'{"idList":"vip","member":true,"userID":"u1"}',
            b'{"idList":"vip","member":false,"userID":"u1","customIDs":{"companyID":"c1"},"time":1793692800000}',
        ]
        assert "note" not in ended.err

    def test_it_is_told_where_they_are_not_written(self, run: Run) -> None:
        assert (
            "note: ID lists changed, but the changes were not written; --audiences FILE"
            in run("inbound", stdin=ndjson(MEMBER)).err
        )


class TestDeduplicate:
    def test_a_repeated_message_is_skipped(self, run: Run) -> None:
        calls = ndjson(GOOD, GOOD | {"event": "again"}, GOOD | {"messageId": "m2"}, {"type": "page", "userId": "u"})
        ended = run("inbound", "--deduplicate", stdin=calls)

        assert ended.counts == "read 4 = translated 3 + audiences 0 + skipped 1 + rejected 0"
        assert "skipped: duplicate_message 1" in ended.err

    def test_without_it_nothing_is_remembered(self, run: Run) -> None:
        assert len(run("inbound", stdin=ndjson(GOOD, GOOD)).lines) == 2

    def test_only_so_many_are_remembered(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(arguments_module, "REMEMBERED", 1)
        ended = run("inbound", "--deduplicate", stdin=ndjson(GOOD, GOOD, GOOD | {"messageId": "m2"}, GOOD))

        assert len(ended.lines) == 3

    def test_it_needs_one_process(self, run: Run) -> None:
        ended = run("inbound", "--deduplicate", "--jobs", "2")

        assert (ended.status, ended.out) == (2, b"")
        assert "--deduplicate needs a single process" in ended.err


class TestJobs:
    def test_many_processes_do_what_one_does(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("statsig_segment.cli.files._PIECE", 4_000)
        spread = tmp_path / "spread.json"
        spread.write_text(json.dumps([GOOD, {"type": "x"}, MEMBER] * 300, indent=1), encoding="utf-8")
        broken = tmp_path / "broken"
        broken.write_bytes(b"[\n" + CALLS.read_bytes() + b"{\n")
        ended: list[Ended] = []
        files: list[list[bytes]] = []
        for jobs in ("1", "3"):
            rejects, lists = tmp_path / f"rejects{jobs}", tmp_path / f"lists{jobs}"
            outputs = ("--rejects", rejects, "--audiences", lists)
            ended.append(run("inbound", CALLS, spread, CALLS, broken, "--config", CONFIG, "--jobs", jobs, *outputs))
            files.append([rejects.read_bytes(), lists.read_bytes()])

        assert ended[0] == ended[1]
        assert files[0] == files[1]
        assert ended[0].status == 1

    @pytest.mark.parametrize("jobs", ["0", "-1", "x", "1.5", ""])
    def test_the_number_is_one_or_more(self, run: Run, jobs: str) -> None:
        ended = run("inbound", f"--jobs={jobs}")

        assert ended.status == 2
        assert "--jobs" in ended.err


class TestOutbound:
    def test_it_writes_what_the_library_gives(self, run: Run) -> None:
        bodies = [*EXPORT.read_text(encoding="utf-8").splitlines(), WEBHOOK.read_text(encoding="utf-8")]
        payloads = [payload for body in bodies for payload in split_statsig_export(body)]
        outcomes = list(export_many(payloads))
        tracks = [outcome for outcome in outcomes if isinstance(outcome, dict)]
        reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Skipped))
        ended = run("outbound", EXPORT, WEBHOOK)

        assert ended.lines == tracks
        assert reasons == {"filtered": 1, "segment_origin": 1}
        assert ended.counts == f"read {len(payloads)} = translated {len(tracks)} + audiences 0 + skipped 2 + rejected 1"

    def test_the_profile_of_the_configuration_holds_unless_another_is_named(self, run: Run) -> None:
        event = ndjson({"eventName": "a", "userID": "u", "timestamp": 1_793_692_800_000})
        plain = run("outbound", stdin=event).lines
        configured = run("outbound", "--config", CONFIG, stdin=event).lines
        named = run("outbound", "--config", CONFIG, "--profile", "documented", stdin=event).lines

        assert plain == named
        assert plain[0]["timestamp"] == 1_793_692_800_000
        assert configured[0]["timestamp"] == "2026-11-03T08:00:00.000Z"
        assert run("outbound", "--profile", "deliverable", stdin=event).lines == configured

    def test_a_handshake_is_no_event(self, run: Run) -> None:
        shake = {"data": {"event": "url_verification", "verification_code": "x"}}

        assert run("outbound", stdin=ndjson(shake)).counts.startswith("read 0 =")

    def test_an_array_holds_many(self, run: Run) -> None:
        ended = run("outbound", stdin=b'[{"eventName": "a"}, {"eventName": "b"}]')

        assert [track["event"] for track in ended.lines] == ["a", "b"]

    @pytest.mark.parametrize("body", [{"data": 5}, 5])
    def test_what_holds_no_event_is_rejected(self, run: Run, body: Any) -> None:
        assert "rejected: not_an_object 1" in run("outbound", stdin=ndjson(body)).err

    def test_batches_hold_all_that_fits(self, run: Run, tmp_path: Path) -> None:
        events: list[Any] = [{"eventName": f"e{at}", "userID": "u", "value": 1.0} for at in range(2_600)]
        events[7]["metadata"] = events[9]["metadata"] = {"long": "x" * 40_000}
        ended = run("outbound", "--batch", "--rejects", tmp_path / "rejects", stdin=ndjson({"data": events}, {}))
        rejects = [json.loads(line) for line in (tmp_path / "rejects").read_bytes().splitlines()]

        assert sum(len(body["batch"]) for body in ended.lines) == 2_598
        assert all(len(line) <= 500_000 for line in ended.out.splitlines())
        assert ended.counts == "read 2,601 = translated 2,598 + audiences 0 + skipped 0 + rejected 3"
        assert [(record["position"], record["code"]) for record in rejects] == [
            (7, "event_too_large"),
            (9, "event_too_large"),
            (2_600, "missing_event"),
        ]


class TestExplain:
    def test_it_shows_where_every_field_came_from(self, run: Run) -> None:
        call = GOOD | {"properties": {"plan": "trial", "statsigCustomIDs": ["companyID", "c1"], "x": [1]}}
        ended = run("explain", stdin=ndjson(call))

        table = (
            ("target", "value", "source", "rule"),
            ("$.eventName", '"segment::Signed Up"', "$.event", "US-5"),
            ("$.user.userID", '"u1"', "$.userId", "ID-1"),
            ("$.user.customIDs.companyID", '"c1"', "$.properties.statsigCustomIDs[1]", "ID-2"),
            ("$.metadata.plan", '"trial"', "$.properties.plan", "US-7"),
            ("$.metadata.x", '"[1]"', "$.properties.x", "US-7"),
        )
        lines = [f"   {target:26}  {value:20}  {source:32}  {rule}" for target, value, source, rule in table]

        assert ended.out.decode().splitlines() == ['standard input:1  track "Signed Up"  ->  event', *lines, ""]
        assert ended.counts == "read 1 = translated 1 + audiences 0 + skipped 0 + rejected 0"

    def test_every_row_of_the_sample_is_there(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "1000")
        config = load_config(CONFIG.read_text(encoding="utf-8"))
        ended = run("explain", CALLS, "--config", CONFIG)
        text = ended.out.decode()

        assert ended.status == 1
        assert ended.counts == "read 66 = translated 47 + audiences 7 + skipped 8 + rejected 4"
        for line in CALLS.read_text(encoding="utf-8").splitlines():
            for row in explain(line, config).rows:
                assert f"   {row.target} " in text
                assert row.source is None or f"  {row.source} " in text

    def test_a_membership_is_explained_too(self, run: Run) -> None:
        text = run("explain", stdin=ndjson(MEMBER)).out.decode()

        assert text.startswith("standard input:1  identify  ->  audience\n")
        assert "$.idList" in text

    def test_what_was_skipped_says_why_and_what_would_change_it(self, run: Run) -> None:
        ended = run("explain", stdin=ndjson({"type": "identify"}))

        assert ended.status == 0
        assert " ".join(ended.out.decode().split()) == (
            "standard input:1 identify -> skipped: identify_without_audience "
            f"why: {CODES['identify_without_audience'].meaning} (AU-1: {RULES['AU-1'].title}) "
            f"what would change it: {CODES['identify_without_audience'].advice}"
        )

    @pytest.mark.parametrize(
        ("line", "first", "why"),
        [
            (b"oops\n", "not a call  ->  rejected: invalid_json", "invalid_json"),
            (b'{"a":1}\n', "an object  ->  rejected: missing_type at $.type", "missing_type"),
            (b'{"type":"track","event":"e"}', 'track "e"  ->  rejected: no_identifier at $', "no_identifier"),
        ],
    )
    def test_what_was_rejected_says_why_and_what_would_change_it(
        self, run: Run, line: bytes, first: str, why: str
    ) -> None:
        ended = run("explain", stdin=line)
        text = " ".join(ended.out.decode().split())

        assert ended.status == 1
        assert ended.out.decode().startswith(f"standard input:1  {first}\n")
        assert f" why: {CODES[why].meaning}" in text
        assert f"({CODES[why].rule}: {RULES[CODES[why].rule].title})" in text
        assert text.endswith(f" what would change it: {CODES[why].advice}")

    def test_a_record_without_calls_is_named_by_what_it_is(self, run: Run) -> None:
        text = run("explain", stdin=b'{\n"batch": 5}').out.decode()

        assert text.startswith("standard input:1  an object  ->  rejected: batch_not_array at $.batch\n")

    def test_issues_are_shown(self, run: Run) -> None:
        text = run("explain", stdin=ndjson(GOOD | {"anonymousId": ""})).out.decode()

        assert f"   issue:  id_invalid at $.anonymousId: {CODES['id_invalid'].meaning}\n" in text

    def test_what_the_configuration_put_there_is_shown(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "c.toml").write_text('[inbound]\ndefault_environment = "staging"', encoding="utf-8")
        text = run("explain", "--config", tmp_path / "c.toml", stdin=ndjson(GOOD)).out.decode()

        assert '"staging"             (configuration)  US-4' in text

    @pytest.mark.parametrize("form", ["log-event", "webhook", "request"])
    def test_the_output_of_inbound_is_not_its_input(self, run: Run, form: str) -> None:
        events = run("inbound", "--format", form, stdin=ndjson(GOOD)).out
        text = run("explain", stdin=events).out.decode()

        assert STATSIG_HINT in " ".join(text.split())

    def test_places_are_files_and_lines_counted_from_1(self, run: Run, tmp_path: Path) -> None:
        lines, document = tmp_path / "lines", tmp_path / "document"
        lines.write_bytes(b"\n" + ndjson(GOOD, [GOOD, GOOD]))
        document.write_text(json.dumps([GOOD, GOOD], indent=1), encoding="utf-8")
        text = run("explain", lines, document).out.decode()

        assert [line.partition("  ")[0] for line in text.splitlines() if "->" in line] == [
            f"{lines}:2", f"{lines}:3", f"{lines}:3", f"{document}:2", f"{document}:8",
        ]  # fmt: skip

    def test_one_call_can_be_explained_alone(self, run: Run) -> None:
        calls = ndjson({"type": "video"}, *(GOOD | {"event": name} for name in "abc"))
        ended = run("explain", "--at", "3", stdin=calls)

        assert ended.out.decode().count("->") == 1
        assert ended.out.decode().startswith('standard input:3  track "b"')
        assert (ended.status, ended.counts[:6]) == (0, "read 1")

    def test_there_may_be_fewer_calls(self, run: Run) -> None:
        ended = run("explain", "--at", "3", stdin=ndjson(GOOD))

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err.endswith("statsig-segment: --at 3: there are fewer calls than that\n")

    def test_no_more_than_so_many_are_explained(self, run: Run) -> None:
        calls = ndjson({"type": "video"}, *[GOOD] * 4)
        text = run("explain", "--limit", "2", "--only", "event", stdin=calls).out.decode()

        assert [line.partition("  ")[0] for line in text.splitlines() if "->" in line] == [
            "standard input:2",
            "standard input:3",
        ]

    @pytest.mark.parametrize("only", ["event", "audience", "skipped", "rejected"])
    def test_only_some_outcomes_are_explained(self, run: Run, only: str) -> None:
        calls = ndjson(GOOD, MEMBER, {"type": "identify"}, {"type": "video"})
        ended = run("explain", "--only", only, stdin=calls)

        assert ended.out.decode().count("->") == 1
        assert f"->  {only}" in ended.out.decode()
        assert ended.counts == "read 4 = translated 1 + audiences 1 + skipped 1 + rejected 1"

    def test_nothing_in_a_payload_steers_the_terminal(self, run: Run) -> None:
        odd = "\x1b[31m\x9b\u202e\r\n\x00\ud800"
        call = {"type": odd, "event": odd}, GOOD | {"event": odd, "properties": {odd: odd, "a\nb": "\n"}}
        text = run("explain", stdin=ndjson(*call)).out.decode()

        assert all(character.isprintable() or character == "\n" for character in text)
        assert "\\u001b[31m\\u009b\\u202e" in text

    @pytest.mark.parametrize("columns", [40, *map(slow, (20, 80, 120))])
    def test_values_wrap_within_the_width(self, run: Run, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
        monkeypatch.setenv("COLUMNS", str(columns))
        text = run("explain", CALLS, "--config", CONFIG).out.decode()

        assert max(map(cell_len, text.splitlines())) <= columns

    def test_very_long_values_are_cut(self, run: Run) -> None:
        text = run("explain", stdin=ndjson(GOOD | {"properties": {"long": "x" * 10_000}})).out.decode()

        assert 900 < text.count("x") < 1_100

    def test_characters_that_the_terminal_lacks_are_escaped(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        buffer = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(buffer, encoding="ascii"))
        run("explain", stdin=ndjson(GOOD | {"event": "é"}))

        assert b'track "\\xe9"' in buffer.getvalue()


class TestHints:
    @pytest.mark.parametrize("hint", [STATSIG_HINT, SEGMENT_HINT])
    def test_it_is_a_sentence(self, hint: str) -> None:
        assert hint[0].isupper()
        assert hint.endswith(".")
        assert hint.isprintable()


class TestCheckConfig:
    def test_it_lists_the_settings_that_the_file_changes(self, run: Run) -> None:
        ended = run("check-config", CONFIG)
        first, *listed = ended.out.decode().splitlines()

        assert (ended.status, ended.err) == (0, "")
        assert first == f"{CONFIG} can be used. It changes these settings:"
        assert listed[:3] == [
            '  inbound.default_environment = "development"',
            '  inbound.id_types = ["companyID","deviceID","segmentAnonymousId","teamID"]',
            '  inbound.id_mappings[0] = {"field":"anonymousId","id_type":"segmentAnonymousId"}',
        ]
        assert listed[-1] == "  outbound.filters.events.map_panned = false"

    @pytest.mark.parametrize("text", ["", "[inbound]\nhonor_integrations = true"])
    def test_a_file_that_changes_nothing_is_said_to(self, run: Run, tmp_path: Path, text: str) -> None:
        (tmp_path / "c.toml").write_text(text, encoding="utf-8")

        assert run("check-config", tmp_path / "c.toml").out.decode() == (
            f"{tmp_path / 'c.toml'} can be used. It changes no setting.\n"
        )

    def test_no_character_of_the_file_steers_the_terminal(self, run: Run) -> None:
        config = {"inbound": {"filters": {"exclude": ["\ud800", "\u202e", "\x9b"]}}}

        shown = run("check-config", "-", stdin=json.dumps(config).encode()).out.decode()

        assert all(character.isprintable() or character == "\n" for character in shown)

    def test_it_lists_every_problem(self, run: Run, tmp_path: Path) -> None:
        path = tmp_path / "c.toml"
        path.write_text(
            '[inbound]\nhonor_integrations = "yes"\n[outbound]\nprofile = "x"\ncolour = 1', encoding="utf-8"
        )
        ended = run("check-config", path)

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err.splitlines() == [
            f"{path}:2: $.inbound.honor_integrations: expected true or false [wrong_type]",
            '   2 | honor_integrations = "yes"',
            "     | ^^^^^^^^^^^^^^^^^^",
            f"{path}:4: $.outbound.profile: expected documented or deliverable [wrong_value]",
            '   4 | profile = "x"',
            "     | ^^^^^^^",
            f"{path}:5: $.outbound.colour: no such key [unknown_key]",
            "   5 | colour = 1",
            "     | ^^^^^^",
        ]

    @pytest.mark.parametrize("command", ["inbound", "outbound", "explain"])
    def test_every_command_lists_them(self, run: Run, tmp_path: Path, command: str) -> None:
        (tmp_path / "c.json").write_text('{"x": 1, "y": 2}', encoding="utf-8")
        ended = run(command, "--config", tmp_path / "c.json", stdin=ndjson(GOOD))

        assert (ended.status, ended.out) == (2, b"")
        assert [line for line in ended.err.splitlines() if " | " not in line] == [
            f"{tmp_path / 'c.json'}:1: $.{key}: no such key [unknown_key]" for key in "xy"
        ]

    def test_it_reads_standard_input(self, run: Run) -> None:
        assert run("check-config", "-", stdin=b'{"inbound": {}}').out.startswith(b"- can be used. ")

    def test_it_reads_utf8_only(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "c.toml").write_bytes(b"# \xff")
        ended = run("check-config", tmp_path / "c.toml")

        assert ended.status == 2
        assert "not in UTF-8" in ended.err

    @pytest.mark.parametrize(
        "config",
        [
            InboundConfig(default_environment="staging"),
            InboundConfig(id_types=["a"]),
            InboundConfig(id_types=[]),
            InboundConfig(id_mappings=[IdMapping(field="a", id_type="b")]),
            InboundConfig(filters=InboundFilter(include=["a"])),
            InboundConfig(filters=InboundFilter(include=[])),
            InboundConfig(filters=InboundFilter(exclude=["a"])),
            InboundConfig(filters=InboundFilter(types=["page"])),
            InboundConfig(filters=InboundFilter(types=[])),
            *(
                InboundConfig(naming=attrs.evolve(EventNaming(), **cast("Any", {key: "x"})))
                for key in ("prefix", "track", "page", "page_unnamed", "screen", "screen_unnamed", "group")
            ),
            InboundConfig(user_fields={"email": "traits.email"}),
            InboundConfig(user_fields={}),
            InboundConfig(value_property="revenue"),
            InboundConfig(value_property=None),
            InboundConfig(honor_integrations=False),
            InboundConfig(allow_statsig_origin=True),
            OutboundConfig(profile="deliverable"),
            OutboundConfig(anonymous_id="a"),
            OutboundConfig(filters=OutboundFilter(exposures=False)),
            OutboundConfig(filters=OutboundFilter(config_changes=False)),
            OutboundConfig(filters=OutboundFilter(include_new_events=False)),
            OutboundConfig(filters=OutboundFilter(events={"a": True})),
            OutboundConfig(filters=OutboundFilter(events={"a": False})),
        ],
    )
    def test_every_key_is_listed(self, run: Run, config: InboundConfig | OutboundConfig) -> None:
        if isinstance(config, InboundConfig):
            whole = IntegrationConfig(inbound=config)
        else:
            whole = IntegrationConfig(outbound=config)
        _, line = run("check-config", "-", stdin=json.dumps(config_table(whole)).encode()).out.decode().splitlines()
        path, _, value = line.strip().partition(" = ")

        assert json.dumps(json.loads(value)) in json.dumps(config_table(whole))
        assert all(f'"{step}"' in json.dumps(config_table(whole)) for step in re.findall(r"\w+(?=\.|$)", path))


HELP: dict[tuple[str, ...], str] = {
    (): """
usage: statsig-segment [-h] [-V] [--print-completion {bash,zsh,tcsh,fish,powershell}] command ...
Translate Segment calls to Statsig events, and Statsig's exports to Segment calls.
positional arguments:
  command
    inbound             translate Segment calls to Statsig events
    outbound            translate Statsig's exports to Segment calls
    explain             show why an ID is missing, where each field comes from, or why there is no event
    preview             count what Segment calls would become, and show what would help
    compare             compare Segment calls with what Statsig has for them, and propose a configuration
    diff                show what another configuration would change for Segment calls
    join                show which units of experiments the events of Segment calls reach, and what would reach more
    check-config        show every problem of a configuration, or what it changes
options:
  -h, --help            show this help message and exit
  -V, --version         show the version and exit
  --print-completion {bash,zsh,tcsh,fish,powershell}
                        print the completion script of a shell and exit
Input is JSON: one object, array or batch a line, or one over many lines; plain, gzip or zstd. Output is JSON, or
readable text at a terminal. Exit status: 0 if all is well; 1 if something was rejected or, in compare and diff,
differs; 2 for any other problem.
""",
    ("inbound",): """
usage: statsig-segment inbound [-h] [-c FILE] [-n N] [-f {log-event,webhook,request}] [-o FILE] [-r FILE]
                               [--summary-json FILE] [--json] [-q] [--audiences FILE] [--deduplicate] [-j N]
                               [FILE ...]
Translate Segment calls to Statsig events.
positional arguments:
  FILE                  Segment calls, in files or folders; standard input if none or -
options:
  -h, --help            show this help message and exit
  -c FILE, --config FILE
                        the configuration, in TOML or JSON (default: all defaults)
  -n N, --limit N       stop after N calls
  -f {log-event,webhook,request}, --format {log-event,webhook,request}
                        how to write events (default: log-event); request packs 500 events into one
  -o FILE, --output FILE
                        write JSON to this file instead of standard output
  -r FILE, --rejects FILE
                        write each rejected payload to this file, with the reason
  --summary-json FILE   write the counts to this file, as one JSON object
  --json                write JSON, even at a terminal
  -q, --quiet           show only errors: no lines, summary or progress
  --audiences FILE      write the changes of ID lists to this file
  --deduplicate         skip a call if its messageId is one of the last 1,000,000; not with --jobs
  -j N, --jobs N        work in N processes (default: 1)
""",
    ("outbound",): """
usage: statsig-segment outbound [-h] [-c FILE] [-n N] [--profile {documented,deliverable}] [--batch] [-o FILE]
                                [-r FILE] [--summary-json FILE] [--json] [-q]
                                [FILE ...]
Translate Statsig's exports to Segment calls.
positional arguments:
  FILE                  what Statsig exported, in files or folders; standard input if none or -
options:
  -h, --help            show this help message and exit
  -c FILE, --config FILE
                        the configuration, in TOML or JSON (default: all defaults)
  -n N, --limit N       stop after N calls
  --profile {documented,deliverable}
                        the form of the calls, instead of the configured one
  --batch               pack the calls into request bodies for Segment's API
  -o FILE, --output FILE
                        write JSON to this file instead of standard output
  -r FILE, --rejects FILE
                        write each rejected payload to this file, with the reason
  --summary-json FILE   write the counts to this file, as one JSON object
  --json                write JSON, even at a terminal
  -q, --quiet           show only errors: no lines, summary or progress
""",
    ("explain",): """
usage: statsig-segment explain [-h] [-c FILE] [-n N] [--exports] [--at N] [--only {event,audience,skipped,rejected}]
                               [FILE ...]
Show why an ID is missing, where each field comes from, or why there is no event.
positional arguments:
  FILE                  Segment calls, in files or folders; standard input if none or -
options:
  -h, --help            show this help message and exit
  -c FILE, --config FILE
                        the configuration, in TOML or JSON (default: all defaults)
  -n N, --limit N       explain at most N calls
  --exports             the files hold events of a Statsig export: explain the way to Segment
  --at N                explain only the Nth call, counted from 1
  --only {event,audience,skipped,rejected}
                        explain only calls with this outcome
""",
    ("preview",): """
usage: statsig-segment preview [-h] [-c FILE] [-n N] [--try FIELD=TYPE] [--deduplicate] [--json] [--html FILE] [-j N]
                               [FILE ...]
Count what Segment calls would become, and show what would help.
positional arguments:
  FILE                  Segment calls, in files or folders; standard input if none or -
options:
  -h, --help            show this help message and exit
  -c FILE, --config FILE
                        the configuration, in TOML or JSON (default: all defaults)
  -n N, --limit N       stop after N calls
  --try FIELD=TYPE      measure what this ID mapping would add, such as traits.companyId=companyID; may be repeated
  --deduplicate         skip a call if its messageId is one of the last 1,000,000; not with --jobs
  --json                write JSON, even at a terminal
  --html FILE           write the preview as one HTML page to this file
  -j N, --jobs N        work in N processes (default: 1)
""",
    ("compare",): """
usage: statsig-segment compare [-h] [-c FILE] [--tolerance-ms N] [--json] [--write-config FILE] CALLS [CALLS ...] EXPORT
Compare Segment calls with what Statsig has for them, and propose a configuration.
positional arguments:
  CALLS                 Segment calls, in files or folders; - is standard input
  EXPORT                what Statsig has for them, likewise
options:
  -h, --help            show this help message and exit
  -c FILE, --config FILE
                        the configuration, in TOML or JSON (default: all defaults)
  --tolerance-ms N      how far the times of a call and its event may lie apart; 999 where the export cuts them to
                        seconds
  --json                write JSON, even at a terminal
  --write-config FILE   write the proposed configuration to this file, TOML or (.json) JSON
""",
    ("check-config",): """
usage: statsig-segment check-config [-h] FILE
Show every problem of a configuration, or what it changes.
positional arguments:
  FILE        TOML or JSON; - is standard input
options:
  -h, --help  show this help message and exit
""",
}


class TestHelp:
    """Word for word: it is the manual that is at hand; how it is set is argparse's affair."""

    @pytest.mark.parametrize("command", HELP)
    def test_it_tells_each_argument(self, run: Run, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
        monkeypatch.setenv("COLUMNS", "1000")

        told = run(*command, "--help").out.decode()

        # Python 3.13 and later name the value of an option once, after its last spelling.
        told = re.sub(r"(?<=\s)(-\w), (--\S+) (\S+)", r"\1 \3, \2 \3", told)
        assert told.split() == HELP[command].split()


class TestWhatCannotBeUsed:
    @pytest.mark.parametrize(
        "argv",
        [
            ["fly"],
            ["inbound", "--fly"],
            ["inbound", "--format", "xml"],
            ["outbound", "--profile", "fast"],
            ["check-config"],
            ["explain", "--at", "0"],
            ["explain", "--only", "nothing"],
            ["inbound", "--deduplicate", "--jobs", "2"],
        ],
    )
    def test_arguments(self, run: Run, argv: list[str]) -> None:
        ended = run(*argv)

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err.startswith("statsig-segment")
        assert "usage:" not in ended.err

    @pytest.mark.parametrize(
        ("command", "word", "problem"),
        [
            ([], "inbond", "unknown command 'inbond': did you mean 'inbound'?"),
            ([], "fly", "unknown command 'fly': expected inbound, outbound, explain, "),
            (["inbound"], "--fly", "unknown argument '--fly'\n"),
            (["inbound"], "--fomat=x", "unknown argument '--fomat=x': did you mean '--format'?\n"),
            (["inbound"], "--format=webhok", "-f/--format: unknown choice 'webhok': did you mean 'webhook'?\n"),
            (["outbound"], "--profile=x", "--profile: unknown choice 'x': expected documented, deliverable\n"),
            (["inbound"], "--jobs=x", "argument -j/--jobs: expected a whole number from 1, not 'x'"),
            (["outbound"], "--jobs=2", "unknown argument '--jobs=2'"),
            (["explain"], "--limit=0", "argument -n/--limit: expected a whole number from 1, not '0'"),
        ],
    )
    def test_what_is_wrong_with_arguments_is_said_in_a_line_with_what_is_close(
        self, run: Run, command: list[str], word: str, problem: str
    ) -> None:
        err = run(*command, word).err
        program = " ".join(("statsig-segment", *command))

        assert err.startswith(f"{program}: {problem}")
        assert err.splitlines()[1:] == [f"For help: {program} --help"]

    def test_without_a_word_it_shows_its_help(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["statsig-segment"])

        assert run() == run("--help")
        assert main() == 0

    @pytest.mark.parametrize(
        ("short", "long"),
        [
            (("-n", "2"), ("--limit", "2")),
            (("-c", str(CONFIG)), ("--config", str(CONFIG))),
            (("-f", "webhook"), ("--format", "webhook")),
            (("-q",), ("--quiet",)),
            (("-j", "2"), ("--jobs", "2")),
        ],
    )
    def test_the_common_options_have_short_forms(self, run: Run, short: tuple[str], long: tuple[str]) -> None:
        calls = ndjson(GOOD, MEMBER, {"type": "video"})

        assert run("inbound", *short, stdin=calls) == run("inbound", *long, stdin=calls)

    @pytest.mark.parametrize("option", ["--help", "--version"])
    def test_asking_is_no_mistake(self, run: Run, option: str) -> None:
        assert run(option).status == 0
        assert run("inbound", "--help").status == 0

    def test_the_version_is_the_packages(self, run: Run) -> None:
        build = "compiled" if statsig_segment.COMPILED else "pure Python"

        assert run("--version").out.decode() == f"statsig-segment {statsig_segment.__version__} ({build})\n"

    def test_a_missing_file(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "there").write_bytes(ndjson(GOOD))
        ended = run("inbound", tmp_path / "there", tmp_path / "missing")

        assert ended == Ended(2, b"", f"statsig-segment: {tmp_path / 'missing'}: no such file\n")

    def test_a_folder_without_files(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        (tmp_path / ".hidden").touch()

        assert run("outbound", tmp_path) == Ended(2, b"", f"statsig-segment: {tmp_path}: no files in this folder\n")

    def test_a_file_that_may_not_be_read(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a").write_bytes(b"")

        def refuse(_path: object, _mode: int) -> bool:
            return False

        monkeypatch.setattr(os, "access", refuse)

        assert "not allowed to read it" in run("inbound", tmp_path / "a").err

    def test_a_missing_configuration(self, run: Run, tmp_path: Path) -> None:
        ended = run("inbound", "--config", tmp_path / "missing", stdin=ndjson(GOOD))

        assert ended == Ended(2, b"", f"statsig-segment: {tmp_path / 'missing'}: No such file or directory\n")

    def test_an_output_in_no_folder(self, run: Run, tmp_path: Path) -> None:
        ended = run("inbound", "--rejects", tmp_path / "missing" / "rejects", stdin=ndjson(GOOD))

        assert (ended.status, ended.out) == (2, b"")
        assert "No such file or directory" in ended.err

    def test_a_file_that_breaks_off_leaves_the_others(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "a.gz").write_bytes(gzip.compress(ndjson(*[GOOD] * 10))[:-9])
        (tmp_path / "b").write_bytes(ndjson({"type": "video"}, GOOD))
        ended = run("inbound", tmp_path / "a.gz", tmp_path / "b")

        assert ended.status == 2
        assert f"{tmp_path / 'a.gz'}: Compressed file ended" in ended.err
        assert ended.out.endswith(b"}\n")
        assert "rejected 1" in ended.counts

    @pytest.mark.parametrize("command", ["inbound", "explain"])
    def test_a_closed_standard_input(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
    ) -> None:
        monkeypatch.setattr(sys, "stdin", None)

        assert main([command]) == 2
        assert "-: standard input is closed" in capfd.readouterr().err

    def test_a_closed_standard_output(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdout", None)

        assert main(["inbound", str(CALLS)]) == 2
        assert capfd.readouterr().err == "statsig-segment: standard output is closed\n"

    def test_a_closed_standard_error(
        self, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stderr", None)

        assert main(["inbound", str(CALLS)]) == 1
        assert capfdbinary.readouterr().out.startswith(b"{")

    def test_a_full_disk(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        class Full(io.BytesIO):
            def write(self, _data: object) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(run_module, "standard_output", Full)

        assert main(["inbound", str(CALLS)]) == 2
        assert capfd.readouterr().err == "statsig-segment: standard output: No space left on device\n"


class TestTheSummary:
    def test_it_names_every_part_that_is_there(self) -> None:
        counts = Counts(translated=1_000, skipped={"filtered": 2}, rejected={"invalid_json": 1})

        assert summary_text(counts) == (
            "read 1,003 = translated 1,000 + audiences 0 + skipped 2 + rejected 1\n"
            "skipped: filtered 2\n"
            "rejected: invalid_json 1"
        )


class TestInterruption:
    def test_it_says_what_was_done(self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(*_: object, **__: object) -> Iterator[bytes]:
            raise KeyboardInterrupt

        monkeypatch.setattr(run_module, "read_blocks", interrupted)

        assert main(["inbound"]) == 130
        assert capfd.readouterr() == (
            "",
            "read 0 = translated 0 + audiences 0 + skipped 0 + rejected 0\ninterrupted\n",
        )

    @pytest.mark.parametrize("jobs", small_and_large("1", "2"))
    def test_a_whole_process_ends_in_order(self, jobs: str) -> None:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's jobs in the background ignore it
        process = spawned("inbound", "--jobs", jobs, own_session=True)
        signal.signal(signal.SIGINT, before)
        assert process.stdin
        assert process.stdout
        while not select.select([process.stdout], [], [], 0.05)[0]:  # until it is at work
            process.stdin.write(ndjson(GOOD))
            process.stdin.flush()
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)

        assert process.returncode == 130
        assert err.startswith(b"read ")
        assert err.endswith(b"\ninterrupted\n")


class TestAClosedPipe:
    def test_it_is_quiet_and_leaves_nothing_to_complain_of(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "w", encoding="utf-8") as stdout:  # noqa: PTH123 - a descriptor, no path
            monkeypatch.setattr(sys, "stdout", stdout)
            status = main(["inbound", str(CALLS)])
            stdout.write("to nowhere")

        assert (status, capfd.readouterr().err) == (141, "")

    def test_a_stream_that_is_no_file_is_left_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Closed(io.BytesIO):
            def write(self, _data: object) -> int:
                raise BrokenPipeError

        monkeypatch.setattr(run_module, "standard_output", Closed)
        monkeypatch.setattr(sys, "stdout", io.StringIO())

        assert main(["inbound", str(CALLS)]) == 141


class TestTheModule:
    def test_it_is_the_command_line(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "argv", ["statsig-segment", "check-config", str(CONFIG)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_module("statsig_segment", run_name="__main__")

        assert ended.value.code == run("check-config", CONFIG).status

    def test_importing_it_runs_nothing(self) -> None:
        runpy.run_module("statsig_segment.__main__", run_name="__mp_main__")


FORMS = {"lines": ("", "\n", "\n"), "array": ("[", ",", "]")}


class TestAsAProcess:
    def test_it_reads_standard_input(self) -> None:
        out, err = (process := spawned("inbound", "--config", CONFIG)).communicate(CALLS.read_bytes(), timeout=60)

        assert process.returncode == 1
        assert out.count(b"\n") == 47
        assert b"\nread 66 = " in err

    @pytest.mark.parametrize("command", [["inbound"], *map(slow, (["inbound", "--jobs", "2"], ["explain"]))])
    def test_a_closed_pipe_ends_it_quietly(self, tmp_path: Path, command: list[str]) -> None:
        (tmp_path / "calls").write_bytes(CALLS.read_bytes() * 50)
        process = spawned(*command, tmp_path / "calls")
        assert process.stdout
        first = process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        err = process.stderr.read()
        process.stderr.close()
        assert process.stdin
        process.stdin.close()

        assert first
        assert (process.wait(timeout=60), err) == (141, b"")

    def test_a_pipe_closed_from_the_start_ends_it_quietly(self, tmp_path: Path) -> None:
        """Little output stands in the buffer until the very end."""
        (tmp_path / "calls").write_bytes(ndjson(GOOD))
        reading, writing = os.pipe()
        os.close(reading)
        process = spawned("inbound", tmp_path / "calls", stdout=writing)
        os.close(writing)
        _, err = process.communicate(timeout=60)

        assert (process.returncode, err) == (141, b"")

    def test_output_comes_while_input_goes_on(self) -> None:
        process = spawned("inbound")
        assert process.stdin
        assert process.stdout
        process.stdin.write(ndjson(GOOD))
        process.stdin.flush()
        first = process.stdout.readline()
        out, _ = process.communicate(ndjson(GOOD), timeout=60)

        assert first == out

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak of one process alone")
    @pytest.mark.parametrize(
        ("form", "fast", "most"),
        [
            ("array", True, 12),
            *(pytest.param(form, fast, 50, marks=pytest.mark.slow) for form in FORMS for fast in (True, False)),
        ],
    )
    def test_memory_does_not_grow_with_the_input(self, tmp_path: Path, form: str, fast: bool, most: int) -> None:
        script = (
            "import re, sys\n"
            f"sys.modules.update({{}} if {fast} else {{'orjson': None}})\n"
            "from statsig_segment.cli import main\n"
            "assert main(['inbound', sys.argv[1], '--rejects', '/dev/null']) == 0\n"
            "print(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1], file=sys.stderr)\n"
        )
        call = json.dumps(GOOD | {"properties": {"text": "x" * 1_000}, "context": {"ip": "192.0.2.1"}})
        begin, between, end = FORMS[form]
        peaks: list[int] = []
        for megabytes in (5, most):
            with (tmp_path / "calls").open("w", encoding="utf-8") as file:
                file.write(begin + call)
                file.writelines([between + call] * (megabytes * 1_000_000 // len(call)))
                file.write(end)
            done = subprocess.run(  # noqa: S603 - our own
                [sys.executable, "-c", script, str(tmp_path / "calls")],
                env=environment(),
                capture_output=True,
                check=True,
            )
            assert b" = translated " in done.stderr
            peaks.append(int(done.stderr.split()[-1]) // 1024)

        assert peaks[1] <= peaks[0] + 5  # megabytes
        assert peaks[1] < 60
