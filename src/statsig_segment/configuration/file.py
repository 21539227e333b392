"""Reading a configuration from a mapping, TOML or JSON (CF-1), every problem with its path (CF-2).

cattrs, which nothing else uses, chooses the reader of each type. The readers below coerce nothing. They raise nothing
either: a reader notes each problem under its whole path and goes on, so that one walk finds all of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, NamedTuple, TypeAlias, cast, get_args, get_origin

import attrs
from cattrs import BaseConverter

from statsig_segment import statsig
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.configuration.text import ParsedObject, TextFile, parsed
from statsig_segment.configuration.validators import A_PATH_IS, is_path
from statsig_segment.errors import ConfigError, Issue, join_path
from statsig_segment.rulebook import CODES
from statsig_segment.segment.calls import CALL_TYPES
from statsig_segment.statsig.events import PLAIN_FIELDS

_PRESET: Final = "segment_2021"
_NAMES: Final = tuple[str, ...]
_MOST_GUESSES: Final = 20  # beyond these, the file is of another kind, and comparing names is slow


def load_config(source: Mapping[str, Any] | str | TextFile) -> IntegrationConfig:
    r"""Read a configuration; the keys are the attributes of the models.

    `naming = "segment_2021"` is that preset, and `value_property` is `null` or `false` for none. Nothing is coerced:
    `"false"` is not a boolean.

    Args:
        source: A mapping, text (JSON if its first character is `{`, else TOML), or a `pathlib.Path` to a file of it in
            UTF-8. Empty text is the default.

    Returns:
        The configuration of both directions.

    Raises:
        ConfigError: Its `issues` list every problem with its path in the file: `invalid_json`, `invalid_toml`,
            `not_a_table`, `unknown_key`, `missing_key`, `wrong_type`, `wrong_value`, `unknown_placeholder` or
            `contradiction`.

    Rules: CF-1, CF-2, and those that the keys name on the configuration page.
    Source: our policy; the settings are those of Statsig's console, and more.

    >>> from statsig_segment import load_config
    >>> load_config('[inbound]\ndefault_environment = "staging"').inbound.default_environment
    'staging'
    >>> load_config({"outbound": {"profile": "fast", "color": "red"}})
    Traceback (most recent call last):
    statsig_segment.errors.ConfigError: $.outbound.profile: expected documented or deliverable
    $.outbound.color: no such key

    """
    reader = _Reader()
    config = reader.read(_Found(parsed(source), "$"), IntegrationConfig)
    if reader.issues:
        raise ConfigError(reader.issues)
    return cast("IntegrationConfig", config)


class _Found(NamedTuple):
    """A value of the configuration, and where it is."""

    value: Any
    path: str

    def is_a(self, *kinds: type) -> bool:
        return isinstance(self.value, kinds)

    def items(self) -> list["_Found"]:
        """Return the items of a list; none of anything else."""
        items: Iterable[Any] = self.value if self.is_a(list, tuple) else ()
        return [_Found(item, f"{self.path}[{index}]") for index, item in enumerate(items)]

    def entries(self) -> dict[str, "_Found"]:
        """Return the entries of a table that have a string as key; none of anything else."""
        table: Mapping[object, Any] = self.value if self.is_a(Mapping) else {}
        texts = {str.__str__(key): table[key] for key in table if isinstance(key, str)}
        return {key: _Found(item, join_path(self.path, key)) for key, item in texts.items()}


class _Reader:
    """Reads one configuration, and keeps what is wrong with it."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self._converter = BaseConverter()  # a new one: whoever got hold of a shared one could change it
        self._converter.register_structure_hook(str, self.text)
        self._converter.register_structure_hook(bool, self.flag)
        self._converter.register_structure_hook_func(attrs.has, self.model)
        origins = {frozenset: self.sequence, tuple: self.sequence, Mapping: self.table, UnionType: self.choice}
        for origin, read in origins.items():
            self._converter.register_structure_hook_func(partial(_has_origin, origin), read)

    def read(self, found: _Found, kind: Any) -> Any:
        """Return a value as one of a type; what it returns beside a problem is of no use."""
        try:
            return self._converter.structure(found, kind)
        except Exception:  # noqa: BLE001 - whatever a caller's object raises when it is looked at
            return self._note(found.path, "wrong_type", CODES["wrong_type"].meaning)

    def _note(self, path: str, code: str, message: str) -> None:
        self.issues.append(Issue(code=code, path=path, message=message))

    def model(self, found: _Found, model: Any) -> Any:
        if model is EventNaming and found.is_a(str):
            if found.value == _PRESET:
                return EventNaming.segment_2021()
            return self._note(found.path, "wrong_value", f'expected a table or "{_PRESET}"')
        before = len(self.issues)
        entries = self._entries(found)
        fields = {field.name: field for field in attrs.fields(model) if field.init}
        made: dict[str, Any] = {}
        for name, field in fields.items():
            if name in entries:
                made[name] = self._field(entries.pop(name), field)
            elif field.default is attrs.NOTHING and found.is_a(Mapping):
                self._note(join_path(found.path, name), "missing_key", CODES["missing_key"].meaning)
        for key in sorted(entries):
            self._note(*_unknown(entries[key].path, _meant(key, fields) if len(entries) <= _MOST_GUESSES else ""))
        return model(**made) if len(self.issues) == before else None

    def _entries(self, found: _Found) -> dict[str, _Found]:
        """Return the entries of a table; note keys that are not strings, and each that is repeated."""
        if not found.is_a(Mapping):
            self._note(found.path, "not_a_table", CODES["not_a_table"].meaning)
            return {}
        for key in found.value.repeated if found.is_a(ParsedObject) else ():
            self._note(join_path(found.path, key), "contradiction", "this key is repeated")
        entries = found.entries()
        if len(entries) < len(found.value):
            self._note(*_unknown(found.path, "a key that is not a string"))
        return entries

    def _field(self, found: _Found, field: "attrs.Attribute[Any]") -> Any:
        """Read the value of an attribute: its type, what `_CHECKS` say of its parts, then its validator."""
        before = len(self.issues)
        made = self.read(found, field.type)
        for problem in _CHECKS[field.name](found) if field.name in _CHECKS else ():
            self._note(*problem)
        # A validator sees a structured value, which there is only if all of it has the right types. It is asked alone,
        # because a model's own constructor stops at the first attribute that is wrong.
        if len(self.issues) == before:
            attribute: Any = field
            try:
                attribute.validator(None, field, attribute.converter(made) if attribute.converter else made)
            except ConfigError as error:
                self._note(found.path, error.code, error.issues[0].message)
        return made

    def text(self, found: _Found, kind: Any) -> Any:
        if found.is_a(str):
            return str.__str__(found.value)
        expected = "expected a string" if kind is str else "expected a string or a list of strings"
        return self._note(found.path, "wrong_type", expected)

    def flag(self, found: _Found, _kind: Any) -> Any:
        return found.value if found.is_a(bool) else self._note(found.path, "wrong_type", "expected true or false")

    def sequence(self, found: _Found, kind: Any) -> Any:
        if not found.is_a(list, tuple):
            return self._note(found.path, "wrong_type", "expected a list")
        return [self.read(item, get_args(kind)[0]) for item in found.items()]

    def table(self, found: _Found, kind: Any) -> Any:
        return {key: self.read(item, get_args(kind)[1]) for key, item in self._entries(found).items()}

    def choice(self, found: _Found, kind: Any) -> Any:
        """Read what is optional, or one name or a list of names (OU-4); false is TOML's way to say none (US-8)."""
        option, *others = get_args(kind)
        has_names = _NAMES in others
        if NoneType in others and (found.value is None or (has_names and found.value is False)):
            return None
        if not has_names:
            return self.read(found, option)
        return self.sequence(found, _NAMES) if found.is_a(list, tuple) else self.text(found, kind)


def _has_origin(origin: object, kind: Any) -> bool:
    return get_origin(kind) is origin


_Problem: TypeAlias = tuple[str, str, str]
"""Path, code and message."""


def _check_types(types: _Found) -> Iterator[_Problem]:
    for kind in types.items():
        if kind.is_a(str) and kind.value not in CALL_TYPES:
            yield kind.path, "wrong_value", f"expected one of {', '.join(CALL_TYPES)}"


def _check_user_fields(table: _Found) -> Iterator[_Problem]:
    for key, found in table.entries().items():
        if key not in PLAIN_FIELDS:
            yield _unknown(found.path, f"expected one of {', '.join(PLAIN_FIELDS)}")
    yield from _check_paths(table)


def _check_paths(table: _Found) -> Iterator[_Problem]:
    for found in table.entries().values():
        if found.is_a(str) and not is_path(found.value):
            yield found.path, "wrong_value", f"expected {A_PATH_IS}"


def _check_mappings(rows: _Found) -> Iterator[_Problem]:
    """Find rows that repeat an earlier row, and so have no effect."""
    seen: set[tuple[str, str]] = set()
    for row in rows.items():
        entries = row.entries()
        field, id_type = (entries[key].value if key in entries else None for key in ("field", "id_type"))
        if isinstance(field, str) and isinstance(id_type, str):
            if (field, id_type) in seen:
                yield row.path, "contradiction", "this mapping repeats an earlier one"
            seen.add((field, id_type))


def _check_events(events: _Found) -> Iterator[_Problem]:
    """Find Statsig's own events, which have switches of their own or are never exported (FL-2)."""
    for key, found in events.entries().items():
        if key.startswith(statsig.INTERNAL_PREFIX):
            switch = "exposures" if key in statsig.EXPOSURES else "config_changes"
            is_exported = key in statsig.EXPOSURES or key == statsig.CONFIG_CHANGE
            message = f"use the key {switch} for these events" if is_exported else "these events are never exported"
            yield found.path, "contradiction", message


_CHECKS: Final[Mapping[str, Callable[[_Found], Iterator[_Problem]]]] = MappingProxyType(
    {
        "types": _check_types,
        "user_fields": _check_user_fields,
        "custom_fields": _check_paths,
        "metadata_fields": _check_paths,
        "id_mappings": _check_mappings,
        "events": _check_events,
    }
)
"""Checks that neither a type nor a validator makes, or not with the path of the entry; each takes any value."""


def _unknown(path: str, why: str) -> _Problem:
    return path, "unknown_key", CODES["unknown_key"].meaning + (why and f"; {why}")


def _meant(key: str, keys: Iterable[str]) -> str:
    """Return a question that suggests the closest known key; empty if none is close."""
    # The cost of a comparison grows with the length of both, and no key is nearly that long.
    near = get_close_matches(key[:64], keys)
    return f"did you mean {near[0]}?" if near else ""
