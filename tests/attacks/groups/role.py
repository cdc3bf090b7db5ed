"""What the function could do on AWS if somebody took it over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from ecokart import local
from tests.attacks.groups import Cases

TITLE = "The function's rights"

_STACK = local.ROOT / "ecokart" / "aws" / "data.yaml"
#: Not Scan: the nightly ``prove_stock`` reads whole tables.
NEVER = ("dynamodb:*", "s3:*", "dynamodb:DeleteTable", "dynamodb:CreateTable", "dynamodb:UpdateTable", "lambda:*", "iam:", "sts:", "route53:", "kinesis:", "sqs:", "sns:", "ec2:", "s3:PutBucketPolicy")  # fmt: skip


def attack(how_many: int) -> Cases:
    statements = list(_statements(yaml.load(_STACK.read_text(), Loader=_Loader)))
    yield "the policy", "" if statements else "there is none"
    for number, statement in enumerate(statements):
        actions = _list(statement["Action"])
        yield f"statement {number}: any action", next((one for one in actions if "*" in one), "")
        yield f"statement {number}: on anything", "" if _is_bound(statement) else f"{actions} on *"
        for never in NEVER:
            yield f"statement {number}: {never}", next((one for one in actions if one.startswith(never)), "")


def _is_bound(statement: dict[str, Any]) -> bool:
    """Traces are nobody's resource: AWS takes only ``*`` for them."""
    return "*" not in _list(statement["Resource"]) or all(one.startswith("xray:") for one in _list(statement["Action"]))


def _statements(stack: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for resource in stack["Resources"].values():
        if resource["Type"] in {"AWS::IAM::Role", "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"}:
            own = resource["Properties"]
            for policy in [own, *own.get("Policies", [])]:
                yield from policy.get("PolicyDocument", {}).get("Statement", [])


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


class _Loader(yaml.SafeLoader):
    """CloudFormation's own words (``!Sub``) are read as what they are about."""


def _anything(loader: yaml.Loader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    return loader.construct_sequence(node) if isinstance(node, yaml.SequenceNode) else loader.construct_mapping(node)


yaml.add_multi_constructor("!", _anything, Loader=_Loader)


@contextmanager
def weakened() -> Iterator[None]:
    """The policy that Zappa would make."""
    text = _STACK.read_text().replace("dynamodb:GetItem", "dynamodb:*")
    with mock.patch.object(Path, "read_text", lambda *_, **__: text):
        yield
