"""The operator's API for apps: `/admin/apps`. A secret is only in the response to the request that creates it.

An app that is created, or gets another name, cannot bear the platform's name or one that looks like it.
"""

from chalice.app import Request, Response

from chalicelib.api.admin.routes import (
    changed_answer,
    existing,
    found_part,
    known_id,
    list_answer,
    list_part,
    operator_route,
)
from chalicelib.api.admin.users import named_users
from chalicelib.core.codecs.directory_json import app_json, read_app, read_rotation, read_suspension
from chalicelib.core.lookalike_names import check_app_name
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
    """List apps, in order of id, or those that `find` finds, in order of name. `cursor`, `count`, `find`."""
    apps, following = found_part(request, lambda: here.search.apps, here.apps.list_part)
    return list_answer(map(app_json, apps), following)


@route(APPS, methods=["POST"])
def create_app(here: Platform, request: Request, access: Access) -> Response:
    """Create an app: `name`; optional: the other fields and `id`. 201 with the app and, only here, its `secret`."""
    given = read_app(json_body(request), new=True)
    check_app_name(given["name"], here.names)
    made = here.apps.create(App(**{"id": new_app_id(), **given}))
    return json_answer(app_json(made) | ({"secret": made.secret} if made.secret else {}), 201)


@route(APP, methods=["GET"])
def show_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Return an app, without its secret."""
    return json_answer(app_json(existing("app", app, here.apps.get(known_id("app", app)))))


@route(APP, methods=["PATCH"])
def change_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Change the fields in the body; a list is replaced as a whole. Return the changed app."""
    given = read_app(json_body(request), new=False)
    known = existing("app", app, here.apps.get(known_id("app", app))) if "name" in given else None
    if known and known.name != given["name"]:
        check_app_name(given["name"], here.names)
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
    """Give a confidential app a new secret; the old one becomes invalid, with `keepOld` only after 30 days.

    409 for a public app; with `keepOld` also if both secrets of the app may be in use.
    """
    keep_old = read_rotation(json_body(request) if request.raw_body else None)
    secret = here.app_secrets.rotate(known_id("app", app), keep_old=keep_old)
    return json_answer({"id": app, "secret": secret})


@route(APP + "/old-secret", methods=["DELETE"])
def end_old_secret(here: Platform, request: Request, access: Access, app: str) -> Response:
    """End the old secret of an app that a rotation with `keepOld` left valid. `changed`: whether it was."""
    return changed_answer(here.app_secrets.end_old(known_id("app", app)), id=app)


@route(APP + "/suspension", methods=["PUT"])
def suspend_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Suspend an app for a `reason`: no tokens, no grants, no signed requests, no starts, no events from now on.

    Access tokens live out their 15 minutes.
    """
    reason = read_suspension(json_body(request))
    return changed_answer(here.apps.suspend(known_id("app", app), reason), id=app)


@route(APP + "/suspension", methods=["DELETE"])
def restore_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """End the suspension of an app. Its grants and secrets are those from before."""
    return changed_answer(here.apps.restore(known_id("app", app)), id=app)


@route(APP + "/installs", methods=["GET"])
def list_installs(here: Platform, request: Request, access: Access, app: str) -> Response:
    """List the users who have installed an app, in order of id: `id` and `displayName`. `cursor`, `count`."""
    existing("app", app, here.apps.get(known_id("app", app)))
    ids, following = here.friends_and_installs.installed_users(app, *list_part(request))
    return list_answer(named_users(here, ids), following)
