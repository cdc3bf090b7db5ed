"""One proof in a process of its own, since a process has one engine for life. Told by ``__main__`` and the tests.

    python -m tests.proofs.one PACKAGE NAME full|quick prove|control SEED

``PACKAGE`` is ``tests.proofs`` or ``tests.attacks``. Prints one JSON object a line: ``{"done": 3, "total": 10}`` while
it runs, ``{"ran": …, "wrong": […], "parts": {…}}`` at the end.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import cast

from tests import engines
from tests.proofs import PACKAGES, Proof, Result, World, quick_garbage

_EVERY_SECONDS = 0.2


def run(package: str, name: str, *, full: bool, control: bool, seed: int) -> Result:
    proof = cast(Proof, importlib.import_module(f"{package}.{name}"))
    with (
        tempfile.TemporaryDirectory(prefix=f"proof-{name}-") as directory,
        engines.running(proof.ENGINE, directory=Path(directory, "engine")) as environment,
    ):
        # Nobody reads a line for each of hundreds of thousands of requests.
        environment = environment | {"LOG_JSON": "0"}
        engines.use(environment)
        open_shop()
        world = World(full, seed, environment, Path(directory, "proof"), _Progress())
        world.directory.mkdir()
        quick_garbage()
        return (proof.control if control else proof.prove)(world)


def open_shop() -> None:
    import django

    django.setup()
    from inventory import tables

    for _ in tables.create():
        pass


class _Progress:
    """Says where the proof is, but not so often that saying it takes time."""

    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, done: int, total: int) -> None:
        if done >= total or time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_SECONDS
            _say({"done": done, "total": total})


def _say(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)


def main(package: str, name: str, size: str, part: str, seed: str) -> int:
    if package not in PACKAGES or size not in ("full", "quick") or part not in ("prove", "control"):
        print(__doc__, file=sys.stderr)
        return 2
    # Whoever is asked to end takes its engine along.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # Before anything of the shop is imported: a proof may well import it.
    os.environ["DJANGO_SETTINGS_MODULE"] = PACKAGES[package]
    result = run(package, name, full=size == "full", control=part == "control", seed=int(seed))
    _say({"ran": result.ran, "wrong": result.wrong, "parts": result.parts})
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
