"""Worlds over moto (local/in_process.py), for tests that call the app as API Gateway does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.core import passwords
from chalicelib.store.aws.side_by_side import lane
from local.in_process import APP, BUCKET, HANA, KEN, ME, MEI, TARO, YUKI, Clock, Reply, World, empty_aws, reply
from tests import contract

__all__ = ["APP", "BUCKET", "HANA", "KEN", "ME", "MEI", "TARO", "YUKI", "Clock", "Reply", "World", "reply"]


@pytest.fixture(scope="module", autouse=True)
def _as_documented() -> Iterator[None]:
    """What worlds answer is held against openapi.yaml."""
    with contract.watching_gateways():
        yield


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    """Hashes that take no time; tests/unit/test_passwords.py knows what real ones cost."""
    nobody = passwords._NOBODY.replace(f"${passwords.N}$", "$16$")
    with patch.multiple(passwords, N=16, _NOBODY=nobody):
        yield


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a world, with settings of its own; several share one AWS."""
    with empty_aws():
        yield lambda **environment: World(tmp_path, **environment)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Hana and Ken are friends and have the app; Mei is Hana's friend with the app, Taro without; Yuki has the app."""
    made = make_world()
    made.populate(HANA, KEN, MEI, TARO, YUKI)
    for one, other in ((HANA, KEN), (HANA, MEI), (HANA, TARO)):
        made.platform.friends_and_installs.befriend(one, other)
    for user in (HANA, KEN, MEI, YUKI):
        made.platform.appdata.install(APP, user)
    made.calls.clear()
    return made


@pytest.fixture
def operator(world: World) -> Iterator[Callable[..., Reply]]:
    """Sends to `/admin…` as the operator: `operator("GET", "/users", count="2")`.

    Whatever would run side by side runs one after the other, since moto's transactions are not safe across threads.
    """
    token = world.token(None, "admin", app="operator")

    def send(method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return world.send(method, f"/admin{path}", body, user=None, token=token, **more)

    before = lane.set(((0, 0),))
    yield send
    lane.reset(before)
