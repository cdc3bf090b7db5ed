"""What the law and good manners want to have said."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from shop import pages
from shop.requests import ShopRequest

TITLES = {
    "shipping": _("Shipping & payment"),
    "withdrawal": _("Withdrawal"),
    "contact": _("Contact"),
    "imprint": _("Imprint"),
    "terms": _("Terms and conditions"),
    "privacy": _("Privacy"),
    "accessibility": _("Accessibility"),
}


@pages.may_come_back
@require_safe
def info(request: ShopRequest, slug: str) -> HttpResponse:
    if slug not in TITLES:
        raise Http404
    # Legal texts are written whole in each language, not sentence by sentence.
    text = f"shop/info/{get_language()}/{slug}.html"
    context = {"slug": slug, "page_title": TITLES[slug], "titles": TITLES, "text": text}
    return render(request, "shop/info.html", context)
