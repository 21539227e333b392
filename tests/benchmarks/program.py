"""The benchmark: it makes its corpus, measures, prints, and on request writes the report and the page."""

import argparse
import sys
from collections.abc import Callable
from typing import Final

from tests.benchmarks import (
    builds,
    bytecodes,
    command_line,
    comparison,
    counting,
    hostile,
    imports,
    inbound,
    memory,
    outbound,
    report,
    scale,
    steps,
)
from tests.benchmarks.corpus import describe, segment_calls
from tests.benchmarks.figures import Figure

SECTIONS: Final[dict[str, tuple[Callable[[float], list[Figure]], float, float]]] = {
    "inbound": (inbound.measure, 40.0, 5.0),
    "steps": (steps.measure, 15.0, 2.0),
    "outbound": (outbound.measure, 12.0, 2.0),
    "preview": (counting.measure, 10.0, 2.0),
    "compare": (comparison.measure, comparison.SECONDS, 5.0),
    "cli": (command_line.measure, command_line.SECONDS, 3.0),
    "scale": (scale.measure, scale.SECONDS, 3.0),
    "memory": (memory.measure, memory.SECONDS, 3.0),
    "import": (imports.measure, 20.0, 4.0),
    "bytecodes": (bytecodes.measure, bytecodes.SECONDS, bytecodes.SECONDS),
    "hostile": (hostile.measure, hostile.SECONDS, 3.0),
}
"""Name -> how to measure it, and the seconds of a full and of a quick run."""


def main() -> int:
    """Measure what is asked for."""
    options = _options()
    if options.compiled:
        builds.add_compiled(options.compiled)
    names: list[str] = options.section or list(SECTIONS)
    for name in [] if options.draw else names:
        measure, full, quick = SECTIONS[name]
        print(report.TITLES[name], flush=True)
        figures = measure(quick if options.quick else full)
        print(*map(report.line, figures), sep="\n", flush=True)
        if options.write:
            _save(name, figures)
    if options.write or options.draw:
        report.write_page(report.load())
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--section", choices=tuple(SECTIONS), action="append", help="only this one; may be repeated")
    parser.add_argument("--compiled", metavar="FOLDER", help="measure the compiled build in this folder, too")
    parser.add_argument("--quick", action="store_true", help="coarse figures in about a minute")
    parser.add_argument("--write", action="store_true", help="put what was measured into the report and the page")
    parser.add_argument("--draw", action="store_true", help="measure nothing; write the page from the report")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("a quick run is too coarse to be written")
    return options


def _save(name: str, figures: list[Figure]) -> None:
    """Put a section into the report as soon as it is measured, so that an interrupted run keeps what it has."""
    report.save(report.merge(report.load(), {name: figures}, describe(segment_calls(2000))))


if __name__ == "__main__":
    sys.exit(main())
