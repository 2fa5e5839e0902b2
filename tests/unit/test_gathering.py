"""The limits of a response about several users: pairs and bytes are counted before they are all in memory."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.errors import TooLarge
from chalicelib.store.appdata.ledger import AskedKeys, Ledger
from chalicelib.store.appdata.many_users import _parts, gather
from chalicelib.store.appdata.packing import ListedValue
from chalicelib.store.appdata.snapshot import Values, lookups

EMPTY = dict.fromkeys("abcde", "")


class Ledgers:
    """Ledgers with five empty values each, and the number of those read; the last has `unlisted` more values."""

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
    # Each requested key that may be an unlisted value counts.
    with pytest.raises(TooLarge):
        found(Ledgers(20, unlisted=7), keys, 20)


@pytest.mark.parametrize(
    ("names", "total", "unlisted", "units"),
    [
        (1, 0, 3, 1),
        (9, 0, 3, 2),
        (9, 30_000, 3, 9),
        (0, 99_999, 3, 0),
        # A pass over empty values is not cheap: their keys may have 255 bytes each.
        (99, 0, 10_000, 99),
        (900, 0, 10_000, 900),
        (900, 0, 5_000, 347),
        # A pass would be cheaper, but longer than two pages.
        (900, 2_000_000, 3, 900),
    ],
)
def test_keys_that_are_not_listed_cost_a_look_up_each_or_one_pass(
    names: int, total: int, unlisted: int, units: int
) -> None:
    ledger = Ledger("app", "user", "epoch000", total=total, inline=EMPTY, unlisted=unlisted)
    keys = frozenset(f"x{turn}" for turn in range(names)) | {"a"}

    assert lookups(ledger, keys) == units
    assert lookups(replace(ledger, unlisted=0), keys) == 0


def test_values_that_a_ledger_lists_are_looked_up_too() -> None:
    ledger = Ledger("app", "user", "epoch000", listed={key: ListedValue(1, 0) for key in "abcde"})
    assert (lookups(ledger, None), lookups(ledger, frozenset("abx"))) == (5, 2)


@pytest.mark.parametrize("keys", [None, frozenset("abc")])
def test_so_are_those_of_several_users_where_every_key_is_asked(keys: AskedKeys) -> None:
    ledgers = [Ledger("app", f"user{turn}", "e", listed={key: ListedValue(0, 0) for key in "abc"}) for turn in range(4)]
    values, bounds = Values(NO_CLIENT, "appdata"), {"most": 0, "most_pairs": 99}
    with pytest.raises(TooLarge, match=r"max=11"):
        gather(values, ledgers, keys, most_lookups=11, reread=lambda _: None, **bounds)


def test_users_whose_values_are_not_known_are_read_together_as_far_as_they_fit() -> None:
    """Unlisted values may have all bytes that are not listed, but a single value at most the maximum size."""
    sizes = [400, 600, 1, 999, 5_000, 100_000, 0]
    vague = [Ledger("app", f"user{turn}", "e", total=size, unlisted=2) for turn, size in enumerate(sizes)]
    plain = [Ledger("app", f"plain{turn}", "e") for turn in range(3)]

    def parts(keys: AskedKeys, most: int) -> list[list[str]]:
        return [[ledger.user for ledger in part] for part in _parts([*vague[:3], *plain, *vague[3:]], keys, most)]

    first = ["plain0", "plain1", "plain2"]
    assert parts(None, 1_000) == [first, ["user0", "user1"], ["user2", "user3"], ["user4"], ["user5"], ["user6"]]
    # No single value has 100,000 bytes.
    assert parts(frozenset("x"), 72_535) == [first, [f"user{turn}" for turn in range(7)]]
    assert parts(frozenset("x"), 72_534) == [first, [f"user{turn}" for turn in range(5)], ["user5", "user6"]]


def test_the_look_ups_for_several_users_are_bounded() -> None:
    keys = frozenset({"a", "x"})

    values = Values(NO_CLIENT, "appdata")

    def ledgers() -> list[Ledger]:
        return [Ledger("app", f"user{turn}", "epoch000", inline=EMPTY, unlisted=1) for turn in range(4)]

    with pytest.raises(TooLarge, match=r"Too many keys for so many users \(max=3 lookups\); name fewer"):
        gather(values, ledgers(), keys, most=0, most_pairs=99, most_lookups=3, reread=lambda _: None)
    # Within the bound they are read, which fails because this table has no client.
    with pytest.raises(AttributeError):
        gather(values, ledgers(), keys, most=0, most_pairs=99, most_lookups=4, reread=lambda _: None)
