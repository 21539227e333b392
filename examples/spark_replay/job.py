"""The Spark job: archive files to outcomes by kind and day, those of audiences to ID lists, and all of it counted."""

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
from examples.spark_replay.outcomes import AUDIENCE, EVENT, FILE, REJECTED, SKIPPED
from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from statsig_segment import IntegrationConfig
from statsig_segment.cli.blocks import Tally

OUTCOMES: Final = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("item", pa.int64()),
        ("kind", pa.string()),
        ("day", pa.string()),
        ("name", pa.string()),
        ("user_id", pa.string()),
        ("custom_ids", pa.map_(pa.string(), pa.string())),
        ("member", pa.bool_()),
        ("time_ms", pa.int64()),
        ("path", pa.string()),
        ("json", pa.string()),
    ]
)
_OUTCOMES_SQL: Final = (
    "file string, line long, item long, kind string, day string, name string, user_id string, "
    "custom_ids map<string, string>, member boolean, time_ms long, path string, json string"
)
MEMBERS: Final = pa.schema([("id_list", pa.string()), ("id", pa.string()), ("member", pa.bool_())])
_MEMBERS_SQL: Final = "id_list string, id string, member boolean"
ROWS: Final = 1_000
"""So many rows make one batch of Arrow."""
_BUCKETS: Final = 64
"""So many parts has each ID list while it is folded."""


@attrs.frozen(kw_only=True)
class Replayed:
    """What became of an archive: what the workers counted while they read, and what is stored."""

    tally: Tally
    rows: Counter[tuple[str, str]]
    """Kind, and reason or code -> rows that are stored."""
    files_found: int
    files_done: int
    broken: tuple[str, ...]
    """The files that could not be read to their end, each with the reason."""

    def adds_up(self) -> bool:
        """Tell whether every file was read, and every payload that was read is stored as one outcome."""
        tally = self.tally
        counted = Counter({(EVENT, ""): tally.translated, (AUDIENCE, ""): tally.audiences})
        counted += Counter({(SKIPPED, reason): number for reason, number in tally.skipped.items()})
        counted += Counter({(REJECTED, code): number for code, number in tally.rejected.items()})
        return self.files_found == self.files_done and tally.read == counted.total() and self.rows == counted


def replay(spark: SparkSession, archive: str, out: str, config: IntegrationConfig, id_type: str = "userID") -> Replayed:
    """Translate an archive: files, a folder or a pattern of them in, two folders of Parquet under `out` out.

    `outcomes` has every payload by its kind, and events by the day of their own time; `members` the folded ID lists.
    """
    for module in (outcomes, sys.modules[__name__]):  # the workers have the library, but not this folder
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    found = spark.read.format("binaryFile").load(archive)
    told = found.select("path", "content").mapInArrow(_translator(config), _OUTCOMES_SQL)
    told.write.mode("overwrite").partitionBy("kind", "day").parquet(f"{out}/outcomes")
    stored = spark.read.schema(_OUTCOMES_SQL).parquet(f"{out}/outcomes")
    _fold(stored.where(f.col("kind") == AUDIENCE), id_type).write.mode("overwrite").parquet(f"{out}/members")
    return count(stored, files_found=found.select("path").count())


def _translator(config: IntegrationConfig) -> Any:
    """Make the function that Spark runs over batches of files; the configuration goes to the workers with it."""

    def translate(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for file in batch.to_pylist():
                yield from _batches(outcomes.rows(file["path"], file["content"], config), OUTCOMES)

    return translate


def _batches(rows: Iterator[dict[str, Any]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while some := list(islice(rows, ROWS)):
        yield pa.RecordBatch.from_pylist(some, schema=schema)


def _fold(updates: DataFrame, id_type: str) -> DataFrame:
    """Fold the changes of each ID list; all changes of one ID are in one bucket, so the buckets can be folded apart."""

    def fold(table: pa.Table) -> pa.Table:
        return pa.Table.from_pylist(outcomes.fold(table.to_pylist(), id_type), schema=MEMBERS)

    unit = f.col("user_id") if id_type == "userID" else f.try_element_at("custom_ids", f.lit(id_type))
    without = f.when(unit.isNull(), f.col("line"))  # changes of nobody fold with nothing: they spread
    bucketed = updates.withColumn("bucket", f.pmod(f.hash(unit, without), f.lit(_BUCKETS)))
    return bucketed.groupBy("name", "bucket").applyInArrow(fold, _MEMBERS_SQL)


def count(stored: DataFrame, files_found: int) -> Replayed:
    """Count what is stored, and add up what the workers counted."""
    reason = f.when(f.col("kind").isin(SKIPPED, REJECTED), f.col("name")).otherwise("").alias("reason")
    counted = stored.where(f.col("kind") != FILE).groupBy("kind", reason).count().collect()
    done = stored.where(f.col("kind") == FILE).select("file", "name", "json").orderBy("file").collect()
    files = [row.asDict() for row in done]
    tally = Tally()
    for file in files:
        tally.add(outcomes.tally_of(file))
    return Replayed(
        tally=tally,
        rows=Counter({(row["kind"], row["reason"]): row["count"] for row in counted}),
        files_found=files_found,
        files_done=len({file["file"] for file in files}),
        broken=tuple(f"{file['file']}: {file['name']}" for file in files if file["name"] is not None),
    )
