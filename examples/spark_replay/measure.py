"""What a replay costs: `python -m examples.spark_replay.measure [--calls N]` rewrites the table of docs/spark.md.

Each measurement is a process of its own, from its start to its end. The archive is that of the benchmarks, by its seed.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.benchmarks.corpus import segment_calls

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "spark.md"
BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"
CONFIG: Final = ROOT / "examples" / "integration.toml"
_MANY: Final = 16
_SAMPLE: Final = 20_000


def make_archive(folder: Path, calls: int, files: int) -> str:
    """Write the calls of the corpus to so many compressed files; give the pattern that names them."""
    lines = segment_calls(min(calls, _SAMPLE))
    folder.mkdir()
    for file in range(files):
        mine = b"".join(lines[at % len(lines)] + b"\n" for at in range(file, calls, files))
        (folder / f"part-{file:03}.ndjson.gz").write_bytes(gzip.compress(mine, compresslevel=6))
    return str(folder / "*.gz")


def seconds(command: list[str]) -> float:
    """Time a command that may find calls to reject."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)  # noqa: S603 - ours
    if done.returncode > 1:
        raise SystemExit(done.stderr.decode())
    return time.perf_counter() - start


def spark(pattern: str, out: Path, cores: int) -> float:
    """Time the job."""
    module = ("-m", "examples.spark_replay")
    return seconds([sys.executable, *module, pattern, str(out), "--config", str(CONFIG), "--master", f"local[{cores}]"])


def command_line(folder: Path, jobs: int) -> float:
    """Time the command line over the same files."""
    files = [str(path) for path in sorted(folder.glob("*.gz"))]
    return seconds(
        [sys.executable, "-m", "statsig_segment", "inbound", "--config", str(CONFIG), "--jobs", str(jobs), *files]
    )


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    calls: int = parser.parse_args().calls
    rows: list[tuple[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for files in (1, 4, 16, 64):
            pattern = make_archive(folder / f"archive-{files}", calls, files)
            for cores in (1, 2) if files == _MANY else (2,):
                took = spark(pattern, folder / "out", cores)
                rows.append((f"Spark, {counted(files, 'file')}, {counted(cores, 'core')}", took))
        empty = spark(make_archive(folder / "archive-0", 64, 64), folder / "out", 2)
        rows.append(("Spark, 64 files with a call each, 2 cores", empty))
        rows += [(f"command line, 16 files, `--jobs {n}`", command_line(folder / "archive-16", n)) for n in (1, 2)]
    write(calls, rows)


def counted(number: int, word: str) -> str:
    """Write a number of things."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def write(calls: int, rows: list[tuple[str, float]]) -> None:
    """Put the table between its marks."""
    table = [
        f"{calls:,} calls of the benchmarks' corpus; one run each.",
        "",
        "| | seconds | calls a second |",
    ]
    table.append("|---|---:|---:|")
    table += [
        f"| {label} | {took:.1f} | {f'{calls / took:,.0f}' if 'a call each' not in label else ''} |"
        for label, took in rows
    ]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text("\n".join((f"{before}{BEGIN}", "", *table, "", f"{END}{after}")), encoding="utf-8")


if __name__ == "__main__":
    main()
