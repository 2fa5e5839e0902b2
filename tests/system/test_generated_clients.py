"""Clients that third-party generators make from the served /openapi.json, one in Python and one in TypeScript. They
write, read, post a feed with an image, comment and list, and their response classes contain the sent data.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from local.demo_data import CAFE
from tests.kit import pictures
from tests.kit.served import ROOT

if TYPE_CHECKING:
    from tests.kit.served import Served

CLIENTS = ROOT / "tests" / "clients"
PYTHON = ROOT / ".local" / "clients-venv" / "bin"
NODE = ROOT / ".local" / "clients-node" / "node_modules"
SCOPES = "mixi_apps2 r_profile r_page w_pagefeed"
TEXT = "花 & <x>"


@pytest.fixture
def contract(served: Served, tmp_path: Path) -> Path:
    """Save the contract as it is served. Return its path."""
    path = tmp_path / "openapi.json"
    path.write_bytes(httpx.get(f"{served.base_url}/openapi.json", timeout=30).content)
    return path


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command and return its output. Assert that it succeeds."""
    done = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def asked(served: Served, contract: Path) -> str:
    """Return the task of a client, as JSON. It acts as Mei, who administers the page, at the contract's base URL."""
    (server,) = json.loads(contract.read_text(encoding="utf-8"))["servers"]
    return json.dumps(
        {
            "baseUrl": server["url"],
            "token": served.token(user="mei", app="quest", scope=SCOPES),
            "page": CAFE.id,
            "text": TEXT,
            "image": base64.b64encode(pictures.png()).decode(),
        }
    )


def is_done(served: Served, printed: str) -> None:
    """Assert that the client received the expected responses."""
    users: dict[str, Any] = served.demo["users"]
    assert json.loads(printed) == {
        "data": TEXT,
        "refused": "parameter_invalid",
        "title": TEXT,
        "images": 1,
        "comments": [[True, TEXT, users["mei"]["id"]]],
        "friends": sorted(users[name]["id"] for name in ("hana", "ken")),
        "removed": 204,
    }


def test_a_python_client(served: Served, contract: Path, tmp_path: Path) -> None:
    generated = run(
        *(PYTHON / "openapi-python-client", "generate", "--path", contract, "--meta", "none"),
        *("--config", CLIENTS / "openapi-python-client.yaml", "--output-path", tmp_path / "generated_client"),
        "--fail-on-warning",
        folder=tmp_path,
    )
    assert "Unable" not in generated

    printed = run(
        *(PYTHON / "python", CLIENTS / "client.py"),
        folder=tmp_path,
        PYTHONPATH=str(tmp_path),
        ASKED=asked(served, contract),
    )
    is_done(served, printed)


def test_a_typescript_client(served: Served, contract: Path, tmp_path: Path) -> None:
    for name in ("client.ts", "tsconfig.json", "package.json"):
        shutil.copy(CLIENTS / name, tmp_path)
    (tmp_path / "node_modules").symlink_to(NODE)
    run(NODE / ".bin" / "openapi-typescript", contract, "-o", tmp_path / "schema.d.ts", folder=tmp_path)
    run(NODE / ".bin" / "tsc", "--project", tmp_path, folder=tmp_path)

    is_done(served, run("node", tmp_path / "client.js", folder=tmp_path, ASKED=asked(served, contract)))
