"""The operator's API for the format of stored items: `/admin/migrations`."""

from chalice.app import Request, Response

from chalicelib import observed
from chalicelib.api.admin.routes import logged, operator_route
from chalicelib.api.log_of_actions import PLATFORM
from chalicelib.core.actions import ActionKind
from chalicelib.core.migration import SEGMENTS, TABLES, read_part, to_cursor
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.store.aws.formats import NEWEST, READABLE
from chalicelib.store.migration import ROLLBACK
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body

face = Face()
route = operator_route(face)


@route("/admin/migrations", methods=["GET"])
def show(here: Platform, request: Request, access: Access) -> Response:
    """Return the newest format, the formats that this version reads, and the parts of a migration."""
    formats = {"format": NEWEST, "reads": sorted(READABLE), "rollback": ROLLBACK}
    return json_answer(formats | {"tables": list(TABLES), "segments": SEGMENTS})


@route("/admin/migrations", methods=["POST"])
def migrate(here: Platform, request: Request, access: Access) -> Response:
    """Rewrite at most 500 items of a table's segment to the newest format; with `check`, only count them.

    The body is `{"table", "segment", "cursor", "check"}`. Without `nextCursor` in the answer, the segment ends here.
    """
    part = read_part(json_body(request))
    if part.check:
        result = here.migration.run(part)
    else:
        with logged(here, request, access, ActionKind.ITEMS_MIGRATED, f"{PLATFORM}/table:{part.table}") as entry:
            result = here.migration.run(part)
            entry.after = {"items": result.items, "rewritten": result.rewritten}
            entry.changed = result.rewritten > 0
        observed.worked("migration", result.items)
    told = {"items": result.items, "old": result.old, "newer": result.newer, "rewritten": result.rewritten}
    rest = {"nextCursor": to_cursor(part, result.after)} if result.after else {}
    return json_answer({**told, "writeUnits": result.write_units, **rest})
