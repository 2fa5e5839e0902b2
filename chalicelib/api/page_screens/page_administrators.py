"""The administrators of a page, for themselves: `/pages/{page}/administrators`.

A person is added by login or id, after the name is confirmed. Whoever is removed, or leaves, is confirmed, too; the
last administrator must also confirm that nobody will administer the page.
"""

from typing import Any

from chalice.app import Request, Response

from chalicelib.api.log_of_actions import page_target, user_target
from chalicelib.api.page_screens.shared import (
    PAGE,
    administered,
    beside_visit,
    check_administers,
    origins_of,
    page_id,
    page_path,
    person_line,
    place_line,
)
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.actions import ActionKind
from chalicelib.core.codecs.checks import is_login
from chalicelib.core.errors import BadRequest, Conflict, NotFound
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import Page, User
from chalicelib.core.model.page_screens import MembersScreen
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.requests import last_parameter

ADMINISTRATORS = f"{PAGE}/administrators"
MOST_FINDS_A_DAY = 50
"""The most times a day that a person looks up another: otherwise a list of names would give all logins."""

face = Face()


@web_route(face, ADMINISTRATORS)
def show(here: Platform, request: Request, page: str) -> Response:
    """List the administrators. With `?remove=` and a user's id, ask whether that one is to be removed."""
    removed = last_parameter(request, "remove")
    cursor = None if removed else last_parameter(request, "cursor") or None
    visit, screen = beside_visit(
        here, request, lambda viewer: here.page_administration.administrators(page_id(page), cursor, viewer)
    )
    if visit.user is None:
        return visit.sign_in()
    check_administers(screen.member)
    if removed:
        return _removing(visit, screen, removed)
    return _listed(visit, screen)


@web_route(face, ADMINISTRATORS, ["POST"])
def change(here: Platform, request: Request, page: str) -> Response:
    """`action` is `find` (`person`: a login or an id), or `add` or `remove` (`user`; `last` confirms the last one)."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    known = administered(visit, page)
    try:
        form = visit.form()
    except StaleForm:
        return _again(visit, known, problem=visit.word("expired"))
    match form.get("action"):
        case "find":
            return _found(visit, known, form.get("person", "").strip())
        case "add":
            return _add(visit, known, form.get("user", ""))
        case "remove":
            return _remove(visit, known, form.get("user", ""))
    raise BadRequest("action must be find, add or remove")


def _found(visit: Visit, page: Page, person: str) -> Response:
    """Return the page that asks whether the person with a login or an id is to be added."""
    here = visit.here
    if not here.daily_counts.count("find", visit.signed_in.id, MOST_FINDS_A_DAY):
        return _again(visit, page, status=429, problem=visit.word("find_often"))
    login = person.lower()
    owner = here.users.login_owners([login]).get(login) if is_login(login) else None
    user = here.users.get(owner or person) if owner or is_id("user", person) else None
    if user is None or user.suspended is not None:
        return _again(visit, page, problems={"person": visit.word("person_unknown")})
    return _page(visit, page, adding=person_line(visit, user))


def _add(visit: Visit, page: Page, user: str) -> Response:
    here = visit.here
    known = here.users.get(user) if is_id("user", user) else None
    if known is None or known.suspended is not None:
        return _again(visit, page, problems={"person": visit.word("person_unknown")})
    kind = ActionKind.ADMINISTRATOR_ADDED
    with visit.logged(kind, page_target(page.id, user_target(user))) as entry:
        entry.changed = here.pages.members.add_administrator(page.id, user)
    return visit.redirect(page_path(page.id, "/administrators"), done="administrator_added")


def _remove(visit: Visit, page: Page, user: str) -> Response:
    """Remove an administrator. Without the second confirmation, another one must remain at that moment."""
    here = visit.here
    if not is_id("user", user):
        raise NotFound("There is no such person")
    other = None
    if "last" not in visit.sent:
        other = _other(visit, page, user)
        if other is None:
            return _last(visit, page, user)
    kind = ActionKind.ADMINISTRATOR_REMOVED
    try:
        with visit.logged(kind, page_target(page.id, user_target(user))) as entry:
            entry.changed = here.pages.members.remove_administrator(page.id, user, while_other=other)
    except Conflict:  # The other one has left in the meantime.
        return _last(visit, page, user)
    if user == visit.signed_in.id:
        return visit.redirect(page_path(page.id), done="page_left")
    return visit.redirect(page_path(page.id, "/administrators"), done="administrator_removed")


def _other(visit: Visit, page: Page, user: str) -> str | None:
    """Return another administrator of a page, or None if there is no other."""
    ids, _ = visit.here.pages.members.administrators(page.id, None, 2)
    return next((each for each in ids if each != user), None)


def _removing(visit: Visit, screen: MembersScreen, user: str, **more: Any) -> Response:
    """Return the page that asks whether an administrator is to be removed; the screen has the first of them."""
    known = screen.users.get(user) or (visit.here.users.get(user) if is_id("user", user) else None)
    if known is None:
        raise NotFound("There is no such person")
    last = all(each == user for each in screen.ids)
    return _page(visit, screen.page, removing=person_line(visit, known), last=last, **more)


def _last(visit: Visit, page: Page, user: str) -> Response:
    """Return the page that asks again, since nobody else would administer the page."""
    problems = {"last": visit.word("last_administrator_needed")}
    return _removing(visit, _screen(visit, page), user, problems=problems, status=409)


def _screen(visit: Visit, page: Page) -> MembersScreen:
    return visit.here.page_administration.administrators(page.id, None, lambda: visit.signed_in.id)


def _again(visit: Visit, page: Page, **more: Any) -> Response:
    screen = _screen(visit, page)
    return _listed(visit, screen, **{"status": 400, **more})


def _listed(visit: Visit, screen: MembersScreen, **more: Any) -> Response:
    users: list[User | None] = [screen.users.get(each) for each in screen.ids]
    cursor = last_parameter(visit.request, "cursor")
    return _page(
        visit,
        screen.page,
        administrators=[person_line(visit, user) for user in users if user],
        first="?" if cursor else None,
        following=f"?cursor={screen.following}" if screen.following else None,
        **more,
    )


def _page(visit: Visit, page: Page, **values: Any) -> Response:
    here = visit.here
    place, base = place_line(here, page), here.site.path + page_path(page.id)
    people = [*values.get("administrators", []), values.get("adding"), values.get("removing")]
    empty: dict[str, Any] = {"adding": None, "removing": None, "last": False, "problems": {}}
    return visit.page(
        "pages/administrators",
        images=origins_of([place.picture, *(person.picture for person in people if person)]),
        place=place,
        base=base,
        action=f"{base}/administrators",
        person=visit.sent.get("person", ""),
        **{**empty, **values},
    )
