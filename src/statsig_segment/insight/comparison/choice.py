"""Choose where a value comes from, by what the pairs show; knows nothing of calls.

One question has one `Row` for each way in which a pair may bear on it: whether Statsig holds a value, and which sources
of the call have one that fits it. The values themselves are left behind, so the thousands of pairs of an archive come
to a few dozen rows, each with the number of its pairs. An answer is an order of sources, of which the first that has
any value counts: that is how ID mappings and value properties work, and a single field is an order of one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, TypeAlias

from statsig_segment.insight.comparison.likeness import are_alike

Order: TypeAlias = tuple[str, ...]

LONGEST: Final = 5
"""The most sources in one order. An ID type has a few mapping rows at most, and no one lists six value properties."""
MAX_SOURCES: Final = 30
"""The most sources that are weighed for one question, the likeliest first. Growing an order tries every source at every
position, so the cost is this number times the length of the order."""
_MAX_ROWS: Final = 2_000
"""The most rows of one question, in order of first appearance. Ordinary archives have a few dozen; the limit keeps the
memory for odd ones bounded."""

_MISFIT, _ALIKE, _EQUAL = range(3)
"""How a value fits: not at all, as text, or to the type."""


class Row(NamedTuple):
    """How a pair may bear on a question."""

    is_wanted: bool
    """Whether Statsig holds a value."""
    fits: tuple[tuple[str, int], ...]
    """How each source that has a value fits."""
    is_weak: bool = False
    """It only decides between answers that are otherwise equal: a call that never arrived may have been lost."""


class Rows:
    """The rows of one question, each with its number of pairs."""

    def __init__(self) -> None:
        """Start empty."""
        self.counts: Counter[Row] = Counter()
        self.all_text = True
        """Every value that Statsig holds is text, as a warehouse has it: then types say nothing."""

    def add(self, wanted: Any, offers: Mapping[str, Any], *, is_weak: bool = False) -> None:
        """Add what one pair says: the value that Statsig holds, `None` for none, and what each source has."""
        self.all_text &= wanted is None or type(wanted) is str
        row = Row(wanted is not None, tuple((source, _fit(wanted, value)) for source, value in offers.items()), is_weak)
        if row in self.counts or len(self.counts) < _MAX_ROWS:
            self.counts[row] += 1


def _fit(wanted: Any, value: Any) -> int:
    """Return how well a value fits the wanted one; text never fits a number to the type."""
    if wanted is None or not are_alike(wanted, value):
        return _MISFIT
    return _EQUAL if (type(wanted) is str) is (type(value) is str) else _ALIKE


class Choice(NamedTuple):
    """The answer to one question."""

    order: Order
    is_decided: bool
    """Whether no other answer that was weighed fits as well."""
    is_perfect: bool
    """Whether it fits all rows but the weak ones."""
    is_ordered: bool
    """Whether the rows show which of two neighbors in the order comes first, for each two."""


_Table: TypeAlias = Sequence[tuple[Row, Mapping[str, int], int]]
"""Rows, how their sources fit, and how many pairs each stands for."""


def choose(rows: Rows, current: Order, rank: Callable[[str], Any], *, longest: int = LONGEST) -> Choice:
    """Return the order of sources that agrees with the most pairs; the current one wins a tie, then the shortest."""
    table = [(row, dict(row.fits), pairs) for row, pairs in rows.counts.items()]
    scores = {order: _score(order, table, all_text=rows.all_text) for order in _answers(table, current, rank, longest)}
    best = max(scores.values())
    order, *equals = (order for order, score in scores.items() if score == best)
    strong = [(fits, pairs) for row, fits, pairs in table if not row.is_weak]
    return Choice(
        order=order,
        is_decided=not equals,
        is_perfect=best[0] == sum(pairs for _, pairs in strong),
        is_ordered=all(
            any(one in fits and two in fits and bool(fits[one]) is not bool(fits[two]) for fits, _ in strong)
            for one, two in pairwise(order)
        ),
    )


def _answers(table: _Table, current: Order, rank: Callable[[str], Any], longest: int) -> Iterator[Order]:
    """Yield the answers to weigh, the preferred one first."""
    yield current
    yield ()
    hits: Counter[str] = Counter()
    for row, fits, pairs in table:
        if not row.is_weak:
            hits.update({source: pairs for source, fitness in fits.items() if fitness})
    sources = sorted(hits, key=lambda source: (source not in current, -hits[source], rank(source)))[:MAX_SOURCES]
    # Growing an order greedily can miss the best one, but trying all orders is factorial. Three starting points (exact
    # values only, no contradictions, most agreement) cover the usual cases, and every answer is scored in full.
    if longest > 1:
        ways = ((_EQUAL, True), (_ALIKE, True), (_ALIKE, False))
        yield from sorted((_grown(table, sources, least, longest, is_clean=clean) for least, clean in ways), key=len)
    yield from ((source,) for source in sources)


def _grown(table: _Table, sources: Collection[str], least: int, longest: int, *, is_clean: bool) -> Order:
    """Grow an order source by source, each time the one that helps most; where it is clean, one that never harms."""
    order: list[str] = []
    left = list(table)
    while len(order) < longest:
        good, bad, weak = Counter[str](), Counter[str](), Counter[str]()
        for row, fits, pairs in left:
            for source, fitness in fits.items():
                (weak if row.is_weak else good if fitness >= least else bad)[source] += pairs
        gains = {
            source: (0 if is_clean and bad[source] else good[source] - bad[source], -weak[source])
            for source in sources
            if source not in order
        }
        best = max(gains, key=lambda source: gains[source], default=None)  # of equals the first: the likeliest
        if best is None or gains[best][0] <= 0:
            break
        order.append(best)
        left = [entry for entry in left if best not in entry[1]]
    return tuple(order)


def _score(order: Order, table: _Table, *, all_text: bool) -> tuple[int, int, int]:
    """Return the number of pairs with which an order agrees: at all, including the type, and among the weak ones."""
    alike = exact = weak = 0
    for row, fits, pairs in table:
        source = next((source for source in order if source in fits), None)
        if row.is_weak:
            weak += pairs if source is None else 0
        elif (not row.is_wanted) if source is None else fits[source]:
            alike += pairs
            exact += pairs if source is None or all_text or fits[source] == _EQUAL else 0
    return (alike, exact, weak)
