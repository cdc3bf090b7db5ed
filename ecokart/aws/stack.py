"""CloudFormation: make a stack, bring it up to date, delete it, and say in plain words what went wrong."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 45 * 60
#: What is left of a stack whose first creation failed. It can only be deleted.
STILLBORN = ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED")


class StackFailed(Exception):
    """A stack is not what was asked for; the sentence says which of its parts, and why."""


class Stacks:
    """The stacks of one region."""

    def __init__(self, session: boto3.Session) -> None:
        self._client: Any = session.client("cloudformation")

    def find(self, name: str) -> dict[str, Any] | None:
        """A stack as CloudFormation describes it, or None when there is none of that name."""
        try:
            described = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as refused:
            if "does not exist" in refused.response["Error"]["Message"]:
                return None
            raise
        return next((one for one in described if one["StackStatus"] != "DELETE_COMPLETE"), None)

    def outputs(self, name: str) -> dict[str, str]:
        """What a stack tells of itself, by name. Empty when there is no such stack."""
        found = self.find(name) or {}
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}

    def resources(self, name: str, kind: str) -> list[str]:
        """The names that AWS has for a stack's resources of one type, such as ``AWS::DynamoDB::Table``."""
        pages = self._client.get_paginator("list_stack_resources").paginate(StackName=name)
        summaries = [one for page in pages for one in page["StackResourceSummaries"]]
        return [one["PhysicalResourceId"] for one in summaries if one["ResourceType"] == kind]

    def apply(
        self, name: str, *, template: str, parameters: Mapping[str, str | None], tags: Mapping[str, str]
    ) -> dict[str, str]:
        """Create a stack or bring it up to date, and wait. Gives its outputs; raises StackFailed.

        A parameter that is None keeps the value it had, and begins with the template's. CloudFormation takes a failed
        change back: what was there before stays.
        """
        found = self.find(name)
        if found and found["StackStatus"] in STILLBORN:
            self.delete(name)
            found = None
        known = {one["ParameterKey"] for one in (found or {}).get("Parameters", [])}
        request = {
            "StackName": name,
            "TemplateBody": template,
            "Parameters": list(_parameters(parameters, known=known)),
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
        if found is None:
            self._client.create_stack(**request)
            self._wait(name, good="CREATE_COMPLETE")
        elif self._update(request):
            self._wait(name, good="UPDATE_COMPLETE")
        return self.outputs(name)

    def delete(self, name: str) -> None:
        """Delete a stack and wait until it is gone. Raises StackFailed with what could not be deleted."""
        found = self.find(name)
        if found is None:
            return
        stack_id = found["StackId"]
        self._client.delete_stack(StackName=name)
        self._wait(stack_id, good="DELETE_COMPLETE")

    def _update(self, request: dict[str, Any]) -> bool:
        """Whether there was anything to change."""
        try:
            self._client.update_stack(**request)
        except ClientError as refused:
            if "No updates are to be performed" in refused.response["Error"]["Message"]:
                return False
            raise
        return True

    def _wait(self, name: str, *, good: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while (status := self._status(name)).endswith("_IN_PROGRESS"):
            if time.monotonic() > deadline:
                raise StackFailed(f"The stack {name} is still {status} after {_PATIENCE_SECONDS // 60} minutes.")
            time.sleep(_POLL_SECONDS)
        if status != good:
            reasons = "\n".join(f"  {line}" for line in self._reasons(name)) or "  CloudFormation gives no reason."
            raise StackFailed(f"The stack {name} ended as {status}:\n{reasons}")

    def _status(self, name: str) -> str:
        try:
            described = self._client.describe_stacks(StackName=name)["Stacks"]
        except ClientError as refused:
            if "does not exist" in refused.response["Error"]["Message"]:
                return "DELETE_COMPLETE"
            raise
        status: str = described[0]["StackStatus"] if described else "DELETE_COMPLETE"
        return status

    def _reasons(self, name: str) -> Iterator[str]:
        """Which parts failed in the last operation, and why, the first failure first."""
        failures = []
        for event in self._client.describe_stack_events(StackName=name)["StackEvents"]:
            whole_stack = event["PhysicalResourceId"] == event["StackId"]
            if whole_stack and event["ResourceStatus"] in (
                "CREATE_IN_PROGRESS",
                "UPDATE_IN_PROGRESS",
                "DELETE_IN_PROGRESS",
            ):
                break
            # Parts that were only stopped because another one failed tell nothing.
            if event["ResourceStatus"].endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
                failures.append(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}")
        yield from reversed(failures)


def _parameters(wanted: Mapping[str, str | None], *, known: set[str]) -> Iterator[dict[str, object]]:
    for key, value in wanted.items():
        if value is not None:
            yield {"ParameterKey": key, "ParameterValue": value}
        elif key in known:
            yield {"ParameterKey": key, "UsePreviousValue": True}
