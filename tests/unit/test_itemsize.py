"""Item sizes and capacity units, compared with AWS's developer guide."""

import pytest

from chalicelib.store.aws.item_size import item_size, number_size, read_units, value_size, write_units


def test_strings_and_names_count_their_utf8_bytes():
    assert item_size({"名": {"S": "縁側"}}) == 3 + 6
    assert item_size({"a": {"S": ""}}) == 1


def test_an_item_is_the_sum_of_its_attributes():
    assert item_size({"pk": {"S": "ab"}, "sk": {"S": "#"}, "w": {"B": b"1234"}}) == 4 + 3 + 5


@pytest.mark.parametrize(
    ("digits", "size"),
    [("0", 1), ("7", 2), ("42", 2), ("123", 3), ("1234", 3), ("9999999999", 6), ("1" * 38, 20)],
)
def test_a_number_takes_a_byte_for_each_two_significant_digits_and_one_more(digits, size):
    assert number_size(digits) == size


def test_zeros_at_both_ends_are_not_significant():
    assert number_size("1000000") == 2
    assert number_size("0.0025") == 2
    assert number_size("10.50") == number_size("105")


def test_a_minus_sign_takes_a_byte():
    assert number_size("-42") == number_size("42") + 1


@pytest.mark.parametrize("typed", [{"BOOL": True}, {"BOOL": False}, {"NULL": True}])
def test_booleans_and_null_take_a_byte(typed):
    assert value_size(typed) == 1


def test_binary_takes_its_bytes():
    assert value_size({"B": bytes(300)}) == 300


def test_sets_take_what_their_elements_take():
    assert value_size({"SS": ["ab", "縁"]}) == 5
    assert value_size({"NS": ["1", "100"]}) == 4
    assert value_size({"BS": [b"1", b"22"]}) == 3


def test_lists_and_maps_take_three_bytes_and_one_for_each_element():
    assert value_size({"L": []}) == 3
    assert value_size({"M": {}}) == 3
    assert value_size({"L": [{"S": "ab"}, {"BOOL": True}]}) == 3 + (1 + 2) + (1 + 1)
    assert value_size({"M": {"k": {"L": [{"S": "x"}]}}}) == 3 + (1 + 1 + 3 + 1 + 1)


def test_an_unknown_type_is_an_error():
    with pytest.raises(ValueError, match="XX"):
        value_size({"XX": "?"})


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (4096, 1), (4097, 2), (409_600, 100)])
def test_reads_are_rounded_up_to_4_kb_and_cost_half_eventually_consistent(size, units):
    assert read_units(size, consistent=True) == units
    assert read_units(size, consistent=False) == units / 2


@pytest.mark.parametrize(("size", "units"), [(0, 1), (1, 1), (1024, 1), (1025, 2), (409_600, 400)])
def test_writes_are_rounded_up_to_1_kb(size, units):
    assert write_units(size) == units
