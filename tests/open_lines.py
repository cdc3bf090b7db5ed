"""Open lines to an engine on loopback: HTTP/1.1 at its plainest, for those who ask hundreds of thousands of times."""

from __future__ import annotations

import socket
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import BinaryIO

TIMEOUT_SECONDS = 60

Answer = tuple[int, dict[str, str], bytes]


class Lines:
    """Lines to any number of engines: each is one thread's while it asks, and then anybody's."""

    def __init__(self) -> None:
        self._free: defaultdict[str, deque[_Line]] = defaultdict(deque)

    def ask(self, address: str, headers: Iterable[tuple[str, str | bytes]], body: bytes) -> Answer:
        """POST to a ``host:port``: status, headers in small letters, body. Raises OSError where no answer came."""
        free = self._free[address]
        try:
            line = free.pop()
        except IndexError:
            line = _Line(address)
        try:
            answer = line.ask(headers, body)
        except OSError:
            line.close()
            raise
        free.append(line)
        return answer

    def close(self) -> None:
        for free in self._free.values():
            while free:
                free.pop().close()


class _Line:
    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._head = b"POST / HTTP/1.1\r\nHost: " + address.encode() + b"\r\n"
        self._socket = socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: BinaryIO = self._socket.makefile("rb")

    def ask(self, headers: Iterable[tuple[str, str | bytes]], body: bytes) -> Answer:
        lines = [b"%b: %b\r\n" % (name.encode(), _bytes(value)) for name, value in headers]
        self._socket.sendall(b"".join([self._head, *lines, b"\r\n", body]))
        status = int(self._read_line().split()[1])
        found = {}
        while line := self._read_line():
            name, _, value = line.partition(b":")
            found[name.decode().lower()] = value.strip().decode()
        return status, found, self._answers.read(int(found["content-length"]))

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def _read_line(self) -> bytes:
        line = self._answers.readline()
        if not line:
            raise ConnectionResetError("The engine has hung up.")
        return line.rstrip(b"\r\n")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
