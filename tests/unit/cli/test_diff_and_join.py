"""`diff` and `join`: what another configuration would change, and which exposed units the events reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.cli.program import Run, ndjson

CALL = {"type": "track", "event": "Paid", "userId": "u-1", "groupId": "g-1", "anonymousId": "a-1"}
HEARTBEAT = CALL | {"event": "Heartbeat"}
EXPOSURE = {"eventName": "statsig::experiment_exposure", "unitID": "companyID", "metadata": {"config": "pricing"}}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Write two configurations, calls and exposures."""
    texts = {
        "before.toml": "",
        "after.toml": '[inbound.filters]\nexclude = ["Heartbeat"]\n'
        '[[inbound.id_mappings]]\nfield = "groupId"\nid_type = "companyID"\n',
        "calls": ndjson(CALL, HEARTBEAT, CALL).decode(),
        "exposures": ndjson(
            *(EXPOSURE | {"user": {"customIDs": {"companyID": unit}}} for unit in ("g-1", "g-2", "G-1", "null"))
        ).decode(),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name: tmp_path / name for name in texts}


class TestDiff:
    def test_it_says_what_would_change_by_event_and_path(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("diff", files["before.toml"], files["after.toml"], files["calls"])

        text = ended.out.decode()
        assert ended.status == 1
        assert text.startswith("Of 3 calls, 2 change, 0 start and 1 stop being sent; 0 stay the same.\n")
        assert "2 new at $.user.customIDs.companyID" in text
        assert f"for example {files['calls']}:1 at $.user.customIDs.companyID" in " ".join(text.split())  # a long path
        assert [line.split() for line in text.splitlines() if line.startswith("segment::")] == [
            ["segment::Paid", "2", "0", "0", "0"],
            ["segment::Heartbeat", "0", "0", "1", "0"],
        ]

    def test_between_equals_nothing_would_change(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("diff", files["after.toml"], files["after.toml"], files["calls"])

        assert (ended.status, ended.out) == (0, b"Nothing would change for the 3 calls.\n")

    def test_json_has_the_counts_and_places(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("diff", files["before.toml"], files["after.toml"], files["calls"], "--json")

        found = json.loads(ended.out)
        assert (found["changed"], found["stopped"]) == (2, 1)
        assert {each["aspect"] for each in found["findings"]} == {"custom IDs", "sent"}
        examples = [example for each in found["findings"] if each["aspect"] == "sent" for example in each["examples"]]
        assert examples == [{"file": str(files["calls"]), "line": 2, "path": "$"}]

    def test_calls_may_come_from_standard_input(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("diff", files["before.toml"], files["after.toml"], stdin=ndjson(HEARTBEAT))

        assert ended.status == 1

    def test_a_narrow_terminal_gets_lines(
        self, run: Run, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "40")

        text = run("diff", files["before.toml"], files["after.toml"], files["calls"]).out.decode()

        assert all(len(line) <= 40 for line in text.splitlines())
        assert "segment::Paid: changed 2" in text

    def test_many_events_and_paths_are_cut(self, run: Run, files: dict[str, Path]) -> None:
        nested = {"cart": {f"key{n}": n for n in range(12)}}
        calls = [CALL | {"event": f"E{n}", "properties": nested} for n in range(22)]
        files["after.toml"].write_text('[inbound]\nnested = "flatten"\n', encoding="utf-8")

        text = run("diff", files["before.toml"], files["after.toml"], stdin=ndjson(*calls)).out.decode()

        assert "and 2 more events" in text
        assert "and 3 more paths" in text

    @pytest.mark.parametrize("names", [("-", "-", "calls"), ("-", "after.toml", "-"), ("before.toml", "none", "calls")])
    def test_what_cannot_be_used(self, run: Run, files: dict[str, Path], names: tuple[str, ...]) -> None:
        ended = run("diff", *(files.get(name, name) for name in names))

        assert (ended.status, ended.out) == (2, b"")


class TestJoin:
    def test_it_says_which_units_are_joined_and_what_would_join_more(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("join", files["calls"], "--exposures", files["exposures"])

        assert ended.status == 0
        assert ended.out.decode().splitlines() == [
            "pricing by companyID: 0 of 4 units joined (0.0%)",
            "  1 with their ID at $.groupId",
            "  1 with an ID that differs from the calls' in letter case or white space",
            "  1 with an ID that is in no call",
            "  1 with a placeholder such as undefined as their ID",
            "",
            "This mapping would join 1 more unit of companyID:",
            "  [[inbound.id_mappings]]",
            '  field = "groupId"',
            '  id_type = "companyID"',
            "",
        ]

    def test_the_configuration_counts(self, run: Run, files: dict[str, Path]) -> None:
        text = run("join", files["calls"], "--exposures", files["exposures"], "-c", files["after.toml"]).out.decode()

        assert text.startswith("pricing by companyID: 1 of 4 units joined (25.0%)\n")
        assert "mapping" not in text

    def test_json_has_the_counts(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("join", files["calls"], "--exposures", files["exposures"], "--json")

        found = json.loads(ended.out)
        assert [each["elsewhere"] for each in found["experiments"]] == [{"$.groupId": 1}]
        assert found["advice"] == [{"unit_type": "companyID", "field": "groupId", "would_join": 1}]

    def test_without_exposures_it_says_so(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("join", files["calls"], "--exposures", files["calls"])

        assert ended.out == b"There are no exposures in these files.\n"

    def test_exposures_that_tell_nothing_are_named_as_such(self, run: Run, files: dict[str, Path]) -> None:
        ended = run("join", files["calls"], "--exposures", "-", stdin=ndjson({"eventName": "statsig::gate_exposure"}))

        assert ended.out.decode().startswith("Exposures without a name by no ID type: 0 of 1 units joined (0.0%)\n")

    def test_standard_input_is_read_once(self, run: Run) -> None:
        assert run("join", "-", "--exposures", "-").status == 2


class TestExplain:
    def test_it_begins_with_the_answer_and_gives_the_lines_to_add(self, run: Run, tmp_path: Path) -> None:
        config, calls = tmp_path / "config.toml", tmp_path / "calls"
        config.write_text('[inbound]\nid_types = ["companyID"]\n', encoding="utf-8")
        calls.write_bytes(ndjson({"type": "track", "event": "E", "userId": "u", "context": {"groupId": "g"}}))

        text = " ".join(run("explain", calls, "--config", config).out.decode().split())

        assert (
            "companyID is missing: no mapping reads it from anywhere. "
            "$.context.groupId holds an ID that nothing reads. To send it as companyID, add: "
            '[[inbound.id_mappings]] field = "context.groupId" id_type = "companyID"'
        ) in text
