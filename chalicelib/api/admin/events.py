"""The operator's API for events to apps: `/admin/apps/{app}/endpoints` and `/admin/apps/{app}/events`.

A signing secret is only in the response to the request that creates it.
"""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import changed_answer, existing, known_id, list_answer, list_part, operator_route
from chalicelib.core.codecs.events_json import endpoint_json, event_json, moment, read_endpoint, read_resending
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.events import Endpoint, LoggedEvent, is_endpoint_id
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.fetch.post_event import endpoint_target
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body, last_parameter

ENDPOINTS = "/admin/apps/{app}/endpoints"
ENDPOINT = ENDPOINTS + "/{endpoint}"
EVENTS = "/admin/apps/{app}/events"
MOST_RESENT = 100


face = Face()
route = operator_route(face)


@route(ENDPOINTS, methods=["GET"])
def list_endpoints(here: Platform, request: Request, access: Access, app: str) -> Response:
    """List the endpoints of an app, in order of id, without secrets. An app has at most 5."""
    _need(here, app)
    return list_answer(map(endpoint_json, here.endpoints.of_app(app)), None)


@route(ENDPOINTS, methods=["POST"])
def create_endpoint(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Register a URL for events: `url` (https), `kinds`; optional: `id`. 201 with it and, only here, its `secret`."""
    given = read_endpoint(json_body(request), new=True)
    endpoint_target(given["url"], loopback=here.settings.fetch_loopback)
    made = here.endpoints.create(known_id("app", app), **given)
    return json_answer(endpoint_json(made) | {"secret": made.secrets[0]}, 201)


@route(ENDPOINT, methods=["PATCH"])
def change_endpoint(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """Change `url`, `kinds` or `active`. An endpoint that is switched on again misses what happened meanwhile."""
    given = read_endpoint(json_body(request), new=False)
    if "url" in given:
        endpoint_target(given["url"], loopback=here.settings.fetch_loopback)
    return json_answer(endpoint_json(here.endpoints.change(known_id("app", app), _known(endpoint), **given)))


@route(ENDPOINT, methods=["DELETE"])
def delete_endpoint(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """Delete an endpoint. Events that were not delivered to it yet are not sent."""
    changed = here.endpoints.delete(known_id("app", app), _known(endpoint))
    return changed_answer(changed, id=endpoint, app=app)


@route(ENDPOINT + "/secret", methods=["POST"])
def new_endpoint_secret(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """Give an endpoint a new signing secret. Until the old one is ended, messages are signed with both."""
    secret = here.endpoints.new_secret(known_id("app", app), _known(endpoint))
    return json_answer({"id": endpoint, "secret": secret})


@route(ENDPOINT + "/secret", methods=["DELETE"])
def end_old_endpoint_secret(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """End the old signing secret: from now on, messages are signed only with the newest one."""
    here.endpoints.end_old_secret(known_id("app", app), _known(endpoint))
    return changed_answer(True, id=endpoint, app=app)


@route(EVENTS, methods=["GET"])
def list_events(here: Platform, request: Request, access: Access, app: str) -> Response:
    """List the events of an app of the last 30 days with their deliveries, oldest first.

    `since` and `until` (ms), `cursor`, `count`.
    """
    _need(here, app)
    since, until = _moment(request, "since", 0), _moment(request, "until", LATEST)
    found, following = here.event_log.part(app, since, until, *list_part(request))
    return list_answer(map(event_json, found), following)


@route(EVENTS + "/resend", methods=["POST"])
def resend_events(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Send events again: `event`, or all from `since` on and before `until` (ms); `endpoint` limits it to one endpoint.

    At most 100 events; `nextCursor` says that there are more: send the request again with it as `cursor`. `events` is
    the number of events, `deliveries` that of their deliveries. The messages have the same ids as before.
    """
    wanted = read_resending(json_body(request))
    _need(here, app)
    on = [each for each in here.endpoints.of_app(app) if not each.off and wanted.endpoint in (None, each.id)]
    if not on:
        raise Conflict("The app has no such endpoint that is on")
    following = None
    if wanted.event is not None:
        found = [existing("event", wanted.event, here.event_log.get(app, wanted.event))]
    else:
        found, following = here.event_log.part(app, wanted.since, wanted.until, wanted.cursor, MOST_RESENT)
    deliveries = sum(_resend(here, app, logged, on) for logged in found)
    rest = {"nextCursor": following} if following else {}
    return json_answer({"app": app, "events": len(found), "deliveries": deliveries, **rest})


def _resend(here: Platform, app: str, logged: LoggedEvent, endpoints: list[Endpoint]) -> int:
    wanted = [each for each in endpoints if logged.event.kind in each.kinds]
    for each in wanted:
        here.event_log.send_again(app, logged.event.id, each.id)
    return len(wanted)


def _need(here: Platform, app: str) -> None:
    """Raise NotFound if there is no such app."""
    existing("app", app, here.apps.get(known_id("app", app)))


def _known(endpoint: str) -> str:
    if not is_endpoint_id(endpoint):
        raise NotFound("There is no such endpoint")
    return endpoint


def _moment(request: Request, name: str, default: int) -> int:
    text = last_parameter(request, name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LATEST))):
        raise ParameterInvalid(f"{name} must be a time in milliseconds")
    return moment(name, int(text))
