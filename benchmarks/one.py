"""One part of a report in a process of its own on an engine of its own, since a process has one engine for life.

    python -m benchmarks.one PART ENGINE full|quick

Prints what the part's ``measure`` gives, as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ecokart import local
from tests import engines

PARTS = ("costs", "speed", "conflicts", "proving", "page_load", "sizes", "visits", "starts", "warm", "kinds")
_AT_MOST_SECONDS = 2400


def measured(part: str, engine: str, *, full: bool) -> Any:
    """What a part measures on an engine."""
    command = [sys.executable, "-m", "benchmarks.one", part, engine, "full" if full else "quick"]
    done = subprocess.run(command, cwd=local.ROOT, stdout=subprocess.PIPE, check=True, timeout=_AT_MOST_SECONDS)
    # Commands that a part started may have told of their progress before.
    return json.loads(done.stdout.splitlines()[-1])


def run(part: str, engine: str, *, full: bool) -> Any:
    with (
        tempfile.TemporaryDirectory(prefix=f"bench-{part}-") as directory,
        engines.running(engine, directory=Path(directory)) as environment,
    ):
        engines.use(environment)
        import django

        django.setup()
        from inventory import tables

        for _ in tables.create():
            pass
        return importlib.import_module(f"benchmarks.{part}").measure(full=full)


def main(arguments: list[str]) -> int:
    if len(arguments) != 3 or arguments[0] not in PARTS or arguments[1] not in engines.NAMES:
        print(__doc__, file=sys.stderr)
        return 2
    part, engine, size = arguments
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    json.dump(run(part, engine, full=size == "full"), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
