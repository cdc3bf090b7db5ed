"""Headers by which somebody wants to be taken for somebody else, on Lambda, under gunicorn and behind proxies."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any
from unittest import mock

from django.core.handlers.wsgi import WSGIRequest
from django.test import override_settings
from gunicorn.config import Config
from gunicorn.http import RequestParser, wsgi

from ecokart import visitors
from ecokart.aws import gateway
from tests.attacks.groups import Cases
from tests.gateway_events import v1, v2

TITLE = "Client address"

TRUTH, PROXY, FORGED = "203.0.113.7", "10.0.0.9", "6.6.6.6"
FORWARDED = "X-Forwarded-For"
# What somebody may send to be taken for somebody else: 6.6.6.6, or anybody but who they are.
FORGERIES: list[list[tuple[str, str]]] = [
    *[
        [(FORWARDED, value)]
        for value in (
            FORGED, f"{FORGED}, 7.7.7.7", f"{FORGED},7.7.7.7,8.8.8.8", f"{FORGED}:1234", f'"{FORGED}"', f"for={FORGED}",
            "127.0.0.1", "localhost", "10.0.0.9", "10.0.0.9, 10.0.0.9", "192.168.0.1", "169.254.169.254", "0.0.0.1",
            "::1", "[::1]", "[::1]:80", "::ffff:6.6.6.6", "::ffff:10.0.0.9", "2001:db8::1", "fe80::1%eth0", "unknown",
            "_hidden", "", " ", ",", ", ,", f"{FORGED},", f",{FORGED}", f"\t{FORGED}\t", "006.006.006.006", "0x6.6.6.6",
            "101058054", "6.6.6", "6.6.6.6.6", "999.6.6.6", f"{FORGED} {FORGED}", f"{FORGED};{TRUTH}", "a" * 4000,
            ", ".join([FORGED] * 400), "\xe4", "'; --", "<script>",
        )
    ],
    [(FORWARDED, FORGED), (FORWARDED, "7.7.7.7")],
    [("x-forwarded-for", FORGED)],
    [("X-FORWARDED-FOR", FORGED)],
    [("X_Forwarded_For", FORGED)],
    [("X-Forwarded_For", FORGED)],
    [(FORWARDED, FORGED), ("X_Forwarded_For", "7.7.7.7")],
    *[
        [(name, FORGED)]
        for name in (
            "Forwarded", "X-Real-IP", "X-Client-IP", "X-Originating-IP", "X-Remote-IP", "X-Remote-Addr", "Remote-Addr",
            "REMOTE_ADDR", "Client-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP", "X-Cluster-Client-IP",
            "X-Forwarded", "Forwarded-For", "X-ProxyUser-Ip", "X-Host", "X-Envoy-External-Address",
            "CloudFront-Viewer-Address", "X-Amzn-Source-Ip",
        )
    ],
]  # fmt: skip
Deployment = Callable[[list[tuple[str, str]]], str]


def on_lambda(event_of: Callable[..., dict[str, Any]]) -> Deployment:
    def address(headers: list[tuple[str, str]]) -> str:
        seen: list[dict[str, Any]] = []

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
            seen.append(environ)
            start_response("200 OK", [])
            return []

        # The gateway adds whom it was asked by, at the end.
        by_name: dict[str, list[str]] = {FORWARDED: []}
        for name, value in headers:
            by_name.setdefault(name, []).append(value)
        by_name[FORWARDED] = [", ".join(filter(None, [*by_name[FORWARDED], TRUTH]))]
        gateway.Door(application)(event_of(headers=by_name), "req-1")
        return visitors.address(WSGIRequest(seen[0]))

    return address


def under_gunicorn(headers: list[tuple[str, str]], *, peer: str = TRUTH) -> str:
    """Through gunicorn's own reading of a request. What it refuses reaches nobody."""
    lines = [f"{name}: {value}" for name, value in [("Host", "testserver"), *headers]]
    raw = "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode("latin-1")
    config = Config()
    (request,) = RequestParser(config, iter([raw]), (peer, 1234))
    _, environ = wsgi.create(request, io.BytesIO(), (peer, 1234), ("127.0.0.1", 80), config)
    return visitors.address(WSGIRequest({**environ, "wsgi.input": io.BytesIO()}))


def behind_a_proxy(headers: list[tuple[str, str]]) -> str:
    """A proxy of ours hands on what came, with whom it was asked by at the end, and the proxy before it likewise."""
    return under_gunicorn([*headers, (FORWARDED, f"{TRUTH}, {PROXY}")], peer="10.0.0.8")


#: Each with the proxies that its operator lists.
DEPLOYMENTS: dict[str, tuple[Deployment, str]] = {
    "behind the REST API": (on_lambda(v1), ""),
    "behind the HTTP API": (on_lambda(v2), ""),
    "under gunicorn": (under_gunicorn, ""),
    "behind two proxies": (behind_a_proxy, "10.0.0.0/8"),
}


def attack(how_many: int) -> Cases:
    for where, (deployment, proxies) in DEPLOYMENTS.items():
        with override_settings(TRUSTED_PROXIES=tuple(map(ip_network, proxies.split()))):
            for headers in FORGERIES:
                seen = deployment(headers)
                yield f"{where}: {str(headers)[:80]}", "" if seen == TRUTH else f"counted as {seen[:40]!r}"


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that believes the first entry, as many do."""

    def first_entry(request: Any) -> str:
        return str(request.META.get("HTTP_X_FORWARDED_FOR", TRUTH)).split(",")[0].strip()

    with mock.patch.object(visitors, "address", first_entry):
        yield
