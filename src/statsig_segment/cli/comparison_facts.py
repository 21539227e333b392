"""What a comparison says, whatever it is shown on: its verdict, its places, its JSON and its TOML; draws nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment.cli.blocks import Place
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.outputs import UnusableError
from statsig_segment.insight.comparison import Comparison, Example, Finding

_COUNTS: Final = tuple(
    field.name
    for field in attrs.fields(Comparison)
    if field.name not in {"findings", "proposal", "undecided", "problems"}
)
_ALL_AMBIGUOUS: Final = "Each call fits several exported events, so nothing could be compared."
_IN_ORDER: Final = "Nothing could be compared. The calls come first, then the export."


@attrs.frozen(kw_only=True)
class Sides:
    """The two files that were compared, and the line of every payload in them."""

    calls: str
    call_lines: Sequence[int]
    export: str
    export_lines: Sequence[int]

    def places(self, example: Example) -> tuple[str, str | None]:
        """Give the places of a difference, as file and line; the second is `None` where there is no event."""
        here = Place(file=self.calls, line=self.call_lines[example.call])
        if example.exported is None:
            return str(here), None
        return str(here), str(Place(file=self.export, line=self.export_lines[example.exported]))


def verdict(found: Comparison) -> str:
    """Say in a sentence or two how far both sides agree."""
    if found.problems:
        return " ".join((*found.problems, _IN_ORDER))
    if not found.paired:
        return _ALL_AMBIGUOUS if found.ambiguous else _IN_ORDER
    pairs = f"{found.paired:,} {'pair' if found.paired == 1 else 'pairs'}"
    if found.agrees:
        return f"{pairs} compared: they agree in everything."
    aspects = sum(bool(finding.differ) for finding in found.findings)
    return f"{pairs} compared: they differ in {aspects} of {len(found.findings)} aspects."


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


def comparison_record(found: Comparison, sides: Sides) -> Mapping[str, Any]:
    """Give a comparison as a value for JSON; places are given as lines, counted from 1."""
    return {
        "agrees": found.agrees,
        **{name: getattr(found, name) for name in _COUNTS},
        "findings": [_finding_record(finding, sides) for finding in found.findings],
        "proposal": found.proposal,
        "undecided": found.undecided,
        "problems": found.problems,
    }


def _finding_record(finding: Finding, sides: Sides) -> Mapping[str, Any]:
    examples = [_example_record(example, sides) for example in finding.examples]
    return {**attrs.asdict(finding, recurse=False), "examples": examples}


def _example_record(example: Example, sides: Sides) -> Mapping[str, Any]:
    there = None if example.exported is None else sides.export_lines[example.exported]
    return {"call_line": sides.call_lines[example.call], "export_line": there, "path": example.path}
