"""`compare`: what it says of two files, what it proposes, how it ends; at any terminal, and with any input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from rich.cells import cell_len
from tests.unit.cli.program import Run, ndjson
from tests.unit.cli.test_terminal import ESCAPES, at_terminal

from statsig_segment import load_config
from statsig_segment.cli.blocks import CALLS as SEGMENT_CALLS
from statsig_segment.cli.blocks import EVENTS
from statsig_segment.cli.comparison_facts import Side
from statsig_segment.cli.comparison_text import comparison
from statsig_segment.cli.screen import Screen
from statsig_segment.insight.comparison import compare

if TYPE_CHECKING:
    from pathlib import Path

START_MS = 1_793_692_800_000
TRACKS: list[dict[str, Any]] = [
    {"type": "track", "event": name, "userId": "u1", "timestamp": START_MS + at, "properties": {"total": at}}
    for at, name in enumerate(("Signed Up", "Paid", "Refunded"))
]
PAGES: list[dict[str, Any]] = [
    {"type": "page", "name": name, "category": "Docs", "userId": "u2", "timestamp": START_MS + at}
    for at, name in enumerate(("Home", "Pricing", "Help"))
]
CALLS = [*TRACKS, *PAGES]
SAME_TIME = [{**TRACKS[0], "event": name} for name in ("One", "Two")]


def event(call: dict[str, Any], name: str) -> dict[str, Any]:
    """What Statsig would hold of a call, under another name."""
    metadata = {key: str(value) for key, value in call.get("properties", {}).items()}
    metadata |= {key: call[key] for key in ("name", "category") if key in call}
    return {"eventName": name, "userID": call["userId"], "timestamp": call["timestamp"], "metadata": metadata}


AGREEING = [
    *(event(call, f"segment::{call['event']}") for call in TRACKS),
    *(event(call, f"segment::Viewed Docs {call['name']} Page") for call in PAGES),
]
RENAMED = [*AGREEING[:3], *(event(call, f"segment::{call['name']}") for call in PAGES)]


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two files: calls, and events of them whose pages have other names."""
    return written(tmp_path, "calls.ndjson", *CALLS), written(tmp_path, "export.ndjson", *RENAMED)


def written(folder: Path, name: str, *values: Any) -> Path:
    (folder / name).write_bytes(ndjson(*values))
    return folder / name


class TestAsJson:
    """With `--json` it writes one JSON object."""

    def test_it_says_what_the_library_says(self, run: Run, sides: tuple[Path, Path]) -> None:
        ended = run("compare", "--json", *sides)
        found = compare(CALLS, RENAMED)
        [record] = ended.lines

        assert (ended.status, ended.err) == (1, "")
        assert (record["paired"], record["agrees"]) == (found.paired, found.agrees) == (6, False)
        assert record["proposal"] == found.proposal == {"inbound": {"naming": {"page": "{name}"}}}
        assert record["undecided"] == list(found.undecided)
        assert [finding["differ"] for finding in record["findings"] if finding["aspect"] == "page name"] == [3]

    def test_places_are_lines_of_either_file(self, run: Run, tmp_path: Path) -> None:
        calls, export = tmp_path / "calls", tmp_path / "export"
        calls.write_bytes(b"\n\n" + ndjson({"type": "identify", "userId": "u"}, *CALLS))
        export.write_bytes(b"\n" + ndjson(*RENAMED))
        [record] = run("compare", "--json", calls, export).lines
        [finding] = [finding for finding in record["findings"] if finding["differ"]]

        assert finding["examples"] == [
            {"call_file": str(calls), "call_line": line + 3, "export_line": line + 1, "path": "$.eventName"}
            for line in (4, 5, 6)
        ]
        assert finding["paths"] == [{"path": "$.eventName", "kind": "different", "count": 3}]

    def test_no_value_stands_in_it(self, run: Run, sides: tuple[Path, Path]) -> None:
        [record] = run("compare", "--json", *sides).lines
        del record["proposal"]

        assert "Pricing" not in json.dumps(record)
        assert "u1" not in json.dumps(record)

    def test_one_side_may_be_standard_input(self, run: Run, sides: tuple[Path, Path]) -> None:
        calls, export = sides

        assert run("compare", "-", export, stdin=calls.read_bytes()).status == 1
        assert (
            run("compare", "--json", calls, "-", stdin=export.read_bytes()).out == run("compare", "--json", *sides).out
        )

    def test_bodies_of_many_come_apart_on_both_sides(self, run: Run, tmp_path: Path) -> None:
        calls = written(tmp_path, "calls", {"batch": CALLS})
        export = written(tmp_path, "export", {"data": AGREEING})

        assert run("compare", "--json", calls, export).status == 0


class TestManyFiles:
    """An archive is a folder of files, one an hour."""

    def test_calls_come_from_any_number_of_files_and_folders(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "archive").mkdir()
        for at, call in enumerate(PAGES):
            written(tmp_path / "archive", f"{at}.ndjson", call)
        calls, export = written(tmp_path, "calls", *TRACKS), written(tmp_path, "export", *RENAMED)
        [record] = run("compare", "--json", calls, tmp_path / "archive", export).lines
        [finding] = [finding for finding in record["findings"] if finding["differ"]]

        assert record["paired"] == 6
        assert finding["examples"] == [
            {
                "call_file": str(tmp_path / "archive" / f"{at}.ndjson"),
                "call_line": 1,
                "export_line": at + 4,
                "path": "$.eventName",
            }
            for at in range(3)
        ]


class TestTheExitStatus:
    def test_it_is_0_where_all_pairs_agree(self, run: Run, tmp_path: Path) -> None:
        ended = run("compare", "--json", written(tmp_path, "calls", *CALLS), written(tmp_path, "export", *AGREEING))

        assert (ended.status, ended.err) == (0, "")
        assert ended.lines[0]["agrees"] is True

    def test_it_is_1_where_one_does_not(self, run: Run, tmp_path: Path) -> None:
        export = written(tmp_path, "export", *AGREEING[:-1], AGREEING[-1] | {"value": 7})

        assert run("compare", "--json", written(tmp_path, "calls", *CALLS), export).status == 1

    @pytest.mark.parametrize(
        ("calls", "export", "why"),
        [
            (AGREEING, CALLS, "The two sides are swapped"),
            ([], AGREEING, "None of the calls can be read"),
            (CALLS, [], "None of the exported events can be read"),
            ([], [], "None of the calls can be read"),
            (CALLS, [{**each, "timestamp": None} for each in AGREEING], "None of the exported events has a time"),
            (CALLS, [{**each, "userID": "other"} for each in AGREEING], "Do both sides cover the same time?"),
            (SAME_TIME, [AGREEING[0] | {"eventName": name} for name in "xy"], "Each call fits several exported events"),
        ],
        ids=["swapped", "no calls", "no export", "nothing", "no times", "nothing in common", "ambiguous"],
    )
    def test_it_is_2_where_nothing_can_be_compared(
        self, run: Run, tmp_path: Path, calls: list[Any], export: list[Any], why: str
    ) -> None:
        ended = run("compare", "--json", written(tmp_path, "calls", *calls), written(tmp_path, "export", *export))

        assert ended.status == 2
        assert ended.err.startswith("statsig-segment: ")
        assert why in ended.err
        assert ended.lines[0]["agrees"] is False

    def test_it_is_2_where_a_side_is_cut_off(self, run: Run, sides: tuple[Path, Path]) -> None:
        calls, export = sides
        export.write_bytes(b"\x1f\x8b" + b"cut")
        ended = run("compare", "--json", calls, export)

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err.startswith(f"statsig-segment: {export}: ")

    @pytest.mark.parametrize(
        ("argv", "why"),
        [
            (("-", "-"), "standard input can be only one of CALLS, EXPORT and --config"),
            (("-", "{calls}", "--config", "-"), "standard input can be only one of CALLS, EXPORT and --config"),
            (("{calls}", "nowhere"), "nowhere: no such file"),
            (("{calls}",), "EXPORT"),
            (("{calls}", "{calls}", "--tolerance-ms", "-1"), "expected a whole number from 0, not '-1'"),
            (("{calls}", "{calls}", "--tolerance-ms", "x"), "expected a whole number from 0, not 'x'"),
            (("{calls}", "{calls}", "--write-config", "{calls}"), "the same file as the input"),
        ],
        ids=str,
    )
    def test_it_is_2_for_arguments_that_cannot_be_used(
        self, run: Run, sides: tuple[Path, Path], argv: tuple[str, ...], why: str
    ) -> None:
        before = sides[0].read_bytes()
        ended = run("compare", "--json", *(word.format(calls=sides[0]) for word in argv))

        assert (ended.status, ended.out) == (2, b"")
        assert why in ended.err
        assert sides[0].read_bytes() == before


class TestTimesThatAreCut:
    def test_a_tolerance_finds_the_pairs(self, run: Run, tmp_path: Path) -> None:
        calls = [{**call, "timestamp": call["timestamp"] * 1.0 + 5_000 * at} for at, call in enumerate(TRACKS)]
        export = [{**each, "timestamp": (START_MS + 5_000 * at) // 1000 * 1000} for at, each in enumerate(AGREEING[:3])]
        files = written(tmp_path, "calls", *calls), written(tmp_path, "export", *export)

        assert run("compare", "--json", *files).lines[0]["paired"] == 1
        assert run("compare", "--json", *files, "--tolerance-ms", "999").lines[0]["paired"] == 3


class TestTheProposal:
    @pytest.mark.parametrize("name", ["proposed.toml", "proposed.json", "proposed"])
    def test_it_is_written_as_a_configuration_under_which_both_agree(
        self, run: Run, sides: tuple[Path, Path], tmp_path: Path, name: str
    ) -> None:
        proposed = tmp_path / name
        before = run("compare", "--json", *sides, "--write-config", proposed)
        after = run("compare", "--json", *sides, "--config", proposed)

        assert (before.status, after.status) == (1, 0)
        assert load_config(proposed) == load_config(before.lines[0]["proposal"])

    def test_it_is_not_written_where_nothing_could_be_compared(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "proposed.toml").write_text("old", encoding="utf-8")
        files = written(tmp_path, "calls", *AGREEING), written(tmp_path, "export", *CALLS)
        run("compare", "--json", *files, "--write-config", tmp_path / "proposed.toml")

        assert (tmp_path / "proposed.toml").read_text(encoding="utf-8") == "old"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["calls", "export", "proposed.toml"]

    def test_the_configuration_in_use_is_not_overwritten(
        self, run: Run, sides: tuple[Path, Path], tmp_path: Path
    ) -> None:
        config = tmp_path / "config.toml"
        config.write_text("[inbound]\n", encoding="utf-8")
        ended = run("compare", "--json", *sides, "--config", config, "--write-config", config)

        assert ended.status == 2
        assert "the same file as the configuration" in ended.err

    def test_half_a_surrogate_pair_goes_into_json_only(self, run: Run, tmp_path: Path) -> None:
        prefix = "\ud800/"
        export = [{**each, "eventName": prefix + each["eventName"].removeprefix("segment::")} for each in AGREEING]
        files = written(tmp_path, "calls", *CALLS), written(tmp_path, "export", *export)
        as_toml = run("compare", "--json", *files, "--write-config", tmp_path / "p.toml")
        as_json = run("compare", "--json", *files, "--write-config", tmp_path / "p.json")

        assert as_toml.status == 2
        assert "TOML cannot hold half a surrogate pair" in as_toml.err
        assert not (tmp_path / "p.toml").exists()
        assert as_json.status == 1
        assert load_config(tmp_path / "p.json").inbound.naming.prefix == prefix


class TestAtATerminal:
    def test_it_shows_counts_findings_places_and_the_proposal(self, sides: tuple[Path, Path]) -> None:
        calls, export = sides
        shown = at_terminal("compare", *sides, columns=400, NO_COLOR="1")

        assert shown.status == 1
        assert shown.lines[:3] == [
            "6 pairs compared: they differ in 1 of 7 aspects.",
            "calls 6 = paired 6 + ambiguous 0 + without an event 0 + unreadable 0",
            "exported 6 = paired 6 + ambiguous 0 + without a call 0 + unreadable 0",
        ]
        assert "page name            0       3  US-6: Names of page, screen and group calls" in shown.lines
        assert "  3 different at $.eventName" in shown.lines
        unwrapped = " ".join(shown.text.split())  # the paths may be longer than the line
        assert f" for example {calls}:4 and {export}:4 at $.eventName " in unwrapped
        assert '+ page = "{name}"' in shown.lines
        assert "  inbound.naming.screen: a screen call with a name and a category" in shown.lines

    def test_only_lines_that_are_new_are_marked(self, sides: tuple[Path, Path], tmp_path: Path) -> None:
        config = tmp_path / "config.toml"
        config.write_text('[inbound]\ndefault_environment = "staging"\nid_types = ["companyID"]\n', encoding="utf-8")
        lines = at_terminal("compare", *sides, "--config", config, columns=200, NO_COLOR="1").lines

        assert '+ page = "{name}"' in lines
        assert "  [inbound]" in lines
        assert "  id_types = [" in lines

    def test_a_call_without_an_event_is_a_place_too(self, tmp_path: Path) -> None:
        silent = [{**TRACKS[0], "event": "Heartbeat", "timestamp": START_MS + at, "userId": "u9"} for at in range(3)]
        calls, export = written(tmp_path, "calls", *CALLS, *silent), written(tmp_path, "export", *AGREEING)
        shown = at_terminal("compare", calls, export, columns=400, NO_COLOR="1")

        assert f"  for example {calls}:7 and no event at $" in shown.lines
        assert "  3 calls of names that never arrive" in shown.lines
        assert "  3 that would be sent and that never arrive" in shown.lines
        assert '+     "Heartbeat",' in shown.lines

    def test_many_paths_are_counted_and_not_all_listed(self, tmp_path: Path) -> None:
        calls = [{**TRACKS[0], "properties": {f"k{at}": at for at in range(12)}}]
        files = written(tmp_path, "calls", *calls), written(tmp_path, "export", {**AGREEING[0], "metadata": {}})

        assert "  and 2 more paths" in at_terminal("compare", *files, NO_COLOR="1").lines

    def test_what_agrees_but_for_losses_is_no_yes(self, tmp_path: Path) -> None:
        calls = [{**TRACKS[0], "timestamp": START_MS + at} for at in range(5)]
        events = [{**AGREEING[0], "timestamp": START_MS + at} for at in (0, 2, 4)]
        files = written(tmp_path, "calls", *calls), written(tmp_path, "export", *events)
        shown = at_terminal("compare", *files, columns=200, NO_COLOR="1")

        assert shown.status == 1
        assert shown.lines[0].startswith("3 pairs compared: they agree, but too many")

    def test_what_agrees_needs_no_proposal(self, tmp_path: Path) -> None:
        files = written(tmp_path, "calls", *CALLS), written(tmp_path, "export", *AGREEING)
        shown = at_terminal("compare", *files, NO_COLOR="1")

        assert shown.status == 0
        assert "6 pairs compared: they agree in everything." in shown.lines
        assert "No other configuration agrees with more pairs." in shown.lines
        assert "+ " not in "\n".join(shown.lines[3:])

    def test_a_proposal_that_toml_cannot_hold_is_not_shown(self, tmp_path: Path) -> None:
        export = [{**each, "eventName": each["eventName"].replace("segment::", "\ud800/")} for each in AGREEING]
        files = written(tmp_path, "calls", *CALLS), written(tmp_path, "export", *export)
        shown = at_terminal("compare", *files, columns=200, NO_COLOR="1")

        assert shown.status == 1
        assert "the proposal: TOML cannot hold half a surrogate pair; write it to a .json file" in shown.lines
        assert "new lines have a +" not in shown.text

    def test_what_the_pairs_decide_is_not_listed_as_undecided(self, sides: tuple[Path, Path]) -> None:
        calls, export = Side([str(sides[0])], SEGMENT_CALLS), Side([str(sides[1])], EVENTS)
        found = attrs.evolve(compare(calls.read(), export.read()), undecided=())

        lines = Screen(None).text(comparison(found, calls, export, {}, 200)).splitlines()

        assert lines[-1] == '+ page = "{name}"'

    def test_json_is_written_where_it_is_asked_for(self, run: Run, sides: tuple[Path, Path]) -> None:
        assert at_terminal("compare", *sides, "--json").text == run("compare", "--json", *sides).out.decode()

    def test_a_pipe_gets_text_without_escape_codes(self, run: Run, sides: tuple[Path, Path]) -> None:
        text = run("compare", *sides).out.decode()

        assert text.startswith("6 pairs compared: they differ in 1 of 7 aspects.")
        assert "\x1b" not in text

    def test_why_nothing_could_be_compared_is_said_once(self, tmp_path: Path) -> None:
        files = written(tmp_path, "calls", *AGREEING), written(tmp_path, "export", *CALLS)
        shown = at_terminal("compare", *files, columns=200, NO_COLOR="1")

        assert shown.status == 2
        assert shown.text.count("The two sides are swapped") == 1
        assert "calls 6 = paired 0 + ambiguous 0 + without an event 0 + unreadable 6" in shown.lines

    @pytest.mark.parametrize("columns", [20, 59, 60, 80, 120])
    def test_nothing_is_wider_than_it_is(self, sides: tuple[Path, Path], columns: int) -> None:
        lines = at_terminal("compare", *sides, columns=columns).lines

        assert max(cell_len(ESCAPES.sub("", line)) for line in lines) <= columns

    def test_without_colors_there_are_no_escape_codes(self, sides: tuple[Path, Path]) -> None:
        assert "\x1b[" in at_terminal("compare", *sides).text
        assert "\x1b" not in at_terminal("compare", *sides, NO_COLOR="1").text

    @pytest.mark.parametrize("variables", [{}, {"PYTHONIOENCODING": "ascii"}], ids=str)
    def test_it_obeys_nothing_that_a_payload_holds(self, tmp_path: Path, variables: dict[str, Any]) -> None:
        export = [
            {**each, "eventName": each["eventName"].replace("segment::", "\x1b[31m\u202e\x9b")} for each in AGREEING
        ]
        odd = {**AGREEING[0], "user": {"customIDs": {"\x1b[2J": "u9"}}}
        files = written(tmp_path, "calls\x1b[1A", *CALLS), written(tmp_path, "export", *export[1:], odd)
        shown = at_terminal("compare", *files, columns=300, NO_COLOR="1", **variables)

        assert shown.status == 1
        assert all(character.isprintable() or character == "\n" for character in shown.text)
        assert '+ prefix = "\\u001b[31m\\u202e\\u009b"' in shown.lines
