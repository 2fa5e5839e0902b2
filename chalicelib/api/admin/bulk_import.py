"""The operator's API for bulk import: `POST /admin/import`."""

from collections import Counter

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.api.admin.routes import logged, operator_route
from chalicelib.api.log_of_actions import PLATFORM
from chalicelib.core.actions import ActionKind
from chalicelib.core.bulk_import import RecordResult, is_dry_run, read_records
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
    if is_dry_run(body):
        outcomes = here.import_check.run(records)
    else:
        with logged(here, request, access, ActionKind.RECORDS_IMPORTED, PLATFORM) as entry:
            outcomes = here.bulk_import.run(records)
            results = [each for found in outcomes.values() for each in found]
            counts = Counter(f"{kind} {each.status}" for kind, found in outcomes.items() for each in found)
            entry.after = dict(counts)
            is_new = any(each.status == "created" for each in results)
            # A record that met an error may have been stored.
            entry.failed = not is_new and any(map(_met_an_error, results))
            entry.changed = is_new or entry.failed
        observed.worked("import", len(results), sum(each.refusal is not None for each in results))
    return json_answer({kind: [each.told() for each in found] for kind, found in outcomes.items()})


def _met_an_error(result: RecordResult) -> bool:
    return result.refusal is not None and result.refusal.status >= 500
