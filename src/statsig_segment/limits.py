"""What Statsig silently drops or trims, said in advance as issues; changes nothing that is sent (US-9)."""

import re
from collections.abc import Mapping
from typing import Final

import attrs

from statsig_segment._javascript import quoted_size
from statsig_segment._values import FrozenDict
from statsig_segment.errors import Issue, child, note

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
_find_forbidden: Final = re.compile(f"[{re.escape(FORBIDDEN_IN_NAMES)}]").search


def is_bad_name(name: str) -> bool:
    """Tell whether Statsig would drop an event of this name."""
    return len(name) > _NAME or _find_forbidden(name) is not None


def note_name(name: str, path: str, issues: list[Issue]) -> None:
    """Note what is bad about a name."""
    if len(name) > _NAME:
        note(issues, "name_too_long", path)
    if _find_forbidden(name):
        note(issues, "name_forbidden_character", path)


def is_long_id(value: str) -> bool:
    """Tell whether Statsig would trim an ID."""
    return len(value) > _ID


def is_long_value(value: str) -> bool:
    """Tell whether Statsig would trim a text value."""
    return len(value) > _VALUE


def is_odd_metadata(keys: str, length: int, metadata: Mapping[str, str]) -> bool:
    """Tell whether metadata is too large or holds a key with a dot; its keys are joined, its texts at most so long."""
    if "." in keys:
        return True
    # A character is six in JSON at most, and so are the marks of an entry: small metadata passes without quoting it.
    return 6 * (len(keys) + length + len(metadata)) >= _METADATA and metadata_size(keys, metadata) > _METADATA


def metadata_size(keys: str, metadata: Mapping[str, str]) -> int:
    """Count the characters of metadata as compact JSON: its texts quoted as one, and the marks around each."""
    return quoted_size(keys + "".join(metadata.values())) + len('"":"",') * len(metadata) + len("{}") - bool(metadata)


def note_metadata(keys: str, metadata: Mapping[str, str], path: str, issues: list[Issue]) -> None:
    """Note metadata that Statsig would drop, and keys with a dot."""
    for key in metadata:
        if "." in key:
            note(issues, "metadata_key_dot", child(path, key))
    if metadata_size(keys, metadata) > _METADATA:
        note(issues, "metadata_too_large", path)
