"""`If-Match` and `If-None-Match`: lists of entity tags, weak tags, `*`, and invalid values (RFC 9110 §13.1)."""

import pytest

from chalicelib.core.conditions import parse
from chalicelib.core.errors import ParameterInvalid, PreconditionFailed

NOW, OLD = '"abc.5"', '"abc.4"'


def passes(if_match: str | None = None, if_none_match: str | None = None, *, has_data: bool = True) -> bool:
    try:
        parse(if_match, if_none_match).check(NOW, has_data=has_data)
    except PreconditionFailed:
        return False
    return True


@pytest.mark.parametrize("given", [(OLD, None), (None, NOW)])
def test_a_refusal_tells_the_current_tag(given):
    with pytest.raises(PreconditionFailed) as caught:
        parse(*given).check(NOW, has_data=True)
    assert caught.value.etag == NOW


def test_without_conditions_everything_passes():
    assert passes()
    assert passes(has_data=False)


@pytest.mark.parametrize(
    "value", [NOW, f" {NOW} ", f"{OLD}, {NOW}", f"{OLD},{NOW}", f"{NOW},\t{OLD}", f",{NOW},,", f'W/{NOW}, "", {NOW}']
)
def test_if_match_passes_where_the_current_tag_is_in_the_list(value):
    assert passes(if_match=value)
    assert not passes(if_none_match=value)


@pytest.mark.parametrize("value", [OLD, f'{OLD}, "x"', '""', '"abc.5 "'.replace(" ", "!"), '"ABC.5"', '"\xe9"'])
def test_if_match_fails_where_it_is_not(value):
    assert not passes(if_match=value)
    assert passes(if_none_match=value)


def test_a_weak_tag_never_matches_if_match_and_does_match_if_none_match():
    assert not passes(if_match=f"W/{NOW}")
    assert not passes(if_none_match=f"W/{NOW}")


def test_a_comma_inside_a_tag_does_not_end_it():
    assert not passes(if_match=f'"a,{NOW[1:]}')


def test_a_star_asks_whether_there_are_data():
    assert passes(if_match="*", has_data=True)
    assert not passes(if_match="*", has_data=False)
    assert passes(if_none_match=" * ", has_data=False)
    assert not passes(if_none_match="*", has_data=True)


def test_both_conditions_must_hold():
    assert passes(if_match=NOW, if_none_match=OLD)
    assert not passes(if_match=NOW, if_none_match=NOW)
    assert not passes(if_match=OLD, if_none_match=OLD)


@pytest.mark.parametrize(
    "value",
    ["", " ", ",", "abc.5", '"abc.5', 'abc.5"', f"*, {NOW}", "**", f"{NOW} x", f"w/{NOW}", f"W/ {NOW}", f"{NOW}{OLD}",
     f"{NOW} {OLD}", '"a b"', "'abc.5'", '"a"b"'],
)  # fmt: skip
@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_what_is_no_list_of_tags_is_refused_by_name(header, value):
    given = (value, None) if header == "If-Match" else (None, value)
    with pytest.raises(ParameterInvalid) as caught:
        parse(*given)
    assert caught.value.description == f'{header} must be "*" or a list of quoted entity tags'


@pytest.mark.parametrize("value", [NOW, f"W/{NOW}", f"{OLD}, W/{NOW}", "*"])
def test_a_read_is_unchanged_where_if_none_match_names_the_current_version(value):
    assert parse(None, value).unchanged(NOW, has_data=True)


@pytest.mark.parametrize("value", [None, OLD, f"W/{OLD}"])
def test_a_read_is_not_unchanged_otherwise(value):
    assert not parse(None, value).unchanged(NOW, has_data=True)


def test_nobody_has_no_data_already():
    assert not parse(None, "*").unchanged(NOW, has_data=False)
