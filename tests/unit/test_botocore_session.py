"""The parser of DynamoDB's answers has the results of botocore's own, but refuses an answer that cannot be read."""

from __future__ import annotations

import base64
import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st
from moto.core.botocore_stubber import MockRawResponse

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws import client as client_module
from chalicelib.store.aws.botocore_session import LEAN, OPERATIONS, BrokenAnswer, lean_session
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Uncertain
from chalicelib.store.aws.transactions import Update

KEY = {"pk": {"S": "a"}, "sk": {"S": "b"}}
CREDENTIALS: dict[str, Any] = {
    "aws_access_key_id": "engawa",
    "aws_secret_access_key": "engawa",
    "region_name": "ap-northeast-1",
}

names = st.text(min_size=1, max_size=5) | st.sampled_from(["S", "B", "M", "L", "Item", "Keys", "d"])
numbers = st.sampled_from(["0", "-1", "3.14", "1E+125", "99999999999999999999999999999999999999"])
binary = st.binary(max_size=9).map(lambda value: base64.b64encode(value).decode())
scalars = st.one_of(
    st.fixed_dictionaries({"S": st.text(max_size=9)}),
    st.fixed_dictionaries({"N": numbers}),
    st.fixed_dictionaries({"B": binary}),
    st.fixed_dictionaries({"BOOL": st.booleans()}),
    st.fixed_dictionaries({"NULL": st.just(True)}),
    st.fixed_dictionaries({"SS": st.lists(st.text(max_size=5), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"NS": st.lists(numbers, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"BS": st.lists(binary, min_size=1, max_size=3)}),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"M": st.dictionaries(names, inner, max_size=3)}),
        st.fixed_dictionaries({"L": st.lists(inner, max_size=3)}),
    ),
    max_leaves=8,
)
items = st.dictionaries(names, values, max_size=5)
lists = st.lists(items, max_size=4)
tables = st.sampled_from(["engawa-dev-appdata", "engawa-dev-feeds"])
capacity = st.fixed_dictionaries({"TableName": tables, "CapacityUnits": st.floats(0, 1000)})
writes = st.fixed_dictionaries({"PutRequest": st.fixed_dictionaries({"Item": items})}) | st.fixed_dictionaries(
    {"DeleteRequest": st.fixed_dictionaries({"Key": items})}
)
unread = st.fixed_dictionaries({"Keys": st.lists(items, max_size=3), "ConsistentRead": st.booleans()})
nothing = st.none()
bodies = {
    "GetItem": st.fixed_dictionaries({}, optional={"Item": items | nothing, "ConsumedCapacity": capacity | nothing}),
    "Query": st.fixed_dictionaries(
        {"Items": lists, "Count": st.integers(0, 9), "ScannedCount": st.integers(0, 9)},
        optional={"LastEvaluatedKey": items | nothing, "ConsumedCapacity": capacity},
    ),
    "Scan": st.fixed_dictionaries(
        {"Items": lists, "Count": st.integers(0, 9), "ScannedCount": st.integers(0, 9)},
        optional={"LastEvaluatedKey": items | nothing, "ConsumedCapacity": capacity},
    ),
    "BatchGetItem": st.fixed_dictionaries(
        {"Responses": st.dictionaries(tables, lists)},
        optional={"UnprocessedKeys": st.dictionaries(tables, unread) | nothing, "ConsumedCapacity": st.lists(capacity)},
    ),
    "BatchWriteItem": st.fixed_dictionaries(
        {}, optional={"UnprocessedItems": st.dictionaries(tables, st.lists(writes, max_size=3)) | nothing}
    ),
    "TransactWriteItems": st.fixed_dictionaries({}, optional={"ConsumedCapacity": st.lists(capacity) | nothing}),
} | {
    name: st.fixed_dictionaries({}, optional={"Attributes": items | nothing, "ConsumedCapacity": capacity})
    for name in ("PutItem", "UpdateItem", "DeleteItem")
}


def client(answer: Callable[[], tuple[int, bytes]], **config: Any) -> Any:
    """Return a lean client whose requests get that status and body."""

    def answered(request: Any, **_: object) -> AWSResponse:
        status, body = answer()
        return AWSResponse(request.url, status, HTTPHeaders(), MockRawResponse(body))

    made: Any = lean_session().create_client(
        "dynamodb", config=LEAN.merge(Config(retries={"total_max_attempts": 1}, **config)), **CREDENTIALS
    )
    made.meta.events.register_first("before-send.dynamodb", answered)
    return made


SHAPES = client(lambda: (200, b"{}")).meta.service_model


def test_the_operations_are_those_that_the_client_sends() -> None:
    """The zip's model of DynamoDB has no others."""
    sent = re.findall(r'self\._(?:read|write)\(\s*"([a-z_]+)"', inspect.getsource(client_module))
    assert {each.title().replace("_", "") for each in sent} == OPERATIONS["dynamodb"]
    assert bodies.keys() == OPERATIONS["dynamodb"]


@pytest.mark.parametrize("operation", sorted(OPERATIONS["dynamodb"]))
@given(data=st.data())
def test_an_answer_is_parsed_as_by_botocore(operation: str, data: st.DataObject) -> None:
    body = data.draw(bodies[operation])
    headers = HTTPHeaders()
    headers["x-amzn-RequestId"] = "of-aws"
    told = {"status_code": 200, "headers": headers, "body": json.dumps(body).encode(), "context": {}}
    shape = SHAPES.operation_model(operation).output_shape
    parsers = lean_session().get_component("response_parser_factory")

    assert parsers.create_parser("json").parse(told, shape) == create_parser("json").parse(told, shape)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"5", b'{"Item": 5}', b'{"Item": {"d": {"B": "!"}}}', b"[" * 100_000],
    ids=lambda body: repr(body[:30]),
)
def test_a_broken_answer_is_not_an_absent_item(body: bytes) -> None:
    broken = Dynamo(client(lambda: (200, body)))

    with pytest.raises(Unavailable) as refused:
        broken.get("engawa-dev-appdata", ("a", "b"), consistent=True)
    assert isinstance(refused.value.__cause__, Uncertain)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000], ids=lambda body: repr(body[:30]))
def test_nobody_knows_whether_a_write_with_a_broken_answer_was_done(body: bytes) -> None:
    broken = Dynamo(client(lambda: (200, body)))

    with pytest.raises(Uncertain):
        broken.put("engawa-dev-appdata", KEY)
    with pytest.raises(Uncertain):
        broken.updated("engawa-dev-appdata", ("a", "b"), Update({"n": 1}))


def test_an_item_that_is_null_is_absent() -> None:
    assert Dynamo(client(lambda: (200, b'{"Item": null}'))).get("t", ("a", "b"), consistent=True) is None


def test_errors_are_those_of_botocore() -> None:
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "no",
        "Item": {"d": {"B": base64.b64encode(b"\0\1").decode()}},
    }
    with pytest.raises(ClientError) as refused:
        client(lambda: (400, json.dumps(body).encode())).put_item(TableName="t", Item=KEY)
    response: Any = refused.value.response
    assert (response["Error"]["Code"], response["Item"]) == ("ConditionalCheckFailedException", {"d": {"B": b"\0\1"}})


def test_the_error_names_no_part_of_the_answer() -> None:
    with pytest.raises(BrokenAnswer) as refused:
        client(lambda: (200, b"s3cr3t")).get_item(TableName="t", Key=KEY)
    assert "s3cr3t" not in str(refused.value)


def test_parameters_are_checked_unless_a_deployment_sends_them() -> None:
    with pytest.raises(ParamValidationError):
        client(lambda: (200, b"{}"), parameter_validation=True).get_item(TableName="t", Key="a")


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-east-1"])
@pytest.mark.parametrize("service", ["dynamodb", "secretsmanager"])
def test_the_endpoint_is_that_of_the_rules(service: str, region: str) -> None:
    import botocore.session

    where = CREDENTIALS | {"region_name": region}
    plain = botocore.session.get_session().create_client(service, **where)
    assert lean_session().create_client(service, **where).meta.endpoint_url == plain.meta.endpoint_url
