"""The configuration of a run: read from a file, its problems and warnings shown at their places."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from statsig_segment.cli.blocks import STANDARD_INPUT
from statsig_segment.cli.files import standard_input
from statsig_segment.cli.outputs import UnusableError
from statsig_segment.cli.places import Stretch, place_of
from statsig_segment.configuration.file import load_config
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.errors import ConfigError

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
            problems = "\n".join(
                self._shown(issue.path, f"{issue.message} [{issue.code}]", _find_place(issue.message))
                for issue in error.issues
            )
        raise BrokenConfigError(problems)

    def warnings(self, config: IntegrationConfig) -> Iterator[str]:
        """Yield a warning for each setting that is valid but probably not meant."""
        for path, message in _warnings(config):
            yield f"warning: {self._shown(path, message, None)}"

    def _shown(self, path: str, message: str, stated: re.Match[str] | None) -> str:
        """Return a problem with its place, which a reader of TOML or JSON states, or the path tells."""
        place = Stretch(line=int(stated[1]), column=int(stated[2]) - 1) if stated else place_of(self.text, path)
        name = "standard input" if self.name == STANDARD_INPUT else self.name
        if place is None:
            return f"{name}: {path}: {message}"
        lines = self.text.splitlines()
        line = lines[place.line - 1] if place.line <= len(lines) else ""
        start = max(0, place.column + place.length - _SHOWN)
        margin = f"{place.line:>4} | "
        below = f"{'| '.rjust(len(margin))}{' ' * (place.column - start)}"
        mark = "^" * max(1, min(place.length, len(line) - place.column))
        shown = "".join(character if character.isprintable() else " " for character in line[start : start + _SHOWN])
        return f"{name}:{place.line}: {path}: {message}\n{margin}{shown}\n{below}{mark}"


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


def _warnings(config: IntegrationConfig) -> Iterator[tuple[str, str]]:
    """Yield the paths of settings that are probably not meant, and why (CL-6, CL-7)."""
    inbound = config.inbound
    declared = inbound.id_types or ()
    for index, row in enumerate(inbound.id_mappings):
        path = f"$.inbound.id_mappings[{index}]"
        near = [name for name in sorted(declared) if name.lower() == row.id_type.lower()]
        if near and row.id_type not in declared:
            yield f"{path}.id_type", f"differs from the declared ID type {near[0]!r} only in its letter case"
        if row.field == "userId" and row.id_type.lower() == "userid":
            yield path, "this mapping can never win: where a call has a userId, it is the user ID already"
    included, excluded = inbound.filters.include or frozenset(), inbound.filters.exclude or frozenset()
    for name in sorted(included & excluded):
        yield "$.inbound.filters.exclude", f"{name!r} is both included and excluded, and so never sent"
    for key, names in (("include", included), ("exclude", excluded)):
        for name in sorted(name for name in names if "*" in name):
            yield f"$.inbound.filters.{key}", f"{name!r} means an event of exactly this name: * is not a wildcard here"
