"""The configuration of a run: read from a file, its problems and warnings shown at their places."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import attrs

from statsig_segment.cli.blocks import STANDARD_INPUT
from statsig_segment.cli.files import standard_input
from statsig_segment.cli.outputs import UnusableError
from statsig_segment.cli.places import Place, place_of
from statsig_segment.configuration.file import load_config
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.errors import ConfigError, Issue

_find_place: Final = re.compile(r"at line (\d+), column (\d+)").search
_SHOWN: Final = 100
"""The most characters of a line that are shown."""


class BrokenConfigError(Exception):
    """A configuration that cannot be used; its text has every problem, with its place."""


@attrs.frozen(kw_only=True)
class Source:
    """The text of a configuration, and the file it comes from."""

    name: str
    text: str

    def load(self) -> IntegrationConfig:
        """Read the configuration; raise `BrokenConfigError` if that fails."""
        try:
            return load_config(self.text)
        except ConfigError as error:
            problems = "\n".join(self._shown(issue, f"{issue.message} [{issue.code}]") for issue in error.issues)
        raise BrokenConfigError(problems)

    def warnings(self, config: IntegrationConfig) -> Iterator[str]:
        """Yield a warning for each setting that is valid but probably not meant."""
        for path, message in _warnings(config):
            yield f"warning: {self._shown(Issue(code='contradiction', path=path), message)}"

    def _shown(self, issue: Issue, message: str) -> str:
        place = _stated_place(issue.message) or place_of(self.text, issue.path)
        name = "standard input" if self.name == STANDARD_INPUT else self.name
        if place is None:
            return f"{name}: {issue.path}: {message}"
        return f"{name}:{place.line}: {issue.path}: {message}{self._marked(place)}"

    def _marked(self, place: Place) -> str:
        """Return the line of a place, with a mark under the place."""
        lines = self.text.splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        start = max(0, place.column + place.length - _SHOWN)
        margin = f"{place.line:>4} | "
        mark = "^" * max(1, min(place.length, len(line) - place.column))
        shown = "".join(character if character.isprintable() else " " for character in line[start : start + _SHOWN])
        return f"\n{margin}{shown}\n{'| '.rjust(len(margin))}{' ' * (place.column - start)}{mark}"


def _stated_place(message: str) -> Place | None:
    """Return the place that a reader of TOML or JSON names in its message."""
    found = _find_place(message)
    return Place(line=int(found[1]), column=int(found[2]) - 1) if found else None


def read_source(name: str) -> Source:
    """Read the text of a configuration from a file, or standard input for `-`."""
    data = standard_input().read() if name == STANDARD_INPUT else Path(name).read_bytes()
    try:
        return Source(name=name, text=data.decode("utf-8"))
    except UnicodeDecodeError:
        raise UnusableError(f"{name}: not in UTF-8") from None


def read_config(name: str | None) -> IntegrationConfig:
    """Return the configuration from a file, or the default if no file is named."""
    return IntegrationConfig() if name is None else read_source(name).load()


# -- Warnings ----------------------------------------------------------------------------------------------------------


def _warnings(config: IntegrationConfig) -> Iterator[tuple[str, str]]:
    """Yield the paths of settings that are probably not meant, and why (CL-6, CL-7)."""
    inbound = config.inbound
    for index, row in enumerate(inbound.id_mappings):
        path = f"$.inbound.id_mappings[{index}]"
        declared = _differs_in_case(row.id_type, inbound.id_types or ())
        if declared is not None:
            yield f"{path}.id_type", f"differs from the declared ID type {declared!r} only in its letter case"
        if row.field == "userId" and row.id_type.lower() == "userid":
            yield path, "this mapping can never win: where a call has a userId, it is the user ID already"
    for name in sorted((inbound.filters.include or frozenset()) & (inbound.filters.exclude or frozenset())):
        yield "$.inbound.filters.exclude", f"{name!r} is both included and excluded, and so never sent"
    for key in ("include", "exclude"):
        for name in sorted(name for name in getattr(inbound.filters, key) or () if "*" in name):
            yield f"$.inbound.filters.{key}", f"{name!r} means an event of exactly this name: * is not a wildcard here"


def _differs_in_case(name: str, names: Iterable[str]) -> str | None:
    if name in names:
        return None
    return next((other for other in sorted(names) if other.lower() == name.lower()), None)
