"""Whether the function answers: `/health`, for load balancers and monitors.

It reads no table, so it says nothing about AWS behind the function; and it needs no token, so it tells no more than the
version, which `/openapi.json` tells as well.
"""

from chalice.app import Request, Response

from chalicelib import VERSION
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import json_answer

face = Face()


@face.route("/health", methods=["GET"], token=Token.NONE, instead="public")
def show(here: Platform, request: Request) -> Response:
    """`{"status": "ok", "version": …}`, from any function that runs."""
    return json_answer({"status": "ok", "version": VERSION})
