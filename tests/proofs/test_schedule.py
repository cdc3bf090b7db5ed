"""The tools of the random operations: threads that take turns, timelines, the shortest sequence that fails."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from tests.proofs.operations import plans, shorten
from tests.proofs.operations.schedule import AllAtOnce, TakingTurns
from tests.proofs.operations.timeline import Timeline


def order_of(seed: int) -> list[str]:
    """Three threads that do four things each, at a pace that comes from a seed: what they did in which order."""
    schedule, done = TakingTurns(), []

    def program(name: str) -> None:
        chance = random.Random(f"{seed} {name}")
        for number in range(4):
            schedule.spend(chance.random())
            done.append(f"{name}{number}")

    assert schedule.run([partial(program, name) for name in "abc"]) == []
    return done


def test_the_same_seed_gives_the_same_order() -> None:
    orders = [order_of(seed=1) for _ in range(5)]

    assert orders == [orders[0]] * 5


def test_another_seed_gives_another_order() -> None:
    assert len({tuple(order_of(seed)) for seed in range(10)}) == 10


def test_each_thread_keeps_its_own_order() -> None:
    done = order_of(seed=2)

    assert [what for what in done if what.startswith("b")] == ["b0", "b1", "b2", "b3"]
    assert sorted(done) != done


def lost_updates(schedule: TakingTurns | AllAtOnce, *, together: bool) -> int:
    """Two read and write a number ten times each, with a pause in between; gives how many of the twenty are missing."""
    number = 0

    def count() -> None:
        nonlocal number
        for _ in range(10):
            seen = number
            schedule.spend(0.1)
            number = seen + 1

    def both() -> None:
        schedule.together(count, count)

    programs: list[Callable[[], None]] = [both] if together else [count, count]
    assert schedule.run(programs) == []
    return 20 - number


def test_threads_that_take_turns_do_get_in_each_others_way() -> None:
    assert lost_updates(TakingTurns(), together=False) == 10


def test_two_things_at_the_same_moment_do_so_too() -> None:
    assert lost_updates(TakingTurns(), together=True) == 10


def test_whoever_waits_for_a_partner_goes_on_when_it_has_ended() -> None:
    for schedule in (TakingTurns(), AllAtOnce()):
        results: list[tuple[int, int]] = []

        def slow(schedule: TakingTurns | AllAtOnce = schedule) -> int:
            schedule.spend(5)
            return 2

        def program(results: list[tuple[int, int]] = results, schedule: TakingTurns | AllAtOnce = schedule) -> None:
            results.append(schedule.together(lambda: 1, slow))

        assert schedule.run([program]) == []
        assert results == [(1, 2)]


def test_what_a_thread_raises_is_handed_over() -> None:
    schedule, failure = TakingTurns(), ValueError("broken")

    def fail() -> None:
        raise failure

    assert schedule.run([fail, lambda: schedule.spend(1)]) == [failure]
    assert schedule.failed


def test_a_value_may_be_what_it_was_until_a_change_is_surely_over() -> None:
    price = Timeline(1)
    price.set(2, began=10, ended=20)
    price.set(3, began=30, ended=40, sure=False)

    assert list(price.possible(0, 9)) == [1]
    assert list(price.possible(15, 16)) == [1, 2]
    assert list(price.possible(21, 22)) == [2]
    assert list(price.possible(50, 51)) == [2, 3]


def test_a_change_that_began_before_another_ended_may_have_come_last() -> None:
    price = Timeline(1)
    price.set(2, began=10, ended=20)
    price.set(3, began=15, ended=25)

    assert list(price.possible(30, 30)) == [2, 3]


def test_the_shortest_part_that_fails_is_found() -> None:
    tried = []

    def fails(parts: list[int]) -> bool:
        tried.append(parts)
        return {17, 61, 62} <= set(parts)

    assert shorten.shortest(range(100), fails=fails) == [17, 61, 62]
    assert len(tried) < 100


def test_the_shortener_stops_after_so_many_tries() -> None:
    tried = []

    def fails(parts: list[int]) -> bool:
        tried.append(parts)
        return len(parts) > 90

    assert len(shorten.shortest(range(100), fails=fails, tries=5)) > 90
    assert len(tried) <= 5


def test_a_plan_comes_from_its_seed_alone() -> None:
    first, second = (plans.episode("1 7", operations=50, fault_rate=0.1) for _ in range(2))

    assert first == second
    assert first != plans.episode("1 8", operations=50, fault_rate=0.1)
    assert sum(step.kind != "wait" for step in first) == 50


def test_faults_that_a_failure_does_not_need_are_left_out() -> None:
    steps = plans.episode("1 7", operations=50, fault_rate=0.3)
    needed = next(step for step in steps if len(step.plan) > 2)
    number, fault = list(needed.plan.items())[1]

    def fails(some: list[plans.Step]) -> bool:
        return any(step.number == needed.number and step.plan.get(number) == fault for step in some)

    (kept,) = plans.with_fewest_faults(shorten.shortest(steps, fails=fails), fails=fails)

    assert kept.number == needed.number
    assert kept.plan == {number: fault}
    assert kept.second is None
    assert kept.skew == 0.0
