"""Ways to be sent from the shop's own address to somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from tests.attacks import people
from tests.attacks.groups import Cases
from tests.attacks.web import HOST, Answer, Browser, leads_away

TITLE = "Open redirect"

VARIANTS = (
    "https://evil.example", "http://evil.example/", "//evil.example", "///evil.example", "////evil.example//",
    "/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "\\evil.example", "https:evil.example",
    "https:/evil.example", "https:\\\\evil.example", "HtTpS://evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "ftp://evil.example", f"https://{HOST}@evil.example",
    f"https://{HOST}:x@evil.example", f"https://evil.example#{HOST}", f"https://evil.example?{HOST}",
    f"https://{HOST}.evil.example", f"https://evil{HOST}", f"https://{HOST}\\@evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example", " //evil.example", "\x00//evil.example", "\x1b//evil.example",
    "/%0d%0a/evil.example/..", "//evil%E3%80%82example", "//evil。example", "https://evil\u2025example", "//[::1]/", "//0x7f000001",
    "http://evil.example:80@", "//evil.example/%2f..", "/cart/\r\nLocation: https://evil.example", "////%5cevil.example", "http:///evil.example",
)  # fmt: skip

Door = Callable[[str], Iterator[Answer]]


def attack(how_many: int) -> Cases:
    customer, admin = people.a_customer(), people.an_admin()

    def logged_in(path: str, email: str) -> Door:
        def door(where: str) -> Iterator[Answer]:
            form = {"email": email, "password": people.PASSWORD, "next": where}
            yield Browser().post(path, form)

        return door

    def visited(path: str, browser: Browser) -> Door:
        def door(where: str) -> Iterator[Answer]:
            yield browser.get(path, next=where)

        return door

    def language(where: str) -> Iterator[Answer]:
        yield Browser().post("/language/", {"language": "en", "next": where})
        yield Browser().post(
            "/language/", {"language": "en"}, headers={"Referer": where.strip().encode().decode("latin-1")}
        )

    def form_of_a_session_that_is_over(where: str) -> Iterator[Answer]:
        browser = Browser()
        answer = browser.post("/admin/stock/prod-1/", {}, headers={"Referer": where.strip().encode().decode("latin-1")})
        if "next=" in answer.location:
            yield answer
            path, _, query = answer.location.partition("?")
            page = browser.send("GET", path, query=query)
            browser.cookies |= people.browser_of(admin).cookies
            yield page
            yield browser.post(path, {"email": admin.email, "password": people.PASSWORD, "next": page.hidden("next")})

    doors: dict[str, Door] = {
        "log-in": logged_in("/account/login/", customer.email),
        "log-in again": visited("/account/login/", people.browser_of(customer)),
        "admin's log-in": logged_in("/admin/login/", admin.email),
        "admin's log-in again": visited("/admin/login/", people.browser_of(admin)),
        "language": language,
        "a form too late": form_of_a_session_that_is_over,
    }
    for name, door in doors.items():
        for where in VARIANTS:
            answers = list(door(where))
            away = [answer.location for answer in answers if leads_away(answer.location)]
            failed = [f"answered {answer.status}" for answer in answers if answer.status >= 500]
            yield f"{name}, to {where!r}", "; ".join(away + failed)


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that goes wherever it is told."""
    with ExitStack() as stack:
        for module in ("shop.pages", "adminpanel.access", "django.views.i18n"):
            stack.enter_context(mock.patch(f"{module}.url_has_allowed_host_and_scheme", lambda *_, **__: True))
        yield
