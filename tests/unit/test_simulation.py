"""The sale of one popular product: that it follows the rule, and what can be reckoned by hand."""

from __future__ import annotations

import random

import pytest

from benchmarks import hot_product
from benchmarks.simulation import Policy, Times, all_at_once, sell, steadily
from inventory import dynamodb
from inventory.errors import Busy

EXACT = Times(0.010, read=0.005, refusal=0.002, spread=0)
PATIENT = Policy("no jitter", 0.020, 0.020, 12)


def test_a_single_buyer_meets_nobody() -> None:
    sale = sell([0.0], EXACT, PATIENT, seed=1)

    assert (sale.served, sale.tries, sale.busy) == (1, 1, 0)
    assert sale.waits == [pytest.approx(0.015)]


def test_two_at_once_by_hand() -> None:
    """Both read for 5 ms; one writes for 10, the other is refused after 2, pauses for 20, reads and writes."""
    sale = sell([0.0, 0.0], EXACT, PATIENT, seed=1)

    assert sale.tries == 3
    assert sale.waits == [pytest.approx(0.015), pytest.approx(0.005 + 0.002 + 0.020 + 0.005 + 0.010)]


def test_who_never_pauses_long_enough_is_told_busy() -> None:
    """Six reach the product together, in step for ever: one is served each time, and two tries serve two."""
    sale = sell([0.0] * 6, EXACT, Policy("no jitter", 0.020, 0.020, 2), seed=1)

    assert (sale.served, sale.busy, sale.tries) == (2, 4, 6 + 5)


def test_time_runs_out_too() -> None:
    sale = sell([0.0] * 6, EXACT, Policy("no jitter", 0.020, 0.020, 99, seconds=0.050), seed=1)

    # The second pause would end after 54 ms, so nobody tries a third time.
    assert (sale.served, sale.busy) == (2, 4)
    assert max(sale.waits) == pytest.approx(0.005 + 0.002 + 0.020 + 0.005 + 0.010)


def test_a_partition_takes_no_more_tries_than_its_units_allow() -> None:
    limited = Times(0.0, read=0.0, refusal=0.001, spread=0, tries_per_second=10)

    sale = sell([0.0] * 50, limited, Policy("no jitter", 0.1, 0.1, 999, seconds=1.0), seed=1)

    # Ten at once, then ten a second.
    assert 19 <= sale.served <= 20


@pytest.mark.parametrize("policy", hot_product.POLICIES)
@pytest.mark.parametrize("shards", [1, 3])
def test_nobody_is_lost_and_no_item_serves_faster_than_one_after_the_other(policy: Policy, shards: int) -> None:
    times = Times(0.010, spread=0)

    sale = sell(all_at_once(300, seed=2), times, policy, seed=2, shards=shards)

    assert sale.served + sale.busy == 300
    assert 0 < sale.per_second <= shards / times.write


def test_two_shards_serve_more() -> None:
    one, two = (sell(all_at_once(500, seed=3), EXACT, PATIENT, seed=3, shards=shards) for shards in (1, 2))

    assert two.served > 1.5 * one.served


def test_the_same_seed_gives_the_same_sale() -> None:
    assert steadily(50, seconds=2, seed=4) == steadily(50, seconds=2, seed=4)
    first, again, other = (sell(all_at_once(50, seed=4), Times(0.01), hot_product.TODAY, seed=s) for s in (4, 4, 5))

    assert first == again
    assert first != other


def test_buyers_who_come_steadily_come_as_often_as_they_should() -> None:
    assert len(steadily(50, seconds=100, seed=5)) == pytest.approx(5000, rel=0.05)


def test_todays_policy_is_the_shops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The longest pause that a rule may take after each refused try, and how often it tries."""
    most: list[float] = []

    def longest(low: float, high: float) -> float:
        most.append(high)
        return low

    monkeypatch.setattr(random, "uniform", longest)

    with pytest.raises(Busy):
        dynamodb.retry_while_busy(_always_in_the_way)()

    chance = random.Random()
    monkeypatch.setattr(chance, "uniform", lambda _low, high: high)
    today = hot_product.TODAY
    assert (today.jitter, today.tries, today.seconds) == ("full jitter", len(most), dynamodb.RETRY_SECONDS)
    assert [today.pause(chance, number, 0) for number in range(len(most))] == pytest.approx(most)


def _always_in_the_way() -> None:
    raise dynamodb.Contention
