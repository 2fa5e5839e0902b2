"""`chalice local` from a fresh copy of the project, with Chalice's own reloader."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local import locks
from local.environment import free_port
from tests.kit import contract
from tests.kit.served import ROOT, await_answers, copied_project, eventually, log_tail

CHALICE = Path(sys.executable).with_name("chalice")
RELOADED = " has changed."
MINE = "/2/apps/appdata/@me/@self"


class Project:
    """A copy of the project, and one `chalice local` in it at a time."""

    def __init__(self, directory: Path) -> None:
        self.root = copied_project(directory / "engawa")
        self.port = free_port()
        self.log = directory / "log"
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ENGAWA_"))}
        self.environment = bare | {"ENGAWA_EMULATOR_PYTHON": str(ROOT / ".local" / "emulator-venv" / "bin" / "python")}
        contract.watch(self.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.root / ".local" / f"port-{self.port}"

    def command(self, *options: str) -> list[str]:
        return [str(CHALICE), "local", "--port", str(self.port), *options]

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start it in a process group of its own, as a shell does, and wait until it answers."""
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                self.command(*options),
                cwd=self.root,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await_answers(self.url, process, self.log)
        return process

    def refused(self, *options: str, **environment: str) -> str:
        """Run a start that must fail; return its error output."""
        done = subprocess.run(
            self.command(*options),
            cwd=self.root,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout == ""
        return done.stderr

    def reloads(self) -> int:
        return self.log.read_text(errors="replace").count(RELOADED)

    def headers(self) -> dict[str, str]:
        demo = json.loads((self.data / "demo.json").read_text())
        return {"Authorization": f"Bearer {demo['tokens']['users']['hana']['quest']}"}

    def call(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Send a request until it is answered: Chalice may restart the worker for a file that its start has written."""
        for _ in range(60):
            try:
                return httpx.request(method, self.url + path, headers=self.headers(), timeout=30, **given)
            except httpx.TransportError:
                time.sleep(1)
        pytest.fail(f"no answer:\n{log_tail(self.log)}")

    def write(self, value: str) -> None:
        self.call("POST", MINE, json={"place": value}).raise_for_status()

    def read(self) -> str:
        answer = self.call("GET", f"{MINE}?fields=place").raise_for_status()
        return str(answer.json()["entry"][0]["data"]["place"])

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def emulator(self) -> int:
        return int((self.data / "emulator.lock").read_text())

    def saved(self) -> int:
        """Return when the emulator has saved its tables last, or 0."""
        path = self.data / "emulator" / "state" / "dynamodb.json"
        return path.stat().st_mtime_ns if path.exists() else 0

    def has_ended(self) -> bool:
        """Return whether the worker and the emulator have ended."""
        return not any(locks.is_held(self.data / name) for name in ("serve.lock", "emulator.lock"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = Project(tmp_path_factory.mktemp("chalice-local"))
    yield made
    assert eventually(made.has_ended)


def test_a_change_of_the_code_reloads_once_and_a_change_of_the_data_does_not(project: Project) -> None:
    process = project.start()
    try:
        project.write("harbour")
        emulator, saved = project.emulator(), project.saved()
        assert eventually(lambda: project.saved() > saved)
        project.write("hill")
        saved = project.saved()
        assert eventually(lambda: project.saved() > saved)
        # Chalice looks for changes every second.
        assert not eventually(lambda: project.reloads() > 0, 3), project.log.read_text()

        (project.root / "chalicelib" / "settings.py").touch()

        assert eventually(lambda: project.reloads() == 1 and project.answers())
        assert project.read() == "hill"
        assert project.emulator() == emulator
        assert not eventually(lambda: project.reloads() > 1, 3), project.log.read_text()
        assert project.log.read_text().count("Demo world") == 1

        # The gateway in front of the app is Engawa's own.
        unknown = project.call("GET", "/nowhere")
        assert (unknown.status_code, unknown.json()["error"]) == (404, "not_found")
        assert unknown.headers["X-Request-Id"]
        head = project.call("HEAD", "/health")
        assert (head.status_code, head.content, int(head.headers["Content-Length"]) > 0) == (200, b"", True)
        other = project.call("PUT", "/health")
        assert (other.status_code, other.json()["error"], other.headers["Allow"]) == (
            405,
            "method_not_allowed",
            "GET, HEAD",
        )

        taken = f"Port {project.port} is taken; chalice local --port {project.port + 1} uses another.\n"
        assert project.refused() == taken
        said = project.refused("--port", str(free_port()), ENGAWA_LOCAL_DIR=str(project.data))
        assert said.startswith(f"{project.data} is already served by another platform (pid ")
    finally:
        # As Ctrl-C does.
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 0
    assert eventually(project.has_ended)


def test_all_processes_end_with_chalice_s_first_one(project: Project) -> None:
    process = project.start("--stage", "local")
    project.write("harbour")

    process.kill()

    process.wait()
    assert eventually(project.has_ended)
    assert not project.answers()


def test_without_the_reloader_the_same_data_are_served(project: Project) -> None:
    process = project.start("--no-autoreload")
    try:
        assert project.read() == "harbour"
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    assert eventually(project.has_ended)
    assert "Traceback" not in project.log.read_text()


@pytest.mark.parametrize(
    ("options", "environment", "reason"),
    [
        (
            ["--stage", "prod"],
            {},
            "chalice local serves the stage local, not 'prod', which is on AWS: leave --stage out, or deploy it.\n",
        ),
        (
            ["--host", "0.0.0.0", "--no-autoreload"],
            {},
            "chalice local serves on 127.0.0.1 only, not on 0.0.0.0: everyone could read the demo world's data.\n",
        ),
        (
            [],
            {"ENGAWA_EMULATOR_PYTHON": "/none/python"},
            "There is no /none/python, which runs the embedded AWS; make install creates it.\n",
        ),
    ],
)
def test_a_start_that_cannot_be_says_why(
    project: Project, options: list[str], environment: dict[str, str], reason: str
) -> None:
    assert project.refused(*options, **environment) == reason
