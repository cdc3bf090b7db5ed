"""How prices, moments, stock and pictures look on every page."""

import functools
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.template.defaultfilters import floatformat
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
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
TYPES = {"avif": "image/avif", "webp": "image/webp"}


@register.filter
def price(cents: int) -> str:
    """``149,99 €`` or ``€149.99``."""
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
    return _picture(key, size, words, eager, settings.MEDIA_URL)


@functools.lru_cache(maxsize=1024)
def _picture(key: str, size: str, words: str, eager: bool, _media: str) -> SafeString:
    """A key stands for one picture for good. In a table of products this takes longer than all other cells."""
    large = max(pictures.WIDTHS)
    loading = format_html('loading="{}"', "eager" if eager else "lazy")
    if not pictures.is_key(key):
        return format_html(
            '<img src="{}" alt="{}" width="{}" height="{}" {}>',
            static("img/no-picture.svg"), words, large, pictures.height(large), loading,
        )  # fmt: skip
    sources = format_html_join(
        "",
        '<source type="{}" srcset="{}" sizes="{}">',
        ((mime, _srcset(key, kind), SIZES[size]) for kind, mime in TYPES.items()),
    )
    return format_html(
        '<picture>{}<img src="{}" srcset="{}" sizes="{}" alt="{}" width="{}" height="{}" {}></picture>',
        sources, _url(key, min(pictures.WIDTHS), "jpg"), _srcset(key, "jpg"), SIZES[size], words,
        large, pictures.height(large), loading,
    )  # fmt: skip


def _srcset(key: str, kind: str) -> str:
    return ", ".join(f"{_url(key, width, kind)} {width}w" for width in pictures.WIDTHS)


def _url(key: str, width: int, kind: str) -> str:
    # Not through the storage: its own way to an address loads the whole AWS SDK into a page that only shows.
    return f"{settings.MEDIA_URL}{pictures.file_name(key, width, kind)}"


@register.simple_tag
def facet_links(links: Iterable[Link]) -> SafeString:
    """The values of a facet as items of a list. By hand: a loop in a template took a third of the page's time."""
    return SafeString("".join([_facet_link(link) for link in links]))


def _facet_link(link: Link) -> str:
    chosen = ' aria-current="true"' if link.is_chosen else ""
    count = f'<span class="muted number">{link.count}</span>'
    return f'<li><a href="{escape(link.url)}"{chosen}><span>{escape(link.label)}</span> {count}</a></li>\n'
