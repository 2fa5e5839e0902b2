"""The limits of an import request, the result of each record, and the rounds that create friendships."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chalicelib.core.bulk_import import (
    NewUser,
    RecordResult,
    compare,
    in_order,
    read_new_user,
    read_pair,
    read_records,
    refused,
    rounds,
    stored,
)
from chalicelib.core.errors import BadRequest, Conflict, ParameterInvalid, Refusal
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import DEFAULT_PUBLICATION, Publication
from chalicelib.core.passwords import hash_password

HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
QUEST = "6d1f0c2ab4e79853"
FRIENDSHIP = {"user": "user", "friend": "user"}
INSTALL = {"user": "user", "app": "app"}
FIELDS = (
    "users, apps, friendships, installs, data, pages, modules, administrators, followers, feeds, comments, favorites, "
    "grants, dryRun"
)
USERS = some.sampled_from("abcdef")


def told(refusal: Refusal) -> str:
    return f"{refusal.error}: {refusal.description}"


# The request


def test_records_come_by_kind_in_the_order_in_which_they_are_carried_out() -> None:
    read = read_records({"installs": [1], "users": [{"id": HANA}], "friendships": []})
    assert list(read.items()) == [("users", [{"id": HANA}]), ("friendships", []), ("installs", [1])]
    assert read_records({}) == {}


def test_100_records_in_all_and_20_passwords_are_the_most() -> None:
    secret = {"password": "correct horse"}
    most = {"users": [secret] * 20 + [{}] * 30, "friendships": [{}] * 25, "installs": [secret] * 25}
    assert read_records(most) == most
    with pytest.raises(ParameterInvalid) as caught:
        read_records(most | {"friendships": [{}] * 26})
    assert caught.value.description == "Too many records (max=100)"
    with pytest.raises(ParameterInvalid) as caught:
        read_records({"users": ["password", secret] * 21})
    assert caught.value.description == "Too many records with a password (max=20)"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "bad_request: The body must be a JSON object"),
        ({"groups": []}, "parameter_invalid: There is no field 'groups'; the fields are " + FIELDS),
        (
            {"p" * 65: []},
            f"parameter_invalid: There is no field '{'p' * 64}'; the fields are {FIELDS}",
        ),
        ({"users": {}}, "parameter_invalid: users must be a list"),
    ],
)
def test_what_is_no_import(body: object, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_records(body)
    assert told(caught.value) == said


# A user's record


def test_a_user_comes_with_an_id_and_perhaps_a_password() -> None:
    fields = {"id": HANA, "display_name": "Hana", "login": "hana", "publication": DEFAULT_PUBLICATION}
    record = {"id": HANA, "displayName": "Hana", "login": "Hana"}
    assert read_new_user(record) == NewUser(fields)
    assert read_new_user(record | {"password": None, "passwordHash": None}) == NewUser(fields)
    assert read_new_user(record | {"password": "12345678"}) == NewUser(fields, password="12345678")
    hashed = hash_password("12345678")
    assert read_new_user(record | {"passwordHash": hashed}) == NewUser(fields, password_hash=hashed)
    assert read_new_user(record | {"created": 7}) == NewUser(fields | {"created": 7})


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (7, "bad_request: The body must be a JSON object"),
        ({"displayName": "Hana"}, "parameter_invalid: id is missing"),
        ({"id": HANA}, "parameter_invalid: displayName is missing"),
        ({"id": HANA, "displayName": "Hana", "password": "12345678"}, "parameter_invalid: login is missing"),
        ({"id": HANA, "displayName": "H", "login": "", "password": "12345678"}, "parameter_invalid: login is missing"),
        (
            {"id": HANA, "displayName": "Hana", "login": "hana", "password": "1234567"},
            "parameter_invalid: password must be 8 to 200 characters",
        ),
        (
            {"id": HANA, "displayName": "Hana", "login": "hana", "password": "12345678", "passwordHash": "x"},
            "parameter_invalid: password and passwordHash exclude each other",
        ),
        (
            {"id": HANA, "displayName": "Hana", "login": "hana", "passwordHash": "12345678"},
            "parameter_invalid: passwordHash must be scrypt$n$r$p$salt$key, as an export writes it",
        ),
        ({"id": HANA, "displayName": "Hana", "passwordHash": "x"}, "parameter_invalid: login is missing"),
        *(
            (
                {"id": HANA, "displayName": "Hana", "created": wrong},
                "parameter_invalid: created must be milliseconds since 1970, at least 1",
            )
            for wrong in (0, -1, "1", 1.5, True, 10**18)
        ),
    ],
)
def test_a_users_record_that_is_none(record: object, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_new_user(record)
    assert told(caught.value) == said


# A pair's record


def test_a_pair_is_read_in_the_order_of_its_kinds() -> None:
    assert read_pair({"friend": KEN, "user": HANA}, FRIENDSHIP) == (HANA, KEN)
    assert read_pair({"app": QUEST, "user": HANA}, INSTALL) == (HANA, QUEST)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ([HANA, QUEST], "bad_request: A record must be a JSON object"),
        ({"user": HANA}, "parameter_invalid: app is missing"),
        ({"user": HANA, "app": HANA}, "parameter_invalid: app is not the id of an app"),
        ({"user": QUEST, "app": QUEST}, "parameter_invalid: user is not the id of a user"),
        (
            {"user": HANA, "app": QUEST, "x" * 65: 1},
            f"parameter_invalid: There is no field '{'x' * 64}'; the fields are user, app",
        ),
    ],
)
def test_a_pair_that_is_none(record: object, said: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_pair(record, INSTALL)
    assert told(caught.value) == said


# Results


def test_what_became_of_a_record_is_told() -> None:
    assert stored(True).told() == {"status": "created"}
    assert stored(False).told() == {"status": "unchanged"}
    assert refused(BadRequest("No.")).told() == {
        "status": "refused",
        "error": "bad_request",
        "error_description": "No.",
    }


def test_outcomes_are_told_in_the_order_of_the_records() -> None:
    assert in_order(2, {1: RecordResult("b"), 0: RecordResult("a")}) == [RecordResult("a"), RecordResult("b")]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"display_name": "Hana", "login": "hana", "age": 0, "visible": True},
        {"address": None, "profile_url": ""},
        {"publication": {"age": Publication.NOBODY}},
        {"publication": {}},
    ],
)
def test_a_user_who_is_so_already_stays(given: dict[str, Any]) -> None:
    publication = {**DEFAULT_PUBLICATION, "age": Publication.NOBODY}
    hana = User(HANA, "Hana", login="hana", age=0, publication=publication)
    assert compare(hana, given) == RecordResult("unchanged")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"display_name": "Hana", "age": 7}, "age"),
        ({"display_name": "Ken"}, "display name"),
        ({"address": "Tokyo"}, "address"),
        ({"login": None}, "login"),
        ({"visible": False}, "visible"),
        ({"age": 0}, "age"),
        ({"publication": {"age": Publication.NOBODY}}, "publication"),
    ],
)
def test_a_user_who_is_another_is_refused(given: dict[str, Any], said: str) -> None:
    found = compare(User(HANA, "Hana", login="hana"), given)
    assert found.status == "refused"
    assert isinstance(found.refusal, Conflict)
    assert found.refusal.description == f"The user exists, and has another {said}"


@given(some.lists(some.tuples(USERS, USERS), max_size=40))
def test_each_is_in_one_round_and_meets_nobody_there(pairs: list[tuple[str, str]]) -> None:
    made = rounds(enumerate(pairs))

    assert sorted(number for numbers in made for number in numbers) == list(range(len(pairs)))
    for numbers in made:
        users = [user for number in numbers for user in set(pairs[number])]
        assert len(users) == len(set(users))


def test_a_star_takes_a_round_each_and_a_set_of_pairs_one() -> None:
    assert rounds(enumerate([("a", "b"), ("a", "c"), ("d", "a")])) == [[0], [1], [2]]
    assert rounds(enumerate([("a", "b"), ("c", "d"), ("e", "f")])) == [[0, 1, 2]]
