"""The outcomes other than an event: skipped and rejected payloads; both carry the original payload object."""

from collections.abc import Callable
from typing import Any, Final

import attrs

from statsig_segment.errors import StatsigSegmentError


def _is_same(one: Any, other: Any) -> bool:
    """Return whether two payloads are equal; payloads that raise when compared, or are too deep, differ."""
    try:
        return one is other or bool(one == other)
    except Exception:  # noqa: BLE001 - whatever a caller's object raises
        return False


_COMPARED: Final[Callable[[Any], Any]] = attrs.cmp_using(eq=_is_same)


@attrs.frozen(kw_only=True, slots=False)
class Skipped:
    """A payload that was skipped, and why (FL-6)."""

    reason: str
    """One of the codes of kind `skipped`."""
    position: int | None = None
    """Counted from 0 in the iterable; `None` from `translate` and `export`."""
    payload: Any = attrs.field(  # pyright: ignore[reportUnknownVariableType] - attrs' stubs infer nothing from `Any`
        default=None, repr=False, hash=False, eq=_COMPARED
    )
    """The very object given: the one exception to the rule that results hold copies. It is not shown (TR-3).

    To pickle or copy an outcome is to pickle or copy its payload, which Python cannot do for one nested thousands deep
    (`RecursionError`); `attrs.evolve(outcome, payload=None)` leaves it behind.
    """


@attrs.frozen(kw_only=True, slots=False)
class Rejected:
    """A payload that cannot be translated, and the error that says why (FL-6)."""

    error: StatsigSegmentError
    """Why it cannot be translated."""
    position: int | None = None
    """Counted from 0 in the iterable; `None` from `explain`."""
    payload: Any = attrs.field(  # pyright: ignore[reportUnknownVariableType] - attrs' stubs infer nothing from `Any`
        default=None, repr=False, hash=False, eq=_COMPARED
    )
    """The very object given, as in `Skipped`."""


def settled(outcome: Any) -> Any:
    """Return an outcome; for a payload that was `Rejected` before it was translated, return that first reject."""
    return outcome.payload if isinstance(outcome, Rejected) and isinstance(outcome.payload, Rejected) else outcome
