"""The lists of a member: `/apps`, `/friends`, `/pages`, and the page of a person, `/people/{user}`.

All are for people who are signed in. A person's page shows name and picture, which posts show to everyone, and the
fields of the profile that the person shows to someone as close as the reader (core/permission.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from chalice.app import Request, Response

from chalicelib.api.visit import Visit, web_route
from chalicelib.core.errors import NotFound
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import App, Page, User
from chalicelib.core.people import shown_profile
from chalicelib.platform import Platform
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.web.face import Face
from chalicelib.web.html.links import is_web, origin_of
from chalicelib.web.requests import last_parameter

face = Face()

COUNT = 50
"""The number of entries in a part of a list."""


@dataclass(frozen=True)
class Entry:
    """A line of a list: its name and picture, where it leads (None: nowhere), and a second line."""

    name: str
    picture: str = ""
    href: str | None = None
    note: str = ""


@web_route(face, "/apps")
def apps(here: Platform, request: Request) -> Response:
    """Show the apps that the reader has installed; `?cursor=` selects the next part."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    ids, following = here.friends_and_installs.installs(visit.user.id, _cursor(visit), COUNT)
    found = here.apps.get_many(ids)
    entries = [app_entry(found[app]) for app in ids if app in found]
    return _list(visit, "my_apps", "no_apps_yet", entries, following, more=(("/settings/apps", "manage_apps"),))


@web_route(face, "/friends")
def friends(here: Platform, request: Request) -> Response:
    """Show the reader's friends; `?cursor=` selects the next part."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    ids, following = here.friends_and_installs.friends(visit.user.id, _cursor(visit), COUNT)
    found = here.users.get_many(ids)
    entries = [user_entry(visit, found[user]) for user in ids if user in found]
    me = (f"/people/{visit.user.id}", "my_page")
    return _list(visit, "my_friends", "no_friends_yet", entries, following, more=(me,))


@web_route(face, "/pages")
def pages(here: Platform, request: Request) -> Response:
    """Show the pages that the reader follows, or with `?list=administered` administers; `?cursor=` as above."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    administers = last_parameter(request, "list") == "administered"
    read = here.pages.members.administered if administers else here.pages.members.followed
    ids, following = read(visit.user.id, _cursor(visit), COUNT)
    found = here.pages.get_many(ids)
    entries = [page_entry(visit, found[page]) for page in ids if page in found]
    other = ("/pages", "followed_pages") if administers else ("/pages?list=administered", "administered_pages")
    title = "administered_pages" if administers else "followed_pages"
    return _list(visit, title, "no_pages_yet", entries, following, more=(other,))


@web_route(face, "/people/{user}")
def person(here: Platform, request: Request, user: str) -> Response:
    """Show a person: name, picture, and what they show of their profile to the reader."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    if not is_id("user", user):
        raise NotFound
    known, closeness = here.people.as_seen_by(visit.user, user)
    if known is None or known.suspended is not None:
        raise NotFound
    return visit.page(
        "member/person",
        images=origins([known.thumbnail_url]),
        person=known,
        closeness=closeness.name.lower(),
        picture=known.thumbnail_url if origin_of(known.thumbnail_url) else "",
        profile=shown_profile(known, closeness),
        profile_url=known.profile_url if is_web(known.profile_url) else "",
    )


def app_entry(app: App) -> Entry:
    """Return the line of an app; it leads to the app's own site, if it has one."""
    return Entry(app.name, app.icon_url, app.homepage_url or None, app.developer)


def user_entry(visit: Visit, user: User) -> Entry:
    """Return the line of a person; it leads to their page."""
    return Entry(user.display_name, user.thumbnail_url, f"{visit.here.site.path}/people/{user.id}")


def page_entry(visit: Visit, page: Page) -> Entry:
    """Return the line of a page, with the number of its followers."""
    target = f"{visit.here.site.path}/pages/{page.id}"
    return Entry(page.name, page.thumbnail_small, target, visit.word("followers_count", count=f"{page.followers:,}"))


def origins(pictures: Iterable[str]) -> list[str]:
    """Return the origins of pictures, for the policy of a page that shows them."""
    return [origin for each in pictures if each and (origin := origin_of(each))]


def home_lists(visit: Visit, user: User, count: int) -> dict[str, Sequence[Entry]]:
    """Return the first entries of each list of a member, by the name of its text (two rounds of calls)."""
    here, id_ = visit.here, user.id
    members = here.pages.members
    installed, befriended, administered, followed = side_by_side(
        [
            partial(here.friends_and_installs.installs, id_, count=count),
            partial(here.friends_and_installs.friends, id_, count=count),
            partial(members.administered, id_, count=count),
            partial(members.followed, id_, count=count),
        ]
    )
    known_apps: dict[str, App] = {}
    known_users: dict[str, User] = {}
    known_pages: dict[str, Page] = {}
    side_by_side(
        [
            lambda: known_apps.update(here.apps.get_many(installed[0])),
            lambda: known_users.update(here.users.get_many(befriended[0])),
            lambda: known_pages.update(here.pages.get_many({*administered[0], *followed[0]})),
        ]
    )
    return {
        "my_apps": [app_entry(known_apps[each]) for each in installed[0] if each in known_apps],
        "my_friends": [user_entry(visit, known_users[each]) for each in befriended[0] if each in known_users],
        "administered_pages": [page_entry(visit, known_pages[each]) for each in administered[0] if each in known_pages],
        "followed_pages": [page_entry(visit, known_pages[each]) for each in followed[0] if each in known_pages],
    }


def _list(
    visit: Visit,
    title: str,
    empty: str,
    entries: Sequence[Entry],
    following: str | None,
    *,
    more: Sequence[tuple[str, str]] = (),
) -> Response:
    cursor, kind = _cursor(visit), last_parameter(visit.request, "list")
    kept = "list=administered&" if kind == "administered" else ""
    return visit.page(
        "member/list",
        images=origins(entry.picture for entry in entries),
        title=visit.word(title),
        empty=visit.word(empty),
        entries=entries,
        first=f"?{kept}".rstrip("&") if cursor else None,
        following=f"?{kept}cursor={following}" if following else None,
        more=[(visit.here.site.path + path, visit.word(text)) for path, text in more],
    )


def _cursor(visit: Visit) -> str | None:
    return last_parameter(visit.request, "cursor") or None
