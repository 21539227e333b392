"""One recorded session over all targets: `python -m tests.fuzzing.run [--executions N] [--target NAME] [--write]`.

Each target runs in processes of its own, from the seeds of the test vectors. A finding ends its target, is kept as a
file `crash-…` in the folder that is told, and makes the exit status 1. `--write` adds it to `record.json`
beside this file.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.fuzzing import targets

RECORD: Final = Path(__file__).parent / "record.json"
SHARES: Final[Mapping[str, float]] = {
    "segment_call": 0.25,
    "segment_batch": 0.16,
    "statsig_event": 0.18,
    "statsig_export": 0.16,
    "configuration": 0.05,
    "fast_lanes": 0.25,
    "statsig_signature": 0.1,
    "segment_signature": 0.1,
}
"""Target -> its share of all executions; a configuration takes tens of times as long as a call."""
VERSIONS: Final = ("statsig-segment", "atheris", "attrs", "cattrs")


def fuzz(name: str, executions: int, folder: Path) -> dict[str, Any]:
    """Run one target so many times; give what there is to record."""
    corpus = folder / name
    corpus.mkdir()
    for number, seed in enumerate(targets.seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    dictionary = folder / f"{name}.dict"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in sorted(targets.words())), encoding="ascii")
    command = [
        *(sys.executable, "-m", "tests.fuzzing.fuzz", name),
        *(f"-runs={executions}", f"-max_len={targets.MAX_BYTES}", "-timeout=20", "-print_final_stats=1"),
        *(f"-dict={dictionary}", f"-artifact_prefix={folder}/", str(corpus)),
    ]
    start = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own program
        command,
        cwd=targets.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    (folder / f"{name}.log").write_text(done.stdout, encoding="utf-8")
    figures = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stdout))
    covered = re.findall(r"cov: (\d+)", done.stdout)
    executions, seconds = int(figures.get("number_of_executed_units", 0)), time.monotonic() - start
    return {
        "executions": executions,
        "seconds": round(seconds),
        "edges_covered": int(covered[-1]) if covered else 0,
        "findings": int(done.returncode != 0),
    }


def _escaped(word: str) -> str:
    return "".join(
        chr(byte) if 32 < byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in word.encode(errors="replace")
    )


def record_text(sessions: Iterable[Mapping[str, Any]]) -> str:
    """Write sessions as JSON, with a line for each target."""
    return "[\n" + ",\n".join(map(_session_text, sessions)) + "\n]\n"


def _session_text(session: Mapping[str, Any]) -> str:
    head = ", ".join(f'"{name}": {json.dumps(value)}' for name, value in session.items() if name != "targets")
    targets = ",\n".join(f'  "{name}": {json.dumps(figures)}' for name, figures in session["targets"].items())
    return f' {{{head}, "targets": {{\n{targets}\n }}}}'


def main() -> int:
    """Run the session."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=8_000_000, help="of all targets together")
    parser.add_argument("--target", choices=tuple(SHARES), action="append", help="only this one")
    parser.add_argument("--write", action="store_true", help="add it to record.json")
    arguments = parser.parse_args()
    names = arguments.target or list(SHARES)
    folder = Path(tempfile.mkdtemp(prefix="fuzzing-"))
    print(f"logs and findings in {folder}", flush=True)
    whole = sum(SHARES[name] for name in names)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {n: pool.submit(fuzz, n, int(arguments.executions * SHARES[n] / whole), folder) for n in names}
        found = {name: run.result() for name, run in runs.items()}
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in VERSIONS},
        "executions": sum(told["executions"] for told in found.values()),
        "findings": sum(told["findings"] for told in found.values()),
        "targets": found,
    }
    print(json.dumps(record, indent=2))
    if arguments.write:
        sessions: list[dict[str, Any]] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else []
        RECORD.write_text(record_text([*sessions, record]), encoding="utf-8")
    return 1 if record["findings"] else 0


if __name__ == "__main__":
    sys.exit(main())
