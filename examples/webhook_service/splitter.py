"""Splits the bodies that were accepted into messages, in the order in which they came."""

from __future__ import annotations

from typing import Final

from .intake import split
from .rounds import GATHER_S, IDLE_S
from .store import Arrived, Kept, Store

_MOST_BODIES: Final = 500
_MOST_BYTES: Final = 500_000  # of bodies that are read at a time
_MOST_MESSAGES: Final = 500  # in a transaction: whoever accepts bodies waits for its end


def split_next(store: Store) -> float:
    """Split the bodies that come next, and say how long to wait for more."""
    bodies = store.bodies(_MOST_BODIES, _MOST_BYTES)
    messages: list[tuple[Kept, Arrived]] = []
    done: list[Kept] = []
    for body in bodies:
        for message in split(body):
            messages.append((body, message))
            if len(messages) == _MOST_MESSAGES:
                store.split(messages, done)
                messages, done = [], []
        done.append(body)
    if not bodies:
        return IDLE_S
    store.split(messages, done)
    is_full = len(bodies) == _MOST_BODIES or sum(len(body.content) for body in bodies) > _MOST_BYTES // 2
    return 0.0 if is_full else GATHER_S
