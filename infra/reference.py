"""The contract that `/openapi.json` serves, made from openapi.yaml: `python -m infra.reference` writes it.

It is a file of the app (chalicelib/web/static), so that Lambda only reads it. The pages of `/docs` are made from the
same document (infra/site). docs/reference/roles.md is made from chalicelib/core/roles.py, and
docs/reference/web-pages.md from the routes of pages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from chalicelib.api.route_table import ROUTES
from chalicelib.core.roles import ACTIONS, roles_page
from chalicelib.web.face import Route

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "openapi.yaml"
STATIC = ROOT / "chalicelib" / "web" / "static"
ROLES = ROOT / "docs" / "reference" / "roles.md"
PAGES = ROOT / "docs" / "reference" / "web-pages.md"
METHODS = ("get", "post", "put", "patch", "delete")
"""The methods in the order in which a path shows them. The description explains preflights (OPTIONS)."""

Json = Mapping[str, Any]


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


def operations(whole: Json) -> dict[str, tuple[str, str, Json]]:
    """Return the method, the path, and the description with all its parameters, of each operation by its id."""
    return {
        operation["operationId"]: (
            method.upper(),
            path,
            {**operation, "parameters": parameters(whole, item, operation)},
        )
        for path, item in whole["paths"].items()
        for method in (*METHODS, "head", "options")
        if (operation := item.get(method))
    }


def parameters(whole: Json, item: Json, operation: Json) -> list[Json]:
    """Return the parameters of an operation: its own, and those of its path that it does not replace."""
    given = [resolved(whole, each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    return [*{(each["in"], each["name"]): each for each in given}.values()]


def files() -> dict[str, str]:
    """Return the served texts by the names of their files in `static`."""
    return {"openapi.json": json.dumps(document(), ensure_ascii=False, separators=(",", ":"))}


def pages_page() -> str:
    """Return the text of docs/reference/web-pages.md: each route of a page that openapi.yaml does not describe."""
    routes = {
        (route.path, *route.methods): route
        for load in dict.fromkeys(ROUTES.values())
        for face in load()
        for route in face.routes
        if route.declaration.page
    }
    rows = [
        f"| `{', '.join(route.methods)} {route.path}` | {_first_line(route)} | {_who(route)} |"
        for _, route in sorted(routes.items())
    ]
    return "\n".join([*_PAGES_HEAD, *rows, ""])


def _first_line(route: Route) -> str:
    return " ".join((route.view.__doc__ or "").strip().partition("\n\n")[0].split())


def _who(route: Route) -> str:
    action = route.declaration.action
    if action is None:
        return route.declaration.instead or ""
    roles = ", ".join(sorted(role.value for role in ACTIONS[action].roles))
    return f"{roles} (`{action.value}`)"


_PAGES_HEAD = (
    "# Web pages",
    "",
    "The pages for people: members, page administrators, operators and moderators. They are HTML, in Japanese and",
    "English, and work without JavaScript; their addresses may change with a version. Programs use the APIs of",
    "[protocol.md](protocol.md). Each GET also answers HEAD. A form has the value `csrf` of its session; after a",
    "change, the answer is 303 to the page that shows it. `python -m infra.reference` makes this page from the routes.",
    "",
    "| route | what it does | for whom, or what protects it |",
    "|---|---|---|",
)


def main() -> None:
    """Write the files."""
    for name, content in files().items():
        (STATIC / name).write_text(content, encoding="utf-8")
    ROLES.write_text(roles_page(), encoding="utf-8")
    PAGES.write_text(pages_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
