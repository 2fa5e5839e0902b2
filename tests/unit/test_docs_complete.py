"""The documents list each setting with its default, each route and each error, and nothing else."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from chalicelib import settings
from chalicelib.core import errors
from chalicelib.store.contents import cleanup_notes, items
from chalicelib.store.directory import keys
from chalicelib.store.grants import ephemeral, grants
from tests.kit.documents import DOCS, ROOT, SOURCES, cells, refusals, words_raised
from tests.kit.routes import routes

REFERENCE = DOCS / "reference"
OPERATIONS = (DOCS / "operating" / "operations.md").read_text(encoding="utf-8")
PROTOCOL = [REFERENCE / "protocol.md", *sorted((REFERENCE / "protocol").glob("*.md"))]
SPOKEN = "\n".join(path.read_text(encoding="utf-8") for path in PROTOCOL)
NEEDED = {
    "ENGAWA_STAGE": "prod",
    "ENGAWA_BUCKET": "files",
    "ENGAWA_TOKEN_KEYS_FILE": "token-keys.json",
    "ENGAWA_SECRET_KEYS_FILE": "secret-keys.json",
}
"""The required settings of a deployment."""
ISSUER = {"ENGAWA_ISSUER": "https://api.example.com"}


class Asked(dict[str, str]):
    """An environment that records the names looked up in it."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def documented_settings() -> dict[str, str]:
    """Return the app's settings that have a row in operations.md, each with the default written there."""
    section = OPERATIONS.split("\n## Settings\n")[1].split("\n## ")[0].split("\n### ")[0]
    return {row[0].strip("`"): row[1].strip("`") for row in cells(section) if row[0].startswith("`ENGAWA_")}


def asked_settings() -> set[str]:
    """Return the names that the app looks up when it reads its settings."""
    environment = Asked(NEEDED)
    settings.read(environment)
    return environment.names


def written_routes() -> Iterator[str]:
    """Yield each route as documents write it: method and path, without the alias that ends in `.json`."""
    paths = {path for _, path, _ in routes()}
    for method, path, view in routes():
        # The text describes preflights, and HEAD beside GET. docs/reference/web-pages.md is made from the pages.
        alias = path.endswith(".json") and path.removesuffix(".json") in paths
        if method not in ("OPTIONS", "HEAD") and not view.declaration.page and not alias:
            yield f"{method} {path}"


def documented_routes(document: Path) -> list[str]:
    """Return the routes in the first cells of a document's tables, written as `GET, POST /path`."""
    found = []
    for row in cells(document.read_text(encoding="utf-8")):
        if written := re.fullmatch(r"`([A-Z, ]+) (/[^`? ]*)`", row[0]):
            found += [f"{method} {written[2]}" for method in written[1].split(", ")]
    return found


def test_every_setting_is_documented_and_no_other() -> None:
    assert len(asked_settings()) > 20
    assert documented_settings().keys() == asked_settings()


@pytest.mark.parametrize("name", sorted(documented_settings()))
def test_the_default_of_a_setting_is_what_the_document_says(name: str) -> None:
    default = documented_settings()[name]
    if name in NEEDED:
        assert default == "needed"
        return
    if not default:
        assert asdict(settings.read(NEEDED)) == asdict(settings.read(NEEDED | {name: ""}))
        return
    if default == "<api>":
        # Only a request gives it (tests/unit/test_base_url.py).
        assert settings.read(NEEDED).issuer == ""
        return
    value = default.replace("<issuer>", ISSUER["ENGAWA_ISSUER"]).replace("<stage>", NEEDED["ENGAWA_STAGE"])
    assert asdict(settings.read(NEEDED | ISSUER | {name: value})) == asdict(settings.read(NEEDED | ISSUER))


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_nothing_starts_without_a_setting_that_is_said_to_be_needed(name: str) -> None:
    with pytest.raises(settings.WrongSetting, match=name.removesuffix("_FILE")):
        settings.read({other: value for other, value in NEEDED.items() if other != name})


def test_every_variable_of_the_local_platform_and_the_command_line_is_documented() -> None:
    for path in SOURCES:
        for name in re.findall(r"ENGAWA_[A-Z_]*[A-Z]", path.read_text(encoding="utf-8")):
            # For a pair `_FILE` and `_SECRET`, sources also contain the common prefix.
            pair = {f"{name}_FILE", f"{name}_SECRET"} <= asked_settings()
            assert pair or f"`{name}`" in OPERATIONS, f"{name} in {path.relative_to(ROOT)}"


def test_every_route_is_documented_and_no_other() -> None:
    known = set(written_routes())
    operators = {route for route in known if " /admin/" in route}
    assert len(operators) > 30
    for name, served in {"protocol/admin.md": operators, "protocol.md": known - operators}.items():
        documented = documented_routes(REFERENCE / name)
        assert len(documented) == len(set(documented)), f"docs/reference/{name} has a route twice"
        missing, gone = served - {*documented}, {*documented} - served
        assert not missing, f"a table of docs/reference/{name} needs a row for {sorted(missing)}"
        assert not gone, f"docs/reference/{name} has a row for {sorted(gone)}, which the app does not serve"


@pytest.mark.parametrize("refusal", list(refusals()))
def test_every_error_is_documented_with_its_status(refusal: type[errors.Refusal]) -> None:
    found = [row[0] for row in cells(SPOKEN) if len(row) > 2 and f"`{refusal.error}`" in row[1]]
    assert any(str(refusal.status) in status for status in found), f"{refusal.status} {refusal.error}"


def test_every_word_that_a_refusal_is_raised_with_is_documented() -> None:
    assert {"expired_token", "invalid_client", "nonce_used"} <= words_raised()
    for word in words_raised():
        assert f"`{word}`" in SPOKEN, word


@pytest.mark.parametrize("module", [keys, grants, ephemeral, items, cleanup_notes])
def test_the_architecture_says_where_the_keys_of_a_table_are_listed(module: ModuleType) -> None:
    assert Path(str(module.__file__)).name in (DOCS / "internals" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), target
        headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        assert not anchor or anchor in map(anchor_of, headings), target


def anchor_of(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
