"""The operator's API for bulk import: `POST /admin/import`."""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import operator_route
from chalicelib.core.bulk_import import is_dry_run, read_records
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body

face = Face()
route = operator_route(face)


@route("/admin/import", methods=["POST"])
def import_records(here: Platform, request: Request, access: Access) -> Response:
    """Import at most 100 records: `{"users": […], "friendships": […], …}`, in the order of KINDS.

    A user, an app or a page is as for its `POST`, with an `id` and perhaps `created` (at most 20 users with a
    `password`). Each record is imported independently, and a record that was imported before is not changed. The
    response has, for each record and in the same order, `{"status"}`: `created`, `unchanged`, or `refused` with `error`
    and `error_description`. A record refused with `service_unavailable` may be sent again. With `"dryRun": true`,
    nothing is stored, and `needs` lists what a record needs that is not stored.
    """
    body = json_body(request)
    records = read_records(body)
    outcomes = (here.import_check if is_dry_run(body) else here.bulk_import).run(records)
    return json_answer({kind: [each.told() for each in found] for kind, found in outcomes.items()})
