"""The users, keys and fields that a request of `/rpc` or `/os/0.8` asks for, and the content of a person's entry."""

import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import BadRequest, InsufficientScope, ParameterInvalid, PermissionDenied, TooLarge
from chalicelib.core.limits import Limits
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.opensocial import (
    FIELDS,
    MOST_IDS,
    OpenSocialGroup,
    OpenSocialSelection,
    RequestedFields,
    check_writable,
    data_keys,
    full_id,
    keys_to_delete,
    person,
    person_fields,
    person_query,
    select_data,
    select_people,
)
from chalicelib.core.people import DEFAULT_FIELDS, PeopleFilter, Person, depends_on_friends_of_friends
from chalicelib.core.permission import AppRun

HANA, KEN, MEI = "k3v9x2mtq7ra", "a8d1p0zzk4wn", "m5c2e7uub9fh"
APP = "6d1f0c2ab4e79853"
ACCESS = Access(APP, viewer=HANA, owner=KEN, scopes=frozenset({"mixi_apps2", "r_profile"}))
"""Hana looks at Ken's app."""
OWN = Access(APP, viewer=HANA, owner=None, scopes=frozenset())
LIMITS = Limits()

ids = st.text(string.ascii_lowercase + string.digits, min_size=12, max_size=12)


def one(user: str, group: OpenSocialGroup = OpenSocialGroup.SELF) -> OpenSocialSelection:
    return OpenSocialSelection((user,), group, several=False)


# --- users


@pytest.mark.parametrize("users", ["@me", "@viewer", HANA, f"mixi.jp:{HANA}", f"urn:guid:mixi.jp:{HANA}", ["@viewer"]])
@pytest.mark.parametrize("group", [None, "", "@self"])
def test_the_viewer(users: object, group: object) -> None:
    assert select_data(users, group, None, ACCESS) == select_people(users, group, ACCESS) == one(HANA)


@pytest.mark.parametrize("users", ["@owner", KEN, f"mixi.jp:{KEN}", [KEN], ["@owner", KEN, f"mixi.jp:{KEN}"]])
def test_the_owner(users: object) -> None:
    assert select_data(users, "@self", "@app", ACCESS) == one(KEN)


def test_where_no_owner_is_told_the_viewer_is_the_owner() -> None:
    assert select_data("@owner", None, None, OWN) == one(HANA)


@given(ids, st.text(string.ascii_letters + string.digits, min_size=40, max_size=40))
def test_an_id_in_any_of_its_forms_is_the_same_user(user: str, tail: str) -> None:
    for form in (user, full_id(user), f"mixi.jp:{user}{tail}", f"urn:guid:mixi.jp:{user}"):
        assert select_data(form, None, None, ACCESS) == one(user)


@pytest.mark.parametrize(
    "users", [f"{KEN},@me,{KEN},{MEI}", [KEN, "@me", f"mixi.jp:{KEN}", MEI], f",{KEN},@viewer,{MEI},"]
)
def test_several_users_are_named_once_each_in_order(users: object) -> None:
    assert select_data(users, "@self", None, ACCESS) == OpenSocialSelection(
        (KEN, HANA, MEI), OpenSocialGroup.SELF, several=True
    )


NOBODY = [
    "@all",
    "@nobody",
    "@Me",
    "mixi.jp:",
    "mixi.jp:@me",
    f"mixi.jp:{KEN}{'x' * 39}",
    f"mixi.jp:{KEN}{'x' * 41}",
    f"other.example:{KEN}",
    KEN.upper(),
    KEN + "\n",
    " " + KEN,
    "縁" * 400,
    "../" + KEN,
]


@pytest.mark.parametrize("user", NOBODY)
def test_what_cannot_be_an_id_is_refused_alone_and_absent_among_others(user: str) -> None:
    with pytest.raises(PermissionDenied):
        select_data(user, None, None, ACCESS)
    assert select_data([KEN, user], None, None, ACCESS) == OpenSocialSelection(
        (KEN,), OpenSocialGroup.SELF, several=True
    )


def test_a_viewer_of_another_form_of_id_is_known_by_it() -> None:
    """An external issuer may use user ids of another form."""
    access = Access(APP, viewer="hana@people.example", owner=None, scopes=frozenset())
    assert select_data("hana@people.example", None, None, access) == one("hana@people.example")


@pytest.mark.parametrize("users", [None, "", ",", [], ()])
def test_nobody_named_is_an_error(users: object) -> None:
    for select in (lambda: select_data(users, None, None, ACCESS), lambda: select_people(users, None, ACCESS)):
        with pytest.raises(ParameterInvalid):
            select()


@pytest.mark.parametrize("users", [5, True, {}, {"0": HANA}, [HANA, 5], [[HANA]], [None]])
def test_users_of_another_type_are_an_error(users: object) -> None:
    with pytest.raises(BadRequest):
        select_data(users, None, None, ACCESS)


def test_as_many_users_as_allowed_can_be_named() -> None:
    named = [f"u{turn:011}" for turn in range(MOST_IDS)]
    assert select_data(named, None, None, ACCESS).users == tuple(named)
    with pytest.raises(ParameterInvalid) as caught:
        select_data([*named, KEN], None, None, ACCESS)
    assert caught.value.description == "Too many users are named (max=100)"


def test_an_app_for_itself_has_no_viewer() -> None:
    with pytest.raises(PermissionDenied):
        select_data("@me", None, None, Access(APP, viewer=None, owner=None, scopes=frozenset()))


# --- groups and apps


@pytest.mark.parametrize("users", ["@me", HANA, "@owner"])
def test_friends_of_one_user(users: object) -> None:
    selection = one(KEN if users == "@owner" else HANA, OpenSocialGroup.FRIENDS)
    assert select_data(users, "@friends", None, ACCESS) == select_people(users, "@friends", ACCESS) == selection


def test_everyone_connected_to_a_user_is_the_friends_and_has_no_data() -> None:
    assert select_people("@me", "@all", ACCESS) == one(HANA, OpenSocialGroup.FRIENDS)
    with pytest.raises(PermissionDenied):
        select_data("@me", "@all", None, ACCESS)


@pytest.mark.parametrize("group", ["@Friends", "friends", "FRIENDS", "@deleted", "@usage", KEN])
def test_a_group_that_does_not_exist_is_refused(group: str) -> None:
    for select in (lambda: select_data("@me", group, None, ACCESS), lambda: select_people("@me", group, ACCESS)):
        with pytest.raises(PermissionDenied):
            select()


@pytest.mark.parametrize("group", [5, ["@friends"], {}, False])
def test_a_group_of_another_type_is_an_error(group: object) -> None:
    with pytest.raises(BadRequest):
        select_data("@me", group, None, ACCESS)


def test_friends_of_several_users_cannot_be_asked_for_at_once() -> None:
    with pytest.raises(ParameterInvalid):
        select_data(["@viewer", "@owner"], "@friends", None, ACCESS)
    assert select_data(["@viewer", HANA], "@friends", None, ACCESS) == one(HANA, OpenSocialGroup.FRIENDS)


@pytest.mark.parametrize("app", [None, "", "@app", APP])
def test_the_app_is_the_one_that_asks(app: object) -> None:
    assert select_data("@me", "@self", app, ACCESS) == one(HANA)


@pytest.mark.parametrize("app", ["@App", "c07be4915fa2d386", APP.upper()])
def test_another_app_is_refused(app: str) -> None:
    with pytest.raises(PermissionDenied):
        select_data("@me", "@self", app, ACCESS)


# --- writing


@pytest.mark.parametrize("users", ["@me", "@viewer", HANA, f"mixi.jp:{HANA}", ["@viewer", HANA]])
def test_the_viewer_s_data_can_be_written(users: object) -> None:
    assert check_writable(users, None, None, ACCESS) == HANA


@pytest.mark.parametrize(
    ("users", "group", "app"),
    [
        ("@owner", "@self", "@app"),
        (KEN, None, None),
        (["@me", KEN], None, None),
        (["@me", "nonsense"], None, None),
        ("@me", "@friends", None),
        ("@me", "@self", "c07be4915fa2d386"),
    ],
)
def test_nothing_else_can_be_written(users: object, group: object, app: object) -> None:
    with pytest.raises(PermissionDenied):
        check_writable(users, group, app, ACCESS)


def test_the_owner_who_looks_at_their_own_app_may_write() -> None:
    assert check_writable("@owner", None, None, OWN) == HANA


# --- keys


@pytest.mark.parametrize("fields", [None, "", ",", [], "*", "@all", ["*"], ["a", "@all"], "a,*"])
def test_every_key(fields: object) -> None:
    assert data_keys(fields, LIMITS) is None


@pytest.mark.parametrize("fields", ["a,b", ["a", "b"], ("b", "a", "b"), ",b,,a"])
def test_keys_by_name(fields: object) -> None:
    assert data_keys(fields, LIMITS) == {"a", "b"}


@pytest.mark.parametrize("fields", [[""], ["a", ""], ["a,b"], ["a b"], "a b", ["k" * 256], ["*a"]])
def test_a_name_that_cannot_be_a_key_is_an_error_and_never_every_key(fields: object) -> None:
    with pytest.raises(ParameterInvalid):
        data_keys(fields, LIMITS)


@pytest.mark.parametrize("fields", [1, True, {"a": "b"}, ["a", 1], [["a"]], [None]])
def test_fields_of_another_type_are_an_error(fields: object) -> None:
    for read in (lambda: data_keys(fields, LIMITS), lambda: person_fields(fields, ())):
        with pytest.raises(BadRequest):
            read()


def test_as_many_keys_as_allowed_can_be_named() -> None:
    names = [f"k{turn}" for turn in range(1_000)]
    assert data_keys([*names, "k0"], LIMITS) == set(names)
    with pytest.raises(TooLarge, match=r"max=1000"):
        data_keys([*names, "more"], LIMITS)


@given(st.lists(st.text(string.ascii_letters + "_.-", min_size=1, max_size=9), min_size=1, max_size=20))
def test_a_list_and_a_comma_separated_string_name_the_same_keys(names: list[str]) -> None:
    assert data_keys(names, LIMITS) == data_keys(",".join(names), LIMITS) == set(names)


# --- deletions


@pytest.mark.parametrize("everything", [[], ["*"], "*", "@all", ["@all"], ["*", "@all"]])
@pytest.mark.parametrize("as_keys", [True, False])
def test_everything_is_deleted_by_a_word_or_an_empty_list(everything: object, as_keys: bool) -> None:
    fields, keys = (None, everything) if as_keys else (everything, None)
    assert keys_to_delete(fields, keys, LIMITS) is None


@pytest.mark.parametrize("given", ["a,b", ["a", "b"], ["a", "b", "a"], ",b,,a,"])
def test_keys_to_delete(given: object) -> None:
    assert keys_to_delete(given, None, LIMITS) == keys_to_delete(None, given, LIMITS) == {"a", "b"}
    assert keys_to_delete(given, given, LIMITS) == {"a", "b"}


NO_NAMES = ["", ",", ",,", "*,", "*,a", "a,@all", ["*", "a"], ["*", ""], [""], ["", ""], ["a", ""], [","], ["a,b"]]


@pytest.mark.parametrize("given", NO_NAMES)
def test_names_that_got_lost_never_delete_everything(given: object) -> None:
    for fields, keys in ((given, None), (None, given), (given, given)):
        with pytest.raises(ParameterInvalid):
            keys_to_delete(fields, keys, LIMITS)


@pytest.mark.parametrize(("fields", "keys"), [(None, None), ([], ["a"]), (["a"], []), ("*", ["a"]), (["a"], ["b"])])
def test_two_words_for_the_keys_must_say_the_same(fields: object, keys: object) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        keys_to_delete(fields, keys, LIMITS)
    assert caught.value.description == "Name the keys to delete in fields; * alone deletes every key"


@pytest.mark.parametrize("given", [1, True, False, {"a": "b"}, ["a", 1], [None], [["a"]]])
def test_keys_to_delete_of_another_type(given: object) -> None:
    with pytest.raises(BadRequest):
        keys_to_delete(given, None, LIMITS)


def test_as_many_keys_as_pairs_can_be_deleted() -> None:
    names = [f"k{turn}" for turn in range(100)]
    assert keys_to_delete(names[:99], None, LIMITS) == set(names[:99])
    with pytest.raises(TooLarge):
        keys_to_delete(names, None, LIMITS)


# --- people

OWN_FIELDS = ("nickname", "isViewer", "isOwner", "hasApp")
FINER = {field.scope for field in FIELDS.values() if field.scope}


@pytest.mark.parametrize("fields", [None, "", []])
def test_default_fields(fields: object) -> None:
    assert person_fields(fields, ()) == RequestedFields(DEFAULT_FIELDS, OWN_FIELDS)


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("nickname", RequestedFields(("id",), ("nickname",))),
        (["isOwner", "displayName", "no_such"], RequestedFields(("id", "displayName"), ("isOwner",))),
        (["no_such"], RequestedFields(("id",), ())),
        ([""], RequestedFields(("id",), ())),
        ("name", RequestedFields(("id",), ("name",))),
        ("@all", RequestedFields((*DEFAULT_FIELDS, "thumbnailDetails"), (*OWN_FIELDS, "name"))),
    ],
)
def test_fields_by_name(fields: object, wanted: RequestedFields) -> None:
    assert person_fields(fields, {"r_profile"}) == wanted
    assert not wanted.profile


def test_a_field_asks_for_its_scope() -> None:
    with pytest.raises(InsufficientScope) as caught:
        person_fields(["nickname", "gender"], {"r_profile"})
    assert caught.value.scope == "r_profile_gender"
    assert person_fields(["gender"], {"r_profile_gender"}) == RequestedFields(("id", "gender"), ())
    assert person_fields("*", FINER).common == tuple(FIELDS)


@pytest.mark.parametrize("field", [name for name, field in FIELDS.items() if field.setting])
def test_profile_information_is_known_as_such(field: str) -> None:
    assert person_fields(field, FINER).profile
    assert not person_fields("bloodType", FINER).profile


def query(**parameters: object) -> Any:
    return person_query(parameters.get)


@given(st.integers(0, 10**9), st.integers(1, 1000))
def test_paging_takes_numbers_and_their_texts(start: int, count: int) -> None:
    asked = query(startIndex=start, count=count)
    assert (asked.paging.start, asked.paging.count) == (start, count)
    assert asked == query(startIndex=str(start), count=str(count))


@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize("value", [-1, 10**9 + 1, 10**4000, 1.0, 1.5, float("inf"), True, "x"])
def test_paging_out_of_range(name: str, value: object) -> None:
    with pytest.raises(ParameterInvalid):
        query(**{name: value})


@pytest.mark.parametrize("name", ["startIndex", "count", "sortBy", "sortOrder", "filterBy"])
@pytest.mark.parametrize("value", [[], {}, ["1"]])
def test_parameters_of_another_type_are_an_error(name: str, value: object) -> None:
    with pytest.raises(BadRequest):
        query(**{name: value})


@pytest.mark.parametrize("value", [None, "", "topFriends", "id", "affinity"])
def test_without_a_wish_people_come_by_id(value: object) -> None:
    assert not query(sortBy=value).by_name


@pytest.mark.parametrize("value", ["name", "nickname", "displayName"])
def test_people_by_name(value: str) -> None:
    assert query(sortBy=value).by_name


@pytest.mark.parametrize(("value", "expected"), [("all", None), ("topFriends", None), ("hasApp", PeopleFilter.HAS_APP)])
def test_filters(value: str, expected: PeopleFilter | None) -> None:
    assert query(filterBy=value).filter is expected


@pytest.mark.parametrize("parameters", [{"sortBy": "age"}, {"filterBy": "isFriendsWith"}, {"filterBy": "pageId"}])
def test_what_there_is_no_such_order_or_filter_for(parameters: dict[str, object]) -> None:
    with pytest.raises(ParameterInvalid):
        query(**parameters)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: select_data(None, None, None, ACCESS), "No user is named: userId is missing"),
        (lambda: select_people(5, None, ACCESS), "userId must be a string or a list of strings"),
        (lambda: select_people(["@me", "@owner"], "@all", ACCESS), "Friends can be requested for one user at a time"),
        (lambda: select_data("@me", 5, None, ACCESS), "groupId must be a string"),
        (lambda: select_data("@me", None, 5, ACCESS), "appId must be a string"),
        (lambda: data_keys(5, LIMITS), "fields must be a string or a list of strings"),
        (lambda: keys_to_delete(5, None, LIMITS), "fields must be a string or a list of strings"),
        (lambda: keys_to_delete(None, 5, LIMITS), "fields must be a string or a list of strings"),
        (lambda: person_fields([5], ()), "fields must be a string or a list of strings"),
        (lambda: query(sortBy=5), "sortBy must be a string"),
        (lambda: query(count=10**12), "count must be a whole number from 1 to 1000"),
        (lambda: query(count=10**5000), "count must be a whole number from 1 to 1000"),
        (lambda: query(startIndex=-(10**12)), "startIndex must be a whole number from 0 to 1000000000"),
    ],
)
def test_what_is_refused_is_named(ask: Callable[[], object], said: str) -> None:
    with pytest.raises((BadRequest, ParameterInvalid)) as caught:
        ask()
    assert caught.value.description == said


KENS = User(KEN, "健 (Ken)", profile_url="https://people.example/ken", gender="male")


@pytest.mark.parametrize(("viewer", "owner"), [(HANA, KEN), (KEN, HANA), (KEN, KEN), (HANA, HANA)])
@pytest.mark.parametrize("installed", [True, False])
def test_an_entry_says_who_it_is(viewer: str, owner: str, installed: bool) -> None:
    running = AppRun(owner, viewer, True, True, {KEN}, {KEN})
    assert person(Person(KENS, installed), person_fields(None, ()), running, strict=False) == {
        "id": KEN,
        "displayName": "健 (Ken)",
        "thumbnailUrl": "",
        "profileUrl": "https://people.example/ken",
        "nickname": "健 (Ken)",
        "isViewer": viewer == KEN,
        "isOwner": owner == KEN,
        "hasApp": installed,
    }


def test_a_name_is_the_display_name() -> None:
    entry = person(Person(KENS, True), person_fields("name", ()), AppRun(HANA, HANA, True, True), strict=False)
    assert entry == {"id": KEN, "name": {"formatted": "健 (Ken)", "unstructured": "健 (Ken)"}}


@pytest.mark.parametrize(
    ("field", "scope", "like", "value"),
    [
        ("addresses", "r_profile_location", "address", [{"formatted": "京都市", "unstructuredAddress": "京都市"}]),
        ("dateOfBirth", "r_profile_birthday", "birthday", "1990-04-01"),
    ],
)
def test_opensocials_names_are_given_as_the_fields_that_they_name(
    field: str, scope: str, like: str, value: object
) -> None:
    running = AppRun.own(KEN, installed=True)
    open_to_all = dict.fromkeys(PROFILE_FIELDS, Publication.EVERYONE)

    def entry(**fields: Any) -> dict[str, Any]:
        user = User(KEN, "健", **{"publication": open_to_all, "address": "京都市", "birthday": "1990-04-01"} | fields)
        return person(Person(user, True), person_fields(field, {scope}), running, strict=False)

    assert entry() == {"id": KEN, field: value}
    assert entry(**{like: None}) == {"id": KEN}
    assert entry(publication=open_to_all | {like: Publication.NOBODY}) == {"id": KEN}
    with pytest.raises(InsufficientScope) as caught:
        person_fields(field, {"r_profile"})
    assert caught.value.scope == scope


def published(publication: Publication) -> Person:
    settings = dict.fromkeys(PROFILE_FIELDS, publication)
    return Person(User(KEN, "Ken", gender="male", publication=settings), installed=True)


@pytest.mark.parametrize("close", [True, False])
@pytest.mark.parametrize(
    ("publication", "strangers", "friends_of_friends"),
    [
        (Publication.EVERYONE, True, True),
        (Publication.FRIENDS_OF_FRIENDS, False, True),
        (Publication.FRIENDS, False, False),
        (Publication.NOBODY, False, False),
    ],
)
def test_a_strict_profile_asks_how_close_the_viewer_is(
    publication: Publication, strangers: bool, friends_of_friends: bool, close: bool
) -> None:
    running = AppRun(MEI, HANA, True, True, friends_of_friends={KEN} if close else ())
    entry = person(published(publication), person_fields("gender", FINER), running, strict=True)
    assert ("gender" in entry) == (friends_of_friends if close else strangers)


def test_friends_of_friends_matter_to_strangers_who_publish_to_them() -> None:
    far = AppRun(MEI, HANA, True, True)
    to_them = published(Publication.FRIENDS_OF_FRIENDS)

    assert depends_on_friends_of_friends(to_them, far)
    assert not depends_on_friends_of_friends(to_them, AppRun(MEI, HANA, True, True, viewer_friends={KEN}))
    assert not depends_on_friends_of_friends(to_them, AppRun(MEI, KEN, True, True))
    for other in (Publication.EVERYONE, Publication.FRIENDS, Publication.NOBODY):
        assert not depends_on_friends_of_friends(published(other), far)
