"""The operator's API for the overview and for refused or failed requests: `/admin/overview`, `/admin/requests`."""

from chalice.app import Request, Response

from chalicelib import VERSION
from chalicelib.api.admin.routes import list_answer, list_part, operator_route
from chalicelib.core.codecs.overview_json import overview_json, request_json
from chalicelib.core.errors import NotFound, ParameterInvalid
from chalicelib.core.model.access import Access
from chalicelib.core.request_records import is_kind, is_request_id
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import last_parameter

NO_RECORD = "There is no record of this request"

face = Face()
route = operator_route(face)


@route("/admin/overview", methods=["GET"])
def show_overview(here: Platform, request: Request, access: Access) -> Response:
    """Return version, health, counts, the last runs of the functions, waiting work, and refusals of the last days."""
    return json_answer(overview_json(here.overview.read(), VERSION, here.settings.commit))


@route("/admin/requests", methods=["GET"])
def list_requests(here: Platform, request: Request, access: Access) -> Response:
    """List the recorded requests of a `kind`, the latest first."""
    kind = last_parameter(request, "kind") or ""
    if not is_kind(kind):
        raise ParameterInvalid("kind must be a kind of refusals, as in /admin/overview")
    cursor, count = list_part(request)
    found, following = here.request_log.of_kind(kind, cursor, count)
    return list_answer(map(request_json, found), following)


@route("/admin/requests/{id}", methods=["GET"])
def show_request(here: Platform, request: Request, access: Access, id: str) -> Response:
    """Return what became of a refused or failed request, by its `X-Request-Id`.

    404 if it succeeded, is older than 14 days, or is not among those that were kept.
    """
    found = here.request_log.get(id) if is_request_id(id) else None
    if found is None:
        raise NotFound(NO_RECORD)
    return json_answer(request_json(found))
