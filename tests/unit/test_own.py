"""Values that are items of their own: their stored form, and that they are read back."""

import random
import string

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.store.appdata import own_values
from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.aws.item_size import item_size, write_units

LEDGER = Ledger("app", "user", "epoch--1", version=7)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=2000)


def noise(size: int) -> str:
    """Return text with 6 bits of entropy per byte, so deflate cannot make it smaller than 6/8."""
    return "".join(random.Random(size).choices(string.ascii_letters + string.digits + "-_", k=size))


@given(texts, st.text("abc_.-", min_size=1, max_size=255))
def test_a_value_comes_back_with_its_key_and_the_version_that_wrote_it(value, key):
    item = own_values.to_item(LEDGER, key, value)
    assert own_values.from_item(item) == own_values.OwnValue(value, 7)
    assert own_values.key_in(item, LEDGER) == key


@given(texts)
def test_a_value_takes_no_more_write_units_than_it_does_plain(value):
    plain = {"pk": {"S": "app#user"}, "sk": {"S": "epoch--1k"}, "v": {"N": "7"}, "s": {"S": value}}
    assert write_units(item_size(own_values.to_item(LEDGER, "k", value))) <= write_units(item_size(plain))


def test_what_deflates_well_costs_one_unit():
    assert write_units(item_size(own_values.to_item(LEDGER, "k", "縁側" * 10_000))) == 1


def test_the_longest_value_costs_65_units_at_the_most():
    assert write_units(item_size(own_values.to_item(LEDGER, "k", noise(65_535)))) <= 65
