"""Exact looks at products while the shop goes on.

A product's ``moves`` counts every change of its numbers, and each of these is one transaction with a cart, an order or
a movement. So whoever reads the same count before and after has seen cart, orders and movements of one moment. What
moves all the time is seen in one reading transaction with its carts instead.

What does not add up is looked at again, with growing pauses: single reads may see the parts of a transaction a moment
apart. An index may be behind, by however much: before carts are called wrong, all of them are read, never the index
alone. Only what stays wrong is said to be wrong.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from inventory.proof import judging, reading
from inventory.proof.books import Suspect
from inventory.proof.facts import Moved, Seen, Shelf
from inventory.proof.findings import Finding
from inventory.proof.judging import Question
from inventory.tables import Progress

#: Before each round of looks. Whoever stands still is settled in the first; who is wrong takes three; the rest are
#: for products that move all the time.
PAUSES_SECONDS = (0.0, 0.1, 0.2, 0.5, 1.0, *[1.0] * 8)
#: So many times, and over so long, the same must be found wrong.
LOOKS_TO_BE_SURE = 3
LOOKS_TO_BALANCE = 2
SECONDS_TO_BE_SURE = 0.8
#: A page waits so long before it looks again at what seems wrong, and reads at the most so many movements of a product.
PAGE_PAUSE_SECONDS = 0.7
PAGE_MOVEMENTS = 5_000
_AT_ONCE = 25
_QUICK_LOOKS = 5
#: How far back the newest movements are read again: two that came at once may be kept in either order.
_NEWEST = 20


@dataclass
class Case:
    """A suspect with what the looks have found so far."""

    suspect: Suspect
    open: set[Question] = field(default_factory=lambda: set(Question))
    times: Counter[tuple[object, ...]] = field(default_factory=Counter)
    first: dict[tuple[object, ...], float] = field(default_factory=dict)
    latest: dict[Question, list[Finding]] = field(default_factory=dict)
    wrong: list[Finding] = field(default_factory=list)
    is_long: bool = False
    balanced: int = 0
    #: What the last look has seen.
    shelf: Shelf | None = None
    movements: list[Moved] | None = None

    def hear(self, answers: Mapping[Question, list[Finding] | None], *, moving: bool = False) -> None:
        """Take in what a look has answered. Of carts that ``moving`` products are in, one may have been unknown to us
        and just made up for what is missing: these must balance twice, without a new one in between."""
        for question in list(self.open):
            found = answers[question]
            if question is Question.CARTS and found is not None:
                self.balanced = 0 if found else self.balanced + 1
            if found == []:
                if not (question is Question.CARTS and moving and self.balanced < LOOKS_TO_BALANCE):
                    self.open.discard(question)
            elif found is not None:
                self.latest[question] = found
                for finding in found:
                    self.times[finding.key] += 1
                    self.first.setdefault(finding.key, time.monotonic())

    def meet(self, owners: Collection[str]) -> None:
        """Take in who holds the product by the index. Whoever is new was not counted by the looks before."""
        new = set(owners) - self.suspect.owners
        if new:
            self.suspect.owners |= new
            self.balanced = 0
            self.latest.pop(Question.CARTS, None)
            for key in [key for key in self.times if key[0] in judging.KINDS_OF_CARTS]:
                del self.times[key], self.first[key]

    def settle(self) -> None:
        """Call wrong what was found wrong often enough, for long enough."""
        for question in list(self.open):
            found = self.latest.get(question, [])
            if found and all(self._is_sure(finding) for finding in found):
                self.wrong += found
                self.open.discard(question)

    def _is_sure(self, finding: Finding) -> bool:
        seconds = time.monotonic() - self.first[finding.key]
        return self.times[finding.key] >= LOOKS_TO_BE_SURE and seconds >= SECONDS_TO_BE_SURE


def settle(suspects: Iterable[Suspect], cases: list[Case]) -> Iterator[Progress]:
    """Look at suspects until each is settled, within bounds; appends a case for each of them to ``cases``.

    A case that still has open questions at the end could not be judged: it moved all the time.
    """
    cases += [Case(suspect) for suspect in suspects]
    waiting = list(cases)
    for pause in PAUSES_SECONDS:
        if not waiting:
            break
        time.sleep(pause)
        in_doubt = any(Question.CARTS in case.latest for case in waiting)
        holders = reading.every_holder() if in_doubt else reading.holders()
        for case in waiting:
            case.meet(holders.get(case.suspect.product_id, ()))
            case.settle()
        waiting = [case for case in waiting if case.open]
        for start in range(0, len(waiting), _AT_ONCE):
            _look(waiting[start : start + _AT_ONCE])
            yield _progress(cases)
        waiting = [case for case in waiting if case.open]
    if cases:
        yield _progress(cases)


def _progress(cases: list[Case]) -> Progress:
    return Progress("looked at again", sum(not case.open for case in cases), len(cases))


@dataclass(frozen=True)
class Verdict:
    """What a page can say of a product at once: ``right``, ``wrong``, ``moving``, or ``long`` (too many movements).

    It is said of these numbers and movements; None where there is no such product, or more movements than a page reads.
    """

    state: str
    wrong: list[Finding]
    shelf: Shelf | None
    movements: list[Moved] | None


@dataclass(frozen=True)
class Begun:
    """What a page has read of some products already, in this order: themselves, and who holds them by the index."""

    shelves: dict[str, Shelf]
    holders: Mapping[str, Collection[str]] | None = None


def verdicts(
    product_ids: Collection[str],
    *,
    begun: Begun | None = None,
    orders: Callable[[list[Moved]], Collection[str]] | None = None,
) -> dict[str, Verdict]:
    """Look at some products now, at the most twice.

    ``orders`` says of a product's movements which orders are to be compared with them. The first look goes on from what
    has ``begun``: the products that were read there stand before everything else that it reads.
    """
    cases = {one: Case(Suspect(one, compares=orders)) for one in product_ids}
    _look_for_page(list(cases.values()), begun)
    doubtful = [case for case in cases.values() if case.open]
    if any(case.latest for case in doubtful):
        time.sleep(PAGE_PAUSE_SECONDS)
        _look_for_page(doubtful)
    return {product_id: _verdict(case) for product_id, case in cases.items()}


def _verdict(case: Case) -> Verdict:
    wrong = [one for question in case.open for one in case.latest.get(question, ()) if case.times[one.key] > 1]
    state = "wrong" if wrong else "right" if not case.open else "long" if case.is_long else "moving"
    return Verdict(state, wrong, case.shelf, case.movements)


def _look_for_page(cases: list[Case], begun: Begun | None = None) -> None:
    holders = begun.holders if begun and begun.holders is not None else reading.holders()
    for case in cases:
        case.meet(holders.get(case.suspect.product_id, ()))
    _look(cases, limit=PAGE_MOVEMENTS, before=begun.shelves if begun else None)


def _look(cases: list[Case], *, limit: int | None = None, before: dict[str, Shelf] | None = None) -> None:
    after, seen = _see([case.suspect for case in cases], limit=limit, before=before)
    for case, together in zip(cases, seen, strict=True):
        case.shelf = after.get(case.suspect.product_id)
        if together is None:
            _look_closely(case, limit=limit)
        else:
            case.movements, case.is_long = together.movements, together.movements is None
            case.hear(judging.answers(case.suspect.product_id, together, case.suspect.orders))


def see(suspects: Collection[Suspect]) -> list[Seen | None]:
    """Some products with everything about them, each at one moment; None for those that moved meanwhile."""
    return _see(suspects)[1]


def _see(
    suspects: Collection[Suspect], *, limit: int | None = None, before: dict[str, Shelf] | None = None
) -> tuple[dict[str, Shelf], list[Seen | None]]:
    """Products as they are at the end, and as ``see`` has it.

    Movements, carts and orders are all read between the products before and the products after, in whatever order:
    movements first, since they say which orders are asked for.
    """
    ids = [suspect.product_id for suspect in suspects]
    before = reading.shelves(ids) if before is None else before
    movements = {product_id: reading.movements(product_id, limit=limit) for product_id in ids}
    for suspect in suspects:
        suspect.hear(movements[suspect.product_id] or [])
    baskets, sales = reading.promises(
        {owner_id for suspect in suspects for owner_id in suspect.owners},
        {order_id for suspect in suspects for order_id in suspect.orders},
    )
    after = reading.shelves(ids)
    return after, [
        Seen(after.get(product_id), baskets, movements[product_id], sales)
        if before.get(product_id) == after.get(product_id)
        else None
        for product_id in ids
    ]


def _look_closely(case: Case, *, limit: int | None) -> None:
    """At one product that moves: a few quick looks, until everything that is still asked is seen to be right."""
    product_id = case.suspect.product_id
    case.movements = reading.movements(product_id, limit=limit)
    case.is_long = case.movements is None
    if case.movements is None:
        return
    known = {moved.time: moved for moved in case.movements}
    for _ in range(_QUICK_LOOKS):
        case.meet(reading.holders().get(product_id, ()))
        seen = _see_moving(case.suspect, known)
        case.shelf, case.movements = seen.shelf, list(known.values())
        case.hear(judging.answers(product_id, seen, case.suspect.orders), moving=True)
        if not case.open:
            return


def _see_moving(suspect: Suspect, known: dict[str, Moved]) -> Seen:
    """A product at one moment with its carts, between its newest movements and the count of all of them.

    ``known`` are the movements that were read before; the newest are added. Movements are only ever added: where they
    are as many after the look as we know, they were the same all the while.
    """
    product_id = suspect.product_id
    since = sorted(known)[-_NEWEST:][:1]
    for moved in reading.movements(product_id, since="".join(since)) or ():
        known[moved.time] = moved
    few = len(suspect.owners) <= reading.MOST_AT_ONE_MOMENT
    moment = reading.at_one_moment(product_id, suspect.owners) if few else None
    shelf, baskets = moment or (reading.shelves([product_id]).get(product_id), None)
    _, sales = reading.promises((), suspect.orders)
    same = reading.count_movements(product_id) == len(known)
    return Seen(shelf, baskets, list(known.values()) if same else None, sales)
