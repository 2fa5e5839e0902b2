"""`python -m bench.scale [axis …] [--docs]`: how cost and latency grow with keys, friends, feeds, comments, users.

It takes some minutes, mostly because the emulator reads 100,000 keys slowly.
"""

import argparse
import os
import platform
import sys

from bench.figures import check_installed, draw
from bench.month import CALL_MS
from bench.quality import DOCS, fill
from bench.scale import report
from bench.scale.axes import AXES
from bench.scale.measure import points
from local.environment import Refused

LEGEND = (
    f"calls in sequence · RRU · WRU · ms computed, at {CALL_MS:g} ms a call and CPU as measured (ms in the emulator)"
)


def main() -> int:
    """Print the tables of the requested axes; return 1 if the emulator does not start."""
    names = [axis.name for axis in AXES]
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description="Measure how cost and latency grow.")
    parser.add_argument("axis", nargs="*", choices=[*names, []], help=f"of {', '.join(names)} (default: all)")
    parser.add_argument(
        "--docs", action="store_true", help="write docs/internals/scale-*.svg, and docs/internals/quality.md (all axes)"
    )
    asked = parser.parse_args()
    if asked.docs and asked.axis:
        parser.error("--docs is for all axes")
    measured = []
    try:
        if asked.docs:
            check_installed()
        for axis in AXES:
            if not asked.axis or axis.name in asked.axis:
                print(f"{axis.unit}: up to {axis.sizes[-1]:,} ...", file=sys.stderr)
                measured.append((axis, list(points(axis))))
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    text = f"Each cell: {LEGEND}. {machine}.\n\n{report.tables(measured)}"
    print(text)
    if asked.docs:
        draw(report.cost(measured), DOCS / "scale-cost.svg")
        draw(report.latency(measured), DOCS / "scale-latency.svg")
        fill("make scale", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
