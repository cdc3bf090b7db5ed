"""Visitors who never pause, and who know of every request whether it was answered.

Half of them keep their connection, as a proxy does; the others make a new one for each request. Whoever is refused a
connection has lost nothing: nothing was sent, and a proxy asks elsewhere. A request is lost when it was sent over a
connection that was made, and no whole answer came.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ecokart import local

VISITORS = 12
_PATIENCE_SECONDS = 20
HEADERS = {"Host": "shop.example", "X-Forwarded-Proto": "https", "Accept-Encoding": "gzip"}


class Crowd:
    """What became of the requests so far."""

    def __init__(self, port: int, path: str) -> None:
        self.port, self.path = port, path
        self.lost: list[str] = []
        self.statuses: dict[int, int] = {}
        self.has_to_go = False
        self._changed = threading.Condition()

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    def wait(self, *, answers: int) -> None:
        """Until so many more are answered."""
        with self._changed:
            enough = self.answered + answers
            if not self._changed.wait_for(lambda: self.answered >= enough, _PATIENCE_SECONDS):
                raise TimeoutError(f"{self.answered} answers, {len(self.lost)} lost: {self.lost[:3]}")

    def visit(self, *, keep: bool) -> None:
        """Ask again and again, until nobody is there or it is time to go."""
        connection = self._connection()
        while not self.has_to_go:
            try:
                if connection.sock is None:
                    connection.connect()
            except ConnectionRefusedError:
                return
            if not self._ask(connection) or not keep:
                connection.close()
        connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(local.HOST, self.port, timeout=_PATIENCE_SECONDS)

    def _ask(self, connection: http.client.HTTPConnection) -> bool:
        """Whether it was answered."""
        try:
            connection.request("GET", self.path, headers=HEADERS)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as lost:
            with self._changed:
                self.lost.append(repr(lost))
            return False
        with self._changed:
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            self._changed.notify_all()
        return True


@contextmanager
def crowd(port: int, path: str = "/products/") -> Iterator[Crowd]:
    """Visitors while the block runs. At its end they go, and wait for the answers that they are still owed."""
    people = Crowd(port, path)
    threads = [threading.Thread(target=people.visit, kwargs={"keep": bool(one % 2)}) for one in range(VISITORS)]
    for thread in threads:
        thread.start()
    try:
        yield people
    finally:
        people.has_to_go = True
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
