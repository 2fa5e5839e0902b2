"""Writes infra/requirements-lambda.txt: the versions of requirements.txt, each with the hashes of its files.

`make lock`, after each change of requirements.txt. A version alone does not say which file is meant: whoever may
publish a package can add files to a version that is there already, and a registry on the way can give any.
"""

from __future__ import annotations

import re
import subprocess
import sys

from infra.bundle import HASHED, ROOT

UV = ROOT / ".local" / "audit-venv" / "bin" / "uv"
_HEAD = """\
# What the zip for Lambda takes: requirements.txt, and what each file of it may be. Written by `make lock`.
"""
_OPTIONS = ("--generate-hashes", "--no-deps", "--no-header", "--no-annotate", "--no-emit-index-url", "--quiet")


def pinned(text: str) -> dict[str, str]:
    """The versions in a requirements file by the packages' normalized names."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def main() -> int:
    """Write the file; the exit status."""
    done = subprocess.run(
        [UV, "pip", "compile", "requirements.txt", *_OPTIONS], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        return 1
    (ROOT / HASHED).write_text(_HEAD + done.stdout, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
