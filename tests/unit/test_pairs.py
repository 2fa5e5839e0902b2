"""The key/value pairs of a write: the refusals, their messages, and their order."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.appdata import check_pairs
from chalicelib.core.errors import BadRequest, ParameterInvalid, Refusal, TooLarge
from chalicelib.core.limits import Limits

LIMITS = Limits()
KEY_CHARACTERS = string.ascii_letters + string.digits + "_.-"
NO_STRING = "No value associated with specified key."
BAD_KEY = "A key must be made of A-Z a-z 0-9 _ . - and not be empty"


def refusal(body) -> tuple[type[Refusal], str]:
    with pytest.raises(Refusal) as caught:
        check_pairs(body, LIMITS)
    return type(caught.value), caught.value.description


def values_of(total: int) -> dict[str, str]:
    """Return pairs whose values have `total` bytes in all and are as long as allowed."""
    sizes = [min(65_535, total - start) for start in range(0, total, 65_535)]
    return {f"k{turn}": "x" * size for turn, size in enumerate(sizes)}


@pytest.mark.parametrize("body", [["a", "b"], [[]], "", "text", 0, 5, 1.5, False, True])
def test_a_body_that_is_no_object_is_a_bad_request(body):
    assert refusal(body) == (BadRequest, "The body must be a JSON object")


@pytest.mark.parametrize("body", [None, {}, []])
def test_nothing_has_no_pairs(body):
    assert refusal(body) == (ParameterInvalid, "No key/value pairs")


def test_99_pairs_pass():
    body = {f"key{turn}": "" for turn in range(99)}
    assert check_pairs(body, LIMITS) == body


def test_100_pairs_are_too_many():
    body = {f"key{turn}": "" for turn in range(100)}
    assert refusal(body) == (TooLarge, "Too many key/value pairs (max=99)")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8))
def test_a_key_passes_exactly_if_all_its_characters_are_allowed(key):
    if set(key) <= set(KEY_CHARACTERS):
        assert check_pairs({key: "v"}, LIMITS) == {key: "v"}
    else:
        assert refusal({key: "v"}) == (ParameterInvalid, BAD_KEY)


def test_every_allowed_character_is_allowed():
    assert check_pairs({KEY_CHARACTERS: "v"}, LIMITS)


@pytest.mark.parametrize("key", ["", "a b", "a\n", "\n", "é", "４", "キー", "a/b", "a,b", "*", "@all", "a\x00"])
def test_other_keys_are_refused(key):
    assert refusal({key: "v"}) == (ParameterInvalid, BAD_KEY)


def test_a_key_may_have_255_characters_and_no_more():
    assert check_pairs({"k" * 255: "v"}, LIMITS)
    assert refusal({"k" * 256: "v"}) == (ParameterInvalid, "Key is too long (max=255)")


@pytest.mark.parametrize("value", [None, 5, 1.5, True, [], ["a"], {}, {"a": "b"}])
def test_a_value_must_be_a_string(value):
    assert refusal({"a": "fine", "b": value}) == (BadRequest, NO_STRING)


def test_a_value_may_be_empty():
    assert check_pairs({"a": ""}, LIMITS) == {"a": ""}


@pytest.mark.parametrize(
    ("longest", "over"),
    [
        ("x" * 65_535, "x" * 65_536),
        ("縁" * 21_845, "縁" * 21_845 + "x"),
        ("é" * 32_767 + "x", "é" * 32_768),
        ("😀" * 16_383 + "xyz", "😀" * 16_384),
    ],
    ids=["one byte", "three bytes", "two bytes", "four bytes"],
)
def test_a_value_may_have_65535_bytes_of_utf8_and_no_more(longest, over):
    assert check_pairs({"a": longest}, LIMITS) == {"a": longest}
    assert refusal({"fine": "", "a": over}) == (ParameterInvalid, "Value of key a is too long (max=65535)")


def test_all_values_may_have_3800000_bytes_and_no_more():
    assert check_pairs(values_of(3_800_000), LIMITS)
    assert refusal(values_of(3_800_001)) == (TooLarge, "Too many bytes of values in one request (max=3800000)")


def test_a_lone_surrogate_is_no_text():
    assert refusal({"a": "x\ud83d"}) == (BadRequest, "Value of key a is not valid Unicode (a lone surrogate)")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({f"bad key {turn}": None for turn in range(100)}, "Too many key/value pairs (max=99)"),
        ({"fine": None, "bad key": "x"}, BAD_KEY),
        ({"fine": None, "k" * 256: "x"}, "Key is too long (max=255)"),
        ({"long": "x" * 65_536, "number": 5}, NO_STRING),
        (values_of(3_800_001) | {"long": "x" * 65_536}, "Value of key long is too long (max=65535)"),
    ],
    ids=["pairs before keys", "keys before values", "key length before values", "kind before size", "each before all"],
)
def test_the_first_refusal_in_the_documented_order_is_the_one_given(first, second):
    assert refusal(first)[1] == second
