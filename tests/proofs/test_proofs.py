"""The proofs, small. ``make prove`` runs them at their full size."""

import pytest

from tests.proofs import PROOFS
from tests.proofs.__main__ import start

SEED = 1


@pytest.mark.parametrize("name", PROOFS)
def test_holds(name: str) -> None:
    outcome = start(name, full=False, control=False, seed=SEED)

    assert outcome.ran
    assert outcome.wrong == []


@pytest.mark.parametrize("name", PROOFS)
def test_the_same_finds_a_shop_wrong_that_lacks_the_protection(name: str) -> None:
    outcome = start(name, full=False, control=True, seed=SEED)

    assert outcome.ran
    assert outcome.wrong
