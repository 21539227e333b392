"""What a call becomes under some configuration: as it is sent, or as it would be if nothing held it back.

Every question about a rule is answered by translating the call, through the fast lane where that is possible. So no
rule of the translation is written here a second time, and a call costs microseconds.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

import attrs

from statsig_segment import statsig
from statsig_segment._json.values import FrozenDict
from statsig_segment.configuration.filters import InboundFilter
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig, derived_of
from statsig_segment.inbound.fast_lane import log_event
from statsig_segment.inbound.translate import reference_outcome
from statsig_segment.insight.comparison.archive import Json
from statsig_segment.statsig.events import StatsigEvent, to_log_event

MARK: Final = "\x00"
"""Begins what a question adds to a call or a configuration, so that no name of a caller's is one."""
_SOMEBODY: Final = "somebody"

OPEN: Final = FrozenDict(
    {
        "filters": InboundFilter(),
        "honor_integrations": False,
        "allow_statsig_origin": True,
        "consent_categories": frozenset[str](),
        "id_types": None,
    }
)
"""The settings under which nothing is held back."""


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
        """Create an inquiry under a configuration with some changes."""
        rows: Sequence[IdMapping] = changes.pop("id_mappings", config.id_mappings)
        somebody = IdMapping(field=MARK, id_type=MARK)
        self._config = attrs.evolve(config, **(OPEN | changes), id_mappings=(*rows, somebody))

    def answer(self, call: Json) -> Json | None:
        """Return the log event that the call would be; `None` if it cannot be one."""
        written = sent({**call, MARK: _SOMEBODY}, self._config)
        if written is not None:
            ids = written[statsig.USER][statsig.CUSTOM_IDS]
            del ids[MARK]
            if not ids:
                del written[statsig.USER][statsig.CUSTOM_IDS]
        return written


def bare(config: InboundConfig, **changes: Any) -> Question:
    """Return an inquiry into what calls become by themselves, without what the configuration adds.

    The tier is `MARK` where the call names none.
    """
    return Question(
        attrs.evolve(config, **changes),
        id_mappings=(),
        user_fields={},
        custom_fields={},
        metadata_fields={},
        default_environment=MARK,
    )


def probe(
    config: InboundConfig, as_ids: Iterable[str], as_custom: Iterable[str], as_metadata: Iterable[str]
) -> Question:
    """Return an inquiry that reads many paths at once, each as an ID, an attribute or metadata under its own name."""
    return Question(
        config,
        id_mappings=[IdMapping(field=path, id_type=id_type) for id_type, path in marked(as_ids).items()],
        user_fields={},
        custom_fields=marked(as_custom),
        metadata_fields=marked(as_metadata),
        default_environment=None,
    )


def marked(paths: Iterable[str]) -> dict[str, str]:
    """Return for each path the name under which `probe` reads it; it has no dot, which would be an issue (US-9)."""
    return {f"{MARK}{at}": path for at, path in enumerate(paths)}


def ids_of(event: Json) -> dict[str, str]:
    """Return all IDs of a log event by ID type, the user ID among them."""
    user = event[statsig.USER]
    ids: dict[str, str] = user.get(statsig.CUSTOM_IDS, {})
    return ids | {statsig.USER_ID: user[statsig.USER_ID]} if statsig.USER_ID in user else ids
