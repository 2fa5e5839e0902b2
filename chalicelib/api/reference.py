"""The reference of this server's API: `/docs` for people and `/openapi.json` for programs.

Both files are generated from openapi.yaml (infra/reference.py) and read at the first request for them. In openapi.json,
`servers` names this deployment, because generated clients take their base URL from it.
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
    """Return a page, without scripts, of every request that this server accepts and its answers."""
    return file_answer(request, _page(), {**_KEPT, **rendering.GUARDS, "Content-Security-Policy": _policy()})


@face.route("/openapi.json", methods=["GET"], token=Token.NONE, instead="public")
def contract(here: Platform, request: Request) -> Response:
    """Return the same as OpenAPI 3.1, for programs and for pages of any origin."""
    return file_answer(request, _contract(here.settings.issuer), {**_KEPT, "Access-Control-Allow-Origin": "*"})


@cache
def _page() -> File:
    return file(read_static("reference.html"), rendering.MEDIA_TYPE)


@cache
def _policy() -> str:
    """Return a content security policy that allows only the page's own style."""
    _, _, after = _page().text.partition("<style>")
    return rendering.policy(after.partition("</style>")[0], "'none'")


@cache
def _contract(base_url: str) -> File:
    """Return the contract with the base URL of this deployment in place of the "/" of openapi.yaml."""
    before, relative, after = read_static("openapi.json").partition('"servers":[{"url":"/"')
    named = relative and f'"servers":[{{"url":{json.dumps(base_url)}'
    return file(before + named + after, "application/json; charset=utf-8")
