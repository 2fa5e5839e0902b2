"""The local platform, and the zip that is deployed, for tests that ask over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local.environment import free_port
from tests.kit import contract
from tests.kit.browser import browse, browsers, shots
from tests.kit.served import Served, fresh_environment, running

if TYPE_CHECKING:
    from tests.kit.deployed import Deployed

__all__ = ["browse", "browsers", "shots"]


@pytest.fixture(scope="session", autouse=True)
def _watching() -> Iterator[None]:
    """What served platforms answer to httpx is held against openapi.yaml."""
    with contract.watching():
        yield


@pytest.fixture(autouse=True)
def _as_documented() -> Iterator[None]:
    """A test fails for an undocumented answer also where its thread kept that to itself."""
    contract.told()
    yield
    assert contract.told() == []


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One platform for all tests that only talk to it."""
    with running(tmp_path_factory.mktemp("served")) as platform:
        yield platform


@pytest.fixture(scope="session")
def deployed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The zip under Lambda's runtime client, behind API Gateway and CloudFront, with the data of `served`."""
    from infra import combine
    from tests.kit.deployed import Deployed, unpacked

    task = unpacked(tmp_path_factory.mktemp("deployed"))
    made = Deployed(served, task, combine.gateway_responses(), free_port())
    yield made
    made.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Starts a platform of the test's own: `serve(PORT="8123", ...)`; `serve(**old.environment)` starts it again."""
    started: list[Served] = []

    def start(**environment: str) -> Served:
        platform = Served(fresh_environment(tmp_path, **environment), tmp_path / "serve.log")
        started.append(platform)
        platform.await_answers()
        return platform

    yield start
    running = [platform for platform in started if platform.process.poll() is None]
    for platform in running:
        assert platform.stop() == 0, platform.log_tail()
