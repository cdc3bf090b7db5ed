"""DynamoDB's own words for what the engines never say: too busy, a conflict, an error of its own."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

_THROTTLED_WRITE = "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling."
_THROTTLED_READ = (
    "The level of configured provisioned throughput for the table was exceeded. "
    "Consider increasing your provisioning level with the UpdateTable API."
)
_CONFLICT = "Transaction is ongoing for the item"


def throttled(operation: str, request: AWSPreparedRequest) -> AWSResponse:
    if operation == "TransactWriteItems":
        namespace = "com.amazon.coral.availability"
        return _answer(request, 400, {"__type": f"{namespace}#ThrottlingException", "message": _THROTTLED_WRITE})
    return _error(request, 400, "ProvisionedThroughputExceededException", message=_THROTTLED_READ)


def transaction_conflict(operation: str, request: AWSPreparedRequest) -> AWSResponse:
    if operation != "TransactWriteItems":
        return _error(request, 400, "TransactionConflictException", message=_CONFLICT)
    reasons = [{"Code": "TransactionConflict", "Message": _CONFLICT} for _ in _asked(request)["TransactItems"]]
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return _error(request, 400, "TransactionCanceledException", Message=message, CancellationReasons=reasons)


def internal_server_error(_operation: str, request: AWSPreparedRequest) -> AWSResponse:
    return _error(request, 500, "InternalServerError", message="Internal server error")


def first_item_only(request: AWSPreparedRequest, answer: AWSResponse) -> AWSResponse:
    """A BatchGetItem's answer as if the throughput had sufficed for one key. AWS refuses the call if for none."""
    asked, found = _asked(request)["RequestItems"], json.loads(answer.content)
    table = next(iter(asked))
    first, *others = asked[table]["Keys"]
    waiting = {name: part for name, part in asked.items() if name != table}
    if others:
        waiting[table] = asked[table] | {"Keys": others}
    if not waiting:
        return throttled("BatchGetItem", request)
    items = [item for item in found["Responses"].get(table, ()) if all(item[name] == first[name] for name in first)]
    return _answer(request, 200, found | {"Responses": {table: items}, "UnprocessedKeys": waiting})


def _error(request: AWSPreparedRequest, status: int, code: str, **body: Any) -> AWSResponse:
    return _answer(request, status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **body})


def _answer(request: AWSPreparedRequest, status: int, body: dict[str, Any]) -> AWSResponse:
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "MADEUPBYATEST"}
    return AWSResponse(request.url, status, headers, _Raw(json.dumps(body).encode()))


def _asked(request: AWSPreparedRequest) -> dict[str, Any]:
    asked: dict[str, Any] = json.loads(request.body)
    return asked


class _Raw(io.BytesIO):
    """As much of an HTTP response as botocore reads."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()
