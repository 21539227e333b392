"""What people see at a terminal of any kind: lines of calls, the summary, the progress; and what JSON readers see."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from rich.cells import cell_len
from tests.support.sizes import slow
from tests.unit.cli.program import CALLS, CONFIG, EXPORT, GOOD, MEMBER, Run, environment, ndjson

from statsig_segment.cli import main
from statsig_segment.cli import run as run_module
from statsig_segment.cli.messages import SEGMENT_HINT
from statsig_segment.cli.screen import LARGEST, Screen, is_terminal, summary
from statsig_segment.insight.preview import Counts
from statsig_segment.rulebook import CODES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ODD = {
    "type": "track",
    "event": "\x1b[31mred\x1b]0;title\x07\x9b2J\u202egnp.exe\r\nnext\x00\ud800",
    "userId": "\x1b[8m",
    "properties": {"a\u2066b": "\x1b[1A"},
}


@attrs.frozen
class Shown:
    """What a terminal was sent."""

    status: int
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def at_terminal(*argv: str | Path, columns: int = 80, typed: bytes = b"", **variables: Any) -> Shown:
    """Run the command in this process, with a terminal for all three of its streams."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.write(ours, typed)
    parts: list[bytes] = []
    reader = threading.Thread(target=lambda: parts.extend(read_to_end(ours)))
    reader.start()
    encoding = "ascii" if variables.get("PYTHONIOENCODING") == "ascii" else "utf-8"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"TERM": "xterm-256color", **variables}.items():
            patch.setenv(name, value)
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            errors = "backslashreplace" if name == "stderr" else "strict"
            patch.setattr(sys, name, open(os.dup(theirs), mode, encoding=encoding, errors=errors))  # noqa: SIM115, PTH123
        os.close(theirs)
        status = main([str(word) for word in argv])
        for name in ("stdin", "stdout", "stderr"):
            getattr(sys, name).close()
    reader.join(timeout=60)
    os.close(ours)
    return Shown(status, b"".join(parts).decode().replace("\r\n", "\n"))


def read_to_end(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # as Linux says it
            return
        if not part:
            return
        yield part


class TestTheLinesOfCalls:
    def test_each_says_what_it_was_and_what_came_of_it(self) -> None:
        shown = at_terminal("inbound", CALLS, "--config", CONFIG, NO_COLOR="1", columns=120)
        lines = [line for line in shown.lines if "->" in line]

        assert shown.status == 1
        assert len(lines) == 66
        assert lines[4].startswith(
            '    5  track "Signed Up"                         -> segment::Signed Up  userID=user-31'
        )
        assert lines[5].startswith(
            "    6  identify                                  -> skipped: identify_without_audience"
        )
        assert "-> joins frequent_walkers  userID=user-31" in lines[19]
        assert "-> leaves frequent_walkers  userID=user-31" in lines[21]
        assert f"-> rejected: missing_event  {CODES['missing_event'].advice}" in lines[36]
        assert {line.index("->") for line in lines} == {lines[0].index("->")}
        assert max(map(cell_len, lines)) <= 120

    def test_events_of_an_export_have_them_too(self) -> None:
        lines = at_terminal("outbound", EXPORT, "--profile", "deliverable", NO_COLOR="1", columns=120).lines

        assert lines[0].startswith('    1  event "checkout_started"')
        assert "-> checkout_started  userId=user-31  anonymousId=stable-31" in lines[0]
        assert "-> rejected: missing_event  Give the event its name, in eventName." in lines[19]

    def test_what_is_not_an_event_is_named_by_what_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "odd").write_bytes(ndjson(GOOD, {"batch": []}) + b"oops\n")
        lines = at_terminal("outbound", tmp_path / "odd", NO_COLOR="1", columns=200).lines

        assert [line.split("->")[0].split(maxsplit=1)[1].strip() for line in lines[:3]] == [
            'Segment track "Signed Up"', "Segment an object", "not an event",
        ]  # fmt: skip
        assert SEGMENT_HINT in lines[0]

    def test_many_files_have_headings(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(ndjson(GOOD, GOOD))
        (tmp_path / "b").write_bytes(ndjson(GOOD))
        lines = at_terminal("inbound", tmp_path / "a", tmp_path / "b", NO_COLOR="1", columns=200).lines

        assert [line for line in lines if "->" not in line][:2] == [f"{tmp_path / 'a'}:", f"{tmp_path / 'b'}:"]

    def test_the_files_are_written_as_ever(self, run: Run, tmp_path: Path) -> None:
        options = [("rejects", tmp_path / "r"), ("audiences", tmp_path / "a")]
        arguments = [str(word) for name, path in options for word in (f"--{name}", path)]
        run("inbound", CALLS, "--config", CONFIG, *arguments)
        before = [path.read_bytes() for _, path in options]
        at_terminal("inbound", CALLS, "--config", CONFIG, *arguments)

        assert [path.read_bytes() for _, path in options] == before

    def test_json_is_written_where_it_is_asked_for(self, run: Run) -> None:
        shown = at_terminal("inbound", CALLS, "--config", CONFIG, "--json")
        out = run("inbound", CALLS, "--config", CONFIG).out.decode()

        assert shown.text.startswith(out)

    def test_a_file_is_written_where_one_is_asked_for(self, tmp_path: Path) -> None:
        shown = at_terminal("inbound", CALLS, "--output", tmp_path / "events")

        assert "->" not in shown.text
        assert len((tmp_path / "events").read_bytes().splitlines()) > 30

    def test_nothing_is_shown_where_that_is_asked_for(self, tmp_path: Path) -> None:
        (tmp_path / "calls").write_bytes(ndjson(GOOD, {"type": "video"}, MEMBER))

        assert at_terminal("inbound", tmp_path / "calls", "--quiet") == Shown(1, "")

    def test_no_more_calls_are_read_than_asked_for(self) -> None:
        shown = at_terminal("inbound", CALLS, "--limit", "3", NO_COLOR="1")

        assert shown.text.count("->") == 3
        assert "read 3 = " in shown.text


class TestAnyTerminal:
    def test_it_gets_colors(self) -> None:
        shown = at_terminal("inbound", CALLS, "--config", CONFIG)

        assert "\x1b[32msegment::Signed Up\x1b[0m" in shown.text
        assert "\x1b[1;31mrejected: missing_event\x1b[0m" in shown.text

    @pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
    @pytest.mark.parametrize("command", ["inbound", "explain"])
    def test_one_that_is_plain_gets_no_escape_codes(self, command: str, variables: dict[str, Any]) -> None:
        shown = at_terminal(command, CALLS, "--config", CONFIG, **variables)

        assert "\x1b" not in shown.text
        assert "->" in shown.text

    @pytest.mark.parametrize("columns", [20, 60, *map(slow, (59, 80, 120))])
    @pytest.mark.parametrize("command", ["inbound", "outbound", "explain"])
    def test_nothing_is_wider_than_it_is(self, command: str, columns: int) -> None:
        file = EXPORT if command == "outbound" else CALLS
        shown = at_terminal(command, file, "--config", CONFIG, columns=columns)
        lines = [ESCAPES.sub("", line) for line in shown.lines if not line.startswith("note: ")]

        assert max(map(cell_len, lines)) <= columns

    @pytest.mark.parametrize("columns", [20, 40])
    def test_nothing_is_lost_in_a_narrow_one(self, columns: int) -> None:
        shown = at_terminal("inbound", CALLS, "--config", CONFIG, "--limit", "5", columns=columns, NO_COLOR="1")
        text = "".join(shown.text.split())

        assert "…" not in text
        assert '5track"SignedUp"->segment::SignedUpuserID=user-31companyID=company-9' in text

    @pytest.mark.parametrize("command", ["inbound", "explain"])
    @pytest.mark.parametrize("variables", [{}, {"PYTHONIOENCODING": "ascii"}], ids=str)
    def test_it_obeys_nothing_that_a_payload_holds(
        self, tmp_path: Path, command: str, variables: dict[str, Any]
    ) -> None:
        (tmp_path / "odd").write_bytes(ndjson(ODD, ODD | {"type": ODD["event"]}) + "\x1b[2J\u202e\x9b\n".encode())
        shown = at_terminal(command, tmp_path / "odd", columns=300, **variables)
        plain = ESCAPES.sub("", shown.text)

        assert all(character.isprintable() or character == "\n" for character in plain)
        assert set(ESCAPES.findall(shown.text)) <= {
            "\x1b[0m",
            "\x1b[1m",
            "\x1b[2m",
            "\x1b[1;31m",
            "\x1b[32m",
            "\x1b[35m",
        }
        assert "\\u001b[31mred" in plain
        assert "\\u202e" in plain

    @pytest.mark.parametrize("command", ["inbound", "outbound"])
    def test_it_obeys_nothing_in_json_either(self, tmp_path: Path, command: str) -> None:
        name = "\x9b2J\x85\x7f\u202egnp\u2066exe\u2028\U000e0041 caf\u00e9"
        (tmp_path / "odd").write_bytes(ndjson({"type": "track", "event": name, "eventName": name, "userId": "u"}))
        shown = at_terminal(command, tmp_path / "odd", "--json")

        assert all(character.isprintable() or character == "\n" for character in ESCAPES.sub("", shown.text))
        assert "caf\u00e9" in shown.text
        assert json.loads(shown.lines[0]).get("eventName", name).endswith(name)

    def test_characters_that_are_two_columns_wide_are_counted_so(self, tmp_path: Path) -> None:
        (tmp_path / "wide").write_bytes(ndjson(GOOD | {"event": "登録" * 30}, GOOD))
        lines = at_terminal("inbound", tmp_path / "wide", NO_COLOR="1").lines[:2]

        assert max(map(cell_len, lines)) <= 80
        assert len({cell_len(line[: line.index("->")]) for line in lines}) == 1

    def test_what_has_no_size_counts_as_80_columns(self) -> None:
        class Odd(io.StringIO):
            def isatty(self) -> bool:
                return True

        assert Screen(Odd()).width == 80

    def test_a_stream_that_is_closed_is_none(self) -> None:
        stream = io.StringIO()
        stream.close()

        assert not is_terminal(stream)


class TestWhatItIsTold:
    def test_it_waits_for_a_terminal_with_a_word(self) -> None:
        shown = at_terminal("inbound", typed=b'{"type":"page","userId":"u"}\n\x04', NO_COLOR="1")
        said = shown.text.partition("Reading ")[2]  # before it, the terminal shows what is typed

        assert said.startswith("Segment calls from the terminal, as JSON, one a line; end with Ctrl-D.\n")
        assert "-> segment::Loaded a Page" in said
        assert "\nread 1 = " in said

    @pytest.mark.parametrize(
        ("command", "text", "other"),
        [
            ("inbound", {"eventName": "e", "userID": "u"}, "a Statsig export: `statsig-segment outbound` reads those"),
            (
                "inbound",
                {"event": "statsig::config_change"},
                "a Statsig export: `statsig-segment outbound` reads those",
            ),
            ("inbound", {"event_name": "e"}, "a Statsig export: `statsig-segment outbound` reads those"),
            ("outbound", GOOD, "Segment calls: `statsig-segment inbound` reads those"),
            ("outbound", {"batch": [GOOD]}, "Segment calls: `statsig-segment inbound` reads those"),
        ],
    )
    def test_input_of_the_other_direction_is_named_once(self, run: Run, command: str, text: Any, other: str) -> None:
        err = run(command, stdin=ndjson(*[text] * 3)).err

        assert err.count("note:") == 1
        assert f"note: 3 of the rejects look like {other}\n" in err

    def test_one_alone_is_named_in_the_singular(self, run: Run) -> None:
        assert "note: 1 of the rejects looks like Segment calls: " in run("outbound", stdin=ndjson(GOOD)).err

    def test_what_is_only_broken_is_not_taken_for_it(self, run: Run) -> None:
        assert "note" not in run("inbound", stdin=ndjson({"a": 1}, {"type": "video"}) + b"oops").err
        assert "note" not in run("outbound", stdin=ndjson({"a": 1}) + b"oops").err

    @pytest.mark.parametrize("shell", ["bash", "zsh"])
    def test_shells_can_complete_its_arguments(self, run: Run, shell: str) -> None:
        ended = run("--print-completion", shell)

        assert ended.status == 0
        assert b"--summary-json" in ended.out

    @pytest.mark.parametrize("argv", [["--help"], ["--version"], ["inbound", CALLS], ["check-config", CONFIG]])
    def test_without_its_extra_it_does_all_that_needs_no_table(self, argv: list[Any]) -> None:
        script = (
            "import sys\n"
            "class Refuse:\n"
            "    def find_spec(self, name, *_):\n"
            "        if name in {'rich', 'shtab', 'tomli_w', 'orjson'}: raise ModuleNotFoundError(name=name)\n"
            "sys.meta_path.insert(0, Refuse())\n"
            "import importlib.util\n"
            "find = importlib.util.find_spec\n"
            "importlib.util.find_spec = lambda name: None if name in {'rich', 'shtab'} else find(name)\n"
            "from statsig_segment.cli import main\n"
            "raise SystemExit(main(sys.argv[1:]))\n"
        )
        done = subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-c", script, *argv], env=environment(), capture_output=True, check=False
        )

        assert done.returncode == ("inbound" in argv)
        assert done.stdout
        assert b"Traceback" not in done.stderr

    def test_without_shtab_nothing_is_completed(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("statsig_segment.cli.arguments._shtab", None)

        assert b"--print-completion" not in run("--help").out
        assert run("inbound", CALLS).status == 1

    def test_without_rich_a_terminal_gets_plain_text_and_a_table_says_how_to_get_it(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in [name for name in sys.modules if name.startswith("statsig_segment.cli.screen")]:
            monkeypatch.delitem(sys.modules, name)
        monkeypatch.setitem(sys.modules, "rich", None)
        monkeypatch.setitem(sys.modules, "rich.cells", None)

        def find_spec(_name: str) -> None:
            return None

        monkeypatch.setattr("statsig_segment.cli.run.find_spec", find_spec)
        shown = at_terminal("inbound", CALLS)
        ended = run("explain", CALLS)

        assert shown.lines[0].startswith("{")
        assert "\nread 66 = " in shown.text
        assert (ended.status, ended.err) == (2, "statsig-segment: this needs rich: pip install rich\n")


class TestTheSummary:
    def counts(self) -> Counts:
        issues = {"id_invalid": 5, "id_too_long": 4, "name_too_long": 3, "value_too_long": 2}
        rejected = {"invalid_json": 1, "no_identifier": 9}
        return Counts(translated=1_000, rejected=rejected, skipped={"filtered": 20}, issues=issues)

    def test_it_shows_the_largest_groups_and_what_would_change_them(self) -> None:
        text = Screen(None).text(summary(self.counts(), 120, outbound=False))
        lines = text.splitlines()

        assert lines[0] == "read 1,030 = translated 1,000 + audiences 0 + skipped 20 + rejected 10"
        assert lines[1].split("  ")[0] == "20"
        assert [line.split()[2] for line in lines if re.match(r" *\d+  \w+: ", line)] == [
            "filtered", "no_identifier", "id_invalid", "id_too_long", "name_too_long",
        ][:LARGEST]  # fmt: skip
        assert CODES["filtered"].advice in " ".join(text.split())
        assert lines[-1] == "and 2 smaller groups; --summary-json FILE writes them all"

    def test_nothing_is_said_where_there_is_none(self) -> None:
        assert Screen(None).text(summary(Counts(), 120, outbound=False)).count("\n") == 1


class TestProgress:
    """It says how far a long run is, where it disturbs nothing else."""

    def shown(self, tmp_path: Path, *options: str, **variables: Any) -> str:
        calls = tmp_path / "calls"
        calls.write_bytes(ndjson(GOOD) * 20_000)
        with pytest.MonkeyPatch.context() as patch:
            for name in ("_PROGRESS_AFTER", "_PROGRESS_EVERY"):
                patch.setattr(run_module, name, 0)
            return at_terminal("inbound", calls, *options, **variables).text

    def test_a_long_run_shows_count_rate_and_share(self, tmp_path: Path) -> None:
        text = self.shown(tmp_path, "--output", os.devnull)

        assert re.search(r"read [\d,]+", text)
        assert re.search(r"[\d,]+/s", text)
        assert "%" in text
        assert "read 20,000 = translated 20,000" in text

    def test_it_never_shares_the_terminal_with_the_output(self, tmp_path: Path) -> None:
        assert "/s" not in self.shown(tmp_path, "--json")

    def test_its_share_is_not_known_of_standard_input(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(ndjson(GOOD) * 20_000))
        writer.start()
        with pytest.MonkeyPatch.context() as patch:
            for name in ("_PROGRESS_AFTER", "_PROGRESS_EVERY"):
                patch.setattr(run_module, name, 0)
            text = at_terminal("inbound", tmp_path / "pipe", "--output", os.devnull).text
        writer.join()

        assert "/s" in text
        assert "%" not in text

    @pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
    def test_a_plain_terminal_gets_none(self, tmp_path: Path, variables: dict[str, Any]) -> None:
        assert "\x1b" not in self.shown(tmp_path, "--output", os.devnull, **variables)

    def test_nor_does_who_wants_it_quiet(self, tmp_path: Path) -> None:
        assert self.shown(tmp_path, "--output", os.devnull, "--quiet") == ""

    def test_nor_does_a_file(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("statsig_segment.cli.run._PROGRESS_AFTER", 0)

        assert "/s" not in run("inbound", stdin=ndjson(GOOD) * 100).err
