"""Whether the function answers: `/health`, for load balancers and monitors.

It reads no table, so it says nothing about AWS behind the function; and it needs no token, so it tells no more than the
version, which `/openapi.json` tells as well.
"""

from collections.abc import Callable

from chalice.app import Request, Response

from chalicelib import VERSION
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import json_answer


def health(platform: Callable[[], Platform]) -> Face:
    """The face over a platform, of which it needs nothing."""
    face = Face(__name__, lambda: platform().tokens)

    @face.route("/health", methods=["GET"], token=Token.NONE, scope=None, instead="public")
    def show(request: Request) -> Response:
        """`{"status": "ok", "version": …}`, from any function that runs."""
        return json_answer({"status": "ok", "version": VERSION})

    return face
