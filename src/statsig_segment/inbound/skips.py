"""Which calls are passed over, whatever their name: by the `integrations` object, by where they came from."""

from collections.abc import Mapping
from typing import Any, Final

from statsig_segment._json.values import is_object
from statsig_segment.segment.calls import SegmentEvent

_STATSIG: Final = "Statsig"
ALL: Final = "All"
"""The entry of `integrations` that stands for every destination, as Segment's clients spell it."""
STATSIG_LIBRARY: Final = "statsig"


def is_from_statsig(call: SegmentEvent) -> bool:
    """Say whether Statsig's own export made a call: sending it back would count it twice (FL-5)."""
    library = call.context.get("library")
    return is_object(library) and library.get("name") == STATSIG_LIBRARY


def is_disabled(integrations: Mapping[str, Any]) -> bool:
    """Say whether the sender keeps a call from Statsig: the entry `Statsig` beats `All` in any letter case (FL-4)."""
    own = integrations.get(_STATSIG)
    if own is not None:
        return own is False
    return any(value is False and name.lower() == ALL.lower() for name, value in integrations.items())
