"""No clock, no randomness, no network, no files, no environment, no logging, no state: the source is searched."""

from __future__ import annotations

import ast
import importlib
import os
import subprocess
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

import statsig_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(statsig_segment.__file__).parent
SAMPLE = Path(__file__).parents[2] / "examples" / "segment_calls.ndjson"

# The only folders that do input and output; test_imports.py sees to it that the library imports neither.
OUTSIDE = {"cli", "conformance"}
MODULES = sorted(
    path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
    for path in PACKAGE.rglob("*.py")
    if path.relative_to(PACKAGE).parts[0] not in OUTSIDE
)

FORBIDDEN_MODULES = {
    "a clock": {"sched", "time", "zoneinfo"},
    "randomness": {"random", "secrets"},
    "the network": {"asyncio", "ftplib", "http", "requests", "select", "smtplib", "socket", "ssl", "urllib"},
    "files": {"fileinput", "gzip", "io", "mmap", "pathlib", "shelve", "shutil", "sqlite3", "tempfile"},
    "the environment": {"getpass", "locale", "os", "platform", "posix", "pwd", "sys"},
    "logging": {"logging", "syslog", "warnings"},
    "processes and threads": {"concurrent", "contextvars", "multiprocessing", "signal", "subprocess", "threading"},
}
FORBIDDEN_CALLS = {
    "__import__", "breakpoint", "eval", "exec", "globals", "input", "open", "print",
}  # fmt: skip
FORBIDDEN_ATTRIBUTES = {
    "get_data",
    "uuid1",
    "uuid4",
    "environ",
    "getenv",
    "localtime",
    "now",
    "today",
    "utcnow",
    "utcfromtimestamp",
}
# The one thing that is read: the package's own tables, when their modules are imported and never in a call.
READS_ITS_TABLE = {name: {"attribute: get_data"} for name in ("rulebook.__init__", "rulebook.rules")}
CACHES = {"cache", "lru_cache"}  # a cached_property keeps its value in the object that it belongs to
MUTABLE = {"bytearray", "Counter", "defaultdict", "deque", "dict", "list", "OrderedDict", "set"}
MUTABLE_TYPES = (bytearray, Counter, defaultdict, deque, dict, list, OrderedDict, set)


def findings(source: str) -> set[str]:
    """Name everything in a module that makes a result depend on anything but the arguments."""
    tree = ast.parse(source)
    return {
        *(found for node in ast.walk(tree) for found in impurities(node)),
        *(f"mutable: {name}" for name in shared_containers(tree.body)),
    }


def impurities(node: ast.AST) -> Iterator[str]:
    """Name what is impure about one node of the source."""
    match node:
        case ast.Import(names):
            yield from (f"import: {alias.name}" for alias in names if is_forbidden(alias.name))
        case ast.ImportFrom(module=str(module), names=names):
            if is_forbidden(module):
                yield f"import: {module}"
            yield from (f"cache: {alias.name}" for alias in names if module == "functools" and alias.name in CACHES)
        case ast.Call(func=ast.Name(name)) if name in FORBIDDEN_CALLS:
            yield f"call: {name}"
        case ast.Call(func=ast.Attribute(attr="fromtimestamp"), args=[_], keywords=[]):
            yield "call: fromtimestamp without a time zone"
        case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
            yield f"attribute: {name}"
        case ast.Attribute(value=ast.Name("functools"), attr=name) if name in CACHES:
            yield f"cache: {name}"
        case ast.Global(names):
            yield from (f"global: {name}" for name in names)
        case _:
            pass


def is_forbidden(module: str) -> bool:
    """Tell whether a module brings in something forbidden."""
    return any(module.partition(".")[0] in names for names in FORBIDDEN_MODULES.values())


def shared_containers(body: list[ast.stmt]) -> Iterator[str]:
    """Name the mutable containers that a module or a class keeps."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(name), *_], value=value) if name != "__all__" and is_mutable(value):
                yield name
            case ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value) if is_mutable(value):
                yield name
            case ast.ClassDef(body=inner) | ast.If(body=inner) | ast.Try(body=inner):
                yield from shared_containers(inner)
            case _:
                pass


def is_mutable(value: ast.expr) -> bool:
    """Tell whether an expression makes a container that anybody could change."""
    match value:
        case ast.Dict() | ast.List() | ast.Set() | ast.DictComp() | ast.ListComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(name) | ast.Attribute(attr=name)):
            return name in MUTABLE
        case ast.Tuple(items):
            return any(map(is_mutable, items))
        case _:
            return False


def held(value: object) -> Iterator[object]:
    """Walk through what a value holds."""
    yield value
    if isinstance(value, Mapping):
        for item in cast("Mapping[object, object]", value).values():
            yield from held(item)
    elif isinstance(value, tuple | frozenset):
        for item in cast("tuple[object, ...] | frozenset[object]", value):
            yield from held(item)


@pytest.mark.parametrize("name", MODULES)
def test_the_source_of_a_module_reaches_for_nothing_outside(name: str) -> None:
    assert findings((PACKAGE / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")) == READS_ITS_TABLE.get(
        name, set()
    )


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__main__"])  # it is to be run, not imported
def test_a_module_holds_nothing_that_can_be_changed(name: str) -> None:
    module = importlib.import_module("statsig_segment" if name == "__init__" else f"statsig_segment.{name}")
    kept = {key: value for key, value in vars(module).items() if not (key.startswith("__") and key.endswith("__"))}

    assert [key for key, value in kept.items() if any(type(item) in MUTABLE_TYPES for item in held(value))] == []


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("import time", "import: time"),
        ("import os.path as p", "import: os.path"),
        ("from random import choice", "import: random"),
        ("def f():\n    from urllib.request import urlopen", "import: urllib.request"),
        ("from functools import lru_cache", "cache: lru_cache"),
        ("import functools\n@functools.cache\ndef f(): ...", "cache: cache"),
        ("print(1)", "call: print"),
        ("from datetime import datetime\ndef f(): return datetime.now()", "attribute: now"),
        ("x = __loader__.get_data('x')", "attribute: get_data"),
        ("from datetime import date\ndef f(): return date.today()", "attribute: today"),
        ("def f(x): return datetime.fromtimestamp(x)", "call: fromtimestamp without a time zone"),
        ("def f():\n    global x\n    x = 1", "global: x"),
        ("X = {}", "mutable: X"),
        ("X: Final = {'a': 1}", "mutable: X"),
        ("X = ([], 1)", "mutable: X"),
        ("X = collections.defaultdict(int)", "mutable: X"),
        ("class C:\n    x: ClassVar = [1]", "mutable: x"),
    ],
)
def test_the_search_finds(source: str, finding: str) -> None:
    assert findings(source) == {finding}


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime, UTC\nEPOCH = datetime(1970, 1, 1, tzinfo=UTC)",
        "def f(x): return datetime.fromtimestamp(x, UTC)",
        "X = MappingProxyType({'a': 1})",
        "X = FrozenDict({'a': 1})",
        "X = frozenset({1})",
        "__all__ = ['a']",
        "def f():\n    found = []\n    return found",
        "import re\nX = re.compile('a')",
    ],
)
def test_the_search_lets_pass(source: str) -> None:
    assert findings(source) == set()


def test_the_order_of_sets_shows_nowhere() -> None:
    """Python draws the order of sets anew for each process; no result may hang on it."""
    script = (
        "import sys, json, statsig_segment as s\n"
        "config = s.load_config({'inbound': {'id_types': ['companyID', 'teamID', 'deviceID'], 'id_mappings':"
        " [{'field': f, 'id_type': t} for f, t in (('anonymousId', 'x'), ('groupId', 'companyID'))]}})\n"
        "for line in open(sys.argv[1], encoding='utf-8'):\n"
        "    told = s.explain(line, config)\n"
        "    print(told, getattr(told.result, 'issues', None), getattr(told.result, 'error', None))\n"
    )
    printed = {
        subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, "-c", script, str(SAMPLE)],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2026")
    }

    assert len(printed) == 1
