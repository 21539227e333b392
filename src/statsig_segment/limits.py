"""What Statsig silently drops or trims, said in advance as issues; changes nothing that is sent (US-9)."""

import re
from collections.abc import Mapping
from typing import Final

import attrs

from statsig_segment.errors import child
from statsig_segment.json_text import FrozenDict, json_text
from statsig_segment.pairs import Report

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


def check_name(name: str, path: str, report: Report) -> None:
    """Report an event name that Statsig would drop."""
    if len(name) > _NAME:
        report("name_too_long", path)
    if _find_forbidden(name):
        report("name_forbidden_character", path)


def check_id(value: str, path: str, report: Report) -> None:
    """Report an ID that Statsig would trim."""
    if len(value) > _ID:
        report("id_too_long", path)


def check_value(value: object, path: str, report: Report) -> None:
    """Report a text value that Statsig would trim."""
    if isinstance(value, str) and len(value) > _VALUE:
        report("value_too_long", path)


def check_metadata(metadata: Mapping[str, str], path: str, report: Report) -> None:
    """Report metadata that Statsig would drop, and keys with a dot."""
    keys = "".join(metadata)
    if "." in keys:
        for key in metadata:
            if "." in key:
                report("metadata_key_dot", child(path, key))
    # No text grows more than sixfold in JSON: mostly that bound tells, without writing the JSON.
    most = _LONGEST_ESCAPE * (len(keys) + sum(map(len, metadata.values())) + len(metadata)) + 2
    if most > _METADATA and len(json_text(metadata)[0]) > _METADATA:
        report("metadata_too_large", path)
