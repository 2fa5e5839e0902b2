"""Requests that an `Idempotency-Key` keeps from being carried out twice, on every face (store/idempotency.py)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from chalice.app import Request

from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.requests import idempotency_key

if TYPE_CHECKING:
    from chalicelib.store.idempotency_records import LambdaContext


def performed_once(
    here: Platform,
    request: Request,
    access: Access,
    route: str,
    said: Mapping[str, Any],
    perform: Callable[[AnswerRecord | None], str],
) -> str:
    """Return the result of `perform`; with an `Idempotency-Key`, that of the first request.

    `said` is the whole content of the request, as JSON. A key belongs to the viewer, in this app and for this route.
    """
    key = idempotency_key(request)
    if key is None:
        return perform(None)
    name, context = (access.app, access.user, route, key), cast("LambdaContext", request.lambda_context)
    return here.idempotency.answer(name, said, context, perform)
