"""Torture the service for a while: `python -m tests.torture --seconds 600`, in the folder of the repository.

Under a steady load in both directions the service is killed, stopped and doubled; its disk is full, its database
locked, garbled, moved or ruined; its clock jumps; its collectors lie, hang, refuse and answer garbage. In the end
nothing that was acknowledged may be missing, and nothing may have come under two keys. All traffic is on the loopback.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.integration.loopback import Service, Trap
from tests.torture.collector import Collector
from tests.torture.faults import Faults, small_disk
from tests.torture.senders import Sender, segment_library, segment_webhook, statsig_webhook

DRAIN_S: Final = 180.0
KINDS: Final = (segment_webhook, segment_library, statsig_webhook)


def statsig_numbers(content: dict[str, Any]) -> list[tuple[str, str]]:
    return [(event["metadata"]["n"], event["metadata"]["statsigSegmentKey"]) for event in content["events"]]


def segment_numbers(content: dict[str, Any]) -> list[tuple[str, str]]:
    return [(call["properties"]["metadata"]["n"], call["messageId"]) for call in content["batch"]]


async def torture(folder: Path, trap: Trap, arguments: argparse.Namespace, *, is_small_disk: bool) -> bool:
    """Run it all, print what it came to, and say whether the service has kept its promises."""
    collectors = Collector(statsig_numbers), Collector(segment_numbers)
    for collector in collectors:
        await collector.open()
    (folder / "clock").write_text("0", encoding="ascii")
    service, twin = (prepared(folder / name, folder, trap, collectors) for name in ("first", "second"))
    with closing(service), closing(twin):
        await asyncio.to_thread(service.start)
        faults = Faults(service, twin, collectors, folder / "clock", is_small_disk)
        senders = [Sender(f"{at}", KINDS[at % 3], lambda: urls(faults), arguments.pause) for at in range(6)]
        sending = [asyncio.create_task(sender.run()) for sender in senders]
        await faults.run(arguments.seconds)
        for sender in senders:
            sender.is_stopping = True
        await asyncio.wait_for(asyncio.gather(*sending), DRAIN_S)
        await asyncio.to_thread(drain, service)
        resent = await asyncio.to_thread(send_dead_letters_again, service)
        return report(faults, senders, collectors, resent)


def prepared(own: Path, folder: Path, trap: Trap, collectors: Sequence[Collector]) -> Service:
    """Prepare an instance, which shares the database with the other one."""
    own.mkdir()
    service = Service(own, trap.environment())
    service.database = folder / "service.sqlite3"
    service.set(
        DATABASE=str(service.database),
        PYTHONPATH=str(Path(__file__).with_name("skewed_clock")),
        CLOCK_OFFSET=str(folder / "clock"),
        STATSIG_API=collectors[0].url,
        SEGMENT_API=collectors[1].url,
        REQUEST_TIMEOUT_S="2",
        MAX_BACKOFF_S="1",
    )
    return service


def urls(faults: Faults) -> list[str]:
    return [faults.service.url, *([faults.twin.url] if faults.is_twin_up else [])]


def drain(service: Service) -> None:
    """Wait until nothing waits any more."""
    for lane in ("statsig", "segment"):
        service.settled(lane, DRAIN_S)


def send_dead_letters_again(service: Service) -> int:
    """Send again what a collector refused that lied, as whoever operates the service would, and say how many."""
    letters = service.rows("SELECT id FROM dead_letter")
    with closing(sqlite3.connect(service.database, isolation_level=None, timeout=DRAIN_S)) as connection:
        connection.execute("UPDATE dead_letter SET code = NULL")
    drain(service)
    return len(letters)


def report(faults: Faults, senders: Sequence[Sender], collectors: Sequence[Collector], resent: int) -> bool:
    """Print the figures, and say whether all promises were kept."""
    acknowledged = set[str]().union(*(sender.acknowledged for sender in senders))
    came = {number: keys for collector in collectors for number, keys in collector.keys.items()}
    owners: dict[str, set[str]] = {}
    for number, keys in came.items():
        for key in keys:
            owners.setdefault(key, set()).add(number)
    problems = {
        "acknowledged and lost": len(acknowledged - came.keys()),
        "under two keys": sum(len(keys) > 1 for keys in came.values()),
        "keys of two messages": sum(len(numbers) > 1 for numbers in owners.values()),
        "never sent in": len(came.keys() - acknowledged),
        "refused for good": sum(
            sender.answers[status] for sender in senders for status in (400, 403, 404, 409, 413, 500)
        ),
        "damage to the database": int(faults.service.rows("PRAGMA integrity_check") != [("ok",)]),
        "bodies as dead letters": len(faults.service.rows("SELECT 1 FROM body")),
        "unwell at the end": int(faults.service.health()[0] != 200),
        "unexpected": len(faults.unexpected),
    }
    answers = sum((sender.answers for sender in senders), Counter[int]())
    print(f"{len(acknowledged):,} messages acknowledged under {faults.made.total()} faults:")
    print(f"  {dict(sorted(faults.made.items()))}")
    print(f"answers: {dict(sorted(answers.items()))}; requests to collectors: {[one.requests for one in collectors]}")
    print(f"came more than once, under the same key: {sum(keys.total() > 1 for keys in came.values()):,}")
    print(f"dead letters of lying collectors, sent again: {resent:,}; peak memory {faults.peak_mb:.0f} MB")
    print(f"problems: {problems} {faults.unexpected}")
    return not any(problems.values())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the order of faults; default: %(default)s")
    parser.add_argument(
        "--pause", type=float, default=0.05, help="between the bodies of a sender; default: %(default)s"
    )
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, Trap().listening() as trap, small_disk(Path(name)) as is_small_disk:
        is_fine = asyncio.run(torture(Path(name), trap, arguments, is_small_disk=is_small_disk))
    print(f"{'kept' if is_fine else 'BROKEN'} after {time.monotonic() - began:.0f} s; left the loopback: {trap.caught}")
    return 0 if is_fine and not trap.caught else 1


if __name__ == "__main__":
    sys.exit(main())
