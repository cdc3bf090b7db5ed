"""The SDK without what costs much and proves nothing: its name, its signature, and the layers over a plain socket.

A proof makes hundreds of thousands of calls to an engine on loopback; half of what a call costs goes into these. What
the shop asks, what the SDK makes of it, its errors and its further attempts stay as they are.
"""

from __future__ import annotations

import io
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO
from unittest import mock
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.useragent import UserAgentString

TIMEOUT_SECONDS = 60
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature=" + "0" * 64
)


@contextmanager
def quick_sdk() -> Iterator[None]:
    """All calls of this process go the short way meanwhile."""
    engine = _Engine()
    with (
        closing(engine),
        mock.patch.object(UserAgentString, "to_string", _name),
        mock.patch.object(SigV4Auth, "add_auth", _add_auth),
        mock.patch.object(URLLib3Session, "send", engine.send),
    ):
        yield


def _name(_self: UserAgentString) -> str:
    return "ecokart-proofs"


def _add_auth(_self: SigV4Auth, request: Any) -> None:
    """The engines want a signature; whose it is they do not ask."""
    request.headers["X-Amz-Date"] = "20260101T000000Z"
    request.headers["Authorization"] = _SIGNED


class _Engine:
    """Connections to the engine: each is one thread's while it asks, and then anybody's."""

    def __init__(self) -> None:
        self._free: deque[_Connection] = deque()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        try:
            connection = self._free.pop()
        except IndexError:
            connection = _Connection(urlsplit(request.url).netloc)
        try:
            answer = connection.ask(request)
        except OSError as broken:
            connection.close()
            raise ConnectionClosedError(endpoint_url=request.url, error=broken) from broken
        self._free.append(connection)
        return answer

    def close(self) -> None:
        while self._free:
            self._free.pop().close()


class _Body(io.BytesIO):
    """What has been read, as the SDK wants it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.getvalue()


class _Connection:
    def __init__(self, address: str) -> None:
        host, _, port = address.partition(":")
        self._host = address.encode()
        self._socket = socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers: BinaryIO = self._socket.makefile("rb")

    def ask(self, request: AWSPreparedRequest) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        head = [b"POST / HTTP/1.1", b"Host: " + self._host]
        head += [name.encode() + b": " + _bytes(value) for name, value in request.headers.items()]
        self._socket.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)
        status = int(self._line().split()[1])
        headers = {}
        while line := self._line():
            name, _, value = line.partition(b":")
            headers[name.decode().lower()] = value.strip().decode()
        raw = _Body(self._answers.read(int(headers["content-length"])))
        return AWSResponse(request.url, status, headers, raw)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()

    def _line(self) -> bytes:
        line = self._answers.readline()
        if not line:
            raise ConnectionResetError("The engine has hung up.")
        return line.rstrip(b"\r\n")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
