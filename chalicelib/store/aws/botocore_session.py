"""A botocore session whose clients of DynamoDB take less CPU time.

Requests, retries, signing, events and errors are botocore's; the parser of DynamoDB's answers is not.

botocore converts an answer by walking the service's model for every value of every item, which takes most of the time
of a read. The parser here converts only binary values, since in items nothing else differs between the JSON and the
result.
"""

import json
from binascii import a2b_base64
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, UnknownServiceError
from botocore.loaders import Loader
from botocore.parsers import ResponseParser, ResponseParserFactory
from botocore.session import Session, get_session
from botocore.utils import lowercase_dict

from chalicelib.store.aws.items import Item

LEAN = Config(user_agent="engawa", parameter_validation=False)
"""Settings of clients that send only what our own code builds.

botocore builds its own User-Agent anew for each request, and checks parameters by walking the model. Tests validate.
"""
OPERATIONS: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset(
        {
            "BatchGetItem",
            "BatchWriteItem",
            "DeleteItem",
            "GetItem",
            "PutItem",
            "Query",
            "Scan",
            "TransactWriteItems",
            "UpdateItem",
        }
    ),
    "secretsmanager": frozenset({"GetSecretValue"}),
}
"""The operations of the services that a cold start needs. In the zip, the services' models have only these."""
MODELS = Path(__file__).resolve().parent / "models"
"""The folder of the cut models (infra/models.py); it exists only in the zip."""
_WITHOUT_RULES = OPERATIONS.keys()
"""Services whose endpoint is `<service>.<region>.amazonaws.com`, so that the rules for endpoints need not be read."""

_bytes = partial(a2b_base64, strict_mode=True)


class BrokenAnswer(BotoCoreError):
    """A successful answer that is not JSON of the documented form: nothing is known about the request's outcome."""

    fmt = "The body of a successful answer is not the JSON of the operation"


class ItemsParser(ResponseParser):
    """A parser of answers in the `json` protocol, with its own way for DynamoDB's operations on items.

    Raises BrokenAnswer for a successful answer of these operations that cannot be read; botocore would return one
    without any items. All other answers, with all errors, are read by botocore's parser.
    """

    def __init__(self, others: ResponseParser) -> None:
        super().__init__()
        self._others = others

    def parse(self, response: Mapping[str, Any], shape: Any) -> Any:
        """Return an answer as botocore's parsers do. `shape` is the model of the operation's output."""
        restore = _RESTORES.get(shape.name) if shape is not None and response["status_code"] == 200 else None
        if restore is None:
            return self._others.parse(response, shape)
        try:
            read = json.loads(response["body"])
            answer = {name: value for name, value in read.items() if value is not None}
            restore(answer)
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise BrokenAnswer from error
        headers = lowercase_dict(response["headers"])
        metadata = {"HTTPStatusCode": 200, "HTTPHeaders": headers}
        if request_id := headers.get("x-amzn-requestid"):
            metadata["RequestId"] = request_id
        answer["ResponseMetadata"] = metadata
        return answer


class _Parsers(ResponseParserFactory):
    """botocore's factory of parsers, with one parser for each protocol instead of one for each answer."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, ResponseParser] = {}

    def create_parser(self, protocol_name: str) -> ResponseParser:
        if protocol_name not in self._made:
            parser = super().create_parser(protocol_name)
            self._made[protocol_name] = ItemsParser(parser) if protocol_name == "json" else parser
        return self._made[protocol_name]


class _Models(Loader):
    """botocore's loader, with our cut models if there are any, and without rules for endpoints that need none."""

    def is_builtin_path(self, path: str) -> bool:
        # The endpoints in our folder are a part of botocore's: nobody has configured other ones.
        return path.startswith(str(MODELS)) or super().is_builtin_path(path)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        if type_name == "endpoint-rule-set-1" and service_name in _WITHOUT_RULES:
            raise UnknownServiceError(service_name=service_name, known_service_names="")
        return super().load_service_model(service_name, type_name, api_version)


def lean_session() -> Session:
    """Return a new session whose clients parse DynamoDB's answers with ItemsParser."""
    session = get_session()
    session.register_component("response_parser_factory", _Parsers())
    session.register_component("data_loader", _Models([str(MODELS)] if MODELS.is_dir() else None))
    return session


def _restore_binary(item: Item) -> None:
    """Replace the base64 text of an item's binary values by their bytes."""
    for value in item.values():
        _restore_value(value)


def _restore_value(value: dict[str, Any]) -> None:
    if "B" in value:
        value["B"] = _bytes(value["B"])
    elif "M" in value:
        _restore_binary(value["M"])
    elif "L" in value:
        for each in value["L"]:
            _restore_value(each)
    elif "BS" in value:
        value["BS"] = [_bytes(each) for each in value["BS"]]


def _restore_items(items: Iterable[Item]) -> None:
    for item in items:
        _restore_binary(item)


def _one_item(answer: dict[str, Any]) -> None:
    _restore_items(answer[name] for name in ("Item", "Attributes") if name in answer)


def _items(answer: dict[str, Any]) -> None:
    _restore_items(answer["Items"])
    _restore_binary(answer.get("LastEvaluatedKey", {}))


def _items_of_tables(answer: dict[str, Any]) -> None:
    for items in answer["Responses"].values():
        _restore_items(items)
    for left in answer.get("UnprocessedKeys", {}).values():
        _restore_items(left["Keys"])


def _unprocessed_writes(answer: dict[str, Any]) -> None:
    for requests in answer.get("UnprocessedItems", {}).values():
        for request in requests:
            _restore_items(write["Item" if "Item" in write else "Key"] for write in request.values())


def _nothing(answer: dict[str, Any]) -> None:
    """Do nothing: a transaction of writes returns no items."""


_RESTORES: Mapping[str, Callable[[dict[str, Any]], None]] = {
    "GetItemOutput": _one_item,
    "PutItemOutput": _one_item,
    "UpdateItemOutput": _one_item,
    "DeleteItemOutput": _one_item,
    "QueryOutput": _items,
    "ScanOutput": _items,
    "BatchGetItemOutput": _items_of_tables,
    "BatchWriteItemOutput": _unprocessed_writes,
    "TransactWriteItemsOutput": _nothing,
}
"""The function that restores the binary values of each output."""
