"""The parts of a text that become links, and the pictures that a content security policy can name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.web.html.links import is_web, origin_of, pieces

CHARACTERS = st.text("abc:/.?#()[]'\"<> ,花\n", max_size=40)


@given(st.lists(st.sampled_from(["http://", "https://", "javascript:"]) | CHARACTERS, max_size=8).map("".join))
def test_the_pieces_are_the_text_and_lead_where_they_say(text: str) -> None:
    found = pieces(text)
    assert "".join(piece.text for piece in found) == text
    for piece in found:
        assert piece.text
        assert piece.href in (None, piece.text)
        if piece.href:
            assert is_web(piece.href)
            assert not set(piece.href) & set(' \n<>"花')


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("https://a.example/x).", "https://a.example/x"),
        ("https://a.example/(x)).", "https://a.example/(x)"),
        ("https://a.example/x](y)", "https://a.example/x](y)"),
        ("https://a.example/[x]]!", "https://a.example/[x]"),
        ("https://a.example/" + ")" * 9_000, "https://a.example/"),
    ],
)
def test_what_follows_an_address_is_not_in_it(text: str, href: str) -> None:
    assert pieces(text)[0].href == href


@given(
    st.text("ab :/.花", max_size=30).map(lambda text: f"x https://a.example/{text} https://b.example/"),
    st.integers(1, 90),
)
def test_a_text_is_cut_after_its_links_are_found(text: str, most: int) -> None:
    found = pieces(text, most)
    shown = text if len(text) <= most else f"{text[: most - 1]}…"
    assert "".join(piece.text for piece in found) == shown
    whole = pieces(text)
    assert all(piece in whole for piece in found if piece.href)


@pytest.mark.parametrize("url", ["http://a", "https://a.example:8080/x", "HTTPS://A.example", "https://[::1]/"])
def test_web_addresses(url: str) -> None:
    assert is_web(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        " https://a",
        "https://",
        "https:///a",
        "//a",
        "https:a",
        "ftp://a",
        "https://[a",
        "\thttp://a",
    ],
)
def test_other_addresses(url: str) -> None:
    assert not is_web(url)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://People.example/a;b.jpg", "https://people.example"),
        ("http://127.0.0.1:8000/images/x.png", "http://127.0.0.1:8000"),
        ("https://a;script-src/x", None),
        ("https://a 'unsafe-inline'/x", None),
        ("https://*.example/x", None),
        ("https://user@a.example/x", None),
        ("https://" + "a" * 92 + "/x", "https://" + "a" * 92),
        ("https://" + "a" * 93 + "/x", None),
        ("data:image/png;base64,x", None),
        ("", None),
    ],
)
def test_origins_are_such_as_a_policy_can_name(url: str, origin: str | None) -> None:
    assert origin_of(url) == origin
