"""The same requests as the shop's, sent through botocore alone: what the shop's own work is measured against.

A rule of the shop is listened to once. What it asked for is then sent again for other customers, with their ids in the
place of the first one's. So the requests are the shop's own, word for word, and nothing is done but to send them and to
read the answers; making them is not timed. No program can do with less.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import botocore.config
import botocore.session

from benchmarks import meter
from inventory.models import Mail, Movement, TableMeta

Request = tuple[str, dict[str, Any]]
#: Texts that stand in the first customer's requests, and what stands there in another's.
Names = dict[str, str]


def client() -> Any:
    """A client with the shop's time-outs and pool, and like PynamoDB's one that does not check parameters."""
    config = botocore.config.Config(
        parameter_validation=False,
        connect_timeout=TableMeta.connect_timeout_seconds,
        read_timeout=TableMeta.read_timeout_seconds,
        max_pool_connections=TableMeta.max_pool_connections,
        retries={"total_max_attempts": 1 + TableMeta.max_retry_attempts, "mode": "standard"},
    )
    return botocore.session.get_session().create_client("dynamodb", TableMeta.region, config=config)


def heard(rule: Callable[[], object]) -> list[Request]:
    """What a rule asks DynamoDB for."""
    requests: list[Request] = []

    def hear(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests.append((model.name, json.loads(json.dumps(params))))

    with meter.listening("before-parameter-build.dynamodb", hear):
        rule()
    return requests


def instead(requests: Sequence[Request], names: Names) -> list[Request]:
    """The same requests for somebody else: other names, a token and keys of movements and mails of their own."""
    text = json.dumps(requests)
    for old, new in names.items():
        text = text.replace(old, new)
    others: list[Request] = [(operation, params) for operation, params in json.loads(text)]
    for _, params in others:
        if "ClientRequestToken" in params:
            params["ClientRequestToken"] = str(uuid.uuid4())
        for action in params.get("TransactItems", ()):
            put = action.get("Put", {})
            item, table = put.get("Item", {}), put.get("TableName")
            if table == Movement.Meta.table_name:
                item["time"]["S"] = f"{item['time']['S'].partition('#')[0]}#{secrets.token_hex(4)}"
            if table == Mail.Meta.table_name:
                item["id"]["S"] = str(uuid.uuid4())
    return others


_METHODS = {"BatchGetItem": "batch_get_item", "GetItem": "get_item", "TransactWriteItems": "transact_write_items"}


def send(to: Any, requests: Sequence[Request]) -> None:
    """One after the other, each waited for."""
    for operation, params in requests:
        getattr(to, _METHODS[operation])(**params)
