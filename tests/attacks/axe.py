"""axe over the shop: pages of strangers, customers and admins, in both colours, and a page that has faults on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from inventory import reservations
from tests import accessibility
from tests.attacks import people
from tests.e2e.conftest import opened_chromium
from tests.proofs import World
from tests.proofs.web.customers import Shop, Visitor, shop

#: Where tests/attacks/planted_wsgi.py has it.
PLANTED_PAGE = "/planted/barriers/"
#: Where, and which rule.
Findings = Iterator[tuple[str, str]]
WRONG = ("/products/there-is-no-such-product/", "/account/verify/?key=made-up")


def of_the_shop(world: World) -> Findings:
    """What it has against every kind of page."""
    product, sold_out = people.a_product(), people.a_product(units=0)
    customer, admin = people.a_customer(), people.an_admin()
    order = people.an_order(customer.id, product)
    reservations.reserve(customer.id, product.id, quantity=1)
    known = {"product": product.id, "sold_out": sold_out.id, "order": order.id, "account": customer.id}
    with shop(world) as open_shop, opened_chromium() as browser:
        for who, paths in (
            ("", [*accessibility.PUBLIC, *WRONG]),
            (customer.id, accessibility.CUSTOMERS),
            (admin.id, accessibility.ADMINS),
        ):
            with _page(open_shop, browser, who) as page:
                for path in paths:
                    page.emulate_media(color_scheme="light")
                    page.goto(f"http://127.0.0.1:{open_shop.port}{path.format(**known)}")
                    yield from ((f"{path} at {where}", rule) for rule, where in accessibility.violations(page))
                    page.emulate_media(color_scheme="dark")
                    # Anew: colours would be looked at on their way.
                    page.reload()
                    dark = accessibility.violations(page, only=accessibility.COLOUR_RULES)
                    yield from ((f"{path} in the dark at {where}", rule) for rule, where in dark)


def of_the_planted_page(world: World) -> Findings:
    with (
        shop(world, "tests.attacks.planted_wsgi") as open_shop,
        opened_chromium() as browser,
        _page(open_shop, browser, "") as page,
    ):
        page.goto(f"http://127.0.0.1:{open_shop.port}{PLANTED_PAGE}")
        yield from ((PLANTED_PAGE, rule) for rule, _ in accessibility.violations(page))


@contextmanager
def _page(open_shop: Shop, browser: Browser, owner_id: str) -> Iterator[Page]:
    """Somebody's, who sees the shop as it is without movement."""
    context = browser.new_context(locale="de", viewport=accessibility.WIDE, reduced_motion="reduce")
    cookies = Visitor(open_shop, owner_id=owner_id).cookies
    url = f"http://127.0.0.1:{open_shop.port}/"
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    yield context.new_page()
    context.close()
