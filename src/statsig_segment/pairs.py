"""Values of IDs, and the even/odd arrays of names and values; knows nothing of events.

Statsig's page on Segment: "The `statsigCustomIDs` field in properties should be an array, where the even index is the
name of the user ID type and the odd index is the value of the previous element in the array."
"""

from collections.abc import Callable
from math import isfinite
from typing import Any, Final, Protocol

import attrs

from statsig_segment.errors import CODES, Issue
from statsig_segment.json_text import integer_text, json_text, plain

class Report(Protocol):
    """Takes an issue: its code, its path, and a message where the code's own does not say enough."""

    def __call__(self, code: str, path: str, message: str | None = None, /) -> object: ...


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
    value = plain(value)
    if value.__class__ is str:
        return value or None
    if value.__class__ is int:
        return integer_text(value)
    if value.__class__ is float and value.is_integer():
        return integer_text(int(value))
    return None


def id_value(value: object, path: str, report: Report) -> str | None:
    """Read the value of a pair of `statsigCustomIDs`: an ID (ID-2)."""
    text = id_text(value)
    if text is None:
        report("custom_id_value", path)
    return text


def custom_value(value: object, path: str, report: Report) -> str | bool | float | tuple[str, ...] | None:
    """Read the value of a pair of `statsigCustom`: kept, or dropped as `None`, or turned into JSON text (US-1)."""
    value = plain(value)
    if isinstance(value, str | int):  # bool too
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    if value is None or isinstance(value, float):
        report("custom_value" if value is None else "non_finite_number", path)
        return None
    if isinstance(value, list | tuple):
        items = tuple(plain(item) for item in value)
        if all(item.__class__ is str for item in items):
            return items
    report("custom_value_json", path)
    text, finite = json_text(value)
    if not finite:
        report("non_finite_number", path)
    return text


def read_pairs(
    array: Any, path: str, codes: PairCodes, value_of: Callable[[object, str, Report], Any], report: Report
) -> tuple[dict[str, Any], dict[str, int]]:
    """Read an even/odd array into name -> value, and name -> index of that value (ID-2, US-1).

    A pair whose name or value is unusable is dropped; of a repeated name the last valid value wins.

    >>> read_pairs(["companyID", "c1", "", "c2"], "$.p", ID_CODES, id_value, lambda code, path, _=None: print(code, path))
    custom_id_name $.p[2]
    ({'companyID': 'c1'}, {'companyID': 1})
    """
    values: dict[str, Any] = {}
    indexes: dict[str, int] = {}
    if not isinstance(array, list | tuple):
        report(codes.not_array, path)
        return values, indexes
    for at in range(0, len(array) - 1, 2):
        name = plain(array[at])
        if name.__class__ is not str or not name:
            report(codes.name, f"{path}[{at}]")
            continue
        value = value_of(array[at + 1], f"{path}[{at + 1}]", report)
        if value is None:
            continue
        if name in values:
            report(codes.repeated, f"{path}[{at}]")
        values[name] = value
        indexes[name] = at + 1
    if len(array) % 2:
        report(codes.unpaired, f"{path}[{len(array) - 1}]")
    return values, indexes


def name_path(value_path: str) -> str:
    """Give the path of a pair's name from that of its value; any other path is given back.

    >>> name_path("$.properties.statsigCustomIDs[3]"), name_path("$.anonymousId")
    ('$.properties.statsigCustomIDs[2]', '$.anonymousId')
    """
    array, _, at = value_path.removesuffix("]").rpartition("[")
    return f"{array}[{int(at) - 1}]" if at.isdigit() else value_path


def reporter(issues: list[Issue]) -> Report:
    """Make a `Report` that adds to a list."""

    def report(code: str, path: str, message: str | None = None) -> None:
        issues.append(Issue(code=code, path=path, message=message or CODES[code].meaning))

    return report
