"""gunicorn's settings, wherever the shop is not a function: ``gunicorn --config=python:ecokart.server ecokart.wsgi``.

Whoever stops it (SIGTERM) loses no request. gunicorn by itself does: while its processes answer whom they have let in,
the kernel goes on to make connections for them, and hangs up on all of these at the end. So nobody gets in any more
before they are told to leave. docs/running.md says what that means for whoever runs it.
"""

from __future__ import annotations

import contextlib
import gc
import select
import signal
import socket
import sys
import time
from types import FrameType
from typing import Any

from botocore.exceptions import BotoCoreError
from gunicorn.workers.gthread import ThreadWorker

from ecokart import env, logs

if env.boolean("LOG_JSON", True):
    logconfig_dict = logs.SERVER
worker_class = "ecokart.server.Worker"
# It binds to 0.0.0.0:$PORT and starts $WEB_CONCURRENCY processes by itself.
threads = 4
# In seconds. Longer than proxies keep a connection to us, so that we do not hang up on what they are about to send.
keepalive = 75
# Docker gives 10 from its SIGTERM to its SIGKILL.
graceful_timeout = 8
# Where a heartbeat costs no disk.
worker_tmp_dir = "/dev/shm" if sys.platform == "linux" else None  # noqa: S108 (Its file in it has no name.)
control_socket_disable = True

#: How long whoever has knocked already may take to come in: a way there and back through any network.
HANDSHAKE_SECONDS = 0.2
#: How long a full house may take to look after them. More than that, and Docker ends us.
FULL_HOUSE_SECONDS = 1.5
#: How long a process that has its hands full leaves a newcomer to the others.
AFTER_YOU_SECONDS = 0.001
_SO_BINDTOIFINDEX = 62
_NO_NETWORK = 2**31 - 1


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types.
    """gunicorn's own lets in whoever knocks as long as it is awake, and they stay with it while they are connected: of
    a hundred that came at once one process had up to ninety-nine, and the other one nothing to do."""

    def accept(self, listener: socket.socket) -> None:
        newcomers = 1
        if self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns) > self.cfg.threads:
            time.sleep(AFTER_YOU_SECONDS)
            # To have one for each turn would let them wait longer than anybody else.
            newcomers = self.cfg.threads
        for _ in range(newcomers):
            super().accept(listener)


def when_ready(server: Any) -> None:
    """gunicorn's hook: on SIGTERM close the door, let in who stands in it, and only then send the processes home."""

    def stop(number: int, _frame: FrameType | None) -> None:
        listeners = [listener.sock for listener in server.LISTENERS]
        for listener in listeners:
            let_nobody_in(listener)
        time.sleep(HANDSHAKE_SECONDS)
        limit = time.monotonic() + FULL_HOUSE_SECONDS
        while select.select(listeners, [], [], 0)[0] and time.monotonic() < limit:
            time.sleep(0.01)
        server.signal(number, None)

    signal.signal(signal.SIGTERM, stop)


def post_worker_init(_worker: Any) -> None:
    """gunicorn's hook: what is loaded stays, so nobody looks for garbage in it. The pages that such a look falls into
    wait for its end. With a client for each table, made when it is first needed, that took up to 180 milliseconds."""
    from inventory import dynamodb  # Its models want the settings.

    dynamodb.share_one_client()
    # Where nobody says just now who we are, the first page asks once more.
    with contextlib.suppress(BotoCoreError):
        _ = dynamodb.connection().client
    gc.collect()
    gc.freeze()
    gc.callbacks.append(_stay)


def _stay(phase: str, info: dict[str, int]) -> None:
    """Once more after the first look at everything: by then templates, catalogue and pages are there."""
    if phase == "stop" and info["generation"] == 2:
        gc.callbacks.remove(_stay)
        gc.freeze()


def let_nobody_in(listener: socket.socket) -> None:
    """Refuse new connections from now on, and leave those be that are made or being made.

    To close it would drop those that the kernel has made and nobody has looked at yet; so it moves to a network that
    there is not. Where the kernel does not know how (Linux before 5.7, others), what comes in the last moment is lost.
    """
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, _SO_BINDTOIFINDEX, _NO_NETWORK)
