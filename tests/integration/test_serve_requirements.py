"""The packages of `make serve` are enough for the commands of the README, and no more than they need."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from infra.lock import pinned

ROOT = Path(__file__).resolve().parents[2]
LOCKED = pinned((ROOT / "local" / "requirements-serve.txt").read_text(encoding="utf-8"))
FOLDERS = ("chalicelib", "local", "admin", "infra")
FOR_TESTS = {Path("local/in_process.py")}
"""Worlds in one process, over moto; tests and benches alone import it."""
OF_THE_EMULATOR = {Path("local/emulator.py")}
"""Runs in an environment of its own, with ministack."""

RUN = """
import importlib, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if path is None and name in absent:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

absent, modules = set(sys.argv[1].split()), sys.argv[2].split()
sys.meta_path.insert(0, Blocker())
for each in modules:
    importlib.import_module(each)
"""


@cache
def installed() -> dict[str, set[str]]:
    """Return the installed packages by the names of their modules."""
    return {module: {normalized(each) for each in names} for module, names in packages_distributions().items()}


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def sources() -> list[Path]:
    paths = [
        Path("app.py"),
        *(path.relative_to(ROOT) for each in FOLDERS for path in sorted((ROOT / each).rglob("*.py"))),
    ]
    return [path for path in paths if path not in FOR_TESTS | OF_THE_EMULATOR]


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the packages that are imported at run time, also inside of functions."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield str(node.module).partition(".")[0]
        yield from imports(node)


@pytest.mark.parametrize("path", sources(), ids=str)
def test_every_import_is_installed_by_make_serve(path: Path) -> None:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    for name in {*imports(tree)} - sys.stdlib_module_names - {*FOLDERS, "app"}:
        assert installed().get(name, set()) & LOCKED.keys(), (
            f"{path} imports {name}; local/requirements-serve.in does not have it"
        )


@pytest.mark.parametrize("command", ["local", "local.token", "admin", "chalice.cli", "infra"])
def test_every_command_runs_without_the_other_packages(command: str) -> None:
    absent = [module for module, names in installed().items() if not names & LOCKED.keys()]
    assert {"moto", "pytest", "selenium"} <= {*absent}
    module = command if command.count(".") else f"{command}.__main__"
    others = {"local": "app local.demo local.sample local.images local.worker local.stack", "infra": "infra.reference"}

    done = subprocess.run(
        [sys.executable, "-c", RUN, " ".join(absent), f"{module} {others.get(command, '')}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
