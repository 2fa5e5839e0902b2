"""The operator's API for events to apps: `/admin/apps/{app}/endpoints` and `/admin/apps/{app}/events`.

A signing secret is only in the response to the request that creates it.
"""

from typing import Any
from urllib.parse import urlsplit

from chalice.app import Request, Response

from chalicelib.api.admin.routes import (
    changed_answer,
    existing,
    known_id,
    list_answer,
    list_part,
    logged,
    moment_in,
    note_changes,
    operator_route,
)
from chalicelib.api.log_of_actions import app_target
from chalicelib.api.resending import send_again
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.events_json import endpoint_json, event_json, read_endpoint, read_resending
from chalicelib.core.dates import LATEST
from chalicelib.core.errors import NotFound
from chalicelib.core.events import Endpoint, is_endpoint_id, new_endpoint_id
from chalicelib.core.model.access import Access
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.fetch.post_event import endpoint_target
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body

ENDPOINTS = "/admin/apps/{app}/endpoints"
ENDPOINT = ENDPOINTS + "/{endpoint}"
EVENTS = "/admin/apps/{app}/events"


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
    given.setdefault("id", new_endpoint_id())
    with logged(here, request, access, ActionKind.ENDPOINT_CREATED, _target(app, given["id"])) as entry:
        made = here.endpoints.create(app, **given)
        entry.after = noted_endpoint(made)
    return json_answer(endpoint_json(made) | {"secret": made.secrets[0]}, 201)


@route(ENDPOINT, methods=["PATCH"])
def change_endpoint(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """Change `url`, `kinds` or `active`. An endpoint that is switched on again misses what happened meanwhile."""
    given = read_endpoint(json_body(request), new=False)
    if "url" in given:
        endpoint_target(given["url"], loopback=here.settings.fetch_loopback)
    target = _target(app, _known(endpoint))
    before = next((each for each in here.endpoints.of_app(app) if each.id == endpoint), None)
    with logged(here, request, access, ActionKind.ENDPOINT_CHANGED, target) as entry:
        changed = here.endpoints.change(app, endpoint, **given)
        note_changes(entry, noted_endpoint(before) if before else {}, noted_endpoint(changed))
        entry.changed = before != changed
    return json_answer(endpoint_json(changed))


@route(ENDPOINT, methods=["DELETE"])
def delete_endpoint(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """Delete an endpoint. Events that were not delivered to it yet are not sent."""
    with logged(here, request, access, ActionKind.ENDPOINT_DELETED, _target(app, _known(endpoint))) as entry:
        changed = entry.changed = here.endpoints.delete(app, endpoint)
    return changed_answer(changed, id=endpoint, app=app)


@route(ENDPOINT + "/secret", methods=["POST"])
def new_endpoint_secret(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """Give an endpoint a new signing secret. Until the old one is ended, messages are signed with both."""
    with logged(here, request, access, ActionKind.SECRET_ROTATED, _target(app, _known(endpoint))):
        secret = here.endpoints.new_secret(app, endpoint)
    return json_answer({"id": endpoint, "secret": secret})


@route(ENDPOINT + "/secret", methods=["DELETE"])
def end_old_endpoint_secret(here: Platform, request: Request, access: Access, app: str, endpoint: str) -> Response:
    """End the old signing secret: from now on, messages are signed only with the newest one."""
    with logged(here, request, access, ActionKind.OLD_SECRET_ENDED, _target(app, _known(endpoint))):
        here.endpoints.end_old_secret(app, endpoint)
    return changed_answer(True, id=endpoint, app=app)


@route(EVENTS, methods=["GET"])
def list_events(here: Platform, request: Request, access: Access, app: str) -> Response:
    """List the events of an app of the last 30 days with their deliveries, oldest first.

    `since` and `until` (ms), `cursor`, `count`.
    """
    _need(here, app)
    since, until = moment_in(request, "since", 0), moment_in(request, "until", LATEST)
    found, following = here.event_log.part(app, since, until, *list_part(request))
    return list_answer(map(event_json, found), following)


@route(EVENTS + "/resend", methods=["POST"])
def resend_events(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Send events again: `event`, or all from `since` on and before `until` (ms); `endpoint` limits it to one endpoint.

    At most 100 events; `nextCursor` says that there are more: send the request again with it as `cursor`. `events` is
    the number of events, `deliveries` that of their deliveries. The messages have the same ids as before.
    """
    wanted = read_resending(json_body(request))
    with logged(here, request, access, ActionKind.EVENTS_RESENT, app_target(known_id("app", app))) as entry:
        sent = send_again(here, app, wanted)
        entry.after = {"events": sent.events, "deliveries": sent.deliveries}
        entry.changed = sent.deliveries > 0
    rest = {"nextCursor": sent.following} if sent.following else {}
    return json_answer({"app": app, "events": sent.events, "deliveries": sent.deliveries, **rest})


def _need(here: Platform, app: str) -> None:
    """Raise NotFound if there is no such app."""
    existing("app", app, here.apps.get(known_id("app", app)))


def _target(app: str, endpoint: str) -> str:
    return app_target(known_id("app", app), f"endpoint:{endpoint}")


def noted_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """Return what the log has of an endpoint: of its URL only the host, since the rest may have a secret."""
    shown = endpoint_json(endpoint)
    return {"host": urlsplit(endpoint.url).netloc, "kinds": shown["kinds"], "active": shown["active"]}


def _known(endpoint: str) -> str:
    if not is_endpoint_id(endpoint):
        raise NotFound("There is no such endpoint")
    return endpoint
