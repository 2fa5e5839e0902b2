"""Runs the programs whose paths arrive on the standard input, one a line, each as `__main__` in this process.

Answers each with a line of JSON: null, or the traceback of the error that ended the program.
"""

import io
import json
import runpy
import sys
import traceback
from contextlib import redirect_stdout


def run(path: str) -> str | None:
    """Run a program; return its traceback if it fails."""
    try:
        with redirect_stdout(io.StringIO()):
            runpy.run_path(path, run_name="__main__")
    except SystemExit as end:
        return f"exit status {end.code}" if end.code else None
    except BaseException:
        return traceback.format_exc()
    return None


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(line.rstrip("\n"))), flush=True)
