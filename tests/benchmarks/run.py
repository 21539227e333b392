"""The benchmark: one command that makes its corpus, measures, prints, and (a full run) writes report, page and picture."""

import argparse
import sys

import inbound
from timing import Figure

SECTIONS = {"inbound": (inbound.measure, 30.0)}


def show(figure: Figure) -> str:
    goal = f"  goal {figure['goal']:.2f}" if "goal" in figure else ""
    quartiles = f"  [{figure['low']:.3f} .. {figure['high']:.3f}] of {figure['slices']} slices" if "low" in figure else ""
    return f"  {figure['median']:8.3f} {figure['unit']:<3} {figure['label']}{quartiles}{goal}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--section", choices=sorted(SECTIONS), action="append")
    options = parser.parse_args()
    for name in options.section or SECTIONS:
        measure, seconds = SECTIONS[name]
        print(name)
        for figure in measure(seconds / 5 if options.quick else seconds):
            print(show(figure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
