"""The quota: exact to the byte, and a write that does not grow is always allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.appdata import Balance, settle
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.limits import Limits

LIMITS = Limits(quota_bytes=100, keys=5)
keys = st.sampled_from("abcdefgh")
sizes = st.integers(0, 60)


def refused(balance: Balance, before, after, limits: Limits = LIMITS) -> str:
    with pytest.raises(ParameterInvalid) as caught:
        settle(balance, before, after, limits)
    return caught.value.description


@given(
    st.dictionaries(keys, sizes),
    st.lists(st.dictionaries(keys, st.none() | sizes, min_size=1), max_size=8),
)
def test_the_balance_is_that_of_a_plain_dictionary_after_any_writes(stored, writes):
    balance = Balance(sum(stored.values()), len(stored))
    for changes in writes:
        wanted = {key: size for key, size in (stored | changes).items() if size is not None}
        total = sum(wanted.values())
        over_quota = total > LIMITS.quota_bytes and total > sum(stored.values())
        over_keys = len(wanted) > LIMITS.keys and len(wanted) > len(stored)
        before = {key: stored[key] for key in changes if key in stored}
        if over_quota or over_keys:
            refused(balance, before, changes)
        else:
            balance = settle(balance, before, changes, LIMITS)
            stored = wanted
        assert balance == Balance(sum(stored.values()), len(stored))


def test_the_last_byte_passes_and_the_next_does_not():
    held = Balance(90, 1)
    assert settle(held, {}, {"b": 10}, LIMITS) == Balance(100, 2)
    assert refused(held, {}, {"b": 11}) == "Limit exceeded size quota (max=100)"


def test_the_original_s_quota_is_ten_million_bytes():
    held = Balance(9_999_999, 200)
    assert settle(held, {}, {"b": 1}, Limits()).total == 10_000_000
    assert refused(held, {}, {"b": 2}, Limits()) == "Limit exceeded size quota (max=10000000)"


def test_the_last_key_passes_and_the_next_does_not():
    held = Balance(0, 4)
    assert settle(held, {}, {"e": 0}, LIMITS) == Balance(0, 5)
    assert refused(held, {}, {"e": 0, "f": 0}) == "Too many keys (max=5)"


def test_over_a_lowered_quota_a_write_may_shrink_or_stay_and_not_grow():
    held = Balance(500, 2)
    assert settle(held, {"a": 300}, {"a": 299}, LIMITS) == Balance(499, 2)
    assert settle(held, {"a": 300}, {"a": 300}, LIMITS) == held
    assert refused(held, {"a": 300}, {"a": 301}) == "Limit exceeded size quota (max=100)"


def test_over_a_lowered_number_of_keys_a_write_may_replace_and_not_add():
    held = Balance(9, 9)
    assert settle(held, {"a": 1}, {"a": None, "z": 1}, LIMITS) == held
    assert refused(held, {"a": 1}, {"a": 0, "z": 0}) == "Too many keys (max=5)"


def test_what_a_write_frees_it_may_use():
    assert settle(Balance(100, 5), {"a": 60}, {"a": None, "f": 60}, LIMITS) == Balance(100, 5)
