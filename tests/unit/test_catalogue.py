"""What there is, found by words, category, price and stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from inventory import catalogue, clock, products, reservations
from inventory.errors import NoSuchPage
from inventory.models import Product, ProductText, Translations
from tests.unit import wire

MakeProduct = Callable[..., Product]


@pytest.fixture
def shelf(make_product: MakeProduct) -> None:
    """Four products that differ in everything one can ask for."""
    rows: list[dict[str, Any]] = [
        {"id": "boot", "name": "Wanderstiefel", "price_cents": 19_999, "category": "shoes", "rating": Decimal("4.8")},
        {"id": "shoe", "name": "Laufschuh", "price_cents": 9_999, "category": "shoes", "rating": Decimal("4.2")},
        {"id": "shirt", "name": "Laufshirt", "price_cents": 2_999, "category": "apparel", "rating": None},
        {"id": "mat", "name": "Matte", "price_cents": 1_999, "category": "equipment", "rating": Decimal("4.2")},
    ]
    for age, row in enumerate(rows):
        make_product(**row, sku=f"EK-{age}", created_at=clock.now() - timedelta(days=age))


def found(**asked: Any) -> list[str]:
    """The ids on the page, in its order."""
    return [product.id for product in catalogue.search(**asked).products]


def counts(**asked: Any) -> dict[str, int]:
    return {str(one.filters["category"]): one.count for one in catalogue.search(**asked).facets.categories}


# Words


@pytest.mark.parametrize(
    "query",
    ["größe", "Größe", "GRÖSSE", "groesse", "Groesse", "GROESSE", "grosse", "große", "GRO", " größe ", "rösse"],
)
def test_search_makes_no_difference_between_the_ways_to_write_an_umlaut(make_product: MakeProduct, query: str):
    make_product(name="Schuh in großer Größe")

    assert found(query=query) == ["prod-1"]


@pytest.mark.parametrize("name", ["Übergröße", "UEBERGROESSE", "Uebergrösse"])
def test_search_finds_umlauts_however_the_shop_writes_them(make_product: MakeProduct, name: str):
    make_product(name=name)

    assert found(query="übergröße") == ["prod-1"]


def test_search_knows_umlauts_that_were_typed_as_two_characters(make_product: MakeProduct):
    """macOS hands out letters and their dots apart (NFD) when text is copied out of a file's name."""
    make_product(name="Größe")

    assert found(query="Gro\N{COMBINING DIAERESIS}ße") == ["prod-1"]


@pytest.mark.parametrize("query", ["lauf", "LAUFSCHUH", "schuh", "ek-7", "luchs", "light", "lynx", "leicht"])
def test_search_finds_in_every_text_of_a_product_in_any_language(make_product: MakeProduct, query: str):
    english = Translations(en=ProductText(name="Lynx", description="Light."))
    make_product(name="Laufschuh Luchs", description="Leicht.", sku="EK-7", translations=english)

    with translation.override("de"):
        assert found(query=query) == ["prod-1"]


@pytest.mark.parametrize(("language", "query"), [("en", "shoes"), ("en", "lynx SHOES")])
def test_search_finds_the_name_of_a_category(make_product: MakeProduct, language: str, query: str):
    make_product(name="Luchs", translations=Translations(en=ProductText(name="Lynx")))

    with translation.override(language):
        assert found(query=query) == ["prod-1"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("lauf", {"shoe", "shirt"}),
        ("lauf schuh", {"shoe"}),
        ("schuh lauf", {"shoe"}),
        ("lauf stiefel", set()),
        ("   ", {"boot", "shoe", "shirt", "mat"}),
        ("%", set()),
        ("<script>", set()),
        ("*", set()),
        ("\0", set()),
        ("x" * 5000, set()),
    ],
)
def test_search_wants_every_word(shelf: None, query: str, ids: set[str]):
    assert set(found(query=query)) == ids


def test_search_tells_what_it_was_asked(shelf: None):
    assert catalogue.search(query=" Größe ").query == " Größe "


def test_relevance_puts_words_in_the_name_before_words_in_the_text(make_product: MakeProduct):
    make_product(id="by-text", name="Socke", description="Passt zum Laufschuh.", rating=Decimal(5))
    make_product(id="by-name", name="Laufschuh", rating=Decimal(1))

    assert found(query="laufschuh") == ["by-name", "by-text"]


def test_relevance_prefers_the_better_rated_and_then_keeps_one_order(make_product: MakeProduct):
    for id, rating in (("c", "4.0"), ("b", "4.0"), ("a", "4.9"), ("d", None)):
        make_product(id=id, rating=Decimal(rating) if rating else None)

    assert found() == ["a", "b", "c", "d"]


# Prices


@pytest.mark.parametrize(
    ("min_cents", "max_cents", "ids"),
    [
        (None, None, {"boot", "shoe", "shirt", "mat"}),
        (1_999, 1_999, {"mat"}),
        (2_000, 2_998, set()),
        (2_999, 9_999, {"shirt", "shoe"}),
        (3_000, 9_998, set()),
        (10_000, None, {"boot"}),
        (None, 2_998, {"mat"}),
        (0, 0, set()),
        (9_999, 2_999, set()),
        (None, 10**12, {"boot", "shoe", "shirt", "mat"}),
    ],
)
def test_search_includes_both_ends_of_a_price_range(
    shelf: None, min_cents: int | None, max_cents: int | None, ids: set[str]
):
    assert set(found(min_cents=min_cents, max_cents=max_cents)) == ids


def test_a_free_product_is_found_at_nothing(make_product: MakeProduct):
    make_product(price_cents=0)

    assert found(min_cents=0, max_cents=0) == ["prod-1"]


# Order


@pytest.mark.parametrize(
    ("sort", "ids"),
    [
        ("price", ["mat", "shirt", "shoe", "boot"]),
        ("-price", ["boot", "shoe", "shirt", "mat"]),
        ("-rating", ["boot", "mat", "shoe", "shirt"]),
        ("new", ["boot", "shoe", "shirt", "mat"]),
        ("relevance", ["boot", "mat", "shoe", "shirt"]),
        ("nonsense", ["boot", "mat", "shoe", "shirt"]),
    ],
)
def test_search_sorts(shelf: None, sort: str, ids: list[str]):
    assert found(sort=sort) == ids


def test_equally_rated_products_are_sorted_by_how_many_said_so(make_product: MakeProduct):
    make_product(id="a", rating=Decimal("4.5"), review_count=3)
    make_product(id="b", rating=Decimal("4.5"), review_count=300)

    assert found(sort="-rating") == ["b", "a"]


def test_every_sort_that_is_offered_is_one_of_its_own(shelf: None):
    assert set(catalogue.SORTS) == {"relevance", "price", "-price", "-rating", "new"}


# Categories


def test_search_finds_a_category(shelf: None):
    assert set(found(category="shoes")) == {"boot", "shoe"}
    assert found(category="hats") == []


def test_facets_count_every_category_whichever_is_chosen(shelf: None):
    assert counts() == counts(category="shoes") == {"shoes": 2, "apparel": 1, "accessories": 0, "equipment": 1}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"query": "lauf"}, {"shoes": 1, "apparel": 1}),
        ({"max_cents": 2_999}, {"apparel": 1, "equipment": 1}),
        ({"query": "lauf", "min_cents": 3_000, "category": "apparel"}, {"shoes": 1}),
    ],
)
def test_facets_count_under_all_other_filters(shelf: None, asked: dict[str, Any], expected: dict[str, int]):
    assert {slug: count for slug, count in counts(**asked).items() if count} == expected


def test_facets_count_only_what_is_in_stock_when_that_is_asked(shelf: None):
    reservations.reserve("alice", "boot", quantity=10)

    assert counts(in_stock=True)["shoes"] == 1
    assert counts()["shoes"] == 2


# Stock


def test_search_tells_live_stock_not_what_it_remembers(shelf: None):
    catalogue.search()

    reservations.reserve("alice", "mat", quantity=9)

    assert catalogue.search().available == {"boot": 10, "shoe": 10, "shirt": 10, "mat": 1}


def test_search_for_what_is_in_stock_leaves_out_what_others_hold(shelf: None):
    reservations.reserve("alice", "mat", quantity=10)

    assert "mat" not in found(in_stock=True)
    assert catalogue.search().available["mat"] == 0


# What is not for sale


@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_not_for_sale_is_never_shown(make_product: MakeProduct, status: str):
    hidden = make_product(id="hidden", status=status, review_count=9999)
    shown = make_product(id="shown")

    assert found() == found(query="luchs", in_stock=True, category="shoes") == ["shown"]
    assert counts()["shoes"] == 1
    assert [one.id for one in catalogue.highlights().bestsellers] == ["shown"]
    assert catalogue.highlights().newest == []
    assert catalogue.related(shown) == []
    assert [one.id for one in catalogue.related(hidden)] == ["shown"]


def test_a_product_that_is_archived_leaves_at_once(shelf: None):
    catalogue.search()

    products.archive("mat", version=1)

    assert "mat" not in found()


@pytest.mark.parametrize("statuses", [("draft", "archived"), ["draft", "archived"], iter(["draft", "archived"])])
def test_staff_can_ask_for_any_status(make_product: MakeProduct, statuses: Any):
    for status in ("draft", "active", "archived"):
        make_product(id=status, status=status)

    assert found(statuses=statuses) == ["archived", "draft"]


# Pages


@pytest.fixture
def many(make_product: MakeProduct) -> Iterator[None]:
    for number in range(7):
        make_product(id=f"prod-{number}", stock=1)
    return


def test_pages_show_everything_once(many: None):
    pages = [catalogue.search(page=page, per_page=3) for page in (1, 2, 3)]

    shown = Counter(product.id for page in pages for product in page.products)
    assert shown == {f"prod-{number}": 1 for number in range(7)}
    assert [len(page.products) for page in pages] == [3, 3, 1]
    assert {(page.total, page.pages) for page in pages} == {(7, 3)}


def test_a_page_reads_the_stock_of_what_it_shows(many: None):
    assert list(catalogue.search(page=3, per_page=3).available) == ["prod-6"]


@pytest.mark.parametrize("page", [0, -1, 4, 10**18])
def test_a_page_that_does_not_exist_is_refused_with_how_many_there_are(many: None, page: int):
    with pytest.raises(NoSuchPage) as caught:
        catalogue.search(page=page, per_page=3)

    assert caught.value.pages == 3


def test_nothing_found_is_one_empty_page():
    listing = catalogue.search(query="nothing")

    assert (listing.products, listing.available, listing.total, listing.pages) == ([], {}, 0, 1)
    assert listing.page_numbers == (1,)


@pytest.mark.parametrize(
    ("page", "pages", "numbers"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 9, [1, 2, None, 9]),
        (5, 9, [1, None, 4, 5, 6, None, 9]),
        (3, 9, [1, 2, 3, 4, None, 9]),
        (9, 9, [1, None, 8, 9]),
    ],
)
def test_page_numbers_leave_out_the_middle(page: int, pages: int, numbers: list[int | None]):
    assert catalogue.page_numbers(page, pages) == tuple(numbers)


# What the database is asked


def test_the_first_search_costs_a_query_for_each_index_one_batch_and_never_a_scan(shelf: None):
    catalogue.forget()

    with wire.heard() as calls:
        catalogue.search(query="lauf", category="shoes", sort="price")

    assert [name for name, _ in calls] == ["Query", "Query", "BatchGetItem"]
    assert [call["IndexName"] for _, call in calls[:2]] == ["availability-index", "catalogue-index"]


def test_the_next_search_costs_nothing_while_its_stock_is_fresh(shelf: None):
    catalogue.search()

    with wire.heard() as calls:
        catalogue.search()

    assert calls == []


# The home page


def test_highlights_show_the_best_sold_and_the_newest_of_the_rest(make_product: MakeProduct):
    for number in range(6):
        born = clock.now() - timedelta(days=number)
        make_product(id=f"prod-{number}", review_count=10 * number, created_at=born, stock=number)

    shown = catalogue.highlights(limit=2)

    assert [product.id for product in shown.bestsellers] == ["prod-5", "prod-4"]
    assert [product.id for product in shown.newest] == ["prod-0", "prod-1"]
    assert shown.available == {"prod-5": 5, "prod-4": 4, "prod-0": 0, "prod-1": 1}


def test_highlights_of_an_empty_shop_are_empty():
    shown = catalogue.highlights()

    assert (shown.bestsellers, shown.newest, shown.available) == ([], [], {})


def test_related_are_the_nearest_in_price_of_the_same_category(make_product: MakeProduct):
    for id, cents in (("a", 1000), ("b", 1100), ("c", 5000), ("d", 900), ("e", 1050)):
        make_product(id=id, price_cents=cents)
    other = make_product(id="x", price_cents=1000, category="apparel")

    assert [product.id for product in catalogue.related(Product.get("a"), limit=3)] == ["e", "b", "d"]
    assert catalogue.related(other) == []


# One product


def test_find_reads_live_stock_consistently(product: Product):
    with wire.heard() as calls:
        found_one = catalogue.find(product.id)

    assert (found_one.stock, found_one.available) == (10, 10)
    assert [(name, call["ConsistentRead"]) for name, call in calls] == [("GetItem", True)]


@pytest.mark.parametrize("product_id", ["", "nobody", "prod-1 ", "PROD-1"])
def test_find_gives_none_for_what_is_not_there(product: Product, product_id: str):
    assert catalogue.find(product_id) is None


def test_availability_of_what_is_gone_is_nothing(product: Product):
    assert catalogue.availability([product, Product("gone")]) == {"prod-1": 10, "gone": 0}


# What somebody means


@pytest.fixture
def trainers(make_product: MakeProduct) -> None:
    make_product(id="sneaker", name="Sneaker Luchs", rating=Decimal("4.5"))
    make_product(id="run", name="Laufschuh Dachs", sku="EK-SH-007", description="Für das Training.")
    make_product(id="boot", name="Wanderstiefel Fuchs", category="shoes")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("schuh", "run"),
        ("SCHUHE", "run"),
        ("sneker", "sneaker"),
        ("trainig", "run"),
        ("turnschuh", "sneaker"),
        ("wander", "boot"),
        ("ek-sh-007", "run"),
        ("eksh007", "run"),
        ("boots", "boot"),
        ("laufschuh dacks", "run"),
    ],
)
def test_search_finds_what_was_meant(trainers: None, query: str, first: str):
    assert found(query=query)[0] == first


def test_search_says_which_word_it_took_for_another(trainers: None):
    assert catalogue.search(query="sneker").instead == {"sneker": "sneaker"}
    assert catalogue.search(query="sneaker").instead == {}


def test_nothing_found_says_what_fewer_words_would_find(trainers: None):
    listing = catalogue.search(query="sneaker dachs")

    assert listing.total == 0
    assert listing.fewer == [("dachs", 1), ("sneaker", 1)]
    assert catalogue.search(query="xylophon").fewer == []


def test_suggestions_complete_the_word_and_name_products(trainers: None):
    suggestions = catalogue.suggest("lauf")

    assert suggestions.queries == ["laufschuh"]
    assert [one.id for one in suggestions.products] == ["run"]


@pytest.mark.parametrize("typed", ["", " ", "%", "xylophon"])
def test_there_is_nothing_to_suggest_for_nothing(trainers: None, typed: str):
    assert catalogue.suggest(typed) == catalogue.Suggestions([], [])
