"""What one answer may hold of several users: pairs are counted as well as bytes, before they are all in memory."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import TooLarge
from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.appdata.many_users import gather
from chalicelib.store.appdata.snapshot import AskedKeys, Values, lookups

EMPTY = dict.fromkeys("abcde", "")


class Ledgers:
    """Ledgers of five empty values each, and how many were asked for; the last has `unlisted` more."""

    def __init__(self, count: int, unlisted: int = 0) -> None:
        self.count, self.unlisted, self.seen = count, unlisted, 0

    def __iter__(self) -> Iterator[Ledger]:
        for number in range(self.count):
            self.seen += 1
            last = number == self.count - 1
            yield Ledger("app", f"user{number}", "epoch000", inline=EMPTY, unlisted=self.unlisted if last else 0)


NO_CLIENT: Any = None


def found(ledgers: Ledgers, keys: AskedKeys, most_pairs: int, most_lookups: int = 999) -> dict[str, dict[str, str]]:
    # No value is an item of its own, so nothing is read.
    values, bounds = Values(NO_CLIENT, "appdata"), {"most_pairs": most_pairs, "most_lookups": most_lookups}
    return gather(values, ledgers, keys, most=0, reread=lambda user: None, **bounds)


def test_as_many_pairs_as_allowed_pass_and_one_more_is_refused() -> None:
    assert found(Ledgers(4), None, 20) == {f"user{number}": EMPTY for number in range(4)}
    with pytest.raises(TooLarge, match=r"too many pairs for one answer \(max=19\)"):
        found(Ledgers(4), None, 19)


def test_no_more_ledgers_are_unpacked_than_it_takes_to_know() -> None:
    ledgers = Ledgers(1000)
    with pytest.raises(TooLarge):
        found(ledgers, None, 12)
    assert ledgers.seen == 3


def test_values_that_a_ledger_does_not_list_count() -> None:
    with pytest.raises(TooLarge):
        found(Ledgers(1, unlisted=1), None, 5)


def test_asked_by_name_only_what_is_asked_counts() -> None:
    keys = frozenset({"a", "x"})
    assert found(Ledgers(20), keys, 20) == {f"user{number}": {"a": ""} for number in range(20)}
    # Of the values that are not listed, as many as it may be by their names.
    with pytest.raises(TooLarge):
        found(Ledgers(20, unlisted=7), keys, 20)


@pytest.mark.parametrize(
    ("names", "total", "units"), [(1, 0, 1), (9, 0, 1), (9, 4_095, 1), (9, 4_096, 2), (9, 99_999, 9), (0, 99_999, 0)]
)
def test_keys_that_are_not_listed_cost_a_look_up_each_or_one_pass(names: int, total: int, units: int) -> None:
    ledger = Ledger("app", "user", "epoch000", total=total, inline=EMPTY, unlisted=3)
    keys = frozenset(f"x{turn}" for turn in range(names)) | {"a"}

    assert lookups(ledger, keys) == units
    assert lookups(replace(ledger, unlisted=0), keys) == 0


def test_the_look_ups_for_several_users_are_bounded() -> None:
    keys = frozenset({"a", "x"})

    values = Values(NO_CLIENT, "appdata")

    def ledgers() -> list[Ledger]:
        return [Ledger("app", f"user{turn}", "epoch000", inline=EMPTY, unlisted=1) for turn in range(4)]

    with pytest.raises(TooLarge, match=r"looked up for so many users \(max=3\); name fewer"):
        gather(values, ledgers(), keys, most=0, most_pairs=99, most_lookups=3, reread=lambda _: None)
    # Within the bound they are read, which this table has no client for.
    with pytest.raises(AttributeError):
        gather(values, ledgers(), keys, most=0, most_pairs=99, most_lookups=4, reread=lambda _: None)
