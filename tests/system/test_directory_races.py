"""Concurrent calls for one friendship, one page, one login: counts match the rows, and nothing is left behind."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations
from typing import Any

import pytest

from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid
from chalicelib.core.model.directory import App, Page, User, new_app_id, new_page_id, new_user_id
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.directory import friends_and_installs as directory_module
from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.counts import Counts, Kind
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.keys import every
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.secret_sealing import SecretSealing
from chalicelib.store.directory.users import Users

THREADS = 16
TABLE = "engawa-local-directory"


class Stores:
    """The directory's stores over the embedded AWS."""

    def __init__(self, client: Any) -> None:
        self.client = client
        dynamo = Dynamo(client)
        self.directory = FriendsAndInstalls(dynamo, TABLE)
        self.pages = Pages(dynamo, TABLE, lambda: 1)
        self.users = Users(dynamo, TABLE, self.directory, self.pages, lambda: 1)
        self.apps = Apps(dynamo, TABLE, SecretSealing(lambda: ""), self.pages, lambda: 1)

    def people(self, number: int) -> list[str]:
        return [self.users.create(User(new_user_id(), f"user {turn}")).id for turn in range(number)]

    def rows(self, wanted: Callable[[str, str], bool]) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("scan").paginate(TableName=TABLE, ConsistentRead=True)
        items = [item for page in pages for item in page["Items"]]
        return [item for item in items if wanted(item["pk"]["S"], item["sk"]["S"])]

    def check_counts(self, people: Sequence[str]) -> None:
        """Assert that every friendship has both sides, and that every count matches its rows."""
        names = {f"user#{user}" for user in people}
        sides = self.rows(lambda pk, sk: pk in names and sk.startswith("friend#"))
        pairs = {(item["pk"]["S"][5:], item["sk"]["S"][7:]) for item in sides}
        assert pairs == {(other, one) for one, other in pairs}
        friends = Counter(one for one, _ in pairs)
        kinds = ("admin", "follower")
        members = self.rows(lambda pk, sk: sk.partition("#")[0] in kinds and f"user#{sk.partition('#')[2]}" in names)
        memberships = Counter(item["sk"]["S"].partition("#")[2] for item in members)
        for item in self.rows(lambda pk, sk: pk in names and sk == "#"):
            user = item["pk"]["S"][5:]
            assert int(item.get("friends", {"N": "0"})["N"]) == friends[user]
            assert int(item.get("pages", {"N": "0"})["N"]) == memberships[user]


@pytest.fixture(scope="module")
def stores(served: Any) -> Stores:
    client = served.aws("dynamodb", max_pool_connections=2 * THREADS, retries={"total_max_attempts": 3})
    return Stores(client)


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the jobs at the same time. Return their results; a refusal is a result, too."""

    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        except (Conflict, NotFound, ParameterInvalid) as refusal:
            return refusal

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, jobs))


def test_befriending_and_unfriending_at_once(stores: Stores) -> None:
    people = stores.people(5)
    chance = random.Random(5)
    pairs = [chance.sample(people, 2) for _ in range(400)]
    deeds = [chance.choice([stores.directory.befriend, stores.directory.unfriend]) for _ in pairs]

    results = at_once([partial(deed, *pair) for deed, pair in zip(deeds, pairs, strict=True)])

    assert set(results) == {True, False}
    stores.check_counts(people)
    for one, other in combinations(people, 2):
        made = [
            (deed, result)
            for deed, pair, result in zip(deeds, pairs, results, strict=True)
            if set(pair) == {one, other} and result
        ]
        balance = sum(1 if deed == stores.directory.befriend else -1 for deed, _ in made)
        assert balance == (other in stores.directory.friends(one)[0]), "each True is one change, exactly"


def test_nobody_gets_past_the_limit_together(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_module, "MOST_FRIENDS", 10)
    one, *others = stores.people(31)

    results = at_once([partial(stores.directory.befriend, one, other) for other in others])

    assert results.count(True) == 10
    assert sum(isinstance(result, ParameterInvalid) for result in results) == 20
    assert len(stores.directory.friends(one)[0]) == 10
    stores.check_counts([one, *others])


def test_followers_are_counted_exactly(stores: Stores) -> None:
    page = stores.pages.create(Page(new_page_id(), "Café")).id
    people = stores.people(8)
    chance = random.Random(7)
    deeds = [
        (
            chance.choice([stores.pages.members.add_follower, stores.pages.members.remove_follower]),
            chance.choice(people),
        )
        for _ in range(400)
    ]

    at_once([partial(deed, page, user) for deed, user in deeds])

    followers = stores.pages.members.followers(page)[0]
    assert stores.pages.get(page).followers == len(followers)  # type: ignore[union-attr]
    stores.check_counts(people)


def test_users_who_come_and_go_at_once_are_counted_exactly(stores: Stores) -> None:
    counts = Counts(stores.users._dynamo, TABLE)
    before = counts.read()[Kind.USERS]
    people = [new_user_id() for _ in range(60)]

    made = at_once([partial(stores.users.create, User(user, "new")) for user in [*people, *people[:20]]])
    gone = at_once([partial(stores.users.delete, user) for user in [*people[:30], *people[:30]]])

    assert sum(isinstance(each, Conflict) for each in made) == 20
    assert sum(each is True for each in gone) >= 30
    assert counts.read()[Kind.USERS] == before + 30


def test_one_of_many_gets_a_login(stores: Stores) -> None:
    login = f"login-{new_user_id()}"
    people = stores.people(8)

    creations = [lambda: stores.users.create(User(new_user_id(), "new", login=login), "hash") for _ in range(THREADS)]
    renamings = [lambda user=user: stores.users.change(user, login=login) for user in people]
    results = at_once([*creations, *renamings])

    [winner] = [result for result in results if isinstance(result, User)]
    assert all(isinstance(result, Conflict) for result in results if result is not winner)
    owners = stores.rows(lambda pk, sk: pk == f"login#{login}")
    assert [item["u"]["S"] for item in owners] == [winner.id]
    assert len([user for user in stores.users.get_many(people).values() if user.login == login]) <= 1


def test_modules_added_at_once_have_numbers_of_their_own(stores: Stores) -> None:
    page = stores.pages.create(Page(new_page_id(), "Café")).id
    app = stores.apps.create(App(new_app_id(), "Album", confidential=False)).id

    made = at_once([lambda: stores.pages.add_module(page, app, "Album")] * 20)

    assert sorted(int(module.id) for module in made) == list(range(1, 21))
    assert stores.apps.delete(app)
    assert stores.pages.modules(page) == ([], None)


def test_nothing_is_left_of_a_user_whom_others_befriend_while_they_go(stores: Stores) -> None:
    page = stores.pages.create(Page(new_page_id(), "Café")).id
    one, *others = stores.people(40)
    for other in others[:20]:
        stores.directory.befriend(one, other)
    jobs: list[Callable[[], Any]] = [partial(stores.directory.befriend, one, other) for other in others]
    jobs += [partial(stores.directory.unfriend, one, other) for other in others[:10]]
    jobs += [
        lambda: stores.pages.members.add_follower(page, one),
        lambda: stores.pages.members.add_administrator(page, one),
    ]
    random.Random(9).shuffle(jobs)

    results = at_once([*jobs[:25], lambda: stores.users.delete(one), lambda: stores.users.delete(one), *jobs[25:]])

    assert True in results
    assert stores.rows(lambda pk, sk: one in pk or one in sk) == []
    assert stores.pages.get(page).followers == 0  # type: ignore[union-attr]
    stores.check_counts(others)


def test_a_page_and_its_followers_go_at_once(stores: Stores) -> None:
    page = stores.pages.create(Page(new_page_id(), "Café")).id
    people = stores.people(60)
    for user in people[:40]:
        stores.pages.members.add_follower(page, user)
    jobs: list[Callable[[], Any]] = [partial(stores.pages.members.add_follower, page, user) for user in people[40:]]
    jobs += [partial(stores.pages.members.remove_follower, page, user) for user in people[:20]]

    at_once([*jobs[:20], lambda: stores.pages.delete(page), lambda: stores.pages.delete(page), *jobs[20:]])

    assert stores.rows(lambda pk, sk: pk == f"page#{page}") == []
    stores.check_counts(people)


def test_lists_go_on_where_the_last_entry_has_gone(stores: Stores) -> None:
    one, *others = stores.people(6)
    for other in others:
        stores.directory.befriend(one, other)
    first, cursor = stores.directory.friends(one, None, 2)
    for other in first:
        stores.directory.unfriend(one, other)

    assert stores.directory.friends(one, cursor, 3) == (sorted(others)[2:], None)
    listed = [user.id for user in every(lambda cursor: stores.users.list_part(cursor, 3))]
    assert len(listed) == len(set(listed))
    assert {one, *others} <= set(listed)
