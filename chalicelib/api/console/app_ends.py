"""The console's dangerous actions on an app: a new secret, the end of the old one, suspension and deletion."""

from chalice.app import Response

from chalicelib.api.admin.routes import known_id
from chalicelib.api.console.apps import APP, APPS, app_page, known_app, secret_page
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import app_target
from chalicelib.api.visit import Visit
from chalicelib.core.actions import ActionKind
from chalicelib.core.client_secrets import OLD_SECRET_MS
from chalicelib.core.codecs.directory_json import read_suspension
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.roles import Action
from chalicelib.web.face import Face

face = Face()


@console_route(face, f"{APP}/secret", action=Action.ROTATE_SECRET, methods=["POST"])
def rotate_secret(visit: Visit, app: str) -> Response:
    """Give an app a new secret, which the page shows once. `keep` keeps the old one for 30 days.

    `made` is when the secret was made that the form was about: if it was rotated since, nothing happens (409).
    """
    known, keep = known_app(visit, app), "keep" in visit.sent
    if visit.sent.get("made") != str(known.secret_created):
        return app_page(visit, known, status=409, problem=visit.word("secret_rotated_meanwhile"))
    try:
        with visit.logged(ActionKind.SECRET_ROTATED, app_target(app)) as entry:
            secret = visit.here.app_secrets.rotate(app, keep_old=keep, made=known.secret_created)
            entry.after = {"keepOld": keep}
    except Conflict:
        return app_page(visit, known_app(visit, app), status=409, problem=visit.word("secret_two_in_use"))
    until = visit.here.clock() + OLD_SECRET_MS if keep else None
    return secret_page(visit, known, secret, notice=visit.word("secret_rotated"), until=until)


@console_route(face, f"{APP}/old-secret", action=Action.ROTATE_SECRET, methods=["POST"])
def end_old_secret(visit: Visit, app: str) -> Response:
    """End the old secret of an app."""
    known_app(visit, app)
    with visit.logged(ActionKind.OLD_SECRET_ENDED, app_target(app)) as entry:
        entry.changed = ended = visit.here.app_secrets.end_old(app)
    if not ended:
        return visit.redirect(f"{APPS}/{app}", done="no_old_secret")
    return visit.redirect(f"{APPS}/{app}", done="old_secret_ended")


@console_route(face, f"{APP}/suspension", action=Action.SUSPEND_APP, methods=["POST"])
def suspend_app(visit: Visit, app: str) -> Response:
    """Suspend an app, for a `reason`."""
    known = known_app(visit, app)
    try:
        reason = read_suspension({"reason": visit.sent.get("reason", "")})
    except ParameterInvalid:
        return app_page(visit, known, status=400, problem=visit.word("reason_needed"))
    with visit.logged(ActionKind.APP_SUSPENDED, app_target(app), reason=reason) as entry:
        entry.changed = visit.here.apps.suspend(app, reason)
    return visit.redirect(f"{APPS}/{app}", done="app_suspended")


@console_route(face, f"{APP}/restore", action=Action.SUSPEND_APP, methods=["POST"])
def restore_app(visit: Visit, app: str) -> Response:
    """End the suspension of an app."""
    known_app(visit, app)
    with visit.logged(ActionKind.APP_RESTORED, app_target(app)) as entry:
        entry.changed = visit.here.apps.restore(app)
    return visit.redirect(f"{APPS}/{app}", done="app_restored")


@console_route(face, f"{APP}/delete", action=Action.DELETE_APP)
def ask_deletion(visit: Visit, app: str) -> Response:
    """Show what is deleted with an app, and the form that asks for its name."""
    return _deletion_page(visit, app, known_app(visit, app).name)


@console_route(face, f"{APP}/delete", action=Action.DELETE_APP, methods=["POST"])
def delete_app(visit: Visit, app: str) -> Response:
    """Delete an app with its installs and their data, if `name` is its name. While some are left, ask to continue."""
    known = visit.here.apps.get(known_id("app", app))
    if known and visit.sent.get("name", "").strip() != known.name.strip():
        return _deletion_page(visit, app, known.name, status=400, problem=visit.word("app_delete_other_name"))
    with visit.logged(ActionKind.APP_DELETED, app_target(app)) as entry:
        installs, done = visit.here.user_data.erase_app(app)
        entry.before = {"name": known.name} if known else {}
        entry.after = {"installs": installs, "done": done}
        entry.changed = bool(known or installs)
    if not done:
        return _deletion_page(visit, app, "", problem=visit.word("app_delete_continue", installs=installs))
    if not (known or installs or visit.sent.get("delete") == "rest"):
        raise NotFound("There is no such app")
    return visit.redirect(APPS, done="app_deleted")


def _deletion_page(visit: Visit, app: str, name: str, *, status: int = 200, problem: str | None = None) -> Response:
    """Return the page that asks for the name; without a name, the app is closed already, and it only continues."""
    return visit.page("console/app_delete", status=status, problem=problem, app=app, name=name)
