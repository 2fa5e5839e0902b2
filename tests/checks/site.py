"""A deployment as its clients see it, and the checks of a response.

If a response is wrong, the check fails with one paragraph for the operator: the request without its query, the expected
and the actual response, and its id in the logs. The paragraph never contains a token or a secret.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import urlsplit

import httpx
import pytest

JSON = "application/json; charset=utf-8"
TIMEOUT = httpx.Timeout(35, connect=10)
"""In seconds; API Gateway responds within 29."""
_IDS = ("x-request-id", "x-amzn-requestid", "x-amz-cf-id")
_SHOWN = 500
_SECRET = re.compile(r'("(?:access_token|refresh_token|server_state|secret|location)"\s*:\s*")[^"]+')


class Site:
    """The platform at a base URL."""

    def __init__(self, url: str) -> None:
        """Prepare a client. Raises ValueError if `url` is not an http or https URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http or https URL")
        self.url = url.rstrip("/")
        self._http = httpx.Client(timeout=TIMEOUT, headers={"User-Agent": "engawa-check"})

    def send(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """Send a request and return its response; do not follow redirects. Send `token` as `Authorization: OAuth`."""
        headers = dict(more.pop("headers", None) or {})
        if token:
            headers["Authorization"] = f"OAuth {token}"
        url = path if path.startswith("http") else self.url + path
        try:
            return self._http.request(method, url, headers=headers, **more)
        except httpx.TransportError as error:
            pytest.fail(f"{method} {_bare(url)} was not answered: {error or type(error).__name__}", pytrace=False)

    def get(self, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """Send a GET request."""
        return self.send("GET", path, token, **more)

    def post(self, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        """Send a POST request."""
        return self.send("POST", path, token, **more)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def wrong(answer: httpx.Response, what: str) -> NoReturn:
    """Fail the check: `what` says what was expected of the response."""
    request = answer.request
    ids = ", ".join(f"{name} {answer.headers[name]}" for name in _IDS if name in answer.headers)
    raise_with = [
        f"{request.method} {_bare(str(request.url))}: expected {what}.",
        f"Answered {answer.status_code}, {answer.headers.get('Content-Type', 'no type')}: {_text(answer)}",
        *([f"In the logs: {ids}"] if ids else []),
    ]
    pytest.fail("\n".join(raise_with), pytrace=False)


def require(answer: httpx.Response, holds: object, what: str) -> None:
    """Fail the check unless `holds`; `what` says what was expected."""
    if not holds:
        wrong(answer, what)


def answered(answer: httpx.Response, status: int = 200) -> Any:
    """Check the status and the common headers of a response; return its JSON, or None if it has no body."""
    require(answer, answer.status_code == status, f"{status}")
    if not answer.content:
        return None
    require(answer, answer.headers.get("Content-Type") == JSON, f"Content-Type: {JSON}")
    kept = answer.headers.get("Cache-Control", "")
    require(answer, "no-cache" in kept or "no-store" in kept, "Cache-Control: no-cache or no-store")
    return _json(answer)


def refused(answer: httpx.Response, status: int | tuple[int, ...], error: str, said: str = "") -> dict[str, Any]:
    """Check that a response is an error in Engawa's form with this status, `error`, and `said` in its description.

    Returns its JSON.
    """
    allowed = (status,) if isinstance(status, int) else status
    require(answer, answer.status_code in allowed, f"{' or '.join(map(str, allowed))} {error}")
    require(answer, answer.headers.get("Content-Type") == JSON, f"Content-Type: {JSON}")
    body = _json(answer)
    ours = isinstance(body, dict) and body.keys() == {"error", "error_description"}
    require(answer, ours, 'a body of the form {"error": …, "error_description": …}')
    require(answer, body["error"] == error, f"the error {error}")
    require(answer, body["error_description"] and said in body["error_description"], f"a description with {said!r}")
    renamed = [name for name in answer.headers if name.lower().startswith("x-amzn-remapped-")]
    require(answer, not renamed, f"its own names of headers, not {', '.join(renamed)} (infra/edge.js restores them)")
    return dict(body)


def challenged(answer: httpx.Response, challenge: str) -> None:
    """Check that the `WWW-Authenticate` of a response begins with `challenge`."""
    given = answer.headers.get("WWW-Authenticate")
    require(answer, given and given.startswith(challenge), f"WWW-Authenticate: {challenge}, not {given!r}")


def is_page(answer: httpx.Response, status: int = 200) -> str:
    """Check that a response is an HTML page with headers against framing and scripts; return its HTML."""
    require(answer, answer.status_code == status, f"a page with {status}")
    require(answer, answer.headers.get("Content-Type", "").startswith("text/html"), "Content-Type: text/html")
    policy = answer.headers.get("Content-Security-Policy", "")
    require(answer, "default-src 'none'" in policy, "a Content-Security-Policy with default-src 'none'")
    require(answer, "frame-ancestors 'none'" in policy, "a Content-Security-Policy with frame-ancestors 'none'")
    return answer.text


def _json(answer: httpx.Response) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        wrong(answer, "JSON")


def _bare(url: str) -> str:
    return url.partition("?")[0]


def _text(answer: httpx.Response) -> str:
    text = _SECRET.sub(r"\1…", answer.text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(answer.content)} bytes)"
