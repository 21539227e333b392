"""What a call becomes under some configuration: as it is sent, or as it would be if nothing held it back.

Every question about a rule is answered by translating the call, through the fast lane where that is possible. So no
rule of the translation is written here a second time, and a call costs microseconds.
"""

from collections.abc import Sequence
from typing import Any, Final, cast

import attrs

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.configuration.filters import InboundFilter
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig, derived_of
from statsig_segment.inbound.fast_lane import log_event
from statsig_segment.inbound.translate import reference_outcome
from statsig_segment.insight.comparison.archive import Json
from statsig_segment.statsig.events import StatsigEvent, to_log_event

MARK: Final = "\x00"
"""Begins what a question adds to a call or a configuration, so that no name of a caller's is one."""
_SOMEBODY: Final = IdMapping(field=MARK, id_type=MARK)
"""Gives every call an ID."""
_OPEN: Final = FrozenDict(
    {
        "filters": InboundFilter(),
        "honor_integrations": False,
        "allow_statsig_origin": True,
        "consent_categories": frozenset[str](),
        "id_types": None,
    }
)
"""The settings under which nothing is held back."""
BARE: Final = FrozenDict(
    {
        "id_mappings": (),
        "user_fields": EMPTY,
        "custom_fields": EMPTY,
        "metadata_fields": EMPTY,
        "default_environment": MARK,
    }
)
"""The settings under which calls become what they are by themselves; the tier is `MARK` where a call names none."""


def sent(call: Json, config: InboundConfig) -> Json | None:
    """Return the log event of a call, a fresh dict; `None` if it is not sent."""
    written: Any = log_event(call, derived_of(config).plan)
    if written is None:
        outcome = reference_outcome(call, config, 0, None)
        written = to_log_event(outcome) if isinstance(outcome, StatsigEvent) else None
    return cast("Json", written) if type(written) is dict else None


class Question:
    """A configuration under which every call is translated, filtered or not, whether or not it has an ID."""

    def __init__(self, config: InboundConfig, **changes: Any) -> None:
        """Ask under a configuration with some changes."""
        rows: Sequence[IdMapping] = changes.pop("id_mappings", config.id_mappings)
        self._config = attrs.evolve(config, **(_OPEN | changes), id_mappings=(*rows, _SOMEBODY))

    def answer(self, call: Json) -> Json | None:
        """Return the log event that the call would be; `None` if it cannot be one."""
        written = sent({**call, MARK: MARK}, self._config)
        if written is not None:
            ids = written[statsig.USER][statsig.CUSTOM_IDS]
            del ids[MARK]
            if not ids:
                del written[statsig.USER][statsig.CUSTOM_IDS]
        return written
