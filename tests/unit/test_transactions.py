"""Conditional writes are sent until they are settled, and every reason of a cancelled transaction is reported."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from chalicelib.core.errors import NotFound, ParameterInvalid, Unavailable
from chalicelib.store.aws.client import TRIES, Dynamo
from chalicelib.store.aws.conditions import (
    ABSENT,
    ALIVE,
    PRESENT,
    Condition,
    Path,
    absent,
    at_most,
    contains,
    equals,
    exists,
    less,
    low_level,
    more,
)
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.transactions import Transaction, Update, conditional
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls

GONE = {"pk": {"S": "user#b"}, "sk": {"S": "#"}, "gone": {"BOOL": True}}
FULL = {"pk": {"S": "user#b"}, "sk": {"S": "#"}, "friends": {"N": "1000"}}
SIDE = {"pk": {"S": "user#a"}, "sk": {"S": "friend#b"}}


class Answers:
    """A client whose transactions fail with the given errors, one after the other; then they succeed."""

    def __init__(self, *ends: Exception) -> None:
        self.ends = list(ends)
        self.requests: list[dict[str, Any]] = []

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        if self.ends:
            raise self.ends.pop(0)
        return {}

    @property
    def tokens(self) -> list[str]:
        return [request["ClientRequestToken"] for request in self.requests]


def cancelled(*reasons: str | dict[str, Any]) -> ClientError:
    """Return the error of a cancelled transaction; each reason is a code, or the stored item of a failed condition."""
    told = [
        {"Code": reason}
        if isinstance(reason, str)
        else {"Code": "ConditionalCheckFailed", **({"Item": reason} if reason else {})}
        for reason in reasons
    ]
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": told}
    return ClientError(answer, "TransactWriteItems")


def lost_answer() -> Exception:
    return ReadTimeoutError(endpoint_url="http://a")


def dynamo(*ends: Exception) -> tuple[Dynamo, Answers, list[float]]:
    client, waits = Answers(*ends), list[float]()
    return Dynamo(client, sleep=waits.append), client, waits  # type: ignore[arg-type]


TABLE = "engawa-local-directory"


def transaction(*parts: str) -> Transaction:
    write = Transaction()
    for part in parts or ("a",):
        write.delete(part, TABLE, (part, "#"), PRESENT)
    return write


def test_a_collision_is_tried_again_under_the_same_token() -> None:
    store, client, waits = dynamo(cancelled("TransactionConflict"), cancelled("None", "TransactionConflict"))

    store.commit(transaction())

    assert len(client.tokens) == 3
    assert len(set(client.tokens)) == 1
    assert len(waits) == 2
    assert waits[0] <= 0.01
    assert waits[1] <= 0.02


def test_a_lost_answer_is_asked_for_again_with_the_same_token() -> None:
    store, client, _ = dynamo(lost_answer(), lost_answer())

    store.commit(transaction())

    assert len(client.tokens) == 3
    assert len(set(client.tokens)) == 1


def test_a_try_that_lands_late_is_no_second_one_and_no_stranger() -> None:
    store, client, _ = dynamo(lost_answer(), cancelled("TransactionConflict"), lost_answer())

    store.commit(transaction())

    assert len(client.requests) == 4
    assert all(request == client.requests[0] for request in client.requests), "else IdempotentParameterMismatch"


def test_two_transactions_have_tokens_of_their_own() -> None:
    store, client, _ = dynamo()

    store.commit(transaction())
    store.commit(transaction())

    assert len(set(client.tokens)) == 2


def test_it_gives_up_after_so_many_tries() -> None:
    store, client, waits = dynamo(*[cancelled("TransactionConflict")] * 100)

    with pytest.raises(Unavailable):
        store.commit(transaction())

    assert len(client.requests) == TRIES
    assert sum(waits) < 6


def test_throttling_is_passed_on_at_once() -> None:
    store, client, _ = dynamo(cancelled("None", "ThrottlingError"))

    with pytest.raises(Unavailable):
        store.commit(transaction())

    assert len(client.requests) == 1


def test_every_failed_condition_is_told_with_its_item() -> None:
    store, _, _ = dynamo(cancelled("None", {}, SIDE))

    with pytest.raises(Lost) as lost:
        store.commit(transaction("a", "b", "c"))

    assert [lost.value.failed(part) for part in ("a", "b", "c")] == [False, True, True]
    assert [lost.value.stored(part) for part in ("a", "b", "c")] == [None, None, SIDE]


def test_two_parts_have_two_names() -> None:
    write = transaction("a")

    with pytest.raises(ValueError, match="two parts of one transaction are called a"):
        write.put("a", TABLE, SIDE, ABSENT)
    assert len(write) == 1


@pytest.mark.parametrize(
    ("reasons", "refusal", "text"),
    [
        (("None", "None", "None", {}), NotFound, "There is no user b"),
        (("None", "None", "None", GONE), NotFound, "There is no user b"),
        ((SIDE, SIDE, "None", GONE), NotFound, "There is no user b"),
        (("None", "None", "None", FULL), ParameterInvalid, r"Too many friends \(max=1000\)"),
        (("None", "None", FULL, {}), NotFound, "There is no user b"),
    ],
)
def test_why_a_friendship_was_not_made(reasons: Any, refusal: type[Exception], text: str) -> None:
    store, _, _ = dynamo(cancelled(*reasons))

    with pytest.raises(refusal, match=text):
        FriendsAndInstalls(store, "engawa-local-directory").befriend("b", "a")


@pytest.mark.parametrize("reasons", [(SIDE, SIDE, "None", "None"), (SIDE, SIDE, FULL, FULL)])
def test_a_friendship_that_is_there_is_no_refusal(reasons: Any) -> None:
    store, _, _ = dynamo(cancelled(*reasons))

    assert not FriendsAndInstalls(store, "engawa-local-directory").befriend("a", "b")


def test_both_sides_and_both_counts_are_one_transaction_in_one_order() -> None:
    store, client, _ = dynamo()

    FriendsAndInstalls(store, "engawa-local-directory").befriend("b", "a")
    FriendsAndInstalls(store, "engawa-local-directory").befriend("a", "b")

    one, other = (request["TransactItems"] for request in client.requests)
    assert one == other
    assert [next(iter(write)) for write in one] == ["Put", "Put", "Update", "Update"]
    assert all(next(iter(write.values()))["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD" for write in one)


def test_an_update_and_its_condition_share_their_placeholders() -> None:
    change = Update({"list": "a", "dr.t1": Path("nx")}, {"count": -1}, ["name"], {"families": frozenset("fg")})

    assert change.parameters(exists() & equals("count", 1)) == {
        "UpdateExpression": "SET #0 = :0, #1.#2 = #3, #4 = if_not_exists(#4, :1) ADD #5 :2 REMOVE #6 DELETE #7 :3",
        "ConditionExpression": "attribute_exists(#8) AND #5 = :4",
        "ExpressionAttributeNames": {
            "#0": "list",
            "#1": "dr",
            "#2": "t1",
            "#3": "nx",
            "#4": "_",
            "#5": "count",
            "#6": "name",
            "#7": "families",
            "#8": "pk",
        },
        "ExpressionAttributeValues": {
            ":0": {"S": "a"},
            ":1": {"N": "2"},
            ":2": {"N": "-1"},
            ":3": {"SS": ["f", "g"]},
            ":4": {"N": "1"},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_an_update_in_any_case_has_no_condition() -> None:
    assert Update(removes=["a"]).parameters(None) == {
        "UpdateExpression": "SET #0 = if_not_exists(#0, :0) REMOVE #1",
        "ExpressionAttributeNames": {"#0": "_", "#1": "a"},
        "ExpressionAttributeValues": {":0": {"N": "2"}},
    }


@pytest.mark.parametrize(
    ("condition", "expression"),
    [
        (ABSENT, "attribute_not_exists(#0)"),
        (ALIVE, "attribute_exists(#0) AND attribute_not_exists(#1)"),
        (absent("a") | less("a", 5), "(attribute_not_exists(#0) OR #0 < :0)"),
        (exists() & (absent("a") | equals("a", 5)), "attribute_exists(#0) AND (attribute_not_exists(#1) OR #1 = :0)"),
        (
            absent() | at_most("a", 1) | absent("b") & more("c", 2),
            "((attribute_not_exists(#0) OR #1 <= :0) OR attribute_not_exists(#2) AND #3 > :1)",
        ),
        (contains("set", "x"), "contains(#0, :0)"),
    ],
)  # fmt: skip
def test_conditions_compose(condition: Condition, expression: str) -> None:
    assert conditional(condition)["ConditionExpression"] == expression


@pytest.mark.parametrize(
    ("value", "typed"),
    [
        ("a", {"S": "a"}),
        (5, {"N": "5"}),
        (True, {"BOOL": True}),
        (b"a", {"B": b"a"}),
        (frozenset("ba"), {"SS": ["a", "b"]}),
        ({"M": {}}, {"M": {}}),
    ],
)
def test_values_become_those_of_the_low_level_api(value: Any, typed: Any) -> None:
    assert low_level(value) == typed
