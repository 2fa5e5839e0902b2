"""The conversion of refusals and exceptions to HTTP responses.

Every error is `{"error": …, "error_description": …}` as `application/json; charset=utf-8`, whether the rules, the
store or Chalice itself raised it.
"""

import logging
from collections.abc import Callable
from typing import Any

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.core.errors import (
    InsufficientScope,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Refusal,
    SignatureRefused,
    StillRunning,
    TokenRefused,
    Unavailable,
    UnsupportedEncoding,
)
from chalicelib.web.json_answers import json_answer, rate_headers
from chalicelib.web.logs import log_unhandled
from chalicelib.web.requests import UNKNOWN, takes_pages
from chalicelib.web.token_dialect import TokenDialect, challenge, signature_challenge

log = logging.getLogger(__name__)

_FRAMEWORK = {404: NotFound, 405: MethodNotAllowed}


def answer_refusal(refusal: Refusal, dialect: TokenDialect) -> Response:
    """Return a refusal as JSON, with its headers.

    `WWW-Authenticate` is in the dialect of the request, `Retry-After` in whole seconds; `ETag` and `X-RateLimit-*` are
    added if they are known. The address in `Link` is without the base URL, since an answer needs no platform.
    """
    observed.refused(refusal)
    error = dialect.spell(refusal.error) if isinstance(refusal, TokenRefused) else refusal.error
    headers = {"Link": help_link(error)}
    match refusal:
        case TokenRefused():
            headers["WWW-Authenticate"] = challenge(dialect, error, refusal.description)
        case InsufficientScope():
            headers["WWW-Authenticate"] = challenge(dialect, error, refusal.description, refusal.scope)
        case SignatureRefused():
            headers["WWW-Authenticate"] = signature_challenge(error, refusal.details)
        case Unavailable() | StillRunning():
            headers["Retry-After"] = str(refusal.retry_after)
        case UnsupportedEncoding():
            headers["Accept-Encoding"] = "identity"
    if refusal.etag:
        headers["ETag"] = refusal.etag
    headers |= rate_headers(refusal.rate)
    return json_answer({"error": error, "error_description": refusal.description}, refusal.status, headers)


def answer_any(error: Exception, dialect: TokenDialect) -> Response:
    """Return a response for an exception of a route: a Refusal with its text, all others as a 500 without detail."""
    if isinstance(error, Refusal):
        return answer_refusal(error, dialect)
    log_unhandled(error)
    return answer_refusal(InternalError(), dialect)


def help_link(word: str) -> str:
    """Return the `Link` to the page about an error (RFC 8288), without the base URL of the platform."""
    return f'</docs/en/errors/{word}>; rel="help"'


def help_links(base_url: Callable[[], str]) -> Callable[[Request, Callable[[Request], Response]], Response]:
    """Return Chalice middleware that puts the base URL into the `Link` of each error of a route."""

    def link(event: Request, get_response: Callable[[Request], Response]) -> Response:
        response = get_response(event)
        if "Link" in response.headers:
            response.headers["Link"] = str(response.headers["Link"]).replace("<", f"<{base_url()}", 1)
        return response

    return link


def reword_framework(
    page: Callable[[Request, Refusal], Response],
) -> Callable[[Request, Callable[[Request], Response]], Response]:
    """Return Chalice middleware that replaces Chalice's own 404, 405 and 500 bodies with ours; `Allow` stays.

    If no gateway has routed the request, a path without a route gets a 404 here. A browser that opens a page gets what
    `page` returns (decision: `Accept` names `text/html`), all other clients JSON. Pages of every origin can read that
    there is no such path or method, as they can if API Gateway says so.
    """

    def answer(event: Request, refusal: Refusal) -> Response:
        if not takes_pages(event):
            return answer_refusal(refusal, TokenDialect.OAUTH)
        return page(event, refusal)

    def reword(event: Request, get_response: Callable[[Request], Response]) -> Response:
        if event.path == UNKNOWN:
            ours = answer(event, NotFound())
            ours.headers["Access-Control-Allow-Origin"] = "*"
            return ours
        response = get_response(event)
        if not _is_framework_body(response.body):
            return response
        ours = answer(event, _FRAMEWORK.get(response.status_code, InternalError)())
        if "Allow" in response.headers:
            ours.headers["Access-Control-Allow-Origin"] = "*"
            ours.headers["Allow"] = ", ".join(sorted(str(response.headers["Allow"]).split(", ")))
        return ours

    return reword


def _is_framework_body(body: Any) -> bool:
    return isinstance(body, dict) and body.keys() == {"Code", "Message"}
