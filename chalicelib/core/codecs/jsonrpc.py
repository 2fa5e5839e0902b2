"""OpenSocial's JSON-RPC: one request or a batch. Each request gets its own response, in order.

A response has the result as `result` (JSON-RPC 2.0) and as `data` (OpenSocial 0.8), or an `error` with `code` and
`message`. Malformed requests get the codes of JSON-RPC. All other codes are HTTP statuses, as in OpenSocial: 400, 403,
417 for the write window and the quota, 500. Sources: JSON-RPC 2.0, OpenSocial's RPC protocol, the page Information
Sharing, and docs/internals/decisions.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from chalicelib.core.errors import QuotaExceeded, Refusal, TooFrequent, Unavailable

MEDIA_TYPES = ("application/json-rpc", "application/jsonrequest")
"""The content types of JSON-RPC over HTTP besides `application/json`."""
MOST_REQUESTS = 100
"""Requests in one batch. A larger batch is refused as a whole."""
MOST_BYTES = 20_000_000
"""Bytes of JSON of all results in one batch, each counted once."""
MOST_BLOCKS = 20_000
"""Blocks of 4 KB that the requests of one batch may read. A larger item has several, a friend two or three."""
SECONDS = 15
"""The time limit of a batch. Requests that have not begun by then get an error that says so."""

NOT_JSON = -32700
NO_REQUEST = -32600
NO_METHOD = -32601
WRONG_PARAMS = -32602
BAD_REQUEST = 400
LIMIT_EXCEEDED = 417
INTERNAL_ERROR = 500


class Fault(Exception):
    """The reason why a request, or a whole batch, has no result. `data` has details for programs."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)


@dataclass(frozen=True)
class Call:
    """One request. `mark` has its `id` for the response, or is empty. `fault` is set if the request is malformed.

    A request without an id also gets a response, so that responses are in the same order as the requests.
    """

    mark: Mapping[str, Any]
    method: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None


def read(body: object) -> tuple[list[Call], bool]:
    """Return the requests in a body, and whether it is a batch. Raises Fault for another body, or too many requests."""
    if isinstance(body, dict):
        return [_call(body)], False
    if not isinstance(body, list) or not body:
        raise Fault(NO_REQUEST, "The body must be a JSON-RPC request or a batch of them")
    if len(body) > MOST_REQUESTS:
        raise Fault(BAD_REQUEST, f"Too many requests in one batch (max={MOST_REQUESTS})")
    return [_call(each) for each in body], True


def success(call: Call, value: object) -> dict[str, Any]:
    """Return the response to a request that succeeded."""
    return {"jsonrpc": "2.0", **call.mark, "result": value, "data": value}


def failure(call: Call, fault: Fault) -> dict[str, Any]:
    """Return the response to a request that failed."""
    error = {"code": fault.code, "message": fault.message} | ({"data": fault.data} if fault.data else {})
    return {"jsonrpc": "2.0", **call.mark, "error": error}


WHOLE = Call({"id": None})
"""The call to respond to if no request can be read from the body."""


def fault_of(refusal: Refusal) -> Fault:
    """Return a refusal as a fault, with its `error` word and, if any, the seconds to wait before a retry."""
    data: dict[str, Any] = {"error": refusal.error}
    if isinstance(refusal, Unavailable):
        data["retryAfter"] = refusal.retry_after
    return Fault(_code(refusal), refusal.description, data)


def _code(refusal: Refusal) -> int:
    if isinstance(refusal, TooFrequent | QuotaExceeded):
        return LIMIT_EXCEEDED
    if refusal.status >= 500:
        return INTERNAL_ERROR
    return refusal.status if refusal.status == 403 else BAD_REQUEST


def _call(request: object) -> Call:
    if not isinstance(request, dict):
        return Call(WHOLE.mark, fault=Fault(NO_REQUEST, "A request must be an object"))
    mark = {"id": request["id"]} if "id" in request else {}
    if not _is_id(mark.get("id")):
        return Call(WHOLE.mark, fault=Fault(NO_REQUEST, "id must be a string or a number"))
    method, params = request.get("method"), request.get("params")
    if not isinstance(method, str):
        return Call(mark, fault=Fault(NO_REQUEST, "method must be a string"))
    # Libraries with positional parameters send an empty list if there are none.
    if params is None or params == []:
        params = {}
    if not isinstance(params, dict):
        return Call(mark, fault=Fault(WRONG_PARAMS, "params must be an object"))
    return Call(mark, method, params)


def _is_id(value: object) -> bool:
    """Return whether a value can be an id in a response; a lone surrogate and Infinity cannot."""
    if isinstance(value, str):
        return not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, float):
        return isfinite(value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool))
