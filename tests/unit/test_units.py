"""Amazon's price list, by examples that can be reckoned by hand."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import units

HOLD = units.Index(key=frozenset({"hold", "until"}), projected=frozenset({"id", "hold", "until", "text"}))
EVERYTHING = units.Index(key=frozenset({"status"}), projected=None)


def item(**attributes: str) -> units.Item:
    return {"id": {"S": "a"}} | {name: {"S": value} for name, value in attributes.items()}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "Größe"}, 7),
        ({"N": "0"}, 2),
        ({"N": "179.99"}, 4),
        ({"N": "-3"}, 3),
        ({"N": "1000000"}, 2),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"S": "c"}]}, 3 + 3 + 2),
        ({"M": {"name": {"S": "x"}}}, 3 + 1 + 4 + 1),
    ],
)
def test_an_attribute_is_as_large_as_its_name_and_its_value(value: dict[str, Any], size: int) -> None:
    assert units.size({"name": value}) == 4 + size


def test_what_the_shop_never_stores_has_no_size() -> None:
    with pytest.raises(ValueError, match="SS"):
        units.size({"name": {"SS": ["a"]}})


@pytest.mark.parametrize(("size", "cost"), [(10, 1), (1024, 1), (1025, 2), (4097, 5)])
def test_a_write_is_charged_by_the_kilobyte_of_the_larger_image(size: int, cost: int) -> None:
    large, small = {"a": {"S": "x" * (size - 1)}}, {"a": {"S": "x"}}

    assert units.write(None, large) == units.write(large, None) == units.write(large, small) == cost
    assert units.transaction_write([], small, large) == 2 * cost


@pytest.mark.parametrize(("size", "cost"), [(10, 1), (4096, 1), (4097, 2)])
def test_a_read_is_charged_by_four_kilobytes_and_half_as_much_if_it_may_be_old(size: int, cost: int) -> None:
    found = [{"a": {"S": "x" * (size - 1)}}]

    assert units.read(found, consistent=True) == cost
    assert units.read(found, consistent=False) == cost / 2


def test_to_find_nothing_costs_as_much_as_to_find_something_small() -> None:
    assert units.read([], consistent=True) == 1


def test_an_index_is_charged_for_what_changes_in_it() -> None:
    held, free = item(hold="x", until="1", text="t"), item(text="t")

    assert units.index_write(HOLD, None, free) == 0
    assert units.index_write(HOLD, free, held) == 1
    assert units.index_write(HOLD, held, held | {"more": {"S": "not projected"}}) == 0
    assert units.index_write(HOLD, held, held | {"text": {"S": "other"}}) == 1
    assert units.index_write(HOLD, held, held | {"until": {"S": "2"}}) == 2
    assert units.index_write(HOLD, held, free) == 1


def test_a_transaction_doubles_the_table_and_not_its_indexes() -> None:
    assert units.transaction_write([HOLD, EVERYTHING], None, item(hold="x", until="1", status="new")) == 2 + 1 + 1
