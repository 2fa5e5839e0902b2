"""`python -m local`: serve Engawa on this machine until Ctrl-C. The data are kept in .local/."""

from __future__ import annotations

import logging
import os
import sys
import threading

from chalicelib.settings import WrongSetting
from local import parts
from local.embedded import Emulator, choose_port
from local.environment import Environment, Refused
from local.gateway import Gateway
from local.ports import accepts, claim, taken
from local.server import Server
from local.signals import Wakeup
from local.steps import step

_WORK_SECONDS = 5
_START_SECONDS = 5
"""How long a stop waits for a start that is still running; after that, the end of the process cuts it off."""
_log = logging.getLogger("local")


class Stopped(Exception):
    """The run was stopped during its start."""


class Launcher:
    """One run of the local platform.

    It starts in a thread of its own, while the main thread waits for a signal.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._ended = threading.Event()
        self._failed: Exception | None = None
        self._lost = False
        self._server: Server | None = None
        self._emulator: Emulator | None = None
        self._worker: threading.Thread | None = None

    def run(self) -> int:
        """Serve until SIGINT, SIGTERM or SIGHUP. Returns the exit status; raises Refused if it cannot start."""
        wakeup = Wakeup()
        starting = threading.Thread(target=self._begin, args=(wakeup,), daemon=True)
        starting.start()
        wakeup.wait()
        _log.info("stopping")
        self._ended.set()
        starting.join(_START_SECONDS)
        saved = self._end()
        if self._failed:
            raise self._failed
        if self._lost and self._emulator:
            print(f"The embedded AWS ended unexpectedly:\n{self._emulator.log_tail()}", file=sys.stderr)
        return 0 if saved and not self._lost else 1

    def _begin(self, wakeup: Wakeup) -> None:
        try:
            self._claim()
            self._start(wakeup)
        except Exception as failed:
            # During a shutdown, the shutdown itself may make the start fail.
            if not self._ended.is_set():
                self._failed = failed
                wakeup.wake()

    def _check(self) -> None:
        """Raise Stopped if the run must end."""
        if self._ended.is_set():
            raise Stopped

    def _claim(self) -> None:
        """Check, before any change of data, that no other process uses the directory or the ports."""
        environment = self._environment
        environment.directory.mkdir(parents=True, exist_ok=True)
        environment.directory.chmod(0o700)
        if accepts(environment.port):
            raise Refused(taken("PORT", environment.port))
        claim(environment.directory)
        try:
            self._server = Server(environment.port, requests=environment.requests)
        except OSError:
            raise Refused(taken("PORT", environment.port)) from None
        if environment.endpoint is None:
            self._environment = choose_port(environment, self._check)

    def _start(self, wakeup: Wakeup) -> None:
        def lost() -> None:
            self._lost = True
            wakeup.wake()

        environment = self._environment
        self._check()
        if environment.endpoint is None:
            with step(f"Starting the embedded AWS on port {environment.emulator_port}"):
                self._emulator = Emulator(environment)
                self._emulator.await_start(self._check)
            self._emulator.when_lost(lost)
        with step("Preparing keys and documentation"):
            parts.apply(environment)
        with step("Loading the app"):
            # Imported only now: these modules read the environment during their import.
            import app
            from chalicelib import bootstrap
            from local import demo

            # A measured request must not carry the records of others.
            made = app.create_app(bootstrap.platform, recorded=not parts.is_timed())
        self._check()
        with step("Creating tables, bucket and queues unless they exist"):
            parts.create_stack()
            platform = bootstrap.platform()
            gateway = parts.make_gateway(made, platform, environment)
        self._check()
        with step("Loading the demo world"):
            text = demo.load(platform, environment.base_url, environment.directory)
        self._check()
        self._worker = parts.clean_up(made, platform, self._ended)
        self._serve(gateway)
        print(f"\n{text}\n\nServing on {environment.base_url} - Ctrl-C stops it, the data stay.", flush=True)
        if environment.requests:
            print("Each request is a line below; REQUESTS=off make serve prints none.", flush=True)

    def _serve(self, gateway: Gateway) -> None:
        try:
            assert self._server
            self._server.serve(gateway)
        except OSError:
            raise Refused(taken("PORT", self._environment.port)) from None

    def _end(self) -> bool:
        if self._server:
            self._server.stop()
        if self._worker:
            # The next run repeats work that takes longer.
            self._worker.join(_WORK_SECONDS)
        return self._emulator is None or self._emulator.stop()


def main() -> int:
    """Run the local platform; if it cannot start, print one line that says why and return exit status 1."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # The files of the local platform contain tokens and secrets.
    os.umask(0o077)
    try:
        return Launcher(Environment.read()).run()
    except (Refused, WrongSetting) as refused:
        print(refused, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
