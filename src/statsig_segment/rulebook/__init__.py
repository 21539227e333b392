"""The rules of this library and its codes, as data: two tables from which docs, hints and messages are made.

The codes, read from codes.json when this is imported, say who carries a code, its rule, meaning and advice. Error
messages, the command line, the playground and the page of codes read these rows; none of them has texts of its own. A
code is stable. Its texts are for people and may change. JSON and not TOML, because errors need the table, so whoever
imports the library pays for reading it.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import attrs

if TYPE_CHECKING:
    from statsig_segment.rulebook.rules import FAMILIES, RULES, Family, Rule, Source

__all__ = ["CODES", "FAMILIES", "RULES", "Code", "Family", "Rule", "Source"]

__loader__: Any  # every module has one; mypy does not know it


@attrs.frozen(kw_only=True)
class Code:
    """What a code means, and what to do about it.

    >>> from statsig_segment.rulebook import CODES
    >>> CODES["no_identifier"].kinds, CODES["no_identifier"].rule
    (('TranslationError',), 'ID-6')
    """

    kinds: tuple[str, ...]
    """Who carries it: names of error classes, ``skipped``, or ``issue``."""
    rule: str
    """Id of the rule behind it, as in `statsig_segment.rulebook.RULES`."""
    meaning: str
    """What happened: the message, without a capital or a period."""
    advice: str
    """What would change it, in sentences."""
    outbound_advice: str | None = None
    """The same for events on their way from Statsig to Segment, where other advice helps."""
    limit: int | None = None
    """The most that is allowed, where the code is about a limit: characters (code points), or bytes for an event."""
    group: str
    """Heading under which the page of codes lists it."""


def _code(group: str, kinds: list[str], meaning: str, limit: int = 0, **row: Any) -> Code:
    meaning = meaning.format(characters=limit, kilobytes=limit // 1024) if limit else meaning
    return Code(group=group, kinds=tuple(kinds), meaning=meaning, limit=limit or None, **row)


def _read() -> Mapping[str, Code]:
    # The loader, and not the file system: a package may be imported from a zip file.
    groups = json.loads(__loader__.get_data(__file__.rpartition("__init__")[0] + "codes.json"))
    rows = {code: _code(group, **row) for group, codes in groups.items() for code, row in codes.items()}
    return MappingProxyType(rows)


CODES: Final = _read()
"""Every code of the library, in the order of the page of codes; reasons in the order in which they apply."""


def limit(code: str) -> int:
    """Return the most that is allowed before an issue or error with this code, in code points or bytes."""
    most = CODES[code].limit
    if most is None:
        raise LookupError(code)
    return most


def __getattr__(name: str) -> object:
    """Import the rules when they are first asked for (PEP 562): translating needs none."""
    if name in __all__:
        return getattr(import_module(f"{__name__}.rules"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
