"""The picture of the documentation: bars of ratios with their goals, and cost against size; reads the report alone."""

from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure as Sheet
from tests.benchmarks.figures import Figure

BARS: Final = (
    ("inbound", "orjson", "Segment to Statsig / orjson.loads"),
    ("inbound", "floor", "… by hand, unchecked / orjson.loads"),
    ("inbound", "pydantic_orjson", "… with pydantic v2 / orjson.loads"),
    ("inbound", "pydantic", "Segment to Statsig / pydantic v2"),
    ("outbound", "orjson", "Statsig to Segment / orjson.loads"),
    ("outbound", "floor", "… by hand, unchecked / orjson.loads"),
    ("cli", "orjson", "bytes to bytes / orjson loads + dumps"),
    ("cli", "json", "bytes to bytes / json loads + dumps"),
    ("import", "attrs", "import statsig_segment / import attrs"),
)
"""Section, figure and label, from the top."""

_OURS: Final = "#3465a4"
_OTHERS: Final = "#b8bfc8"
_GOAL: Final = "#cc3311"
_STYLE: Final[Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "statsig-segment",
    "font.size": 9,
    "font.family": "sans-serif",
}


def draw(sections: dict[str, list[Figure]], path: Path) -> None:
    """Draw what the report holds; the same report gives the same file."""
    mpl.rcParams.update(_STYLE)
    sheet: Any = Sheet(figsize=(9, 8), layout="constrained")
    bars, below = sheet.subfigures(2, 1, height_ratios=(1.15, 1))
    _draw_bars(bars.subplots(), sections)
    left, right = below.subplots(1, 2)
    _draw_stream(left, sections.get("scale", []))
    _draw_shapes(right, sections.get("hostile", []))
    sheet.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").splitlines()) + "\n", "utf-8")


def _draw_bars(axes: Any, sections: dict[str, list[Figure]]) -> None:
    known = {(name, figure.key): figure for name, figures in sections.items() for figure in figures}
    rows = [(label, known[name, key]) for name, key, label in BARS if (name, key) in known]
    for at, (label, figure) in enumerate(rows):
        low, high = figure.low or figure.median, figure.high or figure.median
        spread = [[figure.median - low], [high - figure.median]]
        axes.barh(at, figure.median, color=_OTHERS if label.startswith("…") else _OURS, height=0.62)
        axes.errorbar(figure.median, at, xerr=spread, color="black", capsize=2, linewidth=0.8)
        axes.text(high, at, f"  {figure.median:g}", va="center")
        if figure.goal:
            axes.plot([figure.goal] * 2, [at - 0.42, at + 0.42], color=_GOAL, linewidth=2)
    axes.plot([], [], color=_GOAL, linewidth=2, label="goal")
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.invert_yaxis()
    axes.set_title("Time as a multiple of something known (median and quartiles; less is better)")
    axes.margins(x=0.08)
    _finish(axes, "lower right")


def _draw_stream(axes: Any, figures: list[Figure]) -> None:
    for figure in figures:
        axes.plot(*zip(*figure.points, strict=True), marker="o", color=_OURS, label="one event of the stream")
        axes.axhline(figure.goal, color=_GOAL, linewidth=1.2, label="goal")
    axes.set_xscale("log")
    axes.set_ylim(0, 1.4)
    axes.set_xlabel("events so far")
    axes.set_title("A long stream / short ones")
    _finish(axes, "lower left")


def _draw_shapes(axes: Any, figures: list[Figure]) -> None:
    for key, color, label in (
        ("_least", _OTHERS, "one copy of each alone"),
        ("_object", _OURS, "hostile shapes, as objects"),
    ):
        axes.plot([], [], color=color, label=label)
        for figure in figures:
            if figure.key.endswith(key):
                sizes, costs = zip(*figure.points, strict=True)
                axes.plot(sizes, [cost / costs[0] for cost in costs], color=color, linewidth=1)
    axes.axhline(2, color=_GOAL, linewidth=1.2, label="goal")
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("bytes of JSON")
    axes.set_title("Time per byte / the same at 10 KB")
    _finish(axes, "lower left")


def _finish(axes: Any, legend: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc=legend)
