"""The read budget of a request: all its threads share it, and a large item counts for more."""

from functools import partial

import pytest

from chalicelib.core.errors import TooLarge
from chalicelib.store.aws import read_budget
from chalicelib.store.aws.item_size import item_size
from chalicelib.store.aws.items import Item
from chalicelib.store.aws.read_budget import Budget
from chalicelib.store.aws.side_by_side import side_by_side

MESSAGE = r"read too much \(max=10 people and data\)"


def item(size: int) -> Item:
    empty: Item = {"pk": {"S": "p"}, "s": {"S": ""}}
    return empty | {"s": {"S": "x" * (size - item_size(empty))}}


def test_as_much_as_allowed_and_no_more() -> None:
    with Budget(10).counting():
        read_budget.spend(9)
        read_budget.spend(1)
        read_budget.spend(0)
        with pytest.raises(TooLarge, match=MESSAGE):
            read_budget.spend(1)


def test_what_is_refused_leaves_nothing() -> None:
    counted = Budget(10)
    with counted.counting(), pytest.raises(TooLarge, match=MESSAGE):
        read_budget.spend(11)
    with pytest.raises(TooLarge, match=MESSAGE), counted.counting():
        pass


@pytest.mark.parametrize(
    ("sizes", "more", "page"), [([], 0, 1), ([4096], 0, 1), ([4097], 1, 2), ([100, 100, 8192, 8193], 3, 5)]
)
def test_items_count_by_their_bytes(sizes: list[int], more: int, page: int) -> None:
    """An item read by its key has already been counted once; a page of a query is rounded up as a whole."""
    items = [item(size) for size in sizes]
    for counting, blocks in ((partial(read_budget.found, items), more), (partial(read_budget.queried, items), page)):
        with Budget(10).counting():
            read_budget.spend(10 - blocks)
            counting()
            with pytest.raises(TooLarge):
                read_budget.spend(1)


def test_a_write_is_counted_and_not_refused_half_way() -> None:
    counted = Budget(10)
    with counted.counting(refuses=False):
        read_budget.spend(9)
        read_budget.spend(9)
    with pytest.raises(TooLarge, match=MESSAGE), counted.counting(refuses=False):
        pass


def test_threads_share_it_and_others_have_none() -> None:
    with Budget(100).counting():
        side_by_side([lambda: read_budget.spend(10)] * 10)
        with pytest.raises(TooLarge):
            side_by_side([lambda: read_budget.spend(1)] * 2)
    read_budget.spend(1_000_000)
