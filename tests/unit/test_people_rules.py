"""The People API's rules: fields and their scopes, selectors, parameters, order, and the returned parts of a person."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.core.errors import InsufficientScope, ParameterInvalid, PermissionDenied
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.paging import Paging, paging
from chalicelib.core.people import (
    DEFAULT_FIELDS,
    FIELDS,
    PeopleFilter,
    PeopleGroup,
    Person,
    Query,
    asked_fields,
    is_obtainable,
    read_query,
    select,
    view,
)
from chalicelib.core.permission import AppRun

HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
FINER = {
    "bloodType": "r_profile_blood_type",
    "address": "r_profile_location",
    "location": "r_profile_location",
    "birthday": "r_profile_birthday",
    "age": "r_profile_birthday",
    "gender": "r_profile_gender",
}
KEN_USER = User(
    id=KEN,
    display_name="健 (Ken)",
    profile_url="http://127.0.0.1:8000/users/ken",
    thumbnail_url="http://127.0.0.1:8000/ken.png",
    blood_type="A",
    address="東京都",
    birthday="1990-02-28",
    age=34,
    gender="male",
    publication=dict.fromkeys(PROFILE_FIELDS, Publication.FRIENDS),
)


# --- fields and scopes


@pytest.mark.parametrize("text", ["", ",", "id,displayName,thumbnailUrl,profileUrl"])
def test_default_fields(text: str) -> None:
    assert asked_fields(text, {"r_profile"}) == DEFAULT_FIELDS


@pytest.mark.parametrize("text", ["displayName", "displayName,id", "displayName,lastLogin,status,no_such"])
def test_fields_asked_by_name_come_with_the_id_and_names_of_no_field_are_ignored(text: str) -> None:
    assert asked_fields(text, {"r_profile"}) == ("id", "displayName")


@pytest.mark.parametrize(("name", "scope"), FINER.items())
def test_a_field_asks_for_its_scope(name: str, scope: str) -> None:
    with pytest.raises(InsufficientScope) as refused:
        asked_fields(f"id,{name}", {"r_profile", *FINER.values()} - {scope})

    assert refused.value.scope == scope
    assert refused.value.description == f"The access token does not have the scope {scope}"
    assert asked_fields(name, {"r_profile", scope}) == ("id", name)


@pytest.mark.parametrize("text", ["@all", "*", "id,@all"])
@pytest.mark.parametrize("scope", FINER.values())
def test_all_is_what_the_scopes_open(text: str, scope: str) -> None:
    basic = (*DEFAULT_FIELDS, "thumbnailDetails")
    opened = {name for name, asked in FINER.items() if asked == scope}

    assert asked_fields(text, {"r_profile"}) == basic
    assert set(asked_fields(text, {"r_profile", scope})) == {*basic, *opened}
    assert asked_fields(text, {"r_profile", *FINER.values()}) == tuple(FIELDS)


# --- selectors


@pytest.mark.parametrize(
    ("user", "group", "selected"),
    [
        ("@me", "@self", (HANA, PeopleGroup.SELF)),
        (HANA, "@self", (HANA, PeopleGroup.SELF)),
        (KEN, "@self", (KEN, PeopleGroup.SELF)),
        ("@me", "@friends", (HANA, PeopleGroup.FRIENDS)),
        (HANA, "@friends", (HANA, PeopleGroup.FRIENDS)),
    ],
)
def test_selectors(user: str, group: str, selected: tuple[str, PeopleGroup]) -> None:
    assert select(user, group, HANA) == selected


@pytest.mark.parametrize(
    ("user", "group"),
    [
        (KEN, "@friends"),
        ("@me", "@all"),
        ("@me", "12345"),
        ("@me", ""),
        ("@owner", "@self"),
        ("K3V9X2MTQ7RA", "@self"),
        ("a8d1p0zzk4wn#", "@self"),
        ("a" * 5000, "@self"),
    ],
)
def test_refused_selectors(user: str, group: str) -> None:
    with pytest.raises(PermissionDenied):
        select(user, group, HANA)


# --- parameters


def query(**given: str) -> Query:
    return read_query(given.get)


def test_defaults() -> None:
    assert query() == Query(Paging(0, 20), by_name=False, descending=False, filter=None, page=None)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"startIndex": "0", "count": "1"}, Paging(0, 1)),
        ({"startIndex": "1000000000", "count": "1000"}, Paging(1_000_000_000, 1000)),
        ({"startIndex": "7"}, Paging(7, 20)),
    ],
)
def test_paging(given: Mapping[str, str], part: Paging) -> None:
    assert query(**given).paging == part


@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize("value", ["", "-1", "+1", "1.0", "1e2", " 1", "x", "١", "0x1", "9" * 5000, "1_0"])
def test_what_is_no_whole_number(name: str, value: str) -> None:
    with pytest.raises(ParameterInvalid, match=name):
        query(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("count", "0"), ("count", "1001"), ("startIndex", "1000000001")])
def test_what_is_out_of_range(name: str, value: str) -> None:
    with pytest.raises(ParameterInvalid, match=f"{name} must be a whole number from"):
        query(**{name: value})


def test_the_maximum_is_the_lists_own() -> None:
    assert paging(None, "100", most=100) == Paging(0, 100)
    with pytest.raises(ParameterInvalid, match="count must be a whole number from 1 to 100"):
        paging(None, "101", most=100)


def test_a_cursor_takes_the_place_of_an_index() -> None:
    assert paging("7", "3", most=100).index == 7
    part = paging(None, "3", most=100, cursor="c")
    assert (part, part.index) == (Paging(0, 3, "c"), None)
    with pytest.raises(ParameterInvalid) as caught:
        paging("0", None, most=100, cursor="c")
    assert caught.value.description == "cursor and startIndex cannot be used together"


def test_an_answer_counts_what_it_holds() -> None:
    assert Paging(7, 3).counters(2, 9) == {"startIndex": 7, "itemsPerPage": 2, "totalResults": 9}
    assert Paging(0, 3, "c").counters(2, 9) == {"itemsPerPage": 2, "totalResults": 9}


@pytest.mark.parametrize(("start", "cut"), [(0, "ab"), (1, "bc"), (2, "c"), (3, ""), (1000, "")])
def test_a_part_of_a_list(start: int, cut: str) -> None:
    assert Paging(start, 2).cut("abc") == cut


NAMES = {"c": "anna", "a": "Zoe", "b": "Anna", "d": "花"}


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ({}, "abcd"),
        ({"sortBy": "id", "sortOrder": "ascending"}, "abcd"),
        ({"sortBy": "", "sortOrder": ""}, "abcd"),
        ({"sortBy": "affinity"}, "abcd"),
        ({"sortBy": "affinity", "sortOrder": "descending"}, "dcba"),
        ({"sortOrder": "descending"}, "dcba"),
        ({"sortBy": "displayName"}, "bcad"),
        ({"sortBy": "displayName", "sortOrder": "descending"}, "dacb"),
    ],
)
def test_order(given: Mapping[str, str], order: str) -> None:
    assert "".join(query(**given).arranged(NAMES)) == order


@pytest.mark.parametrize(
    ("given", "wanted", "page"),
    [
        ({"filterBy": ""}, None, None),
        ({"filterBy": "hasApp"}, PeopleFilter.HAS_APP, None),
        ({"filterBy": "hasApp", "filterValue": "whatever"}, PeopleFilter.HAS_APP, None),
        ({"filterBy": "pageId", "filterValue": "12345"}, PeopleFilter.PAGE, "12345"),
        ({"filterValue": "12345"}, None, None),
    ],
)
def test_filters(given: Mapping[str, str], wanted: PeopleFilter | None, page: str | None) -> None:
    found = query(**given)

    assert (found.filter, found.page) == (wanted, page)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"filterBy": "topFriends"}, "filterBy must be one of: hasApp, pageId"),
        ({"filterBy": "pageId"}, "filterValue must be the id of a page"),
        ({"filterBy": "pageId", "filterValue": ""}, "filterValue must be the id of a page"),
        ({"filterBy": "pageId", "filterValue": "cafe"}, "filterValue must be the id of a page"),
        ({"filterBy": "pageId", "filterValue": "1" * 21}, "filterValue must be the id of a page"),
        ({"sortBy": "age"}, "sortBy must be one of: id, displayName, affinity"),
        ({"sortOrder": "down"}, "sortOrder must be one of: ascending, descending"),
    ],
)
def test_refused_parameters(given: Mapping[str, str], said: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        query(**given)
    assert caught.value.description == said


# --- returned fields

OWN = AppRun.own(HANA, installed=True, friends={KEN})
OWNERS = AppRun(KEN, HANA, owner_installed=True, viewer_installed=True, owner_friends={"yuki"}, viewer_friends={"yuki"})


def seen(user: User, *fields: str, installed: bool = True, strict: bool = False, running: AppRun = OWN) -> Any:
    return view(Person(user, installed), fields, running, strict=strict)


def changed(**fields: Any) -> User:
    return User(**{**KEN_USER.__dict__, **fields})


def test_every_field() -> None:
    picture = "http://127.0.0.1:8000/ken.png"
    assert seen(KEN_USER, *FIELDS) == {
        "id": KEN,
        "displayName": "健 (Ken)",
        "thumbnailUrl": "http://127.0.0.1:8000/ken.png",
        "profileUrl": "http://127.0.0.1:8000/users/ken",
        "thumbnailDetails": [{"value": picture, "url": picture, "width": 76, "height": 76}],
        "bloodType": "A",
        "address": "東京都",
        "location": "東京都",
        "birthday": "1990-02-28",
        "age": 34,
        "gender": "male",
    }


def test_what_is_not_given_is_absent_but_for_the_default_fields() -> None:
    bare = User(id=KEN, display_name="Ken")

    assert seen(bare, *FIELDS) == {
        "id": KEN,
        "displayName": "Ken",
        "thumbnailUrl": "",
        "profileUrl": "",
        "thumbnailDetails": [],
    }


def test_an_age_of_nought_is_an_age() -> None:
    assert seen(changed(age=0), "age") == {"age": 0}


@pytest.mark.parametrize("name", PROFILE_FIELDS)
@pytest.mark.parametrize("strict", [False, True])
def test_each_field_of_the_profile_has_its_own_setting(name: str, strict: bool) -> None:
    """A field published to nobody is absent, even for the user; the others stay."""
    settings = {**KEN_USER.publication, name: Publication.NOBODY}
    own = AppRun.own(KEN, installed=True)

    for running in (OWN, own):
        left = seen(changed(publication=settings), *PROFILE_FIELDS, strict=strict, running=running)
        assert left.keys() == set(PROFILE_FIELDS) - {name}


def test_location_is_published_as_the_address() -> None:
    settings = {**KEN_USER.publication, "address": Publication.NOBODY}

    assert seen(changed(publication=settings), "address", "location") == {}


def test_of_an_owners_friend_without_the_app_only_what_is_public() -> None:
    settings = {**KEN_USER.publication, "gender": Publication.EVERYONE}
    yuki = changed(id="yuki", publication=settings)

    left = seen(yuki, *FIELDS, installed=False, running=OWNERS)

    assert left.keys() == {*DEFAULT_FIELDS, "thumbnailDetails", "bloodType", "gender"}


@pytest.mark.parametrize(
    ("user", "installed", "running", "obtainable"),
    [
        (KEN_USER, True, OWN, True),
        (KEN_USER, False, OWN, False),
        (changed(visible=False), True, OWN, True),
        (changed(id="yuki"), False, OWNERS, True),
        (changed(id="yuki", visible=False), False, OWNERS, False),
    ],
)
def test_who_is_absent(user: User, installed: bool, running: AppRun, obtainable: bool) -> None:
    assert is_obtainable(Person(user, installed), running) == obtainable


def test_strict_asks_for_the_relation() -> None:
    """As another face will ask: for a friend of a friend of the viewer, and for a stranger."""
    settings = dict(
        zip(
            PROFILE_FIELDS,
            [Publication.EVERYONE, Publication.FRIENDS_OF_FRIENDS, Publication.FRIENDS] * 2,
            strict=False,
        )
    )
    user = changed(publication=settings)
    stranger = AppRun.own(HANA, installed=True)
    far = AppRun(HANA, HANA, True, True, friends_of_friends={KEN})

    assert list(seen(user, *PROFILE_FIELDS, strict=True, running=stranger)) == ["address", "gender"]
    assert list(seen(user, *PROFILE_FIELDS, strict=True, running=far)) == ["address", "birthday", "gender"]
    assert list(seen(user, *PROFILE_FIELDS, running=stranger)) == list(PROFILE_FIELDS)
