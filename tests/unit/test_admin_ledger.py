"""The ledger in the admin panel: movements with a balance, stock as of a moment, holds, and whether it all adds up."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from inventory import checkout, clock, reservations, stock
from inventory.models import HELD, Cart, Line, Movement, Order, Product, User
from inventory.proof import looks
from inventory.proof.findings import Finding
from inventory.proof.reports import Report, remember

PROOF = "/admin/stock/proof/"


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    monkeypatch.setattr(looks, "PAGE_PAUSE_SECONDS", 0)


def page_of(product: Product) -> str:
    return f"/admin/stock/{product.id}/"


def shown(page: Any) -> str:
    """The words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def damaged(**numbers: int) -> None:
    Product("prod-1").update([getattr(Product, name).add(by) for name, by in numbers.items()])


def report(*wrong: Finding, unjudged: int = 0, overdue: int = 0, count: int | None = None) -> None:
    names = [f"prod-{number}" for number in range(unjudged)]
    number = len(wrong) if count is None else count
    remember(Report(datetime(2026, 11, 3, 13, tzinfo=UTC), 31, number, list(wrong), names, overdue, 4.2))


# Movements


def test_movements_have_the_stock_after_each(client: Client, product: Product) -> None:
    stock.adjust(product.id, by=5, reason="received", note="", who="dana")
    stock.adjust(product.id, by=-3, reason="damaged", note="", who="dana")

    ledger = client.get(page_of(product)).context["ledger"]

    assert [(entry.quantity, entry.balance) for entry in ledger.entries] == [(-3, 12), (5, 15), (10, 10)]


def test_older_movements_are_a_link_away(client: Client, product: Product) -> None:
    for _ in range(29):
        Movement.of(product.id, "received", quantity=1, by="dana").save()
    damaged(stock=29, available=29)

    first = client.get(page_of(product))
    (link,) = re.findall(r'href="(\?before=[^"#]+)#movements"', first.text)
    second = client.get(page_of(product) + link)

    assert [len(page.context["ledger"].entries) for page in (first, second)] == [25, 5]
    assert [entry.balance for entry in second.context["ledger"].entries] == [14, 13, 12, 11, 10]
    assert ("Older" in first.text, "Older" in second.text, "Newest" in second.text) == (True, False, True)


def test_a_page_before_everything_says_so(client: Client, product: Product) -> None:
    page = client.get(page_of(product) + "?before=2020")

    assert "There are no older movements." in page.text


@pytest.mark.parametrize("before", ["x", "2026 0", "9" * 61, "\x00", "<b>"])
def test_a_page_that_makes_no_sense_is_refused(client: Client, product: Product, before: str) -> None:
    assert client.get(page_of(product), {"before": before}).status_code == 422


# As of


@pytest.fixture
def history(make_product: Callable[..., Product]) -> Product:
    """Ten units at ten o'clock in Berlin, three less at noon."""
    with time_machine.travel(datetime(2026, 11, 3, 9, tzinfo=UTC), tick=False):
        product = make_product(stock=10)
    with time_machine.travel(datetime(2026, 11, 3, 11, tzinfo=UTC), tick=False):
        stock.adjust(product.id, by=-3, reason="damaged", note="", who="dana")
    return product


@pytest.mark.parametrize(
    ("moment", "units"),
    [("2026-11-03T09:59", 0), ("2026-11-03T10:00", 10), ("2026-11-03T11:59:59", 10), ("2026-11-03T12:00", 7)],
)
def test_the_stock_as_of_a_moment(client: Client, history: Product, moment: str, units: int) -> None:
    page = client.get(page_of(history), {"at": moment})

    assert page.context["as_of"]["units"] == units
    assert f"On 3 November 2026, {moment[11:16]}: {units} units" in shown(page)


def test_the_stock_as_of_a_moment_in_german(client: Client, history: Product) -> None:
    page = client.get(page_of(history), {"at": "2026-11-03T14:00"}, headers={"accept-language": "de"})

    assert "Am 3. November 2026, 14:00: 7 Stück" in shown(page)


def test_of_the_time_before_the_first_movement_nothing_is_known(client: Client, history: Product) -> None:
    page = shown(client.get(page_of(history), {"at": "2026-11-03T09:00"}))

    assert "Movements are kept since 3 Nov 2026, 10:00" in page


def test_of_what_never_moved_nothing_is_known(client: Client, make_product: Callable[..., Product]) -> None:
    page = client.get(page_of(make_product(stock=0)), {"at": "2026-11-03T09:00"})

    assert "Nothing has moved yet, so nothing is known." in page.text


def test_as_of_counts_the_movement_of_that_very_moment(history: Product) -> None:
    moment = datetime(2026, 11, 3, 11, tzinfo=UTC)

    assert stock.as_of(history.id, moment) == 7
    assert stock.as_of(history.id, moment - timedelta(microseconds=1)) == 10


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("yesterday", "Please enter a date and a time"),
        ("2026-13-03T10:00", "Please enter a date and a time"),
        ("2999-01-01T00:00", "This moment is still to come."),
        ("2026-03-29T02:30", "interpreted in time zone"),
    ],
)
def test_a_moment_that_makes_no_sense_is_refused_and_kept(client: Client, product: Product, at: str, says: str) -> None:
    page = client.get(page_of(product), {"at": at})

    assert page.status_code == 422
    assert says in page.text
    assert f'value="{at}"' in page.text


# Holds


def test_an_accounts_hold_has_its_name(client: Client, product: Product, alice: User) -> None:
    reservations.reserve(alice.id, product.id, quantity=1)
    reservations.reserve("guest-0123456789abcdef", product.id, quantity=1)

    holds = stock.holds(product.id)

    assert sorted(hold.name for hold in holds) == ["", "Alice"]
    assert "Alice" in client.get(page_of(product)).text


def test_an_account_without_a_name_is_known_by_its_address(product: Product, alice: User) -> None:
    alice.update([User.name.set("")])
    reservations.reserve(alice.id, product.id, quantity=1)

    assert stock.holds(product.id)[0].name == "alice@example.com"


def test_a_hold_whose_time_is_up_is_marked(
    client: Client, product: Product, later: Callable[..., None], dana: User, sign_in: Callable[..., None]
) -> None:
    reservations.reserve("alice", product.id, quantity=1)
    before = client.get(page_of(product)).text
    later(hours=2, minutes=1)
    sign_in(client, dana)  # An admin's session has ended by then.

    after = client.get(page_of(product)).text

    assert ("Time is up" in before, "Time is up" in after) == (False, True)


# Whether it adds up


def test_a_products_page_says_that_it_adds_up(client: Client, product: Product) -> None:
    reservations.reserve("alice", product.id, quantity=1)

    assert "Adds up" in client.get(page_of(product)).text


def test_a_products_page_says_what_is_wrong(client: Client, product: Product) -> None:
    damaged(stock=2, available=2)

    page = client.get(page_of(product))

    assert "12 units are in stock, but its movements add up to 10." in page.text
    assert "Adds up" not in page.text


def test_a_products_page_compares_the_orders_that_it_shows(
    client: Client, product: Product, contact: checkout.Contact
) -> None:
    cart = reservations.reserve("alice", product.id, quantity=2)
    order = checkout.place_order("alice", token=str(cart.order_id), contact=contact)
    Order(order.id).delete()

    assert f"its movements name order {order.id}".capitalize() in client.get(page_of(product)).text


def test_the_proof_page_looks_at_each_product_of_the_page(
    client: Client, product: Product, make_product: Callable[..., Product]
) -> None:
    make_product(id="prod-2", name="Mütze", status="archived", stock=3)
    damaged(reserved=1, available=-1)

    page = client.get(PROOF)

    assert {row.id: verdict.state for row, verdict in page.context["rows"]} == {"prod-1": "wrong", "prod-2": "right"}
    assert "1 unit is reserved, but carts hold 0." in page.text
    assert [row.id for row, _ in client.get(PROOF, {"q": "mütze"}).context["rows"]] == ["prod-2"]


def test_the_proof_page_scans_nothing(client: Client, product: Product) -> None:
    from tests.unit import wire

    with wire.heard() as calls:
        client.get(PROOF)

    assert "Scan" not in {name for name, _ in calls}


def test_the_proof_page_says_that_a_product_is_moving(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelves = looks.reading.shelves

    def moving(product_ids: Any) -> Any:
        damaged(moves=1)
        return shelves(product_ids)

    monkeypatch.setattr(looks.reading, "shelves", moving)
    monkeypatch.setattr(looks.reading, "at_one_moment", lambda product_id, owners: None)

    assert "Please look again." in client.get(PROOF).text


def test_the_proof_page_leaves_many_movements_to_the_command(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "PAGE_MOVEMENTS", 0)

    assert "Too many to add up on a page" in client.get(PROOF).text


def test_a_products_page_with_many_movements_still_shows_the_newest(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(30):
        stock.adjust(product.id, by=1, reason="received", note="", who="dana")
    monkeypatch.setattr(looks, "PAGE_MOVEMENTS", 5)

    page = client.get(page_of(product))

    assert "Too many to add up on a page" in page.text
    assert [entry.balance for entry in page.context["ledger"].entries] == list(range(40, 15, -1))


def test_a_products_page_shows_the_numbers_that_it_judges(
    client: Client, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reserves while the page looks: the numbers, the movements and the verdict are those of afterwards."""
    movements, waiting = looks.reading.movements, ["alice"]

    def read(*which: Any, **more: Any) -> Any:
        if waiting:
            reservations.reserve(waiting.pop(), product.id, quantity=4)
        return movements(*which, **more)

    monkeypatch.setattr(looks.reading, "movements", read)

    page = client.get(page_of(product))

    shown = page.context["product"]
    assert (shown.stock, shown.reserved, shown.available) == (10, 4, 6)
    assert page.context["verdict"].state == "right"


def test_a_product_that_is_deleted_while_the_proof_page_looks_is_left_out(
    client: Client, product: Product, make_product: Callable[..., Product]
) -> None:
    make_product(id="prod-2")
    client.get(PROOF)
    Product("prod-2").delete()

    assert [row.id for row, _ in client.get(PROOF).context["rows"]] == [product.id]


def test_a_form_about_a_product_that_is_not_there_is_not_found(client: Client) -> None:
    sent = {"change": "-1", "reason": "damaged", "note": "", "form_id": "form-1"}

    assert client.post("/admin/stock/prod-none/", sent).status_code == 404
    assert client.post("/admin/stock/prod-none/", {}).status_code == 404


def test_a_holder_that_appears_between_two_looks_makes_nothing_wrong(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    reservations.reserve("alice", product.id, quantity=1)
    holders, calls = looks.reading.holders, iter(range(9))
    monkeypatch.setattr(looks.reading, "holders", lambda: holders() if next(calls) else {})

    assert looks.verdicts([product.id])[product.id].state == "right"


@pytest.mark.parametrize(
    ("question", "status"),
    [("page=abc", 422), ("page=9999", 404), ("q=" + "x" * 101, 422), ("q=zzz", 200), ("page=1", 200)],
)
def test_a_question_that_makes_no_sense_is_answered(
    client: Client, product: Product, question: str, status: int
) -> None:
    assert client.get(f"{PROOF}?{question}").status_code == status


# The last full proof


def test_a_proof_that_never_was_says_what_to_run(client: Client) -> None:
    assert "manage.py prove_stock" in client.get(PROOF).text
    assert "Stock has not been proved yet." in client.get("/admin/").text


def test_a_proof_that_was_right_is_green_everywhere(client: Client) -> None:
    report()

    assert "31 products in 4 s" in shown(client.get(PROOF))
    for address in ("/admin/", "/admin/stock/"):
        assert "All numbers add up as of 3 Nov 2026, 14:00" in shown(client.get(address))


def test_a_proof_that_found_something_is_red_and_leads_there(client: Client, product: Product) -> None:
    hold = Finding("endless", "guest-0123456789abcdef")
    total = Finding("total", "order-1", "EK-1", {"cents": [1, 2]})
    moved = Finding("moved", product.id, "Laufschuh", {"stock": 12, "moved": 10})
    report(moved, total, hold)

    page = client.get(PROOF).text

    assert f'href="/admin/stock/{product.id}/">Laufschuh Luchs</a>: 12 units are in stock' in page
    assert 'href="/admin/orders/order-1/">Order EK-1</a>: its total is €0.01' in page
    assert "guest-012345…" in page
    assert "guest-0123456789abcdef" not in page
    assert "3 things were wrong" in client.get("/admin/").text


def test_a_proof_says_it_in_the_readers_language(client: Client) -> None:
    report(Finding("moved", "prod-1", "Laufschuh", {"stock": 12, "moved": 10}))

    page = client.get(PROOF, headers={"accept-language": "de"}).text

    assert "12 Stück sind im Bestand, die Bewegungen ergeben aber 10." in page


def test_a_finding_whose_id_fits_no_address_is_shown_without_a_link(client: Client) -> None:
    report(Finding("moved", "no such/id", "", {"stock": 1, "moved": 2}), Finding("total", "a b", "", {"cents": [1, 2]}))

    assert client.get(PROOF).status_code == 200


def test_a_long_list_of_what_is_wrong_says_that_it_is_cut(client: Client) -> None:
    report(*[Finding("endless", f"guest-{number}") for number in range(100)], count=120)

    assert "These are the first 100." in client.get(PROOF).text


def test_what_could_not_be_judged_and_what_is_overdue_is_said(client: Client) -> None:
    report(unjudged=2, overdue=3)

    page = client.get(PROOF).text

    assert "2 products moved all the time and could not be judged." in page
    assert "3 carts kept their units long after their time." in page
    assert "2 products could not be judged" in client.get("/admin/").text


def test_a_cart_that_holds_what_no_page_can_show_does_not_break_the_page(client: Client, product: Product) -> None:
    line = Line(product_id=product.id, quantity=1, price_cents=1)
    Cart("x", lines=[line], version=1, hold=HELD, expires_at=clock.now() + timedelta(hours=1)).save()

    assert "carts hold 1 (x 1)" in client.get(page_of(product)).text
