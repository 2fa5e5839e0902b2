"""The operations of openapi.yaml, as their pages show them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from infra.reference import METHODS, Json, parameters
from infra.site.languages import Language, title_of
from infra.site.schemas import Schemas, Shape

_WAYS = {"oauthHeader", "oauthToken", "accessToken", "st"}
"""Other ways to send the same token, which one document describes for all operations."""


@dataclass(frozen=True)
class Parameter:
    """A parameter. `place` is path, query, header or cookie."""

    name: str
    place: str
    required: bool
    kind: str
    description: str


@dataclass(frozen=True)
class Medium:
    """A media type of a body, with the shape of its value."""

    media_type: str
    shape: Shape


@dataclass(frozen=True)
class Header:
    """A header of an answer."""

    name: str
    kind: str
    description: str


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its headers, its bodies, and the words of `error` that it can have."""

    status: str
    description: str
    headers: tuple[Header, ...]
    media: tuple[Medium, ...]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """One operation in one language."""

    id: str
    method: str
    path: str
    tag: str
    title: str
    summary: str
    description: str
    also_at: tuple[str, ...]
    callers: tuple[str, ...]
    """Sentences in Markdown about the callers that are allowed; one of them must hold."""
    takes_token: bool
    scopes: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: tuple[Medium, ...]
    answers: tuple[Answer, ...]
    errors: tuple[Answer, ...]

    @property
    def name(self) -> str:
        """The name in the address of its page."""
        return f"operations/{kebab(self.id)}"

    @property
    def example(self) -> str | None:
        """The example of its first answer, as JSON."""
        shown = [medium.shape.example for answer in self.answers for medium in answer.media]
        return shown[0] if shown else None


def kebab(name: str) -> str:
    """Return an operationId in the form of an address: `write-data` for `writeData`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


class Operations:
    """The operations of a document in one language."""

    def __init__(self, document: Json, language: Language, word: Callable[[str], str]) -> None:
        self._document = document
        self._language: Language = language
        self._word = word
        self._schemas = Schemas(document, word)

    def by_tag(self) -> dict[str, list[Operation]]:
        """Return the operations of each tag, in the order of the document."""
        found: dict[str, list[Operation]] = {tag["name"]: [] for tag in self._document["tags"]}
        for path, item in self._document["paths"].items():
            for method in METHODS:
                if declared := item.get(method):
                    found[declared["tags"][0]].append(self._operation(path, method, item, declared))
        return {tag: operations for tag, operations in found.items() if operations}

    def _operation(self, path: str, method: str, item: Json, declared: Json) -> Operation:
        title, summary = title_of(declared, self._language)
        body = self._schemas.resolved(declared.get("requestBody", {}))
        answers = [self._answer(status, each) for status, each in declared["responses"].items()]
        schemes = {name for each in declared["security"] for name in each}
        return Operation(
            id=declared["operationId"],
            method=method.upper(),
            path=path,
            tag=declared["tags"][0],
            title=title,
            summary=summary,
            description=declared.get("description", ""),
            also_at=tuple(item.get("x-also-at", ())),
            callers=tuple(self._callers(declared["security"])),
            takes_token=bool(schemes & {"user", "app"}),
            scopes=tuple(
                dict.fromkeys(
                    scope
                    for each in declared["security"]
                    for name, scopes in each.items()
                    if name not in _WAYS
                    for scope in scopes
                )
            ),
            parameters=tuple(map(self._parameter, parameters(self._document, item, declared))),
            body=tuple(self._media(body)),
            answers=tuple(each for each in answers if each.status < "4"),
            errors=tuple(each for each in answers if each.status >= "4"),
        )

    def _parameter(self, declared: Json) -> Parameter:
        schema = self._schemas.resolved(declared["schema"])
        return Parameter(
            name=declared["name"],
            place=declared["in"],
            required=bool(declared.get("required")),
            kind=self._schemas.kind(schema),
            description=declared.get("description") or schema.get("description", ""),
        )

    def _media(self, holder: Json) -> Iterator[Medium]:
        for media_type, medium in holder.get("content", {}).items():
            yield Medium(media_type, self._schemas.shape(medium["schema"]))

    def _answer(self, status: str, declared: Json) -> Answer:
        whole = self._schemas.resolved(declared)
        words = [word for medium in whole.get("content", {}).values() for word in self._schemas.words(medium["schema"])]
        headers = [self._header(name, each) for name, each in whole.get("headers", {}).items()]
        return Answer(
            status, whole["description"], tuple(headers), tuple(self._media(whole)), tuple(dict.fromkeys(words))
        )

    def _header(self, name: str, declared: Json) -> Header:
        whole = self._schemas.resolved(declared)
        schema = self._schemas.resolved(whole["schema"])
        return Header(name, self._schemas.kind(schema), whole.get("description") or schema.get("description", ""))

    def _callers(self, security: list[Mapping[str, list[str]]]) -> Iterator[str]:
        """Yield the ways to be allowed to call, one of which is enough."""
        if not security:
            yield self._word("caller_anyone")
        for each in security:
            for name, scopes in each.items():
                if name not in _WAYS:
                    scoped = self._word("caller_scope").format(scopes=", ".join(f"`{scope}`" for scope in scopes))
                    yield self._word(f"caller_{name}").format(scope=scoped if scopes else "")
