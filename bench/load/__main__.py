"""`python -m bench.load [--seconds N] [--users N] [--rate N] [--docs]`: a load test of the served app, on 127.0.0.1.

It starts its own platform, fills it, lets Locust send the mix (bench/load/mix.py), prints the results, and stops all.
The exit status is 1 if a request got a wrong response, or if the platform does not start.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import PYTHON, check_installed, draw
from bench.load.mix import WEIGHTS, Actor
from bench.load.population import populate
from bench.load.report import capacity, figure, table
from bench.load.samples import Sample, lines, read
from bench.load.served import served
from bench.quality import DOCS, fill
from local.environment import ROOT, Refused
from local.signals import interrupt_once

MOST_SECONDS, MOST_USERS, MOST_RATE = 600, 100, 400
"""Limits of the options. At that rate each of the 120 stored users writes 140 times in 180 seconds (limit: 180)."""
_GRACE = 60
"""Seconds that Locust may take to end after its time, before it is killed."""


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"a whole number from 1 to {most}, not {text!r}")
        return int(text)

    return number


def run(actors: list[Actor], base_url: str, directory: Path, seconds: int, users: int, rate: int) -> list[Sample]:
    """Let Locust send the requests; return a sample of each."""
    plan, samples = directory / "plan.json", directory / "samples.json"
    told = {"actors": [asdict(actor) for actor in actors], "rate": rate / users, "seeds": list(range(users))}
    plan.write_text(json.dumps(told), encoding="utf-8")
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "locust",
        "--locustfile",
        "bench/load/locustfile.py",
        "--headless",
        "--only-summary",
    ]
    command += ["--host", base_url, "--users", str(users), "--spawn-rate", str(users), "--run-time", f"{seconds}s"]
    command += ["--stop-timeout", "10", "--exit-code-on-error", "0", "--loglevel", "WARNING"]
    own = {"ENGAWA_LOAD_PLAN": str(plan), "ENGAWA_LOAD_SAMPLES": str(samples), "PYTHONPATH": str(ROOT)}
    with (directory / "locust.log").open("w+", encoding="utf-8", errors="replace") as log:
        try:
            subprocess.run(
                command, cwd=ROOT, env=os.environ | own, stdout=log, stderr=log, timeout=seconds + _GRACE, check=True
            )
        except subprocess.SubprocessError as failed:
            log.seek(0)
            raise Refused(f"Locust failed: {failed}\n{log.read()[-2000:]}") from None
    return [read(row) for row in json.loads(samples.read_text(encoding="utf-8"))]


def main() -> int:
    """Run the load test and print the results; return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="Put load on the served app.")
    parser.add_argument("--seconds", type=_up_to(MOST_SECONDS), default=60, help="seconds (default: %(default)s)")
    parser.add_argument("--users", type=_up_to(MOST_USERS), default=16, help="simulated users (default: %(default)s)")
    parser.add_argument("--rate", type=_up_to(MOST_RATE), default=60, help="requests per second (default: %(default)s)")
    parser.add_argument(
        "--docs",
        action="store_true",
        help="write docs/internals/load.svg, and the table into docs/internals/quality.md",
    )
    asked = parser.parse_args()
    # On any signal, also if a second one follows, all started processes are stopped.
    interrupt_once()
    with TemporaryDirectory(prefix="engawa-load-") as name:
        directory = Path(name)
        try:
            check_installed()
            with served(directory) as environment:
                actors = populate(directory, environment.base_url)
                samples = run(actors, environment.base_url, directory, asked.seconds, asked.users, asked.rate)
        except Refused as refused:
            print(refused, file=sys.stderr)
            return 1
    told = lines(samples, WEIGHTS, asked.seconds)
    text = (
        f"{asked.users} simulated users, {asked.rate} requests a second asked for, {asked.seconds} seconds; "
        f"{os.cpu_count()} processors for server, emulator and senders; Python {platform.python_version()}.\n\n"
        f"{table(told)}\n\n{capacity(told[-1])}"
    )
    print(text)
    for error, times in Counter(each.error for each in samples if each.error).most_common(10):
        print(f"{times} times: {error}", file=sys.stderr)
    if asked.docs:
        draw(figure(told, samples), DOCS / "load.svg")
        fill("make load", text)
    return int(told[-1].errors > 0)


if __name__ == "__main__":
    sys.exit(main())
