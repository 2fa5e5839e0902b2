"""The embedded AWS for a bench: a process of its own on a free port, with nothing in it."""

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from local.embedded import Emulator
from local.environment import HOST, Environment


def free_port() -> int:
    """A port of 127.0.0.1 that is free, and that no connection will be given for its own end meanwhile."""
    while True:
        # Systems give out ports from 32768, or from 49152 on.
        port = 10_240 + secrets.randbelow(32_768 - 10_240)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


@contextmanager
def emulated_aws(directory: Path) -> Iterator[None]:
    """An AWS in a process of its own, with its data in `directory`; worlds made inside share it.

    Raises Refused where the emulator is not installed or does not start.
    """
    environment = replace(Environment.read(), directory=directory, emulator_port=free_port(), endpoint=None)
    emulator = Emulator(environment)
    try:
        emulator.await_start()
        with patch.dict(os.environ):
            environment.apply()
            yield
    finally:
        emulator.stop()
