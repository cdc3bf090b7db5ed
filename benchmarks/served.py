"""The servers that are compared, each under production's gunicorn: the shop, the shop in other clothes, the floor."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import queries
from benchmarks.floor_wsgi import KINDS
from benchmarks.visitor import Page, Visitor
from ecokart import local

PRODUCT = "prod-001"
SEARCH = queries.path("laufschuh")
APPLICATIONS = {
    "shop": "ecokart.wsgi",
    "plain": "benchmarks.plain_wsgi",
    "floor": "benchmarks.floor_wsgi",
    "counting": "benchmarks.counting_wsgi",
}


def filled(directory: Path) -> local.Environment:
    """The variables of a shop on the engine that this process is led to, filled with the demo catalogue."""
    port = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port
    # All load comes from one address.
    environment = local.shop_environment(aws_port=int(port or 0), directory=directory) | {"LIMITS": "0"}
    local.prepare(environment)
    return environment


@contextmanager
def running(name: str, environment: local.Environment, **more: str) -> Iterator[str]:
    """One of the servers; gives its address."""
    port, log = local.free_port(), Path(environment["STATIC_ROOT"]).with_name(f"{name}.log")
    with local.gunicorn(port, environment=environment | more, application=APPLICATIONS[name], log=log):
        yield f"http://{local.HOST}:{port}"


def capture(address: str, folder: Path) -> Visitor:
    """Keep the shop's pages as a visitor with a cart sees them; gives that visitor, who has something in the cart."""
    folder.mkdir(parents=True, exist_ok=True)
    visitor = Visitor(address)
    visitor.add(PRODUCT)
    before = dict(visitor.cookies)
    addresses = {"home": "/", "list": "/products/", "search": SEARCH, "product": f"/products/{PRODUCT}/"}
    for kind, path in (addresses | {"cart": "/cart/", "checkout": "/checkout/"}).items():
        _keep(folder, kind, visitor.get(path))
    buyer = Visitor(address)
    buyer.add(PRODUCT)
    _keep(folder, "order", buyer.order())
    buyer.close()
    visitor.cookies = before
    return visitor


def _keep(folder: Path, kind: str, page: Page) -> None:
    if page.status != 200 or kind not in KINDS:
        raise local.CannotRun(f"The shop's page '{kind}' answered {page.status}.")
    folder.joinpath(kind).write_bytes(page.body)
