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
from examples.spark_replay.outcomes import AUDIENCE, FILE, REJECTED, SKIPPED
from examples.spark_replay.replayed import Replayed
from examples.spark_replay.storage import Results, Storage
from pyspark import cloudpickle
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from statsig_segment import IntegrationConfig, Preview, preview

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


def replay(
    spark: SparkSession,
    archive: str,
    out: str,
    config: IntegrationConfig,
    *,
    id_type: str = "userID",
    may_be_empty: bool = False,
) -> Replayed:
    """Translate an archive: files, a folder or a pattern of them in, three folders under `out` out.

    `outcomes` has every payload by its kind, and events by the day of their own time; `members` the folded ID lists;
    both are Parquet. `preview` has the preview of the archive, as one JSON text. They replace those of
    an earlier run only if they are whole; otherwise they are under `incomplete`.

    Errors: `ValueError` if `out` lies within the archive.
    """
    for module in (outcomes, sys.modules[__name__]):  # the workers have the library, but not this folder
        cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]
    storage = Storage.of(spark)
    if storage.is_within(out, archive):
        raise ValueError("the results cannot be written into the archive: the next run would read them")
    results = Results(storage, out)
    results.begin()
    files = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(archive)
    listed = tuple(sorted(row["path"] for row in files.select("path").collect()))
    omitted = tuple(sorted(storage.files(archive).difference(listed)))
    stored = _write(spark, files, results.staging, config, id_type)
    found = _write_preview(spark, stored, results.staging, config)
    replayed = attrs.evolve(count(stored, listed, found), omitted=omitted, may_be_empty=may_be_empty)
    if not any(replayed.problems()):
        results.replace()
    return replayed


def _write(spark: SparkSession, files: DataFrame, folder: str, config: IntegrationConfig, id_type: str) -> DataFrame:
    """Write all results to a folder; give the stored outcomes."""
    rows = files.select("path", "content").mapInArrow(_translator(config), _OUTCOMES_SQL)
    rows.write.partitionBy("kind", "day").parquet(f"{folder}/outcomes")
    stored = spark.read.schema(_OUTCOMES_SQL).parquet(f"{folder}/outcomes")
    _fold(stored.where(f.col("kind") == AUDIENCE), id_type).write.parquet(f"{folder}/members")
    return stored


def _write_preview(spark: SparkSession, stored: DataFrame, folder: str, config: IntegrationConfig) -> Preview:
    """Merge the previews of all files, first within each partition, and write the result to a folder."""

    def merge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        texts = (text for batch in batches for text in batch.column(0).to_pylist())
        yield pa.RecordBatch.from_pydict({"json": [outcomes.preview_text(outcomes.merged(texts))]})

    parts = stored.where(f.col("kind") == FILE).select("json").mapInArrow(merge, "json string").collect()
    found = preview((), config).merge(outcomes.merged(part["json"] for part in parts))
    text = spark.createDataFrame([(outcomes.preview_text(found),)], "value string")
    text.coalesce(1).write.text(f"{folder}/preview")
    return found


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


def count(stored: DataFrame, files_listed: tuple[str, ...], found: Preview) -> Replayed:
    """Count what is stored, beside what the workers counted."""
    reason = f.when(f.col("kind").isin(SKIPPED, REJECTED), f.col("name")).otherwise("").alias("reason")
    counted = stored.where(f.col("kind") != FILE).groupBy("kind", reason).count().collect()
    done = stored.where(f.col("kind") == FILE).select("file", "name").orderBy("file").collect()
    files = [row.asDict() for row in done]
    return Replayed(
        preview=found,
        rows=Counter({(row["kind"], row["reason"]): row["count"] for row in counted}),
        files_listed=files_listed,
        files_done=tuple(sorted(file["file"] for file in files)),
        broken=tuple(f"{file['file']}: {file['name']}" for file in files if file["name"] is not None),
    )
