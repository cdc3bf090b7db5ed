"""What a server hands a request to, and the request as it comes, before anything of ours has seen it."""

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest


class Request(WSGIRequest):
    """With texts in UTF-8, whatever encoding a visitor names.

    Our forms are sent in UTF-8. Django would believe ``charset=idna``, and fail over it, or over too long a query that
    comes with any charset, while it makes the request: before there is anything that could answer.
    """

    @property
    def encoding(self) -> Any:
        return None

    @encoding.setter
    def encoding(self, value: Any) -> None:
        pass


class Shop(WSGIHandler):
    """Django's application, for gunicorn and on Lambda."""

    request_class = Request
