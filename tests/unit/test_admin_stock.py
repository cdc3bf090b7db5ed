"""Stock in the admin panel: by an amount with a reason, never set."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from inventory import catalogue, checkout, reservations, stock
from inventory.models import Product, User


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def page_of(product: Product) -> str:
    return f"/admin/stock/{product.id}/"


def numbers(product: Product) -> tuple[int, int, int]:
    found = catalogue.find(product.id)
    assert found is not None
    return found.stock, found.reserved, found.available


@pytest.mark.parametrize(
    ("change", "reason", "after"),
    [("5", "received", 15), ("+5", "returned", 15), ("-3", "damaged", 7), ("\N{MINUS SIGN}3", "corrected", 7),
     (" + 1 ", "corrected", 11), ("100000", "received", 100_010), ("-10", "corrected", 0)],
)  # fmt: skip
def test_a_change_moves_the_stock(client: Client, product: Product, change: str, reason: str, after: int) -> None:
    answer = client.post(page_of(product), {"change": change, "reason": reason, "note": "LS 1142"})

    assert answer["Location"] == page_of(product)
    assert numbers(product) == (after, 0, after)


def test_a_change_says_what_was_and_what_is(client: Client, product: Product) -> None:
    page = client.post(page_of(product), {"change": "5", "reason": "received", "note": ""}, follow=True)

    assert "stock 10 → 15 (+5)" in page.text


def test_a_change_is_kept_with_its_reason_and_who_made_it(client: Client, product: Product, dana: User) -> None:
    client.post(page_of(product), {"change": "-2", "reason": "damaged", "note": "Regal <4>"})

    newest = stock.movements(product.id)[0]
    assert (newest.kind, newest.quantity, newest.why, newest.by) == ("damaged", -2, "Regal <4>", dana.email)
    page = client.get(page_of(product)).text
    assert "Regal &lt;4&gt;" in page
    assert dana.email in page


@pytest.mark.parametrize(
    "change",
    [
        "",
        "0",
        "-0",
        "+0",
        "1.5",
        "1,5",
        "abc",
        "1e3",
        "--3",
        "100001",
        "-100001",
        "9" * 5_000,
        "٣",
        "\x00",
        "1_000",
        "<b>",
    ],
)
def test_a_wrong_amount_is_refused(client: Client, product: Product, change: str) -> None:
    answer = client.post(page_of(product), {"change": change, "reason": "corrected", "note": "kept"})

    assert answer.status_code == 422
    assert "change" in answer.context["form"].errors
    assert 'value="kept"' in answer.text
    assert numbers(product) == (10, 0, 10)


@pytest.mark.parametrize(
    ("reason", "note"), [("", ""), ("sold", ""), ("opening", ""), ("corrected", "x" * 201), ("corrected", "a\x00b")]
)
def test_a_wrong_reason_or_note_is_refused(client: Client, product: Product, reason: str, note: str) -> None:
    answer = client.post(page_of(product), {"change": "1", "reason": reason, "note": note})

    assert answer.status_code == 422
    assert numbers(product) == (10, 0, 10)


@pytest.mark.parametrize(("change", "reason"), [("-1", "received"), ("-1", "returned"), ("1", "damaged")])
def test_a_reason_against_the_sign_is_refused_and_the_input_kept(
    client: Client, product: Product, change: str, reason: str
) -> None:
    answer = client.post(page_of(product), {"change": change, "reason": reason, "note": ""})

    assert answer.status_code == 422
    assert "This reason does not fit" in answer.text
    assert f'value="{change}"' in answer.text
    assert numbers(product) == (10, 0, 10)


def test_what_carts_hold_cannot_be_taken_out(client: Client, product: Product) -> None:
    reservations.reserve("guest-1", product.id, quantity=8)

    answer = client.post(page_of(product), {"change": "-3", "reason": "corrected", "note": ""})

    assert answer.status_code == 422
    assert "Only 2 of Laufschuh Luchs are free to be taken out" in answer.text
    assert numbers(product) == (10, 8, 2)


def test_who_holds_it_is_listed_without_a_whole_id(client: Client, product: Product) -> None:
    reservations.reserve("guest-0123456789abcdef", product.id, quantity=4)

    page = client.get(page_of(product)).text

    assert "guest-0123456" in page
    assert "guest-0123456789abcdef" not in page


def test_a_sale_leads_to_its_order(client: Client, product: Product, contact: checkout.Contact) -> None:
    cart = reservations.reserve("guest-1", product.id, quantity=2)
    order = checkout.place_order("guest-1", token=str(cart.order_id), contact=contact)

    page = client.get(page_of(product)).text

    assert f'href="/admin/orders/{order.id}/"' in page
    assert "-2" in page


def test_a_product_that_never_moved_explains_itself(client: Client, make_product: Callable[..., Product]) -> None:
    page = client.get(page_of(make_product(stock=0))).text

    assert "Nothing has moved yet" in page
    assert "No cart holds this product" in page


@pytest.mark.parametrize("key", ["prod-none", "x" * 65, "%00", "a.b"])
def test_a_product_that_is_not_there_is_not_found(client: Client, key: str) -> None:
    assert client.get(f"/admin/stock/{key}/").status_code == 404
    assert client.post(f"/admin/stock/{key}/", {"change": "1", "reason": "received"}).status_code == 404


# The list


@pytest.fixture
def shelf(make_product: Callable[..., Product]) -> None:
    make_product(id="prod-a", name="Schuh Alpha", sku="SH-A", stock=50)
    make_product(id="prod-b", name="Hose Beta", sku="AP-B", stock=3)
    make_product(id="prod-c", name="Ball Gamma", sku="EQ-C", stock=0)
    make_product(id="prod-d", name="Alt", sku="EQ-D", status="archived")


@pytest.mark.parametrize(
    ("question", "expected"),
    [("", ["prod-c", "prod-b", "prod-a"]), ("?low=on", ["prod-c", "prod-b"]), ("?q=alpha", ["prod-a"]),
     ("?q=ap-b", ["prod-b"]), ("?q=alpha&low=on", []), ("?q=zzz", [])],
)  # fmt: skip
@pytest.mark.usefixtures("shelf")
def test_what_is_short_comes_first(client: Client, question: str, expected: list[str]) -> None:
    page = client.get(f"/admin/stock/{question}")

    assert page.status_code == 200
    assert [product.id for product in page.context["listing"].rows] == expected


@pytest.mark.parametrize(
    ("question", "status"),
    [("page=abc", 422), ("page=-1", 422), ("page=9999", 404), ("q=" + "x" * 101, 422), ("q=%00", 422)],
)
def test_a_question_that_makes_no_sense_is_answered(
    client: Client, product: Product, question: str, status: int
) -> None:
    assert client.get(f"/admin/stock/?{question}").status_code == status


FORM_ID = "0123456789abcdef" * 2


def test_a_form_that_is_sent_twice_is_booked_once(client: Client, product: Product) -> None:
    form = {"change": "5", "reason": "received", "note": "LS 1142", "form_id": FORM_ID}

    first, second = client.post(page_of(product), form), client.post(page_of(product), form)

    assert (first.status_code, second.status_code) == (302, 302)
    assert numbers(product) == (15, 0, 15)
    assert [movement.quantity for movement in stock.movements(product.id)] == [5, 10]


def test_a_form_that_comes_again_with_other_values_is_shown_again(client: Client, product: Product) -> None:
    client.post(page_of(product), {"change": "5", "reason": "received", "note": "", "form_id": FORM_ID})

    answer = client.post(page_of(product), {"change": "7", "reason": "received", "note": "", "form_id": FORM_ID})

    assert answer.status_code == 409
    assert "This form was booked before, with other values." in answer.text
    assert 'value="7"' in answer.text
    assert FORM_ID not in answer.text
    assert numbers(product) == (15, 0, 15)


def test_each_page_has_a_form_of_its_own(client: Client, product: Product) -> None:
    ids = {client.get(page_of(product)).context["form"]["form_id"].value() for _ in range(2)}

    assert len(ids) == 2


def test_a_made_up_form_id_is_refused(client: Client, product: Product) -> None:
    form = {"change": "5", "reason": "received", "note": "", "form_id": "#" * 32}

    assert client.post(page_of(product), form).status_code == 422
    assert numbers(product) == (10, 0, 10)
