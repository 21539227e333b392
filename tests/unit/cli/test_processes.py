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
from tests.unit.cli.program import GOOD, Run, ndjson, spawned

from statsig_segment.cli import processes
from statsig_segment.cli.processes import WorkerError, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from statsig_segment.cli.blocks import Block

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux lists processes in /proc")


def fail_without_words(_block: object) -> None:
    """Work that ends with an error that cannot leave its process."""
    raise UnpicklableError(lambda: None)


class UnpicklableError(Exception):
    pass


def run_out_of_memory(_block: object) -> None:
    raise MemoryError


DEPTHS = (300, 900, 980, 1_000, 5_000, 100_000)


class TestResults:
    @pytest.mark.parametrize("jobs", [1, 2, 3])
    def test_they_come_in_order(self, jobs: int) -> None:
        blocks: list[Block] = [b"x" * at for at in range(40)]

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
        assert taken == 5

    def test_one_may_be_larger_than_a_pipe(self) -> None:
        blocks = [b"x" * 3_000_000] * 3

        assert list(in_order(bytes.upper, blocks, 2)) == [b"X" * 3_000_000] * 3

    @pytest.mark.parametrize("depth", [90, 990, *(pytest.param(n, marks=pytest.mark.slow) for n in DEPTHS)])
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

    def test_one_that_takes_longer_than_a_look_at_its_process_is_awaited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "_PATIENCE", 0.01)

        assert list(in_order(time.sleep, [0.2], 2)) == [None]


class TestWhereAProcessCannotBeWaitedFor:
    """As on Windows, whose pipes cannot."""

    def test_it_does_its_work_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "_POSIX", False)

        assert list(in_order(bytes.upper, [b"x" * 300_000] * 3, 2)) == [b"X" * 300_000] * 3


class TestTheOtherEnd:
    """What runs in the other process, here in this one."""

    def served(self, *messages: Any) -> list[Any]:
        source, sink = io.BytesIO(), io.BytesIO()
        for message in messages:
            text = pickle.dumps(message)
            source.write(len(text).to_bytes(8, "big") + text)
        source.seek(0)
        processes.serve(source, sink)
        sink.seek(0)
        found: list[Any] = []
        while size := sink.read(8):
            found.append(pickle.loads(sink.read(int.from_bytes(size, "big"))))  # noqa: S301 - our own
        return found

    def test_it_answers_each_block_with_what_came_of_it(self) -> None:
        found = self.served(int, b"1", b"x", b"2")

        assert [found[0], found[2]] == [(True, 1), (True, 2)]
        assert isinstance(found[1][1], ValueError)

    def test_an_error_that_cannot_be_sent_is_named(self) -> None:
        [(done, error)] = self.served(fail_without_words, 0)

        assert not done
        assert str(error) == "its work ended with UnpicklableError"

    def test_it_ends_when_nobody_listens(self) -> None:
        class Closed(io.BytesIO):
            def flush(self) -> None:
                raise BrokenPipeError

        source = io.BytesIO()
        for message in (int, b"1", b"2"):
            text = pickle.dumps(message)
            source.write(len(text).to_bytes(8, "big") + text)
        source.seek(0)

        processes.serve(source, Closed())
        assert source.read()


class TestErrors:
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_an_error_of_the_work_comes_through(self, jobs: int) -> None:
        with pytest.raises(ValueError, match="invalid literal"):
            list(in_order(int, [b"1", b"x"], jobs))

    def test_so_does_one_that_cannot_leave_its_process(self) -> None:
        with pytest.raises(WorkerError, match="UnpicklableError"):
            list(in_order(fail_without_words, [0], 2))

    def test_so_does_a_lack_of_memory(self) -> None:
        with pytest.raises(MemoryError):
            list(in_order(run_out_of_memory, [0], 2))

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
    def test_a_process_that_is_killed_is_noticed(self, number: int) -> None:
        with pytest.raises(WorkerError, match=f"was killed by signal {int(number)} before its work was done"):
            list(in_order(signal.raise_signal, [number], 2))

    def test_a_process_that_ends_is_noticed(self) -> None:
        with pytest.raises(WorkerError, match="ended before its work was done"):
            list(in_order(os._exit, [0], 2))

    @pytest.mark.parametrize("blocks", [[signal.SIGSTOP], [signal.SIGSTOP, b"x" * 3_000_000]])
    def test_a_process_that_is_stopped_is_noticed(self, blocks: list[Any]) -> None:
        with pytest.raises(WorkerError, match="was stopped before its work was done"):
            list(in_order(signal.raise_signal, blocks, 2))

    def test_a_process_that_was_stopped_while_idle_is_noticed_too(self) -> None:
        def blocks() -> Iterator[Any]:
            yield signal.SIGSTOP
            yield b"x" * 3_000_000

        with pytest.raises(WorkerError, match="was stopped"):
            list(in_order(signal.raise_signal, blocks(), 2))

    def test_a_process_that_died_while_it_had_nothing_to_do_is_noticed(self) -> None:
        worker = processes.Worker(pickle.dumps(len))
        try:
            worker.kill()
            with pytest.raises(WorkerError, match="was killed by signal 9"):
                worker.do(pickle.dumps(b"x" * 1_000_000))
        finally:
            worker.close()

    def test_a_process_that_is_not_ours_is_not_looked_at(self) -> None:
        assert not processes.is_stopped(os.getpid())

    def test_interrupts_are_this_process_own_afterwards(self) -> None:
        before = signal.getsignal(signal.SIGINT)
        assert list(in_order(len, [b"x"], 2)) == [1]
        assert signal.getsignal(signal.SIGINT) is before


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
            self.workers = children(self.process.pid)
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
    @pytest.mark.parametrize(
        "name", ["SIGKILL", *(pytest.param(f"SIG{n}", marks=pytest.mark.slow) for n in ("TERM", "HUP", "QUIT", "SEGV"))]
    )
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

    @pytest.mark.parametrize(("name", "word"), [("SIGKILL", b"killed by signal 9"), ("SIGSTOP", b"was stopped")])
    def test_one_that_is_lost_ends_the_run_with_a_line(self, name: str, word: bytes) -> None:
        run = AtWork()
        os.kill(min(run.workers), getattr(signal, name))
        with suppress(BrokenPipeError):
            for _ in range(20):
                run.send(1_000_000)
        err = run.ended()

        assert run.process.returncode == 2
        assert word in err
        assert err.count(b"\n") == 1
        assert not any(map(is_running, run.workers))

    def test_they_import_what_this_one_does_and_nothing_from_the_folder_at_hand(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("pickle.py").write_text("raise SystemExit('of the folder at hand')", encoding="utf-8")

        assert list(in_order(len, [b"x"], 2)) == [1]
        assert "" not in sys.path
