"""The form of "Try it" on the page of an operation, made from openapi.yaml: its fields, its body and its token.

form(document, "writeData") -> Form

templates/try.html shows it, and assets/try.js sends the request.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from infra.reference import operations, resolved
from infra.site.languages import texts

Json = Mapping[str, Any]
_READING = ("GET", "HEAD")
_SIGNED_ONLY = frozenset({"xoauth_requestor_id", "opensocial_owner_id"})
"""Parameters that only signed requests have. A page cannot sign, since it must not contain the app's secret."""
_JSON, _MULTIPART = "application/json", "multipart/form-data"


class Field(NamedTuple):
    """A parameter. `value` is filled in; `hint` is shown while the field is empty."""

    name: str
    place: str
    required: bool
    value: str
    hint: str
    choices: tuple[str, ...]


class Body(NamedTuple):
    """The body: JSON text, and the files that may be sent with it as a form, by name and accepted media types."""

    text: str
    part: str
    files: tuple[tuple[str, str], ...]


class Form(NamedTuple):
    """The parts of a request that a reader fills in. `why` says why a page cannot send it; it is empty if one can."""

    id: str
    method: str
    path: str
    token: str
    scopes: tuple[str, ...]
    fields: tuple[Field, ...]
    body: Body | None
    why: str
    href: str

    @property
    def words(self) -> tuple[str, ...]:
        """Return the ends of the keys of the texts that try.js shows."""
        return tuple(key.removeprefix("try_") for key in texts() if key.startswith("try_say_"))

    @property
    def filled(self) -> tuple[Field, ...]:
        """Return the fields that are filled in."""
        return tuple(field for field in self.fields if field.value)

    @property
    def empty(self) -> tuple[Field, ...]:
        """Return the fields that are left empty."""
        return tuple(field for field in self.fields if not field.value)

    @property
    def is_write(self) -> bool:
        """Return whether the page asks before it sends the request."""
        return self.method not in _READING

    @property
    def deletes_all(self) -> bool:
        """Return whether the request deletes everything if it names no fields."""
        return self.method == "DELETE" and any(field.name == "fields" for field in self.fields)


def form(document: Json, operation_id: str) -> Form:
    """Return the form of an operation. Raises KeyError if there is none of this id."""
    method, path, operation = operations(document)[operation_id]
    why = _why(document, path, method, operation)
    token, scopes = _token(operation.get("security", ()))
    return Form(
        id=operation_id,
        method=method,
        path=path,
        token=token,
        scopes=scopes,
        fields=() if why else tuple(_fields(document, operation["parameters"])),
        body=None if why else _body(document, operation),
        why=why,
        href=path if why == "page" and method == "GET" and "{" not in path else "",
    )


def example(document: Json, schema: Json) -> Any:
    """Return an example of a schema: its own, one of its parts, or its required fields with theirs."""
    schema = resolved(document, schema)
    if "example" in schema:
        return schema["example"]
    if schema.get("examples"):
        return schema["examples"][0]
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if schema.get("enum"):
        return schema["enum"][0]
    for part in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        return example(document, part)
    if "properties" in schema or "allOf" in schema:
        made: dict[str, Any] = {}
        for part in schema.get("allOf", ()):
            made |= example(document, part) or {}
        fields = schema.get("properties", {})
        return made | {name: example(document, fields[name]) for name in schema.get("required", ()) if name in fields}
    if schema.get("type") == "array":
        return [example(document, schema.get("items", {}))]
    return {"integer": 0, "number": 0, "boolean": False, "object": {}}.get(str(schema.get("type")), "")


def _why(document: Json, path: str, method: str, operation: Json) -> str:
    """Return why a page cannot send the request, as the end of a text's key; "" if it can."""
    schemes = [set(each) for each in operation.get("security", ())]
    kinds: set[str] = set()
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            kinds |= set(resolved(document, answer).get("content", {}))
    if path == "/connect_authorize.pl":
        return "authorize"
    if method == "OPTIONS":
        return "preflight"
    if "text/html" in kinds or {"session"} in schemes:
        return "page"
    if {"client"} in schemes:
        return "secret"
    return "signature" if schemes and all(each == {"signature"} for each in schemes) else ""


def _token(security: Any) -> tuple[str, tuple[str, ...]]:
    """Return the kind of token of a request, and the scopes that it needs."""
    scopes = dict.fromkeys(scope for each in security for names in each.values() for scope in names)
    if "admin" in scopes:
        return "operator", tuple(scopes)
    return ("user" if any(security) else "none"), tuple(scopes)


def _fields(document: Json, parameters: list[Any]) -> Iterator[Field]:
    order = ("path", "query", "header")
    for parameter in sorted(parameters, key=lambda each: order.index(each["in"]) if each["in"] in order else 3):
        schema = resolved(document, parameter["schema"])
        if parameter["in"] not in order or parameter["name"] in _SIGNED_ONLY or schema.get("const") == "json":
            continue
        known = [*schema.get("examples", ()), schema.get("default", "")]
        shown = parameter.get("example", known[0])
        required = bool(parameter.get("required"))
        # A DELETE without `fields` deletes everything, so the form names some. An example of a header is a version or
        # a key of another request, which the server would refuse.
        filled = parameter["in"] != "header" and (required or "example" in parameter or parameter["name"] == "fields")
        choices = tuple(map(str, schema.get("enum", ())))
        value = str(shown) if filled else ""
        if choices and required and value not in choices:
            value = choices[0]
        yield Field(parameter["name"], parameter["in"], required, value, str(shown), choices)


def _body(document: Json, operation: Json) -> Body | None:
    content = resolved(document, operation.get("requestBody", {})).get("content", {})
    if _MULTIPART in content:
        medium = content[_MULTIPART]
        fields = resolved(document, medium["schema"])["properties"]
        encoding = medium.get("encoding", {})
        files = [name for name, field in fields.items() if resolved(document, field).get("format") == "binary"]
        part = next(name for name in fields if name not in files)
        text = _text(document, content.get(_JSON, {"schema": fields[part]}))
        return Body(text, part, tuple((name, encoding.get(name, {}).get("contentType", "*/*")) for name in files))
    if _JSON in content:
        return Body(_text(document, content[_JSON]), "", ())
    return None


def _text(document: Json, medium: Json) -> str:
    given = (
        [medium["example"]] if "example" in medium else [each["value"] for each in medium.get("examples", {}).values()]
    )
    value = given[0] if given else example(document, medium["schema"])
    return json.dumps(value, ensure_ascii=False, indent=2)
