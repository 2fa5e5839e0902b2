"""The health check `/health`, for load balancers and monitors.

It reads no table, so it says nothing about the AWS services behind the function. It needs no token, so it returns only
the version, which `/openapi.json` returns too, and the commit, which an operator compares with the deployed one.
"""

from chalice.app import Request, Response

from chalicelib import VERSION
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.json_answers import json_answer

face = Face()


@face.route("/health", methods=["GET"], token=Token.NONE, instead="public")
def show(here: Platform, request: Request) -> Response:
    """Return 200 with `{"status": "ok", "version": …, "commit": …}` while the function runs."""
    return json_answer({"status": "ok", "version": VERSION, "commit": here.settings.commit})
