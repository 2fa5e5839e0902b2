"""The operator's API for apps: `/admin/apps`. A secret is only in the response to the request that creates it."""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import existing, known_id, list_answer, list_part, operator_route
from chalicelib.api.admin.users import named_users
from chalicelib.core.codecs.directory_json import app_json, read_app
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import App, new_app_id
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.json_answers import json_answer
from chalicelib.web.requests import json_body

APPS = "/admin/apps"
APP = "/admin/apps/{app}"


face = Face()
route = operator_route(face)


@route(APPS, methods=["GET"])
def list_apps(here: Platform, request: Request, access: Access) -> Response:
    """List apps, in order of id. `cursor`, `count`."""
    apps, following = here.apps.list_part(*list_part(request))
    return list_answer(map(app_json, apps), following)


@route(APPS, methods=["POST"])
def create_app(here: Platform, request: Request, access: Access) -> Response:
    """Create an app: `name`; optional: the other fields and `id`. 201 with the app and, only here, its `secret`."""
    made = here.apps.create(App(**{"id": new_app_id(), **read_app(json_body(request), new=True)}))
    return json_answer(app_json(made) | ({"secret": made.secret} if made.secret else {}), 201)


@route(APP, methods=["GET"])
def show_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Return an app, without its secret."""
    return json_answer(app_json(existing("app", app, here.apps.get(known_id("app", app)))))


@route(APP, methods=["PATCH"])
def change_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Change the fields in the body; a list is replaced as a whole. Return the changed app."""
    given = read_app(json_body(request), new=False)
    return json_answer(app_json(here.apps.change(known_id("app", app), **given)))


@route(APP, methods=["DELETE"])
def delete_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Delete an app with its installs and their data.

    `installs` is the number of deleted installs. While `done` is false, some are left: send the request again.
    """
    installs, done = here.user_data.erase_app(known_id("app", app))
    return json_answer({"id": app, "installs": installs, "done": done})


@route(APP + "/secret", methods=["POST"])
def new_secret(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Give a confidential app a new secret; the old one becomes invalid. 409 for a public app."""
    return json_answer({"id": app, "secret": here.apps.new_secret(known_id("app", app))})


@route(APP + "/installs", methods=["GET"])
def list_installs(here: Platform, request: Request, access: Access, app: str) -> Response:
    """List the users who have installed an app, in order of id: `id` and `displayName`. `cursor`, `count`."""
    existing("app", app, here.apps.get(known_id("app", app)))
    ids, following = here.friends_and_installs.installed_users(app, *list_part(request))
    return list_answer(named_users(here, ids), following)
