"""What every test runs under.

Hypothesis takes the same examples every time, so that a run that fails here fails everywhere;
`HYPOTHESIS_PROFILE=default` looks for new ones.
"""

import gc
import os
import ssl
from collections.abc import Iterator
from functools import cache, partial
from typing import Any
from unittest.mock import patch

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings
from moto.core.serialize import ResponseSerializer

from tests.kit.tally import Tally
from tests.kit.watch import Watch

# A test makes and drops a hundred thousand objects, none of them in a circle that it lives from.
gc.set_threshold(100_000, 20, 50)
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_configure(config: pytest.Config) -> None:
    """Hold what the app asks of AWS against what it declares, and count what faults are tried."""
    config.pluginmanager.register(Watch())
    config.pluginmanager.register(Tally())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The system tests come first: last, they would have one worker wait for minutes for the others."""
    items.sort(key=lambda item: item.path.parent.name != "system")


@pytest.fixture(scope="session", autouse=True)
def _aws_models_read_once() -> Iterator[None]:
    """A world over moto has clients of its own, and half of the time that takes is reading the same large files."""
    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    with patch.object(JSONFileLoader, "load_file", lambda _, path: read(path)):
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """Each client of httpx reads all certificates that it trusts, for 30 ms, even if it only asks http://127.0.0.1."""
    with patch.object(ssl, "create_default_context", cache(ssl.create_default_context)):
        yield


@pytest.fixture(scope="session", autouse=True)
def _attribute_values_as_they_are() -> Iterator[None]:
    """moto looks for each of the ten members of an attribute value, such as `{"S": "5"}`, under several names each: a
    sixth of the time of tests over moto. Its attribute values have the names of DynamoDB's already.
    """
    look = ResponseSerializer.get_value

    def get_value(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
        return value.get(key) if shape.parent.name == "AttributeValue" else look(self, value, key, shape)

    with patch.object(ResponseSerializer, "get_value", get_value):
        yield
