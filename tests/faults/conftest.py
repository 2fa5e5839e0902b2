"""Fixtures of the tests with faults."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from local import keys
from tests.kit import contract
from tests.kit.stage import one_after_the_other
from tests.kit.worlds import cheap_passwords


@pytest.fixture(scope="module", autouse=True)
def _alone() -> Iterator[None]:
    """Run with one thread and cheap passwords, and check all responses against openapi.yaml."""
    patient = patch("chalicelib.api.page_screens.shared._sleep", lambda seconds: None)
    with one_after_the_other(), cheap_passwords(), contract.watching_gateways(), patient:
        yield


@pytest.fixture(scope="module")
def keys_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the keys of a platform."""
    directory = tmp_path_factory.mktemp("keys")
    keys.ensure(directory / "token-keys.json")
    keys.ensure_secret(directory / "secret-keys.json")
    keys.ensure_launch(directory / "launch-keys.json")
    return directory
