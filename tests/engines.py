"""The two engines that stand in for DynamoDB where more than one thread writes, each a process on a loopback port.

The shop's code knows nothing of them: the standard AWS variables lead to one or the other. ``ministack`` is the one of
``make run`` and has S3 too; ``dynoxide`` refuses the expressions that AWS refuses, and survives being killed.
"""

from __future__ import annotations

import itertools
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

from ecokart import local

NAMES = ("ministack", "dynoxide")


@contextmanager
def running(name: str, *, directory: Path) -> Iterator[local.Environment]:
    """An empty engine; gives the variables with which a shop finds it."""
    directory.mkdir(parents=True, exist_ok=True)
    port = local.free_port()
    start = {"ministack": local.emulated_aws, "dynoxide": _dynoxide}[name]
    with start(port, directory=directory):
        # Everybody comes from one address here.
        yield local.shop_environment(aws_port=port, directory=directory) | {"LIMITS": "0"}


def use(environment: local.Environment) -> None:
    """Lead this process to an engine. PynamoDB looks at these variables with its first question, and never again."""
    for name, value in environment.items():
        if name.startswith("AWS_"):
            os.environ[name] = value


def address() -> str:
    """Where this process's engine listens, as ``host:port``."""
    url = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or os.environ["AWS_ENDPOINT_URL"]
    return urlsplit(url).netloc


@contextmanager
def renewed(name: str, *, directory: Path) -> Iterator[Callable[[], None]]:
    """Gives what leads this process to an empty engine, as often as it is called; the one before ends then.

    An engine remembers the token of each transaction for ten minutes and goes through all of them at the next: after
    20,000, a transaction takes it five times as long. For those who look where the engine is whenever they ask
    (``quick_sdk``, ``glance``).
    """
    from inventory import tables  # Not before the settings are chosen.

    numbers = itertools.count(1)
    with ExitStack() as present, mock.patch.dict(os.environ):

        def renew() -> None:
            former = present.pop_all()
            use(present.enter_context(running(name, directory=directory / f"{name}-{next(numbers)}")))
            former.close()
            for _ in tables.create():
                pass

        yield renew


@contextmanager
def _dynoxide(port: int, *, directory: Path) -> Iterator[local.Process]:
    """DynamoDB alone, in memory."""
    program = Path(sys.prefix, "dynoxide", "dynoxide")
    if not program.exists():
        raise local.CannotRun("dynoxide is not installed. `make test` does it.")
    command = [str(program), "serve", "--host", local.HOST, "--port", str(port)]
    log = directory / "dynoxide.txt"
    with local.child(command, environment={}, log=log) as process:
        local.wait_until(lambda: _listens(port), what=f"dynoxide (its log is {log})", seconds=30, process=process)
        yield process


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((local.HOST, port)) == 0
