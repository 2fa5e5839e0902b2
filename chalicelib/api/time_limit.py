"""The time limit of a function invocation, for the stores."""

from collections.abc import Callable
from typing import Any

from chalice.app import Request, Response

from chalicelib.store.aws import deadline


def seconds_left(context: Any) -> float:
    """Return the seconds that this invocation has left, from Lambda's context."""
    return float(context.get_remaining_time_in_millis()) / 1000


def bounded(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Answer 503 to a request that AWS delays, before Lambda ends its process. This is Chalice middleware."""
    with deadline.within(seconds_left(request.lambda_context)):
        return get_response(request)
