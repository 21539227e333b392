"""What Statsig silently drops or trims, said in advance as issues; changes nothing that is sent (US-9)."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from statsig_segment.errors import Issue, child, note
from statsig_segment.json_text import FrozenDict, json_text

FORBIDDEN_IN_NAMES: Final = '\\[]{}<>#=;&$%|\0\n\r"'


@attrs.frozen(kw_only=True)
class Limit:
    """One limit of Statsig's: the most that it takes, in code points, and where that stands."""

    at_most: int
    source: str


LIMITS: Final = FrozenDict(
    {
        "name_too_long": Limit(at_most=128, source="Statsig docs: custom events; other pages say 64"),
        "id_too_long": Limit(at_most=128, source="Statsig docs: user object; other pages say 64"),
        "value_too_long": Limit(at_most=128, source="Statsig docs: custom events; other pages say 64"),
        "metadata_too_large": Limit(at_most=4096, source="Statsig docs: custom events"),
    }
)
"""Issue code -> the limit behind it."""

_NAME: Final[int] = LIMITS["name_too_long"].at_most
_ID: Final[int] = LIMITS["id_too_long"].at_most
_VALUE: Final[int] = LIMITS["value_too_long"].at_most
_METADATA: Final[int] = LIMITS["metadata_too_large"].at_most
_LONGEST_ESCAPE: Final = len("\\u0000")
_find_forbidden: Final = re.compile(f"[{re.escape(FORBIDDEN_IN_NAMES)}]").search


def check_name(name: str, path_of: Callable[[], str], issues: list[Issue]) -> None:
    """Note an event name that Statsig would drop; the path is asked for where there is something to note."""
    if len(name) > _NAME:
        note(issues, "name_too_long", path_of())
    if _find_forbidden(name):
        note(issues, "name_forbidden_character", path_of())


def is_long_id(value: str) -> bool:
    """Tell whether Statsig would trim an ID."""
    return len(value) > _ID


def check_value(value: object, path: str, issues: list[Issue]) -> None:
    """Note a text value that Statsig would trim."""
    if isinstance(value, str) and len(value) > _VALUE:
        note(issues, "value_too_long", path)


def check_metadata(metadata: Mapping[str, str], path: str, issues: list[Issue]) -> None:
    """Note metadata that Statsig would drop, and keys with a dot."""
    keys = "".join(metadata)
    if "." in keys:
        for key in metadata:
            if "." in key:
                note(issues, "metadata_key_dot", child(path, key))
    # No text grows more than sixfold in JSON: mostly that bound tells, without writing the JSON.
    most = _LONGEST_ESCAPE * (len(keys) + len("".join(metadata.values())) + len(metadata)) + len("{}")
    if most > _METADATA and len(json_text(metadata)[0]) > _METADATA:
        note(issues, "metadata_too_large", path)
