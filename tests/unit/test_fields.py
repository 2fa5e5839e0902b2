"""The checks of fields, one by one: the last allowed and first refused value, and the error messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.codecs import checks
from chalicelib.core.codecs.checks import Check
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import Gender
from chalicelib.core.model.publication import Publication

SETTINGS = "everyone, friendsOfFriends, friends, nobody"
# Each check is created anew, so that its creation is tested, too.
MADE: dict[str, Callable[[], Check]] = {
    "short": lambda: checks.text(3),
    "lines": lambda: checks.text(3, lines=True),
    "needed": lambda: checks.text(3, required=True),
    "needed, or nothing": lambda: checks.optional(checks.text(3, required=True)),
    "scopes": lambda: checks.list_of(checks.scope),
    "member": lambda: checks.one_of(Gender),
    "value": lambda: checks.value_of(Gender),
    "module": lambda: checks.check_id("module"),
    "app": lambda: checks.check_id("app"),
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
        (checks.url, None, ""),
        (checks.url, "HTTP://a.example:65535/[~]", "HTTP://a.example:65535/[~]"),
        (checks.redirect_uri, "a+b-1.c:/", "a+b-1.c:/"),
        (checks.redirect_uri, "https://a.example/?b", "https://a.example/?b"),
        (checks.origin, "https://a.example", "https://a.example"),
        (checks.origin, "http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        (checks.scope, "!" * 64, "!" * 64),
        ("scopes", [], ()),
        ("scopes", ("b", "a", "b"), ("b", "a")),
        ("scopes", [str(number) for number in range(20)], tuple(str(number) for number in range(20))),
        ("member", "male", Gender.MALE),
        ("value", "female", "female"),
        ("value", None, None),
        (checks.boolean, False, False),
        (checks.age, 0, 0),
        (checks.age, 150, 150),
        (checks.day, "2004-02-29", "2004-02-29"),
        (checks.login, "0A" + "b" * 62, "0a" + "b" * 62),
        (checks.password, "𠮷" * 8, "𠮷" * 8),
        (checks.password, "a" * 200, "a" * 200),
        (checks.publication, {}, {}),
        (checks.publication, {"age": "nobody"}, {"age": Publication.NOBODY}),
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
        (checks.url, "/a", "must be an absolute URL"),
        (checks.url, "縁側", "must be an absolute URL"),
        (checks.url, "http://a.example/é", 'must be escaped: "é" is written %C3%A9'),
        (checks.url, "http://a.example/\u212a", 'must be escaped: "\u212a" is written %E2%84%AA'),
        (checks.url, "http://a.example/縁側", 'must be escaped: "縁" is written %E7%B8%81'),
        (checks.url, 'http://a.example/?p={"a":1}', 'must be escaped: "{" is written %7B'),
        (checks.url, "http://a.example/a b", 'must be escaped: " " is written %20'),
        (checks.url, "http://a.example/\n", "must be escaped: it has a character that a URL does not hold"),
        (checks.url, "http://a.example/\u202e", "must be escaped: it has a character that a URL does not hold"),
        (checks.url, "http://a.example/\ud800", "must be escaped: it has a character that a URL does not hold"),
        *(
            (checks.url, wrong, "must be escaped: a % that is not followed by two hexadecimal digits is written %25")
            for wrong in ("http://a.example/%zz", "http://a.example/%", "http://a.example/%4", "http://a.example/%%41")
        ),
        (
            checks.redirect_uri,
            "com.example.app:/%zz",
            "must be escaped: a % that is not followed by two hexadecimal digits is written %25",
        ),
        (checks.url, "ftp://a.example/", "must be an http or https URL"),
        (checks.url, "http://a.example/".ljust(1025, "a"), "is too long (max=1024)"),
        (
            checks.redirect_uri,
            "javascript:a",
            "must be http or https URLs, or have a scheme such as com.example.app",
        ),
        (checks.redirect_uri, "https://a.example/#", "must not have a fragment"),
        (checks.redirect_uri, 5, "must be an absolute URL"),
        (checks.origin, "ftp://a.example", "must be web origins, such as https://game.example"),
        (checks.origin, "https://a.example/", "must be web origins, such as https://game.example"),
        (checks.origin, "https://A.example", "must be web origins, such as https://game.example"),
        (checks.scope, "!" * 65, "must be scopes, such as mixi_apps2"),
        (checks.scope, "a b", "must be scopes, such as mixi_apps2"),
        (checks.scope, 5, "must be scopes, such as mixi_apps2"),
        ("scopes", "a", "must be a list"),
        ("scopes", ["a"] * 21, "has too many entries (max=20)"),
        ("scopes", ["a", 5], "must be scopes, such as mixi_apps2"),
        ("member", "Male", "must be one of male, female"),
        ("member", None, "must be one of male, female"),
        ("value", 5, "must be one of male, female"),
        (checks.boolean, 0, "must be true or false"),
        (checks.age, -1, "must be a whole number from 0 to 150"),
        (checks.age, 151, "must be a whole number from 0 to 150"),
        (checks.age, True, "must be a whole number from 0 to 150"),
        (checks.age, 7.0, "must be a whole number from 0 to 150"),
        (checks.day, "2003-02-29", "must be a date, YYYY-MM-DD"),
        (checks.day, "20030228", "must be a date, YYYY-MM-DD"),
        (checks.day, 20030228, "must be a date, YYYY-MM-DD"),
        (checks.login, "a" * 65, "must be 1 to 64 of a-z 0-9 . _ @ + -, beginning with a letter or digit"),
        (checks.login, None, "must be 1 to 64 of a-z 0-9 . _ @ + -, beginning with a letter or digit"),
        (checks.password, "a" * 7, "must be 8 to 200 characters"),
        (checks.password, "a" * 201, "must be 8 to 200 characters"),
        (checks.password, "aaaaaaa\ud800", "must be 8 to 200 characters"),
        (checks.password, 12345678, "must be 8 to 200 characters"),
        (checks.publication, [], "must be an object"),
        (checks.publication, {"login": "nobody"}, "can have settings for address, birthday, age, gender only"),
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
        checks.publication("publication", {"age": "friends", "gender": "all"})
    assert caught.value.description == f"publication.gender must be one of {SETTINGS}"


@pytest.mark.parametrize(("number", "good"), [("x", False), ("65536", False), ("65535", True), ("", True)])
def test_a_port_is_a_number_of_16_bits(number: str, good: bool) -> None:
    value = f"http://a.example:{number}/"
    if good:
        assert checks.url("field", value) == value
    else:
        with pytest.raises(ParameterInvalid, match="field must be an absolute URL"):
            checks.url("field", value)
