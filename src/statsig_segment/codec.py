"""Bytes of JSON <-> values for the command line: orjson where it is installed, with the same outcome as without it.

orjson is taken at its word only where it must agree with the standard library. What it refuses (NaN, lone surrogates,
1e400, a byte order mark), and what it would read or print in another way (integers beyond 64 bits, numbers from 1e-9 up
to 1e-4), goes to the standard library. Numbers that JSON does not have are written as null, as JavaScript does.
"""

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment.errors import StatsigSegmentError
from statsig_segment.json_text import json_text, read_text

try:
    import orjson
except ImportError:  # the extra `fast` is not installed
    orjson = None  # type: ignore[assignment]

_Error: TypeAlias = type[StatsigSegmentError]

_DIGITS: Final = bytes(byte if byte in b"0123456789" else b" "[0] for byte in range(256)).replace(b"1", b"0")
