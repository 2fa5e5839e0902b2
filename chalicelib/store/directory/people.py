"""Reads of people: the requested users, reduced to those that the permission model allows, with their profiles.

People by id need one batch get. A list of friends needs three steps in sequence, whatever its length: the lists of
friends, the friends' installs (and the data for a filter), and the profiles of the requested part of the list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.core.errors import PermissionDenied
from chalicelib.core.model.directory import User
from chalicelib.core.model.publication import Publication
from chalicelib.core.people import PeopleFilter, Person, Query, depends_on_friends_of_friends, is_obtainable
from chalicelib.core.permission import AppRun, Closeness, may_obtain_information, status
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (on_table("directory", "BatchGetItem"),)


@dataclass(frozen=True)
class FoundPeople:
    """The people that the app may obtain, their total number, and the app run that requests them."""

    running: AppRun
    people: Sequence[Person]
    total: int


class People:
    """Users as an app may see them; `owner` and `viewer` belong to the app run. Reads are eventually consistent."""

    def __init__(self, dynamo: Dynamo, directory: FriendsAndInstalls, users: Users, pages: Pages) -> None:
        self._dynamo = dynamo
        self._directory = directory
        self._users = users
        self._pages = pages

    def one(self, app: str, owner: str, viewer: str, target: str) -> FoundPeople:
        """Return the viewer, or a friend of the viewer. A viewer who has just installed the app is always found.

        Raises PermissionDenied for any other user, for a user whose information the app may not obtain, and for a
        missing user: these cases cannot be distinguished.
        """
        running, people = self._look(app, owner, viewer, [target])
        if not people and target == viewer:
            running, people = self._look(app, owner, viewer, [target], consistent=True)
        if not people or not running.may_name(target):
            raise PermissionDenied
        return FoundPeople(running, people, 1)

    def named(self, app: str, owner: str, viewer: str, users: Sequence[str], *, strict: bool = False) -> FoundPeople:
        """Return those of any users whose information the app may obtain, in the given order.

        `strict`: their profiles are checked with strict visibility, so friends of friends must be known.
        """
        running, people = self._look(app, owner, viewer, users)
        if strict:
            running = self._with_friends_of_friends(app, running, people)
        return FoundPeople(running, people, len(people))

    def friends(
        self, app: str, owner: str, viewer: str, query: Query, *, of: str | None = None, strict: bool = False
    ) -> FoundPeople:
        """Return the part of a user's friends that the query requests; `total` counts the friends who pass its filter.

        They are the friends of `of`: the viewer (the default) or the owner. `strict` is as for `named`. Raises
        PermissionDenied for another user's friends, and if the user of the list has not installed the app.
        """
        running, lists = self._running(app, owner, viewer)
        of = of or viewer
        if not running.may_list_friends(of):
            raise PermissionDenied
        friends = lists[of]
        installed = self._installed(app, friends, query)

        def may(friend: str, *, visible: bool) -> bool:
            return may_obtain_information(
                running.whose(friend),
                status(installed[friend]),
                visible=visible,
                viewer_installed=running.viewer_installed,
            )

        order = [friend for friend in installed if may(friend, visible=True)]
        if query.by_name or not all(may(friend, visible=False) for friend in order):
            # Names sort the list, or visibility settings decide who is in it: read all profiles, not only a part.
            users = self._users.get_many(order)
            seen = [Person(user, installed[user.id]) for user in users.values()]
            names = {each.user.id: each.user.display_name for each in seen if is_obtainable(each, running)}
            order = query.arranged(names)
            part = query.paging.cut(order)
        else:
            order = query.arranged(dict.fromkeys(order, ""))
            part = query.paging.cut(order)
            users = self._users.get_many(part)
        people = [Person(users[user], installed[user]) for user in part if user in users]
        if strict:
            running = self._with_friends_of_friends(app, running, people)
        return FoundPeople(running, people, len(order))

    def as_seen_by(self, viewer: User, target: str) -> tuple[User | None, Closeness]:
        """Return a user (None: there is no such user), and how close the viewer is (at most two rounds of calls).

        Friends of friends are only looked for if a field of the profile is published to them.
        """
        if target == viewer.id:
            return viewer, Closeness.SELF
        place, friendship = self._users.place(target), self._directory.friendship(viewer.id, target)
        found = self._dynamo.batch_get([place, friendship], consistent=False)
        user = self._users.from_item(found.get(place))
        if user is None or friendship in found:
            return user, Closeness.FRIEND
        if Publication.FRIENDS_OF_FRIENDS not in user.publication.values():
            return user, Closeness.STRANGER
        own, theirs = side_by_side([partial(self._directory.all_friends, each) for each in (viewer.id, target)])
        return user, Closeness.STRANGER if own.isdisjoint(theirs) else Closeness.FRIEND_OF_FRIEND

    def _look(
        self, app: str, owner: str, viewer: str, users: Sequence[str], *, consistent: bool = False
    ) -> tuple[AppRun, list[Person]]:
        """Return the app run, limited to these users, and those of them whose information the app may obtain."""
        profiles = {user: self._users.place(user) for user in users}
        installs = {user: self._directory.install(user, app) for user in (owner, viewer, *users)}
        friendships = {
            party: {user: self._directory.friendship(party, user) for user in users} for party in (owner, viewer)
        }
        ties = [place for each in friendships.values() for place in each.values()]
        found = self._dynamo.batch_get([*profiles.values(), *installs.values(), *ties], consistent=consistent)
        friends = {
            party: frozenset(user for user, place in each.items() if place in found)
            for party, each in friendships.items()
        }
        running = AppRun(
            owner, viewer, installs[owner] in found, installs[viewer] in found, friends[owner], friends[viewer]
        )
        known = {user: self._users.from_item(found.get(place)) for user, place in profiles.items()}
        people = [Person(user, installs[name] in found) for name, user in known.items() if user]
        return running, [each for each in people if is_obtainable(each, running)]

    def _with_friends_of_friends(self, app: str, running: AppRun, people: Sequence[Person]) -> AppRun:
        """Return the app run with the people who are friends of the viewer's friends, if that matters for them.

        If it matters for anyone, one more round of calls reads the friends of the viewer and of each such person.
        """
        asked = [each.user.id for each in people if depends_on_friends_of_friends(each, running)]
        if not asked:
            return running
        lists = side_by_side(
            [partial(self._directory.friends_with_install, user, app) for user in (running.viewer, *asked)]
        )
        own = frozenset(lists[0][0])
        common = (user for user, (friends, _) in zip(asked, lists[1:], strict=True) if not own.isdisjoint(friends))
        return replace(running, friends_of_friends=frozenset(common))

    def _running(self, app: str, owner: str, viewer: str) -> tuple[AppRun, dict[str, list[str]]]:
        """Return the app run with the friends of owner and viewer, and their lists of friends in order of id."""
        parties = [viewer] if owner == viewer else [viewer, owner]
        lists = side_by_side([partial(self._directory.friends_with_install, each, app) for each in parties])
        friends, viewer_installed = lists[0]
        owner_friends, owner_installed = lists[-1]
        running = AppRun(owner, viewer, owner_installed, viewer_installed, frozenset(owner_friends), frozenset(friends))
        return running, {viewer: friends, owner: owner_friends}

    def _installed(self, app: str, friends: Sequence[str], query: Query) -> dict[str, bool]:
        """Return the friends who pass the query's filter, each with whether they have installed the app."""
        installs = {friend: self._directory.install(friend, app) for friend in friends}
        follows = {friend: self._pages.members.follower(query.page, friend) for friend in friends if query.page}
        found = self._dynamo.batch_get([*installs.values(), *follows.values()], consistent=False)
        return {
            friend: place in found
            for friend, place in installs.items()
            if (query.filter is not PeopleFilter.HAS_APP or place in found)
            and (query.filter is not PeopleFilter.PAGE or follows[friend] in found)
        }
