"""What a replay costs: `python -m examples.spark_replay.measure` rewrites report.json and the figures in the docs.

Each measurement is a process of its own, from its start to its end; all are made in turn, and that again, and medians
told. The archive is that of the benchmarks, by its seed. `--draw` writes the page from the report, without measuring.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Final

import attrs
import cattrs
from tests.benchmarks.corpus import segment_calls

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "how_to_replay.md"
REPORT: Final = Path(__file__).parent / "report.json"
CONFIG: Final = ROOT / "examples" / "integration.toml"
BEGIN: Final = "<!-- {}: begin -->"
END: Final = "<!-- {}: end -->"

SPARK: Final = "spark"
COMMAND_LINE: Final = "command line"
_DISTINCT: Final = 20_000
_USUAL_FILES: Final = 16
_BILLION: Final = 1_000_000_000
_DAY_S: Final = 86_400
_HOUR_S: Final = 3_600


@attrs.frozen
class Case:
    """One thing to measure."""

    way: str
    files: int
    calls: int
    cores: int


@attrs.frozen
class Measured:
    """What one thing took."""

    case: Case
    median_s: float


@attrs.frozen(kw_only=True)
class Report:
    """All that was measured."""

    environment: dict[str, str]
    runs: int
    measured: list[Measured]

    def median_s(self, case: Case) -> float:
        """Look up a case."""
        return next(one.median_s for one in self.measured if one.case == case)

    def to_json(self) -> str:
        """Write the report, with a line for each case."""
        environment = json.dumps(self.environment)
        rows = ",\n".join(f"  {json.dumps(cattrs.unstructure(one))}" for one in self.measured)
        return f'{{\n "environment": {environment},\n "runs": {self.runs},\n "measured": [\n{rows}\n ]\n}}\n'


def cases(calls: int, large: int) -> list[Case]:
    """List what is measured, for an archive and a large one."""
    spark = [Case(SPARK, files, calls, cores) for files in (1, 4, 16, 64) for cores in (1, 2)]
    start = [Case(SPARK, files, files, 2) for files in (1, 64)]
    large_ones = [Case(way, _USUAL_FILES, large, cores) for way in (SPARK, COMMAND_LINE) for cores in (1, 2)]
    return [*spark, *start, *(Case(COMMAND_LINE, _USUAL_FILES, calls, cores) for cores in (1, 2)), *large_ones]


def make_archive(folder: Path, calls: int, files: int) -> None:
    """Write calls of the corpus to so many compressed files, in turn."""
    lines = segment_calls(min(calls, _DISTINCT))
    folder.mkdir()
    for file in range(files):
        mine = b"".join(lines[at % len(lines)] + b"\n" for at in range(file, calls, files))
        (folder / f"part-{file:03}.ndjson.gz").write_bytes(gzip.compress(mine, compresslevel=6))


def command_of(case: Case, folder: Path, out: Path) -> list[str]:
    """Give the command that is timed."""
    if case.way == SPARK:
        arguments = ["-m", "examples.spark_replay", str(folder), str(out), "--master", f"local[{case.cores}]"]
    else:
        files = map(str, sorted(folder.iterdir()))
        audiences = ["--audiences", str(out.with_suffix(".audiences")), "--rejects", str(out.with_suffix(".rejects"))]
        arguments = ["-m", "statsig_segment", "inbound", "--jobs", str(case.cores), *audiences, *files]
    return [sys.executable, *arguments, "--config", str(CONFIG)]


def seconds(command: list[str], stdout: Path) -> float:
    """Time a command that may find calls to reject."""
    start = time.perf_counter()
    with stdout.open("wb") as written:
        done = subprocess.run(command, stdout=written, stderr=subprocess.PIPE, cwd=ROOT, check=False)  # noqa: S603 - ours
    if done.returncode > 1:
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - start


def measure(calls: int, large: int, runs: int) -> Report:
    """Measure everything, in turn."""
    every = cases(calls, large)
    took: dict[Case, list[float]] = {case: [] for case in every}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        archives = {(case.calls, case.files): base / f"{case.calls}-{case.files}" for case in every}
        for (archived, files), folder in archives.items():
            make_archive(folder, archived, files)
        for _ in range(runs):
            for case in every:
                command = command_of(case, archives[case.calls, case.files], base / "out")
                took[case].append(round(seconds(command, base / "events"), 2))
                print(case, took[case][-1], flush=True)
    return Report(
        environment=environment(), runs=runs, measured=[Measured(case, median(times)) for case, times in took.items()]
    )


def environment() -> dict[str, str]:
    """Tell which versions were measured."""
    packages = {name: version(name) for name in ("pyspark", "pyarrow", "pandas", "orjson")}
    return {"python": platform.python_version(), "system": sys.platform} | packages


# -- The page ---------------------------------------------------------------------------------------------------------


def page(text: str, report: Report) -> str:
    """Put the figures of a report into the text of the page."""
    for name, lines in (("figures", _figures(report)), ("cores", _cores(report))):
        before, _, rest = text.partition(BEGIN.format(name))
        after = rest.partition(END.format(name))[2]
        text = "\n".join((f"{before}{BEGIN.format(name)}", "", *lines, "", f"{END.format(name)}{after}"))
    return text


def _figures(report: Report) -> list[str]:
    heading = [f"Medians of {report.runs} runs each." if report.runs > 1 else "One run each.", ""]
    heading.append("| run | calls | files | cores | seconds | calls a second | times the command line |")
    return [*heading, "|---|---:|---:|---:|---:|---:|---:|", *(_line(report, one) for one in report.measured)]


def _line(report: Report, one: Measured) -> str:
    case = one.case
    cells = [case.way, f"{case.calls:,}", str(case.files), str(case.cores), f"{one.median_s:.1f}"]
    if case.calls == case.files:  # nothing but the start
        return f"| {' | '.join((*cells, '', ''))} |"
    alone = report.median_s(Case(COMMAND_LINE, _USUAL_FILES, case.calls, 1))
    return f"| {' | '.join((*cells, f'{case.calls / one.median_s:,.0f}', f'{alone / one.median_s:.2f}'))} |"


def growth(report: Report, cores: int) -> float:
    """Give the calls that are done in each second more, between the archive and the large one: the start cancels."""
    sizes = sorted({one.case.calls for one in report.measured if one.case.way == COMMAND_LINE})
    small_s, large_s = (report.median_s(Case(SPARK, _USUAL_FILES, calls, cores)) for calls in sizes)
    return (sizes[1] - sizes[0]) / (large_s - small_s)


def _cores(report: Report) -> list[str]:
    lines = ["| Measured with | Calls a second more | A core | Cores, all day long | Cores, to be done in an hour |"]
    lines.append("|---|---:|---:|---:|---:|")
    for cores in (1, 2):
        rate = growth(report, cores)
        needed = [-int(-_BILLION // (rate / cores * period_s)) for period_s in (_DAY_S, _HOUR_S)]
        cells = (f"{cores} core{'s' * (cores > 1)}", f"{rate:,.0f}", f"{rate / cores:,.0f}", *map(str, needed))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    """Measure, and write report and page; or the page alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--draw", action="store_true")
    arguments = parser.parse_args()
    if not arguments.draw:
        report = measure(arguments.calls, arguments.large, arguments.runs)
        REPORT.write_text(report.to_json(), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), load()), encoding="utf-8")


def load() -> Report:
    """Read the report."""
    return cattrs.structure(json.loads(REPORT.read_text(encoding="utf-8")), Report)


if __name__ == "__main__":
    main()
