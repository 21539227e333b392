"""The limits at which Statsig silently drops or trims; nothing that is sent changes by them (US-9)."""

import json
import re
from collections.abc import Mapping
from typing import Final

from statsig_segment._json.javascript import well_formed
from statsig_segment.rulebook import limit

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
MOST_ESCAPED: Final = 6
"""The most characters of JSON that one character of text can become, as in \\u0001."""
MARKS: Final = len('"":"",')
"""The marks of JSON around an entry of metadata."""


def is_too_large(metadata: Mapping[str, str]) -> bool:
    """Return whether Statsig would drop metadata, by its length as JSON text."""
    # All values are strings, which Python writes like JavaScript, except lone surrogates.
    return len(well_formed(_encoded(metadata))) > MOST_METADATA
