"""Reading people: who is asked for, which of them the permission model gives out, and their profiles.

A person is one batch get. All friends are three calls one after the other, whatever their number: the lists of friends,
the friends' installs (and what a filter asks), and the profiles of the part of the list that is wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.core.errors import PermissionDenied
from chalicelib.core.people import Filter, Person, Query, is_obtainable
from chalicelib.core.permission import Running, may_obtain_information, status
from chalicelib.store.directory import Directory
from chalicelib.store.dynamo import Dynamo
from chalicelib.store.fanout import side_by_side
from chalicelib.store.pages import Pages
from chalicelib.store.users import Users


@dataclass(frozen=True)
class Found:
    """People who may be had, how many there are in all, and the running app that they are seen from."""

    running: Running
    people: Sequence[Person]
    total: int


class People:
    """Users as an app may see them; `owner` and `viewer` are those of the running app. All reads may lag a moment."""

    def __init__(self, dynamo: Dynamo, directory: Directory, users: Users, pages: Pages) -> None:
        self._dynamo = dynamo
        self._directory = directory
        self._users = users
        self._pages = pages

    def one(self, app: str, owner: str, viewer: str, target: str) -> Found:
        """The viewer, or a friend of the viewer's.

        Raises PermissionDenied for anyone else, for one whose information may not be had, and where there is no such
        user: nothing tells these apart.
        """
        profile = self._users.place(target)
        installs = {user: self._directory.install(user, app) for user in (owner, viewer, target)}
        friendships = {user: self._directory.friendship(user, target) for user in (owner, viewer)}
        found = self._dynamo.batch_get([profile, *installs.values(), *friendships.values()], consistent=False)
        installed = {user: place in found for user, place in installs.items()}
        friends = {user: {target} if place in found else set() for user, place in friendships.items()}
        running = Running(owner, viewer, installed[owner], installed[viewer], friends[owner], friends[viewer])
        user = self._users.from_item(found.get(profile))
        if user is None or not running.may_name(target):
            raise PermissionDenied
        person = Person(user, installed[target])
        if not is_obtainable(person, running):
            raise PermissionDenied
        return Found(running, [person], 1)

    def friends(self, app: str, owner: str, viewer: str, query: Query) -> Found:
        """The part of the viewer's friends that the query asks for; `total` counts those who pass its filter.

        Raises PermissionDenied where the viewer has not installed the app.
        """
        running, friends = self._running(app, owner, viewer)
        if not running.may_list_friends(viewer):
            raise PermissionDenied
        installed = self._installed(app, friends, query)

        def may(friend: str, *, visible: bool) -> bool:
            return may_obtain_information(running.whose(friend), status(installed[friend]), visible=visible)

        order = [friend for friend in installed if may(friend, visible=True)]
        if query.by_name or not all(may(friend, visible=False) for friend in order):
            # Names to sort by, or switches that decide who is there at all: all profiles, not only a part's.
            users = self._users.get_many(order)
            seen = [Person(user, installed[user.id]) for user in users.values()]
            names = {each.user.id: each.user.display_name for each in seen if is_obtainable(each, running)}
            order = query.arranged(names)
            part = query.paging.cut(order)
        else:
            order = query.arranged(dict.fromkeys(order, ""))
            part = query.paging.cut(order)
            users = self._users.get_many(part)
        return Found(running, [Person(users[user], installed[user]) for user in part if user in users], len(order))

    def _running(self, app: str, owner: str, viewer: str) -> tuple[Running, list[str]]:
        """The running app with the friends of both, and the viewer's friends in order of id."""
        parties = [viewer] if owner == viewer else [viewer, owner]
        lists = side_by_side([partial(self._directory.friends_with_install, each, app) for each in parties])
        friends, viewer_installed = lists[0]
        owner_friends, owner_installed = lists[-1]
        running = Running(
            owner, viewer, owner_installed, viewer_installed, frozenset(owner_friends), frozenset(friends)
        )
        return running, friends

    def _installed(self, app: str, friends: Sequence[str], query: Query) -> dict[str, bool]:
        """Those of the friends who pass the query's filter, each with whether they have installed the app."""
        installs = {friend: self._directory.install(friend, app) for friend in friends}
        follows = {friend: self._pages.follower(query.page, friend) for friend in friends if query.page}
        found = self._dynamo.batch_get([*installs.values(), *follows.values()], consistent=False)
        return {
            friend: place in found
            for friend, place in installs.items()
            if (query.filter is not Filter.HAS_APP or place in found)
            and (query.filter is not Filter.PAGE or follows[friend] in found)
        }
