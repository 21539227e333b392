"""Pictures of the command line at a terminal, for the README and the docs: `python docs/_ext/terminal.py [--check]`.

Each command really runs, on the samples in `examples/`, in a terminal of its own; rich draws what it shows. With
`--check` nothing is written, and the exit status is 1 where a picture shows something else.
"""

import fcntl
import html
import io
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
import textwrap
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).resolve().parents[2]
COLUMNS: Final = {"": 100, "_static/phone": 48}
"""Folder in `docs/` -> the width of the terminals in its pictures: a phone shows its own."""
PICTURES: Final = {
    "terminal_inbound": ("inbound", "segment_calls.ndjson", "--config", "integration.toml", "--limit", "14"),
    "terminal_explain": ("explain", "segment_calls.ndjson", "--config", "integration.toml", "--at", "5"),
    "terminal_rejected": ("explain", "segment_calls.ndjson", "--at", "4"),
    "terminal_preview": ("preview", "segment_calls.ndjson", "--limit", "14"),
    "terminal_compare": ("compare", "compare_calls.ndjson", "compare_export.ndjson"),
    "terminal_check_config": ("check-config", "broken.toml"),
}
"""Name of a picture in `docs/` -> the arguments of the command that it shows."""
BROKEN: Final = """\
[inbound]
id_typs = ["companyID"]
honor_integrations = "yes"
"""
"""The configuration of the last picture."""

# That of rich, but for the font, which a page would have to fetch from elsewhere.
_FORMAT: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
 font-size: {char_height}px; line-height: {line_height}px; white-space: pre; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: ui-monospace, monospace; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(name: str, columns: int) -> str:
    """Run the command of a picture, and draw what it shows."""
    arguments = PICTURES[name]
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(shown(arguments, columns)), end="")
    title = textwrap.shorten(" ".join(("statsig-segment", *arguments)), columns - 10, placeholder=" …")
    return console.export_svg(title=title, code_format=_FORMAT, unique_id=name.replace("_", "-"))


def shown(arguments: Sequence[str], columns: int) -> str:
    """Run the command in a terminal, in a folder with the samples, and give all that it sends there."""
    with TemporaryDirectory() as folder:
        for sample in (ROOT / "examples").glob("*.*"):
            shutil.copy(sample, folder)
        Path(folder, "broken.toml").write_text(BROKEN, encoding="utf-8")
        return _run([sys.executable, "-m", "statsig_segment", *arguments], folder, columns)


def _run(command: Sequence[str], folder: str, columns: int) -> str:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    unset = {"NO_COLOR", "COLUMNS", "FORCE_COLOR"}
    env = {name: value for name, value in os.environ.items() if name not in unset}
    env |= {"TERM": "xterm-256color", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs):  # noqa: S603 - ours
        os.close(theirs)
        text = b"".join(_read(ours)).decode()
    os.close(ours)
    return text.replace("\r\n", "\n")


def _read(terminal: int) -> Iterator[bytes]:
    while True:
        try:
            part = os.read(terminal, 1 << 16)
        except OSError:  # as Linux says it
            return
        if not part:
            return
        yield part


def words(svg: str) -> list[str]:
    """Give the words of a picture: how it is drawn may differ between versions of rich."""
    return html.unescape(" ".join(re.findall(r"<text[^>]*>(.*?)</text>", svg))).split()


def main(arguments: Sequence[str]) -> int:
    """Draw all pictures, or check them."""
    stale: list[str] = []
    for (folder, columns), name in product(COLUMNS.items(), PICTURES):
        path = ROOT / "docs" / folder / f"{name}.svg"
        svg = picture(name, columns)
        if "--check" not in arguments:
            path.write_text(svg, encoding="utf-8")
        elif not path.exists() or words(path.read_text(encoding="utf-8")) != words(svg):
            stale.append(path.relative_to(ROOT).as_posix())
    for name in stale:
        print(f"{name} shows something else: run python docs/_ext/terminal.py", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
