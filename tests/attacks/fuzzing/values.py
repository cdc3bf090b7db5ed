"""What is typed into a field: what a person would type there, and everything else."""

from __future__ import annotations

import io
import random
import uuid
from functools import cache

from django import forms

from tests.attacks.people import PASSWORD
from tests.attacks.web import Upload

#: Shown as it is, it would be an element of the page.
MARK = "<pwn>"

HOSTILE = (
    "", " ", "\t", "0", "-1", "+1", "1.5", "1e400", "-0", "NaN", "Infinity", "0x10", "1_000", "٣", "½", "99",
    "2147483648", "9223372036854775808", "99999999999999999999999999", "-99999999999999999999999999", "9" * 5_000,
    "1" + "0" * 400 + ".5", "None", "null", "true", "undefined", "[]", "{}", "[object Object]", '{"$gt": ""}',
    "\x00", "a\x00b", "a\r\nSet-Cookie: pwned=1", "a\nBcc: evil@example.com", "\x1b[31m", "\x7f", "\ufeff", "\ufffe",
    "\u202eevil", "\u200b", "a" + "\u0301" * 200, "😀" * 20, "\ud800", "a\udfffb", "İ", "ß", "ﬃ", "K",
    "<script>alert(1)</script>", "{{ 7*7 }}{% debug %}", "${7*7}", "%s%n%(name)s", "{0.__class__}", "%", "%zz", "&amp;",
    "' OR 1=1 --", '"; DROP TABLE users; --', "| cat /etc/passwd", "$(id)", "`id`", "../../etc/passwd", "..\\..\\win.ini",
    "/", "//evil.example", "https://evil.example/", "file:///etc/passwd", "email#alice@example.com", "a#b", "#", "*", "?",
    "x" * 65, "x" * 255, "x" * 1_025, "x" * 5_000, "ä" * 40_000, "x" * 100_000, " x " * 3_000, "\n" * 3_000,
)  # fmt: skip
MARKED = (MARK, f'"{MARK}', f"'>{MARK}", f"</title>{MARK}", f"</textarea>{MARK}", f"-->{MARK}", f"javascript:{MARK}")
#: Bytes that are no text in any encoding that a form comes in.
BYTES = (b"\xff", b"\xfe\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80abc", b"\xc3")


def hostile(chance: random.Random) -> str:
    """A text that nobody would type, or nobody could."""
    kind = chance.random()
    if kind < 0.2:
        return chance.choice(MARKED)
    if kind < 0.75:
        return chance.choice(HOSTILE)
    if kind < 0.9:
        letters = [chr(chance.choice((chance.randrange(0x80), chance.randrange(0x3000), chance.randrange(0x110000))))]
        return "".join(letters * chance.randrange(1, 4)) + chance.choice(HOSTILE)[:50]
    return "".join(chr(chance.randrange(0x110000)) for _ in range(chance.randrange(1, 40)))


class Knows:
    """What a visitor can know: ids that exist, of their own and of others, and what pages have shown them."""

    def __init__(self) -> None:
        self.products: list[str] = []
        self.orders: list[str] = []
        self.emails: list[str] = []
        self.accounts: list[str] = []
        self.tokens: list[str] = []
        self.keys: list[str] = []
        self.cursors: list[str] = []

    def value(self, chance: random.Random, name: str, field: forms.Field | None) -> object:
        """What would be right in a field, as far as its name and kind tell."""
        known = {
            "product_id": self.products,
            "order_id": self.orders,
            "address_id": ["unknown"],
            "account_id": self.accounts,
            "checkout_token": self.tokens,
            "key": self.keys,
            "before": self.cursors,
            "postal_code": ["10115", "1010"],
            "price": ["19,99", "1.299,00", "0,01"],
            "min_price": ["1", "20,00"],
            "max_price": ["50", "1000"],
            "change": ["+5", "3", "-1", "-2"],
            "version": ["1", "1", "2", "3"],
            "seen": ["0", "0", "1", "2", "3"],
            "month": ["2026-10", "2026-11"],
            "form_id": [uuid.UUID(int=chance.getrandbits(128)).hex],
            "at": ["2026-01-01T12:00", "2030-01-01T12:00:01"],
            "next": ["/cart/", "/account/", "/admin/"],
            "language": ["de", "en"],
            "q": ["schuh", "laufschuh rot", "hat"],
            "sku": ["EK-1", ""],
            "kept_image": [""],
            "slug": ["imprint", "privacy"],
            "digest": ["any"],
        }
        if name in known:
            return chance.choice(known[name] or ["nothing"])
        if "password" in name:
            return PASSWORD
        return self._of_kind(chance, field)

    def _of_kind(self, chance: random.Random, field: forms.Field | None) -> object:
        if isinstance(field, forms.EmailField):
            return chance.choice([*self.emails, f"new-{chance.getrandbits(60)}@example.com"])
        if isinstance(field, forms.ChoiceField):
            return chance.choice([str(value) for value, _ in field.choices])
        if isinstance(field, forms.IntegerField):
            return str(chance.randrange(1, 4))
        if isinstance(field, forms.FileField):
            # Each picture is drawn anew six times, which takes longer than all else: few need to be right.
            return Upload(_picture()) if chance.random() < 0.02 else Upload(b"no picture", "a.png")
        return chance.choice(["1", "on", "Alice Adler", "Ulmenweg 1"])


@cache
def _picture() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 10), "red").save(out, "PNG")
    return out.getvalue()
