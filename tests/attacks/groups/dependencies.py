"""Whether somebody else's next release could get in by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from ecokart import local
from tests.attacks.groups import Cases

TITLE = "Dependencies"

_PINNED = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==[0-9][A-Za-z0-9.]*")


def attack(how_many: int) -> Cases:
    for file in sorted(local.ROOT.glob("requirements*.txt")):
        for line in file.read_text().splitlines():
            name = line.partition("#")[0].strip()
            if name and not name.startswith("-r "):
                yield f"{file.name}: {name}", "" if _PINNED.fullmatch(name) else "not pinned"


@contextmanager
def weakened() -> Iterator[None]:
    with mock.patch.object(Path, "read_text", lambda *_, **__: "Django>=5\n"):
        yield
