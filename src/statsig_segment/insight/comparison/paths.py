"""Learn the settings that are tables of paths: for each key, where in the calls its value is (CM-3).

Calls are searched for the values that Statsig holds and that they do not fill by themselves, which gives the paths that
may be meant. A search takes long, so it is done where the configuration does not explain the value, and for some of the
other pairs: enough to see whether another path would explain it as well. One more pass then reads all of these paths in
every call, under one configuration that names them all, and counts how each fits what Statsig holds.

Under `flatten` one row for an object makes many entries of metadata (US-7), so an object may be what is meant, too: its
key is the stem that the keys of its entries share.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeAlias

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY, FrozenDict
from statsig_segment.configuration import FLATTEN
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.insight.comparison.archive import Json, ids_of, object_of
from statsig_segment.insight.comparison.choice import LONGEST, MAX_SOURCES, Choice, Order, Rows, choose
from statsig_segment.insight.comparison.likeness import same_to_statsig, texts_of
from statsig_segment.insight.comparison.pairing import ARRIVED, MISSED, Archive
from statsig_segment.insight.comparison.places import places
from statsig_segment.insight.comparison.translation import BARE, MARK, Question
from statsig_segment.segment.calls import spelled_id_type
from statsig_segment.statsig.events import PLAIN_FIELDS

USER_FIELDS: Final = "user_fields"
CUSTOM_FIELDS: Final = "custom_fields"
METADATA_FIELDS: Final = "metadata_fields"
ID_MAPPINGS: Final = "id_mappings"
TABLES: Final = (USER_FIELDS, CUSTOM_FIELDS, METADATA_FIELDS, ID_MAPPINGS)
"""The settings that are tables of keys and paths."""

_OBJECTS: Final = "objects"
"""Takes the place of `METADATA_FIELDS` for the stems of rows for objects."""
_READ_AS: Final = FrozenDict({USER_FIELDS: ID_MAPPINGS, _OBJECTS: METADATA_FIELDS})
"""Table -> another one whose rows read a path alike: a field of the user is a text as an ID is."""

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
_LIKELY: Final = ("anonymousId", "userId", "groupId", "context.groupId", "context.device.id")
"""The paths that people map most; of those that fit equally well they come first."""
_JOINT: Final = "_"
"""Joins the names of flattened entries (US-7)."""


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
        for path in self._ranked(key, _LIKELIEST):
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
            key: list(dict.fromkeys((*self._current.get(key, ()), *self._ranked(key, MAX_SOURCES)))) for key in keys
        }


# -- Weighing the paths ------------------------------------------------------------------------------------------------


def learn_paths(archive: Archive, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> dict[Key, Choice]:
    """Return for each key the paths that agree with the most pairs; `config` has the current ones."""
    inquiry = _Inquiry(config, sources)
    for at, call in enumerate(archive.calls):
        fate = archive.fate(at)
        if fate in {ARRIVED, MISSED}:
            inquiry.see(call, archive.exported[archive.partner[at]] if fate == ARRIVED else None)
    return inquiry.choices(config)


class _Inquiry:
    """The questions about paths, and the answers of the pairs so far."""

    def __init__(self, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> None:
        self._sources = {**sources, **(_objects(sources) if config.nested == FLATTEN else {})}
        self._rows = {key: Rows() for key in self._sources}
        # A mark has no dot, which would be an issue in a key of metadata (US-9).
        every = dict.fromkeys(path for paths in self._sources.values() for path in paths)
        self._marks = {path: f"{MARK}{at}" for at, path in enumerate(every)}
        read: dict[str, dict[str, str]] = {CUSTOM_FIELDS: {}, METADATA_FIELDS: {}, ID_MAPPINGS: {}}
        for (table, _), paths in self._sources.items():
            read[_READ_AS.get(table, table)].update({self._marks[path]: path for path in paths})
        rows = [IdMapping(field=path, id_type=mark) for mark, path in read[ID_MAPPINGS].items()]
        self._question = Question(config, **(BARE | read | {ID_MAPPINGS: rows}))

    def see(self, call: Json, event: Json | None) -> None:
        """Note how each path fits what Statsig holds.

        If it holds nothing, the paths that would give an ID to a call without one are weak evidence.
        """
        probed = self._question.answer(call)
        if probed is None or (event is None and not all(name.startswith(MARK) for name in ids_of(probed))):
            return
        given, wanted = tables_of(probed), {} if event is None else tables_of(event)
        for (table, name), paths in self._sources.items():
            held = given[_READ_AS.get(table, table)]
            # What the call fills by itself takes precedence over a path (US-10, US-11), so it says nothing about one.
            if (name in held and table != USER_FIELDS) or (event is None and table != ID_MAPPINGS):
                continue
            if table == _OBJECTS:
                offers = {path: leaves for path in paths if (leaves := _leaves(held, self._marks[path], name, held))}
                self._rows[table, name].add(_leaves(wanted[METADATA_FIELDS], name, name, held) or None, offers)
            else:
                offers = {path: held[self._marks[path]] for path in paths if self._marks[path] in held}
                self._rows[table, name].add(wanted.get(table, EMPTY).get(name), offers, is_weak=event is None)

    def choices(self, config: InboundConfig) -> dict[Key, Choice]:
        """Return all choices; an object replaces the keys of its entries if only the object fits all pairs."""
        current = current_orders(config)
        found: dict[Key, Choice] = {}
        for (table, name), rows in self._rows.items():
            key = (METADATA_FIELDS, name) if table == _OBJECTS else (table, name)
            choice = choose(rows, current.get(key, ()), _likelihood, longest=LONGEST if table == ID_MAPPINGS else 1)
            if table != _OBJECTS:
                found[key] = choice
                continue
            entries = [each for each in found if each[0] == METADATA_FIELDS and each[1].startswith(name + _JOINT)]
            if choice.order and choice.is_perfect and not all(found[each].is_perfect for each in entries):
                found = {each: found[each] for each in found if each not in entries} | {key: choice}
        return found


def _leaves(entries: Mapping[str, Any], key: str, stem: str, taken: Collection[str]) -> dict[str, Any]:
    """Return the entries that a row for an object makes under a key, less those that are taken under its stem."""
    start = key + _JOINT
    own = {name.removeprefix(start): value for name, value in entries.items() if name.startswith(start)}
    return {leaf: value for leaf, value in own.items() if stem + _JOINT + leaf not in taken}


def _objects(sources: Mapping[Key, Sequence[str]]) -> dict[Key, list[str]]:
    """Return the stems of the keys of metadata, with the paths of objects that may be under them."""
    stems: defaultdict[Key, dict[str, None]] = defaultdict(dict)
    for (table, key), paths in sources.items():
        for at, character in enumerate(key):
            if table == METADATA_FIELDS and character == _JOINT and at:
                leaf = key[at:]
                above = (path[: -len(leaf)] for path in paths if path.replace(".", _JOINT).endswith(leaf))
                stems[_OBJECTS, key[:at]].update(dict.fromkeys(filter(None, above)))
    return {stem: list(paths) for stem, paths in stems.items() if paths}


def _likelihood(path: str) -> tuple[int, int, str]:
    """Return the rank of a path among those that fit equally well: the usual ones first, then the shortest."""
    return (_LIKELY.index(path) if path in _LIKELY else len(_LIKELY), path.count("."), path)
