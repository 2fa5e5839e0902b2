"""`python -m local.token`: tokens for the demo world."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.core.oauth import OPERATOR, USER_SCOPES
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from local import keys
from local.environment import Refused
from local.token import issue, parse

URL = "http://127.0.0.1:8000"
HANA, QUEST = "k3v9x2mtq7ra", "6d1f0c2ab4e79853"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    keys.ensure(tmp_path / "token-keys.json")
    demo = {"baseUrl": URL, "users": {"hana": {"id": HANA}}, "apps": {"quest": {"id": QUEST}}}
    (tmp_path / "demo.json").write_text(json.dumps(demo))
    return tmp_path


def scopes_of(directory: Path, scope: str) -> frozenset[str]:
    made = issue(directory, parse(["--user", "hana", "--app", "quest", "--scope", scope]))
    return AccessTokens(TokenKeys((directory / "token-keys.json").read_text), URL).check(made).scopes


@pytest.mark.parametrize("scope", ["", "r_profile,mixi_apps2 r_page", USER_SCOPES[-1], OPERATOR])
def test_scopes_that_exist_are_in_the_token(directory: Path, scope: str) -> None:
    assert scopes_of(directory, scope) == {*scope.replace(",", " ").split()}


@pytest.mark.parametrize("scope", ["r_profil", "mixi_apps2 r_pages", "R_PROFILE"])
def test_a_scope_that_does_not_exist_is_refused_with_those_that_do(directory: Path, scope: str) -> None:
    with pytest.raises(Refused, match=r"^There is no scope '\w+'; the scopes are mixi_apps2, r_profile, .*\.$"):
        scopes_of(directory, scope)
