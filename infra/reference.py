"""The files that `/docs` and `/openapi.json` serve, made from openapi.yaml: `python -m infra.reference` writes both.

They are files of the app (chalicelib/web/static), so that Lambda only reads them. The page contains its style, needs no
script and loads nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup, escape

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "openapi.yaml"
STATIC = ROOT / "chalicelib" / "web" / "static"
STYLES = (ROOT / "chalicelib" / "web" / "templates" / "style.css", ROOT / "infra" / "reference.css")
METHODS = ("get", "post", "put", "patch", "delete")
"""The methods in the order in which a path shows them. The description explains preflights (OPTIONS)."""

Json = Mapping[str, Any]
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_BOUNDS = (
    ("minLength", "maxLength", "characters"),
    ("minimum", "maximum", ""),
    ("minItems", "maxItems", "entries"),
    ("minProperties", "maxProperties", "pairs"),
)
_SHOWN_PATTERN = 60


def document() -> dict[str, Any]:
    """Return openapi.yaml as it is served, without `x-shared`, which only the file itself uses."""
    # PyYAML's loader in C, if it is available, takes a tenth of the time.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: dict[str, Any] = yaml.load(SOURCE.read_text(encoding="utf-8"), loader)  # noqa: S506 (both are safe)
    del read["x-shared"]
    return read


def resolved(whole: Json, value: Json) -> Json:
    """Return a part of a document, or the part that its `$ref` names."""
    while "$ref" in value:
        found: Any = whole
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        value = found
    return value


def files() -> dict[str, str]:
    """Return the served texts by the names of their files in `static`."""
    served = document()
    text = json.dumps(served, ensure_ascii=False, separators=(",", ":"))
    return {"openapi.json": text, "reference.html": Reference(served).page()}


class Reference:
    """The document as a page."""

    def __init__(self, served: Json) -> None:
        self._document = served
        self._schemas: Json = served["components"]["schemas"]

    def page(self) -> str:
        """Return the whole HTML page."""
        environment = Environment(
            loader=FileSystemLoader(ROOT / "infra"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        components = self._document["components"]
        style = "".join(path.read_text(encoding="utf-8") for path in STYLES)
        page = environment.get_template("reference.html").render(
            # The files are our own and contain no user's text.
            style=Markup(style),  # noqa: S704
            info=self._document["info"],
            faces=list(self._faces()),
            schemes=components["securitySchemes"],
            schemas=self._schemas,
            answers=components["responses"],
            headers=components["headers"],
            text=text,
            line=line,
            kind=self.kind,
            rows=self.rows,
            resolved=self.resolved,
            words=self.words,
            example=self.example,
            tokens=tokens,
            forms=lambda schema: schema["oneOf"] if "oneOf" in schema and self.rows(schema) else [],
            contents=lambda answer: self.resolved(answer).get("content", {}),
            name_of=lambda reference: reference["$ref"].rpartition("/")[2],
        )
        return re.sub(r"\n\s*\n+", "\n", page)

    def resolved(self, value: Json) -> Json:
        """Return a part of the document, or the part that its `$ref` names."""
        return resolved(self._document, value)

    def kind(self, schema: Json) -> Markup:
        """Return the type of a value in a few words. A named schema is a link."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return (
                Markup('<a href="#schema-{0}">{0}</a>').format(name)
                if name in self._schemas
                else self.kind(self.resolved(schema))
            )
        if "const" in schema:
            return _code(schema["const"])
        if "enum" in schema:
            return Markup(", ").join(map(_code, schema["enum"]))
        for how in ("anyOf", "oneOf"):
            if how in schema and not self.rows(schema):
                return Markup(" or ").join(map(self.kind, schema[how]))
        if len(schema.get("allOf", ())) == 1 and "properties" not in schema:
            return self.kind(schema["allOf"][0])
        return self._typed(schema)

    def _typed(self, schema: Json) -> Markup:
        named = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "any")
        words = [escape(" or ".join(named) if isinstance(named, list) else named)]
        if "items" in schema:
            words[0] = escape("list of ") + self.kind(schema["items"])
        elif isinstance(schema.get("additionalProperties"), dict):
            words[0] = escape("map to ") + self.kind(schema["additionalProperties"])
        words += map(escape, _bounds(schema))
        if len(pattern := schema.get("pattern", "")) in range(1, _SHOWN_PATTERN):
            words.append(_code(pattern, raw=True))
        if "default" in schema:
            words.append(escape("default ") + _code(schema["default"]))
        return Markup(", ").join(words)

    def rows(self, schema: Json) -> dict[str, tuple[bool, Json]]:
        """Return each field of an object, also those in its `allOf`: whether it is required, and its schema."""
        schema = self.resolved(schema)
        found: dict[str, tuple[bool, Json]] = {}
        for part in schema.get("allOf", ()):
            found |= self.rows(part)
        for name, value in schema.get("properties", {}).items():
            needed, before = found.get(name, (False, {}))
            found[name] = (needed, {**before, **value})
        required = {*schema.get("required", ())}
        return {name: (needed or name in required, value) for name, (needed, value) in found.items()}

    def words(self, schema: Json) -> list[str]:
        """Return the `error` values that an error response's schema allows."""
        schema = self.resolved(schema)
        error: Json = schema.get("properties", {}).get("error", {})
        return error.get("enum") or ([error["const"]] if "const" in error else [])

    def example(self, schema: Json) -> str | None:
        """Return an example of a schema as indented JSON, or None if there is no example."""
        found = self.resolved(schema).get("examples")
        for each in () if found else (*schema.get("anyOf", ()), *schema.get("allOf", ())):
            if example := self.example(each):
                return example
        return json.dumps(found[0], ensure_ascii=False, indent=2) if found else None

    def _faces(self) -> Iterator[tuple[Json, list[Json]]]:
        """Yield each tag with its operations, grouped by path."""
        for tag in self._document["tags"]:
            made: list[Json] = []
            for path, item in self._document["paths"].items():
                for method in METHODS:
                    operation = item.get(method)
                    if operation and operation["tags"][0] == tag["name"]:
                        shared = [*item.get("parameters", ()), *operation.get("parameters", ())]
                        made.append(
                            {
                                **operation,
                                "method": method.upper(),
                                "path": path,
                                "also_at": item.get("x-also-at", []),
                                "parameters": [self.resolved(each) for each in shared],
                            }
                        )
            yield tag, made


def text(markdown: str) -> Markup:
    """Return a description as HTML. The Markdown is our own text."""
    return Markup(_MARKDOWN.render(markdown))  # noqa: S704


def line(markdown: str) -> Markup:
    """Return a description of one line as HTML without a paragraph."""
    return Markup(_MARKDOWN.renderInline(markdown))  # noqa: S704


def tokens(security: list[dict[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Return the schemes of a request with their scopes. Other ways to send a token are described once, elsewhere."""
    ways = {"oauthHeader", "oauthToken", "accessToken", "st"}
    return [(name, scopes) for each in security for name, scopes in each.items() if name not in ways]


def _bounds(schema: Json) -> Iterator[str]:
    for least, most, unit in _BOUNDS:
        low, high = schema.get(least), schema.get(most)
        if low is None and high is None:
            continue
        figures = f"{low:,} or more" if high is None else f"up to {high:,}" if low is None else f"{low:,} to {high:,}"
        yield f"{figures} {unit}".strip()


def _code(value: object, *, raw: bool = False) -> Markup:
    return Markup("<code>{}</code>").format(value if raw else json.dumps(value, ensure_ascii=False).strip('"') or '""')


def main() -> None:
    """Write the files."""
    for name, content in files().items():
        (STATIC / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
