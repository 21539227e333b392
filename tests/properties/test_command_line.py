"""Properties of the command line (CL-1 to CL-8): one class for each rule, the rule quoted."""

from __future__ import annotations

import bz2
import io
import json
import lzma
import re
import sys
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from typing_extensions import override

from statsig_segment import IntegrationConfig, StatsigEvent, load_config, translate_many
from statsig_segment.cli import main
from statsig_segment.cli.blocks import CALLS, Block, Payloads
from statsig_segment.cli.preview_facts import preview_record
from statsig_segment.cli.screen import Screen, is_plain, summary
from statsig_segment.insight.comparison import compare
from statsig_segment.insight.preview import Counts, preview
from statsig_segment.outbound.export import outcome_and_issues
from statsig_segment.outcomes import Rejected
from statsig_segment.rulebook import CODES
from statsig_segment.testing import json_values, segment_calls, statsig_events

FEWER = settings(max_examples=min(25, settings().max_examples // 3))  # each of them runs a whole command
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

GOOD = {"type": "track", "event": "Signed Up", "userId": "u1"}
some_calls = st.lists(segment_calls(malformed=True), max_size=6)
widths = st.sampled_from((20, 59, 60, 80, 120))


@attrs.frozen
class Ended:
    """How a run ended."""

    status: int
    out: str
    err: str


class Stream(io.TextIOWrapper):
    """A standard stream in memory, which may be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", errors="backslashreplace")
        self._terminal = terminal

    @override
    def isatty(self) -> bool:
        return self._terminal

    @property
    def text(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode()


def ran(*argv: object, stdin: bytes = b"", terminal: bool = False, columns: int = 80, color: bool = False) -> Ended:
    """Run a command in this process, with streams of our own."""
    out, err = Stream(terminal=terminal), Stream(terminal=terminal)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("NO_COLOR", "" if color else "1")
        assert is_plain() is not color
        status = main([str(word) for word in argv])
        return Ended(status, out.text, err.text)


def lines(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def outcomes(calls: list[Any]) -> list[Any]:
    return list(translate_many(json.loads(json.dumps(calls))))


class TestCL1RecordsWithoutLineBreaks:
    """CL-1: Values that follow one another without a line break, or after a record separator, are a record each.

    A broken one costs itself and not its neighbors.
    """

    @given(some_calls, st.lists(st.sampled_from(("", " ", "\x1e", "\n", "\r\n", "\n\x1e")), min_size=6, max_size=6))
    def test_what_stands_between_records_does_not_matter(self, calls: list[Any], between: list[str]) -> None:
        text = "".join(part for call, gap in zip(calls, between, strict=False) for part in (json.dumps(call), gap))

        assert list(Payloads(Block(data=text.encode()), CALLS)) == json.loads(json.dumps(calls))

    @given(some_calls, some_calls, st.sampled_from(('{"a":}', "{oops}", '{"a" 1}')))
    def test_a_broken_one_costs_itself(self, before: list[Any], after: list[Any], broken: str) -> None:
        text = "".join((*map(json.dumps, before), broken, *map(json.dumps, after)))
        found = list(Payloads(Block(data=text.encode()), CALLS))

        assert [payload for payload in found if not isinstance(payload, Rejected)] == json.loads(
            json.dumps([*before, *after])
        )
        assert [payload.error.code for payload in found if isinstance(payload, Rejected)] == ["invalid_json"]

    @given(some_calls, some_calls, st.sampled_from(('{"a":}', '{"a" 1}', '{"a":"x}', '{"a":[{"b":1}}')), st.booleans())
    @example([], [{"event": "Signed Up"}, {"userId": "}x"}], '{"a":"x}', False)  # the next odd bracket is in a string
    @example([], [{"type": "identify", "traits": {"a": "}, b"}}], '{"a":"x}', True)
    def test_a_broken_item_of_an_array_or_a_batch_costs_itself(
        self, before: list[Any], after: list[Any], broken: str, in_batch: bool
    ) -> None:
        after = [{"type": "track", **call} for call in after if isinstance(call, dict)]
        before = [{"type": "track", **call} for call in before if isinstance(call, dict)]
        before = before or [{"type": "track"}]
        text = f"[{','.join((*map(json.dumps, before), broken, *map(json.dumps, after)))}]"
        text = f'{{"batch":{text}}}' if in_batch else text
        found = list(Payloads(Block(data=text.encode()), CALLS))

        assert [payload for payload in found if not isinstance(payload, Rejected)] == json.loads(
            json.dumps([*before, *after])
        )
        assert [payload.error.code for payload in found if isinstance(payload, Rejected)] == ["invalid_json"]


class TestCL2ATerminalGetsLinesAPipeGetsJson:
    """CL-2: Into a pipe or file it writes JSON as ever.

    At a terminal inbound and outbound write one readable line a call, colored unless NO_COLOR is set; --json writes
    JSON there too.
    """

    @FEWER
    @given(some_calls, st.booleans())
    def test_a_terminal_gets_one_line_a_call_and_a_pipe_json(self, calls: list[Any], color: bool) -> None:
        piped = ran("inbound", stdin=lines(*calls))
        shown = ran("inbound", stdin=lines(*calls), terminal=True, columns=500, color=color)
        events = [each for each in outcomes(calls) if isinstance(each, StatsigEvent)]
        text = ESCAPES.sub("", shown.out)

        assert len(list(map(json.loads, piped.out.split("\n")[:-1]))) == len(events)
        assert len(text.splitlines()) == text.count(" -> ") == len(calls)
        assert ("\x1b" in shown.out) is (color and bool(calls))

    @FEWER
    @given(st.lists(statsig_events(), max_size=4))
    def test_outbound_does_so_too(self, events: list[Any]) -> None:
        payloads = lines(*events)
        piped = ran("outbound", stdin=payloads)

        assert all(map(json.loads, piped.out.split("\n")[:-1]))
        shown = ran("outbound", "--json", stdin=payloads, terminal=True).out
        assert shown.isprintable() or set(filter(lambda character: not character.isprintable(), shown)) == {"\n"}
        assert list(map(json.loads, shown.split("\n")[:-1])) == list(map(json.loads, piped.out.split("\n")[:-1]))
        assert len(ran("outbound", stdin=payloads, terminal=True, columns=500).out.splitlines()) == len(events)


class TestCL3OutputFitsTheTerminal:
    """CL-3: What people read fits the width of their terminal.

    Progress goes to standard error, and never into the same terminal as the output.
    """

    @FEWER
    @given(some_calls, widths, st.sampled_from(("inbound", "explain", "preview")))
    def test_nothing_is_wider(self, calls: list[Any], columns: int, command: str) -> None:
        shown = ran(command, stdin=lines(*calls), terminal=True, columns=columns)
        wide = [line for line in shown.out.splitlines() if cell_len(line) > columns]

        assert wide == []

    @given(st.dictionaries(st.sampled_from(sorted(CODES)), st.integers(1, 10**6)), st.sampled_from((20, 60, 80, 120)))
    def test_the_summary_is_not_either(self, rejected: dict[str, int], columns: int) -> None:
        counts = Counts(rejected=rejected)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", str(columns))
            screen = Screen(None)

        assert max(map(cell_len, screen.text(summary(counts, columns, outbound=False)).splitlines())) <= columns

    def test_progress_shows_beside_a_file_and_not_beside_the_output(self) -> None:
        calls = lines(GOOD) * 20_000
        with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            path = Path(folder, "calls")
            path.write_bytes(calls)
            patch.setattr("statsig_segment.cli.run._PROGRESS_AFTER", 0)
            patch.setattr("statsig_segment.cli.run._PROGRESS_EVERY", 0)
            beside_file = ran("inbound", path, "--output", Path(folder, "events"), terminal=True, color=True)
            beside_output = ran("inbound", path, "--json", terminal=True, color=True)

        assert re.search(r"[\d,]+/s", beside_file.err)
        assert "/s" not in beside_output.err + beside_output.out


class TestCL4PreviewAndCompare:
    """CL-4: `preview FILES` prints the preview: events, shares of units, libraries, mappings, gains; --try FIELD=TYPE,
    --deduplicate, --json, --html FILE. What people read is text in a pipe as well; JSON only by --json.

    compare CALLS EXPORT prints the findings and the proposal; --json, --write-config FILE.
    """

    @FEWER
    @given(some_calls, st.integers(0, 6))
    def test_the_preview_is_the_same_however_the_calls_are_spread(self, calls: list[Any], cut: int) -> None:
        expected = json.loads(json.dumps(preview_record(preview(json.loads(json.dumps(calls))))))
        with TemporaryDirectory() as folder:
            parts = [Path(folder, name) for name in "ab"]
            for path, part in zip(parts, (calls[:cut], calls[cut:]), strict=True):
                path.write_bytes(lines(*part))
            ended = ran("preview", "--json", *parts)

        assert json.loads(ended.out) == expected
        assert ended.status == bool(expected["rejected"])

    @FEWER
    @given(some_calls)
    def test_a_terminal_and_a_page_show_the_same_counts(self, calls: list[Any]) -> None:
        with TemporaryDirectory() as folder:
            page = Path(folder, "preview.html")
            shown = ran("preview", "--html", page, stdin=lines(*calls), terminal=True, columns=200)
            html = page.read_text(encoding="utf-8")
        found = preview(json.loads(json.dumps(calls)))

        assert shown.out.startswith(f"read {found.read} = translated {found.translated} + ")
        assert f"<h2>{found.read} call" in html

    @settings(max_examples=10)
    @given(st.lists(segment_calls(), max_size=5), st.sampled_from(("toml", "json")))
    def test_a_comparison_is_that_of_the_library_and_its_proposal_can_be_loaded(
        self, calls: list[Any], ending: str
    ) -> None:
        calls = [{**call, "timestamp": 1_793_692_800_000 + at} for at, call in enumerate(json.loads(json.dumps(calls)))]
        renamed = load_config({"inbound": {"naming": {"prefix": "web/"}}})
        exported = [
            {"eventName": event.event_name, "userID": event.user.user_id, "timestamp": event.time_ms}
            for event in translate_many(calls, renamed)
            if isinstance(event, StatsigEvent)
        ]
        found = compare(calls, exported)
        with TemporaryDirectory() as folder:
            files = Path(folder, "calls"), Path(folder, "export")
            for path, side in zip(files, (calls, exported), strict=True):
                path.write_bytes(lines(*side))
            proposed = Path(folder, f"proposed.{ending}")
            ended = ran("compare", "--json", *files, "--write-config", proposed)
            record = json.loads(ended.out)
            loaded = load_config(proposed) if found.paired else None

        assert record["proposal"] == json.loads(json.dumps(found.proposal))
        assert ended.status == (2 if not found.paired else 0 if found.agrees else 1)
        assert loaded is None or loaded == load_config(found.proposal)


class TestCL5ExplainTakesManyFiles:
    """CL-5: explain takes many files, --at N, --limit N, --only OUTCOME.

    Places are given as file and line, counted from 1.
    """

    @FEWER
    @given(some_calls, st.integers(0, 6))
    def test_every_call_has_its_place(self, calls: list[Any], cut: int) -> None:
        with TemporaryDirectory() as folder:
            parts = [Path(folder, name) for name in "ab"]
            for path, part in zip(parts, (calls[:cut], calls[cut:]), strict=True):
                path.write_bytes(lines(*part))
            out = ran("explain", *parts).out
            places = [f"{path}:{at + 1}  " for path, part in zip(parts, (calls[:cut], calls[cut:]), strict=True)
                      for at in range(len(part))]  # fmt: skip

        assert [line for line in out.splitlines() if line.startswith(folder)] != [] or not calls
        assert all(place in out for place in places)

    @FEWER
    @given(some_calls.filter(bool), st.data())
    def test_one_call_can_be_explained_alone(self, calls: list[Any], data: st.DataObject) -> None:
        number = data.draw(st.integers(1, len(calls)))
        alone = ran("explain", "--at", number, stdin=lines(*calls)).out

        assert alone.startswith(f"standard input:{number}  ")
        assert alone in ran("explain", stdin=lines(*calls)).out

    @FEWER
    @given(some_calls, st.sampled_from(("event", "audience", "skipped", "rejected")), st.integers(1, 3))
    def test_only_some_can_be_explained_and_no_more_than_asked_for(
        self, calls: list[Any], kind: str, limit: int
    ) -> None:
        out = ran("explain", "--only", kind, "--limit", limit, stdin=lines(*calls)).out
        _, *explained = re.split(r"^standard input:", out, flags=re.MULTILINE)

        assert len(explained) <= limit
        assert all(re.search(rf" -> {kind}\b", " ".join(text.split())) for text in explained)  # long heads are wrapped


class TestCL6ProblemsOfAConfiguration:
    """CL-6: A problem of a configuration names its file, and its line where that can be known.

    check-config also warns of what can be used but hardly is meant; it says warning, and the status stays 0.
    """

    @FEWER
    @given(st.integers(0, 5), st.booleans())
    def test_a_problem_names_its_file_and_line(self, blank: int, as_json: bool) -> None:
        text = '{"inbound":\n{"no_key": 1}}' if as_json else "[inbound]\nno_key = 1"
        text = text.replace("\n", "\n" * (blank + 1))
        with TemporaryDirectory() as folder:
            path = Path(folder, "config")
            path.write_text(text, encoding="utf-8")
            ended = ran("check-config", path)
            inbound = ran("inbound", "--config", path)

        assert (ended.status, inbound.status) == (2, 2)
        assert ended.err.startswith(f"{path}:{blank + 2}: $.inbound.no_key: ")
        assert inbound.err == ended.err

    @FEWER
    @given(st.from_regex(r"[a-z]{2,8}", fullmatch=True))
    def test_a_warning_leaves_the_status_at_0(self, name: str) -> None:
        config = {
            "inbound": {
                "filters": {"include": [name], "exclude": [name]},
                "id_types": [name],
                "id_mappings": [{"field": "groupId", "id_type": name.upper()}],
            }
        }
        ended = ran("check-config", "-", stdin=json.dumps(config).encode())

        assert ended.status == 0
        assert ended.err.count("warning: standard input:1: ") == 2
        assert load_config(json.dumps(config)) != IntegrationConfig()


class TestCL7InputOfTheWrongKind:
    """CL-7: Input that is the other direction's, or compressed in a way that is not read, is named once.

    It says what to do, beside its rejects.
    """

    @FEWER
    @given(st.lists(statsig_events(), min_size=1, max_size=4), st.sampled_from(("inbound", "preview", "explain")))
    def test_an_export_among_calls_is_named_once(self, events: list[Any], command: str) -> None:
        ended = ran(command, stdin=lines(*events))

        assert ended.status == 1
        assert ended.err.count("`statsig-segment outbound` reads those") == 1
        assert f"rejected {len(events)}" in (ended.out if command == "preview" else ended.err)

    @FEWER
    @given(st.lists(segment_calls(), min_size=1, max_size=4))
    def test_calls_in_an_export_are_named_once(self, calls: list[Any]) -> None:
        ended = ran("outbound", stdin=lines(*calls))

        assert ended.err.count("`statsig-segment inbound` reads those") == 1

    @FEWER
    @given(json_values(max_leaves=3), st.sampled_from((bz2.compress, lzma.compress)))
    def test_what_is_not_read_is_named_with_what_to_do(self, value: Any, compress: Any) -> None:
        ended = ran("inbound", stdin=compress(lines(value)))

        assert ended.status == 2
        assert ended.err.count("unpack it first, or pipe it in with") == 1


class TestCL8IssuesOfExports:
    """CL-8: Issues of exports are shown and counted as those of calls are, on the terminal and in the summary."""

    @FEWER
    @given(st.lists(statsig_events(malformed=True), max_size=5))
    def test_they_are_those_of_the_events_that_were_translated(self, events: list[Any]) -> None:
        payloads = [*json.loads(json.dumps(events)), {"eventName": "e", "userID": "u", "timestamp": "soon"}]
        outcomes = [outcome_and_issues(payload, IntegrationConfig().outbound, 0) for payload in payloads]
        expected = Counter(issue.code for found, issues in outcomes if isinstance(found, dict) for issue in issues)
        with TemporaryDirectory() as folder:
            summary_file = Path(folder, "summary")
            piped = ran("outbound", "--summary-json", summary_file, stdin=lines(*payloads))
            counted = json.loads(summary_file.read_text(encoding="utf-8"))["issues"]
        shown = ran("outbound", stdin=lines(*payloads), terminal=True, columns=300)

        assert counted == expected
        assert expected
        assert "\nissues: " in piped.err
        assert all(code in shown.out and f"issue: {code}" in shown.err for code in list(expected)[:3])
        assert all("issues" not in json.loads(line) for line in piped.out.rstrip("\n").split("\n") if line)
