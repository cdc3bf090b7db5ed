"""API Gateway's door: an event becomes a WSGI request, and the answer becomes what API Gateway takes.

``apig-wsgi`` does the converting for the REST API (payload 1.0), the HTTP API and function URLs (2.0). Here is what it
leaves open: whom to believe about the visitor's address and https, the prefix of the stage, and what a WSGI server
owes Django about bytes that are no ASCII. Nothing of that is taken from a header that the visitor wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from apig_wsgi import make_lambda_handler
from django.conf import settings

from ecokart.observing import REQUEST_ID

Event = dict[str, Any]
Answer = dict[str, Any]

DEFAULT_STAGE = "$default"
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def speaks(event: Event) -> bool:
    """Whether this is a request of a visitor, from one of the gateways that we stand behind."""
    context = event.get("requestContext")
    if not isinstance(context, dict):
        return False
    return "identity" in context if "httpMethod" in event else event.get("version") == "2.0" and "http" in context


class Door:
    """Takes events for one WSGI application."""

    def __init__(self, shop: WSGIApplication) -> None:
        self._shop = shop
        # Everything that is compressed, or no text, goes through the gateway as base64.
        self._convert = make_lambda_handler(self._answer, binary_support=True)
        self._request_id = ""

    def __call__(self, event: Event, request_id: str) -> Answer:
        self._request_id = request_id
        answer: Answer = self._convert(_prepared(event), None)
        return answer

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ.update(_truth(environ["apig_wsgi.full_event"]))
        # The gateway's word stands in REMOTE_ADDR. Whoever asks has written most of this, in one spelling or another.
        environ.pop("HTTP_X_FORWARDED_FOR", None)
        for name, value in environ.items():
            if name.startswith("HTTP_"):
                environ[name] = _in_latin_1(value)
        environ[REQUEST_ID] = self._request_id
        return self._shop(environ, start_response)


def _prepared(event: Event) -> Event:
    """The event as apig-wsgi understands it: what is no ASCII in the path is escaped, the stage is no part of it."""
    if not _is_v1(event):
        path, prefix = event["rawPath"], _prefix(event)
        # The HTTP API says the stage in the path, the emulated one does not.
        if prefix and f"{path}/".startswith(f"{prefix}/"):
            path = path.removeprefix(prefix) or "/"
        return event | {"rawPath": quote(path, safe=_PRINTABLE)}
    # Without these it would answer with one header of each name, and one cookie.
    headers = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    return event | {"path": quote(event["path"], safe=_PRINTABLE), "multiValueHeaders": headers}


def _truth(event: Event) -> WSGIEnvironment:
    """What the gateway knows, instead of what headers say."""
    context = event["requestContext"]
    known = {
        "REMOTE_ADDR": context["identity" if _is_v1(event) else "http"]["sourceIp"],
        # Gateways take https only. HTTPS=0 is for one on a machine of your own.
        "wsgi.url_scheme": "https" if settings.HTTPS else "http",
        "SCRIPT_NAME": _prefix(event),
    }
    if _is_v1(event):
        cookies = [";".join(values) for name, values in event["multiValueHeaders"].items() if name.lower() == "cookie"]
        known |= {"HTTP_COOKIE": ";".join(cookies)} if cookies else {}
    return known


def _prefix(event: Event) -> str:
    """``/dev`` where the shop is asked for at the gateway's own address, nothing at a domain of its own."""
    stage = event["requestContext"].get("stage", DEFAULT_STAGE)
    is_gateways = ".execute-api." in _host(event) and ".amazonaws." in _host(event)
    return f"/{stage}" if is_gateways and stage != DEFAULT_STAGE else ""


def _host(event: Event) -> str:
    """The name under which the gateway was asked. Only an emulated one leaves it to the header to say."""
    known: str | None = event["requestContext"].get("domainName")
    if known:
        return known
    headers = event.get("headers") or {}
    return next((value for name, value in headers.items() if name.lower() == "host"), "")


def _is_v1(event: Event) -> bool:
    return "httpMethod" in event


def _in_latin_1(value: str) -> str:
    """Bytes as WSGI writes them. JSON brought them as text."""
    return value if value.isascii() else value.encode("utf-8", "surrogatepass").decode("latin-1")
