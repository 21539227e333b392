"""What the pairs of an archive say about each setting, gathered in one pass; decides nothing."""

from collections import Counter
from math import isfinite
from typing import Any, Final, cast

from statsig_segment import segment, statsig
from statsig_segment._json.values import EMPTY
from statsig_segment.configuration import FLATTEN, JSON
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.conversion import METADATA_SOURCES
from statsig_segment.insight.comparison.archive import Json, ids_of, object_of
from statsig_segment.insight.comparison.choice import Rows
from statsig_segment.insight.comparison.likeness import is_trimmed
from statsig_segment.insight.comparison.search import Search
from statsig_segment.insight.comparison.templates import Samples
from statsig_segment.insight.comparison.translation import BARE, MARK, Question
from statsig_segment.segment.placeholders import is_placeholder

_NESTED: Final = 1_000
"""The number of pairs with nested properties to look at. One entry nearly decides the setting, so this is plenty."""


class Evidence:
    """Collects what the pairs say about each setting."""

    def __init__(self, config: InboundConfig) -> None:
        """Start empty."""
        self.samples = Samples()
        self.tiers: Counter[str | None] = Counter()
        """The tiers that Statsig holds of calls that name none."""
        self.values = Rows()
        """The value that Statsig holds, and the properties that may be it."""
        self.unheld: Counter[str] = Counter({JSON: 0, FLATTEN: 0})
        """Metadata entries of calls with nested properties that Statsig does not hold, by the setting of `nested`."""
        self.placeholders: Counter[bool] = Counter()
        """Whether Statsig holds placeholders in place of IDs (ID-8)."""
        self.search = Search(config)
        self._config = config
        self._bare = {way: Question(config, **BARE, nested=way) for way in (JSON, FLATTEN)}
        self._with_placeholders = Question(config, **BARE, drop_placeholder_ids=False)
        self._nested_seen = 0

    def see(self, call: Json, here: Json, held: Json) -> None:
        """Take what one pair says into account."""
        # A call that becomes an event with all that a configuration adds also becomes one without it.
        by_itself = cast("Json", self._bare[self._config.nested].answer(call))
        self.samples.add(call, here, held)
        if by_itself[statsig.USER][statsig.ENVIRONMENT][statsig.TIER] == MARK:
            self.tiers[held[statsig.USER].get(statsig.ENVIRONMENT, EMPTY).get(statsig.TIER)] += 1
        properties = object_of(call.get(METADATA_SOURCES[call[segment.TYPE]].holder))
        value = held.get(statsig.VALUE)
        usable = {key: each for key, each in properties.items() if _is_usable(each)}
        if not any(is_trimmed(each, value) and each != value for each in usable.values()):
            self.values.add(value, usable)
        if self._nested_seen < _NESTED and any(type(each) is dict for each in properties.values()):
            self._nested_seen += 1
            for way, question in self._bare.items():
                event = question.answer(call)
                metadata: Json = {} if event is None else event[statsig.METADATA]
                self.unheld[way] += sum(key not in held[statsig.METADATA] for key in metadata)
        # If the configuration drops placeholders, the call by itself shows none, so it is asked with them.
        own = self._with_placeholders.answer(call) if self._config.drop_placeholder_ids else by_itself
        for id_type, text in ids_of(own).items() if own else ():
            if is_placeholder(text):
                self.placeholders[ids_of(held).get(id_type) == text] += 1
        self.search.see(call, by_itself, here, held)


def _is_usable(value: Any) -> bool:
    """Return whether a property can be a value: a string or a finite number (US-8)."""
    return type(value) is str or type(value) is int or (type(value) is float and isfinite(value))
