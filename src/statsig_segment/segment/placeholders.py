"""Placeholders among IDs: texts that clients send when a variable was empty (ID-8)."""

import re
from string import ascii_letters, digits
from typing import Final

from statsig_segment._json.values import FrozenDict

_POSTHOG: Final = "PostHog docs: Identifying users, distinct IDs that are refused"
_AMPLITUDE: Final = "Amplitude docs: HTTP API, invalid IDs"
_POLICY: Final = "statsig-segment policy"

PLACEHOLDER_IDS: Final = FrozenDict(
    {
        "": _POLICY,
        "undefined": _POSTHOG,
        "null": _POSTHOG,
        "nil": _AMPLITUDE,
        "none": _POSTHOG,
        "nan": _AMPLITUDE,
        "true": _POSTHOG,
        "false": _POSTHOG,
        "0": _POSTHOG,
        "-1": _AMPLITUDE,
        "unknown": _AMPLITUDE,
        "anonymous": _POSTHOG,
        "guest": _POSTHOG,
        "n/a": _AMPLITUDE,
        "(not set)": _POLICY,
        "not_authenticated": _POSTHOG,
        "distinct_id": _POSTHOG,
        "[object object]": _POSTHOG,
    }
)
"""Text in lower case, without the white space and quotes around it -> who refuses it as an ID."""

_ALPHANUMERIC: Final = frozenset(ascii_letters + digits)
PLAIN_STARTS: Final = _ALPHANUMERIC.difference("0", *(text[:1] + text[:1].upper() for text in PLACEHOLDER_IDS))
PLAIN_ENDS: Final = _ALPHANUMERIC.difference("0", *(text[-1:] + text[-1:].upper() for text in PLACEHOLDER_IDS))
"""An ID that begins or ends with one of these is not a placeholder."""

PADDING: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\"'"
)
"""Every white space character of `str.isspace`, and both quotes."""


_TEXTS: Final = "|".join(map(re.escape, PLACEHOLDER_IDS)).replace("k", "[k\u212a]")  # "K" in lower case is "k", too
match_placeholder: Final = re.compile(
    rf"(?![{''.join(sorted(PLAIN_STARTS))}])[{PADDING}]*+(?:{_TEXTS}|[0-]*)[{PADDING}]*+", re.ASCII | re.IGNORECASE
).fullmatch
"""Matches an ID that is a placeholder, at the speed of C."""


def is_placeholder(text: str) -> bool:
    """Return whether an ID is a placeholder and identifies no one.

    >>> [is_placeholder(text) for text in ("undefined", "' NULL '", "0000-0000", "user-7")]
    [True, True, True, False]
    """
    if text[:1] in PLAIN_STARTS or text[-1:] in PLAIN_ENDS:
        return False
    return match_placeholder(text) is not None
