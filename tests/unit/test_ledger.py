"""The stored form of a ledger, its data and its write window, and that they are read back unchanged."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.appdata import Balance
from chalicelib.core.window import WriteWindow
from chalicelib.store.appdata.ledger import WRITE_IDS, Ledger, from_item, new_epoch, new_write, to_item
from chalicelib.store.appdata.packing import (
    WINDOW_BYTES,
    ListedValue,
    pack_data,
    pack_window,
    unpack_data,
    unpack_some,
    unpack_window,
)

START = 1_800_000_000_000
SPAN = 180_000

texts = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text("abcXYZ019_.-", min_size=1, max_size=255)
sizes = st.integers(0, 65_535)
inlines = st.dictionaries(keys, texts)
lists = st.dictionaries(keys, st.builds(ListedValue, sizes, st.integers(0, 10**10)))
times_within_the_span = st.lists(st.integers(0, SPAN - 1), max_size=180).map(
    lambda offsets: tuple(START + offset for offset in sorted(offsets))
)
ledgers = st.builds(
    Ledger,
    app=st.text("0123456789abcdef", min_size=1),
    user=st.text("abc0129", min_size=1),
    epoch=st.builds(new_epoch),
    version=st.integers(0, 10**9),
    total=st.integers(0, 10**8),
    packed_window=times_within_the_span.map(WriteWindow).map(pack_window),
    inline=inlines,
    listed=lists,
    unlisted=st.integers(0, 10_000),
    packed_writes=st.lists(st.binary(min_size=6, max_size=6), max_size=WRITE_IDS).map(b"".join),
)


@given(ledgers)
def test_a_ledger_comes_back_as_it_was_stored(ledger):
    assert from_item(to_item(ledger)) == ledger


@given(inlines, lists)
def test_values_of_any_text_come_back(inline, listed):
    assert unpack_data(pack_data(inline, listed)) == (inline, listed)


@given(inlines, lists, st.data())
def test_values_under_some_keys_are_those_of_the_whole(inline, listed, data):
    stored = [*inline, *listed]
    keys = data.draw(st.frozensets(st.sampled_from(stored))) if stored else frozenset()
    packed = pack_data(inline, listed)

    some, some_listed, left_out = unpack_some(packed, keys | {"absent"})
    assert some == {key: value for key, value in inline.items() if key in keys}
    assert some_listed == {key: value for key, value in listed.items() if key in keys}
    assert left_out == len(listed) - len(some_listed)


@given(st.sampled_from(["\x00", "\ufeff", "\uffff", "😀", "e\u0301", "\u2028", '"\\/', "\U0010ffff", ""]))
def test_odd_values_come_back_character_by_character(value):
    assert unpack_data(pack_data({"k": value}, {}))[0] == {"k": value}


@given(times_within_the_span)
def test_the_write_window_comes_back(times):
    assert unpack_window(pack_window(WriteWindow(times))) == WriteWindow(times)


@given(times_within_the_span)
def test_a_write_window_never_takes_more_room_than_the_ledger_keeps_for_it(times):
    assert len(pack_window(WriteWindow(times))) <= WINDOW_BYTES


@pytest.mark.parametrize("wide", range(12))
@pytest.mark.parametrize("gap", [511, 512, 1005, 1023, 1024])
def test_nor_does_one_whose_gaps_are_as_awkward_as_they_can_be(wide, gap):
    """A gap takes ten bits, and one more for each whole 512 milliseconds in it."""
    times = [START]
    for turn in range(179):
        step = 16_384 if turn < wide else gap
        times.append(times[-1] + (step if times[-1] + step < START + SPAN else 0))
    assert len(pack_window(WriteWindow(tuple(times)))) <= WINDOW_BYTES


def test_an_empty_window_takes_no_room():
    assert pack_window(WriteWindow()) == b""
    assert unpack_window(b"") == WriteWindow()


@given(st.text("abc#:", min_size=1), st.text("xyz", min_size=1))
def test_app_and_user_are_told_apart_also_where_the_app_s_id_has_the_separator(app, user):
    found = from_item(to_item(Ledger(app, user, "eeeeeeee")))
    assert (found.app, found.user) == (app, user)


def test_every_state_of_the_data_has_an_entity_tag_of_its_own():
    ledger = Ledger("app", "user", "epoch--1")
    others = [ledger, replace(ledger, version=1), replace(ledger, epoch="epoch--2")]
    assert len({each.etag for each in others}) == 3
    assert all(each.etag.startswith('"') and each.etag.endswith('"') for each in others)


def test_the_balance_counts_inline_listed_and_unlisted_keys():
    ledger = Ledger("app", "user", "e", total=9, inline={"a": ""}, listed={"b": ListedValue(9, 1)}, unlisted=3)
    assert ledger.balance == Balance(9, 5)


def test_a_successor_remembers_the_newest_writes_and_which_version_each_made():
    ledger, writes = Ledger("app", "user", "e"), [new_write() for _ in range(WRITE_IDS + 3)]
    for write in writes:
        ledger = ledger.successor(write, WriteWindow((START,)))
    assert ledger.version == len(writes)
    for version, write in enumerate(writes, start=1):
        forgotten = version <= len(writes) - WRITE_IDS
        assert ledger.landed(write) == (None if forgotten else version)
    assert ledger.landed(new_write()) is None


def test_epochs_and_write_ids_differ():
    assert len({new_epoch() for _ in range(1000)}) == 1000
    assert len({new_write() for _ in range(1000)}) == 1000
    assert {len(new_epoch()) for _ in range(100)} == {8}
