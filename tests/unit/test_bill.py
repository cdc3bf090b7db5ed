"""What a month costs, by figures that can be reckoned by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ecokart import local
from ecokart.aws import bill, prices
from ecokart.aws.bill import Scenario
from ecokart.aws.prices import Price

ONE = {"read_units": 2.0, "write_units": 1.0, "calls": 3.0, "processor_ms": 10.0, "bytes": 4_100, "log_bytes": 660}
FIGURES: dict[str, Any] = {
    "measured": "1 January 2026",
    "kinds": dict.fromkeys([*bill.BROWSING, *bill.BUYING], ONE),
    "look": {"calls": 2, "read_units": 4.0},
    "tasks": dict.fromkeys(("release_expired", "send_mails", "prove_stock"), ONE),
    "release": {"read_units": 2.0, "write_units": 5.0},
    "first_view": {"files": 30, "bytes": 300_000},
    "init_ms": 400.0,
}


def amounts(lines: Any) -> dict[Price, float]:
    return {line.price: line.amount for line in lines}


def test_an_amount_is_charged_by_the_piece_and_what_is_free_is_not() -> None:
    price = Price("x", 3.0, per=1000, free=500)

    assert (price.of(2000), price.of(2000, free=True), price.of(100, free=True)) == (6.0, 4.5, 0.0)


def test_a_request_costs_its_units_and_on_lambda_its_call_and_its_time() -> None:
    units = prices.of_request(read_units=10, write_units=5, ms=100, memory_megabytes=0)
    all_of_it = prices.of_request(read_units=10, write_units=5, ms=100, memory_megabytes=512)

    assert units == pytest.approx((10 * 0.1525 + 5 * 0.7625) / 1e6)
    assert all_of_it - units == pytest.approx((0.20 + 3.70 + 0.05 * 16.6667) / 1e6)


def test_the_first_versions_scenario_is_a_thousand_users_who_ask_thirty_times_a_day() -> None:
    scenario = Scenario()

    assert sum(scenario.asked().values()) == scenario.requests == 30 * scenario.visits
    assert (scenario.orders, scenario.left_carts) == (900, 2_100)
    assert scenario.asked()["order-placed"] == 900
    assert scenario.asked()["cart-add"] == 900 * 3 + 2_100


def test_visitors_cost_what_their_requests_ask_for() -> None:
    scenario = Scenario(requests=900_000)

    found = amounts(bill.of_visits(scenario, FIGURES))

    assert found[prices.READ_UNIT] == pytest.approx(900_000 * (2 + 4) + 2_100 * 2)
    assert found[prices.WRITE_UNIT] == pytest.approx(900_000 + 2_100 * 5)
    seconds = 900_000 * (10 * 1769 / 1024 + 3 * 5 + 400 / 100) / 1000
    assert found[prices.LAMBDA_GB_SECOND] == pytest.approx(seconds)
    assert found[prices.TRANSFER_GB] == pytest.approx((900_000 * 5_000 + 30_000 * 300_000) / 1e9)
    assert found[prices.LOG_GB] == pytest.approx(900_000 * 1_000 / 1e9)
    assert found[prices.MAIL] == 900


def test_half_the_memory_takes_the_processor_twice_as_long_and_the_database_as_long_as_before() -> None:
    large, small = (amounts(bill.of_visits(Scenario(memory_megabytes=size), FIGURES)) for size in (1024, 512))

    work, waiting = 900_000 * 10 * 1769 / 1024 / 1000, 900_000 * (15 + 4) / 1000
    assert large[prices.LAMBDA_GB_SECOND] == pytest.approx(work + waiting)
    assert small[prices.LAMBDA_GB_SECOND] == pytest.approx(work + waiting / 2)


def test_a_stage_without_visitors_costs_alarms_sweeps_and_its_firewall() -> None:
    found, without = (amounts(bill.of_a_stage(Scenario(has_firewall=has), FIGURES)) for has in (True, False))

    assert found[prices.LAMBDA_CALL] == 2 * 8_640 + 30
    assert found[prices.READ_UNIT] == 2 * (2 * 8_640 + 30)
    assert found[prices.ALARM] == bill.TEMPLATE.read_text().count("AWS::CloudWatch::Alarm")
    assert found.keys() - without.keys() == {prices.FIREWALL, prices.FIREWALL_RULE}


def test_what_is_free_is_free_once() -> None:
    """Visitors and sweeps share a function, and so its million calls."""
    scenario = Scenario(requests=1_500_000)

    (calls,) = [line for line in bill.whole(scenario, FIGURES) if line.price is prices.LAMBDA_CALL]

    assert calls.amount == 1_500_000 + 2 * 8_640 + 30
    assert calls.dollars(free=True) == pytest.approx((calls.amount - 1_000_000) * 0.20 / 1e6)


def test_the_sum_is_the_sum_of_the_services() -> None:
    head, rows = bill.services(Scenario(), FIGURES)

    total = next(row for row in rows if "in all" in row[0])
    of_services = rows[: rows.index(next(row for row in rows if "first version counted" in row[0]))]
    for column in (1, 2):
        assert sum(float(row[column]) for row in of_services) == pytest.approx(float(total[column]), abs=0.05)
    assert (total[3], head[3]) == ("31", "the first version said")


# The command


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill, "MEASURED", tmp_path / "bill.json")
    bill.MEASURED.write_text(json.dumps(FIGURES))


@pytest.fixture
def cost(measured: None) -> Callable[..., str]:
    def cost(*arguments: str) -> str:
        said = StringIO()
        call_command("cost", *arguments, stdout=said)
        return said.getvalue()

    return cost


def total_of(text: str) -> float:
    return float(re.findall(r"^in all +([\d.]+)", text, re.MULTILINE)[0])


def test_the_command_says_the_total_and_what_is_assumed(cost: Callable[..., str]) -> None:
    said = cost()

    assert "1,000 users a day, 900,000 requests a month" in said
    assert "Assumed: of a hundred visits 3 order" in said
    assert "Measured on 1 January 2026." in said
    assert total_of(said) == pytest.approx(bill.dollars(bill.whole(Scenario(), FIGURES), free=False), abs=0.01)


def test_another_scenario_costs_something_else(cost: Callable[..., str]) -> None:
    tenfold, few = cost("--users", "10000"), cost("--users", "10", "--requests", "100", "--no-firewall")

    assert "9,000,000 requests" in tenfold
    assert total_of(few) < total_of(cost()) < total_of(tenfold)
    assert "WAF" not in few


@pytest.mark.parametrize("arguments", [("--users", "0"), ("--requests", "-1"), ("--orders", "-1"), ("--memory", "0")])
def test_a_scenario_that_makes_no_sense_is_refused(cost: Callable[..., str], arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="at least"):
        cost(*arguments)


def test_nobody_orders(cost: Callable[..., str]) -> None:
    assert "for each of 0 orders" in cost("--orders", "0")


def test_without_figures_it_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill, "MEASURED", tmp_path / "none.json")

    with pytest.raises(CommandError, match="make bench BENCH=bill"):
        call_command("cost")


# What stands in the repository


def test_there_are_figures_of_every_kind_of_request() -> None:
    figures = bill.measured()

    assert figures["kinds"].keys() == {*bill.BROWSING, *bill.BUYING}
    assert all(told["log_bytes"] > 0 for told in figures["kinds"].values())


def test_the_manual_says_what_was_measured() -> None:
    """The table of docs/deploy.md is the one that `manage.py cost` prints."""
    manual = (local.ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")

    for name, *numbers in bill.services(Scenario(), bill.measured())[1] + bill.idle(bill.measured())[1]:
        row = next(line for line in manual.splitlines() if line.startswith(f"| {name} |"))
        assert [cell.strip() for cell in row.split("|")[2:-1]][: len(numbers)] == numbers


def test_no_price_stands_anywhere_else() -> None:
    ours = {str(price.dollars) for price in vars(prices).values() if isinstance(price, Price) and price.dollars < 1}
    found = [
        (path.name, number)
        for folder in ("ecokart", "benchmarks", "inventory")
        for path in (local.ROOT / folder).rglob("*.py")
        if path.name != "prices.py"
        for number in re.findall(r"\b0\.\d{3,}\b", path.read_text(encoding="utf-8"))
        if number in ours
    ]

    assert found == []
