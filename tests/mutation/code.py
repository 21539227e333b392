"""Mutants of the code: `python -m tests.mutation.code [--fast | --module NAME] [--ending DIGITS]`.

A copy of the project is given to mutmut, of the group `mutation`, which changes the source one place at a time and runs
the tests that reach it: for the fast lanes their law alone, for all else first the vectors and unit tests, which are
quick, then the property tests for the mutants that are left. Exit status 1 where a mutant lives that `survivors.json`
does not name, or where that file names one that died.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

Survivor: TypeAlias = tuple[str, str, str]  # function, line before, line after

ROOT: Final = Path(__file__).parents[2]
PACKAGE: Final = ROOT / "src" / "statsig_segment"
SURVIVORS: Final = Path(__file__).parent / "survivors.json"
COPIED: Final = ("src", "tests", "docs", "examples", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
FAST: Final = ("configuration.filters", "inbound.identity", "_json.times")
_NOT_CHANGED: Final = frozenset({"rulebook.rules", "testing", "_version"})
"""Tables of texts, which no test holds to their words, and the testing kit."""
_SHELL: Final = ("cli.", "conformance.")
"""The packages that do input and output."""
_LANE: Final = ".fast_lane"


class Part(NamedTuple):
    """Modules, and the rounds of tests that their mutants go through."""

    modules: tuple[str, ...]
    rounds: tuple[tuple[str, ...], ...]


def parts() -> tuple[Part, ...]:
    """Sort the modules by the tests that look at them; those of huge input would take hours."""
    modules = [".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in sorted(PACKAGE.rglob("*.py"))]
    changed = [name for name in modules if not name.endswith(("__init__", "__main__")) and name not in _NOT_CHANGED]
    lanes = tuple(name for name in changed if name.endswith(_LANE))
    shell = tuple(name for name in changed if name.startswith(_SHELL))
    core = tuple(name for name in changed if name not in {*lanes, *shell})
    unit = ("tests/vectors", "tests/unit", *(f"--ignore={name}" for name in shell_tests()))
    properties = ("tests/properties", "--deselect=tests/properties/test_trust.py::TestTR4HostileInput")
    law = ("tests/properties/test_fast_lane.py", "tests/unit/test_fast_lane_outbound.py")
    return Part(core, (unit, properties)), Part(lanes, (law,)), Part(shell, (shell_tests(),))


def shell_tests() -> tuple[str, ...]:
    """Find the unit tests of what does input and output: they import it, or stand in a folder of its name."""
    files = sorted((ROOT / "tests" / "unit").rglob("test_*.py"))
    return tuple(str(path.relative_to(ROOT)) for path in files if _is_of_the_shell(path))


def _is_of_the_shell(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(path.parent.name == name[:-1] or re.search(rf"statsig_segment\.{name[:-1]}\b", text) for name in _SHELL)


def at_import() -> frozenset[tuple[str, str]]:
    """Name the functions that run while the package is imported, before mutmut switches a mutant on."""
    modules = [f"statsig_segment.{module}" for part in parts() for module in part.modules]
    command = [sys.executable, "-c", _RECORDER, *modules]
    shown = subprocess.run(command, cwd=ROOT / "src", capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    return frozenset((module, function) for module, function in json.loads(shown))


_RECORDER: Final = """
import importlib, json, sys
found = set()
def record(frame, event, _):
    module = frame.f_globals.get("__name__") or ""
    if event == "call" and module.startswith("statsig_segment."):
        found.add((module.removeprefix("statsig_segment."), frame.f_code.co_qualname))
sys.setprofile(record)
for name in sys.argv[1:]:
    importlib.import_module(name)
sys.setprofile(None)
print(json.dumps(sorted(found)))
"""
MEMORY: Final = 6 << 30
"""Bytes: a mutant that never ends may also never stop growing."""
LIVES: Final = frozenset({0, 5, 33})
"""Exit codes of mutmut: the tests passed, or there were none."""


def settings(modules: Iterable[str], tests: Iterable[str]) -> str:
    """Write the configuration of mutmut."""
    tables: dict[str, Iterable[str]] = {
        "source_paths": ["src"],
        "only_mutate": [f"src/statsig_segment/{module.replace('.', '/')}.py" for module in modules],
        "also_copy": [name for name in COPIED if name not in {"src", "tests", "pyproject.toml"}],
        "pytest_add_cli_args_test_selection": list(tests),
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist"],
    }
    lines = (f"{name} = {json.dumps(list(values))}" for name, values in tables.items())
    return "\n".join(("", "[tool.mutmut]", "timeout_multiplier = 5.0", *lines, ""))


def run(modules: Iterable[str], tests: Iterable[str], folder: Path, children: int, mutants: Iterable[str] = ()) -> None:
    """Let mutmut work on a copy of the project."""
    folder.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(
                source, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build", "node_modules")
            )
        else:
            shutil.copy(source, folder / name)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings(modules, tests))
    environment = os.environ | {"HYPOTHESIS_PROFILE": "quick"}
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children), *mutants]
    with (folder / "log").open("w", encoding="utf-8") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)  # noqa: S603 - ours


def exit_codes(folder: Path) -> dict[str, int | None]:
    """Give each mutant with the exit code of its tests, which is none for the mutants that were not asked for."""
    metas = sorted((folder / "mutants" / "src").rglob("*.py.meta"))
    return {name: code for meta in metas for name, code in json.loads(meta.read_text())["exit_code_by_key"].items()}


def unnoticed(
    modules: Iterable[str], rounds: Iterable[Iterable[str]], folder: Path, options: Any
) -> tuple[list[str], list[str]]:
    """Name all mutants that were asked for, and those that no test of any round noticed."""
    mutants: list[str] = []
    alive: list[str] = []
    for number, tests in enumerate(rounds):
        names = alive or [f"*__mutmut_*{digit}" for digit in options.ending]
        run(modules, tests, folder / str(number), options.children, names)
        codes = exit_codes(folder / str(number))
        mutants = mutants or [name for name in codes if name.endswith(tuple(options.ending))]
        asked = alive or mutants
        # A run that was cut short leaves mutants without a verdict: they are not killed.
        alive = [name for name in asked if codes[name] in LIVES or codes[name] is None]
        print(f"{len(alive):5} of {len(asked)} live after round {number} of {', '.join(modules)}", flush=True)
        if not alive:
            break
    return mutants, alive


def survivor(mutant: str, folder: Path) -> Survivor:
    """Name a mutant by what it changes: its number is another one after any change of the source."""
    command = [sys.executable, "-m", "mutmut", "show", mutant]
    shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    changed = [re.sub(r"\s+", " ", line) for line in shown.splitlines() if re.match(r"[-+](?![-+]{2} )", line)]
    before = " ".join(line[1:].strip() for line in changed if line[0] == "-")
    after = " ".join(line[1:].strip() for line in changed if line[0] == "+")
    return (".".join(function(mutant)), before, after)


def dies(mutant: str, tests: Iterable[str], folder: Path) -> bool:
    """Write a mutant into the source, and run the tests in an interpreter of their own."""
    module, _ = function(mutant)
    source = folder / "src" / "statsig_segment" / f"{module.replace('.', '/')}.py"
    original = source.read_text(encoding="utf-8")
    subprocess.run([sys.executable, "-m", "mutmut", "apply", mutant], cwd=folder, capture_output=True, check=True)  # noqa: S603
    environment = os.environ | {"HYPOTHESIS_PROFILE": "quick", "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )
    source.write_text(original, encoding="utf-8")
    return done.returncode != 0


def function(mutant: str) -> tuple[str, str]:
    """Give the module and the dotted name of the function that a mutant is of."""
    module, _, name = mutant.removeprefix("statsig_segment.").rpartition("__mutmut_")[0].rpartition(".")
    return module, name.removeprefix("x").removeprefix("_").replace("ǁ", ".").strip(".")


def known(path: Path = SURVIVORS) -> Iterator[tuple[Survivor, bool]]:
    """Read the survivors that have a reason, and whether that is that no test could notice them."""
    for entry in json.loads(path.read_text(encoding="utf-8")):
        for mutant in entry["mutants"]:
            yield (mutant["function"], mutant["before"], mutant["after"]), entry["equivalent"]


def table(mutants: Iterable[str], alive: Mapping[str, Survivor], equal: Collection[Survivor]) -> Iterator[str]:
    """Write the figures, module by module."""
    every, living_in, equal_in = (
        Counter(function(name)[0] for name in names)
        for names in (mutants, alive, [name for name, change in alive.items() if change in equal])
    )
    for counted in (every, living_in, equal_in):
        counted["all"] = counted.total()
    for module, count in sorted(every.items()):
        killed, same = count - living_in[module], equal_in[module]
        percent = 100 * killed / max(1, count - same)
        told = f"{count:5} mutants, {killed:5} killed, {same:4} equivalent"
        yield f"{module:24} {told}: {percent:5.1f} % of the others killed"


def tried(chosen: Collection[str], folder: Path, options: Any) -> tuple[list[str], dict[str, Survivor]]:
    """Name all mutants of these modules, and what those change that live."""
    mutants: list[str] = []
    alive: dict[str, Survivor] = {}
    early = at_import()
    for number, part in enumerate(parts()):
        modules = [module for module in part.modules if module in chosen]
        if not modules:
            continue
        place = folder / str(number)
        place.mkdir()
        names, left = unnoticed(modules, part.rounds, place, options)
        mutants += names
        for name in left:
            if function(name) not in early or not dies(name, chain(*part.rounds), place / "0"):
                alive[name] = survivor(name, place / "0")
    return mutants, alive


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help=f"only {', '.join(FAST)}")
    every = tuple(chain.from_iterable(part.modules for part in parts()))
    parser.add_argument("--module", action="append", choices=every, help="only this one; may be repeated")
    parser.add_argument("--children", type=int, default=os.cpu_count(), help="processes at once")
    parser.add_argument("--ending", default="0123456789", help="only those with such a last digit: a tenth for each")
    arguments: Any = parser.parse_args()
    chosen = arguments.module or (FAST if arguments.fast else every)
    folder = Path(tempfile.mkdtemp(prefix="mutation-"))
    print(f"mutmut works in {folder}", flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    mutants, alive = tried(chosen, folder, arguments)
    explained = {mutant: equal for mutant, equal in known() if mutant[0].startswith(tuple(f"{m}." for m in chosen))}
    print(*table(mutants, alive, {mutant for mutant, equal in explained.items() if equal}), sep="\n")
    found = set(alive.values())
    for mutant in sorted(found - explained.keys()):
        print("lives, and is not explained:", *mutant, sep="\n    ")
    for mutant in sorted(explained.keys() - found):
        print("is explained, but does not live:", *mutant, sep="\n    ")
    return 1 if found ^ explained.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
