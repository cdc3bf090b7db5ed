"""Which address a request comes from. Whatever a visitor writes into headers, it is the one that the server saw."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from ecokart import visitors
from tests.attacks.groups.client_address import (
    FORGED,
    FORGERIES,
    PROXY,
    TRUTH,
    Deployment,
    behind_a_proxy,
    on_lambda,
    under_gunicorn,
)
from tests.gateway_events import v1, v2


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
