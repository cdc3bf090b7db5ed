"""Whether all stock is right: the last full proof, and the products of one page as they are now."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adminpanel.access import admin_required
from adminpanel.forms import StockProofForm
from adminpanel.requests import AdminRequest
from inventory import catalogue, stock
from inventory.errors import NoSuchPage

#: Each is a question of its own to the database: for its movements.
PER_PAGE = 8


@admin_required
@require_safe
def stock_proof(request: AdminRequest) -> HttpResponse:
    from inventory.proof import looks, reports  # As in the dashboard.

    form = StockProofForm(request.GET)
    makes_sense = form.is_valid()
    try:
        listing = catalogue.search(**form.question(), per_page=PER_PAGE)
    except NoSuchPage as beyond:
        return render(request, "adminpanel/no_such_page.html", {"sentence": beyond.sentence}, status=404)
    ids = [product.id for product in listing.products]
    verdicts = looks.verdicts(ids, orders={})
    proof = reports.last()
    context = {
        "form": form,
        "listing": listing,
        "proof": proof,
        "titles": {one.id: one.title for one in catalogue.everything()} if proof and proof.wrong else {},
        "rows": [(product, verdicts[product.id]) for product in stock.products(ids)],
    }
    return render(request, "adminpanel/stock_proof.html", context, status=200 if makes_sense else 422)
