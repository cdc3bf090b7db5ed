"""How prices, moments, stock and pictures look on every page."""

import functools
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from django import template
from django.conf import settings
from django.template.defaultfilters import floatformat
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from ecokart import icons
from inventory import pictures
from inventory.models import Product
from inventory.money import NO_BREAK_SPACE, euros
from shop.facets import Link

register = template.Library()

FEW = 5
# How wide a picture is drawn, for the browser's choice among the stored widths.
SIZES = {
    "card": "(min-width: 1200px) 280px, (min-width: 700px) 30vw, 46vw",
    "detail": "(min-width: 900px) 560px, 92vw",
    "thumb": "96px",
}
_ANY = "any-product"
TYPES = {"avif": "image/avif", "webp": "image/webp"}


@register.filter
def price(cents: int) -> str:
    """``149,99 €`` or ``€149.99``. Kept, like all that Django takes long for: the amounts of a shop are few."""
    return _price(cents, get_language())


@functools.lru_cache(maxsize=4096)
def _price(cents: int, _language: str | None) -> str:
    return euros(cents)


@register.filter
def number(value: Decimal | int, form: str | int) -> str:
    """Django's ``floatformat``, which takes longer than all the rest of a card: its answers for ratings are few."""
    return _number(value, form, get_language())


@functools.lru_cache(maxsize=4096)
def _number(value: Decimal | int, form: str | int, _language: str | None) -> str:
    return str(floatformat(value, form))


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """``22.11.2026, 14:32 Uhr`` or ``22 Nov 2026, 14:32``, in the shop's time zone."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    if (get_language() or "").startswith("en"):
        shown = f"{local.day} {local:%b %Y, %H:%M}"
    else:
        shown = f"{local:%d.%m.%Y, %H:%M}{NO_BREAK_SPACE}Uhr"
    return SafeString(f'<time datetime="{local.isoformat(timespec="minutes")}">{shown}</time>')


@register.filter
def stock_words(available: int) -> str:
    """What to say of so many units that anybody may take."""
    if available <= 0:
        return _("Sold out")
    if available <= FEW:
        return ngettext("Only %(left)s left", "Only %(left)s left", available) % {"left": available}
    return _("In stock")


@register.filter
def stock_level(available: int) -> str:
    """``out``, ``few`` or ``in``, for the look of the words."""
    if available <= 0:
        return "out"
    return "few" if available <= FEW else "in"


@register.filter
def lookup(mapping: dict[str, Any], key: str) -> Any:
    """A value of a dictionary, by a key that only the template knows. None when it has none."""
    return mapping.get(key)


@register.simple_tag
def drawings() -> str:
    """The address of the file with all drawings."""
    return icons.address()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing. It says nothing by itself: the words beside it do."""
    return _icon(name, get_script_prefix())


@functools.cache
def _icon(name: str, prefix: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', icons.address(), name
    )


@register.simple_tag
def picture(
    product: Product | None, size: str, *, image_url: str = "", alt: str | None = None, eager: bool = False
) -> SafeString:
    """A product's picture in the formats and widths that are stored, or a drawing that stands for it."""
    key = product.image_url if product is not None else image_url
    words = alt if alt is not None else (product.title if product is not None else "")
    if not pictures.is_key(key):
        return format_html(_drawing(eager=eager), src=static("img/no-picture.svg"), words=words)
    # Not through the storage: its own way to an address loads the whole AWS SDK into a page that only shows.
    return format_html(_picture(size, eager=eager), media=settings.MEDIA_URL, key=key, words=words)


@functools.cache
def _drawing(*, eager: bool) -> str:
    return f'<img src="{{src}}" alt="{{words}}" {_shape(eager=eager)}>'


@functools.cache
def _picture(size: str, *, eager: bool) -> str:
    """The frame of every picture of a size, for what differs to be put in. Made once, since a list shows two dozen."""
    sizes = SIZES[size]
    sources = [f'<source type="{mime}" srcset="{_srcset(kind)}" sizes="{sizes}">' for kind, mime in TYPES.items()]
    jpeg = f'src="{_url(min(pictures.WIDTHS), "jpg")}" srcset="{_srcset("jpg")}" sizes="{sizes}"'
    return f'<picture>{"".join(sources)}<img {jpeg} alt="{{words}}" {_shape(eager=eager)}></picture>'


def _shape(*, eager: bool) -> str:
    large = max(pictures.WIDTHS)
    return f'width="{large}" height="{pictures.height(large)}" loading="{"eager" if eager else "lazy"}"'


def _srcset(kind: str) -> str:
    return ", ".join(f"{_url(width, kind)} {width}w" for width in pictures.WIDTHS)


def _url(width: int, kind: str) -> str:
    return f"{{media}}{pictures.file_name('{key}', width, kind)}"


@register.filter
def product_url(product_id: str) -> str:
    """The address of a product's page. Django's ``url`` would look for the way to it for each product anew."""
    before, after = _around_a_product(get_script_prefix())
    return before + quote(product_id, safe="") + after


@functools.cache
def _around_a_product(_prefix: str) -> tuple[str, str]:
    before, _, after = reverse("shop:product-detail", args=[_ANY]).rpartition(_ANY)
    return before, after


@register.simple_tag
def facet_links(links: Iterable[Link]) -> SafeString:
    """The values of a facet as items of a list. By hand: a loop in a template took a third of the page's time."""
    return SafeString("".join([_facet_link(link) for link in links]))


def _facet_link(link: Link) -> str:
    chosen = ' aria-current="true"' if link.is_chosen else ""
    count = f'<span class="muted number">{link.count}</span>'
    return f'<li><a href="{escape(link.url)}"{chosen}><span>{escape(link.label)}</span> {count}</a></li>\n'
