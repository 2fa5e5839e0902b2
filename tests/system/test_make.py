"""The start of `make serve` before it serves: it checks the ports and installs, in an empty project of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("local/requirements-serve.txt", "requirements-dev.txt", "local/requirements.txt")
SERVE, DEVELOP, EMULATOR = ".venv/.serve", ".venv/.installed", ".local/emulator-venv/.installed"
UNKNOWN = "engawa-is-nowhere==1.0 --hash=sha256:" + 64 * "0" + "\n"


class Project:
    """A folder with the Makefile, and lock files without packages, so that nothing is downloaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "local").mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", folder)
        for path in (ROOT / "local").glob("*.py"):
            shutil.copy(path, folder / "local")
        for name in LOCKS:
            (folder / name).write_text("# no packages\n")

    def make(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        without = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "MFLAGS"))}
        env = without | {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull} | environment
        command = ["make", "-s", *arguments]
        return subprocess.run(
            command, cwd=self.folder, env=env, capture_output=True, text=True, check=False, timeout=120
        )

    def is_done(self, target: str) -> bool:
        return self.make("-q", target).returncode == 0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def test_packages_are_installed_in_either_order_and_again_after_a_change(project: Project) -> None:
    first = project.make("install")
    assert (first.returncode, first.stderr) == (0, "")
    assert [line.rpartition(" ... ")[0] for line in first.stdout.splitlines()] == [
        "Installing 0 packages into .venv",
        "Installing 0 packages into .local/emulator-venv",
    ]
    assert (project.is_done(SERVE), project.is_done(EMULATOR), project.is_done(DEVELOP)) == (True, True, False)
    assert not list((project.folder / ".local" / "emulator-venv").rglob("pip"))

    assert project.make(DEVELOP).returncode == 0
    assert project.is_done(SERVE)
    for name in LOCKS:
        os.utime(project.folder / name)
    assert (project.is_done(SERVE), project.is_done(DEVELOP), project.is_done(EMULATOR)) == (False, False, False)
    # What tests need contains what make serve needs, so one installation is enough.
    assert project.make(DEVELOP).stdout.startswith("Installing 0 packages into .venv ...")
    assert project.is_done(SERVE)


def test_an_installation_without_a_network_says_what_it_needs(project: Project) -> None:
    (project.folder / LOCKS[0]).write_text(UNKNOWN)

    done = project.make("install")

    assert done.returncode == 2
    for text in (LOCKS[0], "PyPI", "PIP_INDEX_URL=", "pip download --require-hashes", "PIP_FIND_LINKS=wheels"):
        assert text in done.stderr
    assert not (project.folder / SERVE).exists()
    assert not project.is_done(SERVE)


@pytest.mark.parametrize("variable", ["PORT", "EMULATOR_PORT"])
def test_a_taken_port_is_said_before_anything_is_installed(project: Project, variable: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = project.make("serve", **{"PORT": "18439", variable: str(port)})

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Port {port} is taken; {variable}=")
    assert not (project.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("variable", "value", "allowed"), [("PORT", "http", "a port"), ("REQUESTS", "no", "on or off")]
)
def test_a_wrong_setting_is_said_before_anything_is_installed(
    project: Project, variable: str, value: str, allowed: str
) -> None:
    done = project.make("serve", **{variable: value})

    assert done.stderr.startswith(f"{variable} must be {allowed}")
    assert not (project.folder / ".venv").exists()


def test_without_a_python_that_is_new_enough_it_says_so(project: Project) -> None:
    tools = project.folder / "tools"
    tools.mkdir()
    for name in ("make", "sh", "sed", "grep", "date", "mkdir", "touch"):
        (tools / name).symlink_to(str(shutil.which(name)))

    done = project.make("install", PATH=str(tools))

    assert done.returncode == 2
    assert "Engawa needs Python 3.11 or newer" in done.stderr
    assert "could not be installed" not in done.stderr
