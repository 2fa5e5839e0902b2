"""Information Sharing in pages: `/js/opensocial.js`, the same as a module, and its types, for pages of any origin."""

from collections.abc import Callable

from chalice.app import Request, Response

from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.scripts import script
from chalicelib.web.static_files import file_answer

_SECONDS = 3600
"""How long a browser may use a script without asking whether it still holds."""


def scripts(platform: Callable[[], Platform]) -> Face:
    """The face over a platform, of which it needs nothing but its name."""
    face = Face(__name__, lambda: platform().tokens)

    @face.route("/js/opensocial.js", methods=["GET"], token=Token.NONE, scope=None, instead="public")
    def classic(request: Request) -> Response:
        """The library for a script tag: it makes `opensocial`, `osapi` and `gadgets` global."""
        return _answer(request, "opensocial.js")

    @face.route("/js/opensocial.mjs", methods=["GET"], token=Token.NONE, scope=None, instead="public")
    def module(request: Request) -> Response:
        """The library as a module, which exports them."""
        return _answer(request, "opensocial.mjs")

    @face.route("/js/opensocial.d.ts", methods=["GET"], token=Token.NONE, scope=None, instead="public")
    def types(request: Request) -> Response:
        """The library's types for TypeScript."""
        return _answer(request, "opensocial.d.ts")

    return face


def _answer(request: Request, name: str) -> Response:
    """A script, for pages of any origin."""
    headers = {
        "Cache-Control": f"public, max-age={_SECONDS}",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    return file_answer(request, script(name), headers)
