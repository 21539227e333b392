"""List dead letters and send them again: `python -m webhook_service.dead_letters`, also while the service runs."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from .settings import DEFAULT_DATABASE
from .store import Store


def main() -> None:
    """Print dead letters, one JSON object a line; with `--resend`, let them wait for delivery again."""
    parser = argparse.ArgumentParser(prog="python -m webhook_service.dead_letters", description=__doc__)
    parser.add_argument("--code", help="only those with this code, such as http_400")
    parser.add_argument("--resend", action="store_true", help="send what is listed again")
    arguments = parser.parse_args()
    database = Path(os.environ.get("DATABASE") or DEFAULT_DATABASE)
    if not database.is_file():
        sys.exit("dead_letters: DATABASE is not a file")
    try:
        with closing(Store(database)) as store:
            _list(store, arguments.code, resend=arguments.resend)
    except sqlite3.Error as error:
        sys.exit(f"dead_letters: DATABASE cannot be used: {type(error).__name__}")


def _list(store: Store, code: str | None, *, resend: bool) -> None:
    ids: list[int] = []
    for letter in store.dead(code):
        print(json.dumps(letter))
        ids.append(letter["id"])
    if resend:
        print(f"{store.revive(ids)} wait for delivery again", file=sys.stderr)


if __name__ == "__main__":
    main()
