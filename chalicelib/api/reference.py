"""What this server speaks, as a page and for programs: `/docs` and `/openapi.json`.

Both are files made of openapi.yaml (infra/reference.py), and read with the first request for them. In openapi.json
`servers` names this deployment, since generated clients take their base URL from it.
"""

import json
from functools import cache

from chalice.app import Request, Response

from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.html import rendering
from chalicelib.web.static_files import File, file, file_answer, read_static

_KEPT = {"Cache-Control": "public, max-age=300"}


face = Face()


@face.route("/docs", methods=["GET"], token=Token.NONE, instead="public")
def page(here: Platform, request: Request) -> Response:
    """Every request that this server takes, with its answers: one page without scripts."""
    return file_answer(request, _page(), {**_KEPT, **rendering.GUARDS, "Content-Security-Policy": _policy()})


@face.route("/openapi.json", methods=["GET"], token=Token.NONE, instead="public")
def contract(here: Platform, request: Request) -> Response:
    """The same as OpenAPI 3.1, for programs and for pages of any origin."""
    return file_answer(request, _contract(here.settings.issuer), {**_KEPT, "Access-Control-Allow-Origin": "*"})


@cache
def _page() -> File:
    return file(read_static("reference.html"), rendering.MEDIA_TYPE)


@cache
def _policy() -> str:
    """Lets the page have its own style, and nothing else."""
    _, _, after = _page().text.partition("<style>")
    return rendering.policy(after.partition("</style>")[0], "'none'")


@cache
def _contract(base_url: str) -> File:
    """The contract with the base URL of this deployment, which openapi.yaml has as "/"."""
    before, relative, after = read_static("openapi.json").partition('"servers":[{"url":"/"')
    named = relative and f'"servers":[{{"url":{json.dumps(base_url)}'
    return file(before + named + after, "application/json; charset=utf-8")
