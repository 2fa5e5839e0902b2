"""Runs the programs whose paths arrive on the standard input, one a line, each as `__main__` in this process.

Answers each with a line of JSON: the traceback of the error that ended the program, or null; and the text that it
printed.
"""

import io
import json
import runpy
import sys
import traceback
from contextlib import redirect_stdout


def run(path: str) -> tuple[str | None, str]:
    """Run a program; return the traceback of its error, or None, and the text that it printed."""
    printed = io.StringIO()
    error = None
    try:
        with redirect_stdout(printed):
            runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        error = f"exit status {end.code}" if end.code else None
    except BaseException:
        error = traceback.format_exc()
    return error, printed.getvalue()


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(line.rstrip("\n"))), flush=True)
