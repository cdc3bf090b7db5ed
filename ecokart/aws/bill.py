"""What a month of the shop costs on AWS: who comes, what was measured of what they ask for, and the price table.

``manage.py cost`` prints it, and ``make bench BENCH=bill`` measures anew and writes benchmarks/bill.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecokart import local
from ecokart.aws import prices
from ecokart.aws.prices import Price

MEASURED = local.ROOT / "benchmarks" / "bill.json"
TEMPLATE = local.ROOT / "ecokart" / "aws" / "data.yaml"

DAYS = 30
#: How long DynamoDB takes to answer within a region, in ms. The first version's own figure is 5 to 20.
DATABASE_MS = 5.0
#: One processor, in MB of a function's memory.
PROCESSOR_MEGABYTES = 1769
#: Of how many requests one meets a function that has to begin.
REQUESTS_A_START = 100
#: What Lambda itself writes down of each call, and what a visit fetches beside pages and says in headers, in bytes.
PLATFORM_LOG_BYTES, HEADER_BYTES = 340, 900
GIGABYTE = 1e9

#: How those who look around do it: of six pages.
BROWSING = {"home": 1, "list": 2, "search": 1, "product": 2}
#: What it takes to order three products, and to leave one in a cart.
BUYING = {"product": 3, "cart-add": 3, "cart": 3, "checkout": 1, "order-placed": 1, "order": 1}
LEAVING = {"product": 1, "cart-add": 1, "cart": 1}

#: Metrics of our own (tests/unit/test_metrics.py counts them), and those that are written while nobody visits.
METRICS, IDLE_METRICS = 13, 1 + 1 / 24

#: What the first version said that this scenario costs, in dollars a month.
FIRST_VERSION = {"Lambda": 5, "DynamoDB": 8, "API Gateway": 3, "Pages and files": 15}


class NothingMeasured(Exception):
    """There are no figures to reckon with."""


@dataclass(frozen=True)
class Scenario:
    """Who comes in a month. The first version said how many users and requests; the rest is assumed.

    Of a hundred visits so many end with an order, and so many with a cart that is left.
    """

    users_a_day: int = 1_000
    requests: int = 900_000
    orders_of_a_hundred: float = 3.0
    carts_of_a_hundred: float = 7.0
    memory_megabytes: int = 1024
    has_firewall: bool = True

    @property
    def visits(self) -> int:
        return self.users_a_day * DAYS

    @property
    def orders(self) -> float:
        return self.visits * self.orders_of_a_hundred / 100

    @property
    def left_carts(self) -> float:
        return self.visits * self.carts_of_a_hundred / 100

    def asked(self) -> dict[str, float]:
        """How many requests of each kind. Who neither orders nor leaves a cart looks around."""
        found: dict[str, float] = dict.fromkeys([*BROWSING, *BUYING], 0.0)
        for times, pages in ((self.orders, BUYING), (self.left_carts, LEAVING)):
            for kind, number in pages.items():
                found[kind] += times * number
        rest = max(0.0, self.requests - sum(found.values()))
        for kind, share in BROWSING.items():
            found[kind] += rest * share / sum(BROWSING.values())
        return found


@dataclass(frozen=True)
class Line:
    """So much of something, under the name of the service that charges for it."""

    service: str
    price: Price
    amount: float

    def dollars(self, *, free: bool) -> float:
        return self.price.of(self.amount, free=free)


def measured() -> dict[str, Any]:
    """What ``make bench BENCH=bill`` has measured. Raises NothingMeasured."""
    try:
        found: dict[str, Any] = json.loads(MEASURED.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise NothingMeasured(f"{MEASURED} is missing. Measure with: make bench BENCH=bill") from missing
    return found


def of_visits(scenario: Scenario, figures: Mapping[str, Any]) -> Iterator[Line]:
    """What a month's visitors cost."""
    asked, kinds, look = scenario.asked(), figures["kinds"], figures["look"]
    total = sum(asked.values())

    def sum_of(name: str) -> float:
        return sum(number * float(kinds[kind][name]) for kind, number in asked.items())

    sweeps = {name: scenario.left_carts * figures["release"][name] for name in ("read_units", "write_units")}
    # One request in three seconds: hardly any finds a copy of the catalogue that is fresh.
    yield Line("DynamoDB", prices.READ_UNIT, sum_of("read_units") + total * look["read_units"] + sweeps["read_units"])
    yield Line("DynamoDB", prices.WRITE_UNIT, sum_of("write_units") + sweeps["write_units"])
    busy = sum_of("processor_ms") * PROCESSOR_MEGABYTES / scenario.memory_megabytes
    seconds = (busy + sum_of("calls") * DATABASE_MS + total / REQUESTS_A_START * figures["init_ms"]) / 1000
    yield Line("Lambda", prices.LAMBDA_CALL, total)
    yield Line("Lambda", prices.LAMBDA_GB_SECOND, seconds * scenario.memory_megabytes / prices.MEGABYTES_OF_A_GB)
    yield Line("API Gateway", prices.GATEWAY_CALL, total)
    files = figures["first_view"]
    sent = sum_of("bytes") + total * HEADER_BYTES + scenario.visits * files["bytes"]
    yield Line("Pages and files", prices.TRANSFER_GB, sent / GIGABYTE)
    yield Line("Pages and files", prices.BUCKET_GET, scenario.visits * files["files"])
    yield Line("Watching", prices.LOG_GB, (sum_of("log_bytes") + total * PLATFORM_LOG_BYTES) / GIGABYTE)
    yield Line("Watching", prices.TRACE, total)
    yield Line("Watching", prices.METRIC, METRICS - IDLE_METRICS)
    if scenario.has_firewall:
        yield Line("WAF", prices.FIREWALL_CALL, total)
    yield Line("Mails", prices.MAIL, scenario.orders)


def of_a_stage(scenario: Scenario, figures: Mapping[str, Any]) -> Iterator[Line]:
    """What a month costs in which nobody visits."""
    alarms = TEMPLATE.read_text(encoding="utf-8").count("Type: AWS::CloudWatch::Alarm")
    calls = {"release_expired": 12 * 24 * DAYS, "send_mails": 12 * 24 * DAYS, "prove_stock": DAYS}
    tasks = figures["tasks"]

    def sum_of(name: str) -> float:
        return sum(number * float(tasks[task][name]) for task, number in calls.items())

    yield Line("DynamoDB", prices.READ_UNIT, sum_of("read_units"))
    yield Line("DynamoDB", prices.WRITE_UNIT, sum_of("write_units"))
    busy = sum_of("processor_ms") * PROCESSOR_MEGABYTES / scenario.memory_megabytes
    seconds = (busy + sum_of("calls") * DATABASE_MS) / 1000
    yield Line("Lambda", prices.LAMBDA_CALL, sum(calls.values()))
    yield Line("Lambda", prices.LAMBDA_GB_SECOND, seconds * scenario.memory_megabytes / prices.MEGABYTES_OF_A_GB)
    yield Line("Watching", prices.ALARM, alarms)
    yield Line("Watching", prices.METRIC, IDLE_METRICS)
    yield Line("Watching", prices.DASHBOARD, 1)
    yield Line("Watching", prices.LOG_GB, sum(calls.values()) * (500 + PLATFORM_LOG_BYTES) / GIGABYTE)
    yield Line("Watching", prices.TRACE, sum(calls.values()))
    if scenario.has_firewall:
        yield Line("WAF", prices.FIREWALL, 1)
        yield Line("WAF", prices.FIREWALL_RULE, 1)


def whole(scenario: Scenario, figures: Mapping[str, Any]) -> list[Line]:
    """Everything, with what is charged for at two places in one line: a free tier is used up once."""
    amounts: dict[tuple[str, Price], float] = {}
    for line in (*of_visits(scenario, figures), *of_a_stage(scenario, figures)):
        amounts[line.service, line.price] = amounts.get((line.service, line.price), 0.0) + line.amount
    return [Line(service, price, amount) for (service, price), amount in amounts.items()]


def dollars(lines: list[Line], *, free: bool, service: str = "") -> float:
    """The sum, of all or of one service."""
    return sum(line.dollars(free=free) for line in lines if service in ("", line.service))


# As tables: a head and rows, for a terminal and for a page

Table = tuple[list[str], list[list[str]]]


def _is_the_first_versions(scenario: Scenario) -> bool:
    usual = Scenario()
    return (scenario.users_a_day, scenario.requests) == (usual.users_a_day, usual.requests)


def described(scenario: Scenario) -> str:
    """The scenario in a sentence, with what of it is assumed."""
    as_before = ", as the first version reckoned" if _is_the_first_versions(scenario) else ""
    return (
        f"{scenario.users_a_day:,} users a day, {scenario.requests:,} requests a month{as_before}. "
        f"Assumed: of a hundred visits {scenario.orders_of_a_hundred:g} order three products and "
        f"{scenario.carts_of_a_hundred:g} leave one in a cart, all others look around; the function has "
        f"{scenario.memory_megabytes:,} MB; DynamoDB answers within {DATABASE_MS:g} ms; one request in "
        f"{REQUESTS_A_START} meets a function that has to begin; everybody who comes fetches all files anew. What is "
        "free is free in every account for good, and this stage is alone in its account."
    )


def services(scenario: Scenario, figures: Mapping[str, Any]) -> Table:
    """Dollars by service, beside what the first version said of its scenario."""
    all_lines, first = whole(scenario, figures), FIRST_VERSION if _is_the_first_versions(scenario) else {}
    names = list(dict.fromkeys(line.service for line in all_lines))
    rows = [_row(name, all_lines, service=name, first=first.get(name)) for name in names]
    if first:
        compared = [line for line in all_lines if line.service in first]
        rows.append(_row("what the first version counted", compared, first=sum(first.values())))
    rows.append(_row("**in all**", all_lines, first=sum(first.values()) or None))
    each = [dollars(all_lines, free=free) / scenario.orders if scenario.orders else 0.0 for free in (False, True)]
    rows.append([f"for each of {scenario.orders:,.0f} orders", *(f"{one:.4f}" for one in each), ""])
    return ["dollars a month", "by list price", "after what is free", "the first version said"], rows


def lines(scenario: Scenario, figures: Mapping[str, Any]) -> Table:
    """Everything that is charged for."""
    rows = [
        [line.price.what, _amount(line.amount), *(f"{line.dollars(free=free):.2f}" for free in (False, True))]
        for line in whole(scenario, figures)
    ]
    return ["charged for", "amount", "dollars", "after what is free"], rows


def idle(figures: Mapping[str, Any]) -> Table:
    """What stages cost in which nobody is."""
    stages = {
        "production": Scenario(),
        "staging": Scenario(has_firewall=False),
        "dev": Scenario(has_firewall=False, memory_megabytes=512),
    }
    rows = []
    for name, scenario in stages.items():
        found = list(of_a_stage(scenario, figures))
        rows.append([name, *(f"{dollars(found, free=free):.2f}" for free in (False, True))])
    return ["dollars a month", "by list price", "after what is free"], rows


def _row(name: str, found: list[Line], *, service: str = "", first: int | None = None) -> list[str]:
    both = [f"{dollars(found, free=free, service=service):.2f}" for free in (False, True)]
    return [name, *both, "" if first is None else str(first)]


def _amount(amount: float) -> str:
    return f"{amount:,.0f}" if amount >= 100 else f"{amount:.3g}"
