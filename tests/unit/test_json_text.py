"""Trees of JSON, copied, frozen and written: shallow ones take a fast way, deep and odd ones another, to one result."""

# Testing JSON for its exact type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.lookalikes import Lookup
from tests.support.lookalikes import Text as Name

from statsig_segment._javascript import float_text, json_text
from statsig_segment._values import FlatDict, FrozenDict, freeze, thaw

DEPTHS = (0, 1, 2, 14, 15, 16, 17, 18, 40)
"""Around the depth at which the fast way ends."""


class Ratio(float):
    """A float with a type of its own."""


def in_objects(inner: Any, depth: int) -> Any:
    for level in range(depth):
        inner = {f"before {level}": [level], "inner": inner, f"after {level}": {"text": f"t{level}"}}
    return inner


def in_arrays(inner: Any, depth: int) -> Any:
    for level in range(depth):
        inner = [f"before {level}", {"n": level}, inner, [f"after {level}"], None]
    return inner


def in_both(inner: Any, depth: int) -> Any:
    for level in range(depth):
        inner = {"list": [inner, level]} if level % 2 else [{"text": f"t{level}"}, inner, level]
    return inner


NESTINGS = pytest.mark.parametrize("nest", [in_objects, in_arrays, in_both])
TREES: dict[str, Any] = {
    "flat": {"text": "a", "int": 1, "true": True, "null": None},
    "mixed": {"empty": {}, "none": [], "both": [{"a": [1]}, {"b": {}}, "c"], "last": False},
    "strings": ["a", "b\n", 'c"', "é", "\U0001f600", ""],
}
ODD: dict[str, tuple[Callable[[], Any], Any]] = {
    "a date": (lambda: datetime(2024, 3, 1, tzinfo=UTC), None),
    "a string of its own type": (lambda: Name("plain"), "plain"),
    "a float of its own type": (lambda: Ratio(0.5), 0.5),
    "a mapping": (lambda: Lookup({"a": [1], Name("b"): Lookup({}), 3: "c"}), {"a": [1], "b": {}}),
    "a flat mapping": (lambda: Lookup({"a": 1, "b": "c"}), {"a": 1, "b": "c"}),
    "a key that is a number": (lambda: {1: "a", "b": {2: "c", "d": ["e"]}}, {"b": {"d": ["e"]}}),
    "a key that is null": (lambda: {None: {}, "b": 1}, {"b": 1}),
    "a key of its own type": (lambda: {Name("a"): [Name("b")], "c": (1,)}, {"a": ["b"], "c": [1]}),
    "tuples": (lambda: (("a", {"b": (1, [2])}), ()), [["a", {"b": [1, [2]]}], []]),
    "frozen": (lambda: FrozenDict({"a": FlatDict({"b": 1}), "c": ("d",)}), {"a": {"b": 1}, "c": ["d"]}),
}
"""What JSON lacks, and what is kept of it."""


def frozen_all_the_way(value: Any) -> bool:
    if isinstance(value, dict):
        return isinstance(value, FrozenDict) and all(map(frozen_all_the_way, value.values()))
    return not isinstance(value, list) and (not isinstance(value, tuple) or all(map(frozen_all_the_way, value)))


def plain_all_the_way(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(plain_all_the_way, value))
    if isinstance(value, dict):
        return type(value) is dict and all(type(key) is str and plain_all_the_way(item) for key, item in value.items())
    return type(value) in {str, int, float, bool, type(None)}


def listed(value: Any) -> Any:
    """Give a frozen tree with lists for tuples, to compare it."""
    if isinstance(value, tuple):
        return [listed(item) for item in value]
    return {key: listed(item) for key, item in value.items()} if isinstance(value, dict) else value


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@NESTINGS
@pytest.mark.parametrize("depth", DEPTHS)
class TestDepthMakesNoDifference:
    @pytest.mark.parametrize("name", TREES)
    def test_trees_are_frozen_thawed_and_written(self, name: str, depth: int, nest: Any) -> None:
        tree = nest(TREES[name], depth)
        frozen = freeze(tree)

        assert listed(frozen) == tree
        assert frozen_all_the_way(frozen)
        assert thaw(frozen) == thaw(tree) == tree
        assert plain_all_the_way(thaw(frozen))
        assert json_text(tree) == json_text(frozen) == (compact(tree), True)

    @pytest.mark.parametrize("name", ODD)
    def test_so_are_those_with_what_json_lacks(self, name: str, depth: int, nest: Any) -> None:
        make, kept = ODD[name]
        tree, expected = nest(make(), depth), nest(kept, depth)

        assert listed(freeze(tree)) == expected
        assert frozen_all_the_way(freeze(tree))
        assert thaw(tree) == expected
        assert plain_all_the_way(thaw(tree))
        assert json_text(tree) == (compact(expected), True)

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_numbers_that_json_lacks_are_written_as_null_and_told(self, number: float, depth: int, nest: Any) -> None:
        assert json_text(nest([number, 1], depth)) == (compact(nest([None, 1], depth)), False)

    def test_a_lone_surrogate_is_escaped(self, depth: int, nest: Any) -> None:
        tree = nest({"\udfff": "a\ud800b"}, depth)

        assert json_text(tree) == (
            compact(nest({"HIGH": "LOW"}, depth)).replace("HIGH", "\\udfff").replace("LOW", "a\\ud800b"),
            True,
        )

    def test_what_contains_itself_is_null_there(self, depth: int, nest: Any) -> None:
        ring: list[Any] = ["a"]
        ring.append({"ring": ring, "b": 1})
        expected = nest(["a", {"ring": None, "b": 1}], depth)

        assert listed(freeze(nest(ring, depth))) == expected
        assert thaw(nest(ring, depth)) == expected
        assert json_text(nest(ring, depth)) == (compact(expected), True)

    def test_what_stands_twice_is_no_ring(self, depth: int, nest: Any) -> None:
        odd = Lookup({"a": [{}]})
        tree = nest([odd, {"again": odd}, [odd], odd], depth)
        expected = nest([{"a": [{}]}, {"again": {"a": [{}]}}, [{"a": [{}]}], {"a": [{}]}], depth)

        assert listed(freeze(tree)) == expected
        assert thaw(tree) == expected
        assert json_text(tree) == (compact(expected), True)


class TestCopies:
    def test_an_object_of_atoms_alone_is_known_as_such(self) -> None:
        frozen = freeze({"a": {"b": 1}, "c": [{"d": None}]})

        assert type(frozen) is FrozenDict
        assert type(frozen["a"]) is FlatDict
        assert type(frozen["c"][0]) is FlatDict

    @pytest.mark.parametrize("depth", DEPTHS)
    def test_nothing_is_shared_with_what_was_thawed(self, depth: int) -> None:
        tree = in_both({"a": [1]}, depth)
        copy = thaw(tree)
        theirs, ours = tree, copy
        while isinstance(theirs, list | dict):
            assert ours is not theirs
            theirs, ours = next(
                (pair for pair in zip(values(theirs), values(ours), strict=True) if isinstance(pair[0], list | dict)),
                (None, None),
            )

    def test_what_is_frozen_already_is_not_copied(self) -> None:
        frozen = freeze({"a": {"b": [1]}})

        assert freeze(frozen) is frozen


def values(container: Any) -> list[Any]:
    return list(container.values()) if isinstance(container, dict) else list(container)


class TestFloats:
    @pytest.mark.parametrize(
        ("number", "text"),
        [
            # From a JavaScript engine: String(number)
            (0.0, "0"),
            (-0.0, "0"),
            (9.25, "9.25"),
            (-9.5, "-9.5"),
            (5.0, "5"),
            (0.0001, "0.0001"),
            (0.00001, "0.00001"),
            (0.000012, "0.000012"),
            (0.000001, "0.000001"),
            (-0.0000012, "-0.0000012"),
            (1e-7, "1e-7"),
            (-1.5e-7, "-1.5e-7"),
            (1.25e-10, "1.25e-10"),
            (1e16, "10000000000000000"),
            (1.5e16, "15000000000000000"),
            (-1.2345678901234567e19, "-12345678901234567000"),
            (1e20, "100000000000000000000"),
            (123456789012345680000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (-1e21, "-1e+21"),
            (1.5e21, "1.5e+21"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (float("nan"), None),
            (float("inf"), None),
        ],
    )
    def test_they_are_printed_as_javascript_prints_them(self, number: float, text: str | None) -> None:
        assert float_text(number) == text
