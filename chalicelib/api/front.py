"""The front page, `/`, and the platform's picture, `/favicon.ico`.

Signed out, it says what this platform is and leads to signing in, to the documentation and, on a laptop, to the sample
game. Signed in, it has the first entries of the user's lists: apps, friends, and pages.
"""

from functools import cache
from typing import Any

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.api.member_lists import home_lists, origins
from chalicelib.api.visit import Visit
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.html.texts import Language
from chalicelib.web.static_files import File, file, file_answer, read_static

_KEPT = {"Cache-Control": "public, max-age=86400", "Content-Security-Policy": "default-src 'none'"}
SHOWN = 5
"""The number of entries of each list."""
_LISTS = (
    ("my_apps", "/apps"),
    ("my_friends", "/friends"),
    ("administered_pages", "/pages?list=administered"),
    ("followed_pages", "/pages"),
)
_DOCS = {Language.JAPANESE: "/docs/ja", Language.ENGLISH: "/docs"}


face = Face()


@face.route(
    "/",
    methods=["GET"],
    token=Token.NONE,
    instead="public; the user's session adds the user's own lists",
    refused=error_page,
)
def show(here: Platform, request: Request) -> Response:
    """Show the front page; if there is a session, the user's apps, friends and pages."""
    visit = Visit.of(here, request)
    values: dict[str, Any] = {"docs": _DOCS[visit.language], "has_sample": here.settings.sample}
    if visit.user is None:
        about = here.settings.about.get(visit.language.value, "")
        can_sign_in = here.settings.openid_issuer is None
        return visit.page("front", about=about.split("\n") if about else [], can_sign_in=can_sign_in, **values)
    found = home_lists(visit, visit.user, SHOWN)
    lists = [(title, path, found[title]) for title, path in _LISTS]
    pictures = origins(entry.picture for entries in found.values() for entry in entries)
    return visit.page("member/home", images=pictures, lists=lists, **values)


@face.route("/favicon.ico", methods=["GET"], token=Token.NONE, instead="public")
def icon(here: Platform, request: Request) -> Response:
    """Return the logo, as SVG: the gateways carry it as text, and browsers go by its type."""
    return file_answer(request, _logo(), _KEPT)


@cache
def _logo() -> File:
    return file(read_static("logo.svg"), "image/svg+xml")
