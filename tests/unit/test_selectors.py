"""The users whose data a path selects, the keys that `fields` names, and the permission to read."""

import pytest

from chalicelib.core.appdata import DataGroup, DataSelection, asked_keys, deleted_keys, select, select_writable
from chalicelib.core.errors import ParameterInvalid, PermissionDenied, TooLarge
from chalicelib.core.limits import Limits

HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
LIMITS = Limits()


@pytest.mark.parametrize("user", ["@me", HANA])
@pytest.mark.parametrize("group", list(DataGroup))
def test_one_s_own_id_is_me_in_every_group(user, group):
    assert select(user, group.value, HANA) == DataSelection(HANA, True, group)


def test_someone_else_is_selected_by_id():
    assert select(KEN, "@self", HANA) == DataSelection(KEN, False, DataGroup.SELF)


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
    assert select_writable(user, "@self", HANA) == DataSelection(HANA, True, DataGroup.SELF)


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


@pytest.mark.parametrize("fields", ["", "*", "@all", "*,*", "*,@all"])
def test_no_fields_or_a_word_for_all_alone_deletes_every_key(fields):
    assert deleted_keys(fields, ["oauth_token", "startIndex", "_", "format"], LIMITS) is None


@pytest.mark.parametrize("fields", ["a,b", "b,a", "a,b,a", "a,b,", ",a,,b"])
def test_fields_name_the_keys_to_delete(fields):
    assert deleted_keys(fields, ["keys"], LIMITS, names_in_body=True) == {"a", "b"}


@pytest.mark.parametrize("fields", [",", ",,", "*,", ",*", "*,a", "a,@all"])
def test_names_that_got_lost_delete_nothing(fields):
    with pytest.raises(ParameterInvalid) as caught:
        deleted_keys(fields, [], LIMITS)
    assert caught.value.description == "Name the keys to delete in fields; * alone deletes every key"


@pytest.mark.parametrize("fields", ["a b", " ", "*a"])
def test_a_name_that_cannot_be_a_key_deletes_nothing(fields):
    with pytest.raises(ParameterInvalid) as caught:
        deleted_keys(fields, [], LIMITS)
    assert caught.value.description == "A key must be made of A-Z a-z 0-9 _ . - and not be empty"


NEAR = ["field", "Fields", "FIELDS", "fields[]", "fields[0]", "fields.0", "feilds", "filds", "fieds", "key", "keys",
        "Keys", "keys[]", "field_s", "fields "]  # fmt: skip


@pytest.mark.parametrize("name", NEAR)
def test_a_parameter_that_looks_like_fields_is_no_bare_deletion(name):
    with pytest.raises(ParameterInvalid) as caught:
        deleted_keys("", ["oauth_token", name], LIMITS)
    assert caught.value.description == "Name the keys to delete in fields; * alone deletes every key"
    assert deleted_keys("*", [name], LIMITS) is None


@pytest.mark.parametrize(
    "name",
    ["format", "startIndex", "count", "access_token", "st", "api_key", "v", "", "[]", "\u00ad" * 9, "_" * 30 + "key"],
)
def test_another_parameter_is_not_looked_at(name):
    assert deleted_keys("", [name, "k" * 100_000], LIMITS) is None


def test_names_in_a_body_are_no_bare_deletion():
    with pytest.raises(ParameterInvalid):
        deleted_keys("", [], LIMITS, names_in_body=True)
    assert deleted_keys("*", [], LIMITS, names_in_body=True) is None


def test_a_deletion_names_as_many_keys_as_a_write():
    names = [f"k{turn}" for turn in range(99)]
    assert deleted_keys(",".join(names), [], LIMITS) == set(names)
    with pytest.raises(TooLarge):
        deleted_keys(",".join([*names, "k99"]), [], LIMITS)


def test_as_many_different_names_as_allowed_pass():
    names = [f"k{turn}" for turn in range(99)]
    assert asked_keys(",".join([*names, "k0"]), LIMITS, most=99) == set(names)
    with pytest.raises(TooLarge) as caught:
        asked_keys(",".join([*names, "k99"]), LIMITS, most=99)
    assert caught.value.description == "Too many key/value pairs (max=99)"


def test_a_read_may_name_any_number_of_keys():
    names = {f"k{turn}" for turn in range(1000)}
    assert asked_keys(",".join(names), LIMITS) == names
