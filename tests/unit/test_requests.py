"""What a server hands on to the shop, before any of its pages is asked."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.test import RequestFactory

from ecokart.aws import start
from ecokart.requests import Request
from ecokart.wsgi import application


@pytest.mark.parametrize("charset", ["idna", "hex", "utf-16", "nothing", "undefined", "utf-8"])
def test_a_form_is_read_as_utf_8_whatever_its_sender_says(rf: RequestFactory, charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    body = b"name=Gr%C3%BC%C3%9Fe"
    said = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": len(body), "wsgi.input": io.BytesIO(body)}

    request = Request(rf.get("/?q=%C3%A4").environ | said)

    assert (request.POST["name"], request.GET["q"]) == ("Grüße", "ä")


def test_both_servers_make_such_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    doors: list[Any] = []
    monkeypatch.setattr(start.gateway, "Door", doors.append)
    monkeypatch.setattr(start, "_warm_up", lambda _door: None)
    monkeypatch.setattr(start.dynamodb, "share_one_client", lambda: None)

    start.function()

    assert [one.request_class for one in (application, *doors)] == [Request, Request]
