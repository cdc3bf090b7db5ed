"""A hundred browsers at once, by ``wrk``: it is written in C and leaves the two cores to those who are measured."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from ecokart import local

CONNECTIONS = 100
_IDLE_AFTER_SECONDS = 30
# Two workers share a port: one that answers says nothing of the other.
_QUICK_ANSWERS = 8
_SCRIPT = Path(__file__).with_name("load.lua")
_FIGURES = re.compile(r"^FIGURES((?: \d+){7})$", re.MULTILINE)


@dataclass(frozen=True)
class Load:
    """What one run of ``wrk`` saw. ``errors`` are answers that never came, ``refusals`` those of 400 and above."""

    requests: int
    per_second: float
    bytes_each: float
    p50_ms: float
    p99_ms: float
    errors: int
    refusals: int


def run(address: str, paths: Path, *, start: int = 0, cookie: str, encoding: str = "identity", seconds: int) -> Load:
    """Ask for the paths of a file for so many seconds, from the ``start``-th on."""
    if not shutil.which("wrk"):
        raise local.CannotRun("wrk is missing. On Debian or Ubuntu: sudo apt-get install wrk")
    command = [
        "wrk", "--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s", "--timeout=30s",
        f"--script={_SCRIPT}", address, "--", str(paths), str(start), cookie, encoding,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)
    _wait_until_idle(address)
    return understood(done.stdout)


def _wait_until_idle(address: str) -> None:
    """Until the server has worked off what it was still asked for when the time was up: it would disturb the next."""
    deadline, quick = time.monotonic() + _IDLE_AFTER_SECONDS, 0
    while quick < _QUICK_ANSWERS and time.monotonic() < deadline:
        began = time.monotonic()
        quick = quick + 1 if local.answers(f"{address}/healthz") and time.monotonic() - began < 0.1 else 0


def understood(printed: str) -> Load:
    """The figures in what ``wrk`` printed."""
    found = _FIGURES.search(printed)
    if found is None:
        raise ValueError(f"wrk gave no figures: {printed}")
    requests, microseconds, size, p50, p99, errors, refusals = map(int, found[1].split())
    return Load(
        requests=requests,
        # None at all counts as one, so that a ratio can be given.
        per_second=max(1, requests) / (microseconds / 1e6),
        bytes_each=size / max(1, requests),
        p50_ms=p50 / 1000,
        p99_ms=p99 / 1000,
        errors=errors,
        refusals=refusals,
    )
