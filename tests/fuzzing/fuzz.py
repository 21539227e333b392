"""Fuzz one target with libFuzzer: `python -m tests.fuzzing.fuzz TARGET [libFuzzer's options and corpus folders]`.

Half of the inputs are changed byte by byte, and are mostly no JSON any more. The other half are changed as JSON: a
value somewhere in them becomes another one, goes, or comes a second time.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false, reportMissingModuleSource=false

import json
import random
import sys
from typing import Any, Final

import atheris

with atheris.instrument_imports(include=["statsig_segment"]):
    from tests.fuzzing.targets import TARGETS, words

WORDS: Final = sorted(words())
ATOMS: Final = (None, True, False, 0, -1, 1.5, 1e300, float("nan"), 10**30, "", "\ud800", "2026-01-02T03:04:05.678Z")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change an input: as JSON where it is JSON, and one time in two."""
    draw = random.Random(seed)
    if draw.random() < 0.5:
        try:
            root = [json.loads(data)]
            _change(root, draw)
            changed = json.dumps(root[0] if root else None).encode()
        except (ValueError, RecursionError):
            changed = b""
        if 0 < len(changed) <= max_size:
            return changed
    mutated: bytes = atheris.Mutate(data, max_size)
    return mutated


def _change(holder: Any, draw: random.Random) -> None:
    """Go down a random way, and change what is there."""
    places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    if not places:
        return
    place = draw.choice(places)
    if isinstance(holder[place], (dict, list)) and holder[place] and draw.random() < 0.8:
        _change(holder[place], draw)
    elif draw.random() < 0.2:
        del holder[place]
    elif isinstance(holder, dict) and draw.random() < 0.4:
        holder[draw.choice(WORDS)] = holder[place]
    elif isinstance(holder, list) and draw.random() < 0.4:
        holder.insert(place, holder[place])
    else:
        holder[place] = _value(draw)


def _value(draw: random.Random) -> Any:
    kind = draw.random()
    if kind < 0.4:
        return draw.choice(ATOMS)
    if kind < 0.7:
        return draw.choice(WORDS)
    if kind < 0.85:
        return [_value(draw) for _ in range(draw.randrange(4))]
    return {draw.choice(WORDS): _value(draw) for _ in range(draw.randrange(4))}


if __name__ == "__main__":
    _, name, *options = sys.argv
    atheris.Setup([sys.argv[0], *options], TARGETS[name], custom_mutator=mutate)
    atheris.Fuzz()
