"""A visit: who opens a page or sends its form, and how the pages that answer are made.

    @web_route(face, "/things", methods=["GET", "POST"])
    def things(here: Platform, request: Request) -> Response:
        visit = Visit.of(here, request)
        if visit.user is None:
            return visit.sign_in()
        form = visit.form()               # in a POST
        return visit.redirect("/things", done="saved")

A page is in `templates/`; around it is the frame: navigation, the other language, and what was done or wrong.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from chalice.app import Request, Response

from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.endpoints import form_of
from chalicelib.api.session_user import session_user
from chalicelib.core.errors import BadRequest, NotFound
from chalicelib.core.model.directory import User
from chalicelib.platform import Platform
from chalicelib.web.auth.sessions import Session
from chalicelib.web.face import Face, Token, View
from chalicelib.web.html import rendering
from chalicelib.web.html.rendering import Frame, MenuItem, language_of
from chalicelib.web.html.texts import Language, is_known, word
from chalicelib.web.requests import decoded, parameters

V = TypeVar("V", bound=View)
MENU = (("/", "menu_home"), ("/settings", "settings"))
"""The pages of the navigation for users who are signed in, and their texts."""
CONSOLE = ("/console", "console")
MOST_CHARACTERS = 2_000
"""The length limit of a path to which signing in returns."""
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path on this site, in ASCII: no scheme, no host (also not as `//host` or `/\\host`), no space, no line break."""
_NOT_KEPT = ("lang", "done")


class StaleForm(BadRequest):
    """400: a form that was not made in the session that sends it."""

    default = "This form was made before the current session"


@dataclass(frozen=True)
class Visit:
    """A request for a page. `user` is None if nobody is signed in. `sent` is the form of a POST."""

    here: Platform
    request: Request
    language: Language
    session: Session
    user: User | None
    sent: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, here: Platform, request: Request, form: Mapping[str, str] | None = None) -> "Visit":
        """Return the visit of a request (one read if there is a session). Raises BadRequest and TooLarge.

        `form` is the form of a POST with files, which the view has read; other forms are read here.
        """
        if form is None:
            form = form_of(request) if request.method == "POST" else {}
        session = here.sessions.read(request)
        language = language_of(request, form.get("lang"))
        return cls(here, request, language, session, session_user(here, session), form)

    @property
    def path(self) -> str:
        """The path of this request without the stage of API Gateway, with its parameters, encoded."""
        given = {name: quote(decoded(value), safe="") for name, value in (self.request.uri_params or {}).items()}
        return str(self.request.path).format(**given)

    @property
    def url(self) -> str:
        """The path and the query of this request, without language and notice."""
        return self._with_query()

    @property
    def signed_in(self) -> User:
        """The user of a view that has already checked that there is one."""
        if self.user is None:
            raise NotFound
        return self.user

    @property
    def csrf(self) -> str:
        """The value of the field `csrf` of a form; each call masks it anew."""
        return self.session.masked_csrf()

    @property
    def confirmed(self) -> bool:
        """Whether the password was given again in this session in the last 10 minutes."""
        return self.here.sessions.is_confirmed(self.session)

    def word(self, name: str, /, **values: object) -> str:
        """Return a text in the language of the reader."""
        return word(self.language, name, **values)

    def form(self, request: Request | None = None) -> Mapping[str, str]:
        """Return the form of a POST. Raises StaleForm unless it was made in this session."""
        if not self.session.accepts(self.sent.get("csrf")):
            raise StaleForm
        return self.sent

    def page(
        self,
        template: str,
        *,
        status: int = 200,
        notice: str | None = None,
        problem: str | None = None,
        headers: Mapping[str, str | list[str]] | None = None,
        **values: Any,
    ) -> Response:
        """Return a page with the frame; `csrf` and `visit` are among its values. The rest is as in rendering.page.

        `notice` and `problem` are texts that are shown above; the default of `notice` is what `?done=` names.
        """
        cookies = self.cookies()
        return rendering.page(
            template,
            self.language,
            self.here.site,
            status=status,
            headers={**({"Set-Cookie": cookies} if cookies else {}), **(headers or {})},
            frame=self.frame(notice=notice, problem=problem),
            csrf=self.csrf,
            visit=self,
            **values,
        )

    def cookies(self) -> list[str]:
        """Return the `Set-Cookie` values of this visit's session and language, as far as the browser lacks them."""
        session = self.here.sessions.headers(self.session).get("Set-Cookie", [])
        return [*session, *rendering.language_cookie(self.request)]

    def frame(self, *, notice: str | None = None, problem: str | None = None) -> Frame:
        """Return the frame of this visit's pages."""
        return Frame(
            menu=self._menu(),
            other_url=self.here.site.path + self._with_query(lang=self.language.other.value),
            csrf=self.csrf if self.user else None,
            notice=notice or self._done(),
            problem=problem,
        )

    def sign_in(
        self, to: str | None = None, *, login: str = "", problem: str | None = None, status: int = 200, wait: int = 0
    ) -> Response:
        """Return the sign-in page, which leads to the path `to`, by default back to this URL.

        `login` is the login name of the last attempt, `wait` the Retry-After in seconds (0: none). Raises NotFound if
        users sign in elsewhere.
        """
        here = signing_in(self.here)
        back = self.url if self.request.method in ("GET", "HEAD") else self.path
        return self.page(
            "sign_in",
            status=status,
            headers={"Retry-After": str(wait)} if wait else {},
            problem=problem,
            action=f"{here.site.path}/sign_in",
            carried={"to": to or back},
            app=None,
            login=login,
        )

    def redirect(self, path: str, done: str | None = None) -> Response:
        """Return a 303 to a path of ours, with the session if it is new. `done` names the notice `done_…` there."""
        separator = "&" if "?" in path else "?"
        target = self.here.site.path + path + (f"{separator}{urlencode({'done': done})}" if done else "")
        headers: dict[str, str | list[str]] = {"Location": target, "Cache-Control": "no-store"}
        if cookies := self.cookies():
            headers["Set-Cookie"] = cookies
        return Response("", headers, 303)

    def with_session(self, session: Session, user: User | None) -> "Visit":
        """Return this visit with another session of the same browser, after a sign-in, a sign-out or a password."""
        return replace(self, session=session, user=user)

    def _with_query(self, **more: str) -> str:
        query = self.request.query_params
        kept = [
            (name, value) for name in query or () if name not in _NOT_KEPT for value in parameters(self.request, name)
        ]
        text = urlencode([*kept, *more.items()])
        return f"{self.path}?{text}" if text else self.path

    def _done(self) -> str | None:
        name = f"done_{next(iter(parameters(self.request, 'done')), '')}"
        # Only our own texts, so that a link cannot put words of others into the page.
        return self.word(name) if is_known(name) else None

    def _menu(self) -> Sequence[MenuItem]:
        if self.user is None:
            if self.here.settings.openid_issuer or self.path == "/sign_in":
                return []
            return [MenuItem(f"{self.here.site.path}/sign_in?{urlencode({'to': self.url})}", self.word("sign_in"))]
        items = [*MENU, CONSOLE] if self.user.role else MENU
        return [MenuItem(self.here.site.path + path, self.word(name), self._is_in(path)) for path, name in items]

    def _is_in(self, path: str) -> bool:
        return self.path == path or (path != "/" and self.path.startswith(f"{path}/"))


def own_path(text: str | None) -> str:
    """Return a path of this site to which a form may lead back, or `/` if the text is not one."""
    return text if text and len(text) <= MOST_CHARACTERS and _OWN_PATH.fullmatch(text) else "/"


def web_route(face: Face, path: str, methods: Sequence[str] = ("GET",), *, instead: str = "") -> Callable[[V], V]:
    """Add a view of a page: it takes no token, and its refusals are pages.

    docs/reference/web-pages.md is made from these routes and the first lines of their docstrings. `instead` is what
    protects it; by default the user's session, and for a POST the session's csrf value.
    """
    protection = instead or ("the session's csrf value" if "POST" in methods else "the user's session")
    return face.route(
        path, methods=methods, token=Token.NONE, instead=protection, refused=rendering.error_page, page=True
    )
