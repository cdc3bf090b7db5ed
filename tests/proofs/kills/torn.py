"""The mortal shop without transactions: each write of a rule is sent by itself, with the same condition as ever.

Right as long as nobody dies between two of them.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from inventory import dynamodb
from tests.proofs.kills.mortal import application as application
from tests.proofs.kills.mortal import main

_whole = dynamodb.transaction


class _Torn:
    """Looks like a transaction."""

    def __init__(self) -> None:
        self._parts: list[dynamodb.transaction] = []

    def __enter__(self) -> _Torn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        for part in self._parts if kind is None else ():
            part.__exit__(None, None, None)

    def _part(self) -> dynamodb.transaction:
        self._parts.append(_whole())
        return self._parts[-1]

    def update(self, *write: Any, **conditions: Any) -> None:
        self._part().update(*write, **conditions)

    def put(self, *write: Any, **conditions: Any) -> None:
        self._part().put(*write, **conditions)


dynamodb.transaction = _Torn

if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
