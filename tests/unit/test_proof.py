"""The proof of stock finds every kind of damage, says what it is, and repairs what can be repaired."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from inventory import audit, catalogue, checkout, clock, dynamodb, orders, products, reservations, stock
from inventory.errors import Busy
from inventory.models import HELD, Cart, Line, Movement, Order, Product, Step
from inventory.proof import findings, looks, reading, repairs, reports
from inventory.proof.proving import Proof
from inventory.tables import UPGRADER
from tests.unit import wire

MakeProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits between looks."""
    monkeypatch.setattr(looks, "SECONDS_TO_BE_SURE", 0)
    monkeypatch.setattr("inventory.proof.looks.time.sleep", lambda _seconds: None)
    monkeypatch.setattr("inventory.dynamodb.time.sleep", lambda _seconds: None)


def run(*arguments: str) -> tuple[str, int]:
    """What the command prints without its progress, and its exit status."""
    out, status = io.StringIO(), 0
    try:
        call_command("prove_stock", *arguments, stdout=out)
    except SystemExit as end:
        status = int(str(end.code))
    lines = [line for line in out.getvalue().splitlines() if not line.startswith("  ")]
    return re.sub(r", [0-9.]+ seconds", "", "\n".join(lines)), status


@pytest.fixture
def order(product: Product, contact: checkout.Contact) -> Order:
    """Two units that Alice bought."""
    cart = reservations.reserve("alice", product.id, quantity=2)
    return checkout.place_order("alice", token=str(cart.order_id), contact=contact)


def movement_of(kind: str, product_id: str = "prod-1") -> Movement:
    (found,) = [movement for movement in stock.movements(product_id) if movement.kind == kind]
    return found


def numbers(product_id: str = "prod-1") -> tuple[int, int, int]:
    product = catalogue.find(product_id)
    return product.stock, product.reserved, product.available


# Nothing wrong


def test_an_empty_shop_is_right():
    assert run() == ("All stock is right. 0 products.", 0)


def test_everything_that_a_shop_does_is_right(make_product: MakeProduct, order: Order, contact: checkout.Contact):
    make_product(id="prod-2", stock=5)
    reservations.reserve("guest-1", "prod-1", quantity=3)
    reservations.reserve("guest-1", "prod-2", quantity=1)
    stock.adjust("prod-2", by=-1, reason="damaged", note="", who="dana")
    stock.adjust("prod-2", by=1, reason="returned", note="", who="dana")
    cart = reservations.reserve("bob", "prod-1", quantity=1)
    orders.cancel(checkout.place_order("bob", token=str(cart.order_id), contact=contact), by="dana")
    products.save("prod-1", version=1, name="Renamed")

    printed, status = run()

    assert (printed, status) == ("All stock is right. 2 products.", 0)


def test_it_says_how_far_it_is(product: Product):
    out = io.StringIO()

    call_command("prove_stock", stdout=out)

    assert out.getvalue().splitlines()[:5] == [
        "  moves: 1 of 1",
        "  carts: 0 of 0",
        "  orders: 0 of 0",
        "  movements: 1 of 1",
        "  products: 1 of 1",
    ]


def test_orders_of_the_first_version_have_no_movements_and_are_right(product: Product):
    lines = [Line(product_id=product.id, quantity=2, price_cents=100)]
    for order_id, status in (("old-1", "pending"), ("old-2", "cancelled")):
        step = Step(status=status, at=clock.now(), by=UPGRADER)
        Order(order_id, user_id="max", items=lines, total_cents=200, status=status, history=[step]).save()
    Order("older", user_id="max", items=lines, total_cents=200, status="cancelled").save()
    orders.cancel(orders.find("old-1"), by="dana")

    assert run()[1] == 0


def test_the_proof_writes_nothing_but_its_note(order: Order):
    with wire.heard() as calls:
        run()

    writes = [(name, params["TableName"]) for name, params in calls if name not in READS]
    assert writes == [("PutItem", "ecokart-notes")]


READS = {"Scan", "Query", "GetItem", "BatchGetItem", "TransactGetItems", "DescribeTable"}


# Every kind of damage


def damaged(**numbers: int) -> None:
    Product("prod-1").update([getattr(Product, name).add(by) for name, by in numbers.items()])


def hold(owner: str = "guest-0123456789ab", *, product_id: str = "prod-1", units: int = 2, **fields: Any) -> None:
    """A cart that holds units of which the product knows nothing."""
    line = Line(product_id=product_id, quantity=units, price_cents=100)
    until = {"expires_at": clock.now() + timedelta(hours=1)}
    Cart(owner, lines=[line], version=1, order_id="x", hold=HELD, **{**until, **fields}).save()


def sold(order_id: str | None, *, units: int = 2, kind: str = "sold") -> None:
    """A movement, with the stock that goes with it."""
    sign = -1 if kind == "sold" else 1
    Movement.of("prod-1", kind, quantity=sign * units, by="x", order_id=order_id).save()
    damaged(stock=sign * units, available=sign * units)


def test_reserved_units_that_no_cart_holds(product: Product):
    reservations.reserve("guest-0123456789ab", product.id, quantity=2)
    damaged(reserved=1, available=-1)

    assert run() == (
        "prod-1 (Laufschuh Luchs): 3 units are reserved, but carts hold 2 (guest-012345… 2).\n1 wrong. 1 products.",
        1,
    )


def test_more_in_carts_than_reserved(product: Product):
    for number in range(7):
        hold(f"guest-{number}", units=number + 1)

    printed, _ = run()

    assert "0 units are reserved, but carts hold 28 (guest-6 7, guest-5 6, guest-4 5, guest-3 4, guest-2 3, 2 more" in (
        printed
    )


def test_stock_that_is_not_available_and_reserved(product: Product):
    damaged(available=1)

    assert "10 units are in stock, but 11 available and 0 reserved make 11." in run()[0]


def test_numbers_below_nothing(product: Product):
    damaged(available=-11, reserved=11)

    assert "but stock is 10, reserved 11, available -1." in run()[0]


def test_units_of_a_product_that_is_marked_as_sold_out(product: Product):
    Product(product.id).update([Product.in_stock_since.remove()])

    assert run() == (
        "prod-1 (Laufschuh Luchs): 10 units are available, but the product is marked as sold out.\n"
        "1 wrong. 1 products.",
        1,
    )


def test_a_mark_of_a_product_that_is_sold_out(product: Product):
    reservations.reserve("alice", product.id, quantity=10)
    Product(product.id).update([Product.in_stock_since.set(clock.now())])

    assert "prod-1 (Laufschuh Luchs): none is available, but the product is marked as in stock since 2" in run()[0]


def test_a_product_that_is_in_no_list_of_what_sold_out_or_came_back(product: Product):
    Product(product.id).update([Product.availability_at.remove()])

    assert "nothing says when it last sold out or came back (availabilityAt)." in run()[0]


def test_stock_that_its_movements_do_not_explain(product: Product):
    damaged(stock=2, available=2)

    assert run() == (
        "prod-1 (Laufschuh Luchs): 12 units are in stock, but its movements add up to 10.\n1 wrong. 1 products.",
        1,
    )


def test_a_product_that_was_never_brought_up_to_date(product: Product):
    Product(product.id).update([Product.available.remove()])

    assert "prod-1 (Laufschuh Luchs): this product is still as the first version left it" in run()[0]


def test_a_cart_that_holds_what_is_not_there():
    hold(product_id="prod-none")

    assert "prod-none: there is no such product, but carts hold 2 of it (guest-012345… 2)." in run()[0]


def test_movements_of_a_product_that_is_not_there(product: Product):
    product.delete()

    assert "prod-1: there is no such product, but it has movements that add up to 10." in run()[0]


def test_an_order_without_its_movement(order: Order):
    movement_of("sold").delete()
    damaged(stock=2, available=2)

    printed, status = run()

    assert f"order {order.number} has 2 of it, but no movement says that they were sold." in printed
    assert (printed.count("\n"), status) == (1, 1)


@pytest.mark.parametrize(("units", "says"), [(2, "2 movements say that 4"), (1, "2 movements say that 3")])
def test_an_order_that_was_sold_twice(order: Order, units: int, says: str):
    sold(order.id, units=units)

    assert f"order {order.number} has 2 of it, but {says} were sold." in run()[0]


def test_an_order_that_was_sold_with_another_quantity(order: Order):
    movement_of("sold").update([Movement.quantity.set(-3)])
    damaged(stock=-1, available=-1)

    assert f"order {order.number} has 2 of it, but 1 movement says that 3 were sold." in run()[0]


def test_a_movement_of_a_product_that_its_order_does_not_have(make_product: MakeProduct, order: Order):
    make_product(id="prod-2", stock=5)
    Movement.of("prod-2", "sold", quantity=-1, by="x", order_id=order.id).save()
    Product("prod-2").update([Product.stock.add(-1), Product.available.add(-1)])

    assert f"prod-2 (Laufschuh Luchs): order {order.number} has 0 of it, but 1 movement says that 1" in run()[0]


def test_a_sale_without_its_order(product: Product):
    sold("order-none")

    assert "its movements name order order-none (2 sold, 0 returned), which does not exist." in run()[0]


def test_a_correction_that_names_an_order_is_none_of_the_orders_business(order: Order):
    Movement.of("prod-1", "corrected", quantity=1, by="dana", order_id=order.id).save()
    damaged(stock=1, available=1)

    assert run()[1] == 0


def test_a_sale_that_names_no_order(product: Product):
    sold(None)

    assert "says that 2 were sold, but names no order." in run()[0]


def test_an_order_of_the_first_version_that_was_sold_once_more(product: Product):
    lines = [Line(product_id=product.id, quantity=2, price_cents=100)]
    step = Step(status="pending", at=clock.now(), by=UPGRADER)
    Order("old-1", user_id="max", items=lines, total_cents=200, history=[step]).save()
    sold("old-1")

    assert "order old-1 was sold by the first version, but movements say again that 2 were sold." in run()[0]


def test_a_cancelled_order_whose_units_never_came_back(order: Order):
    orders.cancel(order, by="dana")
    movement_of("returned").delete()
    damaged(stock=-2, available=-2)

    assert f"order {order.number} is cancelled, but no movement brings back its 2." in run()[0]


@pytest.mark.parametrize(("units", "says"), [(2, "2 movements bring back 4"), (1, "2 movements bring back 3")])
def test_a_cancelled_order_whose_units_came_back_twice(order: Order, units: int, says: str):
    orders.cancel(order, by="dana")
    sold(order.id, units=units, kind="returned")

    assert f"order {order.number} is cancelled with 2 of it, but {says}." in run()[0]


def test_units_that_came_back_from_an_order_that_is_not_cancelled(order: Order):
    sold(order.id, kind="returned")

    assert f"movements bring back 2 of it from order {order.number}, which gives nothing back." in run()[0]


def test_an_order_whose_total_is_not_what_its_lines_make(order: Order):
    order.update([Order.total_cents.set(19997)])

    assert f"order {order.id} ({order.number}): its total is €199.97, but its lines make €199.98." in run()[0]


def test_a_hold_without_an_end(product: Product):
    hold(expires_at=None)
    damaged(reserved=2, available=-2)

    assert "cart guest-012345…: it holds stock, but has no moment when that ends" in run()[0]


def test_a_cart_that_holds_stock_and_may_vanish(product: Product):
    hold(delete_at=clock.now() + timedelta(days=30))
    damaged(reserved=2, available=-2)

    assert "cart guest-012345…: it holds stock, but DynamoDB may delete it (deleteAt)" in run()[0]


def test_a_line_that_holds_less_than_nothing(product: Product):
    hold(units=-1)
    damaged(reserved=-1, available=1)

    assert "cart guest-012345…: it holds -1 of product prod-1; a line is at least 1 unit." in run()[0]


def test_each_damaged_product_is_counted_once_and_the_others_are_left_in_peace(make_product: MakeProduct):
    for number in range(1, 4):
        make_product(id=f"prod-{number}")
    damaged(stock=1)
    Product("prod-3").update([Product.reserved.add(1)])

    printed, _ = run()

    assert "2 wrong. 3 products" in printed
    assert "prod-2" not in printed


# No wrong number


def test_a_sweep_that_does_not_run_is_a_remark(product: Product, later: Callable[..., None]):
    reservations.reserve("alice", product.id, quantity=1)
    later(hours=2, minutes=14)
    before = run()
    later(minutes=2)

    after = run()

    assert "Remark" not in before[0]
    assert "Remark: 1 cart(s) keep units" in after[0]
    assert (before[1], after[1]) == (0, 0)


# While the shop goes on


def moving(monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """The product moves each time that it is read, so often."""
    left, shelves = iter(range(times)), reading.shelves

    def read(product_ids: Any) -> Any:
        if next(left, None) is not None:
            damaged(moves=1)
        return shelves(product_ids)

    monkeypatch.setattr(reading, "shelves", read)


def test_what_is_reserved_during_the_reading_is_no_damage(product: Product):
    with wire.just_before("Query", lambda: None):
        proof = Proof()
        for step in proof.steps():
            if step.what == "carts" and step.done == 0:
                reservations.reserve("alice", product.id, quantity=2)

    assert proof.report.state == "right"


def test_what_is_bought_during_the_reading_is_no_damage(product: Product, contact: checkout.Contact):
    cart = reservations.reserve("alice", product.id, quantity=2)
    proof = Proof()
    for step in proof.steps():
        if step.what == "orders" and step.done == 0 and reservations.find("alice"):
            checkout.place_order("alice", token=str(cart.order_id), contact=contact)

    assert proof.report.state == "right"


def test_a_product_that_moves_all_the_time_is_seen_in_one_reading_transaction(
    product: Product, monkeypatch: pytest.MonkeyPatch
):
    moving(monkeypatch, times=999)
    damaged(reserved=1, available=-1)

    printed, status = run()

    assert "1 unit is reserved, but carts hold 0." in printed
    assert status == 1


def test_a_product_that_moves_all_the_time_and_is_right_is_no_damage(product: Product, monkeypatch: pytest.MonkeyPatch):
    reservations.reserve("alice", product.id, quantity=2)
    moving(monkeypatch, times=999)
    damaged(moves=1)

    proof = Proof()
    for step in proof.steps():
        if (step.what, step.done) == ("carts", 1):
            damaged(moves=1)

    assert proof.report.state == "right"


def test_a_product_that_never_stands_still_is_not_said_to_be_wrong(product: Product, monkeypatch: pytest.MonkeyPatch):
    moving(monkeypatch, times=9_999)
    monkeypatch.setattr(reading, "at_one_moment", lambda product_id, owners: None)
    damaged(reserved=1, available=-1)

    printed, status = run()

    assert "prod-1: moved all the time and could not be judged." in printed
    assert "Nothing wrong was found, but 1 could not be judged. 1 products" in printed
    assert status == 2


def test_a_holder_that_the_index_did_not_know_yet_is_waited_for(product: Product, monkeypatch: pytest.MonkeyPatch):
    """The reading comes too early for the cart, and the index knows it only at the fourth question."""
    reservations.reserve("alice", product.id, quantity=2)
    holders, calls = reading.holders, iter(range(99))
    monkeypatch.setattr(reading, "holders", lambda: holders() if next(calls) >= 3 else {})
    monkeypatch.setattr("inventory.proof.books.Books._cart", lambda books, raw: None)

    assert run()[1] == 0


def test_a_holder_that_the_index_never_learns_of_is_no_damage(product: Product, monkeypatch: pytest.MonkeyPatch):
    """However far the index is behind: what was reserved while the carts were read is found in the carts."""
    monkeypatch.setattr(reading, "holders", dict)
    monkeypatch.setattr("inventory.proof.books.Books._cart", lambda books, raw: None)
    reservations.reserve("alice", product.id, quantity=2)

    assert run("--repair")[1] == 0
    assert numbers(product.id) == (10, 2, 8)


def test_repair_takes_nothing_from_a_cart_that_the_index_does_not_know(
    product: Product, monkeypatch: pytest.MonkeyPatch
):
    reservations.reserve("alice", product.id, quantity=9)
    damaged(stock=1, available=1)
    monkeypatch.setattr(reading, "holders", dict)

    run("--repair")

    assert numbers(product.id) == (11, 9, 2)


def test_repair_waits_while_somebody_reserves_between_the_carts_and_the_look(
    product: Product, monkeypatch: pytest.MonkeyPatch
):
    damaged(stock=1, available=1)
    read, waiting = reading.every_holder, ["bob"]

    def read_too_early() -> dict[str, set[str]]:
        found = read()
        while waiting:
            reservations.reserve(waiting.pop(), product.id, quantity=3)
        return found

    monkeypatch.setattr(reading, "every_holder", read_too_early)

    list(repairs.repair([findings.Finding("moved", product.id)]))

    assert numbers(product.id) == (11, 3, 8)


def test_a_refused_reading_transaction_is_another_look(product: Product):
    with wire.refusing("TransactGetItems", "TransactionCanceledException"):
        assert reading.at_one_moment(product.id, ["alice"]) is None
    assert reading.at_one_moment("prod-none", ["alice"]) == (None, {})


def test_what_is_wrong_with_the_question_is_not_asked_again(product: Product):
    with wire.refusing("TransactGetItems", "ValidationException"), pytest.raises(Exception, match="made up by a test"):
        reading.at_one_moment(product.id, ["alice"])


def test_more_movements_than_a_page_reads_are_left_to_the_command(product: Product, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(looks, "PAGE_MOVEMENTS", 1)
    stock.adjust(product.id, by=1, reason="received", note="", who="dana")

    assert looks.verdicts([product.id])[product.id].state == "long"
    moving(monkeypatch, times=99)
    assert looks.verdicts([product.id])[product.id].state == "long"


# When the database does not answer


@pytest.mark.parametrize("operation", ["Scan", "DescribeTable"])
def test_a_database_that_does_not_answer_gives_a_status_of_its_own(product: Product, operation: str, monkeypatch):
    monkeypatch.setattr("inventory.proof.reading.time.sleep", lambda _seconds: None)

    with wire.losing_requests(operation, times=99), pytest.raises(CommandError, match="run the command again") as said:
        run()

    assert said.value.returncode == 3


def test_a_page_that_gets_lost_is_read_again(product: Product):
    with wire.losing_requests("Scan", times=3):
        assert run()[1] == 0


def test_keys_that_were_not_processed_are_asked_for_again(product: Product, monkeypatch: pytest.MonkeyPatch):
    client = dynamodb.connection().client
    real, refused = client.batch_get_item, iter(range(2))

    def batch_get_item(**question: Any) -> dict[str, Any]:
        if next(refused, None) is not None:
            return {"Responses": {}, "UnprocessedKeys": question["RequestItems"]}
        return real(**question)

    monkeypatch.setattr(client, "batch_get_item", batch_get_item)
    assert list(reading.shelves([product.id])) == [product.id]

    refused = iter(range(99))
    with pytest.raises(Busy):
        reading.shelves([product.id])


def test_a_repair_that_finds_no_database_gives_a_status_of_its_own(product: Product, monkeypatch: pytest.MonkeyPatch):
    damaged(stock=2, available=2)

    def lost(*_: Any, **__: Any) -> Any:
        with wire.losing_requests("Query", times=99):
            yield from [reading.holders()]

    monkeypatch.setattr("inventory.proof.repairs.repair", lost)
    with pytest.raises(CommandError) as said:
        run("--repair")

    assert said.value.returncode == 3


def test_tables_of_many_pages_are_read_to_their_end(order: Order, monkeypatch: pytest.MonkeyPatch):
    """One item a page, where there are pages."""
    ask = reading._ask

    def small(operation: Any, **question: Any) -> dict[str, Any]:
        return ask(operation, **question, **({"Limit": 1} if operation.__name__ in ("scan", "query") else {}))

    monkeypatch.setattr(reading, "_ask", small)
    reservations.reserve("bob", "prod-1", quantity=1)
    reservations.reserve("charlie", "prod-1", quantity=1)

    assert run() == ("All stock is right. 1 products.", 0)
    assert reading.count_movements("prod-1") == len(reading.movements("prod-1")) == 2
    assert reading.holders() == {"prod-1": {"bob", "charlie"}}


def test_a_large_table_is_read_in_parts(product: Product, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading, "_page", lambda model, names, part: ([part], None))

    parts = [page[0] for page in reading.scan(Product, about=600_000)]

    assert sorted(part["Segment"] for part in parts) == [0, 1, 2]
    assert {part["TotalSegments"] for part in parts} == {3}
    assert len(list(reading.scan(Product, about=10**9))) == reading.MOST_SEGMENTS
    assert list(reading.scan(Product, about=0)) == [[{}]]


# The note


def test_the_result_is_remembered(product: Product):
    assert reports.last() is None
    damaged(stock=2, available=2)
    before = clock.now()

    run()

    last = reports.last()
    assert (last.products, last.wrong_count, last.state) == (1, 1, "wrong")
    assert last.at >= before
    with translation.override("de"):
        assert "12 Stück" in last.wrong[0].line


def test_of_many_that_are_wrong_the_first_hundred_are_remembered(make_product: MakeProduct):
    for number in range(103):
        Product(f"prod-{number:03}", name="x", catalogue="catalogue", stock=1, reserved=0, available=1).save()

    _, status = run()

    last = reports.last()
    assert (last.wrong_count, len(last.wrong), status) == (103, 100, 1)


def test_a_proof_that_is_not_over_has_no_report():
    with pytest.raises(RuntimeError):
        _ = Proof().report


def test_ids_of_carts_are_shortened():
    assert findings.short("guest-1") == "guest-1"
    assert findings.short("guest-0123456789ab") == "guest-012345…"


# Repair


def repaired() -> list[str]:
    """What a repair says of what it writes; the same again must find nothing to do."""
    printed, _ = run("--repair")
    again, status = run("--repair")
    assert (again, status) == ("All stock is right. 1 products.", 0)
    return printed.splitlines()


def test_repair_writes_a_correcting_movement_after_showing_it(product: Product):
    damaged(stock=2, available=2)

    printed = repaired()

    assert printed[2:4] == ["prod-1 (Laufschuh Luchs): a correcting movement of +2.", "Done."]
    correction = movement_of("corrected")
    assert (correction.quantity, correction.by) == (2, "prove_stock")
    assert correction.why == "movements made 10, stock was 12"
    assert numbers() == (12, 0, 12)
    (entry,) = audit.look(group="stock").entries
    assert (entry.actor, entry.what, entry.note) == ("prove_stock", "stock.repaired", "movement of +2")


def test_repair_says_in_the_audit_log_what_the_numbers_were(product: Product):
    damaged(reserved=2, available=-2)

    repaired()

    (entry,) = audit.look(target="product#prod-1").entries
    changes = [(change.field, change.before, change.after) for change in entry.changes]
    assert changes == [("reserved", "2", "0"), ("available", "8", "10")]


def wrongly_marked(*, in_stock: bool, dated: bool = True) -> None:
    mark = Product.in_stock_since.set(clock.now()) if in_stock else Product.in_stock_since.remove()
    Product("prod-1").update([mark] if dated else [mark, Product.availability_at.remove()])


@pytest.mark.parametrize(("held", "says"), [(3, "in stock"), (10, "sold out")])
@pytest.mark.parametrize("dated", [True, False])
def test_repair_marks_a_product_by_its_numbers(product: Product, held: int, says: str, dated: bool):
    reservations.reserve("alice", product.id, quantity=held)
    wrongly_marked(in_stock=held == 10, dated=dated)
    before = clock.now()

    assert repaired()[2:4] == [f"prod-1 (Laufschuh Luchs): marked as {says}.", "Done."]

    found = catalogue.find("prod-1")
    assert found.in_stock_since == (found.availability_at if held == 3 else None)
    assert found.availability_at > before


def test_repair_does_not_mark_what_sells_out_meanwhile(product: Product):
    reservations.reserve("alice", product.id, quantity=3)
    wrongly_marked(in_stock=False)

    with wire.just_before("TransactWriteItems", lambda: reservations.reserve("bob", product.id, quantity=7)):
        run("--repair")

    found = catalogue.find("prod-1")
    assert (found.available, found.in_stock_since) == (0, None)


def test_repair_leaves_a_mark_that_is_right(product: Product):
    before = catalogue.find("prod-1")
    damaged(stock=2, available=2)

    repaired()

    after = catalogue.find("prod-1")
    assert (after.in_stock_since, after.availability_at) == (before.in_stock_since, before.availability_at)


@pytest.mark.parametrize("damage", [{"reserved": 1, "available": -1}, {"available": 4}, {"available": -13}])
def test_repair_lets_numbers_follow_the_carts(product: Product, damage: dict[str, int]):
    reservations.reserve("alice", product.id, quantity=3)
    damaged(**damage)

    repaired()

    assert numbers() == (10, 3, 7)


def test_repair_makes_nothing_of_less_than_nothing(product: Product):
    damaged(stock=-12, available=-12)

    changes = "stock -2 → 0, available -2 → 0, a correcting movement of -10, marked as sold out"
    assert f"prod-1 (Laufschuh Luchs): {changes}." in repaired()
    assert numbers() == (0, 0, 0)


def test_repair_ends_the_newest_holds_until_the_rest_fits(product: Product, later: Callable[..., None]):
    reservations.reserve("alice", product.id, quantity=6)
    later(minutes=1)
    reservations.reserve("bob", product.id, quantity=3)
    later(minutes=1)
    reservations.reserve("charlie", product.id, quantity=1)
    damaged(stock=-2, available=0)

    printed = repaired()

    assert "cart charlie: its hold ends. Its lines stay and can be reserved again." in printed
    assert numbers() == (8, 6, 2)
    assert [reservations.find(owner).is_held for owner in ("alice", "bob", "charlie")] == [True, False, False]
    assert reservations.find("bob").units == 3


def test_repair_gives_back_the_other_products_of_a_cart_whose_hold_ends(make_product: MakeProduct):
    make_product(id="prod-1", stock=3)
    make_product(id="prod-2", stock=5)
    reservations.reserve("alice", "prod-2", quantity=4)
    reservations.reserve("alice", "prod-1", quantity=3)
    damaged(stock=-1, reserved=-1)

    run("--repair")

    assert (numbers("prod-1"), numbers("prod-2")) == ((2, 0, 2), (5, 0, 5))
    assert run()[1] == 0


def test_repair_ends_holds_of_a_product_that_is_not_there(product: Product):
    hold(product_id="prod-none")
    cart = Cart.get("guest-0123456789ab")
    cart.update([Cart.lines.set([*cart.lines, Line(product_id="prod-1", quantity=2, price_cents=100)])])
    damaged(reserved=2, available=-2)

    repaired()

    assert numbers() == (10, 0, 10)
    assert not Cart.get("guest-0123456789ab").is_held


def test_repair_ends_a_hold_without_an_end(product: Product):
    hold(expires_at=None)
    damaged(reserved=2, available=-2)

    repaired()

    assert numbers() == (10, 0, 10)
    assert Cart.get("guest-0123456789ab").units == 2


@pytest.mark.parametrize("until", ["never", "2054-01-01T00:00:00.000000Z"])
def test_a_hold_until_nobody_sees_it_is_ended_too(product: Product, until: str):
    hold()
    damaged(reserved=2, available=-2)
    key, values = {"userId": {"S": "guest-0123456789ab"}}, {":until": {"S": until}}
    dynamodb.connection().client.update_item(
        TableName="ecokart-carts", Key=key, UpdateExpression="SET expiresAt = :until", ExpressionAttributeValues=values
    )

    assert "it holds stock, but has no moment when that ends" in run()[0]
    repaired()

    assert numbers() == (10, 0, 10)


def test_repair_of_a_hold_that_somebody_is_changing_writes_nothing(product: Product):
    hold(expires_at=None)
    damaged(reserved=2, available=-2)

    with wire.cancelling("None", "TransactionConflict"):
        said = list(repairs.repair([findings.Finding("endless", "guest-0123456789ab")]))

    assert said[1:] == ["It moved meanwhile, and nothing was written. Run the command again."]
    assert numbers() == (10, 2, 8)


def test_repair_of_a_hold_that_is_over_by_now_writes_nothing(product: Product):
    assert list(repairs.repair([findings.Finding("endless", "bob")]))[1:] == [
        "It moved meanwhile, and nothing was written. Run the command again."
    ]


def test_repair_writes_the_sale_that_an_order_has_lost(order: Order):
    movement_of("sold").delete()

    printed, status = run("--repair")

    assert f"the sale to order {order.id} of -2" in printed
    assert (movement_of("sold").quantity, movement_of("sold").order_id, status) == (-2, order.id, 0)


def test_an_order_whose_status_is_not_what_its_history_says(order: Order):
    order.update([Order.status.set("shipped")])

    printed, status = run()

    assert "its status is shipped, but its history ends with pending." in printed
    assert status == 1


def test_repair_keeps_a_cart_that_might_have_vanished(product: Product):
    hold(delete_at=clock.now() + timedelta(days=30))
    damaged(reserved=2, available=-2)

    repaired()

    assert Cart.get("guest-0123456789ab").is_held
    assert numbers() == (10, 2, 8)


def test_repair_explains_what_it_leaves_alone(order: Order):
    movement_of("sold").delete()
    damaged(stock=2, available=2)
    order.update([Order.total_cents.set(1), Order.status.set("shipped")])

    printed, status = run("--repair")

    assert "Not repaired. prod-1 (Laufschuh Luchs): order" in printed
    assert "look at the order, count the shelf." in printed
    assert "Not repaired. order" in printed
    assert status == 1


def test_repair_says_when_too_much_hangs_together(product: Product):
    for number in range(101):
        hold(f"guest-{number:03}")
    damaged(stock=-10, available=-10)

    printed, status = run("--repair")

    assert "Not repaired. These are 104 writes, more than one transaction takes." in printed
    assert (numbers(), status) == ((0, 0, 0), 1)


def test_repair_writes_nothing_over_what_moved_meanwhile(product: Product):
    damaged(stock=2, available=2)
    with wire.cancelling("TransactionConflict", "None", times=99):
        printed, status = run("--repair")

    assert "It moved meanwhile, and nothing was written. Run the command again." in printed
    assert (len(stock.movements(product.id)), status) == (1, 1)


def test_repair_that_lost_its_answer_is_done_once(product: Product):
    damaged(stock=2, available=2)

    with wire.losing_answers():
        printed, _ = run("--repair")

    assert "prod-1: it is right by now." in printed
    assert numbers() == (12, 0, 12)
    assert len(stock.movements(product.id)) == 2


def test_repair_waits_for_a_product_that_moves(product: Product, monkeypatch: pytest.MonkeyPatch):
    damaged(stock=2, available=2)
    see, calls = looks.see, iter(range(99))
    monkeypatch.setattr("inventory.proof.repairs.looks.see", lambda some: see(some) if next(calls) else [None])

    said = list(repairs.repair([findings.Finding("moved", product.id)]))

    assert said[-1] == "Done."


def test_repair_of_a_cart_that_is_gone_or_changes_meanwhile_writes_nothing(product: Product):
    gone = [findings.Finding("vanishing", "nobody"), findings.Finding("endless", "nobody")]
    assert list(repairs.repair(gone))[1::2] == ["It moved meanwhile, and nothing was written. Run the"
                                                          " command again."] * 2  # fmt: skip
    hold("bob", delete_at=clock.now() + timedelta(days=30))
    with wire.cancelling("TransactionConflict"):
        said = list(repairs.repair([findings.Finding("vanishing", "bob")]))

    assert said[-1].startswith("It moved meanwhile")


def test_repair_gives_up_on_a_product_that_never_stands_still(product: Product, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("inventory.proof.repairs.looks.see", lambda some: [None])

    said = list(repairs.repair([findings.Finding("moved", product.id)]))

    assert said == ["prod-1: It moved meanwhile, and nothing was written. Run the command again."]
