"""The text of a configuration, TOML or JSON, read into tables; knows nothing of what the tables mean."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol, cast

from statsig_segment._json.values import type_name
from statsig_segment.configuration.validators import problem

_MOST_DOTS: Final = 1_000  # of one key; tomllib's time grows with their square
_FILE_NAME: Final = re.compile(r"[^\n=\[{]+\.(?:toml|json)\s*")


class TextFile(Protocol):
    """What holds the text of a configuration: a `pathlib.Path`."""

    def read_text(self, encoding: str | None = ...) -> str:
        """Return the text."""
        ...


class ParsedObject(dict[str, Any]):
    """A JSON object that knows which of its keys are repeated: TOML refuses that, JSON readers do not."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        """Keep the pairs, the last of each key."""
        super().__init__(pairs)
        times = Counter(name for name, _ in pairs) if len(pairs) > len(self) else Counter[str]()
        self.repeated = tuple(name for name in times if times[name] > 1)


def parsed(source: Any) -> Any:
    """Return the tables of a configuration: a mapping itself, those in a text, or in the file at a `pathlib.Path`."""
    kind = cast("type[object]", type(source))
    if issubclass(kind, str):
        return _parsed_text(str.__str__(source))
    if issubclass(kind, Mapping):
        return source
    if hasattr(kind, "read_text"):  # of all that callers hold, only a path has it; the library itself opens nothing
        return _parsed_text(_text_of_file(source))
    message = f"expected a mapping, text or a pathlib.Path, not {type_name(source)}{_advice(kind)}"
    raise problem("not_a_table", "$", message)


def _advice(kind: type[object]) -> str:
    if issubclass(kind, bytes | bytearray):
        return "; decode it first"
    return "; pass the text that it holds" if hasattr(kind, "read") else ""


def _text_of_file(path: Any) -> str:
    try:
        return str(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        message = "the file is not in UTF-8"
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
    raise problem("wrong_value", "$", message)


def _parsed_text(text: str) -> Any:
    text = text.removeprefix("\ufeff")
    if _FILE_NAME.fullmatch(text):
        raise problem("wrong_value", "$", "expected a configuration, not the name of a file; pass pathlib.Path(name)")
    language = "JSON" if text.startswith("{") else "TOML"
    try:
        return json.loads(text, object_pairs_hook=ParsedObject) if language == "JSON" else _from_toml(text)
    except json.JSONDecodeError as error:
        why = f"at line {error.lineno}, column {error.colno}"
    except tomllib.TOMLDecodeError as error:
        # Its errors end with its place, "(at line 1, column 2)"; what comes before that may quote the file.
        why = f"at {str(error).rpartition(' (at ')[2].removesuffix(')')}"
    except RecursionError:
        why = "nested too deep"
    except ValueError:
        why = "a number has too many digits"
    raise problem(f"invalid_{language.lower()}", "$", f"not valid {language} ({why})")


def _from_toml(text: str) -> Any:
    if any(run.count(".") > _MOST_DOTS for run in re.split(r"[^\w\"'. \t-]+", text)):
        raise RecursionError
    return tomllib.loads(text)
