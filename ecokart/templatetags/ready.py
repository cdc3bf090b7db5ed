"""What pages that are kept are made of: slots for what is the visitor's, and parts that many pages share.

On a page that is rendered for one visitor these tags change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from ecokart.templatetags import ecokart as looks
from inventory.models import Product
from shop import ready

register = template.Library()


@register.simple_tag(takes_context=True)
def slot(context: Context, name: str) -> str:
    """What belongs to the visitor: ``shop/slots/<name>.html``, or a mark where it is filled in later."""
    if _is_anybodys(context):
        return SafeString(ready.mark(name))
    return _included(context, f"shop/slots/{name}.html")()


@register.simple_tag(takes_context=True)
def product_cards(context: Context, cards: Iterable[tuple[Product, int]]) -> str:
    """The cards of a grid. Each is kept for what it shows: the product as it was last saved, and its stock."""
    card, is_anybodys, language = _included(context, "shop/_product_card.html"), _is_anybodys(context), get_language()

    def html(product: Product, units: int) -> str:
        if not is_anybodys:
            return card(**_kind(product, units), **_own(product))
        key = (product.id, product.version, product.updated_at, min(units, ready.MANY), language)
        return ready.fragment(key, lambda: _filled_in(card, _kind(product, units), _own(product)))

    return SafeString("".join([html(product, units) for product, units in cards]))


def _filled_in(card: Callable[..., str], kind: dict[str, Any], own: dict[str, str]) -> str:
    """A card. Its template is rendered once for each kind: once for each product takes five times as long."""

    def form() -> str:
        return card(**kind, **{name: SafeString(ready.mark(name)) for name in own})

    return format_html(ready.form(("card", get_language(), *kind.values()), form), **own)


def _kind(product: Product, units: int) -> dict[str, Any]:
    """What a card has in common with many others."""
    is_rated = product.rating is not None and bool(product.review_count)
    return {"level": looks.stock_level(units), "stock": looks.stock_words(units), "is_rated": is_rated}


def _own(product: Product) -> dict[str, str]:
    """What a card has for itself."""
    title = product.title
    return {
        "picture": looks.picture(product, "card", alt=title),
        "url": looks.product_url(product.id),
        "title": title,
        "price": looks.price(product.price_cents),
        "rating": looks.number(product.rating or 0, 1),
        "reviews": looks.number(product.review_count or 0, "0g"),
    }


@register.tag
def keep(parser: Parser, token: Token) -> KeepNode:
    """``{% keep a b %}…{% endkeep %}``: what follows from the language, ``a`` and ``b``, and is nobody's own."""
    depends_on = [parser.compile_filter(word) for word in token.split_contents()[1:]]
    nodes = parser.parse(("endkeep",))
    parser.delete_first_token()
    return KeepNode(nodes, depends_on)


class KeepNode(Node):
    def __init__(self, nodelist: NodeList, depends_on: list[FilterExpression]) -> None:
        self.nodelist, self.depends_on = nodelist, depends_on

    def render(self, context: Context) -> SafeString:
        if not _is_anybodys(context):
            return self.nodelist.render(context)
        values = (value.resolve(context, ignore_failures=True) for value in self.depends_on)
        key: Hashable = (self, get_language(), *values)
        return SafeString(ready.fragment(key, lambda: self.nodelist.render(context)))


@register.tag
def common(parser: Parser, token: Token) -> CommonNode:
    """``{% common a=… b=… %}…{% endcommon %}``: what is the same for everybody who sees the values ``a`` and ``b``."""
    values = token_kwargs(token.split_contents()[1:], parser)
    nodes = parser.parse(("endcommon",))
    parser.delete_first_token()
    return CommonNode(nodes, values)


class CommonNode(Node):
    def __init__(self, nodelist: NodeList, values: dict[str, FilterExpression]) -> None:
        self.nodelist, self.values = nodelist, values

    def render(self, context: Context) -> SafeString:
        values = {name: value.resolve(context) for name, value in self.values.items()}
        key: Hashable = (self, get_language(), *values.values())
        # It knows these values and nothing else, so nothing of a visitor can be in it, and nothing that has changed.
        return SafeString(ready.fragment(key, lambda: self.nodelist.render(context.new(values))))


def _is_anybodys(context: Context) -> bool:
    return isinstance(context.get("request"), ready.Anybody)


def _included(context: Context, name: str) -> Callable[..., str]:
    """A template of the same engine as a function of what it expects."""
    assert context.template is not None
    found = context.template.engine.get_template(name)

    def render(**more: Any) -> str:
        with context.push(**more):
            return found.render(context)

    return render
