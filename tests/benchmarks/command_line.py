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
from tests.benchmarks.settings import CONFIG, CONFIG_TEXT
from tests.benchmarks.timing import Slice, chunked, per_event, race, ratios

from statsig_segment.cli import blocks, codec

Lines = Sequence[bytes]

SECONDS: Final = 30.0


def through(block: bytes, using: codec.Codec) -> bytes:
    """Go the command line's own way, with one codec or the other."""
    with patch.object(blocks, "FAST", using):
        return blocks.translate_block(CONFIG, "log-event", block).events


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


# -- Two processes for one ---------------------------------------------------------------------------------------------


def _seconds(folder: Path, jobs: int) -> float:
    """Time one run of the command by the clock on the wall; a module that hides orjson stands before it on the path."""
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    arguments = ["inbound", "calls.ndjson", "--config", "config.toml", "--jobs", str(jobs)]
    start = perf_counter()
    subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "statsig_segment", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": _absolute(path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,  # 1: some calls of the corpus are rejected
    )
    return perf_counter() - start


def _absolute(path: str) -> str:
    return os.pathsep.join(str(Path(part).resolve()) for part in path.split(os.pathsep))


def _speed_up(events: int, rounds: int) -> list[float]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "orjson.py").write_text("raise ImportError\n")
        (folder / "config.toml").write_text(CONFIG_TEXT)
        lines = b"\n".join(segment_calls(2000)) + b"\n"
        (folder / "calls.ndjson").write_bytes(lines * (events // 2000))
        return [_seconds(folder, 1) / _seconds(folder, 2) for _ in range(rounds)]


# -- The section -------------------------------------------------------------------------------------------------------


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    times = race(chunked(segment_calls(2000)), _contestants, seconds * 0.3)
    quick = seconds < SECONDS
    speed_up = _speed_up(20_000 if quick else 100_000, 1 if quick else 5)
    fast, standard = ratios(times, "through orjson", "orjson"), ratios(times, "through json", "json")
    jobs = f"speed with `--jobs 2` / `--jobs 1` ({os.cpu_count()} cores, standard library)"
    return [
        spread("orjson", "bytes to bytes with orjson / `orjson.loads` + `dumps`", fast, at_most=3.0),
        spread("json", "bytes to bytes with the standard library / `json.loads` + `dumps`", standard),
        single("us_orjson", "bytes to bytes with orjson, one call", per_event(times, "through orjson"), unit="µs"),
        single("us_json", "the same with the standard library", per_event(times, "through json"), unit="µs"),
        spread("jobs", jobs, speed_up, at_least=1.75),
    ]
