"""What is done to the service, its database, its clock and its collectors, one thing after another."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs
from tests.integration.loopback import Service
from tests.torture.collector import Collector

DISK_MB: Final = 512
GARBAGE: Final = b"\xa5" * 100  # in place of the header of the database
OFFSETS_S: Final = (-86_400, -3_600, 3_600, 86_400, 31_536_000, -31_536_000)


@contextmanager
def small_disk(folder: Path) -> Generator[bool]:
    """Mount a small disk in memory, where that is allowed, and say whether it is."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    is_mounted = bool(mount and umount and os.geteuid() == 0) and has_run(
        mount, "-t", "tmpfs", "-o", f"size={DISK_MB}m", "torture", folder
    )
    try:
        yield is_mounted
    finally:
        if is_mounted:
            has_run(umount, "-l", folder)


def has_run(*command: Path | str | None) -> bool:
    """Run a program of the system, and say whether it has done its work."""
    arguments = [str(part) for part in command]
    return subprocess.run(arguments, capture_output=True, check=False).returncode == 0  # noqa: S603 - mount and umount


@attrs.define
class Faults:
    """The faults, and how often each was made."""

    service: Service
    twin: Service
    """A second instance on the same database, which runs at times."""
    collectors: Sequence[Collector]
    offset: Path
    """The file that says how wrong the clock is."""
    is_small_disk: bool
    made: Counter[str] = attrs.Factory(Counter[str])
    peak_mb: float = 0.0
    """Of all lives of the service."""
    is_twin_up: bool = False
    unexpected: list[str] = attrs.Factory(list[str])

    def all(self) -> list[Callable[[], Awaitable[None]]]:
        """Give the faults, the collectors' once for each mode."""
        own = [
            self.kill, self.end, self.stop, self.fill_disk, self.lock, self.garble, self.move, self.ruin, self.skew,
            self.join,
        ]  # fmt: skip
        modes = len(self.collectors[0].modes())
        return [*own, *(self.misbehave(at) for at in range(modes)), self.refuse]

    async def run(self, seconds: float) -> None:
        """Make faults in random order, each about as often as the others, with a moment of calm between them."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for fault in random.sample(self.all(), len(self.all())):
                if time.monotonic() < end:
                    self._look()
                    await fault()
                    self.made[getattr(fault, "__name__", "?")] += 1
                    await asyncio.sleep(random.uniform(0.2, 1.5))

    def _look(self) -> None:
        """See that the service is still there, and how much memory it has had."""
        assert self.service.process is not None
        if self.service.process.poll() is not None:
            self.unexpected.append(f"the service ended by itself with {self.service.process.poll()}")
            self.service.start()
        self.peak_mb = max(self.peak_mb, self.service.memory_kb() / 1024)

    async def _restart(self) -> None:
        await asyncio.to_thread(self.service.start)

    async def _last(self) -> None:
        await asyncio.sleep(random.uniform(0.5, 4))

    # -- The process ---------------------------------------------------------------------------------------------------

    async def kill(self) -> None:
        await asyncio.to_thread(self.service.end, signal.SIGKILL)
        await self._restart()

    async def end(self) -> None:
        await asyncio.to_thread(self.service.end, signal.SIGTERM)
        await self._restart()

    async def stop(self) -> None:
        """Stop it, and let it go on."""
        assert self.service.process is not None
        self.service.process.send_signal(signal.SIGSTOP)
        await self._last()
        self.service.process.send_signal(signal.SIGCONT)

    async def join(self) -> None:
        """Let a second instance work on the same database, and kill one of the two."""
        await asyncio.to_thread(self.twin.start)
        self.is_twin_up = True
        await self._last()
        if random.random() < 0.5:
            await self.kill()
            await self._last()
        self.is_twin_up = False
        await asyncio.to_thread(self.twin.end, signal.SIGKILL)

    # -- The disk ------------------------------------------------------------------------------------------------------

    async def fill_disk(self) -> None:
        if self.is_small_disk:
            await self._fill_small_disk()
            return
        assert self.service.process is not None
        for limit in (1, resource.RLIM_INFINITY):
            resource.prlimit(self.service.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            await self._last()

    async def _fill_small_disk(self) -> None:
        with closing(sqlite3.connect(self.service.database, timeout=0)) as other, suppress(sqlite3.Error):
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # or the service would write into the room it has already
        ballast = self.service.database.with_name("ballast")
        end = time.monotonic() + random.uniform(1, 4)
        with ballast.open("wb", buffering=0) as file:
            while time.monotonic() < end:
                try:
                    file.write(bytes(1 << 16))
                except OSError:
                    await asyncio.sleep(0.05)
        ballast.unlink()

    async def lock(self) -> None:
        with closing(
            sqlite3.connect(self.service.database, isolation_level=None, timeout=10, check_same_thread=False)
        ) as other:
            try:
                await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return
            await self._last()
            other.execute("ROLLBACK")

    async def garble(self) -> None:
        """Overwrite the header of the database while the service runs, and mend it."""
        with self.service.database.open("r+b", buffering=0) as file:
            right = os.pread(file.fileno(), len(GARBAGE), 0)
            os.pwrite(file.fileno(), GARBAGE, 0)
            await self._last()
            if os.pread(file.fileno(), len(GARBAGE), 0) == GARBAGE:  # else the service has written it anew
                os.pwrite(file.fileno(), right, 0)

    async def move(self) -> None:
        """Move the database away while the service runs, and back; the service must notice."""
        away = self.service.database.with_name("moved")
        self.service.database.rename(away)
        await asyncio.sleep(2.5)
        why = (await asyncio.to_thread(self.service.health))[1].get("database")
        if self.service.database.exists() or why != "the database was moved away":
            self.unexpected.append(f"a database that was moved away was not noticed: {why}")
        away.rename(self.service.database)

    async def ruin(self) -> None:
        """Start the service on a ruined database: it must refuse. Then put the right one back."""
        await asyncio.to_thread(self.service.end, signal.SIGKILL)
        files = [path for path in self.service.database.parent.iterdir() if path.name.startswith("service.sqlite3")]
        for path in files:
            path.rename(path.with_name(f"kept-{path.name}"))
        self.service.database.write_bytes(GARBAGE * 100)
        said = await asyncio.to_thread(self.service.refusal)
        if "DATABASE" not in said:
            self.unexpected.append("a ruined database was not refused")
        for path in files:
            path.with_name(f"kept-{path.name}").rename(path)
        await self._restart()

    # -- The clock and the collectors ----------------------------------------------------------------------------------

    async def skew(self) -> None:
        self.offset.write_text(str(random.choice(OFFSETS_S)), encoding="ascii")
        await self._last()
        self.offset.write_text("0", encoding="ascii")

    def misbehave(self, at: int) -> Callable[[], Awaitable[None]]:
        """Make the fault in which the collectors have the mode that comes at this place."""

        async def fault() -> None:
            for collector in self.collectors:
                collector.mode = collector.modes()[at]
            await self._last()
            for collector in self.collectors:
                collector.mode = collector.take

        fault.__name__ = getattr(self.collectors[0].modes()[at], "__name__", "?")
        return fault

    async def refuse(self) -> None:
        for collector in self.collectors:
            await collector.close()
        await self._last()
        for collector in self.collectors:
            await collector.open()
