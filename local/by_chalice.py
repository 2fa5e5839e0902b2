"""`chalice local`: the local platform of `make serve` under Chalice's command line, reloaded when a file changes.

With autoreload there are three processes. Chalice's first one starts a worker, which imports the app, serves it and
watches the files; if one changes, the worker ends and Chalice starts another. The embedded AWS belongs to the first
process: each worker finds it in `chalice-local.json`, and it ends, as does the worker, when the first process ends.

Two parts of Chalice are replaced: the local server, by Engawa's (local/server.py), and the search for changed files
(local/reloading.py).
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import chalice.local

from chalicelib.settings import WrongSetting
from local import locks, parts, processes
from local.embedded import Emulator, choose_port
from local.emulator import LOCK
from local.environment import HOST, ROOT, STAGE, Environment, Refused
from local.gateway import Gateway
from local.ports import SERVE_LOCK, accepts
from local.server import Server

if TYPE_CHECKING:
    from chalice.app import Chalice

KEPT = "chalice-local.json"
_RESTART_SECONDS = 15
"""How long the next worker waits for the lock of the one before."""

End = Callable[[object], NoReturn]


def begin(stage: str, host: str, port: int, autoreload: bool, *, chosen: bool, end: End) -> None:
    """Start the embedded AWS unless it runs, and set the process's environment, before Chalice imports the app.

    `chosen`: whether the user has named the stage; Chalice's default is one for AWS. `end` ends the process with a
    reason. Raises Refused.
    """
    if chosen and stage != STAGE:
        raise Refused(
            f"chalice local serves the stage {STAGE}, not {stage!r}, which is on AWS: leave --stage out, or deploy it."
        )
    if host not in (HOST, "localhost"):
        raise Refused(f"chalice local serves on {HOST} only, not on {host}: everyone could read the demo world's data.")
    if stage != STAGE:
        _forget(stage)
    # The files of the local platform contain tokens and secrets.
    os.umask(0o077)
    os.environ["PORT"] = str(port)
    environment = Environment.read()
    owner = os.getppid() if autoreload else os.getpid()
    server = _claim(environment)
    platform = _Platform(environment, owner, server, end)
    parts.apply(platform.environment)
    _quieten()
    if autoreload:
        threading.Thread(target=_end_with, args=(owner,), daemon=True).start()
    chalice.local.create_local_server = platform.create_server  # type: ignore[assignment]


def _forget(stage: str) -> None:
    """Remove the variables of another stage, which Chalice has set before it imports the app."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    for name, value in config["stages"].get(stage, {}).get("environment_variables", {}).items():
        if os.environ.get(name) == value:
            del os.environ[name]


def _claim(environment: Environment) -> Server:
    """Bind the port, and check that no other process uses the directory. Raises Refused."""
    environment.directory.mkdir(parents=True, exist_ok=True)
    environment.directory.chmod(0o700)
    taken = f"Port {environment.port} is taken; chalice local --port {environment.port + 1} uses another."
    if accepts(environment.port):
        raise Refused(taken)
    try:
        locks.hold(environment.directory / SERVE_LOCK, _RESTART_SECONDS)
    except locks.Held as held:
        raise Refused(f"{environment.directory} is already served by another platform (pid {held.pid}).") from None
    try:
        return Server(environment.port, requests=environment.requests)
    except OSError:
        raise Refused(taken) from None


class _Platform:
    """The platform that one worker serves."""

    def __init__(self, environment: Environment, owner: int, server: Server, end: End) -> None:
        """Find the embedded AWS that an earlier worker of `owner` has started, or start it. Raises Refused."""
        self._owner = owner
        self._server = server
        self._end = end
        self._kept = environment.directory / KEPT
        self._started: Emulator | None = None
        kept = self._read()
        if environment.endpoint is None:
            # Chalice may end a worker at any moment. If the emulator that it has started does not hold its lock yet,
            # the next worker starts another on the same port, and one of them waits for the lock in vain and ends.
            if kept:
                environment = replace(environment, emulator_port=kept["port"])
            else:
                environment = choose_port(environment)
                self._write(port=environment.emulator_port)
            if not (kept and locks.is_held(environment.directory / LOCK)):
                self._started = Emulator(environment, owner)
        self.environment = environment
        self._is_first = not kept.get("loaded")

    def create_server(self, made: Chalice, config: object, host: str, port: int) -> _Serving:
        """Return what Chalice serves: Engawa's server, with the demo world. Ends the process if that fails."""
        from chalicelib import bootstrap
        from local import demo

        environment = self.environment
        try:
            self._await_emulator()
            parts.create_stack()
            platform = bootstrap.platform()
            gateway = parts.make_gateway(made, platform, environment)
            text = demo.load(platform, environment.base_url, environment.directory)
        except (Refused, WrongSetting) as refused:
            self._end(refused)
        ended = threading.Event()
        parts.clean_up(made, platform, ended)
        if self._is_first:
            print(f"{text}\n")
            self._write(**self._read() | {"loaded": True})
        return _Serving(self._server, gateway, environment.base_url, ended)

    def _await_emulator(self) -> None:
        if self.environment.endpoint is not None:
            return
        if self._started:
            self._started.await_start()
        threading.Thread(target=self._watch_emulator, daemon=True).start()

    def _watch_emulator(self) -> None:
        processes.await_end(locks.holder(self.environment.directory / LOCK))
        if processes.is_running(self._owner):
            log = self.environment.directory / "emulator.log"
            self._end(f"The embedded AWS ended unexpectedly; {log} may say why.")

    def _read(self) -> dict[str, Any]:
        """Return what an earlier worker of the same owner has written, or nothing."""
        try:
            kept: dict[str, Any] = json.loads(self._kept.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return kept if kept.get("owner") == self._owner else {}

    def _write(self, **kept: Any) -> None:
        beside = self._kept.with_suffix(".new")
        beside.write_text(json.dumps(kept | {"owner": self._owner}), encoding="utf-8")
        beside.replace(self._kept)


class _Serving:
    """Engawa's server, with the methods of Chalice's."""

    def __init__(self, server: Server, gateway: Gateway, url: str, ended: threading.Event) -> None:
        self._server = server
        self._gateway = gateway
        self._url = url
        self._ended = ended

    def serve_forever(self) -> None:
        """Serve until `shutdown`."""
        self._server.serve(self._gateway)
        print(f"Serving on {self._url}", flush=True)
        self._ended.wait()

    def shutdown(self) -> None:
        """Stop, after the requests that run have been answered."""
        self._ended.set()
        self._server.stop()


def _quieten() -> None:
    """Print only Engawa's line for each request, not all that Chalice's logger of the level INFO would print."""
    for name in ("boto3", "botocore", "chalicelib"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _end_with(owner: int) -> None:
    processes.await_end(owner)
    sys.stdout.flush()
    os._exit(0)
