"""The attacks, small. ``make attack`` runs them at their full size."""

import pytest

from tests.attacks import PROOFS
from tests.proofs.__main__ import start

SEED = 1


@pytest.mark.parametrize("name", PROOFS)
def test_no_door_is_open(name: str) -> None:
    outcome = start(name, package="tests.attacks", full=False, control=False, seed=SEED)

    assert outcome.ran
    assert outcome.wrong == []


@pytest.mark.parametrize("name", PROOFS)
def test_the_same_finds_a_shop_open_that_lacks_the_defence(name: str) -> None:
    outcome = start(name, package="tests.attacks", full=False, control=True, seed=SEED)

    assert outcome.ran
    assert outcome.wrong
