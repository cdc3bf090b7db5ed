"""That the catalogue's figures are measured as they say."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from django.test import RequestFactory

from benchmarks import catalogue, cold, floor_wsgi, load, queries, visits


def test_ten_thousand_queries_are_all_different_and_the_same_every_time():
    texts = queries.distinct(10_000)

    assert len({text.casefold() for text in texts}) == 10_000
    assert texts[:100] == queries.distinct(100)


def test_queries_fit_into_the_search_field_and_an_address():
    texts = queries.distinct(1_000)

    assert all(0 < len(text) <= 100 for text in texts)
    assert all(queries.path(text).isascii() and " " not in queries.path(text) for text in texts)


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_one_of_the_values(percent: int, expected: int):
    values = list(range(1, 101))
    random.Random(1).shuffle(values)

    assert visits.percentile(values, percent) == expected


def test_the_percentile_of_one_value_is_that_value():
    assert visits.percentile([7.0], 99) == 7.0


def test_the_floor_says_what_was_captured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for kind in floor_wsgi.KINDS:
        tmp_path.joinpath(kind).write_bytes(f"<p>{kind} ä".encode())
    monkeypatch.setattr(floor_wsgi, "bodies", floor_wsgi.read_bodies(tmp_path))
    asked = {"": "home", "products/": "list", "products/?q=a": "search", "products/prod-1/": "product", "cart/": "cart"}

    for address, kind in asked.items():
        page = floor_wsgi.ready(RequestFactory().get(f"/{address}"), address.partition("?")[0])
        assert page.content == tmp_path.joinpath(kind).read_bytes()


def test_what_wrk_saw_is_understood():
    got = load.understood("Running …\n\nFIGURES 1000 2000000 512000 5000 20000 1 2\n")

    assert (got.requests, got.per_second, got.bytes_each) == (1000, 500, 512)
    assert (got.p50_ms, got.p99_ms, got.errors, got.refusals) == (5, 20, 1, 2)


@pytest.mark.parametrize(
    ("page", "total"),
    [
        ('<div role="status"></div><p role="status">31 Produkte', 31),
        ('<p role="status">98.012 Produkte', 98_012),
        ("", 0),
    ],
)
def test_a_page_says_how_many_products_there_are(page: str, total: int):
    assert cold.total_of(page.encode()) == total


@pytest.mark.parametrize(
    ("got", "wanted", "reached"),
    [(0.8, "≥ 0.8", True), (0.79, "≥ 0.8", False), (2, "≤ 1,000", True), (None, "≤ 1", False), (5, "", None)],
)
def test_a_row_says_whether_it_is_reached(got: float | None, wanted: str, reached: bool | None):
    assert catalogue.Row("what", got, wanted).is_reached is reached
