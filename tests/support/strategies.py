"""Hypothesis strategies that only the tests of this library need; the others are in `statsig_segment.testing`."""

from __future__ import annotations

import enum
from collections import UserDict
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from tests.support.edits import nested
from tests.support.values import JsonObject

ATOMS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=12)
)
"""What JSON has beside arrays and objects."""

_WORDS = (
    *("undefined", "null", "nil", "none", "NaN", "true", "False", "0", "-1", "Unknown", "anonymous", "GUEST"),
    *("n/a", "(not set)", "not_authenticated", "distinct_id", "[object Object]", "0000", "--"),
    *("00000000-0000-0000-0000-000000000000", " ", '""', "' '"),
)
_CASES: tuple[Callable[[str], str], ...] = (str.lower, str.upper, str.title, str)
_PADDING = st.text(" \t\n\"'", max_size=2)

PLACEHOLDER_VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(_WORDS),
    st.tuples(
        _PADDING,
        st.tuples(st.sampled_from(_CASES), st.sampled_from(_WORDS)).map(lambda drawn: drawn[0](drawn[1])),
        _PADDING,
    ).map("".join),
    st.sampled_from((0, -1, 0.0, -0.0, -1.0)),
)
"""What ID-8 takes for a placeholder: words, zeros and blanks, in any case and any quotes."""


def nested_objects(keys: tuple[str, ...] = ("cart", "id", "cart_id", "total", "")) -> st.SearchStrategy[JsonObject]:
    """Make objects inside objects whose keys, joined by `_`, meet at times (US-7, `nested = "flatten"`)."""
    inner = st.recursive(
        ATOMS | st.lists(ATOMS, max_size=2),
        lambda held: st.dictionaries(st.sampled_from(keys), held, max_size=3),
        max_leaves=6,
    )
    return st.dictionaries(st.sampled_from(keys), inner, max_size=4)


DEEP_VALUES: st.SearchStrategy[Any] = st.builds(
    nested, st.integers(90, 110) | st.integers(90, 400), st.sampled_from(("[", "{", "[{")), ATOMS
)
"""Values inside so many objects and arrays that TR-5 cuts most of them."""


class _Text(str):
    """A string of a class of its own, as ORMs and template engines have them."""

    __slots__ = ()


class _Huge(int):
    """An integer of more digits than Python prints, that a failing test can still show."""

    def __repr__(self) -> str:
        return "_Huge(...)"


class _Plan(enum.Enum):
    """An enumeration, as applications have them."""

    GOLD = "gold"


def _in_itself(make: Callable[[], Any]) -> Any:
    """Make a container that contains itself."""
    whole = make()
    if make is dict:
        whole["self"] = whole
    else:
        whole.append(whole)
    return whole


def hostile_values() -> st.SearchStrategy[Any]:
    """Make Python values that JSON does not have, alone and inside lists and dicts, once they are drawn (TR-4).

    NaN and infinities, lone surrogates, bytes, dates, decimals, sets, objects, integers of thousands of digits, keys
    that are not strings, mappings and tuples that are not dicts and lists, containers that contain themselves, and
    values inside hundreds of lists. A payload that holds one gives a result or an error of our family, never anything
    else.
    """
    return st.deferred(_hostile_values)


def _hostile_values() -> st.SearchStrategy[Any]:
    alone = st.sampled_from(
        (
            *(float("nan"), float("inf"), float("-inf"), Decimal("1.5"), Decimal("NaN"), Fraction(1, 3)),
            *("\ud800", _Text("u1"), b"\xff", bytearray(b"a"), _Huge(10**5000), 1j, object(), ..., int, len),
            *(datetime(1970, 1, 1, tzinfo=UTC), date(2024, 3, 1), _Plan.GOLD, frozenset({1}), range(3)),
        )
    )
    containers = st.sampled_from((list, dict)).map(_in_itself) | st.sets(st.integers(), max_size=2)
    free = st.sampled_from(("plan", "value", "category", "groupId", "a.b", "id", "name")) | st.text(max_size=6)
    keys = st.one_of(free, st.integers(), st.sampled_from((b"key", None, ("a", 1), "\udfff", float("nan"))))
    return st.recursive(
        st.one_of(alone, containers, ATOMS, st.builds(nested, st.integers(95, 300), st.just("[{"), ATOMS)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.lists(inner, max_size=3).map(tuple),
            st.dictionaries(keys, inner, max_size=3),
            st.dictionaries(keys, inner, max_size=2).map(MappingProxyType),
            st.dictionaries(keys, inner, max_size=2).map(UserDict),
        ),
        max_leaves=6,
    )
