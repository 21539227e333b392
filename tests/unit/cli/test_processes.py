"""Many processes: the same outcome as one, in order, and none that outlives this one or dies unnoticed."""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.processes import is_running
from tests.support.sizes import slow
from tests.unit.cli.program import GOOD, Run, ndjson, spawned

from statsig_segment.cli import processes
from statsig_segment.cli.processes import WorkerError, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux lists processes in /proc")


class EndsOnArrival:
    """Work that ends the process that reads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (0,)


def run_out_of_memory(_block: object) -> None:
    raise MemoryError


class TestResults:
    @pytest.mark.parametrize("jobs", [1, 2, slow(3)])
    def test_they_come_in_order(self, jobs: int) -> None:
        blocks = [b"x" * at for at in range(40)]

        assert list(in_order(len, blocks, jobs)) == list(range(40))

    def test_no_more_is_read_ahead_than_is_worked_on(self) -> None:
        taken = 0

        def blocks() -> Iterator[bytes]:
            nonlocal taken
            for _ in range(100):
                taken += 1
                yield b"x"

        results = in_order(len, blocks(), 2)
        assert next(results) == 1
        results.close()
        assert taken == 3

    def test_one_may_be_larger_than_a_pipe(self) -> None:
        blocks = [b"x" * 3_000_000] * 3

        assert list(in_order(bytes.upper, blocks, 2)) == [b"X" * 3_000_000] * 3

    @pytest.mark.parametrize("depth", [990, *map(slow, (90, 300, 900, 980, 1_000, 5_000, 100_000))])
    def test_they_are_those_of_one_process_for_what_is_nested_deep(self, run: Run, tmp_path: Path, depth: int) -> None:
        deep = f'{{"type": "track", "event": "deep", "userId": "u", "properties": {"[" * depth + "]" * depth}}}'
        good = json.dumps(GOOD)
        for name, text in (("document", f"[\n{good},\n{deep},\n{good}\n]"), ("lines", f"{good}\n{deep}\n{good}\n")):
            (tmp_path / name).write_text(text, encoding="utf-8")
        files = [tmp_path / "document", tmp_path / "lines"]
        one, two = (run("inbound", *files, "--jobs", jobs) for jobs in ("1", "2"))

        assert one == two
        assert len(one.lines) >= 4
        assert one.counts.startswith("read 6 = ")


class TestTheOtherEnd:
    """What runs in the other process, here in this one."""

    @pytest.mark.parametrize("cut_off", [b"", pickle.dumps("a block")[:-1], pickle.dumps("a block")[:1]])
    def test_it_does_its_work_until_nobody_is_there(self, cut_off: bytes) -> None:
        answers = io.BytesIO()
        before = signal.getsignal(signal.SIGINT)
        processes.serve(io.BytesIO(b"".join(map(pickle.dumps, (int, b"1", b"x"))) + cut_off), answers)
        signal.signal(signal.SIGINT, before)
        answers.seek(0)

        assert pickle.load(answers) == (1, None)  # noqa: S301 - our own
        assert isinstance(pickle.load(answers)[1], ValueError)  # noqa: S301 - likewise
        assert not answers.read()


class TestErrors:
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_an_error_of_the_work_comes_through(self, jobs: int) -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            list(in_order(int, [b"1", b"x"], jobs))

    def test_so_does_a_lack_of_memory(self) -> None:
        with pytest.raises(MemoryError):
            list(in_order(run_out_of_memory, [0], 2))

    @pytest.mark.parametrize(
        ("work", "block"),
        [(signal.raise_signal, signal.SIGKILL), (os._exit, 0), (EndsOnArrival(), b"more than a pipe holds" * 100_000)],
        ids=["killed", "ended", "ended before its block came"],
    )
    def test_a_process_that_is_lost_is_noticed(self, work: Any, block: Any) -> None:
        with pytest.raises(WorkerError, match="a process ended before its work was done"):
            list(in_order(work, [block], 2))

    def test_interrupts_are_this_process_own_afterwards(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        assert list(in_order(len, [b"x"], 2)) == [1]
        assert signal.getsignal(signal.SIGINT) is before
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def children(pid: int) -> set[int]:
    """The processes that a process has started."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(stat.parent.name))
    return found


def cmdline(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class AtWork:
    """A run with two jobs that has begun and waits for more, its processes, and what it writes."""

    def __init__(self) -> None:
        self.process = spawned("inbound", "--jobs", "2", own_session=True)
        assert self.process.stdin
        assert self.process.stdout
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()
        for _ in range(20):
            self.send(1_000_000)
            time.sleep(0.05)
            self.workers = {pid for pid in children(self.process.pid) if b"serve(" in cmdline(pid)}
            if len(self.workers) == 2:
                break

    def send(self, size: int) -> None:
        assert self.process.stdin
        line = ndjson(GOOD)
        self.process.stdin.write(line * (size // len(line)))
        self.process.stdin.flush()

    def ended(self) -> bytes:
        """What it said, once it has ended and nobody holds its pipes any more."""
        assert self.process.stderr
        err = self.process.stderr.read()
        self.process.wait(timeout=20)
        self.reader.join(timeout=20)
        assert not self.reader.is_alive()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdout.close()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stderr.close()
        return err


@pytest.fixture
def _hangup_ends_processes() -> Iterator[None]:
    """Let SIGHUP do what it does by default, also where the suite runs under `nohup`: processes inherit that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@on_linux
@pytest.mark.usefixtures("_hangup_ends_processes")
class TestTheOtherProcesses:
    @pytest.mark.parametrize("name", ["SIGKILL", *map(slow, ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGSEGV"))])
    def test_they_end_with_this_one_and_hold_nothing_of_it(self, name: str) -> None:
        run = AtWork()
        assert len(run.workers) == 2
        run.process.send_signal(getattr(signal, name))
        err = run.ended()
        deadline = time.monotonic() + 10
        while any(map(is_running, run.workers)) and time.monotonic() < deadline:
            time.sleep(0.05)

        assert run.process.returncode == -getattr(signal, name)
        assert not any(map(is_running, run.workers))
        assert b"Traceback" not in err

    def test_one_that_is_lost_ends_the_run_with_a_line(self) -> None:
        run = AtWork()
        os.kill(min(run.workers), signal.SIGKILL)
        with suppress(BrokenPipeError):
            for _ in range(20):
                run.send(1_000_000)
        err = run.ended()

        assert run.process.returncode == 2
        assert err == b"statsig-segment: a process ended before its work was done\n"
        assert err.count(b"\n") == 1
        assert not any(map(is_running, run.workers))

    def test_they_import_what_this_one_does_and_nothing_from_the_folder_at_hand(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("pickle.py").write_text("raise SystemExit('of the folder at hand')", encoding="utf-8")

        assert list(in_order(len, [b"x"], 2)) == [1]
        assert "" not in sys.path
