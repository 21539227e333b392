"""Work and memory grow with the sum of two dimensions of a call, and not with their product (TR-4).

Each pair is measured twice, the second time with both dimensions four times as large: what is linear takes four times
as much, a product sixteen times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest
from tests.support.counting import count, peak_memory
from tests.support.sizes import small_and_large

from statsig_segment import (
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    StatsigEvent,
    explain,
)
from statsig_segment.configuration.filters import FieldFilter
from statsig_segment.inbound.translate import reference_outcome

_TIMES: Final = 4
_MOST: Final = 1.6 * _TIMES


def _by_default(_first: int, _second: int) -> InboundConfig:
    return InboundConfig()


@attrs.frozen
class Pair:
    """Two dimensions, and the call and configuration that have them."""

    sizes: tuple[int, int]
    call: Callable[[int, int], dict[str, Any]]
    config: Callable[[int, int], InboundConfig] = _by_default


def _track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "a", "userId": "u1", **fields}


def _deep(items: int, levels: int = 99) -> Any:
    value: Any = [[] for _ in range(items)]
    for _ in range(levels - 1):
        value = [value]
    return value


def _rows(count: int, field: str) -> list[IdMapping]:
    return [IdMapping(field=field.format(index), id_type=f"type{index}") for index in range(count)]


def _items(count: int) -> dict[str, Any]:
    return _track(context={"items": [{"type": f"t{index}", "id": f"i{index}"} for index in range(count)]})


PAIRS: Final[dict[str, Pair]] = {
    "length of a property's name x values that are too deep": Pair(
        (2_000, 100), lambda length, values: _track(properties={"K" * length: _deep(values)})
    ),
    "length of a property's name x values that JSON does not have": Pair(
        (2_000, 100), lambda length, values: _track(properties={"K" * length: [object()] * values})
    ),
    "length of a trait's name x values that are too deep": Pair(
        (2_000, 100),
        lambda length, values: {"type": "group", "userId": "u1", "traits": {"K" * length: _deep(values)}},
    ),
    "length of a property's name x objects with values that JSON does not have": Pair(
        (2_000, 100), lambda length, values: _track(properties={"K" * length: [{"k": object()}] * values})
    ),
    "length of a property's name x keys that JSON does not have": Pair(
        (2_000, 100),
        lambda length, values: _track(properties={"K" * length: {f"k{at}": object() for at in range(values)}}),
    ),
    "selectors x items of the array": Pair(
        (20, 100),
        lambda _, items: _items(items),
        lambda rows, _: InboundConfig(id_mappings=_rows(rows, "context.items[type=none{}].id")),
    ),
    "keys of selectors x items of the array": Pair(
        (20, 100),
        lambda _, items: _items(items),
        lambda rows, _: InboundConfig(id_mappings=_rows(rows, "context.items[key{}=none].id")),
    ),
    "custom fields with selectors x items of the array": Pair(
        (20, 100),
        lambda _, items: _items(items),
        lambda rows, _: InboundConfig(
            custom_fields={f"c{row}": f"context.items[type=none{row}].id" for row in range(rows)},
            metadata_fields={f"m{row}": f"context.items[type=none{row}].id" for row in range(rows)},
        ),
    ),
    "filters with selectors x items of the array": Pair(
        (20, 100),
        lambda _, items: _items(items),
        lambda rows, _: InboundConfig(
            filters=InboundFilter(
                drop_where=[
                    FieldFilter(field=f"context.items[type=none{row}].id", matches=["x"]) for row in range(rows)
                ]
            )
        ),
    ),
    "mappings x values that JSON does not have": Pair(
        (20, 100),
        lambda _, values: _track(context={f"k{at}": object() for at in range(values)}),
        lambda rows, _: InboundConfig(id_mappings=_rows(rows, "context.k{}.id")),
    ),
    "custom IDs x declared ID types": Pair(
        (50, 50),
        lambda pairs, _: _track(
            properties={"statsigCustomIDs": [part for at in range(pairs) for part in (f"own{at}", f"v{at}")]}
        ),
        lambda _, declared: InboundConfig(id_types=[f"type{at}" for at in range(declared)]),
    ),
}


def _reference(payload: Any, config: InboundConfig) -> None:
    assert isinstance(reference_outcome(payload, config, 0, None), StatsigEvent)


def _explain(payload: Any, config: InboundConfig) -> None:
    assert isinstance(explain(payload, IntegrationConfig(inbound=config)).result, StatsigEvent)


@pytest.mark.parametrize("run", [_reference, _explain], ids=["translated", "explained"])
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("scale", small_and_large(1, 10))
class TestTR4Products:
    def growth(self, name: str, run: Any, scale: int, measured: Callable[[Callable[[], object]], float]) -> float:
        pair = PAIRS[name]
        costs: list[float] = []
        for times in (scale, _TIMES * scale):
            sizes = tuple(size * times for size in pair.sizes)
            payload, config = pair.call(*sizes), pair.config(*sizes)
            run(payload, config)  # what is made once and kept is no part of the cost
            costs.append(measured(lambda payload=payload, config=config: run(payload, config)))  # type: ignore[misc]
        return costs[1] / costs[0]

    def test_work_grows_with_their_sum(self, scale: int, name: str, run: Any) -> None:
        assert self.growth(name, run, scale, lambda work: count(work).bytecodes) < _MOST

    def test_memory_grows_with_their_sum(self, scale: int, name: str, run: Any) -> None:
        assert self.growth(name, run, scale, peak_memory) < _MOST
