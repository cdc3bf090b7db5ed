"""Which address a request comes from. Whatever a visitor writes into headers, it is the one that the server saw."""

from __future__ import annotations

import io
from collections.abc import Callable
from ipaddress import ip_network
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from gunicorn.config import Config
from gunicorn.http import RequestParser, wsgi
from pytest_django.fixtures import Settings

from ecokart import visitors
from ecokart.aws import gateway
from tests.unit.test_lambda import v1, v2

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


@pytest.fixture(autouse=True)
def _proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = ()


def forgeries_that_worked(deployment: Deployment) -> list[Any]:
    return [headers for headers in FORGERIES if deployment(headers) != TRUTH]


def test_there_are_enough_of_them():
    assert len(FORGERIES) >= 50


@pytest.mark.parametrize("proxies", [(), (ip_network("0.0.0.0/0"), ip_network("::/0"))], ids=["", "everybody a proxy"])
@pytest.mark.parametrize("event_of", [v1, v2])
def test_nobody_is_somebody_else_on_lambda(event_of: Any, settings: Settings, proxies: tuple[Any, ...]):
    settings.TRUSTED_PROXIES = proxies

    assert forgeries_that_worked(on_lambda(event_of)) == []


@pytest.mark.parametrize("proxies", [(), (ip_network("10.0.0.0/8"),)], ids=["", "with proxies elsewhere"])
def test_nobody_is_somebody_else_under_gunicorn(settings: Settings, proxies: tuple[Any, ...]):
    settings.TRUSTED_PROXIES = proxies

    assert forgeries_that_worked(under_gunicorn) == []


def test_nobody_is_somebody_else_behind_proxies(settings: Settings):
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)

    assert forgeries_that_worked(behind_a_proxy) == []


def test_the_forgeries_are_real(monkeypatch: pytest.MonkeyPatch):
    """Whoever believes the first entry, as many do, believes half of them."""

    def first_entry(request: Any) -> str:
        return request.META.get("HTTP_X_FORWARDED_FOR", TRUTH).split(",")[0].strip()

    monkeypatch.setattr(visitors, "address", first_entry)

    assert len(forgeries_that_worked(under_gunicorn)) > 25
    assert len(forgeries_that_worked(behind_a_proxy)) > 25


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, f"{FORGED}, {TRUTH}", TRUTH),
        (PROXY, f"{FORGED}, {TRUTH}:51234", TRUTH),
        (PROXY, "[2001:db8:1:2::3]:443", "2001:db8:1:2::/64"),
        (PROXY, "2001:db8:1:2:ffff::3", "2001:db8:1:2::/64"),
        (PROXY, "::ffff:203.0.113.7", TRUTH),
        ("::ffff:10.0.0.9", TRUTH, TRUTH),
        (PROXY, "unknown", PROXY),
        (PROXY, f"{FORGED}, unknown", PROXY),
        (PROXY, "", PROXY),
        (PROXY, "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        (TRUTH, FORGED, TRUTH),
        ("", FORGED, visitors.NOWHERE),
        ("2001:db8::5", "", "2001:db8::/64"),
        ("2001:db8::ffff:5", "", "2001:db8::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
    ],
)
def test_who_is_asking(rf: RequestFactory, settings: Settings, peer: str, forwarded: str, address: str):
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"),)
    request = rf.get("/", REMOTE_ADDR=peer, **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}))

    assert visitors.address(request) == address
