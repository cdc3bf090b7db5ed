"""The tables of the data stack are those of the models, and no right is wider than what it is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cfn_flip import to_json
from pynamodb.models import Model

from ecokart import local
from ecokart.aws import metrics, tasks
from inventory.models import tables

TEMPLATE = local.ROOT / "ecokart" / "aws" / "data.yaml"


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(to_json(TEMPLATE.read_text(encoding="utf-8")))["Resources"]
    return found


def of_model(model: type[Model]) -> dict[str, Any]:
    """What a model's table is made with, by the names that CloudFormation has for it."""
    schema = model._get_schema()
    return {
        "AttributeDefinitions": by_name(schema["attribute_definitions"]),
        "KeySchema": hash_key_first(schema["key_schema"]),
        "GlobalSecondaryIndexes": {
            index["index_name"]: [*hash_key_first(index["key_schema"]), index["projection"]]
            for index in schema["global_secondary_indexes"]
        },
        "TimeToLive": ttl.attr_name if (ttl := model._ttl_attribute()) else None,
    }


def of_template(table: dict[str, Any]) -> dict[str, Any]:
    return {
        "AttributeDefinitions": by_name(table["AttributeDefinitions"]),
        "KeySchema": table["KeySchema"],
        "GlobalSecondaryIndexes": {
            index["IndexName"]: index["KeySchema"] + [index["Projection"]]
            for index in table.get("GlobalSecondaryIndexes", [])
        },
        "TimeToLive": table.get("TimeToLiveSpecification", {}).get("AttributeName"),
    }


def hash_key_first(keys: list[dict[str, str]]) -> list[dict[str, str]]:
    """As PynamoDB sends them."""
    return sorted(keys, key=lambda one: one["KeyType"])


def by_name(attributes: list[dict[str, str]]) -> dict[str, str]:
    return {one["AttributeName"]: one["AttributeType"] for one in attributes}


def named(resources: dict[str, Any]) -> dict[str, Any]:
    """The stack's tables, by the end of their names."""
    found = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::DynamoDB::Table"]
    return {table["TableName"]["Fn::Sub"].removeprefix("ecokart-${Stage}-"): table for table in found}


def test_each_table_of_the_stack_is_the_models(resources: dict[str, Any]) -> None:
    ours = {model.Meta.table_name.rpartition("-")[2]: of_model(model) for model in tables()}

    assert {name: of_template(table) for name, table in named(resources).items()} == ours


def test_every_table_costs_nothing_at_rest_and_keeps_its_data_in_production(resources: dict[str, Any]) -> None:
    only_in_production = {"Fn::If": ["IsProduction", True, False]}
    for table in named(resources).values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["SSESpecification"] == {"SSEEnabled": True}
        assert table["DeletionProtectionEnabled"] == only_in_production
        assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": only_in_production}


def test_every_right_names_what_it_is_for(resources: dict[str, Any]) -> None:
    (policy,) = resources["Role"]["Properties"]["Policies"]
    for statement in policy["PolicyDocument"]["Statement"]:
        assert "*" not in json.dumps(statement["Action"])
        if statement["Sid"] == "Traces":
            continue  # X-Ray has nothing to name.
        assert "*" not in json.dumps(statement["Resource"]).replace("${AWS::AccountId}/products/*", "")


# Alarms


def alarms(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The stack's alarms, by the end of their names."""
    found = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    return {one["AlarmName"]["Fn::Sub"].removeprefix("ecokart-${Stage}-"): one for one in found}


def dimensions(alarm: dict[str, Any]) -> set[str]:
    return {one["Name"] for one in alarm["Dimensions"]}


def test_every_alarm_tells_somebody_when_it_begins_and_when_it_is_over(resources: dict[str, Any]) -> None:
    for alarm in alarms(resources).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "Topic"}]
        assert alarm["AlarmDescription"]


def test_every_table_has_an_alarm_for_refused_writes(resources: dict[str, Any]) -> None:
    assert {f"{name}-throttles" for name in named(resources)} <= alarms(resources).keys()


def test_an_alarm_looks_where_dynamodb_counts(resources: dict[str, Any]) -> None:
    """It counts by exactly these dimensions. An alarm on any others has no data and never goes off."""
    of_table, of_index = {"TableName"}, {"TableName", "GlobalSecondaryIndexName"}
    known = {
        "WriteThrottleEvents": [of_table, of_index],
        "ReadThrottleEvents": [of_table, of_index],
        "TransactionConflict": [of_table],
        "SystemErrors": [{"TableName", "Operation"}],
    }
    looking = [alarm for alarm in alarms(resources).values() if alarm["Namespace"] == "AWS/DynamoDB"]

    assert {alarm["MetricName"] for alarm in looking} == known.keys()
    for alarm in looking:
        assert dimensions(alarm) in known[alarm["MetricName"]]


def test_an_alarm_on_a_metric_of_ours_looks_at_one_that_is_written(
    resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "_stage", lambda: "dev")
    looking = [alarm for alarm in alarms(resources).values() if alarm["Namespace"] == metrics.NAMESPACE]

    assert {alarm["MetricName"] for alarm in looking} == set(tasks._METRICS.values())
    for alarm in looking:
        (directive,) = metrics.of_task(**{alarm["MetricName"]: 1.0})["_aws"]["CloudWatchMetrics"]
        assert [dimensions(alarm)] == [set(one) for one in directive["Dimensions"]]


# What costs something while nobody visits


def test_the_limit_of_requests_is_a_choice_and_on_in_production(resources: dict[str, Any]) -> None:
    whole = json.loads(to_json(TEMPLATE.read_text(encoding="utf-8")))
    wanted, in_production = {"Fn::Equals": [{"Ref": "LimitRequests"}, "on"]}, {"Ref": "Stage"}
    nothing_said = {"Fn::Equals": [{"Ref": "LimitRequests"}, ""]}

    assert resources["Firewall"]["Condition"] == whole["Outputs"]["Firewall"]["Condition"] == "HasFirewall"
    assert whole["Conditions"]["HasFirewall"] == {
        "Fn::Or": [wanted, {"Fn::And": [nothing_said, {"Fn::Equals": [in_production, "production"]}]}]
    }
    assert whole["Parameters"]["LimitRequests"]["Default"] == ""
