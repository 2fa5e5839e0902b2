"""Requests for feeds, comments and favorites, sent to both the server and the model."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from chalicelib.store.aws.items import typed
from chalicelib.store.contents.items import content_of, feed_of, head_key
from tests.kit.pair import Pair, outcome
from tests.model.answers import Moment, Refused
from tests.model.community import Comment, Token
from tests.model.contents import Cursor, Draft

ADDRESS = {"zipCode": "150-0001", "address": "東京都", "pcUrl": "https://cafe.example/"}
COMMENTS = "engawa-local-comments"
URIS = [f"http://quest.example/contents/{number}" for number in range(3)]


@dataclass
class ContentPair(Pair):
    """A pair that remembers everything that was created, also after its deletion."""

    uris: list[str] = field(default_factory=lambda: list(URIS))
    comments: list[str] = field(default_factory=lambda: ["00000ZABCDEFG-20260401000000"])
    favorites: list[str] = field(default_factory=lambda: ["nobody"])
    cursors: list[tuple[str, Cursor]] = field(default_factory=list)
    """Each cursor in the server's form and in the model's."""
    posted: set[tuple[str, str]] = field(default_factory=set)
    """Page and contentUri of every feed that ever existed."""
    replaced: int = 0
    """The number of feeds that were not shown and that an administrator's feed has replaced."""

    def post(self, token: Token, page: str, draft: Draft) -> None:
        """Post a feed. If it gets the address of its own page, the address must be new."""
        body = {"title": draft.title, "body": draft.body, "contentUri": draft.uri, "sourceId": draft.source}
        begun = time.time()
        found = outcome(lambda: self.asker.page("POST", f"{page}/feeds", token, json=body)["contentUri"])
        expected = outcome(lambda: self.model.may_post(token, page, draft))
        if (both := self.answers(expected, found)) is None:
            return
        admitted, uri = both
        if draft.uri is None:
            assert uri.startswith(f"{self.crowd.platform.settings.issuer}/pages/{page}/feeds/")
            assert (page, uri) not in self.posted, "an address that was given before"
            self.uris.append(uri)
        else:
            self.agree(draft.uri, uri)
        self.posted.add((page, uri))
        self.replaced += uri in self.model.pages[page].feeds
        self.model.post(token, page, draft, uri, *admitted, Moment.since(begun))

    def part(self, token: Token, page: str, uri: str | None, start: int, cursor: int | None, size: int) -> bool:
        """Read part of a list, from an index or from an earlier cursor, and return whether more follows."""
        given = self.cursors[cursor % len(self.cursors)] if cursor is not None and self.cursors else None
        query = {"cursor": given[0]} if given else {"startIndex": start}
        path = f"{page}/feeds" if uri is None else f"{page}/comments"
        found = outcome(lambda: self.asker.page("GET", path, token, contentUri=uri, count=size, **query))
        begin = given[1] if given else start
        expected = outcome(
            lambda: self.model.feeds(page, begin, size) if uri is None else self.model.comments(page, uri, begin, size)
        )
        if (both := self.answers(expected, found)) is None:
            return False
        listed, answer = both
        following = answer.pop("nextCursor", None)
        counters = {"itemsPerPage": len(listed.entries), "totalResults": listed.total}
        counters |= {} if given else {"startIndex": start}
        self.agree({"entry": listed.entries, **counters}, answer)
        assert (following is None) == (listed.following is None)
        if listed.following:
            self.cursors.append((following, listed.following))
        return following is not None

    def walk(self, token: Token, page: str, uri: str | None, size: int) -> None:
        """Read a whole list, by cursors and by indexes."""
        more = self.part(token, page, uri, 0, None, size)
        start = 0
        while more:
            newest, start = len(self.cursors) - 1, start + size
            self.part(token, page, uri, start, None, size)
            more = self.part(token, page, uri, 0, newest, size)

    def feed(self, token: Token, page: str, uri: str) -> None:
        self.both(
            lambda: self.asker.page("GET", f"{page}/feeds", token, contentUri=uri)["entry"],
            lambda: self.model.feed_entry(self.model.feed(page, uri)),
        )

    def delete_feed(self, token: Token, page: str, uri: str) -> None:
        self.both(
            lambda: self.asker.page("DELETE", f"{page}/feeds", token, contentUri=uri),
            lambda: self.model.delete_feed(token, page, uri),
        )

    def comment(self, token: Token, page: str, uri: str, text: str) -> None:
        """Post a comment; its id must be new."""
        begun = time.time()
        told = {"comment": text}
        found = outcome(lambda: self.asker.page("POST", f"{page}/comments", token, json=told, contentUri=uri)["id"])
        expected = outcome(lambda: self.model.may_comment(token, page, uri, text))
        if both := self.answers(expected, found):
            feed, id = both
            assert id not in self.comments, "an id that was given before"
            self.comments.append(id)
            self.model.add_comment(page, feed, Comment(id, text, token.viewer, Moment.since(begun)))

    def delete_comment(self, token: Token, page: str, uri: str, comment: str) -> None:
        self.both(
            lambda: self.asker.page("DELETE", f"{page}/comments/{comment}", token, contentUri=uri),
            lambda: self.model.delete_comment(token, page, uri, comment),
        )

    def hide(self, page: str, uri: str, comment: str | None, *, there: bool) -> None:
        """Hide a feed or a comment as a moderator, or show it again. The ids of feeds are not in the Page API."""
        key = typed(head_key(content_of(page, uri)))
        head = self.crowd.dynamodb.get_item(TableName=COMMENTS, Key=key, ConsistentRead=True).get("Item")
        path = f"pages/{page}/feeds/{feed_of(head) if head else 1_000_000}"
        path += f"/comments/{comment}/hidden" if comment else "/hidden"
        self.both(
            lambda: self.asker.admin("PUT" if there else "DELETE", path)["changed"],
            lambda: self.model.hide(page, uri, comment, there=there),
        )

    def favorite(self, token: Token, page: str, uri: str) -> None:
        """Make a feed a favorite. A repeated request must return the same id."""
        found = outcome(lambda: self.asker.page("POST", f"{page}/favorites", token, contentUri=uri)["id"])
        expected = outcome(lambda: self.model.may_favorite(token, page, uri))
        if both := self.answers(expected, found):
            feed, id = both
            self.agree(self.model.add_favorite(page, feed, token.viewer, id), id)
            self.favorites.append(id)

    def unfavorite(self, token: Token, page: str, uri: str, favorite: str) -> None:
        path = f"{page}/favorites/{favorite}"
        self.both(
            lambda: self.asker.page("DELETE", path, token, contentUri=uri),
            lambda: self.model.unfavorite(token, page, uri, favorite),
        )

    def favorites_of(self, token: Token, page: str, uri: str) -> None:
        found = outcome(lambda: self.asker.page("GET", f"{page}/favorites", token, contentUri=uri)["count"])
        if page not in self.model.pages and not isinstance(found, Refused):
            return  # The server may return a count for a page that is being deleted, until it is cleared.
        self.agree(outcome(lambda: len(self.model.feed(page, uri).favorites)), found)

    def page_information(self, token: Token, page: str) -> None:
        found = outcome(lambda: self.asker.page("GET", page, token)["entry"])
        expected = outcome(lambda: self.model.page_information(page))
        if both := self.answers(expected, found):
            information, answer = both
            self.agree(information, {name: answer[name] for name in information})
            assert answer["options"] == ADDRESS
