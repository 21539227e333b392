"""The modules that `python -m` runs: each runs its command, and only when it is run."""

from __future__ import annotations

import runpy
import sys

import pytest


@pytest.mark.parametrize(
    ("name", "usage"),
    [
        ("statsig_segment", "usage: statsig-segment "),
        ("statsig_segment.conformance", "usage: python -m statsig_segment.conformance "),
    ],
)
class TestModules:
    def test_one_that_is_run_runs_its_command(
        self, name: str, usage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["program", "--help"])
        monkeypatch.delitem(sys.modules, f"{name}.__main__", raising=False)  # runpy warns of a module that is imported

        with pytest.raises(SystemExit) as ended:
            runpy.run_module(name, run_name="__main__")

        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(usage)

    def test_one_that_is_imported_runs_nothing(
        self, name: str, usage: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(sys, "argv", ["program", "--help"])
        monkeypatch.delitem(sys.modules, f"{name}.__main__", raising=False)

        runpy.run_module(name, run_name="imported")

        assert usage not in capsys.readouterr().out
