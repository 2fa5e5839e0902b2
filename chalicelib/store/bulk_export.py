"""Bulk export: records of one kind, part by part. It reads the platform as it is at each request, without a snapshot.

It is in store/, above the tables' modules: it only calls them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.core.bulk_export import (
    Selection,
    WalkPlace,
    data_records,
    from_walk_cursor,
    to_walk_cursor,
    within,
)
from chalicelib.core.codecs.directory_json import app_record, module_json, page_json, user_json
from chalicelib.core.cursor import to_cursor
from chalicelib.core.errors import NotFound, PermissionDenied
from chalicelib.core.grant_records import grant_record
from chalicelib.core.model.directory import User
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.side_by_side import WORKERS, side_by_side
from chalicelib.store.contents.contents_export import ContentsExport
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.keys import CursorPart
from chalicelib.store.grants.grants import Grants

MOST_FEEDS = 10
"""The most feeds of one page in a part: their images are in it."""

Record = dict[str, Any]
Holders = Callable[[str | None, int], CursorPart[str]]
"""A function of a cursor and a count that returns part of a list of ids."""
Inner = Callable[[str, str | None, int], CursorPart[Record]]
"""A function of a holder's id, a cursor and a count that returns part of the holder's records."""


@dataclass(frozen=True)
class ExportPart:
    """Part of an export, and the cursor of the next part. `user` is set if it has only this user's data."""

    records: Sequence[Record]
    following: str | None
    user: str | None = None


class BulkExport:
    """An exporter of records."""

    def __init__(self, directory: Directory, appdata: AppData, contents: ContentsExport, grants: Grants) -> None:
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages
        self._members = directory.pages.members
        self._directory = directory.friends_and_installs
        self._appdata = appdata
        self._contents = contents
        self._grants = grants

    def part(self, selection: Selection, cursor: str | None, count: int) -> ExportPart:
        """Return the records of up to `count` users, apps or pages, or up to `count` of each of several lists.

        Raises NotFound (the selected app, user or page does not exist) and ParameterInvalid (cursor).
        """
        self._check(selection)
        place = from_walk_cursor(selection.kind, cursor)
        if selection.kind == "data":
            return self._data(selection, place, count)
        flat = {"users": self._users_of, "apps": self._apps_of, "pages": self._pages_of}
        if selection.kind in flat:
            records, rest = flat[selection.kind](selection, place, count)
        elif selection.kind == "installs" and selection.app:
            records, rest = self._installs_of(selection, place, count)
        else:
            holders, inner = self._nested(selection)
            records, rest = _walk(place, holders, inner, count)
        return ExportPart(records, to_walk_cursor(selection.kind, rest) if rest else None)

    def _check(self, selection: Selection) -> None:
        """Raise NotFound if the selected app, user or page does not exist."""
        for kind, name, get in (
            ("app", selection.app, self._apps.get),
            ("user", selection.user, self._users.get),
            ("page", selection.page, self._pages.get),
        ):
            if name is not None and get(name) is None:
                raise NotFound(f"There is no {kind} {name}")

    def _user_ids(self, selection: Selection) -> Holders:
        if selection.user:
            return _only(selection.user)
        if selection.app:
            return partial(self._directory.installed_users, selection.app)
        return lambda cursor, count: _ids(self._users.list_part(cursor, count))

    def _users_of(self, selection: Selection, place: WalkPlace, count: int) -> tuple[list[Record], WalkPlace | None]:
        ids, rest = _holders(place, self._user_ids(selection), count)
        known = self._users.get_many(ids)
        hashes = self._users.password_hashes(known.values()) if selection.secrets else {}
        return [_user_record(known[user], hashes.get(user)) for user in ids if user in known], rest

    def _apps_of(self, selection: Selection, place: WalkPlace, count: int) -> tuple[list[Record], WalkPlace | None]:
        holders: Holders = lambda cursor, most: _ids(self._apps.list_part(cursor, most))  # noqa: E731
        if selection.app:
            holders = _only(selection.app)
        elif selection.user:
            holders = partial(self._directory.installs, selection.user)
        ids, rest = _holders(place, holders, count)
        found = side_by_side([partial(self._apps.get, app) for app in ids])
        secret = selection.secrets
        return [app_record(app, secret=secret) for app in found if app], rest

    def _pages_of(self, selection: Selection, place: WalkPlace, count: int) -> tuple[list[Record], WalkPlace | None]:
        ids, rest = _holders(place, self._page_ids(selection), count)
        found = [page_json(page) for page in side_by_side([partial(self._pages.get, page) for page in ids]) if page]
        return [{name: value for name, value in page.items() if name != "followers"} for page in found], rest

    def _page_ids(self, selection: Selection) -> Holders:
        if selection.page:
            return _only(selection.page)
        return lambda cursor, count: _ids(self._pages.list_part(cursor, count))

    def _installs_of(self, selection: Selection, place: WalkPlace, count: int) -> tuple[list[Record], WalkPlace | None]:
        users, rest = _holders(place, self._user_ids(selection), count)
        return [{"user": user, "app": selection.app} for user in users], rest

    def _nested(self, selection: Selection) -> tuple[Holders, Inner]:
        pages = self._page_ids(selection)
        match selection.kind:
            case "friendships":
                return self._user_ids(selection), partial(self._friendships, selection)
            case "installs":
                return self._user_ids(selection), self._installs
            case "grants":
                return self._user_ids(selection), partial(self._grants_of, selection)
            case "modules":
                return pages, self._modules
            case "administrators":
                return pages, partial(_pairs, self._members.administrators)
            case "followers":
                return pages, partial(_pairs, self._members.followers)
            case "feeds":
                return pages, self._feeds
            case "comments":
                return pages, self._contents.comments
            case _:
                return pages, self._contents.favorites

    def _friendships(self, selection: Selection, user: str, cursor: str | None, count: int) -> CursorPart[Record]:
        friends, rest = self._directory.friends(user, cursor, count)
        if not selection.user:
            # A friendship has two sides, and is exported with one of them.
            friends = [friend for friend in friends if friend > user]
        if selection.app:
            friends = self._directory.having(selection.app, friends)
        return [{"user": user, "friend": friend} for friend in friends], rest

    def _installs(self, user: str, cursor: str | None, count: int) -> CursorPart[Record]:
        apps, rest = self._directory.installs(user, cursor, count)
        return [{"user": user, "app": app} for app in apps], rest

    def _grants_of(self, selection: Selection, user: str, cursor: str | None, count: int) -> CursorPart[Record]:
        listed = [
            (grant, families)
            for grant, families in self._grants.with_families(user)
            if grant.app > (cursor or "") and selection.app in (None, grant.app)
        ]
        records = [grant_record(grant, families) for grant, families in listed[:count]]
        following = listed[count - 1][0].app if len(listed) > count else None
        return [record for record in records if record["families"]], following

    def _feeds(self, page: str, cursor: str | None, count: int) -> CursorPart[Record]:
        return self._contents.feeds(page, cursor, min(count, MOST_FEEDS))

    def _modules(self, page: str, cursor: str | None, count: int) -> CursorPart[Record]:
        modules, rest = self._pages.modules(page, cursor, count)
        return [module_json(module) for module in modules], rest

    def _data(self, selection: Selection, place: WalkPlace, count: int) -> ExportPart:
        app = selection.app or ""
        ids, rest = _holders(place, self._user_ids(selection), count)
        balances = self._appdata.balances(app, ids)
        chosen = within(balances)
        if len(chosen) < len(balances):
            rest = WalkPlace(chosen[-1])
        found = side_by_side([partial(self._read, app, user) for user in chosen])
        records = [record for user, data in zip(chosen, found, strict=True) for record in data_records(user, app, data)]
        following = to_walk_cursor(selection.kind, rest) if rest else None
        return ExportPart(records, following, chosen[0] if len(chosen) == 1 else None)

    def _read(self, app: str, user: str) -> dict[str, str]:
        try:
            return self._appdata.read(app, user, None).data or {}
        except PermissionDenied:
            return {}  # Uninstalled in the meantime.


def _walk(place: WalkPlace, holders: Holders, inner: Inner, count: int) -> tuple[list[Record], WalkPlace | None]:
    """Return records of the holders after a place, up to `count` of each, and the place after them."""
    # In the middle of a long list, the lists of other holders would be read in vain.
    ids, following = _holders(place, holders, 1 if place.inner else WORKERS)
    parts = side_by_side([partial(inner, holder, place.inner_of(holder), count) for holder in ids])
    records: list[Record] = []
    after = place.after
    for holder, (found, rest) in zip(ids, parts, strict=True):
        records += found
        if rest:
            return records, WalkPlace(after, holder, rest)
        after = holder
    return records, following


def _holders(place: WalkPlace, read: Holders, count: int) -> tuple[list[str], WalkPlace | None]:
    """Return the ids of holders after a place, and the place after them, or None at the end."""
    ids, following = read(to_cursor(place.after) if place.after else None, count)
    return ids, WalkPlace(ids[-1]) if ids and following else None


def _only(holder: str) -> Holders:
    return lambda cursor, count: ([holder], None)


def _ids(part: CursorPart[Any]) -> CursorPart[str]:
    things, following = part
    return [thing.id for thing in things], following


def _pairs(
    read: Callable[[str, str | None, int], CursorPart[str]], page: str, cursor: str | None, count: int
) -> CursorPart[Record]:
    users, rest = read(page, cursor, count)
    return [{"page": page, "user": user} for user in users], rest


def _user_record(user: User, password_hash: str | None) -> Record:
    record = {name: value for name, value in user_json(user).items() if name != "friends"}
    return record | ({"passwordHash": password_hash} if password_hash else {})
