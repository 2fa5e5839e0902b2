"""The embedded AWS for a benchmark: an empty one, in its own process, on a free port."""

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
    """Run an AWS in its own process, with its data in `directory`; all worlds created inside the block share it.

    Raises Refused if the emulator is not installed or does not start.
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
