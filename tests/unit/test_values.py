"""Trees of JSON: frozen, thawed, copied and written as JavaScript writes them."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

import pytest
from tests.support.lookalikes import Lookup
from tests.support.lookalikes import Text as Name

from statsig_segment._json.javascript import float_text, json_text
from statsig_segment._json.values import DEPTH, codes_of, freeze, read_tree, thaw, unshare
from statsig_segment.segment.placeholders import PADDING


class Level(IntEnum):
    HIGH = 3


class Plan(Enum):
    PRO = "pro"


class Row(list[Any]):
    """A list with a type of its own."""


class Hostile:
    """An object that fails whatever it is asked."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError


class HostileMapping(Lookup):
    """A mapping that fails when it is read."""

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError


class HugeMapping(Lookup):
    """A mapping that needs more memory than there is."""

    def __iter__(self) -> Iterator[Any]:
        raise MemoryError


READ: dict[str, tuple[Any, Any]] = {
    "a string of its own type": (Name("plain"), "plain"),
    "an enum": (Plan.PRO, "pro"),
    "an enum of numbers": (Level.HIGH, 3),
    "a moment": (datetime(2024, 3, 1, 11, 34, tzinfo=UTC), "2024-03-01T11:34:00+00:00"),
    "a moment with an odd offset": (
        datetime(1910, 1, 1, tzinfo=timezone(timedelta(seconds=1172))),
        "1909-12-31T23:40:28+00:00",
    ),
    "a date": (date(2024, 3, 1), "2024-03-01"),
    "a decimal": (Decimal("12.50"), 12.5),
    "a whole decimal": (Decimal(12345678901234567890), 12345678901234567890),
    "a huge decimal": (Decimal("1E+5000"), float("inf")),
    "a fraction": (Fraction(1, 4), 0.25),
    "a UUID": (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    "a list of its own type": (Row(["a", 1]), ("a", 1)),
    "a set": ({"b", "a"}, ("a", "b")),
    "a mapping": (Lookup({"a": [1], Name("b"): Lookup({}), 3: "c"}), {"a": (1,), "b": {}}),
    "keys that are not strings": ({1: "a", None: 2, "b": 3}, {"b": 3}),
    "tuples": (("a", {"b": (1, [2])}), ("a", {"b": (1, (2,))})),
}
"""What Python has beyond JSON, and what it is read as (IN-10)."""


def nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


class TestFreezing:
    @pytest.mark.parametrize("name", READ)
    def test_what_python_has_beyond_json_is_read(self, name: str) -> None:
        given, expected = READ[name]

        assert read_tree({"x": [given]}) == ({"x": (expected,)}, None)

    @pytest.mark.parametrize("make", [object, lambda: b"bytes", Hostile, lambda: HostileMapping({"a": 1}), lambda: 1j])
    def test_anything_else_is_lost_with_its_place(self, make: Callable[[], Any]) -> None:
        given = make()

        assert read_tree({"x": given, "y": [given], "z": 1}) == (
            {"y": (None,), "z": 1},
            {"x": "not_json", "y": {0: "not_json"}},
        )

    def test_a_lack_of_memory_is_not_a_loss(self) -> None:
        with pytest.raises(MemoryError):
            freeze({"x": HugeMapping({"a": 1})})

    def test_a_key_of_a_type_of_its_own_becomes_an_exact_string(self) -> None:
        assert [type(key) for key in freeze({Name("a"): 1})] == [str]

    def test_depth_is_bounded(self) -> None:
        (deep, nothing), (too_deep, lost) = read_tree(nested(DEPTH)), read_tree(nested(DEPTH + 1))

        assert deep != too_deep
        assert (nothing, list(codes_of(lost))) == (None, ["too_deep"])

    def test_what_contains_itself_is_null_there(self) -> None:
        ring: list[Any] = ["a"]
        ring.append({"ring": ring, "b": 1})
        read, lost = read_tree(ring)

        assert read == ("a", {"ring": None, "b": 1})
        assert thaw(lost) == {1: {"ring": "too_deep"}}

    def test_what_stands_twice_is_not_a_ring(self) -> None:
        shared: list[Any] = [{}]

        assert freeze({"a": shared, "b": shared}) == {"a": ({},), "b": ({},)}

    def test_of_an_array_the_first_loss_of_each_kind_is_kept(self) -> None:
        items = [object(), "a", object(), nested(DEPTH + 1), nested(DEPTH + 2), {"b": object()}, object()]
        lost: Any = read_tree(items)[1]

        assert list(lost) == [0, 3, 4, 5]
        assert list(codes_of(lost)) == ["not_json", "too_deep"]


class TestCopies:
    def test_thawing_gives_fresh_dicts_and_lists(self) -> None:
        frozen = freeze({"a": [1, {"b": None}]})
        thawed = thaw(frozen)

        assert (thawed, type(thawed), type(thawed["a"][1])) == ({"a": [1, {"b": None}]}, dict, dict)
        assert thaw(frozen)["a"] is not thawed["a"]

    def test_unsharing_keeps_what_json_does_not_have(self) -> None:
        day = date(2024, 3, 1)
        given = {"a": (day, {1: "x"})}
        copy = unshare(given)

        assert copy == {"a": [day, {1: "x"}]}
        assert copy["a"][1] is not given["a"][1]

    def test_unsharing_keeps_a_mapping_that_fails_as_it_is(self) -> None:
        hostile = HostileMapping({"a": 1})

        assert unshare({"x": hostile})["x"] is hostile

    def test_unsharing_keeps_every_level(self) -> None:
        copy = unshare(nested(50_000))

        for _ in range(50_000):
            (copy,) = copy
        assert copy == "deep"


class TestText:
    @pytest.mark.parametrize(
        "tree", [{"text": "a", "int": 1, "true": True, "null": None}, ["a", "b\n", 'c"', "é", "\U0001f600", "", {}, []]]
    )
    def test_a_tree_is_written_compactly(self, tree: Any) -> None:
        text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))

        assert json_text(tree) == json_text(freeze(tree)) == (text, True)

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_a_number_that_is_not_finite_is_null(self, number: float) -> None:
        assert json_text({"a": [number, 1]}) == ('{"a":[null,1]}', False)

    def test_a_lone_surrogate_is_escaped(self) -> None:
        assert json_text({"\udfff": "a\ud800b"}) == ('{"\\udfff":"a\\ud800b"}', True)


def test_the_padding_of_placeholders_is_all_white_space_and_quotes() -> None:
    assert set(PADDING) == {chr(code) for code in range(0x110000) if chr(code).isspace()} | set("\"'")


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
