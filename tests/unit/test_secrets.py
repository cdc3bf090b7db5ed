"""Keys and secrets: changing one ends nobody's session, and none stands where others can read it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fnmatch import fnmatch

import pytest
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.stripe import StripeDetector
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django.fixtures import Settings

from adminpanel.fields import KeptPictureField
from ecokart import local
from inventory.models import Product, User
from shop import order_keys

OLD, NEW = "old-" + "0123456789abcdef" * 4, "new-" + "0123456789abcdef" * 4
SECRET = "s" * 32


@pytest.fixture(params=["kept", "taken out"])
def rotated(request: pytest.FixtureRequest, settings: Settings) -> Callable[[], bool]:
    """Change keys; gives whether what the old one signed should still count."""
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []

    def rotate() -> bool:
        is_kept = request.param == "kept"
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD] if is_kept else []
        return is_kept

    return rotate


# Changing the key


def test_a_customer_stays_logged_in(rotated: Callable[[], bool], alice: User, sign_in: Callable[..., None]):
    client = Client()
    sign_in(client, alice)
    assert client.get("/account/").status_code == 200

    counts = rotated()

    assert client.get("/account/").status_code == (200 if counts else 302)


def test_a_guest_keeps_the_cart(rotated: Callable[[], bool], product: Product):
    client = Client()
    client.post("/cart/add/", {"product_id": product.id, "quantity": 1})

    counts = rotated()

    assert (client.get("/cart/").context["basket"] is not None) == counts


def test_the_link_to_an_order_opens_it(rotated: Callable[[], bool], client: Client, bobs_order):
    key = order_keys.make(bobs_order.id)

    counts = rotated()

    answer = client.get(f"/orders/{bobs_order.id}/", {"key": key})
    assert answer.status_code == (200 if counts else 404)


def test_a_picture_that_was_chosen_before_is_still_chosen(rotated: Callable[[], bool]):
    token = KeptPictureField.signed("products/0123456789abcdef0123")

    if rotated():
        assert KeptPictureField().clean(token) == "products/0123456789abcdef0123"
    else:
        with pytest.raises(ValidationError):
            KeptPictureField().clean(token)


def test_a_page_that_was_open_sends_its_form(rotated: Callable[[], bool], product: Product):
    """What protects a form is in the visitor's cookie and signed by nobody."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = SECRET
    client.get("/products/prod-1/")
    rotated()

    form = {"product_id": product.id, "quantity": 1, "csrfmiddlewaretoken": SECRET}

    assert client.post("/cart/add/", form).status_code == 302


# Where none may stand

# Keys of others have forms of their own; whatever else is random is found by being so.
DETECTORS = [
    AWSKeyDetector(),
    BasicAuthDetector(),
    JwtTokenDetector(),
    PrivateKeyDetector(),
    StripeDetector(),
    Base64HighEntropyString(limit=4.5),
]
_BINARY = ("*.png", "*.webp", "*.woff2", "*.mo", "*.svg")
# Alphabets, and keys that say of themselves that they open nothing.
SHORTEST = 6
HARMLESS = ("0123456789", "23456789ABCDEFGH")


# Where none of this stands nothing can be found, and looking at every line would take a minute.
SUSPICIOUS = re.compile(r"[\w+/=-]{20}|PRIVATE KEY|://[^/\s]*@")


def found_in(name: str) -> list[str]:
    lines = (local.ROOT / name).read_text(encoding="utf-8").splitlines()
    return [
        f"{name}:{number}: {secret.type}"
        for number, line in enumerate(lines, start=1)
        if SUSPICIOUS.search(line)
        for detector in DETECTORS
        for secret in detector.analyze_line(filename=name, line=line, line_number=number)
        if len(secret.secret_value or "") >= SHORTEST and not any(one in secret.secret_value for one in HARMLESS)
    ]


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=local.ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = [name for name in listed.stdout.splitlines() if (local.ROOT / name).is_file()]
    return [name for name in names if not any(fnmatch(name, pattern) for pattern in _BINARY)]


def test_no_secret_stands_in_the_repository():
    assert [secret for name in tracked() for secret in found_in(name)] == []


@pytest.mark.parametrize(
    "planted",
    [
        'KEY = "AKIA' + "IOSFODNN7EXAMPLQ" + '"',
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        'url = "https://shop:' + "correcthorse" + '@db.example/"',
        'stripe = "sk_live_' + "a1B2c3D4e5F6g7H8i9J0k1L2" + '"',
        'token = "' + "q8ZpV3xT1mWc" + "7RkYb5NsLd2G" + "hJf0UeAo9iXw" + '"',
    ],
)
def test_one_that_is_planted_is_found(planted: str, tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "planted.py").write_text(f"{planted}\n", encoding="utf-8")
    monkeypatch.setattr(local, "ROOT", tmp_path)

    assert found_in("planted.py") != []


@pytest.mark.parametrize(
    ("listing", "patterns"), [(".gitignore", {".env", ".data/"}), (".dockerignore", {".*", "tests"})]
)
def test_neither_repository_nor_image_takes_in_what_holds_secrets(listing: str, patterns: set[str]):
    assert patterns <= set((local.ROOT / listing).read_text(encoding="utf-8").split())
