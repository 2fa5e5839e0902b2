"""The secrets of a confidential app: which are valid, and when a use is noted."""

from dataclasses import replace

import pytest

from chalicelib.core.client_secrets import (
    OLD_SECRET_MS,
    WhichSecret,
    matching_secret,
    replaces_unused,
    should_note_use,
    valid_secrets,
)
from chalicelib.core.errors import Conflict
from chalicelib.core.model.directory import App

NOW = 1_775_001_600_000
DAY = 86_400_000
APP = App("6d1f0c2ab4e79853", "Quest", secret="a" * 40)
ROTATED = replace(APP, old_secret="b" * 40, old_secret_until=NOW)


def test_only_the_secret_of_a_confidential_app_matches() -> None:
    assert matching_secret(APP, "a" * 40, NOW) is WhichSecret.CURRENT
    for wrong in ("a" * 39, "a" * 41, "", "花", "\ud800", "b" * 40, "0" * 40):
        assert matching_secret(APP, wrong, NOW) is None
    assert matching_secret(None, "0" * 40, NOW) is None
    public = App("c07be4915fa2d386", "Album", confidential=False)
    assert matching_secret(public, "0" * 40, NOW) is None
    assert valid_secrets(public, NOW) == valid_secrets(None, NOW) == {}
    assert "aaa" not in repr(ROTATED)
    assert "bbb" not in repr(ROTATED)


def test_the_old_secret_matches_until_its_time_is_over() -> None:
    assert OLD_SECRET_MS == 30 * DAY
    assert matching_secret(ROTATED, "b" * 40, NOW - 1) is WhichSecret.OLD
    assert matching_secret(ROTATED, "b" * 40, NOW) is None
    for now in (NOW - 1, NOW):
        assert matching_secret(ROTATED, "a" * 40, now) is WhichSecret.CURRENT
    assert matching_secret(replace(ROTATED, old_secret="a" * 40), "a" * 40, NOW - 1) is WhichSecret.CURRENT


@pytest.mark.parametrize(
    ("used", "noted"), [(None, True), (NOW // DAY * DAY - 1, True), (NOW // DAY * DAY, False), (NOW + 5, False)]
)
def test_the_first_use_of_a_day_is_noted(used: int | None, noted: bool) -> None:
    assert should_note_use(replace(APP, secret_used=used), WhichSecret.CURRENT, NOW) is noted
    assert should_note_use(replace(ROTATED, old_secret_used=used), WhichSecret.OLD, NOW) is noted


def test_a_rotation_ends_no_secret_in_use() -> None:
    assert not replaces_unused(APP, NOW)
    assert not replaces_unused(replace(APP, secret_used=NOW - 1), NOW)
    assert replaces_unused(ROTATED, NOW - 1)
    with pytest.raises(Conflict, match="end the old one"):
        replaces_unused(replace(ROTATED, secret_used=NOW - 1), NOW - 1)
    assert not replaces_unused(replace(ROTATED, secret_used=NOW - 1), NOW)
