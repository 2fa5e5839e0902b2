"""The page of one feed: `/pages/{page}/feeds/{feed}`, the default of a feed's `contentUri`.

Feeds are public, so anyone may see it: the post, its poster and app, the number of favorites, and the comments, newest
first. If the mixi page does not show the feed, this page says so instead of naming the mixi page as the place.
CloudFront caches it for some seconds for browsers without a session, because each request costs calls and anyone may
send one. A browser that is signed in here always gets the current page. People who are signed in comment and favorite
here, under the rules of the Page API.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from chalice.app import Request, Response

from chalicelib.api.error_pages import error_page
from chalicelib.api.page_screens.shared import (
    FEED,
    beside_visit,
    busy,
    day,
    device_links,
    feed_ids,
    feed_path,
    image_url,
    new_key,
    origins_of,
    performed_once,
    person_line,
    place_line,
    problem_texts,
    public_page,
    urls_of,
)
from chalicelib.api.shown_posts import post_query
from chalicelib.api.visit import StaleForm, Visit, web_route
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import BadRequest, NotFound, StillRunning, Unavailable
from chalicelib.core.imaging.renditions import page_key
from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.page_screens import FeedScreen
from chalicelib.core.moderation import Post
from chalicelib.core.page_forms import KEY, read_comment_text
from chalicelib.core.roles import Action, allows
from chalicelib.platform import Platform
from chalicelib.store.aws.transactions import AnswerRecord
from chalicelib.web.face import Face, Token
from chalicelib.web.html.links import pieces
from chalicelib.web.html.rendering import BRANDS
from chalicelib.web.html.texts import Language
from chalicelib.web.requests import last_parameter, parameters

COMMENT_CHARACTERS = 1_000
"""The maximum length of a shown comment, to keep a page of twenty small; the Page API returns the whole comment."""
_PREVIEW = 200
"""The number of characters of the body in a link preview."""

face = Face()


@face.route(FEED, methods=["GET"], token=Token.NONE, instead="public", refused=error_page)
def show(here: Platform, request: Request, page: str, feed: str) -> Response:
    """Show a feed with its comments, newest first; `?cursor=`, from the link to older ones, selects the next part."""
    page, feed = feed_ids(page, feed)
    cursor = last_parameter(request, "cursor") or None
    done = bool(parameters(request, "done"))
    visit, screen = beside_visit(
        here, request, lambda viewer: here.page_screens.feed(page, feed, cursor, viewer, consistent=done)
    )
    return _shown(visit, screen, cursor)


@web_route(face, FEED, ["POST"])
def act(here: Platform, request: Request, page: str, feed: str) -> Response:
    """Carry out a form: `action` is `comment` (with `comment`), `favorite`, or `unfavorite` (with `favorite`).

    A comment that is sent twice with the same `key` is posted once. A problem is shown above the form, with the text
    as it was typed.
    """
    page, feed = feed_ids(page, feed)
    visit = Visit.of(here, request)
    if visit.user is None:
        return visit.sign_in()
    try:
        form = visit.form()
    except StaleForm:
        return _again(visit, page, feed, problem=visit.word("expired"), status=400)
    content_uri = here.page_screens.content_uri(page, feed)
    match form.get("action"):
        case "comment":
            return _comment(visit, page, feed, content_uri)
        case "favorite":
            here.favorites.add(page, content_uri, visit.user.id)
            return visit.redirect(feed_path(page, feed), done="favorited")
        case "unfavorite":
            with suppress(NotFound):  # Another tab has removed it.
                here.favorites.remove(page, content_uri, form.get("favorite", ""), visit.user.id)
            return visit.redirect(feed_path(page, feed), done="unfavorited")
    raise BadRequest("action must be comment, favorite or unfavorite")


def _comment(visit: Visit, page: str, feed: str, content_uri: str) -> Response:
    here, user = visit.here, visit.signed_in.id
    text, problems = read_comment_text(visit.sent.get("comment", ""))
    if text is None:
        return _again(visit, page, feed, problems=problem_texts(visit, problems), status=400)
    posted: str = text

    def store(record: AnswerRecord | None) -> str:
        return here.comments.post(page, content_uri, user, posted, record).id

    said = {"page": page, "contentUri": content_uri, "comment": text}
    try:
        performed_once(visit, f"POST {FEED}", said, store)
    except (Unavailable, StillRunning) as refusal:
        return _again(visit, page, feed, **busy(visit, refusal))
    return visit.redirect(feed_path(page, feed), done="commented")


def _again(visit: Visit, page: str, feed: str, **more: Any) -> Response:
    """Return the page once more, with a problem, and with the comment as it was typed."""
    screen = visit.here.page_screens.feed(page, feed, None, lambda: visit.signed_in.id)
    return _shown(visit, screen, None, typed=visit.sent.get("comment", ""), **more)


def _shown(
    visit: Visit,
    screen: FeedScreen,
    cursor: str | None,
    *,
    typed: str = "",
    problems: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    here, feed, of, language = visit.here, screen.feed, screen.page, visit.language
    offset, base = here.settings.utc_offset, here.site.path + feed_path(screen.page.id, screen.feed.id)
    image = image_url(here, page_key(feed.images))
    place, poster = place_line(here, of), person_line(visit, screen.posters.get(feed.poster))
    comments = [_line(visit, screen, each) for each in screen.comments.entries]
    asked = {name: values[0] for name in ("lang",) if (values := parameters(visit.request, name))}
    hidden = [_line(visit, screen, each) for each in screen.hidden]
    faces = [one["who"].picture for one in [*comments, *hidden]]
    pictures = [image, place.picture if feed.shown else None, poster.picture, *faces]
    following = screen.comments.following
    own = _is_own(visit, feed.poster)
    return public_page(
        visit,
        "pages/feed",
        images=origins_of(pictures),
        base=base,
        url=f"{here.settings.issuer}{feed_path(of.id, feed.id)}",
        place=place,
        shown=feed.shown,
        poster=poster,
        title=feed.title,
        preview=" ".join(feed.body.split())[:_PREVIEW],
        body=pieces(feed.body),
        image=image,
        links=_links(here, language, feed),
        source=feed.source_name,
        date=w3cdtf(feed.created, offset),
        day=day(language, feed.created, offset),
        favorites=f"{feed.favorites:,}",
        count=f"{feed.comments:,}",
        comments=comments,
        hidden=feed.hidden is not None,
        hidden_comments=hidden,
        older=f"{_query(asked | {'cursor': following})}#comments" if following else None,
        newest=f"{_query(asked)}#comments" if cursor else None,
        signed_in=visit.user is not None,
        takes_posts=visit.user is not None and feed.hidden is None,
        sign_in=f"{here.site.path}/sign_in?{urlencode({'to': feed_path(of.id, feed.id)})}",
        favorite=screen.favorite,
        delete=f"{base}/delete" if own or screen.member.administers else None,
        reported={"page": of.id, "feed": feed.id},
        moderate=_moderation(visit, Post(of.id, feed.id)),
        may_report=visit.user is not None and not own and feed.hidden is None,
        key=kept if KEY.fullmatch(kept := visit.sent.get("key", "")) else new_key(),
        typed=typed,
        problems=problems or {},
        **more,
    )


def _line(visit: Visit, screen: FeedScreen, comment: Comment) -> dict[str, Any]:
    offset = visit.here.settings.utc_offset
    own, hidden = _is_own(visit, comment.poster), comment.hidden is not None or screen.feed.hidden is not None
    may_report = visit.user is not None and not own and not hidden
    delete = feed_path(screen.page.id, screen.feed.id, "/delete") + f"?{urlencode({'comment': comment.id})}"
    return {
        "who": person_line(visit, screen.posters.get(comment.poster)),
        "text": pieces(comment.text, COMMENT_CHARACTERS),
        "date": w3cdtf(comment.created, offset),
        "day": day(visit.language, comment.created, offset),
        "delete": visit.here.site.path + delete if own or screen.member.administers else None,
        "moderate": _moderation(visit, Post(screen.page.id, screen.feed.id, comment.id)),
        "report": comment.id if may_report else None,
    }


def _links(here: Platform, language: Language, feed: Feed) -> Sequence[Mapping[str, Any]]:
    """Return the links of a feed: to its app, or, if it was posted on our own pages, to where the poster says."""
    if feed.source_name in (here.settings.name, *BRANDS.values()):
        return device_links(language, urls_of(feed), "open_link", lambda device: f"open_link_{device}")
    return device_links(language, urls_of(feed), "open_app", lambda device: f"open_app_{device}")


def _moderation(visit: Visit, post: Post) -> str | None:
    """Return where the visitor may moderate a post, or None."""
    if visit.user is None or not allows(visit.user.role, Action.MODERATE):
        return None
    return f"{visit.here.site.path}/console/moderation/post?{post_query(post)}"


def _is_own(visit: Visit, poster: str) -> bool:
    return visit.user is not None and visit.user.id == poster


def _query(values: Mapping[str, str | None]) -> str:
    """Return a link to the same page; it is relative because API Gateway's stage may be part of the path."""
    return "?" + urlencode({name: value for name, value in values.items() if value is not None})
