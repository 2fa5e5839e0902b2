"""The frame of the console: who may open which of its pages, and the sections that its home links to.

    @console_route(face, "/console/things/{thing}", action=Action.SEE_THINGS)
    def show(visit: Visit, thing: str) -> Response: ...

    @console_route(face, "/console/things/{thing}/delete", action=Action.DELETE_THING, methods=["POST"])
    def delete(visit: Visit, thing: str) -> Response:
        form = visit.sent                 # its csrf value is checked already

core/roles.py says which role may do what, and which actions ask for the password again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.api.sign_in import confirmation_page, confirmed
from chalicelib.api.visit import Visit, answering_stale_forms
from chalicelib.core.errors import NotFound, PermissionDenied
from chalicelib.core.roles import ACTIONS, Action, allows
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token

ConsoleView = Callable[..., Response]
"""Called as `view(visit, **path_parameters)`, or as `view(visit, found, **path_parameters)` (see `beside`)."""
V = TypeVar("V", bound=ConsoleView)

HOME = "/console"
_NOT_CARRIED = ("csrf", "lang", "password_again")


@dataclass(frozen=True)
class Section:
    """A section of the console: its path, the name of its text, and the action that its users may do."""

    path: str
    text: str
    action: Action


SECTIONS: Sequence[Section] = (
    Section("/console/moderation", "latest_posts", Action.MODERATE),
    Section("/console/reports", "reports", Action.HANDLE_REPORTS),
    Section("/console/users", "console_users", Action.FIND_USERS),
    Section("/console/apps", "console_apps", Action.SEE_APPS),
    Section("/console/pages", "console_pages", Action.FIND_USERS),
    Section("/console/invitations", "console_invitations", Action.INVITE),
    Section("/console/log", "log", Action.SEE_LOG),
    Section("/console/errors", "overview_all_kinds", Action.SEE_REQUEST),
    Section("/console/requests", "overview_find_request", Action.SEE_REQUEST),
)
"""The sections, in the order of the home page; each user sees those of their role. Owners of a section add a line."""


def sections(visit: Visit) -> list[Section]:
    """Return the sections that a user may open."""
    return [each for each in SECTIONS if visit.user and allows(visit.user.role, each.action)]


def console_route(
    face: Face,
    path: str,
    *,
    action: Action,
    methods: Sequence[str] = ("GET",),
    beside: Callable[..., Any] | None = None,
) -> Callable[[V], V]:
    """Add a view of the console, for users whose role allows `action`. The methods are GET, or POST.

    Signed out: the sign-in page. Without a role: 404, as if there were no such page. Another role: 403. A POST needs
    the csrf value of the session (400). If the action is dangerous, the password must have been given again.

    `beside(here, request, **path_parameters)` makes one call to AWS in parallel to reading the session. The view then
    gets a function as its second argument, which returns the answer or raises its refusal (Visit.beside).
    """
    protection = "the session's csrf value and a role" if "POST" in methods else "the user's session and a role"

    def add(view: V) -> V:
        @wraps(view)
        def checked(here: Platform, request: Request, **segments: Any) -> Response:
            found: list[Callable[[], Any]] = []
            if beside is None:
                visit = Visit.of(here, request)
            else:
                visit, answer = Visit.beside(here, request, partial(beside, here, request, **segments))
                found.append(answer)
            if visit.user is None:
                return visit.sign_in()
            if visit.user.role is None:
                raise NotFound
            if not allows(visit.user.role, action):
                raise PermissionDenied("Your role does not allow this")
            if request.method == "POST":
                visit.form()
            if ACTIONS[action].dangerous and not visit.confirmed:
                return after_confirmation(visit, lambda confirmed: view(confirmed, *found, **segments))
            return view(visit, *found, **segments)

        route = face.route(
            path,
            methods=methods,
            token=Token.NONE,
            instead=protection,
            refused=error_page,
            action=action,
            page=True,
        )
        route(answering_stale_forms(checked))
        return view

    return add


def after_confirmation(visit: Visit, view: ConsoleView) -> Response:
    """Return what the view returns after the password was given in this request; else the page that asks for it.

    The view gets the visit with the confirmed session. Its form is kept, but for the password.
    """
    if visit.request.method != "POST":
        return confirmation_page(visit, visit.url)
    carried = {name: value for name, value in visit.sent.items() if name not in _NOT_CARRIED}
    now, refused = confirmed(visit, visit.url, carried=carried)
    if refused:
        return refused
    # Its page or redirect carries the cookie of the confirmed session.
    return view(now)
