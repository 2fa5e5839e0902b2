"""The handling of each error that DynamoDB and its SDK can raise."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.core.errors import Unavailable
from chalicelib.store.aws.failures import Lost, TransactionConflict, Uncertain, sort_out

OLD = {"pk": {"S": "app#user"}, "v": {"N": "4"}}


def failure(code: str, status: int = 400, retries: int = 0, parts=("",), **more):
    metadata = {"HTTPStatusCode": status, "RetryAttempts": retries}
    answer: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": metadata, **more}
    error = ClientError(answer, "PutItem")
    return error, sort_out(error, parts)


def cancelled(*codes: str, retries: int = 0, item=None):
    reasons = [{"Code": code} for code in codes]
    for reason in reasons:
        if item and reason["Code"] == "ConditionalCheckFailed":
            reason["Item"] = item
    parts = [f"part {position}" for position, _ in enumerate(codes)]
    return failure("TransactionCanceledException", retries=retries, parts=parts, CancellationReasons=reasons)[1]


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "ThrottlingError",
        "RequestLimitExceeded",
    ],
)
def test_a_throttled_call_is_one_to_send_again_later(code):
    found = failure(code)[1]
    assert isinstance(found, Unavailable)
    assert (found.status, found.retry_after) == (503, 1)


@pytest.mark.parametrize(
    ("code", "status"),
    [("InternalServerError", 500), ("ServiceUnavailable", 503), ("TransactionInProgressException", 400), ("500", 500),
     ("WhoKnows", 502)],
)  # fmt: skip
def test_after_a_fault_on_the_other_side_nobody_knows(code, status):
    assert isinstance(failure(code, status)[1], Uncertain)


def test_a_failed_condition_is_a_lost_race_with_what_is_stored():
    lost = failure("ConditionalCheckFailedException", Item=OLD)[1]
    assert isinstance(lost, Lost)
    assert (lost.item, lost.resent) == (OLD, False)


@pytest.mark.parametrize("more", [{}, {"Item": {}}, {"Item": None}])
def test_a_failed_condition_on_nothing_has_no_item(more):
    assert failure("ConditionalCheckFailedException", **more)[1].item is None


def test_a_failed_condition_on_a_repeated_request_says_so():
    assert failure("ConditionalCheckFailedException", retries=1)[1].resent
    assert cancelled("ConditionalCheckFailed", retries=2).resent


def test_a_running_transaction_is_a_conflict():
    assert isinstance(failure("TransactionConflictException")[1], TransactionConflict)


def test_of_a_cancelled_transaction_s_reasons_the_condition_decides_first():
    lost = cancelled("None", "TransactionConflict", "ConditionalCheckFailed", "ThrottlingError", item=OLD)
    assert isinstance(lost, Lost)
    assert (lost.item, lost.resent) == (OLD, False)
    assert [lost.failed(f"part {position}") for position in range(4)] == [False, False, True, False]
    assert (lost.stored("part 2"), lost.stored("part 0")) == (OLD, None)


def test_then_the_conflict():
    assert isinstance(cancelled("None", "ThrottlingError", "TransactionConflict"), TransactionConflict)


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_then_throttling(code, caplog):
    assert isinstance(cancelled("None", code), Unavailable)
    assert not caplog.records


@pytest.mark.parametrize("codes", [["ValidationError"], ["ItemCollectionSizeLimitExceeded"], []])
def test_a_transaction_cancelled_for_another_reason_is_unavailable_and_logged(codes, caplog):
    assert isinstance(cancelled(*codes), Unavailable)
    assert all(code in caplog.text for code in codes)
    assert caplog.records


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFoundException", "AccessDeniedException"])
def test_what_no_one_expects_stays_what_it_is(code):
    error, found = failure(code)
    assert found is error
