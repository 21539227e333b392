"""Learn the settings that are tables of paths: for each key, where in the calls its value is (CM-3).

The paths that may be meant are known from the evidence. One more pass reads all of them in every call, under one
configuration that names them all, and counts how each fits what Statsig holds.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY
from statsig_segment.configuration import FLATTEN
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.insight.comparison.archive import Json
from statsig_segment.insight.comparison.choice import LONGEST, Choice, Order, Rows, choose
from statsig_segment.insight.comparison.evidence import (
    CUSTOM_FIELDS,
    ID_MAPPINGS,
    METADATA_FIELDS,
    USER_FIELDS,
    Key,
    current_orders,
    tables_of,
)
from statsig_segment.insight.comparison.pairing import Archive
from statsig_segment.insight.comparison.translation import MARK, ids_of, marked, probe

_LIKELY: Final = ("anonymousId", "userId", "groupId", "context.groupId", "context.device.id")
"""The paths that people map most; of those that fit equally well they come first."""
_JOINT: Final = "_"
"""Joins the names of flattened entries (US-7)."""


def learn_paths(archive: Archive, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> dict[Key, Choice]:
    """Return for each key the paths that agree with the most pairs; `config` has the current ones."""
    calls, exported, matching = archive
    inquiry = _Inquiry(config, sources)
    for at, call in enumerate(calls):
        if matching.partner[at] >= 0:
            inquiry.see_pair(call, exported[matching.partner[at]].log_event)
        elif not matching.is_ambiguous(at) and not matching.is_repeated(at):
            inquiry.see_lost(call)
    return inquiry.choices()


class _Inquiry:
    """The questions about paths, and the answers of the pairs so far."""

    def __init__(self, config: InboundConfig, sources: Mapping[Key, Sequence[str]]) -> None:
        self._sources = sources
        self._stems = _stems(sources) if config.nested == FLATTEN else {}
        as_ids = self._paths(USER_FIELDS, ID_MAPPINGS)
        as_custom = self._paths(CUSTOM_FIELDS)
        as_metadata = {*self._paths(METADATA_FIELDS), *(path for paths in self._stems.values() for path in paths)}
        self._ids, self._custom, self._metadata = marked(as_ids), marked(as_custom), marked(sorted(as_metadata))
        self._probe = probe(config, as_ids, as_custom, sorted(as_metadata))
        self._rows = {key: Rows() for key in sources}
        self._stem_rows = {stem: Rows() for stem in self._stems}
        self._current = current_orders(config)

    def _paths(self, *tables: str) -> list[str]:
        found = (path for (table, _), paths in self._sources.items() if table in tables for path in paths)
        return list(dict.fromkeys(found))

    def see_pair(self, call: Json, event: Json) -> None:
        """Note how each path fits what Statsig holds."""
        probed = self._probe.answer(call)
        if probed is None:
            return
        given, wanted, offers = tables_of(probed), tables_of(event), self._offers(probed)
        for (table, name), paths in self._sources.items():
            # What the call fills by itself takes precedence over a path (US-10, US-11), so it says nothing about one.
            if name not in given[table] or table == USER_FIELDS:
                held = offers[table]
                own = {path: held[path] for path in paths if path in held}
                self._rows[table, name].add(wanted[table].get(name), own)
        for stem in self._stems:
            self._see_object(stem, probed[statsig.METADATA], wanted[METADATA_FIELDS])

    def see_lost(self, call: Json) -> None:
        """Count the paths that would give an ID to a call without one that never arrived, as weak evidence."""
        probed = self._probe.answer(call) if self._ids else None
        if probed is None or any(not id_type.startswith(MARK) for id_type in ids_of(probed)):
            return
        held = self._offers(probed)[ID_MAPPINGS]
        for (table, key), paths in self._sources.items():
            if table == ID_MAPPINGS:
                own = {path: held[path] for path in paths if path in held}
                self._rows[table, key].add(None, own, is_weak=True)

    def _offers(self, probed: Json) -> dict[str, Mapping[str, Any]]:
        user: Json = probed[statsig.USER]
        ids = _read(self._ids, user.get(statsig.CUSTOM_IDS, EMPTY))
        return {
            USER_FIELDS: ids,
            ID_MAPPINGS: ids,
            CUSTOM_FIELDS: _read(self._custom, user.get(statsig.CUSTOM, EMPTY)),
            METADATA_FIELDS: _read(self._metadata, probed[statsig.METADATA]),
        }

    # -- Objects, of which one row makes many entries (US-7) -----------------------------------------------------------

    def _see_object(self, stem: str, metadata: Json, wanted: Mapping[str, Any]) -> None:
        if stem in metadata:
            return

        def leaves(entries: Mapping[str, Any], key: str) -> dict[str, Any] | None:
            start = key + _JOINT
            own = ((name.removeprefix(start), value) for name, value in entries.items() if name.startswith(start))
            return {name: value for name, value in own if stem + _JOINT + name not in metadata} or None

        offers = {
            path: found
            for mark, path in self._metadata.items()
            if path in self._stems[stem] and (found := leaves(metadata, mark)) is not None
        }
        self._stem_rows[stem].add(leaves(wanted, stem), offers)

    def choices(self) -> dict[Key, Choice]:
        """Return all choices; an object replaces the keys of its entries if only the object fits all pairs."""
        found = {
            key: choose(rows, self._order(key), _likelihood, longest=LONGEST if key[0] == ID_MAPPINGS else 1)
            for key, rows in self._rows.items()
        }
        for stem, rows in self._stem_rows.items():
            key = METADATA_FIELDS, stem
            entries = [each for each in found if each[0] == METADATA_FIELDS and each[1].startswith(stem + _JOINT)]
            choice = choose(rows, self._order(key), _likelihood, longest=1)
            if choice.order and choice.is_perfect and not all(found[each].is_perfect for each in entries):
                found = {each: found[each] for each in found if each not in entries}
                found[key] = choice
        return found

    def _order(self, key: Key) -> Order:
        return self._current.get(key, ())


def _read(marks: Mapping[str, str], held: Mapping[str, Any]) -> dict[str, Any]:
    return {path: held[mark] for mark, path in marks.items() if mark in held}


def _stems(sources: Mapping[Key, Sequence[str]]) -> dict[str, list[str]]:
    """Return the keys that rows for objects may have, with the paths of those objects."""
    stems: dict[str, dict[str, None]] = {}
    for (table, key), paths in sources.items():
        for at in _joints(key) if table == METADATA_FIELDS else ():
            leaf = key[at:]
            above = [path[: -len(leaf)] for path in paths if path.replace(".", _JOINT).endswith(leaf)]
            stems.setdefault(key[:at], {}).update(dict.fromkeys(filter(None, above)))
    return {stem: list(paths) for stem, paths in stems.items() if paths}


def _joints(key: str) -> Iterator[int]:
    return (at for at, character in enumerate(key) if character == _JOINT and at)


def _likelihood(path: str) -> tuple[int, int, str]:
    """Return the rank of a path among those that fit equally well: the usual ones first, then the shortest."""
    return (_LIKELY.index(path) if path in _LIKELY else len(_LIKELY), path.count("."), path)
