"""Whose data a path speaks of, which keys `fields` names, and who may read."""

import pytest

from chalicelib.core.appdata import Group, Selection, asked_keys, select, select_writable
from chalicelib.core.errors import ParameterInvalid, PermissionDenied, TooLarge
from chalicelib.core.limits import Limits

HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
LIMITS = Limits()


@pytest.mark.parametrize("user", ["@me", HANA])
@pytest.mark.parametrize("group", list(Group))
def test_one_s_own_id_is_me_in_every_group(user, group):
    assert select(user, group.value, HANA) == Selection(HANA, True, group)


def test_someone_else_is_selected_by_id():
    assert select(KEN, "@self", HANA) == Selection(KEN, False, Group.SELF)


@pytest.mark.parametrize("group", ["@friends", "@usage", "@all", "@Self", "self", "", "@self "])
def test_nothing_but_self_is_anyone_else_s_to_select(group):
    with pytest.raises(PermissionDenied):
        select(KEN, group, HANA)


@pytest.mark.parametrize("group", ["@all", "@Friends", "friends", "", KEN])
def test_a_group_that_does_not_exist_is_refused(group):
    with pytest.raises(PermissionDenied):
        select("@me", group, HANA)


@pytest.mark.parametrize("character", ["a", "縁"])
def test_an_id_too_long_to_be_anyone_s_is_refused(character):
    assert select(character * 128, "@self", HANA).owner == character * 128
    with pytest.raises(PermissionDenied):
        select(character * 129, "@self", HANA)


@pytest.mark.parametrize("user", ["@me", HANA])
def test_one_s_own_self_can_be_written(user):
    assert select_writable(user, "@self", HANA) == Selection(HANA, True, Group.SELF)


@pytest.mark.parametrize(("user", "group"), [("@me", "@friends"), ("@me", "@usage"), (KEN, "@self"), ("@me", "@all")])
def test_nothing_else_can_be_written(user, group):
    with pytest.raises(PermissionDenied):
        select_writable(user, group, HANA)


@pytest.mark.parametrize("fields", ["", "*", "@all", "a,*", "@all,a", ",*,"])
def test_no_fields_or_a_word_for_all_is_every_key(fields):
    assert asked_keys(fields, LIMITS) is None


@pytest.mark.parametrize("fields", ["a,b", "b,a", "a,b,a", "a,b,", ",a,,b"])
def test_fields_name_keys_once_each_whatever_commas_stand_around_them(fields):
    assert asked_keys(fields, LIMITS) == {"a", "b"}


@pytest.mark.parametrize("fields", ["a b", "a, b", "a,é", "k" * 256, "**", "@me", "a,\n"])
def test_a_name_that_cannot_be_a_key_is_refused(fields):
    with pytest.raises(ParameterInvalid):
        asked_keys(fields, LIMITS)


def test_as_many_different_names_as_allowed_pass():
    names = [f"k{turn}" for turn in range(99)]
    assert asked_keys(",".join([*names, "k0"]), LIMITS, most=99) == set(names)
    with pytest.raises(TooLarge) as caught:
        asked_keys(",".join([*names, "k99"]), LIMITS, most=99)
    assert caught.value.description == "Too many key/value pairs (max=99)"


def test_a_read_may_name_any_number_of_keys():
    assert len(asked_keys(",".join(f"k{turn}" for turn in range(1000)), LIMITS)) == 1000
