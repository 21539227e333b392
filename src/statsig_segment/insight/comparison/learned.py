"""What one row of the table of learners gives; learns nothing."""

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Learned:
    """What the pairs say about one setting."""

    changes: Mapping[str, Any]
    """Attributes of `InboundConfig` to change."""
    undecided: tuple[str, ...] = ()
    """Keys between whose settings the pairs cannot decide."""
