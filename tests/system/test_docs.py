"""The examples of the README and of docs/: they run unchanged, and print the documented output."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.kit.documents import ROOT
from tests.kit.guides import blocks, examples, shell

DOCUMENTS = {
    str(path.relative_to(ROOT)): commands
    for path in sorted((ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))
    # Guides can need a browser, too: test_guides.py runs them.
    if path.parent.name != "guide"
    if (commands := [each.text for each in blocks(path.read_text(encoding="utf-8")) if each.language == "console"])
}
"""The documents with examples; each runs on a new platform, as after the first `make serve`."""


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_examples_print_what_they_say(document: str, serve: Callable[..., Any], tmp_path: Path) -> None:
    served = serve()
    written = examples("".join(DOCUMENTS[document]).replace("http://127.0.0.1:8000", served.base_url))
    assert len(written) >= 3
    with shell(tmp_path, ENGAWA_LOCAL_DIR=str(served.local_dir)) as terminal:
        for command, expected in written:
            terminal.check(command, expected)
