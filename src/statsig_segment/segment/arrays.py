"""The even/odd arrays of names and values, read and made; knows nothing of calls.

Statsig's page on Segment: "The `statsigCustomIDs` field in properties should be an array, where the even index is the
name of the user ID type and the odd index is the value of the previous element in the array."
"""

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, Final, NamedTuple, TypeAlias

from statsig_segment._json.javascript import integer_text, json_text
from statsig_segment._json.values import filled_text, freeze, is_array, thaw
from statsig_segment.errors import ConfigError, Issue, add_issue, join_path


class ArrayCodes(NamedTuple):
    """The issue codes of one kind of even/odd array."""

    name: str
    unpaired: str
    repeated: str
    not_array: str


ID_CODES: Final = ArrayCodes("custom_id_name", "custom_id_unpaired", "custom_id_repeated", "custom_ids_not_array")
CUSTOM_CODES: Final = ArrayCodes("custom_name", "custom_unpaired", "custom_repeated", "custom_not_array")

Kept: TypeAlias = tuple[Any, tuple[str, ...]]
"""The value to keep, or `None` to drop it, and the codes of its problems."""
Pairs: TypeAlias = dict[str, tuple[Any, int]]
"""The name of each valid pair -> its value, and the index of the value; that of the name is one less."""


def read_pairs(
    array: Any,
    path: str,
    codes: ArrayCodes,
    read_value: Callable[[Any], Kept],
    issues: list[Issue],
    spell: Callable[[str], str] = str,
) -> Pairs:
    """Read an even/odd array (ID-2, US-1).

    A pair with an unusable name or value is dropped. Of a repeated name, in the one spelling that `spell` returns for
    it, the last valid value wins.
    """
    pairs: Pairs = {}
    if not is_array(array):
        add_issue(issues, codes.not_array, path)
        return pairs
    for index in range(1, len(array), 2):
        name = filled_text(array[index - 1])
        if name is None:
            add_issue(issues, codes.name, f"{path}[{index - 1}]")
            continue
        value, wrong = read_value(array[index])
        for code in wrong:
            add_issue(issues, code, f"{path}[{index}]")
        if value is None:
            continue
        name = spell(name)
        if name in pairs:
            add_issue(issues, codes.repeated, f"{path}[{index - 1}]")
        pairs[name] = value, index
    if len(array) % 2:
        add_issue(issues, codes.unpaired, f"{path}[{len(array) - 1}]")
    return pairs


def coerce_id(value: Any) -> str | None:
    """Return an ID as text; `None` if the value counts as absent (IN-4).

    Raises:
        TranslationError: With code `number_too_long`.

    >>> [coerce_id(value) for value in ("u1", 42, 42.0, -0.0, "", True, 1.5, None)]
    ['u1', '42', '42', '0', None, None, None, None]

    """
    if type(value) is str:
        return value or None
    if type(value) is int:
        return integer_text(value)
    return integer_text(int(value)) if type(value) is float and value.is_integer() else None


def custom_value(value: Any) -> Kept:
    """Read the value of a custom attribute: kept, dropped as `None`, or written as JSON text (US-1)."""
    if type(value) is float and not isfinite(value):
        return None, ("non_finite_number",)
    if isinstance(value, (str, int, float)):  # bool too
        return value, ()
    if value is None:
        return None, ("custom_value",)
    if is_array(value) and all(type(item) is str for item in value):
        return value, ()
    text, is_finite = json_text(value)
    return text, ("custom_value_json",) if is_finite else ("custom_value_json", "non_finite_number")


def custom_ids_property(ids: Mapping[str, str]) -> list[str]:
    """Return the array `statsigCustomIDs` for the properties of a call that you send.

    Args:
        ids: The ID of each ID type, both non-empty strings.

    Returns:
        A new list `[type, id, type, id, ...]`, in the order of the mapping.

    Raises:
        ConfigError: With code `wrong_type` or `wrong_value`, at the ID type, for anything else.

    Rules: ID-10, ID-2.
    Source: Statsig's page on Segment, "User IDs and Custom IDs".

    >>> custom_ids_property({"companyID": "c1", "deviceID": "d1"})
    ['companyID', 'c1', 'deviceID', 'd1']

    """
    return _made_array(ids, filled_text, "a non-empty string")


def custom_property(custom: Mapping[str, Any]) -> list[Any]:
    """Return the array `statsigCustom` for the properties of a call that you send.

    Args:
        custom: The value of each custom attribute: a string, a boolean, a finite number or a list of strings.

    Returns:
        A new list `[name, value, name, value, ...]`, in the order of the mapping.

    Raises:
        ConfigError: With code `wrong_type` or `wrong_value`, at the attribute, for anything else.

    Rules: ID-10, US-1.
    Source: Statsig's page on Segment, "Custom Properties".

    >>> custom_property({"isVIP": True, "plans": ["trial", "pro"]})
    ['isVIP', True, 'plans', ['trial', 'pro']]

    """
    return _made_array(custom, _sent_attribute, "a string, a boolean, a finite number or a list of strings")


def _sent_attribute(value: Any) -> Any:
    kept, wrong = custom_value(value)
    return None if wrong else thaw(kept)


def _made_array(mapping: Any, sent: Callable[[Any], Any], expected: str) -> list[Any]:
    """Return the array of a mapping; `sent` returns a value as it is sent, or `None` for one that cannot be."""
    if not issubclass(type(mapping), Mapping):
        raise _refused("wrong_type", "$", "a mapping")
    array: list[Any] = []
    for name, value in mapping.items():
        text = filled_text(freeze(name))
        if text is None:
            raise _refused("wrong_value", "$", "names that are non-empty strings")
        array += [text, sent(freeze(value))]
        if array[-1] is None:
            raise _refused("wrong_value", join_path("$", text), expected)
    return array


def _refused(code: str, path: str, expected: str) -> ConfigError:
    return ConfigError([Issue(code=code, path=path, message=f"expected {expected}")])
