"""A request has so many items to read, in all its threads."""

import pytest

from chalicelib.core.errors import TooLarge
from chalicelib.store import budget
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.budget import Budget


def test_as_many_items_as_allowed_and_no_more() -> None:
    with Budget(10).counting():
        budget.spend(9)
        budget.spend(1)
        budget.spend(0)
        with pytest.raises(TooLarge, match=r"read too much \(max=10 people and data\)"):
            budget.spend(1)


def test_what_is_refused_is_not_counted() -> None:
    with Budget(10).counting():
        with pytest.raises(TooLarge):
            budget.spend(11)
        budget.spend(10)


def test_threads_share_it_and_others_have_none() -> None:
    with Budget(100).counting():
        side_by_side([lambda: budget.spend(10)] * 10)
        with pytest.raises(TooLarge):
            side_by_side([lambda: budget.spend(1)] * 2)
    budget.spend(1_000_000)
