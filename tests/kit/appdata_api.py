"""Requests that many tests of the Persistence API send."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.kit.worlds import HANA, ME, Reply, World

DENIED = (403, "permission_denied", "Permission denied")
FRIENDS = "/2/apps/appdata/@me/@friends"
USAGE = "/2/apps/appdata/@me/@usage"


def self_of(user: str) -> str:
    """Return the path of one user's data."""
    return f"/2/apps/appdata/{user}/@self"


def own_data(world: World, user: str = HANA) -> dict[str, str]:
    """Return all data of a user, as the user reads them."""
    reply = world.send("GET", ME, user=user)
    assert reply.status == 200, reply
    (entry,) = reply.json["entry"]
    assert entry.keys() == {"id", "data"}
    assert entry["id"] == user
    data: dict[str, str] = entry["data"]
    return data


def stored(world: World, pairs: dict[str, str], user: str = HANA) -> Reply:
    """Store pairs, and return the response, which must be a success."""
    reply = world.send("POST", ME, pairs, user=user)
    assert (reply.status, reply.json) == (200, {"response_code": 200}), reply
    return reply


def everything(world: World) -> dict[str, list[dict[str, Any]]]:
    """Return every item of every table that the Persistence API uses."""
    return {table: world.items(table) for table in ("appdata", "directory")}


@contextmanager
def nothing_changes(world: World) -> Iterator[None]:
    """Fail if the stored items after the block differ from those before it."""
    before = everything(world)
    yield
    assert everything(world) == before
