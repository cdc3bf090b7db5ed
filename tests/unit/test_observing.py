"""What is written down of a request, what the answer says of it, and what neither may say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from ecokart import observing
from ecokart.aws import prices
from inventory import catalogue, live_stock, metering
from inventory.models import Product, User
from tests.unit import wire

Line = dict[str, Any]


@pytest.fixture(autouse=True)
def _nothing_owed() -> None:
    metering.take_own()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[Line]]:
    """What was written down since it was asked for last."""
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_one_line(client: Client, product: Product, lines: Callable[[], list[Line]]) -> None:
    catalogue.version()
    live_stock.forget()
    metering.take_own()

    client.get("/products/prod-1/?q=secret")

    (line,) = lines()
    assert {name: line[name] for name in ("method", "route", "status", "dynamodb_calls")} == {
        "method": "GET",
        "route": "shop:product-detail",
        "status": 200,
        "dynamodb_calls": 1,
    }
    assert line["ms"] > line["dynamodb_ms"] > 0
    assert line["microdollars"] == round(1e6 * prices.READ_UNIT.of(line["read_units"]), 3)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT[\d:.]+\+00:00", line["time"])


def test_the_answer_names_the_id_that_the_line_has(client: Client, lines: Callable[[], list[Line]]) -> None:
    answers = [client.get("/healthz", headers={"X-Request-Id": "invented"}) for _ in range(2)]

    ids = [answer["X-Request-Id"] for answer in answers]
    assert [line["request"] for line in lines()] == ids
    assert len({*ids, "invented"}) == 3


def test_a_page_that_is_ready_asks_for_nothing(
    client: Client, product: Product, lines: Callable[[], list[Line]]
) -> None:
    client.get("/products/")
    lines()

    client.get("/products/")

    (line,) = lines()
    assert (line["dynamodb_calls"], line["read_units"], line["microdollars"]) == (0, 0, 0)


def test_what_the_process_asks_for_by_itself_stands_beside_the_request(
    client: Client, product: Product, lines: Callable[[], list[Line]]
) -> None:
    catalogue.forget()

    client.get("/products/")

    (line,) = lines()
    assert line["own_calls"] >= 2
    assert line["own_read_units"] > 0
    assert line["dynamodb_calls"] <= 1


@pytest.mark.parametrize("path", ["/alice@example.com", "/orders/secret%0d%0aid/x", "/%e2%80%a8/", "/nowhere/"])
def test_what_has_no_route_is_written_down_without_its_path(
    client: Client, lines: Callable[[], list[Line]], path: str
) -> None:
    client.get(path)

    assert [line["route"] for line in lines()] == ["none"]


def test_a_method_that_somebody_invented_is_not_repeated(client: Client, lines: Callable[[], list[Line]]) -> None:
    client.generic("SECRET", "/")

    assert [line["method"] for line in lines()] == ["other"]


def test_a_host_that_is_not_ours_is_written_down_too(client: Client, lines: Callable[[], list[Line]]) -> None:
    client.get("/", headers={"host": "evil.example"})

    assert [(line["status"], "evil" in str(line)) for line in lines()] == [(400, False)]


def test_a_person_at_a_terminal_reads_no_line_for_each_request(
    client: Client, settings: Settings, lines: Callable[[], list[Line]]
) -> None:
    settings.LOG_JSON = False

    client.get("/healthz")

    assert lines() == []


def test_the_id_is_forgotten_where_even_the_handler_fails() -> None:
    def fail(_request: HttpRequest) -> HttpResponse:
        raise KeyError

    with pytest.raises(KeyError):
        observing.observed(fail)(HttpRequest())

    assert not metering.is_open()


def test_on_lambda_a_line_leads_to_its_trace_and_counts_what_lambda_costs(
    client: Client, lines: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1024")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")

    client.get("/info/imprint/")

    (line,) = lines()
    assert line["trace"] == "1-5759e988-bd862e3fe1be46a994272793"
    seconds = line["ms"] / 1000
    dollars = prices.LAMBDA_CALL.of(1) + prices.GATEWAY_CALL.of(1) + prices.LAMBDA_GB_SECOND.of(seconds)
    assert line["microdollars"] == pytest.approx(1e6 * dollars, abs=0.01)


# For admins


def test_an_admin_is_told_what_a_page_took(
    client: Client, dana: User, product: Product, sign_in: Callable[[Client, User], None]
) -> None:
    sign_in(client, dana)

    said = client.get("/admin/products/")["Server-Timing"]

    assert re.fullmatch(
        r'total;dur=[\d.]+, db;dur=[\d.]+;desc="\d+ calls", units;desc="[\d.]+ read, 0 written", '
        r'cost;desc="[\d.]+ microdollars"',
        said,
    )


def test_nobody_else_is_told(
    client: Client, alice: User, product: Product, sign_in: Callable[[Client, User], None]
) -> None:
    answers = [client.get(path) for path in ("/", "/admin/", "/account/", "/nowhere/")]
    sign_in(client, alice)
    answers += [client.get(path) for path in ("/", "/admin/", "/account/", "/orders/", "/nowhere/")]

    assert not [answer for answer in answers if "Server-Timing" in answer]


def test_nobody_is_read_for_it(
    client: Client, dana: User, product: Product, sign_in: Callable[[Client, User], None]
) -> None:
    client.get("/products/")
    sign_in(client, dana)

    with wire.heard() as calls:
        answer = client.get("/products/")

    assert calls == []
    assert "Server-Timing" not in answer


# What it costs itself


def test_it_comes_before_everything_else(settings: Settings) -> None:
    """Else the work of whoever comes before would not count, and what they answer would not be written down."""
    assert settings.MIDDLEWARE[0] == "ecokart.observing.observed"


def test_it_is_asked_nothing_that_it_would_have_to_look_up(client: Client, product: Product) -> None:
    with wire.heard() as calls:
        client.get("/info/imprint/")

    assert calls == []
