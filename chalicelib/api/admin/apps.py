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
    logged,
    note_changes,
    operator_route,
)
from chalicelib.api.admin.users import named_users
from chalicelib.api.log_of_actions import app_target
from chalicelib.core.actions import ActionKind
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
    app = App(**{"id": new_app_id(), **given})
    with logged(here, request, access, ActionKind.APP_CREATED, app_target(app.id)) as entry:
        made = here.apps.create(app)
        entry.note_new(app_json(made))
    return json_answer(app_json(made) | ({"secret": made.secret} if made.secret else {}), 201)


@route(APP, methods=["GET"])
def show_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Return an app, without its secret."""
    return json_answer(app_json(existing("app", app, here.apps.get(known_id("app", app)))))


@route(APP, methods=["PATCH"])
def change_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Change the fields in the body; a list is replaced as a whole. Return the changed app."""
    given = read_app(json_body(request), new=False)
    before = existing("app", app, here.apps.get(known_id("app", app)))
    if given.get("name", before.name) != before.name:
        check_app_name(given["name"], here.names)
    with logged(here, request, access, ActionKind.APP_CHANGED, app_target(app)) as entry:
        changed = here.apps.change(app, **given)
        note_changes(entry, app_json(before), app_json(changed))
    return json_answer(app_json(changed))


@route(APP, methods=["DELETE"])
def delete_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Delete an app with its installs and their data.

    `installs` is the number of deleted installs. While `done` is false, some are left: send the request again.
    """
    known = here.apps.get(known_id("app", app))
    with logged(here, request, access, ActionKind.APP_DELETED, app_target(app)) as entry:
        installs, done = here.user_data.erase_app(app)
        entry.before = {"name": known.name} if known else {}
        entry.after = {"installs": installs, "done": done}
        entry.changed = bool(known or installs)
    return json_answer({"id": app, "installs": installs, "done": done})


@route(APP + "/secret", methods=["POST"])
def new_secret(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Give a confidential app a new secret; the old one becomes invalid, with `keepOld` only after 30 days.

    409 for a public app; with `keepOld` also if both secrets of the app may be in use.
    """
    keep_old = read_rotation(json_body(request) if request.raw_body else None)
    with logged(here, request, access, ActionKind.SECRET_ROTATED, app_target(known_id("app", app))) as entry:
        secret = here.app_secrets.rotate(app, keep_old=keep_old)
        entry.after = {"keepOld": keep_old}
    return json_answer({"id": app, "secret": secret})


@route(APP + "/old-secret", methods=["DELETE"])
def end_old_secret(here: Platform, request: Request, access: Access, app: str) -> Response:
    """End the old secret of an app that a rotation with `keepOld` left valid. `changed`: whether it was."""
    with logged(here, request, access, ActionKind.OLD_SECRET_ENDED, app_target(known_id("app", app))) as entry:
        changed = entry.changed = here.app_secrets.end_old(app)
    return changed_answer(changed, id=app)


@route(APP + "/suspension", methods=["PUT"])
def suspend_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """Suspend an app for a `reason`: no tokens, no grants, no signed requests, no starts, no events from now on.

    Access tokens live out their 15 minutes.
    """
    reason = read_suspension(json_body(request))
    with logged(here, request, access, ActionKind.APP_SUSPENDED, app_target(known_id("app", app)), reason) as entry:
        changed = entry.changed = here.apps.suspend(app, reason)
    return changed_answer(changed, id=app)


@route(APP + "/suspension", methods=["DELETE"])
def restore_app(here: Platform, request: Request, access: Access, app: str) -> Response:
    """End the suspension of an app. Its grants and secrets are those from before."""
    with logged(here, request, access, ActionKind.APP_RESTORED, app_target(known_id("app", app))) as entry:
        changed = entry.changed = here.apps.restore(app)
    return changed_answer(changed, id=app)


@route(APP + "/installs", methods=["GET"])
def list_installs(here: Platform, request: Request, access: Access, app: str) -> Response:
    """List the users who have installed an app, in order of id: `id` and `displayName`. `cursor`, `count`."""
    existing("app", app, here.apps.get(known_id("app", app)))
    ids, following = here.friends_and_installs.installed_users(app, *list_part(request))
    return list_answer(named_users(here, ids), following)
