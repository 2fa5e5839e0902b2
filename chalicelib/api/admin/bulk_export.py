"""The operator's API for bulk export: `GET /admin/export/{kind}`."""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import list_part, operator_route
from chalicelib.core.bulk_export import read_selection
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import data_answer
from chalicelib.web.requests import last_parameter

face = Face()
route = operator_route(face)

_NAMES = ("app", "user", "page", "secrets")


@route("/admin/export/{kind}", methods=["GET"])
def export_records(here: Platform, request: Request, access: Access, kind: str) -> Response:
    """Export part of the records of a kind, in the form that `POST /admin/import` takes. `cursor`, `count`.

    `app`, `user` or `page` narrows them; data need `app`. With `secrets=true`, users have their `passwordHash`, and
    confidential apps their `secret`.
    """
    given = {name: last_parameter(request, name) for name in _NAMES}
    selection = read_selection(kind, {name: text for name, text in given.items() if text is not None})
    part = here.bulk_export.part(selection, *list_part(request))
    rest = {"nextCursor": part.following} if part.following else {}
    body = {"entry": part.records, "itemsPerPage": len(part.records), **rest}
    return data_answer(body, {}, here.oversized_answers.keeper(part.user))
