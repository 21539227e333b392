"""What the tests of the command line share: how a run ended, a process of its own, a few calls."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = Path(__file__).parents[3] / "examples"
CALLS = EXAMPLES / "segment_calls.ndjson"
CONFIG = EXAMPLES / "integration.toml"
EXPORT = EXAMPLES / "statsig_export.ndjson"
WEBHOOK = EXAMPLES / "statsig_webhook.json"

GOOD = {"type": "track", "event": "Signed Up", "userId": "u1", "messageId": "m1"}
MEMBER = {
    "type": "identify",
    "userId": "u1",
    "traits": {"vip": True},
    "context": {"personas": {"computation_class": "audience", "computation_key": "vip"}},
}

Run = Any
"""The fixture `run`."""


@attrs.frozen
class Ended:
    """How a run ended."""

    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def counts(self) -> str:
        """The first line of the summary."""
        return next(line for line in self.err.splitlines() if line.startswith("read "))


def ndjson(*values: Any) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def records(path: Path) -> list[Any]:
    """The records of an output file."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def environment(**variables: str) -> dict[str, str]:
    """An environment in which a process of its own finds the package as this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUTF8": "1", **variables}


_WITH_SIGNALS: Final = ("env", "--default-signal=HUP,INT,QUIT") if sys.platform == "linux" else ()
"""A shell's background job ignores these, and so would all that it starts."""


def spawned(
    *argv: str | Path,
    stdin: int = subprocess.PIPE,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    own_session: bool = False,
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start the command line as a process of its own, with pipes to it and from it."""
    return subprocess.Popen(  # noqa: S603 - our own
        [*_WITH_SIGNALS, sys.executable, "-m", "statsig_segment", *map(str, argv)],
        env=environment(**(env or {})),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=own_session,
    )
