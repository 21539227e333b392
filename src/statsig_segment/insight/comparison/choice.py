"""Choose where a value comes from, by what the pairs show; knows nothing of calls.

One question has one `Row` for each way in which a pair may bear on it: whether Statsig holds a value, and which sources
of the call have one that fits it. The values themselves are left behind, so the thousands of pairs of an archive come
to a few dozen rows, each with the number of its pairs. An answer is an order of sources, of which the first that has
any value counts: that is how ID mappings and value properties work, and a single field is an order of one.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from statsig_segment.insight.comparison.likeness import are_alike, are_equal

Order: TypeAlias = tuple[str, ...]
Score: TypeAlias = tuple[int, int, int]

LONGEST: Final = 5
"""The most sources in one order. An ID type has a few mapping rows at most, and no one lists six value properties."""
_MAX_SOURCES: Final = 30
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


def fit(wanted: Any, value: Any) -> int:
    """Return how well a value fits the wanted one."""
    if wanted is None or not are_alike(wanted, value):
        return _MISFIT
    return _EQUAL if are_equal(wanted, value) else _ALIKE


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
        row = Row(wanted is not None, tuple((source, fit(wanted, value)) for source, value in offers.items()), is_weak)
        if row in self.counts or len(self.counts) < _MAX_ROWS:
            self.counts[row] += 1


class Choice(NamedTuple):
    """The answer to one question."""

    order: Order
    is_decided: bool
    """Whether no other answer that was weighed fits as well."""
    is_perfect: bool
    """Whether it fits all rows but the weak ones."""
    is_ordered: bool
    """Whether the rows show which of two neighbors in the order comes first, for each two."""


def choose(rows: Rows, current: Order, rank: Callable[[str], Any], *, longest: int = LONGEST) -> Choice:
    """Return the order of sources that agrees with the most pairs; the current one wins a tie, then the shortest."""
    table = [(row, dict(row.fits), pairs) for row, pairs in rows.counts.items()]
    answers = list(dict.fromkeys(_answers(table, current, rank, longest)))
    scores = {order: _score(order, table, all_text=rows.all_text) for order in answers}
    best = max(scores.values())
    equals = [order for order in answers if scores[order] == best]
    order = equals[0]
    return Choice(
        order=order,
        is_decided=len(equals) == 1,
        is_perfect=best[0] == sum(pairs for row, _, pairs in table if not row.is_weak),
        is_ordered=all(map(_shows_order(table), order, order[1:])),
    )


_Table: TypeAlias = Sequence[tuple[Row, Mapping[str, int], int]]


def _shows_order(table: _Table) -> Callable[[str, str], bool]:
    """Return whether any pair has both of two sources and tells them apart."""

    def shows(first: str, second: str) -> bool:
        return any(
            not row.is_weak and first in fits and second in fits and bool(fits[first]) is not bool(fits[second])
            for row, fits, _ in table
        )

    return shows


def _answers(table: _Table, current: Order, rank: Callable[[str], Any], longest: int) -> Iterator[Order]:
    """Return the answers to weigh, the preferred one first."""
    yield current
    yield ()
    sources = _sources(table, current, rank)
    if longest == 1:
        yield from ((source,) for source in sources)
        return
    # Growing an order greedily can miss the best one, but trying all orders is factorial. Three starting points (exact
    # values only, no contradictions, most agreement) cover the usual cases, and every answer is scored in full.
    ways = ((_EQUAL, True), (_ALIKE, True), (_ALIKE, False))
    orders = [_grown(table, sources, least, longest, is_clean=is_clean) for least, is_clean in ways]
    yield from sorted(orders, key=len)
    yield from ((source,) for source in sources)


def _sources(table: _Table, current: Order, rank: Callable[[str], Any]) -> list[str]:
    """Return the sources that fit any pair, the likeliest first."""
    hits: Counter[str] = Counter()
    for row, fits, pairs in table:
        if not row.is_weak:
            hits.update({source: pairs for source, fitness in fits.items() if fitness})
    return sorted(hits, key=lambda source: (source not in current, -hits[source], rank(source)))[:_MAX_SOURCES]


def _grown(table: _Table, sources: Collection[str], least: int, longest: int, *, is_clean: bool) -> Order:
    """Grow an order source by source, each time the one that helps most; where it is clean, one that never harms."""
    order: list[str] = []
    left = list(table)
    while len(order) < longest:
        gains = {source: _gain(source, left, least, is_clean=is_clean) for source in sources if source not in order}
        best = max(gains, key=lambda source: gains[source], default=None)  # of equals the first: the likeliest
        if best is None or gains[best][0] <= 0:
            break
        order.append(best)
        left = [entry for entry in left if best not in entry[1]]
    return tuple(order)


def _gain(source: str, table: Iterable[tuple[Row, Mapping[str, int], int]], least: int, *, is_clean: bool) -> Any:
    """Return how many pairs a source settles among those still undecided, and among the weak ones."""
    good = bad = weak = 0
    for row, fits, pairs in table:
        if source not in fits:
            continue
        if row.is_weak:
            weak -= pairs
        elif fits[source] >= least:
            good += pairs
        else:
            bad += pairs
    return (0 if is_clean and bad else good - bad, weak)


def _score(order: Order, table: _Table, *, all_text: bool) -> Score:
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
