"""The values of requests and answers, as tables of fields in a few words.

Descriptions and kinds are Markdown, from which pages make HTML.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from infra.reference import Json, resolved

_BOUNDS = (
    ("minLength", "maxLength", "characters"),
    ("minimum", "maximum", "numbers"),
    ("minItems", "maxItems", "entries"),
    ("minProperties", "maxProperties", "pairs"),
)
_SHOWN_PATTERN = 60
_NAMED = 4
"""The fields that name a form."""
_DEEPEST = 4
"""The levels of objects inside objects that a page shows."""


@dataclass(frozen=True)
class Field:
    """A field of an object. `forms` are the fields inside it, if it is an object or a list of objects."""

    name: str
    required: bool
    kind: str
    description: str
    forms: tuple[Form, ...]


@dataclass(frozen=True)
class Form:
    """The fields of an object. A value with several forms has one of them."""

    description: str
    fields: tuple[Field, ...]
    label: str = ""
    """The difference from the other forms of the value, if there are several."""


@dataclass(frozen=True)
class Shape:
    """A value: its kind, its description, the forms that it can have, and an example as JSON."""

    kind: str
    description: str
    forms: tuple[Form, ...]
    example: str | None


class Reference:
    """The parts of the document that pages show."""

    def __init__(self, served: Json) -> None:
        self._document = served

    def resolved(self, value: Json) -> Json:
        """Return a part of the document, or the part that its `$ref` names."""
        return resolved(self._document, value)

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


class Schemas(Reference):
    """The schemas of a document in the words of a language."""

    def __init__(self, served: Json, word: Callable[[str], str]) -> None:
        super().__init__(served)
        self._word = word

    def shape(self, schema: Json) -> Shape:
        """Return what a page shows of a schema."""
        whole = self.resolved(schema)
        description = schema.get("description") or whole.get("description", "")
        return Shape(self.kind(schema), description, _labelled(self._forms(schema, ())), self.example(schema))

    def kind(self, schema: Json) -> str:
        """Return the type of a value in a few words."""
        schema = self.resolved(schema)
        if "const" in schema:
            return code(schema["const"])
        if "enum" in schema:
            return ", ".join(map(code, schema["enum"]))
        for how in ("anyOf", "oneOf"):
            if how in schema and not self.rows(schema):
                kinds = dict.fromkeys(map(self.kind, schema[how]))
                return self._word("kind_or").join(kinds)
        if len(schema.get("allOf", ())) == 1 and "properties" not in schema:
            return self.kind(schema["allOf"][0])
        return self._typed(schema)

    def _typed(self, schema: Json) -> str:
        named = schema.get("type", "object" if "properties" in schema or "allOf" in schema else "any")
        names = named if isinstance(named, list) else [named]
        words = [self._word("kind_or").join(self._word(f"kind_{each}") for each in names)]
        if schema.get("format") == "binary":
            words[0] = self._word("kind_binary")
        if "items" in schema:
            words[0] = self._word("kind_list").format(entry=self.kind(schema["items"]))
        elif isinstance(schema.get("additionalProperties"), dict):
            words[0] = self._word("kind_map").format(value=self.kind(schema["additionalProperties"]))
        words += self._bounds(schema)
        if len(pattern := schema.get("pattern", "")) in range(1, _SHOWN_PATTERN):
            words.append(code(pattern, raw=True))
        if "default" in schema:
            words.append(self._word("kind_default").format(value=code(schema["default"])))
        return self._word("kind_comma").join(words)

    def _bounds(self, schema: Json) -> Iterator[str]:
        for least, most, unit in _BOUNDS:
            low, high = schema.get(least), schema.get(most)
            if low is None and high is None:
                continue
            form = "kind_or_more" if high is None else "kind_up_to" if low is None else "kind_exactly"
            form = "kind_between" if form == "kind_exactly" and low != high else form
            figures = {"low": f"{low or 0:,}", "high": f"{high or 0:,}"}
            yield self._word(form).format(**figures, unit=self._word(f"kind_{unit}")).strip()

    def _forms(self, schema: Json, above: tuple[str, ...]) -> tuple[Form, ...]:
        """Return the forms of a value, unless it is inside a value of the same schema (`above`)."""
        name = schema.get("$ref", "")
        if name in above or len(above) > _DEEPEST:
            return ()
        below = (*above, name) if name else above
        whole = self.resolved(schema)
        if rows := self.rows(schema):
            shared = [self._field(*row, below) for row in rows.items()]
            variants = [each for each in whole.get("oneOf", ()) if self.rows(each)]
            if not variants:
                return (Form("", tuple(shared)),)
            made = []
            for each in variants:
                fields = {field.name: field for field in [*shared, *self._form(each, below).fields]}
                made.append(Form(each.get("description", ""), tuple(fields.values())))
            return tuple(made)
        for how in ("oneOf", "anyOf", "allOf"):
            if how in whole:
                found = [form for each in whole[how] for form in self._described(each, below)]
                # A value may be one thing or a list of the same.
                return tuple(dict.fromkeys(found))
        for inside in ("items", "additionalProperties"):
            if isinstance(whole.get(inside), dict):
                return self._forms(whole[inside], below)
        return ()

    def _described(self, schema: Json, above: tuple[str, ...]) -> Iterator[Form]:
        for form in self._forms(schema, above):
            yield Form(form.description or self.resolved(schema).get("description", ""), form.fields)

    def _form(self, schema: Json, above: tuple[str, ...]) -> Form:
        return Form(schema.get("description", ""), tuple(self._field(*row, above) for row in self.rows(schema).items()))

    def _field(self, name: str, row: tuple[bool, Json], above: tuple[str, ...]) -> Field:
        required, schema = row
        description = schema.get("description") or self.resolved(schema).get("description", "")
        return Field(name, required, self.kind(schema), description, _labelled(self._forms(schema, above)))


def _beginning(form: Form) -> str:
    names = [f"`{each.name}`" for each in form.fields]
    return ", ".join(names[:_NAMED] + ["…"] * (len(names) > _NAMED))


def _labelled(forms: tuple[Form, ...]) -> tuple[Form, ...]:
    """Return forms with what tells them apart: a field with fixed values, their descriptions, or their fields."""
    fixed = [{each.name: each.kind for each in form.fields if each.kind.startswith("`")} for form in forms]
    telling = next((name for name in (fixed or [{}])[0] if len({each.get(name) for each in fixed}) == len(forms)), None)
    return tuple(
        replace(
            form,
            label=f"`{telling}`: {kinds.get(telling, '')}" if telling else form.description or _beginning(form),
        )
        for form, kinds in zip(forms, fixed, strict=True)
    )


def code(value: object, *, raw: bool = False) -> str:
    """Return a value as code in Markdown."""
    text = str(value) if raw else json.dumps(value, ensure_ascii=False)
    if not raw and isinstance(value, str) and value:
        text = text[1:-1]
    # A table's cell ends at a bar, even inside code.
    return f"`` {text} ``" if "`" in text else f"`{text}`"
