"""Pages that are an account's."""

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, resolve_url

from inventory.errors import SessionEnded
from shop import pages
from shop.requests import AccountRequest, ShopRequest

P = ParamSpec("P")


def account_required(
    view: Callable[Concatenate[AccountRequest, P], HttpResponse],
) -> Callable[Concatenate[ShopRequest, P], HttpResponse]:
    """Send whoever is not logged in to do so, and then back; after a form, to the account's page."""

    @functools.wraps(view)
    def guarded(request: ShopRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.account:
            try:
                return view(request, *args, **kwargs)  # type: ignore[arg-type]  # It has an account now.
            except SessionEnded as refusal:
                # In this very moment, elsewhere.
                messages.error(request, refusal.sentence)
        back = request.get_full_path() if request.method in {"GET", "HEAD"} else resolve_url("shop:account")
        return redirect(pages.with_next("shop:login", back))

    return guarded
