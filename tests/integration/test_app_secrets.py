"""Two secrets of an app at once: rotation, the end of the old one, and the notes of their use."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.core.client_secrets import OLD_SECRET_MS, WhichSecret
from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.model.directory import App
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.failures import Uncertain
from tests.kit.signing import SECRET, create_app, signed
from tests.kit.worlds import APP, HANA, Reply, World

Send = Callable[..., Reply]
DAY = 86_400_000


@pytest.fixture
def app(world: World) -> World:
    create_app(world)
    world.platform.appdata.install(APP, HANA)
    world.calls.clear()
    return world


def ask(world: World, secret: str, *, basic: bool = False) -> Reply:
    """Ask for a token of the app itself, with the secret in the body or as HTTP Basic."""
    form = {"grant_type": "client_credentials"}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if basic:
        headers["Authorization"] = "Basic " + base64.b64encode(f"{APP}:{secret}".encode()).decode()
    else:
        form |= {"client_id": APP, "client_secret": secret}
    return world.send("POST", "/2/token", urlencode(form).encode(), user=None, headers=headers)


def works(world: World, secret: str) -> set[bool]:
    """Return whether a secret works in the body, as HTTP Basic and for signed requests: {True} is in all of them."""
    tokens = {ask(world, secret).status, ask(world, secret, basic=True).status}
    by_signature = signed(world, "GET", "/os/0.8/people/@me/@self", secret=secret).status
    assert tokens | {by_signature} <= {200, 400, 401}
    return {status == 200 for status in (*tokens, by_signature)}


def test_the_old_secret_works_for_30_days_unless_it_is_ended(app: World, operator: Send) -> None:
    fresh = operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).json["secret"]

    assert fresh not in str(app.items("directory"))
    assert works(app, fresh) == works(app, SECRET) == {True}
    assert works(app, "0" * 40) == {False}
    told = operator("GET", f"/apps/{APP}").json
    now = app.clock.now
    assert (told["secretCreated"], told["oldSecretUntil"]) == (now, now + OLD_SECRET_MS)
    assert (told["secretUsed"], told["oldSecretUsed"]) == (now, now)
    assert "ecret" not in "".join(each for each in map(str, told.values()))
    app.clock.now += OLD_SECRET_MS - 1
    assert works(app, SECRET) == {True}
    app.clock.now += 1
    assert works(app, SECRET) == {False}
    assert works(app, fresh) == {True}
    assert operator("DELETE", f"/apps/{APP}/old-secret").json == {"id": APP, "changed": False}


def test_the_old_secret_is_ended(app: World, operator: Send) -> None:
    fresh = operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).json["secret"]

    assert operator("DELETE", f"/apps/{APP}/old-secret").json == {"id": APP, "changed": True}
    assert works(app, SECRET) == {False}
    assert works(app, fresh) == {True}
    assert operator("GET", f"/apps/{APP}").json["oldSecretUntil"] is None
    assert operator("DELETE", f"/apps/{APP}/old-secret").json == {"id": APP, "changed": False}


@pytest.mark.parametrize("body", [None, {}, {"keepOld": False}])
def test_without_keep_old_the_old_secret_ends_at_once(app: World, operator: Send, body: Any) -> None:
    first = operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).json["secret"]
    second = operator("POST", f"/apps/{APP}/secret", body).json["secret"]

    assert works(app, SECRET) == works(app, first) == {False}
    assert works(app, second) == {True}
    assert operator("GET", f"/apps/{APP}").json["oldSecretUntil"] is None


@pytest.mark.parametrize("body", [[], "x", {"keepOld": 1}, {"keepOld": None}, {"keep": True}])
def test_a_wrong_body_rotates_nothing(app: World, operator: Send, body: Any) -> None:
    assert operator("POST", f"/apps/{APP}/secret", body).status == 400
    assert works(app, SECRET) == {True}


def test_a_third_secret_is_refused_while_two_are_in_use(app: World, operator: Send) -> None:
    first = operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).json["secret"]
    # Nobody has used the first one: its answer may have been lost.
    second = operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).json["secret"]
    assert works(app, SECRET) == {True}
    assert works(app, first) == {False}
    assert works(app, second) == {True}

    assert operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).error[:2] == (409, "conflict")
    assert works(app, SECRET) == works(app, second) == {True}
    app.clock.now += OLD_SECRET_MS
    third = operator("POST", f"/apps/{APP}/secret", {"keepOld": True}).json["secret"]
    assert works(app, second) == works(app, third) == {True}


def test_a_public_or_unknown_app_has_no_old_secret(world: World, operator: Send) -> None:
    world.platform.apps.create(App("a" * 16, "Album", confidential=False))

    assert operator("DELETE", f"/apps/{'a' * 16}/old-secret").error[:2] == (409, "conflict")
    assert operator("POST", f"/apps/{'a' * 16}/secret", {"keepOld": True}).error[:2] == (409, "conflict")
    for gone in ("b" * 16, "not-an-id"):
        assert operator("DELETE", f"/apps/{gone}/old-secret").status == 404
    told = operator("GET", f"/apps/{'a' * 16}").json
    assert told["secretCreated"] is told["secretUsed"] is None


def test_a_use_is_noted_once_a_day_beside_the_calls_of_the_request(app: World) -> None:
    def noted() -> list[str]:
        return [call.operation for call in app.calls if call.operation == "update_item" and "xu" in str(call.request)]

    assert (ask(app, SECRET).status, ask(app, SECRET, basic=True).status) == (200, 200)
    assert len(noted()) == 1
    assert signed(app, "GET", "/os/0.8/people/@me/@self").status == 200
    assert len(noted()) == 1
    app.clock.now += DAY
    assert signed(app, "GET", "/os/0.8/people/@me/@self").status == 200
    assert len(noted()) == 2
    known = app.platform.apps.get(APP)
    assert known
    assert known.secret_used == app.clock.now
    assert ask(app, "wrong" * 8).status == 401
    assert len(noted()) == 2


def test_a_use_that_cannot_be_noted_is_no_error(app: World, monkeypatch: pytest.MonkeyPatch) -> None:
    update = Dynamo.update

    def fail(self: Dynamo, table: str, key: Any, change: Any, condition: Any = None) -> None:
        if "xu" in change.sets:
            raise Uncertain("lost")
        update(self, table, key, change, condition)

    monkeypatch.setattr(Dynamo, "update", fail)
    assert works(app, SECRET) == {True}
    known = app.platform.apps.get(APP)
    assert known
    assert known.secret_used is None


def test_the_note_of_a_secret_that_was_rotated_meanwhile_is_dropped(app: World) -> None:
    known = app.platform.apps.get(APP)
    assert known
    app.platform.app_secrets.rotate(APP, keep_old=True)
    assert app.platform.app_secrets.noting_use(known, WhichSecret.CURRENT, lambda: 5) == 5
    fresh = app.platform.apps.get(APP)
    assert fresh
    assert (fresh.secret_used, fresh.old_secret_used) == (None, None)


def test_two_operators_who_rotate_at_once_leave_the_secret_in_use(app: World) -> None:
    secrets = app.platform.app_secrets
    other: list[str] = []
    settle = secrets._write

    def after_a_rival(*given: Any) -> bool:
        if not other:
            other.append("")
            other[0] = secrets.rotate(APP, keep_old=True)
        return settle(*given)

    secrets._write = after_a_rival  # type: ignore[method-assign,assignment]
    made = secrets.rotate(APP, keep_old=True)

    assert works(app, SECRET) == {True}
    assert works(app, made) == {True}
    assert works(app, other[0]) == {False}


def test_a_rotation_whose_answer_was_lost_meets_its_own_first_try(app: World, monkeypatch: pytest.MonkeyPatch) -> None:
    update, lost = Dynamo.update, [True]

    def lose(self: Dynamo, *given: Any) -> None:
        update(self, *given)
        if lost:
            lost.pop()
            raise Uncertain("lost")

    monkeypatch.setattr(Dynamo, "update", lose)
    made = app.platform.app_secrets.rotate(APP, keep_old=True)

    known = app.platform.apps.get(APP)
    assert known
    assert (known.secret, known.old_secret) == (made, SECRET)


def test_unknown_apps_have_no_secrets(world: World) -> None:
    for refused in (world.platform.app_secrets.rotate, world.platform.app_secrets.end_old):
        with pytest.raises(NotFound):
            refused("f" * 16)
    world.platform.apps.create(App("a" * 16, "Album", confidential=False))
    with pytest.raises(Conflict):
        world.platform.app_secrets.rotate("a" * 16)
