"""Note what is beyond the limits at which Statsig silently drops or trims; nothing that is sent changes (US-9)."""

import json
import re
from collections.abc import Callable, Mapping
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
"""The longest name of an object that `flatten` takes apart. A longer one stays JSON text: joined to the name of each
leaf, it would grow beyond all bounds (TR-4)."""


_MOST_ESCAPED: Final = 6
"""The most characters of JSON that one character of text can become, as in \\u0001."""
_MARKS: Final = len('"":"",')
"""The marks of JSON around an entry of metadata."""


def note_name(name: str, path_of: Callable[[], str], issues: list[Issue]) -> None:
    """Note a name that Statsig would drop; the prefix counts."""
    if len(name) > MOST_NAME:
        add_issue(issues, "name_too_long", path_of())
    if find_forbidden(name) is not None:
        add_issue(issues, "name_forbidden_character", path_of())


def note_metadata(metadata: Mapping[str, str], path: str, path_of: Callable[[str], str], issues: list[Issue]) -> None:
    """Note metadata that Statsig would drop, and each key that it would read as a path."""
    keys = "".join(metadata)
    if "." in keys:
        for key in metadata:
            if "." in key:
                add_issue(issues, "metadata_key_dot", path_of(key))
    most = _MOST_ESCAPED * (len(keys) + sum(map(len, metadata.values()))) + _MARKS * len(metadata)
    # Only metadata that may be too large is written out. All values are strings, which Python writes like JavaScript,
    # except lone surrogates.
    if most >= MOST_METADATA and len(well_formed(_encoded(metadata))) > MOST_METADATA:
        add_issue(issues, "metadata_too_large", path)
