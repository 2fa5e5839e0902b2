"""The web page of a page: `/pages/{page}`, with its details, its apps and its feeds, newest first.

Anyone may see it; people who are signed in follow it and stop following it here. CloudFront keeps it for some seconds
for browsers without a session, as the page of a feed.
"""

from typing import Any
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.api.page_screens.shared import (
    PAGE,
    beside_visit,
    day,
    device_links,
    feed_path,
    image_url,
    origins_of,
    page_id,
    page_path,
    person_line,
    place_line,
    public_page,
    urls_of,
)
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import BadRequest
from chalicelib.core.model.contents import Feed
from chalicelib.core.model.directory import User
from chalicelib.core.model.page_screens import PageScreen
from chalicelib.core.page_forms import shown_options
from chalicelib.core.paging import Paging
from chalicelib.platform import Platform
from chalicelib.web.face import Face
from chalicelib.web.html.links import origin_of, pieces
from chalicelib.web.requests import last_parameter, parameters

FEEDS = 10
"""The feeds of a screen, so that it stays small and cheap."""
PREVIEW = 200
"""The characters of a body that the list of feeds shows."""

face = Face()


@web_route(face, PAGE, instead="public")
def show(here: Platform, request: Request, page: str) -> Response:
    """Show a page with its feeds, newest first; `?cursor=`, from the link to older ones, selects the next part."""
    cursor = last_parameter(request, "cursor") or None
    paging = Paging(cursor=cursor, count=FEEDS)
    done = bool(parameters(request, "done"))
    visit, screen = beside_visit(
        here, request, lambda viewer: here.page_screens.page(page_id(page), paging, viewer, consistent=done)
    )
    return _shown(visit, screen, cursor)


@web_route(face, PAGE, ["POST"])
def follow(here: Platform, request: Request, page: str) -> Response:
    """Follow the page, or stop following it: `action` is `follow` or `unfollow`. Repeated, it changes nothing."""
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    page, user = page_id(page), visit.user.id
    try:
        action = visit.form().get("action")
    except StaleForm:
        paging = Paging(count=FEEDS)
        screen = here.page_screens.page(page, paging, lambda: user)
        return _shown(visit, screen, None, status=400, problem=visit.word("expired"))
    if action == "follow":
        here.pages.members.add_follower(page, user)
        return visit.redirect(page_path(page), done="followed")
    if action == "unfollow":
        here.pages.members.remove_follower(page, user)
        return visit.redirect(page_path(page), done="unfollowed")
    raise BadRequest("action must be follow or unfollow")


def _shown(visit: Visit, screen: PageScreen, cursor: str | None, **more: Any) -> Response:
    here, page, language = visit.here, screen.page, visit.language
    base = here.site.path + page_path(page.id)
    place = place_line(here, page)
    picture = next((url for url in (page.thumbnail_large, page.thumbnail_medium) if origin_of(url)), place.picture)
    feeds = [_line(visit, feed, screen.feeds.posters.get(feed.poster)) for feed in screen.feeds.entries]
    return public_page(
        visit,
        "pages/home",
        images=origins_of([picture, *(feed["image"] for feed in feeds)]),
        base=base,
        url=f"{here.settings.issuer}{page_path(page.id)}",
        place={"name": place.name, "picture": picture},
        preview=" ".join(page.details.split())[:PREVIEW],
        category=visit.word(f"category_{page.category.value}"),
        followers=f"{page.followers:,}",
        details=pieces(page.details),
        options=[(visit.word(f"page_{name}"), value) for name, value in shown_options(page)],
        links=device_links(language, urls_of(page), "page_link", lambda device: f"page_link_{device}"),
        follows=screen.member.follows,
        administers=screen.member.administers,
        signed_in=visit.user is not None,
        sign_in=f"{here.site.path}/sign_in?{urlencode({'to': page_path(page.id)})}",
        apps=_apps(here, screen),
        total=f"{screen.feeds.total:,}",
        feeds=feeds,
        newest=base if cursor else None,
        older=f"{base}?{urlencode({'cursor': screen.feeds.following})}" if screen.feeds.following else None,
        **more,
    )


def _line(visit: Visit, feed: Feed, poster: User | None) -> dict[str, Any]:
    here, offset = visit.here, visit.here.settings.utc_offset
    text = " ".join(feed.body.split())
    return {
        "href": here.site.path + feed_path(feed.page, feed.id),
        "title": feed.title,
        "body": text if len(text) <= PREVIEW else text[: PREVIEW - 1] + "…",
        "image": image_url(here, feed.images[0] if feed.images else None),
        "poster": person_line(visit, poster),
        "date": w3cdtf(feed.created, offset),
        "day": day(visit.language, feed.created, offset),
        "favorites": f"{feed.favorites:,}",
        "comments": f"{feed.comments:,}",
    }


def _apps(here: Platform, screen: PageScreen) -> list[dict[str, Any]]:
    """Return the apps of a page; those that can be started have a link."""
    lines = []
    for module in screen.modules:
        app = screen.apps.get(module.app)
        if app is None:
            continue
        query = urlencode({"page_id": module.page, "module_id": module.id})
        starts = app.start_url is not None and app.suspended is None and here.launch_keys is not None
        lines.append({"name": module.name, "href": f"{here.site.path}/run_page_apps.pl?{query}" if starts else None})
    return lines
