"""The console's pages of an app's endpoints, which are told of events."""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from chalice.app import Response

from chalicelib.api.admin.events import noted_endpoint
from chalicelib.api.console.apps import APP, APPS, day, known_app, may
from chalicelib.api.console.frame import console_route
from chalicelib.api.log_of_actions import ActionEntry, app_target
from chalicelib.api.visit import Visit
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.events_json import read_endpoint
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.events import ENDPOINTS, Endpoint, EventKind, is_endpoint_id, new_endpoint_id
from chalicelib.core.model.directory import App
from chalicelib.core.roles import Action
from chalicelib.web.face import Face
from chalicelib.web.fetch.post_event import endpoint_target

LIST = f"{APP}/endpoints"
ONE = f"{APP}/endpoints/{{endpoint}}"
KIND = "kind."
"""The beginning of the names of the check boxes for kinds of events."""

face = Face()


@console_route(face, LIST, action=Action.SEE_EVENTS)
def list_endpoints(visit: Visit, app: str) -> Response:
    """List the endpoints of an app, with the form of a new one."""
    return _list_page(visit, known_app(visit, app))


@console_route(face, LIST, action=Action.EDIT_ENDPOINTS, methods=["POST"])
def create_endpoint(visit: Visit, app: str) -> Response:
    """Register an endpoint: `url` and kinds; the page shows its signing secret once. The form has the new id."""
    known, form = known_app(visit, app), visit.sent
    id = form.get("id", "")
    if not is_endpoint_id(id):
        # Not replaced by a new id: a form that is sent twice would add two endpoints.
        return _list_page(visit, known, form=form, status=400, problem=visit.word("endpoint_wrong_id"))
    try:
        given = _read(visit, form)
    except ParameterInvalid:
        return _list_page(visit, known, form=form, status=400, problem=visit.word("endpoint_wrong"))
    try:
        with visit.logged(ActionKind.ENDPOINT_CREATED, app_target(app, f"endpoint:{id}")) as entry:
            made = visit.here.endpoints.create(app, id=id, **given)
            entry.after = noted_endpoint(made)
    except Conflict:
        return _not_added(visit, known, id)
    return _secret_page(visit, known, made, made.secrets[0], notice=visit.word("endpoint_added"))


@console_route(face, ONE, action=Action.SEE_EVENTS)
def show_endpoint(visit: Visit, app: str, endpoint: str) -> Response:
    """Show an endpoint with the form that changes it."""
    return _endpoint_page(visit, known_app(visit, app), _known(visit, app, endpoint))


@console_route(face, ONE, action=Action.EDIT_ENDPOINTS, methods=["POST"])
def change_endpoint(visit: Visit, app: str, endpoint: str) -> Response:
    """Change an endpoint's `url`, kinds, and whether it is `active`. 409 if it was changed since the form was made."""
    holder, known, form = known_app(visit, app), _known(visit, app, endpoint), visit.sent
    if form.get("version") != version_of(known):
        return _after_another_change(visit, holder, known)
    try:
        given = _read(visit, form)
    except ParameterInvalid:
        return _endpoint_page(visit, holder, known, form=form, status=400, problem=visit.word("endpoint_wrong"))
    is_on = "active" in form
    try:
        with _logged_change(visit, ActionKind.ENDPOINT_CHANGED, app, endpoint) as entry:
            switched = None if is_on == (not known.off) else is_on
            changed = visit.here.endpoints.change(app, endpoint, is_on=switched, instead_of=known, **given)
            entry.before, entry.after = noted_endpoint(known), noted_endpoint(changed)
            entry.changed = known.settings != changed.settings
    except Conflict:
        return _after_another_change(visit, holder, _known(visit, app, endpoint))
    return visit.redirect(_path(known), done="saved")


@console_route(face, f"{ONE}/secret", action=Action.EDIT_ENDPOINTS, methods=["POST"])
def new_endpoint_secret(visit: Visit, app: str, endpoint: str) -> Response:
    """Give an endpoint a new signing secret, which the page shows once. Messages are signed with the old one, too.

    If there is an old one already, it stays, and the new one replaces the newest. 409 if the secrets were changed since
    the form was made, as for a form that is sent twice.
    """
    holder, known = known_app(visit, app), _known(visit, app, endpoint)
    if visit.sent.get("secrets") != secrets_version_of(known):
        return _secrets_changed(visit, holder, known)
    try:
        with _logged_change(visit, ActionKind.SECRET_ROTATED, app, endpoint):
            secret = visit.here.endpoints.new_secret(app, endpoint, instead_of=known)
    except Conflict:
        return _secrets_changed(visit, holder, _known(visit, app, endpoint))
    return _secret_page(visit, holder, known, secret, notice=visit.word("endpoint_secret_rotated"))


@console_route(face, f"{ONE}/old-secret", action=Action.EDIT_ENDPOINTS, methods=["POST"])
def end_old_endpoint_secret(visit: Visit, app: str, endpoint: str) -> Response:
    """End the old signing secret of an endpoint. 409 if there is a newer one than when the form was made."""
    holder, known = known_app(visit, app), _known(visit, app, endpoint)
    if not known.has_old_secret:
        return visit.redirect(_path(known), done="no_old_secret")
    if visit.sent.get("secrets") != secrets_version_of(known):
        return _secrets_changed(visit, holder, known)
    try:
        with _logged_change(visit, ActionKind.OLD_SECRET_ENDED, app, endpoint):
            visit.here.endpoints.end_old_secret(app, endpoint, instead_of=known)
    except Conflict:
        return _secrets_changed(visit, holder, _known(visit, app, endpoint))
    return visit.redirect(_path(known), done="old_secret_ended")


@console_route(face, f"{ONE}/delete", action=Action.EDIT_ENDPOINTS, methods=["POST"])
def delete_endpoint(visit: Visit, app: str, endpoint: str) -> Response:
    """Delete an endpoint. If it is deleted already, the page says the same: the form may be sent twice."""
    known_app(visit, app)
    try:
        known = _known(visit, app, endpoint)
    except NotFound:
        return visit.redirect(f"{APPS}/{app}/endpoints", done="endpoint_deleted")
    with _logged_change(visit, ActionKind.ENDPOINT_DELETED, app, endpoint) as entry:
        entry.before = noted_endpoint(known)
        entry.changed = visit.here.endpoints.delete(app, endpoint)
    return visit.redirect(f"{APPS}/{app}/endpoints", done="endpoint_deleted")


def version_of(one: Endpoint) -> str:
    """Return the version of an endpoint's settings: 16 digits that change with them."""
    return hashlib.sha256(repr(one.settings).encode()).hexdigest()[:16]


def secrets_version_of(one: Endpoint) -> str:
    """Return the version of an endpoint's secrets, which changes with each rotation and with the end of the old one."""
    return f"{one.rotated or 0}{'+' if one.has_old_secret else ''}"


def _read(visit: Visit, form: Mapping[str, str]) -> dict[str, Any]:
    given = read_endpoint({"url": form.get("url", "").strip(), "kinds": _chosen(form)}, new=False)
    endpoint_target(given["url"], loopback=visit.here.settings.fetch_loopback)
    return given


def _chosen(form: Mapping[str, str]) -> list[str]:
    return sorted(name.removeprefix(KIND) for name in form if name.startswith(KIND))


def _asks_for(form: Mapping[str, str], one: Endpoint) -> bool:
    """Return whether an endpoint has the URL and the kinds of a form."""
    return (form.get("url", "").strip(), _chosen(form)) == (one.url, sorted(kind.value for kind in one.kinds))


def _not_added(visit: Visit, app: App, id: str) -> Response:
    """Answer a form whose endpoint exists, or for which there is no place. Only the first answer had the secret."""
    form, endpoints = visit.sent, visit.here.endpoints.of_app(app.id)
    one = next((each for each in endpoints if each.id == id), None)
    if one and _asks_for(form, one):
        return _endpoint_page(visit, app, one, status=409, problem=visit.word("endpoint_added_before"))
    problem = visit.word("endpoint_id_taken") if one else visit.word("endpoint_too_many", most=ENDPOINTS)
    return _list_page(visit, app, form=form, status=409, problem=problem)


def _after_another_change(visit: Visit, app: App, now: Endpoint) -> Response:
    """Answer a form that is older than what is stored: it was sent twice, or something else was changed (409)."""
    if _asks_for(visit.sent, now) and ("active" in visit.sent) == (not now.off):
        return visit.redirect(_path(now), done="saved")
    return _endpoint_page(visit, app, now, status=409, problem=visit.word("endpoint_stale"))


def _path(one: Endpoint) -> str:
    return f"{APPS}/{one.app}/endpoints/{one.id}"


def _secrets_changed(visit: Visit, app: App, now: Endpoint) -> Response:
    problem = "endpoint_secrets_changed_two" if now.has_old_secret else "endpoint_secrets_changed"
    return _endpoint_page(visit, app, now, status=409, problem=visit.word(problem))


def _known(visit: Visit, app: str, endpoint: str) -> Endpoint:
    if not is_endpoint_id(endpoint):
        raise NotFound("There is no such endpoint")
    return visit.here.endpoints.get(app, endpoint)


def _logged_change(visit: Visit, kind: ActionKind, app: str, endpoint: str) -> AbstractContextManager[ActionEntry]:
    return visit.logged(kind, app_target(app, f"endpoint:{endpoint}"))


def _list_page(
    visit: Visit, app: App, *, form: Mapping[str, str] | None = None, status: int = 200, problem: str | None = None
) -> Response:
    form = form or {}
    return visit.page(
        "console/app_endpoints",
        status=status,
        problem=problem,
        app=app,
        endpoints=visit.here.endpoints.of_app(app.id),
        id=new_endpoint_id(),
        url=form.get("url", ""),
        chosen=[kind.value for kind in EventKind if KIND + kind.value in form],
        kinds=[kind.value for kind in EventKind],
        most=ENDPOINTS,
        may_change=may(visit, Action.EDIT_ENDPOINTS),
    )


def _endpoint_page(
    visit: Visit,
    app: App,
    one: Endpoint,
    *,
    form: Mapping[str, str] | None = None,
    status: int = 200,
    problem: str | None = None,
) -> Response:
    chosen = [kind.value for kind in EventKind if (KIND + kind.value in form if form else kind in one.kinds)]
    return visit.page(
        "console/app_endpoint",
        status=status,
        problem=problem,
        app=app,
        endpoint=one,
        url=form.get("url", "") if form else one.url,
        active="active" in form if form else not one.off,
        chosen=chosen,
        kinds=[kind.value for kind in EventKind],
        version=version_of(one),
        secrets_version=secrets_version_of(one),
        day=lambda milliseconds: day(visit, milliseconds),
        may_change=may(visit, Action.EDIT_ENDPOINTS),
    )


def _secret_page(visit: Visit, app: App, one: Endpoint, secret: str, *, notice: str) -> Response:
    return visit.page(
        "console/app_secret",
        notice=notice,
        app=app,
        secret=secret,
        until="",
        back=_path(one),
        back_to=visit.word("endpoint_back"),
    )
