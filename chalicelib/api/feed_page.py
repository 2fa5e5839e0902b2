"""The page of one feed: `/pages/{page}/feeds/{feed}`, the default of a feed's `contentUri`.

Feeds are public, so anyone may see it: the post, its poster and app, the number of favorites, and the comments, newest
first. If the mixi page does not show the feed, this page says so instead of naming the mixi page as the place.
CloudFront caches it for some seconds for users who are not signed in, because each request costs calls and anyone may
send one. A browser that is signed in here always gets the current page.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import NotFound
from chalicelib.core.ids import is_id
from chalicelib.core.model.contents import Comment, ContentsPart, Feed
from chalicelib.core.model.directory import Page, User
from chalicelib.core.paging import Paging
from chalicelib.platform import Platform
from chalicelib.web.face import Face, Token
from chalicelib.web.html import rendering
from chalicelib.web.html.links import is_web, origin_of, pieces
from chalicelib.web.html.rendering import error_page, language_of
from chalicelib.web.html.texts import Language, word
from chalicelib.web.requests import parameters

KEPT = "public, max-age=0, s-maxage=5"
"""For users who are not signed in: a shared cache may keep the page for five seconds, a browser may not."""
COMMENT_CHARACTERS = 1_000
"""The maximum length of a shown comment, to keep a page of twenty small; the Page API returns the whole comment."""
_FEED = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PREVIEW = 200
"""The number of characters of the body in a link preview."""


@dataclass(frozen=True)
class PosterLine:
    """A person or a page as shown; `name` is None if they are gone. Its first letter replaces a missing picture."""

    name: str | None
    picture: str | None

    @property
    def letter(self) -> str:
        """The text that replaces a missing picture."""
        return (self.name or "").strip()[:1]


face = Face()


@face.route("/pages/{page}/feeds/{feed}", methods=["GET"], token=Token.NONE, instead="public", refused=error_page)
def show(here: Platform, request: Request, page: str, feed: str) -> Response:
    """Show a feed with its comments, newest first; `?cursor=`, from the link to older ones, selects the next part."""
    if not is_id("page", page) or not _FEED.fullmatch(feed):
        raise NotFound("There is no such post")
    posted, posters = here.feeds.by_id(page, feed)
    cursor = next(iter(parameters(request, "cursor")), None) or None
    comments = here.comments.part(page, posted.content_uri, Paging(cursor=cursor))
    of = here.pages.get(page)
    if of is None:
        raise NotFound("There is no such post")
    known = {**posters, **comments.posters}
    return _shown(here, request, of, posted, known, comments, cursor)


def _shown(
    here: Platform,
    request: Request,
    of: Page,
    feed: Feed,
    posters: Mapping[str, User],
    comments: ContentsPart[Comment],
    cursor: str | None,
) -> Response:
    language = language_of(request)
    offset = here.settings.utc_offset
    image = here.settings.images_url + feed.images[0].removeprefix("images") if feed.images else None
    place, poster = _who(of.name, of.thumbnail_small), _user(posters.get(feed.poster))
    said = [(_user(posters.get(each.poster)), each) for each in comments.entries]
    asked = {name: values[0] for name in ("lang",) if (values := parameters(request, name))}
    pictures = [image, place.picture if feed.shown else None, poster.picture, *(who.picture for who, _ in said)]
    return rendering.page(
        "feed",
        language,
        here.site,
        headers={} if here.sessions.is_named_in(request) else {"Cache-Control": KEPT},
        images=[origin for each in pictures if each and (origin := origin_of(each))],
        url=f"{here.settings.issuer}/pages/{of.id}/feeds/{feed.id}",
        other_url=_query({"cursor": cursor, "lang": language.other.value}),
        place=place,
        shown=feed.shown,
        poster=poster,
        title=feed.title,
        preview=" ".join(feed.body.split())[:_PREVIEW],
        body=pieces(feed.body),
        image=image,
        links=_links(language, feed),
        source=feed.source_name,
        date=w3cdtf(feed.created, offset),
        day=_day(language, feed.created, offset),
        favorites=f"{feed.favorites:,}",
        count=f"{comments.total:,}",
        comments=[
            {
                "who": who,
                "text": pieces(_shortened(each.text)),
                "date": w3cdtf(each.created, offset),
                "day": _day(language, each.created, offset),
            }
            for who, each in said
        ],
        older=f"{_query(asked | {'cursor': comments.following})}#comments" if comments.following else None,
        newest=f"{_query(asked)}#comments" if cursor else None,
    )


def _shortened(text: str) -> str:
    return text if len(text) <= COMMENT_CHARACTERS else text[: COMMENT_CHARACTERS - 1] + "…"


def _who(name: str, picture: str) -> PosterLine:
    return PosterLine(name, picture if origin_of(picture) else None)


def _user(user: User | None) -> PosterLine:
    return _who(user.display_name, user.thumbnail_url) if user else PosterLine(None, None)


def _links(language: Language, feed: Feed) -> Sequence[Mapping[str, Any]]:
    """Return the feed's links to its app, each URL once; if there are several, their labels name the device."""
    given = {"pc": feed.pc_url, "smartphone": feed.smartphone_url, "mobile": feed.mobile_url}
    kept: dict[str, str] = {}
    for device, url in given.items():
        if is_web(url) and url not in kept.values():
            kept[device] = url
    label = word(language, "open_app")
    return [
        {"url": url, "device": device, "label": label if len(kept) == 1 else word(language, f"open_app_{device}")}
        for device, url in kept.items()
    ]


def _day(language: Language, milliseconds: int, offset: int) -> str:
    """Return a time as people write it, to the minute."""
    time = datetime.fromisoformat(w3cdtf(milliseconds, offset))
    if language is Language.JAPANESE:
        return f"{time.year}年{time.month}月{time.day}日 {time:%H:%M}"
    return f"{time.day} {time:%B} {time.year}, {time:%H:%M}"


def _query(values: Mapping[str, str | None]) -> str:
    """Return a link to the same page; it is relative because API Gateway's stage may be part of the path."""
    return "?" + urlencode({name: value for name, value in values.items() if value is not None})
