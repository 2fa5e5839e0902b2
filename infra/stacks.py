"""CloudFormation, so that a run that was cut short or failed is mended by the next.

Changes go through change sets that adopt what is there under its name (`ImportExistingResources`): tables and the
bucket outlive their stack, and a new one takes them in again.
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
"""States that no update leads out of. What is worth keeping is retained when such a stack is deleted."""
_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 3


class Stack:
    """One stack by its name."""

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
        """Its state; None where it does not exist."""
        return self._described().get("StackStatus")

    def outputs(self) -> dict[str, str]:
        """Its outputs by name."""
        return {each["OutputKey"]: each["OutputValue"] for each in self._described().get("Outputs", [])}

    def apply(self, template: Mapping[str, str], parameters: Mapping[str, str], tags: Mapping[str, str]) -> bool:
        """Create or change it; whether anything was to change. `template`: TemplateURL or TemplateBody.

        Raises Refused, with the first thing that went wrong.
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
        status = self._await_end()
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise Refused(f"{self.name} is {status}: {self._reason()} Fix that, and run the same command again.")
        return True

    def make_ready(self) -> bool:
        """Bring it where it can be changed; whether it exists. Raises Refused where that is for the operator to do."""
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
        """Delete it, but for what is retained or cannot be deleted. Raises Refused."""
        if self.status() is None:
            return
        if self.status() != "DELETE_FAILED":
            self._client.delete_stack(StackName=self.name)
            if self._await_end() is None:
                return
        # Such as tables with deletion protection, which are to stay; or functions at the edge, which go hours later.
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
        """Type and physical name of what it consists of."""
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
        """Whether the change set has changes, once that is known. Raises Refused."""
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

    def _await_end(self) -> str | None:
        while True:
            status = self.status()
            if status is None or not status.endswith("_IN_PROGRESS"):
                return status
            self._sleep(_POLL_SECONDS)

    def _reason(self) -> str:
        """The first failure of the last operation, of which all later ones are the consequence."""
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
        """What CloudFormation found before it began, where its reason only says where to read that."""
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
