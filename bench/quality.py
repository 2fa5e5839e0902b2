"""Writes figures into docs/internals/quality.md, between the markers of the command that produced them."""

import re
from pathlib import Path

from local.environment import ROOT

DOCS = ROOT / "docs" / "internals"
QUALITY = DOCS / "quality.md"


def fill(command: str, text: str, path: Path = QUALITY) -> None:
    """Replace the text between `<!-- COMMAND -->` and `<!-- end of COMMAND -->`. Raises ValueError without these."""
    path.write_text(filled(path.read_text(encoding="utf-8"), command, text), encoding="utf-8")


def filled(document: str, command: str, text: str) -> str:
    """Return a document with `text` between the markers of `command`."""
    begin, end = f"<!-- {command} -->\n", f"<!-- end of {command} -->\n"
    pattern = re.compile(f"({re.escape(begin)}).*?({re.escape(end)})", re.DOTALL)
    if len(pattern.findall(document)) != 1:
        raise ValueError(f"{begin.strip()} and {end.strip()} are to stand in the document, once")
    return pattern.sub(lambda found: f"{found[1]}{text.strip()}\n{found[2]}", document)
