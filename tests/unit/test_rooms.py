"""Each package of the app imports only those below it: app → api → core, store, web; store → core.

Tests share only the modules in tests/kit.
"""

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "chalicelib"
TESTS = PACKAGE.parent / "tests"
OURS = {
    "core": {"core"},
    "store": {"core", "store", "observed"},
    "web": {"core", "web", "observed"},
    "api": {"core", "store", "web", "api", "platform", "settings", "observed"},
}
"""The packages of the app that each package may import."""
THEIRS = {
    "core": {"chalice", "boto3", "botocore"},
    "store": {"chalice"},
    "web": {"boto3", "botocore"},
    "api": {"boto3", "botocore"},
}
"""The libraries that each package must not import."""
STORE = {
    "aws": set(),
    "directory": {"aws"},
    "events": {"aws", "directory"},
    "appdata": {"aws", "directory", "events"},
    "grants": {"aws", "directory"},
    "records": {"aws"},
    "contents": {"aws", "directory", "appdata", "grants", "events", "records"},
}
"""The packages of store/, and the others that each may import. Modules directly in store/ may import all."""


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            assert node.module
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if module_path(name) else node.module


def module_path(name: str) -> Path | None:
    """Return the file of a module of this project, or None for other modules."""
    path = PACKAGE.parent.joinpath(*name.split("."))
    return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)


@pytest.mark.parametrize("room", OURS)
def test_a_room_imports_only_what_stands_below_it(room: str) -> None:
    files = sorted((PACKAGE / room).rglob("*.py"))
    assert len(files) > 3
    for path in files:
        names = [name.split(".") for name in imports(path)]
        ours = {name[1] for name in names if name[0] == "chalicelib" and len(name) > 1}
        assert ours <= OURS[room], f"{path} imports {ours - OURS[room]}: move the code to a room that may"
        assert not {name[0] for name in names} & THEIRS[room], path


def test_the_packages_of_the_store_are_these() -> None:
    assert {path.name for path in (PACKAGE / "store").iterdir() if (path / "__init__.py").exists()} == STORE.keys()


@pytest.mark.parametrize("package", STORE)
def test_a_package_of_the_store_imports_only_those_below_it(package: str) -> None:
    for path in (PACKAGE / "store" / package).rglob("*.py"):
        names = [name.split(".") for name in imports(path)]
        found = {name[2] for name in names if name[:2] == ["chalicelib", "store"] and len(name) > 2}
        above = found - STORE[package] - {package}
        assert not above, f"{path.name} imports {above}, which stands above store/{package}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = {path: {found for name in imports(path) if (found := module_path(name))} for path in PACKAGE.rglob("*.py")}
    # Others import only types from the platform, which imports everything.
    platform = PACKAGE / "platform.py"
    try:
        TopologicalSorter({path: below - {path} for path, below in graph.items() if path != platform}).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(str(path.relative_to(PACKAGE)) for path in circle.args[1]))


OF_BENCH = {
    "test_alarms",
    "test_incidents",
    "test_costs",
    "test_events_cost",
    "test_web_pages",
    "test_load",
    "test_load_mix",
    "test_month",
    "test_request_price",
    "test_scale",
    "test_scale_worlds",
} | {"pairs_of_signals"}
"""The tests of bench/, and the module that stops its processes."""


def test_a_test_imports_neither_tests_nor_bench() -> None:
    wrong = [
        f"{path.stem} imports {name}: move what both use to tests/kit or local/"
        for path in sorted(TESTS.rglob("*.py"))
        for name in imports(path)
        if re.match(r"tests\..*\b(test_|conftest)", name)
        or (name.split(".")[0] == "bench" and path.stem not in OF_BENCH)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["admin", "bench", "chalicelib", "infra", "local"])
def test_nothing_but_tests_imports_tests(room: str) -> None:
    for path in (PACKAGE.parent / room).rglob("*.py"):
        assert not [name for name in imports(path) if name.split(".")[0] == "tests"], path
