"""Pages with their feeds, comments and favorites (docs/reference/protocol/pages.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.model.answers import Moment, Refused, denied, invalid, not_found
from tests.model.community import Comment, Community, Feed, Page, Token

TITLE, BODY, COMMENT = 255, 10_000, 10_000


@dataclass(frozen=True)
class Draft:
    """A feed to post; without a `uri` it gets the URL of its own page."""

    title: str
    body: str = ""
    uri: str | None = None
    source: str | None = None


class Cursor(NamedTuple):
    """A position in a list: after the entry of that number; `of` is the page or the feed that has the list."""

    of: Page | Feed
    number: int


class Listed(NamedTuple):
    """A part of a list, the number of all its entries, and the cursor of the next part (None: no more entries)."""

    entries: list[dict[str, Any]]
    total: int
    following: Cursor | None


class Contents(Community):
    """The part of the model for feeds, comments and favorites. Any app's own token can read them all."""

    def feed(self, page: str, uri: str, *, hidden: bool = False) -> Feed:
        """Return the feed of a content, whether its page shows it or not; one hidden by a moderator if `hidden`."""
        found = self.page(page).feeds.get(uri)
        if found is None or (found.hidden and not hidden):
            raise not_found()
        return found

    def hide(self, page: str, uri: str, comment: str | None, *, there: bool) -> bool:
        """Hide a feed, or a comment on it, or show it again; return whether that was a change."""
        feed = self.feed(page, uri, hidden=True)
        post = feed if comment is None else next((each for each in feed.comments if each.id == comment), None)
        if post is None:
            raise not_found()
        changed, post.hidden = post.hidden is not there, there
        return changed

    def page_information(self, page: str) -> dict[str, Any]:
        known = self.page(page)
        return {"id": page, "displayName": known.name, "followerCount": len(known.followers)}

    def may_post(self, token: Token, page: str, draft: Draft) -> tuple[str, bool]:
        """Return the name under which a feed would be posted, and whether the page would show it."""
        if not 1 <= len(draft.title) <= TITLE or len(draft.body) > BODY:
            raise invalid()
        here = self.page(page)
        self._need_poster(token)
        if draft.source is not None:
            app, name = here.modules.get(draft.source, (None, ""))
            if app != token.app:
                raise invalid()
        else:
            name = self.apps[token.app]
            if token.app not in [app for app, _ in here.modules.values()]:
                raise denied()
        administers = token.viewer in here.administrators
        standing = here.feeds.get(draft.uri) if draft.uri else None
        if standing and (standing.shown or not administers):
            raise Refused(409, "conflict")
        return name, administers or here.shows == "everyone"

    def post(self, token: Token, page: str, draft: Draft, uri: str, name: str, shown: bool, now: Moment) -> None:
        """Add a feed under the `uri` of the response; it replaces a feed of that `uri` and all its data."""
        urls = {"pcUrl": "", "mobileUrl": "", "smartphoneUrl": ""}
        if uri in self.page(page).feeds:
            self._end(page, uri)
        feed = Feed(uri, draft.title, draft.body, urls, token.viewer, name, shown, now, token.app)
        self.page(page).feeds[uri] = feed
        self.tell("feed.posted", 1, page, feed, token.viewer)

    def delete_feed(self, token: Token, page: str, uri: str) -> None:
        """Delete a feed with its comments and favorites; if it is posted again, it begins without them."""
        feed = self.feed(page, uri, hidden=True)
        self._need_hand(token, page, feed.poster, hidden=feed.hidden)
        self._end(page, uri)

    def _end(self, page: str, uri: str) -> None:
        feed = self.page(page).feeds.pop(uri)
        self.tell("feed.deleted", 2, page, feed, feed.poster)

    def add_comment(self, page: str, feed: Feed, comment: Comment) -> None:
        feed.comments.append(comment)
        self.tell("comment.posted", 1, page, feed, comment.poster)

    def add_favorite(self, page: str, feed: Feed, user: str, favorite: str) -> str:
        """Make a feed a favorite; return the favorite's id, which is the earlier one if it was one already."""
        if user not in feed.favorites:
            feed.favorites[user] = favorite
            self.tell("favorite.added", 1, page, feed, user)
        return feed.favorites[user]

    def delete_page(self, page: str) -> None:
        """Delete a page with its feeds."""
        for uri in list(self.pages[page].feeds) if page in self.pages else ():
            self._end(page, uri)
        self.pages.pop(page, None)

    def may_comment(self, token: Token, page: str, uri: str, text: str) -> Feed:
        if not 1 <= len(text) <= COMMENT:
            raise invalid()
        feed = self.feed(page, uri)
        self._need_poster(token)
        return feed

    def delete_comment(self, token: Token, page: str, uri: str, comment: str) -> None:
        feed = self.feed(page, uri, hidden=True)
        found = [each for each in feed.comments if each.id == comment]
        if not found:
            raise not_found()
        self._need_hand(token, page, found[0].poster, hidden=feed.hidden or found[0].hidden)
        feed.comments.remove(found[0])
        self.tell("comment.deleted", 2, page, feed, found[0].poster)

    def may_favorite(self, token: Token, page: str, uri: str) -> Feed:
        feed = self.feed(page, uri)
        self._need_poster(token)
        return feed

    def unfavorite(self, token: Token, page: str, uri: str, favorite: str) -> None:
        """Delete a favorite. Only its owner may do that; its id begins with the owner's id."""
        feed = self.feed(page, uri)
        owner, dash, _ = favorite.partition("-")
        if dash and owner != token.viewer:
            raise denied()
        if feed.favorites.get(token.viewer) != favorite:
            raise not_found()
        del feed.favorites[token.viewer]
        self.tell("favorite.removed", 2, page, feed, token.viewer)

    def feeds(self, page: str, start: int | Cursor, count: int) -> Listed:
        """Return a part of the feeds that a page shows, newest first."""
        here = self.page(page)
        shown = [feed for feed in here.feeds.values() if feed.shown and not feed.hidden]
        part, following = _cut(here, shown, start, count)
        return Listed([self.feed_entry(feed) for feed in part], len(shown), following)

    def comments(self, page: str, uri: str, start: int | Cursor, count: int) -> Listed:
        """Return a part of the comments on a content, newest first."""
        feed = self.feed(page, uri)
        seen = _seen(feed)
        part, following = _cut(feed, seen, start, count)
        return Listed([self._comment_entry(comment) for comment in part], len(seen), following)

    def feed_entry(self, feed: Feed) -> dict[str, Any]:
        return {
            "contentUri": feed.uri,
            "title": feed.title,
            "body": feed.body,
            "urls": feed.urls,
            "images": [],
            "user": self._poster(feed.poster),
            "favoriteCount": len(feed.favorites),
            "commentCount": len(_seen(feed)),
            "sourceName": feed.source,
            "created": feed.created,
        }

    def _comment_entry(self, comment: Comment) -> dict[str, Any]:
        user = self._poster(comment.poster)
        return {"id": comment.id, "comment": comment.text, "user": user, "created": comment.created}

    def _poster(self, user: str) -> dict[str, str]:
        """Return a poster with the current name and picture."""
        known = self.users[user]
        return {"id": user, "displayName": known["displayName"], "thumbnailUrl": known["thumbnailUrl"]}

    def _need_poster(self, token: Token) -> None:
        if token.viewer not in self.users:
            raise denied()

    def _need_hand(self, token: Token, page: str, poster: str, *, hidden: bool) -> None:
        """Raise unless the viewer is the poster or an administrator of the page: only they may delete.

        For others, there is no hidden post.
        """
        if token.viewer != poster and token.viewer not in self.page(page).administrators:
            raise not_found() if hidden else denied()


def _seen(feed: Feed) -> list[Comment]:
    """Return the comments that are not hidden."""
    return [comment for comment in feed.comments if not comment.hidden]


def _cut(of: Page | Feed, entries: Sequence[Any], start: int | Cursor, count: int) -> tuple[list[Any], Cursor | None]:
    """Return a part of a list from an index or a cursor, and the cursor of the next part."""
    newest = sorted(entries, key=lambda each: -each.number)
    if isinstance(start, Cursor):
        if start.of is not of:
            raise invalid()
        left = [each for each in newest if each.number < start.number]
    else:
        left = newest[start:]
    part = left[:count]
    return part, Cursor(of, part[-1].number) if len(left) > count else None
