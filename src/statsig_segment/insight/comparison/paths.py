"""Learn the settings that are tables of paths: for each key, where in the calls its value is (CM-3).

The paths that may be meant are known from the search. One more pass reads all of them in every call, under one
configuration that names them all, and counts how each fits what Statsig holds.

Under `flatten` one row for an object makes many entries of metadata (US-7), so an object may be what is meant, too: its
key is the stem that the keys of its entries share.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from statsig_segment.configuration import FLATTEN
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.insight.comparison.archive import Json
from statsig_segment.insight.comparison.choice import LONGEST, Choice, Rows, choose
from statsig_segment.insight.comparison.pairing import LONE, Archive
from statsig_segment.insight.comparison.search import (
    CUSTOM_FIELDS,
    ID_MAPPINGS,
    METADATA_FIELDS,
    USER_FIELDS,
    Key,
    current_orders,
    tables_of,
)
from statsig_segment.insight.comparison.translation import BARE, MARK, Question

_LIKELY: Final = ("anonymousId", "userId", "groupId", "context.groupId", "context.device.id")
"""The paths that people map most; of those that fit equally well they come first."""
_JOINT: Final = "_"
"""Joins the names of flattened entries (US-7)."""


def learn_paths(archive: Archive, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> dict[Key, Choice]:
    """Return for each key the paths that agree with the most pairs; `config` has the current ones."""
    calls, exported, matching, _ = archive
    inquiry = _Inquiry(config, sources)
    for at, call in enumerate(calls):
        event = matching.partner[at]
        if event != LONE or not (matching.is_ambiguous(at) or matching.is_repeated(at)):
            inquiry.see(call, None if event == LONE else exported[event])
    return inquiry.choices(config)


class _Inquiry:
    """The questions about paths, and the answers of the pairs so far."""

    def __init__(self, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> None:
        self._sources = sources
        self._stems = _stems(sources) if config.nested == FLATTEN else {}
        every = dict.fromkeys(path for paths in (*sources.values(), *self._stems.values()) for path in paths)
        # A mark has no dot, which would be an issue in a key of metadata (US-9).
        self._marks = {path: f"{MARK}{at}" for at, path in enumerate(every)}

        def marked(*tables: str) -> dict[str, str]:
            return {
                self._marks[path]: path for table, key in sources if table in tables for path in sources[table, key]
            }

        of_stems = {self._marks[path]: path for paths in self._stems.values() for path in paths}
        as_ids = marked(USER_FIELDS, ID_MAPPINGS)
        rows = [IdMapping(field=path, id_type=mark) for mark, path in as_ids.items()]
        read = {
            "id_mappings": rows,
            "custom_fields": marked(CUSTOM_FIELDS),
            "metadata_fields": marked(METADATA_FIELDS) | of_stems,
        }
        self._question = Question(config, **(BARE | read))
        self._rows = {key: Rows() for key in sources}
        self._stem_rows = {stem: Rows() for stem in self._stems}

    def see(self, call: Json, event: Json | None) -> None:
        """Note how each path fits what Statsig holds.

        If it holds nothing, the paths that would give an ID to a call without one are weak evidence.
        """
        probed = self._question.answer(call)
        if probed is None:
            return
        given = tables_of(probed)
        if event is None:
            if all(id_type.startswith(MARK) for id_type in given[ID_MAPPINGS]):
                for (table, name), paths in self._sources.items():
                    if table == ID_MAPPINGS:
                        self._rows[table, name].add(None, self._offers(given[table], paths), is_weak=True)
            return
        wanted = tables_of(event)
        for (table, name), paths in self._sources.items():
            # What the call fills by itself takes precedence over a path (US-10, US-11), so it says nothing about one.
            if name not in given[table] or table == USER_FIELDS:
                held = given[ID_MAPPINGS if table == USER_FIELDS else table]
                self._rows[table, name].add(wanted[table].get(name), self._offers(held, paths))
        for stem, paths in self._stems.items():
            if stem not in given[METADATA_FIELDS]:
                self._see_object(stem, paths, given[METADATA_FIELDS], wanted[METADATA_FIELDS])

    def _offers(self, held: Mapping[str, Any], paths: Sequence[str]) -> dict[str, Any]:
        """Return the values that a call has at some paths, among those that were read under their marks."""
        return {path: held[self._marks[path]] for path in paths if self._marks[path] in held}

    def _see_object(self, stem: str, paths: Sequence[str], given: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        def leaves(entries: Mapping[str, Any], key: str) -> dict[str, Any]:
            start = key + _JOINT
            own = ((name.removeprefix(start), value) for name, value in entries.items() if name.startswith(start))
            return {name: value for name, value in own if stem + _JOINT + name not in given}

        offers = {path: found for path in paths if (found := leaves(given, self._marks[path]))}
        self._stem_rows[stem].add(leaves(wanted, stem) or None, offers)

    def choices(self, config: InboundConfig) -> dict[Key, Choice]:
        """Return all choices; an object replaces the keys of its entries if only the object fits all pairs."""
        current = current_orders(config)
        found = {
            key: choose(rows, current.get(key, ()), _likelihood, longest=LONGEST if key[0] == ID_MAPPINGS else 1)
            for key, rows in self._rows.items()
        }
        for stem, rows in self._stem_rows.items():
            key = METADATA_FIELDS, stem
            entries = [each for each in found if each[0] == METADATA_FIELDS and each[1].startswith(stem + _JOINT)]
            choice = choose(rows, current.get(key, ()), _likelihood, longest=1)
            if choice.order and choice.is_perfect and not all(found[each].is_perfect for each in entries):
                found = {each: found[each] for each in found if each not in entries}
                found[key] = choice
        return found


def _stems(sources: Mapping[Key, Sequence[str]]) -> dict[str, list[str]]:
    """Return the keys that rows for objects may have, with the paths of those objects."""
    stems: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for (table, key), paths in sources.items():
        for at, character in enumerate(key):
            if table == METADATA_FIELDS and character == _JOINT and at:
                leaf = key[at:]
                above = (path[: -len(leaf)] for path in paths if path.replace(".", _JOINT).endswith(leaf))
                stems[key[:at]].update(dict.fromkeys(filter(None, above)))
    return {stem: list(paths) for stem, paths in stems.items() if paths}


def _likelihood(path: str) -> tuple[int, int, str]:
    """Return the rank of a path among those that fit equally well: the usual ones first, then the shortest."""
    return (_LIKELY.index(path) if path in _LIKELY else len(_LIKELY), path.count("."), path)
