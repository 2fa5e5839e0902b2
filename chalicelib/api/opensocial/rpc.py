"""OpenSocial's JSON-RPC: `/rpc`.

It requires a user's token, also as `?st=`, or an app's signature. The requests of a batch run in order; each succeeds
or fails on its own. A body that is neither a request nor a batch, or a batch that is too large, is refused as a whole
with HTTP 400. Order of checks in a request: method, scope, selector, fields, pairs, permission, rate, quota. Sources:
the page Information Sharing, OpenSocial's RPC protocol, its clients, and docs/internals/decisions.md.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.api.opensocial.shared import data_of, people_of
from chalicelib.core.appdata import check_pairs
from chalicelib.core.appdata_changes import read_changes
from chalicelib.core.codecs import jsonrpc
from chalicelib.core.codecs.jsonrpc import Call, Fault
from chalicelib.core.conditions import Conditions
from chalicelib.core.errors import BadRequest, InsufficientScope, InternalError, Refusal, TooLarge, Unavailable
from chalicelib.core.model.access import Access
from chalicelib.core.opensocial import (
    OpenSocialGroup,
    check_writable,
    data_keys,
    keys_to_delete,
    owner_of,
    person_fields,
    person_query,
    ranking_query,
    select_data,
    select_people,
)
from chalicelib.platform import Platform
from chalicelib.store.aws.read_budget import Budget
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import data_answer, encode, json_answer
from chalicelib.web.logs import log_unhandled
from chalicelib.web.requests import check_json_type, json_text

PATH = "/rpc"
Params = Mapping[str, Any]
Result = Any


@dataclass(frozen=True)
class Method:
    """A method: the scope that it requires, and the function that performs it."""

    scope: str | None
    perform: Callable[[Platform, Access, Params], Result]
    writes: bool = False


face = Face()


@face.route(PATH, methods=["POST"], token=Token.USER, scope=None, signed=True, also_in="st")
def call(here: Platform, request: Request, access: Access) -> Response:
    """Perform one JSON-RPC request, or a batch of up to 100 in order.

    Methods: `appdata.get`, `.update`, `.create`, `.patch`, `.delete` (scope `mixi_apps2`), `people.get` (`r_profile`)
    and `system.listMethods`. Each answer has `result` and `data`, or `error` with `code` 400, 403, 417 (write window,
    quota), 500, -32600 (not a request), -32601 (no such method) or -32602 (`params` is not an object). HTTP 400
    with -32700 (not JSON), -32600 (not a batch) or 400 (too many requests) refuses the whole body.
    """
    try:
        calls, batch = jsonrpc.read(_body(request))
    except Fault as fault:
        return json_answer(jsonrpc.failure(jsonrpc.WHOLE, fault), 400)
    work = _Work(here, access, time.monotonic)
    answers = [work.answer(each) for each in calls]
    return data_answer(answers if batch else answers[0], {}, work.here.oversized_answers.keeper(access.user))


class _Work:
    """A batch in progress, with the time and the bytes of results that it has left."""

    def __init__(self, here: Platform, access: Access, now: Callable[[], float]) -> None:
        self.here = here
        self._access = access
        self._now = now
        self._end = now() + jsonrpc.SECONDS
        self._bytes = jsonrpc.MOST_BYTES
        self._known: dict[str, Result | Refusal] = {}
        self._budget = Budget(jsonrpc.MOST_BLOCKS)

    def answer(self, call: Call) -> dict[str, Any]:
        """Perform a request and return its answer, which may be an error."""
        try:
            return jsonrpc.success(call, self._result(call))
        except Fault as fault:
            return jsonrpc.failure(call, fault)
        except Refusal as refusal:
            observed.refused(refusal)
            return jsonrpc.failure(call, jsonrpc.fault_of(refusal))
        except Exception as error:
            log_unhandled(error)
            observed.refused(InternalError())
            return jsonrpc.failure(call, Fault(jsonrpc.INTERNAL_ERROR, "Internal error", {"error": "internal_error"}))

    def _result(self, call: Call) -> Result:
        if call.fault:
            raise call.fault
        method = METHODS.get(call.method)
        if method is None:
            raise Fault(jsonrpc.NO_METHOD, "There is no such method; system.listMethods lists them")
        if self._now() >= self._end:
            raise Fault(jsonrpc.INTERNAL_ERROR, "Not begun: the batch has taken too long", {"error": "timeout"})
        if method.scope is not None and method.scope not in self._access.scopes:
            raise InsufficientScope(method.scope)
        result = self._performed(method, call)
        # An empty result is free, so a write that succeeded is never reported as failed.
        size = len(encode(result).encode()) if result else 0
        if size > self._bytes:
            raise TooLarge(f"The results of the batch are too large (max={jsonrpc.MOST_BYTES})")
        self._bytes -= size
        return result

    def _performed(self, method: Method, call: Call) -> Result:
        """Return the result of a request. Equal reads run once, unless a write comes between them."""
        if method.writes:
            self._known.clear()
            with self._budget.counting(refuses=False):
                return method.perform(self.here, self._access, call.params)
        same = encode([call.method, sorted(call.params.items())])
        if same not in self._known:
            self._known[same] = self._read(method, call)
        known = self._known[same]
        if isinstance(known, Refusal):
            raise known
        return known

    def _read(self, method: Method, call: Call) -> Result | Refusal:
        """Return the result of a read, or its refusal, which may have read as much as a result.

        Raises Unavailable; an equal read may succeed afterwards.
        """
        try:
            with self._budget.counting():
                return method.perform(self.here, self._access, call.params)
        except Unavailable:
            raise
        except Refusal as refusal:
            return refusal


def _body(request: Request) -> object:
    try:
        check_json_type(request, *jsonrpc.MEDIA_TYPES)
    except BadRequest:
        raise Fault(jsonrpc.BAD_REQUEST, "The content type must be application/json") from None
    try:
        return json_text(request.raw_body)
    except BadRequest as refusal:
        raise Fault(jsonrpc.NOT_JSON, refusal.description) from None


def _get_data(here: Platform, access: Access, params: Params) -> Result:
    selection = select_data(*_selectors(params), params.get("appId"), access)
    keys = data_keys(_fields(params), here.settings.limits)
    if selection.group is OpenSocialGroup.FRIENDS and (query := ranking_query(params.get, here.settings.limits)):
        of = selection.users[0]
        found = here.appdata.ranking(access.app, access.user, query, keys, owner=owner_of(access), of=of)
        return {"list": found.entries, **found.counters(query.paging)}
    return data_of(here, access, selection, keys)


def _update_data(here: Platform, access: Access, params: Params) -> Result:
    viewer = check_writable(*_selectors(params), params.get("appId"), access)
    pairs = check_pairs(params.get("data"), here.settings.limits, "data")
    here.appdata.write(access.app, viewer, pairs, Conditions(), here.data_events(access))
    return {}


def _patch_data(here: Platform, access: Access, params: Params) -> Result:
    viewer = check_writable(*_selectors(params), params.get("appId"), access)
    changes = read_changes(params.get("changes"), here.settings.limits)
    patched = here.appdata.patch(access.app, viewer, changes, Conditions(), events=here.data_events(access))
    return {viewer: patched.data}


def _delete_data(here: Platform, access: Access, params: Params) -> Result:
    viewer = check_writable(*_selectors(params), params.get("appId"), access)
    keys = keys_to_delete(params.get("fields"), params.get("keys"), here.settings.limits)
    if keys is None:
        here.appdata.clear(access.app, viewer, Conditions(), here.data_events(access))
    else:
        here.appdata.write(access.app, viewer, dict.fromkeys(keys), Conditions(), here.data_events(access))
    return {}


def _get_people(here: Platform, access: Access, params: Params) -> Result:
    wanted = person_fields(params.get("fields"), access.scopes)
    selection = select_people(*_selectors(params), access)
    found = people_of(here, access, selection, person_query(params.get), wanted)
    if selection.group is OpenSocialGroup.SELF and not selection.several:
        return found.entries[0]
    return {"list": found.entries, **found.counters}


def _list_methods(here: Platform, access: Access, params: Params) -> Result:
    return list(METHODS)


def _selectors(params: Params) -> tuple[object, object]:
    return params.get("userId"), params.get("groupId")


def _fields(params: Params) -> object:
    """Return `fields`, which JavaScript libraries also send as `keys`."""
    fields = params.get("fields")
    return params.get("keys") if fields is None else fields


METHODS: Mapping[str, Method] = {
    "appdata.get": Method("mixi_apps2", _get_data),
    "appdata.update": Method("mixi_apps2", _update_data, writes=True),
    "appdata.create": Method("mixi_apps2", _update_data, writes=True),
    "appdata.patch": Method("mixi_apps2", _patch_data, writes=True),
    "appdata.delete": Method("mixi_apps2", _delete_data, writes=True),
    "people.get": Method("r_profile", _get_people),
    "system.listMethods": Method(None, _list_methods),
}
