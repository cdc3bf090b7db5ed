"""What is right: the state that a flow may leave, and what may be said about it."""

from __future__ import annotations

from dataclasses import dataclass

from inventory import baskets, dynamodb
from inventory.models import Cart, Order, Product
from tests.faults import Call, Kind
from tests.proofs.matrix.flows import Flow
from tests.proofs.matrix.stage import Stage, State
from tests.proofs.promises import Books

DONE, KILLED, UNAVAILABLE = "done", "killed", "unavailable"
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
#: Nobody is sent away before the rules' own time is up, less one pause that would not have fitted into it.
_GIVE_UP_SECONDS = dynamodb.RETRY_SECONDS - 0.4
_AN_ANSWER_CAME = {Kind.CONFLICT, Kind.SLOW, Kind.PARTLY}


@dataclass(frozen=True)
class Right:
    """What a flow comes to without faults. ``between`` is where it may stop on the way."""

    said: str
    before: State
    after: State
    between: tuple[State, ...]
    calls: list[Call]


@dataclass
class Press:
    """One time that somebody did it. ``said``: "done", "killed", "unavailable", a refusal's name, or what came out.

    ``found`` and ``left`` are the states before and after, ``hits`` the attempts that a fault has hit, ``seconds`` how
    long it took by the faults' clock.
    """

    said: str
    calls: list[Call]
    hits: list[tuple[Call, Kind]]
    seconds: float = 0.0
    result: object = None
    found: State = ()
    left: State = ()

    @property
    def is_write_lost(self) -> bool:
        return any(call.operation not in READS and kind not in _AN_ANSWER_CAME for call, kind in self.hits)


def state(flow: Flow, stage: Stage, books: Books) -> State:
    return tuple(sorted([*stage.state(books), *flow.more(stage)]))


def press(flow: Flow, right: Right, made: Press, books: Books) -> list[str]:
    """What is wrong with what somebody was told, and with what they left."""
    wrong = []
    if made.left not in (right.before, *right.between, right.after):
        wrong.append(f"{made.said}, and it is half done: {difference(right.before, made.left)}")
    wrong += _told(flow, right, made)
    if made.said == DONE:
        wrong += _untrue(made.result, books)
    return wrong


def _told(flow: Flow, right: Right, made: Press) -> list[str]:
    is_done = made.left == right.after
    if made.said == right.said:
        return [] if is_done or flow.may_leave_undone else [f"said “{made.said}”, but it is not done"]
    if made.said == KILLED:
        return []
    if made.said == "Unsure":
        return _unsure(right, made, is_done=is_done)
    if made.said != "Busy" and not (made.said == UNAVAILABLE and flow.may_be_unavailable):
        return [f"told {made.said}, without faults it is {right.said}"]
    if made.left != made.found and made.left not in right.between:
        return [f"told {made.said}, but it was written: {difference(made.found, made.left)}"]
    if made.said == "Busy" and made.seconds < _GIVE_UP_SECONDS:
        return [f"told Busy after only {made.seconds:.1f} s"]
    return []


def _unsure(right: Right, made: Press, *, is_done: bool) -> list[str]:
    """To be unsure takes a write whose answer was lost, and then a look at what came of it that was spoiled too."""
    if is_done and made.hits and made.hits[-1][0] == made.calls[-1] and made.calls[-1].operation in READS:
        return []  # It was done, but there was nothing to show for it.
    if not made.is_write_lost:
        return ["Unsure, although no answer to a write was lost"]
    # Where room has to be made first, the look is followed by one more try, for which no time may be left.
    if len({call.number for call, _ in made.hits}) < 2 and not right.between:
        return ["Unsure, although it could have looked"]
    return [f"Unsure after only {made.seconds:.1f} s"] * (made.seconds < _GIVE_UP_SECONDS)


def promises(stage: Stage, books: Books) -> list[str]:
    return [sentence for product_id in stage.product_ids for sentence in books.broken(product_id)]


def nothing_held(stage: Stage, books: Books) -> list[str]:
    products = [books.products[product_id] for product_id in stage.product_ids if product_id in books.products]
    return [f"stuck: {product.reserved} of {product.id}" for product in products if product.reserved]


def difference(was: State, is_now: State) -> str:
    """Two states as what went and what came."""
    went, came = sorted(set(was) - set(is_now)), sorted(set(is_now) - set(was))
    return "; ".join([*(f"− {line}" for line in went), *(f"+ {line}" for line in came)]) or "no difference"


def _untrue(result: object, books: Books) -> list[str]:
    """What a rule gave back is what stands in the tables."""
    if isinstance(result, list):
        orders = {order.id for order in result if isinstance(order, Order)}
        return [f"{len(orders)} orders"] * (len(orders) > 1) + [one for each in result for one in _untrue(each, books)]
    stored = _stored(result, books)
    if stored is None or _essence(result) == _essence(stored):
        return []
    return [f"gave back {_essence(result)}, but there is {_essence(stored)}"]


def _stored(result: object, books: Books) -> object:
    if isinstance(result, Product):
        return books.products.get(result.id, "no product")
    if isinstance(result, Order):
        return next((order for order in books.orders if order.id == result.id), "no order")
    if isinstance(result, Cart):
        return next(
            (cart for cart in books.carts if cart.user_id == result.user_id), "no cart" if result.lines else None
        )
    if isinstance(result, baskets.Basket):
        return next((cart for cart in books.carts if cart.order_id == result.token), "no cart")
    return None


def _essence(item: object) -> tuple[object, ...]:
    if isinstance(item, Product):
        return item.id, item.stock, item.available, item.reserved, item.version, item.name
    if isinstance(item, Order):
        return item.id, item.status, item.total_cents, item.units, item.tracking
    if isinstance(item, Cart):
        return item.order_id, item.total_cents, item.units
    if isinstance(item, baskets.Basket):
        return item.token, item.total_cents, item.units
    return (item,)
