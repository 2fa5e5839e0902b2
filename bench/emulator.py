"""The embedded AWS for a bench: a process of its own on a free port, with nothing in it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from local.embedded import Emulator
from local.environment import Environment, free_port


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
