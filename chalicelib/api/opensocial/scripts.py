"""The Information Sharing library for pages of any origin: `/js/opensocial.js`, its module, and its types."""

from chalice.app import Request, Response

from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.scripts import script
from chalicelib.web.static_files import file_answer

_SECONDS = 3600
"""The time for which a browser may use a script without revalidation."""


face = Face()


@face.route("/js/opensocial.js", methods=["GET"], token=Token.NONE, instead="public")
def classic(here: Platform, request: Request) -> Response:
    """Return the library for a script tag: it makes `opensocial`, `osapi`, `gadgets` and `mixi` global."""
    return _answer(request, "opensocial.js")


@face.route("/js/opensocial.mjs", methods=["GET"], token=Token.NONE, instead="public")
def module(here: Platform, request: Request) -> Response:
    """Return the library as a module, which exports them."""
    return _answer(request, "opensocial.mjs")


@face.route("/js/opensocial.d.ts", methods=["GET"], token=Token.NONE, instead="public")
def types(here: Platform, request: Request) -> Response:
    """Return the library's types for TypeScript."""
    return _answer(request, "opensocial.d.ts")


def _answer(request: Request, name: str) -> Response:
    """Return a script, for pages of any origin."""
    headers = {
        "Cache-Control": f"public, max-age={_SECONDS}",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return file_answer(request, script(name), headers)
