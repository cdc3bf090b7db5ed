"""Take a stage away with everything in it, and look whether anything is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
from botocore.exceptions import ClientError

from ecokart.aws import static
from ecokart.aws.stack import Stacks
from ecokart.aws.stage import CannotDeploy, Stage

# As many as S3 deletes in one request.
_AT_ONCE = 1000


def gateway_arn(stage: Stage, api: str, *, partition: str = "aws") -> str:
    """The gateway's stage, as the firewall names it."""
    return f"arn:{partition}:apigateway:{stage.region}::/restapis/{api}/stages/{stage.name}"


def ask(stage: Stage, *, yes_delete_data: bool, answer: Callable[[str], str] = input) -> None:
    """Let the operator type the stage's name. Raises CannotDeploy when it is not that, or is production just so."""
    if stage.name == "production" and not yes_delete_data:
        raise CannotDeploy(
            "Production is destroyed only with --yes-delete-data, for orders, accounts and pictures are gone for good: "
            "make destroy STAGE=production OPTIONS=--yes-delete-data"
        )
    question = (
        f"This deletes stage {stage.name} with its orders, accounts, products and pictures.\nIts name, to go on: "
    )
    try:
        typed = answer(question).strip()
    except EOFError:
        typed = ""
    if typed != stage.name:
        raise CannotDeploy("That is not its name. Nothing was deleted.")


def run(session: boto3.Session, stage: Stage, *, undeploy: Callable[[], None], say: Callable[[str], None]) -> None:
    """Delete what belongs to a stage: first what answers, then what it knows. Safe to repeat.

    Raises CannotDeploy with what is left.
    """
    stacks = Stacks(session)
    # A firewall that is bound cannot be deleted.
    unbind(session, stage)
    if has_function(session, stage):
        undeploy()
    stacks.delete(stage.function)
    if _domains(session, stage):
        session.client("apigateway").delete_domain_name(domainName=stage.domain)
    if stacks.find(stage.data_stack):
        say("Data stack: emptying the bucket, deleting the tables")
        for bucket in stacks.resources(stage.data_stack, "AWS::S3::Bucket"):
            empty(session, bucket)
        for table in stacks.resources(stage.data_stack, "AWS::DynamoDB::Table"):
            unprotect(session, table)
        stacks.delete(stage.data_stack)
    left = list(remains(session, stage))
    if left:
        raise CannotDeploy("This is left of the stage:\n" + "\n".join(f"  {one}" for one in left))
    say(f"Nothing is left of stage {stage.name}.")


def unbind(session: boto3.Session, stage: Stage) -> None:
    """Let the limit of requests go from the stage's gateway, where there are both."""
    stacks, waf = Stacks(session), session.client("wafv2")
    for api in stacks.resources(stage.function, "AWS::ApiGateway::RestApi") if stacks.find(stage.function) else []:
        arn = gateway_arn(stage, api)
        if _is_bound(waf, arn):
            waf.disassociate_web_acl(ResourceArn=arn)


def _is_bound(waf: Any, arn: str) -> bool:
    try:
        return bool(waf.get_web_acl_for_resource(ResourceArn=arn).get("WebACL"))
    except ClientError as refused:
        # For a gateway that is gone; emulators say so of one that is merely not bound, too.
        if refused.response["Error"]["Code"] != "WAFNonexistentItemException":
            raise
        return False


def _domains(session: boto3.Session, stage: Stage) -> list[str]:
    """The stage's own name on the internet, if the gateway answers to it."""
    client: Any = session.client("apigateway")
    try:
        return [client.get_domain_name(domainName=stage.domain)["domainName"]] if stage.domain else []
    except client.exceptions.NotFoundException:
        return []


def has_function(session: boto3.Session, stage: Stage) -> bool:
    client: Any = session.client("lambda")
    try:
        client.get_function_configuration(FunctionName=stage.function)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def empty(session: boto3.Session, bucket: str) -> None:
    """Delete every file in a bucket: CloudFormation deletes only empty ones."""
    s3: Any = session.client("s3")
    names = list(static.keys(s3, bucket))
    for start in range(0, len(names), _AT_ONCE):
        batch = [{"Key": name} for name in names[start : start + _AT_ONCE]]
        failed = s3.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True}).get("Errors", [])
        if failed:
            raise CannotDeploy(f"{len(failed)} files in {bucket} cannot be deleted, the first: {failed[0]['Message']}")


def unprotect(session: boto3.Session, table: str) -> None:
    """Take a table's protection against deletion away, where it has one. Production's do."""
    client: Any = session.client("dynamodb")
    if client.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
        client.update_table(TableName=table, DeletionProtectionEnabled=False)
        client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})


def remains(session: boto3.Session, stage: Stage) -> Iterator[str]:
    """What there still is of a stage, asked of each service itself and not of the stacks."""
    if has_function(session, stage):
        yield f"function {stage.function}"
    yield from (f"domain {name}" for name in _domains(session, stage))
    for kind, names in _inventory(session, stage):
        yield from (
            f"{kind} {name}" for name in names if name == stage.function or name.startswith(f"{stage.function}-")
        )


def _inventory(session: boto3.Session, stage: Stage) -> Iterator[tuple[str, list[str]]]:
    """The names that there are, by kind. Those of the same kind in other stages are among them."""
    client: Callable[[str], Any] = session.client
    prefix, log = stage.function, "/aws/lambda/"
    stacks = client("cloudformation").get_paginator("describe_stacks").paginate().search("Stacks[].StackName")
    yield "stack", list(stacks)
    yield "table", list(client("dynamodb").get_paginator("list_tables").paginate().search("TableNames[]"))
    yield "bucket", [one["Name"] for one in client("s3").list_buckets()["Buckets"]]
    groups = client("logs").describe_log_groups(logGroupNamePrefix=log + prefix)["logGroups"]
    yield "log", [one["logGroupName"].removeprefix(log) for one in groups]
    yield "schedule", [one["Name"] for one in client("events").list_rules(NamePrefix=prefix)["Rules"]]
    apis = client("apigateway").get_paginator("get_rest_apis").paginate().search("items[].name")
    yield "gateway", [name for name in apis if name]
    yield "role", _role(client("iam"), prefix)
    yield "firewall", [one["Name"] for one in client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]]
    alarms = client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
    yield "alarm", [one["AlarmName"] for one in alarms]
    boards = client("cloudwatch").list_dashboards(DashboardNamePrefix=prefix)["DashboardEntries"]
    yield "dashboard", [one["DashboardName"] for one in boards]
    topics = client("sns").get_paginator("list_topics").paginate().search("Topics[].TopicArn")
    yield "topic", [arn.rpartition(":")[2] for arn in topics if arn]


def _role(iam: Any, name: str) -> list[str]:
    try:
        return [iam.get_role(RoleName=name)["Role"]["RoleName"]]
    except ClientError as refused:
        if refused.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return []
