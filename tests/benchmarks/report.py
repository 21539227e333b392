"""The report: the figures as JSON, and as the table of the documentation; holds nothing of the machine but its kind."""

import json
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.figures import Figure

HERE: Final = Path(__file__).parent
REPORT: Final = HERE / "report.json"
PAGE: Final = HERE.parents[1] / "docs" / "performance.md"
PICTURE: Final = HERE.parents[1] / "docs" / "performance.svg"
BEGIN: Final = "<!-- figures: begin -->"
END: Final = "<!-- figures: end -->"

_PACKAGES: Final = ("attrs", "orjson", "pydantic", "pydantic-core")

TITLES: Final = {
    "inbound": "Segment to Statsig",
    "outbound": "Statsig to Segment",
    "bytecodes": "Where the work is",
    "cli": "Bytes to bytes, by the command line's own path",
    "scale": "Long streams",
    "memory": "Memory",
    "hostile": "Hostile shapes: time per byte at the largest size / at the smallest",
    "import": "Import",
}

Sections = dict[str, list[Figure]]


def environment() -> dict[str, str]:
    """Tell which versions were measured."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return {"python": python, "system": sys.platform} | {name: version(name) for name in _PACKAGES}


def load(path: Path = REPORT) -> dict[str, Any]:
    """Read a report, an empty one where there is none."""
    if not path.exists():
        return {"environment": {}, "corpus": {}, "sections": {}}
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def merge(report: dict[str, Any], sections: Sections, corpus: dict[str, float]) -> dict[str, Any]:
    """Put newly measured sections into a report."""
    measured = {name: [figure.as_json() for figure in figures] for name, figures in sections.items()}
    both = report["sections"] | measured
    return {
        "environment": environment(),
        "corpus": corpus,
        "sections": {name: both[name] for name in TITLES if name in both},
    }


def save(report: dict[str, Any], path: Path = REPORT) -> None:
    """Write a report, one figure a line."""
    lines = ["{"]
    lines += [f' "{name}": {json.dumps(report[name])},' for name in ("environment", "corpus")]
    sections = [
        f'  "{name}": [\n   ' + ",\n   ".join(json.dumps(figure, ensure_ascii=False) for figure in figures) + "\n  ]"
        for name, figures in report["sections"].items()
    ]
    lines += [' "sections": {', ",\n".join(sections), " }", "}"]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def figures_of(report: dict[str, Any]) -> Sections:
    """Give the figures of a report."""
    return {
        name: [Figure.from_json(dict(fields)) for fields in figures] for name, figures in report["sections"].items()
    }


# -- As text -----------------------------------------------------------------------------------------------------------


def number(value: float, unit: str) -> str:
    """Print a number with its unit."""
    shown = f"{value:.0f}" if not unit or value >= 100 else f"{value:.2f}"
    return f"{shown} {unit}".strip()


def line(figure: Figure) -> str:
    """Print a figure for the terminal."""
    quartiles = "" if figure.low is None else f"  [{figure.low} .. {figure.high}] of {figure.count}"
    goal = "" if figure.goal is None else f"  goal {figure.goal}: {'met' if figure.met else 'NOT MET'}"
    return f"  {number(figure.median, figure.unit):>10}  {figure.label}{quartiles}{goal}"


def table(report: dict[str, Any]) -> str:
    """Print a report for the documentation."""
    versions = ", ".join(f"{name} {text}" for name, text in report["environment"].items() if name != "python")
    parts = [f"Measured with {report['environment']['python']} ({versions})."]
    for name, figures in figures_of(report).items():
        rows = _shapes(figures) if name == "hostile" else _rows(figures)
        parts.append(f"### {TITLES[name]}\n\n" + "\n".join(rows))
    return "\n\n".join(parts)


def _rows(figures: list[Figure]) -> list[str]:
    return ["| | median | quartiles | goal |", "|---|---:|---:|---:|", *map(_row, figures)]


def _shapes(figures: list[Figure]) -> list[str]:
    """Put the four ways of a shape side by side."""
    rows: dict[str, list[str]] = {}
    for figure in figures:
        label = figure.label.rpartition(", ")[0]
        met = "" if figure.met is not False else " (over 2)"
        rows.setdefault(label, []).append(f"{number(figure.median, figure.unit)}{met}")
    heading = ["| | as objects | one copy alone | as text | `json.loads` alone |", "|---|---:|---:|---:|---:|"]
    return heading + [f"| {label} | {' | '.join((cells + [''] * 4)[:4])} |" for label, cells in rows.items()]


def _row(figure: Figure) -> str:
    quartiles = "" if figure.low is None or figure.high is None else f"{figure.low:.3g} to {figure.high:.3g}"
    goal = "" if figure.goal is None else f"at most {figure.goal:g}{'' if figure.met else ', not met'}"
    return f"| {figure.label} | {number(figure.median, figure.unit)} | {quartiles} | {goal} |"


def write_page(report: dict[str, Any], page: Path = PAGE) -> None:
    """Write the table between its markers."""
    text = page.read_text("utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{page.name} lacks its markers")
    page.write_text(f"{before}{begin}\n\n{table(report)}\n\n{end}{after}", "utf-8")
