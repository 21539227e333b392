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

import attrs
import cattrs
import pytest
from tests.benchmarks.corpus import segment_calls

from statsig_segment import (
    AudienceFold,
    AudienceUpdate,
    IntegrationConfig,
    Preview,
    SegmentEventError,
    fold_audience_updates,
    load_config,
    split_segment_batch,
)
from statsig_segment.cli import blocks
from statsig_segment.cli.blocks import translate_block
from statsig_segment.cli.files import READ_ERRORS, read_blocks
from statsig_segment.cli.preview_facts import preview_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, and there is none here"),
    pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="needs the packages of the group spark"),
]

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "examples" / "integration.toml"
CALLS = 3_000
FILES = 5
MARK = b"\xef\xbb\xbf"
BROKEN = "part-8.gz"

# What lines of an archive may be: each must come out as the command line has it.
AWKWARD = [
    b"",
    b"   ",
    b'{"type": "track", "event": "Carriage Return", "userId": "u-1"}\r',
    b'{"type": "track", "event": "Not UTF-8 \xff", "userId": "u-2"}',
    b'{"type": "track", "event": "Cut Of',
    b'[{"type": "track", "event": "In An Array", "userId": "u-3"}, 7, {"type": "video"}]',
    b'{"batch": [{"type": "page", "userId": "u-4"}, {"type": "track"}], "context": {"locale": "en"}}',
    b'{"batch": 7}',
    b'"text"',
    b'{"type": "track", "event": "No Time", "userId": "u-5", "timestamp": null}',
    b'{"type": "track", "event": "Long", "userId": "u-6", "properties": {"text": "' + b"x" * 300_000 + b'"}}',
    b'{"type": "track", "event": "Half A Pair", "userId": "u-\\ud800"}',
    b'{"type": "track", "event": "No Number", "userId": "u-7", "properties": {"a": NaN, "b": {"c": -Infinity}}}',
    b'{"type": "track", "event": "Line\xe2\x80\xa8Separator \x85 \\u000b", "userId": "u-8"}',
    b'{"type": "track", "event": "Last Day", "userId": "u-9", "timestamp": "9999-12-31T20:59:59.999-03:00"}',
    b'{"type": "track", "event": "First Day", "userId": "u-9", "timestamp": "1970-01-01T01:00:00+01:00"}',
    MARK + b'{"type": "track", "event": "Marked Line", "userId": "u-10"}',
]


def track(name: str) -> bytes:
    return json.dumps({"type": "track", "event": name, "userId": "u-1"}).encode() + b"\n"


def audience(user: str, *, member: bool, time: str | None) -> bytes:
    context = {"personas": {"computation_class": "audience", "computation_key": "walkers"}}
    call = {"type": "identify", "userId": user, "traits": {"walkers": member}, "context": context, "timestamp": time}
    if int(user.rpartition("-")[2]) % 4:  # the others have no such ID
        call["anonymousId"] = f"anonymous-{user}"
    return json.dumps(call).encode()


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Write files of calls, with awkward lines, awkward files, and memberships whose last word is in another file."""
    folder = tmp_path_factory.mktemp("archive")
    lines = [*segment_calls(CALLS), *AWKWARD]
    for number, time in enumerate(("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", None, "2026-01-02T00:00:00Z")):
        lines += [audience(f"user-{user}", member=(number + user) % 2 == 0, time=time) for user in range(40)]
    contents = {f"part-{number}.gz": gzip.compress(b"\n".join(lines[number::FILES]) + b"\n") for number in range(FILES)}
    contents["part-5.ndjson"] = MARK + track("Plain, With A Mark") + track("And Without An End").rstrip()
    contents["part-6.ndjson"] = b""
    contents["part-7.gz"] = gzip.compress(track("First Member")) + gzip.compress(track("Second Member"))
    contents[BROKEN] = gzip.compress(track("Whole Member") * 100) + gzip.compress(track("Cut Member"))[:-9]
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def by_command_line(archive: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Send the archive through the command line."""
    folder = tmp_path_factory.mktemp("command-line")
    files = {name: folder / name for name in ("rejects", "audiences")}
    options = [text for name, path in files.items() for text in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "statsig_segment", "inbound", "--config", str(CONFIG), *options]
    done = subprocess.run([*command, *map(str, archive)], capture_output=True, check=False)  # noqa: S603 - ours
    assert done.returncode == 2  # because of the broken file
    texts = {"events": done.stdout, **{name: path.read_bytes() for name, path in files.items()}}
    told = done.stderr.decode().splitlines()
    return {"told": told} | {name: [json.loads(line) for line in text.splitlines()] for name, text in texts.items()}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Keep Spark on the loopback, without its pages, and its scratch files among those of the tests."""
    folder = tmp_path_factory.mktemp("scratch")
    options = ("spark.ui.enabled=false", "spark.driver.bindAddress=127.0.0.1", f"spark.sql.warehouse.dir={folder}/w")
    return {
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": " ".join((*(f"--conf {option}" for option in options), "pyspark-shell")),
    }


def ran(archive: Path, out: Path, config: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run the job to its end."""
    command = [sys.executable, "-m", "examples.spark_replay", str(archive), str(out)]
    return subprocess.run(  # noqa: S603 - our own program
        [*command, "--config", str(config), "--master", "local[2]"],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        check=False,
    )


@pytest.fixture(scope="module")
def by_spark(
    archive: list[Path], environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Send the archive through the job, as a user does."""
    out = tmp_path_factory.mktemp("spark") / "out"
    done = ran(archive[0].parent, out, CONFIG, environment)
    assert done.returncode == 2, done.stderr.decode()  # because of the broken file
    out /= "incomplete"
    rows = stored(out / "outcomes")
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in {row["kind"] for row in rows}}
    assert kinds.keys() == {"event", "audience", "skipped", "rejected", "file"}
    members = stored(out / "members")
    shown = preview_of(out)
    days = sorted(path.name for path in (out / "outcomes" / "kind=event").iterdir())
    return kinds | {
        "members": members,
        "days": days,
        "preview": shown,
        "told": (done.stdout.decode(), done.stderr.decode()),
    }


def stored(folder: Path, **options: Any) -> list[dict[str, Any]]:
    """Read a folder of Parquet files."""
    parquet: Any = importlib.import_module("pyarrow.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(folder, **options).to_pylist()
    return rows


def preview_of(out: Path) -> bytes:
    """Read the preview that the job wrote."""
    [path] = (out / "preview").glob("part-*")
    return path.read_bytes()


def canonical(values: list[Any]) -> Counter[str]:
    return Counter(json.dumps(value, sort_keys=True) for value in values)


def refused_payload(archive: list[Path], row: dict[str, Any]) -> Any:
    """Look up what a reject points at."""
    path = next(path for path in archive if row["file"].endswith(f"/{path.name}"))
    content: bytes = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    number: int = row["line"] - 1
    line = content.split(b"\n")[number]
    try:
        return list(split_segment_batch(line))[row["item"]]
    except SegmentEventError:
        return line.decode("utf-8", "backslashreplace").strip()


def updates_of(records: list[dict[str, Any]]) -> list[AudienceUpdate]:
    return [
        AudienceUpdate(
            id_list=row["idList"],
            member=row["member"],
            user_id=row.get("userID"),
            custom_ids=row.get("customIDs", {}),
            time_ms=row.get("time"),
        )
        for row in records
    ]


def memberships(fold: AudienceFold) -> Counter[tuple[str, str | None, bool]]:
    told: Counter[tuple[str, str | None, bool]] = Counter()
    for patch in fold.patches:
        told.update((patch.id_list, unit, True) for unit in patch.add)
        told.update((patch.id_list, unit, False) for unit in patch.remove)
    told.update((update.id_list, None, update.member) for update in fold.apart)
    return told


class TestTheSameArchiveOnBothWays:
    def test_the_preview_is_the_same(self, by_spark: dict[str, Any], archive: list[Path]) -> None:
        options = ("--json", "--config", str(CONFIG))
        command = [sys.executable, "-m", "statsig_segment", "preview", *options, *map(str, archive)]
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - ours

        assert done.returncode == 2  # because of the broken file
        assert json.loads(done.stdout)["read"] > CALLS
        found = cattrs.structure(json.loads(by_spark["preview"]), Preview)
        assert json.loads(json.dumps(preview_record(found))) == json.loads(done.stdout)

    def test_the_events_are_the_same(self, by_spark: dict[str, Any], by_command_line: dict[str, Any]) -> None:
        events = [json.loads(row["json"]) for row in by_spark["event"]]

        assert len(events) > CALLS / 2
        assert canonical(events) == canonical(by_command_line["events"])

    def test_what_was_refused_is_the_same_and_stands_where_it_is_said_to(
        self, by_spark: dict[str, Any], by_command_line: dict[str, Any], archive: list[Path]
    ) -> None:
        told = [(row["code"], row["path"], row["payload"]) for row in by_command_line["rejects"]]
        found = [(row["name"], row["path"], refused_payload(archive, row)) for row in by_spark["rejected"]]

        assert {code for code, _, _ in told} > {"invalid_json", "not_an_object", "batch_not_array"}
        assert canonical(found) == canonical(told)

    def test_the_id_lists_are_the_same(self, by_spark: dict[str, Any], by_command_line: dict[str, Any]) -> None:
        expected = memberships(fold_audience_updates(updates_of(by_command_line["audiences"])))

        assert len([unit for name, unit, _ in expected if name == "walkers"]) == 40
        assert Counter((row["id_list"], row["id"], row["member"]) for row in by_spark["members"]) == expected

    def test_the_counts_are_the_same_in_the_same_words(
        self, by_spark: dict[str, Any], by_command_line: dict[str, Any]
    ) -> None:
        summary, _ = by_spark["told"]

        assert summary.splitlines() == by_command_line["told"][1:]

    def test_a_broken_file_is_told_and_what_stood_before_is_kept(
        self, by_spark: dict[str, Any], by_command_line: dict[str, Any]
    ) -> None:
        _, errors = by_spark["told"]
        broken = {row["file"].rpartition("/")[2]: row["name"] for row in by_spark["file"] if row["name"] is not None}

        assert broken.keys() == {BROKEN}
        assert f"{BROKEN}: {broken[BROKEN]}; only " in by_command_line["told"][0]
        assert f"{BROKEN}: {broken[BROKEN]}" in errors
        assert len([row for row in by_spark["event"] if row["file"].endswith(BROKEN)]) >= 100


class TestTheJob:
    def test_every_payload_is_one_outcome_in_one_place(self, by_spark: dict[str, Any]) -> None:
        rows = [row for kind in ("event", "audience", "skipped", "rejected") for row in by_spark[kind]]
        places = Counter((row["file"], row["line"], row["item"]) for row in rows)

        assert len(places) > CALLS
        assert set(places.values()) == {1}

    def test_events_lie_by_the_day_of_their_own_time(self, by_spark: dict[str, Any]) -> None:
        days = {row["day"] for row in by_spark["event"]}
        of_times = {str(row["day"]) for row in by_spark["event"] if row["time_ms"] is not None}

        assert {row["day"] for row in by_spark["event"] if row["time_ms"] is None} == {None}
        assert {"9999-12-31", "1970-01-01"} < of_times == days - {None}
        assert by_spark["days"] == sorted([*(f"day={day}" for day in of_times), "day=__HIVE_DEFAULT_PARTITION__"])

    def test_what_was_refused_leaves_no_value_behind(self, by_spark: dict[str, Any]) -> None:
        filled = {key for row in by_spark["rejected"] for key, value in row.items() if value is not None}

        assert filled == {"kind", "file", "line", "item", "name", "path"}


@pytest.fixture(scope="module")
def spark(environment: dict[str, str]) -> Iterator[Any]:
    """Start Spark in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        session = importlib.import_module("pyspark.sql").SparkSession.builder.master("local[2]").getOrCreate()
        yield session
        session.stop()


class TestInOneSession:
    def test_lists_of_another_id_type_fold_too_and_a_lost_row_is_noticed(
        self, spark: Any, archive: list[Path], by_command_line: dict[str, Any], tmp_path: Path
    ) -> None:
        job: Any = importlib.import_module("examples.spark_replay.job")
        config = load_config(CONFIG.read_text(encoding="utf-8"))
        out = tmp_path / "incomplete"

        done = job.replay(spark, str(archive[0].parent), str(tmp_path), config, id_type="segmentAnonymousId")
        members = stored(out / "members")
        next((out / "outcomes" / "kind=rejected").rglob("*.parquet")).unlink()
        after = job.count(spark.read.parquet(str(out / "outcomes")), done.files_listed, done.preview)

        fold = fold_audience_updates(updates_of(by_command_line["audiences"]), id_type="segmentAnonymousId")
        assert fold.apart
        assert fold.patches
        assert Counter((row["id_list"], row["id"], row["member"]) for row in members) == memberships(fold)
        assert done.adds_up()
        assert not after.adds_up()


NAMES = [
    "plain.ndjson",
    "nested/deeper/still/plain.ndjson",
    "day=1/plain.ndjson",
    "day=1/hour=2/plain.ndjson",
    "other=3/plain.ndjson",
    "with space [1].ndjson",
]
HIDDEN = ["_hidden.ndjson", ".hidden.ndjson", "_folder/plain.ndjson", "nested/.folder/plain.ndjson", "_SUCCESS.ndjson"]


def filled(folder: Path, *names: str) -> Path:
    """Write an archive: one call in each file, with the file's name as the event."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(track(name))
    return folder


@pytest.fixture
def replayed(spark: Any, tmp_path: Path) -> Callable[..., Any]:
    """Run the job in the session of these tests, from one folder into another."""
    job: Any = importlib.import_module("examples.spark_replay.job")

    def replayed(archive: str = "archive", **options: Any) -> Any:
        return job.replay(spark, str(tmp_path / archive), str(tmp_path / "out"), IntegrationConfig(), **options)

    return replayed


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[Any], tuple[int, list[str]]]:
    """Report what became of an archive, as the command does; give the status and the lines of standard error."""
    program: Any = importlib.import_module("examples.spark_replay.__main__")

    def reported(done: Any) -> tuple[int, list[str]]:
        capsys.readouterr()
        status: int = program.report(done)
        return status, capsys.readouterr().err.splitlines()

    return reported


def names_of_events(folder: Path) -> list[str]:
    events = folder / "outcomes" / "kind=event"
    rows = stored(events, partitioning=None) if events.exists() else []
    return sorted(row["name"].removeprefix("segment::") for row in rows)


class TestNoFileIsLeftOutSilently:
    def test_folders_of_every_kind_are_read_at_any_depth(
        self, replayed: Callable[..., Any], report: Callable[[Any], Any], tmp_path: Path
    ) -> None:
        filled(tmp_path / "archive", *NAMES)

        assert report(replayed()) == (0, [])
        assert names_of_events(tmp_path / "out") == sorted(NAMES)

    def test_what_spark_hides_is_named_and_counted_with_status_1(
        self, replayed: Callable[..., Any], report: Callable[[Any], Any], tmp_path: Path
    ) -> None:
        archive = filled(tmp_path / "archive", *NAMES, *HIDDEN)

        status, errors = report(replayed())

        assert status == 1
        assert errors == [
            *sorted(f"file:{archive / name}: left out, because Spark takes it for hidden" for name in HIDDEN),
            f"files left out: {len(HIDDEN)}",
        ]
        assert names_of_events(tmp_path / "out") == sorted(NAMES)

    def test_a_pattern_is_compared_as_well(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        archive = filled(tmp_path / "archive", "a/plain.ndjson", "a/_hidden.ndjson", "_b/plain.ndjson", "c.ndjson")

        done = replayed("archive/*")

        assert {*done.omitted} | {*done.files_listed} == {f"file:{p}" for p in archive.rglob("*.ndjson")}
        assert f"file:{archive}/a/_hidden.ndjson" in done.omitted

    def test_empty_files_hold_nothing_to_leave_out(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        archive = filled(tmp_path / "archive", "plain.ndjson")
        for name in ("_SUCCESS", "empty.ndjson"):
            (archive / name).touch()

        assert replayed().omitted == ()

    def test_the_results_cannot_lie_within_the_archive(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        filled(tmp_path, "archive/plain.ndjson")

        with pytest.raises(ValueError, match="the next run would read them"):
            replayed("")
        assert not (tmp_path / "out").exists()


class TestAnEmptyResult:
    @pytest.mark.parametrize("names", [(), ("_hidden.ndjson",)], ids=["no file", "only hidden files"])
    def test_it_is_an_error(
        self,
        names: tuple[str, ...],
        replayed: Callable[..., Any],
        report: Callable[[Any], Any],
        tmp_path: Path,
    ) -> None:
        (tmp_path / "archive").mkdir()
        filled(tmp_path / "archive", *names)

        status, errors = report(replayed())

        assert status == 2
        assert "the archive holds no calls" in errors

    def test_files_without_calls_are_one(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive" / "blank.ndjson").write_bytes(b"\n\n")

        assert [*replayed().problems()] == ["the archive holds no calls"]

    def test_it_is_fine_if_it_is_asked_for(
        self, replayed: Callable[..., Any], report: Callable[[Any], Any], tmp_path: Path
    ) -> None:
        filled(tmp_path / "archive", "plain.ndjson")
        replayed()
        (tmp_path / "archive" / "plain.ndjson").write_bytes(b"")

        assert report(replayed(may_be_empty=True)) == (0, [])
        assert names_of_events(tmp_path / "out") == []

    def test_it_does_not_replace_earlier_results(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        filled(tmp_path / "archive", "plain.ndjson")
        replayed()
        (tmp_path / "archive" / "plain.ndjson").unlink()

        replayed()

        assert names_of_events(tmp_path / "out") == ["plain.ndjson"]


class TestAnotherRun:
    @pytest.fixture(autouse=True)
    def _first(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive" / "first.ndjson").write_bytes(audience("user-1", member=True, time=None))
        filled(tmp_path / "archive", "second.ndjson")
        replayed()

    def test_whole_results_replace_the_earlier_ones(self, replayed: Callable[..., Any], tmp_path: Path) -> None:
        (tmp_path / "archive" / "first.ndjson").unlink()
        filled(tmp_path / "archive", "third.ndjson")

        replayed()

        assert names_of_events(tmp_path / "out") == ["second.ndjson", "third.ndjson"]
        assert stored(tmp_path / "out" / "members") == []
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["members", "outcomes", "preview"]

    def test_results_with_a_broken_file_do_not(
        self, replayed: Callable[..., Any], report: Callable[[Any], Any], tmp_path: Path
    ) -> None:
        filled(tmp_path / "archive", "third.ndjson")
        (tmp_path / "archive" / "cut.gz").write_bytes(gzip.compress(track("Cut"))[:-9])

        status, errors = report(replayed())

        assert status == 2
        assert errors[-1] == "not whole: the results are in the folder incomplete, those of an earlier run stay"
        assert names_of_events(tmp_path / "out") == ["second.ndjson"]
        assert names_of_events(tmp_path / "out" / "incomplete") == ["Cut", "second.ndjson", "third.ndjson"]

    def test_a_run_that_dies_does_not(
        self, replayed: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(*_: object) -> None:
            raise RuntimeError

        filled(tmp_path / "archive", "third.ndjson")
        with monkeypatch.context() as patch:
            patch.setattr("examples.spark_replay.job._fold", die)
            with pytest.raises(RuntimeError):
                replayed()

        assert names_of_events(tmp_path / "out") == ["second.ndjson"]
        assert [row["id"] for row in stored(tmp_path / "out" / "members")] == ["user-1"]

        replayed()
        assert names_of_events(tmp_path / "out") == ["second.ndjson", "third.ndjson"]

    def test_a_replacement_that_was_interrupted_is_undone_first(
        self, replayed: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage: Any = importlib.import_module("examples.spark_replay.storage").Storage
        move = storage.move
        moves = iter(range(10))

        def move_three_times(*arguments: Any) -> None:
            if next(moves) == 3:
                raise KeyboardInterrupt
            move(*arguments)

        filled(tmp_path / "archive", "third.ndjson")
        with monkeypatch.context() as patch:
            patch.setattr(storage, "move", move_three_times)
            with pytest.raises(KeyboardInterrupt):
                replayed()
        for name in ("first.ndjson", "second.ndjson", "third.ndjson"):
            (tmp_path / "archive" / name).write_bytes(b"")

        replayed()

        assert names_of_events(tmp_path / "out") == ["second.ndjson"]
        assert [row["id"] for row in stored(tmp_path / "out" / "members")] == ["user-1"]

    def test_nothing_is_overwritten_by_a_move(self, spark: Any, tmp_path: Path) -> None:
        storage: Any = importlib.import_module("examples.spark_replay.storage").Storage.of(spark)
        filled(tmp_path, "a/name", "b/name")

        with pytest.raises(OSError, match="cannot move"):
            storage.move(str(tmp_path / "a" / "name"), str(tmp_path / "b"))

        assert (tmp_path / "a" / "name").exists()


def fewer_files(done: Any) -> Any:
    return attrs.evolve(done, files_done=done.files_done[1:])


def file_twice(done: Any) -> Any:
    return attrs.evolve(done, files_done=(*done.files_done, done.files_done[-1]))


def event_twice(done: Any) -> Any:
    return attrs.evolve(done, rows=done.rows + Counter({("event", ""): 1}))


def event_lost(done: Any) -> Any:
    return attrs.evolve(done, rows=done.rows - Counter({("event", ""): 1}))


def other_code(done: Any) -> Any:
    return attrs.evolve(done, preview=attrs.evolve(done.preview, rejected={"missing_type": 1}))


@pytest.mark.parametrize("spoil", [fewer_files, file_twice, event_twice, event_lost, other_code])
def test_counts_that_do_not_agree_do_not_add_up(spoil: Callable[[Any], Any]) -> None:
    module: Any = importlib.import_module("examples.spark_replay.replayed")
    found = Preview(translated=1, skipped={"filtered": 1}, rejected={"invalid_json": 1})
    rows = Counter({("event", ""): 1, ("skipped", "filtered"): 1, ("rejected", "invalid_json"): 1})
    done = module.Replayed(preview=found, rows=rows, files_listed=("a", "b"), files_done=("a", "b"))

    assert done.adds_up()
    assert not spoil(done).adds_up()


@pytest.mark.parametrize(
    ("archive_name", "configured", "told"), [("", "inbound = 7", "inbound"), ("no-such", "", "PATH_NOT_FOUND")]
)
def test_what_cannot_be_used_is_no_success_and_not_taken_for_rejects(
    archive_name: str, configured: str, told: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text(configured, encoding="utf-8")

    done = ran(tmp_path / archive_name, tmp_path / "out", config, environment)

    assert done.returncode == 2
    assert told in done.stderr.decode()


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.3, 0.7, 0.95, 0.999, 0.99999])
def test_a_file_cut_anywhere_gives_what_the_command_line_gives(share: float, tmp_path: Path) -> None:
    outcomes: Any = importlib.import_module("examples.spark_replay.outcomes")
    whole = gzip.compress(b"\n".join(segment_calls(2_000)))
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: int(len(whole) * share)])

    *rows, last = outcomes.rows("cut.gz", path.read_bytes(), IntegrationConfig())
    events, trouble = b"", None
    try:
        for block in read_blocks(str(path), blocks.CALLS):
            events += translate_block(IntegrationConfig(), "log-event", block).events
    except READ_ERRORS as error:
        trouble = str(error)

    assert [json.loads(row["json"]) for row in rows if row["kind"] == "event"] == [
        json.loads(line) for line in events.decode().splitlines()
    ]
    assert last["name"] == trouble
    assert (trouble is None) == (share == 0)


def test_values_without_a_line_break_between_them_are_calls_of_their_own() -> None:
    outcomes: Any = importlib.import_module("examples.spark_replay.outcomes")

    *rows, _ = outcomes.rows("a.json", track("One").rstrip() * 2 + b" " + track("Two") + b"{}{", IntegrationConfig())

    assert [(row["kind"], row["line"], row["item"]) for row in rows] == [
        *(("event", 1, item) for item in range(3)),
        ("rejected", 2, 0),
    ]


def test_a_document_over_many_lines_which_only_the_command_line_reads_is_refused_line_by_line() -> None:
    outcomes: Any = importlib.import_module("examples.spark_replay.outcomes")
    text = json.dumps([{"type": "track", "event": "Opened", "userId": "u-1"}], indent=2).encode()

    *rows, last = outcomes.rows("a.json", text, IntegrationConfig())

    assert [(row["kind"], row["line"]) for row in rows] == [
        ("rejected", line + 1) for line in range(text.count(b"\n") + 1)
    ]
    assert last["line"] == text.count(b"\n") + 1
