"""Scripts in every field, stored and sent back, seen by Chromium: none may run, and none may become part of a page."""

from __future__ import annotations

import html
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests
from django import forms
from django.core.signing import TimestampSigner
from django.urls import reverse
from playwright.sync_api import Browser, Dialog, Page

from inventory import accounts, addresses, checkout, passwords, products, reservations, sessions, stock
from inventory.models import Order, Product, User
from tests.attacks import people
from tests.attacks.fuzzing.addresses import Address, all_addresses
from tests.attacks.payloads import MARK, PAYLOADS
from tests.e2e.conftest import opened_chromium
from tests.proofs import Result, World
from tests.proofs.web.customers import Shop, Visitor, shop

TITLE = "Scripts in every field"
WANTED = "200 payloads in every field: no script runs in Chromium, none becomes part of a page"
ENGINE = "dynoxide"

QUICK = 2
#: The lists show so many products at least: they are looked at when so many texts are new in them.
IN_A_LIST = 20
#: All answers are read without the shop's policy, styles and scripts; those of every tenth text also with them.
VISITED_EVERY = 10
QUICK_PASSWORDS = "tests.attacks.quick_wsgi"
UNESCAPED = "tests.attacks.unescaped_wsgi"
WRONG_AT_MOST = 20
PATIENCE_MILLISECONDS = 5_000
Ask = Callable[..., requests.Response]
_PAGE = (200, 422)
#: Who is shown a form, where that is no admin who has logged in.
SENDERS = {
    "shop:register": "stranger",
    "shop:login": "stranger",
    "shop:password-reset": "stranger",
    "adminpanel:login": "stranger",
    "adminpanel:second-factor": "candidate",
    "shop:checkout": "customer",
    "shop:address-edit": "customer",
    # Whoever is logged in is not afterwards, and would be shown no other form.
    "shop:session-end-all": "stranger",
}
#: Kinds of fields that no page repeats: what is no choice is none, and passwords and files are not sent back.
_NEVER = (forms.ChoiceField, forms.BooleanField, forms.FileField)
#: And other fields that are in no page after they were sent: hidden ones that a page fills in by itself, places in a
#: list, codes; a cart shows what is in it; and an order's page what the order says.
NEVER_SHOWN: dict[str, set[str]] = {
    "shop:product-list": {"page"},
    "shop:cart-add": {"product_id"},
    "shop:cart-update": {"product_id", "quantity"},
    "shop:cart-remove": {"product_id", "quantity"},
    "shop:checkout": {"checkout_token"},
    "adminpanel:second-factor": {"code"},
    "adminpanel:product-list": {"page"},
    "adminpanel:product-new": {"kept_image"},
    "adminpanel:product-detail": {"kept_image"},
    "adminpanel:product-archive": {"version"},
    "adminpanel:stock-list": {"page"},
    "adminpanel:stock-proof": {"page"},
    "adminpanel:stock-detail": {"before"},
    "adminpanel:account-detail": {"seen"},
    "adminpanel:audit-log": {"before"},
    "adminpanel:order-list": {"show"},
    "adminpanel:order-detail": {"note", "tracking"},
    "adminpanel:order-status": {"tracking"},
}
#: What of a page came from a text: its own scripts are files, and it has no handlers.
_FOREIGN = """(page) => {
  const links = ['href', 'src', 'action', 'formaction', 'data', 'xlink:href', 'srcdoc'];
  const never = ['iframe', 'frame', 'object', 'embed', 'base', 'marquee', 'video', 'audio', 'math', 'style', 'animate', 'x'];
  const found = [];
  for (const element of page.querySelectorAll('*')) {
    const name = element.localName;
    if (never.includes(name) || (name === 'script' && !element.getAttribute('src'))) found.push(name);
    for (const {name: key, value} of element.attributes) {
      if (key.startsWith('on')) found.push(name + ' ' + key);
      if (links.includes(key) && /^[\\s\\0]*(javascript|data|vbscript):/i.test(value)) found.push(name + ' ' + key);
    }
  }
  const ran = !!window.__pwned;
  window.__pwned = 0;
  return {ran, foreign: found};
}"""
_IN_PAGE = f"() => ({_FOREIGN})(document)"
#: Each in a frame of its own, all at once: which of them ran something is not known, as each tells the page around it.
_IN_FRAMES = f"""async (texts) => {{
  const frames = texts.map((text) => {{
    const frame = document.createElement('iframe');
    frame.srcdoc = text;
    return frame;
  }});
  const loaded = frames.map((frame) => new Promise((done) => frame.addEventListener('load', done)));
  document.body.append(...frames);
  await Promise.race([Promise.all(loaded), new Promise((done) => setTimeout(done, {PATIENCE_MILLISECONDS}))]);
  return frames.map((frame) => ({_FOREIGN})(frame.contentDocument || document));
}}"""


def prove(world: World) -> Result:
    chance = random.Random(world.seed)
    payloads = PAYLOADS if world.full else chance.sample(PAYLOADS, QUICK)
    with shop(world, QUICK_PASSWORDS) as open_shop, opened_chromium() as browser:
        run = Run(world, open_shop, browser, payloads)
        run.all()
    wrong = [f"{what} ({where})" for what, where in run.ran + run.parsed]
    ran = f"{len(payloads)} payloads in every field: {run.answers:,} answers, {run.pages:,} pages with the text in them"
    return Result(ran, (wrong + run.unseen)[:WRONG_AT_MOST])


def control(world: World) -> Result:
    """Shown as they were typed: what is part of a page must be found, and what runs in it."""
    with shop(world, f"{UNESCAPED}:without_policy") as open_shop, opened_chromium() as browser:
        run = Run(world, open_shop, browser, PAYLOADS[:1])
        run.all()
    wrong = [f"{what} ({where})" for what, where in run.ran + run.parsed]
    return Result(f"{run.pages:,} pages", wrong if run.ran and run.parsed else [])


@contextmanager
def _dialogs(page: Page) -> Iterator[list[str]]:
    """What opens in a page meanwhile: nothing of the shop's does."""
    shown: list[str] = []

    def close(dialog: Dialog) -> None:
        # A form that was filled in asks before it is left.
        shown.extend([dialog.message] if dialog.type != "beforeunload" else [])
        dialog.accept()

    page.on("dialog", close)
    yield shown
    page.remove_listener("dialog", close)


def _shown(address: Address) -> set[str]:
    """The fields of an address's forms that come back."""
    fields = {name: one for name, one in address.fields.items() if one and not isinstance(one, _NEVER)}
    come_back = {name for name, one in fields.items() if not isinstance(one.widget, forms.PasswordInput)}
    return come_back - NEVER_SHOWN.get(address.name, set())


@dataclass
class Run:
    """Pages with payloads in them, and on which a script ran or was part of the page."""

    world: World
    shop: Shop
    browser: Browser
    payloads: Sequence[str]
    pages: int = 0
    answers: int = 0
    ran: list[tuple[str, str]] = field(default_factory=list)
    parsed: list[tuple[str, str]] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    _not_taken: set[tuple[str, str]] = field(default_factory=set)
    #: Forms that came back with a payload in them.
    _filled: set[str] = field(default_factory=set)

    def all(self) -> None:
        self._admin = accounts.create_admin(email="dana@example.com", password=people.PASSWORD, name=self.payloads[0])
        addresses = [one for one in all_addresses() if one.fields and "logout" not in one.name]
        self._look_for_each_field(addresses)
        for number, payload in enumerate(self.payloads):
            self.world.progress(number, len(self.payloads))
            things, language = _Things.with_text(payload), ("de", "en")[number % 2]
            with_lists = number % IN_A_LIST == 0 or number == len(self.payloads) - 1
            pages = {
                things.customer: things.pages_of_customer(with_lists=with_lists),
                self._admin: things.pages_of_admin(with_lists=with_lists),
            }
            if number % VISITED_EVERY == 0:
                for who, paths in pages.items():
                    self._visit(who, language, paths)
            answers = dict[str, str]()
            for who, paths in pages.items():
                with self._session(who) as ask:
                    answers |= {f"GET {path}": ask("GET", path).text for path in paths}
            with self._senders(things) as senders:
                answers |= dict(self._send_back(senders, addresses, things, payload))
            self._parse({where: text for where, text in answers.items() if MARK in text})
        self.unseen += [
            f"The form of {one.name} never came back with a payload in it"
            for one in addresses
            if _shown(one) and one.name not in self._filled
        ]
        self.world.progress(len(self.payloads), len(self.payloads))

    def _look_for_each_field(self, addresses: Sequence[Address]) -> None:
        """A text of its own in each field: it comes back in a page, escaped, unless NEVER_SHOWN says that it does not.

        That is what makes it sure that the payloads are in these fields when pages are looked at.
        """
        things = _Things.with_text("nothing")
        with self._senders(things) as senders:
            for address in addresses:
                texts = {name: f"<b>{MARK}-{name}-" for name in address.fields}
                sent = self._both_ways(senders, address, things, texts)
                said = "".join(answer.text for _, answer in sent if answer.status_code in _PAGE)
                seen = {name for name in texts if html.escape(texts[name]) in said}
                for name in _shown(address) - seen:
                    self.unseen.append(f"{name} of {address.name} does not come back, so nothing is shown of it")
                for name in NEVER_SHOWN.get(address.name, set()) & seen:
                    self.unseen.append(f"{name} of {address.name} comes back after all")

    @contextmanager
    def _senders(self, things: _Things) -> Iterator[dict[str, Ask]]:
        """Who sends a form: the one to whom it is shown."""
        admin = accounts.find(self._admin.id)
        assert admin is not None
        half = sessions.begin(admin, kind="admin", device="")
        with (
            self._session() as stranger,
            self._session(things.customer) as customer,
            self._session(self._admin, claims=half) as candidate,
            self._session(self._admin) as known,
        ):
            yield {"stranger": stranger, "customer": customer, "candidate": candidate, "admin": known}

    def _send_back(
        self, senders: Mapping[str, Ask], addresses: Sequence[Address], things: _Things, payload: str
    ) -> Iterator[tuple[str, str]]:
        """The text in every field of every address, once in the query and once in a form: what comes back with it."""
        for address in addresses:
            for method, answer in self._both_ways(senders, address, things, dict.fromkeys(address.fields, payload)):
                if answer.status_code in _PAGE and MARK in answer.text:
                    self._filled.add(address.name)
                yield f"{method} {address.name} with {payload}", answer.text

    def _both_ways(
        self, senders: Mapping[str, Ask], address: Address, things: _Things, fields: dict[str, str]
    ) -> Iterator[tuple[str, requests.Response]]:
        ask = senders[SENDERS.get(address.name, "admin")]
        path = reverse(address.name, kwargs={one: things.arguments.get(one, "unknown") for one in address.arguments})
        if address.name == "shop:password-reset":
            # A link that works, and two passwords that differ: so the form comes back.
            fields = fields | {"key": self._way_back(things.customer), "password_again": "another"}
        if address.name == "shop:cart-add":
            fields = fields | {"product_id": things.product.id}
        for method in ("GET", "POST"):
            if (address.name, method) not in self._not_taken:
                answer = ask(method, path, fields)
                # Always the same page, without anything of the visitor's.
                self._not_taken |= {(address.name, method)} if answer.status_code == 405 else set()
                yield method, answer

    def _way_back(self, customer: User) -> str:
        about = [customer.id, passwords.state(customer)]
        return TimestampSigner(key=self.shop.secret_key, salt="mail.reset").sign_object(about)

    @contextmanager
    def _session(self, user: User | None = None, *, claims: dict[str, str | int] | None = None) -> Iterator[Ask]:
        """Somebody's requests without a browser."""
        cookies = Visitor(self.shop, owner_id=user.id if user else "", session=claims).cookies
        with requests.Session() as session:
            session.trust_env = False

            def ask(method: str, path: str, fields: Mapping[str, str] = {}) -> requests.Response:
                self.answers += 1
                url = self._url(path)
                # Anew each time: no answer changes who it is that asks.
                session.cookies.clear()
                session.cookies.update(cookies)
                if method == "GET":
                    return session.get(url, params=fields, timeout=60)
                form = {**fields, "csrfmiddlewaretoken": cookies["csrftoken"]}
                return session.post(url, form, timeout=60)

            yield ask

    def _visit(self, user: User, language: str, paths: Sequence[str]) -> None:
        """Pages as somebody sees them: with the shop's policy, styles and scripts."""
        context = self.browser.new_context(locale=language)
        cookies = Visitor(self.shop, owner_id=user.id).cookies
        context.add_cookies([{"name": name, "value": value, "url": self._url("/")} for name, value in cookies.items()])
        page = context.new_page()
        with _dialogs(page) as shown:
            for path in paths:
                page.goto(self._url(path), wait_until="load")
                self._note(page.evaluate(_IN_PAGE), f"GET {path[:300]}")
        self.ran += [("a script spoke", "one of the pages")] if shown else []
        context.close()

    def _parse(self, answers: Mapping[str, str]) -> None:
        """Answers as Chromium reads them, without the policy that would keep their scripts from running, and without
        the files around them: to load all these takes longer than all the rest."""
        page = self.browser.new_page()
        with _dialogs(page) as shown:
            for where, seen in zip(answers, page.evaluate(_IN_FRAMES, list(answers.values())), strict=True):
                self._note(seen, where)
        self.ran += [("a script spoke", "one of the answers")] if shown else []
        page.close()

    def _note(self, seen: dict[str, Any], where: str) -> None:
        self.pages += 1
        self.ran += [("a script ran", where)] if seen["ran"] else []
        self.parsed += [(f"part of the page: {', '.join(seen['foreign'])}", where)] if seen["foreign"] else []

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.shop.port}{path}"


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
        where = {"name": kept, "street": kept, "postal_code": kept, "city": kept, "country": "DE"}
        addresses.add(customer.id, where)
        stock.adjust(product.id, by=1, reason="received", note=kept, who=kept)
        return cls(product, customer, order)

    @property
    def arguments(self) -> dict[str, str]:
        ids = {"product_id": self.product.id, "order_id": self.order.id, "account_id": self.customer.id}
        found = accounts.find(self.customer.id)
        ids["address_id"] = found.addresses[0].id if found and found.addresses else "unknown"
        return ids | {"slug": "imprint", "digest": "any"}

    def pages_of_customer(self, *, with_lists: bool) -> list[str]:
        own = [
            f"/products/{self.product.id}/",
            f"/orders/{self.order.id}/",
            "/cart/",
            "/checkout/",
            "/orders/",
            "/account/",
            "/account/addresses/",
        ]
        return own + (["/", "/products/?sort=new"] if with_lists else [])

    def pages_of_admin(self, *, with_lists: bool) -> list[str]:
        lists = [
            "/admin/",
            *(
                f"/admin/{kind}/"
                for kind in ("products", "stock", "stock/proof", "orders", "orders/export", "accounts")
            ),
            "/admin/stock/?low=1",
        ]
        own = [f"/admin/{kind}/{self.product.id}/" for kind in ("products", "stock")]
        own += [
            f"/admin/accounts/{self.customer.id}/",
            f"/admin/orders/{self.order.id}/",
            f"/admin/products/{self.product.id}/archive/",
        ]
        return own + (lists if with_lists else [])
