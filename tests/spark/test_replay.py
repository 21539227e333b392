"""The replay on Spark: its parts add up, and the same archive through the command line gives the same."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_segment import AudienceUpdate, IntegrationConfig, fold_audience_updates

if TYPE_CHECKING:
    from types import ModuleType

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none here"),
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="needs the packages of the group spark"),
]

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "spark_replay"
CONFIG = ROOT / "examples" / "integration.toml"
CALLS = 3_000
FILES = 5

# What lines of an archive may be: each must come out as the command line has it.
AWKWARD = [
    b"",
    b"   ",
    b'{"type": "track", "event": "Carriage Return", "userId": "u-1"}\r',
    b'{"type": "track", "event": "Not UTF-8 \xff", "userId": "u-2"}',
    b'{"type": "track", "event": "Cut Of',
    b'[{"type": "track", "event": "In An Array", "userId": "u-3"}, 7, {"type": "alias"}]',
    b'{"batch": [{"type": "page", "userId": "u-4"}, {"type": "track"}], "context": {"locale": "en"}}',
    b'{"batch": 7}',
    b'"text"',
    b'{"type": "track", "event": "No Time", "userId": "u-5", "timestamp": null}',
    b'{"type": "track", "event": "Long", "userId": "u-6", "properties": {"text": "' + b"x" * 300_000 + b'"}}',
    b'{"type": "track", "event": "Half A Pair", "userId": "u-\\ud800"}',
]


def module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec
    assert spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def audience(user: str, *, member: bool, time: str | None) -> bytes:
    context = {"personas": {"computation_class": "audience", "computation_key": "walkers"}}
    call = {"type": "identify", "userId": user, "traits": {"walkers": member}, "context": context, "timestamp": time}
    return json.dumps(call).encode()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write compressed files of calls, with awkward lines and with memberships whose last word is in another file."""
    folder = tmp_path_factory.mktemp("archive")
    sys.path.insert(0, str(ROOT))
    corpus = importlib.import_module("tests.benchmarks.corpus")
    sys.path.remove(str(ROOT))
    lines: list[bytes] = [*corpus.segment_calls(CALLS), *AWKWARD]
    for number, time in enumerate(("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", None, "2026-01-02T00:00:00Z")):
        lines += [audience(f"user-{user}", member=(number + user) % 2 == 0, time=time) for user in range(40)]
    paths = [folder / f"part-{number}.gz" for number in range(FILES)]
    for number, path in enumerate(paths):
        path.write_bytes(gzip.compress(b"\n".join(lines[number::FILES]) + b"\n"))
    return paths


@pytest.fixture(scope="module")
def by_command_line(archive: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """Send the archive through the command line."""
    folder = tmp_path_factory.mktemp("command-line")
    files = {name: folder / name for name in ("rejects", "audiences")}
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    command = [
        sys.executable,
        "-m",
        "statsig_segment",
        "inbound",
        "--config",
        str(CONFIG),
        *options,
        *map(str, archive),
    ]
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own program
    assert done.returncode == 1
    texts = {"events": done.stdout, **{name: path.read_bytes() for name, path in files.items()}}
    return {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items()}


@pytest.fixture(scope="module")
def by_spark(archive: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Send the archive through the job, as a user does."""
    out = tmp_path_factory.mktemp("spark") / "out"
    command = [sys.executable, "-m", "examples.spark_replay", str(archive[0].parent / "*.gz"), str(out)]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(  # noqa: S603 - our own program
        [*command, "--config", str(CONFIG), "--master", "local[2]"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr.decode()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    tables: dict[str, Any] = {
        name: parquet.read_table(out / name).to_pylist() for name in ("outcomes", "events", "members", "rejects")
    }
    return tables | {"told": done.stdout.decode(), "days": sorted(path.name for path in (out / "events").iterdir())}


def canonical(values: list[Any]) -> Counter[str]:
    return Counter(json.dumps(value, sort_keys=True) for value in values)


class TestTheSameArchiveOnBothWays:
    def test_the_events_are_the_same(self, by_spark: dict[str, Any], by_command_line: dict[str, list[Any]]) -> None:
        events = [json.loads(row["json"]) for row in by_spark["events"]]

        assert len(events) > CALLS / 2
        assert canonical(events) == canonical(by_command_line["events"])

    def test_what_was_refused_is_the_same(
        self, by_spark: dict[str, Any], by_command_line: dict[str, list[Any]]
    ) -> None:
        assert Counter((row["code"], row["path"]) for row in by_spark["rejects"]) == Counter(
            (row["code"], row["path"]) for row in by_command_line["rejects"]
        )

    def test_the_id_lists_are_the_same(self, by_spark: dict[str, Any], by_command_line: dict[str, list[Any]]) -> None:
        updates = [
            AudienceUpdate(
                id_list=row["idList"],
                member=row["member"],
                user_id=row.get("userID"),
                custom_ids=row.get("customIDs", {}),
                time_ms=row.get("time"),
            )
            for row in by_command_line["audiences"]
        ]
        fold = fold_audience_updates(updates)
        expected = {(patch.id_list, unit, True) for patch in fold.patches for unit in patch.add}
        expected |= {(patch.id_list, unit, False) for patch in fold.patches for unit in patch.remove}
        told = [(row["id_list"], row["id"], row["member"]) for row in by_spark["members"]]

        assert len({unit for name, unit, _ in expected if name == "walkers"}) == 40
        assert {row for row in told if row[1] is not None} == expected
        assert len(told) == len(expected) + len(fold.apart)


class TestTheJob:
    def test_every_payload_is_one_outcome_in_one_place(self, by_spark: dict[str, Any]) -> None:
        places = Counter((row["file"], row["line"], row["item"]) for row in by_spark["outcomes"])

        assert len(places) > CALLS
        assert set(places.values()) == {1}

    def test_its_counts_are_those_of_the_rows(self, by_spark: dict[str, Any]) -> None:
        kinds = Counter(row["kind"] for row in by_spark["outcomes"])

        assert f"read {kinds.total()}, translated {kinds['event']}, audiences {kinds['audience']}" in by_spark["told"]

    def test_events_lie_by_the_day_of_their_own_time(self, by_spark: dict[str, Any]) -> None:
        days = {row["day"] for row in by_spark["events"] if row["time_ms"] is not None}

        assert "day=__HIVE_DEFAULT_PARTITION__" in by_spark["days"]  # an event without a time
        assert {f"day={day}" for day in days} < set(by_spark["days"])

    def test_rejects_hold_nothing_of_the_payload(self, by_spark: dict[str, Any]) -> None:
        assert {key for row in by_spark["rejects"] for key in row} == {"file", "line", "item", "code", "path"}


def test_a_broken_file_is_refused_once_and_what_stood_before_is_kept() -> None:
    outcomes = module("spark_replay_outcomes", EXAMPLE / "outcomes.py")
    line = b'{"type": "track", "event": "Opened", "userId": "u-1"}\n'
    whole = gzip.compress(line * 1_000) + gzip.compress(line)

    rows = list(outcomes.rows("a.gz", whole[:-9], IntegrationConfig()))

    assert [row["kind"] for row in rows] == ["event"] * (len(rows) - 1) + ["rejected"]
    assert len(rows) > 1_000
    assert rows[-1] | {"line": 0} == {
        "file": "a.gz", "line": 0, "item": 0, "kind": "rejected", "name": "invalid_json", "path": None,
    }  # fmt: skip
