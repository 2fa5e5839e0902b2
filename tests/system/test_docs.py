"""The examples of the README and of docs/: they run unchanged, and print the documented output."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MARK = "--- next example ---"
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if _BLOCK.search(path.read_text(encoding="utf-8"))
)
"""The documents with examples; each runs on a new platform, as after the first `make serve`."""


def examples(text: str) -> list[tuple[str, str]]:
    """Return the commands of a document's console blocks, each with the output that follows it."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            elif line.startswith("> "):
                found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
            else:
                found[-1] = (found[-1][0], f"{found[-1][1]}{line}\n")
    return found


def matches(expected: str, printed: str) -> bool:
    """Return whether the output is as in the document, in which `...` stands for any text."""
    pattern = ".*".join(map(re.escape, expected.strip().split("...")))
    return re.fullmatch(pattern, printed.strip().replace("\r\n", "\n"), re.DOTALL) is not None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_examples_print_what_they_say(document: str, serve: Callable[..., Any]) -> None:
    served = serve()
    text = (ROOT / document).read_text(encoding="utf-8")
    written = examples(text.replace("http://127.0.0.1:8000", served.base_url))
    assert len(written) >= 3
    script = "".join(f"{command}\necho '{_MARK}'\n" for command, _ in written)
    run = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=os.environ | {"ENGAWA_LOCAL_DIR": str(served.local_dir)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    *outputs, rest = run.stdout.split(f"{_MARK}\n")
    assert (len(outputs), rest) == (len(written), ""), run.stderr
    for (command, expected), printed in zip(written, outputs, strict=True):
        assert matches(expected, printed), f"$ {command}\n{printed}\n{run.stderr}"
