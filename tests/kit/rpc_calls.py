"""Calls of `/rpc`, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.kit.worlds import Reply, World

RPC = "/rpc"
VIEWER = {"userId": "@viewer", "groupId": "@self", "appId": "@app"}


def item(method: str, request_id: Any = 1, **params: Any) -> dict[str, Any]:
    """One request, of the viewer's own unless `params` say otherwise; a parameter that is None is left out."""
    named = VIEWER | params
    return {
        "method": method,
        "id": request_id,
        "params": {name: value for name, value in named.items() if value is not None},
    }


def send(world: World, body: Any, **more: Any) -> Reply:
    """POST a body; `user`, `token`, `headers` and query parameters as World.send takes them."""
    return world.send("POST", RPC, body, **more)


def batch(world: World, *items: Any, **more: Any) -> list[Any]:
    """The outcomes of a batch: each a result, or the code of an error. Asserts what every batch answer must be."""
    reply = send(world, list(items), **more)
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    answers = reply.json
    assert isinstance(answers, list)
    assert len(answers) == len(items)
    return [outcome(answer) for answer in answers]


def call(world: World, method: str, *, user: str | None = None, token: str | None = None, **params: Any) -> Any:
    """The outcome of one request that is no batch."""
    who = {} if user is None else {"user": user}
    reply = send(world, item(method, **params), token=token, **who)
    assert reply.status == 200, reply
    return outcome(reply.json)


def outcome(answer: dict[str, Any]) -> Any:
    """The result in an answer, which stands there twice; or the error's code and message."""
    if "error" in answer:
        assert answer.keys() - {"id"} == {"jsonrpc", "error"}
        assert answer["error"].keys() - {"data"} == {"code", "message"}
        return answer["error"]["code"], answer["error"]["message"]
    assert answer.keys() - {"id"} == {"jsonrpc", "result", "data"}
    assert answer["result"] == answer["data"]
    return answer["result"]
