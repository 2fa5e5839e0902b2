"""What operators ask in test_faces_faults.py, and what nobody asks: the functions that clean and sweep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from chalicelib.api.scheduled import CLEAN, SWEEP
from local.in_process import APP, HANA, KEN, ME, MEI, TARO, Reply
from tests.integration.contents import MODULE, PAGE, QUIET
from tests.integration.faces import PASSWORD, PUBLIC, Faces, told
from tests.integration.faces_asking import Deed, in_answers, uncounted
from tests.integration.suffering import Ids, outcome_of

NEW_USER, NEW_APP, NEW_PAGE = "n1n2n3n4n5n6", "00ff00ff00ff00ff", "30000000000000000000"


def operate(method: str, path: str, body: Any = None, **query: str) -> Callable[[Faces, Ids], Reply]:
    return lambda stage, ids: stage.operate(method, path, body, **query)


def new_secret(stage: Faces, ids: Ids) -> str:
    """A new secret is the one that was told."""
    answer = stage.operate("POST", f"/apps/{APP}/secret")
    return told(answer, answer.status != 200 or stage.stored_secret(APP) == answer.json["secret"])


def by_queue(stage: Faces, ids: Ids) -> str:
    """The queue's function works at what it is sent; what fails is sent again by SQS."""

    def work() -> None:
        for message in list(stage.cloud.line.messages):
            stage.invoke(CLEAN, {"Records": [{"body": message, "receiptHandle": "", "messageId": uuid4().hex}]})
            stage.cloud.line.messages.remove(message)

    return outcome_of(work)


SCHEDULED = dict.fromkeys(("version", "account", "region", "source", "detail-type", "time", "id"), "") | {
    "detail": {},
    "resources": [],
}


def by_schedule(stage: Faces, ids: Ids) -> str:
    return outcome_of(lambda: stage.invoke(SWEEP, SCHEDULED))


def bring_in(stage: Faces, ids: Ids) -> str:
    """Whether a record was imported now or before is told, and is no difference."""
    return told(stage.operate("POST", "/import", RECORDS)).replace("created", "unchanged")


def leave_much(stage: Faces, ids: Ids) -> None:
    """A feed and data are deleted."""
    stage.delete()
    stage.send("DELETE", ME, token=stage.token())


def without_posts(stage: Faces, ids: Ids) -> None:
    """A page that has had no feed goes at once."""
    stage.platform.pages.members.add_follower(QUIET, KEN)


RECORDS = {
    "users": [
        {"id": NEW_USER, "displayName": "New", "login": "new", "password": PASSWORD},
        {"id": KEN, "displayName": "Other"},
    ],
    "friendships": [{"user": NEW_USER, "friend": HANA}, {"user": NEW_USER, "friend": KEN}],
    "installs": [{"user": NEW_USER, "app": APP}, {"user": HANA, "app": PUBLIC}],
}
NEW = {"displayName": "New", "id": NEW_USER, "login": "new", "password": PASSWORD}
OPERATORS = [
    *(
        Deed(f"list {path}", operate("GET", path))
        for path in (
            "/users",
            f"/users/{HANA}",
            f"/users/{HANA}/friends",
            f"/users/{HANA}/installs",
            f"/users/{HANA}/grants",
            "/apps",
            f"/apps/{APP}",
            f"/apps/{APP}/installs",
            "/pages",
            f"/pages/{PAGE}",
            f"/pages/{PAGE}/modules",
            f"/pages/{PAGE}/administrators",
            f"/pages/{PAGE}/followers",
        )
    ),
    Deed("export a user", operate("GET", f"/users/{HANA}/export")),
    Deed("export a user too large for Lambda", in_answers(operate("GET", f"/users/{HANA}/export"))),
    Deed("create a user", operate("POST", "/users", NEW)),
    Deed("change a user", operate("PATCH", f"/users/{HANA}", {"displayName": "Other"}), steps=True),
    Deed("rename a user", operate("PATCH", f"/users/{HANA}", {"login": "other", "age": 30}), steps=True),
    Deed("set a password", operate("PUT", f"/users/{HANA}/password", {"password": "another one"})),
    Deed("befriend", operate("PUT", f"/users/{HANA}/friends/{TARO}")),
    Deed("unfriend", operate("DELETE", f"/users/{HANA}/friends/{KEN}")),
    Deed("install", operate("PUT", f"/users/{TARO}/installs/{APP}")),
    Deed("uninstall", operate("DELETE", f"/users/{HANA}/installs/{APP}"), steps=True),
    Deed("end a grant", operate("DELETE", f"/users/{HANA}/grants/{APP}")),
    Deed("erase a user", uncounted(operate("DELETE", f"/users/{HANA}")), steps=True),
    Deed("create an app", operate("POST", "/apps", {"name": "New", "id": NEW_APP})),
    Deed("change an app", operate("PATCH", f"/apps/{APP}", {"name": "Other"}), steps=True),
    Deed("give an app a new secret", new_secret),
    Deed("give an app a new secret in a new process", new_secret, cold=True),
    Deed("delete an app", uncounted(operate("DELETE", f"/apps/{APP}")), steps=True),
    Deed("create a page", operate("POST", "/pages", {"name": "New", "id": NEW_PAGE})),
    Deed("change a page", operate("PATCH", f"/pages/{PAGE}", {"name": "Other"}), steps=True),
    Deed("delete a page", operate("DELETE", f"/pages/{PAGE}"), steps=True),
    Deed("delete a page without feeds", operate("DELETE", f"/pages/{QUIET}"), without_posts, steps=True),
    Deed("add a module", operate("POST", f"/pages/{PAGE}/modules", {"app": PUBLIC, "name": "name"})),
    Deed(
        "add a module by its number", operate("POST", f"/pages/{PAGE}/modules", {"app": PUBLIC, "name": "n", "id": "9"})
    ),
    Deed("remove a module", operate("DELETE", f"/pages/{PAGE}/modules/{MODULE}")),
    Deed("add an administrator", operate("PUT", f"/pages/{PAGE}/administrators/{KEN}")),
    Deed("remove an administrator", operate("DELETE", f"/pages/{PAGE}/administrators/{MEI}")),
    Deed("add a follower", operate("PUT", f"/pages/{PAGE}/followers/{KEN}")),
    Deed("remove a follower", operate("DELETE", f"/pages/{PAGE}/followers/{HANA}")),
    Deed("import", bring_in, steps=True),
    Deed("clean", by_queue, leave_much, steps=True),
    Deed("sweep", by_schedule, leave_much, steps=True),
]
