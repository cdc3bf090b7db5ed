"""The floor: the shop's settings and middleware around a view that returns ready-made bytes. No shop can be faster.

FLOOR_BODIES names the folder with the shop's own pages, one file for each kind (``served.capture`` writes them).
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

KINDS = ("home", "list", "search", "product", "cart", "checkout", "order")


def kind_of(page: str, *, is_search: bool) -> str:
    """Which of the kinds an address is of."""
    parts = page.strip("/").split("/")
    if parts[0] == "products":
        return "product" if len(parts) > 1 else "search" if is_search else "list"
    return {"": "home", "orders": "order"}.get(parts[0], parts[0])


def read_bodies(folder: Path) -> dict[str, bytes]:
    return {kind: folder.joinpath(kind).read_bytes() for kind in KINDS}


@csrf_exempt
def ready(request: HttpRequest, page: str = "") -> HttpResponse:
    """The bytes of the page's kind; a form leads on to where the shop's would."""
    if request.method == "POST":
        return HttpResponse(status=302, headers={"Location": "/cart/" if page.startswith("cart") else "/orders/ready/"})
    return HttpResponse(bodies[kind_of(page, is_search="q" in request.GET)])


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("healthz", healthz), re_path(r"^(?P<page>.*)$", ready)]
bodies: dict[str, bytes] = {}

if "FLOOR_BODIES" in os.environ:
    bodies.update(read_bodies(Path(os.environ["FLOOR_BODIES"])))
    settings.ROOT_URLCONF = __name__
    application = get_wsgi_application()
