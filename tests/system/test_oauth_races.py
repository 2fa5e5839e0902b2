"""Concurrent calls with one code, refresh token, grant or account: each counts once, without leftovers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from chalicelib.core.errors import Unavailable
from chalicelib.core.limits import Limits
from chalicelib.core.model.directory import User, new_app_id, new_user_id
from chalicelib.core.oauth import Family
from chalicelib.store.appdata.appdata import AppData
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Lost
from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.friends_and_installs import FriendsAndInstalls
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.secret_sealing import SecretSealing
from chalicelib.store.directory.users import Users
from chalicelib.store.grants.ephemeral import Attempt, AttemptKind, SignInAttempts, UsedStates
from chalicelib.store.grants.grants import Grants

THREADS = 16
GRANTS, EPHEMERAL, DIRECTORY, APPDATA = (
    f"engawa-local-{name}" for name in ("grants", "ephemeral", "directory", "appdata")
)


class Stores:
    """The stores of OAuth over the embedded AWS."""

    def __init__(self, client: Any) -> None:
        self.client = client
        dynamo, clock = Dynamo(client), lambda: time.time_ns() // 1_000_000
        pages = Pages(dynamo, DIRECTORY, clock)
        apps = Apps(dynamo, DIRECTORY, SecretSealing(lambda: ""), pages, clock)
        self.users = Users(dynamo, DIRECTORY, FriendsAndInstalls(dynamo, DIRECTORY), pages, clock)
        self.grants = Grants(dynamo, GRANTS, DIRECTORY, apps, clock)
        self.states = UsedStates(dynamo, EPHEMERAL, clock)
        self.attempts = SignInAttempts(dynamo, EPHEMERAL, clock)
        self.directory = FriendsAndInstalls(dynamo, DIRECTORY)
        self.appdata = AppData(dynamo, APPDATA, self.directory, Limits(), clock)

    def asked(self) -> Family:
        """Return a grant family of a new app and a new user, who has installed it."""
        user = self.users.create(User(new_user_id(), "user"))
        asked = Family("", new_app_id(), user.id, frozenset({"r_profile"}), 0, 0)
        self.appdata.install(asked.app, user.id)
        return asked

    def uninstall(self, asked: Family) -> bool:
        """Uninstall as UserData.uninstall does."""
        user = str(asked.user)
        return self.appdata.uninstall(asked.app, user, lambda write, _: self.grants.ending(write, user, asked.app))

    def family(self, token: str) -> Family:
        found = self.grants.find("0" * 16, token)[1]
        assert found
        return found

    def items(self, text: str) -> list[dict[str, Any]]:
        """Return the items of the grants table that contain a text."""
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


def rotated(stores: Stores, token: str) -> str | None:
    """Read the family of a refresh token and renew it, as a request does. Return the new token or None."""
    family = stores.grants.find("0" * 16, token)[1]
    return stores.grants.renew(family, token, rotate=True) if family else None


def refresh_token(stores: Stores) -> str:
    code = stores.grants.allow(stores.asked())
    token = stores.grants.redeem(stores.family(code), code)
    assert token
    return token


def test_all_who_rotate_a_token_at_once_get_the_same_successor(stores: Stores) -> None:
    token = refresh_token(stores)
    family = stores.family(token)
    made = at_once([lambda: stores.grants.renew(family, token, rotate=True)] * THREADS)
    (fresh,) = set(made)
    assert fresh
    assert fresh != token
    stored = stores.items(family.id)
    assert {rotated(stores, token) for _ in range(3)} == {fresh}
    assert stores.items(family.id) == stored
    later = at_once([lambda: rotated(stores, fresh)] * THREADS)
    assert len({*later}) == 1
    assert later[0] not in (None, token, fresh)


def test_a_token_whose_successor_is_used_at_that_moment_gets_that_one_or_nothing(stores: Stores) -> None:
    for _ in range(8):
        token = refresh_token(stores)
        fresh = rotated(stores, token)
        assert fresh
        half = THREADS // 2
        made = at_once([lambda t=token: rotated(stores, t), lambda f=fresh: rotated(stores, f)] * half)  # type: ignore[misc]
        assert {*made[0::2]} <= {fresh, None}
        (newest,) = {*made[1::2]}
        assert newest not in (None, token, fresh)
        assert rotated(stores, token) is None
        assert rotated(stores, fresh) == newest


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


def test_consents_and_uninstalls_at_once_never_leave_a_grant_without_an_install(stores: Stores) -> None:
    """In any order, the end is an install with a grant, an install without one, or neither."""
    ends = set()
    for turn in range(12):
        asked = stores.asked()
        user = str(asked.user)

        def consent(asked: Family = asked, user: str = user) -> str | None:
            stores.appdata.install(asked.app, user)
            try:
                return stores.grants.allow(asked)
            except Unavailable:
                return None  # The app was uninstalled meanwhile.

        def leave(asked: Family = asked) -> bool:
            return stores.uninstall(asked)

        at_once([consent, leave] * 3 if turn % 2 else [leave, consent, consent])
        installed = stores.directory.installs(user)[0] == [asked.app]
        granted = [grant.app for grant in stores.grants.of_user(user)] == [asked.app]
        assert installed or not granted
        ends.add((installed, granted))
        stores.uninstall(asked)
        assert stores.items(user) == []
        assert stores.directory.installs(user)[0] == []
    assert ends <= {(True, True), (True, False), (False, False)}


def test_what_is_redeemed_while_the_app_is_uninstalled_is_worth_nothing(stores: Stores) -> None:
    asked = stores.asked()
    codes = [stores.grants.allow(asked) for _ in range(8)]
    families = [stores.family(code) for code in codes]

    def use(family: Family, code: str) -> Callable[[], Any]:
        return lambda: stores.grants.redeem(family, code)

    jobs = [use(family, code) for family, code in zip(families, codes, strict=True)]
    at_once([*jobs[:4], lambda: stores.uninstall(asked), *jobs[4:]])
    assert stores.items(str(asked.user)) == []


def test_a_server_state_is_used_once(stores: Stores) -> None:
    asked = stores.asked()
    state = new_user_id()

    def allow() -> str | None:
        try:
            return stores.grants.allow(asked, lambda write: stores.states.use(write, state))
        except Lost:
            return None

    assert not stores.states.has(state)
    assert sum(code is not None for code in at_once([allow] * THREADS)) == 1
    assert stores.states.has(state)


@pytest.mark.parametrize("kind", AttemptKind)
def test_no_more_passwords_are_looked_at_than_the_rule_lets(stores: Stores, kind: AttemptKind) -> None:
    name, now = new_user_id(), time.time_ns() // 1_000_000
    # On a slow machine, 40 attempts last longer than the first delay, after which the rule lets one more.
    attempts = SignInAttempts(Dynamo(stores.client), EPHEMERAL, lambda: now)
    begun = at_once([lambda: attempts.begin(kind, name)] * 40)
    counted = [each for each in begun if isinstance(each, Attempt)]
    assert len(counted) == kind.free
    at_once([partial(attempts.forgive, each) for each in counted])
    assert isinstance(attempts.begin(kind, name), Attempt)


def test_right_ones_among_wrong_ones_leave_the_wrong_ones_counted(stores: Stores) -> None:
    """In any order, the remaining count is that of the failed attempts."""
    name = new_user_id()

    def sign_in(turn: int) -> None:
        begun = stores.attempts.begin(AttemptKind.ADDRESS, name)
        assert isinstance(begun, Attempt)
        if turn % 2:
            stores.attempts.forgive(begun)

    at_once([partial(sign_in, turn) for turn in range(AttemptKind.ADDRESS.free)])
    begun = stores.attempts.begin(AttemptKind.ADDRESS, name)
    assert isinstance(begun, Attempt)
    assert begun.before.count == AttemptKind.ADDRESS.free // 2
