"""Hypothesis strategies that only the tests of this library need; the others are in `statsig_segment.testing`."""

from __future__ import annotations

from collections.abc import Callable
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
