"""What browsers are told with every answer: what a page may load and do. Nothing that is not named here.

The policy names places and needs no nonces, because no page has a script, a style or a handler in itself: what is the
same for everybody can go along with pages that are kept ready-made.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]
# Those that browsers know by these names; of others they complain.
_UNUSED_FEATURES = (
    "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer",
    "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip


def on_every_answer(get_response: GetResponse) -> GetResponse:
    """Add the headers to whatever is answered: pages, redirects, errors, files."""
    headers = {
        "Content-Security-Policy": policy(),
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in _UNUSED_FEATURES),
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if settings.DEBUG:
        # Django's own error pages have scripts and styles in themselves.
        del headers["Content-Security-Policy"]

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in headers.items():
            response.headers[name] = value
        return response

    return middleware


def policy() -> str:
    """The Content-Security-Policy of these settings."""
    return "; ".join(f"{name} {' '.join(sources)}".strip() for name, sources in _directives().items())


def _directives() -> dict[str, list[str]]:
    directives = {
        "default-src": ["'none'"],
        "script-src": [_static("js/")],
        "style-src": [_static("css/")],
        "font-src": [_static("font/")],
        # Drawings are the shop's own wherever files lie (ecokart/icons.py).
        "img-src": list(dict.fromkeys(["'self'", _static("img/"), _place(settings.MEDIA_URL, "products/")])),
        # Suggestions while somebody types.
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        # No script turns text into markup or code, ours neither.
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }
    return directives | ({"upgrade-insecure-requests": []} if settings.HTTPS else {})


def _static(folder: str) -> str:
    return _place(settings.STATIC_URL, folder)


def _place(url: str, folder: str) -> str:
    """One folder of another host, so that nothing beside it is let in; or our own host, which is named as a whole."""
    return f"{url}{folder}" if urlsplit(url).netloc else "'self'"
