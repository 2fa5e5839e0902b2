"""The front page, `/`, and the platform's picture, `/favicon.ico`.

The front page says what this platform is and leads to the documentation, to signing in or the settings and, on a
laptop, to the sample game.
"""

from functools import cache

from chalice.app import Request, Response

from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.html.rendering import error_page, language_of, page
from chalicelib.web.html.texts import Language
from chalicelib.web.static_files import File, file, file_answer, read_static

_KEPT = {"Cache-Control": "public, max-age=86400", "Content-Security-Policy": "default-src 'none'"}
_DOCS = {Language.JAPANESE: "/docs/ja", Language.ENGLISH: "/docs"}


face = Face()


@face.route(
    "/", methods=["GET"], token=Token.NONE, instead="public; the user's session only adds the name", refused=error_page
)
def show(here: Platform, request: Request) -> Response:
    """Show the front page, with the user's name if there is a session."""
    language = language_of(request)
    is_own_sign_in = here.settings.openid_issuer is None
    session = here.sessions.read(request)
    user = here.users.get(session.user) if session.user and is_own_sign_in else None
    return page(
        "front",
        language,
        here.site,
        other_url=f"?lang={language.other.value}",
        name=user.display_name if user else None,
        csrf=session.masked_csrf() if user else None,
        can_sign_in=is_own_sign_in,
        docs=_DOCS[language],
        has_sample=here.settings.sample,
    )


@face.route("/favicon.ico", methods=["GET"], token=Token.NONE, instead="public")
def icon(here: Platform, request: Request) -> Response:
    """Return the logo, as SVG: the gateways carry it as text, and browsers go by its type."""
    return file_answer(request, _logo(), _KEPT)


@cache
def _logo() -> File:
    return file(read_static("logo.svg"), "image/svg+xml")
