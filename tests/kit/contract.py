"""Holds answers against openapi.yaml: the operation is found, and status, headers, content type and body are checked.

Contract.ours().faults(Seen("GET", "/2/people/@me/@self", 200, headers, body))   # what is not as documented

watch("http://127.0.0.1:8000")
with watching():
    httpx.get("http://127.0.0.1:8000/2/people/@me/@self")   # raises Undocumented, in any thread
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

import httpx
import jsonschema_rs

from infra import reference
from local.gateway import Answer, Gateway, Request

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
TELLING = (
    "allow",
    "content-language",
    "etag",
    "location",
    "retry-after",
    "set-cookie",
    "www-authenticate",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
)
"""Headers that mean something to a client: an answer has those that are documented, and no others."""
NOT_OURS = ("/images/", "/sample")
"""What is served beside the app: files of the bucket, and the sample of the local platform."""
_URI = "urn:engawa:contract"


class Undocumented(AssertionError):
    """An answer that openapi.yaml does not allow."""


document = cache(reference.document)
"""openapi.yaml, read once. Not to be changed."""


@dataclass(frozen=True)
class Seen:
    """An answer, and the request that it is to: `path` without the query; `body` None where it was not read."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Operation:
    """One method of one path, and where in the document it stands."""

    method: str
    path: str
    declared: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Contract:
    """The document, ready to be asked. Safe to use from many threads."""

    document: dict[str, Any]
    _validators: dict[str, Any] = field(default_factory=dict)

    @classmethod
    @cache
    def ours(cls) -> Contract:
        """That of openapi.yaml."""
        return cls(document())

    def operations(self) -> Iterator[Operation]:
        """Each operation; also by the other names of its path."""
        for path, item in self.document["paths"].items():
            for each in (path, *item.get("x-also-at", ())):
                for method in METHODS:
                    if method in item:
                        yield Operation(method.upper(), each, item[method])

    def find(self, method: str, path: str) -> tuple[Operation | None, bool]:
        """The operation that a request is, and whether its path is one of ours at all."""
        segments = [unquote(segment) for segment in path.split("/")]
        if len(segments) > 2 and segments[-1] == "":
            segments.pop()
        for names, methods in self._paths:
            if len(names) == len(segments) and all(map(_fits, names, segments)):
                return methods.get(method), True
        return None, False

    def faults(self, seen: Seen) -> list[str]:
        """What of an answer is not documented; nothing where all of it is. Values of the answer are not told."""
        operation, known = self.find(seen.method, seen.path)
        if operation is not None and seen.method == "HEAD":
            # What is said of HEAD is that it is answered as GET.
            operation, _ = self.find("GET", seen.path)
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
        """A part of the document, or what it refers to."""
        return {**reference.resolved(self.document, value)}

    @cached_property
    def _paths(self) -> list[tuple[list[str], dict[str, Operation]]]:
        """Paths by segment, those that are concrete where others have a parameter first, as API Gateway prefers."""
        found: dict[str, dict[str, Operation]] = {}
        for operation in self.operations():
            found.setdefault(operation.path, {})[operation.method] = operation
        split = [(path.split("/"), methods) for path, methods in found.items()]
        return sorted(split, key=lambda each: [name.startswith("{") for name in each[0]])

    def _anywhere(self, status: int, known: bool, declared: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
        """What any path may answer (the beginning of the document says so)."""
        responses: dict[str, Any] = self.document["components"]["responses"]
        if declared is None and status in (404, 405):
            # API Gateway knows no method of a path that is not there.
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
        """Where and by which keyword a value is not what a schema says."""
        validator = self.validator(schema)
        if validator.is_valid(value):
            return
        for error in validator.iter_errors(value):
            where = "/".join(map(str, error.instance_path))
            yield f" at /{where} is not as {'/'.join(map(str, error.evaluation_path[-4:]))} says"

    def validator(self, schema: dict[str, Any]) -> Any:
        """What checks values against a schema of this document, compiled once."""
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
    """From now on, what the server at this address answers is checked."""
    _watched.add(httpx.URL(base_url))


def told() -> list[str]:
    """The answers that were undocumented since this was asked last."""
    found, _told[:] = [*_told], []
    return found


@contextmanager
def watching() -> Iterator[None]:
    """Within it, httpx raises Undocumented for an answer of a watched server that is not as openapi.yaml says."""
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
    """As `watching`, for apps that are called without HTTP, by a Gateway."""
    handle = Gateway.handle

    def checked(gateway: Gateway, request: Request) -> Answer:
        answer = handle(gateway, request)
        path = request.target.partition("?")[0]
        _require(Seen(request.method, path, answer.status, dict(answer.headers), answer.body))
        return answer

    with patch.object(Gateway, "handle", checked):
        yield


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
