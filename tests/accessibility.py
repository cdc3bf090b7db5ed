"""Every kind of page of the shop, and what axe has against one: whom it shuts out who cannot see or point well."""

from __future__ import annotations

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize

PUBLIC = [
    "/",
    "/products/",
    "/products/?q=laufschuh&category=shoes&min_price=50&in_stock=1&sort=-price",
    "/products/?q=nothing-is-called-this",
    "/products/{product}/",
    "/products/{sold_out}/",
    "/cart/",
    "/orders/",
    "/account/login/",
    "/account/register/",
    "/account/password/forgotten/",
    "/info/shipping/",
    "/info/withdrawal/",
    "/info/contact/",
    "/info/imprint/",
    "/info/terms/",
    "/info/privacy/",
    "/info/accessibility/",
    "/admin/login/",
]
CUSTOMERS = [
    "/account/",
    "/account/password/",
    "/account/email/",
    "/account/addresses/",
    "/account/addresses/new/",
    "/account/delete/",
    "/orders/",
    "/orders/{order}/",
    "/orders/{order}/?new=1",
    "/cart/",
    "/checkout/",
]
ADMINS = [
    "/admin/",
    "/admin/products/",
    "/admin/products/?q=nothing-is-called-this",
    "/admin/products/new/",
    "/admin/products/{product}/",
    "/admin/products/{product}/archive/",
    "/admin/stock/",
    "/admin/stock/?low=on",
    "/admin/stock/proof/",
    "/admin/stock/proof/?q=nothing-is-called-this",
    "/admin/stock/{product}/",
    "/admin/stock/{product}/?at=2026-11-03T14:00",
    "/admin/orders/",
    "/admin/orders/?status=delivered",
    "/admin/orders/export/",
    "/admin/orders/{order}/",
    "/admin/accounts/",
    "/admin/accounts/{account}/",
    "/admin/audit/",
    "/admin/audit/?who=nobody@example.com",
]
NARROW, WIDE = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=900)
#: Language, colours, size.
Look = tuple[str, Literal["light", "dark"], ViewportSize]
# Every page in both languages, both colours and both widths, two of each at a time.
LOOKS: list[Look] = [("de", "light", WIDE), ("en", "dark", NARROW)]
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: What else may be wrong with a page in other colours.
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
_COUNT = ("moderate", "serious", "critical")


def violations(page: Page, *, only: list[str] | None = None) -> list[tuple[str, str]]:
    """Rules that a page breaks in a way that is more than a blemish, each with where; ``only`` looks at some."""
    options = {"resultTypes": ["violations"], "runOnly": only or _TAGS}
    found = Axe().run(page, options=options).response["violations"]
    return [
        (one["id"], ", ".join(str(node["target"]) for node in one["nodes"])) for one in found if one["impact"] in _COUNT
    ]
