"""Why an ID is missing, as people read it: the answer in a sentence, and the lines that would fix it; plain text."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from statsig_segment.cli.messages import mapping_lines, printable
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.insight.explain import Explanation
from statsig_segment.insight.identifiers import ABSENT, INVALID, PLACEHOLDER, Identifier, Tried, Unused
from statsig_segment.outcomes import Rejected, Skipped

_WHAT: Final = {ABSENT: "is absent", INVALID: "is not an ID", PLACEHOLDER: "is a placeholder, and dropped"}


class Answer(NamedTuple):
    """Why an ID is missing, or that nothing reads one: a sentence, and the mapping that would read it."""

    head: str
    """The beginning of the sentence, which is the answer in short."""
    rest: str
    mapping: IdMapping | None = None
    lines: str = ""
    """The lines that add the mapping to a configuration."""


def missing_ids(explained: Explanation[Any], *, outbound: bool) -> Iterator[Answer]:
    """Yield for each missing ID why it is missing, and what nothing reads, with the mapping that would read it.

    Of a call that was skipped or rejected, nothing: its IDs did not decide that, but where no ID is the reason.
    """
    result = explained.result
    if isinstance(result, Skipped) or (isinstance(result, Rejected) and result.error.code != "no_identifier"):
        return
    unused = list(explained.unused)
    for identifier in explained.identifiers:
        if identifier.value is None and (identifier.tried or not outbound):
            yield _why(identifier)
            own = [each for each in unused if each.mapping.id_type == identifier.id_type]
            for each in own:
                unused.remove(each)
                yield _mended(each)
    yield from map(_mended, unused)


def _why(identifier: Identifier) -> Answer:
    """Return why an ID is missing, place by place."""
    places = "; ".join(map(_place, identifier.tried)) or "no mapping reads it from anywhere"
    return Answer(f"{printable(identifier.id_type)} is missing", f": {places}.")


def _place(tried: Tried) -> str:
    near = f" (did you mean {printable(tried.near)}?)" if tried.near else ""
    return f"{printable(tried.path)} {_WHAT[tried.outcome]}{near}"


def _mended(unused: Unused) -> Answer:
    path, id_type = printable(unused.path), printable(unused.mapping.id_type)
    rest = f" holds an ID that nothing reads. To send it as {id_type}, add:"
    return Answer(path, rest, unused.mapping, printable(mapping_lines(unused.mapping)))
