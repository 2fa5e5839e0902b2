"""Processes under signals, however close together: they stop, and they stop the processes that they started."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from local.ports import accepts
from tests.kit.emulated import PYTHON
from tests.kit.served import ROOT, START_SECONDS, STOP_SECONDS, Served, fresh_environment

Serve = Callable[..., Served]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
PAIRS = int(os.environ.get("SIGNAL_PAIRS", "100"))
GAPS = [0, 20, 50, 100, 200]


def send_pair(pid: int, gap: int, *numbers: signal.Signals) -> None:
    """Send two signals, `gap` microseconds apart."""
    first, second = numbers
    begun = time.perf_counter()
    os.kill(pid, first)
    while time.perf_counter() - begun < gap / 1e6:
        pass
    os.kill(pid, second)


@pytest.mark.parametrize("name", ["serve", "load"])
def test_no_pair_of_signals_keeps_a_process_from_ending(name: str) -> None:
    command = [sys.executable, "-m", "tests.system.pairs_of_signals", name, str(PAIRS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    assert json.loads(done.stdout) == {"0": PAIRS}, done.stderr


@pytest.mark.parametrize("gap", GAPS)
def test_make_serve_and_its_aws_end_and_have_saved(serve: Serve, gap: int) -> None:
    platform = serve()
    emulator = int((platform.local_dir / "emulator.lock").read_text())
    send_pair(platform.process.pid, gap, *SIGNALS[gap // 100 % 2 :][:2])
    assert platform.process.wait(STOP_SECONDS) == 0, platform.log_tail()
    assert not Path(f"/proc/{emulator}").exists()
    assert "Traceback" not in platform.log_tail()


def test_a_start_is_ended_before_it_has_begun(tmp_path: Path) -> None:
    """When the signals come, only the emulator has started."""
    platform = Served(fresh_environment(tmp_path), tmp_path / "serve.log")
    lock = platform.local_dir / "emulator.lock"
    deadline = time.monotonic() + START_SECONDS
    while not (lock.exists() and lock.read_text()) and time.monotonic() < deadline:
        assert platform.process.poll() is None, platform.log_tail()
        time.sleep(0.01)
    emulator = int(lock.read_text())
    send_pair(platform.process.pid, 0, signal.SIGINT, signal.SIGTERM)
    assert platform.process.wait(STOP_SECONDS) == 0, platform.log_tail()
    assert not Path(f"/proc/{emulator}").exists()
    assert "Traceback" not in platform.log_tail()


@pytest.mark.parametrize("gap", GAPS)
def test_the_embedded_aws_ends(tmp_path: Path, gap: int) -> None:
    port = fresh_environment(tmp_path)["PORT"]
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [PYTHON, "-m", "local.emulator", port, tmp_path], cwd=ROOT, stdin=subprocess.PIPE, stdout=out, stderr=out
        )
    assert process.stdin
    deadline = time.monotonic() + START_SECONDS
    while not accepts(int(port)) and time.monotonic() < deadline:
        assert process.poll() is None, log.read_text(errors="replace")
        time.sleep(0.02)
    send_pair(process.pid, gap, signal.SIGTERM, signal.SIGTERM)
    process.stdin.close()
    assert process.wait(STOP_SECONDS) == 0, log.read_text(errors="replace")
