"""The TypeScript client of sdk/typescript, built."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

from tests.kit.served import ROOT

SDK = ROOT / "sdk" / "typescript"
PACKAGES = ROOT / ".local" / "clients-node" / "node_modules"
_SOURCES = ("src/*.ts", "scripts/*", "package.json", "tsconfig.json", "../../chalicelib/web/static/openapi.json")


def built() -> Path:
    """Build the client unless that has been done since its last change. Return the folder of the package."""
    with (PACKAGES.parent / "sdk.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        packages = SDK / "node_modules"
        if packages.is_symlink() or not packages.exists():
            packages.unlink(missing_ok=True)
            packages.symlink_to(PACKAGES)
        target = SDK / "dist" / "index.js"
        newest = max(path.stat().st_mtime for pattern in _SOURCES for path in SDK.glob(pattern))
        if not target.exists() or target.stat().st_mtime <= newest:
            run("npm", "run", "build", folder=SDK)
            os.utime(target)
    return SDK


def run(*command: str | Path, folder: Path, **environment: str) -> str:
    """Run a command and return its output. Assert that it succeeds."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1", "npm_config_update_notifier": "false"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout
