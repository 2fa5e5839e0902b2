"""Fixtures with the local platform and the deployed zip, for tests over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import httpx
import pytest

from tests.kit import contract
from tests.kit.browser import browse, browsers, shots
from tests.kit.served import Served, filled_environment, running

if TYPE_CHECKING:
    from tests.kit.deployed import Deployed

__all__ = ["browse", "browsers", "shots"]


@pytest.fixture(scope="session", autouse=True)
def _watching() -> Iterator[None]:
    """Check every response that httpx gets from a served platform against openapi.yaml."""
    with contract.watching():
        yield


@pytest.fixture(scope="session", autouse=True)
def _patient() -> Iterator[None]:
    """Let httpx wait a minute instead of five seconds, unless a test says how long: a busy machine is no failure."""
    build, default = httpx.Client.build_request, httpx.Timeout(5.0).as_dict()

    def built(*args: Any, **options: Any) -> httpx.Request:
        request = build(*args, **options)
        if request.extensions["timeout"] == default:
            request.extensions["timeout"] = httpx.Timeout(60.0).as_dict()
        return request

    with patch.object(httpx.Client, "build_request", built):
        yield


@pytest.fixture(autouse=True)
def _as_documented() -> Iterator[None]:
    """Make a test fail for an undocumented response, even if the error stayed in another thread."""
    contract.told()
    yield
    assert contract.told() == []


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return the platform that is shared by all tests that only send requests."""
    with running(tmp_path_factory.mktemp("served")) as platform:
        yield platform


@pytest.fixture(scope="session")
def deployed(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Return the zip under Lambda's runtime client, behind API Gateway and CloudFront, with the data of `served`."""
    from tests.kit.deployed import deploying

    with deploying(served, tmp_path_factory.mktemp("deployed")) as made:
        yield made


@pytest.fixture(scope="session")
def by_url(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Return the same with a function URL instead of API Gateway."""
    from infra import combine
    from tests.kit.deployed import deploying

    with deploying(served, tmp_path_factory.mktemp("by-url"), combine.URL) as made:
        yield made


@pytest.fixture(params=["rest", "url"])
def by_any_front(request: pytest.FixtureRequest) -> Deployed:
    """Return the zip behind each front in turn."""
    made: Deployed = request.getfixturevalue("deployed" if request.param == "rest" else "by_url")
    return made


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Return a function that starts a new platform: `serve(PORT="8123")`. `serve(**old.environment)` restarts one."""
    started: list[Served] = []

    def start(**environment: str) -> Served:
        platform = Served(filled_environment(tmp_path, **environment), tmp_path / "serve.log")
        started.append(platform)
        platform.await_answers()
        return platform

    yield start
    running = [platform for platform in started if platform.process.poll() is None]
    for platform in running:
        assert platform.stop() == 0, platform.log_tail()
