"""The console's pages of apps: find, register, see and edit them.

app_ends.py, app_endpoints.py and app_events.py have the rest.
"""

from typing import Any

from chalice.app import Response

from chalicelib.api.admin.routes import existing, known_id
from chalicelib.api.console.app_form import (
    FIELDS,
    NAME_TAKEN,
    AppForm,
    blank,
    changes,
    differences,
    scope_choices,
    sent,
    shown,
    version_of,
)
from chalicelib.api.console.frame import after_confirmation, console_route
from chalicelib.api.console.search import search_page
from chalicelib.api.console.users import permissions
from chalicelib.api.log_of_actions import app_target
from chalicelib.api.visit import Visit
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.directory_json import app_json
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import Conflict
from chalicelib.core.model.directory import App, new_app_id
from chalicelib.core.oauth import OPERATOR, SERVED_SCOPES
from chalicelib.core.roles import Action, allows
from chalicelib.web.face import Face
from chalicelib.web.html.links import is_web, origin_of

APPS = "/console/apps"
APP = "/console/apps/{app}"

face = Face()


@console_route(face, APPS, action=Action.SEE_APPS)
def list_apps(visit: Visit) -> Response:
    """List apps in order of id, or find them by id or by the beginning of their name: `q`, `cursor`."""
    search = visit.here.search
    return search_page(
        visit, "console/apps", search.apps, visit.here.apps.list_part, "apps_wrong_search", may=permissions(visit)
    )


@console_route(face, f"{APPS}/new", action=Action.EDIT_APP)
def new_app(visit: Visit) -> Response:
    """Show the form of a new app."""
    return _form_page(visit, blank(), id=new_app_id())


@console_route(face, APPS, action=Action.EDIT_APP, methods=["POST"])
def register_app(visit: Visit) -> Response:
    """Register an app; the page shows its secret once. The form has the new id, so it registers one app only."""
    form = visit.sent
    read = sent(form, visit.here.names)
    id = known_id("app", form.get("id", ""))
    if read.wrong:
        return _form_page(visit, read, id=id, status=400)
    if _needs_password(visit, read):
        return after_confirmation(visit, register_app)
    app = App(id, confidential=form.get("kind") != "public", **read.fields)
    try:
        with visit.logged(ActionKind.APP_CREATED, app_target(id)) as entry:
            made = visit.here.apps.create(app)
            entry.note_new(app_json(made))
    except Conflict:
        # The same form was sent before: its answer had the secret.
        return app_page(visit, known_app(visit, id), status=409, problem=visit.word("app_registered_before"))
    if made.secret is None:
        return visit.redirect(f"{APPS}/{id}", done="app_registered")
    return secret_page(visit, made, made.secret, notice=visit.word("done_app_registered"))


@console_route(face, APP, action=Action.SEE_APPS)
def show_app(visit: Visit, app: str) -> Response:
    """Show an app: its settings, the days on which its secrets were used, and what can be done with it."""
    return app_page(visit, known_app(visit, app))


@console_route(face, f"{APP}/edit", action=Action.EDIT_APP)
def edit_app(visit: Visit, app: str) -> Response:
    """Show the form with an app's settings."""
    known = known_app(visit, app)
    return _form_page(visit, shown(known), known)


@console_route(face, f"{APP}/edit", action=Action.EDIT_APP, methods=["POST"])
def change_app(visit: Visit, app: str) -> Response:
    """Change an app's settings. If they were changed since the form was made, show what they are now (409)."""
    known = known_app(visit, app)
    read = sent(visit.sent, visit.here.names, known)
    if visit.sent.get("version") != version_of(known):
        if not differences(known, read):
            return visit.redirect(f"{APPS}/{known.id}", done="app_changed")  # The same form was sent before.
        return _stale_page(visit, read, known)
    if read.wrong:
        return _form_page(visit, read, known, status=400)
    given = changes(known, read)
    if not given:
        return visit.redirect(f"{APPS}/{known.id}", done="app_unchanged")
    if _needs_password(visit, read, known):
        return after_confirmation(visit, lambda confirmed: change_app(confirmed, app))
    try:
        with visit.logged(ActionKind.APP_CHANGED, app_target(known.id)) as entry:
            changed = visit.here.apps.change(known.id, expected=known, **given)
            before, after = app_json(known), app_json(changed)
            entry.before = {name: before[name] for name in FIELDS if before[name] != after[name]}
            entry.after = {name: after[name] for name in FIELDS if before[name] != after[name]}
    except Conflict:
        return _stale_page(visit, read, known_app(visit, app))
    return visit.redirect(f"{APPS}/{known.id}", done="app_changed")


def app_page(visit: Visit, app: App, *, status: int = 200, problem: str | None = None) -> Response:
    """Return the page of an app."""
    icon = origin_of(app.icon_url)
    links = {"homepage": app.homepage_url, "privacy": app.privacy_url, "start": app.start_url or ""}
    return visit.page(
        "console/app",
        status=status,
        problem=problem,
        images=[icon] if icon else [],
        app=app,
        icon=app.icon_url if icon else "",
        links={name: url if is_web(url) else "" for name, url in links.items()},
        day=lambda milliseconds: day(visit, milliseconds),
        old_is_valid=app.old_secret_until is not None and visit.here.clock() < app.old_secret_until,
        may=permissions(visit),
    )


def secret_page(visit: Visit, app: App, secret: str, *, notice: str, until: int | None = None) -> Response:
    """Return the page that shows a secret: the only time, and not to be kept by a browser or a proxy."""
    until_text = day(visit, until) if until else ""
    return visit.page(
        "console/app_secret",
        notice=notice,
        app=app,
        secret=secret,
        until=until_text,
        back=f"{APPS}/{app.id}",
        back_to=visit.word("app_back"),
    )


def known_app(visit: Visit, app: str) -> App:
    """Return an app of a path. Raises NotFound."""
    return existing("app", app, visit.here.apps.get(known_id("app", app)))


def may(visit: Visit, action: Action) -> bool:
    """Return whether the visitor's role allows an action."""
    return allows(visit.signed_in.role, action)


def day(visit: Visit, milliseconds: int) -> str:
    """Return a time to the minute, with the platform's offset."""
    return w3cdtf(milliseconds, visit.here.settings.utc_offset)[:16].replace("T", " ")


def _needs_password(visit: Visit, read: AppForm, known: App | None = None) -> bool:
    """Return whether a form needs the password, which was not given again.

    With the operator's scope, an app may do without a password what the console asks one for. At a new redirect
    address or origin of an app with users, others could get their tokens.
    """
    if visit.confirmed:
        return False
    scopes = read.fields.get("scopes", ())
    if known is None:
        return OPERATOR in scopes
    places = {*read.fields.get("redirect_uris", ()), *read.fields.get("origins", ())}
    new_place = not places <= {*known.redirect_uris, *known.origins}
    return new_place or (OPERATOR in scopes and OPERATOR not in known.scopes)


def _stale_page(visit: Visit, read: AppForm, now: App) -> Response:
    return _form_page(visit, read, now, status=409, problem=visit.word("app_stale"), differing=differences(now, read))


def _form_page(
    visit: Visit,
    read: AppForm,
    app: App | None = None,
    *,
    id: str = "",
    status: int = 200,
    problem: str | None = None,
    **more: Any,
) -> Response:
    if read.wrong and problem is None:
        problem = visit.word("app_form_wrong")
    wrong = {name: visit.word(f"app_wrong_{name}") for name in FIELDS if name in read.wrong}
    if NAME_TAKEN in read.wrong:
        wrong["name"] = visit.word("app_name_taken")
    return visit.page(
        "console/app_form",
        status=status,
        problem=problem,
        app=app,
        id=id,
        form=read,
        wrong=wrong,
        version=version_of(app) if app else "",
        choices=scope_choices(read),
        served=SERVED_SCOPES,
        public=visit.sent.get("kind") == "public",
        **{"differing": {}, **more},
    )
