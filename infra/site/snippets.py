"""The code beside each operation's text, in curl, JavaScript and Python.

curl is always made from the operation and its examples in openapi.yaml. So are JavaScript (`fetch`) and Python
(`urllib.request`), unless docs/snippets/ has a program for the operation. A request sends all required parameters, and
those optional ones that have an `example` of their own (one in the schema is not enough).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import quote

from infra import reference
from infra.site.schemas import Reference

BASE_URL = "http://127.0.0.1:8000"
PICTURE = "picture.png"
"""The file that a program sends as an image."""
COLUMNS = 88
"""A line that would be longer is broken, if it can be."""
PROGRAMS = reference.ROOT / "docs" / "snippets"
SUFFIXES = {"javascript": ".mjs", "python": ".py"}
CALLED = {"callMethods": ("mixi_apps2", "r_profile")}
"""The scopes of operations that check them by what the request calls."""
WORDS = {
    "CLIENT_SECRET": "the app's secret (.local/demo.json has that of quest)",
    "REFRESH_TOKEN": "the refresh token that POST /2/token answered",
    "SESSION": "the cookie of a browser that is signed in",
    "CSRF": "the hidden field csrf of the page's form",
}
"""The words in a request that a reader must replace, besides TOKEN."""

Json = Mapping[str, Any]


class Snippet(NamedTuple):
    """A program that sends one request; its base URL is http://127.0.0.1:8000 and its token the word TOKEN."""

    language: str
    text: str


class Holder(NamedTuple):
    """The access token of a request: a `user`'s, an `app`'s or the `operator`'s, and the scopes that it needs."""

    kind: str
    scopes: tuple[str, ...]


class File(NamedTuple):
    """The content of a file, as the value of a form's part."""

    name: str


@dataclass(frozen=True)
class Request:
    """The example request of an operation. `body` is None, JSON, or the fields of a form."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    media_type: str
    body: Any
    token: Holder | None
    signed: bool
    for_browsers: bool
    answer: str
    """The media type of the answer, or "" if it has no body."""


def of(operation_id: str) -> tuple[Snippet, ...]:
    """Return the programs of an operation, the `operationId` of openapi.yaml, in the order of the page.

    There is only curl for HTML pages, and for HEAD and OPTIONS.
    """
    request = example(operation_id)
    curl = Snippet("curl", _curl(request))
    if request.for_browsers:
        return (curl,)
    made = {"javascript": _fetch, "python": _urllib}
    return (curl, *(Snippet(name, _written(operation_id, name) or make(request)) for name, make in made.items()))


@cache
def operations() -> dict[str, tuple[str, str, Json]]:
    """Return the operations of the document (infra/reference.py)."""
    return reference.operations(_document())


def example(operation_id: str) -> Request:
    """Return the request that an operation's programs send."""
    method, path, operation = operations()[operation_id]
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    for each in operation["parameters"]:
        if each.get("required") or "example" in each:
            value = str(parameter_example(each))
            if each["in"] == "path":
                path = path.replace(f"{{{each['name']}}}", quote(value, safe="@:,"))
            else:
                (query if each["in"] == "query" else headers)[each["name"]] = value
    media_type, body = _body(operation)
    if {"session": []} in operation["security"] and body is not None:
        headers["Cookie"] = "engawa=SESSION"
    answer = _answer(operation)
    return Request(
        method=method,
        path=path,
        query=query,
        headers=headers,
        media_type=media_type,
        body=body,
        token=holder(operation_id),
        signed=any("signature" in each for each in operation["security"]),
        for_browsers=method in ("HEAD", "OPTIONS") or "text/html" in answer or "302" in operation["responses"],
        answer=answer,
    )


def parameter_example(parameter: Json) -> Any:
    """Return the example of a parameter: its own, or that of its schema."""
    schema = reference.resolved(_document(), parameter["schema"])
    known = [*schema.get("examples", ()), *schema.get("enum", ())]
    for name in ("const", "default"):
        known += [schema[name]] if name in schema else []
    return parameter["example"] if "example" in parameter else known[0]


def holder(operation_id: str) -> Holder | None:
    """Return the token that an operation's programs use, or None if it takes none."""
    _, _, operation = operations()[operation_id]
    taken = {name: tuple(scopes) for each in operation["security"] for name, scopes in each.items()}
    if "app" in taken:
        return Holder("operator" if "admin" in taken["app"] else "app", taken["app"])
    return Holder("user", CALLED.get(operation_id, taken["user"])) if "user" in taken else None


@cache
def _document() -> dict[str, Any]:
    return reference.document()


def _written(operation_id: str, language: str) -> str:
    """Return the program of docs/snippets/, or an empty text if there is none."""
    path = PROGRAMS / f"{operation_id}{SUFFIXES[language]}"
    return path.read_text(encoding="utf-8").rstrip("\n") if path.exists() else ""


def _body(operation: Json) -> tuple[str, Any]:
    """Return the first media type of a request's body, and its example; for a form of parts, its fields."""
    body = reference.resolved(_document(), operation.get("requestBody", {}))
    for media_type, medium in body.get("content", {}).items():
        if "example" in medium:
            return media_type, medium["example"]
        schema = reference.resolved(_document(), medium["schema"])
        if "encoding" not in medium:
            return media_type, _schema_example(schema)
        parts = {name: reference.resolved(_document(), each) for name, each in schema["properties"].items()}
        return media_type, {
            name: File(PICTURE) if each.get("format") == "binary" else json.dumps(_schema_example(each))
            for name, each in parts.items()
        }
    return "", None


def _schema_example(schema: Json) -> Any:
    return json.loads(Reference(_document()).example(schema) or "null")


def _answer(operation: Json) -> str:
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            return next(iter(reference.resolved(_document(), answer).get("content", {})), "")
    return ""


def _comments(request: Request) -> list[str]:
    """Return the lines that say what stands for the words in a request."""
    lines: list[str] = []
    if request.token:
        kind, scopes = request.token
        if kind == "operator":
            lines.append("TOKEN: the operator's access token")
        elif kind == "app":
            lines.append("TOKEN: an access token of the app (or a user's, with the scope r_page)")
        else:
            named = f" with the scope{'s' * (len(scopes) > 1)} {' and '.join(scopes)}" if scopes else ""
            lines.append(f"TOKEN: a user's access token{named}")
    text = json.dumps([request.headers, request.body])
    lines += [f"{word}: {meaning}" for word, meaning in WORDS.items() if word in re.findall(r"\w+", text)]
    if request.signed:
        lines.append("Instead of sending a token, an app may sign the request (OAuth 1.0a).")
    return lines


def _headers(request: Request) -> dict[str, str]:
    headers = {"Authorization": "Bearer TOKEN"} if request.token else {}
    if request.media_type == "application/json":
        headers["Content-Type"] = request.media_type
    return headers | dict(request.headers)


# curl


def _quoted(text: str) -> str:
    """Return a text as one word of the shell."""
    if re.fullmatch(r"[\w@%+=:,./-]+", text, re.ASCII):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def _curl(request: Request) -> str:
    url = BASE_URL + request.path
    options = {"GET": [], "HEAD": ["--head"]}.get(request.method, [f"--request {request.method}"])
    in_body = request.body is not None
    if request.query and request.method == "POST":
        url += "?" + "&".join(f"{quote(name)}={quote(value, safe='/:@,')}" for name, value in request.query.items())
    elif request.query:
        options.insert(0, "--get")
        options += [f"--data-urlencode {_quoted(f'{name}={value}')}" for name, value in request.query.items()]
    if request.method == "POST" and in_body:
        options.remove("--request POST")
    headers = _headers(request)
    cookie = headers.pop("Cookie", "")
    options += [f"--header {_quoted(f'{name}: {value}')}" for name, value in headers.items()]
    options += [f"--cookie {_quoted(cookie)}"] if cookie else []
    options += _curl_body(request) if in_body else []
    line = " ".join(["curl", *options, _quoted(url)])
    if len(line) > COLUMNS or "\n" in line:
        line = " \\\n  ".join([f"curl {_quoted(url)}", *options])
    return "\n".join([*(f"# {each}" for each in _comments(request)), line])


def _curl_body(request: Request) -> list[str]:
    if request.media_type == "application/json":
        return [f"--data {_quoted(_literal(request.body, _JSON, '  ', len('--data')))}"]
    if request.media_type == "multipart/form-data":
        return [_curl_part(name, value) for name, value in request.body.items()]
    return [f"--data-urlencode {_quoted(f'{name}={value}')}" for name, value in request.body.items()]


def _curl_part(name: str, value: str | File) -> str:
    if isinstance(value, File):
        return f"--form {name}=@{value.name}"
    written = _literal(json.loads(value), _JSON, "  ", len(name) + len("--form-string '='"))
    return f"--form-string {_quoted(f'{name}={written}')}"


# Values in a program


@dataclass(frozen=True)
class _Style:
    """The spelling of values in a language. `bare` is the pattern of names that need no quotes."""

    constants: Mapping[Any, str]
    step: str
    space: str = ""
    comma: str = ""
    bare: str = "$."


_JSON = _Style({None: "null", True: "true", False: "false"}, "  ")
_JAVASCRIPT = _Style(_JSON.constants, "  ", space=" ", comma=",", bare=r"[A-Za-z_]\w*")
_PYTHON = _Style({None: "None", True: "True", False: "False"}, "    ", comma=",")


def _literal(value: Any, style: _Style, indent: str, before: int) -> str:
    """Return a value on one line if it fits behind the `before` characters of its line, else on several."""
    if isinstance(value, dict) and value:
        opening, closing, space = "{", "}", style.space
        entries = [(f"{_name(name, style)}: ", each) for name, each in value.items()]
    elif isinstance(value, list) and value:
        opening, closing, space = "[", "]", ""
        entries = [("", each) for each in value]
    else:
        return style.constants.get(value) if isinstance(value, bool | None) else json.dumps(value, ensure_ascii=False)  # type: ignore[return-value]
    line = ", ".join(name + _literal(each, style, "", -10_000) for name, each in entries)
    line = f"{opening}{space}{line}{space}{closing}"
    if len(indent) + before + len(line) <= COLUMNS:
        return line
    inner = indent + style.step
    lines = [inner + name + _literal(each, style, inner, len(name) + 1) for name, each in entries]
    return f"{opening}\n" + ",\n".join(lines) + f"{style.comma}\n{indent}{closing}"


def _name(name: str, style: _Style) -> str:
    return name if re.fullmatch(style.bare, name) else json.dumps(name, ensure_ascii=False)


# JavaScript


def _fetch(request: Request) -> str:
    lines = [f"// {each}" for each in _comments(request)]
    url = f'"{BASE_URL}{request.path}"'
    if request.query:
        lines.append(f"const query = new URLSearchParams({_literal(dict(request.query), _JAVASCRIPT, '', 38)});")
        url = f"`{BASE_URL}{request.path}?${{query}}`"
    options = [] if request.method == "GET" else [f'method: "{request.method}"']
    if headers := _headers(request):
        options.append(f"headers: {_literal(headers, _JAVASCRIPT, '  ', 10)}")
    if request.media_type == "multipart/form-data":
        lines = ['import { openAsBlob } from "node:fs";', *lines, "const form = new FormData();"]
        for name, value in request.body.items():
            if isinstance(value, File):
                lines.append(f'form.append("{name}", await openAsBlob("{value.name}"), "{value.name}");')
            else:
                written = _literal(json.loads(value), _JAVASCRIPT, "", len(name) + 34)
                lines.append(f'form.append("{name}", JSON.stringify({written}));')
        options.append("body: form")
    elif request.body is not None:
        write = "JSON.stringify" if request.media_type == "application/json" else "new URLSearchParams"
        options.append(f"body: {write}({_literal(request.body, _JAVASCRIPT, '  ', len(write) + 9)})")
    if len(f"const answer = await fetch({url}, {{") > COLUMNS:
        lines.append(f"const url = {url};")
        url = "url"
    call = f"const answer = await fetch({url}"
    lines.append(f"{call}, {{\n  " + ",\n  ".join(options) + ",\n});" if options else f"{call});")
    lines.append("if (!answer.ok) throw new Error(await answer.text());")
    shown = {"application/json": "await answer.json()", "": "answer.status"}
    lines.append(f"console.log({shown.get(request.answer, 'await answer.text()')});")
    return "\n".join(lines)


# Python


def _urllib(request: Request) -> str:
    lines = [f"# {each}" for each in _comments(request)]
    modules = {"urllib.request"} | ({"urllib.parse"} if request.query else set())
    parts = [f'"{BASE_URL}{request.path}"']
    prepared = []
    if request.query:
        prepared.append(f"query = urllib.parse.urlencode({_literal(dict(request.query), _PYTHON, '', 32)})")
        parts = [f'f"{BASE_URL}{request.path}?{{query}}"']
    if request.method not in ("GET", "POST") or (request.method == "POST" and request.body is None):
        parts.append(f'method="{request.method}"')
    media_type, body = request.media_type, request.body
    if media_type == "multipart/form-data":
        # The library has no writer of such forms. The same request without the image is JSON.
        media_type, body = "application/json", json.loads(next(iter(body.values())))
    headers = _headers(request) | ({"Content-Type": media_type} if media_type == "application/json" else {})
    if headers:
        parts.append(f"headers={_literal(headers, _PYTHON, '    ', 9)}")
    if body is not None:
        module, write = ("json", "dumps") if media_type == "application/json" else ("urllib.parse", "urlencode")
        modules.add(module)
        written = _literal(body, _PYTHON, "    ", len(module) + len(write) + 17)
        parts.append(f"data={module}.{write}({written}).encode()")
    if request.answer == "application/json":
        modules.add("json")
    imports = [f"import {each}" for each in sorted(modules)]
    line = f"request = urllib.request.Request({', '.join(parts)})"
    if len(line) > COLUMNS or "\n" in line:
        line = "request = urllib.request.Request(\n    " + ",\n    ".join(parts) + ",\n)"
    shown = {"application/json": "json.load(answer)", "": "answer.status"}
    return "\n".join(
        [
            *imports,
            "",
            *lines,
            *prepared,
            line,
            "with urllib.request.urlopen(request) as answer:",
            f"    print({shown.get(request.answer, 'answer.read().decode()')})",
        ]
    )
