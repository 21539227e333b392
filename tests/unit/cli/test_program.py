"""How the program ends, whatever goes wrong: 1 means rejected and nothing else."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.cli.program import GOOD, Run, ndjson

from statsig_segment.cli import main, program
from statsig_segment.cli import run as run_module
from statsig_segment.cli.blocks import Block
from statsig_segment.cli.run import TerminatedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def failing(error: BaseException) -> Callable[..., Iterator[Any]]:
    def fail(*_: object, **__: object) -> Iterator[Any]:
        raise error

    return fail


class TestTheExitStatus:
    @pytest.mark.parametrize(
        ("error", "line"),
        [
            (MemoryError(), "not enough memory"),
            (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "Resource temporarily unavailable"),
            (PermissionError(errno.EACCES, "Permission denied", "x"), "x: Permission denied"),
        ],
    )
    def test_it_is_2_for_what_goes_wrong(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, line: str
    ) -> None:
        monkeypatch.setattr(run_module, "Payloads", failing(error))
        ended = run("explain", stdin=ndjson({"type": "video"}))

        assert (ended.status, ended.out, ended.err) == (2, b"", f"statsig-segment: {line}\n")

    @pytest.mark.parametrize("error", [ValueError("secret"), RecursionError("secret"), KeyError("secret")])
    def test_it_is_2_for_a_mistake_of_ours_which_is_named_without_values(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        monkeypatch.setattr(run_module, "Payloads", failing(error))
        ended = run("explain", stdin=ndjson({"type": "video"}))

        assert ended.status == 2
        assert ended.err.startswith(f"statsig-segment: unexpected {type(error).__name__} in test_program.py, line ")
        assert ended.err.endswith("; please report it\n")
        assert ended.err.count("\n") == 1
        assert "secret" not in ended.err

    def test_a_mistake_from_another_process_has_no_place(self) -> None:
        assert program.what_went_wrong(KeyError("x")) == "statsig-segment: unexpected KeyError; please report it"

    def test_it_is_1_for_rejects_alone(self, run: Run) -> None:
        assert run("inbound", stdin=b"oops").status == 1
        assert run("inbound", stdin=ndjson(GOOD)).status == 0


class TestSignals:
    def test_an_interrupt_while_the_program_is_imported_is_one_like_any_other(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        class Interrupted:
            @staticmethod
            def find_spec(name: str, *_: object) -> None:
                if name == "statsig_segment.cli.program":
                    raise KeyboardInterrupt

        monkeypatch.delitem(sys.modules, "statsig_segment.cli.program")
        monkeypatch.setattr(sys, "meta_path", [Interrupted, *sys.meta_path])

        assert main(["--version"]) == 130
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT"])
    def test_what_is_done_is_said_and_the_signal_ends_the_process(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        number = getattr(signal, name)
        sent: list[tuple[int, int]] = []
        before = signal.signal(number, signal.SIG_DFL)  # a shell's background job ignores some

        def send(pid: int, number: int) -> None:
            sent.append((pid, number))

        def signaled(*_: object, **__: object) -> Iterator[Any]:
            signal.raise_signal(number)
            yield Block(data=b"")

        monkeypatch.setattr(os, "kill", send)
        monkeypatch.setattr(run_module, "read_blocks", signaled)
        ended = run("inbound")
        afterward = signal.signal(number, before)

        assert ended.status == 128 + number
        assert ended.err.endswith("\ninterrupted\n")
        assert sent == [(os.getpid(), number)]
        assert afterward is signal.SIG_DFL

    def test_one_that_is_ignored_stays_so(self, run: Run) -> None:
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            assert run("inbound", stdin=ndjson(GOOD)).status == 0
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        finally:
            signal.signal(signal.SIGHUP, before)

    def test_it_holds_its_number(self) -> None:
        assert TerminatedError(15).args == (15,)


class TestStandardStreams:
    def test_one_that_fails_at_the_end_is_sent_nowhere(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Full(io.StringIO):
            def flush(self) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(sys, "stderr", Full())

        assert main(["inbound", "--fly"]) == 2

    def test_without_standard_output_there_is_no_help(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "stdout", None)

        assert main(["--version"]) == 0
        assert main(["check-config", os.devnull]) == 2
        assert capsys.readouterr().err == "statsig-segment: standard output is closed\n"
