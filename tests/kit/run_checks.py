"""Runs tests/checks against a platform, like `make check`."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.kit.served import ROOT


def run_checks(url: str, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the checks against the platform at `url`."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("ENGAWA_", "PYTEST_"))}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--tb=short",
        "tests/checks",
        f"--url={url}",
    ]
    return subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env=known | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def counted(done: subprocess.CompletedProcess[str], url: str) -> tuple[int, int, int]:
    """Return how many checks passed, failed and were left out."""
    found = re.search(
        rf"^{re.escape(url)}: (\d+) checks passed, (\d+) failed, (\d+) left out\.$", done.stdout, re.MULTILINE
    )
    assert found, done.stdout + done.stderr
    passed, failed, left_out = map(int, found.groups())
    return passed, failed, left_out
