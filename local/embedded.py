"""The launcher's side of the embedded AWS: start it, wait for it, stop it so that it saves."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from local import locks
from local.emulator import LOCK, LOCK_SECONDS, SERVICES
from local.environment import EMULATOR_PORT, PORT, ROOT, Environment, Refused, free_port
from local.ports import accepts, taken

_START_SECONDS = LOCK_SECONDS + 60
_SAVE_SECONDS = 60


class Emulator:
    """A child process that serves the embedded AWS until `stop` is called or this process ends.

    If it has an `owner`, another process by its id, it serves until that process ends.
    """

    def __init__(self, environment: Environment, owner: int | None = None) -> None:
        """Start it on the port that was chosen, without waiting. Raises Refused if it is not installed."""
        assert environment.emulator_port
        self._port = environment.emulator_port
        self._log = environment.directory / "emulator.log"
        if not environment.emulator_python.exists():
            raise Refused(
                f"There is no {environment.emulator_python}, which runs the embedded AWS; make install creates it."
            )
        command = [
            str(environment.emulator_python),
            "-m",
            "local.emulator",
            str(self._port),
            str(environment.directory),
        ]
        with self._log.open("w") as log:
            # In its own session, so that a signal to the launcher's process group leaves it time to save.
            self._process = subprocess.Popen(
                command if owner is None else [*command, SERVICES, str(owner)],
                cwd=ROOT,
                stdin=subprocess.PIPE if owner is None else subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._stopping = False

    def await_start(self, check: Callable[[], None] = lambda: None) -> None:
        """Wait until it accepts connections. Raises Refused if it does not; errors of `check` are passed on."""
        deadline = time.monotonic() + _START_SECONDS
        while not accepts(self._port):
            check()
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise Refused(f"The embedded AWS did not start; {self._log} says:\n{self.log_tail()}")
            time.sleep(0.05)

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-lines:])

    def when_lost(self, callback: Callable[[], None]) -> None:
        """Call `callback`, in another thread, if the process ends before `stop` is called."""

        def watch() -> None:
            self._process.wait()
            if not self._stopping:
                callback()

        threading.Thread(target=watch, daemon=True).start()

    def stop(self) -> bool:
        """Stop it and wait until it has saved; return False if it ended in any other way."""
        self._stopping = True
        if self._process.stdin:
            self._process.stdin.close()
        else:
            self._process.terminate()
        try:
            return self._process.wait(_SAVE_SECONDS) == 0
        except subprocess.TimeoutExpired:
            self._process.kill()
            return False


def choose_port(environment: Environment, check: Callable[[], None] = lambda: None) -> Environment:
    """Return the environment with the port of its embedded AWS: EMULATOR_PORT, else 4570 or one that is free.

    The emulator of a launcher that was killed keeps its port until it has saved, so this waits for it. Raises Refused
    if EMULATOR_PORT is taken, and what `check` raises while it waits.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while locks.is_held(environment.directory / LOCK) and time.monotonic() < deadline:
        check()
        time.sleep(0.05)
    if environment.emulator_port is None:
        # Only one platform asks for 4570: two that start at the same time would both find it free.
        asks = environment.port == PORT and not accepts(EMULATOR_PORT)
        return replace(environment, emulator_port=EMULATOR_PORT if asks else free_port())
    if accepts(environment.emulator_port):
        raise Refused(taken("EMULATOR_PORT", environment.emulator_port))
    return environment
