"""Put the playground together: Pyodide and the editor from npm, wheels from pip, samples from `examples/`, our sources.

`python docs/playground/bundle.py FOLDER` makes the folder that the page loads from; Sphinx calls `bundle` itself.
What comes over the network is kept in a cache, and fetched anew only where what it is made from has changed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import glue
from samples import samples

SOURCES: Final = Path(__file__).resolve().parent
ROOT: Final = SOURCES.parents[1]

_PAGE: Final = ("*.js", "style.css", "glue.py", "preview_glue.py")
_PYODIDE: Final = (
    "pyodide.mjs",
    "pyodide.asm.mjs",
    "pyodide.asm.wasm",
    "python_stdlib.zip",
    "pyodide-lock.json",
)
_EXTRA_MODULES: Final = {"@codemirror/legacy-modes/mode/toml": "@codemirror/legacy-modes/mode/toml.js"}
"""Modules that are not the main one of their package."""


class MissingToolError(RuntimeError):
    """A program that the bundle is made with is not there."""


def bundle(folder: Path, cache: Path) -> None:
    """Make the folder anew; `cache` holds what was fetched before."""
    _fetched(cache / "npm", [SOURCES / "package.json"], _npm_install)
    _fetched(cache / "wheels", [ROOT / "pyproject.toml", *_files(ROOT / "src")], _build_wheels)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for pattern in _PAGE:
        for source in SOURCES.glob(pattern):
            shutil.copy(source, folder)
    packages = cache / "npm" / "node_modules"
    _copy((packages / "pyodide" / name for name in _PYODIDE), folder / "pyodide")
    wheels = sorted((cache / "wheels").glob("*.whl"))
    _copy(wheels, folder / "wheels")
    _copy_modules(packages, folder / "modules")
    offered = samples(ROOT / "examples")
    _write(folder / "samples.json", offered | {"first": _first(offered)})
    _write(folder / "bundle.json", {"wheels": [wheel.name for wheel in wheels], "version": _digest(_files(folder))})


def _first(offered: dict[str, Any]) -> dict[str, Any]:
    """Translate the first sample, so that the page shows it before Python is there."""
    answer = glue.inbound(offered["calls"][0]["text"], offered["configs"][0]["text"], "log-event")
    return {"about": json.loads(glue.about()), "answer": json.loads(answer), "counts": json.loads(glue.count())}


def _fetched(folder: Path, sources: Iterable[Path], fetch: Callable[[Path], None]) -> None:
    """Fill a folder of the cache unless it was filled from these very sources."""
    stamp, digest = folder / "stamp", _digest(sources)
    if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
        return
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    fetch(folder)
    stamp.write_text(digest, encoding="ascii")


def _npm_install(folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise MissingToolError("npm is needed, to fetch Pyodide and the editor: install Node.js")
    shutil.copy(SOURCES / "package.json", folder)
    _run([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--silent"], folder)


def _build_wheels(folder: Path) -> None:
    _run([sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(folder), str(ROOT)], folder)
    foreign = [wheel.name for wheel in folder.glob("*.whl") if not wheel.name.endswith("-none-any.whl")]
    if foreign:
        raise RuntimeError(f"no browser can run {', '.join(foreign)}")


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - our own command line


def _copy_modules(packages: Path, folder: Path) -> None:
    """Copy the main module of each package of the editor, and write the map by which they find each other."""
    found = {name: path for name, path in map(_main_module, sorted(packages.rglob("package.json"))) if path is not None}
    modules = {name: path for name, path in found.items() if name != "pyodide"}
    modules |= {name: packages / path for name, path in _EXTRA_MODULES.items()}
    for name, path in modules.items():
        target = folder / f"{name}.js"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    _write(folder / "importmap.json", {"imports": {name: f"./{name}.js" for name in sorted(modules)}})


def _main_module(manifest: Path) -> tuple[str, Path | None]:
    """Give the name of a package and the module that `import` of that name means, `None` where it has none."""
    said: dict[str, Any] = json.loads(manifest.read_text(encoding="utf-8"))
    exports: Any = said.get("exports")
    main: Any = (exports.get("import") if isinstance(exports, dict) else None) or said.get("module")
    return said.get("name", ""), manifest.parent / main if isinstance(main, str) else None


def _copy(files: Iterable[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copy(file, folder)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


if __name__ == "__main__":
    bundle(Path(sys.argv[1]).resolve(), ROOT / "docs" / "_build" / "playground-cache")
