"""How the function begins, and what it takes."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

from ecokart import observing
from ecokart.aws import gateway, tasks
from ecokart.requests import Shop
from inventory import dynamodb

logger = logging.getLogger(__name__)

Event = dict[str, Any]
Function = Callable[[Event, Any], Any]
WARM_PAGE = "/products/"
#: Lambda ends a function that takes longer than 10 s to begin. A database that is away must not do that to us.
_WARM_SECONDS = 5.0


class UnknownEvent(Exception):
    """The function was called with something that it has no answer to."""


def function() -> Function:
    """Build the shop, warm it up, and give what answers events."""
    django.setup(set_prefix=False)
    dynamodb.share_one_client()
    door = gateway.Door(Shop())
    _warm_up(door)

    def answer(event: Event, context: Any) -> Any:
        request_id = getattr(context, "aws_request_id", "")
        if gateway.speaks(event):
            return door(event, request_id)
        if tasks.is_scheduled(event):
            return tasks.run_scheduled(event, request_id)
        if "manage" in event:
            return tasks.manage(event["manage"], request_id)
        raise UnknownEvent(
            f"An event with {', '.join(sorted(event)) or 'nothing in it'}. This function takes requests of API "
            'Gateway, events of a schedule and {"manage": ["command", …]}.'
        )

    return answer


def _warm_up(door: gateway.Door) -> None:
    """Ask for a page as a visitor would: templates, connection and catalogue are there for the first one.

    In a thread, because nothing waits longer than it may: who comes first finds the database still away, or back.
    """
    thread = threading.Thread(target=_ask, args=[door], name="warm-up", daemon=True)
    thread.start()
    thread.join(_WARM_SECONDS)


def _ask(door: gateway.Door) -> None:
    host = _likely_host()
    # Zappa calls a function by project and stage. The stage counts at the gateway's own address only.
    stage = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "").rpartition("-")[2]
    answer = door(
        {
            "httpMethod": "GET",
            "path": WARM_PAGE,
            "multiValueHeaders": {"Host": [host], "Accept-Encoding": ["gzip"]},
            "requestContext": {
                "identity": {"sourceIp": "127.0.0.1"},
                "domainName": host,
                "stage": stage or gateway.DEFAULT_STAGE,
            },
        },
        observing.WARM_UP,
    )
    if answer["statusCode"] != 200:
        logger.warning("The page for warming up was answered with %s.", answer["statusCode"])


def _likely_host() -> str:
    """A name that the shop answers to, and most visitors use: parts of what is made for a page follow from it."""
    name: str = next(iter(settings.ALLOWED_HOSTS), "")
    return f"warm-up{name}" if name.startswith(".") else name.replace("*", "localhost")
