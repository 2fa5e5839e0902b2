"""The console's pages of users: find them, and see a person with friends, apps, pages, sessions and posts."""

from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Response

from chalicelib.api.admin.routes import existing, known_id
from chalicelib.api.console.frame import console_route
from chalicelib.api.console.search import search_page
from chalicelib.api.shown_posts import post_query
from chalicelib.api.visit import Visit
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import NotFound
from chalicelib.core.model.directory import User
from chalicelib.core.roles import Action, Role, allows
from chalicelib.web.face import Face
from chalicelib.web.html.links import origin_of
from chalicelib.web.requests import last_parameter

USERS = "/console/users"
USER = "/console/users/{user}"
COUNT = 20

face = Face()


@console_route(face, USERS, action=Action.FIND_USERS)
def find_users(visit: Visit) -> Response:
    """Find users by id, or by the beginning of login or display name: `q`, `cursor`."""
    search = visit.here.search
    return search_page(visit, "console/users", search.users, None, "users_wrong_search", may=permissions(visit))


@console_route(face, USER, action=Action.SEE_USER)
def show_user(visit: Visit, user: str) -> Response:
    """Show a person: profile, friends, apps with grants, pages and sessions, and what can be done."""
    return user_page(visit, user)


@console_route(face, f"{USER}/list/{{name}}", action=Action.SEE_USER)
def show_list(visit: Visit, user: str, name: str) -> Response:
    """Show part of a list of a person: friends, apps, administers, follows, feeds or comments. `cursor`."""
    found, cursor = known_id("user", user), last_parameter(visit.request, "cursor")
    here = visit.here.user_overviews
    reads: Mapping[str, Callable[[], tuple[User, list[Any], str | None]]] = {
        "friends": lambda: here.friends(found, cursor, COUNT),
        "apps": lambda: here.apps(found, cursor, COUNT),
        "administers": lambda: here.pages(found, cursor, COUNT, administered=True),
        "follows": lambda: here.pages(found, cursor, COUNT, administered=False),
        "feeds": lambda: here.feeds(found, cursor),
        "comments": lambda: here.comments(found, cursor),
    }
    if name not in reads:
        raise NotFound
    known, entries, following = reads[name]()
    return visit.page(
        "console/user_list",
        user=known,
        name=name,
        entries=entries,
        cursor=cursor,
        following=following,
        may=permissions(visit),
        when=lambda milliseconds: when(visit, milliseconds),
        query_of=post_query,
    )


def user_page(visit: Visit, user: str, *, status: int = 200, problem: str | None = None) -> Response:
    """Return the page of a person. Raises NotFound."""
    found = visit.here.user_overviews.overview(known_id("user", user))
    known = found.user
    picture = origin_of(known.thumbnail_url)
    return visit.page(
        "console/user",
        images=[picture] if picture else [],
        picture=known.thumbnail_url if picture else "",
        status=status,
        problem=problem,
        user=known,
        found=found,
        may=permissions(visit),
        is_own=known.id == visit.signed_in.id,
        roles=[role.value for role in Role],
        when=lambda milliseconds: when(visit, milliseconds),
    )


def known_user(visit: Visit, user: str) -> User:
    """Return the user of a path. Raises NotFound."""
    return existing("user", user, visit.here.users.get(known_id("user", user)))


def permissions(visit: Visit) -> Mapping[str, bool]:
    """Return which actions the visitor's role allows, by the names of the actions."""
    return {action.name: allows(visit.signed_in.role, action) for action in Action}


def when(visit: Visit, milliseconds: int) -> str:
    """Return a time to the minute, with the platform's offset."""
    return w3cdtf(milliseconds, visit.here.settings.utc_offset)[:16].replace("T", " ")
