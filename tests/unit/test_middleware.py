"""Who is asking, and what is said when the database cannot answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from pynamodb.exceptions import GetError

from ecokart import middleware
from inventory import dynamodb, sessions
from inventory.errors import Busy, InventoryError, Unsure
from inventory.models import User
from shop import owners
from tests.unit import wire

Ask = Callable[..., HttpRequest]


@pytest.fixture
def ask(rf: RequestFactory) -> Ask:
    """A request of somebody with this session, as it reaches the views."""

    def ask(**session: object) -> HttpRequest:
        request = rf.get("/products/")
        request.session = SessionStore()
        request.session.update(session)
        middleware.who_is_asking(lambda _request: HttpResponse())(request)
        return request

    return ask


@pytest.fixture
def alices(alice: User) -> dict[str, object]:
    """A session of Alice's."""
    return sessions.begin(alice, kind="shop", device="")


@pytest.fixture
def failed(rf: RequestFactory) -> Callable[[Exception], HttpResponse | None]:
    """What is answered when a view raised this."""

    def failed(error: Exception) -> HttpResponse | None:
        request = rf.get("/products/?q=hut")
        request.session = {}
        with translation.override("en"):
            return middleware.busy_page(lambda _request: HttpResponse()).process_exception(request, error)

    return failed


# Who is asking


def test_a_stranger_has_neither_account_nor_cart(ask: Ask):
    request = ask()

    assert not request.account
    assert owners.of(request) is None


def test_a_guest_owns_a_cart_but_no_account_and_costs_no_read(ask: Ask):
    with wire.heard() as calls:
        request = ask(guest_id="guest-1")
        owner_id = owners.of(request)

    assert not request.account
    assert (owner_id, calls) == ("guest-1", [])


def test_a_customer_owns_a_cart_by_account_even_with_a_guests_id_left(ask: Ask, alices: dict[str, object]):
    request = ask(**alices, guest_id="guest-1")

    assert request.account.email == "alice@example.com"
    assert owners.of(request) == alices["account_id"]


@pytest.mark.parametrize(
    "lie",
    [
        {"account_id": "deleted"},
        {"account_id": "email#alice@example.com"},
        {"account_id": "../../x"},
        {"account_id": ""},
        {"sid": "0" * 32},
        {"epoch": 1},
        {"iat": 0},
    ],
)
def test_a_session_that_does_not_live_is_a_strangers_and_forgotten(
    ask: Ask, alices: dict[str, object], lie: dict[str, object]
):
    request = ask(**{**alices, "cart": {"units": 1, "total_cents": 1}, **lie})

    assert owners.of(request) is None
    assert not request.account
    assert request.session.is_empty()
    assert request.META["CSRF_COOKIE_NEEDS_UPDATE"]


@pytest.mark.parametrize("missing", ["sid", "epoch", "iat"])
def test_a_session_of_before_there_were_ids_is_a_strangers_and_costs_no_read(
    ask: Ask, alices: dict[str, object], missing: str
):
    del alices[missing]

    with wire.heard() as calls:
        assert not ask(**alices).account

    assert calls == []


def test_the_account_is_read_when_it_is_needed_and_once(ask: Ask, alices: dict[str, object]):
    with wire.heard() as calls:
        request = ask(**alices)
        before = len(calls)
        names = (request.account.name, request.account.role, owners.of(request))

    assert (before, [name for name, _ in calls]) == (0, ["GetItem"])
    assert names == ("Alice", "user", alices["account_id"])


# When the database cannot answer


@pytest.mark.parametrize(
    "error",
    [
        Busy(),
        dynamodb.Contention(),
        ReadTimeoutError(endpoint_url="x"),
        ClientError({"Error": {"Code": "ThrottlingException"}}, "BatchGetItem"),
        GetError("x", ReadTimeoutError(endpoint_url="x")),
    ],
)
def test_a_database_that_cannot_answer_gets_a_page_that_says_when_to_come_back(
    failed: Callable[[Exception], HttpResponse], error: Exception
):
    response = failed(error)

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "The shop is very busy right now" in response.content.decode()


def test_the_busy_page_needs_no_database(failed: Callable[[Exception], HttpResponse]):
    with wire.heard() as calls:
        failed(Busy())

    assert calls == []


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        InventoryError(),
        GetError("x", ClientError({"Error": {"Code": "ValidationException"}}, "GetItem")),
    ],
)
def test_everything_else_is_a_bug_and_stays_one(failed: Callable[[Exception], HttpResponse | None], error: Exception):
    assert failed(error) is None


def test_a_page_that_works_is_left_alone(rf: RequestFactory):
    response = HttpResponse("fine")

    assert middleware.busy_page(lambda _request: response)(rf.get("/")) is response


@pytest.mark.parametrize(("method", "refusal"), [("get", Busy), ("post", Unsure)])
def test_nobody_who_changed_something_is_told_that_nothing_was(rf: RequestFactory, method: str, refusal: type) -> None:
    request = getattr(rf, method)("/")
    error = GetError("x", ReadTimeoutError(endpoint_url="made up by a test"))

    answer = middleware.busy_page(HttpResponse).process_exception(request, error)

    assert answer.status_code == 503
    assert refusal().sentence in answer.content.decode()


def test_head_has_the_headers_of_get_and_no_body(client: Client):
    get, head = client.get("/account/login/"), client.head("/account/login/")

    assert head.content == b""
    assert head["Content-Type"] == get["Content-Type"]


@pytest.mark.parametrize(("address", "kept"), [("/", "private"), ("/cart/", "private"), ("/checkout/", "no-store")])
def test_no_page_is_kept_for_somebody_else(client: Client, address: str, kept: str):
    assert kept in client.get(address)["Cache-Control"]


def test_an_address_for_forms_has_a_page_for_whoever_opens_it(client: Client):
    answer = client.get("/cart/add/")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "<h1>" in answer.content.decode()


# What no page of ours would send


@pytest.mark.parametrize("address", ["/", "/products/", "/nothing/", "/cart/add/", "/admin/", "/healthz"])
def test_a_query_with_too_many_fields_is_refused_and_no_page_fails_over_it(client: Client, address: str):
    answer = client.get(address, {f"f{number}": "1" for number in range(200)})

    assert answer.status_code == 400


def test_a_page_for_a_method_that_is_not_taken_may_not_be_framed_either(client: Client):
    assert client.get("/cart/add/")["X-Frame-Options"] == "DENY"
