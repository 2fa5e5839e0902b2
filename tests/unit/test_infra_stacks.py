"""A deployment reports an error in one sentence, and the next deployment repairs a failed one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.refusals import Refused
from infra.stacks import Stack

ID = "arn:aws:cloudformation:ap-northeast-1:123456789012:stack/engawa-dev/1"


class CloudFormation:
    """A stand-in for the parts of CloudFormation in use: one stack, whose states are given in advance."""

    class exceptions:
        ClientError = ClientError

    def __init__(self, *states: str | None, change_set: tuple[str, str] = ("CREATE_COMPLETE", "")) -> None:
        self.states = list(states)
        self.change_set = change_set
        self.events: list[dict[str, str]] = []
        self.validation: list[dict[str, str]] = []
        self.resources: list[dict[str, str]] = []
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def describe_stacks(self, **asked: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None:
            error: Any = {"Error": {"Code": "ValidationError", "Message": "Stack with id x does not exist"}}
            raise ClientError(error, "DescribeStacks")
        outputs = [{"OutputKey": "BaseUrl", "OutputValue": "https://x.example"}]
        return {"Stacks": [{"StackStatus": state, "StackId": ID, "Outputs": outputs}]}

    def describe_change_set(self, **asked: Any) -> dict[str, Any]:
        return {"Status": self.change_set[0], "StatusReason": self.change_set[1], "ChangeSetId": "arn:change-set"}

    def get_paginator(self, operation: str) -> Any:
        client = self

        class Pages:
            def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
                found = {"StackEvents": client.events, "StackResourceSummaries": client.resources}
                yield {**found, "OperationEvents": client.validation}

        return Pages()

    def __getattr__(self, name: str) -> Any:
        return lambda **asked: self.calls.append((name, asked))

    def called(self, name: str) -> list[dict[str, Any]]:
        return [asked for each, asked in self.calls if each == name]


def stack(client: Any) -> Stack:
    return Stack(client, "engawa-dev", lambda words: None, lambda seconds: None)


def apply(client: Any) -> bool:
    return stack(client).apply({"TemplateURL": "https://b/t"}, {"Stage": "dev"}, {"engawa": "dev"})


def test_a_stack_that_is_not_there_is_created_and_takes_in_data_that_are() -> None:
    client = CloudFormation(None, "CREATE_IN_PROGRESS", "CREATE_COMPLETE")

    assert apply(client)

    (asked,) = client.called("create_change_set")
    assert asked["ChangeSetType"] == "CREATE"
    assert asked["ImportExistingResources"]
    assert asked["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "dev"}]
    assert len(client.called("execute_change_set")) == 1
    assert stack(client).outputs() == {"BaseUrl": "https://x.example"}


def test_a_stack_that_is_there_is_changed() -> None:
    client = CloudFormation("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE")

    assert apply(client)

    assert client.called("create_change_set")[0]["ChangeSetType"] == "UPDATE"


@pytest.mark.parametrize(
    ("states", "times"),
    [
        # Neither in a creation, nor while CloudFormation deletes what is left over, nor while it goes back.
        ((None, "CREATE_IN_PROGRESS", "CREATE_COMPLETE"), 0),
        (("CREATE_COMPLETE", *["UPDATE_IN_PROGRESS"] * 3, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"), 3),
        (("CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_COMPLETE"), 1),
    ],
)
def test_something_can_be_done_while_a_stack_is_changed(states: tuple[str | None, ...], times: int) -> None:
    done: list[None] = []

    stack(CloudFormation(*states)).apply({}, {}, {}, lambda: done.append(None))

    assert len(done) == times


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_nothing_to_change_is_no_failure(reason: str) -> None:
    client = CloudFormation("UPDATE_COMPLETE", change_set=("FAILED", reason))

    assert not apply(client)

    assert client.called("execute_change_set") == []
    assert len(client.called("delete_change_set")) == 1


def test_what_is_found_before_anything_begins_is_told_itself() -> None:
    """CloudFormation's own reason only says how to query the cause."""
    reason = "The following validations failed. To troubleshoot, use the DescribeEvents API."
    client = CloudFormation("UPDATE_COMPLETE", change_set=("FAILED", reason))
    client.validation = [
        {"LogicalResourceId": "engawa-dev", "EventType": "STACK_EVENT"},
        {"LogicalResourceId": "Files", "ValidationStatusReason": "Resource 'engawa-dev-1' already exists."},
    ]

    with pytest.raises(Refused, match=r"changed: Files: Resource 'engawa-dev-1' already exists\. Nothing was done"):
        apply(client)


def test_a_change_that_cannot_be_is_told_and_not_begun() -> None:
    client = CloudFormation("UPDATE_COMPLETE", change_set=("FAILED", "Parameter X is wrong."))

    with pytest.raises(Refused, match=r"engawa-dev cannot be changed: Parameter X is wrong\. Nothing was done\."):
        apply(client)

    assert client.called("execute_change_set") == []


def test_of_many_failures_the_first_of_this_operation_is_told() -> None:
    client = CloudFormation("CREATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
    failed = {"ResourceStatus": "CREATE_FAILED", "PhysicalResourceId": ""}
    client.events = [
        failed | {"LogicalResourceId": "Sweep", "ResourceStatusReason": "Resource creation cancelled"},
        failed | {"LogicalResourceId": "Distribution", "ResourceStatusReason": "The certificate is not for it."},
        {"PhysicalResourceId": ID, "StackId": ID, "ResourceStatus": "UPDATE_IN_PROGRESS", "LogicalResourceId": "s"},
        failed | {"LogicalResourceId": "Files", "ResourceStatusReason": "of last year"},
    ]

    with pytest.raises(Refused, match=r"engawa-dev is as it was before: Distribution: The certificate is not"):
        apply(client)


@pytest.mark.parametrize("state", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"])
def test_what_a_failed_first_run_left_is_cleared_away(state: str) -> None:
    client = CloudFormation(state, state, state, "DELETE_IN_PROGRESS", None, "CREATE_COMPLETE")

    assert apply(client)

    assert [name for name, _ in client.calls][:2] == ["delete_stack", "create_change_set"]
    assert client.called("create_change_set")[0]["ChangeSetType"] == "CREATE"


def test_tables_that_cannot_be_deleted_are_kept_and_taken_in_again() -> None:
    client = CloudFormation("DELETE_FAILED", "DELETE_FAILED", "DELETE_FAILED", None, "CREATE_COMPLETE")
    client.resources = [
        {"LogicalResourceId": "Appdata", "ResourceStatus": "DELETE_FAILED", "ResourceType": "AWS::DynamoDB::Table"},
        {"LogicalResourceId": "Sweep", "ResourceStatus": "DELETE_COMPLETE", "ResourceType": "AWS::Lambda::Function"},
    ]

    assert apply(client)

    assert client.called("delete_stack") == [{"StackName": "engawa-dev", "RetainResources": ["Appdata"]}]


def test_a_stack_that_somebody_else_changes_is_left_alone() -> None:
    client = CloudFormation("UPDATE_IN_PROGRESS")

    with pytest.raises(Refused, match="is already being changed"):
        apply(client)

    assert client.calls == []


def test_one_whose_way_back_failed_needs_the_operator() -> None:
    client = CloudFormation("UPDATE_ROLLBACK_FAILED")

    with pytest.raises(Refused, match="continue-update-rollback --stack-name engawa-dev"):
        apply(client)

    assert client.calls == []


def test_one_that_was_only_reviewed_is_created() -> None:
    client = CloudFormation("REVIEW_IN_PROGRESS", "CREATE_COMPLETE")

    assert apply(client)

    assert client.called("create_change_set")[0]["ChangeSetType"] == "CREATE"


def test_deleting_what_is_not_there_does_nothing() -> None:
    client = CloudFormation(None)

    stack(client).delete()

    assert client.calls == []
    assert stack(client).resources() == []


def test_a_deletion_that_does_not_end_says_why() -> None:
    client = CloudFormation("UPDATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_FAILED")
    client.events = [
        {"ResourceStatus": "DELETE_FAILED", "LogicalResourceId": "Challenge", "ResourceStatusReason": "is replicated"}
    ]

    with pytest.raises(Refused, match=r"engawa-dev is DELETE_FAILED: Challenge: is replicated\."):
        stack(client).delete()
