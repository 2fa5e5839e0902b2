"""The TypeScript client (sdk/typescript): its own tests, its size, its package, and its use against a platform in Node,
Deno and a browser.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from deno import find_deno_bin

from chalicelib import VERSION
from local.demo_data import CAFE, CONTENT_URI, USERS
from tests.kit import pictures
from tests.kit.served import ROOT, Served
from tests.kit.typescript import PACKAGES, SDK, built, run

SNIPPETS = ROOT / "docs" / "snippets"
TAGS = ("Persistence", "People", "Pages", "OAuth 2", "Information Sharing")
"""Faces that an app calls."""
NOT_BY_APPS = {"authorize", "decide", "showFinished", "readLibrary", "readModule", "readTypes"}
"""Operations of these faces that a browser calls."""
MOST_BYTES = {"index": 6 * 1024, "appdata": 2_560}
SCOPES = "mixi_apps2 r_profile r_page w_pagefeed"
WRITES = 10_000


@pytest.fixture(scope="module")
def sdk() -> Path:
    """Return the folder of the built package."""
    return built()


def test_its_own_tests(sdk: Path) -> None:
    tests = sorted((sdk / "test").glob("*.test.mjs"))
    printed = run("node", "--test", "--test-reporter=tap", *tests, folder=sdk)
    assert len(tests) == 2
    assert "\n# fail 0\n" in printed
    assert int(re.findall(r"^# pass (\d+)$", printed, re.M)[-1]) >= 29


def test_ten_thousand_writes_are_neither_doubled_nor_lost(sdk: Path) -> None:
    figures = json.loads(run("node", "test/chaos.mjs", str(WRITES), folder=sdk))
    print(figures)
    assert figures["requests"] > WRITES


def test_writes_to_a_platform_are_neither_doubled_nor_lost(sdk: Path, served: Served) -> None:
    tokens = [served.token(user=user, app="quest", scope=SCOPES) for user in ("hana", "ken", "mei", "yuki")]
    plan = {"baseUrl": served.base_url, "page": CAFE.id, "contentUri": CONTENT_URI, "tokens": tokens}
    figures = json.loads(run("node", "test/chaos.mjs", "300", json.dumps(plan), folder=sdk))
    print(figures)
    assert figures["requests"] > 300


@pytest.mark.parametrize("module", MOST_BYTES)
def test_its_size(sdk: Path, tmp_path: Path, module: str) -> None:
    bundle = tmp_path / "bundle.js"
    options = ("--bundle", "--minify", "--format=esm", "--target=es2022", "--platform=browser", f"--outfile={bundle}")
    run(PACKAGES / ".bin" / "esbuild", sdk / "dist" / f"{module}.js", *options, folder=tmp_path)
    size = len(gzip.compress(bundle.read_bytes(), 9))
    print(module, size)
    assert size <= MOST_BYTES[module]


def test_its_description() -> None:
    package = json.loads((SDK / "package.json").read_text(encoding="utf-8"))
    installed = json.loads((ROOT / "tests" / "clients" / "package.json").read_text(encoding="utf-8"))["dependencies"]
    assert package["version"] == VERSION
    assert package["type"] == "module"
    assert package["sideEffects"] is False
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & package.keys()
    assert package["devDependencies"].items() <= installed.items()


def test_its_sources_import_nothing() -> None:
    for path in (SDK / "src").glob("*.ts"):
        imported = re.findall(r'^(?:import|export) .*?from "(.*?)"', path.read_text(encoding="utf-8"), re.M | re.S)
        assert all(name.startswith("./") for name in imported), path


def test_each_documented_word_has_a_class(sdk: Path) -> None:
    code = 'import * as all from "./dist/index.js"; console.log(JSON.stringify(Object.keys(all)))'
    names = set(json.loads(run("node", "--input-type=module", "--eval", code, folder=sdk)))
    words: set[str] = set()
    for operation in operations().values():
        for answer in operation["responses"].values():
            for media in answer.get("content", {}).values():
                collect(media["schema"], words)
    assert len(words) > 25
    assert {"".join(part.capitalize() for part in word.split("_")) for word in words} <= names


def collect(schema: Any, words: set[str]) -> None:
    """Add the words of `error` in a schema."""
    if isinstance(schema, list):
        for each in schema:
            collect(each, words)
    elif isinstance(schema, dict):
        if "$ref" in schema:
            collect(served_contract()["components"]["schemas"][schema["$ref"].rpartition("/")[2]], words)
        error = schema.get("properties", {}).get("error", {})
        words.update(error.get("enum", []) or [error[key] for key in ("const",) if key in error])
        for key in ("anyOf", "oneOf"):
            collect(schema.get(key, []), words)


def served_contract() -> Any:
    return json.loads((ROOT / "chalicelib" / "web" / "static" / "openapi.json").read_text(encoding="utf-8"))


def operations() -> dict[str, Any]:
    """Return the operations that an app may call, by their ids; each knows its method and path."""
    contract = served_contract()
    found: dict[str, Any] = {}
    for path, methods in contract["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                called = operation["tags"][0] in TAGS and operation["operationId"] not in NOT_BY_APPS
                if called or path == "/launch/{certificate}":
                    responses = {
                        status: contract["components"]["responses"][answer["$ref"].rpartition("/")[2]]
                        if "$ref" in answer
                        else answer
                        for status, answer in operation["responses"].items()
                    }
                    found[operation["operationId"]] = {"method": method, "path": path, "responses": responses}
    return found


def test_there_is_a_program_of_every_operation() -> None:
    """tests/system/test_snippets.py runs them, and checks that each sends a request of its operation."""
    programs = {path.stem: path.read_text(encoding="utf-8") for path in SNIPPETS.glob("*.mjs")}
    assert programs.keys() == operations().keys()
    assert all(' } from "@engawa/client";' in text for text in programs.values())


def install(sdk: Path, folder: Path) -> None:
    """Pack the client and install the package into an empty project, offline."""
    run("npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", folder, folder=sdk)
    (package,) = folder.glob("*.tgz")
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    run("npm", "install", "--offline", "--no-audit", "--no-fund", f"./{package.name}", folder=folder)


def test_the_package_in_an_empty_project(sdk: Path, served: Served, tmp_path: Path) -> None:
    install(sdk, tmp_path)
    installed = tmp_path / "node_modules" / "@engawa" / "client"
    assert [path.name for path in (tmp_path / "node_modules").iterdir() if path.name[0] != "."] == ["@engawa"]
    assert {path.name for path in installed.iterdir()} == {"package.json", "README.md", "dist"}
    for name in ("use.ts", "types.ts"):
        shutil.copy(sdk / "test" / name, tmp_path)
    options = ("--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--target", "es2022")
    command = (PACKAGES / ".bin" / "tsc", *options, "--module", "nodenext", "--lib", "es2022,dom,dom.iterable")
    run(*command, "use.ts", "types.ts", folder=tmp_path)

    (tmp_path / "picture.png").write_bytes(pictures.png())
    task = json.dumps(
        {"baseUrl": served.base_url, "token": served.token(user="mei", app="quest", scope=SCOPES), "page": CAFE.id}
    )
    wanted = {
        "level": "7",
        "refused": "ParameterInvalid",
        "requestId": True,
        "friends": sorted(USERS[name] for name in ("hana", "ken")),
        "images": 1,
        "comments": ["two", "one"],
    }
    assert json.loads(run("node", "use.js", task, folder=tmp_path)) == wanted

    # Deno runs the same package.
    deno = (find_deno_bin(), "run", "--no-remote", "--node-modules-dir=manual", "--allow-net", "--allow-read")
    quiet = {"DENO_DIR": str(tmp_path / ".deno"), "DENO_NO_UPDATE_CHECK": "1"}
    assert json.loads(run(*deno, "use.js", task, folder=tmp_path, **quiet)) == wanted


@pytest.mark.parametrize("wrong", ["@ts-expect-error values are strings", "@ts-expect-error no such order"])
def test_a_wrong_use_would_be_noticed(sdk: Path, tmp_path: Path, wrong: str) -> None:
    install(sdk, tmp_path)
    text = (sdk / "test" / "types.ts").read_text(encoding="utf-8")
    assert f"// {wrong}" in text
    (tmp_path / "types.ts").write_text(text.replace(f"// {wrong}", "//"), encoding="utf-8")
    options = ("--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--lib", "es2022,dom")
    with pytest.raises(AssertionError, match=r"types\.ts\(\d+,\d+\): error TS"):
        run(PACKAGES / ".bin" / "tsc", *options, "types.ts", folder=tmp_path)


LARGE = """
import { Engawa } from "@engawa/client";
const [baseUrl, token] = process.argv.slice(2);
const { appData } = new Engawa(baseUrl, { token });
const value = "x".repeat(65_000);
for (let part = 0; part < 2; part++) {
  await appData.write(Object.fromEntries(Array.from({ length: 45 }, (_, n) => [`big_${part}_${n}`, value])));
}
const { data, etag } = await appData.read();
const after = await appData.update((all) => ({ ...all, small: String(Object.keys(all).length) }));
console.log(JSON.stringify([Object.keys(data).length, etag ?? null, after.data.small]));
"""


def test_an_answer_over_five_megabytes(sdk: Path, served: Served, tmp_path: Path) -> None:
    install(sdk, tmp_path)
    (tmp_path / "large.mjs").write_text(LARGE)
    token = served.token(user="yuki", app="quest", scope="mixi_apps2")
    before = httpx.get(
        f"{served.base_url}/2/apps/appdata/@me/@self", headers={"Authorization": f"Bearer {token}"}
    ).json()["entry"][0]["data"]
    keys = len(before) + 90
    assert json.loads(run("node", "large.mjs", served.base_url, token, folder=tmp_path)) == [keys, None, str(keys)]
