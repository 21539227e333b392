"""Hostile shapes: time per byte at 10 MB against 10 KB, as objects and as text.

Linear work gives 1, but 10 MB fit no cache, and their objects come of fresh pages of memory. How much that costs is
told by the least work on the same payload: one copy of the objects, and plain `json.loads` of the text.
"""

import json
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, Final

import attrs
from tests.benchmarks.figures import Figure, rounded, spread
from tests.benchmarks.timing import cpu_ns, each, frozen_heap

from statsig_segment import (
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    StatsigSegmentError,
    to_log_event,
    translate,
)

JsonObject = dict[str, Any]

SMALL: Final = 10_000
LARGE: Final = 10_000_000
PLAIN: Final = IntegrationConfig()


def _track(properties: JsonObject) -> JsonObject:
    return {"type": "track", "event": "e", "userId": "u", "properties": properties}


# -- The shapes, of about so many bytes of JSON ------------------------------------------------------------------------


def wide(size: int) -> JsonObject:
    return _track({f"key{at:07}": at if at % 2 else f"v{at}" for at in range(size // 20)})


def dotted(size: int) -> JsonObject:
    return _track({f"key.{at:07}": "value" for at in range(size // 22)})


def array(size: int) -> JsonObject:
    return _track({"list": [at / 4 if at % 2 else f"v{at}" for at in range(size // 10)]})


def objects(size: int) -> JsonObject:
    return _track({"list": [{"name": f"v{at}", "price": at, "sold": True} for at in range(size // 42)]})


def text(size: int) -> JsonObject:
    return _track({"text": "x" * size, "value": "é" * (size // 2)})


def quoted(size: int) -> JsonObject:
    return _track({"texts": ['"\\\n' * (size // 6)]})


def deep(size: int) -> JsonObject:
    tree: JsonObject = {}
    for _ in range(size // 16):
        tree = {"key0123456": tree}
    return _track({"tree": tree})


def pairs(size: int) -> JsonObject:
    return _track({"statsigCustomIDs": [text for at in range(size // 24) for text in (f"type{at:06}", f"id{at}")]})


def broken_pairs(size: int) -> JsonObject:
    return _track({"statsigCustomIDs": [part for at in range(size // 20) for part in (f"type{at:06}", None)]})


def repeated_pairs(size: int) -> JsonObject:
    return _track({"statsigCustomIDs": ["companyID", "c1"] * (size // 17)})


def custom(size: int) -> JsonObject:
    return _track({"statsigCustom": [part for at in range(size // 26) for part in (f"name{at:06}", [at])]})


# -- The least work on them --------------------------------------------------------------------------------------------


def copy_object(payload: JsonObject) -> None:
    {key: str(value) for key, value in payload["properties"].items()}


def write_json(payload: JsonObject) -> None:
    json.dumps(payload["properties"], ensure_ascii=False)


def copy_tree(payload: JsonObject) -> None:
    levels: list[JsonObject] = []
    tree = payload["properties"]["tree"]
    while tree:
        tree = tree["key0123456"]
        levels.append({"key0123456": tree})


def pair_up(payload: JsonObject) -> None:
    (elements,) = payload["properties"].values()
    dict(zip(elements[::2], elements[1::2], strict=True))


Shape = tuple[str, Callable[[int], JsonObject], Callable[[Any], None]]
"""What it is called, how to make it, and the least work on it."""

SHAPES: Final[dict[str, Shape]] = {
    "wide": ("a wide object", wide, copy_object),
    "dotted": ("a wide object, an issue for every key", dotted, copy_object),
    "array": ("a long array", array, write_json),
    "objects": ("a long array of objects", objects, write_json),
    "text": ("long strings", text, write_json),
    "quoted": ("a long string of quotes and escapes", quoted, write_json),
    "deep": ("deep nesting", deep, copy_tree),
    "pairs": ("custom ID pairs", pairs, pair_up),
    "broken_pairs": ("custom ID pairs, all broken", broken_pairs, pair_up),
    "repeated_pairs": ("custom ID pairs, one name", repeated_pairs, pair_up),
    "custom": ("custom pairs of arrays", custom, pair_up),
}


# -- Cost against size -------------------------------------------------------------------------------------------------


def run(payload: Any, config: IntegrationConfig = PLAIN) -> None:
    """Go the whole way; our own errors are an answer too."""
    try:
        outcome = translate(payload, config)
    except StatsigSegmentError:
        return
    if isinstance(outcome, StatsigEvent):
        to_log_event(outcome)


Work = tuple[Callable[[Any], object], Any, float]
"""What is called, with what, and its size."""


def cost_by_size(make: Callable[[int], Work], sizes: list[int], rounds: int) -> list[list[float]]:
    """Give nanoseconds per unit of size: a list of rounds for each size; within a round all sizes do as much work."""
    found: list[list[float]] = [[] for _ in sizes]
    for _ in range(rounds):
        for costs, size in zip(found, sizes, strict=True):
            costs.append(_cost(make(size), max(1, sizes[-1] // size // 10)))
    return found


def _cost(task: Work, times: int) -> float:
    function, payload, size = task
    with frozen_heap():
        return cpu_ns(partial(each, function, [payload] * times)) / times / size


def _growth(key: str, label: str, costs: list[list[float]], sizes: list[int], goal: float | None) -> Figure:
    figure = spread(key, label, [last / first for first, last in zip(costs[0], costs[-1], strict=True)], goal=goal)
    points = tuple((float(size), rounded(median(values))) for size, values in zip(sizes, costs, strict=True))
    return attrs.evolve(figure, points=points)


def _as_object(function: Callable[[Any], object], make: Callable[[int], JsonObject], size: int) -> Work:
    return function, make(size), size


def _as_text(function: Callable[[Any], object], make: Callable[[int], JsonObject], size: int) -> Work:
    encoded = _encode(make(size))
    return function, encoded, len(encoded)


def _encode(payload: JsonObject) -> str:
    """Write JSON; what is nested too deep for the encoder is written by hand."""
    try:
        return json.dumps(payload, separators=(",", ":"))
    except RecursionError:
        levels, tree = 0, payload["properties"]["tree"]
        while tree:
            levels, tree = levels + 1, tree["key0123456"]
        shell = json.dumps(_track({"tree": 0}), separators=(",", ":"))
        return shell.replace("0", '{"key0123456":' * levels + "{}" + "}" * levels)


def _read(line: str) -> None:
    try:
        json.loads(line)
    except RecursionError:
        return


def _shape(key: str, sizes: list[int], rounds: int) -> list[Figure]:
    label, make, least = SHAPES[key]
    ways: tuple[tuple[str, str, Callable[[int], Work], float | None], ...] = (
        ("object", "as objects", partial(_as_object, run, make), 2.0),
        ("least", "one copy", partial(_as_object, least, make), None),
        ("text", "as text", partial(_as_text, run, make), 2.0),
        ("json", "json.loads alone", partial(_as_text, _read, make), None),
    )
    return [
        _growth(f"{key}_{way}", f"{label}, {how}", cost_by_size(work, sizes, rounds), sizes, goal)
        for way, how, work, goal in ways
    ]


# -- Mappings ----------------------------------------------------------------------------------------------------------


def _mappings(count: int) -> Work:
    rows = [IdMapping(field=f"field{at}", id_type=f"type{at}") for at in range(count)]
    config = IntegrationConfig(inbound=InboundConfig(id_mappings=rows))
    payload = _track({}) | {f"field{at}": f"v{at}" for at in range(count)}
    return partial(run, config=config), payload, count


def measure(seconds: float) -> list[Figure]:
    """Measure the section; the shorter time goes to a tenth of the size."""
    quick = seconds < SECONDS
    sizes = [SMALL, SMALL * 10, SMALL * 100] if quick else [SMALL, SMALL * 10, SMALL * 100, LARGE]
    rounds = 1 if quick else 3
    figures = [figure for key in SHAPES for figure in _shape(key, sizes, rounds)]
    counts = [10, 100, 1000, 10_000]
    costs = cost_by_size(_mappings, counts, rounds)
    return [*figures, _growth("mappings", "10,000 mappings against 10, each mapping, as objects", costs, counts, 2.0)]


SECONDS: Final = 150.0
