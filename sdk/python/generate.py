"""Writes the generated modules of the Python client from openapi.yaml: `python sdk/python/generate.py`.

`types.py` has a TypedDict for each object that an app sends or receives, `errors.py` an exception for each error word,
`operations.py` the method and path of each operation. tests/unit/test_sdk_python.py checks that they are up to date.
"""

from __future__ import annotations

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(__file__).parent / "src" / "engawa_client"
MARK = '"""{}\n\nGenerated from openapi.yaml by sdk/python/generate.py: do not edit it.\n"""\n\n'
TAGS = {"Persistence", "People", "Pages", "OAuth 2", "Information Sharing", "Web pages"}
READABLE = {"application/json", "application/x-pem-file"}
"""An app calls the operations that answer one of these, or nothing. The others are pages and scripts for browsers."""
BY_ADDRESS = {"authorize"}
"""The app builds the address of this page, and a browser opens it."""
OTHER_WORDS = {"access_denied": (302,), "unsupported_response_type": (302,)}
"""The words that only a redirect to the app has (RFC 6749 §4.1.2.1)."""
PRIMITIVES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
FIELDS = ("method: str\n", "path: str\n", "keyed: bool\n")
Json = dict[str, Any]


def operations(contract: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield the method, path and description of each operation that an app may call."""
    for path, item in contract["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            declared = item.get(method)
            if declared is None or not TAGS.intersection(declared["tags"]):
                continue
            whole = declared | {"parameters": item.get("parameters", []) + declared.get("parameters", [])}
            answers = [resolved(contract, each) for code, each in declared["responses"].items() if code[0] == "2"]
            readable = any(not each.get("content") or READABLE.intersection(each["content"]) for each in answers)
            if readable or declared["operationId"] in BY_ADDRESS:
                yield method.upper(), path, whole


def resolved(contract: Json, part: Json) -> Json:
    """Return the part of the document that a reference names, or the part itself."""
    while "$ref" in part:
        section, name = part["$ref"].split("/")[-2:]
        part = contract["components"][section][name]
    return part


def error_words(contract: Json) -> dict[str, tuple[int, ...]]:
    """Return the statuses of each error word, in the order of the words."""
    found: dict[str, set[int]] = {word: set(statuses) for word, statuses in OTHER_WORDS.items()}
    all_methods = [each for item in contract["paths"].values() for each in item.values() if isinstance(each, dict)]
    answers = [pair for each in all_methods for pair in each.get("responses", {}).items()]
    # The description of all paths names these; no operation lists them.
    shared = contract["components"]["responses"]
    answers += [("405", shared["MethodNotAllowed"]), ("415", shared["UnsupportedEncoding"])]
    for code, answer in answers:
        for content in resolved(contract, answer).get("content", {}).values():
            for schema in alternatives(contract, content["schema"]):
                word = schema.get("properties", {}).get("error", {})
                for each in [*word.get("enum", ()), *([word["const"]] if "const" in word else ())]:
                    if code[0] in "45":
                        found.setdefault(each, set()).add(int(code.replace("XX", "00")))
    # 5XX stands for 500 if no other status is given.
    return {word: tuple(sorted(found[word] - {500} or {500})) for word in sorted(found)}


def alternatives(contract: Json, schema: Json) -> Iterator[Json]:
    """Yield a schema, or those of which it is one."""
    schema = resolved(contract, schema)
    for each in schema.get("anyOf") or schema.get("oneOf") or ():
        yield from alternatives(contract, each)
    yield schema


class Types:
    """The Python types of the schemas. Objects become classes, everything else is written out at its place."""

    def __init__(self, contract: Json) -> None:
        self._contract = contract
        self._written: dict[str, str] = {}

    def of(self, schema: Json, name: str) -> str:
        """Return the type of a schema; `name` is that of its class, if it needs one."""
        if "$ref" in schema:
            # The document repeats some schemas as Listed…, for another generator.
            name = schema["$ref"].rsplit("/", 1)[-1].replace("Listed", "")
            return self.of(resolved(self._contract, schema), name)
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return f"Literal[{', '.join(map(repr, values))}]"
        if choices := schema.get("anyOf", schema.get("oneOf")):
            types = [self.of(each, f"{name}{index + 1}") for index, each in enumerate(choices)]
            parts = dict.fromkeys(part for each in types for part in each.split(" | "))
            return " | ".join(sorted(parts, key="None".__eq__))
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        return " | ".join(self._of_kind(kind, schema, name) for kind in kinds) or "object"

    def _of_kind(self, kind: str, schema: Json, name: str) -> str:
        if kind == "array":
            return f"list[{self.of(schema['items'], name + 'Item')}]"
        if kind != "object":
            return PRIMITIVES[kind]
        if "properties" in schema:
            return self._class(schema, name)
        inner = schema.get("additionalProperties")
        return f"dict[str, {self.of(inner, name + 'Value') if isinstance(inner, dict) else 'object'}]"

    def _class(self, schema: Json, name: str) -> str:
        if name not in self._written:
            self._written[name] = ""
            required = schema.get("required", ())
            fields = {}
            for key, inner in schema["properties"].items():
                kind = self.of(inner, name + key[0].upper() + key[1:])
                # A field of this name hides the class in the rest of the body.
                kind = re.sub(r"\blist\[", "builtins.list[", kind) if "list" in schema["properties"] else kind
                fields[key] = kind if key in required else f"NotRequired[{kind}]"
            self._written[name] = _class_text(name, schema.get("description", ""), fields)
        return name

    def module(self) -> str:
        """Return the module with all classes that were needed, and names of unions."""
        named = {
            name: self.of({"$ref": f"#/components/schemas/{name}"}, name)
            for name in ("Call", "CallAnswer", "CallResult", "Change", "Data", "Pairs")
        }
        text = MARK.format("The objects that an app sends and receives.")
        text += "from __future__ import annotations\n\nimport builtins\n"
        text += "from typing import Literal, NotRequired, TypeAlias, TypedDict\n\n"
        text += "\n\n".join(self._written[name] for name in sorted(self._written)) + "\n\n"
        return text + "\n".join(f'{name}: TypeAlias = "{kind}"' for name, kind in named.items()) + "\n"


def _class_text(name: str, text: str, fields: dict[str, str]) -> str:
    if any(map(keyword.iskeyword, fields)):
        pairs = ", ".join(f'"{key}": "{kind}"' for key, kind in fields.items())
        return f'{name} = TypedDict("{name}", {{{pairs}}})'
    lines = [f"class {name}(TypedDict):"]
    if text:
        lines += [*textwrap.wrap(f'"""{text}"""', 115, initial_indent="    ", subsequent_indent="    "), ""]
    return "\n".join([*lines, *(f"    {key}: {kind}" for key, kind in fields.items())])


def modules() -> dict[str, str]:
    """Return the text of each generated module by its file name."""
    contract: Json = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    types = Types(contract)
    rows, called = [], []
    for method, path, declared in operations(contract):
        given = [resolved(contract, each) for each in declared["parameters"]]
        keyed = any(each["name"] == "Idempotency-Key" for each in given)
        rows.append(f'    "{declared["operationId"]}": Operation("{method}", "{path}", keyed={keyed}),')
        called += [
            declared.get("requestBody", {}),
            *(each for code, each in declared["responses"].items() if code < "3"),
        ]
    for part in called:
        for kind, content in resolved(contract, part).get("content", {}).items():
            if kind == "application/json":
                types.of(content["schema"], "Body")
    errors = "from engawa_client.base import EngawaError\n\n"
    names = []
    for word, statuses in error_words(contract).items():
        names.append("".join(each.capitalize() for each in word.split("_")))
        errors += f'class {names[-1]}(EngawaError):\n    """`{word}`, status {" or ".join(map(str, statuses))}."""\n\n'
        errors += f'    word = "{word}"\n\n\n'
    errors += "BY_WORD = {each.word: each for each in (" + ", ".join(names) + ")}\n"
    table = "from typing import NamedTuple\n\nclass Operation(NamedTuple):\n"
    table += f'    """A request. `keyed`: it takes an `Idempotency-Key`."""\n\n    {"    ".join(FIELDS)}\n'
    table += "OPERATIONS = {\n" + "\n".join(rows) + "\n}\n"
    return {
        "types.py": formatted(types.module()),
        "errors.py": formatted(MARK.format("An exception for each documented error word.") + errors),
        "operations.py": formatted(MARK.format("The operations that an app may call.") + table),
    }


def formatted(text: str) -> str:
    """Return a module in the project's style."""
    command = [sys.executable, "-m", "ruff", "format", "--config", str(ROOT / "pyproject.toml"), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    for name, text in modules().items():
        (PACKAGE / name).write_text(text, encoding="utf-8")
