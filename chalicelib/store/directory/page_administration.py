"""Reads for the web pages of a page's administrators, in two or three calls in sequence."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from chalicelib.core.model.directory import Module, Page
from chalicelib.core.model.page_screens import Membership, MembersScreen, ModulesScreen, PageOverview
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Place
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.directory import page_items
from chalicelib.store.directory.directory import Directory
from chalicelib.store.directory.keys import CursorPart

NEEDS = (on_table("directory", "BatchGetItem"),)

MOST_MEMBERS = 20
"""The administrators, or modules, of one screen."""

Viewer = Callable[[], str | None]
"""A function that returns the id of the user who asks, or None; it may make one call."""


class PageAdministration:
    """The administrators' screens of pages."""

    def __init__(self, dynamo: Dynamo, directory: Directory) -> None:
        self._dynamo = dynamo
        self._users = directory.users
        self._apps = directory.apps
        self._pages = directory.pages

    def administrators(self, page: str, cursor: str | None, viewer: Viewer) -> MembersScreen:
        """Return part of a page's administrators, in order of id. Raises NotFound and ParameterInvalid (cursor)."""
        users: list[str | None] = []
        parts: list[CursorPart[str]] = []
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: parts.append(self._pages.members.administrators(page, cursor, MOST_MEMBERS)),
            ]
        )
        ids, following = parts[0]
        found = self._dynamo.batch_get([*map(self._users.place, ids), *self.places(page, users[0])], consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        member = self.membership(page, users[0], found)
        return MembersScreen(known, ids, self._users.among(ids, found), following, member)

    def modules(self, page: str, cursor: str | None, viewer: Viewer) -> ModulesScreen:
        """Return part of a page's modules with their apps. Raises NotFound and ParameterInvalid (cursor)."""
        users: list[str | None] = []
        parts: list[CursorPart[Module]] = []
        side_by_side(
            [
                lambda: users.append(viewer()),
                lambda: parts.append(self._pages.modules(page, cursor, MOST_MEMBERS)),
            ]
        )
        modules, following = parts[0]
        places = [self._apps.place(module.app) for module in modules]
        found = self._dynamo.batch_get([*places, *self.places(page, users[0])], consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        apps = (self._apps.from_item(found.get(place), with_secret=False) for place in places)
        member = self.membership(page, users[0], found)
        return ModulesScreen(known, modules, {app.id: app for app in apps if app}, following, member)

    def overview(self, page: str) -> PageOverview:
        """Return the overview of a page for the console, in two calls in sequence. Raises NotFound."""
        members: list[CursorPart[str]] = []
        parts: list[CursorPart[Module]] = []
        side_by_side(
            [
                lambda: members.append(self._pages.members.administrators(page, None, MOST_MEMBERS)),
                lambda: parts.append(self._pages.modules(page, None, MOST_MEMBERS)),
            ]
        )
        (ids, more), (modules, more_modules) = members[0], parts[0]
        apps = [self._apps.place(module.app) for module in modules]
        found = self._dynamo.batch_get([self._pages.place(page), *map(self._users.place, ids), *apps], consistent=False)
        known = page_items.from_item(self._pages.check(page, found))
        users = self._users.among(ids, found)
        known_apps = (self._apps.from_item(found.get(place), with_secret=False) for place in apps)
        return PageOverview(
            known,
            [users[user] for user in ids if user in users],
            more is not None,
            modules,
            more_modules is not None,
            {app.id: app for app in known_apps if app},
        )

    def member(self, page: str, user: str) -> tuple[Page, Membership]:
        """Return a page and a user's relation to it, strongly consistent, in one call. Raises NotFound (page)."""
        found = self._dynamo.batch_get(self.places(page, user), consistent=True)
        known = page_items.from_item(self._pages.check(page, found))
        return known, self.membership(page, user, found)

    def places(self, page: str, user: str | None) -> Sequence[Place]:
        """Return the places of a page and, for a user, of the rows that `membership` finds."""
        members = self._pages.members
        rows: Iterable[Place] = (members.follower(page, user), members.administrator(page, user)) if user else ()
        return [self._pages.place(page), *rows]

    def membership(self, page: str, user: str | None, found: Mapping[Place, Item]) -> Membership:
        """Return the relation of a user to a page, from the found items."""
        if user is None:
            return Membership()
        members = self._pages.members
        return Membership(members.follower(page, user) in found, members.administrator(page, user) in found)
