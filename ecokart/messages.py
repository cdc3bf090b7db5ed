"""Sentences for the next page, in a cookie that no other host can plant: they may say the visitor's own address."""

from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest


class Storage(CookieStorage):
    """Django's, under the name that the settings say."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.cookie_name = settings.MESSAGE_COOKIE_NAME
