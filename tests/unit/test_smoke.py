"""The look around a shop after a deployment finds what is wrong, and only that."""

from __future__ import annotations

import pytest

from ecokart.aws import smoke
from ecokart.aws.smoke import Answer

SHOP = "https://abc.execute-api.eu-central-1.amazonaws.com/dev/"
FILES = "https://files.s3.eu-central-1.amazonaws.com/static"
HEAD = (
    f'<link href="{FILES}/base.1.css"><script src="{FILES}/shop.1.js"></script><link href="{FILES}/font.1.woff2">'
    f'<link href="{FILES}/icon.1.svg"><use href="/dev/icons-1.svg#logo">'
)
PAGE = f'<html>{HEAD}<a href="/dev/cart/">Cart</a></html>'
SHELF = PAGE.replace("</html>", '<a href="/dev/products/prod-7/">Shoe</a></html>')
KEPT = {"cache-control": "public, immutable", "access-control-allow-origin": "*"}


class Shop(dict[str, Answer]):
    """A shop that is well, by addresses without the part that they have in common."""

    def __init__(self) -> None:
        pages = ("", "products/?q=schuh", "products/prod-7/", "cart/", "account/login/", "info/imprint/")
        super().__init__({path: Answer(SHOP + path, 200, PAGE) for path in pages})
        self["products/"] = Answer(f"{SHOP}products/", 200, SHELF)
        self["no-such-page/"] = Answer(f"{SHOP}no-such-page/", 404, PAGE)
        self["admin/"] = Answer(f"{SHOP}admin/", 302, "", {"location": "/dev/admin/login/?next=/dev/admin/"})
        self["healthz"] = Answer(f"{SHOP}healthz", 200, '{"status": "ok", "database": "ok"}')
        kinds = {"base.1.css": "text/css", "shop.1.js": "text/javascript", "font.1.woff2": "font/woff2"}
        for name, kind in {**kinds, "icon.1.svg": "image/svg+xml"}.items():
            self[f"{FILES}/{name}"] = Answer(f"{FILES}/{name}", 200, "", {"content-type": kind, **KEPT})
        drawings = {"content-type": "image/svg+xml", "cache-control": "immutable"}
        self["icons-1.svg"] = Answer(f"{SHOP}icons-1.svg", 200, "", drawings)

    def get_page(self, url: str) -> Answer:
        return self[url.removeprefix(SHOP)]

    def faults(self) -> dict[str, list[str]]:
        found = dict(smoke.look_around(SHOP, ask=self.get_page))
        return {name: faults for name, faults in found.items() if faults}


def test_a_shop_that_is_well_has_no_faults() -> None:
    assert Shop().faults() == {}


def test_a_page_of_every_kind_is_looked_at() -> None:
    seen = dict(smoke.look_around(SHOP, ask=Shop().get_page))

    pages = {"home", "list", "search", "product", "cart", "log-in", "information", "not found", "staff only"}
    assert seen.keys() == pages | {"style sheet", "script", "font", "icon", "drawings"}


def test_an_empty_shelf_has_no_product_to_look_at() -> None:
    shop = Shop()
    shop["products/"] = Answer(f"{SHOP}products/", 200, PAGE)

    assert "product" not in dict(smoke.look_around(SHOP, ask=shop.get_page))
    assert shop.faults() == {}


@pytest.mark.parametrize(
    ("path", "answer", "fault"),
    [
        ("cart/", Answer(f"{SHOP}cart/", 500, "Internal server error"), "answers 500 instead of 200"),
        ("cart/", Answer(f"{SHOP}cart/", 0, "timed out"), "answers timed out instead of 200"),
        ("cart/", Answer(f"{SHOP}cart/", 200, "H4sIAAAAAAAA"), "is no whole page"),
        (
            "cart/",
            Answer(f"{SHOP}cart/", 200, PAGE.replace("/dev/cart", "/cart")),
            "links to /cart/, which is not under",
        ),
        ("no-such-page/", Answer(f"{SHOP}no-such-page/", 200, PAGE), "answers 200 instead of 404"),
        ("admin/", Answer(f"{SHOP}admin/", 200, PAGE), "answers 200 and leads to"),
        ("admin/", Answer(f"{SHOP}admin/", 302, "", {"location": "/admin/login/"}), "leads to"),
    ],
)
def test_a_page_that_is_not_well_is_named(path: str, answer: Answer, fault: str) -> None:
    shop = Shop()
    shop[path] = answer

    ((wrong,),) = shop.faults().values()

    assert fault in wrong


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({"content-type": "binary/octet-stream"}, "says that it is 'binary/octet-stream' instead of font/woff2"),
        ({"cache-control": "no-store"}, "may not be kept by browsers: 'no-store'"),
        ({"access-control-allow-origin": ""}, "may not be used by pages of https://abc.execute-api"),
    ],
)
def test_a_file_that_browsers_would_not_take_is_named(headers: dict[str, str], fault: str) -> None:
    shop, url = Shop(), f"{FILES}/font.1.woff2"
    shop[url] = Answer(url, 200, "", {"content-type": "font/woff2", **KEPT, **headers})

    assert fault in shop.faults()["font"][0]


def test_a_page_without_its_files_is_named() -> None:
    shop = Shop()
    shop[""] = Answer(SHOP, 200, "<html></html>")

    assert shop.faults().keys() == {"style sheet", "script", "font", "icon", "drawings"}


def test_a_shop_is_waited_for_until_it_reaches_its_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoke.time, "sleep", lambda _: None)
    good = Shop()["healthz"]
    answers = iter([Answer(good.url, 0, "no such host"), Answer(good.url, 200, '{"database": "unreachable"}'), good])

    assert smoke.wait_for(SHOP, ask=lambda _: next(answers)) == ""


def test_a_shop_that_does_not_appear_is_given_up_with_what_it_says() -> None:
    late = smoke.wait_for(SHOP, ask=lambda url: Answer(url, 0, "no such host"), seconds=0)

    assert late == f"{SHOP}healthz answers nothing: no such host"
