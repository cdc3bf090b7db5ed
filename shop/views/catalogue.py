"""Home, the catalogue and its products."""

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inventory import catalogue, reservations
from inventory.errors import NoSuchPage
from shop import facets, pages, ready
from shop.forms import NOTHING_ASKED, SEARCH_LENGTH, CatalogueForm
from shop.requests import ShopRequest


@pages.may_come_back
@require_safe
@ready.page
def home(request: ShopRequest) -> HttpResponse:
    highlights = catalogue.highlights()
    context = {
        "bestsellers": pages.cards(highlights.bestsellers, highlights.available),
        "newest": pages.cards(highlights.newest, highlights.available),
        "hold_minutes": settings.RESERVATION_MINUTES,
    }
    return ready.showing(render(request, "shop/home.html", context), highlights.available)


@pages.may_come_back
@require_safe
@ready.page
def product_list(request: ShopRequest) -> HttpResponse:
    form, question = CatalogueForm.asked(request.GET)
    try:
        listing = catalogue.search(**question)
    except NoSuchPage as beyond:
        return render(request, "404.html", {"sentence": beyond.sentence}, status=404)
    context = {
        "form": form,
        "listing": listing,
        "cards": pages.cards(listing.products, listing.available),
        "question": question,
        "facets": facets.groups(listing, question),
        "chips": facets.chips(question),
        "pages": facets.pages(listing, question),
        "canonical": facets.address(question),
        "unfiltered": facets.address({**NOTHING_ASKED, "query": question["query"]}),
        "fewer": [(query, facets.address({**NOTHING_ASKED, "query": query}), count) for query, count in listing.fewer],
        "category_label": catalogue.CATEGORIES.get(question["category"], ""),
        "current_category": question["category"],
    }
    response = render(request, "shop/product_list.html", context, status=422 if form.errors else 200)
    return ready.showing(response, listing.available)


@pages.may_come_back
@require_safe
@ready.page
def product_detail(request: ShopRequest, product_id: str) -> HttpResponse:
    product = reservations.on_shelf(product_id)
    if product is None or not product.is_active:
        raise Http404
    return pages.product(request, product)


@pages.may_come_back
@require_safe
def product_suggest(request: ShopRequest) -> HttpResponse:
    """What somebody who is typing may mean, as the inside of a list for ``shop.js``."""
    suggestions = catalogue.suggest(request.GET.get("q", "")[:SEARCH_LENGTH])
    queries = [(query, facets.address({**NOTHING_ASKED, "query": query})) for query in suggestions.queries]
    return render(request, "shop/_suggestions.html", {"queries": queries, "products": suggestions.products})
