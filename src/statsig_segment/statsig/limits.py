"""What Statsig silently drops or trims, noted in advance as issues; changes nothing that is sent (US-9)."""

import json
import re
from collections.abc import Mapping
from typing import Final

from statsig_segment._json.javascript import well_formed
from statsig_segment.errors import Issue, add_issue
from statsig_segment.rulebook.codes import limit

FORBIDDEN_IN_NAMES: Final = '\\[]{}<>#=;&$%|\0\n\r"'
find_forbidden: Final = re.compile(f"[{re.escape(FORBIDDEN_IN_NAMES)}]").search
_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


MOST_NAME: Final = limit("name_too_long")
MOST_ID: Final = limit("id_too_long")
MOST_VALUE: Final = limit("value_too_long")
MOST_METADATA: Final = limit("metadata_too_large")


LONGEST_JOINED_NAME: Final = 256
"""Under `flatten`, an object with a longer name stays JSON text: else names would outgrow all else (TR-4)."""


def note_name(name: str, path: str, issues: list[Issue]) -> None:
    """Note a name that Statsig would drop; the prefix counts."""
    if len(name) > MOST_NAME:
        add_issue(issues, "name_too_long", path)
    if find_forbidden(name) is not None:
        add_issue(issues, "name_forbidden_character", path)


def note_id(text: str, path: str, issues: list[Issue]) -> None:
    """Note an ID that Statsig would trim."""
    if len(text) > MOST_ID:
        add_issue(issues, "id_too_long", path)


def note_value(value: object, path: str, issues: list[Issue]) -> None:
    """Note a text value that Statsig would trim."""
    if isinstance(value, str) and len(value) > MOST_VALUE:
        add_issue(issues, "value_too_long", path)


def note_metadata(metadata: Mapping[str, str], path: str, issues: list[Issue]) -> None:
    """Note metadata that Statsig would drop."""
    # Strings alone: Python writes them as JavaScript does, but for lone surrogates.
    if len(well_formed(_encoded(metadata))) > MOST_METADATA:
        add_issue(issues, "metadata_too_large", path)


def note_metadata_key(key: str, path: str, issues: list[Issue]) -> None:
    """Note a metadata key that Statsig would read as a path."""
    if "." in key:
        add_issue(issues, "metadata_key_dot", path)
