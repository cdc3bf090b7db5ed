"""Writes down what the function asks of AWS while tests run: which right each call needs, and to what.

That is all that is asked while a request or a scheduled task is on its way, in threads that it started too, and nothing
that tests ask for by themselves. Each process writes a file of its own; ``tests.rights`` compares them with the role.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore

from ecokart import local
from inventory import metering

FOLDER = local.ROOT / ".data" / "rights"

_PARTS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
_S3 = {"HeadObject": "GetObject"}
Right = tuple[str, str]


def needed(service: str, operation: str, params: dict[str, Any]) -> Iterator[Right]:
    """The rights that a call needs: an action as IAM calls it, and to what, without the stage's names."""
    if service == "dynamodb":
        yield from (("dynamodb:" + action, _short(table)) for action, table in _of_tables(operation, params))
    elif service == "s3":
        folder = str(params.get("Key", "")).partition("/")[0]
        yield f"s3:{_S3.get(operation, operation)}", f"media/{folder}"
    elif service == "sesv2":
        yield f"ses:{operation}", "ses"
        if "Raw" in params.get("Content", {}):
            yield "ses:SendRawEmail", "ses"
    else:
        yield f"{service}:{operation}", service


def _of_tables(operation: str, params: dict[str, Any]) -> Iterator[Right]:
    if operation in {"TransactGetItems", "TransactWriteItems"}:
        for item in params["TransactItems"]:
            ((kind, part),) = item.items()
            yield _PARTS[kind], part["TableName"]
    elif operation == "BatchGetItem":
        yield from ((operation, table) for table in params["RequestItems"])
    else:
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield operation, params.get("TableName", "") + index


def _short(table: str) -> str:
    return table.removeprefix("ecokart-")


class Recorder:
    """Writes each right once. ``always`` is for a process that does nothing but serve."""

    def __init__(self, file: Path, *, always: bool = False) -> None:
        self._file, self._always = file, always
        self.seen: set[Right] = set()
        self._on_their_way = 0
        file.parent.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """For all clients that are made from now on."""
        botocore.register_initializer(lambda session: session.register("before-parameter-build", self._hear))
        self._billed = metering.billed
        metering.billed = self._watched  # type: ignore[assignment]

    @contextmanager
    def _watched(self) -> Iterator[metering.Bill]:
        """Bills are opened for requests and tasks only."""
        self._on_their_way += 1
        try:
            with self._billed() as bill:
                yield bill
        finally:
            self._on_their_way -= 1

    def _hear(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        if self._always or self._on_their_way:
            self.note(set(needed(model.service_model.service_name, model.name, params)))

    def note(self, rights: set[Right]) -> None:
        new = rights - self.seen
        self.seen |= new
        if new:
            with self._file.open("a", encoding="utf-8") as file:
                file.writelines(f"{action} {resource}\n" for action, resource in sorted(new))


#: The recorders of this process.
active: list[Recorder] = []


def record(world: str, *, always: bool = False) -> None:
    """Record what this process asks for, as part of a world of tests."""
    active.append(Recorder(FOLDER / world / f"{os.getpid()}.txt", always=always))
    active[-1].start()


def begin(world: str) -> None:
    """What an earlier run has recorded says nothing of the code as it is now, unless this is the second half of one."""
    # One process begins, and starts the others.
    if not {"PYTEST_XDIST_WORKER", "RECORDING_GOES_ON"} & os.environ.keys():
        shutil.rmtree(FOLDER / world, ignore_errors=True)


def recorded(world: str) -> set[Right]:
    """What a world's last run has asked for."""
    lines = (line for file in (FOLDER / world).glob("*.txt") for line in file.read_text(encoding="utf-8").splitlines())
    return {(action, resource) for action, _, resource in (line.partition(" ") for line in lines)}
