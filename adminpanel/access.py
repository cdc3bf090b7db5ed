"""Who may come in by this door, and how a session becomes an admin's."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.middleware.csrf import rotate_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.cache import never_cache

from adminpanel.requests import AdminRequest
from inventory import accounts, baskets, devices, sessions
from inventory.models import User

View = Callable[..., HttpResponse]
MOST_OF_AN_ADDRESS = 2_000


def admin_required(view: View) -> View:
    """Let admins in, ask strangers to log in, refuse customers. Nothing behind it may be kept by a cache.

    The role is the account's as it stands now: whoever is no admin any more is out with the next request, whatever
    the cookie says. Whoever has not shown the second factor in this session is asked for it.
    """

    @wraps(view)
    def guarded(request: AdminRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not has_second_factor(request):
            return redirect(f"{reverse('adminpanel:second-factor')}?{urlencode({'next': _wanted(request)})}")
        return view(request, *args, **kwargs)

    return password_required(guarded)


def password_required(view: View) -> View:
    """As ``admin_required``, for the pages on which the second factor is shown."""

    @wraps(view)
    def guarded(request: AdminRequest, *args: object, **kwargs: object) -> HttpResponse:
        if not request.account:
            return redirect(f"{reverse('adminpanel:login')}?{urlencode({'next': _wanted(request)})}")
        if not request.account.is_admin:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return never_cache(guarded)


def has_second_factor(request: AdminRequest) -> bool:
    """Whether this session has shown as much as this shop asks for."""
    session = request.account.session if request.account else None
    return not settings.ADMIN_SECOND_FACTOR or (session is not None and session.factor_at is not None)


def next_page(request: AdminRequest) -> str:
    """Where the admin was going, if that is a page of ours."""
    where = request.POST.get("next") or request.GET.get("next", "")
    # Only a path: what is none would be taken for the name of a view.
    return where if where.startswith("/") and is_ours(request, where) else reverse("adminpanel:dashboard")


def is_ours(request: AdminRequest, address: str) -> bool:
    """Whether an address that somebody handed in leads to this site and nowhere else."""
    return url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())


def sign_in(request: AdminRequest, user: User) -> None:
    """Make the session this admin's. What was in the cart before comes along, as at the shop's own log-in.

    Raises what ``accounts.enter`` raises; nobody is signed in then.
    """
    device = devices.name(request.headers.get("User-Agent", ""))
    begun, _ = accounts.enter(user, kind="admin", device=device, guest_id=request.session.get("guest_id"))
    # Nothing of the session before goes on: whoever knew that one does not know this one.
    sign_out(request)
    request.session.update(begun)
    request.account = user
    cart = baskets.look(user.id)
    request.session["cart"] = {"units": cart.units, "total_cents": cart.total_cents} if cart else None


def sign_out(request: AdminRequest) -> None:
    """End this session and forget everything about it."""
    if request.account:
        sessions.end(request.account.id, request.session["sid"])
    request.session.flush()
    rotate_token(request)
    request.account = None


def _wanted(request: AdminRequest) -> str:
    """The page to come back to after logging in: what answers only POST is no page, so then the one before it."""
    before = request.headers.get("Referer", "")
    if request.method in {"GET", "HEAD"}:
        wanted = request.get_full_path()
    else:
        wanted = urlsplit(before).path if is_ours(request, before) else ""
    # No page of ours has so long an address, and no browser would go to one that holds it.
    return wanted if 0 < len(wanted) <= MOST_OF_AN_ADDRESS else reverse("adminpanel:dashboard")
