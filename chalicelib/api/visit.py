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

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.api.log_of_actions import ActionEntry, log_action, user_actor
from chalicelib.api.menu import NOT_KEPT, frame, page_url
from chalicelib.api.oauth.consent_page import signing_in
from chalicelib.api.oauth.endpoints import form_of
from chalicelib.api.session_user import visitor
from chalicelib.core.actions import ActionKind
from chalicelib.core.errors import NotFound, Refusal
from chalicelib.core.model.directory import User
from chalicelib.platform import Platform
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.web.auth.sessions import Session
from chalicelib.web.face import Face, Token, View
from chalicelib.web.html import rendering
from chalicelib.web.html.rendering import Frame, language_of
from chalicelib.web.html.texts import Language, is_known, word
from chalicelib.web.multipart import is_multipart
from chalicelib.web.own_paths import own_path, path_of, url_of
from chalicelib.web.requests import parameters

__all__ = ["StaleForm", "Visit", "answering_stale_forms", "own_path", "web_route"]

T = TypeVar("T")
V = TypeVar("V", bound=View)


class StaleForm(Exception):
    """A form that was not made in the session that sends it. web_route answers it by `Visit.again`."""

    def __init__(self, visit: "Visit") -> None:
        super().__init__("a form of another session")
        self.visit = visit


@dataclass(frozen=True)
class Visit:
    """A request for a page. `user` is None if nobody is signed in. `sent` is the form of a POST."""

    here: Platform
    request: Request
    language: Language
    session: Session
    user: User | None
    sent: Mapping[str, str] = field(default_factory=dict)
    _forms: list[str] = field(default_factory=list)
    """The values of `csrf` that were given to forms: without any, a reader who is not signed in needs no session."""

    @classmethod
    def of(cls, here: Platform, request: Request, form: Mapping[str, str] | None = None) -> "Visit":
        """Return the visit of a request (one read if there is a session). Raises BadRequest and TooLarge.

        `form` is the form of a POST with files, which the view has read; other forms are read here.
        """
        if form is None:
            form = form_of(request) if request.method == "POST" else {}
        session, user = visitor(here, request)
        language = language_of(request, form.get("lang"))
        return cls(here, request, language, session, user, form)

    @classmethod
    def beside(cls, here: Platform, request: Request, read: Callable[[], T]) -> "tuple[Visit, Callable[[], T]]":
        """Return the visit of a request, and a function that returns what `read` returns, or raises its refusal.

        With a session, `read` (one call) is done in parallel to reading the session, so the view asks who it is before
        it looks at the answer. Without one, it is done when the function is called.
        """
        if here.sessions.read(request).user is None:
            return cls.of(here, request), read
        visits: list[Visit] = []
        answers: list[T] = []
        refusals: list[Refusal] = []

        def attempt() -> None:
            try:
                answers.append(read())
            except Refusal as refusal:
                refusals.append(refusal)

        def answer() -> T:
            if refusals:
                raise refusals[0]
            return answers[0]

        side_by_side([lambda: visits.append(cls.of(here, request)), attempt])
        return visits[0], answer

    @property
    def path(self) -> str:
        """The path of this request without the stage of API Gateway, with its parameters, encoded."""
        return path_of(self.request)

    @property
    def url(self) -> str:
        """The path and the query of this request, without language and notice."""
        return url_of(self.request, NOT_KEPT)

    @property
    def opened(self) -> str:
        """The URL of links that open this page again, as own_paths.opened_url; without language and notice."""
        return page_url(self.request)

    @property
    def signed_in(self) -> User:
        """The user of a view that has already checked that there is one."""
        if self.user is None:
            raise NotFound
        return self.user

    @property
    def csrf(self) -> str:
        """The value of the field `csrf` of a form; each call masks it anew."""
        self._forms.append(self.session.masked_csrf())
        return self._forms[-1]

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
            raise StaleForm(self)
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
        made = rendering.page(
            template,
            self.language,
            self.here.site,
            status=status,
            headers=headers,
            frame=self.frame(notice=notice, problem=problem),
            csrf=_FormValue(self),
            visit=self,
            **values,
        )
        if cookies := self.cookies():
            made.headers["Set-Cookie"] = cookies
        return made

    def cookies(self) -> list[str]:
        """Return the `Set-Cookie` values of this visit's session and language, as far as the browser lacks them."""
        sessions, needed = self.here.sessions, self.session.user or self._forms
        session = sessions.headers(self.session) if needed or sessions.is_named_in(self.request) else {}
        return [*session.get("Set-Cookie", []), *rendering.language_cookie(self.request)]

    def frame(self, *, notice: str | None = None, problem: str | None = None) -> Frame:
        """Return the frame of this visit's pages."""
        csrf = self.csrf if self.user else None
        made = frame(self.here, self.request, self.user, csrf, self.language)
        return replace(made, notice=notice or self._done(), problem=problem)

    def again(self) -> Response:
        """Return the answer to a form of another session (400): a page from which it can be sent again.

        Its fields are kept, also over a sign-in, but for passwords and files. Only a form of our own pages is kept, as
        the browser says by `Sec-Fetch-Site`; of others, a page only says that the form has expired.
        """
        if self._is_own_post and self.user is None:
            return self.sign_in(problem=self.word("expired_sign_in"), status=400)
        return self.send_again(self.path, self._kept() if self._is_own_post else None)

    def send_again(self, action: str, fields: Mapping[str, str] | None, *, status: int = 400) -> Response:
        """Return the page with a button that sends these fields to a path of ours; None: there are none to send."""
        return self.page("again", status=status, action=self.here.site.path + action, fields=fields)

    def sign_in(
        self,
        to: str | None = None,
        *,
        login: str = "",
        problem: str | None = None,
        status: int = 200,
        wait: int = 0,
        again: str = "",
    ) -> Response:
        """Return the sign-in page, which leads to the path `to`, by default back to this page.

        `again` is the form, as JSON, that is sent to `to` afterwards (`Visit.again`).

        `login` is the login name of the last attempt, `wait` the Retry-After in seconds (0: none). Raises NotFound if
        users sign in elsewhere.
        """
        here = signing_in(self.here)
        if to is None and not again and self._is_own_post:
            again = json.dumps(self._kept())
        # A form that is sent again goes to its own path.
        back = self.path if again else self.opened
        return self.page(
            "sign_in",
            status=status,
            wait=wait,
            problem=problem,
            action=f"{here.site.path}/sign_in",
            carried={"to": to or back} | ({"again": again} if again else {}),
            app=None,
            login=login,
        )

    def logged(
        self, kind: ActionKind, target: str, *, reason: str | None = None, before: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[ActionEntry]:
        """Log what the user of this visit does inside the block, as `log_action` does."""
        actor = user_actor(self.signed_in.id)
        return log_action(self.here, self.request, actor, kind, target, reason=reason, before=before)

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

    @property
    def _is_own_post(self) -> bool:
        own = self.request.headers.get("sec-fetch-site") == "same-origin"
        return self.request.method == "POST" and own and not is_multipart(self.request)

    def _kept(self) -> dict[str, str]:
        """Return the fields of a form that may be sent again: no passwords, and not those of the session."""
        names = [name for name in self.sent if name not in ("csrf", "lang") and "password" not in name]
        return {name: self.sent[name] for name in names}

    def _done(self) -> str | None:
        name = f"done_{next(iter(parameters(self.request, 'done')), '')}"
        # Only our own texts, so that a link cannot put words of others into the page.
        return self.word(name) if is_known(name) else None


class _FormValue:
    """The value of `csrf` in a template; it is made when a form shows it."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def __str__(self) -> str:
        return self._visit.csrf


def web_route(face: Face, path: str, methods: Sequence[str] = ("GET",), *, instead: str = "") -> Callable[[V], V]:
    """Add a view of a page: it takes no token, and its refusals are pages.

    docs/reference/web-pages.md is made from these routes and the first lines of their docstrings. `instead` is what
    protects it; by default the user's session, and for a POST the session's csrf value.
    """
    protection = instead or ("the session's csrf value" if "POST" in methods else "the user's session")

    def add(view: V) -> V:
        route = face.route(path, methods=methods, token=Token.NONE, instead=protection, refused=error_page, page=True)
        route(answering_stale_forms(view))
        return view

    return add


def answering_stale_forms(view: View) -> View:
    """Return a view that answers a form of another session by a page from which it can be sent again."""

    @wraps(view)
    def answered(*arguments: Any, **segments: Any) -> Response:
        try:
            return view(*arguments, **segments)
        except StaleForm as stale:
            return stale.visit.again()

    return answered
