"""The check that ports and directory are free. `python -m local.ports` makes it for `make serve`.

It runs before anything is installed, so it imports nothing but the standard library.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from local import locks
from local.emulator import LOCK
from local.environment import HOST, Environment, Refused

SERVE_LOCK = "serve.lock"


def accepts(port: int) -> bool:
    """Return whether a program accepts connections on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def taken(variable: str, port: int) -> str:
    """Return the message for a port that another program uses; it names the next port that is free."""
    free = next((other for other in range(port + 1, 65_536) if not accepts(other)), None)
    advice = f"{variable}={free} make serve uses another." if free else f"choose another with {variable}=..."
    return f"Port {port} is taken; {advice}"


def check(environment: Environment) -> None:
    """Raise Refused if a port that was asked for is taken, or if another platform serves the directory."""
    if accepts(environment.port):
        raise Refused(taken("PORT", environment.port))
    if (environment.directory / SERVE_LOCK).exists():
        os.close(claim(environment.directory))
    # The emulator of a launcher that was killed keeps its port until it has saved; the start waits for that.
    saving = (environment.directory / LOCK).exists() and locks.is_held(environment.directory / LOCK)
    if environment.endpoint is None and environment.emulator_port and not saving and accepts(environment.emulator_port):
        raise Refused(taken("EMULATOR_PORT", environment.emulator_port))


def claim(directory: Path) -> int:
    """Keep other platforms from serving the directory until this process ends. Raises Refused.

    Returns an open file; closing it gives the directory up.
    """
    try:
        return locks.hold(directory / SERVE_LOCK)
    except locks.Held as held:
        raise Refused(f"{directory} is already served by another make serve (pid {held.pid}).") from None


def main() -> int:
    """Check the ports of this environment; if one is taken, print one line that says so and return exit status 1."""
    try:
        check(Environment.read())
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
