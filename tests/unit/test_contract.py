"""openapi.yaml is valid, agrees with the app on every route, and its examples and limits are right."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

import chalicelib
from chalicelib.api.admin import routes as admin_routes
from chalicelib.api.oauth import sign_in_page
from chalicelib.api.page import requests
from chalicelib.core import bulk_import, ids, limits, oauth, opensocial, paging, people
from chalicelib.core.codecs import checks, contents_json, jsonrpc
from chalicelib.core.imaging import renditions
from chalicelib.core.limits import Limits
from chalicelib.web.face import Token
from infra import reference
from infra.site.schemas import Reference
from tests.kit.contract import TELLING, Contract, Operation, Seen, document
from tests.kit.documents import refusals, words_raised
from tests.kit.routes import routes

CONTRACT = Contract.ours()
OPERATIONS = list(CONTRACT.operations())
SCHEMAS = document()["components"]["schemas"]
PARAMETERS = document()["components"]["parameters"]
SENT_OTHERWISE = {"oauthHeader", "oauthToken", "accessToken"}
"""The other ways to send a token: each operation that takes a token accepts all of them."""
JSON = {"Content-Type": "application/json; charset=utf-8"}

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=[each.name for each in OPERATIONS])


DECLARED = {f"{method} {path}": view.declaration for method, path, view in routes()}
"""Every route of the app, as "GET /path", with the declaration of its view."""


def parts(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every object in a document with its path, except objects inside examples and other given values."""
    if isinstance(value, dict):
        yield path, value
        for name, inner in value.items():
            if name not in ("examples", "example", "enum", "const", "default"):
                yield from parts(inner, *path, name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from parts(inner, *path, str(index))


def exampled() -> list[Any]:
    """Return every schema that has examples or a default."""
    return [
        pytest.param(schema, id="/".join(path[-4:]))
        for path, schema in parts(document())
        if ("examples" in schema or "default" in schema) and path[-1] not in ("properties", "responses")
    ]


def test_it_is_valid() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_the_version_is_the_project_s() -> None:
    assert document()["info"]["version"] == chalicelib.VERSION
    project = tomllib.loads((reference.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" not in project["project"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "chalicelib.VERSION"}


def test_nothing_in_it_was_cut_at_a_comma() -> None:
    """In an unquoted text between braces, YAML reads what follows a comma as a name without a value."""
    cut = [(*path, name) for path, part in parts(document()) for name, value in part.items() if value is None]
    assert [path for path in cut if path[-1] != "const"] == []


def test_every_route_is_in_it_and_the_reverse() -> None:
    assert len(OPERATIONS) > 90
    # Pages for people are in docs/reference/web-pages.md.
    programs = [name for name, declaration in DECLARED.items() if not declaration.page]
    assert sorted(each.name for each in OPERATIONS) == sorted(programs)


def test_names_of_operations_are_told_apart() -> None:
    names = [each.declared["operationId"] for each in OPERATIONS]
    own = {id(each.declared) for each in OPERATIONS}
    assert len(set(names)) == len(own)


def lost_on_generators(part: dict[str, Any]) -> Iterator[str]:
    """Yield the faults of a schema, operation or body that make client generators lose parts or write wrong code."""
    if "allOf" in part and "properties" in part:
        yield "allOf beside properties"
    if part.get("type") == "array" and "items" not in part:
        yield "a list of what"
    inner = [part.get("items", {}), *part.get("properties", {}).values()]
    if any(isinstance(each, dict) and each.get("type") == "null" for each in inner):
        yield "null alone"
    if ("const" in part or "enum" in part) and "type" not in part:
        yield "values without a type"
    if re.search("/(properties|schema|items)(/|$)", str(part.get("$ref"))):
        yield "a reference to what has no name"
    if "responses" in part and "tags" in part and len(part["tags"]) != 1:
        yield "several tags"
    schemas = [json.dumps(each["schema"]) for each in part.get("content", {}).values() if "schema" in each]
    if "responses" not in part and "description" not in part and len({*schemas}) != len(schemas):
        yield "one body under two content types"


@pytest.mark.parametrize(
    ("part", "lost"),
    [
        ({"allOf": [], "properties": {}}, "allOf beside properties"),
        ({"type": "array"}, "a list of what"),
        ({"properties": {"id": {"type": "null"}}}, "null alone"),
        ({"items": {"type": "null"}}, "null alone"),
        ({"enum": ["a"]}, "values without a type"),
        ({"$ref": "#/components/schemas/CallDone/properties/result"}, "a reference to what has no name"),
        ({"responses": {}, "tags": ["a", "b"]}, "several tags"),
        ({"content": {"a/a": {"schema": {}}, "b/b": {"schema": {}}}}, "one body under two content types"),
    ],
)
def test_what_generators_lose_is_found(part: dict[str, Any], lost: str) -> None:
    assert list(lost_on_generators(part)) == [lost]


def test_generators_of_clients_lose_nothing() -> None:
    """tests/system/test_generated_clients.py generates two; `make prove-clients` asks other tools."""
    found = {
        "/".join(path): [*lost_on_generators(part)] for path, part in parts(document()) if path[-1:] != ("properties",)
    }
    assert {path: lost for path, lost in found.items() if lost} == {}


@each_operation
def test_it_takes_the_token_that_the_route_takes(operation: Operation) -> None:
    view = DECLARED[operation.name]
    taken = {name: set(scopes) for each in operation.declared["security"] for name, scopes in each.items()}
    ways = {name: taken.pop(name, None) for name in SENT_OTHERWISE}
    expected: dict[str, set[str]] = {}
    if view.token is Token.NONE:
        assert set(ways.values()) == {None}
        instead = {"client credentials": "client", "the refresh token": "client"}.get(view.instead)
        expected = {"session": set()} if "session" in view.instead else {instead: set()} if instead else {}
    else:
        scope = {view.scope} - {None}
        # Users are never asked for the operator's scope.
        if view.token in (Token.USER, Token.ANY) and view.scope != oauth.OPERATOR:
            expected["user"] = scope | ({view.user_scope} - {None})
        if view.token in (Token.CLIENT, Token.ANY):
            expected["app"] = scope
        if view.signed:
            expected["signature"] = set()  # Signed requests have no scopes.
        if view.also_in:
            expected[view.also_in] = scope
        assert all(scopes == scope for scopes in ways.values())
    assert taken == expected


@each_operation
def test_what_takes_a_token_refuses_without(operation: Operation) -> None:
    statuses = operation.declared["responses"].keys()
    if any("oauthHeader" in each for each in operation.declared["security"]):
        assert statuses >= {"400", "401", "403", "503", "5XX"}
        assert any(status in statuses for status in ("200", "201", "204"))
    if "requestBody" in operation.declared:
        assert statuses >= {"400"}


def test_every_word_of_an_error_is_in_it_and_no_other() -> None:
    said = set()
    for response in document()["components"]["responses"].values():
        for medium in response.get("content", {}).values():
            schema = CONTRACT.resolved(medium["schema"])
            error = schema.get("properties", {}).get("error", {})
            said |= set(error.get("enum", [error.get("const")])) - {None}
    # This error is sent only in a redirect.
    spoken = (words_raised() | {each.error for each in refusals()}) - {"unsupported_response_type"}
    assert said == spoken


def test_every_part_is_used() -> None:
    text = json.dumps(document())
    for kind, named in document()["components"].items():
        for name in named:
            # Responses that every path may give are described in words; tests check them against these components.
            if kind != "securitySchemes" and name not in ("MethodNotAllowed", "UnsupportedEncoding"):
                assert f'"#/components/{kind}/{name}"' in text or f'"#/components/{kind}/{name}/' in text, name


@pytest.mark.parametrize("schema", exampled())
def test_examples_and_defaults_are_valid(schema: dict[str, Any]) -> None:
    validator = CONTRACT.validator(
        {name: value for name, value in schema.items() if name not in ("examples", "default")}
    )
    examples = [*schema.get("examples", []), *([schema["default"]] if "default" in schema else [])]
    assert examples
    for example in examples:
        assert validator.is_valid(example), [each.message for each in validator.iter_errors(example)]


def test_each_body_has_an_example() -> None:
    for operation in OPERATIONS:
        body = CONTRACT.resolved(operation.declared.get("requestBody", {}))
        for medium in body.get("content", {}).values():
            if "encoding" not in medium:
                assert Reference(document()).example(medium["schema"]), operation.name


def fields_of(name: str) -> dict[str, Any]:
    """Return the fields of a schema, by name."""
    found: dict[str, Any] = SCHEMAS[name]["properties"]
    return found


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        (SCHEMAS["Pairs"], Limits().pairs),
        (SCHEMAS["Value"], Limits().value_bytes),
        (fields_of("NewFeed")["title"], contents_json.TITLE_CHARACTERS),
        (fields_of("NewFeed")["body"], contents_json.BODY_CHARACTERS),
        (fields_of("NewFeed")["imageUrls"], contents_json.IMAGES),
        (fields_of("NewFeed")["imageUrls"]["items"], contents_json.IMAGE_URL_BYTES),
        (fields_of("NewComment")["comment"], contents_json.COMMENT_CHARACTERS),
        (SCHEMAS["ContentUri"], contents_json.CONTENT_URI_BYTES),
        (SCHEMAS["Link"], contents_json.LINK_BYTES),
        (SCHEMAS["Url"], checks.URL_BYTES),
        (SCHEMAS["Name"], checks.NAME_CHARACTERS),
        (SCHEMAS["Password"], checks.PASSWORD_CHARACTERS[1]),
        (SCHEMAS["Age"], checks.OLDEST_AGE),
        (fields_of("NewUser")["address"], checks.ADDRESS_CHARACTERS),
        (fields_of("NewPage")["address"], checks.ADDRESS_CHARACTERS),
        (fields_of("NewPage")["details"], checks.DETAILS_CHARACTERS),
        (SCHEMAS["Scopes"], checks.LIST_ENTRIES),
        (fields_of("User")["friends"], limits.MOST_FRIENDS),
        (fields_of("AuthorizationForm")["password"], sign_in_page.MOST_CHARACTERS),
        (fields_of("Records")["users"], bulk_import.MOST_RECORDS),
        (SCHEMAS["Calls"]["oneOf"][-1], jsonrpc.MOST_REQUESTS),
        (PARAMETERS["count"]["schema"], requests.MOST_ENTRIES),
        (PARAMETERS["count"]["schema"], admin_routes.MOST_ENTRIES),
        (PARAMETERS["peopleCount"]["schema"], people.MOST_PEOPLE),
    ],
)
def test_the_limits_are_those_of_the_code(schema: dict[str, Any], code: int) -> None:
    stated = ("maxLength", "maxProperties", "maxItems", "maximum")
    assert next(schema[name] for name in stated if name in schema) == code


def test_least_lengths_and_defaults_are_those_of_the_code() -> None:
    assert SCHEMAS["Password"]["minLength"] == checks.PASSWORD_CHARACTERS[0]
    assert PARAMETERS["count"]["schema"]["default"] == paging.DEFAULT_COUNT
    assert f"{{1,{Limits().key_characters}}}" in SCHEMAS["Key"]["pattern"]
    assert f"up to {opensocial.MOST_IDS} " in PARAMETERS["guid"]["description"]


@pytest.mark.parametrize(
    ("operation", "figures"),
    [
        ("writeData", [Limits().quota_bytes, Limits().request_bytes, Limits().keys, Limits().writes]),
        ("postFeed", [renditions.ImageBounds().bytes, renditions.ImageBounds().pixels]),
        ("callMethods", [jsonrpc.MOST_REQUESTS, jsonrpc.MOST_BYTES, jsonrpc.SECONDS]),
        ("importRecords", [bulk_import.MOST_RECORDS, bulk_import.MOST_PASSWORDS]),
        ("deleteData", [Limits().pairs]),
    ],
)
def test_limits_that_only_words_can_tell_are_those_of_the_code(operation: str, figures: list[int]) -> None:
    declared = next(each.declared for each in OPERATIONS if each.declared.get("operationId") == operation)
    for figure in figures:
        assert f"{figure:,}" in declared["summary"] + declared["description"]


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [("UserId", "user"), ("AppId", "app"), ("PageId", "page"), ("ModuleId", "module")],
)
def test_ids_are_those_of_the_code(pattern: str, kind: str) -> None:
    assert SCHEMAS[pattern]["pattern"] == f"^{ids._IDS[kind].pattern}$"


def test_scopes_are_those_of_the_code() -> None:
    user = document()["components"]["securitySchemes"]["user"]["flows"]["authorizationCode"]["scopes"]
    needed = {field.scope for field in people.FIELDS.values()} - {None}
    declared = {view.scope for view in DECLARED.values()} | {view.user_scope for view in DECLARED.values()}
    assert set(user) <= set(oauth.USER_SCOPES)
    assert set(user) >= needed | (declared - {None, oauth.OPERATOR})
    assert sorted(SCHEMAS["Scopes"]["items"]["enum"]) == sorted((*oauth.USER_SCOPES, oauth.OPERATOR))


def seen(
    status: int = 200, body: Any = None, method: str = "GET", path: str = "/2/people/@me/@self", **more: str
) -> Seen:
    headers = JSON | {name.replace("_", "-"): value for name, value in more.items()}
    return Seen(method, path, status, headers, json.dumps(body).encode())


PERSON = {"entry": {"id": "k3v9x2mtq7ra"}, "startIndex": 0, "itemsPerPage": 1, "totalResults": 1}
REFUSED = {"error": "not_found", "error_description": "No"}


@pytest.mark.parametrize(
    "answer",
    [
        seen(200, PERSON),
        seen(200, PERSON, path="/2/people/%40me/@self/"),
        seen(200, PERSON, X_Request_Id="1-2"),
        seen(404, REFUSED, path="/no/such/path"),
        seen(405, {"error": "method_not_allowed", "error_description": "No"}, "PATCH", Allow="GET, OPTIONS"),
        seen(413, {"error": "request_entity_too_large", "error_description": "No"}),
        seen(500, {"error": "internal_error", "error_description": "No"}),
        Seen("GET", "/2/people/@me/@self", 200, JSON, None),
        Seen("DELETE", "/2/pages/1/favorites/2", 204, {}, b""),
        Seen("GET", "/2/pages/1/feeds.json", 404, JSON, json.dumps(REFUSED).encode()),
    ],
)
def test_a_documented_answer_is_found_to_be_so(answer: Seen) -> None:
    assert CONTRACT.faults(answer) == []


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (seen(200, {**PERSON, "surprise": 1}), "additionalProperties"),
        (seen(200, {**PERSON, "entry": {}}), "the body at /entry"),
        (seen(200, PERSON, Content_Type="text/html"), "the content type 'text/html' is not documented"),
        (seen(200, PERSON, ETag='"1"'), "the header etag is not documented for 200"),
        (seen(202, PERSON), "202 is not documented"),
        (seen(404, REFUSED), "404 is not documented"),
        (seen(200, PERSON, path="/no/such/path"), "200 is not documented"),
        (seen(405, {"error": "method_not_allowed", "error_description": "No"}, "PATCH"), "the header allow is missing"),
        (seen(401, {"error": "invalid_token", "error_description": "No"}), "the header www-authenticate is missing"),
        (seen(503, {"error": "service_unavailable", "error_description": "No"}, Retry_After="soon"), "retry-after"),
        (seen(403, {"error": "not_found", "error_description": "No"}), "the body at /error"),
        (Seen("GET", "/2/people/@me/@self", 200, JSON, b"{"), "the body is no application/json"),
        (Seen("DELETE", "/2/pages/1/favorites/2", 204, {}, b"x"), "there is a body, and none is documented"),
    ],
)
def test_an_undocumented_answer_is_found(answer: Seen, fault: str) -> None:
    assert fault in "; ".join(CONTRACT.faults(answer))


def test_headers_that_mean_something_are_known() -> None:
    assert {name.lower() for name in document()["components"]["headers"]} >= set(TELLING)
