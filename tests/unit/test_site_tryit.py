"""The form of "Try it" on the pages of operations."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from infra.reference import METHODS, document
from infra.site import tryit
from tests.kit.served import ROOT

SITE = ROOT / "infra" / "site"


@cache
def contract() -> dict[str, Any]:
    return document()


def form(operation: str) -> tryit.Form:
    return tryit.form(contract(), operation)


def fields(operation: str) -> dict[str, str]:
    return {field.name: field.value for field in form(operation).fields}


OPERATIONS = [
    operation["operationId"]
    for item in contract()["paths"].values()
    for method, operation in item.items()
    if method in METHODS
]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_operation_has_a_form_that_fills_its_path_or_says_why_it_has_none(operation: str) -> None:
    made = form(operation)
    if made.why:
        assert f"try_why_{made.why}" in texts()
        assert not made.fields
        assert not made.body
        return
    filled = {field.name for field in made.fields if field.place == "path" and field.value}
    assert filled == set(re.findall(r"{(\w+)}", made.path))
    assert all(field.value for field in made.fields if field.required)
    for field in made.fields:
        assert not field.value or not field.choices or field.value in field.choices, field
    if made.body:
        assert json.loads(made.body.text)


def test_the_fields_of_a_request_are_filled_from_its_examples() -> None:
    made = form("readData")
    filled = {field.name: field.value for field in made.filled}
    assert filled == {"user": "@me", "group": "@self", "fields": "level,greeting"}
    # An example of a header is the version of other data, which the server would refuse.
    assert {field.name: field.hint for field in made.empty}["If-Match"] == '"12-k3v9"'
    assert {*made.filled, *made.empty} == {*made.fields}
    assert fields("postComment")["contentUri"] == "http://quest.example/contents/1"


def test_an_optional_parameter_with_an_example_of_its_own_is_filled() -> None:
    given = {"name": "count", "in": "query", "example": 5, "schema": {"type": "integer"}}
    shared = {"name": "count", "in": "query", "schema": {"type": "integer", "examples": [9]}}
    operation = {"operationId": "x", "parameters": [given], "responses": {}}
    made = tryit.form({"paths": {"/x": {"parameters": [shared], "get": operation}}}, "x")
    assert [(field.value, field.hint) for field in made.fields] == [("5", "5")]


def test_a_deletion_names_fields_and_knows_that_it_would_delete_all_without_them() -> None:
    assert fields("deleteData")["fields"]
    assert form("deleteData").deletes_all
    assert not form("deleteFeed").deletes_all
    assert not form("readData").deletes_all


def test_the_parameters_of_signed_requests_are_left_out() -> None:
    assert not {"xoauth_requestor_id", "opensocial_owner_id"} & fields("readOpenSocialData").keys()


@pytest.mark.parametrize(
    ("operation", "token"),
    [
        ("readData", ("user", ("mixi_apps2",))),
        ("callMethods", ("user", ())),
        ("readPage", ("user", ("r_page",))),
        ("listUsers", ("operator", ("admin",))),
        ("readHealth", ("none", ())),
    ],
)
def test_the_token_of_a_request(operation: str, token: tuple[str, tuple[str, ...]]) -> None:
    assert (form(operation).token, form(operation).scopes) == token


@pytest.mark.parametrize(
    ("operation", "why"),
    [
        ("authorize", "authorize"),
        ("decide", "authorize"),
        ("showFront", "page"),
        ("showFeed", "page"),
        ("getToken", "secret"),
        ("revokeToken", "secret"),
        ("preflightData", "preflight"),
        ("readData", ""),
        ("headHealth", ""),
    ],
)
def test_what_a_page_cannot_send_says_why(operation: str, why: str) -> None:
    assert form(operation).why == why


def test_what_is_only_signed_cannot_be_tried() -> None:
    operation = {"operationId": "x", "security": [{"signature": []}], "responses": {}}
    assert tryit.form({"paths": {"/x": {"get": operation}}}, "x").why == "signature"


def test_a_page_without_parameters_is_a_link() -> None:
    assert form("showFront").href == "/"
    assert (form("showFeed").href, form("decide").href, form("readData").href) == ("", "", "")


def test_an_image_is_sent_as_a_form_whose_part_is_the_json() -> None:
    body = form("postFeed").body
    assert body
    assert (body.part, body.files) == ("request", (("image1", "image/png, image/jpeg"),))
    assert json.loads(body.text)["title"]


def test_all_but_reads_ask_first() -> None:
    asking = {form(each).method for each in OPERATIONS if form(each).is_write}
    assert asking == {form(each).method for each in OPERATIONS} - {"GET", "HEAD"}


def test_an_unknown_operation_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        form("nothing")


@cache
def texts() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = yaml.safe_load((SITE / "texts.yaml").read_text(encoding="utf-8"))
    return read


def test_the_texts_that_the_script_shows_are_those_that_the_page_has() -> None:
    script = (SITE / "assets" / "try.js").read_text(encoding="utf-8")
    used = {
        re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name) for name in re.findall(r"words\.(say\w+)", script)
    }
    assert used == set(form("readData").words)


def test_both_languages_have_the_same_places_to_fill_in() -> None:
    for key, text in texts().items():
        if key.startswith(("try_", "search_")):
            assert len({tuple(sorted(re.findall(r"{\w+}", each))) for each in text.values()}) == 1, key


def test_all_scripts_together_are_small() -> None:
    scripts = [path.read_bytes() for path in (SITE / "assets").glob("*.js")]
    assert len(scripts) >= 2
    assert sum(map(len, scripts)) <= 40_000


@pytest.mark.parametrize("name", ["try.js", "search.js"])
def test_scripts_show_data_as_text_only(name: str) -> None:
    script = (SITE / "assets" / name).read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|console\.\w", script
    )
