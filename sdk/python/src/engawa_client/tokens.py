"""Access tokens: stores that threads, tasks and processes share, and one refresh at an expiry."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Protocol

from engawa_client.base import EngawaError
from engawa_client.flow import Acquire, Clock, Flow, Pause

LOCKED_SECONDS = 60.0
"""The longest wait for a refresh by another process."""


@dataclass(frozen=True)
class Token:
    """An access token with its refresh token. `expires_at` is in seconds since 1970, `lifetime` in seconds."""

    access_token: str
    refresh_token: str | None
    expires_at: float
    lifetime: float
    scope: str = ""

    def is_fresh(self, now: float) -> bool:
        """Return whether the token can be used for a while; a tenth of its lifetime is left out, at most 30 s."""
        return now < self.expires_at - min(30.0, self.lifetime / 10)


class TokenStore(Protocol):
    """Keeps one user's token. Several processes may share a store."""

    def load(self) -> Token | None:
        """Return the token, or None if there is none yet."""
        ...

    def save(self, token: Token) -> None:
        """Replace the token."""
        ...

    def acquire(self) -> bool:
        """Take the lock under which the token is refreshed, or return False at once if another holds it."""
        ...

    def release(self) -> None:
        """Give the lock back."""
        ...


class MemoryTokenStore:
    """Keeps a token in this process."""

    def __init__(self, token: Token | None = None) -> None:
        self._token = token
        self._lock = threading.Lock()

    def load(self) -> Token | None:
        """Return the token, or None if there is none yet."""
        return self._token

    def save(self, token: Token) -> None:
        """Replace the token."""
        self._token = token

    def acquire(self) -> bool:
        """Take the lock, or return False at once if another holds it."""
        return self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()


class FileTokenStore:
    """Keeps a token in a file that only its owner can read. Processes that share it refresh it once.

    The lock is that of the operating system on a file beside it, `{path}.lock`. It ends with its process.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._held: IO[bytes] | None = None

    def load(self) -> Token | None:
        """Return the token, or None if there is none yet. Raises ValueError if the file has something else."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        try:
            return Token(**json.loads(text))
        except (ValueError, TypeError) as error:
            raise ValueError(f"{self._path} has no token of this client; delete it and sign in again") from error

    def save(self, token: Token) -> None:
        """Replace the file in one step; a reader sees the old token or the new one."""
        # mkstemp makes a file of mode 600.
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(token), file)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def acquire(self) -> bool:
        """Take the lock, or return False at once if another process or thread holds it."""
        handle = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(handle, "r+b")
        try:
            _lock(file)
        except OSError:
            file.close()
            return False
        self._held = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        held, self._held = self._held, None
        if held is not None:
            held.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class FixedToken:
    """One access token, which is never refreshed."""

    def __init__(self, token: str) -> None:
        if not token.isascii() or not token.isprintable() or not token or " " in token:
            raise ValueError("This is no access token: it is empty, or has spaces, line ends or letters beyond ASCII")
        self._token = token

    def get(self, refused: str | None = None) -> Flow[str]:
        """Return the token."""
        yield from ()
        return self._token


class RefreshedToken:
    """Tokens of a store, refreshed by `grant` when they expire or are refused.

    However many threads or tasks need a new token, one asks for it; the others wait and get the same token, or the same
    error.
    """

    def __init__(
        self,
        store: TokenStore,
        grant: Callable[[Token | None], Flow[Token]],
        lock: threading.Lock | asyncio.Lock,
        clock: Clock,
    ) -> None:
        self._store = store
        self._grant = grant
        self._lock = lock
        self._clock = clock
        self._failed = 0
        self._failure: EngawaError | None = None

    def get(self, refused: str | None = None) -> Flow[str]:
        """Return a fresh token other than the refused one. Raises EngawaError if there is none."""
        token = self._usable(refused)
        if token is not None:
            return token
        failed = self._failed
        yield Acquire(self._lock)
        try:
            if self._failure is not None and self._failed != failed:
                # A copy, since each thread adds its own traceback.
                raise copy(self._failure)
            return (yield from self._one_refresh(refused))
        finally:
            self._lock.release()

    def _one_refresh(self, refused: str | None) -> Flow[str]:
        waiting = self._clock.monotonic() + LOCKED_SECONDS
        while True:
            token = self._usable(refused)
            if token is not None:
                return token
            if self._store.acquire():
                break
            if self._clock.monotonic() > waiting:
                raise TimeoutError("Another process holds the lock of the token store and does not give it back")
            yield Pause(0.05)
        try:
            token = self._usable(refused)
            if token is None:
                made = yield from self._grant(self._store.load())
                self._store.save(made)
                token = made.access_token
            return token
        except EngawaError as error:
            self._failure = error
            self._failed += 1
            raise
        finally:
            self._store.release()

    def _usable(self, refused: str | None) -> str | None:
        token = self._store.load()
        if token is None or token.access_token == refused or not token.is_fresh(self._clock.wall()):
            return None
        return token.access_token
