"""The shop with a wish to die: it kills its own process right before or right after the n-th question to DynamoDB.

A request says so in a header (``X-Die: 3 after``), a command in its arguments:

    python -m tests.proofs.kills.mortal "3 after" release_expired

After means: the database has done it, and nobody has read its answer yet. To import this opens connections.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any

from ecokart.wsgi import application as shop
from inventory import dynamodb
from inventory.models import models

#: What is still to happen in this thread: how many questions, and on which side of the last one the end comes.
_fate = threading.local()


def doom(words: str) -> None:
    """Decide this thread's fate: ``3 before``, ``3 after``, or nothing."""
    number, _, _fate.side = words.partition(" ")
    _fate.questions = int(number or 0)


def _ask(**_: Any) -> None:
    left = getattr(_fate, "questions", 0)
    if left == 1 and _fate.side == "before":
        os.kill(os.getpid(), signal.SIGKILL)


def _hear(**_: Any) -> None:
    left = getattr(_fate, "questions", 0)
    if left == 1 and _fate.side == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    _fate.questions = left - 1


def _listen() -> None:
    connections = [model._get_connection().connection for model in models()]
    for connection in (dynamodb.connection(), *connections):
        connection.client.meta.events.register("before-call.dynamodb", _ask)
        connection.client.meta.events.register("after-call.dynamodb", _hear)
        connection.client.meta.events.register("after-call-error.dynamodb", _hear)


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    doom(environ.get("HTTP_X_DIE", ""))
    answer: Iterable[bytes] = shop(environ, start_response)
    return answer


def main(fate: str, *command: str) -> int:
    from django.core.management import call_command

    doom(fate)
    call_command(*command)
    return 0


_listen()

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
