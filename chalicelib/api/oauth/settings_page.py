"""The page on which users see and change their settings: `/settings`.

On it, a user can end grants, uninstall apps, choose who sees each field of the profile, and choose whether apps that
are not installed see public data. Each form is one POST; the response is the page after the change.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.endpoints import form_of
from chalicelib.api.oauth.sign_in_page import SignInPage, sign_in
from chalicelib.api.session_user import begin_session, end_session, session_user
from chalicelib.api.visit import Visit
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.model.directory import App, User
from chalicelib.core.model.publication import PROFILE_FIELDS, Publication
from chalicelib.core.oauth import Grant, offered
from chalicelib.platform import Platform
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.directory.keys import every
from chalicelib.web.auth.sessions import Session
from chalicelib.web.face import Face, Token
from chalicelib.web.html.links import is_web, origin_of
from chalicelib.web.html.rendering import language_of, page
from chalicelib.web.html.texts import Language, word

ACTION = "settings"


face = Face()


@face.route("/settings", methods=["GET"], token=Token.NONE, instead="the user's session", refused=error_page)
def show(here: Platform, request: Request) -> Response:
    """Show the user's settings; without a session, show the sign-in form."""
    here = signing_in(here)
    session = here.sessions.read(request)
    return _shown(here, request, language_of(request), session, saved=False)


@face.route("/settings", methods=["POST"], token=Token.NONE, instead="the session's csrf value", refused=error_page)
def submit(here: Platform, request: Request) -> Response:
    """Process a form: `login` and `password`; `end` or `uninstall` with an app's id; `save`; or `session` (`end`)."""
    here = signing_in(here)
    form = form_of(request)
    language = language_of(request, form.get("lang"))
    session = here.sessions.read(request)
    if not session.accepts(form.get("csrf")):
        return _shown(here, request, language, session, problem=word(language, "expired"))
    if form.get("session") == "end":
        return _sign_in_page(here, language).shown(end_session(here, session))
    if "password" in form or "login" in form:
        return _signed_in(here, request, language, session, form)
    user = session_user(here, session)
    if user is None:
        return _shown(here, request, language, session, problem=word(language, "expired"))
    return _shown(here, request, language, session, saved=_changed(here, user, form))


def _signed_in(
    here: Platform, request: Request, language: Language, session: Session, form: Mapping[str, str]
) -> Response:
    outcome = sign_in(here, request, form)
    if begun := begin_session(here, request, outcome):
        return _shown(here, request, language, begun[0])
    return _sign_in_page(here, language).refused(session, form.get("login", ""), outcome)


def _sign_in_page(here: Platform, language: Language) -> SignInPage:
    return SignInPage(here, language, ACTION, _other(language), {}, None)


def _changed(here: Platform, user: User, form: Mapping[str, str]) -> bool:
    """Make the change of a form; return whether something was changed or saved. Raise ParameterInvalid."""
    if "end" in form:
        return here.grants.end(user.id, _app(form["end"]))
    if "uninstall" in form:
        return here.user_data.uninstall(_app(form["uninstall"]), user.id)
    if "save" not in form:
        return False
    try:
        chosen = {name: Publication(form[name]) for name in PROFILE_FIELDS if name in form}
    except ValueError:
        raise ParameterInvalid("There is no such publication setting") from None
    here.users.change(user.id, publication=chosen, visible="visible" in form)
    return True


def _app(app: str) -> str:
    if len(app) > 64 or not app.isalnum():
        raise ParameterInvalid("There is no such app")
    return app


def _shown(
    here: Platform,
    request: Request,
    language: Language,
    session: Session,
    *,
    saved: bool = False,
    problem: str | None = None,
) -> Response:
    user = session_user(here, session)
    if user is None:
        return _sign_in_page(here, language).shown(session, problem=problem)
    apps = _apps(here, user)
    return page(
        "settings",
        language,
        here.site,
        images=[origin for app in apps if (origin := origin_of(app["icon"]))],
        headers=here.sessions.headers(session),
        action=ACTION,
        csrf=session.masked_csrf(),
        frame=Visit(here, request, language, session, user).frame(),
        name=user.display_name,
        leaving=user.leaving is not None,
        saved=saved,
        problem=problem,
        apps=apps,
        publication={name: user.publication[name].value for name in PROFILE_FIELDS},
        publications=[each.value for each in Publication],
        visible=user.visible,
        strict=here.settings.strict_profiles,
    )


def _apps(here: Platform, user: User) -> list[dict[str, Any]]:
    """Return the apps that a user has installed or granted access to, sorted by name."""
    grants: dict[str, Grant] = {}
    installed: set[str] = set()
    side_by_side(
        [
            lambda: grants.update({grant.app: grant for grant in here.grants.of_user(user.id)}),
            lambda: installed.update(every(lambda cursor: here.friends_and_installs.installs(user.id, cursor))),
        ]
    )
    known = here.apps.get_many(grants.keys() | installed)
    apps = [
        {
            "id": app,
            **_about(known.get(app)),
            "installed": app in installed,
            "granted": app in grants,
            "scopes": offered(sorted(grants[app].scopes)) if app in grants else [],
            "since": _day(grants[app].created) if app in grants else None,
            "used": _day(grants[app].used) if app in grants else None,
        }
        for app in grants.keys() | installed
    ]
    return sorted(apps, key=lambda app: (str(app["name"] or "\uffff"), str(app["id"])))


def _about(app: App | None) -> dict[str, str | None]:
    """Return what an app says about itself; None and empty texts for an app that is gone."""
    if app is None:
        return {"name": None, **dict.fromkeys(("icon", "developer", "homepage", "privacy"), "")}
    return {
        "name": app.name,
        "icon": app.icon_url if origin_of(app.icon_url) else "",
        "developer": app.developer,
        "homepage": app.homepage_url if is_web(app.homepage_url) else "",
        "privacy": app.privacy_url if is_web(app.privacy_url) else "",
    }


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y-%m-%d")


def _other(language: Language) -> str:
    return f"{ACTION}?lang={language.other.value}"
