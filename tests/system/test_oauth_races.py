"""Many at once with one code, one refresh token, one grant, one account: each counts once, nothing is left over."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from chalicelib.core.directory import User, new_app_id, new_user_id
from chalicelib.core.oauth import Family
from chalicelib.store.apps import Apps
from chalicelib.store.directory import Directory
from chalicelib.store.dynamo import Dynamo
from chalicelib.store.ephemeral import Attempt, Attempts, Kind, ServerStates
from chalicelib.store.failures import Lost
from chalicelib.store.grants import Grants
from chalicelib.store.pages import Pages
from chalicelib.store.sealing import Seals
from chalicelib.store.users import Users

THREADS = 16
GRANTS, EPHEMERAL, DIRECTORY = (f"engawa-local-{name}" for name in ("grants", "ephemeral", "directory"))


class Stores:
    """The stores of OAuth over the embedded AWS."""

    def __init__(self, client: Any) -> None:
        self.client = client
        dynamo, clock = Dynamo(client), lambda: time.time_ns() // 1_000_000
        pages = Pages(dynamo, DIRECTORY, clock)
        apps = Apps(dynamo, DIRECTORY, Seals(lambda: ""), pages, clock)
        self.users = Users(dynamo, DIRECTORY, Directory(dynamo, DIRECTORY), pages, clock)
        self.grants = Grants(dynamo, GRANTS, DIRECTORY, apps, clock)
        self.states = ServerStates(dynamo, EPHEMERAL, clock)
        self.attempts = Attempts(dynamo, EPHEMERAL, clock)

    def asked(self) -> Family:
        """What an app of its own asks a user of its own for."""
        user = self.users.create(User(new_user_id(), "user"))
        return Family("", new_app_id(), user.id, frozenset({"r_profile"}), 0, 0)

    def family(self, token: str) -> Family:
        found = self.grants.find("0" * 16, token)[1]
        assert found
        return found

    def items(self, text: str) -> list[dict[str, Any]]:
        """The items of the grants table with such a text in them."""
        pages = self.client.get_paginator("scan").paginate(TableName=GRANTS, ConsistentRead=True)
        return [item for page in pages for item in page["Items"] if text in repr(item)]


@pytest.fixture(scope="module")
def stores(served: Any) -> Stores:
    client = served.aws("dynamodb", max_pool_connections=2 * THREADS, retries={"total_max_attempts": 3})
    return Stores(client)


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(job) for job in jobs]]


def test_a_code_is_used_once(stores: Stores) -> None:
    code = stores.grants.allow(stores.asked())
    family = stores.family(code)
    made = at_once([lambda: stores.grants.redeem(family, code)] * THREADS)
    assert sum(token is not None for token in made) == 1


def test_a_rotated_token_is_used_once(stores: Stores) -> None:
    code = stores.grants.allow(stores.asked())
    token = stores.grants.redeem(stores.family(code), code)
    assert token
    family = stores.family(token)
    made = at_once([lambda: stores.grants.renew(family, token, rotate=True)] * THREADS)
    (fresh,) = (each for each in made if each is not None)
    assert stores.grants.renew(stores.family(fresh), fresh, rotate=True)


def test_a_kept_token_may_be_used_by_many(stores: Stores) -> None:
    code = stores.grants.allow(stores.asked())
    token = stores.grants.redeem(stores.family(code), code)
    assert token
    family = stores.family(token)
    assert at_once([lambda: stores.grants.renew(family, token, rotate=False)] * THREADS) == [token] * THREADS


def test_many_consents_at_once_are_all_in_the_grant(stores: Stores) -> None:
    asked = stores.asked()
    codes = at_once([lambda: stores.grants.allow(asked)] * THREADS)
    (grant,) = stores.grants.of_user(str(asked.user))
    assert grant.families == {stores.family(code).label for code in codes}


def test_a_grant_that_ends_meanwhile_leaves_nothing(stores: Stores) -> None:
    asked = stores.asked()
    user = str(asked.user)
    codes = [stores.grants.allow(asked) for _ in range(8)]
    families = [stores.family(code) for code in codes]

    def use(family: Family, code: str) -> Callable[[], Any]:
        return lambda: stores.grants.redeem(family, code)

    jobs = [use(family, code) for family, code in zip(families, codes, strict=True)]
    at_once([*jobs[:4], lambda: stores.grants.end(user, asked.app), *jobs[4:]])
    assert stores.grants.of_user(user) == []
    assert stores.items(user) == []


def test_a_server_state_is_used_once(stores: Stores) -> None:
    asked = stores.asked()
    state = stores.states.make(asked.app)

    def allow() -> str | None:
        try:
            return stores.grants.allow(asked, stores.states.use(state))
        except Lost:
            return None

    assert sum(code is not None for code in at_once([allow] * THREADS)) == 1


@pytest.mark.parametrize("kind", Kind)
def test_no_more_passwords_are_looked_at_than_the_rule_lets(stores: Stores, kind: Kind) -> None:
    name = new_user_id()
    begun = at_once([lambda: stores.attempts.begin(kind, name)] * 40)
    counted = [each for each in begun if isinstance(each, Attempt)]
    assert len(counted) == kind.free
    at_once([partial(stores.attempts.forgive, each) for each in counted])
    assert isinstance(stores.attempts.begin(kind, name), Attempt)


def test_right_ones_among_wrong_ones_leave_the_wrong_ones_counted(stores: Stores) -> None:
    """However they come between each other, what is left is what failed."""
    name = new_user_id()

    def sign_in(turn: int) -> None:
        begun = stores.attempts.begin(Kind.ADDRESS, name)
        assert isinstance(begun, Attempt)
        if turn % 2:
            stores.attempts.forgive(begun)

    at_once([partial(sign_in, turn) for turn in range(Kind.ADDRESS.free)])
    begun = stores.attempts.begin(Kind.ADDRESS, name)
    assert isinstance(begun, Attempt)
    assert begun.before.count == Kind.ADDRESS.free // 2
