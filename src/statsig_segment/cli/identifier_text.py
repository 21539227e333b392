"""Why an ID is missing, as people see it at a terminal: the answer in a sentence, and the lines that would mend it."""

from collections.abc import Iterator
from typing import Any, Final

from rich.padding import Padding
from rich.text import Text

from statsig_segment.cli.messages import mapping_lines, printable
from statsig_segment.insight.explain import Explanation
from statsig_segment.insight.identifiers import ABSENT, INVALID, PLACEHOLDER, Identifier, Tried, Unused

_INDENT: Final = (0, 0, 0, 4)
_WHAT: Final = {ABSENT: "is absent", INVALID: "is not an ID", PLACEHOLDER: "is a placeholder, and dropped"}


def missing_ids(explained: Explanation[Any], *, outbound: bool) -> Iterator[Text | Padding]:
    """Yield for each missing ID why it is missing, and what nothing reads, with the mapping that would read it."""
    unused = list(explained.unused)
    for identifier in explained.identifiers:
        if identifier.value is None and (identifier.tried or not outbound):
            yield _why(identifier)
            own = [each for each in unused if each.mapping.id_type == identifier.id_type]
            for each in own:
                unused.remove(each)
                yield from _mended(each)
    for each in unused:
        yield from _mended(each)


def _why(identifier: Identifier) -> Text:
    """Say why an ID is missing, place by place."""
    places = "; ".join(map(_place, identifier.tried)) or "no mapping reads it from anywhere"
    return Text.assemble((f"{printable(identifier.id_type)} is missing", "bold"), f": {places}.")


def _place(tried: Tried) -> str:
    near = f" (did you mean {printable(tried.near)}?)" if tried.near else ""
    return f"{printable(tried.path)} {_WHAT[tried.outcome]}{near}"


def _mended(unused: Unused) -> Iterator[Text | Padding]:
    id_type = printable(unused.mapping.id_type)
    yield Text(f"{printable(unused.path)} holds an ID that nothing reads. To send it as {id_type}, add:")
    yield Padding(Text(printable(mapping_lines(unused.mapping))), _INDENT)
