"""Where in the calls the values are that Statsig holds and that calls do not fill by themselves; decides nothing.

A call has to be searched for a value, which takes long. So it is done where the configuration does not explain the
value, and for some of the other pairs: enough to see whether another path would explain it as well.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.insight.comparison.archive import Json, ids_of, object_of
from statsig_segment.insight.comparison.choice import Order
from statsig_segment.insight.comparison.likeness import same_to_statsig, texts_of
from statsig_segment.insight.comparison.places import places
from statsig_segment.segment.calls import spelled_id_type
from statsig_segment.statsig.events import PLAIN_FIELDS

USER_FIELDS: Final = "user_fields"
CUSTOM_FIELDS: Final = "custom_fields"
METADATA_FIELDS: Final = "metadata_fields"
ID_MAPPINGS: Final = "id_mappings"
TABLES: Final = (USER_FIELDS, CUSTOM_FIELDS, METADATA_FIELDS, ID_MAPPINGS)
"""The settings that are tables of keys and paths."""

Key: TypeAlias = tuple[str, str]
"""One of `TABLES`, and a key of it."""

_ENOUGH: Final = 100
"""The number of pairs in which a value is searched for even if a known path explains it, to see whether another path
would explain it as well. A path that fits a hundred pairs by chance is as unlikely as two equal columns of a table."""
_LIKELIEST: Final = 3
"""The number of paths of one key that are tried before the whole call is searched, which costs far more."""
_MAX_KEYS: Final = 50
"""The most keys of one table that are learned, the commonest first; no one writes a longer table by hand."""
_MAX_SEARCHED: Final = 500
"""The most keys of one table for which paths are searched, which bounds the memory for odd archives."""
_MAX_PATHS: Final = 200
"""The most paths that are remembered for one key: a value such as `1` is in many places of a call."""
_MAX_SOURCES: Final = 30
"""The most paths that are read for one key, the likeliest first; paths that fit by chance fit few pairs and come
last."""


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
    tables = {name: getattr(config, name) for name in TABLES if name != ID_MAPPINGS}
    orders: dict[Key, Order] = {(name, key): (path,) for name, table in tables.items() for key, path in table.items()}
    for row in config.id_mappings:
        key = ID_MAPPINGS, spelled_id_type(row.id_type)
        orders[key] = (*orders.get(key, ()), row.field)
    return orders


class Search:
    """The paths that were found for each key of the tables, and how often."""

    def __init__(self, config: InboundConfig) -> None:
        """Start empty."""
        self._current = current_orders(config)
        self._wanted: Counter[Key] = Counter()
        self._searched: Counter[tuple[Key, bool]] = Counter()
        self._hits: dict[str, defaultdict[str, Counter[str]]] = {table: defaultdict(Counter) for table in TABLES}
        self._likely: dict[Key, list[str]] = {}

    def see(self, call: Json, by_itself: Json, here: Json, held: Json) -> None:
        """Find the paths in a call to values that Statsig holds and that the call does not fill by itself."""
        given, ours, theirs = map(tables_of, (by_itself, here, held))
        wanted: defaultdict[str, list[Key]] = defaultdict(list)
        for key in [(table, name) for table in TABLES for name in theirs[table] if name not in given[table]]:
            table, name = key
            value = theirs[table][name]
            self._wanted[key] += 1
            is_explained = name in ours[table] and same_to_statsig(ours[table][name], value) is not False
            if self._searched[key, is_explained] < _ENOUGH or not (is_explained or self._is_known(key, call, value)):
                self._searched[key, is_explained] += 1
                for text in texts_of(value):
                    wanted[text].append(key)
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
        for (table, name), path in sorted(found):
            hits = self._hits[table]
            if name in hits or len(hits) < _MAX_SEARCHED:
                paths = hits[name]
                if path in paths or len(paths) < _MAX_PATHS:
                    paths[path] += 1

    def _is_known(self, key: Key, call: Json, value: Any) -> bool:
        """Return whether a value is at one of the likeliest paths, and count it there."""
        table, name = key
        # The likeliest paths are chosen anew only now and then: ranking all hits for each pair would cost too much.
        if self._searched[key, False] % _ENOUGH == 0:
            self._likely[key] = self._ranked(key, _LIKELIEST)
        for path in self._likely.get(key, ()):
            held: Any = call
            for step in path.split("."):
                held = object_of(held).get(step)
            if same_to_statsig(held, value):
                self._hits[table][name][path] += 1
                return True
        return False

    def _ranked(self, key: Key, most: int) -> list[str]:
        table, name = key
        return [path for path, _ in self._hits[table].get(name, Counter[str]()).most_common(most)]

    def sources(self) -> dict[Key, list[str]]:
        """Return the paths that may fill each key: the current ones, then those that explain the most pairs."""
        wanted = [key for key, _ in self._wanted.most_common()]
        few = (key for table in TABLES for key in [each for each in wanted if each[0] == table][:_MAX_KEYS])
        keys = dict.fromkeys((*self._current, *few))
        return {
            key: list(dict.fromkeys((*self._current.get(key, ()), *self._ranked(key, _MAX_SOURCES)))) for key in keys
        }
