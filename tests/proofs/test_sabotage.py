"""Which tests a mutant meets, and in which processes."""

from tests.proofs import sabotage
from tests.proofs.mutants import Mutant, all_mutants, harmless


def _asked(by: str) -> list[tuple[str, ...]]:
    mutant = Mutant("inventory/orders.py", "a check", "old", "new", by)
    return [tuple(tests) for tests in sabotage.asked(mutant)]


def test_the_test_that_should_notice_is_asked_first_and_then_its_file() -> None:
    first, second, *_ = _asked("test_orders::test_cancel_gives_units_back_once")

    assert first == ("tests/unit/test_orders.py::test_cancel_gives_units_back_once",)
    assert second == ("tests/unit/test_orders.py",)


def test_no_process_meets_the_tests_of_two_worlds() -> None:
    every = [tests for mutant in (*all_mutants(), *harmless()) for tests in sabotage.asked(mutant)]

    worlds = [{name.split("/")[1] for name in tests if name.startswith("tests/")} for tests in every]

    assert all(len(folders) == 1 for folders in worlds)
    assert set().union(*worlds) == {"unit", "integration", "proofs"}


def test_a_file_that_was_asked_is_not_asked_again() -> None:
    asked = _asked("test_orders")

    assert [tests for tests in asked if "tests/unit/test_orders.py" in tests] == [("tests/unit/test_orders.py",)]
