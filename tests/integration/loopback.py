"""What the integration tests share: receivers on the loopback, a trap for what would leave it, and processes."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from starlette.requests import Request

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
DEADLINE_S = 120.0  # long enough for a busy machine
T = TypeVar("T")


def until(probe: Callable[[], T | None], what: str, deadline_s: float = DEADLINE_S) -> T:
    """Ask again and again until there is a true answer; fail at the deadline."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.005)
    raise AssertionError(f"not within {deadline_s} s: {what}")


# -- Receivers ---------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Received:
    """A request as it came, and its body without compression."""

    path: str
    headers: Mapping[str, str]
    raw: bytes
    body: bytes

    @property
    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


Answer = tuple[int, dict[str, Any], dict[str, str]]


class Receiver:
    """A real HTTP server on a port of its own, which keeps every request and answers as it is told."""

    def __init__(self, answer: Callable[[Received], Answer] | None = None) -> None:
        self.requests: list[Received] = []
        self.answer: Callable[[Received], Answer] = answer or (lambda _: (200, {"success": True}, {}))
        routes = [Route("/{path:path}", self._handle, methods=["GET", "POST"])]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=0, log_level="critical", lifespan="off"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    async def _handle(self, request: Request) -> JSONResponse:
        raw = await request.body()
        body = gzip.decompress(raw) if request.headers.get("content-encoding") == "gzip" else raw
        received = Received(path=request.url.path, headers=dict(request.headers), raw=raw, body=body)
        self.requests.append(received)
        status, content, headers = await run_in_threadpool(self.answer, received)
        return JSONResponse(content, status_code=status, headers=headers)

    def at(self, path: str) -> list[Received]:
        """Give the requests to one path."""
        return [request for request in self.requests if request.path == path]

    @property
    def url(self) -> str:
        """Where it listens."""
        port = self._server.servers[0].sockets[0].getsockname()[1]
        return f"http://127.0.0.1:{port}"

    @contextmanager
    def running(self) -> Generator[Receiver]:
        """Serve while the block runs."""
        self._thread.start()
        until(lambda: self._server.started, "the receiver listens")
        try:
            yield self
        finally:
            self._server.should_exit = True
            self._thread.join(DEADLINE_S)


class Trap:
    """The proxy of every client under test, but for the loopback: what comes here was on its way out."""

    def __init__(self) -> None:
        self.caught: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:  # closed
                return
            with connection:
                connection.settimeout(1)
                try:
                    self.caught.append(connection.recv(200))
                except TimeoutError:
                    self.caught.append(b"a connection without a word")

    def environment(self) -> dict[str, str]:
        """Give an environment without any proxy but this."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), url)
        lower = {name.lower(): url for name in proxies}
        return {**kept, **proxies, **lower, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    @contextmanager
    def listening(self) -> Generator[Trap]:
        """Listen while the block runs, and then say what was caught."""
        self._thread.start()
        try:
            yield self
        finally:
            self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._thread.join(DEADLINE_S)


# -- Clients -----------------------------------------------------------------------------------------------------------


def drive(script: str, job: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    """Run a driver with its job to the end, and give what it prints."""
    done = subprocess.run(  # noqa: S603 - a script of ours
        [sys.executable, HERE / "drivers" / "guarded.py", HERE / "drivers" / script],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=4 * DEADLINE_S,
        env=dict(environment),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- The service -------------------------------------------------------------------------------------------------------


class Service:
    """The example service as a process of its own, which can be killed and started again on the same port."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.database = folder / "service.sqlite3"
        self._log = folder / "service.log"
        self._environment = {
            **environment,
            "SEGMENT_WEBHOOK_SECRET": "segment secret",
            "SEGMENT_SOURCE_WRITE_KEY": "source key",
            "STATSIG_WEBHOOK_SECRET": "statsig secret",
            "STATSIG_SERVER_KEY": "server key",
            "SEGMENT_WRITE_KEY": "write key",
            "DATABASE": str(self.database),
            "INTEGRATION": str(EXAMPLES / "integration.toml"),
            "STATSIG_API": "http://127.0.0.1:9",  # where nobody listens
            "SEGMENT_API": "http://127.0.0.1:9",
            "PORT": "0",
            "FIRST_BACKOFF_S": "0.02",
            "MAX_BACKOFF_S": "0.3",
            "REQUEST_TIMEOUT_S": "5",
            "PYTHONUNBUFFERED": "1",
        }
        self.url = ""
        self.command = [sys.executable, "-m", "webhook_service"]
        self.process: subprocess.Popen[bytes] | None = None

    def set(self, **variables: str) -> None:
        """Set more of its environment."""
        self._environment |= variables

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 - a program of ours
                self.command, cwd=EXAMPLES, env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.launch()
        port = until(self._port, "the service names its port")
        self._environment["PORT"] = port
        self.url = f"http://127.0.0.1:{port}"
        until(lambda: self.health()[0], "the service answers")

    def refusal(self) -> str:
        """Start it with settings that cannot work, and give what it says."""
        done = subprocess.run(  # noqa: S603 - a program of ours
            self.command,
            cwd=EXAMPLES,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        return done.stderr

    def _port(self) -> str | None:
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        found = re.search(r"listening on port (\d+)", self.log())
        return found and found[1]

    def health(self) -> tuple[int, dict[str, str | None]]:
        """Give the status of `/healthz`, 0 where there is none, and why it is unwell."""
        try:
            answered = httpx.get(f"{self.url}/healthz", trust_env=False, timeout=DEADLINE_S)
        except httpx.TransportError:
            return 0, {}
        return answered.status_code, answered.json().get("unwell", {})

    def log(self) -> str:
        """Give what it has written since its last start."""
        return self._log.read_text(encoding="utf-8")

    def end(self, how: signal.Signals) -> int:
        """Send a signal, wait for the end, and give the status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(DEADLINE_S)

    def rows(self, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
        """Read its database from outside."""
        with closing(sqlite3.connect(self.database)) as connection:
            return cast("list[tuple[Any, ...]]", connection.execute(query, arguments).fetchall())

    def states(self, lane: str) -> dict[str, int]:
        """Count the messages of a lane, and its bodies that are still to be split."""
        return dict(
            self.rows(
                "SELECT state, count(*) FROM message WHERE lane = ?1 GROUP BY state"
                " UNION ALL SELECT iif(code IS NULL, 'bodies', 'dead bodies'), count(*)"
                " FROM body WHERE lane = ?1 GROUP BY 1",
                lane,
            )
        )

    def settled(self, lane: str, deadline_s: float = DEADLINE_S) -> dict[str, int]:
        """Wait until nothing of a lane waits any more, and count its messages."""
        until(lambda: not {"waiting", "bodies"} & self.states(lane).keys(), f"the lane {lane} is empty", deadline_s)
        return self.states(lane)

    def kept(self) -> frozenset[str]:
        """Give the IDs of all that was accepted, whether or not it is split into messages."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.execute("BEGIN")  # or something might become a message in between
            keys = {key for (key,) in connection.execute("SELECT key FROM message")}
            bodies = [json.loads(content) for (content,) in connection.execute("SELECT content FROM body")]
        lists = (body if isinstance(body, list) else body.get("batch", body.get("data")) for body in bodies)
        return frozenset(keys | {item.get("messageId", item.get("timeUUID")) for items in lists for item in items})

    def split(self) -> None:
        """Wait until all that was accepted is split into messages."""
        until(lambda: self.rows("SELECT count(*) FROM body WHERE code IS NULL") == [(0,)], "all bodies are split")

    def memory_kb(self) -> int:
        """Give the most memory that the process has had; 0 where it is gone."""
        assert self.process is not None
        try:
            found = re.search(
                r"VmHWM:\s*(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
            )
        except OSError:
            return 0
        return int(found[1]) if found else 0

    def close(self) -> None:
        """Make an end of it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)


# -- What is sent to it ------------------------------------------------------------------------------------------------

OK: tuple[int, dict[str, Any], dict[str, str]] = (200, {"success": True}, {})


def track(number: int, **fields: Any) -> dict[str, Any]:
    call = {"type": "track", "event": "Walk Saved", "userId": f"user-{number}", "messageId": f"m-{number}"}
    return call | {"timestamp": "2026-11-03T08:00:00.000Z"} | fields


def exported(number: int, **fields: Any) -> dict[str, Any]:
    event = {"eventName": "walk_saved", "userID": f"user-{number}", "timestamp": 1_793_692_800_000 + number}
    return event | {"timeUUID": f"t-{number}", "user": {"userID": f"user-{number}"}} | fields


def from_segment(service: Service, calls: list[dict[str, Any]], *, secret: str = "segment secret") -> int:
    """Post a body as Segment's webhook destination does: the signature of an array is that of its first element."""
    first = json.dumps(calls[0]).encode()
    body = b"[" + b",".join([first, *(json.dumps(call).encode() for call in calls[1:])]) + b"]"
    signature = hmac.new(secret.encode(), first, hashlib.sha1).hexdigest()
    return post(service, "/segment", body, {"x-signature": signature})


def from_statsig(service: Service, data: Any, *, secret: str = "statsig secret", age_ms: int = 0) -> int:
    body = json.dumps({"data": data}).encode()
    timestamp = str(time.time_ns() // 1_000_000 - age_ms)
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"x-statsig-request-timestamp": timestamp, "x-statsig-signature": f"v0={digest}"}
    return post(service, "/statsig", body, headers)


def post(service: Service, path: str, body: bytes, headers: dict[str, str]) -> int:
    url = f"{service.url}{path}"
    return httpx.post(url, content=body, headers=headers, trust_env=False, timeout=DEADLINE_S).status_code


def send_from_node(client: Path, job: Mapping[str, Any], trap: Trap) -> str:
    """Let Segment's client for Node.js send calls, and give what it said."""
    done = subprocess.run(
        ["npm", "run", "--silent", "send"],  # noqa: S607 - the fixture has found it
        cwd=client,
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        env=trap.environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
