"""The judge of the random operations: what it lets pass, and what it does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from inventory.errors import HoldExpired
from tests.proofs.operations.books import GUEST, USER, Carts, Rules, Side, Try, explain
from tests.proofs.operations.shelf import DONE, REFUSED

RULES = Rules(hold=timedelta(minutes=120), most=6)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def held(*, until: datetime) -> Carts:
    return Carts({GUEST: Side({"p": 1}, (until, until), "token"), USER: Side()})


def refused(kind: str, *, latest: datetime) -> Try:
    """Somebody was told that the hold is over, after a first try at noon."""
    return Try(kind, GUEST, start=NOON, end=latest, latest=latest, outcome=REFUSED, refusal=HoldExpired())


def test_an_extension_that_ran_out_before_its_answer_came_may_be_refused_and_be_there():
    before, after = held(until=NOON + timedelta(minutes=119)), held(until=NOON + timedelta(minutes=120))
    tried = refused("extend", latest=NOON + timedelta(minutes=130))

    assert explain(RULES, before, [tried], after, latest=tried.latest) is not None


def test_an_extension_that_is_still_good_was_refused_wrongly():
    before, after = held(until=NOON + timedelta(minutes=1)), held(until=NOON + timedelta(minutes=120))
    tried = refused("extend", latest=NOON + timedelta(minutes=5))

    assert explain(RULES, before, [tried], after, latest=tried.latest) is None


def test_a_checkout_that_was_refused_has_not_happened():
    before = held(until=NOON + timedelta(minutes=119))
    after = Carts({GUEST: Side(), USER: Side()}, frozenset({"token"}))
    tried = refused("checkout", latest=NOON + timedelta(minutes=130))
    tried.token = "token"

    assert explain(RULES, before, [tried], after, latest=tried.latest) is None


def test_what_was_reserved_anew_may_have_run_out_before_it_is_looked_at():
    """The shop's clock leaps between a customer's last answer and the look into the table, and somebody sweeps."""
    before = held(until=NOON + timedelta(minutes=1))
    after = Carts({GUEST: Side({"p": 1}, None, "another"), USER: Side()})
    tried = Try("renew", GUEST, start=NOON, end=NOON, latest=NOON, outcome=DONE)

    assert explain(RULES, before, [tried], after, latest=NOON + timedelta(minutes=115)) is not None
    assert explain(RULES, before, [tried], after, latest=NOON + timedelta(minutes=105)) is None
