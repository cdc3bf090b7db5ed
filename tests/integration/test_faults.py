"""That the fault harness does what it says, or the proofs that stand on it prove nothing."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from pynamodb.exceptions import GetError

from inventory import dynamodb
from inventory.models import Note
from tests import faults
from tests.faults import Fault, Kind, Plan

ALL_ATTEMPTS = 3


def note() -> Note:
    return Note(f"note#{uuid.uuid4().hex}", text="written")


def write(item: Note) -> None:
    with dynamodb.transaction() as tx:
        tx.put(item, condition=Note.id.does_not_exist(), otherwise=dynamodb.contended)


def first(fault: Fault) -> Plan:
    return Plan({1: fault})


def is_there(item: Note) -> bool:
    return dynamodb.get(Note, item.id) is not None


def test_without_faults_nothing_happens() -> None:
    item = note()

    with faults.injected(Plan()) as heard:
        write(item)

    assert is_there(item)
    assert [call.operation for call in heard.calls] == ["TransactWriteItems"]
    assert heard.count == 0


def test_outside_of_a_block_nothing_happens() -> None:
    item = note()

    with faults.injected(first(Fault.always(Kind.REQUEST_LOST))):
        pass
    write(item)

    assert is_there(item)


@pytest.mark.parametrize("kind", [Kind.ANSWER_LOST, Kind.ANSWER_CUT, Kind.ERROR_AFTER])
def test_what_is_lost_after_the_commit_is_written(kind: Kind) -> None:
    item = note()

    with faults.injected(first(Fault.always(kind))) as heard, pytest.raises(dynamodb.OutcomeUnknown):
        write(item)

    assert is_there(item)
    assert heard.count == ALL_ATTEMPTS


@pytest.mark.parametrize("kind", [Kind.REQUEST_LOST, Kind.REQUEST_CUT, Kind.ERROR])
def test_what_is_lost_before_is_not_written_and_looks_the_same(kind: Kind) -> None:
    item = note()

    with faults.injected(first(Fault.always(kind))), pytest.raises(dynamodb.OutcomeUnknown):
        write(item)

    assert not is_there(item)


@pytest.mark.parametrize("kind", [kind for kind in Kind if not kind.is_final])
def test_the_sdk_gets_over_what_happens_once(kind: Kind) -> None:
    item = note()

    with faults.injected(first(Fault.once(kind))) as heard:
        write(item)

    assert is_there(item)
    assert heard.by_kind == {kind: 1}


def test_a_second_attempt_of_the_sdk_adds_nothing_after_a_lost_answer(make_product: Callable) -> None:
    product = make_product(stock=10)

    with faults.injected(first(Fault.once(Kind.ANSWER_LOST))), dynamodb.transaction() as tx:
        tx.update(
            product,
            [type(product).stock.add(-1)],
            condition=type(product).stock >= 1,
            otherwise=dynamodb.contended,
        )

    product.refresh(consistent_read=True)
    assert product.stock == 9


@pytest.mark.parametrize("fault", [Fault.once(Kind.CONFLICT), Fault.always(Kind.THROTTLED)])
def test_contention_is_contention_and_writes_nothing(fault: Fault) -> None:
    item = note()

    with faults.injected(first(fault)), pytest.raises((dynamodb.Contention, dynamodb.OutcomeUnknown)):
        write(item)

    assert not is_there(item)


def test_a_conflict_reads_as_aws_writes_it() -> None:
    with faults.injected(first(Fault.once(Kind.CONFLICT))), pytest.raises(dynamodb.Contention) as caught:
        write(note())

    said = str(caught.value.__cause__.cause.__cause__)
    assert "(TransactionCanceledException)" in said
    assert "please refer cancellation reasons for specific reasons [TransactionConflict]" in said


def test_a_conflict_is_no_answer_to_a_read() -> None:
    with faults.injected(first(Fault.once(Kind.CONFLICT))) as heard:
        dynamodb.get(Note, "nobody")

    assert heard.count == 0
    assert not heard.plan


def test_a_read_may_be_throttled_until_the_sdk_gives_up() -> None:
    with faults.injected(first(Fault.always(Kind.THROTTLED))) as heard, pytest.raises(GetError) as caught:
        Note.get("nobody", consistent_read=True)

    assert dynamodb.error_code(caught.value) == "ProvisionedThroughputExceededException"
    assert heard.by_kind == {Kind.THROTTLED: ALL_ATTEMPTS}


def test_what_a_batch_could_not_read_is_asked_for_again() -> None:
    items = [note() for _ in range(3)]
    for item in items:
        write(item)

    with faults.injected(first(Fault.once(Kind.PARTLY))) as heard:
        (found,) = dynamodb.get_many((Note, [item.id for item in items]))

    assert set(found) == {item.id for item in items}
    assert [call.operation for call in heard.calls] == ["BatchGetItem", "BatchGetItem"]


@pytest.mark.parametrize(("kind", "written"), [(Kind.KILLED_BEFORE, False), (Kind.KILLED_AFTER, True)])
def test_killed_ends_the_rule_at_that_line(kind: Kind, written: bool) -> None:
    item, lived_on = note(), []

    @dynamodb.retry_while_busy
    def rule() -> None:
        write(item)
        lived_on.append(True)

    with faults.injected(first(Fault.once(kind))), pytest.raises(faults.Killed):
        rule()

    assert is_there(item) is written
    assert not lived_on


def test_slow_comes_late_by_the_clock_of_the_block_alone() -> None:
    began, item = time.monotonic(), note()

    with faults.injected(first(Fault.once(Kind.SLOW))):
        write(item)
        assert faults.elapsed_seconds() >= faults.SLOW_SECONDS

    assert is_there(item)
    assert time.monotonic() - began < faults.SLOW_SECONDS


def test_time_outs_and_pauses_cost_no_time_and_the_budget_still_ends() -> None:
    began, tries = time.monotonic(), []

    @dynamodb.retry_while_busy
    def rule() -> None:
        tries.append(faults.elapsed_seconds())
        write(note())

    with faults.injected(lambda _: Fault.always(Kind.REQUEST_CUT)), pytest.raises(dynamodb.Unsure):
        rule()

    assert len(tries) > 3
    # The last one is the look that an unknown outcome gets when the time is up.
    assert tries[-2] <= dynamodb.RETRY_SECONDS
    assert time.monotonic() - began < dynamodb.RETRY_SECONDS


def test_the_same_seed_makes_the_same_run() -> None:
    def run(seed: int) -> tuple[str, float]:
        with faults.injected(Plan.random(seed, rate=0.5), seed=seed) as heard:
            for _ in range(10):
                attempt()
            return str(heard.plan), faults.elapsed_seconds()

    def attempt() -> None:
        try:
            dynamodb.retry_while_busy(write)(note())
        except (dynamodb.InventoryError, faults.Killed):
            return

    assert run(7) == run(7)
    assert run(7) != run(8)


def test_a_plan_can_be_typed_in_again() -> None:
    plan = Plan.random("any", rate=0.9)

    assert Plan.parse(str(plan)) == plan
    assert str(Plan.parse("2:answer-lost! 5:throttled 9:answer-lost/throttled")) == (
        "2:answer-lost! 5:throttled 9:answer-lost/throttled"
    )


def test_threads_meet_their_own_faults_only() -> None:
    seen: dict[str, int] = {}
    both = threading.Barrier(2, timeout=10)

    def run(name: str, plan: Plan) -> None:
        with faults.injected(plan) as heard:
            both.wait()
            write(note())
            both.wait()
        seen[name] = heard.count

    threads = [
        threading.Thread(target=run, args=("one", first(Fault.once(Kind.REQUEST_LOST)))),
        threading.Thread(target=run, args=("other", Plan())),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert seen == {"one": 1, "other": 0}
