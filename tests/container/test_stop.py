"""Whoever stops a container, or one of its processes, loses no request of anybody."""

from __future__ import annotations

import os
import signal

from tests.container.crowd import crowd

# What the image would run if the shop had no settings of its own for gunicorn.
PLAIN = ["gunicorn", "ecokart.wsgi", "--worker-class=gthread", "--threads=4", "--no-control-socket"]
BEFORE = 50


def test_gunicorn_by_itself_loses_requests(start):
    """If nothing is lost here, the tests below prove nothing."""
    with start(PLAIN) as container, crowd(container.port) as people:
        people.wait(answers=BEFORE)
        container.stop()

    assert people.lost != []


def test_a_stop_loses_nothing(start):
    with start() as container, crowd(container.port) as people:
        people.wait(answers=BEFORE)
        code = container.stop()

        assert not container.is_healthy()
    assert code == 0
    assert people.lost == []
    assert set(people.statuses) == {200}


def test_a_process_that_is_replaced_loses_nothing(start):
    with start() as container, crowd(container.port) as people:
        leaving, _ = container.workers()
        people.wait(answers=BEFORE)
        os.kill(leaving, signal.SIGTERM)
        container.wait(lambda: leaving not in container.workers())
        people.wait(answers=BEFORE)

    assert people.lost == []


def test_new_processes_in_place_of_old_ones_lose_nothing(start):
    """A reload: SIGHUP."""
    with start() as container, crowd(container.port) as people:
        leaving = set(container.workers())
        people.wait(answers=BEFORE)
        container.process.send_signal(signal.SIGHUP)
        container.wait(lambda: leaving.isdisjoint(container.workers()))
        people.wait(answers=BEFORE)

    assert people.lost == []
