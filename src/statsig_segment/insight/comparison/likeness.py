"""When a value that Statsig holds may be the one that a call has: exports write numbers as text, and trim.

Statsig's warehouse has every number as text, and Statsig cuts or drops what is over its limits. Neither says anything
about the configuration, so neither counts as a difference here.
"""

from collections.abc import Mapping
from typing import Any, Final

from statsig_segment._json.javascript import property_texts
from statsig_segment._json.values import freeze
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.statsig.limits import is_too_large

_TRIMMED_FROM: Final = 64
"""Statsig's pages name limits of 64 and of 128 characters, so no text is trimmed to less than the smaller one."""


def texts_of(value: Any) -> frozenset[str]:
    """Return the texts that a value may have become: as an ID and as metadata (IN-4, US-7); none for null.

    >>> sorted(texts_of(1e21)), sorted(texts_of(True)), sorted(texts_of(None))
    (['1000000000000000000000', '1e+21'], ['true'], [])
    """
    if type(value) is str:
        return frozenset((value,) if value else ())
    frozen = freeze(value)
    try:
        texts, _ = property_texts({"": frozen})
        return frozenset(filter(None, (coerce_id(frozen), texts.get(""))))
    except StatsigSegmentError:  # a number that is too long to print
        return frozenset()


def are_alike(one: Any, two: Any) -> bool:
    """Return whether two values are equal, compared as text if necessary.

    >>> are_alike(9.5, "9.5"), are_alike(True, 1), are_alike(None, "null"), are_alike(5, 5.0)
    (True, False, False, True)
    """
    if one is None or two is None:
        return one is two
    if type(one) is type(two):
        return bool(one == two)
    return not texts_of(one).isdisjoint(texts_of(two))


def is_trimmed(whole: Any, part: Any) -> bool:
    """Return whether a text may be another one that Statsig trimmed to its limits (US-9)."""
    return type(whole) is str and type(part) is str and len(part) >= _TRIMMED_FROM and whole.startswith(part)


def same_to_statsig(one: Any, two: Any) -> bool | None:
    """Compare our value with the one that Statsig holds; a text that was cut says nothing."""
    return are_alike(one, two) or (None if is_trimmed(one, two) else False)


def may_be_lost(key: str, metadata: Mapping[str, str]) -> bool:
    """Return whether Statsig may drop an entry: its key has a dot, or the metadata is too large (US-9)."""
    return "." in key or is_too_large(metadata)
