"""What the pairs of an archive say about each setting, gathered in one pass; decides nothing.

Most of it are counts. Only for the tables of paths a call has to be searched for the value that Statsig holds; that
takes long, so it is done where the configuration does not explain the value, and for some of the other pairs: enough to
see whether another path would explain it as well.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final, TypeAlias, cast

from statsig_segment import segment, statsig
from statsig_segment._json.values import EMPTY
from statsig_segment.configuration import FLATTEN, JSON
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.conversion import METADATA_SOURCES
from statsig_segment.insight.comparison.archive import Json, object_of
from statsig_segment.insight.comparison.choice import Order, Rows
from statsig_segment.insight.comparison.evaluation import Seen
from statsig_segment.insight.comparison.likeness import is_trimmed, same_to_statsig, texts_of
from statsig_segment.insight.comparison.places import places
from statsig_segment.insight.comparison.templates import Samples
from statsig_segment.insight.comparison.translation import MARK, bare, ids_of
from statsig_segment.segment.calls import spelled_id_type
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.statsig.events import PLAIN_FIELDS

USER_FIELDS: Final = "user_fields"
CUSTOM_FIELDS: Final = "custom_fields"
METADATA_FIELDS: Final = "metadata_fields"
ID_MAPPINGS: Final = "id_mappings"
TABLES: Final = (USER_FIELDS, CUSTOM_FIELDS, METADATA_FIELDS, ID_MAPPINGS)
"""The settings that are tables of keys and paths."""

Key: TypeAlias = tuple[str, str]
"""One of `TABLES`, and a key of it."""
_Tables: TypeAlias = Mapping[str, Mapping[str, Any]]

_ENOUGH: Final = 100
"""The number of pairs in which a value is searched for even if a known path explains it, to see whether another path
would explain it as well. A path that fits a hundred pairs by chance is as unlikely as two equal columns of a table."""
_LIKELIEST: Final = 3
"""The number of paths of one key that are tried before the whole call is searched, which costs far more."""
_NESTED: Final = 1_000
"""The number of pairs with nested properties to look at. One entry nearly decides the setting, so this is plenty."""
_MAX_KEYS: Final = 50
"""The most keys of one table that are learned, the commonest first; no one writes a longer table by hand."""
_MAX_SEARCHED: Final = 500
"""The most keys of one table for which paths are searched, which bounds the memory for odd archives."""
_MAX_PATHS: Final = 200
"""The most paths that are remembered for one key: a value such as `1` is in many places of a call."""
_MAX_SOURCES: Final = 30
"""The most paths that are read for one key, the likeliest first; paths that fit by chance fit few pairs and come
last."""


def other_way(nested: str) -> str:
    """Return the other setting of `nested`."""
    return JSON if nested == FLATTEN else FLATTEN


def tables_of(event: Json) -> dict[str, Mapping[str, Any]]:
    """Return what a log event has in place of each of the tables."""
    user = event[statsig.USER]
    return {
        USER_FIELDS: {name: user[name] for name in PLAIN_FIELDS if name in user},
        CUSTOM_FIELDS: user.get(statsig.CUSTOM, EMPTY),
        METADATA_FIELDS: event[statsig.METADATA],
        ID_MAPPINGS: ids_of(event),
    }


def current_orders(config: InboundConfig) -> dict[Key, Order]:
    """Return the paths that a configuration reads for each key of the tables."""
    tables = {name: getattr(config, name) for name in (USER_FIELDS, CUSTOM_FIELDS, METADATA_FIELDS)}
    orders: dict[Key, Order] = {(name, key): (path,) for name, table in tables.items() for key, path in table.items()}
    for row in config.id_mappings:
        key = ID_MAPPINGS, spelled_id_type(row.id_type)
        orders[key] = (*orders.get(key, ()), row.field)
    return orders


class Evidence:
    """Collects what the pairs say about each setting."""

    def __init__(self, config: InboundConfig) -> None:
        """Start empty."""
        self.samples = {way: Samples(from_properties=way) for way in (False, True)}
        """Names, with and without parts from properties."""
        self.tiers: Counter[str | None] = Counter()
        """The tiers that Statsig holds of calls that name none."""
        self.values = Rows()
        """The value that Statsig holds, and the properties that may be it."""
        self.unheld: dict[str, int] = dict.fromkeys((JSON, FLATTEN), 0)
        """Metadata entries of calls with nested properties that Statsig does not hold, by the setting of `nested`."""
        self.placeholders: Counter[bool] = Counter()
        """Whether Statsig holds placeholders in place of IDs (ID-8)."""
        self._hits: dict[str, dict[str, Counter[str]]] = {table: {} for table in TABLES}
        self._searched: Counter[tuple[Key, bool]] = Counter()
        self._likely: dict[Key, list[tuple[str, list[str]]]] = {}
        self._wanted: Counter[Key] = Counter()
        self._bare = {way: bare(config, nested=way) for way in (JSON, FLATTEN)}
        self._with_placeholders = bare(config, drop_placeholder_ids=False)
        self._drops = config.drop_placeholder_ids
        self._nested = config.nested
        self._nested_seen = 0
        self._current = current_orders(config)

    def see(self, seen: Seen) -> None:
        """Take what one pair says into account."""
        call, here, held = seen
        # A call that becomes an event with all that a configuration adds also becomes one without it.
        by_itself = cast("Json", self._bare[self._nested].answer(call))
        # A name or value that Statsig trimmed says nothing about the settings, and would look like another template.
        if not is_trimmed(here[statsig.EVENT_NAME], held.name):
            for samples in self.samples.values():
                samples.add(call, held.name)
        if by_itself[statsig.USER][statsig.ENVIRONMENT][statsig.TIER] == MARK:
            self.tiers[held.user.get(statsig.ENVIRONMENT, EMPTY).get(statsig.TIER)] += 1
        properties = object_of(call.get(METADATA_SOURCES[call[segment.TYPE]].holder))
        usable = {key: value for key, value in properties.items() if _is_usable(value)}
        if not any(is_trimmed(value, held.value) and value != held.value for value in usable.values()):
            self.values.add(held.value, usable)
        if self._nested_seen < _NESTED and any(type(value) is dict for value in properties.values()):
            self._nested_seen += 1
            self._see_nested(call, by_itself, held.metadata)
        # If the configuration drops placeholders, the call by itself shows none, so it is asked with them.
        ids = held.ids
        own = self._with_placeholders.answer(call) if self._drops else by_itself
        for id_type, text in ids_of(own).items() if own else ():
            if is_placeholder(text):
                self.placeholders[ids.get(id_type) == text] += 1
        self._search(call, tables_of(by_itself), tables_of(here), tables_of(held.log_event))

    def _see_nested(self, call: Json, by_itself: Json, held: Mapping[str, Any]) -> None:
        other = other_way(self._nested)
        otherwise = self._bare[other].answer(call)
        for way, event in ((self._nested, by_itself), (other, otherwise)):
            metadata: Json = {} if event is None else event[statsig.METADATA]
            self.unheld[way] += sum(key not in held for key in metadata)

    def _search(self, call: Json, given: _Tables, here: _Tables, there: _Tables) -> None:
        """Find the paths in a call to values that Statsig holds and that the call does not fill by itself."""
        wanted: dict[str, list[Key]] = {}
        missing = [(table, name) for table in TABLES for name in there[table] if name not in given[table]]
        for key in missing:
            table, name = key
            value = there[table][name]
            self._wanted[key] += 1
            is_explained = name in here[table] and same_to_statsig(here[table][name], value) is not False
            if self._searched[key, is_explained] >= _ENOUGH and (is_explained or self._is_known(key, call, value)):
                continue
            self._searched[key, is_explained] += 1
            for text in texts_of(value):
                wanted.setdefault(text, []).append(key)
        if not wanted:
            return
        # Objects are compared as JSON text, which is slow, so only if a wanted value may be one.
        is_deep = any(text[:1] in {"{", "["} for text in wanted)
        found: set[tuple[Key, str]] = set()
        for path, value in places(call):
            if value is not None and (is_deep or type(value) not in {dict, list}):
                texts = (value,) if type(value) is str else texts_of(value)
                found.update((key, path) for text in texts for key in wanted.get(text, ()))
        # Sorted, because sets have no order and the limits below keep what comes first.
        for key, path in sorted(found):
            self._add_hit(*key, path)

    def _add_hit(self, table: str, key: str, path: str) -> None:
        hits = self._hits[table]
        if key not in hits and len(hits) >= _MAX_SEARCHED:
            return
        paths = hits.setdefault(key, Counter())
        if path in paths or len(paths) < _MAX_PATHS:
            paths[path] += 1

    def _is_known(self, key: Key, call: Json, value: Any) -> bool:
        """Return whether a value is at one of the likeliest paths, and count it there."""
        # The likeliest paths are chosen anew only now and then: ranking all hits for each pair would cost too much.
        if self._searched[key, False] % _ENOUGH == 0:
            likely = self._hits[key[0]].get(key[1], Counter[str]()).most_common(_LIKELIEST)
            self._likely[key] = [(path, path.split(".")) for path, _ in likely]
        for path, steps in self._likely.get(key, ()):
            if same_to_statsig(_at(call, steps), value):
                self._hits[key[0]][key[1]][path] += 1
                return True
        return False

    def sources(self) -> dict[Key, list[str]]:
        """Return the paths that may fill each key: the current ones, then those that explain the most pairs."""
        found: dict[Key, list[str]] = {key: list(order) for key, order in self._current.items()}
        per_table: defaultdict[str, int] = defaultdict(int)
        for key, _ in self._wanted.most_common():
            per_table[key[0]] += 1
            if per_table[key[0]] <= _MAX_KEYS:
                found.setdefault(key, [])
        for (table, name), paths in found.items():
            likely = [path for path, _ in self._hits[table].get(name, Counter[str]()).most_common(_MAX_SOURCES)]
            paths += [path for path in likely if path not in paths]
        return found


def _at(call: Json, steps: Sequence[str]) -> Any:
    """Return the value at the end of plain steps into a call; `None` if they lead nowhere."""
    value: Any = call
    for step in steps:
        value = object_of(value).get(step)
    return value


def _is_usable(value: Any) -> bool:
    """Return whether a property can be a value: a string or a finite number (US-8)."""
    return type(value) is str or type(value) is int or (type(value) is float and isfinite(value))
