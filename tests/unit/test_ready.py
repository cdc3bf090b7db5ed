"""Pages that are made once: the same page as ever, for everybody their own, and true."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.conf import settings as real_settings
from django.contrib import messages
from django.http import HttpResponse
from django.template import engines
from django.test import Client, RequestFactory
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from inventory import catalogue, live_stock, products, reservations, stock
from inventory.models import Product, ProductText, Translations, User
from inventory.replica import tail
from shop import parts, ready
from tests.unit import wire

MakeProduct = Callable[..., Product]
SECRET = "s" * 32
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w{64}|\w{32})"')
ADDRESSES = [
    "/",
    "/products/",
    "/products/?q=lauf&category=shoes&min_price=10&sort=-price",
    "/products/?category=shoes&max_price=500&in_stock=on",
    "/products/?q=%C3%9F%22%3E%3Cb%3E&x=1",
    "/products/?q=gibtsnicht",
    "/products/?category=apparel",
    "/products/luchs/",
    "/products/luchs/?from=mail",
    "/products/dachs/",
    "/products/fuchs/",
]
VISITORS = {
    "stranger": {},
    "guest with a cart": {"guest_id": "guest-1", "cart": {"units": 1, "total_cents": 9999}},
    "guest with an emptied cart": {"guest_id": "guest-1", "cart": None},
    "customer": {"account_id": "somebody"},
    "customer with a cart": {"account_id": "somebody", "cart": {"units": 12, "total_cents": 123456}},
}


@pytest.fixture(autouse=True)
def shelf(make_product: MakeProduct) -> None:
    english = Translations(en=ProductText(name="Lynx <running> shoe", description="Fast."))
    make_product(id="luchs", name="Laufschuh Luchs", translations=english, rating=Decimal("4.5"), review_count=1200)
    make_product(id="dachs", name="Wanderstiefel Dachs", price_cents=19999, stock=3)
    make_product(id="fuchs", name="Laufshirt Fuchs", price_cents=2999, category="apparel", stock=0)
    for number, rating in enumerate([None, "3.9"]):
        make_product(
            id=f"otter-{number}",
            name=f"Otter {{title}} {{}} %s <{number}>",
            image_url=f"products/{number:020}",
            rating=rating and Decimal(rating),
            review_count=number,
        )


@pytest.fixture
def come() -> Callable[..., Client]:
    """Somebody with a browser and this session."""

    def come(session: dict[str, object] | None = None, *, secret: str = SECRET, language: str = "de") -> Client:
        client = Client(headers={"accept-language": language})
        store = client.session
        store.update(session or {})
        store.save()
        client.cookies[real_settings.SESSION_COOKIE_NAME] = store.session_key
        client.cookies[real_settings.CSRF_COOKIE_NAME] = secret
        return client

    return come


@pytest.fixture
def visitor(come: Callable[..., Client]) -> Client:
    return come()


@pytest.fixture
def plainly(settings: Settings) -> Callable[[Client, str], HttpResponse]:
    """A page as it is without ready pages."""

    def plainly(client: Client, address: str) -> HttpResponse:
        most, settings.READY_PAGES_BYTES = settings.READY_PAGES_BYTES, 0
        try:
            return client.get(address)
        finally:
            settings.READY_PAGES_BYTES = most

    return plainly


def body(answer: HttpResponse) -> str:
    return TOKEN.sub("TOKEN", answer.content.decode())


def badge(answer: HttpResponse) -> str:
    return re.search(r"data-cart-count[^>]*>(\d*)<", answer.content.decode())[1]


def is_ready(client: Client, address: str) -> bool:
    """Whether an address is answered without rendering anything but, at the most, slots."""
    return client.get(address).context is None


# The same page


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("session", VISITORS.values(), ids=VISITORS)
def test_a_ready_page_is_the_plain_page_to_the_byte(
    come: Callable[..., Client], plainly: Callable[..., HttpResponse], address: str, language: str, session: dict
):
    come({"account_id": "another", "cart": {"units": 7, "total_cents": 700}}, language=language).get(address)
    client = come(session, language=language)

    first, again, plain = client.get(address), client.get(address), plainly(client, address)

    assert body(first) == body(again) == body(plain)
    assert len(TOKEN.findall(again.content.decode())) == len(TOKEN.findall(plain.content.decode())) > 0


@pytest.mark.parametrize("address", [address for address in ADDRESSES if "fuchs" not in address])
def test_a_page_is_rendered_once(visitor: Client, address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live_stock, "FRESH_SECONDS", 60.0)
    monkeypatch.setattr(tail, "FRESH_SECONDS", 60.0)
    visitor.get(address)
    visitor.get(address)

    with wire.heard() as calls:
        assert is_ready(visitor, address)

    assert calls == []


@pytest.mark.parametrize("header", ["Cache-Control", "Content-Type", "Content-Language", "Vary"])
def test_a_ready_page_has_the_headers_of_a_plain_one(
    visitor: Client, plainly: Callable[..., HttpResponse], header: str
):
    visitor.get("/products/")

    kept, plain = visitor.get("/products/")[header], plainly(visitor, "/products/")[header]

    assert set(kept.split(", ")) == set(plain.split(", "))


def test_a_page_may_go_into_the_back_forward_cache(visitor: Client):
    assert "no-store" not in visitor.get("/products/")["Cache-Control"]


def test_head_has_the_headers_of_get(visitor: Client):
    get, head = visitor.get("/products/"), visitor.head("/products/")

    assert (head.status_code, head.content) == (200, b"")
    assert (head["ETag"], head["Content-Length"]) == (get["ETag"], get["Content-Length"])


# Everybody their own


def test_two_visitors_at_once_never_see_each_other(come: Callable[..., Client]):
    """Each of two threads asks for the same pages hundreds of times, through everything that a request goes through."""
    people = [
        ({"account_id": "somebody", "cart": {"units": 111, "total_cents": 100}}, "a" * 32, "111", "Mein Konto"),
        ({"guest_id": "guest-1", "cart": {"units": 222, "total_cents": 200}}, "b" * 32, "222", "Anmelden"),
    ]
    for address in ADDRESSES:
        come().get(address)
    together = Barrier(len(people))

    def seen(person: tuple) -> set[tuple]:
        session, secret, units, account = person
        client, found = come(session, secret=secret), set()
        together.wait()
        for number in range(300):
            page = client.get(ADDRESSES[number % len(ADDRESSES)], headers={"accept-encoding": "gzip"})
            text = gzip.decompress(page.content).decode()
            found |= set(TOKEN.findall(text))
            found |= set(re.findall(r"data-cart-count[^>]*>(\d*)<", text))
            found |= {word for word in ("Mein Konto", "Anmelden") if f'site-tools__text">{word}<' in text}
        return found ^ {secret, units, account}

    with ThreadPoolExecutor(len(people)) as pool:
        wrong = list(pool.map(seen, people))

    assert wrong == [set(), set()]


def test_a_token_of_a_ready_page_is_taken(come: Callable[..., Client]):
    come().get("/products/luchs/")
    client = Client(enforce_csrf_checks=True)
    token = TOKEN.search(client.get("/products/luchs/").content.decode())[1]

    sent = {"product_id": "luchs", "quantity": 2}
    refused, taken = client.post("/cart/add/", sent), client.post("/cart/add/", {**sent, "csrfmiddlewaretoken": token})

    assert (refused.status_code, taken.status_code) == (403, 302)
    assert badge(client.get("/products/luchs/")) == "2"


def test_a_secret_lives_as_long_as_the_page_whose_form_needs_it(come: Callable[..., Client]):
    client = come()

    listed, shown = client.get("/products/"), client.get("/products/luchs/")

    assert real_settings.CSRF_COOKIE_NAME not in listed.cookies
    assert shown.cookies[real_settings.CSRF_COOKIE_NAME].value == SECRET


@pytest.mark.parametrize("line", ["{% csrf_token %}", "{{ request.META.CSRF_COOKIE }}{{ csrf_token }}"])
def test_a_page_that_shows_its_visitor_outside_of_a_slot_is_not_kept(rf: RequestFactory, line: str, caplog):
    template = engines["django"].from_string(line)
    view = ready.page(lambda request: ready.showing(HttpResponse(template.render({}, request)), {}))
    request = rf.get("/")
    request.session, request.LANGUAGE_CODE = {}, "de"

    answers = {view(request).content for _ in range(3)}

    assert len(answers) == 3
    assert len(ready._pages) == 0
    assert "outside of a slot" in caplog.text


def test_what_is_made_for_everybody_has_nobody_to_ask(rf: RequestFactory, alice: User):
    request = rf.get("/products/?q=hut")
    request.session, request.LANGUAGE_CODE = {"account_id": alice.id, "cart": {"units": 5, "total_cents": 5}}, "de"
    request.COOKIES["secret"] = "x"

    anybody = ready.Anybody(request)

    assert not anybody.COOKIES
    assert not hasattr(anybody, "session")
    assert not hasattr(anybody, "account")
    assert not hasattr(anybody, "_messages")


def test_waiting_messages_are_shown_to_their_visitor_only(come: Callable[..., Client]):
    client, other = come(), come(secret="t" * 32)
    client.get("/products/")
    client.post("/account/logout/")

    shown, next_page = client.get("/products/").content.decode(), client.get("/products/").content.decode()

    assert "Sie sind abgemeldet." in shown
    assert "Sie sind abgemeldet." not in next_page
    assert "Sie sind abgemeldet." not in other.get("/products/").content.decode()


def test_a_message_of_this_very_request_is_shown(rf: RequestFactory):
    request = rf.get("/")
    request.session, request.LANGUAGE_CODE = {}, "de"
    request._messages = messages.storage.default_storage(request)
    messages.success(request, "Hallo")

    assert not ready._is_ordinary(request)


def test_a_badge_that_is_not_known_is_rendered_plainly(come: Callable[..., Client]):
    client = come({"cart": {"units": 1, "total_cents": 2, "more": 3}})
    client.get("/products/")

    assert not is_ready(client, "/products/")


@pytest.mark.parametrize("query", ["q=" + "x" * 301, "page=7", "sort=foo"])
def test_what_is_too_long_or_no_page_is_not_kept(visitor: Client, query: str):
    visitor.get(f"/products/?{query}")

    assert len(ready._pages) == 0


def test_each_host_has_pages_of_its_own(visitor: Client):
    visitor.get("/products/")

    assert visitor.get("/products/", headers={"host": "127.0.0.1"}).context is not None


@pytest.mark.parametrize("switch", [{"READY_PAGES_BYTES": 0}, {"DEBUG": True}])
def test_ready_pages_can_be_switched_off(visitor: Client, settings: Settings, switch: dict):
    for name, value in switch.items():
        setattr(settings, name, value)
    visitor.get("/products/")

    assert not is_ready(visitor, "/products/")


# True


def test_what_this_process_sells_out_shows_at_once(visitor: Client):
    before = [visitor.get(address).content.decode() for address in ("/", "/products/", "/products/dachs/")]

    reservations.reserve("alice", "dachs", quantity=3)

    after = [visitor.get(address).content.decode() for address in ("/", "/products/", "/products/dachs/")]
    assert all("Nur noch 3" in page for page in before)
    assert all("Nur noch 3" not in page and "Ausverkauft" in page for page in after)
    assert "Vielleicht wird noch etwas frei" in after[2]


def test_what_another_process_sells_shows_after_a_moment(visitor: Client, monkeypatch: pytest.MonkeyPatch):
    visitor.get("/products/")
    monkeypatch.setattr("inventory.dynamodb.listeners", [])
    reservations.reserve("alice", "dachs", quantity=3)
    at_once = visitor.get("/products/").content.decode()

    monkeypatch.setattr(live_stock, "FRESH_SECONDS", -1.0)

    assert "Nur noch 3" in at_once
    assert "Nur noch 3" not in visitor.get("/products/").content.decode()


def test_stock_that_a_page_does_not_show_does_not_make_it_anew(visitor: Client):
    visitor.get("/products/")

    reservations.reserve("alice", "luchs", quantity=2)

    assert is_ready(visitor, "/products/")


@pytest.mark.parametrize("address", ["/", "/products/", "/products/luchs/", "/products/dachs/"])
def test_a_product_that_changes_shows_at_once(visitor: Client, address: str):
    visitor.get(address)
    stored = catalogue.find("luchs")

    products.save("luchs", version=stored.version, name="Laufschuh Lux", price_cents=1)

    assert "Laufschuh Lux" in visitor.get(address).content.decode()


def test_a_product_that_is_taken_away_is_not_found(visitor: Client):
    visitor.get("/products/luchs/")

    products.archive("luchs", version=catalogue.find("luchs").version)

    assert visitor.get("/products/luchs/").status_code == 404


def test_stock_that_is_booked_shows_at_once(visitor: Client):
    visitor.get("/products/luchs/")

    stock.adjust("luchs", by=-8, reason="damaged", note="", who="dana")

    assert "Nur noch 2" in visitor.get("/products/luchs/").content.decode()


# As browsers expect it


def test_what_has_not_changed_is_not_sent_again(come: Callable[..., Client]):
    client = come({"cart": {"units": 1, "total_cents": 5}})
    first = client.get("/products/")

    again = client.get("/products/", headers={"if-none-match": first["ETag"]})

    assert first["ETag"].startswith('W/"')
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert {"Cookie", "Accept-Encoding", "Accept-Language"} <= set(again["Vary"].split(", "))
    assert "private" in again["Cache-Control"]


@pytest.mark.parametrize(
    ("session", "secret"),
    [
        ({"cart": {"units": 2, "total_cents": 5}}, SECRET),
        ({"cart": {"units": 1, "total_cents": 5}, "account_id": "x"}, SECRET),
        ({"cart": {"units": 1, "total_cents": 5}}, "t" * 32),
    ],
    ids=["another cart", "logged in", "another secret"],
)
def test_what_is_another_visitors_is_sent_again(come: Callable[..., Client], session: dict, secret: str):
    first = come({"cart": {"units": 1, "total_cents": 5}}).get("/products/")

    again = come(session, secret=secret).get("/products/", headers={"if-none-match": first["ETag"]})

    assert again.status_code == 200


def test_every_process_gives_a_page_the_same_tag(visitor: Client):
    first = visitor.get("/products/")["ETag"]
    ready.forget()

    assert visitor.get("/products/")["ETag"] == first


def test_a_tag_does_not_tell_the_secret(visitor: Client):
    assert SECRET not in visitor.get("/products/")["ETag"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_compressed_page_is_the_page(visitor: Client, address: str):
    packed = visitor.get(address, headers={"accept-encoding": "gzip, deflate, br"})

    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content)
    assert TOKEN.sub("TOKEN", gzip.decompress(packed.content).decode()) == body(visitor.get(address))


def test_a_compressed_page_stays_within_its_budget(visitor: Client, make_product: MakeProduct):
    for number in range(24):
        make_product(
            id=f"p-{number}", name=f"Laufschuh Nummer {number}", rating=Decimal("4.5"), review_count=number + 1
        )

    page = visitor.get("/products/", headers={"accept-encoding": "gzip"})

    assert len(page.content) <= 14 * 1024


@pytest.mark.parametrize("refused", ["gzip;q=0", "gzip; q=0.000, *", "br", "gzip;q=much", ""])
def test_no_page_is_compressed_for_whoever_refuses_it(visitor: Client, refused: str):
    answer = visitor.get("/info/imprint/", headers={"accept-encoding": refused})

    assert not answer.has_header("Content-Encoding")
    assert "Accept-Encoding" in answer["Vary"]


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("*", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=much", False),
        ("", False),
    ],
)
def test_a_page_is_compressed_for_whoever_takes_it(visitor: Client, accepts: str, packed: bool):
    answer = visitor.get("/products/", headers={"accept-encoding": accepts})

    assert answer.has_header("Content-Encoding") == packed
    assert "Accept-Encoding" in answer["Vary"]


def test_a_token_is_never_compressed(visitor: Client):
    packed = visitor.get("/products/luchs/", headers={"accept-encoding": "gzip"})

    tokens = TOKEN.findall(gzip.decompress(packed.content).decode())

    assert len(tokens) == 2
    assert all(token.encode() in packed.content for token in tokens)


@given(st.lists(st.binary(max_size=40) | st.binary(min_size=2049, max_size=5000)))
def test_parts_make_one_file(pieces: list[bytes]):
    made = [parts.Stored(piece) if number % 3 == 1 else parts.Part(piece) for number, piece in enumerate(pieces)]

    packed = parts.gzipped(made)

    assert gzip.decompress(packed) == b"".join(part.plain for part in made) == b"".join(pieces)
    assert zlib.decompress(packed, wbits=31) == b"".join(pieces)


# Bounded


@pytest.fixture
def small(settings: Settings) -> int:
    settings.READY_PAGES_BYTES = 200_000
    return 200_000


def test_pages_take_no_more_memory_than_they_may(visitor: Client, small: int):
    for number in range(60):
        visitor.get(f"/products/?q=lauf&x={number}")

    assert 0 < ready._pages.bytes <= small * 0.55
    assert 0 < ready._fragments.bytes <= small * 0.4
    assert is_ready(visitor, "/products/?q=lauf&x=59")
    assert not is_ready(visitor, "/products/?q=lauf&x=0")


def test_what_is_larger_than_all_there_is_is_not_kept(settings: Settings):
    settings.READY_PAGES_BYTES = 100
    kept: ready.Kept[str] = ready.Kept(1.0)

    kept.put("a", "x", size=101)

    assert (len(kept), kept.bytes) == (0, 0)


def test_a_card_is_made_once_for_all_lists(visitor: Client, monkeypatch: pytest.MonkeyPatch):
    visitor.get("/products/?q=lauf")

    made = visitor.get("/products/?q=laufs")

    assert "shop/_product_card.html" not in {template.name for template in made.templates}


def test_cards_of_one_kind_are_made_of_one_form(visitor: Client, make_product: MakeProduct):
    make_product(id="igel", name='Laufjacke {title} %s "Igel"', price_cents=123456, stock=6)
    make_product(id="reh", name="Laufhose Reh", image_url="products/0123456789abcdef0123")

    made = visitor.get("/products/?q=lauf&sort=new")

    assert [template.name for template in made.templates].count("shop/_product_card.html") == 3
    shown = re.findall(r'href="/products/(\w+)/">([^<]*)</a></h3>', made.content.decode())
    assert shown == [
        ("reh", "Laufhose Reh"),
        ("igel", "Laufjacke {title} %s &quot;Igel&quot;"),
        ("fuchs", "Laufshirt Fuchs"),
        ("luchs", "Laufschuh Luchs"),
    ]


def test_slots_follow_the_language(come: Callable[..., Client]):
    german, english = (come({"account_id": "x"}, language=language) for language in ("de", "en"))

    with translation.override(None):
        pages = [client.get("/products/").content.decode() for client in (german, english, german)]

    assert ["My account" in page for page in pages] == [False, True, False]
