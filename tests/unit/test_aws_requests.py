"""For each of AWS's rules for requests, the last request that is allowed and the first that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.store.aws.client import Dynamo
from tests.kit import api_model_rules, aws_request_rules, dynamodb_items, dynamodb_rules, memory, strict
from tests.kit.dynamodb_expressions import RESERVED, BrokenRule

pytest_plugins = ["pytester"]
ROOT = Path(__file__).resolve().parents[2]
TABLE = "engawa-local-directory"
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
Request = dict[str, Any]


def key(number: int) -> Any:
    return {"pk": {"S": "p"}, "sk": {"S": f"{number}"}}


def put(**attributes: Any) -> Request:
    return {"TableName": TABLE, "Item": KEY | attributes}


def changed(expression: str, names: Any = None, values: Any = None, **more: Any) -> Request:
    """Return a request of UpdateItem; names and values are in the form `{"n": "name"}` and `{"v": {"S": "text"}}`."""
    request = {"TableName": TABLE, "Key": KEY, "UpdateExpression": expression, **more}
    if names:
        request["ExpressionAttributeNames"] = {f"#{name}": full for name, full in names.items()}
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return request


def under(expression: str, names: Any = None, values: Any = None) -> Request:
    """Return a request of DeleteItem under a condition."""
    request = changed("", names, values) | {"ConditionExpression": expression}
    del request["UpdateExpression"]
    return request


def query(condition: str = "pk = :p", values: Any = None, **more: Any) -> Request:
    return {
        "TableName": TABLE,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {":p": {"S": "p"}} | (values or {}),
        **more,
    }


def transaction(*parts: Any, token: str = "t") -> Request:
    return {"TransactItems": list(parts), "ClientRequestToken": token}


def puts(sizes: list[int]) -> Request:
    """Return a transaction of items with these sizes in bytes."""
    own = [len("pkpsk") + len(f"{place}") + len("a") for place in range(len(sizes))]
    items = [
        key(place) | {"a": {"S": "x" * (size - less)}}
        for place, (size, less) in enumerate(zip(sizes, own, strict=True))
    ]
    return transaction(*({"Put": {"TableName": TABLE, "Item": item}} for item in items))


def deletes(count: int) -> Request:
    return {"RequestItems": {TABLE: [{"DeleteRequest": {"Key": key(place)}} for place in range(count)]}}


def gets(count: int) -> Request:
    return {"RequestItems": {TABLE: {"Keys": [key(place) for place in range(count)]}}}


def nested(levels: int) -> Any:
    """Return a value with this many levels; the value itself is the first."""
    value: Any = {"S": "x"}
    for _ in range(levels - 1):
        value = {"L": [value]}
    return value


def with_operators(count: int) -> str:
    """Return a condition with this many operators and functions, an odd number."""
    return " AND ".join(["attribute_exists(a)"] * ((count + 1) // 2))


ONE = {"N": "1"}
CHECK = {"ConditionCheck": {"TableName": TABLE, "Key": KEY, "ConditionExpression": "attribute_exists(pk)"}}
LISTED = {"IndexName": "listing"}
MB = 1024 * 1024

CASES: dict[str, tuple[str, Request, Request, str]] = {
    # The operation, what is allowed, what is refused, and a part of the sentence.
    "reserved word": ("UpdateItem", changed("SET nam = pk"), changed("SET name = pk"), "reserved word"),
    "reserved word in a condition": (
        "DeleteItem",
        under("attribute_exists(statu)"),
        under("attribute_exists(Status)"),
        "reserved",
    ),
    "reserved word in a projection": (
        "Query",
        query(ProjectionExpression="pk, a.b[0]"),
        query(ProjectionExpression="pk, a.list"),
        "list is a reserved word",
    ),
    "written name": ("UpdateItem", changed("SET a_1 = pk"), changed("SET _1 = pk"), "no update"),
    "written name with a hyphen": (
        "DeleteItem",
        under("attribute_exists(ab)"),
        under("attribute_exists(a-b)"),
        "needs",
    ),
    "undefined name": ("UpdateItem", changed("REMOVE #a", {"a": "x"}), changed("REMOVE #a"), "#a .* not defined"),
    "undefined name in a projection": (
        "Query",
        query(ProjectionExpression="#a", ExpressionAttributeNames={"#a": "x"}),
        query(ProjectionExpression="#a"),
        "#a .* not defined",
    ),
    "undefined value": (
        "DeleteItem",
        under("a = :v", values={"v": ONE}),
        under("a = :v", values={"w": ONE}),
        ":v .* not defined",
    ),
    "unused name": (
        "UpdateItem",
        changed("REMOVE #a", {"a": "x"}),
        changed("REMOVE #a", {"a": "x", "b": "y"}),
        "#b.* no expression uses",
    ),
    "unused value": (
        "UpdateItem",
        changed("SET a = :v", values={"v": ONE}),
        changed("SET a = :v", values={"v": ONE, "w": ONE}),
        ":w.* no expression uses",
    ),
    "no names": (
        "UpdateItem",
        changed("REMOVE a"),
        changed("REMOVE a", ExpressionAttributeNames={}),
        "ExpressionAttributeNames is empty",
    ),
    "no values": (
        "UpdateItem",
        changed("REMOVE a"),
        changed("REMOVE a", ExpressionAttributeValues={}),
        "ExpressionAttributeValues is empty",
    ),
    "placeholder": (
        "UpdateItem",
        changed("REMOVE #a_1", {"a_1": "x"}),
        changed("REMOVE #a", {"-": "x", "a": "y"}),
        "#-",
    ),
    "length of a placeholder": (
        "UpdateItem",
        changed(f"REMOVE #{'a' * 254}", {"a" * 254: "x"}),
        changed(f"REMOVE #{'a' * 255}", {"a" * 255: "x"}),
        "at most 255",
    ),
    "overlapping paths": (
        "UpdateItem",
        changed("SET a.b = pk, a.c = pk, a2 = pk"),
        changed("SET a.b = pk, a.b.c = pk"),
        "overlap",
    ),
    "overlapping paths through names": (
        "UpdateItem",
        changed("SET #a = pk REMOVE #b", {"a": "x", "b": "y"}),
        changed("SET #a = pk REMOVE #b", {"a": "x", "b": "x"}),
        "overlap",
    ),
    "overlapping list elements": ("UpdateItem", changed("REMOVE a[0], a[1]"), changed("REMOVE a[0], a[0]"), "overlap"),
    "overlapping paths in a projection": (
        "Query",
        query(ProjectionExpression="a.b, a.c"),
        query(ProjectionExpression="a, a.c"),
        "overlap",
    ),
    "section": ("UpdateItem", changed("SET a = pk, b = pk"), changed("SET a = pk SET b = pk"), "twice"),
    "syntax of an update": ("UpdateItem", changed("SET a = pk"), changed("SET a = pk,"), "no update"),
    "syntax of a condition": ("DeleteItem", under("a = b"), under("a = b AND"), "no condition"),
    "empty expression": ("UpdateItem", changed("REMOVE a"), changed(" "), "empty"),
    "parentheses": ("DeleteItem", under("(a = b) OR c = b"), under("((a = b)) OR c = b"), "redundant"),
    "same operands": ("DeleteItem", under("a.b = a.c"), under("a.b = a.b"), "same attribute"),
    "unknown function": ("DeleteItem", under("size(a) = b"), under("length(a) = b"), "no condition"),
    "type of a comparison": (
        "DeleteItem",
        under("a < :v", values={"v": ONE}),
        under("a < :v", values={"v": {"BOOL": True}}),
        "operand of type",
    ),
    "type of begins_with": (
        "DeleteItem",
        under("begins_with(a, :v)", values={"v": {"S": "x"}}),
        under("begins_with(a, :v)", values={"v": ONE}),
        "begins_with",
    ),
    "name of a type": (
        "DeleteItem",
        under("attribute_type(a, :v)", values={"v": {"S": "SS"}}),
        under("attribute_type(a, :v)", values={"v": {"S": "String"}}),
        "type of attributes",
    ),
    "type of an addition": (
        "UpdateItem",
        changed("ADD a :v", values={"v": {"SS": ["x"]}}),
        changed("ADD a :v", values={"v": {"S": "x"}}),
        "operand has the type",
    ),
    "type of a sum": (
        "UpdateItem",
        changed("SET a = a + :v", values={"v": ONE}),
        changed("SET a = a + :v", values={"v": {"S": "1"}}),
        "operand has the type",
    ),
    "type of a discard": (
        "UpdateItem",
        changed("DELETE a :v", values={"v": {"SS": ["x"]}}),
        changed("DELETE a :v", values={"v": ONE}),
        "operand has the type",
    ),
    "type of an appended list": (
        "UpdateItem",
        changed("SET a = list_append(a, :v)", values={"v": {"L": []}}),
        changed("SET a = list_append(a, :v)", values={"v": {"SS": ["x"]}}),
        "operand has the type",
    ),
    "length of an expression": (
        "DeleteItem",
        under(f"attribute_exists({'a' * (4096 - 18)})"),
        under(f"attribute_exists({'a' * (4096 - 17)})"),
        "longer than 4096 bytes",
    ),
    "operators of a condition": ("DeleteItem", under(with_operators(299)), under(with_operators(301)), "301 operators"),
    "operators of an update": (
        "UpdateItem",
        changed("SET a = b" + "+ b" * 300),
        changed("SET a = b" + "+ b" * 301),
        "301 operators",
    ),
    "operands of IN": (
        "DeleteItem",
        under(f"a IN ({', '.join(['b'] * 100)})"),
        under(f"a IN ({', '.join(['b'] * 101)})"),
        "more than 100 operands",
    ),
    "substitutions": (
        "UpdateItem",
        changed("SET a = :v", values={"v": {"S": "x" * (2 * MB - 2)}}),
        changed("SET a = :v", values={"v": {"S": "x" * (2 * MB - 1)}}),
        "more than 2097152 bytes",
    ),
    "size of an item": (
        "PutItem",
        put(a={"S": "x" * (400 * 1024 - 7)}),
        put(a={"S": "x" * (400 * 1024 - 6)}),
        "409601 bytes",
    ),
    "size of a partition key": (
        "GetItem",
        {"TableName": TABLE, "Key": KEY | {"pk": {"S": "é" * 1024}}},
        {"TableName": TABLE, "Key": KEY | {"pk": {"S": "é" * 1024 + "x"}}},
        "2049 bytes",
    ),
    "size of a sort key": (
        "GetItem",
        {"TableName": TABLE, "Key": KEY | {"sk": {"S": "x" * 1024}}},
        {"TableName": TABLE, "Key": KEY | {"sk": {"S": "x" * 1025}}},
        "1025 bytes",
    ),
    "empty key": (
        "PutItem",
        put(a={"S": ""}),
        {"TableName": TABLE, "Item": KEY | {"sk": {"S": ""}}},
        "sk has 0 bytes",
    ),
    "empty key of an index": ("PutItem", put(list={"S": "x"}), put(list={"S": ""}), "list has 0 bytes"),
    "sort key of an index": (
        "PutItem",
        put(list={"S": "x"}, pk={"S": "x" * 1024}),
        put(list={"S": "x"}, pk={"S": "x" * 1025}),
        "pk has 1025 bytes",
    ),
    "empty key of an index by an update": (
        "UpdateItem",
        changed("SET #l = :v", {"l": "list"}, {"v": {"S": "x"}}),
        changed("SET #l = :v", {"l": "list"}, {"v": {"S": ""}}),
        "list has 0 bytes",
    ),
    "type of a key": ("PutItem", put(), put(pk=ONE), "of type S"),
    "type of a key of an index": ("PutItem", put(list={"S": "x"}), put(list={"NULL": True}), "of type S"),
    "attributes of a key": (
        "GetItem",
        {"TableName": TABLE, "Key": KEY},
        {"TableName": TABLE, "Key": KEY | {"a": ONE}},
        "consists of",
    ),
    "missing key": ("PutItem", put(), {"TableName": TABLE, "Item": {"pk": {"S": "p"}}}, "consists of"),
    "change of a key": ("UpdateItem", changed("SET a = pk"), changed("SET sk = pk"), "part of the key"),
    "empty set": ("PutItem", put(a={"SS": ["x"]}), put(a={"SS": []}), "set is empty"),
    "duplicate in a set": ("PutItem", put(a={"NS": ["1", "2"]}), put(a={"NS": ["1", "1.0"]}), "twice"),
    "types of a value": ("PutItem", put(a=ONE), put(a={"N": "1", "S": "1"}), "exactly one type"),
    "depth": ("PutItem", put(a=nested(32)), put(a=nested(33)), "more deeply than 32"),
    "depth of a value": (
        "UpdateItem",
        changed("SET a = :v", values={"v": nested(32)}),
        changed("SET a = :v", values={"v": nested(33)}),
        "more deeply than 32",
    ),
    "digits": ("PutItem", put(a={"N": "1" * 38 + "00"}), put(a={"N": "1" * 39}), "more than 38 digits"),
    "large number": ("PutItem", put(a={"N": "-9.9E+125"}), put(a={"N": "1E+126"}), "outside the range"),
    "small number": ("PutItem", put(a={"N": "1E-130"}), put(a={"N": "1E-131"}), "outside the range"),
    "number": ("PutItem", put(a={"N": "-0.0"}), put(a={"N": "NaN"}), "no number"),
    "text of a number": ("PutItem", put(a={"N": "1e2"}), put(a={"N": "1,000"}), "no number"),
    "old item": (
        "TransactWriteItems",
        transaction({"ConditionCheck": CHECK["ConditionCheck"] | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}),
        transaction({"ConditionCheck": CHECK["ConditionCheck"] | {"ReturnValuesOnConditionCheckFailure": "ALL_NEW"}}),
        "ALL_OLD",
    ),
    "returned values": ("PutItem", put() | {"ReturnValues": "ALL_OLD"}, put() | {"ReturnValues": "ALL_NEW"}, "ALL_NEW"),
    "items of a transaction": ("TransactWriteItems", puts([100] * 100), puts([100] * 101), "not 101"),
    "bytes of a transaction": (
        "TransactWriteItems",
        puts([4 * MB // 16] * 16),
        puts([4 * MB // 16] * 15 + [4 * MB // 16 + 1]),
        "more than 4194304 bytes",
    ),
    "an item twice in a transaction": (
        "TransactWriteItems",
        transaction(CHECK, {"Delete": {"TableName": TABLE, "Key": key(1)}}),
        transaction(CHECK, {"Delete": {"TableName": TABLE, "Key": KEY}}),
        "twice",
    ),
    "token": ("TransactWriteItems", transaction(CHECK, token="t" * 36), transaction(CHECK, token="t" * 37), "36"),
    "no token": ("TransactWriteItems", transaction(CHECK, token="t"), transaction(CHECK, token=""), "36"),
    "check without a condition": (
        "TransactWriteItems",
        transaction(CHECK),
        transaction({"ConditionCheck": {"TableName": TABLE, "Key": KEY}}),
        "no condition",
    ),
    "two actions": (
        "TransactWriteItems",
        transaction(CHECK),
        transaction(CHECK | {"Delete": {"TableName": TABLE, "Key": key(1)}}),
        "one action",
    ),
    "writes of a batch": ("BatchWriteItem", deletes(25), deletes(26), "not 26"),
    "no writes": ("BatchWriteItem", deletes(1), deletes(0), "not 0"),
    "a write twice": (
        "BatchWriteItem",
        deletes(2),
        {"RequestItems": {TABLE: deletes(1)["RequestItems"][TABLE] * 2}},
        "twice",
    ),
    "reads of a batch": ("BatchGetItem", gets(100), gets(101), "not 101"),
    "a read twice": ("BatchGetItem", gets(2), {"RequestItems": {TABLE: {"Keys": [KEY, KEY]}}}, "twice"),
    "condition of a query": ("Query", query(), query("begins_with(pk, :p)"), "by ="),
    "one condition a key": (
        "Query",
        query("pk = :p AND sk BETWEEN :a AND :b", {":a": {"S": "a"}, ":b": {"S": "b"}}),
        query("pk = :p AND sk > :a AND sk < :b", {":a": {"S": "a"}, ":b": {"S": "b"}}),
        "one condition for each",
    ),
    "only AND in a key condition": (
        "Query",
        query("sk > :a AND pk = :p", {":a": {"S": "a"}}),
        query("sk > :a OR pk = :p", {":a": {"S": "a"}}),
        "connected by AND",
    ),
    "only keys in a key condition": (
        "Query",
        query("pk = :p AND sk = :a", {":a": {"S": "a"}}),
        query("pk = :p AND list = :a", {":a": {"S": "a"}}),
        "reserved|one condition",
    ),
    "operator of a key condition": (
        "Query",
        query("pk = :p AND sk >= :a", {":a": {"S": "a"}}),
        query("pk = :p AND sk <> :a", {":a": {"S": "a"}}),
        "cannot use <>",
    ),
    "type in a key condition": (
        "Query",
        query("pk = :p AND sk = :a", {":a": {"S": "a"}}),
        query("pk = :p AND sk = :a", {":a": ONE}),
        "another type",
    ),
    "empty key in a key condition": (
        "Query",
        query("pk = :p AND sk >= :a", {":a": {"S": "a"}}),
        query("pk = :p AND sk >= :a", {":a": {"S": ""}}),
        "sk has 0 bytes",
    ),
    "order of bounds": (
        "Query",
        query("pk = :p AND sk BETWEEN :a AND :b", {":a": {"S": "a"}, ":b": {"S": "a"}}),
        query("pk = :p AND sk BETWEEN :a AND :b", {":a": {"S": "b"}, ":b": {"S": "a"}}),
        "before its beginning",
    ),
    "filter": ("Query", query(FilterExpression="a = b"), query(FilterExpression="a = sk"), "names the key"),
    "limit": ("Query", query(Limit=1), query(Limit=0), "at least 1"),
    "consistent read of an index": (
        "Query",
        query("#l = :p", ExpressionAttributeNames={"#l": "list"}, ConsistentRead=False, **LISTED),
        query("#l = :p", ExpressionAttributeNames={"#l": "list"}, ConsistentRead=True, **LISTED),
        "consistently",
    ),
    "name of an index": (
        "Scan",
        {"TableName": TABLE, **LISTED},
        {"TableName": TABLE, "IndexName": "other"},
        "no index",
    ),
    "attributes of an index": (
        "Scan",
        {"TableName": TABLE, "ProjectionExpression": "pk, sk", **LISTED},
        {"TableName": TABLE, "ProjectionExpression": "pk, a", **LISTED},
        "does not have",
    ),
    "all attributes of an index": (
        "Scan",
        {"TableName": TABLE, "Select": "ALL_PROJECTED_ATTRIBUTES", **LISTED},
        {"TableName": TABLE, "Select": "ALL_ATTRIBUTES", **LISTED},
        "ALL_ATTRIBUTES",
    ),
    "projected attributes without an index": (
        "Scan",
        {"TableName": TABLE, "Select": "ALL_ATTRIBUTES"},
        {"TableName": TABLE, "Select": "ALL_PROJECTED_ATTRIBUTES"},
        "needs an index",
    ),
    "count and projection": (
        "Query",
        query(Select="SPECIFIC_ATTRIBUTES", ProjectionExpression="pk"),
        query(Select="COUNT", ProjectionExpression="pk"),
        "does not allow",
    ),
    "specific attributes": (
        "Query",
        query(Select="COUNT"),
        query(Select="SPECIFIC_ATTRIBUTES"),
        "needs a ProjectionExpression",
    ),
    "start of a page": (
        "Scan",
        {"TableName": TABLE, "ExclusiveStartKey": KEY | {"list": {"S": "x"}}, **LISTED},
        {"TableName": TABLE, "ExclusiveStartKey": KEY, **LISTED},
        "ExclusiveStartKey",
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_the_last_allowed_request_passes_and_the_first_refused_one_does_not(rule: str) -> None:
    operation, allowed, refused, sentence = CASES[rule]
    dynamodb_rules.check(operation, allowed)
    with pytest.raises(BrokenRule, match=sentence):
        dynamodb_rules.check(operation, refused)


def test_all_573_words_of_aws_are_reserved() -> None:
    assert len(RESERVED) == 573
    assert {"ABORT", "FLATTERN", "INNTER", "LOGED", "TTL", "ZONE"} <= RESERVED


def test_every_table_has_the_keys_of_the_template() -> None:
    for name in ("appdata", "directory", "grants", "ephemeral", "records", "feeds", "comments", "favorites"):
        assert dynamodb_items.table(f"engawa-prod-{name}").key == ("pk", "sk")
    assert dynamodb_items.table("engawa-local-feeds").indexes == {"listing": ("list", "pk")}
    assert dynamodb_items.table("engawa-local-appdata").indexes == {}


def test_an_update_in_memory_makes_no_item_that_is_too_large() -> None:
    change = changed("SET b = :v", values={"v": {"S": "xx"}})
    item = KEY | {"a": {"S": "x" * (400 * 1024 - 10)}}
    assert memory.changed(item, change)["b"] == {"S": "xx"}
    with pytest.raises(BrokenRule, match="409601 bytes"):
        memory.changed(item, changed("SET b = :v", values={"v": {"S": "xxx"}}))


OWN: Any = {"region_name": "ap-northeast-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}


def test_a_refused_request_is_not_sent_to_a_client_of_botocore() -> None:
    with mock_aws(), strict.refusing(), pytest.raises(BrokenRule, match="AWS refuses a request, GetItem: a key"):
        boto3.client("dynamodb", **OWN).get_item(TableName=TABLE, Key={"pk": {"S": "p"}})


def test_a_refused_request_is_not_sent_to_a_table_in_memory() -> None:
    with strict.refusing(), pytest.raises(BrokenRule, match="AWS refuses a request, PutItem: the key attribute sk"):
        Dynamo(memory.Memory()).put(TABLE, {"pk": {"S": "p"}, "sk": {"S": ""}})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("service", "operation", "allowed", "refused", "sentence"),
    [
        ("secretsmanager", "CreateSecret", {"Name": "n" * 512}, {"Name": "n" * 513}, "CreateSecret.Name is 513"),
        ("secretsmanager", "PutSecretValue", {"SecretString": "x" * 65536}, {"SecretString": "x" * 65537}, "65537"),
        ("dynamodb", "PutItem", {"ReturnConsumedCapacity": "TOTAL"}, {"ReturnConsumedCapacity": "ALL"}, "not one of"),
        ("dynamodb", "Query", {"Select": "COUNT"}, {"Select": "NONE"}, "not one of"),
        ("dynamodb", "Scan", {"TableName": "a" * 1024}, {"TableName": "a" * 1025}, "TableName is 1025"),
        ("s3", "PutObject", {"StorageClass": "STANDARD"}, {"StorageClass": "standard"}, "not one of"),
    ],
)
def test_limits_and_values_of_the_service_models_are_kept(
    service: str, operation: str, allowed: Any, refused: Any, sentence: str
) -> None:
    model = boto3.client(service, **OWN).meta.service_model  # type: ignore[call-overload]
    api_model_rules.check(model, operation, allowed)
    with pytest.raises(BrokenRule, match=sentence):
        api_model_rules.check(model, operation, refused)


DELETE: Any = [{"Key": "k"}]


@pytest.mark.parametrize(
    ("service", "operation", "allowed", "refused", "sentence"),
    [
        ("s3", "PutObject", {"Key": "é" * 512}, {"Key": "é" * 512 + "x"}, "not 1025"),
        ("s3", "GetObject", {"Key": "k"}, {"Key": ""}, "not 0"),
        ("s3", "CreateBucket", {"Bucket": "a" * 63}, {"Bucket": "a" * 64}, "name of a bucket"),
        ("s3", "CreateBucket", {"Bucket": "a-3"}, {"Bucket": "a3"}, "name of a bucket"),
        ("s3", "CreateBucket", {"Bucket": "engawa"}, {"Bucket": "Engawa"}, "name of a bucket"),
        ("s3", "CreateBucket", {"Bucket": "engawa-s3"}, {"Bucket": "engawa-s3alias"}, "name of a bucket"),
        ("s3", "CreateBucket", {"Bucket": "x-engawa"}, {"Bucket": "xn--engawa"}, "name of a bucket"),
        ("s3", "CreateBucket", {"Bucket": "engawa-a"}, {"Bucket": "engawa-"}, "name of a bucket"),
        ("s3", "DeleteObjects", {"Delete": {"Objects": DELETE * 1000}}, {"Delete": {"Objects": DELETE * 1001}}, "1001"),
        ("s3", "DeleteObjects", {"Delete": {"Objects": DELETE}}, {"Delete": {"Objects": []}}, "not 0"),
        ("sqs", "SendMessage", {"MessageBody": "x" * MB}, {"MessageBody": "x" * (MB + 1)}, "not 1048577"),
        ("sqs", "SendMessage", {"MessageBody": "x"}, {"MessageBody": ""}, "not 0"),
        ("sqs", "SendMessage", {"MessageBody": "\t\ufffd"}, {"MessageBody": "\ufffe"}, "cannot contain"),
        ("sqs", "SendMessage", {"MessageBody": "x"}, {"MessageBody": "x", "DelaySeconds": 901}, "0 to 900, not 901"),
        ("sqs", "ReceiveMessage", {"MaxNumberOfMessages": 10}, {"MaxNumberOfMessages": 11}, "1 to 10, not 11"),
        ("sqs", "ReceiveMessage", {"WaitTimeSeconds": 20}, {"WaitTimeSeconds": 21}, "not 21"),
        ("sqs", "ReceiveMessage", {"VisibilityTimeout": 43_200}, {"VisibilityTimeout": 43_201}, "not 43201"),
    ],
)
def test_requests_to_s3_and_sqs_are_within_their_documented_limits(
    service: str, operation: str, allowed: Any, refused: Any, sentence: str
) -> None:
    aws_request_rules.check(service, operation, allowed)
    with pytest.raises(BrokenRule, match=sentence):
        aws_request_rules.check(service, operation, refused)


def test_a_test_fails_whose_refused_request_is_caught_by_the_app(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        from tests.kit.strict import Strict

        def pytest_configure(config):
            config.pluginmanager.register(Strict())
        """
    )
    pytester.makepyfile(
        """
        from contextlib import suppress
        from chalicelib.store.aws.client import Dynamo
        from tests.kit import memory

        def test_it():
            with suppress(AssertionError):
                Dynamo(memory.Memory()).put("a-table", {"pk": {"S": "p"}})
        """
    )
    pytester.syspathinsert(ROOT)
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*AWS refuses a request, PutItem: a key consists of*"])
