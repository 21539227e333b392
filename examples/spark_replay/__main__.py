"""Replay an archive on Spark: `python -m examples.spark_replay ARCHIVE OUT [--config FILE] [--master local[2]]`.

Exit status, as that of the command line: 0; 1 where anything was rejected; 2 where the arguments, a file or Spark
failed, or the counts do not add up.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from pathlib import Path

from examples.spark_replay.job import Replayed, replay
from pyspark.sql import SparkSession

from statsig_segment import ConfigError, IntegrationConfig, load_config
from statsig_segment.cli.messages import problems_text, summary_text


def main() -> int:
    """Run the job, and print its counts."""
    arguments = _parser().parse_args()
    try:
        config = load_config(arguments.config.read_text(encoding="utf-8")) if arguments.config else IntegrationConfig()
        with _session(arguments.master) as spark:
            return _told(replay(spark, arguments.archive, arguments.out, config, arguments.id_type))
    except ConfigError as error:
        print(problems_text(error.issues), file=sys.stderr)
    except Exception:  # noqa: BLE001 - Python's own status would be 1, and that says something else
        traceback.print_exc()
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", help="files of NDJSON, plain or gzip: a folder, or a pattern")
    parser.add_argument("out", help="the folder for outcomes and members")
    parser.add_argument("--config", type=Path, help="the configuration of statsig-segment, TOML or JSON")
    parser.add_argument("--id-type", default="userID", help="the type of the IDs that the ID lists hold")
    parser.add_argument("--master", help="where Spark runs; by default what spark-submit says, else all cores here")
    return parser


def _session(master: str | None) -> SparkSession:
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # on this machine, the workers are of this environment too
    builder = SparkSession.builder.appName("statsig-segment replay").config("spark.ui.showConsoleProgress", "false")
    return (builder.master(master) if master else builder).getOrCreate()


def _told(replayed: Replayed) -> int:
    for broken in replayed.broken:
        print(broken, file=sys.stderr)
    print(summary_text(replayed.tally))
    if not replayed.adds_up():
        print("the counts do not add up", file=sys.stderr)
        return 2
    return 2 if replayed.broken else 1 if replayed.tally.rejected else 0


if __name__ == "__main__":
    sys.exit(main())
