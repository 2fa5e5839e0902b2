"""JSON-RPC as OpenSocial speaks it: one request or a batch of them, each answered for itself, in order.

An answer carries what came of a request as `result` (JSON-RPC 2.0) and as `data` (OpenSocial 0.8), or an `error` with
`code` and `message`. Codes of requests that are none are JSON-RPC's; all others are HTTP statuses, as OpenSocial has
them: 400, 403, 417 for the write window and the quota, 500. Sources: JSON-RPC 2.0, OpenSocial's RPC protocol, the page
Information Sharing, and docs/internals/decisions.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from chalicelib.core.errors import QuotaExceeded, Refusal, TooFrequent, Unavailable

MEDIA_TYPES = ("application/json-rpc", "application/jsonrequest")
"""The content types that JSON-RPC over HTTP has beside `application/json`."""
MOST_REQUESTS = 100
"""Requests in one batch; more are refused as a whole."""
MOST_BYTES = 20_000_000
"""JSON of all results of one batch, each counted once."""
MOST_BLOCKS = 20_000
"""Items of up to 4 KB that the requests of one batch may read; a larger one is several. A friend is two or three."""
SECONDS = 15
"""How long a batch may take; the requests whose turn comes later are answered that they were not begun."""

NOT_JSON = -32700
NO_REQUEST = -32600
NO_METHOD = -32601
WRONG_PARAMS = -32602
BAD_REQUEST = 400
LIMIT_EXCEEDED = 417
INTERNAL_ERROR = 500


class Fault(Exception):
    """Why a request, or a whole batch, has no result; `data` says more to programs."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)


@dataclass(frozen=True)
class Call:
    """One request. `mark` is its `id` as a member of the answer, nothing where it has none; `fault`: it is no request.

    A request without an id is answered all the same, so that answers stand at the places of their requests.
    """

    mark: Mapping[str, Any]
    method: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None


def read(body: object) -> tuple[list[Call], bool]:
    """The requests in a body, and whether it is a batch. Raises Fault for what is neither, and for too many."""
    if isinstance(body, dict):
        return [_call(body)], False
    if not isinstance(body, list) or not body:
        raise Fault(NO_REQUEST, "The body must be a JSON-RPC request or a batch of them")
    if len(body) > MOST_REQUESTS:
        raise Fault(BAD_REQUEST, f"Too many requests in one batch (max={MOST_REQUESTS})")
    return [_call(each) for each in body], True


def success(call: Call, value: object) -> dict[str, Any]:
    """The answer of a request that was carried out."""
    return {"jsonrpc": "2.0", **call.mark, "result": value, "data": value}


def failure(call: Call, fault: Fault) -> dict[str, Any]:
    """The answer of a request that was not."""
    error = {"code": fault.code, "message": fault.message} | ({"data": fault.data} if fault.data else {})
    return {"jsonrpc": "2.0", **call.mark, "error": error}


WHOLE = Call({"id": None})
"""Stands for a body of which no request could be read."""


def fault_of(refusal: Refusal) -> Fault:
    """A refusal as a fault: its `error` word goes with it, and after how many seconds to come again."""
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
    # No parameters at all are an empty list to libraries whose other calls have them by position.
    if params is None or params == []:
        params = {}
    if not isinstance(params, dict):
        return Call(mark, fault=Fault(WRONG_PARAMS, "params must be an object"))
    return Call(mark, method, params)


def _is_id(value: object) -> bool:
    """Whether a value can stand in an answer as the id of its request; a lone surrogate and Infinity could not."""
    if isinstance(value, str):
        return not any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, float):
        return isfinite(value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool))
