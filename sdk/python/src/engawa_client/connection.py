"""Requests to one server: attempts and waits, tokens, redirects, and answers as values or errors."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, TypeVar, cast
from urllib.parse import quote, urlsplit

import httpx

from engawa_client.base import EngawaError, NotEngawa, Unreachable
from engawa_client.errors import BY_WORD
from engawa_client.flow import Clock, Flow, Pause, Request
from engawa_client.operations import OPERATIONS

T = TypeVar("T")
RETRIED = (429, 502, 503, 504)
NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_RANDOM = random.SystemRandom()


@dataclass(frozen=True)
class Retry:
    """How often and how long a request is attempted.

    The waits are 0 to `base` seconds, then 0 to twice as much, and so on up to `longest`; never shorter than what the
    server's Retry-After asks for. If a wait would exceed what is left of `seconds`, the request fails at once.
    """

    attempts: int = 8
    seconds: float = 60.0
    base: float = 0.5
    longest: float = 8.0


class TokenSource(Protocol):
    """Gives the access tokens of requests."""

    def get(self, refused: str | None = None) -> Flow[str]:
        """Return a token other than the one that the server has refused, or that same one if there is no other."""
        ...


@dataclass(frozen=True)
class Answer:
    """A successful answer: its body, if it is JSON, else its text."""

    url: str
    status: int
    headers: httpx.Headers
    body: Any

    def field(self, name: str, kind: type[T]) -> T:
        """Return a field of the body. Raises NotEngawa if it is absent or of another type."""
        body: object = self.body
        value = cast(dict[str, object], body).get(name) if isinstance(body, dict) else None
        # A bool is an int for Python alone.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise self._other(f"no {kind.__name__} {name!r} in its answer")
        return value

    def entry(self, name: str = "entry") -> dict[str, Any]:
        """Return a field of the body that is an object."""
        return cast(dict[str, Any], self.field(name, dict))

    def entries(self, name: str = "entry") -> list[Any]:
        """Return a field of the body that is a list."""
        return list(cast(Sequence[Any], self.field(name, list)))

    def listed(self, length: int) -> list[Any]:
        """Return the body, a list of that length. Raises NotEngawa if it is something else."""
        body: object = self.body
        found = list(cast(Sequence[Any], body)) if isinstance(body, list) else []
        if len(found) == length:
            return found
        raise self._other(f"no list of {length} answers")

    def text(self) -> str:
        """Return the body, if it is text and no JSON. Raises NotEngawa otherwise."""
        if isinstance(self.body, str):
            return self.body
        raise self._other("no text")

    def _other(self, what: str) -> NotEngawa:
        return NotEngawa(
            f"{self.url} did not answer as an Engawa server: {what}",
            status=self.status,
            request_id=request_id(self.headers),
        )


class Budget:
    """The attempts and the time that are left of a request."""

    def __init__(self, retry: Retry, clock: Clock) -> None:
        self._retry = retry
        self._clock = clock
        self._end = clock.monotonic() + retry.seconds
        self._made = 0
        self.uncertain = False

    def begin(self, timeout: float) -> float:
        """Count an attempt and return its timeout, which ends with the budget."""
        self._made += 1
        return max(min(timeout, self._end - self._clock.monotonic()), 0.1)

    def wait(self, retry_after: float | None) -> float | None:
        """Return the seconds until the next attempt, or None if there is none."""
        most = min(self._retry.base * 2.0 ** (self._made - 1), self._retry.longest)
        wait = (retry_after or 0) + _RANDOM.uniform(0, most)
        left = self._end - self._clock.monotonic()
        return None if self._made >= self._retry.attempts or wait > left else wait


class Connection:
    """A server, and how requests to it are attempted."""

    def __init__(self, base_url: str, *, retry: Retry, timeout: float, clock: Clock) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
            raise ValueError(f"The address of a server is like https://social.example, not {base_url!r}")
        self.base_url = base_url.rstrip("/")
        self.retry = retry
        self.timeout = timeout
        self.clock = clock

    def with_limits(self, *, seconds: float, timeout: float) -> Connection:
        """Return a connection to the same server whose requests take no longer than that."""
        retry = replace(self.retry, seconds=min(seconds, self.retry.seconds))
        return Connection(self.base_url, retry=retry, timeout=min(timeout, self.timeout), clock=self.clock)

    def moment(self, attempt: int) -> float:
        """Return a short random wait, which is longer with each attempt."""
        return _RANDOM.uniform(0, min(0.05 * 2.0**attempt, self.retry.longest))

    def url(self, operation: str, path: Mapping[str, str]) -> str:
        """Return the address of an operation."""
        for name, value in path.items():
            if value in ("", ".", ".."):
                raise ValueError(f"{name} cannot be {value!r}")
        escaped = {name: quote(value, safe="@:,") for name, value in path.items()}
        return self.base_url + OPERATIONS[operation].path.format_map(escaped)

    def call(
        self,
        operation: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str | int | None] | None = None,
        headers: Mapping[str, str | None] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        files: tuple[tuple[str, tuple[str | None, bytes, str]], ...] = (),
        token: TokenSource | None = None,
        idempotency_key: str | None = None,
        with_key: bool = True,
        repeatable: bool = True,
    ) -> Flow[Answer]:
        """Send a request, as often as it takes, and return the answer. Raises EngawaError.

        If the operation takes an `Idempotency-Key`, all attempts have the same. A request that is not `repeatable` is
        sent once.
        """
        method, _, keyed = OPERATIONS[operation]
        sent = {name: value for name, value in (headers or {}).items() if value is not None}
        if keyed and with_key:
            sent["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        given = tuple((name, str(value)) for name, value in (query or {}).items() if value is not None)
        request = Request(method, self.url(operation, path or {}), given, sent, json, form, files)
        budget = Budget(self.retry, self.clock)
        answer = yield from self._with_token(request, token, budget, repeatable)
        found = answer
        if answer.status_code == 303 and method != "DELETE" and answer.headers.get("Location"):
            # Storage reads an Authorization header as its own and refuses it.
            elsewhere = Request("GET", str(httpx.URL(request.url).join(answer.headers["Location"])))
            found = yield from self._attempt(elsewhere, budget, repeatable=True)
        return self._read(request, answer, found, budget)

    def _with_token(
        self, request: Request, token: TokenSource | None, budget: Budget, repeatable: bool
    ) -> Flow[httpx.Response]:
        if token is None:
            return (yield from self._attempt(request, budget, repeatable=repeatable))
        used = yield from token.get()
        answer = yield from self._attempt(_signed(request, used), budget, repeatable=repeatable)
        if answer.status_code == 401:
            other = yield from token.get(refused=used)
            if other != used:
                answer = yield from self._attempt(_signed(request, other), budget, repeatable=repeatable)
        return answer

    def _attempt(self, request: Request, budget: Budget, *, repeatable: bool) -> Flow[httpx.Response]:
        while True:
            later: float | None = None
            try:
                answer: httpx.Response = yield replace(request, timeout=budget.begin(self.timeout))
            except httpx.TransportError as error:
                budget.uncertain = budget.uncertain or not isinstance(error, NEVER_SENT)
                reason = str(error) or type(error).__name__
                failure: EngawaError = Unreachable(
                    f"{request.url} cannot be reached: {reason}", uncertain=budget.uncertain
                )
                failure.__cause__ = error
                if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol)):
                    raise failure from error
            except httpx.DecodingError as error:
                raise NotEngawa(f"{request.url} did not answer as an Engawa server: {error}") from error
            else:
                later = retry_after(answer.headers, self.clock)
                running = answer.status_code == 409 and later is not None
                if answer.status_code not in RETRIED and not running:
                    return answer
                budget.uncertain = budget.uncertain or answer.status_code >= 500
                failure = error_of(request.url, answer, self.clock, budget.uncertain)
            wait = budget.wait(later) if repeatable else None
            if wait is None:
                raise failure
            yield Pause(wait)

    def _read(self, request: Request, first: httpx.Response, answer: httpx.Response, budget: Budget) -> Answer:
        """Return the answer; its headers are those of the server itself. Raises EngawaError."""
        status = answer.status_code
        # With a key, a refusal says that no attempt was carried out. A fault of the server says nothing.
        uncertain = status >= 500 or (budget.uncertain and "Idempotency-Key" not in request.headers)
        gone = request.method == "DELETE" and status == 404 and uncertain
        if gone and _word(answer) == "not_found":
            # An attempt whose answer got lost has deleted it.
            return Answer(request.url, status, first.headers, None)
        if status == 304 or (status == 204 and not answer.content):
            return Answer(request.url, status, first.headers, None)
        if status not in (200, 201):
            raise error_of(request.url, answer, self.clock, uncertain)
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("application/x-pem-file"):
            return Answer(request.url, status, first.headers, answer.text)
        try:
            if "json" not in kind and answer is first:
                raise ValueError(kind)
            return Answer(request.url, status, first.headers, json.loads(answer.content))
        except (ValueError, RecursionError) as error:
            raise not_engawa(request.url, answer) from error


def error_of(url: str, answer: httpx.Response, clock: Clock, uncertain: bool = False) -> EngawaError:
    """Return the error that an answer is."""
    body = _object(answer)
    word, description = body.get("error"), body.get("error_description")
    if isinstance(word, dict):
        # The refusal of a whole batch of calls has an object here.
        word, description = "bad_request", body["error"].get("message")
    if answer.status_code < 400 or not isinstance(word, str):
        return not_engawa(url, answer, retry_after(answer.headers, clock), uncertain)
    return BY_WORD.get(word, EngawaError)(
        str(description or answer.reason_phrase),
        status=answer.status_code,
        error=word,
        request_id=request_id(answer.headers),
        retry_after=retry_after(answer.headers, clock),
        uncertain=uncertain,
    )


def not_engawa(url: str, answer: httpx.Response, later: float | None = None, uncertain: bool = False) -> NotEngawa:
    """Return the error for an answer that an Engawa server does not give."""
    found = " ".join(answer.text.split())[:80]
    what = f"{answer.status_code} {answer.headers.get('Content-Type', 'without a content type')}, {found!r}"
    if answer.is_redirect:
        what = f"it redirects to {answer.headers.get('Location')}"
    return NotEngawa(
        f"{url} did not answer as an Engawa server: {what}",
        status=answer.status_code,
        request_id=request_id(answer.headers),
        retry_after=later,
        uncertain=uncertain,
    )


def retry_after(headers: httpx.Headers, clock: Clock) -> float | None:
    """Return the seconds of Retry-After, which may also be a date, or None if there are none."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    at = _date(value)
    if at is None:
        return None
    # The clock of the server counts, since that of this computer may be wrong.
    now = _date(headers.get("Date", ""))
    return max(at - (clock.wall() if now is None else now), 0.0)


def request_id(headers: httpx.Headers) -> str | None:
    """Return the id of a request in the server's log, or in that of CloudFront if it refused the request itself."""
    found: str | None = headers.get("X-Request-Id") or headers.get("X-Amz-Cf-Id")
    return found


def _signed(request: Request, token: str) -> Request:
    return replace(request, headers={**request.headers, "Authorization": f"Bearer {token}"})


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return cast(dict[str, Any], body) if isinstance(body, dict) else {}


def _word(answer: httpx.Response) -> object:
    return _object(answer).get("error")


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
