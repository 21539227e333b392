"""Values of IDs, and the even/odd arrays of names and values; knows nothing of events.

Statsig's page on Segment: "The `statsigCustomIDs` field in properties should be an array, where the even index is the
name of the user ID type and the odd index is the value of the previous element in the array."
"""

from collections.abc import Callable
from math import isfinite
from typing import Any, Final

import attrs

from statsig_segment._javascript import integer_text, json_text
from statsig_segment._values import is_array, plain
from statsig_segment.errors import Issue, note

Problem = tuple[str, int | None]
"""The code of an issue, and the index of the offending element, `None` for the array itself."""


@attrs.frozen(kw_only=True)
class PairCodes:
    """The issue codes of one kind of even/odd array."""

    name: str
    unpaired: str
    repeated: str
    not_array: str


ID_CODES: Final = PairCodes(
    name="custom_id_name",
    unpaired="custom_id_unpaired",
    repeated="custom_id_repeated",
    not_array="custom_ids_not_array",
)
CUSTOM_CODES: Final = PairCodes(
    name="custom_name", unpaired="custom_unpaired", repeated="custom_repeated", not_array="custom_not_array"
)


def id_text(value: Any) -> str | None:
    """Give an ID as text, `None` where the value is none (IN-4).

    >>> [id_text(value) for value in ("u1", 42, 42.0, -0.0, "", True, 1.5, None)]
    ['u1', '42', '42', '0', None, None, None, None]
    """
    if type(value) is str:
        return value or None
    value = plain(value)
    if type(value) is str:
        return value or None
    if type(value) is int:
        return integer_text(value)
    if type(value) is float and value.is_integer():
        return integer_text(int(value))
    return None


def id_value(value: object, at: int, problems: list[Problem]) -> str | None:
    """Read the value of a pair of `statsigCustomIDs`: an ID (ID-2)."""
    text = id_text(value)
    if text is None:
        problems.append(("custom_id_value", at))
    return text


def custom_value(value: object, at: int, problems: list[Problem]) -> str | bool | float | tuple[str, ...] | None:
    """Read the value of a pair of `statsigCustom`: kept, or dropped as `None`, or turned into JSON text (US-1)."""
    value = plain(value)
    if isinstance(value, (str, int)):  # bool too
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    if value is None or isinstance(value, float):
        problems.append(("custom_value" if value is None else "non_finite_number", at))
        return None
    if is_array(value):
        items = tuple(plain(item) for item in value)
        if all(type(item) is str for item in items):
            return items
    problems.append(("custom_value_json", at))
    text, finite = json_text(value)
    if not finite:
        problems.append(("non_finite_number", at))
    return text


def read_pairs(
    array: Any, codes: PairCodes, value_of: Callable[[object, int, list[Problem]], Any]
) -> tuple[dict[str, Any], dict[str, int], list[Problem]]:
    """Read an even/odd array into name -> value, name -> index of that value, and the problems (ID-2, US-1).

    A pair whose name or value is unusable is dropped; of a repeated name the last valid value wins.

    >>> read_pairs(["companyID", "c1", "", "c2"], ID_CODES, id_value)
    ({'companyID': 'c1'}, {'companyID': 1}, [('custom_id_name', 2)])
    """
    values: dict[str, Any] = {}
    indexes: dict[str, int] = {}
    problems: list[Problem] = []
    if not is_array(array):
        return values, indexes, [(codes.not_array, None)]
    for at in range(1, len(array), 2):
        name, value = array[at - 1], array[at]
        if type(name) is not str:
            name = plain(name)
        if type(name) is not str or not name:
            problems.append((codes.name, at - 1))
            continue
        if type(value) is not str or not value:
            value = value_of(value, at, problems)
            if value is None:
                continue
        if name in values:
            problems.append((codes.repeated, at - 1))
        values[name] = value
        indexes[name] = at
    if len(array) % 2:
        problems.append((codes.unpaired, len(array) - 1))
    return values, indexes, problems


def note_problems(problems: list[Problem], path: str, issues: list[Issue]) -> None:
    """Turn the problems of an array into issues at their wire paths."""
    for code, at in problems:
        note(issues, code, path if at is None else f"{path}[{at}]")
