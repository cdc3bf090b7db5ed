"""Runs of pytest that each begin with everything of others loaded already: half of a short run would go into that.

    python warm_pytest.py

reads lines of JSON, ``{"tree": …, "arguments": […], "seconds": …}``, and answers each with ``{"code": …, "said": …}``.
A run is a fork of this process in a session of its own, so nothing of it stays; of the shop nothing may be loaded here.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time

_OF_OTHERS = (
    "boto3", "django.test", "hypothesis", "moto.dynamodb.models", "moto.s3.models", "pynamodb.models", "pytest",
    "pytest_django.plugin",
)  # fmt: skip
_POLL_SECONDS = 0.01


def _run(tree: str, arguments: list[str], seconds: float) -> dict[str, object]:
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if not child:
            _become_pytest(tree, arguments, said.fileno())
        code = _ended(child, seconds)
        # Whatever it started goes with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        said.seek(0)
        words = said.read().decode(errors="replace")
    return {"code": code, "said": words if code is not None else f"still running after {seconds} seconds"}


def _become_pytest(tree: str, arguments: list[str], said: int) -> None:
    try:
        os.setsid()
        os.chdir(tree)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.path[0] = tree
        sys.argv = ["pytest", *arguments]
        code = int(importlib.import_module("pytest").main(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as failure:
        os.write(2, repr(failure).encode())
        code = 70
    os._exit(code)


def _ended(child: int, seconds: float) -> int | None:
    """The exit code of a run; None for one that took too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(_POLL_SECONDS)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def main() -> None:
    for name in _OF_OTHERS:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_run(**json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
