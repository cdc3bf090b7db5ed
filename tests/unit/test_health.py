"""What load balancers and people who watch are told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import RequestFactory

from ecokart import health
from inventory.models import Product
from tests.unit import wire


def told(rf: RequestFactory) -> dict[str, Any]:
    response = health.healthz(rf.get("/healthz"))
    assert response.status_code == 200
    return json.loads(response.content)


def test_a_shop_that_is_well_says_so(rf: RequestFactory):
    assert told(rf) == {"status": "ok", "database": "ok"}


def test_a_lost_answer_is_told_and_is_no_reason_to_restart_the_process(rf: RequestFactory):
    with wire.losing_answers("GetItem"):
        assert told(rf) == {"status": "ok", "database": "unreachable"}


def test_missing_tables_are_told(rf: RequestFactory):
    Product.delete_table()

    assert told(rf) == {"status": "ok", "database": "unreachable"}


def test_it_costs_one_read_and_is_never_kept(rf: RequestFactory):
    with wire.heard() as calls:
        response = health.healthz(rf.get("/healthz"))

    assert [name for name, _ in calls] == ["GetItem"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(("method", "status"), [("head", 200), ("post", 405), ("delete", 405)])
def test_it_can_only_be_asked(rf: RequestFactory, method: str, status: int):
    assert health.healthz(getattr(rf, method)("/healthz")).status_code == status
