"""A stack of CloudFormation is made, changed and deleted, and what goes wrong is told in plain words."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from ecokart.aws import deploy, stack
from ecokart.aws.stack import StackFailed, Stacks

NAME = "ecokart-dev-data"
Event = tuple[str, str, str]


class CloudFormation:
    """As much of it as a deployment needs. ``states`` is what a stack goes through after each change."""

    def __init__(self, *states: str, there: str = "", events: tuple[Event, ...] = ()) -> None:
        self.states, self.status, self.events = list(states), there, events
        self.changes: list[tuple[str, dict[str, Any]]] = []
        self.unchanged = False

    def describe_stacks(self, StackName: str) -> dict[str, Any]:
        if self.changes and self.states:
            self.status = self.states.pop(0)
        if not self.status:
            raise refused("describe_stacks", f"Stack with id {StackName} does not exist")
        outputs = [{"OutputKey": "Bucket", "OutputValue": "files"}]
        known = [{"ParameterKey": "AlarmAddress", "ParameterValue": "dana@example.com"}]
        found = {"StackId": NAME, "StackStatus": self.status, "Outputs": outputs, "Parameters": known}
        return {"Stacks": [found]}

    def describe_stack_events(self, StackName: str) -> dict[str, Any]:
        whole = ("whole", "CREATE_IN_PROGRESS", "")
        newest_first = [*reversed(self.events), whole, ("Yesterdays", "CREATE_FAILED", "long ago")]
        return {"StackEvents": [event(*one) for one in newest_first]}

    def create_stack(self, **request: Any) -> None:
        self.changes.append(("create", request))

    def update_stack(self, **request: Any) -> None:
        if self.unchanged:
            raise refused("update_stack", "No updates are to be performed.")
        self.changes.append(("update", request))

    def delete_stack(self, **request: Any) -> None:
        self.changes.append(("delete", request))


def event(part: str, status: str, reason: str) -> dict[str, str]:
    return {
        "StackId": NAME,
        "LogicalResourceId": part,
        "PhysicalResourceId": NAME if part == "whole" else f"{part}-1",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def refused(operation: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, operation)


def stacks(client: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> Stacks:
    monkeypatch.setattr(stack.time, "sleep", lambda _: None)
    made = Stacks(boto3.Session(region_name="eu-central-1"))
    monkeypatch.setattr(made, "_client", client)
    return made


def apply(made: Stacks, **parameters: str | None) -> dict[str, str]:
    return made.apply(NAME, template="Resources: {}", parameters=parameters, tags={"project": "ecokart"})


def test_a_stack_that_is_not_there_is_created_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CloudFormation("CREATE_IN_PROGRESS", "CREATE_COMPLETE")

    outputs = apply(stacks(client, monkeypatch), Stage="dev", AlarmAddress=None)

    ((change, request),) = client.changes
    assert (change, outputs) == ("create", {"Bucket": "files"})
    assert request["Parameters"] == [{"ParameterKey": "Stage", "ParameterValue": "dev"}]


def test_a_stack_that_is_there_is_changed_and_keeps_what_is_not_said_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CloudFormation("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", there="CREATE_COMPLETE")

    apply(stacks(client, monkeypatch), Stage="dev", AlarmAddress=None, MonthlyDollars=None)

    ((change, request),) = client.changes
    assert change == "update"
    assert request["Parameters"][1:] == [{"ParameterKey": "AlarmAddress", "UsePreviousValue": True}]


def test_nothing_to_change_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CloudFormation(there="UPDATE_COMPLETE")
    client.unchanged = True

    assert apply(stacks(client, monkeypatch), Stage="dev") == {"Bucket": "files"}


def test_what_failed_is_told_first_things_first_and_without_what_only_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    events = (
        ("Media", "CREATE_FAILED", "The bucket's name is taken."),
        ("Topic", "CREATE_FAILED", "Resource creation cancelled"),
        ("Role", "CREATE_FAILED", "You may not make roles."),
    )
    client = CloudFormation("ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE", events=events)

    with pytest.raises(StackFailed) as told:
        apply(stacks(client, monkeypatch), Stage="dev")

    assert str(told.value) == (
        "The stack ecokart-dev-data ended as ROLLBACK_COMPLETE:\n"
        "  Media: The bucket's name is taken.\n"
        "  Role: You may not make roles."
    )


def test_what_a_failed_creation_left_is_deleted_before_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CloudFormation("DELETE_COMPLETE", "CREATE_COMPLETE", there="ROLLBACK_COMPLETE")

    apply(stacks(client, monkeypatch), Stage="dev")

    assert [change for change, _ in client.changes] == ["delete", "create"]


def test_deleting_what_is_not_there_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    client = CloudFormation()

    stacks(client, monkeypatch).delete(NAME)

    assert client.changes == []


def test_a_stack_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "_PATIENCE_SECONDS", -60)
    client = CloudFormation("CREATE_IN_PROGRESS")

    with pytest.raises(StackFailed, match="is still CREATE_IN_PROGRESS"):
        apply(stacks(client, monkeypatch), Stage="dev")


def test_the_template_is_short_enough_to_be_sent_as_it_is() -> None:
    assert deploy.TEMPLATE.stat().st_size <= 51_200
