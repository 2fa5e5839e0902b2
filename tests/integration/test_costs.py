"""The cost ledger (bench/): every row stays within its bound, and costs are counted by AWS's published rules.

The numbers in the tests of the rules are the examples of "DynamoDB read and write operations" and "DynamoDB item sizes
and formats" in the developer guide, if it gives one.
"""

import json
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

import pytest

from bench import capacity
from bench.__main__ import main
from bench.meter import Figures, Meter
from bench.row import Bound, Result, Row, measure
from bench.rows import ROWS
from bench.table import described, line
from chalicelib.store.aws import formats
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.item_size import item_size
from chalicelib.store.aws.items import Item, Key, Span, beginning, typed
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction
from local.in_process import World

pytestmark = pytest.mark.moto

TABLE = "engawa-local-appdata"
KB = 1024

Count = Callable[[Callable[[], object]], Figures]


JUDGED = [row for row in ROWS if row.bound != Bound() or row.checks]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in JUDGED])
def test_keeps_its_bound(row: Row, make_world: Callable[..., World]) -> None:
    assert measure(row, make_world()).broken == []


def item(size: int, sort: str = "a") -> Item:
    """Return an item of exactly `size` bytes."""
    made: Item = formats.numbered({**typed(("p", sort)), "x": {"B": b""}})
    made["x"]["B"] = bytes(size - item_size(made))
    return made


@pytest.mark.parametrize(
    ("size", "strong"), [(1, 1), (3500, 1), (4 * KB, 1), (4 * KB + 1, 2), (8 * KB, 2), (10 * KB, 3), (400 * KB, 100)]
)
def test_a_keyed_read_rounds_up_to_4_kb(size: int, strong: int) -> None:
    one = item(max(size, 11))
    assert capacity.keyed_read(one, consistent=True) == strong
    assert capacity.keyed_read(one, consistent=False) == strong / 2


def test_reading_nothing_is_paid() -> None:
    assert capacity.keyed_read(None, consistent=True) == 1
    assert capacity.range_read([], consistent=False) == 0.5


def test_items_of_a_batch_are_rounded_up_one_by_one_and_those_of_a_query_together() -> None:
    both = [item(1536), item(6656)]
    assert sum(capacity.keyed_read(each, consistent=True) for each in both) == 12 / 4
    assert capacity.range_read(both, consistent=True) == 8 / 4
    assert capacity.range_read([item(4177)] * 10, consistent=True) == 44 / 4  # 40.8 KB
    assert capacity.range_read([item(64)] * 1500, consistent=True) == 96 / 4


@pytest.mark.parametrize(
    ("size", "units"), [(500, 1), (1 * KB, 1), (1 * KB + 1, 2), (3 * KB + 512, 4), (400 * KB, 400)]
)
def test_a_write_rounds_up_to_1_kb_and_pays_the_larger_of_before_and_after(size: int, units: int) -> None:
    assert capacity.written(None, item(size)) == units
    assert capacity.written(item(size), None) == units
    assert capacity.written(item(size), item(100)) == units
    assert capacity.written(item(100), item(size)) == units


def test_deleting_nothing_is_paid() -> None:
    assert capacity.written(None, None) == 1


@pytest.fixture
def table(make_world: Callable[..., World]) -> Any:
    """Return a DynamoDB client with an empty table."""
    return make_world().dynamodb


@pytest.fixture
def count(table: Any) -> Count:
    """Return a function that makes calls and returns their costs."""
    meter = Meter(table, table)

    def counted(calls: Callable[[], object]) -> Figures:
        with meter.counting():
            calls()
        return meter.figures

    return counted


def put(table: Any, *items: Item) -> None:
    for each in items:
        table.put_item(TableName=TABLE, Item=each)


def query(dynamo: Dynamo, keys: Span | None, only: str | None) -> list[Item]:
    return list(dynamo.query(TABLE, "p", keys, consistent=True, only=only))


def test_the_meter_prices_reads(table: Any, count: Count) -> None:
    put(table, item(1536, "a"), item(6656, "b"))
    dynamo = Dynamo(table)
    places = [(TABLE, ("p", sort)) for sort in "abc"]

    assert count(lambda: dynamo.get(TABLE, ("p", "b"), consistent=True)).rru == 2
    assert count(lambda: dynamo.batch_get(places, consistent=False)).rru == 0.5 + 1 + 0.5
    for only in (None, "pk"):
        assert count(partial(query, dynamo, beginning("a"), only)).rru == 1
        assert count(partial(query, dynamo, None, only)).rru == 2


def test_the_meter_prices_every_page_of_a_query_by_itself(table: Any, count: Count) -> None:
    put(table, *(item(390_000, sort) for sort in "abc"))

    figures = count(lambda: list(Dynamo(table).query(TABLE, "p", consistent=True)))
    assert (figures.in_sequence, figures.rru) == (2, 191 + 96)


def test_the_meter_prices_writes(table: Any, count: Count) -> None:
    dynamo, always = Dynamo(table), absent("nothing")
    key = typed(("p", "a"))

    assert count(lambda: dynamo.put(TABLE, item(3 * KB), always)).wru == 3
    assert count(lambda: dynamo.put(TABLE, item(500), always)).wru == 3
    grow = {"UpdateExpression": "SET y = :y", "ExpressionAttributeValues": {":y": {"B": bytes(KB)}}}
    assert count(lambda: table.update_item(TableName=TABLE, Key=key, **grow)).wru == 2
    assert count(lambda: table.delete_item(TableName=TABLE, Key=key)).wru == 2
    assert count(lambda: table.delete_item(TableName=TABLE, Key=key)).wru == 1


def test_the_meter_prices_batches_item_by_item_and_transactions_twice(table: Any, count: Count) -> None:
    put(table, item(3584, "b"))
    dynamo = Dynamo(table)
    write = Transaction()
    write.put("new", TABLE, item(500, "a"))
    write.check("there", TABLE, ("p", "b"), equals("pk", "p"))

    figures = count(lambda: dynamo.transact(write, "token"))
    assert (figures.wru, figures.transactions) == (2 * (1 + 4), 1)
    keys: list[Key] = [("p", "a"), ("p", "b"), ("p", "absent")]
    figures = count(lambda: dynamo.delete_all(TABLE, keys))
    assert (figures.wru, figures.transactions) == (1 + 4 + 1, 0)


@pytest.mark.parametrize(("size", "units"), [(500, 3), (4 * KB, 4)])
def test_a_failed_condition_is_paid_by_the_larger_item(size: int, units: int, table: Any, count: Count) -> None:
    put(table, item(3 * KB))

    def fail() -> None:
        with pytest.raises(Lost):
            Dynamo(table).put(TABLE, item(size), ABSENT)

    assert count(fail).wru == units


def test_an_entry_in_the_index_is_paid_when_it_comes_moves_or_goes() -> None:
    plain, listed, moved = item(500), {**item(500), "list": {"S": "a"}}, {**item(500), "list": {"S": "b"}}

    assert capacity.written(None, plain) == 1
    assert capacity.written(None, listed) == capacity.written(listed, None) == 2
    assert capacity.written(listed, listed | {"y": {"S": "changed"}}) == 1
    assert capacity.written(listed, moved) == 3


def test_a_transaction_pays_the_item_twice_and_its_entry_in_the_index_once() -> None:
    plain, listed, moved = item(500), {**item(500), "list": {"S": "a"}}, {**item(500), "list": {"S": "b"}}

    assert capacity.written(None, plain, transaction=True) == 2
    assert capacity.written(None, listed, transaction=True) == capacity.written(listed, None, transaction=True) == 3
    assert capacity.written(listed, listed, transaction=True) == 2
    assert capacity.written(listed, moved, transaction=True) == 4


def test_the_meter_prices_the_index_in_a_transaction_once(table: Any, count: Count) -> None:
    dynamo, directory = Dynamo(table), "engawa-local-directory"
    listed = {**item(500), "list": {"S": "a"}}
    moved = {**item(2 * KB - 50), "list": {"S": "b"}}

    def written(one: Item) -> float:
        write = Transaction()
        write.put("one", directory, one)
        return count(lambda: dynamo.transact(write, str(id(one)))).wru

    assert written(listed) == 2 + 1
    assert written(moved) == 2 * 2 + 2
    gone = Transaction()
    gone.delete("one", directory, ("p", "a"))
    assert count(lambda: dynamo.transact(gone, "token")).wru == 2 * 2 + 1


def test_calls_side_by_side_wait_for_one_call(table: Any, count: Count) -> None:
    dynamo = Dynamo(table)

    def get() -> object:
        return dynamo.get(TABLE, ("p", "a"), consistent=False)

    figures = count(lambda: (get(), side_by_side([get, get, get])))
    assert (figures.in_sequence, figures.in_all) == (2, 4)


def test_refuses_what_it_has_no_rule_for(table: Any, count: Count) -> None:
    with pytest.raises(NotImplementedError, match="Scan"):
        count(lambda: table.scan(TableName=TABLE))
    indexed = {
        "IndexName": "listing",
        "KeyConditionExpression": "#l = :l",
        "ExpressionAttributeNames": {"#l": "list"},
        "ExpressionAttributeValues": {":l": {"S": "users"}},
    }
    directory = "engawa-local-directory"
    with pytest.raises(NotImplementedError, match="parts of an index"):
        count(lambda: table.query(TableName=directory, ProjectionExpression="pk", **indexed))
    assert count(lambda: table.query(TableName=directory, **indexed)).rru == 0.5


def test_refuses_a_table_with_an_index_it_does_not_count(table: Any, count: Count) -> None:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    table.create_table(
        TableName="indexed",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=keys,
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {"IndexName": "index", "KeySchema": keys[:1], "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
    )
    with pytest.raises(NotImplementedError, match="indexed has an index"):
        count(lambda: table.put_item(TableName="indexed", Item=item(100)))


FIGURES = Figures(in_sequence=3, in_all=5, transactions=1, rru=1.5, wru=7, s3=1)


def scenario(world: World) -> Callable[[], object]:
    for sort in "ab":
        put(world.dynamodb, item(3 * KB, sort))
    return lambda: [Dynamo(world.dynamodb).get(TABLE, ("p", sort), consistent=True) for sort in "ab"]


@pytest.mark.parametrize(
    ("bound", "broken"),
    [
        (Bound(), []),
        (Bound(2, lambda world: len(world.items()), 0, transactions=False), []),
        (Bound(1, 1.5), ["2 calls in sequence, not 1", "2 RRU, not 1.5"]),
    ],
)
def test_says_which_bound_is_broken(bound: Bound, broken: list[str], make_world: Callable[..., World]) -> None:
    assert measure(Row("two reads", bound, scenario), make_world()).broken == broken


def test_a_row_fails_where_a_check_does(make_world: Callable[..., World]) -> None:
    row = Row("two reads", Bound(), scenario, (lambda world: f"{len(world.items())} items are left",))
    assert measure(row, make_world()).broken == ["2 items are left"]


def test_a_row_in_print() -> None:
    row = Row("a request", Bound(calls=2, rru=1.5), scenario)
    printed = line(Result(row, FIGURES, 1.5, inf, ["3 calls in sequence, not 2"]))
    assert " ".join(printed.split()) == "a request 3 / 2 5 1 1.5 / 1.5 7 BROKEN: 3 calls in sequence, not 2"
    assert line(Result(row, FIGURES, 1.5, inf)).endswith("  ok")
    assert line(Result(Row("free", Bound(), scenario), FIGURES, inf, inf)).endswith("  -")
    assert described(Result(row, FIGURES, 1.5, inf)) == {
        "request": "a request",
        "calls": {"inSequence": 3, "max": 2, "inAll": 5},
        "transactions": 1,
        "s3": 1,
        "rru": {"used": 1.5, "max": 1.5},
        "wru": {"used": 7, "max": None},
        "broken": [],
    }


@pytest.mark.parametrize(("calls", "status"), [(2, 0), (1, 1)])
def test_the_exit_status_tells_whether_a_bound_is_broken(
    calls: int, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.__main__.ROWS", [Row("two reads", Bound(calls), scenario), *ROWS])
    monkeypatch.setattr("sys.argv", ["bench", "--json", "TWO reads"])
    assert main() == status
    assert [each["request"] for each in json.loads(capsys.readouterr().out)] == ["two reads"]
