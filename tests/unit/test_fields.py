"""The checks of fields, one by one: the last allowed and the first refused value, and what clients are told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core import fields
from chalicelib.core.directory import Gender, Publication
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.fields import Check

SETTINGS = "everyone, friendsOfFriends, friends, nobody"
# A check is made anew each time, so that what makes it is tested, too.
MADE: dict[str, Callable[[], Check]] = {
    "short": lambda: fields.text(3),
    "lines": lambda: fields.text(3, lines=True),
    "needed": lambda: fields.text(3, required=True),
    "needed, or nothing": lambda: fields.optional(fields.text(3, required=True)),
    "scopes": lambda: fields.list_of(fields.scope),
    "member": lambda: fields.one_of(Gender),
    "value": lambda: fields.value_of(Gender),
    "module": lambda: fields.check_id("module"),
    "app": lambda: fields.check_id("app"),
}


def checked(check: Check | str, value: Any) -> Any:
    return (MADE[check]() if isinstance(check, str) else check)("field", value)


@pytest.mark.parametrize(
    ("check", "value", "kept"),
    [
        ("short", "花a ", "花a "),
        ("short", "", ""),
        ("short", None, ""),
        ("lines", "\r\n\t", "\r\n\t"),
        ("needed", " a ", " a "),
        ("needed", "XYZ", "XYZ"),
        ("needed, or nothing", None, None),
        ("needed, or nothing", "", None),
        ("needed, or nothing", "abc", "abc"),
        (fields.url, None, ""),
        (fields.url, "HTTP://a.example:65535/[~]", "HTTP://a.example:65535/[~]"),
        (fields.redirect_uri, "a+b-1.c:/", "a+b-1.c:/"),
        (fields.redirect_uri, "https://a.example/?b", "https://a.example/?b"),
        (fields.origin, "https://a.example", "https://a.example"),
        (fields.origin, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (fields.scope, "!" * 64, "!" * 64),
        ("scopes", [], ()),
        ("scopes", ("b", "a", "b"), ("b", "a")),
        ("scopes", [str(number) for number in range(20)], tuple(str(number) for number in range(20))),
        ("member", "male", Gender.MALE),
        ("value", "female", "female"),
        ("value", None, None),
        (fields.boolean, False, False),
        (fields.age, 0, 0),
        (fields.age, 150, 150),
        (fields.day, "2004-02-29", "2004-02-29"),
        (fields.login, "0A" + "b" * 62, "0a" + "b" * 62),
        (fields.password, "𠮷" * 8, "𠮷" * 8),
        (fields.password, "a" * 200, "a" * 200),
        (fields.publication, {}, {}),
        (fields.publication, {"age": "nobody"}, {"age": Publication.NOBODY}),
        ("module", "1" * 9, "1" * 9),
    ],
)
def test_keeps(check: Check | str, value: Any, kept: Any) -> None:
    assert checked(check, value) == kept


@pytest.mark.parametrize(
    ("check", "value", "said"),
    [
        ("short", 5, "must be a string"),
        ("short", "abcd", "is too long (max=3)"),
        ("short", "a\n", "must not contain control characters"),
        ("lines", "\0", "must not contain control characters"),
        ("lines", "\u0085", "must not contain control characters"),
        ("lines", "\ud800", "must not contain control characters"),
        ("needed", None, "must be a string"),
        ("needed", "", "must not be empty"),
        ("needed", " \u3000", "must not be empty"),
        ("needed", "abcd", "is too long (max=3)"),
        ("needed, or nothing", " ", "must not be empty"),
        (fields.url, "/a", "must be an absolute URL"),
        (fields.url, "縁側", "must be an absolute URL"),
        (fields.url, "http://a.example/é", 'must be escaped: "é" is written %C3%A9'),
        (fields.url, "http://a.example/\u212a", 'must be escaped: "\u212a" is written %E2%84%AA'),
        (fields.url, "http://a.example/縁側", 'must be escaped: "縁" is written %E7%B8%81'),
        (fields.url, 'http://a.example/?p={"a":1}', 'must be escaped: "{" is written %7B'),
        (fields.url, "http://a.example/a b", 'must be escaped: " " is written %20'),
        (fields.url, "http://a.example/\n", "must be escaped: it has a character that a URL does not hold"),
        (fields.url, "http://a.example/\u202e", "must be escaped: it has a character that a URL does not hold"),
        (fields.url, "http://a.example/\ud800", "must be escaped: it has a character that a URL does not hold"),
        *(
            (fields.url, wrong, "must be escaped: a % that is not followed by two hexadecimal digits is written %25")
            for wrong in ("http://a.example/%zz", "http://a.example/%", "http://a.example/%4", "http://a.example/%%41")
        ),
        (
            fields.redirect_uri,
            "com.example.app:/%zz",
            "must be escaped: a % that is not followed by two hexadecimal digits is written %25",
        ),
        (fields.url, "ftp://a.example/", "must be an http or https URL"),
        (fields.url, "http://a.example/".ljust(1025, "a"), "is too long (max=1024)"),
        (
            fields.redirect_uri,
            "javascript:a",
            "must be http or https URLs, or of a scheme such as com.example.app",
        ),
        (fields.redirect_uri, "https://a.example/#", "must not have a fragment"),
        (fields.redirect_uri, 5, "must be an absolute URL"),
        (fields.origin, "ftp://a.example", "must be web origins, such as https://game.example"),
        (fields.origin, "https://a.example/", "must be web origins, such as https://game.example"),
        (fields.origin, "https://A.example", "must be web origins, such as https://game.example"),
        (fields.scope, "!" * 65, "must be scopes, such as mixi_apps2"),
        (fields.scope, "a b", "must be scopes, such as mixi_apps2"),
        (fields.scope, 5, "must be scopes, such as mixi_apps2"),
        ("scopes", "a", "must be a list"),
        ("scopes", ["a"] * 21, "has too many entries (max=20)"),
        ("scopes", ["a", 5], "must be scopes, such as mixi_apps2"),
        ("member", "Male", "must be one of male, female"),
        ("member", None, "must be one of male, female"),
        ("value", 5, "must be one of male, female"),
        (fields.boolean, 0, "must be true or false"),
        (fields.age, -1, "must be a whole number from 0 to 150"),
        (fields.age, 151, "must be a whole number from 0 to 150"),
        (fields.age, True, "must be a whole number from 0 to 150"),
        (fields.age, 7.0, "must be a whole number from 0 to 150"),
        (fields.day, "2003-02-29", "must be a date, YYYY-MM-DD"),
        (fields.day, "20030228", "must be a date, YYYY-MM-DD"),
        (fields.day, 20030228, "must be a date, YYYY-MM-DD"),
        (fields.login, "a" * 65, "must be 1 to 64 of a-z 0-9 . _ @ + -, the first of them a letter or digit"),
        (fields.login, None, "must be 1 to 64 of a-z 0-9 . _ @ + -, the first of them a letter or digit"),
        (fields.password, "a" * 7, "must be 8 to 200 characters"),
        (fields.password, "a" * 201, "must be 8 to 200 characters"),
        (fields.password, "aaaaaaa\ud800", "must be 8 to 200 characters"),
        (fields.password, 12345678, "must be 8 to 200 characters"),
        (fields.publication, [], "must be an object"),
        (fields.publication, {"login": "nobody"}, "has settings for address, birthday, age, gender only"),
        ("module", "0", "is not the id of a module"),
        ("app", 5, "is not the id of an app"),
    ],
)
def test_refuses_and_says_why(check: Check | str, value: Any, said: str) -> None:
    with pytest.raises(ParameterInvalid) as caught:
        checked(check, value)
    assert caught.value.description == f"field {said}"


def test_a_publication_is_refused_by_the_name_of_its_field() -> None:
    with pytest.raises(ParameterInvalid) as caught:
        fields.publication("publication", {"age": "friends", "gender": "all"})
    assert caught.value.description == f"publication.gender must be one of {SETTINGS}"


@pytest.mark.parametrize(("number", "good"), [("x", False), ("65536", False), ("65535", True), ("", True)])
def test_a_port_is_a_number_of_16_bits(number: str, good: bool) -> None:
    value = f"http://a.example:{number}/"
    if good:
        assert fields.url("field", value) == value
    else:
        with pytest.raises(ParameterInvalid, match="field must be an absolute URL"):
            fields.url("field", value)
