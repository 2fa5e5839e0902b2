"""The embedded AWS: ministack in this process, on 127.0.0.1, with its data on disk.

Runs as `python -m local.emulator PORT DIRECTORY [SERVICES [OWNER]]` with the interpreter that has ministack. ministack
saves only in an orderly shutdown. So this process shuts it down when standard input ends, which happens whenever the
launcher ends for any reason, or when the process with the id OWNER ends. It also saves every few seconds.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from local import locks, processes
from local.fence import Fence

SERVICES = "dynamodb,s3,sqs"
LOCK = "emulator.lock"
LOCK_SECONDS = 30
"""How long to wait for a predecessor that is still saving."""

_CHECKPOINT_SECONDS = 2.0
_CHECKPOINT_SHARE = 20
_STOP_SECONDS = 10
# ReceiveMessage counts as a read: it is called all the time, and a received message may be delivered again anyway.
_READS = ("Get", "BatchGet", "Query", "Scan", "TransactGet", "Describe", "List", "ReceiveMessage")
_log = logging.getLogger(__name__)


class Checkpoints:
    """An ASGI application around ministack's that saves the state every few seconds if anything was written."""

    def __init__(self, app: Callable[..., Any], save: Callable[[], None]) -> None:
        self._app = app
        self._save = save
        self._written = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on; afterwards, note whether it may have written."""
        try:
            await self._app(scope, receive, send)
        finally:
            self._written = self._written or _writes(scope)

    async def run(self) -> None:
        """Save every few seconds, for a twentieth of the time at most: no request is answered during a save."""
        pause = _CHECKPOINT_SECONDS
        while True:
            await asyncio.sleep(pause)
            if self._written:
                self._written = False
                started = time.perf_counter()
                self._save()
                pause = max(_CHECKPOINT_SECONDS, _CHECKPOINT_SHARE * (time.perf_counter() - started))


def _writes(scope: dict[str, Any]) -> bool:
    if scope["type"] != "http":
        return False
    for name, value in scope["headers"]:
        if name.lower() == b"x-amz-target":
            return not value.decode("latin-1").rpartition(".")[2].startswith(_READS)
    return scope["method"] not in ("GET", "HEAD", "OPTIONS")


def _configure(port: int, directory: Path, services: str) -> None:
    """Set the environment variables that ministack reads, some of them during its import."""
    for name in ("state", "s3", "tmp"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    os.environ.pop("AWS_SESSION_TOKEN", None)
    os.environ.update(
        # ministack checks presigned URLs: these are the app's own credentials, from .chalice/config.json.
        AWS_ACCESS_KEY_ID="engawa",
        AWS_SECRET_ACCESS_KEY="engawa",
        SERVICES=services,
        BIND_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        MINISTACK_REGION="ap-northeast-1",
        PERSIST_STATE="1",
        STATE_DIR=str(directory / "state"),
        S3_PERSIST="1",
        S3_DATA_DIR=str(directory / "s3"),
        TMPDIR=str(directory / "tmp"),
        LOG_LEVEL="WARNING",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
    )


async def _serve(port: int, await_end: Callable[[], None]) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack import app as ministack
    from ministack.core.persistence import save_all

    def save() -> None:
        save_all(ministack._build_persistence_save_dict())

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def wait() -> None:
        await_end()
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True).start()
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.backlog = 1024
    config.keep_alive_timeout = 75
    config.loglevel = "WARNING"
    checkpoints = Checkpoints(ministack.app, save)
    saving = asyncio.create_task(checkpoints.run())
    serving = asyncio.create_task(serve(Fence(checkpoints), config, shutdown_trigger=stop.wait))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping, saving}, return_when=asyncio.FIRST_COMPLETED)
    saving.cancel()
    if not stop.is_set():
        (saving if saving.done() else serving).result()
    await asyncio.wait({serving}, timeout=_STOP_SECONDS)
    if not serving.done():
        _log.warning("a request did not end in %d seconds; saving without it", _STOP_SECONDS)
        save()
    # All data are saved: do not wait for a stuck request or for idle worker threads.
    os._exit(0)


def _await_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass


def main(port: int, directory: Path, services: str = SERVICES, owner: str = "") -> None:
    """Serve on `port` with the data under `directory`/emulator, until standard input ends or SIGTERM arrives.

    `services`: the AWS services to serve, by ministack's names, separated by commas. `owner`: the id of the process
    whose end replaces that of standard input.
    """
    # Ctrl-C and the hang-up of a terminal reach every foreground process; the launcher handles them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        locks.hold(directory / LOCK, LOCK_SECONDS)
    except locks.Held as held:
        sys.exit(f"another emulator (pid {held.pid}) has held {directory / LOCK} for {LOCK_SECONDS} seconds")
    _configure(port, directory / "emulator", services)
    asyncio.run(_serve(port, partial(processes.await_end, int(owner)) if owner else _await_end_of_input))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
