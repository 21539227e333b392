"""One small change somewhere in a sound call: what clients get wrong, and what only Python code could send.

A place is the way to a value: keys and indexes. `places` lists them, `edits` lists what can be done at one, and
`edited` does it to a fresh copy.
"""

from __future__ import annotations

import json
from collections import OrderedDict, UserDict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from uuid import UUID

from tests.support.lookalikes import Text
from tests.support.values import JsonObject, is_array, is_object

Place: TypeAlias = tuple[str | int, ...]
Change: TypeAlias = Callable[[Any, Any, Any], None]
"""Takes the whole call, what holds the place, and its key or index there."""


class Plan(str, Enum):  # noqa: UP042 - printed, a StrEnum is what it equals
    """Strings as applications have them; printed, they are not what they equal."""

    USER = "userId"
    PLAN = "plan"
    TIER = "tier"


class Seats(IntEnum):
    """Numbers as applications have them."""

    SEVEN = 7


def nested(levels: int, kinds: str = "[{", value: Any = 1) -> Any:
    """Put a value into so many objects and arrays."""
    for level in range(levels):
        value = [value] if kinds[level % len(kinds)] == "[" else {"a": value}
    return value


_DEPTHS: Final = (64, 65, 97, 98, 99, 100, 101)

VALUES: Final[Mapping[str, Callable[[], Any]]] = {
    "null": lambda: None,
    "true": lambda: True,
    "false": lambda: False,
    "0": lambda: 0,
    "-1": lambda: -1,
    "7": lambda: 7,
    "7.0": lambda: 7.0,
    "1.5": lambda: 1.5,
    "0.25": lambda: 0.25,
    "-0.0": lambda: -0.0,
    "1e21": lambda: 1e21,
    "1e-7": lambda: 1e-7,
    "1.25e-5": lambda: 1.25e-5,
    "NaN": lambda: float("nan"),
    "Infinity": lambda: float("inf"),
    "a number of 63 bits": lambda: 2**62,
    "a number of 65 bits": lambda: -(2**64),
    "a number just short enough": lambda: 10**4299,
    "a number too long": lambda: 10**4300,
    "empty text": lambda: "",
    "a space": lambda: " ",
    "text": lambda: "u",
    "digits": lambda: "42",
    "a placeholder": lambda: "undefined",
    "a padded placeholder": lambda: " 'NULL'\t",
    "zeros": lambda: "00000000-0000-0000-0000-000000000000",
    "a dotted text": lambda: "a.b",
    "a forbidden character": lambda: "a;b",
    "a quote and a control character": lambda: '"\x01\\',
    "a high surrogate": lambda: "a\ud83d",
    "a low surrogate": lambda: "\ude00a",
    "no ASCII": lambda: "größe 🙂\u2028",
    "127 characters": lambda: "x" * 127,
    "128 characters": lambda: "x" * 128,
    "129 characters": lambda: "x" * 129,
    "5000 characters": lambda: "x" * 5000,
    "[]": list,
    "{}": dict,
    "()": tuple,
    "a list": lambda: [1, None, "a"],
    "a list of texts": lambda: ["a", "b"],
    "a pair": lambda: ["teamID", 7],
    "a pair with a list": lambda: ["teamID", ["a"]],
    "a pair with an object": lambda: ["teamID", {"a": 1}],
    "a pair with null": lambda: ["teamID", None],
    "a pair without a name": lambda: ["", "a"],
    "a pair for the user": lambda: ["USERID", "u2"],
    "a repeated pair": lambda: ["teamID", "a", "teamID", "b"],
    "a pair and a half": lambda: ["teamID", "a", "b"],
    "a pair with a placeholder": lambda: ["teamID", "none"],
    "a pair with a long text": lambda: ["teamID", "x" * 129],
    "an object": lambda: {"a": 1, "id": "i", "name": "statsig", "type": "phone"},
    "an object with a null": lambda: {"a": None},
    "an object with a dotted key": lambda: {"a.b": {"c": 1}},
    "an object of objects": lambda: {"a": {"b": {"": "c"}}, "a_b": {"x": 1}},
    "an object whose names meet": lambda: {"a_b": 1, "a": {"b": 2}},
    "an object with a long name": lambda: {"k" * 256: {"k" * 256: {"b": 1}}},
    "a tier": lambda: {"tier": "qa"},
    "a tier and more": lambda: {"tier": "qa", "region": "eu"},
    "a tier of no text": lambda: {"tier": 1},
    "a tier and what JSON does not have": lambda: {"tier": "qa", "x": object()},
    "a list of what JSON does not have": lambda: [object()],
    "a list of objects of what JSON does not have": lambda: [{"id": object(), "type": "x"}],
    "a list of objects": lambda: [{"id": "i", "type": "x"}, "a", None, {"id": "p", "type": "phone"}],
    "a list of deep objects": lambda: [{"id": nested(101, "["), "type": "x"}],
    "statsig": lambda: "statsig",
    "text of its own class": lambda: Text("u1"),
    "an enumerated text": lambda: Plan.PLAN,
    "an enumerated number": lambda: Seats.SEVEN,
    "bytes": lambda: b"u1",
    "an object of Python": object,
    "a decimal": lambda: Decimal("1.5"),
    "a moment": lambda: datetime(2024, 3, 1, tzinfo=UTC),
    "a UUID": lambda: UUID(int=7),
    "a tuple": lambda: ("a", "b"),
    "a set": lambda: {1},
    "a read-only mapping": lambda: MappingProxyType({"id": "i"}),
    "an ordered dict": lambda: OrderedDict[str, str](id="i"),
    "a UserDict": lambda: UserDict({"id": "i"}),
    "keys that are no strings": lambda: {1: "a", None: "b"},
    "a key that is no string, and null": lambda: {1: None, "a": 1},
    "a key of its own class": lambda: {Text("id"): "i", "type": "phone"},
    "an enumerated key": lambda: {Plan.PLAN: {"b": 1}, "a": 1},
    "an enumerated key inside": lambda: {"a": {Plan.PLAN: {"b": 1}}},
    **{f"{levels} levels of {kinds}": partial(nested, levels, kinds) for levels in _DEPTHS for kinds in ("[", "{")},
}
"""What may come to stand at a place; each is made anew, for a result must not share it."""


def put(value: Any) -> Change:
    """Put a value at a place."""

    def change(_whole: Any, holder: Any, key: Any) -> None:
        holder[key] = value

    return change


def _put_new(make: Callable[[], Any]) -> Change:
    def change(_whole: Any, holder: Any, key: Any) -> None:
        holder[key] = make()

    return change


def _delete(_whole: Any, holder: Any, key: Any) -> None:
    del holder[key]


def _put_the_whole(whole: Any, holder: Any, key: Any) -> None:
    holder[key] = whole


def _put_the_holder(_whole: Any, holder: Any, key: Any) -> None:
    holder[key] = holder


def _retype(convert: Callable[[Any], Any]) -> Change:
    def change(_whole: Any, holder: Any, key: Any) -> None:
        holder[key] = convert(holder[key])

    return change


def _as_other_type(value: Any) -> Any:
    """Give the nearest value of another type."""
    if is_object(value):
        return OrderedDict(value)
    if is_array(value):
        return tuple(value)
    if isinstance(value, str):
        return Text(value)
    is_float = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
    return float(value) if is_float else str(value)


def _as_read_only(value: Any) -> Any:
    return MappingProxyType(value) if is_object(value) else _as_other_type(value)


def _longer(value: Any) -> Any:
    """Repeat the beginning of an array, which for an array of pairs repeats a name."""
    return [*value, *value[:2]] if is_array(value) else value


def _odd(value: Any) -> Any:
    return [*value, "last"] if is_array(value) else value


def _shorter(value: Any) -> Any:
    return value[:-1] if is_array(value) or isinstance(value, str) else value


def _rename(convert: Callable[[str], Any]) -> Change:
    """Give an entry of an object another key, and leave it where it stands; change nothing in an array."""

    def change(_whole: Any, holder: Any, key: Any) -> None:
        if isinstance(key, str):
            entries = list(holder.items())
            holder.clear()
            holder.update((convert(name) if name == key else name, value) for name, value in entries)

    return change


def _second(make: Callable[[], Any], name: str) -> Change:
    """Add an entry to the object that holds the place."""

    def change(_whole: Any, holder: Any, _key: Any) -> None:
        if is_object(holder):
            holder[name] = make()

    return change


_ADDED: Final[Mapping[str, tuple[str, Callable[[], Any]]]] = {
    "a property that needs a path": ("a.b", lambda: 1),
    "a forbidden character in a key": ('a"\\;', lambda: 1),
    "a key with a lone surrogate": ("a\ud800", lambda: 1),
    "a property of many characters": ("long", lambda: "é" * 4200),
    "a property of many quotes": ("quotes", lambda: '"' * 2500),
    "a mapped field": ("shopId", lambda: 7),
    "a mapped field that is too long": ("shopId", lambda: 10**4300),
    "a top-level name that is a path": ("context.device.id", lambda: "top"),
    "a top-level name that is a path to a user field": ("context.ip", lambda: "top"),
    "a top-level name that is a path with a selector": ("context.externalIds[type=phone].id", lambda: "top"),
    "the audience of an identify": ("personas", lambda: {"computation_class": "audience", "computation_key": "vip"}),
    "an audience that is no object": ("personas", lambda: "vip"),
    "a name that is a number": ("name", lambda: 404),
    "a name that is no name": ("name", lambda: True),
    "an ID array": ("statsigCustomIDs", lambda: ["teamID", "t"]),
    "an ID array of what JSON does not have": ("statsigCustomIDs", lambda: ["teamID", object()]),
    "attributes": ("statsigCustom", lambda: ["a", 1]),
    "attributes of what JSON does not have": ("statsigCustom", lambda: [object()]),
    "attributes that are too deep": ("statsigCustom", lambda: nested(101, "[")),
    "attributes that are text": ("statsigCustom", lambda: "vip"),
    "an environment": ("statsigEnvironment", lambda: {"tier": "qa"}),
    "an environment that is a number": ("statsigEnvironment", lambda: float("nan")),
    "an environment that is too long": ("statsigEnvironment", lambda: 10**4300),
    "an entry of nothing": ("nothing", lambda: None),
}

CHANGES: Final[Mapping[str, Change]] = {
    "removed": _delete,
    "the whole call": _put_the_whole,
    "what holds it": _put_the_holder,
    "of another type": _retype(_as_other_type),
    "read-only": _retype(_as_read_only),
    "longer": _retype(_longer),
    "odd": _retype(_odd),
    "shorter": _retype(_shorter),
    "twice as long": _retype(lambda value: value * 2 if isinstance(value, str) else value),
    "in upper case": _retype(lambda value: value.upper() if isinstance(value, str) else value),
    "in white space": _retype(lambda value: f" {value}\n" if isinstance(value, str) else value),
    "under a key of its own class": _rename(Text),
    "under a key in upper case": _rename(str.upper),
    "under a key with a dot": _rename("{}.x".format),
    "under a key that is bytes": _rename(lambda name: name.encode(errors="surrogatepass")),
    "under a key that is a number": _rename(len),
    **{name: _put_new(make) for name, make in VALUES.items()},
    **{name: _second(make, key) for name, (key, make) in _ADDED.items()},
}
"""All that can be done at a place."""


def places(value: Any, above: Place = ()) -> Iterator[Place]:
    """Give every place inside a value, the outer ones first."""
    entries: Any = value.items() if is_object(value) else enumerate(value) if is_array(value) else ()
    for key, item in entries:
        yield (*above, key)
        yield from places(item, (*above, key))


def edited(text: str, place: Place, change: Change) -> JsonObject:
    """Read a call, and change it at a place."""
    whole: JsonObject = json.loads(text)
    *above, last = place
    holder: Any = whole
    for key in above:
        holder = holder[key]
    change(whole, holder, last)
    return whole
