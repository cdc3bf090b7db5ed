"""Whether all stock is right: the last full proof, and the products of one page as they are now."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from adminpanel.access import admin_required
from adminpanel.forms import StockProofForm
from adminpanel.requests import AdminRequest
from inventory import catalogue
from inventory.errors import NoSuchPage

#: Each is a question of its own to the database: for its movements.
PER_PAGE = 5


@admin_required
@require_safe
def stock_proof(request: AdminRequest) -> HttpResponse:
    from inventory.proof import sheets  # As in the dashboard.

    form = StockProofForm(request.GET)
    makes_sense = form.is_valid()
    try:
        listing = catalogue.search(**form.question(), per_page=PER_PAGE, with_stock=False)
    except NoSuchPage as beyond:
        return render(request, "adminpanel/no_such_page.html", {"sentence": beyond.sentence}, status=404)
    verdicts, proof = sheets.verdicts([product.id for product in listing.products])
    context = {
        "form": form,
        "listing": listing,
        "proof": proof,
        "titles": {one.id: one.title for one in catalogue.everything()} if proof and proof.wrong else {},
        "rows": [(product, verdicts[product.id]) for product in listing.products if verdicts[product.id].shelf],
    }
    return render(request, "adminpanel/stock_proof.html", context, status=200 if makes_sense else 422)
