"""The documents and the sources, and the names that both contain."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chalicelib.api.oauth import server
from chalicelib.core import errors

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCES = [path for folder in ("chalicelib", "local", "admin") for path in sorted((ROOT / folder).rglob("*.py"))]
WORDED = {"TokenRefused", "GrantRefused", "SignatureRefused"}
"""The refusals that get their error word when they are raised."""


def cells(text: str) -> Iterator[list[str]]:
    """Yield the rows of a document's tables."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]


def runs(file: str, test: str) -> bool:
    """Return whether a file has this test, which is not skipped."""
    marks = _functions_of(file).get(test, ["pytest.mark.skip"])
    return test.startswith("test_") and not [m for m in marks if re.match(r"pytest\.mark\.(skip|xfail)\b", m)]


@cache
def _functions_of(file: str) -> dict[str, list[str]]:
    """Return the functions of a test file, each with the source of its decorators."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    found = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    return {each.name: [ast.unparse(mark) for mark in each.decorator_list] for each in found}


def words_raised() -> set[str]:
    """Return the error words of all raised refusals; those of oauthlib come from a table."""
    found = set(server._DESCRIPTIONS)
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WORDED:
                word = node.args[0]
                if isinstance(word, ast.Constant):
                    found.add(str(word.value))
    return found


def refusals() -> Iterator[type[errors.Refusal]]:
    """Yield the refusals whose error word belongs to the class."""
    for each in vars(errors).values():
        if isinstance(each, type) and issubclass(each, errors.Refusal) and each.__name__ not in WORDED:
            yield each
