"""Orders in the admin panel: found by status, taken one allowed step at a time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from inventory import catalogue, checkout, orders, reservations
from inventory.models import Order, Product, User


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


@pytest.fixture
def place(product: Product, contact: checkout.Contact) -> Callable[..., Order]:
    def place(owner: str = "guest-1", *, quantity: int = 2) -> Order:
        cart = reservations.reserve(owner, product.id, quantity=quantity)
        return checkout.place_order(owner, token=str(cart.order_id), contact=contact)

    return place


@pytest.fixture
def order(place: Callable[..., Order]) -> Order:
    return place()


def page_of(order: Order) -> str:
    return f"/admin/orders/{order.id}/"


def step(client: Client, order: Order, status: str, **more: str) -> object:
    return client.post(f"{page_of(order)}status/", {"status": status, **more})


def now(order: Order) -> Order:
    found = orders.find(order.id)
    assert found is not None
    return found


def offered(client: Client, order: Order) -> set[str]:
    """The next steps that the page has a button for."""
    return set(re.findall(r'name="status" value="(\w+)"', client.get(page_of(order)).text))


def test_an_order_goes_its_way_to_the_customer(client: Client, order: Order, dana: User) -> None:
    step(client, order, "paid")
    step(client, order, "shipped", tracking="JD 0146-0000")
    answer = step(client, order, "delivered")

    assert answer["Location"] == page_of(order)
    assert (now(order).status, now(order).tracking) == ("delivered", "JD 0146-0000")
    assert [(past.status, past.by) for past in now(order).history[1:]] == [
        (status, dana.email) for status in ("paid", "shipped", "delivered")
    ]


def test_only_what_may_come_next_has_a_button(client: Client, order: Order) -> None:
    seen = {}
    for status in ("pending", "paid", "shipped", "delivered"):
        if status != "pending":
            step(client, order, status)
        seen[status] = offered(client, order)

    assert seen == {
        "pending": {"paid", "cancelled"},
        "paid": {"shipped", "cancelled"},
        "shipped": {"delivered"},
        "delivered": set(),
    }


@pytest.mark.parametrize("status", ["pending", "shipped", "delivered"])
def test_a_step_that_is_not_possible_is_refused(client: Client, order: Order, status: str) -> None:
    answer = client.post(f"{page_of(order)}status/", {"status": status}, follow=True)

    assert answer.status_code == 409
    assert "This step is not possible now" in answer.text
    assert (now(order).status, len(now(order).history)) == ("pending", 1)


def test_a_step_sent_twice_is_taken_once(client: Client, order: Order) -> None:
    step(client, order, "paid")
    step(client, order, "paid")

    assert [past.status for past in now(order).history] == ["pending", "paid"]


def test_cancelling_puts_the_units_back_once(client: Client, order: Order, product: Product) -> None:
    step(client, order, "cancelled", note="Kundin hat doppelt bestellt")
    step(client, order, "cancelled")

    shelf = catalogue.find(product.id)
    assert shelf is not None
    assert (shelf.stock, shelf.reserved, shelf.available) == (10, 0, 10)
    assert [(past.status, past.note) for past in now(order).history[1:]] == [
        ("cancelled", "Kundin hat doppelt bestellt")
    ]


def test_cancelling_says_what_it_does(client: Client, order: Order) -> None:
    assert "2 units go back on the shelf" in client.get(page_of(order)).text
    step(client, order, "paid")

    assert "pay back €199.98" in client.get(page_of(order)).text


@pytest.mark.parametrize("status", ["", "lost", "PAID", "\x00", "<b>", "x" * 5_000])
def test_an_unknown_step_is_refused(client: Client, order: Order, status: str) -> None:
    answer = step(client, order, status)

    assert answer.status_code == 422
    assert "There is no such step for an order." in answer.text
    assert now(order).status == "pending"


@pytest.mark.parametrize("tracking", ["<script>", "x" * 61, "a\x00b", "Ü-1"])
def test_a_wrong_tracking_number_is_refused_and_kept(client: Client, order: Order, tracking: str) -> None:
    step(client, order, "paid")

    answer = step(client, order, "shipped", tracking=tracking)

    assert answer.status_code == 422
    assert "tracking" in answer.context["form"].errors
    assert now(order).status == "paid"


def test_the_page_tells_everything_about_the_order(client: Client, order: Order, contact: checkout.Contact) -> None:
    page = client.get(page_of(order)).text

    for words in (order.number, contact.name, contact.street, contact.city, contact.email, "Germany", "€199.98"):
        assert words in page
    assert 'href="/admin/products/prod-1/"' in page


def test_an_order_of_the_first_version_opens(client: Client) -> None:
    Order("order-1", user_id="user-1", status="paid", items=[]).save()

    page = client.get("/admin/orders/order-1/")

    assert page.status_code == 200
    assert "This order has no address." in page.text


@pytest.mark.parametrize("key", ["none", "x" * 65, "%00", "a.b"])
def test_an_order_that_is_not_there_is_not_found(client: Client, key: str) -> None:
    assert client.get(f"/admin/orders/{key}/").status_code == 404
    assert client.post(f"/admin/orders/{key}/status/", {"status": "paid"}).status_code == 404


def test_a_step_takes_a_post(client: Client, order: Order) -> None:
    assert client.get(f"{page_of(order)}status/").status_code == 405


# The list


def test_the_list_is_filtered_by_status_newest_first(client: Client, place: Callable[..., Order]) -> None:
    first, second, third = place("guest-1"), place("guest-2"), place("guest-3")
    orders.advance(second, to="paid", by="dana@example.com")

    everything, paid = client.get("/admin/orders/"), client.get("/admin/orders/?status=paid")

    assert [order.id for order in everything.context["orders"]] == [third.id, second.id, first.id]
    assert [order.id for order in paid.context["orders"]] == [second.id]
    assert 'href="?status=paid" aria-current="page"' in paid.text


def test_more_orders_than_fit_are_shown_on_demand(client: Client, place: Callable[..., Order]) -> None:
    for number in range(3):
        place(f"guest-{number}")

    few = client.get("/admin/orders/?show=2")

    assert len(few.context["orders"]) == 2
    assert 'href="?show=52"' in few.text
    assert "Show more" not in client.get("/admin/orders/?show=52").text


@pytest.mark.parametrize("question", ["status=lost", "status=%00", "show=0", "show=abc", "show=501", "show=-5"])
def test_a_question_that_makes_no_sense_is_answered(client: Client, order: Order, question: str) -> None:
    page = client.get(f"/admin/orders/?{question}")

    assert page.status_code == 422
    assert order.number in page.text


def test_empty_lists_explain_themselves(client: Client) -> None:
    assert "No orders yet" in client.get("/admin/orders/").text
    assert "Everything that is paid has been shipped." in client.get("/admin/orders/?status=paid").text
