"""The operator's API for the action log: `GET /admin/log`."""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import list_answer, list_part, moment_in, operator_route
from chalicelib.api.log_list import FILES, file_answer, read_filter
from chalicelib.core.codecs.actions_json import action_json
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

LOG = "/admin/log"

face = Face()
route = operator_route(face)


@route(LOG, methods=["GET"])
def list_actions(here: Platform, request: Request, access: Access) -> Response:
    """List logged actions, the newest first: `actor`, `target`, `kind`, `since` and `until` (ms), `cursor`, `count`.

    With `format=csv` or `format=jsonl`, a file of at most 1,000 entries; `Link` leads to the next one.
    """
    form = last_parameter(request, "format") or "json"
    if form not in ("json", *FILES):
        raise ParameterInvalid(f"format must be one of: json, {', '.join(FILES)}")
    wanted = read_filter(request, moment_in(request, "since", 0), moment_in(request, "until", LATEST))
    cursor, count = list_part(request)
    if form != "json":
        return file_answer(here, LOG, wanted, form, cursor)
    found, following = here.action_log.part(wanted, cursor, count)
    return list_answer(map(action_json, found), following)
