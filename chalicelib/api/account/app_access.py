"""`/settings/apps`: what each app may do in a person's name; its access is ended and it is uninstalled here."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.visit import Visit, web_route
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import App, User
from chalicelib.core.oauth import Grant, offered
from chalicelib.platform import Platform
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.directory.keys import every
from chalicelib.web.face import Face
from chalicelib.web.html.bidirectional import isolated
from chalicelib.web.html.links import is_web, origin_of
from chalicelib.web.requests import last_parameter

PATH = "/settings/apps"

face = Face()


@web_route(face, PATH)
def show(here: Platform, request: Request) -> Response:
    """Show the apps that the user has installed or allowed, what each may do, and when it was last used."""
    visit = Visit.of(signing_in(here), request)
    if visit.user is None:
        return visit.sign_in()
    changes = {name: _asked(request, name) for name in ("ended", "uninstalled")}
    grants, installed = _of_user(here, visit.user)
    known = here.apps.get_many({*grants, *installed, *filter(None, changes.values())})
    apps = sorted(
        (_entry(visit, app, known.get(app), grants.get(app), app in installed) for app in grants.keys() | installed),
        key=lambda entry: (str(entry["name"] or "\uffff"), str(entry["id"])),
    )
    return visit.page(
        "account/apps",
        notice=_notice(visit, changes, known, {"ended": grants.keys(), "uninstalled": installed}),
        images=[origin for entry in apps if (origin := origin_of(entry["icon"]))],
        action=here.site.path + PATH,
        apps=apps,
    )


@web_route(face, PATH, ["POST"])
def end(here: Platform, request: Request) -> Response:
    """End the access of an app (`end`), or uninstall it, which also erases the user's data in it (`uninstall`)."""
    visit = Visit.of(signing_in(here), request)
    if visit.user is None:
        return visit.sign_in()
    form = visit.form()
    app = form.get("uninstall", form.get("end", ""))
    if not _is_app(app):
        raise ParameterInvalid("There is no such app")
    if "uninstall" in form:
        changed, name = here.user_data.uninstall(app, visit.user.id), "uninstalled"
    else:
        changed, name = here.grants.end(visit.user.id, app), "ended"
    return visit.redirect(f"{PATH}?{name}={app}") if changed else visit.redirect(PATH, done="unchanged")


def _is_app(text: str) -> bool:
    return 0 < len(text) <= 64 and text.isascii() and text.isalnum()


def _asked(request: Request, name: str) -> str | None:
    """Return the app that was changed, as the redirect to this page names it."""
    app = last_parameter(request, name)
    return app if app and _is_app(app) else None


def _notice(
    visit: Visit, changes: Mapping[str, str | None], known: Mapping[str, App], remaining: Mapping[str, Any]
) -> str | None:
    """Return what was changed; None if it is not so, since anyone can write such a link."""
    for name, app in changes.items():
        if app and app not in remaining[name]:
            named = isolated(known[app].name) if app in known else visit.word("unknown_app")
            return visit.word(f"app_{name}", app=named)
    return None


def _of_user(here: Platform, user: User) -> tuple[dict[str, Grant], set[str]]:
    """Return the user's grants by app, and the apps that the user has installed."""
    grants: dict[str, Grant] = {}
    installed: set[str] = set()
    side_by_side(
        [
            lambda: grants.update({grant.app: grant for grant in here.grants.of_user(user.id)}),
            lambda: installed.update(every(lambda cursor: here.friends_and_installs.installs(user.id, cursor))),
        ]
    )
    return grants, installed


def _entry(visit: Visit, id: str, app: App | None, grant: Grant | None, installed: bool) -> dict[str, Any]:
    """Return what the page shows of an app; its name is None if there is no such app any more."""
    scopes: Sequence[str] = offered(sorted(grant.scopes)) if grant else []
    offset = visit.here.settings.utc_offset
    return {
        "id": id,
        "name": app.name if app else None,
        "icon": app.icon_url if app and origin_of(app.icon_url) else "",
        "developer": app.developer if app else "",
        "homepage": app.homepage_url if app and is_web(app.homepage_url) else "",
        "privacy": app.privacy_url if app and is_web(app.privacy_url) else "",
        "installed": installed,
        "granted": grant is not None,
        "scopes": scopes,
        "since": w3cdtf(grant.created, offset)[:10] if grant else None,
        "used": w3cdtf(grant.used, offset)[:10] if grant else None,
    }
