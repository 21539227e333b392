"""Bytes to bytes through the command line's own path, against plain decode and encode; and two processes for one."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Final
from unittest.mock import patch

import orjson
from tests.benchmarks.corpus import segment_calls
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.imports import compiling_into
from tests.benchmarks.settings import CONFIG, CONFIG_TEXT
from tests.benchmarks.timing import Slice, chunked, per_event, race, ratios

from statsig_segment.cli import blocks, codec

Lines = Sequence[bytes]

SECONDS: Final = 30.0


def through(block: bytes, using: codec.Codec) -> bytes:
    """Go the command line's own way, with one codec or the other."""
    with patch.object(blocks, "FAST", using):
        return blocks.translate_block(CONFIG, "log-event", blocks.Block(data=block)).events


def plain(block: bytes, decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> bytes:
    """Decode and encode every line, and nothing else."""
    out = io.BytesIO()
    for line in block.split(b"\n"):
        if line:
            out.write(encode(decode(line)) + b"\n")
    return out.getvalue()


def _json_bytes(value: object) -> bytes:
    return _encoder.encode(value).encode()


_encoder: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _contestants(lines: Lines) -> Slice:
    block = b"\n".join(lines) + b"\n"
    fast = codec.best_codec()
    return {
        "orjson": lambda: plain(block, orjson.loads, orjson.dumps),
        "json": lambda: plain(block, json.loads, _json_bytes),
        "through orjson": lambda: through(block, fast),
        "through json": lambda: through(block, codec.STANDARD),
    }


# -- Whole runs: two processes for one, and `preview` against `inbound` ------------------------------------------------


def _seconds(folder: Path, command: str, *options: str) -> float:
    """Time one run of a command by the clock on the wall; in the folder `without`, a module hides orjson."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    arguments = [command, "../calls.ndjson", "--config", "../config.toml", *options]
    start = perf_counter()
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "statsig_segment", *arguments],
        cwd=folder,
        env=compiling_into(str(folder / "compiled")) | {"PYTHONPATH": _absolute(path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # 1: some calls of the corpus are rejected
    )
    return perf_counter() - start


def _absolute(path: str) -> str:
    return os.pathsep.join(str(Path(part).resolve()) for part in path.split(os.pathsep))


def _whole_runs(events: int, rounds: int) -> dict[str, list[float]]:
    """Give ratios of whole runs over so many events, one of each kind a round."""
    with TemporaryDirectory() as name:
        plain_folder, without = Path(name, "plain"), Path(name, "without")
        plain_folder.mkdir()
        without.mkdir()
        (without / "orjson.py").write_text("raise ImportError\n")
        Path(name, "config.toml").write_text(CONFIG_TEXT)
        lines = b"\n".join(segment_calls(2000)) + b"\n"
        Path(name, "calls.ndjson").write_bytes(lines * (events // 2000))
        found: dict[str, list[float]] = {"jobs": [], "preview": []}
        for folder, command in ((without, "inbound"), (plain_folder, "preview")):
            _seconds(folder, command, "--limit", "1")  # writes the compiled files
        for _ in range(rounds):
            one, two = (_seconds(without, "inbound", "--jobs", jobs) for jobs in "12")
            found["jobs"].append(one / two)
            found["preview"].append(_seconds(plain_folder, "inbound") / _seconds(plain_folder, "preview"))
        return found


# -- The section -------------------------------------------------------------------------------------------------------


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    times = race(chunked(segment_calls(2000)), _contestants, seconds * 0.3)
    quick = seconds < SECONDS
    events = 20_000 if quick else 100_000
    whole = _whole_runs(events, 1 if quick else 5)
    fast, standard = ratios(times, "through orjson", "orjson"), ratios(times, "through json", "json")
    jobs = f"speed with `--jobs 2` / `--jobs 1` ({os.cpu_count()} cores, standard library)"
    return [
        spread("orjson", "bytes to bytes with orjson / `orjson.loads` + `dumps`", fast, at_most=3.0),
        spread("json", "bytes to bytes with the standard library / `json.loads` + `dumps`", standard),
        single("us_orjson", "bytes to bytes with orjson, one call", per_event(times, "through orjson"), unit="µs"),
        single("us_json", "the same with the standard library", per_event(times, "through json"), unit="µs"),
        spread("jobs", jobs, whole["jobs"], at_least=1.75),
        spread("preview", f"speed of `preview` / `inbound`, {events:,} calls", whole["preview"], at_least=0.6),
    ]
