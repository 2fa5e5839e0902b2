"""What this server speaks, as a page and for programs: `/docs` and `/openapi.json`.

Both are files made of openapi.yaml (infra/reference.py), and read with the first request for them. In openapi.json
`servers` names this deployment, since generated clients take their base URL from it.
"""

import json
from collections.abc import Callable
from functools import cache

from chalice.app import Request, Response

from chalicelib.bootstrap import Platform
from chalicelib.web import html
from chalicelib.web.face import Face, Token
from chalicelib.web.files import File, file, file_answer, read_static

_KEPT = {"Cache-Control": "public, max-age=300"}


def reference(platform: Callable[[], Platform]) -> Face:
    """The face over a platform, of which it needs nothing but its base URL."""
    face = Face(__name__, lambda: platform().tokens)

    @face.route("/docs", methods=["GET"], token=Token.NONE, scope=None, instead="public")
    def page(request: Request) -> Response:
        """Every request that this server takes, with its answers: one page without scripts."""
        return file_answer(request, _page(), {**_KEPT, **html.GUARDS, "Content-Security-Policy": _policy()})

    @face.route("/openapi.json", methods=["GET"], token=Token.NONE, scope=None, instead="public")
    def contract(request: Request) -> Response:
        """The same as OpenAPI 3.1, for programs and for pages of any origin."""
        return file_answer(
            request, _contract(platform().settings.issuer), {**_KEPT, "Access-Control-Allow-Origin": "*"}
        )

    return face


@cache
def _page() -> File:
    return file(read_static("reference.html"), html.MEDIA_TYPE)


@cache
def _policy() -> str:
    """Lets the page have its own style, and nothing else."""
    _, _, after = _page().text.partition("<style>")
    return html.policy(after.partition("</style>")[0], "'none'")


@cache
def _contract(base_url: str) -> File:
    """The contract with the base URL of this deployment, which openapi.yaml has as "/"."""
    before, relative, after = read_static("openapi.json").partition('"servers":[{"url":"/"')
    named = relative and f'"servers":[{{"url":{json.dumps(base_url)}'
    return file(before + named + after, "application/json; charset=utf-8")
