"""Products: found, written, taken off the shelves."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminpanel import conflicts, uploads
from adminpanel.access import admin_required
from adminpanel.forms import ArchiveForm, EditProductForm, ProductForm, ProductListForm, values_of
from adminpanel.requests import AdminRequest, SignedInRequest
from inventory import catalogue, products, stock
from inventory.errors import InventoryError, NoSuchPage, ProductChanged
from inventory.models import Product

PER_PAGE = 50


@admin_required
@require_safe
def product_list(request: AdminRequest) -> HttpResponse:
    form = ProductListForm(request.GET)
    makes_sense = form.is_valid()
    question = form.question()
    try:
        listing = catalogue.search(**question, per_page=PER_PAGE, with_stock=False)
    except NoSuchPage as beyond:
        return render(request, "adminpanel/no_such_page.html", {"sentence": beyond.sentence}, status=404)
    # The catalogue knows no stock; this list shows it as it stands now.
    rows = stock.products(product.id for product in listing.products)
    context = {
        "form": form,
        "listing": listing,
        "rows": rows,
        "sort": question["sort"],
        "category_names": catalogue.CATEGORIES,
    }
    return render(request, "adminpanel/product_list.html", context, status=200 if makes_sense else 422)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def product_new(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, ProductForm())
    form = ProductForm(request.POST, request.FILES)
    uploads.keep_picture(form)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    try:
        product = products.create(by=request.account.email, **form.product_fields())
    except InventoryError as refusal:
        form.add_error(None, refusal.sentence)
        return _form_page(request, form, status=409)
    messages.success(request, _("%(name)s is created. It has no stock yet.") % {"name": product.title})
    return redirect("adminpanel:product-detail", product.id)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def product_detail(request: SignedInRequest, product_id: str) -> HttpResponse:
    product = _get_or_404(product_id)
    if request.method != "POST":
        return _form_page(request, EditProductForm(initial=values_of(product)), product)
    form = EditProductForm(request.POST, request.FILES)
    uploads.keep_picture(form)
    if not form.is_valid():
        return _form_page(request, form, product, status=422)
    try:
        version, by = form.cleaned_data["version"], request.account.email
        product = products.save(product_id, version=version, by=by, **form.product_fields())
    except ProductChanged as refusal:
        return _conflict(request, form, refusal.current)
    except InventoryError as refusal:
        form.add_error(None, refusal.sentence)
        return _form_page(request, form, product, status=409)
    return _saved(request, product)


@admin_required
@require_http_methods(["GET", "HEAD", "POST"])
def product_archive(request: SignedInRequest, product_id: str) -> HttpResponse:
    product = _get_or_404(product_id)
    form = ArchiveForm(request.POST if request.method == "POST" else None, initial={"version": product.version})
    if not form.is_valid():
        page = {"form": form, "product": product}
        return render(request, "adminpanel/product_archive.html", page, status=422 if form.is_bound else 200)
    try:
        products.archive(product_id, version=form.cleaned_data["version"], by=request.account.email)
    except InventoryError as refusal:
        messages.error(request, refusal.sentence)
        return redirect("adminpanel:product-archive", product_id)
    messages.success(request, _("%(name)s is archived and no longer for sale.") % {"name": product.title})
    return redirect("adminpanel:product-list")


def _get_or_404(product_id: str) -> Product:
    product = catalogue.find(product_id)
    if product is None:
        raise Http404
    return product


def _conflict(request: AdminRequest, form: EditProductForm, current: Product) -> HttpResponse:
    """Theirs and yours, with yours still in the form: saving it again is a decision then, not an accident."""
    differences = conflicts.differences(form, current)
    if not differences:
        return _saved(request, current)
    form.remember(version=current.version)
    return _form_page(request, form, current, status=409, differences=differences)


def _saved(request: AdminRequest, product: Product) -> HttpResponse:
    messages.success(request, _("%(name)s is saved.") % {"name": product.title})
    return redirect("adminpanel:product-detail", product.id)


def _form_page(
    request: AdminRequest, form: ProductForm, product: Product | None = None, *, status: int = 200, **more: object
) -> HttpResponse:
    context = {"form": form, "product": product, **more}
    return render(request, "adminpanel/product_form.html", context, status=status)
