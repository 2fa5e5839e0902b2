"""The stores of roles and suspensions: what is kept, what is refused, and two at once."""

from __future__ import annotations

import pytest

from chalicelib.core.errors import Conflict, NotFound, PermissionDenied
from chalicelib.core.roles import Role
from tests.kit.rivals import meanwhile
from tests.kit.worlds import HANA, KEN, MEI, World

STRANGER = "z" * 12


def role_of(world: World, user: str) -> Role | None:
    known = world.platform.users.get(user)
    assert known
    return known.role


def operators(world: World) -> int:
    return sum(int(item["operators"]["N"]) for item in world.items("directory") if item["pk"]["S"] == "roles")


def test_a_role_is_given_changed_and_taken(world: World) -> None:
    roles = world.platform.roles

    assert roles.give(HANA, Role.OPERATOR) == (None, True)
    assert roles.give(HANA, Role.OPERATOR) == (Role.OPERATOR, False)
    assert roles.give(KEN, Role.MODERATOR, by=HANA) == (None, True)
    assert (role_of(world, HANA), role_of(world, KEN), role_of(world, MEI)) == (Role.OPERATOR, Role.MODERATOR, None)
    assert operators(world) == 1

    assert roles.give(KEN, Role.OPERATOR, by=HANA) == (Role.MODERATOR, True)
    assert roles.give(HANA, Role.MODERATOR, by=KEN) == (Role.OPERATOR, True)
    assert roles.give(HANA, None, by=KEN) == (Role.MODERATOR, True)
    assert roles.give(HANA, None, by=KEN) == (None, False)
    assert (role_of(world, HANA), role_of(world, KEN)) == (None, Role.OPERATOR)
    assert operators(world) == 1


def test_nobody_changes_their_own_role_and_the_last_operator_keeps_it(world: World) -> None:
    roles = world.platform.roles
    roles.give(HANA, Role.OPERATOR)
    roles.give(KEN, Role.MODERATOR)
    before = world.items("directory")

    with pytest.raises(PermissionDenied, match="own role"):
        roles.give(KEN, Role.OPERATOR, by=KEN)
    for other in (None, Role.MODERATOR):
        with pytest.raises(Conflict, match="last operator"):
            roles.give(HANA, other)
    with pytest.raises(NotFound):
        roles.give(STRANGER, Role.MODERATOR)

    assert world.items("directory") == before


def test_two_operators_who_take_each_others_role_at_once_leave_one(world: World) -> None:
    roles = world.platform.roles
    roles.give(HANA, Role.OPERATOR)
    roles.give(KEN, Role.OPERATOR)

    def take() -> None:
        assert roles.give(HANA, None, by=KEN)[1]

    with meanwhile(take), pytest.raises(Conflict, match="last operator"):
        roles.give(KEN, None, by=HANA)

    assert (role_of(world, HANA), role_of(world, KEN), operators(world)) == (None, Role.OPERATOR, 1)


def test_a_suspension_keeps_its_first_time_until_it_ends(world: World) -> None:
    roles = world.platform.roles
    at = world.clock.now

    assert roles.suspend(HANA)
    world.clock.now += 5
    assert not roles.suspend(HANA)
    known = world.platform.users.get(HANA)
    assert known
    assert known.suspended == at
    assert roles.restore(HANA)
    assert not roles.restore(HANA)
    restored = world.platform.users.get(HANA)
    assert restored
    assert restored.suspended is None
    for change in (roles.suspend, roles.restore):
        with pytest.raises(NotFound):
            change(STRANGER)


def test_a_user_with_a_role_is_neither_suspended_nor_deleted(world: World) -> None:
    roles = world.platform.roles
    roles.give(HANA, Role.MODERATOR)
    roles.suspend(KEN)
    before = world.items("directory")

    with pytest.raises(Conflict, match="role"):
        roles.suspend(HANA)
    with pytest.raises(Conflict, match="role"):
        world.platform.user_data.erase(HANA)
    with pytest.raises(Conflict, match="suspended"):
        roles.give(KEN, Role.OPERATOR)

    assert world.items("directory") == before
