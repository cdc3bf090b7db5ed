"""The shape of what staff send. Whether it is true, such as whether there are that many, inventory says."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from adminpanel.fields import MOST_UNITS, ChangeField, EurosField, KeptPictureField, MonthField, TextField, one_line
from inventory import catalogue, clock, orders, stock
from inventory.models import Product
from inventory.products import Fields

MOST_PAGES = 9_999
SEARCH_LENGTH = 100
ORDERS_SHOWN = 50
MOST_ORDERS_SHOWN = 500
EARLIEST_MONTH = "2000-01"
COUNTRIES = {"DE": _("Germany"), "AT": _("Austria"), "CH": _("Switzerland")}
PRODUCT_SORTS: dict[str, Promise | str] = {
    "-updated": _("Last changed"),
    "name": _("Name"),
    "price": _("Price: low to high"),
    "-price": _("Price: high to low"),
    "new": _("Newest"),
}


class ProductForm(forms.Form):
    """A product as staff write it. ``kept_image`` carries a picture from one refused try to the next."""

    name = forms.CharField(label=_("Name (German)"), max_length=150, validators=[one_line])
    description = TextField(label=_("Description (German)"), max_length=5000)
    name_en = forms.CharField(
        label=_("Name (English)"),
        max_length=150,
        required=False,
        validators=[one_line],
        help_text=_("Without it, English pages show the German name."),
    )
    description_en = TextField(label=_("Description (English)"), max_length=5000, required=False)
    price = EurosField(label=_("Price in euros, incl. VAT"))
    category = forms.ChoiceField(
        label=_("Category"),
        choices=[("", _("Please choose")), *catalogue.CATEGORIES.items()],
        error_messages={"invalid_choice": _("There is no such category.")},
    )
    status = forms.ChoiceField(
        label=_("Status"),
        choices=list(Product.STATUSES.items()),
        initial="draft",
        help_text=_("Only active products are for sale."),
        error_messages={"invalid_choice": _("There is no such status.")},
    )
    sku = forms.CharField(
        label=_("Article number (SKU)"),
        max_length=40,
        required=False,
        validators=[RegexValidator(r"\A[A-Za-z0-9._/-]*\Z", _("Letters, digits and . _ / - only, without blanks."))],
    )
    low_stock_at = forms.IntegerField(
        label=_("Low stock from"),
        min_value=0,
        max_value=MOST_UNITS,
        initial=5,
        help_text=_("With so many units or fewer, the product counts as low."),
        error_messages={"invalid": _("Please enter a whole number.")},
    )
    image = forms.FileField(
        label=_("Picture"),
        required=False,
        help_text=_("PNG, JPEG, WebP or AVIF, at most 5 MB. It is shown in the shape 4:5."),
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp,image/avif"}),
        error_messages={"empty": _("This file is empty. Please choose another one.")},
    )
    kept_image = KeptPictureField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("name", "description", "name_en", "description_en", "sku", "low_stock_at"):
            self.fields[name].widget.attrs["autocomplete"] = "off"
        for name in ("name_en", "description_en"):
            self.fields[name].widget.attrs["lang"] = "en"
        for name in ("name", "description"):
            self.fields[name].widget.attrs["lang"] = "de"
        self.fields["price"].widget.attrs["inputmode"] = "decimal"

    def remember(self, **values: object) -> None:
        """Change what a form that comes back shows in its hidden fields."""
        sent = {name: self.data[name] for name in self.data}
        self.data = sent | {name: str(value) for name, value in values.items()}

    def keep_picture(self, key: str) -> None:
        """Take a stored picture as the one that was chosen, now and when the form comes back."""
        self.cleaned_data["kept_image"] = key
        self.remember(kept_image=KeptPictureField.signed(key))

    @property
    def kept_picture(self) -> str:
        """The key of the picture that waits to be saved with the product, or nothing."""
        return str(self.cleaned_data.get("kept_image", "")) if self.is_bound and hasattr(self, "cleaned_data") else ""

    def product_fields(self) -> Fields:
        """What ``products.create`` and ``products.save`` are asked for."""
        sent = self.cleaned_data
        fields = Fields(
            name=sent["name"],
            description=sent["description"],
            name_en=sent["name_en"],
            description_en=sent["description_en"],
            price_cents=sent["price"],
            category=sent["category"],
            status=sent["status"],
            sku=sent["sku"],
            low_stock_at=sent["low_stock_at"],
        )
        if sent["kept_image"]:
            fields["image_url"] = sent["kept_image"]
        return fields


def _version() -> forms.IntegerField:
    sentence = _("This page was out of date. Please open the product anew.")
    return forms.IntegerField(
        min_value=0,
        max_value=10**12,
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), sentence),
    )


class EditProductForm(ProductForm):
    """``version`` is the one that the admin saw: a save that somebody else was faster than is told apart by it."""

    version = _version()


class ArchiveForm(forms.Form):
    version = _version()


class _ListForm(forms.Form):
    """What a list is asked for. A field that makes no sense is left out of the question."""

    q = forms.CharField(
        required=False,
        max_length=SEARCH_LENGTH,
        label=_("Search"),
        error_messages={"max_length": _("Please search with at most %(limit_value)d characters.")},
    )
    page = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_PAGES,
        label=_("Page"),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), _("There is no such page.")),
    )


class ProductListForm(_ListForm):
    category = forms.ChoiceField(
        required=False,
        label=_("Category"),
        choices=[("", _("All categories")), *catalogue.CATEGORIES.items()],
        error_messages={"invalid_choice": _("There is no such category.")},
    )
    status = forms.ChoiceField(
        required=False,
        label=_("Status"),
        choices=[("", _("All but archived")), *Product.STATUSES.items()],
        error_messages={"invalid_choice": _("There is no such status.")},
    )
    sort = forms.ChoiceField(
        required=False,
        label=_("Sort by"),
        choices=list(PRODUCT_SORTS.items()),
        error_messages={"invalid_choice": _("There is no such order. Please choose one from the list.")},
    )

    def question(self) -> dict[str, Any]:
        """What ``catalogue.search`` is asked for."""
        sent = self.cleaned_data
        return {
            "query": sent.get("q", ""),
            "category": sent.get("category", ""),
            "statuses": (sent["status"],) if sent.get("status") else ("active", "draft"),
            "sort": sent.get("sort") or next(iter(PRODUCT_SORTS)),
            "page": sent.get("page") or 1,
        }


class StockListForm(_ListForm):
    low = forms.BooleanField(required=False, label=_("Low stock only"))

    def question(self) -> dict[str, Any]:
        """What ``stock.overview`` is asked for."""
        sent = self.cleaned_data
        return {"query": sent.get("q", ""), "low_only": sent.get("low", False), "page": sent.get("page") or 1}


class StockForm(forms.Form):
    change = ChangeField(
        label=_("Change in units"),
        help_text=_("12 adds twelve units, -3 takes three away."),
    )
    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[("", _("Please choose")), *stock.REASONS.items()],
        error_messages={"invalid_choice": _("There is no such reason.")},
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        required=False,
        validators=[one_line],
        help_text=_("For example the delivery note's number."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    #: Made anew with each page, so that a form that is sent twice is booked once.
    form_id = forms.RegexField(r"^[0-9a-f]{32}$", required=False, widget=forms.HiddenInput, initial=lambda: uuid4().hex)

    def as_new(self) -> StockForm:
        """What was typed, in a form that has not been booked yet."""
        return StockForm({**dict(self.data.items()), "form_id": uuid4().hex})


class StockProofForm(_ListForm):
    def question(self) -> dict[str, Any]:
        """What ``catalogue.search`` is asked for: archived products have stock, too."""
        sent = self.cleaned_data
        return {
            "query": sent.get("q", ""),
            "statuses": tuple(Product.STATUSES),
            "sort": "name",
            "page": sent.get("page") or 1,
        }


class LedgerForm(forms.Form):
    """What a product's ledger is asked for: the stock at a moment, or movements older than a key."""

    at = forms.DateTimeField(
        label=_("Moment"),
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        help_text=_("In the shop's time."),
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={"invalid": _("Please enter a date and a time, such as 2026-11-03T14:00.")},
    )
    before = forms.CharField(
        label=_("Page"),
        max_length=60,
        required=False,
        widget=forms.HiddenInput,
        validators=[RegexValidator(r"\A[0-9TZ:.#a-f-]*\Z", _("There is no such page."))],
        error_messages={"max_length": _("There is no such page.")},
    )

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at > clock.now():
            raise ValidationError(_("This moment is still to come."))
        return at


class OrderListForm(forms.Form):
    status = forms.ChoiceField(
        required=False,
        label=_("Status"),
        choices=list(orders.STATUSES.items()),
        error_messages={"invalid_choice": _("There is no such status.")},
    )
    show = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_ORDERS_SHOWN,
        label=_("Number"),
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"), _("Between 1 and 500 orders can be shown at once.")
        ),
    )


class OrderExportForm(forms.Form):
    month = MonthField(label=_("Month"), help_text=_("Such as 2026-11."))

    def clean_month(self) -> str:
        month: str = self.cleaned_data["month"]
        if not EARLIEST_MONTH <= month <= timezone.localdate().strftime("%Y-%m"):
            raise ValidationError(_("Please choose a month since 2000 that has begun."))
        return month


class OrderStepForm(forms.Form):
    status = forms.ChoiceField(
        label=_("Status"),
        choices=list(orders.STATUSES.items()),
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(("required", "invalid_choice"), _("There is no such step for an order.")),
    )
    tracking = forms.CharField(
        label=_("Tracking number"),
        max_length=60,
        required=False,
        validators=[RegexValidator(r"\A[A-Za-z0-9 ._/-]*\Z", _("Letters, digits, blanks and . _ / - only."))],
        help_text=_("The customer finds it with the order."),
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "characters"}),
    )
    note = forms.CharField(
        label=_("Reason for cancelling"),
        max_length=200,
        required=False,
        validators=[one_line],
        help_text=_("Kept with the order, for the shop."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )


def values_of(product: Product) -> dict[str, Any]:
    """A product in the form's own terms."""
    english = product.translations.en if product.translations else None
    return {
        "name": product.name,
        "description": product.description,
        "name_en": (english and english.name) or "",
        "description_en": (english and english.description) or "",
        "price": product.price_cents,
        "category": product.category,
        "status": product.status,
        "sku": product.sku,
        "low_stock_at": product.low_stock_at,
        "version": product.version,
    }
