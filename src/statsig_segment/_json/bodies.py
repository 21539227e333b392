"""Bodies that hold many items: read so that the items share nothing, at a cost that is linear in what comes out (TR-4).

Whoever splits a body owns each item and may change it. So an item is a tree of its own plain dicts and lists, and what
the items of an envelope share has to be copied into each of them. An immutable mapping could be shared instead, but
none will do: `dict.__setitem__` writes into a `FrozenDict`, and a `MappingProxyType` cannot be encoded as JSON. What is
shared is therefore small, or refused, and is kept as text, from which the JSON reader makes copies at the speed of C.
"""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from statsig_segment._json.values import JsonValue, codes_of, read_text, read_tree, unshare
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.rulebook import limit

_MOST_BYTES: Final = limit("envelope_too_large")


def read_body(body: Any, error: type[StatsigSegmentError]) -> tuple[JsonValue, Callable[[Any], Any]]:
    """Return a body as a tree of its own, and what makes an item of it share nothing with the other items."""
    if issubclass(type(body), str | bytes):
        return read_text(body, error), _unchanged
    return unshare(body), unshare  # of Python objects, one may be in two places


def _unchanged(item: Any) -> Any:
    return item


def copies_of(shared: Mapping[str, Any], error: type[StatsigSegmentError]) -> Callable[[], dict[str, Any]]:
    """Return a function that makes a copy of what the items of an envelope share.

    Raises:
        StatsigSegmentError: `error` itself, with code `envelope_too_large` where that is more than Segment allows for
            one event, or nested too deeply, and with code `number_too_long`.

    """
    code = "envelope_too_large"
    tree, lost = read_tree(shared)
    try:
        text = json.dumps(tree, ensure_ascii=False, separators=(",", ":"))
    except ValueError:  # the interpreter's limit on the digits of an integer
        text, code = " " * (_MOST_BYTES + 1), "number_too_long"
    if "too_deep" in codes_of(lost) or len(text.encode(errors="surrogatepass")) > _MOST_BYTES:
        raise error(code, "$")
    return partial(json.loads, text)
