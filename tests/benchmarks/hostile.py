"""Hostile shapes: how the time per byte grows from small to large, beside one bare copy of the same objects.

Linear work need not give 1: 10 MB fit in no cache, and their objects come from fresh pages of memory. What that costs
alone shows in the least work on the same payload: one copy of the objects, or `json.loads` of the text. So a figure is
our growth over the growth of that; where the least work does not grow at all, our growth alone.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import attrs
from tests.benchmarks.figures import Figure, single
from tests.benchmarks.timing import cpu_ns, each, frozen_heap

from statsig_segment import (
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    StatsigSegmentError,
    log_events,
    split_segment_batch,
)

JsonObject = dict[str, Any]
Run = Callable[[Any], object]

SECONDS: Final = 90.0
SMALL: Final = 10_000
LARGE: Final = 10_000_000
_GOAL: Final = 2.0
PLAIN: Final = IntegrationConfig()
FLATTEN: Final = IntegrationConfig(inbound=InboundConfig(nested="flatten"))


def _track(properties: JsonObject) -> JsonObject:
    return {"type": "track", "event": "e", "userId": "u", "properties": properties}


# -- Shapes of one dimension, of about so many bytes of JSON -----------------------------------------------------------


def wide(size: int) -> JsonObject:
    return _track({f"key{index:07}": index if index % 2 else f"v{index}" for index in range(size // 20)})


def dotted(size: int) -> JsonObject:
    return _track({f"key.{index:07}": "value" for index in range(size // 22)})


def array(size: int) -> JsonObject:
    return _track({"list": [index / 4 if index % 2 else f"v{index}" for index in range(size // 10)]})


def objects(size: int) -> JsonObject:
    return _track({"list": [{"name": f"v{index}", "price": index, "sold": True} for index in range(size // 42)]})


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
    ids = [part for index in range(size // 24) for part in (f"type{index:06}", f"id{index}")]
    return _track({"statsigCustomIDs": ids})


def broken_pairs(size: int) -> JsonObject:
    return _track({"statsigCustomIDs": [part for index in range(size // 20) for part in (f"type{index:06}", None)]})


def repeated_pairs(size: int) -> JsonObject:
    return _track({"statsigCustomIDs": ["companyID", "c1"] * (size // 17)})


def custom(size: int) -> JsonObject:
    return _track({"statsigCustom": [part for index in range(size // 26) for part in (f"name{index:06}", [index])]})


# -- Shapes of two dimensions: both grow -------------------------------------------------------------------------------

_ROWS: Final = 1_000


def _long_name(index: int) -> str:
    """Name an ID type as long as the library still compares with the declared ones."""
    return f"{index:07}" + "-x" * 450


def unknown_types(size: int) -> JsonObject:
    ids = [part for index in range(size // 24) for part in (f"type-{index:06}", f"id{index}")]
    return _track({"statsigCustomIDs": ids})


def long_unknown_types(size: int) -> JsonObject:
    return _track({"statsigCustomIDs": [part for index in range(size // 910) for part in (_long_name(index), "id")]})


def _declaring(names: list[str]) -> IntegrationConfig:
    return IntegrationConfig(inbound=InboundConfig(id_types=names))


def envelope(size: int) -> JsonObject:
    """Let the context of an envelope grow with its items, until it is refused."""
    context = {f"key{index:06}": f"v{index}" for index in range(size // 50)}
    return {"context": context, "batch": [{"type": "track", "event": "e"} for _ in range(size // 60)]}


def shared_context(size: int) -> JsonObject:
    """Let the items alone grow, each of which gets a copy of the context."""
    return envelope(4_000) | {"batch": [{"type": "track", "event": "e"} for _ in range(size // 30)]}


def flattened_names(size: int) -> JsonObject:
    """Let a name grow with the leaves under it."""
    return _track({"n" * (size // 2): {f"leaf{index:06}": "v" for index in range(size // 40)}})


def flattened_levels(size: int) -> JsonObject:
    """Put leaves on every one of forty levels, whose names join."""
    tree: JsonObject = {}
    for _ in range(40):
        tree = {f"leaf{index:06}": "v" for index in range(size // 800)} | {"level": tree}
    return _track(tree)


# -- The work, and the least work on the same payload ------------------------------------------------------------------


def translate_one(payload: Any, config: IntegrationConfig = PLAIN) -> None:
    """Go the whole way; a rejection is an answer too."""
    for _ in log_events([payload], config):
        pass


def split(payload: Any) -> None:
    """Split an envelope, and drop the items as they come."""
    try:
        for _ in split_segment_batch(payload):
            pass
    except StatsigSegmentError:
        return


def bare_copy(payload: Any) -> Any:
    """Copy the objects and arrays of a payload, with a stack: a hostile one may be deeper than Python recurses."""
    root: list[Any] = [payload]
    copies: list[dict[Any, Any] | list[Any]] = [root]
    while copies:
        holder = copies.pop()
        places: list[tuple[Any, Any]] = list(holder.items() if type(holder) is dict else enumerate(holder))
        for key, value in places:
            if type(value) is dict or type(value) is list:
                holder[key] = value.copy()
                copies.append(holder[key])
    return root[0]


def read_json(line: str) -> None:
    """Decode alone, for the least work on text."""
    try:
        json.loads(line)
    except RecursionError:
        return


@attrs.frozen
class Shape:
    """A shape: what it is called, how it is made, what is done with it, and up to which size."""

    label: str
    make: Callable[[int], JsonObject]
    run: Callable[[int], Run] = attrs.field(default=lambda _: translate_one)
    """Gives the work for a payload of a size, since the configuration may grow with it."""
    large: int = LARGE


def _flatten(_: int) -> Run:
    return partial(translate_one, config=FLATTEN)


def _split(_: int) -> Run:
    return split


SHAPES: Final[dict[str, Shape]] = {
    "wide": Shape("a wide object", wide),
    "dotted": Shape("a wide object, an issue for every key", dotted),
    "array": Shape("a long array", array),
    "objects": Shape("a long array of objects", objects),
    "text": Shape("long strings", text),
    "quoted": Shape("a long string of quotes and escapes", quoted),
    "deep": Shape("deep nesting", deep),
    "pairs": Shape("custom ID pairs", pairs),
    "broken_pairs": Shape("custom ID pairs, all broken", broken_pairs),
    "repeated_pairs": Shape("custom ID pairs, one name", repeated_pairs),
    "custom": Shape("custom pairs of arrays", custom),
    "unknown_types": Shape(
        "unknown ID types x declared ones",
        unknown_types,
        lambda size: partial(translate_one, config=_declaring([f"other{index}" for index in range(size // 100)])),
    ),
    "long_unknown_types": Shape(
        "the same, 900 characters long each",
        long_unknown_types,
        lambda size: partial(
            translate_one, config=_declaring([f"_{_long_name(index).upper()}" for index in range(size // 910)])
        ),
    ),
    "envelope": Shape("context x items of an envelope, until refused", envelope, _split),
    "shared_context": Shape("items of an envelope with 2 KB of context", shared_context, _split, LARGE // 10),
    "flattened_names": Shape("flattened: length of a name x leaves", flattened_names, _flatten),
    "flattened_levels": Shape("flattened: levels x leaves", flattened_levels, _flatten),
}


# -- Growth ------------------------------------------------------------------------------------------------------------


def _cost(run: Run, payload: Any, times: int) -> float:
    with frozen_heap():
        return cpu_ns(partial(each, run, [payload] * times)) / times


def _growth(run: Callable[[int], Run], least: Run, make: Callable[[int], Any], small: int, large: int) -> float:
    """Give how much more a unit of size costs at the large size, beyond what the least work on it costs more."""
    few, many = make(small), make(large)
    repeats = max(1, large // small // 10)
    own = _cost(run(large), many, 1) / _cost(run(small), few, repeats)
    bare = _cost(least, many, 1) / _cost(least, few, repeats)
    return own / max(bare, large / small)


def _encode(payload: JsonObject) -> str:
    """Write JSON; a tree too deep for the encoder by hand."""
    try:
        return json.dumps(payload, separators=(",", ":"))
    except RecursionError:
        levels, tree = 0, payload["properties"]["tree"]
        while tree:
            levels, tree = levels + 1, tree["key0123456"]
        shell = json.dumps(_track({"tree": 0}), separators=(",", ":"))
        return shell.replace("0", '{"key0123456":' * levels + "{}" + "}" * levels)


def _shape(key: str, large: int) -> list[Figure]:
    shape = SHAPES[key]
    most = min(large, shape.large)

    def as_text(size: int) -> str:
        return _encode(shape.make(size))

    ways = (("object", "objects", bare_copy, shape.make), ("text", "text", read_json, as_text))
    return [
        single(
            f"{key}_{way}",
            f"{shape.label}, as {how}",
            _growth(shape.run, least, make, SMALL, most),
            unit="x",
            at_most=_GOAL,
        )
        for way, how, least, make in ways
    ]


# -- Rows of the configuration -----------------------------------------------------------------------------------------


def _plain_rows(count: int) -> Any:
    return _track({}) | {f"field{index}": f"v{index}" for index in range(count)}


def _dotted_rows(count: int) -> Any:
    return _track({}) | {"context": {f"key{index}": {"id": f"v{index}"} for index in range(count)}}


def _unreadable(count: int) -> Any:
    return _track({}) | {"context": {f"key{index}": {"id": object()} for index in range(count)}}


def _mapping(field: str) -> Callable[[int], Run]:
    def run(count: int) -> Run:
        rows = [IdMapping(field=field.format(index), id_type=f"type{index}") for index in range(count)]
        return partial(translate_one, config=IntegrationConfig(inbound=InboundConfig(id_mappings=rows)))

    return run


_ROW_SHAPES: Final = {
    "mappings": (f"{_ROWS:,} mappings against 10, each mapping", "field{}", _plain_rows),
    "paths": ("the same with dotted paths x keys of the context", "context.key{}.id", _dotted_rows),
    "losses": ("the same x values that JSON does not have", "context.key{}.id", _unreadable),
}


def _rows() -> list[Figure]:
    return [
        single(key, label, _growth(_mapping(field), bare_copy, make, 10, _ROWS), unit="x", at_most=_GOAL)
        for key, (label, field, make) in _ROW_SHAPES.items()
    ]


def measure(seconds: float) -> list[Figure]:
    """Measure the section; the shorter time goes to a tenth of the size."""
    large = LARGE // 10 if seconds < SECONDS else LARGE
    return [figure for key in SHAPES for figure in _shape(key, large)] + _rows()
