"""The report: the figures as JSON and as the tables of the documentation; of the machine it holds only the kind."""

import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.builds import BUILDS
from tests.benchmarks.figures import Figure

HERE: Final = Path(__file__).parent
REPORT: Final = HERE / "report.json"
PAGE: Final = HERE.parents[1] / "docs" / "performance.md"

_PACKAGES: Final = ("attrs", "orjson", "pydantic", "pydantic-core")
_CENTS_PER_CORE_HOUR: Final = 5
_MILLION: Final = 1_000_000

TITLES: Final = {
    "inbound": "Segment to Statsig",
    "steps": "The reference, and how often it is needed",
    "outbound": "Statsig to Segment",
    "preview": "Counting: preview, differences, join",
    "compare": "Comparison",
    "cli": "The command line, bytes to bytes",
    "scale": "Long streams",
    "memory": "Memory",
    "hostile": "Hostile shapes: growth of the time per byte, small to large",
    "import": "Import",
    "bytecodes": "Interpreter work",
}

Sections = dict[str, list[Figure]]


def environment() -> dict[str, str]:
    """Give the versions that were measured, and how busy the machine was: the benchmark alone keeps one core busy."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    load = f"{os.getloadavg()[-1] / (os.cpu_count() or 1):.1f} a core"
    names = " and ".join(build.name for build in BUILDS)
    run = {"python": python, "builds": names, "system": sys.platform, "load": load}
    return run | {name: version(name) for name in _PACKAGES}


def load() -> dict[str, Any]:
    """Read the report; an empty one where there is none yet."""
    if not REPORT.exists():
        return {"environment": {}, "corpus": {}, "sections": {}}
    report: dict[str, Any] = json.loads(REPORT.read_text("utf-8"))
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


def save(report: dict[str, Any]) -> None:
    """Write a report, one figure a line."""
    lines = ["{"]
    lines += [f' "{name}": {json.dumps(report[name])},' for name in ("environment", "corpus")]
    sections = [
        f'  "{name}": [\n   ' + ",\n   ".join(json.dumps(figure, ensure_ascii=False) for figure in figures) + "\n  ]"
        for name, figures in report["sections"].items()
    ]
    lines += [' "sections": {', ",\n".join(sections), " }", "}"]
    REPORT.write_text("\n".join(lines) + "\n", "utf-8")


def figures_of(report: dict[str, Any]) -> Sections:
    """Give the figures of a report."""
    return {name: [Figure(**fields) for fields in figures] for name, figures in report["sections"].items()}


# -- As text -----------------------------------------------------------------------------------------------------------


def number(value: float, unit: str) -> str:
    """Print a number with its unit."""
    shown = f"{value:,.0f}" if not unit or value >= 100 else f"{value:.2f}"
    return f"{shown} {unit}".strip()


def line(figure: Figure) -> str:
    """Print a figure for the terminal."""
    quartiles = "" if figure.low is None else f"  [{figure.low} .. {figure.high}]"
    goal = f"  goal {figure.goal}: {'met' if figure.met else 'NOT MET'}" if figure.goal else ""
    return f"  {number(figure.median, figure.unit):>10}  {figure.label}{quartiles}{goal}"


def tables(report: dict[str, Any]) -> str:
    """Print all sections of a report for the documentation."""
    versions = ", ".join(f"{name} {text}" for name, text in report["environment"].items() if name != "python")
    said = "Rows are of pure Python unless they say compiled."
    parts = [f"Measured with {report['environment']['python']} ({versions}). {said}"]
    parts += [
        f"### {TITLES[name]}\n\n| figure | median | quartiles | goal |\n|---|---:|---:|---:|\n"
        + "\n".join(map(_row, figures))
        for name, figures in figures_of(report).items()
    ]
    return "\n\n".join(parts)


def _row(figure: Figure) -> str:
    quartiles = "" if figure.low is None or figure.high is None else f"{figure.low:.3g} to {figure.high:.3g}"
    verdict = f"{figure.goal}: {'met' if figure.met else '**not met**'}" if figure.goal else ""
    return f"| {figure.label} | {number(figure.median, figure.unit)} | {quartiles} | {verdict} |"


def headline(report: dict[str, Any]) -> str:
    """Print what a reader wants to know first."""
    known = {(name, figure.key): figure.median for name, all_ in figures_of(report).items() for figure in all_}
    ways = {
        "`log_events`: dict to log event": ("inbound", "us_log_events"),
        "with orjson before and after: bytes to bytes": ("inbound", "us_bytes"),
        "`translate` + `to_log_event`: dict to model to log event": ("inbound", "us_translate"),
        "`export_many`: back to Segment": ("outbound", "us"),
        "the command line with orjson: bytes to bytes": ("cli", "us_orjson"),
        "`orjson.loads` of a call alone, for comparison": ("inbound", "us_orjson"),
    }
    rows = [
        f"| {label} | {_cells(known[name, key])} | {_cells(known.get((name, f'{key}_compiled')))} |"
        for label, (name, key) in ways.items()
    ]
    costs = [
        f"{known['inbound', key] / 3600 * _CENTS_PER_CORE_HOUR:.2g} cents in {build}"
        for key, build in (("us_bytes", "pure Python"), ("us_bytes_compiled", "the compiled build"))
        if ("inbound", key) in known
    ]
    price = f"At {_CENTS_PER_CORE_HOUR} US cents an hour for a core"
    cost = f"{price}, a million calls from bytes to bytes cost {' and '.join(costs)}."
    head = "| way | pure Python: calls a second | a million calls | compiled: calls a second | a million calls |"
    return "\n".join([head, "|---|---:|---:|---:|---:|", *rows, "", cost])


def _cells(micros: float | None) -> str:
    """Print two cells: calls a second, to two digits, and the seconds of a million calls."""
    return "– | –" if micros is None else f"{float(f'{_MILLION / micros:.2g}'):,.0f} | {micros:.1f} s"


def misses(report: dict[str, Any]) -> str:
    """Print the goals that a report misses."""
    found = [
        f"- {TITLES[name]}, {figure.label}: {number(figure.median, figure.unit)}, {figure.goal} was the goal."
        for name, figures in figures_of(report).items()
        for figure in figures
        if not figure.met
    ]
    return "\n".join(found) or "All goals are met."


def write_page(report: dict[str, Any]) -> None:
    """Write each part between its markers."""
    text = PAGE.read_text("utf-8")
    for name, part in (("headline", headline), ("misses", misses), ("tables", tables)):
        text = _replaced(text, name, part(report))
    PAGE.write_text(text, "utf-8")


def _replaced(text: str, name: str, part: str) -> str:
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise SystemExit(f"{PAGE.name} lacks the markers of {name}")
    return f"{before}{begin}\n\n{part}\n\n{end}{after}"
