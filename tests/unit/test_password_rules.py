"""The passwords that people may choose, and the words for their browsers."""

from __future__ import annotations

import pytest

from chalicelib.core.one_time_links import is_link_token, new_link_token
from chalicelib.core.password_rules import (
    COMMON,
    LEAST_CHARACTERS,
    MOST_CHARACTERS,
    PasswordProblem,
    normalized,
    problem_of,
)
from chalicelib.core.sessions import device_words

NAMES = ("hana-of-kyoto", "花", "Engawa")


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("kajitsu-nobori", PasswordProblem.SHORT),
        ("kajitsu-nobori7", None),
        ("かきのたねはひがしのそらへ", PasswordProblem.SHORT),
        ("かきのたねはひがしのそらへゆく", None),
        ("all lower case without a digit", None),
        ("Xk" * MOST_CHARACTERS, PasswordProblem.LONG),
        ("aaaaaaaaaaaaaaaa", PasswordProblem.COMMON),
        ("ababababababababab", PasswordProblem.COMMON),
        ("123456789012345", PasswordProblem.COMMON),
        ("PasswordPassword1", PasswordProblem.COMMON),
        ("P a s s w o r d 1 2 3 4 5", PasswordProblem.COMMON),
        ("qwertyuiopasdfghjkl", PasswordProblem.COMMON),
        ("correct horse battery staple", PasswordProblem.COMMON),
        ("hana-of-kyoto-1", PasswordProblem.OWN_NAME),
        ("ＥＮＧＡＷＡ ｅｎｇａｗａ ２０", PasswordProblem.OWN_NAME),
        ("hana-of-kyoto walks at dawn", None),
    ],
)
def test_a_password_is_refused_with_a_reason(password: str, problem: PasswordProblem | None) -> None:
    assert problem_of(password, NAMES) is problem


def test_the_longest_password_is_allowed_and_the_next_is_not() -> None:
    longest = ("one small boat crosses the wide bay by moonlight, " * 5)[:MOST_CHARACTERS]

    assert problem_of(longest) is None
    assert problem_of(longest + "?") is PasswordProblem.LONG


def test_a_name_of_two_characters_does_not_count() -> None:
    assert problem_of("a" * 2 + "bcd-fgh-jkl-mn", ["aa"]) is None


def test_the_same_password_from_two_keyboards_is_the_same() -> None:
    composed, decomposed = "\u304c\u304f\u305b\u3044", "\u304b\u3099\u304f\u305b\u3044"

    assert composed != decomposed
    assert normalized(composed) == normalized(decomposed)
    assert len(normalized("\u304b\u3099" * LEAST_CHARACTERS)) == LEAST_CHARACTERS


def test_the_list_is_bounded_and_folded() -> None:
    assert len(COMMON) < 200
    assert [word for word in COMMON if word != word.casefold() or " " in word] == []


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36", "Chrome, Android"),
        ("curl/8.5.0", ""),
        ("<script>alert(1)</script>" * 100, ""),
        ("", ""),
    ],
)
def test_a_browser_is_named_by_known_words_only(agent: str, words: str) -> None:
    assert device_words(agent) == words


@pytest.mark.parametrize("text", [None, "", "short", "a" * 42, "a" * 44, "a" * 42 + "/", "a" * 43 + "\n"])
def test_a_malformed_token_of_a_link_is_recognized(text: str | None) -> None:
    assert not is_link_token(text)
    assert is_link_token(new_link_token())
