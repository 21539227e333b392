"""What is installed is what this checkout says: version, dependencies, command, and the files of wheel and sdist."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import entry_points, requires, version
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

import statsig_segment

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "statsig_segment"
VECTORS = ROOT / "tests" / "vectors"
README = (ROOT / "README.md").read_text(encoding="utf-8")
README_LINKS = [target for target in re.findall(r"\]\(([^)#\s]+)", README) if "://" not in target]


def project() -> dict[str, Any]:
    """Read the project table of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def build(target: str, into: Path) -> Path:
    """Build one archive with the build backend as it is installed; nothing is fetched."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)  # noqa: S603 - our own interpreter
    (archive,) = into.iterdir()
    return archive


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """List the files of a freshly built wheel."""
    with zipfile.ZipFile(build("wheel", tmp_path_factory.mktemp("wheel"))) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """List the files of a freshly built sdist, without the folder around them."""
    with tarfile.open(build("sdist", tmp_path_factory.mktemp("sdist"))) as archive:
        return {member.name.partition("/")[2] for member in archive if member.isfile()}


def names(requirements: list[str]) -> list[str]:
    """Give the names alone of requirements."""
    return [re.split(r"[^\w-]", requirement)[0] for requirement in requirements]


class TestTheMetadata:
    def test_the_version_is_the_installed_one(self) -> None:
        assert version("statsig-segment") == statsig_segment.__version__

    def test_the_changelog_tells_of_the_version(self) -> None:
        assert f"## [{statsig_segment.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    def test_three_packages_are_all_that_comes_along(self) -> None:
        installed = [line for line in requires("statsig-segment") or [] if "extra ==" not in line]

        assert sorted(names(installed)) == ["attrs", "cattrs", "typing-extensions"]

    def test_every_dependency_says_from_which_version_on(self) -> None:
        extras = project()["optional-dependencies"]
        every = [*project()["dependencies"], *(line for lines in extras.values() for line in lines)]

        form = r"[\w.-]+>=[\d.]+(; python_version < '[\d.]+')?"

        assert [line for line in every if not re.fullmatch(form, line)] == []

    def test_an_extra_asks_for_the_same_versions_as_the_other(self) -> None:
        extras = project()["optional-dependencies"]

        assert {*extras["cli"], *extras["testing"]} <= set(extras["test"])

    def test_the_command_is_the_command_line(self) -> None:
        (command,) = entry_points(group="console_scripts", name="statsig-segment")

        assert command.value == "statsig_segment.cli:main"


class TestTheWheel:
    def test_it_holds_every_module_the_tables_and_the_vectors_and_nothing_else(self, wheel: set[str]) -> None:
        modules = [*PACKAGE.rglob("*.py"), PACKAGE / "rulebook/codes.json", PACKAGE / "rulebook/rules.toml"]
        ours = {f"statsig_segment/{path.relative_to(PACKAGE).as_posix()}" for path in modules}
        vectors = {
            f"statsig_segment/vectors/{path.name}" for path in VECTORS.iterdir() if path.suffix in {".json", ".md"}
        }

        assert {name for name in wheel if ".dist-info/" not in name} == {*ours, *vectors, "statsig_segment/py.typed"}

    def test_it_says_that_it_is_typed(self, wheel: set[str]) -> None:
        assert "statsig_segment/py.typed" in wheel

    def test_it_carries_the_licence(self, wheel: set[str]) -> None:
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel)


class TestTheSdist:
    def test_its_top_level_is_listed(self, sdist: set[str]) -> None:
        assert {name.partition("/")[0] for name in sdist} == {
            "src", "tests", "docs", "examples", ".github", "CHANGELOG.md", "LICENSE", "README.md",
            "pyproject.toml", ".gitignore", "PKG-INFO",
        }  # fmt: skip

    def test_the_suite_can_be_run_from_it(self, sdist: set[str]) -> None:
        folders = ("src", "tests", "docs", "examples")
        files = (path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())
        kept = (
            path.relative_to(ROOT) for path in files if path.suffix not in {".pyc", ".pyo", ".so", ".pyd"}
        )  # as .gitignore has it
        ours = {str(path) for path in kept if path.parts[:2] != ("docs", "_build")}  # the built site stays behind

        assert ours - sdist == set()

    def test_it_holds_everything_that_the_readme_links_to(self, sdist: set[str]) -> None:
        folders = {str(folder) for name in sdist for folder in PurePosixPath(name).parents}

        assert [target for target in README_LINKS if target not in sdist | folders] == []

    def test_no_cache_came_along(self, sdist: set[str]) -> None:
        assert [name for name in sdist if "__pycache__" in name or name.endswith(".pyc")] == []


class TestTheReadme:
    def test_its_first_screen_has_two_commands_of_one_line(self) -> None:
        first_screen = "\n".join(README.splitlines()[:40])
        blocks = re.findall(r"^```shell\n(.*?)^```$", first_screen, flags=re.DOTALL | re.MULTILINE)

        assert len(blocks) == 2
        assert all(block.count("\n") == 1 and "venv" in block for block in blocks)
        assert "examples/" in blocks[0]
        assert "pytest" in blocks[1]

    def test_it_is_short(self) -> None:
        assert len(README.splitlines()) < 150

    def test_every_link_leads_somewhere(self) -> None:
        assert README_LINKS
        assert [target for target in README_LINKS if not (ROOT / target).exists()] == []
