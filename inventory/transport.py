"""What clients of DynamoDB are spared, and how their requests travel: in one piece, over connections that stay open.

The SDK sends them through urllib3, which takes a quarter of the processor time of a whole call to be right for any
address; ours never changes. What is signed, sent again, or taken for an error is the SDK's affair as ever. Where there
is a proxy, or certificates are not to be looked at, the SDK's own way stays.
"""

from __future__ import annotations

import functools
import json
import select
import socket
import ssl
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit

import botocore
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies


def spare() -> None:
    """Spare every client that is made from now on a third of its work, which nobody needs."""
    botocore.register_initializer(_spare)


def _spare(session: Any) -> None:
    # The SDK would put its name together out of thirty parts, twice for each call.
    session.set_default_client_config(Config(user_agent=f"Botocore/{botocore.__version__} ecokart"))
    session.register("creating-client-class.dynamodb", _spare_client)
    for operation in ("GetItem", "Query", "BatchGetItem"):
        session.register(f"before-parse.dynamodb.{operation}", _items_as_they_are)


def _spare_client(base_classes: list[type], **_: Any) -> None:
    base_classes.insert(0, _Client)


class _Client:
    """What a client of the SDK becomes: it asks one address, which is known, over connections of ours."""

    def __init__(self, *, endpoint: Any, client_config: Config, **known: Any) -> None:
        verify = endpoint.http_session._verify
        if is_ordinary(endpoint.host, client_config, verify=verify):
            endpoint.http_session = Session(client_config, verify=verify)
        # Without it the SDK takes the address that the client was made with, and does not work it out at each call.
        known["endpoint_ruleset_resolver"] = None
        super().__init__(endpoint=endpoint, client_config=client_config, **known)  # type: ignore[call-arg]


def _items_as_they_are(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the items of an answer as they are: the SDK would look at every value, which takes longer than all else
    that is done with a large catalogue or a batch. Only bytes have to be decoded; where there may be some, the SDK does
    it."""
    body = response_dict["body"]
    if response_dict["status_code"] == 200 and b'"B"' not in body and b'"BS"' not in body:
        answer = json.loads(body)
        for name in ("Item", "Items", "Responses"):
            if name in answer:
                customized_response_dict[name] = answer.pop(name)
        response_dict["body"] = json.dumps(answer).encode()


def is_ordinary(address: str, config: Config, *, verify: bool | str) -> bool:
    """Whether there is nothing between us and an address that only the SDK's own way knows how to deal with."""
    unusual = [config.proxies, config.proxies_config, config.client_cert, get_environ_proxies(address)]
    return verify is not False and not any(unusual)


class Session:
    """In place of botocore's ``URLLib3Session``, for one address. Safe for threads; keeps as many connections as were
    needed at once, up to the most that the client may keep."""

    def __init__(self, config: Config, *, verify: bool | str) -> None:
        """``verify`` as the SDK has it: a file with the certificates to trust, or True for those that it brings."""
        self._verify = verify
        self._connect_seconds, self._read_seconds = config.connect_timeout, config.read_timeout
        self._most = config.max_pool_connections
        self._idle: list[socket.socket] = []
        weakref.finalize(self, _close, self._idle)

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        """Raises what the SDK tries again after: ConnectTimeoutError, ReadTimeoutError and other HTTPClientErrors."""
        where = urlsplit(request.url)
        connection, is_kept = self._idle_one() or self._opened(where, request.url), False
        try:
            connection.sendall(_written(request, where))
            status, headers, body = _read(connection)
            is_kept = headers.get("connection") != "close" and len(self._idle) < self._most
        except TimeoutError as failed:
            raise ReadTimeoutError(endpoint_url=request.url, error=failed) from failed
        except (OSError, ValueError) as failed:
            raise ConnectionClosedError(endpoint_url=request.url, request=request, error=failed) from failed
        finally:
            # Whatever went wrong: an answer may still be on its way, to whoever would ask next.
            if not is_kept:
                connection.close()
        if is_kept:
            self._idle.append(connection)
        return AWSResponse(request.url, status, headers, _Body(body))

    def close(self) -> None:
        _close(self._idle)

    def _idle_one(self) -> socket.socket | None:
        """A connection that was used before and is still open, the one used last first."""
        with suppress(IndexError):
            while True:
                connection = self._idle.pop()
                if not _has_news(connection):
                    return connection
                connection.close()
        return None

    def _opened(self, where: SplitResult, address: str) -> socket.socket:
        is_secret = where.scheme == "https"
        door = (str(where.hostname), where.port or (443 if is_secret else 80))
        try:
            connection = socket.create_connection(door, timeout=self._connect_seconds)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if is_secret:
                connection = _trusted(self._verify).wrap_socket(connection, server_hostname=where.hostname)
        except ssl.SSLError as failed:
            raise SSLError(endpoint_url=address, error=failed) from failed
        except TimeoutError as failed:
            raise ConnectTimeoutError(endpoint_url=address, error=failed) from failed
        except OSError as failed:
            raise EndpointConnectionError(endpoint_url=address, error=failed) from failed
        connection.settimeout(self._read_seconds)
        return connection


def _written(request: AWSPreparedRequest, where: SplitResult) -> bytes:
    """A request as it is sent, in one piece."""
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    lines = [f"{request.method} {where.path or '/'} HTTP/1.1\r\nHost: {where.netloc}\r\n".encode()]
    for name, value in request.headers.items():
        lines.append(b"%s: %s\r\n" % (name.encode(), value if isinstance(value, bytes) else value.encode()))
    return b"".join([*lines, b"\r\n", body])


def _read(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """An answer as DynamoDB writes it, with its length in front. Raises ValueError where it is not, or breaks off."""
    headers = {}
    with connection.makefile("rb") as answer:
        _, status, _ = answer.readline().split(b" ", 2)
        while (line := answer.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "-1"))
        body = answer.read(max(length, 0))
    if len(body) != length:
        raise ValueError(f"{len(body)} bytes of {length}")
    return int(status), headers, body


def _close(connections: list[socket.socket]) -> None:
    while connections:
        connections.pop().close()


@functools.cache
def _trusted(verify: bool | str) -> ssl.SSLContext:
    """Reading all the certificates takes longer than anything else here."""
    return ssl.create_default_context(cafile=get_cert_path(verify))


def _has_news(idle: socket.socket) -> bool:
    """Whether something came while nobody had asked: mostly that the other side has closed the connection."""
    poll = select.poll()
    poll.register(idle, select.POLLIN)
    return bool(poll.poll(0))


class _Body:
    """An answer's body as the SDK reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body
