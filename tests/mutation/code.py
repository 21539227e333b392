"""Mutants of the code: `python -m tests.mutation.code [--fast] [--module NAME]`; needs the group `mutation`.

A copy of the project is given to mutmut, which changes the source one place at a time and runs the tests that reach it.
Exit status 1 where a mutant lives that `survivors.json` does not name, or where that file names one that died.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

Survivor: TypeAlias = tuple[str, str, str]  # function, line before, line after

ROOT: Final = Path(__file__).parents[2]
SURVIVORS: Final = Path(__file__).parent / "survivors.json"
COPIED: Final = ("src", "tests", "docs", "examples", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
FAST: Final = ("filters", "identity", "times")
MODULES: Final = (
    *("audiences", "batches", "checks", "config", "config_file", "conversion", "errors", "explain", "filters"),
    *("identity", "inbound", "json_text", "limits", "models", "naming", "outbound", "pairs", "results", "segment"),
    *("signatures", "statsig", "times", "wire"),
)
"""The library without its tables, which test_tables.py changes row by row, its command line and its testing kit."""
TESTS: Final = ("tests/vectors", "tests/unit", "tests/properties")
LEFT_OUT: Final = ("tests/unit/test_cli.py", "tests/unit/test_conformance.py", "tests/unit/test_streams.py")
AT_IMPORT: Final = frozenset(
    {"checks.expect", "config._instance", "errors._codes", "models.defaults_on_class", "models.read_when_asked"}
)
"""Functions that run while the package is imported, before mutmut switches a mutant on: looked at once more."""
LIVES: Final = frozenset({0, 5, 33})
"""Exit codes of mutmut: the tests passed, or there were none."""


def settings(modules: Iterable[str]) -> str:
    """Write the configuration of mutmut."""
    tables: dict[str, Iterable[str]] = {
        "source_paths": ["src"],
        "only_mutate": [f"src/statsig_segment/{module}.py" for module in modules],
        "also_copy": [name for name in COPIED if name not in {"src", "tests", "pyproject.toml"}],
        "pytest_add_cli_args_test_selection": [*TESTS, *(f"--ignore={name}" for name in LEFT_OUT)],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist"],
    }
    lines = (f"{name} = {json.dumps(list(values))}" for name, values in tables.items())
    return "\n".join(("", "[tool.mutmut]", *lines, ""))


def run(modules: Iterable[str], children: int, folder: Path) -> None:
    """Let mutmut work on a copy of the project."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build", "node_modules")
            )
        else:
            shutil.copy(source, folder / name)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings(modules))
    environment = os.environ | {"HYPOTHESIS_PROFILE": "mutation"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
    with (folder / "log").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)  # noqa: S603 - ours


def exit_codes(folder: Path) -> dict[str, int | None]:
    """Give each mutant with the exit code of its tests."""
    metas = sorted((folder / "mutants" / "src").rglob("*.py.meta"))
    return {name: code for meta in metas for name, code in json.loads(meta.read_text())["exit_code_by_key"].items()}


def unfinished(codes: Mapping[str, int | None]) -> list[str]:
    """Name the mutants without a verdict, as a run that was cut short leaves them: they are not killed."""
    return [name for name, code in codes.items() if code is None]


def survivor(mutant: str, folder: Path) -> Survivor:
    """Name a mutant by what it changes: its number is another one after any change of the source."""
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    changed = [re.sub(r"\s+", " ", line) for line in shown.splitlines() if re.match(r"[-+](?![-+]{2} )", line)]
    before = " ".join(line[1:].strip() for line in changed if line[0] == "-")
    after = " ".join(line[1:].strip() for line in changed if line[0] == "+")
    return (function(mutant), before, after)


def living(codes: Mapping[str, int | None], folder: Path) -> set[Survivor]:
    """Name the mutants that no test noticed."""
    names = (name for name, code in codes.items() if code in LIVES)
    return {survivor(name, folder) for name in names if function(name) not in AT_IMPORT or not dies(name, folder)}


def dies(mutant: str, folder: Path) -> bool:
    """Write a mutant into the source, and run the tests in an interpreter of their own."""
    module = function(mutant).partition(".")[0]
    source = folder / "src" / "statsig_segment" / f"{module}.py"
    original = source.read_text(encoding="utf-8")
    subprocess.run([sys.executable, "-m", "mutmut", "apply", mutant], cwd=folder, capture_output=True, check=True)  # noqa: S603
    tests = [*TESTS, *(f"--ignore={name}" for name in LEFT_OUT), "-x", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"HYPOTHESIS_PROFILE": "mutation", "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "pytest", *tests], cwd=folder, env=environment, capture_output=True, check=False
    )
    source.write_text(original, encoding="utf-8")
    return done.returncode != 0


def function(mutant: str) -> str:
    """Give the dotted name of the function that a mutant is of."""
    module, _, name = mutant.removeprefix("statsig_segment.").rpartition("__mutmut_")[0].rpartition(".")
    return f"{module}.{name.removeprefix('x').removeprefix('_').replace('ǁ', '.').strip('.')}"


def known(path: Path = SURVIVORS) -> Iterator[tuple[Survivor, str]]:
    """Read the survivors that are explained, each with its reason."""
    for entry in json.loads(path.read_text(encoding="utf-8")):
        for mutant in entry["mutants"]:
            yield (mutant["function"], mutant["before"], mutant["after"]), entry["reason"]


def table(codes: Iterable[str], alive: Iterable[Survivor], equal: Iterable[Survivor]) -> Iterator[str]:
    """Write the figures, module by module."""
    mutants = Counter(function(name).partition(".")[0] for name in codes)
    living_in, equal_in = (Counter(name.partition(".")[0] for name, _, _ in found) for found in (alive, equal))
    for counted in (mutants, living_in, equal_in):
        counted["all"] = counted.total()
    for module, count in sorted(mutants.items()):
        killed, same = count - living_in[module], equal_in[module]
        percent = 100 * killed / max(1, count - same)
        told = f"{count:5} mutants, {killed:5} killed, {same:4} equivalent"
        yield f"{module:12} {told}: {percent:5.1f} % of the others killed"


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help=f"only {', '.join(FAST)}")
    parser.add_argument("--module", action="append", choices=MODULES, help="only this one; may be given more than once")
    parser.add_argument("--children", type=int, default=os.cpu_count(), help="processes at once")
    arguments: Any = parser.parse_args()
    modules = arguments.module or (FAST if arguments.fast else MODULES)
    folder = Path(tempfile.mkdtemp(prefix="mutation-"))
    print(f"mutmut works in {folder}", flush=True)
    run(modules, arguments.children, folder)
    codes = exit_codes(folder)
    if open_still := unfinished(codes):
        print(f"{len(open_still)} of {len(codes)} mutants were not tested to the end, so nothing is said of any")
        return 1
    alive = living(codes, folder)
    explained = {mutant: why for mutant, why in known() if mutant[0].partition(".")[0] in modules}
    print(*table(codes, alive, alive & explained.keys()), sep="\n")
    for mutant in sorted(alive - explained.keys()):
        print("lives, and is not explained:", *mutant, sep="\n    ")
    for mutant in sorted(explained.keys() - alive):
        print("is explained, but does not live:", *mutant, sep="\n    ")
    return 1 if alive ^ explained.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
