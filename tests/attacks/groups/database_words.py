"""What means something to a database, where an id, a search or an address is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock
from urllib.parse import quote

from inventory import accounts, dynamodb, reservations
from inventory.models import AuditEntry, EmailGuard, User
from tests.attacks import people
from tests.attacks.groups import Cases, some
from tests.attacks.web import Browser

TITLE = "Database injection"

#: That a log-in was refused is written down.
_NOTED = (AuditEntry,)

WORDS = (
    "' OR '1'='1", '" OR ""="', "1; DROP TABLE products", "*", "%", "_", "a* OR b*", 'NEAR("a" "b")', '"', "'", "(", "a AND NOT b", "name:x", "-a", "^a",
    "attribute_exists(id)", ":v0", "#n0", '{"$ne": null}', '{"S": "x"}', "begins_with(id, :x)", "email#alice@example.com", "admin'--", "x\x00' OR 1=1",
    "prod-1#", "a" * 2_049, "SELECT * FROM users", "UNION SELECT 1,2,3", "1/**/OR/**/1=1", "\\", "{}", "[]", "${jndi:ldap://evil.example/x}", "$(id)", "`id`", "| id",
)  # fmt: skip


def attack(how_many: int) -> Cases:
    product, admin, alice = people.a_product(), people.an_admin(), people.a_customer()
    panel, customer = people.browser_of(admin), people.browser_of(alice)
    reservations.reserve(alice.id, product.id, quantity=1)
    before = people.everything(but=_NOTED)
    for word in some(WORDS, how_many // 4):
        asked = quote(word, safe="")
        answers = {
            "search": customer.get("/products/", q=word),
            "suggestions": customer.get("/products/suggest/", q=word),
            "the panel's search": panel.get("/admin/products/", q=word),
            "a category": customer.get("/products/", category=word),
            "a product": customer.send("GET", f"/products/{asked}/"),
            "an order": customer.send("GET", f"/orders/{asked}/"),
            "an order of the panel": panel.send("GET", f"/admin/orders/{asked}/"),
            "a ledger's cursor": panel.get(f"/admin/stock/{product.id}/", before=word),
            "a cart's product": customer.post("/cart/update/", {"product_id": word, "quantity": "2"}),
            "a log-in": Browser().post("/account/login/", {"email": word, "password": word}),
            "a log-in at example.com": Browser().post("/account/login/", {"email": f"{word}@example.com", "password": word}),
            "a checkout": customer.post("/checkout/", {"checkout_token": word}),
        }  # fmt: skip
        for where, answer in answers.items():
            yield (
                f"{word[:40]!r} as {where}",
                "" if answer.status in {200, 302, 400, 404, 409, 422} else f"answered {answer.status}",
            )
    yield "all of them", "" if people.everything(but=_NOTED) == before else "something was written"
    for item in (EmailGuard.key(alice.email), f" {alice.id}", f"{alice.id}#", "email#"):
        found = accounts.find(item)
        yield f"an account called {item!r}", "found" if found else ""


@contextmanager
def weakened() -> Iterator[None]:
    """A shop in whose table of accounts any key is an account's."""
    with mock.patch.object(
        accounts, "find", lambda key: dynamodb.get(EmailGuard if key.startswith("email#") else User, key)
    ):
        yield
