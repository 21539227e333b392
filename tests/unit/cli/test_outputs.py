"""Output files are whole or not there, and never written onto a file that is in use."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.sizes import slow, small_and_large
from tests.unit.cli.program import CALLS, CONFIG, GOOD, MEMBER, Run, ndjson, records, spawned

from statsig_segment.cli import run as run_module
from statsig_segment.cli.blocks import Block
from statsig_segment.cli.outputs import Output, Outputs, UnusableError, identity

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = ("--output", "--rejects", "--audiences", "--summary-json")
FULL = Path("/dev/full")
on_full_disk = pytest.mark.skipif(not FULL.exists(), reason="only Linux has a device that is always full")


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.endswith(".part")]


class TestTheFiles:
    def test_each_holds_what_its_option_says(self, run: Run, tmp_path: Path) -> None:
        paths = {option: tmp_path / option for option in OPTIONS}
        arguments = [word for option, path in paths.items() for word in (option, path)]
        ended = run("inbound", CALLS, "--config", CONFIG, *arguments)
        summary = json.loads(paths["--summary-json"].read_text(encoding="utf-8"))

        assert (ended.status, ended.out) == (1, b"")
        assert len(records(paths["--output"])) == summary["translated"] == 47
        assert len(records(paths["--rejects"])) == sum(summary["rejected"].values()) == 4
        assert len(records(paths["--audiences"])) == summary["audiences"] == 7
        assert summary["read"] == 66
        assert summary["skipped"]["integration_disabled"] == 2
        assert summary["issues"]["id_invalid"] == 2
        assert leftovers(tmp_path) == []

    def test_output_is_what_standard_output_would_be(self, run: Run, tmp_path: Path) -> None:
        out = run("inbound", CALLS, "--config", CONFIG).out
        run("inbound", CALLS, "--config", CONFIG, "--output", tmp_path / "events", "--jobs", "2")

        assert (tmp_path / "events").read_bytes() == out

    def test_requests_and_batches_are_counted_by_what_they_are(self, run: Run, tmp_path: Path) -> None:
        inbound = run("inbound", "--format", "request", "--output", tmp_path / "a", stdin=ndjson(GOOD, GOOD))
        event = {"eventName": "e", "userID": "u"}
        outbound = run("outbound", "--batch", "--output", tmp_path / "b", stdin=ndjson(event, event))

        assert (inbound.status, outbound.status) == (0, 0)
        assert [len(records(tmp_path / name)) for name in "ab"] == [1, 1]

    def test_they_are_there_empty_where_there_is_nothing_to_write(self, run: Run, tmp_path: Path) -> None:
        run("inbound", "--rejects", tmp_path / "rejects", stdin=ndjson(GOOD))

        assert (tmp_path / "rejects").read_bytes() == b""

    def test_they_take_the_place_of_older_ones(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "rejects").write_text("old", encoding="utf-8")
        (tmp_path / "rejects").chmod(0o640)
        (tmp_path / "link").symlink_to("rejects")
        run("inbound", "--rejects", tmp_path / "link", stdin=b"oops")

        assert [record["payload"] for record in records(tmp_path / "rejects")] == ["oops"]
        assert (tmp_path / "link").is_symlink()
        assert stat.S_IMODE((tmp_path / "rejects").stat().st_mode) == 0o640

    def test_new_ones_have_the_usual_permissions(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "usual").touch()
        run("inbound", "--rejects", tmp_path / "rejects", stdin=b"oops")

        assert (tmp_path / "rejects").stat().st_mode == (tmp_path / "usual").stat().st_mode

    def test_a_device_is_written_to_as_it_is(self, run: Run) -> None:
        ended = run("inbound", "--rejects", os.devnull, "--audiences", os.devnull, stdin=ndjson(MEMBER) + b"oops")

        assert ended.status == 1
        assert Path(os.devnull).is_char_device()

    def test_an_input_that_breaks_off_leaves_what_was_read(self, run: Run, tmp_path: Path) -> None:
        (tmp_path / "calls.gz").write_bytes(b"\x1f\x8bdamaged")
        ended = run("inbound", "-", tmp_path / "calls.gz", "--rejects", tmp_path / "rejects", stdin=b"oops\n")

        assert ended.status == 2
        assert len(records(tmp_path / "rejects")) == 1


class TestAFileThatIsInUse:
    """It is refused by what it is, whatever it is called, and nothing is emptied or made."""

    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.chdir(tmp_path)
        Path("calls").write_bytes(ndjson(GOOD))
        Path("config").write_text("", encoding="utf-8")
        Path("old").write_text("old", encoding="utf-8")
        os.link("calls", "hard")
        Path("soft").symlink_to("config")
        return tmp_path

    @pytest.mark.parametrize("option", OPTIONS)
    @pytest.mark.parametrize("name", ["calls", "./calls", "hard", "config", "soft", "-", ""])
    def test_an_input_or_the_configuration(self, run: Run, folder: Path, option: str, name: str) -> None:
        others = [word for other in OPTIONS if other != option for word in (other, f"new{other}")]
        ended = run("inbound", folder / "calls", "--config", "config", option, name, *others)

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err.startswith(f"statsig-segment: {option}")
        assert ended.err.count("\n") == 1
        assert Path("calls").read_bytes() == ndjson(GOOD)
        assert sorted(path.name for path in folder.iterdir()) == ["calls", "config", "hard", "old", "soft"]

    @pytest.mark.parametrize(("one", "other"), [("new", "new"), ("new", "./new"), ("old", "old"), ("old", "link")])
    def test_each_other(self, run: Run, folder: Path, one: str, other: str) -> None:
        (folder / "link").symlink_to("old")
        ended = run("inbound", "calls", "--rejects", one, "--audiences", other)

        assert ended.err == f"statsig-segment: --audiences {other}: the same file as --rejects\n"
        assert Path("old").read_text(encoding="utf-8") == "old"
        assert not Path("new").exists()

    @pytest.mark.parametrize("stream", ["stdout", *map(slow, ("stdin", "stderr"))])
    def test_a_standard_stream(self, folder: Path, stream: str) -> None:
        with Path("old").open("r+b") as file:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL} | {stream: file}
            process = spawned("inbound", "calls", "--rejects", folder / "old", **streams)
            process.communicate(timeout=30)

        assert process.returncode == 2
        assert b"oops" not in Path("old").read_bytes()
        assert not leftovers(folder)

    def test_standard_output_is_not_an_input(self, folder: Path) -> None:
        with Path("calls").open("ab") as file:
            process = spawned("inbound", "calls", stdin=subprocess.DEVNULL, stdout=file.fileno())
            _, err = process.communicate(timeout=30)

        assert process.returncode == 2
        assert err == b"statsig-segment: the input calls: standard output goes to the same file\n"
        assert (folder / "calls").read_bytes() == ndjson(GOOD)

    def test_a_stream_that_is_closed_is_no_file(self) -> None:
        assert identity(1_000_000) is None

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux names the files of descriptors")
    def test_standard_output_is_not_an_input_whatever_it_is_called(self, run: Run) -> None:
        ended = run("inbound", "/proc/self/fd/1")

        assert ended.status == 2
        assert ended.err.endswith("standard output goes to the same file\n")


class TestWhatGoesWrong:
    @pytest.mark.parametrize("option", OPTIONS)
    def test_a_folder_that_is_not_there_makes_no_other_file(self, run: Run, tmp_path: Path, option: str) -> None:
        (tmp_path / "old").write_text("old", encoding="utf-8")
        other = "--rejects" if option != "--rejects" else "--audiences"
        missing = tmp_path / "missing" / "file"
        ended = run("inbound", other, tmp_path / "old", option, missing, stdin=b"oops")

        assert (ended.status, ended.out) == (2, b"")
        assert ended.err == f"statsig-segment: {missing}: No such file or directory\n"
        assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
        assert leftovers(tmp_path) == []

    def test_a_folder_is_not_a_file(self, run: Run, tmp_path: Path) -> None:
        ended = run("inbound", "--rejects", tmp_path, stdin=b"oops")

        assert ended.err == f"statsig-segment: {tmp_path}: is a directory\n"

    def test_a_file_that_may_not_be_written(self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "rejects").touch()

        def access(_path: object, mode: int) -> bool:
            return mode != os.W_OK

        monkeypatch.setattr(os, "access", access)
        ended = run("inbound", "--rejects", tmp_path / "rejects", stdin=b"oops")

        assert ended.err == f"statsig-segment: {tmp_path / 'rejects'}: not allowed to write it\n"

    @on_full_disk
    @pytest.mark.parametrize("option", OPTIONS)
    def test_a_full_disk_is_named_by_its_file(self, run: Run, tmp_path: Path, option: str) -> None:
        other = "--rejects" if option != "--rejects" else "--audiences"
        (tmp_path / "old").write_text("old", encoding="utf-8")
        ended = run("inbound", option, FULL, other, tmp_path / "old", stdin=ndjson(GOOD, MEMBER) + b"oops")

        assert ended.status == 2
        assert f"statsig-segment: {FULL}: No space left on device\n" in ended.err
        assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
        assert leftovers(tmp_path) == []

    @on_full_disk
    @pytest.mark.parametrize("count", small_and_large(5_000, 100_000))
    def test_a_full_disk_is_found_in_the_middle_too(self, run: Run, count: int) -> None:
        ended = run("inbound", "--rejects", FULL, stdin=b"oops\n" * count)

        assert (ended.status, ended.err) == (2, f"statsig-segment: {FULL}: No space left on device\n")

    @on_full_disk
    @pytest.mark.parametrize(
        "argv", [["--help"], *map(slow, (["--version"], ["inbound", "--help"], ["check-config", CONFIG]))]
    )
    def test_so_is_a_standard_output_that_is_full(self, argv: list[Any]) -> None:
        with FULL.open("wb") as full:
            process = spawned(*argv, stdin=subprocess.DEVNULL, stdout=full.fileno())
            _, err = process.communicate(timeout=30)

        assert process.returncode == 2
        assert err == b"statsig-segment: standard output: No space left on device\n"

    @on_full_disk
    def test_events_that_find_standard_output_full(self) -> None:
        with FULL.open("wb") as full:
            process = spawned("inbound", CALLS, stdin=subprocess.DEVNULL, stdout=full.fileno())
            _, err = process.communicate(timeout=30)

        assert process.returncode == 2
        assert err == b"statsig-segment: standard output: No space left on device\n"

    @on_full_disk
    def test_a_full_standard_error_changes_nothing(self) -> None:
        with FULL.open("wb") as full:
            process = spawned("inbound", CALLS, "--config", CONFIG, stderr=full.fileno())
            out, _ = process.communicate(timeout=30)

        assert process.returncode == 1
        assert out.count(b"\n") == 47

    def test_a_pipe_whose_reader_is_gone(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        reader = threading.Thread(target=lambda: (tmp_path / "pipe").open("rb").close())
        reader.start()
        process = spawned("inbound", "--rejects", tmp_path / "pipe")
        reader.join(timeout=30)
        _, err = process.communicate(b"oops\n" * 100_000, timeout=30)

        assert process.returncode == 2
        assert err == f"statsig-segment: {tmp_path / 'pipe'}: Broken pipe\n".encode()

    def test_a_file_that_lost_some_of_its_text(self, tmp_path: Path) -> None:
        output = Output(str(tmp_path / "a"))
        output.write(b"abc\n", 1)
        [part] = tmp_path.iterdir()
        part.unlink()
        part.touch()

        with pytest.raises(UnusableError, match="0 bytes instead of 4"):
            output.finish()

    def test_a_file_with_fewer_records_than_were_counted(self, tmp_path: Path) -> None:
        outputs = Outputs({})
        outputs.open(rejects=str(tmp_path / "a"), audiences=str(tmp_path / "b"))
        outputs.write("rejects", b"1\n")

        with pytest.raises(UnusableError, match="1 records instead of 2"):
            outputs.put_in_place(rejects=2)
        outputs.discard()
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_cannot_be_put_in_place(
        self, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_path: Path, _target: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        monkeypatch.setattr(Path, "replace", refuse)
        ended = run("inbound", "--rejects", tmp_path / "a", stdin=b"oops")

        assert ended.status == 2
        assert ended.err.startswith(f"statsig-segment: {tmp_path / 'a'}: Operation not permitted\nread 1 = ")
        assert list(tmp_path.iterdir()) == []


class TestARunThatEndsEarly:
    """What is not whole is removed, and an older file stays as it was."""

    @pytest.fixture
    def old(self, tmp_path: Path) -> Path:
        (tmp_path / "rejects").write_text("old", encoding="utf-8")
        return tmp_path / "rejects"

    def test_after_an_error(self, run: Run, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def failing(*_: object, **__: object) -> Iterator[Any]:
            yield Block(data=b"oops\n")
            raise MemoryError

        monkeypatch.setattr(run_module, "read_blocks", failing)
        ended = run("inbound", "--rejects", old)

        assert (ended.status, ended.err) == (2, "statsig-segment: not enough memory\n")
        assert [path.name for path in old.parent.iterdir()] == ["rejects"]
        assert old.read_text(encoding="utf-8") == "old"

    @pytest.mark.parametrize("name", ["SIGTERM", *map(slow, ("SIGINT", "SIGHUP", "SIGQUIT"))])
    def test_after_a_signal(self, old: Path, name: str) -> None:
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = spawned("inbound", "--rejects", old, own_session=True)
        signal.signal(signal.SIGINT, before)
        assert process.stdin
        process.stdin.write(b"oops\n")
        process.stdin.flush()
        for _ in range(200):
            if leftovers(old.parent):
                break
            time.sleep(0.05)
        process.send_signal(getattr(signal, name))
        _, err = process.communicate(timeout=30)

        assert process.returncode == (130 if name == "SIGINT" else -getattr(signal, name))
        assert err.endswith(b"interrupted: no file was written\n")
        assert [path.name for path in old.parent.iterdir()] == ["rejects"]
        assert old.read_text(encoding="utf-8") == "old"

    def test_after_standard_output_was_closed(self, old: Path, tmp_path: Path) -> None:
        (tmp_path / "calls").write_bytes(CALLS.read_bytes() * 50)
        process = spawned("inbound", tmp_path / "calls", "--rejects", old, stdin=subprocess.DEVNULL)
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()

        assert (process.wait(timeout=30), err) == (141, b"")
        assert old.read_text(encoding="utf-8") == "old"
        assert leftovers(tmp_path) == []
