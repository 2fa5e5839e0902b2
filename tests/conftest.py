"""Setup that all tests share.

Hypothesis uses the same examples every time, so a failing run fails on every machine;
`HYPOTHESIS_PROFILE=default` searches for new ones, and for more.
"""

import gc
import os
import ssl
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from botocore.loaders import JSONFileLoader
from hypothesis import settings
from moto.core.serialize import ResponseSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from infra.site import builder
from tests.kit.strict import Strict
from tests.kit.tally import Tally
from tests.kit.watch import Watch

# A test creates and drops a hundred thousand objects; no test needs reference cycles to be collected.
gc.set_threshold(100_000, 20, 50)
settings.register_profile("same", derandomize=True, deadline=None, max_examples=40)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


def pytest_configure(config: pytest.Config) -> None:
    """Build the pages of /docs, check all AWS calls by AWS's rules and by the app's declarations, count tried faults,
    and read no engawa.toml.
    """
    os.environ["ENGAWA_CONFIG"] = str(Path(__file__).with_name("kit") / "engawa.toml")
    if not hasattr(config, "workerinput"):
        # The pages of /docs are not in the repository; workers start when they are there.
        builder.refresh()
    config.pluginmanager.register(Strict())
    config.pluginmanager.register(Watch())
    config.pluginmanager.register(Tally())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the system tests first: at the end, workers would wait for minutes for each other."""
    items.sort(key=lambda item: item.path.parent.name != "system")


@pytest.fixture(scope="session", autouse=True)
def _aws_models_read_once() -> Iterator[None]:
    """Read the AWS models once: each world over moto creates clients, and half of that time is reading these files."""
    read = cache(partial(JSONFileLoader.load_file, JSONFileLoader()))
    with patch.object(JSONFileLoader, "load_file", lambda _, path: read(path)):
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_read_once() -> Iterator[None]:
    """Read certificates once: each httpx client loads all trusted ones in 30 ms, even for http://127.0.0.1 only."""
    with patch.object(ssl, "create_default_context", cache(ssl.create_default_context)):
        yield


@pytest.fixture(scope="session", autouse=True)
def _attribute_values_as_they_are() -> Iterator[None]:
    """Read attribute values by DynamoDB's names, which moto's attribute values already have.

    moto looks up each of the ten members of an attribute value, such as `{"S": "5"}`, under several names, which takes
    a sixth of the time of tests over moto.
    """
    look = ResponseSerializer.get_value

    def get_value(self: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
        return value.get(key) if shape.parent.name == "AttributeValue" else look(self, value, key, shape)

    with patch.object(ResponseSerializer, "get_value", get_value):
        yield


@pytest.fixture(scope="session", autouse=True)
def _copies_of_tables_share_items() -> Iterator[None]:
    """Let copies of moto's tables share their items: moto copies a whole table for each part of a transaction.

    So an item is replaced before it is changed, which moto does only in `update_item`.
    """
    update_item = DynamoDBBackend.update_item

    def copied(table: Table, memo: dict[int, Any]) -> Table:
        made = memo[id(table)] = object.__new__(type(table))
        rest = {name: value for name, value in vars(table).items() if name != "items"}
        vars(made).update(deepcopy(rest, memo))
        made.items = defaultdict(dict, {key: dict(ranges) for key, ranges in table.items.items()})
        return made

    def update(backend: DynamoDBBackend, table_name: str, key: Any, *args: Any, **options: Any) -> Any:
        table = backend.get_table(table_name)
        one, other = backend.get_keys_value(table, key)
        if item := table.get_item(one, other):
            table.items[one][other] = deepcopy(item)
        return update_item(backend, table_name, key, *args, **options)

    with patch.object(Table, "__deepcopy__", copied, create=True), patch.object(DynamoDBBackend, "update_item", update):
        yield
