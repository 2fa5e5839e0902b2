"""The matrix of roles and actions."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.core.roles import ACTIONS, Action, Role, allows, roles_page

MODERATORS = {
    Action.FIND_USERS,
    Action.SEE_USER,
    Action.SUSPEND_USER,
    Action.SEE_APPS,
    Action.SEE_PAGES,
    Action.MODERATE,
    Action.HANDLE_REPORTS,
    Action.SEE_OVERVIEW,
}
DANGEROUS = {
    Action.ERASE_USER,
    Action.EXPORT_USER,
    Action.SEE_VALUES,
    Action.DELETE_DATA,
    Action.RESET_LINK,
    Action.GIVE_ROLE,
    Action.ROTATE_SECRET,
    Action.DELETE_APP,
    Action.SUSPEND_APP,
}


@pytest.mark.parametrize("action", Action)
def test_every_action_has_a_rule_that_lets_operators_do_it_and_nobody_without_a_role(action: Action) -> None:
    assert allows(Role.OPERATOR, action)
    assert not allows(None, action)
    assert allows(Role.MODERATOR, action) == (action in MODERATORS)
    assert ACTIONS[action].dangerous >= (action in DANGEROUS)
    assert ACTIONS[action].text


def test_the_page_of_roles_is_the_matrix() -> None:
    path = Path(__file__).parents[2] / "docs" / "reference" / "roles.md"
    assert path.read_text(encoding="utf-8") == roles_page(), "run .venv/bin/python -m infra.reference"
    assert roles_page().count("\n| `") == len(Action)
