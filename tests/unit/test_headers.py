"""What browsers are told with every answer, and who may keep it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from ecokart import headers, icons, local
from inventory.models import Product, User
from tests.unit.test_access import NAMES

ALWAYS = {
    "Content-Security-Policy": "default-src 'none'; ",
    "Permissions-Policy": "camera=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
COME_BACK = {"shop:home", "shop:product-list", "shop:product-detail", "shop:product-suggest", "shop:info"}
KEPT_FOR_GOOD = {"icons"}


def broken(*_: Any, **__: Any) -> HttpResponse:
    raise RuntimeError("made up by a test")


def answers(client: Client, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> dict[str, Any]:
    """One answer of every kind."""
    first = client.get("/products/")
    strict = Client(enforce_csrf_checks=True)
    found = {
        "made": first,
        "ready": client.get("/products/"),
        "not modified": client.get("/products/", headers={"if-none-match": first["ETag"]}),
        "plain": client.get("/account/login/"),
        "fragment": client.get("/products/suggest/?q=l"),
        "redirect": client.get("/account/"),
        "slash": client.get("/cart"),
        "not found": client.get("/nowhere/"),
        "not allowed": client.get("/cart/add/"),
        "wrong": client.post("/account/login/", {}),
        "forged": strict.post("/cart/add/", {}),
        "other host": client.get("/", headers={"host": "evil.example"}),
        "health": client.get("/healthz"),
        "drawings": client.get(icons.address()),
        "static": client.get("/static/css/base.css"),
        "language": client.post("/language/", {"language": "en"}),
    }
    found["static"].close()
    settings.LIMITS, settings.REQUEST_LIMIT = True, 1
    found["too many"] = [client.get("/cart/") for _ in range(2)][-1]
    settings.LIMITS = False
    monkeypatch.setattr("shop.pages.cart", broken)
    client.raise_request_exception = False
    return found | {"our mistake": client.get("/cart/")}


def test_every_answer_has_every_header(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch, settings: Settings
):
    found = answers(client, monkeypatch, settings)

    assert [one.status_code for one in found.values()] == [
        200, 200, 304, 200, 200, 302, 301, 404, 405, 422, 403, 400, 200, 200, 200, 302, 429, 500,
    ]  # fmt: skip
    missing = {
        (kind, name)
        for kind, answer in found.items()
        for name, value in ALWAYS.items()
        if value not in answer.headers.get(name, "")
    }
    assert missing == set()


def test_over_https_browsers_stay_there(client: Client, settings: Settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True

    for path in ("/", "/nowhere/", "/static/css/base.css"):
        answer = client.get(path, secure=True)
        answer.close()
        assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


# The policy


def directives() -> dict[str, list[str]]:
    parts = (part.split() for part in headers.policy().split("; "))
    return {name: sources for name, *sources in parts}


@pytest.mark.parametrize("static", ["/static/", "https://files.example/static/"])
def test_nothing_may_be_loaded_but_what_is_named(settings: Settings, static: str):
    settings.STATIC_URL, settings.MEDIA_URL = static, "https://pictures.example/"
    ours = {
        folder: ["'self'"] if static.startswith("/") else [f"{static}{folder}/"] for folder in ("js", "css", "font")
    }
    images = ["'self'", "https://pictures.example/products/"]
    if not static.startswith("/"):
        images.insert(1, f"{static}img/")

    assert directives() == {
        "default-src": ["'none'"],
        "script-src": ours["js"],
        "style-src": ours["css"],
        "font-src": ours["font"],
        "img-src": images,
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }


def test_over_https_nothing_is_loaded_over_http(settings: Settings):
    settings.HTTPS = True

    assert directives()["upgrade-insecure-requests"] == []


def test_djangos_own_error_pages_are_left_as_they_are(settings: Settings):
    settings.DEBUG = True

    answer = headers.on_every_answer(lambda _request: HttpResponse())(None)

    assert "Content-Security-Policy" not in answer.headers
    assert "Permissions-Policy" in answer.headers


# Who may keep it


@pytest.fixture
def open_all(
    product: Product, dana: User, sign_in: Callable[..., None], address: Callable[[str], str]
) -> dict[str, Any]:
    """Every address, as an admin who is logged in sees it."""
    client = Client()
    sign_in(client, dana)
    return {name: client.get(address(name)) for name in NAMES}


def test_nobody_keeps_what_may_be_somebodys(open_all: dict[str, Any]):
    kept = {name for name, answer in open_all.items() if "no-store" not in answer["Cache-Control"]}

    assert kept == COME_BACK | KEPT_FOR_GOOD


def test_what_may_come_back_is_its_visitors_alone(open_all: dict[str, Any]):
    assert {open_all[name]["Cache-Control"] for name in COME_BACK} == {"private, no-cache"}


# With production's settings


def manage(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    production = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "ecokart.settings",
        "SECRET_KEY": "a-key-of-production-0123456789-abcdefghijklmnopqrstuvwxyz",
        "ALLOWED_HOSTS": "shop.example",
    }
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=local.ROOT, env=production | variables, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_django_finds_nothing_to_say_of_a_deployment():
    done = manage("check", "--deploy", "--fail-level", "WARNING")

    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "guess-me"),
        ("SECRET_KEY_FALLBACKS", "guess-me"),
        ("TRUSTED_PROXIES", "proxy"),
        ("ADMIN_SECOND_FACTOR", "0"),
    ],
)
def test_the_shop_does_not_start_with_what_is_no_protection(name: str, value: str):
    done = manage("check", **{name: value})

    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name}" in done.stderr


def test_on_a_machine_of_ones_own_any_key_and_a_password_will_do():
    assert manage("check", SECRET_KEY="guess-me", ADMIN_SECOND_FACTOR="0", HTTPS="0").returncode == 0
