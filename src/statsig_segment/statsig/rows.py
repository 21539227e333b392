"""Read rows of Statsig's warehouse tables as the events that they describe, and know the column of each value.

A row of the events table or the exposures table becomes an event before anything else is read, so no other module
knows a column. Issues of a row name its columns in their own spelling; a column of JSON text has no paths inside.
"""

from collections.abc import Mapping
from functools import reduce
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

from statsig_segment import statsig
from statsig_segment._json.values import FrozenDict, Lost, codes_of, filled_text, is_object, read_text, read_tree
from statsig_segment.errors import Issue, StatsigEventError, add_issue, join_path
from statsig_segment.segment.arrays import coerce_id

Places: TypeAlias = Mapping[tuple[str, ...], str]
"""The first one or two names that lead to a value in an event -> its wire path in the export, where that differs."""
NO_PLACES: Final[Places] = MappingProxyType({})
_EVENT_COLUMNS: Final = FrozenDict(
    {
        "event_name": (statsig.EVENT_NAME,),
        "user_id": (statsig.USER_ID,),
        "user_object": (statsig.USER,),
        "custom_ids": (statsig.USER, statsig.CUSTOM_IDS),
        "timestamp": (statsig.TIMESTAMP,),
        "event_value": (statsig.VALUE,),
        "company_metadata": (statsig.METADATA,),
        "statsig_metadata": (statsig.STATSIG_METADATA,),
        "stable_id": (statsig.STATSIG_METADATA, statsig.STABLE_ID),
    }
)
"""Column of the events table -> the names that lead to its value in the event (OU-9)."""
_OBJECT_COLUMNS: Final = ("user_object", "custom_ids", "company_metadata", "statsig_metadata")
_EXPOSURE_COLUMNS: Final = FrozenDict(
    {
        "exposure_type": (statsig.EVENT_NAME,),
        "first_exposure_utc": (statsig.TIMESTAMP,),
        **{name: (statsig.METADATA, name) for name in ("name", "rule", "rule_name", "experiment_group", "group_id")},
    }
)
"""The same for the exposures table (OU-10), except `unit_id`, whose place depends on its type."""
_EXPOSURE_KINDS: Final = ("gate", "layer", "holdout", "config")
_USER_UNITS: Final = frozenset({"user_id", "userid"})


def event_of_row(row: FrozenDict, lost: FrozenDict, issues: list[Issue]) -> tuple[FrozenDict, Places] | None:
    """Return the event that a row describes, and its places; `None` for anything but a row (OU-9, OU-10)."""
    columns: dict[str, Any] = {}
    paths: dict[str, str] = {}
    for name, value in row.items():
        if name.lower() not in columns:  # of two names that differ only in letter case, the first wins
            columns[name.lower()], paths[name.lower()] = value, join_path("$", name)
    if "event_name" in columns:
        table: Mapping[str, tuple[str, ...]] = _EVENT_COLUMNS
        for column in _OBJECT_COLUMNS:
            if column in columns:
                columns[column] = _object_in_column(columns[column], paths[column], issues)
    elif "exposure_type" in columns and "unit_id" in columns:
        table = _EXPOSURE_COLUMNS | {"unit_id": _unit_of(columns.get("unit_type"))}
        # The first of these words in the type decides, in any letter case; any other type is an experiment (OU-10).
        text = filled_text(columns["exposure_type"]) or ""
        kind = next((word for word in _EXPOSURE_KINDS if word in text.lower()), "experiment")
        columns["exposure_type"], columns["unit_id"] = f"statsig::{kind}_exposure", coerce_id(columns["unit_id"])
    else:
        return None
    for name, inside in lost.items():
        if name.lower() in table:
            note_lost(table[name.lower()][0], inside, join_path("$", name), issues)
    places = {names[:2]: paths[column] for column, names in table.items() if columns.get(column) is not None}
    fields, lost_in_event = read_tree(_composed(columns, table))
    _note_too_deep(lost_in_event, places, issues)
    return fields, places


def _composed(columns: Mapping[str, Any], table: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the event that the columns make up; an exposure always has metadata."""
    event: dict[str, Any] = {} if table is _EVENT_COLUMNS else {statsig.METADATA: {}}
    for column, names in table.items():
        if columns.get(column) is not None:
            inside = event
            for name in names[:-1]:
                inside[name] = inside = dict(inside.get(name, ()))
            inside[names[-1]] = columns[column]
    return event


def _note_too_deep(lost: Lost, places: Places, issues: list[Issue]) -> None:
    """Note what is too deep in the event of a row, where a value may be deeper than in the row itself (TR-5)."""
    for names, path in places.items() if lost else ():
        found = lost
        for name in names:
            found = found.get(name) if is_object(found) else None
        if is_object(found):
            # Other columns fill parts of this object, and note their own losses.
            apart = {other[1] for other in places if other[:1] == names and other != names}
            found = FrozenDict({name: inside for name, inside in found.items() if name not in apart})
        note_lost(names[0], found, path, issues)


def _object_in_column(value: Any, path: str, issues: list[Issue]) -> Mapping[str, Any] | None:
    """Return the object in a column, which may be JSON text; anything else counts as null (OU-9)."""
    if type(value) is str:
        try:
            value = read_text(value, StatsigEventError) if value else None
        except StatsigEventError:
            value = ()  # unreadable, so noted below like anything else that is not an object
    if value is None or isinstance(value, dict):
        return cast("dict[str, Any] | None", value)
    add_issue(issues, "json_unreadable", path)
    return None


def _unit_of(unit_type: Any) -> tuple[str, ...]:
    """Return the names that lead to the unit of an exposure, by its type (OU-10)."""
    id_type = filled_text(unit_type) or statsig.USER_ID
    if id_type.lower() in _USER_UNITS:
        return (statsig.USER_ID,)
    return (statsig.USER, statsig.CUSTOM_IDS, statsig.STABLE_ID if id_type.lower() == "stable_id" else id_type)


def place_of(places: Places, *names: str) -> str:
    """Return the wire path in the export of a value of the event; for a row, that of the column."""
    return places.get(names[:2]) or places.get(names[:1]) or reduce(join_path, names, "$")


def note_lost(field: str, lost: Lost, path: str, issues: list[Issue]) -> None:
    """Note what could not be read in a field, as far as it would have been sent (IN-10, TR-5)."""
    if is_object(lost) and field == statsig.USER:
        lost = FrozenDict({name: inside for name, inside in lost.items() if name != statsig.PRIVATE_ATTRIBUTES})
    elif is_object(lost) and field == statsig.STATSIG_METADATA:
        lost = lost.get(statsig.STABLE_ID)
    for code in sorted(set(codes_of(lost))):
        add_issue(issues, code, path)
