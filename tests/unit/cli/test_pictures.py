"""The pictures of the terminal in the docs show what the commands show today."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "_ext" / "terminal.py"


@pytest.mark.slow
def test_they_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    status = runpy.run_path(str(SCRIPT))["main"](["--check"])

    assert (status, capsys.readouterr().err) == (0, "")


def test_the_check_finds_one_that_is_not() -> None:
    words = runpy.run_path(str(SCRIPT))["words"]
    svg = (SCRIPT.parents[1] / "terminal_check_config.svg").read_text(encoding="utf-8")

    assert "honor_integrations" in words(svg)
    assert words(svg) != words(svg.replace("yes", "no"))
