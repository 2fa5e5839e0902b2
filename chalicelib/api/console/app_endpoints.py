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
    try:
        given = _read(visit, form, new=True)
    except ParameterInvalid:
        return _list_page(visit, known, form=form, status=400, problem=visit.word("endpoint_wrong"))
    target = app_target(app, f"endpoint:{given['id']}")
    try:
        with visit.logged(ActionKind.ENDPOINT_CREATED, target) as entry:
            made = visit.here.endpoints.create(app, **given)
            entry.after = noted_endpoint(made)
    except Conflict:
        return _list_page(visit, known, status=409, problem=visit.word("endpoint_not_added", most=ENDPOINTS))
    return _secret_page(visit, known, made.id, made.secrets[0], notice=visit.word("endpoint_added"))


@console_route(face, ONE, action=Action.SEE_EVENTS)
def show_endpoint(visit: Visit, app: str, endpoint: str) -> Response:
    """Show an endpoint with the form that changes it."""
    return _endpoint_page(visit, known_app(visit, app), _known(visit, app, endpoint))


@console_route(face, ONE, action=Action.EDIT_ENDPOINTS, methods=["POST"])
def change_endpoint(visit: Visit, app: str, endpoint: str) -> Response:
    """Change an endpoint's `url`, kinds, and whether it is `active`. 409 if it was changed since the form was made."""
    holder, known, form = known_app(visit, app), _known(visit, app, endpoint), visit.sent
    if form.get("version") != version_of(known):
        return _endpoint_page(visit, holder, known, status=409, problem=visit.word("endpoint_stale"))
    try:
        given = _read(visit, form, new=False) | {"is_on": "active" in form}
    except ParameterInvalid:
        return _endpoint_page(visit, holder, known, form=form, status=400, problem=visit.word("endpoint_wrong"))
    with _logged_change(visit, ActionKind.ENDPOINT_CHANGED, app, endpoint) as entry:
        if given["is_on"] == (not known.off):
            given["is_on"] = None
        changed = visit.here.endpoints.change(app, endpoint, **given)
        entry.before, entry.after = noted_endpoint(known), noted_endpoint(changed)
        entry.changed = version_of(known) != version_of(changed)
    return visit.redirect(f"{APPS}/{app}/endpoints/{endpoint}", done="saved")


@console_route(face, f"{ONE}/secret", action=Action.EDIT_ENDPOINTS, methods=["POST"])
def new_endpoint_secret(visit: Visit, app: str, endpoint: str) -> Response:
    """Give an endpoint a new signing secret, which the page shows once. Messages are signed with the old one, too.

    409 if there is an old one already, as for a form that is sent twice.
    """
    holder = known_app(visit, app)
    known = _known(visit, app, endpoint)
    try:
        with _logged_change(visit, ActionKind.SECRET_ROTATED, app, endpoint):
            secret = visit.here.endpoints.new_secret(app, endpoint, keep_both=True)
    except Conflict:
        return _endpoint_page(visit, holder, known, status=409, problem=visit.word("secret_two_in_use"))
    return _secret_page(visit, holder, endpoint, secret, notice=visit.word("endpoint_secret_rotated"))


@console_route(face, f"{ONE}/old-secret", action=Action.EDIT_ENDPOINTS, methods=["POST"])
def end_old_endpoint_secret(visit: Visit, app: str, endpoint: str) -> Response:
    """End the old signing secret of an endpoint."""
    _known(visit, app, endpoint)
    with _logged_change(visit, ActionKind.OLD_SECRET_ENDED, app, endpoint):
        visit.here.endpoints.end_old_secret(app, endpoint)
    return visit.redirect(f"{APPS}/{app}/endpoints/{endpoint}", done="old_secret_ended")


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
    text = f"{one.url} {sorted(kind.value for kind in one.kinds)} {one.off} {one.disabled}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _read(visit: Visit, form: Mapping[str, str], *, new: bool) -> dict[str, Any]:
    kinds = [name.removeprefix(KIND) for name in form if name.startswith(KIND)]
    body = {"url": form.get("url", "").strip(), "kinds": kinds} | ({"id": form.get("id", "")} if new else {})
    given = read_endpoint(body, new=new)
    endpoint_target(given["url"], loopback=visit.here.settings.fetch_loopback)
    return given


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
        day=lambda milliseconds: day(visit, milliseconds),
        may_change=may(visit, Action.EDIT_ENDPOINTS),
    )


def _secret_page(visit: Visit, app: App, endpoint: str, secret: str, *, notice: str) -> Response:
    back = f"{APPS}/{app.id}/endpoints/{endpoint}"
    return visit.page("console/app_secret", notice=notice, app=app, secret=secret, until="", back=back)
