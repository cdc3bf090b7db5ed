"""Products in the admin panel: found, written, archived, and two admins at once."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from adminpanel.fields import KeptPictureField
from inventory import catalogue, checkout, products, reservations, stock
from inventory.models import Product, User

NEW = "/admin/products/new/"


@pytest.fixture(autouse=True)
def _dana_is_in(client: Client, dana: User, sign_in: Callable[..., None]) -> None:
    sign_in(client, dana)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"


def filled(**changes: object) -> dict[str, Any]:
    """A product's form as it is right."""
    return {
        "name": "Laufschuh Föhn",
        "description": "Leicht.\r\nSchnell.",
        "name_en": "Foehn running shoe",
        "description_en": "Light.",
        "price": "129,90",
        "category": "shoes",
        "status": "active",
        "sku": "EK-SH-100",
        "low_stock_at": "7",
        **changes,
    }


def png(colour: str = "red", *, name: str = "shoe.png") -> SimpleUploadedFile:
    data = io.BytesIO()
    Image.new("RGB", (40, 50), colour).save(data, "PNG")
    return SimpleUploadedFile(name, data.getvalue(), content_type="image/png")


def kept_in(page: Any) -> str:
    """The signed picture that a form carries on."""
    found = re.search(r'name="kept_image" value="([^"]+)"', page.text)
    return found[1] if found else ""


def edit(product: Product) -> str:
    return f"/admin/products/{product.id}/"


def now(product: Product) -> Product:
    found = catalogue.find(product.id)
    assert found is not None
    return found


def only_product() -> Product:
    (found,) = catalogue.search(statuses=Product.STATUSES).products
    return now(found)


# Create


def test_a_new_product_is_written_as_it_was_typed(client: Client) -> None:
    answer = client.post(NEW, filled())

    product = only_product()
    assert answer["Location"] == edit(product)
    assert (product.name, product.description) == ("Laufschuh Föhn", "Leicht.\nSchnell.")
    assert (product.translations.en.name, product.translations.en.description) == ("Foehn running shoe", "Light.")
    assert (product.price_cents, product.category, product.status) == (12_990, "shoes", "active")
    assert (product.sku, product.low_stock_at, product.stock) == ("EK-SH-100", 7, 0)


def test_only_what_a_product_needs_has_to_be_filled_in(client: Client) -> None:
    answer = client.post(NEW, filled(name_en="", description_en="", sku=""))

    assert answer.status_code == 302
    assert only_product().title == "Laufschuh Föhn"


@pytest.mark.parametrize(
    ("typed", "cents"),
    [("19,99", 1999), ("19.99", 1999), ("19", 1900), ("19,9", 1990), ("1.299,00", 129_900), ("1,299.00", 129_900),
     (" 5,00 € ", 500), ("0,01", 1), ("100000", 10_000_000), ("99.999,99", 9_999_999)],
)  # fmt: skip
def test_a_price_is_read_as_people_write_it(client: Client, typed: str, cents: int) -> None:
    client.post(NEW, filled(price=typed))

    assert only_product().price_cents == cents


@pytest.mark.parametrize(
    "typed",
    ["", "0", "0,00", "-5", "100000,01", "999999999", "1.299", "1,2,3", "19,999", "1e3", "NaN", "abc", "٣", "\x00",
     "9" * 5_000, "1" + ".000" * 2_000 + ",00", "<b>5</b>"],
)  # fmt: skip
def test_a_wrong_price_is_refused(client: Client, typed: str) -> None:
    assert_refused(client, "price", typed)


@pytest.mark.parametrize("value", ["", "   ", "x" * 151, "a\x00b", "two\nlines"])
def test_a_wrong_name_is_refused(client: Client, value: str) -> None:
    assert_refused(client, "name", value)


@pytest.mark.parametrize(
    ("field", "value"),
    [("description", ""), ("description", "x" * 5_001), ("description", "a\x00b"), ("name_en", "x" * 151),
     ("description_en", "x" * 5_001), ("category", ""), ("category", "cars"), ("status", ""), ("status", "sold"),
     ("sku", "a b"), ("sku", "<b>"), ("sku", "x" * 41), ("low_stock_at", ""), ("low_stock_at", "-1"),
     ("low_stock_at", "1.5"), ("low_stock_at", "9" * 5_000), ("low_stock_at", "many")],
)  # fmt: skip
def test_a_wrong_field_is_refused(client: Client, field: str, value: str) -> None:
    assert_refused(client, field, value)


def assert_refused(client: Client, field: str, value: str) -> None:
    answer = client.post(NEW, filled(**{field: value}))

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Please check your input" in answer.text
    assert catalogue.search(statuses=Product.STATUSES).total == 0


def test_a_form_that_is_wrong_keeps_everything_that_was_typed(client: Client) -> None:
    page = client.post(NEW, filled(price="much", name='<i>"Föhn"</i>')).text

    assert 'value="&lt;i&gt;&quot;Föhn&quot;&lt;/i&gt;"' in page
    assert 'value="much"' in page
    assert "Light.</textarea>" in page
    assert '<option value="active" selected>' in page
    assert 'value="7"' in page


def test_what_the_form_does_not_ask_for_is_not_written(client: Client) -> None:
    client.post(NEW, filled(stock="999", available="999", rating="5", id="prod-mine", version="77"))

    product = only_product()
    assert (product.stock, product.available, product.rating, product.version) == (0, 0, None, 1)
    assert product.id != "prod-mine"


# Edit


def test_the_form_shows_the_product(client: Client, product: Product) -> None:
    page = client.get(edit(product)).text

    assert f'value="{product.name}"' in page
    assert 'value="99.99"' in page
    assert f'name="version" value="{product.version}"' in page
    assert f'href="/products/{product.id}/"' in page


def test_the_price_stands_there_as_germans_write_it(client: Client, product: Product) -> None:
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    assert 'value="99,99"' in client.get(edit(product)).text


def test_a_save_changes_what_was_changed(client: Client, product: Product) -> None:
    answer = client.post(edit(product), filled(version=product.version, price="88,00"), follow=True)

    assert "Foehn running shoe is saved." in answer.text
    assert (now(product).price_cents, now(product).version) == (8_800, product.version + 1)


def test_a_save_never_overwrites_stock_that_moved_meanwhile(client: Client, product: Product, dana: User) -> None:
    client.get(edit(product))
    reservations.reserve("guest-1", product.id, quantity=3)
    stock.adjust(product.id, by=5, reason="received", note="", who=dana.email)

    answer = client.post(edit(product), filled(version=product.version))

    saved = now(product)
    assert answer.status_code == 302
    assert saved.name == "Laufschuh Föhn"
    assert (saved.stock, saved.reserved, saved.available) == (15, 3, 12)


@pytest.mark.parametrize("version", ["", "abc", "-1", "1.5", "9" * 50, "\x00"])
def test_a_form_without_its_version_is_refused(client: Client, product: Product, version: str) -> None:
    answer = client.post(edit(product), filled(version=version))

    assert answer.status_code == 422
    assert "out of date" in answer.text
    assert now(product).name == product.name


@pytest.mark.parametrize("key", ["prod-none", "x" * 65, "a.b", "%00", "%3Cb%3E"])
def test_a_product_that_is_not_there_is_not_found(client: Client, key: str) -> None:
    for address in (f"/admin/products/{key}/", f"/admin/products/{key}/archive/"):
        assert client.get(address).status_code == 404
        assert client.post(address, filled(version=1)).status_code == 404


# Two admins


@pytest.fixture
def changed_by_bob(product: Product) -> Product:
    """The product after somebody else has saved it: Dana still has the version before."""
    products.save(product.id, version=product.version, price_cents=5_000, description="Bobs Text")
    return product


def test_the_second_admin_is_told_and_sees_both(client: Client, changed_by_bob: Product) -> None:
    page = client.post(edit(changed_by_bob), filled(version=changed_by_bob.version))

    assert page.status_code == 409
    assert "Somebody else has saved this product meanwhile" in page.text
    both = {one.field: (one.theirs, one.yours) for one in page.context["differences"]}
    assert both["price"] == ("€50.00", "€129.90")
    assert both["description"] == ("Bobs Text", "Leicht.\nSchnell.")
    assert "category" not in both


def test_in_a_conflict_nothing_is_overwritten_and_nothing_lost(client: Client, changed_by_bob: Product) -> None:
    page = client.post(edit(changed_by_bob), filled(version=changed_by_bob.version)).text

    assert (now(changed_by_bob).price_cents, now(changed_by_bob).description) == (5_000, "Bobs Text")
    assert 'value="129,90"' in page
    assert 'value="Laufschuh Föhn"' in page
    assert f'name="version" value="{changed_by_bob.version + 1}"' in page


def test_saving_again_after_a_conflict_keeps_ones_own(client: Client, changed_by_bob: Product) -> None:
    page = client.post(edit(changed_by_bob), filled(version=changed_by_bob.version))

    answer = client.post(edit(changed_by_bob), filled(version=page.context["product"].version))

    assert answer.status_code == 302
    assert (now(changed_by_bob).price_cents, now(changed_by_bob).name) == (12_990, "Laufschuh Föhn")


def test_opening_anew_after_a_conflict_shows_theirs(client: Client, changed_by_bob: Product) -> None:
    client.post(edit(changed_by_bob), filled(version=changed_by_bob.version))

    page = client.get(edit(changed_by_bob)).text

    assert "Bobs Text" in page
    assert 'value="50.00"' in page


def test_a_form_sent_twice_is_no_conflict(client: Client, product: Product) -> None:
    form = filled(version=product.version)

    first, second = client.post(edit(product), form), client.post(edit(product), form)

    assert (first.status_code, second.status_code) == (302, 302)
    assert now(product).version == product.version + 1


def test_a_picture_survives_a_conflict(client: Client, changed_by_bob: Product) -> None:
    refused = client.post(edit(changed_by_bob), filled(version=changed_by_bob.version, image=png()))
    assert "Picture" in [one.label for one in refused.context["differences"]]

    form = filled(version=refused.context["product"].version, kept_image=kept_in(refused))
    client.post(edit(changed_by_bob), form)

    assert now(changed_by_bob).image_url.startswith("products/")
    assert default_storage.exists(f"{now(changed_by_bob).image_url}-400.webp")


# Pictures


def test_an_uploaded_picture_is_the_products(client: Client) -> None:
    client.post(NEW, filled(image=png()))

    key = only_product().image_url
    assert {kind for kind in ("avif", "webp", "jpg") if default_storage.exists(f"{key}-800.{kind}")} == {
        "avif", "webp", "jpg",
    }  # fmt: skip


def test_a_save_without_a_picture_keeps_the_one_there_is(client: Client, make_product: Callable[..., Product]) -> None:
    product = make_product(image_url="products/old")

    client.post(edit(product), filled(version=product.version))

    assert now(product).image_url == "products/old"


def test_a_picture_survives_a_mistake_elsewhere_in_the_form(client: Client) -> None:
    refused = client.post(NEW, filled(price="much", image=png()))
    assert refused.status_code == 422
    assert "kept for you" in refused.text

    client.post(NEW, filled(kept_image=kept_in(refused)))

    assert default_storage.exists(f"{only_product().image_url}-400.avif")


def test_a_picture_chosen_anew_replaces_the_kept_one(client: Client) -> None:
    refused = client.post(NEW, filled(price="much", image=png("red")))

    client.post(NEW, filled(kept_image=kept_in(refused), image=png("blue")))

    red = KeptPictureField(required=False).clean(kept_in(refused))
    assert only_product().image_url not in {"", red}


@pytest.mark.parametrize("token", ["products/other", "InByb2R1Y3RzL3gi:1abc:forged", "\x00", "x" * 5_000, ":", "::::"])
def test_a_forged_kept_picture_is_refused(client: Client, token: str) -> None:
    answer = client.post(NEW, filled(kept_image=token))

    assert answer.status_code == 422
    assert "choose it again" in answer.text
    assert kept_in(answer) == ""
    assert catalogue.search(statuses=Product.STATUSES).total == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.png", b""), ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("a.html", b"<script>alert(1)</script>"),
     ("a.png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40), ("../../a.png", b"GIF89a"), ("a.jpg", b"\xff\xd8\xff\xe0 broken"),
     ("x" * 300 + ".png", b"no picture"), ("a.webp", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
     ("a.png", b"x" * (5 * 2**20 + 1))],
    ids=["empty", "svg", "html", "broken png", "gif", "broken jpeg", "long name", "broken webp", "large"],
)  # fmt: skip
def test_what_is_no_picture_is_refused(client: Client, name: str, data: bytes) -> None:
    answer = client.post(NEW, filled(image=SimpleUploadedFile(name, data)))

    assert answer.status_code == 422
    assert "image" in answer.context["form"].errors
    assert catalogue.search(statuses=Product.STATUSES).total == 0


# Archive


def test_archiving_says_what_happens_first(client: Client, product: Product) -> None:
    reservations.reserve("guest-1", product.id, quantity=2)

    page = client.get(f"{edit(product)}archive/")

    assert page.status_code == 200
    assert "2 units are in customers' carts" in page.text
    assert now(product).status == "active"


def test_an_archived_product_is_off_the_shelves_and_keeps_its_stock(client: Client, product: Product) -> None:
    answer = client.post(f"{edit(product)}archive/", {"version": product.version})

    assert answer["Location"] == "/admin/products/"
    assert (now(product).status, now(product).stock) == ("archived", 10)
    assert client.get(f"/products/{product.id}/").status_code == 404


def test_what_a_cart_holds_of_an_archived_product_can_still_be_ordered(
    client: Client, product: Product, contact: checkout.Contact
) -> None:
    cart = reservations.reserve("guest-1", product.id, quantity=2)

    client.post(f"{edit(product)}archive/", {"version": product.version})

    assert checkout.place_order("guest-1", token=str(cart.order_id), contact=contact).units == 2


def test_archiving_what_somebody_has_changed_asks_again(client: Client, changed_by_bob: Product) -> None:
    answer = client.post(f"{edit(changed_by_bob)}archive/", {"version": changed_by_bob.version}, follow=True)

    assert "Somebody else has saved this product meanwhile" in answer.text
    assert now(changed_by_bob).status == "active"


@pytest.mark.parametrize("version", ["", "x", "-1"])
def test_archiving_without_a_version_is_refused(client: Client, product: Product, version: str) -> None:
    assert client.post(f"{edit(product)}archive/", {"version": version}).status_code == 422
    assert now(product).status == "active"


def test_an_archived_product_comes_back_with_its_status(client: Client, product: Product) -> None:
    products.archive(product.id, version=product.version)

    client.post(edit(product), filled(version=product.version + 1, status="active"))

    assert now(product).status == "active"


# The list


@pytest.fixture
def shelf(make_product: Callable[..., Product]) -> None:
    make_product(id="prod-a", name="Schuh Alpha", sku="SH-A", price_cents=3_000)
    make_product(id="prod-b", name="Hose Beta", sku="AP-B", price_cents=1_000, category="apparel", status="draft")
    make_product(id="prod-c", name="Ball Gamma", sku="EQ-C", price_cents=2_000, category="equipment", stock=2)
    make_product(id="prod-d", name="Altes Stück", sku="EQ-D", category="equipment", status="archived")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("?sort=name", ["prod-c", "prod-b", "prod-a"]),
        ("?sort=price", ["prod-b", "prod-c", "prod-a"]),
        ("?sort=-price", ["prod-a", "prod-c", "prod-b"]),
        ("", ["prod-c", "prod-b", "prod-a"]),
        ("?status=draft", ["prod-b"]),
        ("?status=archived", ["prod-d"]),
        ("?category=equipment", ["prod-c"]),
        ("?q=SCHUH", ["prod-a"]),
        ("?q=ap-b", ["prod-b"]),
        ("?q=nothing", []),
    ],
)
@pytest.mark.usefixtures("shelf")
def test_the_list_is_searched_filtered_and_sorted(client: Client, question: str, expected: list[str]) -> None:
    page = client.get(f"/admin/products/{question}")

    assert page.status_code == 200
    assert [product.id for product in page.context["rows"]] == expected


@pytest.mark.usefixtures("shelf")
def test_the_list_shows_the_stock_of_this_moment(client: Client) -> None:
    reservations.reserve("guest-1", "prod-c", quantity=2)

    page = client.get("/admin/products/?q=gamma")

    (row,) = page.context["rows"]
    assert (row.stock, row.reserved, row.available) == (2, 2, 0)
    assert "low" in page.text


@pytest.mark.parametrize("field", ["category", "status", "sort"])
def test_a_filter_that_does_not_exist_is_named(client: Client, product: Product, field: str) -> None:
    page = client.get("/admin/products/", {field: "<b>nonsense</b>"})

    assert page.status_code == 422
    assert "There is no such" in page.text
    assert product.name in page.text


@pytest.mark.parametrize(("page", "status"), [("abc", 422), ("-1", 422), ("0", 422), ("9999", 404), ("2", 404)])
def test_a_page_that_does_not_exist_is_answered(client: Client, product: Product, page: str, status: int) -> None:
    assert client.get("/admin/products/", {"page": page}).status_code == status


def test_an_empty_list_explains_itself(client: Client) -> None:
    assert "No products yet" in client.get("/admin/products/").text
    assert "No product fits" in client.get("/admin/products/?q=zzz").text


def test_pages_follow_each_other(client: Client, make_product: Callable[..., Product]) -> None:
    for number in range(51):
        make_product(id=f"prod-{number}", stock=0)

    first, second = client.get("/admin/products/"), client.get("/admin/products/?page=2")

    assert (len(first.context["rows"]), len(second.context["rows"])) == (50, 1)
    assert 'href="?page=2"' in first.text
