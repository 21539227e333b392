"""Replay an archive on Spark: `python -m examples.spark_replay ARCHIVE OUT [--config FILE] [--master local[2]]`.

Exit status: 0; 1 if a call was rejected or a file left out; 2 if the arguments, a file or Spark failed, if the archive
holds no calls, or if the counts do not add up. With 2, the results of an earlier run stay as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

from examples.spark_replay.job import replay
from examples.spark_replay.replayed import Replayed
from examples.spark_replay.storage import INCOMPLETE
from pyspark.sql import SparkSession

from statsig_segment import ConfigError, IntegrationConfig, Preview, load_config


def main() -> int:
    """Run the job, and print its counts."""
    arguments = _parser().parse_args()
    try:
        config = load_config(arguments.config.read_text(encoding="utf-8")) if arguments.config else IntegrationConfig()
        with _session(arguments.master) as spark:
            options = {"id_type": arguments.id_type, "may_be_empty": arguments.allow_empty}
            return report(replay(spark, arguments.archive, arguments.out, config, **options))
    except ConfigError as error:
        for issue in error.issues:
            print(f"{issue.path}: {issue.message} [{issue.code}]", file=sys.stderr)
    except Exception:  # noqa: BLE001 - Python's own status would be 1, and that says something else
        traceback.print_exc()
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", help="files of NDJSON, plain or gzip: a folder with all below it, or a pattern")
    parser.add_argument("out", help="the folder for outcomes and members; not within the archive")
    parser.add_argument("--config", type=Path, help="the configuration of statsig-segment, TOML or JSON")
    parser.add_argument("--id-type", default="userID", help="the type of the IDs that the ID lists hold")
    parser.add_argument("--allow-empty", action="store_true", help="do not fail if the archive holds no calls")
    parser.add_argument("--master", help="where Spark runs; by default what spark-submit says, else all cores here")
    return parser


def _session(master: str | None) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # on this machine, the workers are of this environment too
    builder = SparkSession.builder.appName("statsig-segment replay").config("spark.ui.showConsoleProgress", "false")
    return (builder.master(master) if master else builder).getOrCreate()


def report(replayed: Replayed) -> int:
    """Print what became of an archive; give the exit status."""
    _print_counts(replayed.preview)
    for path in replayed.omitted:
        print(f"{path}: left out, because Spark takes it for hidden", file=sys.stderr)
    if replayed.omitted:
        print(f"files left out: {len(replayed.omitted)}", file=sys.stderr)
    problems = list(replayed.problems())
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"not whole: the results are in the folder {INCOMPLETE}, those of an earlier run stay", file=sys.stderr)
        return 2
    return 1 if replayed.preview.rejected or replayed.omitted else 0


def _print_counts(found: Preview) -> None:
    """Print what became of the calls, in the words of the command line."""
    skipped, rejected = sum(found.skipped.values()), sum(found.rejected.values())
    sent = f"translated {found.translated:,} + audiences {found.audiences:,}"
    print(f"read {found.read:,} = {sent} + skipped {skipped:,} + rejected {rejected:,}")
    for kind, counts in (("skipped", found.skipped), ("rejected", found.rejected), ("issues", found.issues)):
        if counts:
            ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            print(f"{kind}: {', '.join(f'{code} {number:,}' for code, number in ordered)}")


if __name__ == "__main__":
    sys.exit(main())
