"""Calls of `/rpc`, and their outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.kit.worlds import Reply, World

RPC = "/rpc"
VIEWER = {"userId": "@viewer", "groupId": "@self", "appId": "@app"}


def item(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    """Return one request, by default for the viewer's own data. Parameters that are None are left out."""
    named = VIEWER | params
    return {
        "method": method,
        "id": request_id,
        "params": {name: value for name, value in named.items() if value is not None},
    }


def send(world: World, body: Any, **more: Any) -> Reply:
    """Send a body by POST, with `user`, `token`, `headers` and query parameters as in World.send."""
    return world.send("POST", RPC, body, **more)


def batch(world: World, *items: Any, **more: Any) -> list[Any]:
    """Return the outcomes of a batch, and check the form of the response. See `outcome`."""
    reply = send(world, list(items), **more)
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    answers = reply.json
    assert isinstance(answers, list)
    assert len(answers) == len(items)
    return [outcome(answer) for answer in answers]


def call(world: World, method: str, *, user: str | None = None, token: str | None = None, **params: Any) -> Any:
    """Return the outcome of a single request (see `outcome`)."""
    who = {} if user is None else {"user": user}
    reply = send(world, item(method, **params), token=token, **who)
    assert reply.status == 200, reply
    return outcome(reply.json)


def outcome(answer: dict[str, Any]) -> Any:
    """Return the result in an answer, which contains it twice, or the error's code and message."""
    if "error" in answer:
        assert answer.keys() - {"id"} == {"jsonrpc", "error"}
        assert answer["error"].keys() - {"data"} == {"code", "message"}
        return answer["error"]["code"], answer["error"]["message"]
    assert answer.keys() - {"id"} == {"jsonrpc", "result", "data"}
    assert answer["result"] == answer["data"]
    return answer["result"]
