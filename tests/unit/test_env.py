"""Readers of environment variables: an answer or a clear refusal, never a guess."""

import re
import runpy
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django.fixtures import Settings

from ecokart import env
from ecokart.local import ROOT
from inventory.models import Product
from tests.unit.conftest import PASSWORD

NAME = "ECOKART_TEST_VARIABLE"


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)


def test_text_is_taken_as_it_stands(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(NAME, " a b ")

    assert env.text(NAME, "default") == " a b "


def test_text_falls_back_to_its_default_when_unset_or_empty(monkeypatch: pytest.MonkeyPatch):
    assert env.text(NAME, "default") == "default"

    monkeypatch.setenv(NAME, "")

    assert env.text(NAME, "default") == "default"


@pytest.mark.parametrize("value", [None, ""])
def test_text_without_a_default_is_required_and_says_its_name(monkeypatch: pytest.MonkeyPatch, value: str | None):
    if value is not None:
        monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.text(NAME)


def test_an_empty_default_is_a_default():
    assert env.text(NAME, "") == ""


@pytest.mark.parametrize("value", ["1", "true", "TRUE", "Yes", "on", " 1 "])
def test_boolean_knows_the_usual_words_for_true(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(NAME, value)

    assert env.boolean(NAME, False) is True


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_boolean_knows_the_usual_words_for_false(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(NAME, value)

    assert env.boolean(NAME, True) is False


@pytest.mark.parametrize("default", [True, False])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_boolean_falls_back_to_its_default(monkeypatch: pytest.MonkeyPatch, value: str | None, default: bool):
    if value is not None:
        monkeypatch.setenv(NAME, value)

    assert env.boolean(NAME, default) is default


@pytest.mark.parametrize("value", ["maybe", "2", "tru", "none"])
def test_boolean_refuses_a_third_value(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}='{value}'"):
        env.boolean(NAME, False)


@pytest.mark.parametrize(("value", "number"), [("7", 7), (" 120 ", 120), ("007", 7), ("0", 0)])
def test_whole_number_reads_digits(monkeypatch: pytest.MonkeyPatch, value: str, number: int):
    monkeypatch.setenv(NAME, value)

    assert env.whole_number(NAME, 5) == number


def test_whole_number_falls_back_to_its_default(monkeypatch: pytest.MonkeyPatch):
    assert env.whole_number(NAME, 5) == 5

    monkeypatch.setenv(NAME, " ")

    assert env.whole_number(NAME, 5) == 5


@pytest.mark.parametrize("value", ["-1", "1.5", "1e3", "ten", "²", "٣", "0x10", "1_000"])
def test_whole_number_refuses_what_is_none(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.whole_number(NAME, 5)


def test_whole_number_refuses_less_than_the_least(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(NAME, "0")

    with pytest.raises(ImproperlyConfigured, match="at least 1"):
        env.whole_number(NAME, 5, at_least=1)


@pytest.mark.parametrize(
    ("value", "parts"), [("a,b", ["a", "b"]), (" a , ,b,", ["a", "b"]), ("", []), (",", []), ("a", ["a"])]
)
def test_listing_splits_at_commas(monkeypatch: pytest.MonkeyPatch, value: str, parts: list[str]):
    monkeypatch.setenv(NAME, value)

    assert env.listing(NAME) == parts


def test_listing_falls_back_to_its_default():
    assert env.listing(NAME, "a, b") == ["a", "b"]
    assert env.listing(NAME) == []


def test_networks_are_read_with_their_bits(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(NAME, "10.0.0.0/8, 127.0.0.1,::1")

    assert [str(one) for one in env.networks(NAME)] == ["10.0.0.0/8", "127.0.0.1/32", "::1/128"]


@pytest.mark.parametrize("value", ["10.0.0.1/8", "proxy", "10.0.0.0/33", "*", "10.0.0.0 10.0.0.1"])
def test_what_is_no_network_is_refused(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        env.networks(NAME)


def test_a_random_key_is_taken():
    key = secrets.token_urlsafe(48)

    assert env.unguessable("SECRET_KEY", key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "guess-me",
        "x" * 49,
        "x" * 64,
        "abcd" * 20,
        "django-insecure-" + "0123456789" * 6,
        "for-tests-only-" + "01234" * 9,
    ],
)
def test_a_key_that_can_be_guessed_is_refused_and_not_repeated(key: str):
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY can be guessed") as caught:
        env.unguessable("SECRET_KEY", key)

    assert not key or key not in str(caught.value)


# What follows from them


def settings_with(monkeypatch: pytest.MonkeyPatch, **variables: str) -> dict[str, Any]:
    for name, value in {"SECRET_KEY": secrets.token_urlsafe(48), **variables}.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "ecokart" / "settings.py"))


@pytest.mark.parametrize("cookie", ["SESSION", "CSRF", "LANGUAGE"])
def test_over_https_no_other_host_can_plant_a_cookie(monkeypatch: pytest.MonkeyPatch, cookie: str) -> None:
    made = settings_with(monkeypatch, HTTPS="1")

    assert made[f"{cookie}_COOKIE_NAME"].startswith("__Host-")
    assert made[f"{cookie}_COOKIE_SECURE"]
    # Browsers take such a name for all paths of one host only.
    assert f"{cookie}_COOKIE_PATH" not in made
    assert f"{cookie}_COOKIE_DOMAIN" not in made


@pytest.mark.parametrize("https", ["0", "1"])
@pytest.mark.parametrize("cookie", ["SESSION", "CSRF", "LANGUAGE"])
def test_no_script_reads_a_cookie_and_no_other_site_sends_a_form_with_it(
    monkeypatch: pytest.MonkeyPatch, cookie: str, https: str
) -> None:
    made = settings_with(monkeypatch, HTTPS=https)

    assert made[f"{cookie}_COOKIE_HTTPONLY"] is True
    assert made[f"{cookie}_COOKIE_SAMESITE"] == "Lax"


@pytest.mark.parametrize(("https", "prefix"), [("1", "__Host-"), ("0", "")])
def test_all_cookies_that_the_shop_sets_are_such(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, client: Client, product: Product, https: str, prefix: str
) -> None:
    for name, value in settings_with(monkeypatch, HTTPS=https).items():
        if "COOKIE" in name or name == "MESSAGE_STORAGE":
            setattr(settings, name, value)
    person = {"name": "Alice", "email": "alice@example.com", "password": PASSWORD, "password_again": PASSWORD}

    client.get("/account/register/", secure=True)
    client.post("/account/register/", person, secure=True)
    client.post("/cart/add/", {"product_id": product.id, "quantity": "1"}, secure=True)
    client.post("/language/", {"language": "en"}, secure=True)

    names = ("csrftoken", "django_language", "messages", "sessionid")
    assert sorted(client.cookies) == [f"{prefix}{name}" for name in names]
    for cookie in client.cookies.values():
        assert (cookie["path"], cookie["domain"], cookie["samesite"]) == ("/", "", "Lax")
        assert (bool(cookie["secure"]), cookie["httponly"]) == (https == "1", True)


def test_sentences_are_shown_once_under_their_cookies_name_over_https(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, client: Client
) -> None:
    settings.MESSAGE_COOKIE_NAME = "__Host-messages"
    client.post("/account/password/forgotten/", {"email": "charlie@example.com"}, secure=True)

    shown = [client.get("/account/login/", secure=True).text.count("charlie@example.com") for _ in range(2)]

    assert shown == [1, 0]
    assert client.cookies["__Host-messages"].value == ""
    assert client.cookies["__Host-messages"]["secure"]


# That nothing is forgotten where people look for what there is

#: What the AWS SDK, the server and the commands read by themselves, and which file knows the name.
READ_ELSEWHERE = {
    "AWS_ACCESS_KEY_ID": "",
    "AWS_SECRET_ACCESS_KEY": "",
    "AWS_ENDPOINT_URL": "",
    "PORT": "ecokart/local.py",
    "WEB_CONCURRENCY": "Dockerfile",
    "ACCOUNT_PASSWORD": "inventory/management/commands/create_account.py",
}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that the settings read."""
    names: set[str] = set()

    def noted(reader: Callable[..., Any]) -> Callable[..., Any]:
        def reading(name: str, *args: Any, **kwargs: Any) -> Any:
            names.add(name)
            return reader(name, *args, **kwargs)

        return reading

    for name in ("text", "boolean", "whole_number", "networks", "listing"):
        monkeypatch.setattr(env, name, noted(getattr(env, name)))
    settings_with(monkeypatch)
    return names


def test_the_settings_read_their_variables_through_these_readers_only():
    source = (ROOT / "ecokart" / "settings.py").read_text(encoding="utf-8")

    assert "environ" not in source
    assert "getenv" not in source


def test_the_example_names_all_variables_and_no_others(read: set[str]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")

    assert set(re.findall(r"^#?([A-Z][A-Z_]+)=", example, re.MULTILINE)) == read | set(READ_ELSEWHERE)


def test_the_readme_names_all_variables_and_no_others(read: set[str]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\n## Variables\n(.*?)\n## ", readme, re.DOTALL)
    named = {name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall("`(.*?)`", row)}

    # It stands beside another one.
    assert "`AWS_DEFAULT_REGION`" in table
    # "…" stands for it.
    assert named | {"AWS_DEFAULT_REGION", "AWS_SECRET_ACCESS_KEY"} == read | set(READ_ELSEWHERE)


@pytest.mark.parametrize(("name", "path"), [one for one in READ_ELSEWHERE.items() if one[1]])
def test_what_is_read_elsewhere_is_known_there(name: str, path: str):
    assert name in (ROOT / path).read_text(encoding="utf-8")
