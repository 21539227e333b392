"""What may come out besides an event: payloads passed over, and payloads refused; both carry the very payload given."""

from typing import Any

import attrs

from statsig_segment.errors import StatsigSegmentError


@attrs.frozen(kw_only=True, slots=False)
class Skipped:
    """A payload that is passed over, and why (FL-6)."""

    reason: str
    """One of the codes of kind `skipped`."""
    position: int | None = None
    """Counted from 0 in the iterable; `None` from `translate` and `export`."""
    payload: Any = attrs.field(default=None, repr=False)
    """The very object given: the one exception to the rule that results hold copies. It is not shown (TR-3)."""


@attrs.frozen(kw_only=True, slots=False)
class Rejected:
    """A payload that cannot be translated, and the error that says why (FL-6)."""

    error: StatsigSegmentError
    position: int | None = None
    """Counted from 0 in the iterable; `None` from `explain`."""
    payload: Any = attrs.field(default=None, repr=False)
    """The very object given: the one exception to the rule that results hold copies. It is not shown (TR-3)."""
