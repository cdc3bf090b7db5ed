"""That what the function asks for is written down as it is, and compared with its role as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from inventory import reservations
from inventory.models import Product
from tests import recorder, rights
from tests.unit import wire


@pytest.mark.parametrize(
    ("service", "operation", "params", "needs"),
    [
        ("dynamodb", "GetItem", {"TableName": "ecokart-carts"}, {("dynamodb:GetItem", "carts")}),
        (
            "dynamodb",
            "Query",
            {"TableName": "ecokart-orders", "IndexName": "status-index"},
            {("dynamodb:Query", "orders/index/status-index")},
        ),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"ecokart-carts": {}, "ecokart-products": {}}},
            {("dynamodb:BatchGetItem", "carts"), ("dynamodb:BatchGetItem", "products")},
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": "ecokart-orders"}},
                    {"Update": {"TableName": "ecokart-products"}},
                    {"Delete": {"TableName": "ecokart-carts"}},
                    {"ConditionCheck": {"TableName": "ecokart-users"}},
                ]
            },
            {
                ("dynamodb:PutItem", "orders"),
                ("dynamodb:UpdateItem", "products"),
                ("dynamodb:DeleteItem", "carts"),
                ("dynamodb:ConditionCheckItem", "users"),
            },
        ),
        (
            "dynamodb",
            "TransactGetItems",
            {"TransactItems": [{"Get": {"TableName": "ecokart-carts"}}, {"Get": {"TableName": "ecokart-products"}}]},
            {("dynamodb:GetItem", "carts"), ("dynamodb:GetItem", "products")},
        ),
        ("s3", "HeadObject", {"Bucket": "x", "Key": "products/a.avif"}, {("s3:GetObject", "media/products")}),
        ("s3", "PutObject", {"Bucket": "x", "Key": "secrets/a"}, {("s3:PutObject", "media/secrets")}),
        (
            "sesv2",
            "SendEmail",
            {"Content": {"Raw": {"Data": b"From: shop@ecokart.example"}}},
            {("ses:SendEmail", "ses"), ("ses:SendRawEmail", "ses")},
        ),
        ("sesv2", "SendEmail", {"Content": {"Simple": {}}}, {("ses:SendEmail", "ses")}),
    ],
)
def test_a_call_needs_the_rights_that_iam_asks_for(
    service: str, operation: str, params: dict[str, object], needs: set[recorder.Right]
) -> None:
    assert set(recorder.needed(service, operation, params)) == needs


def test_what_a_page_asks_for_is_recorded_and_what_a_test_does_is_not(client: Client, product: Product) -> None:
    """By the recorder of this process, which has listened since before the first client was made."""
    seen = recorder.active[-1].seen
    seen.clear()

    reservations.reserve("alice", product.id, quantity=1)
    of_the_test = set(seen)
    with wire.heard() as calls:
        client.get("/products/prod-1/")

    assert of_the_test == set()
    assert {("dynamodb:" + name) for name, _ in calls} <= {action for action, _ in seen} != set()


def test_what_is_written_down_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FOLDER", tmp_path)
    listening = recorder.Recorder(tmp_path / "unit" / "1.txt", always=True)
    wanted = {("dynamodb:GetItem", "carts"), ("s3:PutObject", "media/products")}

    for right in [*wanted, *wanted]:
        listening.note({right})

    assert recorder.recorded("unit") == wanted
    assert rights.missing(["unit", "e2e"]) == ["e2e"]
    for name in ("RECORDING_GOES_ON", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
        monkeypatch.setenv(name, "1")
        recorder.begin("unit")
        assert recorder.recorded("unit") == wanted
        monkeypatch.delenv(name)
    recorder.begin("unit")
    assert recorder.recorded("unit") == set()


def test_the_role_is_read_as_it_stands() -> None:
    may = rights.allowed(rights.TEMPLATE.read_text(encoding="utf-8"))

    assert ("dynamodb:Query", "orders/index/status-index") in may
    assert ("s3:PutObject", "media/products") in may
    assert ("logs:PutLogEvents", "logs") in may


@pytest.fixture
def complaints(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def complaints(asked: set[recorder.Right], may: set[recorder.Right], reasons: dict[recorder.Right, str]) -> str:
        monkeypatch.setattr(rights, "UNUSED", reasons)
        return "\n".join(rights.complaints(asked, may))

    return complaints


GET, SCAN = ("dynamodb:GetItem", "carts"), ("dynamodb:Scan", "carts")


def test_a_right_that_is_not_there_is_missed(complaints: Callable[..., str]) -> None:
    assert "asks for dynamodb:Scan on carts, which its role" in complaints({GET, SCAN}, {GET}, {})


def test_a_right_that_nobody_uses_needs_a_reason(complaints: Callable[..., str]) -> None:
    assert "allows dynamodb:Scan on carts, which nothing asks for" in complaints({GET}, {GET, SCAN}, {})
    assert complaints({GET}, {GET, SCAN}, {SCAN: "An operator's."}) == ""


def test_a_reason_for_what_the_role_does_not_allow_is_told(complaints: Callable[..., str]) -> None:
    assert "which the role does not allow" in complaints({GET}, {GET}, {SCAN: "x"})


def test_what_lambda_does_itself_needs_no_test_of_ours(complaints: Callable[..., str]) -> None:
    assert complaints(set(), {("logs:PutLogEvents", "logs")}, {}) == ""
