"""Compares responses with openapi.yaml: finds the operation, and checks status, headers, content type and body.

Contract.ours().faults(Seen("GET", "/2/people/@me/@self", 200, headers, body))   # the differences

watch("http://127.0.0.1:8000")
with watching():
    httpx.get("http://127.0.0.1:8000/2/people/@me/@self")   # raises Undocumented, in any thread
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import httpx
import jsonschema_rs

from chalicelib.api.route_table import ROUTES
from chalicelib.web.routing import Router, without_last_slash
from infra import reference
from local.gateway import Answer, Gateway, Request
from tests.kit.function_url import UrlFront

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TELLING = (
    "allow",
    "content-language",
    "etag",
    "link",
    "location",
    "retry-after",
    "set-cookie",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
)
"""Headers with a meaning for clients: a response may have only the documented ones among them."""
NOT_OURS = ("/images/", "/sample")
"""Paths that the app does not serve: the files of the bucket, and the sample of the local platform."""
_URI = "urn:engawa:contract"


class Undocumented(AssertionError):
    """A response that openapi.yaml does not allow."""


document = cache(reference.document)
"""Returns openapi.yaml, read once. Callers must not change it."""


@dataclass(frozen=True)
class Seen:
    """A response and its request: `path` is without the query; `body` is None if it was not read."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Operation:
    """A method of a path, with its part of the document."""

    method: str
    path: str
    declared: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Contract:
    """The document, prepared for checks. Safe to use from many threads."""

    document: dict[str, Any]
    _validators: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @cache
    def ours(cls) -> Contract:
        """Return the contract of openapi.yaml."""
        return cls(document())

    def operations(self) -> Iterator[Operation]:
        """Yield each operation, also under the other names of its path."""
        for path, item in self.document["paths"].items():
            for each in (path, *item.get("x-also-at", ())):
                for method in METHODS:
                    if method in item:
                        yield Operation(method.upper(), each, item[method])

    def find(self, method: str, path: str) -> tuple[Operation | None, bool]:
        """Return the operation of a request, or None, and whether its path is known at all."""
        segments = [unquote(segment) for segment in path.split("/")]
        if len(segments) > 2 and segments[-1] == "":
            segments.pop()
        for names, methods in self._paths:
            if len(names) == len(segments) and all(map(_fits, names, segments)):
                return methods.get(method), True
        return None, False

    def faults(self, seen: Seen) -> list[str]:
        """Return the undocumented parts of a response, without its values. An empty list means all is documented."""
        operation, known = self.find(seen.method, seen.path)
        if operation is not None and seen.method == "HEAD":
            # The document says that HEAD is answered like GET.
            operation, _ = self.find("GET", seen.path)
        if operation is None and self._is_page(seen):
            return []
        if operation is None:
            response = self._anywhere(seen.status, known)
        else:
            declared = operation.declared["responses"]
            response = declared.get(str(seen.status)) or self._anywhere(seen.status, known, declared)
        if response is None:
            return [f"{seen.status} is not documented"]
        response = self.resolved(response)
        return [*self._headers(response, seen), *self._body(response, seen)]

    def resolved(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a part of the document, with its reference resolved."""
        return {**reference.resolved(self.document, value)}

    @cached_property
    def _paths(self) -> list[tuple[list[str], dict[str, Operation]]]:
        """The paths by segment. Concrete segments sort before parameters, as API Gateway prefers them."""
        found: dict[str, dict[str, Operation]] = {}
        for operation in self.operations():
            found.setdefault(operation.path, {})[operation.method] = operation
        split = [(path.split("/"), methods) for path, methods in found.items()]
        return sorted(split, key=lambda each: [name.startswith("{") for name in each[0]])

    def _is_page(self, seen: Seen) -> bool:
        """Return whether a response is of a page for people, which docs/reference/web-pages.md describes instead."""
        found, _ = _pages().match(without_last_slash(seen.path).split("/"))
        headers = {name.lower(): value for name, value in seen.headers.items()}
        is_html = headers.get("content-type", "").startswith("text/html")
        # Pages also send files for download.
        is_file = headers.get("content-disposition", "").startswith("attachment")
        # A browser gets a page for every unknown path or method, too.
        return (found is not None and (is_file or seen.status in (302, 303, 405))) or (
            is_html and (found is not None or seen.status in (404, 405))
        )

    def _anywhere(self, status: int, known: bool, declared: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """Return a response that any path may give (see the beginning of the document), or None."""
        responses: dict[str, Any] = self.document["components"]["responses"]
        if declared is None and status in (404, 405):
            # API Gateway gives 405 only for a path that exists.
            found: dict[int, dict[str, Any] | None] = {
                404: responses["NotFound"],
                405: responses["MethodNotAllowed"] if known else None,
            }
            return found[status]
        named = {
            413: responses["TooLarge"],
            415: responses["UnsupportedEncoding"],
            403: responses["Forbidden"],
            429: responses["Busy"],
        }
        if status >= 500 and status != 503:
            failure: dict[str, Any] = (declared or {}).get("5XX") or responses["Failure"]
            return failure
        return named.get(status)

    def _headers(self, response: dict[str, Any], seen: Seen) -> Iterator[str]:
        given = {name.lower(): value for name, value in seen.headers.items()}
        declared = {name.lower(): self.resolved(header) for name, header in response.get("headers", {}).items()}
        for name in TELLING:
            if name in given and name not in declared:
                yield f"the header {name} is not documented for {seen.status}"
        for name, header in declared.items():
            if name not in given:
                if header.get("required"):
                    yield f"the header {name} is missing"
                continue
            schema = self.resolved(header["schema"])
            value: Any = given[name]
            if schema.get("type") == "integer" and value.isdecimal():
                value = int(value)
            yield from (f"the header {name}: {fault}" for fault in self._invalid(header["schema"], value))

    def _body(self, response: dict[str, Any], seen: Seen) -> Iterator[str]:
        if seen.body is None or seen.method == "HEAD":
            return
        content = response.get("content")
        if content is None:
            if seen.body:
                yield "there is a body, and none is documented"
            return
        media_type = {name.lower(): value for name, value in seen.headers.items()}.get("content-type", "")
        bare = media_type.partition(";")[0].strip().lower()
        if bare not in content:
            yield f"the content type {media_type!r} is not documented"
            return
        try:
            value = json.loads(seen.body) if bare == "application/json" else seen.body.decode("utf-8")
        except ValueError:
            yield f"the body is no {media_type}"
            return
        yield from (f"the body{fault}" for fault in self._invalid(content[bare]["schema"], value))

    def _invalid(self, schema: dict[str, Any], value: Any) -> Iterator[str]:
        """Yield the places of a value that break a schema, each with the keyword."""
        validator = self.validator(schema)
        if validator.is_valid(value):
            return
        for error in validator.iter_errors(value):
            where = "/".join(map(str, error.instance_path))
            yield f" at /{where} is not as {'/'.join(map(str, error.evaluation_path[-4:]))} says"

    def validator(self, schema: dict[str, Any]) -> Any:
        """Return the validator for a schema of this document, compiled once."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            absolute = json.loads(key.replace('"$ref": "#/', f'"$ref": "{_URI}#/'))
            self._validators[key] = jsonschema_rs.Draft202012Validator(absolute, registry=self._registry)
        return self._validators[key]

    @cached_property
    def _registry(self) -> Any:
        return jsonschema_rs.Registry([(_URI, self.document)], draft=jsonschema_rs.Draft202012)


_watched: set[httpx.URL] = set()
_told: list[str] = []


def watch(base_url: str) -> None:
    """Check the responses of the server at this address from now on."""
    _watched.add(httpx.URL(base_url))


def told() -> list[str]:
    """Return the undocumented responses since the last call."""
    found, _told[:] = [*_told], []
    return found


@contextmanager
def watching() -> Iterator[None]:
    """Let httpx raise Undocumented inside the block if a response of a watched server differs from openapi.yaml."""
    send = httpx.Client.send

    def checked(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        answer = send(client, request, **options)
        for each in (*answer.history, answer):
            _check(each)
        return answer

    with patch.object(httpx.Client, "send", checked):
        yield


@contextmanager
def watching_gateways() -> Iterator[None]:
    """Do the same as `watching` for apps that a Gateway or a UrlFront calls without HTTP."""
    with (
        patch.object(Gateway, "handle", _checked(Gateway.handle)),
        patch.object(UrlFront, "handle", _checked(UrlFront.handle)),
    ):
        yield


def _checked(handle: Callable[[Any, Request], Answer]) -> Callable[[Any, Request], Answer]:
    def checked(gateway: Any, request: Request) -> Answer:
        answer = handle(gateway, request)
        path = request.target.partition("?")[0]
        headers = dict(answer.headers)
        body = gzip.decompress(answer.body) if headers.get("Content-Encoding") == "gzip" else answer.body
        _require(Seen(request.method, path, answer.status, headers, body))
        return answer

    return checked


@cache
def _pages() -> Router:
    faces = [face for load in dict.fromkeys(ROUTES.values()) for face in load()]
    return Router({route.path for face in faces for route in face.routes if route.declaration.page})


def _require(seen: Seen) -> None:
    if not seen.path.startswith(NOT_OURS) and (faults := Contract.ours().faults(seen)):
        told_of = f"{seen.method} {seen.path} {seen.status}: {'; '.join(faults)} (openapi.yaml)"
        _told.append(told_of)
        raise Undocumented(told_of)


def _check(answer: httpx.Response) -> None:
    url = answer.request.url
    for base in [*_watched]:
        prefix = base.path.rstrip("/")
        if (url.scheme, url.netloc) != (base.scheme, base.netloc) or not url.path.startswith(prefix):
            continue
        path = url.raw_path.decode("ascii").partition("?")[0].removeprefix(prefix)
        _require(Seen(answer.request.method, path, answer.status_code, answer.headers, _read(answer)))


def _read(answer: httpx.Response) -> bytes | None:
    try:
        return answer.content
    except httpx.ResponseNotRead:
        return None


def _fits(name: str, segment: str) -> bool:
    return bool(segment) if name.startswith("{") else name == segment
