"""A sweeper in a process of its own, whose clock is wrong. Started by ``sweepers``.

    python -m tests.proofs.sweeps.sweeper MINUTES careful|careless

Says that it is ready, waits for a line, sweeps until a sweep finds nothing more to release, and says how much it did:
one JSON object a line. The careless one forgets that a cart may have been written since it was read.
"""

from __future__ import annotations

import json
import sys
import time

import time_machine

MOST_SWEEPS = 20


def main(minutes: str, kind: str) -> int:
    # The whole process lives at another time, as a machine does whose clock is wrong.
    with time_machine.travel(time.time() + float(minutes) * 60, tick=True):
        _sweep(careless=kind == "careless")
    return 0


def _sweep(*, careless: bool) -> None:
    import django

    django.setup()
    from inventory import dynamodb, reservations
    from inventory.models import Cart

    if careless:
        # Nothing else is missing: the units move with the cart, in one transaction, if the product has them.
        Cart.unchanged = lambda cart: Cart.user_id.exists()
    dynamodb.get(Cart, "nobody")  # The first question opens the connection; nobody should wait for that later.
    _say(ready=True)
    sys.stdin.readline()
    began = time.perf_counter()
    released: list[int] = []
    while not released or (released[-1] and len(released) < MOST_SWEEPS):
        released.append(reservations.release_expired())
    _say(released=sum(released), sweeps=len(released), seconds=round(time.perf_counter() - began, 1))


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
