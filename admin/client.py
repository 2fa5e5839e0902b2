"""An HTTP client of the operator's API. It honours `Retry-After`, raises refusals and reads lists page by page."""

import random
import time
from collections.abc import Callable, Generator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from admin.failures import Failure, Refused, Unreachable

TRIES = 8
UNCONNECTED_TRIES = 5
"""The tries while the connection fails: about four seconds in all, for a platform that is starting."""
LONGEST_WAIT = 30.0
"""Seconds between two tries; a longer `Retry-After` is honoured up to LONGEST_RETRY_AFTER."""
LONGEST_RETRY_AFTER = 300.0
TIMEOUT = httpx.Timeout(35, connect=10)
"""Seconds; API Gateway answers within 29."""
_BUSY = {429, 502, 503, 504}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class Client:
    """A connection to one platform, safe for many threads. `sleep` waits the given number of seconds.

    `reason` is for the action log.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] | None = None,
        connections: int = 10,
        reason: str | None = None,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Failure(f"{base_url} is not an http or https URL")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise Failure(f"The operator's token is not sent over plain http to {parts.hostname}")
        self.base_url = base_url.rstrip("/")
        self._sleep = sleep or time.sleep
        self._headers = {"Authorization": f"Bearer {token}", "X-Engawa-Client": "cli"}
        self._reason = {"reason": reason} if reason else {}
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
        self._http = httpx.Client(transport=transport, timeout=TIMEOUT, limits=limits)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, *path: str, **query: str) -> Any:
        """Send GET for a path, given by its segments, and return the JSON of the response."""
        return self.send("GET", path, query=query)

    def send(
        self,
        method: str,
        path: tuple[str, ...],
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Any:
        """Send a request and return the JSON of the response. Raises Refused and Unreachable.

        A request that is not `repeatable` is sent again only if it certainly had no effect.
        """
        url = "/".join([self.base_url, "admin", *(quote(segment, safe="") for segment in path)])
        # The action log names this program, and why the operator does this.
        query = {**(query or {}), **({} if method == "GET" else self._reason)} or None
        why, unconnected = "", 0
        for turn in range(TRIES):
            try:
                answer = self._http.request(method, url, json=body, params=query, headers=self._headers)
            except httpx.TransportError as error:
                why = f"{self.base_url} does not answer ({error or type(error).__name__})"
                connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if not repeatable and not connecting:
                    raise Unreachable(f"{why}; check whether the request took effect before you try again") from error
                wait: float | None = None
            else:
                if answer.status_code not in _BUSY or (not repeatable and answer.status_code in (502, 504)):
                    return self._read(answer)
                why = f"{self.base_url} is busy ({answer.status_code})"
                wait, connecting = _retry_after(answer), False
            unconnected = unconnected + 1 if connecting else 0
            if turn == TRIES - 1 or unconnected == UNCONNECTED_TRIES:
                break
            self._sleep(_backoff(turn) if wait is None else wait)
        raise Unreachable(f"{why}; tried {turn + 1} times")

    def entries(
        self, *path: str, limit: int | None = None, cursor: str | None = None, **filters: str
    ) -> Generator[dict[str, Any], None, str | None]:
        """Yield the entries of a list, fetched on demand; return the cursor of the rest, or None at the end."""
        left = limit
        while left is None or left > 0:
            query = {"count": str(min(100, left or 100))} | ({"cursor": cursor} if cursor else {}) | filters
            part = self.get(*path, **query)
            yield from part["entry"]
            cursor = part.get("nextCursor")
            left = None if left is None else left - len(part["entry"])
            if not cursor:
                break
        return cursor

    def _read(self, answer: httpx.Response) -> Any:
        if answer.status_code == 303:
            # The URL is presigned, so it needs no token; the token must not reach its host.
            answer = self._http.get(answer.headers["Location"])
        try:
            body = answer.json()
        except ValueError:
            body = None
        if answer.is_success and body is not None:
            return body
        if isinstance(body, dict) and "error" in body:
            raise Refused(answer.status_code, str(body["error"]), str(body.get("error_description", "")))
        raise Refused(answer.status_code, "unexpected", f"{self.base_url} did not answer like Engawa")


def _retry_after(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return min(float(text), LONGEST_RETRY_AFTER) if text.isdecimal() else None


def _backoff(turn: int) -> float:
    longest: float = min(LONGEST_WAIT, 0.25 * 2**turn)
    return random.uniform(0.5, 1) * longest  # noqa: S311 (jitter, not a secret)
