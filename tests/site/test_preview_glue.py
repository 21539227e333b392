"""What the Preview tab asks of the library: it counts what the command counts, and writes mappings as people do.

This runs without a browser; `test_preview_tab.py` looks at the page.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from statsig_segment import IdMapping, differences, load_config, preview
from statsig_segment.cli.preview_facts import Shown
from statsig_segment.cli.preview_html import preview_page

ROOT = Path(__file__).parents[2]
CALLS = ROOT / "examples" / "segment_calls.ndjson"
CONFIG = (ROOT / "examples" / "integration.toml").read_text(encoding="utf-8")
ADDED = IdMapping(field="context.groupId", id_type="companyID")


@pytest.fixture(scope="module")
def glue() -> Any:
    """Load the module as the page does: by its file."""
    spec = importlib.util.spec_from_file_location("preview_glue", ROOT / "docs" / "playground" / "preview_glue.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counted(glue: Any, path: Path, config: str = "") -> dict[str, Any]:
    assert json.loads(glue.begin(str(path), config)) == {"problems": []}
    while not (step := json.loads(glue.step()))["done"]:
        pass
    found: dict[str, Any] = json.loads(glue.result())
    return found | {"failure": step["failure"], "bytes": step["bytes"]}


def lines() -> list[str]:
    return [line for line in CALLS.read_text(encoding="utf-8").splitlines() if line.strip()]


def test_what_changed_is_what_the_library_finds(glue: Any) -> None:
    assert json.loads(glue.begin(str(CALLS), CONFIG, "")) == {"problems": []}
    while not json.loads(glue.step())["done"]:
        pass
    found = json.loads(glue.result())["change"]
    expected = differences(lines(), load_config(""), load_config(CONFIG))

    assert found["counts"] == {fate: getattr(expected, fate) for fate in ("changed", "started", "stopped", "same")}
    assert [sum(event["counts"]) for event in found["events"]] == sorted(
        (sum(event["counts"]) for event in found["events"]), reverse=True
    )
    assert {"path": "$.user.statsigEnvironment", "kind": "extra", "count": 36} in found["paths"]
    assert len(found["events"]) + found["more"] == sum(
        1 for event in expected.events if event.changed or event.started or event.stopped
    )
    assert counted(glue, CALLS)["change"] is None


@pytest.mark.parametrize("config", ["", CONFIG])
def test_the_figures_are_those_of_the_library(glue: Any, config: str) -> None:
    found, expected = counted(glue, CALLS, config), preview(lines(), load_config(config))

    assert found["outcomes"] == {
        "event": expected.translated,
        "audience": expected.audiences,
        "skipped": sum(expected.skipped.values()),
        "rejected": sum(expected.rejected.values()),
    }
    assert {unit["name"]: unit["share"] for unit in found["units"]} == {
        unit: expected.share(unit)
        for unit in ("userID", *expected.id_types, *(load_config(config).inbound.id_types or ()))
    }
    assert {reason["code"]: reason["count"] for reason in found["reasons"]} == {**expected.skipped, **expected.rejected}
    assert {issue["code"]: issue["count"] for issue in found["issues"]} == expected.issues
    assert sum(event["calls"] for event in found["events"]) == expected.read
    assert sum(library["events"] for library in found["libraries"]) == expected.translated
    assert [mapping["field"] for mapping in found["mappings"]] == [use.field for use in expected.mappings]
    assert {row["name"]: row["refused"] for row in found["consent"]} == {
        name: consent.refused for name, consent in expected.consent.items()
    }
    assert found["bytes"] == CALLS.stat().st_size


def test_cutting_blocks_into_pieces_changes_no_figure(glue: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = counted(glue, CALLS)
    monkeypatch.setattr(glue, "PIECE", 1000)

    assert counted(glue, CALLS) == whole


def test_a_gzipped_file_is_read_like_a_plain_one(glue: Any, tmp_path: Path) -> None:
    packed = tmp_path / "calls.ndjson.gz"
    packed.write_bytes(gzip.compress(CALLS.read_bytes()))

    assert counted(glue, packed)["outcomes"] == counted(glue, CALLS)["outcomes"]


def test_a_damaged_file_keeps_what_was_counted_and_says_so(glue: Any, tmp_path: Path) -> None:
    packed = tmp_path / "calls.ndjson.gz"
    packed.write_bytes(gzip.compress(CALLS.read_bytes() * 50)[:-2000])
    found = counted(glue, packed)

    assert found["failure"]
    assert found["outcomes"]["event"] > 0


def test_statsig_events_are_pointed_out(glue: Any, tmp_path: Path) -> None:
    export = tmp_path / "export.ndjson"
    export.write_text('{"eventName": "checkout", "user": {"userID": "u1"}}\n', encoding="utf-8")

    assert "1 payload" in counted(glue, export)["other"]


def test_the_saved_page_is_that_of_the_command(glue: Any) -> None:
    counted(glue, CALLS, CONFIG)

    assert json.loads(glue.page()) == preview_page(Shown(preview(lines(), load_config(CONFIG)), load_config(CONFIG)))


def test_problems_of_the_configuration_come_before_any_count(glue: Any) -> None:
    (problem,) = json.loads(glue.begin(str(CALLS), "[inbound]\nfoo = 1"))["problems"]

    assert problem["code"] == "unknown_key"


CONFIGS = {
    "nothing": "",
    "only a comment": "# later",
    "every key": CONFIG,
    "another table last": '[outbound]\nprofile = "deliverable"',
    "mappings as tables": '[[inbound.id_mappings]]\nfield = "groupId"\nid_type = "companyID"\n[outbound]',
    "mappings in an array": '[inbound]\nid_mappings = [{ field = "a", id_type = "x" }]\nvalue_property = ["a"]',
    "an array with a comma at its end": '[inbound]\nid_mappings = [\n  { field = "a[b=c]", id_type = "x" },\n]',
    "an empty array": "[inbound]\nid_mappings = []",
    "dotted keys": "inbound.value_property = false\noutbound.anonymous_id = 'x'",
    "a preset": '[inbound]\nnaming = "segment_2021"',
    "JSON": '{"inbound": {"id_mappings": [{"field": "groupId", "id_type": "companyID"}]}, "outbound": {}}',
    "empty JSON": "{}",
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_mapping_joins_the_others_last_and_changes_nothing_else(glue: Any, name: str) -> None:
    before = load_config(CONFIGS[name])
    after = load_config(json.loads(glue.add_mapping(CONFIGS[name], ADDED.field, ADDED.id_type)))

    assert after.inbound.id_mappings == (*before.inbound.id_mappings, ADDED)
    assert after.outbound == before.outbound
    assert after.inbound.filters == before.inbound.filters
    assert after.inbound.naming == before.inbound.naming


def test_a_configuration_that_a_machine_cannot_extend_safely_is_left_alone(glue: Any) -> None:
    """A comment behind the last item would swallow what is added after it."""
    text = '[inbound]\nid_mappings = [\n  { field = "groupId", id_type = "companyID" }  # ours\n]'

    assert json.loads(glue.add_mapping(text, ADDED.field, ADDED.id_type)) is None


def test_a_broken_configuration_is_left_alone(glue: Any) -> None:
    assert json.loads(glue.add_mapping("[inbound", ADDED.field, ADDED.id_type)) is None


def test_names_are_cut_and_their_hidden_characters_shown(glue: Any, tmp_path: Path) -> None:
    calls = tmp_path / "calls.ndjson"
    calls.write_text(
        json.dumps({"type": "track", "event": f"a\u202e\x07{'x' * 5000}", "userId": "u"}), encoding="utf-8"
    )
    (event,) = counted(glue, calls)["events"]

    assert event["label"].startswith("segment::a\\u202e\\u0007x")
    assert len(event["label"]) == 120
