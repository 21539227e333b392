"""The even/odd arrays of names and values, read and made; knows nothing of calls.

Statsig's page on Segment: "The `statsigCustomIDs` field in properties should be an array, where the even index is the
name of the user ID type and the odd index is the value of the previous element in the array."
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment._json.javascript import integer_text, json_text
from statsig_segment._json.values import filled_text, freeze, is_array, thaw
from statsig_segment.errors import ConfigError, Issue, add_issue, join_path


@attrs.frozen(kw_only=True)
class ArrayCodes:
    """The issue codes of one kind of even/odd array."""

    name: str
    unpaired: str
    repeated: str
    not_array: str


ID_CODES: Final = ArrayCodes(
    name="custom_id_name",
    unpaired="custom_id_unpaired",
    repeated="custom_id_repeated",
    not_array="custom_ids_not_array",
)
CUSTOM_CODES: Final = ArrayCodes(
    name="custom_name", unpaired="custom_unpaired", repeated="custom_repeated", not_array="custom_not_array"
)


class Pair(NamedTuple):
    """The value of a valid pair, and the wire paths of the value and of its name."""

    value: Any
    path: str
    name_path: str


ReadValue = Callable[[Any, str, list[Issue]], Any]
"""Takes a value and its path; gives what is kept of it, `None` to drop the pair, and adds to the issues."""


def read_pairs(
    array: Any,
    path: str,
    codes: ArrayCodes,
    read_value: ReadValue,
    issues: list[Issue],
    spell: Callable[[str], str] = str,
) -> dict[str, Pair]:
    """Read an even/odd array into name -> pair (ID-2, US-1).

    A pair whose name or value is unusable is dropped; of a repeated name, in the one spelling that `spell` gives it,
    the last valid value wins.
    """
    pairs: dict[str, Pair] = {}
    if not is_array(array):
        add_issue(issues, codes.not_array, path)
        return pairs
    for index in range(1, len(array), 2):
        name_path, value_path = f"{path}[{index - 1}]", f"{path}[{index}]"
        name = filled_text(array[index - 1])
        if name is None:
            add_issue(issues, codes.name, name_path)
            continue
        value = read_value(array[index], value_path, issues)
        if value is None:
            continue
        if spell(name) in pairs:
            add_issue(issues, codes.repeated, name_path)
        pairs[spell(name)] = Pair(value, value_path, name_path)
    if len(array) % 2:
        add_issue(issues, codes.unpaired, f"{path}[{len(array) - 1}]")
    return pairs


def coerce_id(value: Any) -> str | None:
    """Give an ID as text; `None` where the value counts as absent (IN-4).

    >>> [coerce_id(value) for value in ("u1", 42, 42.0, -0.0, "", True, 1.5, None)]
    ['u1', '42', '42', '0', None, None, None, None]
    """
    if type(value) is int:
        return integer_text(value)
    if type(value) is float and value.is_integer():
        return integer_text(int(value))
    return filled_text(value)


def custom_value(value: Any, path: str, issues: list[Issue]) -> str | bool | float | tuple[str, ...] | None:
    """Read the value of a custom attribute of the user: kept, dropped as `None`, or written as JSON text (US-1)."""
    if type(value) is float and not isfinite(value):
        add_issue(issues, "non_finite_number", path)
        return None
    if isinstance(value, (str, int, float)):  # bool too
        return value
    if value is None:
        add_issue(issues, "custom_value", path)
        return None
    if is_array(value) and all(type(item) is str for item in value):
        return value
    add_issue(issues, "custom_value_json", path)
    text, is_finite = json_text(value)
    if not is_finite:
        add_issue(issues, "non_finite_number", path)
    return text


def custom_ids_property(ids: Mapping[str, str]) -> list[str]:
    """Make the array `statsigCustomIDs` of the properties of a call from custom IDs, for senders.

    Shape: a mapping of ID type to ID in; a fresh list `[type, id, type, id, …]` out, in the order of the mapping.
    Errors: `ConfigError` with code `wrong_type` or `wrong_value`, its path the ID type, where the argument is not a
    mapping of non-empty strings to non-empty strings.
    Rules: ID-10, ID-2. Source: Statsig's page on Segment, "User IDs and Custom IDs".

    >>> custom_ids_property({"companyID": "c1", "deviceID": "d1"})
    ['companyID', 'c1', 'deviceID', 'd1']
    """
    return _made_array(ids, _sent_id)


def custom_property(custom: Mapping[str, Any]) -> list[Any]:
    """Make the array `statsigCustom` of the properties of a call from custom attributes, for senders.

    Shape: a mapping of attribute to string, boolean, finite number or list of strings in; a fresh list
    `[name, value, name, value, …]` out, in the order of the mapping.
    Errors: `ConfigError` with code `wrong_type` or `wrong_value`, its path the attribute, for anything else.
    Rules: ID-10, US-1. Source: Statsig's page on Segment, "Custom Properties".

    >>> custom_property({"isVIP": True, "plans": ["trial", "pro"]})
    ['isVIP', True, 'plans', ['trial', 'pro']]
    """
    return _made_array(custom, _sent_attribute)


def _made_array(mapping: Any, check: Callable[[Any, str], Any]) -> list[Any]:
    if not issubclass(type(mapping), Mapping):
        raise _refused("wrong_type", "$", "expected a mapping")
    array: list[Any] = []
    for name, value in mapping.items():
        text = filled_text(freeze(name))
        if text is None:
            raise _refused("wrong_value", "$", "expected names that are non-empty strings")
        array += [text, check(freeze(value), join_path("$", text))]
    return array


def _sent_id(value: Any, path: str) -> str:
    text = filled_text(value)
    if text is None:
        raise _refused("wrong_value", path, "expected a non-empty string")
    return text


def _sent_attribute(value: Any, path: str) -> Any:
    issues: list[Issue] = []
    kept = custom_value(value, path, issues)
    if issues:
        raise _refused("wrong_value", path, "expected a string, a boolean, a finite number or a list of strings")
    return thaw(kept)


def _refused(code: str, path: str, message: str) -> ConfigError:
    return ConfigError([Issue(code=code, path=path, message=message)])
