"""What clients of DynamoDB are spared, and how their requests travel: in one piece, over connections that stay open.

The SDK sends them through urllib3, which takes a quarter of the processor time of a whole call to be right for any
address; ours never changes. What is signed, sent again, or taken for an error is the SDK's affair as ever. Where there
is a proxy, or certificates are not to be looked at, the SDK's own way stays.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
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
from botocore.auth import AUTH_TYPE_MAPS, SIGNED_HEADERS_BLACKLIST, SigV4Auth, _host_from_url
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.config import Config
from botocore.endpoint import Endpoint
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.httpsession import get_cert_path
from botocore.serialize import JSONSerializer
from botocore.utils import get_environ_proxies

#: As it is signed and sent: of the few addresses that there are.
_host = functools.lru_cache(maxsize=32)(_host_from_url)
#: What the SDK knows our way of signing by.
_SIGNED_ONCE = "v4-once"


def spare() -> None:
    """Spare every client that is made from now on a third of its work, which nobody needs."""
    botocore.register_initializer(_spare)


def _spare(session: Any) -> None:
    # The SDK would put its name together out of thirty parts, twice for each call.
    session.set_default_client_config(Config(user_agent=f"Botocore/{botocore.__version__} ecokart"))
    session.register("creating-client-class.dynamodb", _spare_client)
    AUTH_TYPE_MAPS[_SIGNED_ONCE] = _Signer
    session.register("choose-signer.dynamodb", _sign_once)
    for operation in ("GetItem", "Query", "BatchGetItem"):
        session.register(f"before-parse.dynamodb.{operation}", _items_as_they_are)


def _spare_client(base_classes: list[type], **_: Any) -> None:
    base_classes.insert(0, _Client)


class _Client:
    """What a client of the SDK becomes: it asks one address, which is known, over connections of ours."""

    def __init__(self, *, endpoint: Any, client_config: Config, **known: Any) -> None:
        verify = endpoint.http_session._verify
        if is_ordinary(endpoint.host, client_config, verify=verify):
            endpoint = _Endpoint(
                endpoint.host,
                endpoint._endpoint_prefix,
                endpoint._event_emitter,
                endpoint._response_parser_factory,
                Session(client_config, verify=verify),
            )
        # Not where questions are looked at before they are sent: there is another class around it then.
        if isinstance(known["serializer"], JSONSerializer):
            known["serializer"] = _Serializer(known["serializer"])
        # Without it the SDK takes the address that the client was made with, and does not work it out at each call.
        known["endpoint_ruleset_resolver"] = None
        super().__init__(endpoint=endpoint, client_config=client_config, **known)  # type: ignore[call-arg]


class _Headers(dict[str, Any]):
    """Headers by their names in small letters. The SDK has those of an e-mail, and copies them into another kind."""

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name.lower())

    def __setitem__(self, name: str, value: Any) -> None:
        super().__setitem__(name.lower(), value)

    def __delitem__(self, name: str) -> None:
        super().__delitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    replace_header = __setitem__


class _Endpoint(Endpoint):  # type: ignore[misc]
    """DynamoDB's address. A request has one set of headers, from when it is made until it is sent."""

    def create_request(self, params: dict[str, Any], operation_model: Any = None) -> AWSPreparedRequest:
        request = AWSRequest(params["method"], params["url"], data=params["body"])
        request.context, request.headers = params["context"], _Headers()
        for name, value in params["headers"].items():
            request.headers[name] = value
        name = operation_model.name
        self._event_emitter.emit(f"request-created.dynamodb.{name}", request=request, operation_name=name)
        request.headers["content-length"] = str(len(request.data))
        return AWSPreparedRequest(request.method, request.url, request.headers, request.data, False, request.context)


class _Serializer:
    """Writes questions as they are: the SDK would look at every value of them too. What JSON does not know, as bytes,
    is the SDK's affair."""

    def __init__(self, sdks: JSONSerializer) -> None:
        self._sdks = sdks

    def serialize_to_request(self, parameters: dict[str, Any], operation_model: Any) -> dict[str, Any]:
        try:
            body = json.dumps(parameters).encode()
        except TypeError:
            request: dict[str, Any] = self._sdks.serialize_to_request(parameters, operation_model)
            return request
        return {**self._sdks.serialize_to_request({}, operation_model), "body": body}


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


def _sign_once(signature_version: str, **_: Any) -> str | None:
    return _SIGNED_ONCE if signature_version == "v4" else None


class _Signer(SigV4Auth):  # type: ignore[misc]
    """Signs what goes to DynamoDB as the SDK does, which looks its headers through as those of an e-mail, five times,
    and makes the day's key anew for each request."""

    def canonical_request(self, request: AWSRequest) -> str:
        """What is signed of a request: a POST of bytes without a query, as all to DynamoDB are."""
        headers = {"host": _host(request.url)}
        for name, value in request.headers.items():
            headers[name.lower()] = " ".join(value.split())
        names = sorted(headers.keys() - SIGNED_HEADERS_BLACKLIST)
        self._names = ";".join(names)
        lines = "".join([f"{name}:{headers[name]}\n" for name in names])
        path, body = self._normalize_url_path(urlsplit(request.url).path), hashlib.sha256(request.data).hexdigest()
        return f"POST\n{path}\n\n{lines}\n{self._names}\n{body}"

    def signature(self, string_to_sign: str, request: AWSRequest) -> str:
        day = request.context["timestamp"][:8]
        key = _key(self.credentials.secret_key, day, self._region_name, self._service_name)
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def _inject_signature_to_request(self, request: AWSRequest, signature: str) -> None:
        parts = f"Credential={self.scope(request)}, SignedHeaders={self._names}, Signature={signature}"
        request.headers["Authorization"] = f"AWS4-HMAC-SHA256 {parts}"


@functools.lru_cache(maxsize=2)
def _key(secret: str, *scope: str) -> bytes:
    """The key that is good for a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


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
        answer = AWSResponse(request.url, status, {}, _Body(body))
        answer.headers = headers
        return answer

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
    lines = [f"{request.method} {where.path or '/'} HTTP/1.1\r\nHost: {_host(request.url)}\r\n".encode()]
    for name, value in request.headers.items():
        lines.append(b"%s: %s\r\n" % (name.encode(), value if isinstance(value, bytes) else value.encode()))
    return b"".join([*lines, b"\r\n", body])


def _read(connection: socket.socket) -> tuple[int, _Headers, bytes]:
    """An answer as DynamoDB writes it, with its length in front. Raises ValueError where it is not, or breaks off."""
    headers = _Headers()
    with connection.makefile("rb") as answer:
        _, status, _ = answer.readline().split(b" ", 2)
        while (line := answer.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name] = value.strip()
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
