"""Open lines to an engine on loopback: HTTP/1.1 at its plainest, for those who ask hundreds of thousands of times."""

from __future__ import annotations

import socket
from collections import defaultdict, deque
from collections.abc import Iterable

TIMEOUT_SECONDS = 60
_AT_ONCE = 65_536
_BLANK_LINE = b"\r\n\r\n"

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

    def ask(self, headers: Iterable[tuple[str, str | bytes]], body: bytes) -> Answer:
        lines = [b"%b: %b\r\n" % (name.encode(), _bytes(value)) for name, value in headers]
        self._socket.sendall(b"".join([self._head, *lines, b"\r\n", body]))
        head, _, answer = self._read_head().partition(_BLANK_LINE)
        status, *lines_of_head = head.decode("latin-1").split("\r\n")
        found = {}
        for line in lines_of_head:
            name, _, value = line.partition(":")
            found[name.lower()] = value.strip()
        while len(answer) < int(found["content-length"]):
            answer += self._receive()
        return int(status.split()[1]), found, bytes(answer)

    def close(self) -> None:
        self._socket.close()

    def _read_head(self) -> bytearray:
        """Up to the blank line at least."""
        read = bytearray()
        while _BLANK_LINE not in read:
            read += self._receive()
        return read

    def _receive(self) -> bytes:
        part = self._socket.recv(_AT_ONCE)
        if not part:
            raise ConnectionResetError("The engine has hung up.")
        return part


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
