"""Checks of the operator's API."""

from __future__ import annotations

from tests.checks.site import Site, answered, refused
from tests.checks.world import World


def test_lists(world: World) -> None:
    told = answered(world.admin("GET", "apps?count=1"))
    assert len(told["entry"]) == told["itemsPerPage"] == 1
    assert answered(world.admin("GET", f"apps/{world.app}"))["id"] == world.app


def test_fields_that_there_are_not(world: World) -> None:
    refused(world.admin("PATCH", f"users/{world.one.id}", {"colour": "x"}), 400, "parameter_invalid", "colour")


def test_relations_may_be_made_again(world: World) -> None:
    told = answered(world.admin("PUT", f"users/{world.one.id}/friends/{world.other.id}"))
    assert told["changed"] is False


def test_an_export(world: World) -> None:
    told = answered(world.admin("GET", f"users/{world.one.id}/export"))
    assert told["profile"]["login"] == world.one.login
    assert [each["app"] for each in told["installs"]] == [world.app]


def test_a_user_s_token_is_no_operator_s(site: Site, world: World) -> None:
    refused(site.get("/admin/users", world.one.token), 403, "insufficient_scope")
