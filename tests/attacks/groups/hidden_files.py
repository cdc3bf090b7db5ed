"""Files and pages that nobody is meant to find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from tests.attacks.groups import Cases
from tests.attacks.web import Browser

TITLE = "Hidden files"

PATHS = (
    "/.env", "/.git/config", "/.git/HEAD", "/.venv/pyvenv.cfg", "/manage.py", "/zappa_settings.json", "/Dockerfile", "/requirements.txt",
    "/ecokart/settings.py", "/wsgi.py", "/server-status", "/debug", "/__debug__/", "/phpinfo.php", "/wp-login.php", "/actuator/env",
    "/graphql", "/swagger.json", "/robots.txt.bak", "/backup.zip", "/static/", "/static", "/static/css/", "/static/../manage.py",
    "/static/..%2fmanage.py", "/static/%2e%2e/manage.py", "/static/%2e%2e%2fecokart/settings.py", "/static/..%5cmanage.py", "/static//etc/passwd",
    "/static/css/../../manage.py", "/static/....//manage.py", "/static/%252e%252e/manage.py", "/static/css/base.css%00.html", "/static/.hidden",
    "/media/", "/media/../manage.py", "/info/../../manage.py", "/info/..%2f..%2fbase/", "/info/base/", "/info/_sample_text/",
    "/icons-x.svg/../manage.py", "/products/..%2f..%2fmanage.py/", "//evil/..%2f", "/%2e%2e/%2e%2e/etc/passwd", "/..;/manager/html", "/admin/..;/",
)  # fmt: skip
_SIGNS = (
    b"SECRET_KEY",
    b"INSTALLED_APPS",
    b"django.core.management",
    b"root:",
    b"[core]",
    b"Index of",
    b"Traceback",
    b"DEBUG = True",
    b"FROM python",
)


def attack(how_many: int) -> Cases:
    for path in PATHS:
        for method in ("GET", "HEAD"):
            answer = Browser().send(method, path)
            shown = [sign.decode() for sign in _SIGNS if sign in answer.body]
            closed = answer.status in {301, 302, 400, 404, 405} and not shown
            yield f"{method} {path}", "" if closed else f"answered {answer.status} {shown}"
    for method in ("TRACE", "TRACK", "CONNECT", "PROPFIND", "DEBUG"):
        answer = Browser().send(method, "/products/", headers={"X-Secret": "77777777"})
        yield (
            f"{method} /products/",
            "" if answer.status in {403, 405} and b"77777777" not in answer.body else f"answered {answer.status}",
        )


@contextmanager
def weakened() -> Iterator[None]:
    """A shop that takes a text's name from its address."""

    class Everything(dict[str, str]):
        def __contains__(self, _key: object) -> bool:
            return True

        def __missing__(self, key: str) -> str:
            return key

    with mock.patch("shop.views.info.TITLES", Everything()):
        yield
