"""Runs third-party linters and generators on openapi.json: `python -m tests.clients.proving`.

No tool may report an error, nor a warning without a reason in its file in tests/clients/prove. The clients of OpenAPI
Generator are imported (Python) and compiled (TypeScript); a Postman collection has a request for each operation.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.kit.contract import METHODS

ROOT = Path(__file__).resolve().parents[2]
CONFIGURED = Path(__file__).parent / "prove"
CONTRACT = ROOT / "chalicelib" / "web" / "static" / "openapi.json"
PYTHON = ROOT / ".local" / "prove-venv" / "bin"
NODE = ROOT / ".local" / "prove-node" / "node_modules" / ".bin"
GENERATOR = CONFIGURED / "openapi-generator.yaml"
SECONDS = 600
_PACKAGE = """\
import importlib, pathlib, openapi_client
for each in sorted(pathlib.Path(openapi_client.__path__[0]).glob("models/*.py")):
    importlib.import_module(f"openapi_client.models.{each.stem}")
"""
_TYPESCRIPT = {
    "compilerOptions": {
        "module": "esnext",
        "moduleResolution": "bundler",
        "target": "es2022",
        "lib": ["es2022", "dom"],
        "types": [],
        "strict": True,
        "noEmit": True,
    },
    "files": ["index.ts"],
}


class Faulty(Exception):
    """A tool has found problems; the text lists them."""


def run(*command: str | Path, folder: Path) -> str:
    """Run a command and return its standard output. Raises Faulty if it fails."""
    environment = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode:
        raise Faulty(f"{done.stdout}\n{done.stderr}".strip())
    return done.stdout


def redocly(folder: Path) -> str:
    """Lint with Redocly; a warning counts as an error."""
    config = CONFIGURED / "redocly.yaml"
    found = json.loads(run(NODE / "redocly", "lint", CONTRACT, "--config", config, "--format=json", folder=folder))
    if found["problems"]:
        raise Faulty("\n".join(f"{each['ruleId']}: {each['message']}" for each in found["problems"]))
    return "no problem"


def spectral(folder: Path) -> str:
    """Lint with Spectral; a hint counts as an error."""
    run(
        NODE / "spectral",
        "lint",
        CONTRACT,
        "--ruleset",
        CONFIGURED / "spectral.yaml",
        "--fail-severity=hint",
        folder=folder,
    )
    return "no problem"


def postman(folder: Path) -> str:
    """Convert to a Postman collection; it must have a request for each operation."""
    made = folder / "collection.json"
    run(NODE / "openapi2postmanv2", "-s", CONTRACT, "-o", made, folder=folder)
    requests = sum("request" in each for each in _items(json.loads(made.read_text(encoding="utf-8"))))
    paths = json.loads(CONTRACT.read_text(encoding="utf-8"))["paths"].values()
    operations = sum(method in item for item in paths for method in METHODS)
    if requests != operations:
        raise Faulty(f"{requests} requests of {operations} operations")
    return f"{requests} requests"


def python(folder: Path) -> str:
    """Generate a client in Python, and import each of its modules."""
    told = _generated("python", folder)
    run(PYTHON / "python", "-c", _PACKAGE, folder=folder / "python")
    return told


def typescript(folder: Path) -> str:
    """Generate a client in TypeScript, and compile it."""
    told = _generated("typescript-fetch", folder)
    (folder / "typescript-fetch" / "tsconfig.json").write_text(json.dumps(_TYPESCRIPT), encoding="utf-8")
    run(NODE / "tsc", "--project", folder / "typescript-fetch", folder=folder)
    return told


def main() -> int:
    """Run each tool; return the exit status."""
    failed = 0
    for judge in (redocly, spectral, postman, python, typescript):
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(f"{judge.__name__}: {judge(Path(folder))}", flush=True)
            except Faulty as fault:
                failed += 1
                print(f"{judge.__name__} FAILED:\n{fault}", flush=True)
    return 1 if failed else 0


def _items(collection: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for each in collection.get("item", ()):
        yield each
        yield from _items(each)


def _generated(kind: str, folder: Path) -> str:
    command = ("generate", "-i", CONTRACT, "-g", kind, "-c", GENERATOR, "-o", folder / kind)
    printed = run(PYTHON / "openapi-generator-cli", *command, folder=folder)
    explained = yaml.safe_load(GENERATOR.read_text(encoding="utf-8"))["x-warnings"]
    warnings = re.findall(r"^.*\b(?:WARN|ERROR)\b.*$|^.*Exception.*$", printed, re.MULTILINE)
    if left := sorted({each for each in warnings if not any(part in each for part in explained)}):
        raise Faulty("\n".join(left))
    return f"{len(warnings)} warnings, each explained"


if __name__ == "__main__":
    sys.exit(main())
