"""Fixtures with worlds in this process, for tests that call the app as API Gateway does."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from chalicelib.store.aws.side_by_side import lane
from tests.kit import contract
from tests.kit.memory import Cloud
from tests.kit.worlds import (
    Fill,
    MemoryWorld,
    Reply,
    World,
    as_made,
    befriended,
    cheap_passwords,
    empty_aws,
    fill_aws,
    fill_memory,
)


@pytest.fixture(scope="module", autouse=True)
def _as_documented() -> Iterator[None]:
    """Check the responses of all worlds against openapi.yaml."""
    with contract.watching_gateways():
        yield


@pytest.fixture(autouse=True)
def _cheap_passwords() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture
def make_world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., World]]:
    """Make a world with settings of its own, filled by `fill`: `make_world(befriended, ENGAWA_MAX_KEYS="2")`.

    `fill` runs under the usual settings. Worlds of one test share one AWS; only the first can be filled. The AWS is
    tests/kit/memory.py, which is many times as fast as moto, or moto with `pytest.mark.moto`.
    """
    cloud = None if request.node.get_closest_marker("moto") else Cloud()
    made: list[World] = []

    def make(fill: Fill = as_made, **environment: str) -> World:
        assert not made or fill is as_made, "what was filled before stays"
        if not made:
            fill_memory(fill, cloud, tmp_path) if cloud else fill_aws(fill, tmp_path)
        made.append(MemoryWorld(tmp_path, cloud, **environment) if cloud else World(tmp_path, True, **environment))
        return made[-1]

    with nullcontext() if cloud else empty_aws():
        yield make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return a world with friends, as `befriended` makes it."""
    return make_world(befriended)


@pytest.fixture
def operator(world: World) -> Iterator[Callable[..., Reply]]:
    """Return a function that sends a request to `/admin…` as the operator: `operator("GET", "/users", count="2")`.

    Parallel work runs one after the other, since moto's transactions are not thread-safe.
    """
    token = world.token(None, "admin", app="operator")

    def send(method: str, path: str, body: Any = None, **more: Any) -> Reply:
        return world.send(method, f"/admin{path}", body, user=None, token=token, **more)

    before = lane.set(((0, 0),))
    yield send
    lane.reset(before)
