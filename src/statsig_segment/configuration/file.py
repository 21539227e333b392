"""Reading a configuration from a mapping, TOML or JSON (CF-1), every problem with its path (CF-2).

cattrs, which nothing else uses, structures the tables and refuses unknown keys; the hooks below add that nothing is
coerced. A hook raises `ConfigError` with paths that begin at the value it was given, and the hook around it puts its
own path before them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, override
from cattrs.gen import make_dict_structure_fn

from statsig_segment import statsig
from statsig_segment._json.paths import FieldPath
from statsig_segment._json.values import EMPTY, freeze
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.configuration.text import ParsedObject, TextFile, parsed
from statsig_segment.configuration.validators import A_PATH_IS, problem
from statsig_segment.errors import ConfigError, Issue, join_path
from statsig_segment.rulebook.codes import CODES
from statsig_segment.segment.calls import CALL_TYPES
from statsig_segment.statsig.events import PLAIN_FIELDS

_Hook: TypeAlias = Callable[[Any, Any], Any]

_PRESET: Final = "segment_2021"
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
    >>> load_config({"outbound": {"profile": "fast", "colour": "red"}})
    Traceback (most recent call last):
    statsig_segment.errors.ConfigError: $.outbound.profile: expected documented or deliverable
    $.outbound.colour: no such key

    """
    return _converter().structure(parsed(source), IntegrationConfig)


def _converter() -> Converter:
    """Return a new converter; a shared one could be changed by any caller."""
    converter = Converter(forbid_extra_keys=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _flag)
    for matches, make_hook in _HOOKS:
        converter.register_structure_hook_factory(matches, cast("Any", make_hook))
    return converter


def _text(value: object, _kind: object) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise problem("wrong_type", "$", "expected a string")


def _flag(value: object, _kind: object) -> bool:
    if isinstance(value, bool):
        return value
    raise problem("wrong_type", "$", "expected true or false")


def _list_hook(kind: Any, converter: Converter) -> _Hook:
    item_kind = get_args(kind)[0]

    def read(value: object, _kind: object) -> Any:
        if not isinstance(value, list | tuple):
            raise problem("wrong_type", "$", "expected a list")
        issues: list[Issue] = []
        read_item = _collecting(issues, converter.structure)
        items = [read_item(f"$[{index}]", item, item_kind) for index, item in enumerate(cast("Sequence[Any]", value))]
        return _unless(issues, items)

    return read


def _table_hook(kind: Any, converter: Converter) -> _Hook:
    value_kind = get_args(kind)[1]

    def read(value: object, _kind: object) -> Any:
        table, issues = _table(value)
        read_value = _collecting(issues, converter.structure)
        entries = {key: read_value(join_path("$", key), item, value_kind) for key, item in table.items()}
        return _unless(issues, entries)

    return read


def _model_hook(model: type[attrs.AttrsInstance], converter: Converter) -> _Hook:
    keys = [each for each in attrs.fields(model) if each.init]
    hooks = {key.name: override(struct_hook=_key_hook(model, key, converter)) for key in keys}
    structure = make_dict_structure_fn(model, converter, **hooks)  # type: ignore[arg-type]

    def read(value: object, _kind: object) -> Any:
        table, issues = _table(value)
        made = None
        try:
            made = structure(table, model)
        except ClassValidationError as error:
            issues += _class_issues(error, tuple(hooks))
        return _unless(issues, made)

    return read


def _naming_hook(model: type[attrs.AttrsInstance], converter: Converter) -> _Hook:
    read_table = _model_hook(model, converter)

    def read(value: object, kind: object) -> Any:
        if not isinstance(value, str):
            return read_table(value, kind)
        if value != _PRESET:
            raise problem("wrong_value", "$", f'expected a table or "{_PRESET}"')
        return EventNaming.segment_2021()

    return read


def _names_hook(kind: Any, converter: Converter) -> _Hook:
    """Read one name or a list of names (OU-4, US-8). If optional, null means none, and so does false in TOML (US-8)."""
    read_list = _list_hook(tuple[str, ...], converter)
    may_be_none = type(None) in get_args(kind)

    def read(value: object, _kind: object) -> Any:
        if may_be_none and (value is None or value is False):
            return None
        if isinstance(value, list | tuple):
            return read_list(value, kind)
        if not isinstance(value, str):
            raise problem("wrong_type", "$", "expected a string or a list of strings")
        return str.__str__(value)

    return read


_HOOKS: Final[Sequence[tuple[Callable[[Any], bool], Callable[[Any, Converter], _Hook]]]] = (
    (attrs.has, _model_hook),
    (lambda kind: kind is EventNaming, _naming_hook),
    (lambda kind: kind in {str | tuple[str, ...], str | tuple[str, ...] | None}, _names_hook),
    (lambda kind: get_origin(kind) in {frozenset, tuple}, _list_hook),
    (lambda kind: get_origin(kind) is Mapping, _table_hook),
)
"""Which hook reads which types; if two fit, cattrs takes the later one."""


def _table(value: object) -> tuple[Mapping[str, Any], list[Issue]]:
    """Return the entries of a table, and an issue for keys that are not strings and for each that is repeated."""
    if not isinstance(value, Mapping):
        raise problem("not_a_table", "$", CODES["not_a_table"].meaning)
    repeated = value.repeated if isinstance(value, ParsedObject) else ()
    issues = [Issue(code="contradiction", path=join_path("$", key), message="this key is repeated") for key in repeated]
    table = cast("Mapping[object, Any]", value)
    entries = _entries(table)
    if len(entries) < len(table):
        issues.append(_no_such_key("$", "a key that is not a string"))
    return entries, issues


def _items(value: object) -> Sequence[Any]:
    """Return the items of a list; empty for anything else."""
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def _entries(value: object) -> Mapping[str, Any]:
    """Return the entries of a table with a string as key; empty for anything else."""
    if not isinstance(value, Mapping):
        return EMPTY
    table = cast("Mapping[object, Any]", value)
    return {str.__str__(key): table[key] for key in table if isinstance(key, str)}


def _key_hook(model: type[attrs.AttrsInstance], key: "attrs.Attribute[Any]", converter: Converter) -> _Hook:
    """Return the reader of one key, which checks the type first, then the value by its validator and `_CHECKS`."""
    check = _CHECKS.get(key.name, _no_check)

    def read_key(value: object, _kind: object) -> Any:
        issues: list[Issue] = []
        made = _collecting(issues, converter.structure)("$", value, key.type)
        issues += check(value)
        # A validator sees a structured value, which there is only if all of it has the right types.
        if not issues:
            _collecting(issues, _validate)("$", model, key, made)
        return _unless(issues, made)

    return read_key


def _validate(model: type[attrs.AttrsInstance], key: "attrs.Attribute[Any]", value: object) -> None:
    """Check one attribute alone: a model's own constructor would stop at the first that is wrong."""
    if model is EventNaming:  # the constructor parses its templates, which no validator does
        EventNaming(**{key.name: value})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    else:
        attribute: Any = key
        attribute.validator(None, key, attribute.converter(value) if attribute.converter else value)


def _no_check(_value: object) -> Iterable[Issue]:
    return ()


def _check_types(value: object) -> Iterator[Issue]:
    for index, item in enumerate(_items(value)):
        if isinstance(item, str) and item not in CALL_TYPES:
            yield Issue(code="wrong_value", path=f"$[{index}]", message=f"expected one of {', '.join(CALL_TYPES)}")


def _check_user_fields(value: object) -> Iterator[Issue]:
    for key in _entries(value):
        if key not in PLAIN_FIELDS:
            yield _no_such_key(join_path("$", key), f"expected one of {', '.join(PLAIN_FIELDS)}")
    yield from _check_paths(value)


def _check_paths(value: object) -> Iterator[Issue]:
    for key, path in _entries(value).items():
        if isinstance(path, str) and (not path or FieldPath.read(path) is None):
            yield Issue(code="wrong_value", path=join_path("$", key), message=f"expected {A_PATH_IS}")


def _check_mappings(value: object) -> Iterator[Issue]:
    """Find rows that repeat an earlier row, and so have no effect."""
    seen: set[tuple[str, str]] = set()
    for index, row in enumerate(map(_entries, _items(value))):
        field, id_type = freeze(row.get("field")), freeze(row.get("id_type"))
        if not isinstance(field, str) or not isinstance(id_type, str):
            continue
        if (field, id_type) in seen:
            yield Issue(code="contradiction", path=f"$[{index}]", message="this mapping repeats an earlier one")
        seen.add((field, id_type))


def _check_events(value: object) -> Iterator[Issue]:
    """Find Statsig's own events, which have switches of their own or are never exported (FL-2)."""
    for key in _entries(value):
        if key.startswith(statsig.INTERNAL_PREFIX):
            switch = (
                "exposures" if key in statsig.EXPOSURES else "config_changes" if key == statsig.CONFIG_CHANGE else None
            )
            message = "these events are never exported" if switch is None else f"use the key {switch} for these events"
            yield Issue(code="contradiction", path=join_path("$", key), message=message)


_CHECKS: Final[Mapping[str, Callable[[object], Iterable[Issue]]]] = MappingProxyType(
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


def _collecting(issues: list[Issue], call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls `call` and collects its issues; it takes a path and the arguments."""

    def collect(path: str, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except ConfigError as error:
            issues.extend(_moved(error, path))
            return None

    return collect


def _moved(error: ConfigError, path: str) -> Iterator[Issue]:
    """Yield the issues of an error, with a path put before theirs."""
    for issue in error.issues:
        # A validator's path is the bare name of its attribute, which `path` ends with already.
        below = issue.path[1:] if issue.path.startswith("$") else ""
        yield attrs.evolve(issue, path=path + below)


def _class_issues(error: Any, keys: tuple[str, ...]) -> Iterator[Issue]:
    """Yield the issues that cattrs found in a table, in the order of the attributes, unknown keys last."""
    with_notes, others = error.group_exceptions()
    for found, note in with_notes:
        path = join_path("$", note.name)
        if isinstance(found, ConfigError):
            yield from _moved(found, path)
        else:  # a KeyError for a missing key without a default, or whatever a caller's object raised
            yield Issue(code="missing_key" if isinstance(found, KeyError) else "wrong_type", path=path)
    for found in others:
        unknown = sorted(found.extra_fields)
        for key in unknown:
            yield _no_such_key(join_path("$", key), _meant(key, keys) if len(unknown) <= _MOST_GUESSES else "")


def _no_such_key(path: str, why: str) -> Issue:
    return Issue(code="unknown_key", path=path, message=f"{CODES['unknown_key'].meaning}{why and f'; {why}'}")


def _meant(key: str, keys: tuple[str, ...]) -> str:
    """Return a question that suggests the closest known key; empty if none is close."""
    # The cost of a comparison grows with the length of both, and no key is nearly that long.
    near = get_close_matches(key[:64], keys)
    return f"did you mean {near[0]}?" if near else ""


def _unless(issues: list[Issue], value: Any) -> Any:
    if issues:
        raise ConfigError(issues)
    return value
