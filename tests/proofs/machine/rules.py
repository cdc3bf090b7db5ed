"""The real shop and its model beside each other, step by step: each must answer and look as the other does.

Hypothesis chooses the steps. Every run has products and owners of its own, because the engine's tables live on.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from inventory import baskets, checkout, orders, products, reservations, stock
from inventory.errors import InventoryError
from inventory.models import Cart, Order, Product
from tests.proofs.machine import model
from tests.proofs.machine.sight import Seen, Sight, as_order, differences

START = datetime.now(UTC).replace(microsecond=0)
CUSTOMERS, GUESTS = ("alice", "bob"), ("guest-1", "guest-2")
OWNERS = CUSTOMERS + GUESTS
STOCK = {"hat": 2, "shoe": 5, "bag": 8}
PRICE = 1000
CONTACT = checkout.Contact("Alice Adler", "alice@example.com", "Ulmenweg 1", "10115", "Berlin", "DE")

_owners, _goods, _any = st.sampled_from(OWNERS), st.sampled_from(tuple(STOCK)), st.integers(0, 59)


class Machine(RuleBasedStateMachine):
    """One shop with three products and four owners. A step that differs is an AssertionError with the whole story."""

    #: The run whose time it is.
    current: ClassVar[Machine]
    #: Called as a run begins, and after each step with its kind and whether it changed anything.
    begun: ClassVar[Callable[[], None]]
    taken: ClassVar[Callable[[str, bool], None]]
    #: What the shop has asked to be written since the last look. Nobody else writes.
    writes: ClassVar[list[str]]

    def __init__(self) -> None:
        super().__init__()
        Machine.current = self
        Machine.begun()
        self.run = uuid.uuid4().hex
        self.model = model.Shop(STOCK, price=PRICE, owners=OWNERS)
        self.story: list[str] = []
        self.pages: dict[
            object, tuple[str, str]
        ] = {}  # The model's offer → its owner and the id that the shop gave it.
        self.placed: dict[object, Order] = {}
        self.differed = False
        for name, units in STOCK.items():
            products.add(Product(self.id(name), name=name, price_cents=PRICE), units=units, by="opening")
        self.sight = Sight(self.run, owners=OWNERS, products=tuple(STOCK), start=START)
        self.seen = self.sight.now()

    @staticmethod
    def now() -> datetime:
        return START + timedelta(seconds=Machine.current.model.now)

    def id(self, name: str) -> str:
        return f"{name}-{self.run}"

    # What customers do

    @rule(owner=_owners, name=_goods)
    def take(self, owner: str, name: str) -> None:
        self._reserve(owner, name, 1)

    @rule(owner=_owners, name=_goods, quantity=st.sampled_from((1, 1, 2, 2, 3, 6, 0)))
    def reserve(self, owner: str, name: str, quantity: int) -> None:
        self._reserve(owner, name, quantity)

    def _reserve(self, owner: str, name: str, quantity: int) -> None:
        def wanted() -> None:
            model.refuse("BadQuantity", when=quantity < 1)
            self.model.reserve(owner, name, quantity)

        def real() -> Cart:
            return reservations.reserve(self.id(owner), self.id(name), quantity=quantity)

        self._cart_step("reserve", f"{owner} reserves {quantity} {name}", owner, real, wanted)

    @precondition(lambda self: self._lines())
    @rule(pick=_any, quantity=st.sampled_from((1, 2, 3, 4, 5, 6, 0)))
    def change(self, pick: int, quantity: int) -> None:
        owner, name = self._lines()[pick % len(self._lines())]

        def wanted() -> None:
            if quantity:
                self.model.put(owner, name, quantity)
            else:
                self.model.remove(owner, name)

        def real() -> Cart:
            return reservations.change(self.id(owner), self.id(name), quantity=quantity)

        self._cart_step("change", f"{owner} wants {quantity} {name}", owner, real, wanted)

    @precondition(lambda self: self._lines())
    @rule(pick=_any)
    def remove(self, pick: int) -> None:
        owner, name = self._lines()[pick % len(self._lines())]
        self._cart_step(
            "remove",
            f"{owner} removes {name}",
            owner,
            lambda: reservations.remove(self.id(owner), self.id(name)),
            lambda: self.model.remove(owner, name),
        )

    @precondition(lambda self: self._lines())
    @rule(pick=_any)
    def extend(self, pick: int) -> None:
        owner = self._somebody(pick)
        self._cart_step(
            "extend",
            f"{owner} extends",
            owner,
            lambda: reservations.extend(self.id(owner)),
            lambda: self.model.extend(owner),
        )

    @precondition(lambda self: self._lines())
    @rule(pick=_any)
    def renew(self, pick: int) -> None:
        owner = self._somebody(pick)
        self._cart_step(
            "renew",
            f"{owner} renews",
            owner,
            lambda: reservations.renew(self.id(owner))[0],
            lambda: self.model.renew(owner),
        )

    @precondition(lambda self: any(self.model.carts[guest]["lines"] for guest in GUESTS))
    @rule(pick=_any, user=st.sampled_from(CUSTOMERS))
    def join(self, pick: int, user: str) -> None:
        guests = [guest for guest in GUESTS if self.model.carts[guest]["lines"]]
        guest = guests[pick % len(guests)]

        def real() -> None:
            reservations.join(self.id(guest), self.id(user))

        self._step("join", f"{guest} logs in as {user}", real, lambda: self.model.join(guest, user))

    @precondition(lambda self: self._lines())
    @rule(pick=_any)
    def look(self, pick: int) -> None:
        owner = self._somebody(pick)
        most: dict[str, int] = {}

        def real() -> Any:
            basket = baskets.look(self.id(owner))
            found = basket.lines if basket else []
            most.update({self.sight.name(line.product_id): line.most for line in found})
            lines = [(self.sight.name(line.product_id), (line.quantity, line.price_cents)) for line in found]
            return basket is not None and basket.is_held, lines

        def wanted() -> Any:
            lines = self.model.look(owner)
            return self.model.live(owner), list(lines.items())

        self._step("look", f"{owner} looks at the cart", real, wanted)
        for name, units in most.items():
            # How many more could be had: units that nobody has swept yet may be counted or not.
            possible = self.model.most(name, owner)
            unswept = self.seen.kept(name, self.seen.over(self.model.now))
            cut = [min(model.LINE_MAX, units) for units in (possible - unswept, possible)]
            assert cut[0] <= units <= cut[1], self._told(
                f"Of {name} {units} are said to be obtainable, not {possible}."
            )

    @precondition(lambda self: self.seen.over(self.model.now + 1))
    @rule(name=_goods)
    def visit(self, name: str) -> None:
        """A product's page: units that only carts whose time is up still keep must not make it look sold out.

        As many of them are given back as one customer may take, and perhaps some more.
        """
        free = self.seen.products[name]["available"]

        def real() -> int:
            found = reservations.on_shelf(self.id(name))
            assert found is not None
            return found.available if free else min(found.available, model.LINE_MAX)

        def wanted() -> int:
            return free or min(self.model.available(name), model.LINE_MAX)

        self._step("visit", f"somebody looks at {name}", real, wanted)

    # Checkout

    @precondition(lambda self: self._lines())
    @rule(pick=_any)
    def buy(self, pick: int) -> None:
        owner, _ = self._lines()[pick % len(self._lines())]
        self._order(f"{owner} orders", owner, self.model.carts[owner]["offer"], kind="buy")

    @precondition(lambda self: self.pages)
    @rule(pick=_any, owner=st.sampled_from((None, None, *OWNERS)))
    def buy_old(self, pick: int, owner: str | None) -> None:
        """A checkout page that was shown at some time, perhaps of a cart that is an order by now, perhaps another's."""
        offer = (list(self.pages) + list(self.placed))[pick % (len(self.pages) + len(self.placed))]
        first = self.pages[offer][0]
        self._order(f"{owner or first} sends a page that {first} once saw", owner or first, offer, kind="old page")

    def _order(self, words: str, owner: str, offer: object, *, kind: str) -> None:
        def real() -> Any:
            order = checkout.place_order(self.id(owner), token=self.pages[offer][1], contact=CONTACT)
            self.placed[offer] = order
            return self.sight.order(order), self.sight.stored(order.id)

        def wanted() -> Any:
            self.model.checkout(owner, offer)
            return (as_order(self.model.orders[offer]),) * 2

        self._step(kind, words, real, wanted)

    # What the shop does

    @precondition(lambda self: self.placed)
    @rule(pick=_any, to=_any)
    def step(self, pick: int, to: Any) -> None:
        offer = list(self.placed)[pick % len(self.placed)]
        possible = model.STEPS.get(self.model.orders[offer]["status"], []) * 4 + ["paid", "delivered", "cancelled"]
        to = possible[to % len(possible)]
        before = self.placed[offer]

        def real() -> Any:
            cancel = to == "cancelled"
            after = orders.cancel(before, by="dana") if cancel else orders.advance(before, to=to, by="dana")
            return self.sight.order(after), self.sight.stored(after.id)

        def wanted() -> Any:
            self.model.step(offer, to)
            return (as_order(self.model.orders[offer]),) * 2

        self._step("order step", f"an order of {self.pages[offer][0]} becomes {to}", real, wanted)

    @rule(name=_goods, by=st.sampled_from((3, 2, 1, -1, -2, -3)), sent=st.sampled_from((1, 1, 2)))
    def adjust(self, name: str, by: int, sent: int) -> None:
        """Goods come or break; sometimes the form is sent twice, which counts once."""
        form, reason = uuid.uuid4().hex, "received" if by > 0 else "damaged"

        def real() -> None:
            for _ in range(sent):
                stock.adjust(self.id(name), by=by, reason=reason, note="", who="dana", form_id=form)

        def wanted() -> None:
            self.model.adjust(name, by, free=self.seen.products[name]["available"])

        self._step("adjust", f"{by:+d} {name}" + ", sent twice" * (sent - 1), real, wanted)

    @rule(name=_goods, value=st.sampled_from((PRICE, 900, 1100, "status")), stale=st.sampled_from((0, 0, 0, 0, 1)))
    def edit(self, name: str, value: Any, stale: int) -> None:
        """Price or status; where nothing would change, the price becomes another one."""
        goods = self.model.products[name]
        field, version = "price", goods["version"] - stale
        if value == "status":
            field, value = "status", "archived" if goods["status"] == "active" else "active"

        def real() -> None:
            products.save(self.id(name), version=version, **{"price_cents" if field == "price" else field: value})

        words = f"{field} of {name} is set to {value}" + " by somebody who saw an older version" * stale
        self._step("edit", words, real, lambda: self.model.edit(name, version, **{field: value}))

    @precondition(lambda self: any(cart["held"] for cart in self.seen.carts.values()))
    @rule(minutes=st.sampled_from((40, 61, 121)))
    def wait(self, minutes: int) -> None:
        ended = sum(map(self.model.live, OWNERS))
        self.model.now += minutes * 60
        ended -= sum(map(self.model.live, OWNERS))
        self._step("wait", f"{minutes} minutes pass", lambda: None, lambda: None, ended=ended > 0)

    @precondition(lambda self: self.seen.over(self.model.now + 1))
    @rule()
    def sweep(self) -> None:
        over = len(self.seen.over(self.model.now + 1))
        self._step("sweep", "a sweep", reservations.release_expired, lambda: over)
        assert not self.seen.over(self.model.now), self._told("A sweep leaves carts whose time is up.")

    def teardown(self) -> None:
        try:
            if not self.differed:
                self.model.now += model.HOLD
                self.sweep()
                self._close_the_books()
        finally:
            self.sight.forget()

    def _close_the_books(self) -> None:
        """Every order as the model has it, and no unit in the stock that no movement brought."""
        assert self.seen == self.sight.now(), self._told("What stands in the tables has changed by itself.")
        found = [self.sight.stored(self.pages[offer][1]) for offer in self.model.orders]
        wanted = [as_order(order) for order in self.model.orders.values()]
        assert found == wanted, self._told(f"The orders are {found} and should be {wanted}.")
        for name in STOCK:
            counted, moved = self.seen.products[name]["stock"], self.sight.moved(name)
            assert counted == moved, self._told(f"{name}: {counted} in stock, but its movements add up to {moved}.")

    # How the two are held against each other

    def _lines(self) -> list[tuple[str, str]]:
        return [(owner, name) for owner, cart in self.model.carts.items() for name in cart["lines"]]

    def _somebody(self, pick: int) -> str:
        """An owner, most often one who has something in the cart."""
        owners = [owner for owner, _ in self._lines()] * 4 + list(OWNERS)
        return owners[pick % len(owners)]

    def _cart_step(
        self, kind: str, words: str, owner: str, real: Callable[[], Cart], wanted: Callable[[], None]
    ) -> None:
        def model_cart() -> Any:
            wanted()
            cart = self.model.carts[owner]
            return list(cart["lines"].items()), cart["until"] if self.model.live(owner) else 0

        self._step(kind, words, lambda: self.sight.cart(real()), model_cart)

    def _step(
        self, kind: str, words: str, real: Callable[[], Any], wanted: Callable[[], Any], *, ended: bool = False
    ) -> None:
        """Let both do it, and compare what they answer and how they look."""
        self.model.now += 1
        before, states = self.seen, self._states()
        Machine.writes.clear()
        said, expected = _answer(real), _answer(wanted)
        self.story.append(f"{words}: {said}")
        self.seen = self.sight.after(self.seen, Machine.writes)
        wrong = [f"The answer should be {expected}."] if said != expected else []
        wrong += [*differences(self.seen, self.model), *self._other_offers(before)]
        assert not wrong, self._told(*wrong)
        Machine.taken(kind, ended or before != self.seen or states != self._states())

    def _states(self) -> list[str]:
        return [order["status"] for order in self.model.orders.values()]

    def _other_offers(self, before: Seen) -> Iterator[str]:
        """Whether the shop made a new id for a cart's order just where the model made a new offer."""
        ids = {id for _, id in self.pages.values()}
        for owner, cart in self.seen.carts.items():
            if not cart["lines"]:
                continue
            released = before.carts[owner]["held"] and not cart["held"] and not self.model.live(owner)
            if released and self.pages.get(self.model.carts[owner]["offer"], (owner, ""))[1] != cart["offer"]:
                # When a hold that is over is given back is the shop's affair; then it is a new offer, too.
                self.model.carts[owner]["offer"] = object()
            known = self.pages.setdefault(self.model.carts[owner]["offer"], (owner, cart["offer"]))
            if known != (owner, cart["offer"]):
                yield f"{owner}'s open checkout page should still be good."
            elif cart["offer"] in ids and before.carts[owner]["offer"] != cart["offer"]:
                yield f"{owner}'s checkout page of an earlier cart should not be good again."

    def _told(self, *wrong: str) -> str:
        self.differed = True
        steps = [f"{number}. {step}" for number, step in enumerate(self.story, 1)]
        return "\n".join([f"The shop starts with {STOCK} at {PRICE} cents.", *steps, *wrong])


def _answer(ask: Callable[[], Any]) -> Any:
    """What was answered, or the kind of the refusal with its numbers."""
    try:
        return ask()
    except LookupError as refused:
        return refused.args
    except InventoryError as refused:
        return type(refused).__name__, *(value for value in vars(refused).values() if isinstance(value, int))
