"""Stacks of CloudFormation. The next run completes a run that was interrupted or failed.

Changes use change sets that import existing resources by name (`ImportExistingResources`): tables and the bucket
outlive their stack, and a new stack imports them again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from infra.refusals import Refused

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
_NEVER_COMPLETE = ("CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED")
"""States from which no update is possible. Such a stack is deleted; resources worth keeping are retained."""
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 3


class Stack:
    """A stack, given by its name."""

    def __init__(
        self,
        client: CloudFormationClient,
        name: str,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._client = client
        self._say = say
        self._sleep = sleep

    def status(self) -> str | None:
        """Return the stack's status, or None if it does not exist."""
        return self._described().get("StackStatus")

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs by name."""
        return {each["OutputKey"]: each["OutputValue"] for each in self._described().get("Outputs", [])}

    def apply(
        self,
        template: Mapping[str, str],
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        meanwhile: Callable[[], None] = lambda: None,
    ) -> bool:
        """Create or update the stack; return whether there were changes. `template`: TemplateURL or TemplateBody.

        `meanwhile` is called every few seconds of an update. Raises Refused with the first failure.
        """
        exists = self.make_ready()
        self._say(f"{self.name}: computing the changes ...")
        name = f"engawa-{int(time.time() * 1000)}"
        self._client.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if exists else "CREATE",
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=CAPABILITIES,  # type: ignore[arg-type]
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            ImportExistingResources=True,
            **template,  # type: ignore[arg-type]
        )
        if not self._await_change_set(name):
            self._client.delete_change_set(StackName=self.name, ChangeSetName=name)
            self._say(f"{self.name}: nothing changes.")
            return False
        self._say(f"{self.name}: {'changing' if exists else 'creating'} ...")
        self._client.execute_change_set(StackName=self.name, ChangeSetName=name)
        status = self._await_end(meanwhile)
        if status == "UPDATE_ROLLBACK_COMPLETE":
            raise Refused(
                f"{self.name} is as it was before: {self._reason()} Fix that, and run the same command again."
            )
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise Refused(f"{self.name} is {status}: {self._reason()} Fix that, and run the same command again.")
        return True

    def make_ready(self) -> bool:
        """Make the stack ready for a change; return whether it exists. Raises Refused if the operator must do that."""
        status = self.status()
        if status in _NEVER_COMPLETE:
            self._say(f"{self.name} is {status}, left by a failed run; deleting it (the data stay) ...")
            self.delete()
            return False
        if status == "UPDATE_ROLLBACK_FAILED":
            raise Refused(
                f"{self.name} is {status}: {self._reason()} Fix that, then: "
                f"aws cloudformation continue-update-rollback --stack-name {self.name}"
            )
        if status and status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS":
            raise Refused(f"{self.name} is already being changed ({status}); wait until that has ended.")
        return status not in (None, "REVIEW_IN_PROGRESS")

    def delete(self) -> None:
        """Delete the stack, except for resources that are retained or cannot be deleted. Raises Refused."""
        if self.status() is None:
            return
        if self.status() != "DELETE_FAILED":
            self._client.delete_stack(StackName=self.name)
            if self._await_end() is None:
                return
        # Such as tables with deletion protection, which should stay, or Lambda@Edge functions, which can be deleted
        # only hours later.
        left = [
            each["LogicalResourceId"]
            for page in self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
            if each["ResourceStatus"] == "DELETE_FAILED"
        ]
        self._client.delete_stack(StackName=self.name, RetainResources=left)
        if (status := self._await_end()) is not None:
            raise Refused(f"{self.name} is {status}: {self._reason()}")
        self._say(f"{self.name}: kept {', '.join(left)}.")

    def resources(self) -> list[tuple[str, str]]:
        """Return the type and the physical name of each resource of the stack."""
        if self.status() is None:
            return []
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        every = [each for page in pages for each in page["StackResourceSummaries"]]
        return [(each["ResourceType"], each.get("PhysicalResourceId", "")) for each in every]

    def _described(self) -> dict[str, Any]:
        try:
            stacks = self._client.describe_stacks(StackName=self.name)["Stacks"]
        except self._client.exceptions.ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return {}
            raise
        found: Any = stacks[0] if stacks else {}
        return {} if found.get("StackStatus") == "DELETE_COMPLETE" else found

    def _await_change_set(self, name: str) -> bool:
        """Wait for the change set and return whether it has changes. Raises Refused."""
        while True:
            said = self._client.describe_change_set(StackName=self.name, ChangeSetName=name)
            reason = said.get("StatusReason", "")
            if said["Status"] == "CREATE_COMPLETE":
                return True
            if said["Status"] == "FAILED" and any(words in reason for words in _NO_CHANGES):
                return False
            if said["Status"] == "FAILED":
                reason = self._invalid(reason, ChangeSetName=said["ChangeSetId"])
                raise Refused(f"{self.name} cannot be changed: {reason} Nothing was done.")
            self._sleep(_POLL_SECONDS)

    def _await_end(self, meanwhile: Callable[[], None] = lambda: None) -> str | None:
        while True:
            status = self.status()
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status
            if status == "UPDATE_IN_PROGRESS":
                meanwhile()
            self._sleep(_POLL_SECONDS)

    def _reason(self) -> str:
        """Return the first failure of the last operation. It is the cause of all later ones."""
        reason = "AWS gives no reason."
        for page in self._client.get_paginator("describe_stack_events").paginate(StackName=self.name):
            for event in page["StackEvents"]:
                said = event.get("ResourceStatusReason", "")
                if event.get("ResourceStatus", "").endswith("_FAILED") and "cancelled" not in said:
                    reason = self._invalid(f"{event['LogicalResourceId']}: {said.rstrip('.')}.", StackName=self.name)
                first = event.get("PhysicalResourceId") == event.get("StackId")
                if first and event.get("ResourceStatus") in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"):
                    return reason
        return reason

    def _invalid(self, reason: str, **asked: Any) -> str:
        """Return CloudFormation's validation errors if its reason only refers to them, otherwise the reason."""
        if "DescribeEvents" not in reason:
            return reason
        pages = self._client.get_paginator("describe_events").paginate(Filters={"FailedEvents": True}, **asked)
        found = [
            f"{event['LogicalResourceId']}: {event['ValidationStatusReason'].rstrip('.')}."
            for page in pages
            for event in page["OperationEvents"]
            if event.get("ValidationStatusReason")
        ]
        return " ".join(found) or reason
