"""Everything that there is in an account, as far as the shop could have made it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.rehearsal.aws import Aws

# Service, call, where the names are in the answer.
_LISTS = (
    ("cloudformation", "describe_stacks", "Stacks[].StackName"),
    ("lambda", "list_functions", "Functions[].FunctionName"),
    ("apigateway", "get_rest_apis", "items[].name"),
    ("dynamodb", "list_tables", "TableNames[]"),
    ("iam", "list_roles", "Roles[].RoleName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
)


def everything(aws: Aws) -> set[str]:
    """The names of all parts, each with its service."""
    return set(_names(aws.client))


def _names(client: Callable[[str], Any]) -> Iterator[str]:
    for service, call, path in _LISTS:
        found = client(service).get_paginator(call).paginate().search(path)
        yield from (f"{service} {name}" for name in found if name)
    yield from (f"s3 {one['Name']}" for one in client("s3").list_buckets()["Buckets"])
    yield from (f"events {one['Name']}" for one in client("events").list_rules()["Rules"])
    yield from (f"wafv2 {one['Name']}" for one in client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"])
    yield from (f"board {one['DashboardName']}" for one in client("cloudwatch").list_dashboards()["DashboardEntries"])
