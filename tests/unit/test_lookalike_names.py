"""Names that look like the platform's."""

import pytest

from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.lookalike_names import check_app_name, looks_like, skeleton

BOTH = ("縁側", "Engawa")


@pytest.mark.parametrize(
    "name",
    [
        "Engawa",
        "ENGAWA",
        "Ｅｎｇａｗａ",
        "Engawa Official",
        "My engawa!",
        "E n g a w a",
        "E.n-g_a/w·a",
        "Eng\u200bawa",
        "Eng\u00adawa",
        "\u202eEngawa",
        "Énĝawà",
        "E\u0301ngawa",
        "Εngаwа",
        "ЕПGАША",
        "Eпgɑwa",
        "3ngawa",
        "En9awa",
        "Eng4vva",
        "𝓔𝓷𝓰𝓪𝔀𝓪",
        "ⒺⓃⒼⒶⓌⒶ",
        "縁側",
        "縁側公式",
        "縁 側",
        "縁\u3000側",
    ],
)
def test_a_name_that_looks_like_the_platforms_is_refused(name: str) -> None:
    assert looks_like(name, BOTH)
    with pytest.raises(ParameterInvalid, match="looks like the name"):
        check_app_name(name, BOTH)


@pytest.mark.parametrize(
    "name", ["クエスト (Quest)", "Album", "Enga", "Gawa", "縁", "側", "縁日", "えん", "!!!", "\u200b"]
)
def test_other_names_are_free(name: str) -> None:
    assert not looks_like(name, BOTH)
    check_app_name(name, BOTH)


@pytest.mark.parametrize(
    ("name", "platform", "alike"),
    [
        ("mix", "mix", True),
        ("Mix!", "mix", True),
        ("Remix", "mix", False),
        ("mixi", "mix", False),
        ("My mixi", "mixi", True),
        ("rnixi", "mixi", True),
        ("PayPaI", "paypal", True),
        ("エ房", "工房", True),
        ("カフェ", "かふぇ", True),
        ("カフェ", "ガフェ", False),
        ("カ゛フェ", "ガフェ", False),
        ("\uff76\uff9eフェ", "ガフェ", True),
        ("Quest", "!!!", False),
        ("Quest", "", False),
    ],
)
def test_a_short_name_counts_as_a_whole(name: str, platform: str, alike: bool) -> None:
    assert looks_like(name, [platform]) is alike


def test_a_skeleton_is_the_same_for_what_looks_the_same() -> None:
    assert skeleton("Illegal1") == skeleton("lllegaIl")
    assert skeleton("ｸｴｽﾄ") == skeleton("クエスト") == skeleton("くえすと")
    assert skeleton("か") != skeleton("が")
