"""What a comparison says, whatever it is shown on: its verdict, its places, its JSON and its TOML; draws nothing."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment._json.values import FrozenDict
from statsig_segment.cli.blocks import Payloads, Place
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.files import READ_ERRORS, read_blocks
from statsig_segment.cli.outputs import UnusableError, reason
from statsig_segment.cli.records import Direction
from statsig_segment.cli.run import say_if_waiting
from statsig_segment.insight.comparison import Comparison, Example, Finding

_ALL_AMBIGUOUS: Final = "Each call fits several exported events, so nothing could be compared."
_IN_ORDER: Final = "Nothing could be compared. The calls come first, then the export."

UNPAIRED: Final[Mapping[str, str]] = FrozenDict(
    {
        "identify_as_event": "exported events of identify calls, which make no event here",
        "without_id": "exported events without any ID",
        "not_from_segment": "exported events that did not come from Segment",
        "outside_export": "calls before the export begins or after it ends",
        "silent_name": "calls of names that never arrive",
    }
)
"""Class of what has no partner -> what people call it."""

_DECIDES: Final[Mapping[str, str]] = FrozenDict(
    {
        "naming.prefix": "a track call",
        "naming.track": "track calls of two names",
        "naming.page_unnamed": "a page call with neither name nor category",
        "naming.page": "a page call with a name and a category",
        "naming.screen_unnamed": "a screen call with neither name nor category",
        "naming.screen": "a screen call with a name and a category",
        "naming.group": "group calls of two groups",
        "naming.from_properties": "a page call whose name is among its properties only",
        "default_environment": "a call that names no environment",
        "value_property.order": "a call that has both properties",
        "value_property": "a call in which the properties have different values",
        "nested": "a call with an object among its properties",
        "id_mappings.order": "a call that has an ID in both fields",
        "id_mappings": "a call in which the fields hold different IDs",
        "drop_placeholder_ids": "a call with an ID such as undefined",
        "honor_integrations": "calls whose integrations switch Statsig off",
        "integration_names": "calls whose integrations switch all off but one",
        "consent_categories": "calls with a refused consent category",
        "filters": "more calls of the names that never arrive, while the export lasts",
    }
)
"""Beginning of a key that is undecided -> the call that would decide it; the first that fits counts."""
_PATHS: Final = "a call in which the paths hold different values"


class Side:
    """One side of a comparison: the payloads of its files, and the line where each of them begins."""

    def __init__(self, files: Sequence[str], direction: Direction) -> None:
        """Start empty."""
        self._files, self._direction = files, direction
        self._starts: list[int] = []
        self._lines = array("q")

    def read(self) -> Iterator[Any]:
        """Yield all payloads; `UnusableError` where a file fails: half a side would look like a difference."""
        for name in self._files:
            self._starts.append(len(self._lines))
            say_if_waiting(name, self._direction.what)
            try:
                for block in read_blocks(name, self._direction):
                    payloads = Payloads(block, self._direction)
                    for payload in payloads:
                        self._lines.append(payloads.line)
                        yield payload
            except READ_ERRORS as error:
                raise UnusableError(f"{name}: {reason(error)}") from None

    def place(self, position: int) -> Place:
        """Return where a payload begins."""
        return Place(self._files[bisect_right(self._starts, position) - 1], self._lines[position])

    def finding_record(self, finding: Finding) -> Mapping[str, Any]:
        """Return a finding about the calls of this side alone as a value for JSON."""
        places = [(self.place(each.call), each.path) for each in finding.examples]
        examples = [{"file": place.file, "line": place.line, "path": path} for place, path in places]
        return attrs.asdict(finding) | {"examples": examples}


def verdict(found: Comparison) -> str:
    """Return the verdict: a sentence or two on how far both sides agree."""
    if not found.paired:
        if found.problems:
            return " ".join((*found.problems, _IN_ORDER))
        return _ALL_AMBIGUOUS if found.ambiguous else _IN_ORDER
    pairs = f"{found.paired:,} {'pair' if found.paired == 1 else 'pairs'} compared:"
    if found.agrees:
        return f"{pairs} they agree in everything."
    aspects = sum(bool(finding.differ) for finding in found.findings)
    if aspects:
        return f"{pairs} they differ in {aspects} of {len(found.findings)} aspects."
    return f"{pairs} they agree, but too many calls or events have no partner for it to be a yes."


def deciding_call(key: str) -> str:
    """Return which call would decide a key that the pairs leave undecided."""
    name = key.removeprefix("inbound.")
    return next((call for start, call in _DECIDES.items() if name.startswith(start)), _PATHS)


def proposal_text(proposal: Mapping[str, Any], name: str | None = None) -> bytes:
    """Write a proposal as the text of a configuration: JSON for a name that ends so, else TOML.

    Raises `UnusableError` where a text in it has half a pair of surrogates, which TOML cannot hold.

    >>> print(proposal_text({"inbound": {"naming": {"prefix": "web/"}}}).decode(), end="")
    [inbound.naming]
    prefix = "web/"
    """
    if name is not None and name.lower().endswith(".json"):
        return FAST.encode(proposal) + b"\n"
    import tomli_w  # noqa: PLC0415 - all but this works without the extra

    try:
        return tomli_w.dumps(proposal).encode()
    except UnicodeEncodeError:
        where = "the proposal" if name is None else name
        raise UnusableError(f"{where}: TOML cannot hold half a surrogate pair; write it to a .json file") from None


def comparison_record(found: Comparison, calls: Side, export: Side) -> Mapping[str, Any]:
    """Return a comparison as a value for JSON; places are given as files and lines, counted from 1."""
    findings = [
        attrs.asdict(finding) | {"examples": [_example_record(each, calls, export) for each in finding.examples]}
        for finding in found.findings
    ]
    return {"agrees": found.agrees} | attrs.asdict(found, recurse=False) | {"findings": findings}


def _example_record(example: Example, calls: Side, export: Side) -> Mapping[str, Any]:
    here = calls.place(example.call)
    there = None if example.exported is None else export.place(example.exported)
    return {
        "call_file": here.file,
        "call_line": here.line,
        "export_line": None if there is None else there.line,
        "path": example.path,
    }
