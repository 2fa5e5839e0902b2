"""The rules for users, apps and pages: each field's last allowed and first refused value; and cursors."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.appdata import check_keys
from chalicelib.core.codecs import checks
from chalicelib.core.codecs.directory_json import (
    app_json,
    module_json,
    page_json,
    read_app,
    read_module,
    read_page,
    read_user,
    user_json,
)
from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.ids import is_id
from chalicelib.core.limits import Limits
from chalicelib.core.model import directory
from chalicelib.core.model.directory import (
    App,
    AppDialect,
    Category,
    FeedSource,
    Module,
    Page,
    StartMethod,
    User,
)
from chalicelib.core.model.publication import DEFAULT_PUBLICATION, Publication
from chalicelib.web.auth import external_issuer

HOST = "https://a.example/"


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("displayName", "花" * 100, "花" * 100),
        ("displayName", "<script>'\"&", "<script>'\"&"),
        ("profileUrl", HOST + "a" * (1024 - len(HOST)), HOST + "a" * (1024 - len(HOST))),
        ("profileUrl", None, ""),
        ("thumbnailUrl", "http://127.0.0.1:8000/a.jpg?b=%20", "http://127.0.0.1:8000/a.jpg?b=%20"),
        ("bloodType", "AB", "AB"),
        ("bloodType", None, None),
        ("address", "a" * 255, "a" * 255),
        ("address", "", None),
        ("birthday", "2004-02-29", "2004-02-29"),
        ("age", 0, 0),
        ("age", 150, 150),
        ("age", None, None),
        ("gender", "female", "female"),
        ("publication", {"age": "friendsOfFriends"}, {"age": Publication.FRIENDS_OF_FRIENDS}),
        ("visible", False, False),
        ("login", "Hana.Yamada+1@example", "hana.yamada+1@example"),
        ("login", "a" * 64, "a" * 64),
        ("login", None, None),
    ],
)
def test_keeps_a_users_field(field: str, value: Any, kept: Any) -> None:
    [(_, read)] = read_user({field: value}, new=False).items()

    assert read == kept


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("displayName", ""),
        ("displayName", " \u3000"),
        ("displayName", "a" * 101),
        ("displayName", "a\r\nSet-Cookie: b"),
        ("displayName", "a\u0085b"),
        ("displayName", "\ud800"),
        ("displayName", None),
        ("displayName", 5),
        ("profileUrl", "javascript:alert(1)"),
        ("profileUrl", "//a.example/"),
        ("profileUrl", "https:///a"),
        ("profileUrl", "https://user:password@a.example/"),
        ("profileUrl", 'https://a.example/"onload='),
        ("profileUrl", "https://a.example/\n"),
        ("profileUrl", "https://a.example:x/"),
        ("profileUrl", HOST + "a" * (1025 - len(HOST))),
        ("thumbnailUrl", "data:image/png;base64,AA"),
        ("bloodType", "C"),
        ("bloodType", ["A"]),
        ("address", "a" * 256),
        ("birthday", "2003-02-29"),
        ("birthday", "2003-2-1"),
        ("birthday", "20030201"),
        ("birthday", "２００３-02-01"),
        ("age", -1),
        ("age", 151),
        ("age", True),
        ("age", "7"),
        ("gender", "Male"),
        ("publication", "everyone"),
        ("publication", {"bloodType": "everyone"}),
        ("publication", {"age": "all"}),
        ("publication", {"age": None}),
        ("visible", 1),
        ("login", "a" * 65),
        ("login", ".a"),
        ("login", "a b"),
        ("login", "花"),
        ("login", 7),
    ],
)
def test_refuses_a_users_field_and_names_it(field: str, value: Any) -> None:
    with pytest.raises(ParameterInvalid, match=field):
        read_user({field: value}, new=False)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("redirectUris", ["https://a.example/cb?x=1", "http://127.0.0.1/cb"], None),
        ("redirectUris", ["com.example.game:/callback"], None),
        ("redirectUris", [f"https://a.example/{number}" for number in range(20)], None),
        ("redirectUris", ["https://a.example/", "https://a.example/"], ("https://a.example/",)),
        ("startUrl", None, ""),
        ("scopes", ["mixi_apps2", "r_profile"], None),
        ("origins", ["https://game.example", "http://127.0.0.1:8080"], None),
        ("dialect", "draft10", AppDialect.DRAFT10),
    ],
)
def test_keeps_an_apps_field(field: str, value: Any, kept: Any) -> None:
    [(_, read)] = read_app({field: value}, new=False).items()

    assert read == (None if kept == "" else kept or tuple(value))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("redirectUris", "https://a.example/"),
        ("redirectUris", ["/cb"]),
        ("redirectUris", ["https://a.example/#"]),
        ("redirectUris", ["https://a.example/#x"]),
        ("redirectUris", ["javascript:alert(1)"]),
        ("redirectUris", ["data:text/html,a"]),
        ("redirectUris", ["https://a.example@evil.example/"]),
        ("redirectUris", ["https://a.example\\@evil.example/"]),
        ("redirectUris", ["https://a.example/\r\nX: y"]),
        ("redirectUris", [f"https://a.example/{number}" for number in range(21)]),
        ("startUrl", "ftp://a.example/"),
        ("scopes", ["r_profile", "r_profil"]),
        ("scopes", ["a b"]),
        ("scopes", [""]),
        ("scopes", ['a"']),
        ("origins", ["https://game.example/"]),
        ("origins", ["https://Game.example"]),
        ("origins", ["*"]),
        ("origins", ["null"]),
        ("dialect", "oauth1"),
        ("startMethod", "post"),
        ("confidential", True),
        ("id", "6d1f0c2ab4e79853"),
        ("secret", "a"),
    ],
)
def test_refuses_an_apps_field_and_names_it(field: str, value: Any) -> None:
    with pytest.raises(ParameterInvalid, match=field):
        read_app({field: value}, new=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("category", "shop"),
        ("details", "a" * 1001),
        ("details", "a\0"),
        ("zipCode", "1" * 17),
        ("address", "a" * 256),
        ("pcUrl", "a"),
        ("birthday", "yesterday"),
        ("thumbnailLarge", "a"),
        ("feedSource", "nobody"),
        ("followers", 3),
    ],
)
def test_refuses_a_pages_field_and_names_it(field: str, value: Any) -> None:
    with pytest.raises(ParameterInvalid, match=field):
        read_page({field: value}, new=False)


def test_something_new_needs_its_name_and_may_bring_its_id() -> None:
    assert read_user({"id": "k3v9x2mtq7ra", "displayName": "Hana"}, new=True) == {
        "id": "k3v9x2mtq7ra",
        "display_name": "Hana",
        "publication": DEFAULT_PUBLICATION,
    }
    for read, name in ((read_user, "displayName"), (read_app, "name"), (read_page, "name")):
        with pytest.raises(ParameterInvalid, match=f"{name} is missing"):
            read({}, new=True)
        for wrong in ("", "K3V9X2MTQ7RA", "../../../../", "0", 7):
            with pytest.raises(ParameterInvalid, match="id is not"):
                read({"id": wrong, name: "a"}, new=True)
        with pytest.raises(BadRequest):
            read([], new=True)


def test_a_module_is_an_app_with_a_name_and_may_bring_its_id() -> None:
    body = {"app": "6d1f0c2ab4e79853", "name": "Quest"}
    assert read_module(body) == body
    assert read_module(body | {"id": "3"}) == body | {"id": "3"}
    assert module_json(Module("7", "3", body["app"], "Quest")) == {"id": "3", "page": "7"} | body
    for wrong, said in (
        ({"name": "Quest"}, "app is missing"),
        ({"app": body["app"]}, "name is missing"),
        (body | {"id": "0"}, "id is not the id of a module"),
        (body | {"page": "7"}, "There is no field 'page'; the fields are app, name, id"),
        (body | {"p" * 65: "7"}, f"There is no field '{'p' * 64}'; the fields are app, name, id"),
    ):
        with pytest.raises(ParameterInvalid) as caught:
            read_module(wrong)
        assert caught.value.description == said


def test_a_password_is_left_to_who_asks_for_it() -> None:
    assert "password" not in read_user({"displayName": "Hana", "password": "p"}, new=True, extra=("password",))
    with pytest.raises(ParameterInvalid, match="password"):
        read_user({"displayName": "Hana", "password": "p"}, new=True)


@pytest.mark.parametrize(
    ("password", "good"), [("a" * 7, False), ("a" * 8, True), ("花" * 200, True), ("a" * 201, False)]
)
def test_a_password_has_8_to_200_characters(password: str, good: bool) -> None:
    if good:
        assert checks.password("password", password) == password
    else:
        with pytest.raises(ParameterInvalid, match=re.escape("password must be 8 to 200 characters")):
            checks.password("password", password)


_OF_THE_SERVER = ("suspended", "suspensionReason", "secretCreated", "secretUsed", "oldSecretUntil", "oldSecretUsed")
"""Fields of an app that other requests change."""


def test_what_is_written_out_can_be_read_again() -> None:
    user = User("k3v9x2mtq7ra", "花", age=7, publication={**DEFAULT_PUBLICATION, "age": Publication.NOBODY})
    app = App("6d1f0c2ab4e79853", "Quest", secret="s", redirect_uris=("https://a.example/",), origins=("http://b",))
    app = replace(app, start_method=StartMethod.FORM)
    page = Page("7", "Café", Category.LOCAL, details="one\ntwo", feed_source=FeedSource.EVERYONE)

    told = user_json(user), app_json(app), page_json(page)

    assert "secret" not in told[1]
    for each in told:
        for own in ("created", "friends", "followers", *_OF_THE_SERVER):
            each.pop(own, None)
    assert User(**read_user(told[0], new=True)) == user
    assert App(**read_app(told[1], new=True), secret="s") == app
    assert Page(**read_page(told[2], new=True)) == page


def test_ids_have_their_form_and_differ() -> None:
    for kind, make in (
        ("user", directory.new_user_id),
        ("app", directory.new_app_id),
        ("page", directory.new_page_id),
    ):
        made = {make() for _ in range(200)}
        assert len(made) == 200
        assert all(is_id(kind, each) for each in made)
    assert {len(directory.new_page_id()) for _ in range(200)} == {20}
    assert is_id("page", "187793")
    assert not is_id("page", "1" * 21)
    assert not is_id("user", "k3v9x2mtq7ra\n")
    secrets = {directory.new_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert all(re.fullmatch("[0-9a-f]{40}", secret) for secret in secrets)


@pytest.mark.parametrize("separator", ["#", "\n", " ", "\0", "/", "|"])
def test_nothing_that_stands_in_a_key_has_what_separates_its_parts(separator: str) -> None:
    for kind, known in (("user", "k3v9x2mtq7ra"), ("app", "6d1f0c2ab4e79853"), ("page", "187793"), ("module", "12")):
        for place in range(len(known) + 1):
            assert not is_id(kind, known[:place] + separator + known[place:])
            assert not is_id(kind, known[:place] + separator + known[place + 1 :])
    for refuses in (
        lambda: checks.login("login", f"hana{separator}x"),
        lambda: check_keys([f"level{separator}x"], Limits()),
        lambda: from_cursor(to_cursor(f"a{separator}b")),
    ):
        with pytest.raises(ParameterInvalid):
            refuses()
    assert not external_issuer._is_id(f"k3v9{separator}x2mtq7ra")


@pytest.mark.parametrize("last", ["0", "k3v9x2mtq7ra", "20260401000000000001"])
def test_a_cursor_brings_back_the_id(last: str) -> None:
    assert to_cursor("a") == "YQ"
    assert from_cursor(to_cursor(last)) == last


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "=",
        "a",
        "花",
        to_cursor("abc") + "=",
        "YQ==",
        "YR",
        "Y Q",
        "YWJ",
        "\ud800",
        "YQ\n",
        to_cursor("a#b"),
        to_cursor("A"),
        "a" * 999,
    ],
)
def test_a_cursor_that_no_list_gave_is_refused(cursor: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        from_cursor(cursor)
    assert caught.value.description == "cursor does not belong to this list"
