"""The client of an app: `Engawa` for threads, `AsyncEngawa` for tasks, with the same operations."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias, TypeVar, cast

import httpx

from engawa_client.authorization import Grants
from engawa_client.connection import Answer, Connection, Retry, TokenSource
from engawa_client.errors import PreconditionFailed
from engawa_client.flow import (
    Awaiting,
    AwaitingClient,
    AwaitingDriver,
    Blocking,
    BlockingClient,
    BlockingDriver,
    Clock,
    Flow,
    Part,
    Pause,
    listing,
    operation,
)
from engawa_client.tokens import FixedToken, MemoryTokenStore, RefreshedToken, Token, TokenStore
from engawa_client.types import (
    Call,
    CallAnswer,
    Change,
    Comment,
    Feed,
    Links,
    NewFeed,
    OpenSocialPerson,
    PageInformationEntry,
    Person,
    Usage,
    UserData,
)

T = TypeVar("T")
Image: TypeAlias = "str | os.PathLike[str] | bytes | IO[bytes]"
"""A path, the content, or an open file."""


KEYED_CHANGES = 98
KEYED_BYTES = 300_000
"""The server keeps the answers to no larger changes."""


class All(Enum):
    """The type of `ALL`."""

    ALL = "*"


ALL: Final = All.ALL
"""Every key, for `delete`."""


@dataclass(frozen=True)
class Values:
    """The data of users by their ids, and `etag`, the version of one's own data."""

    users: dict[str, dict[str, str]]
    etag: str | None

    @property
    def data(self) -> dict[str, str]:
        """The data of the one user who was asked for."""
        (data,) = self.users.values()
        return data


@dataclass(frozen=True)
class Stored:
    """`etag`, the version after a write, and the write window: `remaining` of `limit`, more in `reset` seconds."""

    etag: str
    limit: int
    remaining: int
    reset: int


@dataclass(frozen=True)
class Changed(Stored):
    """The same after atomic changes, with the new values of the changed keys; deleted ones are absent."""

    data: dict[str, str]


@dataclass(frozen=True)
class Ranking:
    """A part of a ranking: its entries, each with `rank`; the user's own entry, if there is one; the number of all."""

    entries: list[UserData]
    own: UserData | None
    total: int


class Resource:
    """A part of the API."""

    def __init__(self, connection: Connection, token: TokenSource | None, driver: Any) -> None:
        self._connection = connection
        self._token = token
        self._driver = driver

    def _call(self, name: str, **options: Any) -> Flow[Answer]:
        if self._token is None:
            raise ValueError(
                "This request needs a token: give Engawa token=, tokens=, or client_id= and client_secret="
            )
        return self._connection.call(name, token=self._token, **options)


class AppDataFlows(Resource):
    """The values of users in this app (Persistence API)."""

    @operation
    def read(self, of: str = "@me", *, fields: Iterable[str] | None = None) -> Flow[Values]:
        """Return the values of oneself (`@me`), of a friend by id, or of all friends (`@friends`)."""
        return (yield from self._read(of, fields))

    @operation
    def read_if_changed(self, etag: str, *, fields: Iterable[str] | None = None) -> Flow[Values | None]:
        """Return one's own values, or None if this is still their version."""
        answer = yield from self._call(
            "readData", path=_OWN, query={"fields": _names(fields)}, headers={"If-None-Match": etag}
        )
        return None if answer.status == 304 else _values(answer)

    @operation
    def usage(self) -> Flow[Usage]:
        """Return how much of the quota and of the write window is used and left."""
        answer = yield from self._call("readData", path={"user": "@me", "group": "@usage"})
        return cast(Usage, answer.entry())

    @operation
    def write(
        self, pairs: Mapping[str, str], *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Flow[Stored]:
        """Store 1 to 99 pairs; other keys stay as they are. `if_none_match="*"`: only if there are no data."""
        return (yield from self._write("writeData", pairs, if_match, if_none_match))

    @operation
    def merge(
        self, pairs: Mapping[str, str], *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Flow[Stored]:
        """Do the same as `write`, by PUT."""
        return (yield from self._write("mergeData", pairs, if_match, if_none_match))

    @operation
    def delete(self, fields: Iterable[str] | All, *, if_match: str | None = None) -> Flow[Stored]:
        """Delete the named keys, or with `ALL` every key. Keys that do not exist are no error."""
        answer = yield from self._call(
            "deleteData", path=_OWN, query={"fields": _deleted(fields)}, headers={"If-Match": if_match}
        )
        return _stored(answer)

    @operation
    def update(
        self,
        change: Callable[[dict[str, str]], Mapping[str, str] | None],
        *,
        fields: Iterable[str] | None = None,
        attempts: int = 20,
    ) -> Flow[dict[str, str]]:
        """Read, change and write one's own values, so that no change by another is lost. Return the new values.

        `change` gets a copy of the values and changes it, or returns others; absent keys are deleted. If the data have
        changed meanwhile, it is called again with the new ones: it should do nothing else. At most 99 keys can change.
        Raises PreconditionFailed after so many `attempts`, or if `uncertain` whether a large change was carried out.
        """
        for attempt in range(attempts):
            found = yield from self._read("@me", fields)
            old = found.data
            copy = dict(old)
            new = dict(change(copy) or copy)
            if new == old:
                return new
            try:
                yield from self._replace(old, new, found.etag)
            except PreconditionFailed as error:
                if error.uncertain or attempt == attempts - 1:
                    raise
                yield Pause(self._connection.moment(attempt))
            else:
                return new
        raise ValueError("attempts must be at least 1")

    @operation
    def patch(
        self, changes: Mapping[str, Change], *, if_match: str | None = None, idempotency_key: str | None = None
    ) -> Flow[Changed]:
        """Carry out one operation for each key, all or none, such as `{"coins": {"add": "-30", "atLeast": "0"}}`.

        More than 98 keys or 300,000 bytes are too many for an `Idempotency-Key`. Such changes are sent once, unless
        they have an `if_match`.
        """
        return (yield from self._patch(changes, if_match, None, idempotency_key))

    @operation
    def ranking(
        self,
        field: str,
        *,
        fields: Iterable[str] | None = None,
        order: Literal["ascending", "descending"] = "descending",
        count: int = 20,
        start: int = 0,
        include_self: bool = True,
    ) -> Flow[Ranking]:
        """Rank the friends, and the user, by the values of a key. `fields`: the keys to return, else that one."""
        query = {
            "fields": _names(fields) or field,
            "sortBy": field,
            "sortOrder": order,
            "count": count,
            "startIndex": start,
            "includeSelf": "true" if include_self else "false",
        }
        answer = yield from self._call("readData", path=_FRIENDS, query=query)
        own = answer.entry("self") if "self" in answer.body else None
        return Ranking(answer.entries(), cast("UserData | None", own), answer.field("totalResults", int))

    def _replace(self, old: dict[str, str], new: dict[str, str], etag: str | None) -> Flow[Changed]:
        changes: dict[str, Change] = {key: {"set": value} for key, value in new.items() if old.get(key) != value}
        changes |= {key: {"delete": True} for key in old.keys() - new.keys()}
        return (yield from self._patch(changes, etag, None if etag else "*", None))

    def _patch(
        self, changes: Mapping[str, Change], if_match: str | None, if_none_match: str | None, key: str | None
    ) -> Flow[Changed]:
        texts = [value for each in changes.values() for value in each.values() if isinstance(value, str)]
        small = len(changes) <= KEYED_CHANGES and sum(len(each.encode()) for each in texts) <= KEYED_BYTES
        with_key = small or key is not None
        answer = yield from self._call(
            "patchData",
            path=_OWN,
            headers={"If-Match": if_match, "If-None-Match": if_none_match},
            json=dict(changes),
            idempotency_key=key,
            with_key=with_key,
            repeatable=with_key or if_match is not None or if_none_match is not None,
        )
        stored = _stored(answer)
        return Changed(stored.etag, stored.limit, stored.remaining, stored.reset, _values(answer).data)

    def _read(self, of: str, fields: Iterable[str] | None) -> Flow[Values]:
        path = {"user": "@me", "group": "@friends"} if of == "@friends" else {"user": of, "group": "@self"}
        return _values((yield from self._call("readData", path=path, query={"fields": _names(fields)})))

    def _write(
        self, name: str, pairs: Mapping[str, str], if_match: str | None, if_none_match: str | None
    ) -> Flow[Stored]:
        headers = {"If-Match": if_match, "If-None-Match": if_none_match}
        return _stored((yield from self._call(name, path=_OWN, headers=headers, json=dict(pairs))))


class PeopleFlows(Resource):
    """The user and the user's friends (People API)."""

    @operation
    def me(self, *, fields: Iterable[str] | None = None) -> Flow[Person]:
        """Return the user."""
        return (yield from self._person("@me", fields))

    @operation
    def get(self, user: str, *, fields: Iterable[str] | None = None) -> Flow[Person]:
        """Return the user or a friend by id."""
        return (yield from self._person(user, fields))

    @listing
    def friends(
        self,
        *,
        fields: Iterable[str] | None = None,
        sort_by: Literal["id", "displayName"] | None = None,
        sort_order: Literal["ascending", "descending"] | None = None,
        has_app: bool = False,
        count: int = 100,
        cursor: str | None = None,
    ) -> Callable[[str | None], Flow[Part[Person]]]:
        """Iterate over the friends; `has_app`: only those who have installed the app."""
        asked = {
            "fields": _names(fields),
            "sortBy": sort_by,
            "sortOrder": sort_order,
            "filterBy": "hasApp" if has_app else None,
            "count": count,
        }

        def read(start: str | None) -> Flow[Part[Person]]:
            answer = yield from self._call("readPeople", path=_FRIENDS, query={**asked, "startIndex": start})
            return _by_index(answer, start)

        return read

    def _person(self, user: str, fields: Iterable[str] | None) -> Flow[Person]:
        path = {"user": user, "group": "@self"}
        answer = yield from self._call("readPeople", path=path, query={"fields": _names(fields)})
        return cast(Person, answer.entry())


class PageFlows(Resource):
    """One page: its feeds with their comments and favorites (Page API)."""

    def __init__(self, connection: Connection, token: TokenSource | None, driver: Any, page: str) -> None:
        super().__init__(connection, token, driver)
        self.id = page
        self._path = {"page": page}

    @operation
    def get(self) -> Flow[PageInformationEntry]:
        """Return the page's information."""
        answer = yield from self._call("readPage", path=self._path)
        return cast(PageInformationEntry, answer.entry())

    @listing
    def feeds(self, *, count: int = 50, cursor: str | None = None) -> Callable[[str | None], Flow[Part[Feed]]]:
        """Iterate over the feeds that the page shows, newest first."""
        return self._list("readFeeds", {"count": count})

    @operation
    def feed(self, content_uri: str) -> Flow[Feed]:
        """Return the feed of a content."""
        answer = yield from self._call("readFeeds", path=self._path, query={"contentUri": content_uri})
        return cast(Feed, answer.entry())

    @operation
    def post_feed(
        self,
        title: str,
        *,
        body: str | None = None,
        content_uri: str | None = None,
        urls: Links | None = None,
        source_id: str | int | None = None,
        image: Image | None = None,
        image_url: str | None = None,
        idempotency_key: str | None = None,
    ) -> Flow[str]:
        """Post a feed and return its `contentUri`. The image is a jpeg or a png: a path, bytes or an open file."""
        feed: NewFeed = {"title": title}
        if body is not None:
            feed["body"] = body
        if content_uri is not None:
            feed["contentUri"] = content_uri
        if urls is not None:
            feed["urls"] = urls
        if source_id is not None:
            feed["sourceId"] = source_id
        if image_url is not None:
            feed["imageUrls"] = [image_url]
        sent: dict[str, Any] = {"json": feed}
        if image is not None:
            request = (None, json.dumps(feed).encode(), "application/json")
            picture = ("image1", _content(image), "application/octet-stream")
            sent = {"files": (("request", request), ("image1", picture))}
        answer = yield from self._call("postFeed", path=self._path, idempotency_key=idempotency_key, **sent)
        return answer.field("contentUri", str)

    @operation
    def delete_feed(self, content_uri: str) -> Flow[None]:
        """Delete a feed with its comments and favorites."""
        yield from self._call("deleteFeed", path=self._path, query={"contentUri": content_uri})

    @listing
    def comments(
        self, content_uri: str, *, count: int = 50, cursor: str | None = None
    ) -> Callable[[str | None], Flow[Part[Comment]]]:
        """Iterate over the comments on a feed, newest first."""
        return self._list("readComments", {"contentUri": content_uri, "count": count})

    @operation
    def post_comment(self, content_uri: str, comment: str, *, idempotency_key: str | None = None) -> Flow[str]:
        """Comment on a feed and return the comment's id."""
        answer = yield from self._call(
            "postComment",
            path=self._path,
            query={"contentUri": content_uri},
            json={"comment": comment},
            idempotency_key=idempotency_key,
        )
        return answer.field("id", str)

    @operation
    def delete_comment(self, content_uri: str, comment: str) -> Flow[None]:
        """Delete a comment by its id."""
        path = {**self._path, "comment": comment}
        yield from self._call("deleteComment", path=path, query={"contentUri": content_uri})

    @operation
    def favorites(self, content_uri: str) -> Flow[int]:
        """Return the number of favorites of a feed."""
        answer = yield from self._call("countFavorites", path=self._path, query={"contentUri": content_uri})
        return answer.field("count", int)

    @operation
    def add_favorite(self, content_uri: str) -> Flow[str]:
        """Make a feed one's favorite and return the favorite's id. A repetition changes nothing."""
        answer = yield from self._call("addFavorite", path=self._path, query={"contentUri": content_uri})
        return answer.field("id", str)

    @operation
    def remove_favorite(self, content_uri: str, favorite: str) -> Flow[None]:
        """Remove one's own favorite by its id."""
        path = {**self._path, "favorite": favorite}
        yield from self._call("removeFavorite", path=path, query={"contentUri": content_uri})

    def _list(self, name: str, query: Mapping[str, str | int]) -> Callable[[str | None], Flow[Part[Any]]]:
        def read(cursor: str | None) -> Flow[Part[Any]]:
            answer = yield from self._call(name, path=self._path, query={**query, "cursor": cursor})
            return answer.entries(), answer.body.get("nextCursor")

        return read


class OpenSocialFlows(Resource):
    """The same data and people by OpenSocial's REST protocol 0.8: also of users who are no friends, by id."""

    @operation
    def person(self, guid: str = "@me", *, fields: Iterable[str] | None = None) -> Flow[OpenSocialPerson]:
        """Return a user who has installed the app."""
        path = {"guid": guid, "selector": "@self"}
        answer = yield from self._call("readOpenSocialPeople", path=path, query={"fields": _names(fields)})
        return cast(OpenSocialPerson, answer.entry())

    @listing
    def people(
        self,
        guid: str | Sequence[str] = "@me",
        selector: Literal["@self", "@friends", "@all"] = "@friends",
        *,
        fields: Iterable[str] | None = None,
        count: int = 100,
        cursor: str | None = None,
    ) -> Callable[[str | None], Flow[Part[OpenSocialPerson]]]:
        """Iterate over friends, or with `@self` over up to 100 named users."""
        path = {"guid": guid if isinstance(guid, str) else ",".join(guid), "selector": selector}
        asked = {"fields": _names(fields), "count": count}

        def read(start: str | None) -> Flow[Part[OpenSocialPerson]]:
            answer = yield from self._call("readOpenSocialPeople", path=path, query={**asked, "startIndex": start})
            if isinstance(answer.field("entry", object), dict):
                return [cast(OpenSocialPerson, answer.entry())], None
            return _by_index(answer, start)

        return read

    @operation
    def data(
        self,
        guid: str | Sequence[str] = "@me",
        selector: Literal["@self", "@friends"] = "@self",
        *,
        fields: Iterable[str] | None = None,
    ) -> Flow[Values]:
        """Return the values of users who have installed the app, by their ids."""
        named = guid if isinstance(guid, str) else ",".join(guid)
        path = {"guid": named, "selector": selector, "app": "@app"}
        answer = yield from self._call("readOpenSocialData", path=path, query={"fields": _names(fields)})
        users = {user.removeprefix("mixi.jp:"): data for user, data in answer.entry().items()}
        return Values(users, answer.headers.get("ETag"))

    @operation
    def write(self, pairs: Mapping[str, str], *, if_match: str | None = None) -> Flow[Stored]:
        """Store pairs; other keys stay as they are."""
        return (yield from self._write("writeOpenSocialData", pairs, if_match))

    @operation
    def merge(self, pairs: Mapping[str, str], *, if_match: str | None = None) -> Flow[Stored]:
        """Do the same as `write`, by PUT."""
        return (yield from self._write("mergeOpenSocialData", pairs, if_match))

    @operation
    def delete(self, fields: Iterable[str] | All, *, if_match: str | None = None) -> Flow[Stored]:
        """Delete the named keys, or with `ALL` every key."""
        query, headers = {"fields": _deleted(fields)}, {"If-Match": if_match}
        return _stored((yield from self._call("deleteOpenSocialData", path=_SHARED, query=query, headers=headers)))

    def _write(self, name: str, pairs: Mapping[str, str], if_match: str | None) -> Flow[Stored]:
        headers = {"If-Match": if_match}
        return _stored((yield from self._call(name, path=_SHARED, headers=headers, json=dict(pairs))))


class EngawaFlows(Resource):
    """The operations that belong to no other part."""

    @operation
    def rpc(self, calls: Call | Sequence[Call]) -> Flow[list[CallAnswer]]:
        """Carry out up to 100 calls in order, and return an answer to each; each may be an error by itself."""
        batch = [calls] if isinstance(calls, dict) else list(calls)
        repeatable = all(each["method"] in _REPEATABLE for each in batch)
        answer = yield from self._call("callMethods", json=batch, repeatable=repeatable)
        return cast(list[CallAnswer], answer.listed(len(batch)))

    @operation
    def certificate(self, name: str = "current.pem") -> Flow[str]:
        """Return a certificate that verifies the start of a page app, as PEM."""
        answer = yield from self._connection.call("readCertificate", path={"certificate": name})
        return answer.text()


class AppData(AppDataFlows, Blocking):
    """The values of users in this app."""


class AsyncAppData(AppDataFlows, Awaiting):
    """The values of users in this app, for tasks."""


class People(PeopleFlows, Blocking):
    """The user and the user's friends."""


class AsyncPeople(PeopleFlows, Awaiting):
    """The user and the user's friends, for tasks."""


class Page(PageFlows, Blocking):
    """One page."""


class AsyncPage(PageFlows, Awaiting):
    """One page, for tasks."""


class OpenSocial(OpenSocialFlows, Blocking):
    """OpenSocial's REST protocol."""


class AsyncOpenSocial(OpenSocialFlows, Awaiting):
    """OpenSocial's REST protocol, for tasks."""


class Engawa(EngawaFlows, BlockingClient):
    """A client of a server. Any number of threads can share it.

    Engawa(url, token="…")                                          a token of another source
    Engawa(url, client_id="…", tokens=FileTokenStore("user.json"))  a user's tokens, refreshed when needed
    Engawa(url, client_id="…", client_secret="…")                   the app itself
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        tokens: TokenStore | Token | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        scope: str = "",
        retry: Retry | None = None,
        timeout: float = 30.0,
        http: httpx.Client | None = None,
        clock: Clock | None = None,
    ) -> None:
        connection = Connection(base_url, retry=retry or Retry(), timeout=timeout, clock=clock or Clock())
        driver = BlockingDriver(http or httpx.Client(), connection.clock)
        source = _source(connection, driver, token, tokens, client_id, client_secret, scope)
        super().__init__(connection, source, driver)
        self.app_data = AppData(connection, source, driver)
        self.people = People(connection, source, driver)
        self.open_social = OpenSocial(connection, source, driver)

    def page(self, page: str) -> Page:
        """Return a page by its id, without a request."""
        return Page(self._connection, self._token, self._driver, page)


class AsyncEngawa(EngawaFlows, AwaitingClient):
    """The same as `Engawa`, for tasks of one event loop."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        tokens: TokenStore | Token | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        scope: str = "",
        retry: Retry | None = None,
        timeout: float = 30.0,
        http: httpx.AsyncClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        connection = Connection(base_url, retry=retry or Retry(), timeout=timeout, clock=clock or Clock())
        driver = AwaitingDriver(http or httpx.AsyncClient(), connection.clock)
        source = _source(connection, driver, token, tokens, client_id, client_secret, scope)
        super().__init__(connection, source, driver)
        self.app_data = AsyncAppData(connection, source, driver)
        self.people = AsyncPeople(connection, source, driver)
        self.open_social = AsyncOpenSocial(connection, source, driver)

    def page(self, page: str) -> AsyncPage:
        """Return a page by its id, without a request."""
        return AsyncPage(self._connection, self._token, self._driver, page)


_OWN = {"user": "@me", "group": "@self"}
_FRIENDS = {"user": "@me", "group": "@friends"}
_SHARED = {"guid": "@me", "selector": "@self", "app": "@app"}
_REPEATABLE = {"appdata.get", "appdata.update", "appdata.create", "appdata.delete", "people.get", "system.listMethods"}


def _source(
    connection: Connection,
    driver: BlockingDriver | AwaitingDriver,
    token: str | None,
    tokens: TokenStore | Token | None,
    client_id: str | None,
    client_secret: str | None,
    scope: str,
) -> TokenSource | None:
    """Return the tokens of a client by what it was given. Raises ValueError for what does not fit together."""
    if token is not None:
        if tokens is not None or client_id is not None:
            raise ValueError("Give either token= or client_id=, not both")
        return FixedToken(token)
    if client_id is None:
        if tokens is not None:
            raise ValueError("tokens= needs client_id=, to refresh them")
        return None
    grants = Grants(connection, client_id, client_secret)
    if tokens is not None:
        store = MemoryTokenStore(tokens) if isinstance(tokens, Token) else tokens
        return RefreshedToken(store, grants.refreshing, driver.lock(), connection.clock)
    if client_secret is None:
        raise ValueError("An app without a secret has no tokens for itself: give tokens=")
    return RefreshedToken(MemoryTokenStore(), lambda _: grants.credentials(scope), driver.lock(), connection.clock)


def _values(answer: Answer) -> Values:
    entry = answer.entries()
    return Values({each["id"]: each["data"] for each in entry}, answer.headers.get("ETag"))


def _stored(answer: Answer) -> Stored:
    limit, remaining, reset = (
        int(answer.headers.get(f"X-RateLimit-{name}", 0)) for name in ("Limit", "Remaining", "Reset")
    )
    return Stored(answer.headers.get("ETag", ""), limit, remaining, reset)


def _by_index(answer: Answer, start: str | None) -> Part[Any]:
    """Return a part of a list that has no cursors; the cursor is the index of the next entry."""
    entry = answer.entries()
    following = int(start or 0) + len(entry)
    return entry, str(following) if entry and following < answer.field("totalResults", int) else None


def _names(fields: Iterable[str] | None) -> str | None:
    if fields is None or isinstance(fields, str):
        return fields
    names = list(fields)
    if not names:
        raise ValueError("fields is empty: name something, or leave it out for everything")
    return ",".join(names)


def _deleted(fields: Iterable[str] | All) -> str:
    """Return the keys to delete. Raises ValueError for names that the server could read as every key."""
    if isinstance(fields, All):
        return "*"
    names = [fields] if isinstance(fields, str) else list(fields)
    if not names or any(name in ("", "*", "@all") or "," in name for name in names):
        raise ValueError(f"Name the keys to delete, or give ALL for every key, not {names}")
    return ",".join(names)


def _content(image: Image) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, (str, os.PathLike)):
        return Path(image).read_bytes()
    return image.read()
