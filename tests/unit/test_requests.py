"""Reading requests: JSON without surprises, content types, formats, and the token in its four places."""

import base64
import json
from typing import Any

import pytest
from chalice.app import Request

from chalicelib.core.errors import BadRequest, ParameterInvalid, TokenRefused
from chalicelib.web.requests import (
    asked_format,
    check_format,
    check_json_type,
    decoded,
    json_body,
    names_in_body,
    other_parameters,
    parameters,
    token_in,
)
from chalicelib.web.token_dialect import TokenDialect


def request(
    body: bytes | str | None = None,
    *,
    query: dict[str, list[str]] | None = None,
    **headers: str,
) -> Request:
    """Return a request as Lambda gives it; bytes become base64, and `_` in header names stands for `-`."""
    return Request(
        {
            "multiValueQueryStringParameters": query,
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "pathParameters": {},
            "requestContext": {"httpMethod": "POST", "resourcePath": "/"},
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": isinstance(body, bytes),
            "stageVariables": None,
        }
    )


def read(body: bytes | str) -> Any:
    return json_body(request(body, content_type="application/json"))


def refused(body: bytes | str | None) -> str:
    with pytest.raises(BadRequest) as caught:
        json_body(request(body, content_type="application/json"))
    return caught.value.description


@pytest.mark.parametrize("text", ['{"a":"縁側"}', "[]", '"a"', "5", "null", ' {"a" : "b"} \n', '{"a":{"b":["c"]}}'])
def test_json_is_read_as_text_and_as_bytes(text):
    assert read(text) == read(text.encode()) == json.loads(text)


def test_a_byte_order_mark_is_no_part_of_it():
    assert read('\ufeff{"a":"b"}'.encode()) == {"a": "b"}
    assert read('\ufeff{"a":"b"}') == {"a": "b"}


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", '{"a":"b"', '{"a":"b",}', "[1,]", "{'a':'b'}", '{"a":"b"} x', '{"a":"b"}{}', "a=b", '{a:"b"}',
     '{"a":"\n"}', "\x00", "undefined", "1" * 5000, '{"a":' + "9" * 5000 + "}", "01", "+1", '"\\x41"', '"\\u12"',
     '\ufeff\ufeff{"a":"b"}'],
)  # fmt: skip
def test_what_is_no_json_is_refused(text):
    assert refused(text) == refused(text.encode()) == "The body is not valid JSON"


def test_a_missing_body_is_no_json():
    assert refused(None) == "The body is not valid JSON"


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(constant):
    assert refused('{"a":' + constant + "}") == f"{constant} is not JSON"


@pytest.mark.parametrize("text", ['{"a":"1","a":"2"}', '{"a":"1","a":"1"}', '{"b":[{"a":1,"\\u0061":2}]}'])
def test_a_name_that_stands_twice_is_refused(text):
    assert refused(text) == "A name appears twice in one JSON object"


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_refused(opening):
    assert refused(opening * 100_000) == "The JSON is nested too deeply"


@pytest.mark.parametrize(
    "body", [b'{"a":"\xff"}', b'{"a":"\xe3\x81"}', '{"a":"b"}'.encode("utf-16"), b'"\xed\xa0\x80"']
)
def test_what_is_no_utf8_is_refused(body):
    assert refused(body) == "The body is not UTF-8"


def test_a_number_too_large_for_a_float_is_json():
    assert read("1e999") == float("inf")


@pytest.mark.parametrize(
    "value",
    ["application/json", "text/json", "Application/JSON", "application/json; charset=utf8", " application/json ",
     "application/json;charset=utf-8;x=y", "APPLICATION/JSON ; Charset=UTF-8", "application/json;"],
)  # fmt: skip
def test_a_json_content_type_passes_in_any_case_and_with_any_parameters(value):
    check_json_type(request(content_type=value))
    check_json_type(request(CONTENT_TYPE=value))


@pytest.mark.parametrize(
    "value",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=json", "json",
     "application/jsonp", "application/vnd.api+json", "application/json, text/plain", "text/plain; application/json"],
)  # fmt: skip
def test_another_content_type_is_a_bad_request(value):
    with pytest.raises(BadRequest) as caught:
        check_json_type(request(content_type=value))
    assert caught.value.description == "Bad request"


def test_no_content_type_is_a_bad_request():
    with pytest.raises(BadRequest):
        check_json_type(request())


def test_the_content_type_is_looked_at_before_the_body():
    with pytest.raises(BadRequest) as caught:
        json_body(request("{", content_type="text/plain"))
    assert caught.value.description == "Bad request"


@pytest.mark.parametrize(
    ("segment", "asked"),
    [
        ("@self", []),
        ("@self.json", []),
        ("@self", ["json"]),
        ("@self.atom", ["json"]),
        ("@self", ["atom", "json"]),
        ("@self", [""]),
        ("@self.json", [""]),
        ("@self", ["atom", ""]),
    ],
)
def test_json_is_asked_for_by_suffix_or_parameter_and_the_parameter_wins(segment, asked):
    assert check_format(request(query={"format": asked} if asked else None), segment) == "@self"


@pytest.mark.parametrize(
    ("segment", "asked"),
    [("@self.atom", []), ("@self", ["atom"]), ("@self.json", ["atom"]), ("@self.", []), ("@self", ["JSON"]),
     ("@self.json.json", []), ("@self", ["json", "xml"])],
)  # fmt: skip
def test_another_format_is_refused_and_the_possible_ones_are_named(segment, asked):
    with pytest.raises(ParameterInvalid) as caught:
        check_format(request(query={"format": asked} if asked else None), segment)
    assert caught.value.description == "Format must be one of: json"


def test_a_route_may_have_more_formats():
    assert check_format(request(), "@app.atom", ("json", "atom")) == "@app"
    with pytest.raises(ParameterInvalid, match="json, atom"):
        check_format(request(), "@app.xml", ("json", "atom"))


def test_an_empty_format_is_none():
    assert asked_format(request(query={"format": [""]}), "@app.atom", ("json", "atom")) == ("@app", "atom")
    assert asked_format(request(query={"format": [""]}), "@app", ("json", "atom")) == ("@app", "json")


@pytest.mark.parametrize("body", [b"{}", b"null", b"[]", b'["a"]', b"a", b"\xff"])
@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
def test_any_body_may_name_things(body, kind):
    assert names_in_body(request(body, content_type=kind))


@pytest.mark.parametrize("body", [None, b"", b" \r\n"])
@pytest.mark.parametrize("kind", ["", "application/json", "application/x-www-form-urlencoded"])
def test_no_body_names_nothing(body, kind):
    assert not names_in_body(request(body, content_type=kind))


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("oauth_nonce=1&oauth_signature=x%3D&xoauth_requestor_id=k3v9x2mtq7ra", False),
        ("oauth_nonce=1&fields=a", True),
        ("fields=a&oauth_nonce=1", True),
        ("fields", True),
    ],
)
def test_a_signature_in_a_form_names_nothing(body, names):
    assert names_in_body(request(body, content_type="application/x-www-form-urlencoded")) is names


def test_other_parameters():
    query = {"fields": ["a"], "fields[]": ["b"], "st": [""]}
    assert other_parameters(request(query=query), "fields") == ["fields[]", "st"]
    assert other_parameters(request(), "fields") == []


@pytest.mark.parametrize("value", ["application/json-rpc", "Application/JSON-RPC; charset=utf-8", "application/json"])
def test_a_face_may_take_further_content_types(value):
    check_json_type(request(content_type=value), "application/json-rpc")
    with pytest.raises(BadRequest):
        check_json_type(request(content_type="text/plain"), "application/json-rpc")


def test_parameters_are_every_value_in_order():
    assert parameters(request(query={"fields": ["a", "", "b"]}), "fields") == ["a", "", "b"]
    assert parameters(request(query={"other": ["a"]}), "fields") == []
    assert parameters(request(query=None), "fields") == []


def test_a_path_segment_is_decoded():
    assert decoded("%40me") == decoded("@me") == "@me"


@pytest.mark.parametrize(
    ("sent", "dialect"),
    [
        ({"authorization": "OAuth T"}, TokenDialect.OAUTH),
        ({"authorization": "oauth  T "}, TokenDialect.OAUTH),
        ({"authorization": "OAuth2 T"}, TokenDialect.OAUTH),
        ({"authorization": "oauth2 T"}, TokenDialect.OAUTH),
        ({"Authorization": "Bearer T"}, TokenDialect.BEARER),
        ({"AUTHORIZATION": "BEARER T"}, TokenDialect.BEARER),
        ({"query": {"oauth_token": ["T"]}}, TokenDialect.OAUTH),
        ({"query": {"access_token": ["T"]}}, TokenDialect.BEARER),
        ({"authorization": "Bearer T", "query": {"oauth_token": ["T", "T"]}}, TokenDialect.BEARER),
        ({"authorization": "OAuth T", "query": {"access_token": ["T"], "oauth_token": [""]}}, TokenDialect.OAUTH),
    ],
)
def test_a_token_comes_in_four_ways_each_with_its_dialect(sent, dialect):
    assert token_in(request(**sent)) == ("T", dialect)


@pytest.mark.parametrize(
    "sent",
    [{}, {"authorization": ""}, {"authorization": "OAuth"}, {"authorization": "Bearer "}, {"authorization": "T"},
     {"authorization": "Basic VDpU"}, {"authorization": "OAuthT"}, {"authorization": "OAuth2"},
     {"query": {"access_token": [""]}}, {"query": {"token": ["T"]}}],
)  # fmt: skip
def test_without_a_token_the_dialect_is_the_older_one(sent):
    assert token_in(request(**sent)) == (None, TokenDialect.OAUTH)


@pytest.mark.parametrize(
    "sent",
    [
        {"authorization": "OAuth T", "query": {"oauth_token": ["U"]}},
        {"authorization": "Bearer T", "query": {"access_token": ["U"]}},
        {"query": {"oauth_token": ["T"], "access_token": ["U"]}},
        {"query": {"oauth_token": ["T", "U"]}},
    ],
)
def test_two_different_tokens_are_refused(sent):
    with pytest.raises(TokenRefused) as caught:
        token_in(request(**sent))
    assert (caught.value.status, caught.value.error) == (400, "invalid_request")
