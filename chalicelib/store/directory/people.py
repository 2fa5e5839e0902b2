"""Reading people: who is asked for, which of them the permission model gives out, and their profiles.

People by id are one batch get. All friends are three calls one after the other, whatever their number: the lists of
friends, the friends' installs (and what a filter asks), and the profiles of the part of the list that is wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from chalicelib.core.errors import PermissionDenied
from chalicelib.core.people import PeopleFilter, Person, Query, depends_on_friends_of_friends, is_obtainable
from chalicelib.core.permission import AppRun, may_obtain_information, status
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.users import Users

NEEDS = (on_table("directory", "BatchGetItem"),)


@dataclass(frozen=True)
class FoundPeople:
    """People who may be had, how many there are in all, and the running app that they are seen from."""

    running: AppRun
    people: Sequence[Person]
    total: int


class People:
    """Users as an app may see them; `owner` and `viewer` are those of the running app. All reads may lag a moment."""

    def __init__(self, dynamo: Dynamo, directory: FriendsAndInstalls, users: Users, pages: Pages) -> None:
        self._dynamo = dynamo
        self._directory = directory
        self._users = users
        self._pages = pages

    def one(self, app: str, owner: str, viewer: str, target: str) -> FoundPeople:
        """The viewer, or a friend of the viewer's. A viewer who installed the app a moment ago is always found.

        Raises PermissionDenied for anyone else, for one whose information may not be had, and where there is no such
        user: nothing tells these apart.
        """
        running, people = self._look(app, owner, viewer, [target])
        if not people and target == viewer:
            running, people = self._look(app, owner, viewer, [target], consistent=True)
        if not people or not running.may_name(target):
            raise PermissionDenied
        return FoundPeople(running, people, 1)

    def named(self, app: str, owner: str, viewer: str, users: Sequence[str], *, strict: bool = False) -> FoundPeople:
        """Those of the users, whoever they are, whose information may be had, in the order named.

        `strict`: their profiles will be judged by that visibility, so friends of friends need to be known.
        """
        running, people = self._look(app, owner, viewer, users)
        if strict:
            running = self._with_friends_of_friends(app, running, people)
        return FoundPeople(running, people, len(people))

    def friends(
        self, app: str, owner: str, viewer: str, query: Query, *, of: str | None = None, strict: bool = False
    ) -> FoundPeople:
        """The part of a user's friends that the query asks for; `total` counts those who pass its filter.

        Friends are the viewer's, or those of `of`, who else can be the owner alone; `strict` as for `named`. Raises
        PermissionDenied for anyone else's, and where the user of that list has not installed the app.
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
        people = [Person(users[user], installed[user]) for user in part if user in users]
        if strict:
            running = self._with_friends_of_friends(app, running, people)
        return FoundPeople(running, people, len(order))

    def _look(
        self, app: str, owner: str, viewer: str, users: Sequence[str], *, consistent: bool = False
    ) -> tuple[AppRun, list[Person]]:
        """The running app, as far as it concerns the users, and those of them whose information may be had."""
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
        """The same, knowing which of the people are friends of the viewer's friends, where it makes a difference.

        One more round of calls where anyone is asked about: the viewer's list of friends, and each such person's.
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
        """The running app with the friends of both, and their lists of friends in order of id."""
        parties = [viewer] if owner == viewer else [viewer, owner]
        lists = side_by_side([partial(self._directory.friends_with_install, each, app) for each in parties])
        friends, viewer_installed = lists[0]
        owner_friends, owner_installed = lists[-1]
        running = AppRun(owner, viewer, owner_installed, viewer_installed, frozenset(owner_friends), frozenset(friends))
        return running, {viewer: friends, owner: owner_friends}

    def _installed(self, app: str, friends: Sequence[str], query: Query) -> dict[str, bool]:
        """Those of the friends who pass the query's filter, each with whether they have installed the app."""
        installs = {friend: self._directory.install(friend, app) for friend in friends}
        follows = {friend: self._pages.members.follower(query.page, friend) for friend in friends if query.page}
        found = self._dynamo.batch_get([*installs.values(), *follows.values()], consistent=False)
        return {
            friend: place in found
            for friend, place in installs.items()
            if (query.filter is not PeopleFilter.HAS_APP or place in found)
            and (query.filter is not PeopleFilter.PAGE or follows[friend] in found)
        }
