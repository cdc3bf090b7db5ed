"""The shop, with a file that gets a ``c`` for each call to the database and a ``p`` for each page. CALLS_FILE names it.

Every client is counted, those of threads in the background too, and every second try.
"""

from __future__ import annotations

import os
from typing import Any

import botocore.session

_calls = os.open(os.environ["CALLS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_create_client = botocore.session.Session.create_client


def _count(**_: Any) -> None:
    os.write(_calls, b"c")


def _create_counted_client(session: botocore.session.Session, *arguments: Any, **options: Any) -> Any:
    client = _create_client(session, *arguments, **options)
    client.meta.events.register("before-send.dynamodb", _count)
    return client


botocore.session.Session.create_client = _create_counted_client

from ecokart.wsgi import application as shop  # noqa: E402


def application(environ: dict[str, Any], start_response: Any) -> Any:
    if environ["PATH_INFO"] != "/healthz":
        os.write(_calls, b"p")
    return shop(environ, start_response)
