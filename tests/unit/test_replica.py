"""The copy of the catalogue in each process: nothing is missed, nothing shown twice, nothing turned back."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from pynamodb.exceptions import UpdateError

from inventory import catalogue, clock, products
from inventory.attributes import iso
from inventory.dynamodb import Contention
from inventory.models import Product
from inventory.replica import store, tail
from inventory.replica.store import Replica
from tests.unit import wire

MakeProduct = Callable[..., Product]


@pytest.fixture(autouse=True)
def _always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is a reason to look for news."""
    monkeypatch.setattr(tail, "FRESH_SECONDS", -1)


def names(replica: Replica, status: str = "active") -> dict[str, str]:
    """What a copy shows, by id; fails where it shows one product twice."""
    sets = replica.sets
    shown = [replica.listed(one) for one in replica.pick(sets.having([status]), "name", offset=0, limit=sets.size)]
    assert len({one.id for one in shown}) == len(shown)
    return {one.id: one.name for one in shown}


# Another process, over real tables


def test_a_change_appears_in_every_other_process(make_product: MakeProduct):
    elsewhere = tail.Follower()
    make_product(id="a", name="Alt")
    before = names(elsewhere.fresh())

    make_product(id="b", name="Neu")
    products.save("a", version=1, name="Anders")

    assert before == {"a": "Alt"}
    assert names(elsewhere.fresh()) == {"a": "Anders", "b": "Neu"}


def test_what_is_archived_leaves_every_other_process(make_product: MakeProduct):
    elsewhere = tail.Follower()
    make_product(id="a")
    elsewhere.fresh()

    products.archive("a", version=1)

    assert names(elsewhere.fresh()) == {}
    assert names(elsewhere.fresh(), "archived") == {"a": "Laufschuh Luchs"}


def test_a_change_appears_at_once_where_it_was_made(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    make_product(id="a", name="Alt")
    catalogue.search()
    monkeypatch.setattr(tail, "FRESH_SECONDS", 3600)

    products.save("a", version=1, name="Anders")

    assert [one.name for one in catalogue.search().products] == ["Anders"]


def test_a_product_that_is_gone_from_its_table_leaves_with_the_next_look_at_its_stock(make_product: MakeProduct):
    make_product(id="a")
    make_product(id="b")
    catalogue.search()
    Product("a").delete()
    catalogue.live_stock.forget()

    catalogue.search()

    assert [one.id for one in catalogue.search().products] == ["b"]


def test_clocks_that_differ_lose_nothing(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    """One server is ten minutes ahead, the other ten behind, and they write in turn."""
    elsewhere, now = tail.Follower(), clock.now()
    for number in range(6):
        monkeypatch.setattr(clock, "now", lambda ahead=number % 2: now + timedelta(minutes=10 if ahead else -10))
        make_product(id=f"p-{number}")
        names(elsewhere.fresh())

    assert set(names(elsewhere.fresh())) == {f"p-{number}" for number in range(6)}


def test_moments_are_given_in_their_order_whatever_the_clocks_say(monkeypatch: pytest.MonkeyPatch):
    now, given = clock.now(), []
    for minutes in (0, 0, 10, -10, 5, 10):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: now + timedelta(minutes=minutes))
        given.append(products.next_moment())

    assert given == sorted(set(given))


@pytest.mark.parametrize("name", ["B", "BS", 'a "B" b', "null"])
def test_a_name_may_look_like_anything_in_an_answer(make_product: MakeProduct, name: str):
    make_product(id="a", name=name)

    assert names(tail.Follower().fresh()) == {"a": name}


def test_a_page_of_the_index_may_end_anywhere(make_product: MakeProduct):
    elsewhere = tail.Follower()
    with wire.changing("Query", lambda params: params.update(Limit=1)):
        for number in range(3):
            make_product(id=f"p-{number}")
        elsewhere.fresh()
        for number in range(3):
            products.save(f"p-{number}", version=1, name="Neu")

        assert names(elsewhere.fresh()) == dict.fromkeys(["p-0", "p-1", "p-2"], "Neu")


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_look_that_fails_leaves_what_is_known_and_the_next_one_finds_the_rest(
    make_product: MakeProduct, caplog: pytest.LogCaptureFixture, nth: int
):
    elsewhere = tail.Follower()
    for number in range(3):
        make_product(id=f"p-{number}")
    elsewhere.fresh()
    for number in range(3):
        products.save(f"p-{number}", version=1, name="Neu")

    with wire.changing("Query", lambda params: params.update(Limit=1)), wire.failing("Query", nth=nth):
        during = names(elsewhere.fresh())

    assert set(during) == {"p-0", "p-1", "p-2"}
    assert "pages show it as it was" in caplog.text
    assert names(elsewhere.fresh()) == dict.fromkeys(["p-0", "p-1", "p-2"], "Neu")


def test_without_a_copy_and_without_a_database_there_is_nothing_to_show(make_product: MakeProduct):
    make_product()

    with wire.failing("Query", nth=1), pytest.raises(Contention):
        tail.Follower().fresh()


def test_a_database_that_is_away_is_not_asked_by_every_page(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    make_product()
    elsewhere = tail.Follower()
    elsewhere.fresh()
    monkeypatch.setattr(tail, "FRESH_SECONDS", 0.0)
    with wire.failing("Query", nth=1):
        elsewhere.fresh()
    monkeypatch.setattr(tail, "FRESH_SECONDS", 60.0)
    elsewhere._known_at = float("-inf")

    with wire.heard() as calls:
        names(elsewhere.fresh())

    assert calls == []


def test_a_copy_that_is_mostly_past_is_read_anew(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    make_product(id="a")
    elsewhere = tail.Follower()
    old = elsewhere.fresh()
    monkeypatch.setattr(Replica, "is_wasteful", property(lambda self: self is old))

    new = elsewhere.fresh()
    new = elsewhere.fresh()

    assert new is not old
    assert new.version != old.version
    assert names(new) == {"a": "Laufschuh Luchs"}


def test_pages_do_not_wait_for_a_slow_database(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    make_product(id="a")
    elsewhere = tail.Follower()
    elsewhere.fresh()
    may_answer = threading.Event()
    slow = SimpleNamespace(query=lambda **_: may_answer.wait(10) and {"Items": []})
    monkeypatch.setattr(tail.dynamodb, "connection", lambda: SimpleNamespace(client=slow))
    monkeypatch.setattr(tail, "PATIENCE_SECONDS", 0.01)

    shown = [names(elsewhere.fresh()) for _ in range(2)]
    monkeypatch.setattr(tail, "STALE_SECONDS", 3600)
    shown.append(names(elsewhere.fresh()))
    may_answer.set()

    assert shown == [{"a": "Laufschuh Luchs"}] * 3
    elsewhere._look.join()  # type: ignore[union-attr]


def test_a_product_that_comes_twice_in_one_answer_is_shown_once():
    replica = Replica()

    replica.take([_raw("a", "2026-01-02T00:00:00.000000Z", 2), _raw("a", "2026-01-01T00:00:00.000000Z", 1)])
    replica.take([_raw("b", "2026-01-01T00:00:00.000000Z", 1), _raw("b", "2026-01-02T00:00:00.000000Z", 2)])

    assert names(replica) == {"a": "2", "b": "2"}


def test_what_came_is_found_when_it_is_shown_and_not_before():
    replica = Replica()
    replica.take([_raw("a", "2026-01-01T00:00:00.000000Z", 1), _raw("b", "2026-01-01T00:00:00.000000Z", 1)])
    before = replica.version

    replica.add([_raw("a", "2026-01-02T00:00:00.000000Z", 2), _raw("c", "2026-01-02T00:00:00.000000Z", 1)])
    waiting = (replica.waiting, names(replica), replica.version)
    replica.add([_raw("a", "2026-01-03T00:00:00.000000Z", 3)])
    replica.show()

    assert waiting == (2, {"a": "1", "b": "1"}, before)
    assert (replica.waiting, names(replica)) == (0, {"a": "3", "b": "1", "c": "1"})
    assert replica.version != before


def test_what_waits_is_written_in_several_transactions_and_shown_in_one_step(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "_PORTION", 2)
    replica, statements = Replica(), []
    replica._sql.set_trace_callback(statements.append)

    replica.add([_raw(name, "2026-01-01T00:00:00.000000Z", 1) for name in "abcde"])
    waiting = (statements.count("COMMIT"), names(replica))
    replica.show()

    assert waiting == (3, {})
    assert names(replica) == dict.fromkeys("abcde", "1")
    assert not replica._sql.in_transaction


def test_what_is_being_taken_in_is_not_shown_beside_what_it_was(monkeypatch: pytest.MonkeyPatch):
    """An admin saves, and the look in the background shows what it has found as soon as it may."""
    replica = Replica()
    replica.take([_raw("a", "2026-01-01T00:00:00.000000Z", 1)])
    lock, look = replica._lock, threading.Thread(target=replica.show)

    class Lock:
        def __enter__(self) -> None:
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()
            if replica.waiting and look.ident is None:
                look.start()
                look.join(0.2)  # Where it has to wait for us, this is how long it tries.

    monkeypatch.setattr(replica, "_lock", Lock())

    replica.take([_raw("a", "2026-01-02T00:00:00.000000Z", 2)])
    look.join()

    assert names(replica) == {"a": "2"}


def test_a_quiet_shop_reads_no_import_again(lagging: Callable[[int], LaggingIndex], monkeypatch: pytest.MonkeyPatch):
    """What is sold out is asked for by our own clock: the newest that is known may be a whole import."""
    index, asked = lagging(1), list[str]()
    index.dice.random = lambda: 1.0  # type: ignore[method-assign]
    query = index.query

    def heard(**question: Any) -> dict[str, Any]:
        if question["IndexName"] == "availability-index":
            asked.append(question["ExpressionAttributeValues"].get(":since", {"S": ""})["S"])
        return query(**question)

    monkeypatch.setattr(index, "query", heard)
    follower = tail.Follower()
    for _ in range(30):
        index.now += 10
        follower.fresh()

    assert asked[0] == ""
    assert asked[-1] >= iso(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=index.now - 150))


def test_an_order_that_was_asked_for_while_products_waited_has_each_of_them_once():
    replica = Replica()
    replica.take([_raw("a", "2026-01-01T00:00:00.000000Z", 1)])

    replica.add([_raw("b", "2026-01-01T00:00:00.000000Z", 2)])
    names(replica)
    replica.show()

    assert list(replica._order("name")) == [0, 1]


def test_a_product_that_is_gone_before_it_is_shown_stays_away():
    replica = Replica()
    replica.add([_raw("a", "2026-01-01T00:00:00.000000Z", 1), _raw("b", "2026-01-01T00:00:00.000000Z", 1)])

    replica.drop(["a"])
    replica.show()

    assert names(replica) == {"b": "1"}


def test_the_first_page_does_not_wait_for_all_shelves(make_product: MakeProduct, monkeypatch: pytest.MonkeyPatch):
    for number in range(6):
        make_product(id=f"prod-{number}", stock=number % 2)
    catalogue.forget()
    monkeypatch.setattr(tail, "_SHELVES_FIRST_SECONDS", -1)
    monkeypatch.setattr(tail, "_FIRST_PAGE", 2)
    done = []
    for name in ("mark", "show"):
        real = getattr(Replica, name)
        monkeypatch.setattr(Replica, name, lambda self, *more, n=name, f=real: (done.append(n), f(self, *more))[1])

    in_stock = catalogue.search(query="", statuses=("active",), in_stock=True)

    assert done[:2] == ["mark", "show"]
    assert "mark" in done[2:]
    assert {one.id for one in in_stock.products} == {"prod-1", "prod-3", "prod-5"}


def test_a_large_catalogue_is_shown_in_steps_that_grow(lagging: Callable[[int], LaggingIndex]):
    """Each step makes all pages anew; every page of the index would be hundreds of them."""
    index = lagging(1)
    index.dice.random = lambda: 1.0  # type: ignore[method-assign]
    for number in range(300):
        index.save(f"p-{number:03}")
    index.now += 100
    follower = tail.Follower()

    shown = len(names(follower.fresh()))

    assert shown == 300
    assert follower.replica.changes <= 10


def test_a_copy_remembers_no_more_than_it_may():
    kept: dict[str, int] = {}

    for number, key in enumerate("abcab"):
        store.remember(kept, key, number, 2)

    assert kept == {"a": 3, "b": 4}


def test_what_is_not_about_clocks_is_not_taken_for_it():
    with wire.refusing("UpdateItem", "ValidationException"), pytest.raises(UpdateError):
        products.next_moment()


# Any order of events, over an index that lags behind


class LaggingIndex:
    """An index of products by moment that follows its table some seconds late, read in pages of a few."""

    def __init__(self, dice: random.Random) -> None:
        self.dice, self.now, self.clock_latest = dice, 0.0, datetime(2026, 1, 1, tzinfo=UTC)
        #: Every version ever written: (visible from, id, moment, version).
        self.written: list[tuple[float, str, str, int]] = []

    def save(self, product_id: str) -> None:
        """A save by a server whose clock is up to ten minutes off; others see it up to 50 seconds later."""
        own_clock = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.now + self.dice.uniform(-600, 600))
        self.clock_latest = max(own_clock, self.clock_latest + timedelta(microseconds=1))
        version = 1 + sum(one == product_id for _, one, _, _ in self.written)
        lag = self.dice.choice([0, 0.1, 1, 50])
        self.written.append((self.now + lag, product_id, iso(self.clock_latest), version))

    def latest(self) -> dict[str, str]:
        return {product_id: str(version) for _, product_id, _, version in self.written}

    def query(self, **question: Any) -> dict[str, Any]:
        if self.dice.random() < 0.03:
            raise ConnectionClosedError(endpoint_url="http://127.0.0.1")
        if question["IndexName"] != "catalogue-index":
            return {"Items": []}
        visible = {}
        for since, product_id, moment, version in self.written:
            if since <= self.now and visible.get(product_id, ("",))[0] < moment:
                visible[product_id] = (moment, version)
        rows = sorted(
            ((moment, one, version) for one, (moment, version) in visible.items()),
            reverse=not question["ScanIndexForward"],
        )
        least = question["ExpressionAttributeValues"].get(":since", {"S": ""})["S"]
        rows = [row for row in rows if row[0] > least]
        if "ExclusiveStartKey" in question:
            last = (question["ExclusiveStartKey"]["updatedAt"]["S"], question["ExclusiveStartKey"]["id"]["S"])
            rows = [row for row in rows if (row[:2] > last) == question["ScanIndexForward"] and row[:2] != last]
        page, rest = rows[: (size := self.dice.randint(1, 3))], rows[size:]
        items = [_raw(product_id, moment, version) for moment, product_id, version in page]
        more = {"LastEvaluatedKey": {"updatedAt": items[-1]["updatedAt"], "id": items[-1]["id"]}} if rest else {}
        return {"Items": items, **more}


def _raw(product_id: str, moment: str, version: int) -> dict[str, Any]:
    return {
        "id": {"S": product_id},
        "name": {"S": str(version)},
        "price": {"N": "9.99"},
        "updatedAt": {"S": moment},
        "status": {"S": "active"},
        "version": {"N": str(version)},
    }


@pytest.fixture
def lagging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], LaggingIndex]]:
    def make(seed: int) -> LaggingIndex:
        index = LaggingIndex(random.Random(seed))
        monkeypatch.setattr(tail.dynamodb, "connection", lambda: SimpleNamespace(client=index))
        monkeypatch.setattr(tail.time, "monotonic", lambda: index.now)
        monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=index.now))
        return index

    return make


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_in_whatever_order_nothing_is_missed_or_turned_back(
    lagging: Callable[[int], LaggingIndex], seed: int
):
    index = lagging(seed)
    for number in range(5):
        index.save(f"p-{number}")
    index.now += 100
    follower, seen = tail.Follower(), dict[str, int]()

    for _ in range(60):
        index.now += index.dice.choice([0, 0.5, 3, 20])
        for _ in range(index.dice.randint(0, 3)):
            index.save(f"p-{index.dice.randint(0, 12)}")
        try:
            shown = names(follower.fresh())
        except Contention:
            continue
        assert all(int(version) >= seen.get(one, 0) for one, version in shown.items())
        seen |= {one: int(version) for one, version in shown.items()}
    index.now += 51
    for _ in range(20):
        index.now += 3
        shown = names(follower.fresh())

    assert shown == index.latest()


def test_a_copy_that_only_asks_for_what_is_newer_misses_what_comes_late(
    lagging: Callable[[int], LaggingIndex], monkeypatch: pytest.MonkeyPatch
):
    """The control: without looking back the same events lose changes."""
    monkeypatch.setattr(tail, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(tail, "_YOUNG", timedelta(0))
    monkeypatch.setattr(tail, "_CLOCKS_APART", timedelta(0))
    missed = 0
    for seed in range(10):
        try:
            test_whatever_happens_in_whatever_order_nothing_is_missed_or_turned_back(lagging, seed)
        except AssertionError:
            missed += 1

    assert missed
