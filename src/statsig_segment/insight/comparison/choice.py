"""Choosing where a value comes from, by what the pairs show; knows nothing of calls.

One question has one `Row` for each pair: the value that Statsig holds (`wanted`), and what each source of the call has
to offer. An answer is an order of sources, of which the first that offers anything counts: that is how ID mappings and
value properties work, and a single field is an order of one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment.insight.comparison.sides import texts_of

Order: TypeAlias = tuple[str, ...]
Fits: TypeAlias = Callable[[Any, Any], bool]
_Score: TypeAlias = tuple[int, int, int]

_LONGEST: Final = 5  # of an order
_MAX_SOURCES: Final = 30  # that are weighed for one question


@attrs.frozen(kw_only=True)
class Row:
    """What one pair says about one question."""

    wanted: Any
    """The value that Statsig holds; `None` for none."""
    offers: Mapping[str, Any]
    """Source -> value, for the sources that have one."""
    is_weak: bool = False
    """It only decides between answers that are otherwise equal: a call that never arrived may have been lost."""


@attrs.frozen(kw_only=True)
class Choice:
    """The answer to one question."""

    order: Order
    is_decided: bool
    """Whether no other answer that was weighed fits as well."""
    is_perfect: bool
    """Whether it fits all rows but the weak ones."""


def are_alike(one: Any, two: Any) -> bool:
    """Say whether two values are equal, be it as text: a warehouse has numbers as text (US-7).

    >>> are_alike(9.5, "9.5"), are_alike(True, 1), are_alike(None, "null"), are_alike(5, 5.0)
    (True, False, False, True)
    """
    if one is None or two is None:
        return one is two
    if type(one) is type(two):
        return bool(one == two)
    return not texts_of(one).isdisjoint(texts_of(two))


def are_equal(one: Any, two: Any) -> bool:
    """Say whether two values are equal, text and numbers kept apart."""
    return (type(one) is str) is (type(two) is str) and are_alike(one, two)


def choose(rows: Sequence[Row], current: Order, rank: Callable[[str], Any], *, longest: int = _LONGEST) -> Choice:
    """Choose the order of sources that agrees with the most rows; of equals the current one, then the shortest."""
    answers = list(dict.fromkeys(_answers(rows, current, rank, longest)))
    scores = {order: _score(order, rows) for order in answers}
    best = max(scores.values())
    equals = [order for order in answers if scores[order] == best]
    is_perfect = best[0] == sum(not row.is_weak for row in rows)
    return Choice(order=equals[0], is_decided=len(equals) == 1, is_perfect=is_perfect)


def _answers(rows: Sequence[Row], current: Order, rank: Callable[[str], Any], longest: int) -> Iterator[Order]:
    """List the answers that are weighed, the preferred first."""
    yield current
    yield ()
    strong = [row for row in rows if not row.is_weak]
    sources = _sources(strong, current, rank)
    if longest == 1:
        yield from ((source,) for source in sources)
        return
    ways = ((are_equal, True), (are_alike, True), (are_alike, False))
    orders = [_grown(rows, sources, fits, longest, is_clean=is_clean) for fits, is_clean in ways]
    yield from sorted(orders, key=len)
    yield from ((source,) for source in sources)


def _sources(rows: Sequence[Row], current: Order, rank: Callable[[str], Any]) -> list[str]:
    """List the sources that offer what is wanted in some row, the likeliest first."""
    hits = Counter(source for row in rows for source, value in row.offers.items() if are_alike(row.wanted, value))
    likeliest = sorted(hits, key=lambda source: (source not in current, -hits[source], rank(source)))
    return likeliest[:_MAX_SOURCES]


def _grown(rows: Sequence[Row], sources: Collection[str], fits: Fits, longest: int, *, is_clean: bool) -> Order:
    """Grow an order source by source, each time the one that helps most; where it is clean, one that never harms."""
    order: list[str] = []
    left = list(rows)
    while len(order) < longest:
        gains = {source: _gain(source, left, fits, is_clean=is_clean) for source in sources if source not in order}
        best = max(gains, key=lambda source: gains[source], default=None)  # of equals the first: the likeliest
        if best is None or gains[best][0] <= 0:
            break
        order.append(best)
        left = [row for row in left if best not in row.offers]
    return tuple(order)


def _gain(source: str, rows: Sequence[Row], fits: Fits, *, is_clean: bool) -> tuple[int, int]:
    """Say how much a source helps with rows that nothing decides yet, and with the weak ones."""
    good = bad = weak = 0
    for row in rows:
        value = row.offers.get(source)
        if value is None:
            continue
        if row.is_weak:
            weak -= 1
        elif fits(row.wanted, value):
            good += 1
        else:
            bad += 1
    return (0 if is_clean and bad else good - bad, weak)


def _score(order: Order, rows: Sequence[Row]) -> _Score:
    """Count the rows with which an order agrees: at all, to the type, and among the weak ones."""
    alike = exact = weak = 0
    all_text = all(type(row.wanted) in {str, type(None)} for row in rows)  # then types say nothing: a warehouse's text
    for row in rows:
        value = next((row.offers[source] for source in order if source in row.offers), None)
        if row.is_weak:
            weak += value is None
        elif are_alike(row.wanted, value):
            alike += 1
            exact += all_text or are_equal(row.wanted, value)
    return (alike, exact, weak)
