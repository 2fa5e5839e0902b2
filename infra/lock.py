"""The lock files: the version of each installed package, with the hashes of its files. `make lock` writes them.

`infra/requirements-lambda.txt` locks requirements.txt, for the zip. The other files lock the packages of their `.in`
file and all their dependencies, for every supported system and Python. A version alone does not identify a file: the
publisher of a package can add files to an existing version, and a registry between can return any file.
"""

from __future__ import annotations

import re
import subprocess
import sys

from infra.bundle import HASHED, ROOT

UV = ROOT / ".local" / "audit-venv" / "bin" / "uv"
_OPTIONS = ("--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet")
_ZIP = ("--no-deps",)
_TOOLS = ("--universal", "--python-version=3.11")
LOCKED = {HASHED.as_posix(): ("requirements.txt", _ZIP)} | {
    f"{name}.txt": (f"{name}.in", _TOOLS)
    for name in (
        "local/requirements-serve",
        "requirements-dev",
        "local/requirements",
        "bench/requirements",
        "infra/requirements-audit",
        "infra/requirements-scan",
        "tests/clients/requirements",
        "tests/clients/prove/requirements",
    )
}
"""Each lock file, with its source and the options of uv."""


def pinned(text: str) -> dict[str, str]:
    """Return the versions in a requirements file by the packages' normalized names."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def main() -> int:
    """Write the files, keep their present versions if these still fit, and return the exit status."""
    for written, (asked, options) in LOCKED.items():
        command = [UV, "pip", "compile", asked, *_OPTIONS, *options, f"--output-file={written}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{written}: {done.stderr.strip()}", file=sys.stderr)
            return 1
        path = ROOT / written
        path.write_text(f"# Written by `make lock` from {asked}.\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
