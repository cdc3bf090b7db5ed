"""The SDK without what costs much and proves nothing: its name, its signature, and the layers over a plain socket.

A proof makes hundreds of thousands of calls to an engine on loopback; half of what a call costs goes into these. What
the shop asks, what the SDK makes of it, its errors and its further attempts stay as they are.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from botocore.useragent import UserAgentString

from tests import engines
from tests.open_lines import Lines

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
    """The engine that the AWS variables name at this moment: a proof may have put another in its place."""

    def __init__(self) -> None:
        self._lines = Lines()

    def send(self, request: AWSPreparedRequest) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        try:
            status, headers, answer = self._lines.ask(engines.address(), request.headers.items(), body)
        except OSError as broken:
            raise ConnectionClosedError(endpoint_url=request.url, error=broken) from broken
        return AWSResponse(request.url, status, headers, _Body(answer))

    def close(self) -> None:
        self._lines.close()


class _Body(io.BytesIO):
    """What has been read, as the SDK wants it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.getvalue()
