"""Posts as the pages of moderation and reports show them: shortened, with their poster, page and picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chalice.app import Request

from chalicelib.api.visit import Visit
from chalicelib.core.actions import user_of
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import NotFound
from chalicelib.core.ids import is_id
from chalicelib.core.model.directory import Page, User
from chalicelib.core.moderation import ListedPost, Post
from chalicelib.store.contents.stored_posts import FoundFeed
from chalicelib.web.html.links import origin_of, pieces
from chalicelib.web.requests import last_parameter

SHOWN_CHARACTERS = 500
"""The most characters of a post on these pages; the page of the feed shows more."""


@dataclass(frozen=True)
class Doer:
    """Who hid a post or answered a report. `user` is the id if it was a user, else ""."""

    name: str
    user: str = ""


@dataclass(frozen=True)
class ShownPost:
    """A post for the templates. `poster` and `place` are None if they are gone; `query` names it in links."""

    post: Post
    query: str
    title: str
    text: Sequence[Any]
    poster: str | None
    poster_id: str
    place: str | None
    picture: str | None
    date: str
    hidden: str | None
    by: Doer | None
    reason: str
    href: str


def asked_post(request: Request, given: Mapping[str, str] | None = None) -> Post:
    """Return the post that the query or a form names. Raises NotFound for what cannot be one."""
    names = ("page", "feed", "comment")
    page, feed, comment = (
        (last_parameter(request, name) if given is None else given.get(name)) or "" for name in names
    )
    if not is_id("page", page) or not feed or len(feed) > 64 or len(comment) > 64 or "/" in feed + comment:
        raise NotFound("There is no such post")
    return Post(page, feed, comment or None)


def post_query(post: Post) -> str:
    """Return the query that names a post in links."""
    return urlencode({"page": post.page, "feed": post.feed} | ({"comment": post.comment} if post.comment else {}))


def shown_post(visit: Visit, entry: ListedPost, people: Mapping[str, User], pages: Mapping[str, Page]) -> ShownPost:
    """Return a post for the templates."""
    feed, comment = entry.feed, entry.comment
    offset = visit.here.settings.utc_offset
    text = comment.text if comment else feed.body
    poster, place = people.get(entry.poster), pages.get(feed.page)
    hidden = comment.hidden if comment else feed.hidden
    picture = None
    if feed.images and not comment:
        picture = visit.here.settings.images_url + feed.images[2].removeprefix("images")
    return ShownPost(
        post=entry.post,
        query=post_query(entry.post),
        title=feed.title,
        text=pieces(text, SHOWN_CHARACTERS),
        poster=poster.display_name if poster else None,
        poster_id=entry.poster,
        place=place.name if place else None,
        picture=picture,
        date=w3cdtf(comment.created if comment else feed.created, offset),
        hidden=None if hidden is None else w3cdtf(hidden, offset),
        by=doer(entry.by, people) if entry.by else None,
        reason=entry.reason,
        href=f"{visit.here.site.path}/pages/{feed.page}/feeds/{feed.id}",
    )


def doer(actor: str, people: Mapping[str, User]) -> Doer:
    """Return an actor of the action log for the templates; a user who is not among `people` by id."""
    user = user_of(actor)
    if user is None:
        return Doer(actor)
    return Doer(people[user].display_name if user in people else user, user)


def read_post(visit: Visit, post: Post, feed: FoundFeed) -> ShownPost:
    """Return one post, hidden or not, for the templates; `feed` is what find_feed returned. Raises NotFound."""
    found, people = visit.here.stored_posts.with_people(post, feed)
    if found is None:
        raise NotFound("There is no such post")
    page, known, comment = found
    return shown_post(visit, ListedPost(known, comment), people, {page.id: page})


def picture_origins(posts: Sequence[ShownPost]) -> list[str]:
    """Return the origins of the pictures, for the page's policy."""
    return [origin for each in posts if each.picture and (origin := origin_of(each.picture))]
