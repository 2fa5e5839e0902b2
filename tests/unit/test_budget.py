"""A request has so many items to read, in all its threads."""

import pytest

from chalicelib.core.errors import TooLarge
from chalicelib.store.aws import read_budget
from chalicelib.store.aws.read_budget import Budget
from chalicelib.store.aws.side_by_side import side_by_side


def test_as_many_items_as_allowed_and_no_more() -> None:
    with Budget(10).counting():
        read_budget.spend(9)
        read_budget.spend(1)
        read_budget.spend(0)
        with pytest.raises(TooLarge, match=r"read too much \(max=10 people and data\)"):
            read_budget.spend(1)


def test_what_is_refused_is_not_counted() -> None:
    with Budget(10).counting():
        with pytest.raises(TooLarge):
            read_budget.spend(11)
        read_budget.spend(10)


def test_threads_share_it_and_others_have_none() -> None:
    with Budget(100).counting():
        side_by_side([lambda: read_budget.spend(10)] * 10)
        with pytest.raises(TooLarge):
            side_by_side([lambda: read_budget.spend(1)] * 2)
    read_budget.spend(1_000_000)
