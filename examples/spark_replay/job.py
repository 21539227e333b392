"""The Spark job: archive files to outcomes, and those to events by day, ID lists, rejects and counts."""

# PyArrow has no types, and the functions of PySpark that take columns have loose ones:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import attrs
import pyarrow as pa
from examples.spark_replay import outcomes
from examples.spark_replay.outcomes import AUDIENCE, EVENT, REJECTED, SKIPPED
from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from statsig_segment import IntegrationConfig

OUTCOMES: Final = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("item", pa.int64()),
        ("kind", pa.string()),
        ("day", pa.string()),
        ("name", pa.string()),
        ("user_id", pa.string()),
        ("custom_ids", pa.string()),
        ("member", pa.bool_()),
        ("time_ms", pa.int64()),
        ("path", pa.string()),
        ("json", pa.string()),
    ]
)
_OUTCOMES_SQL: Final = (
    "file string, line long, item long, kind string, day string, name string, user_id string, custom_ids string, "
    "member boolean, time_ms long, path string, json string"
)
MEMBERS: Final = pa.schema([("id_list", pa.string()), ("id", pa.string()), ("member", pa.bool_())])
_MEMBERS_SQL: Final = "id_list string, id string, member boolean"
_ROWS: Final = 5_000
"""So many rows make one batch of Arrow."""
_BUCKETS: Final = 64
"""So many parts has each ID list while it is folded."""


@attrs.frozen(kw_only=True)
class Counts:
    """What became of the payloads of an archive; the parts add up to what was read."""

    read: int
    translated: int
    audiences: int
    skipped: dict[str, int]
    rejected: dict[str, int]

    def add_up(self) -> bool:
        """Tell whether every payload came out as one outcome."""
        return self.read == self.translated + self.audiences + sum(self.skipped.values()) + sum(self.rejected.values())


def replay(spark: SparkSession, archive: str, out: str, config: IntegrationConfig, id_type: str = "userID") -> Counts:
    """Translate an archive: files, a folder or a pattern of them in, four folders of Parquet under `out` out.

    `outcomes` has every payload, `events` those that became events, by day of their own time; `members` the folded ID
    lists; `rejects` the place and the code of what was refused, and nothing of its content.
    """
    for module in (outcomes, sys.modules[__name__]):  # the workers have the library, but not this folder
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    found = spark.read.format("binaryFile").load(archive).select("path", "content")
    found.mapInArrow(_translator(config), _OUTCOMES_SQL).write.mode("overwrite").partitionBy("kind").parquet(
        f"{out}/outcomes"
    )
    told = spark.read.schema(_OUTCOMES_SQL).parquet(f"{out}/outcomes")
    events = told.where(f.col("kind") == EVENT).drop("kind", "custom_ids", "member", "path")
    events.write.mode("overwrite").partitionBy("day").parquet(f"{out}/events")
    _fold(told.where(f.col("kind") == AUDIENCE), id_type).write.mode("overwrite").parquet(f"{out}/members")
    rejects = told.where(f.col("kind") == REJECTED).select("file", "line", "item", f.col("name").alias("code"), "path")
    rejects.write.mode("overwrite").parquet(f"{out}/rejects")
    return _counts(told)


def _translator(config: IntegrationConfig) -> Any:
    """Make the function that Spark runs over batches of files; the configuration goes to the workers with it."""

    def translate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for file in batch.to_pylist():
                yield from _batches(outcomes.rows(file["path"], file["content"], config), OUTCOMES)

    return translate


def _batches(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, _ROWS)):
        yield pa.RecordBatch.from_pylist(some, schema=schema)


def _fold(updates: DataFrame, id_type: str) -> DataFrame:
    """Fold the changes of each ID list; all changes of one ID are in one bucket, so the buckets can be folded apart."""

    def fold(table: pa.Table) -> pa.Table:
        return pa.Table.from_pylist(outcomes.fold(table.to_pylist(), id_type), schema=MEMBERS)

    unit = f.col("user_id") if id_type == "userID" else f.get_json_object("custom_ids", f"$['{id_type}']")
    bucketed = updates.withColumn("bucket", f.abs(f.hash(unit)) % _BUCKETS)
    return bucketed.groupBy("name", "bucket").applyInArrow(fold, _MEMBERS_SQL)


def _counts(told: DataFrame) -> Counts:
    counted = {(row["kind"], row["name"]): row["count"] for row in told.groupBy("kind", _reason()).count().collect()}
    kinds: Counter[str] = Counter()
    for (kind, _), count in counted.items():
        kinds[kind] += count
    return Counts(
        read=told.count(),
        translated=kinds[EVENT],
        audiences=kinds[AUDIENCE],
        skipped={name: count for (kind, name), count in sorted(counted.items()) if kind == SKIPPED},
        rejected={name: count for (kind, name), count in sorted(counted.items()) if kind == REJECTED},
    )


def _reason() -> Any:
    """Give the column that holds the reason or the code, and nothing for events and audiences, whose names are many."""
    return f.when(f.col("kind").isin(SKIPPED, REJECTED), f.col("name")).otherwise("").alias("name")
