"""Compare what the function asked of AWS in the whole test run with what its role allows.

    python -m tests.rights

Run last, when the worlds have recorded as wholes (``tests/recorder.py``). Ends with 1 where the function asked for what
it may not do, and where it may do what it never asked for and nobody wrote down why.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from ecokart import local
from tests import recorder
from tests.recorder import Right

WORLDS = ("unit", "integration", "e2e")
TEMPLATE = local.ROOT / "ecokart" / "aws" / "data.yaml"

#: Who asks for these is Lambda, on the function's behalf, or the gateway and the schedule: no test of ours can.
OF_AWS = {
    "logs:CreateLogStream": "Lambda writes what the function says to its log",
    "logs:PutLogEvents": "the same",
    "xray:PutTraceSegments": "Lambda tells how long calls took",
    "xray:PutTelemetryRecords": "the same",
    "lambda:InvokeFunction": "the gateway and the schedule call the function with this role",
}

#: What no page and no task of these worlds may ask for in every run, and why the function may do it all the same.
UNUSED: dict[Right, str] = {
    ("dynamodb:UpdateItem", "carts"): "prove_stock --repair ends a hold, and an operator may have the function run it",
    ("ses:SendEmail", "ses"): "shops under test write their mails to files; tests/unit/test_post.py sends by SES",
    ("ses:SendRawEmail", "ses"): "the same",
    ("s3:PutObject", "media/products"): "only a browser uploads a picture to a bucket, and not every run has one",
}


def allowed(template: str) -> set[Right]:
    """What the role of the data stack allows, by the short names that the recorder has."""
    from cfn_flip import to_json

    role = json.loads(to_json(template))["Resources"]["Role"]["Properties"]
    (policy,) = role["Policies"]
    return {
        (action, short)
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _listed(statement["Action"])
        for resource in _listed(statement["Resource"])
        for short in _short(action, resource)
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _short(action: str, resource: Any) -> Iterator[str]:
    text = json.dumps(resource)
    service = action.partition(":")[0]
    if service == "dynamodb":
        table, index = re.search(r"(\w+)(?:\.Arn\}|\", \"Arn)", text), re.search(r"/index/([\w-]+)", text)
        assert table, text
        yield table[1].lower() + (f"/index/{index[1]}" if index else "")
    elif service == "s3":
        found = re.search(r"AccountId\}/(\w+)/\*", text)
        assert found, text
        yield f"media/{found[1]}"
    else:
        yield service


def complaints(asked: set[Right], allowed: set[Right]) -> Iterator[str]:
    """What is wrong, as sentences."""
    known = {right for right in allowed if right[0] not in OF_AWS}
    for action, resource in sorted(asked - known):
        yield f"The function asks for {action} on {resource}, which its role (ecokart/aws/data.yaml) does not allow."
    for action, resource in sorted(known - asked - UNUSED.keys()):
        yield f"The role allows {action} on {resource}, which nothing asks for: take it away, or write down why."
    for action, resource in sorted(UNUSED.keys() - known):
        yield f"There is a reason for {action} on {resource}, which the role does not allow."


def missing(worlds: Iterable[str]) -> list[str]:
    """Worlds that have recorded nothing: without them what is never asked for cannot be known."""
    return [world for world in worlds if not recorder.recorded(world)]


def main() -> int:
    if without := missing(WORLDS):
        print(f"Nothing is recorded of {', '.join(without)}. Run: make {' '.join(without)}", file=sys.stderr)
        return 1
    asked = set().union(*map(recorder.recorded, WORLDS))
    may = allowed(TEMPLATE.read_text(encoding="utf-8"))
    found = list(complaints(asked, may))
    for line in found:
        print(line, file=sys.stderr)
    if not found:
        print(f"The function asked for {len(asked)} rights of the {len(may)} that its role has, and for no others.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
