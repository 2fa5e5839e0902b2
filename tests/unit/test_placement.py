"""The place of values: in the ledger or in items of their own, for any writes in any order."""

import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.window import WriteWindow
from chalicelib.store.appdata.ledger import WRITE_IDS, Ledger, new_write, to_item
from chalicelib.store.appdata.packing import WINDOW_BYTES, ListedValue, pack_data, pack_window, unpack_data
from chalicelib.store.appdata.placement import PlacedValues, place, room_for_data
from chalicelib.store.aws.item_size import item_size

START = 1_800_000_000_000
LEDGER_BYTES = 4096
MOST_TOUCHED = 99
GAPS = [1024] * 172 + [512] * 7
"""The gaps between 180 writes in 180 seconds that take the most bytes."""
LONGEST_WINDOW = WriteWindow(tuple(START + sum(GAPS[:turn]) for turn in range(180)))
LETTERS = string.ascii_letters + string.digits


@dataclass
class Store:
    """One user's data as a table would hold them, and the dictionary that they should equal."""

    ledger: Ledger = field(default_factory=lambda: Ledger("6d1f0c2ab4e79853", "k3v9x2mtq7ra", "epoch--1"))
    own: dict[str, str] = field(default_factory=dict)
    model: dict[str, str] = field(default_factory=dict)

    def write(self, changes: Mapping[str, str | None]) -> PlacedValues:
        known = self.ledger.inline.keys() | self.ledger.listed.keys()
        fetched = {key: utf8_bytes(self.own[key]) for key in changes if key in self.own and key not in known}
        for key, value in changes.items():
            if value is None:
                self.model.pop(key, None)
            else:
                self.model[key] = value
        total = sum(map(utf8_bytes, self.model.values()))
        placed = place(replace(self.ledger.successor(new_write(), LONGEST_WINDOW), total=total), changes, fetched)
        for key in placed.deletes:
            del self.own[key]
        self.own |= placed.puts
        self.ledger = placed.ledger
        self.check(placed)
        return placed

    def check(self, placed: PlacedValues) -> None:
        ledger = self.ledger
        assert widest_size(ledger) <= LEDGER_BYTES
        assert len(placed.puts.keys() | placed.deletes) <= MOST_TOUCHED
        assert not placed.puts.keys() & placed.deletes
        assert not ledger.inline.keys() & self.own.keys()
        assert ledger.inline | self.own == self.model
        assert ledger.listed.keys() <= self.own.keys()
        assert {key: listed.size for key, listed in ledger.listed.items()} == {
            key: utf8_bytes(self.own[key]) for key in ledger.listed
        }
        assert ledger.unlisted == len(self.own) - len(ledger.listed)
        assert all(ledger.listed[key].version == ledger.version for key in placed.puts if key in ledger.listed)
        assert unpack_data(to_item(ledger)["d"]["B"]) == (ledger.inline, ledger.listed)


def widest_size(ledger: Ledger) -> int:
    """Return the bytes of the item of a ledger when all but its data have the longest form."""
    ids = tuple(bytes(6) for _ in range(WRITE_IDS))
    numbers = replace(ledger, total=99_999_999, version=9_999_999_999, unlisted=99_999, packed_writes=b"".join(ids))
    return item_size(to_item(replace(numbers, packed_window=pack_window(LONGEST_WINDOW))))


def noise(seed: object, size: int) -> str:
    """Return text that deflate hardly makes smaller."""
    return "".join(random.Random(repr(seed)).choices(LETTERS, k=size))


def text(kind: str, seed: int, size: int) -> str:
    return {"noise": noise(seed, size), "run": "縁" * (size // 3), "words": f"level {seed} " * (size // 10)}[kind]


values = st.builds(
    text,
    st.sampled_from(["noise", "noise", "run", "words"]),
    st.integers(0, 50),
    st.one_of(st.just(0), st.integers(0, 60), st.integers(0, 4000), st.sampled_from([3072, 3073, 20_000, 65_535])),
)
key_names = st.integers(0, 160).map(lambda turn: noise(turn, 3 + turn) if turn % 4 == 0 else f"k{turn}")
some_changes = st.dictionaries(key_names, st.none() | values, min_size=1, max_size=12)


@st.composite
def many_changes(draw) -> dict[str, str | None]:
    """Return changes of up to 99 keys: values of about one size, or deletions."""
    first, count, seed = draw(st.integers(0, 160)), draw(st.integers(1, 99)), draw(st.integers(0, 9))
    size = draw(st.sampled_from([None, 0, 10, 40, 300, 2000, 4000]))
    names = [noise(turn, 3 + turn) if turn % 4 == 0 else f"k{turn}" for turn in range(first, first + count)]
    return {name: None if size is None else noise((name, seed), size) for name in names}


@settings(max_examples=60)
@given(st.lists(some_changes | many_changes(), min_size=1, max_size=10))
def test_after_any_writes_every_value_is_in_one_place_and_the_ledger_small_and_right(writes):
    store = Store()
    for changes in writes:
        store.write(changes)


PATTERNS: dict[str, Callable[[int], tuple[str, str]]] = {
    "hexadecimal": lambda turn: (f"s{turn:x}", "a"),
    "digits": lambda turn: (f"k{turn:04}", "a"),
    "empty": lambda turn: (f"k{turn}", ""),
    "two values": lambda turn: (f"a{turn}b", str(turn % 2)),
    "random": lambda turn: (f"s{random.Random(turn).getrandbits(64):x}", "a"),
    "levels": lambda turn: (f"item.{turn}", f"level {turn % 10}"),
}
"""Many small pairs that deflate well, so that their order makes a large difference."""


def filled(pattern: str, writes: int = 20) -> Store:
    """Return a store after `writes` writes of 99 pairs."""
    store = Store()
    for start in range(0, 99 * writes, 99):
        store.write(dict(map(PATTERNS[pattern], range(start, start + 99))))
    return store


@pytest.mark.parametrize("pattern", PATTERNS)
def test_20_writes_of_99_pairs_that_deflate_well_leave_the_ledger_within_its_bound(pattern):
    store = filled(pattern)
    assert widest_size(store.ledger) <= LEDGER_BYTES
    assert len(store.model) == 1980


@settings(max_examples=12)
@given(st.data())
def test_so_do_any_writes_and_deletes_after_that(data):
    pattern = data.draw(st.sampled_from(list(PATTERNS)))
    store = filled(pattern, data.draw(st.integers(8, 20)))
    size = st.sampled_from([None, 0, 1, 5, 40, 300, 3000, 4000])
    for _ in range(data.draw(st.integers(1, 5))):
        dice = random.Random(data.draw(st.integers(0, 10**6)))
        keys = [PATTERNS[pattern](turn)[0] for turn in dice.sample(range(2200), data.draw(st.sampled_from([1, 3, 99])))]
        fixed = data.draw(size)
        store.write({key: None if fixed is None else noise((key, fixed), fixed) for key in keys})


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_bound_holds_if_a_transaction_has_no_room_to_move_out_one_more(pattern):
    """Without one pair, the others may deflate worse, and the write has 98 own items and the one that leaves."""
    store, first = Store(), 0
    for count in (99, 10, 1):
        while place_only(store, pairs := dict(map(PATTERNS[pattern], range(first, first + count)))).is_one_item:
            store.write(pairs)
            first += count
    own = {f"own{turn}": "y" * 4000 for turn in range(98)}
    for key in random.Random(pattern).sample(list(store.ledger.inline), 12):
        store.write({key: noise(key, 3000)} | own)


def place_only(store: Store, changes: Mapping[str, str | None]) -> PlacedValues:
    """Return the same as `write` for keys that are new, but keep the store."""
    return place(store.ledger.successor(new_write(), LONGEST_WINDOW), changes, {})


def fits_beside_the_list(stay: dict[str, str], own: dict[str, ListedValue], room: int) -> bool:
    """Return whether these values fit beside a list of own values that has at most 2,048 bytes."""
    by_size = sorted(own.items(), key=lambda item: (item[1].size, item[0]), reverse=True)
    lists = [own, *(dict(by_size[:count]) for count in range(len(own), -1, -1))]
    short = next(each for each in lists if len(pack_data({}, each)) <= 2048)
    plain = sum(len(key) + utf8_bytes(value) for key, value in stay.items())
    return plain <= 16_384 and len(pack_data(stay, short)) <= room


@settings(max_examples=60)
@given(st.lists(some_changes | many_changes(), min_size=1, max_size=6))
def test_no_value_leaves_that_could_have_stayed(writes):
    """Hold the choice against a plain test of the same with one value less moved out.

    The order of the list may be another one here, which makes a difference of a few bytes.
    """
    store = Store()
    for changes in writes:
        before = store.ledger.inline | {key: value for key, value in changes.items() if value is not None}
        inline = {key: value for key, value in before.items() if key not in changes or changes[key] is not None}
        placed = store.write(changes)
        small = [key for key in placed.puts if key in inline and utf8_bytes(inline[key]) <= 3072]
        if not small or len(placed.puts.keys() | placed.deletes) == MOST_TOUCHED:
            continue
        last = min(small, key=lambda key: (len(key) + utf8_bytes(inline[key]), key))
        stay = {last: inline[last]} | placed.ledger.inline
        version = placed.ledger.version
        listed = {key: own for key, own in placed.ledger.listed.items() if key != last}
        left = {key: ListedValue(utf8_bytes(store.own[key]), version) for key in placed.puts if key != last}
        if placed.ledger.unlisted == 0:
            assert not fits_beside_the_list(stay, listed | left, room_for_data(placed.ledger) - 16)


@settings(max_examples=6)
@given(st.integers(0, 10**6), st.sampled_from([0, 12, 60]))
def test_also_with_far_more_keys_than_the_ledger_can_list(seed, size):
    store, dice = Store(), random.Random(seed)
    names = [noise((seed, turn), 200) for turn in range(600)]
    for start in range(0, 600, 90):
        store.write({name: noise((name, start), size) for name in names[start : start + 90]})
    assert store.ledger.unlisted > 0
    for turn in range(8):
        some = dice.sample(names, 99)
        store.write({name: dice.choice([None, "", noise((name, turn), size)]) for name in some})
    for start in range(0, 600, 99):
        store.write(dict.fromkeys(names[start : start + 99]))
    assert (store.ledger.inline, store.ledger.listed, store.ledger.unlisted, store.own) == ({}, {}, 0, {})


def test_small_values_stay_in_the_ledger_and_need_no_item_of_their_own():
    placed = Store().write({f"key{turn}": noise(turn, 20) for turn in range(99)})
    assert placed.is_one_item


@pytest.mark.parametrize("count", [2, 10, 99])
def test_3600_bytes_of_keys_and_values_of_any_ascii_text_stay_in_the_ledger(count):
    dice, size = random.Random(count), 3600 // count - 6
    pairs: dict[str, str | None] = {
        noise(turn, 6): "".join(map(chr, dice.choices(range(128), k=size))) for turn in range(count)
    }
    assert Store().write(pairs).is_one_item


def test_a_value_over_three_kilobytes_leaves_even_where_it_would_deflate_to_nothing():
    store = Store()
    assert store.write({"k": "x" * 3072}).is_one_item
    assert store.write({"k": "x" * 3073}).puts == {"k": "x" * 3073}
    assert store.ledger.listed == {"k": ListedValue(3073, 2)}


def test_what_has_shrunk_comes_back_into_the_ledger_and_its_item_goes():
    store = Store()
    store.write({"k": noise(1, 5000)})
    placed = store.write({"k": "small"})
    assert (placed.puts, placed.deletes) == ({}, {"k"})
    assert store.ledger.inline == {"k": "small"}


def test_the_largest_leaves_first():
    store = Store()
    store.write({"small": noise(1, 1500), "large": noise(2, 2800), "medium": noise(3, 2000)})
    assert (store.ledger.inline.keys(), store.own.keys()) == ({"small", "medium"}, {"large"})


def test_values_that_nobody_changes_stay_where_they_are():
    store = Store()
    store.write({"far": noise(1, 5000), "near": "v"})
    placed = store.write({"other": "v"})
    assert placed.is_one_item
    assert store.ledger.listed == {"far": ListedValue(5000, 1)}


def test_deleting_what_is_not_there_touches_nothing():
    placed = Store().write({"gone": None})
    assert placed.is_one_item
    assert placed.ledger.inline == {}


@pytest.mark.parametrize("size", [3000, 4000])
def test_99_values_that_must_leave_do_so_beside_a_full_ledger(size):
    store = Store()
    store.write({f"old{turn}": noise(("old", turn), 30) for turn in range(90)})
    placed = store.write({f"new{turn}": noise(("new", turn), size) for turn in range(99)})
    assert len(placed.puts) == 99


def test_the_window_that_the_tests_measure_with_is_one_of_180_writes_in_180_seconds():
    times = LONGEST_WINDOW.times
    assert len(times) == 180
    assert times[-1] - times[0] < 180_000
    assert len(pack_window(LONGEST_WINDOW)) == WINDOW_BYTES


def test_a_ledger_keeps_its_room_for_the_ids_of_the_newest_writes():
    store = Store()
    for turn in range(WRITE_IDS + 2):
        store.write({f"k{turn}": noise(turn, 300)})
    assert len(store.ledger.writes) == WRITE_IDS
