"""Replay an archive on Spark: `python -m examples.spark_replay ARCHIVE OUT [--config FILE] [--master local[2]]`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from examples.spark_replay.job import replay
from pyspark.sql import SparkSession

from statsig_segment import IntegrationConfig, load_config


def main() -> int:
    """Run the job, and print its counts; the status is 1 where anything was rejected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", help="files of NDJSON, plain or gzip: a folder, or a pattern")
    parser.add_argument("out", help="the folder for events, members, rejects and outcomes")
    parser.add_argument("--config", type=Path, help="the configuration of statsig-segment, TOML or JSON")
    parser.add_argument("--id-type", default="userID", help="the type of the IDs that the ID lists hold")
    parser.add_argument("--master", help="where Spark runs; by default what spark-submit says, else all cores here")
    arguments = parser.parse_args()
    config = load_config(arguments.config.read_text(encoding="utf-8")) if arguments.config else IntegrationConfig()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # on this machine, the workers are of this environment too
    builder = SparkSession.builder.appName("statsig-segment replay").config("spark.ui.showConsoleProgress", "false")
    spark = (builder.master(arguments.master) if arguments.master else builder).getOrCreate()
    try:
        counts = replay(spark, arguments.archive, arguments.out, config, arguments.id_type)
    finally:
        spark.stop()
    print(f"read {counts.read}, translated {counts.translated}, audiences {counts.audiences}")
    for word, told in (("skipped", counts.skipped), ("rejected", counts.rejected)):
        print(word, ", ".join(f"{name} {count}" for name, count in told.items()) or "none")
    if not counts.add_up():
        print("the counts do not add up", file=sys.stderr)
        return 2
    return 1 if counts.rejected else 0


if __name__ == "__main__":
    sys.exit(main())
