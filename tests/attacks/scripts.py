"""Scripts in every field, stored and sent back, seen by Chromium: none may run, and none may become part of a page."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, Route, sync_playwright

from inventory import accounts, checkout, products, reservations, stock
from inventory.models import Order, Product, User
from tests.attacks import people
from tests.attacks.fuzzing.addresses import Address, all_addresses
from tests.attacks.payloads import PAYLOADS
from tests.e2e.conftest import CHROMIUM, chromium
from tests.proofs import Result, World
from tests.proofs.web.customers import Shop, Visitor, shop

TITLE = "Scripts in every field"
WANTED = "200 payloads in every field: no script runs in Chromium, none becomes part of a page"
ENGINE = "dynoxide"

QUICK = 2
#: The lists show so many products at least: they are looked at when so many texts are new in them.
IN_A_LIST = 20
UNESCAPED = "tests.attacks.unescaped_wsgi"
WRONG_AT_MOST = 20
#: What of a page came from a text: its own scripts are files, and it has no handlers.
_FOREIGN = """() => {
  const links = ['href', 'src', 'action', 'formaction', 'data', 'xlink:href', 'srcdoc'];
  const never = ['iframe', 'frame', 'object', 'embed', 'base', 'marquee', 'video', 'audio', 'math', 'style', 'animate', 'x'];
  const found = [];
  for (const element of document.querySelectorAll('*')) {
    const name = element.localName;
    if (never.includes(name) || (name === 'script' && !element.getAttribute('src'))) found.push(name);
    for (const {name: key, value} of element.attributes) {
      if (key.startsWith('on')) found.push(name + ' ' + key);
      if (links.includes(key) && /^[\\s\\0]*(javascript|data|vbscript):/i.test(value)) found.push(name + ' ' + key);
    }
  }
  return {ran: !!window.__pwned, foreign: found};
}"""


def prove(world: World) -> Result:
    chance = random.Random(world.seed)
    payloads = PAYLOADS if world.full else chance.sample(PAYLOADS, QUICK)
    with shop(world) as open_shop, _chromium() as browser:
        run = Run(world, open_shop, browser, payloads)
        run.all()
    wrong = [f"{what} ({where})" for what, where in run.ran + run.parsed]
    return Result(f"{len(payloads)} payloads in every field: {run.pages:,} pages", wrong[:WRONG_AT_MOST])


def control(world: World) -> Result:
    """Shown as they were typed: what is part of a page must be found, and what runs in it."""
    with shop(world, f"{UNESCAPED}:without_policy") as open_shop, _chromium() as browser:
        run = Run(world, open_shop, browser, PAYLOADS[:1])
        run.all()
    wrong = [f"{what} ({where})" for what, where in run.ran + run.parsed]
    return Result(f"{run.pages:,} pages", wrong if run.ran and run.parsed else [])


@contextmanager
def _chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM)
        yield browser
        browser.close()


@dataclass
class Run:
    """Pages with payloads in them, and on which a script ran or was part of the page."""

    world: World
    shop: Shop
    browser: Browser
    payloads: Sequence[str]
    pages: int = 0
    ran: list[tuple[str, str]] = field(default_factory=list)
    parsed: list[tuple[str, str]] = field(default_factory=list)
    _not_taken: set[tuple[str, str]] = field(default_factory=set)

    def all(self) -> None:
        self._admin = accounts.create_admin(email="dana@example.com", password=people.PASSWORD, name=self.payloads[0])
        addresses = [one for one in all_addresses() if one.fields and "logout" not in one.name]
        for number, payload in enumerate(self.payloads):
            self.world.progress(number, len(self.payloads))
            things, language = _Things.with_text(payload), ("de", "en")[number % 2]
            with_lists = number % IN_A_LIST == 0 or number == len(self.payloads) - 1
            with self._visitor(things.customer, language) as page:
                self._see(page, things.pages_of_customer(with_lists=with_lists))
            with self._visitor(self._admin, language) as page:
                self._see(page, things.pages_of_admin(with_lists=with_lists))
                for address in addresses:
                    self._send_back(page, address, things, payload)
        self.world.progress(len(self.payloads), len(self.payloads))

    def _see(self, page: Page, paths: Sequence[str]) -> None:
        for path in paths:
            self._open(page, path)

    def _send_back(self, page: Page, address: Address, things: _Things, payload: str) -> None:
        """The text in every field of an address, once in the query and once in a form, which both come back with it."""
        path = reverse(address.name, kwargs={one: things.arguments.get(one, "unknown") for one in address.arguments})
        query = urlencode(dict.fromkeys(address.fields, payload))
        for method in ("GET", "POST"):
            if (address.name, method) in self._not_taken:
                continue
            status = self._open(page, path, form=query) if method == "POST" else self._open(page, f"{path}?{query}")
            # Always the same page, without anything of the visitor's.
            self._not_taken |= {(address.name, method)} if status == 405 else set()

    def _open(self, page: Page, path: str, *, form: str = "") -> int:
        shown: list[str] = []

        def close(dialog: Dialog) -> None:
            # A form that was filled in asks before it is left.
            shown.extend([dialog.message] if dialog.type != "beforeunload" else [])
            dialog.accept()

        def as_form(route: Route) -> None:
            token = next(one["value"] for one in page.context.cookies() if one["name"] == "csrftoken")
            headers = route.request.headers | {"content-type": "application/x-www-form-urlencoded"}
            body = f"csrfmiddlewaretoken={quote(token)}&{form}"
            route.continue_(method="POST", post_data=body, headers=headers)

        address = f"http://127.0.0.1:{self.shop.port}{path}"
        page.on("dialog", close)
        if form:
            page.route(address, as_form, times=1)
        answer = page.goto(address, wait_until="load")
        seen = page.evaluate(_FOREIGN)
        page.remove_listener("dialog", close)
        where = f"{'POST' if form else 'GET'} {path[:300]} {form[:200]}"
        self.pages += 1
        self.ran += [("a script ran", where)] if seen["ran"] or shown else []
        self.parsed += [(f"part of the page: {', '.join(seen['foreign'])}", where)] if seen["foreign"] else []
        return answer.status if answer else 0

    @contextmanager
    def _visitor(self, user: User, language: str) -> Iterator[Page]:
        context: BrowserContext = self.browser.new_context(locale=language)
        url = f"http://127.0.0.1:{self.shop.port}/"
        cookies = Visitor(self.shop, owner_id=user.id).cookies
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
        yield context.new_page()
        context.close()


@dataclass(frozen=True)
class _Things:
    """A product, a customer, a cart and an order with a text wherever there can be one, forms or no forms."""

    product: Product
    customer: User
    order: Order

    @classmethod
    def with_text(cls, text: str) -> _Things:
        kept = text.replace("\x00", "")
        product = people.a_product(units=9, name=kept, description=kept, sku=kept[:40], image_url=f"/{kept}")
        said = {"name_en": kept, "description_en": kept, "price_cents": 9999, "category": "shoes", "status": "active"}
        products.save(
            product.id, version=product.version, name=kept, description=kept, sku=kept[:40], low_stock_at=9, **said
        )
        customer = accounts.register(email=f"{product.id}@example.com", password=people.PASSWORD, name=kept)
        contact = checkout.Contact(kept, f"{kept}@example.com", kept, kept, kept, kept)
        cart = reservations.reserve(customer.id, product.id, quantity=1)
        order = checkout.place_order(customer.id, token=str(cart.order_id), contact=contact)
        Order(order.id).update([Order.tracking.set(kept), Order.number.set(kept)])
        reservations.reserve(customer.id, product.id, quantity=1)
        stock.adjust(product.id, by=1, reason="received", note=kept, who=kept)
        return cls(product, customer, order)

    @property
    def arguments(self) -> dict[str, str]:
        return {"product_id": self.product.id, "order_id": self.order.id, "slug": "imprint", "digest": "any"}

    def pages_of_customer(self, *, with_lists: bool) -> list[str]:
        own = [
            f"/products/{self.product.id}/",
            f"/orders/{self.order.id}/",
            "/cart/",
            "/checkout/",
            "/orders/",
            "/account/",
        ]
        return own + (["/", "/products/?sort=new"] if with_lists else [])

    def pages_of_admin(self, *, with_lists: bool) -> list[str]:
        lists = [
            "/admin/",
            *(f"/admin/{kind}/" for kind in ("products", "stock", "stock/proof", "orders")),
            "/admin/stock/?low=1",
        ]
        own = [f"/admin/{kind}/{self.product.id}/" for kind in ("products", "stock")]
        own += [f"/admin/orders/{self.order.id}/", f"/admin/products/{self.product.id}/archive/"]
        return own + (lists if with_lists else [])
