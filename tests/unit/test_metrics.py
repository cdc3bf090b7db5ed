"""What the function's log makes of its lines: metrics, few of them, and nothing elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from ecokart import observing
from ecokart.aws import bill, metrics
from inventory import metering
from inventory.models import Product

Line = dict[str, Any]


@pytest.fixture
def _on_lambda(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ecokart-staging")
    metrics._stage.cache_clear()
    yield
    metrics._stage.cache_clear()


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[Line]]:
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def line(**more: Any) -> Line:
    return {"route": "shop:cart-add", "status": 302, "ms": 20.5, "read_units": 2, "write_units": 5, **more} | {
        "microdollars": 4.2
    }


def named(told: Line) -> dict[tuple[str, ...], dict[str, Any]]:
    """Metrics with their values as CloudWatch reads them, by their dimensions."""
    return {
        tuple(f"{name}={told[name]}" for name in dimensions): {
            one["Name"]: (told[one["Name"]], one["Unit"]) for one in directive["Metrics"]
        }
        for directive in told["_aws"]["CloudWatchMetrics"]
        for dimensions in directive["Dimensions"]
        if directive["Namespace"] == "Ecokart"
    }


@pytest.mark.usefixtures("_on_lambda")
def test_a_request_says_how_long_its_kind_took_and_what_it_cost() -> None:
    told = metrics.of_request(line())

    assert named(told) == {
        ("Stage=staging", "Kind=cart"): {"Milliseconds": (20.5, "Milliseconds")},
        ("Stage=staging",): {"ReadUnits": (2, "Count"), "WriteUnits": (5, "Count"), "Microdollars": (4.2, "Count")},
    }
    assert abs(told["_aws"]["Timestamp"] - 1000 * time.time()) < 60_000


@pytest.mark.usefixtures("_on_lambda")
def test_what_should_not_happen_is_a_metric_only_when_it_does() -> None:
    happened = [
        {name for metrics_ in named(metrics.of_request(line(**what))).values() for name in metrics_}
        - {"Milliseconds", "ReadUnits", "WriteUnits", "Microdollars"}
        for what in ({}, {"status": 500}, {"status": 503}, {"orders": 1}, {"status": 404})
    ]

    assert happened == [set(), {"Errors"}, {"BusyAnswers"}, {"Orders"}, set()]


@pytest.mark.usefixtures("_on_lambda")
def test_what_the_process_asked_for_by_itself_is_the_stages_too() -> None:
    told = metrics.of_request(line(own_read_units=1.5, own_write_units=1))

    assert (told["ReadUnits"], told["WriteUnits"]) == (3.5, 6)


@pytest.mark.usefixtures("_on_lambda")
def test_a_task_says_what_it_is_told_to() -> None:
    assert named(metrics.of_task(OldestWaitingMailSeconds=7)) == {
        ("Stage=staging",): {"OldestWaitingMailSeconds": (7, "Seconds")}
    }


@pytest.mark.usefixtures("_on_lambda")
def test_there_are_few_of_them_whatever_is_asked_for() -> None:
    """Each costs 0.30 dollars a month."""
    found = set()
    for route in ["none", *routes(get_resolver())]:
        for what in ({}, {"status": 500}, {"status": 503}, {"orders": 1}):
            told = metrics.of_request(line(route=route, **what))
            found |= {(dimensions, name) for dimensions, each in named(told).items() for name in each}
    found |= {("Stage=staging", name) for name in ("OldestWaitingMailSeconds", "StockWrong")}

    assert len(found) == bill.METRICS


def routes(resolver: URLResolver, namespace: str = "") -> Iterator[str]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from routes(one, f"{one.namespace}:" if one.namespace else namespace)
        elif isinstance(one, URLPattern):
            yield f"{namespace}{one.name}"


def test_elsewhere_there_are_none() -> None:
    metrics._stage.cache_clear()

    assert (metrics.of_request(line()), metrics.of_task(StockWrong=1)) == ({}, {})


@pytest.mark.usefixtures("_on_lambda")
def test_a_requests_line_is_what_cloudwatch_reads(
    client: Client, product: Product, lines: Callable[[], list[Line]], monkeypatch: pytest.MonkeyPatch
) -> None:
    metering.take_own()
    client.get("/products/")
    client.get("/products/", **{observing.REQUEST_ID: observing.WARM_UP})

    visited, warmed = lines()
    assert ("Stage=staging", "Kind=catalogue") in named(visited)
    assert "_aws" not in warmed
