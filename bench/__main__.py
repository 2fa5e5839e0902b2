"""`python -m bench [part of a row's name] [--json]`: the cost and bounds of each request, then times of processes.

The exit status is 1 if a bound is broken.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import processes, table
from bench.row import Result, Row, measure
from bench.rows import ROWS
from local.in_process import World, empty_aws


def results(rows: Sequence[Row]) -> Iterator[Result]:
    """Measure rows, each in its own world."""
    with TemporaryDirectory() as directory:
        for row in rows:
            with empty_aws():
                result = measure(row, World(Path(directory)))
            yield result


def main() -> int:
    """Print the ledger of the requested rows; return 1 if a bound is broken, else 0."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure and check what requests cost.")
    parser.add_argument("row", nargs="?", default="", help="only the rows whose names contain this text")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    wanted = arguments.row.lower()
    rows = [row for row in ROWS if wanted in row.name.lower()]
    # The timed runs are not in the JSON: their figures are valid for one machine only.
    timed = [] if arguments.json else [run for name, run in processes.TIMED.items() if wanted in name]
    if not rows and not timed:
        parser.error(f"no row has {arguments.row!r} in its name")
    measured: list[Result] = []
    if rows and not arguments.json:
        print(table.HEADING)
    for result in results(rows):
        measured.append(result)
        if not arguments.json:
            print(table.line(result), flush=True)
    if arguments.json:
        print(json.dumps([table.described(result) for result in measured], indent=1))
    broken = any(result.broken for result in measured)
    for run in timed:
        lines, kept = run()
        print("\n" + "\n".join(lines), flush=True)
        broken |= not kept
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
