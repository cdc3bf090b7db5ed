"""Settings of a gunicorn whose clock is three hours ahead, so that a hold of two hours is over without any waiting."""

import time
from typing import Any

import time_machine

# gunicorn takes one file of settings: those of every other shop, and this one's.
from ecokart.server import *  # noqa: F403

HOURS = 3


def post_fork(server: Any, worker: Any) -> None:
    # Only now, in the worker: the clock of the process that watches over it stays right.
    time_machine.travel(time.time() + HOURS * 3600, tick=True).start()
