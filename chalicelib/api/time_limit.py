"""The time that a function has, as far as stores have to know of it."""

from collections.abc import Callable
from typing import Any

from chalice.app import Request, Response

from chalicelib.store.aws import deadline


def seconds_left(context: Any) -> float:
    """How long this invocation may still take, by Lambda's context."""
    return float(context.get_remaining_time_in_millis()) / 1000


def bounded(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Chalice middleware: a request that AWS keeps waiting is answered 503 before its process is ended."""
    with deadline.within(seconds_left(request.lambda_context)):
        return get_response(request)
