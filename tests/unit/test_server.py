"""gunicorn's settings: the door is closed before anybody is sent home."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import CredentialRetrievalError
from botocore.session import Session
from gunicorn.workers.gthread import ThreadWorker

from ecokart import local, server
from inventory import dynamodb
from inventory.models import models


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server((local.HOST, 0)) as listener:
        listener.setblocking(False)
        yield listener


def test_nobody_gets_in_any_more_and_who_is_in_stays(listener: socket.socket):
    with socket.create_connection(listener.getsockname()) as visitor:
        server.let_nobody_in(listener)

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname(), timeout=5)
        accepted, _ = listener.accept()
        with accepted:
            accepted.sendall(b"welcome")
            assert visitor.recv(7) == b"welcome"


def test_a_kernel_that_does_not_know_how_is_no_error(listener: socket.socket, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "_SO_BINDTOIFINDEX", 9999)

    server.let_nobody_in(listener)

    socket.create_connection(listener.getsockname(), timeout=5).close()


@pytest.fixture
def sigterm() -> Iterator[None]:
    """The signal's own meaning is given back."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("sigterm")
def test_the_signal_is_passed_on_when_nobody_waits(listener: socket.socket, monkeypatch: pytest.MonkeyPatch):
    done: list[object] = []
    master = SimpleNamespace(LISTENERS=[SimpleNamespace(sock=listener)], signal=lambda number, _: done.append(number))

    def sleep(_seconds: float) -> None:
        done.append("wait")
        if len(done) == 2:
            # One of the processes does this.
            listener.accept()[0].close()

    monkeypatch.setattr(server.time, "sleep", sleep)
    server.when_ready(master)

    with socket.create_connection(listener.getsockname()):
        signal.raise_signal(signal.SIGTERM)

    assert done == ["wait", "wait", signal.SIGTERM]


@pytest.mark.usefixtures("sigterm")
def test_a_house_that_stays_full_is_left_all_the_same(listener: socket.socket, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server, "HANDSHAKE_SECONDS", 0)
    monkeypatch.setattr(server, "FULL_HOUSE_SECONDS", 0.02)
    done: list[int] = []
    server.when_ready(SimpleNamespace(LISTENERS=[SimpleNamespace(sock=listener)], signal=lambda n, _: done.append(n)))

    with socket.create_connection(listener.getsockname()):
        signal.raise_signal(signal.SIGTERM)

    assert done == [signal.SIGTERM]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a process begins with: no client, and garbage looked for everywhere."""
    for model in models():
        monkeypatch.setattr(model._get_connection(), "connection", model._get_connection().connection)
    dynamodb.connection.cache_clear()
    before = list(gc.callbacks)
    yield
    gc.callbacks[:] = before
    dynamodb.connection.cache_clear()
    gc.unfreeze()


@pytest.mark.usefixtures("clients")
def test_nobody_looks_for_garbage_in_what_stays():
    server.post_worker_init(None)

    assert gc.get_freeze_count() > 10_000


@pytest.mark.usefixtures("clients")
def test_every_table_is_asked_through_one_client_in_which_nobody_looks_for_garbage():
    server.post_worker_init(None)

    clients = {id(model._get_connection().connection.client) for model in models()}
    assert clients == {id(dynamodb.connection().client)}
    assert not clients & set(map(id, gc.get_objects()))


@pytest.mark.usefixtures("clients")
def test_a_process_begins_where_nobody_says_who_it_is(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object, **__: object) -> None:
        raise CredentialRetrievalError(provider="container-role", error_msg="no answer")

    monkeypatch.setattr(Session, "create_client", refuse)

    server.post_worker_init(None)

    assert gc.get_freeze_count() > 10_000


@pytest.mark.usefixtures("clients")
def test_what_the_first_visitors_have_loaded_stays_too_and_what_comes_later_is_looked_at():
    server.post_worker_init(None)
    loaded: list[list[None]] = [[]]

    gc.collect()
    later: list[list[None]] = [[]]
    gc.collect()

    looked_at = set(map(id, gc.get_objects()))
    assert id(loaded) not in looked_at
    assert id(later) in looked_at


def _let_in(kind: type[Any], listener: socket.socket, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many of 24 that knock at once each of two processes lets in, of which the second one is slow to wake up."""
    connections: list[Any] = []
    monkeypatch.setattr(ThreadWorker, "enqueue_req", lambda _, connection: connections.append(connection))
    first, second = (kind.__new__(kind) for _ in range(2))
    for worker in (first, second):
        worker.cfg, worker.nr_conns = SimpleNamespace(threads=4), 0
        worker.keepalived_conns, worker.pending_conns = [], []
    monkeypatch.setattr(server.time, "sleep", lambda _: [ThreadWorker.accept(second, listener) for _ in range(4)])
    with ExitStack() as stack:
        for _ in range(24):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        while first.nr_conns + second.nr_conns < 24:
            first.accept(listener)
        for connection in connections:
            connection.close()
    return [first.nr_conns, second.nr_conns]


def test_gunicorns_own_process_lets_in_whoever_knocks(listener: socket.socket, monkeypatch: pytest.MonkeyPatch):
    assert _let_in(ThreadWorker, listener, monkeypatch) == [24, 0]


def test_a_process_that_has_its_hands_full_leaves_newcomers_to_another(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
):
    assert min(_let_in(server.Worker, listener, monkeypatch)) >= 8


def test_docker_does_not_end_what_is_not_finished():
    docker_gives_seconds = 10

    waited = server.HANDSHAKE_SECONDS + server.FULL_HOUSE_SECONDS + server.graceful_timeout
    assert waited < docker_gives_seconds
