"""Each package of the app imports only what stands below it: app → api → core, store, web; store → core."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "chalicelib"
OURS = {
    "core": {"core"},
    "store": {"core", "store"},
    "web": {"core", "web"},
    "api": {"core", "store", "web", "api", "bootstrap", "settings", "VERSION"},
}
"""What of ours each room may import."""
THEIRS = {
    "core": {"chalice", "boto3", "botocore"},
    "store": {"chalice"},
    "web": {"boto3", "botocore"},
    "api": {"boto3", "botocore"},
}
"""What of others' it may not."""


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            assert node.module
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from below if node.module == "chalicelib" else [node.module]


@pytest.mark.parametrize("room", OURS)
def test_a_room_imports_only_what_stands_below_it(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert len(files) > 3
    for path in files:
        names = [name.split(".") for name in imports(path)]
        ours = {name[1] for name in names if name[0] == "chalicelib"}
        assert ours <= OURS[room], path
        assert not {name[0] for name in names} & THEIRS[room], path
