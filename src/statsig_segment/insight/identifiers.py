"""Why an ID is there or missing: every place where it was looked for, and what nothing reads (EX-2 to EX-4).

It reads the call as it was sent, so a call that was skipped or rejected is explained as well. The order of places is
that of the rules: the call's own user ID, the array of pairs (ID-2, ID-9), then the mappings in order (ID-4).
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment import segment
from statsig_segment._json.paths import Arrays, FieldPath
from statsig_segment._json.values import filled_text, is_array, is_object
from statsig_segment.configuration.mappings import IdMapping, cut_row
from statsig_segment.configuration.models import InboundConfig, normalized
from statsig_segment.insight.places import id_text, near_path, object_in, own_ids
from statsig_segment.insight.preview import LIKELY_MAPPINGS
from statsig_segment.segment.calls import spelled_id_type, walk
from statsig_segment.segment.placeholders import is_placeholder

USED: Final = "used"
ABSENT: Final = "absent"
INVALID: Final = "invalid"
PLACEHOLDER: Final = "placeholder"
SHADOWED: Final = "shadowed"

_HOLDERS: Final = (
    (),
    (segment.CONTEXT,),
    (segment.PROPERTIES,),
    (segment.TRAITS,),
    (segment.CONTEXT, segment.TRAITS),
)
"""The objects of a call in which a key may be named after an ID type."""
_EXTERNAL_IDS: Final = "externalIds"


@attrs.frozen(kw_only=True, slots=False)
class Tried:
    """One place where an ID was looked for."""

    path: str
    """The wire path of the place."""
    outcome: str
    """What was there: `used`, `absent`, `invalid` (not an ID), `placeholder` (dropped), or `shadowed` by an earlier
    place."""
    near: str | None = None
    """Of an absent place, the one that was probably meant: its name differs only in letter case or separators."""


@attrs.frozen(kw_only=True, slots=False)
class Identifier:
    """The user ID, or the ID of one ID type: its value, and where it was looked for."""

    id_type: str
    """`userID`, or the name of a custom ID."""
    value: str | None = None
    """The ID; `None` if no place has one."""
    tried: tuple[Tried, ...] = ()
    """The places in order; empty for a declared ID type that nothing maps."""


@attrs.frozen(kw_only=True, slots=False)
class Unused:
    """An identifier that the call holds and that nothing reads."""

    path: str
    """The wire path of the identifier."""
    mapping: IdMapping
    """The row of `inbound.id_mappings` that would use it."""


class Place(NamedTuple):
    """A place where an ID is looked for: its wire path, what is there, and what was probably meant if nothing is."""

    path: str
    value: Any
    near: str | None = None
    drops: bool = False
    """Whether a placeholder here counts as absent."""


def find_identifiers(call: Mapping[str, Any], config: InboundConfig) -> Iterator[Identifier]:
    """Yield the user ID and each ID type that a call names, the configuration maps to, or declares (EX-2)."""
    array, array_path = own_ids(call)
    named = _named(array) if is_array(array) else {}
    near = {normalized(name): indexes[0] for name, indexes in reversed(named.items())}
    rows: dict[str, list[FieldPath]] = {}
    for target, path in map(cut_row, config.id_mappings):
        rows.setdefault(target, []).append(path)
    arrays: Arrays = {}
    for id_type in dict.fromkeys((segment.USER_ID_TYPE, *named, *rows, *sorted(config.id_types or ()))):
        places: list[Place] = []
        if id_type == segment.USER_ID_TYPE:
            # A pair may take the place of a placeholder, whether placeholders are dropped or not (ID-9).
            drops = config.drop_placeholder_ids or id_type in named
            places.append(_at(call, _USER_ID, arrays, drops=drops))
        if is_array(array) and (id_type != segment.USER_ID_TYPE or id_type in named):
            own, meant = named.get(id_type, []), near.get(normalized(id_type))
            places.append(_pair(array, array_path, own, meant, drops=config.drop_placeholder_ids))
        places += (_at(call, path, arrays, drops=config.drop_placeholder_ids) for path in rows.get(id_type, ()))
        yield look_up(id_type, places)


def look_up(id_type: str, places: Iterable[Place]) -> Identifier:
    """Look for an ID in some places, one after the other, and return what each place had."""
    found: str | None = None
    tried: list[Tried] = []
    for path, value, near, drops in places:
        text = id_text(value)
        if found is not None:
            outcome = SHADOWED
        elif value is None:
            outcome = ABSENT
        elif text is None:
            outcome = INVALID
        elif drops and is_placeholder(text):
            outcome = PLACEHOLDER
        else:
            outcome, found = USED, text
        tried.append(Tried(path=path, outcome=outcome, near=near if outcome == ABSENT else None))
    return Identifier(id_type=id_type, value=found, tried=tuple(tried))


_, _USER_ID = cut_row(IdMapping(field=segment.USER_ID, id_type=segment.USER_ID_TYPE))


def _at(call: Mapping[str, Any], field: FieldPath, arrays: Arrays, *, drops: bool) -> Place:
    """Look a field up in a call as it was sent (ID-4)."""
    if field.field in call:
        return Place(field.top_path, call[field.field], drops=drops)
    value, path = walk(call.get(field.name), field, arrays)
    if value is not None:
        return Place(path, value, drops=drops)
    near = near_path(call, field)
    has_selector = any(step.selector for step in field.steps)
    return Place(f"$.{field.field}" if has_selector else path, None, near and f"$.{near}")


def _named(array: tuple[Any, ...]) -> dict[str, list[int]]:
    """Return the ID types that an array of pairs names, each with the indexes of its names."""
    named: dict[str, list[int]] = {}
    for index in range(0, len(array) - 1, 2):
        name = filled_text(array[index])
        if name is not None:
            named.setdefault(spelled_id_type(name), []).append(index)
    return named


def _pair(array: tuple[Any, ...], path: str, own: list[int], meant: int | None, *, drops: bool) -> Place:
    """Return the pair that decides about an ID type: the last one with an ID, else the last one (ID-2)."""
    if not own:
        return Place(path, None, None if meant is None else f"{path}[{meant}]")
    with_id = [index for index in own if id_text(array[index + 1]) is not None]
    decides = (with_id or own)[-1] + 1
    value = array[decides]
    # Beside a name, null is as invalid as any other value that is not an ID.
    return Place(f"{path}[{decides}]", False if value is None else value, drops=drops)


def find_unused(call: Mapping[str, Any], config: InboundConfig, user_id: str | None) -> Iterator[Unused]:
    """Yield the identifiers that a call holds and no mapping reads, each once (EX-4)."""
    known = {segment.USER_ID_TYPE} if user_id is None else set[str]()
    known |= {cut_row(row)[0] for row in config.id_mappings} | (config.id_types or frozenset())
    seen = {row.field for row in config.id_mappings} | {segment.USER_ID}
    arrays: Arrays = {}
    for row in (*LIKELY_MAPPINGS, *_external_ids(call), *_keys_like(call, known)):
        path, value, _, _ = _at(call, cut_row(row)[1], arrays, drops=False)
        text = id_text(value)
        if row.field not in seen and text is not None and not is_placeholder(text):
            seen.add(row.field)
            yield Unused(path=path, mapping=row)


def _external_ids(call: Mapping[str, Any]) -> Iterator[IdMapping]:
    """Yield a mapping for each item of `context.externalIds`, by the type that it names."""
    items = object_in(call, segment.CONTEXT).get(_EXTERNAL_IDS)
    for item in items if is_array(items) else ():
        kind = filled_text(item.get(segment.TYPE)) if is_object(item) else None
        if kind is not None:
            yield from _mapping(f"{segment.CONTEXT}.{_EXTERNAL_IDS}[{segment.TYPE}={kind}].id", kind)


def _keys_like(call: Mapping[str, Any], id_types: Iterable[str]) -> Iterator[IdMapping]:
    """Yield a mapping for each key that equals an ID type, apart from letter case and separators."""
    spellings = {normalized(id_type): id_type for id_type in sorted(id_types, reverse=True)}
    for holder in _HOLDERS:
        for key in reduce(object_in, holder, call):
            id_type = spellings.get(normalized(key))
            if id_type is not None and not (holder and "." in key):
                yield from _mapping(".".join((*holder, key)), id_type)


def _mapping(field: str, id_type: str) -> Iterator[IdMapping]:
    if FieldPath.read(field) is not None:
        yield IdMapping(field=field, id_type=id_type)
