"""Writes the versions of all that is installed, each with the hashes of its files: `make lock`.

`infra/requirements-lambda.txt` has those of requirements.txt, which the zip takes; the other files have all that their
`.in` asks for and that this needs in turn, for every system and every Python that is supported. A version alone does
not say which file is meant: whoever may publish a package can add files to a version that is there already, and a
registry on the way can give any.
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
        "requirements-dev",
        "local/requirements",
        "bench/requirements",
        "infra/requirements-audit",
        "infra/requirements-scan",
        "tests/clients/requirements",
        "tests/clients/prove/requirements",
    )
}
"""What is written, with what it is made of and the options for that."""


def pinned(text: str) -> dict[str, str]:
    """Return the versions in a requirements file by the packages' normalized names."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==(\S+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def main() -> int:
    """Write the files, keeping the versions that they have where these still fit; return the exit status."""
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
