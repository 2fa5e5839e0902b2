"""The start URL of a page app: its own query, the parameters of the start, and a signature over all of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from cryptography.exceptions import InvalidSignature

from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.launch import LaunchKey, PageAppStart, check_app_params, signed_form, signed_url
from local import keys
from tests.kit.launches import verify

QUEST, PAGE, HANA = "6d1f0c2ab4e79853", "20260401000000000001", "k3v9x2mtq7ra"
START_URL = "https://Quest.example:443/start?device=PC&lang=%E6%97%A5+%2B&flag&device=TO#top"


@pytest.fixture(scope="module")
def key() -> LaunchKey:
    fresh = keys.fresh_launch()
    return LaunchKey(fresh["kid"], fresh["key"], fresh["certificate"])


def told(location: str) -> list[tuple[str, str]]:
    """Return the parameters of a start URL, decoded."""
    return parse_qsl(urlsplit(location).query, keep_blank_values=True, strict_parsing=True)


def test_a_start_tells_only_what_is_given() -> None:
    assert PageAppStart(PAGE, "3").parameters() == [("mixi_page_id", PAGE), ("mixi_module_id", "3")]
    assert PageAppStart(PAGE, "3", HANA, "").parameters() == [
        ("mixi_page_id", PAGE),
        ("mixi_module_id", "3"),
        ("mixi_viewer_id", HANA),
        ("appParams", ""),
    ]


def test_app_params_of_1024_bytes_pass_and_longer_ones_are_refused() -> None:
    longest = "花" * 341 + "x"
    for text in (None, "", longest):
        assert check_app_params(text) == text
    for text in (longest + "x", "\ud800" * 342):
        with pytest.raises(ParameterInvalid) as caught:
            check_app_params(text)
        assert caught.value.description == "appParams is too long (max=1024)"


def test_a_start_url_has_the_apps_own_query_then_the_starts_then_the_signature(key: LaunchKey) -> None:
    location = signed_url(START_URL, QUEST, PageAppStart(PAGE, "3", HANA, '{"名":"a+b &%"}'), key)

    assert location.startswith("https://Quest.example:443/start?")
    assert location.endswith("%3D%3D#top")
    pairs = told(location)
    assert pairs[:9] == [
        ("device", "PC"),
        ("lang", "日 +"),
        ("flag", ""),
        ("device", "TO"),
        ("mixi_page_id", PAGE),
        ("mixi_module_id", "3"),
        ("mixi_viewer_id", HANA),
        ("appParams", '{"名":"a+b &%"}'),
        ("xoauth_signature_publickey", key.kid),
    ]
    signature = dict(pairs[9:])
    assert len(pairs[9:]) == 6
    assert abs(int(signature["oauth_timestamp"]) - time.time()) < 600
    assert signature.items() >= {
        ("oauth_consumer_key", QUEST),
        ("oauth_signature_method", "RSA-SHA1"),
        ("oauth_version", "1.0"),
    }
    assert "+" not in location
    verify(location, key.certificate)


@pytest.mark.parametrize(
    "start_url",
    [
        "https://quest.example",
        "http://quest.example:8080/a%2Fb+c/",
        "https://quest.example/?",
        "https://quest.example/?a=%20&b[]=1&c=(~)*'!;d&e=%25%2B",
        "https://quest.example/?mixi_viewer_id=forged&oauth_token=x&appParams=x&xoauth_requestor_id=x&a=1",
    ],
)
def test_any_start_url_that_an_app_may_have_is_signed(start_url: str, key: LaunchKey) -> None:
    location = signed_url(start_url, QUEST, PageAppStart(PAGE, "3"), key)
    verify(location, key.certificate)
    own = [
        pair
        for pair in parse_qsl(urlsplit(start_url).query, keep_blank_values=True)
        if not pair[0].startswith(("mixi_", "oauth_", "xoauth_", "appParams"))
    ]
    assert told(location)[: len(own) + 1] == [*own, ("mixi_page_id", PAGE)]
    assert "forged" not in location
    # A signature of 256 bytes ends like this.
    assert location.endswith("%3D%3D")


@pytest.mark.parametrize("sign", [signed_url, signed_form])
def test_a_start_url_that_is_not_utf_8_is_not_signed_wrongly(sign: Callable[..., object], key: LaunchKey) -> None:
    with pytest.raises(NotFound) as caught:
        sign("https://quest.example/?name=%B2%D6", QUEST, PageAppStart(PAGE, "3"), key)
    assert caught.value.description == "The start URL of the app is not UTF-8"


def test_a_form_has_the_apps_own_query_in_its_action_and_the_start_in_its_fields(key: LaunchKey) -> None:
    form = signed_form(START_URL, QUEST, PageAppStart(PAGE, "3", HANA, '{"名":"a+b &%"}'), key)

    assert form.action == "https://Quest.example:443/start?device=PC&lang=%E6%97%A5%20%2B&flag=&device=TO#top"
    assert form.fields[:5] == (
        ("mixi_page_id", PAGE),
        ("mixi_module_id", "3"),
        ("mixi_viewer_id", HANA),
        ("appParams", '{"名":"a+b &%"}'),
        ("xoauth_signature_publickey", key.kid),
    )
    assert {name for name, _ in form.fields[5:]} == {
        "oauth_nonce",
        "oauth_timestamp",
        "oauth_version",
        "oauth_signature_method",
        "oauth_consumer_key",
        "oauth_signature",
    }
    verify(form.action, key.certificate, "POST", form.fields)
    with pytest.raises(InvalidSignature):
        verify(form.action, key.certificate, "GET", form.fields)


@pytest.mark.parametrize(
    "start_url",
    [
        "https://quest.example",
        "http://quest.example:8080/a%2Fb+c/",
        "https://quest.example/?a=%20&b[]=1&c=(~)*'!;d&e=%25%2B",
        "https://quest.example/?mixi_viewer_id=forged&oauth_token=x&appParams=x&xoauth_requestor_id=x&a=1",
    ],
)
def test_any_start_url_is_signed_for_a_form(start_url: str, key: LaunchKey) -> None:
    form = signed_form(start_url, QUEST, PageAppStart(PAGE, "3"), key)
    verify(form.action, key.certificate, "POST", form.fields)
    assert "forged" not in repr(form)


def test_a_form_has_a_field_for_empty_app_params(key: LaunchKey) -> None:
    form = signed_form("https://quest.example/", QUEST, PageAppStart(PAGE, "3", None, ""), key)
    assert form.fields[2] == ("appParams", "")
    verify(form.action, key.certificate, "POST", form.fields)


def test_a_form_signs_line_ends_and_nul_as_browsers_send_them(key: LaunchKey) -> None:
    form = signed_form("https://quest.example/", QUEST, PageAppStart(PAGE, "3", None, "a\nb\rc\r\nd\n\re\0"), key)
    assert dict(form.fields)["appParams"] == "a\r\nb\r\nc\r\nd\r\n\r\ne\ufffd"
    verify(form.action, key.certificate, "POST", form.fields)
