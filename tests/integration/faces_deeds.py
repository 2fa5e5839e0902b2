"""What is asked of each face in test_faces_faults.py: at least one request for every route of the app."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from bench.world import APP, HANA, KEN, ME, MEI, TARO, Reply
from chalicelib.api.housekeeping import CLEAN, SWEEP
from chalicelib.core import passwords
from chalicelib.core.errors import Refusal
from chalicelib.web import answers
from tests.integration.contents import MODULE, PAGE, PICTURE, QUIET, URI
from tests.integration.deeds import noise
from tests.integration.faces import BACK, PASSWORD, PUBLIC, PUBLIC_BACK, Faces, told
from tests.integration.signing import ORIGIN, SECRET, signed
from tests.integration.suffering import Ground, Ids
from tests.pictures import png

VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SMALL = {"level": "5", "name": "花"}
LARGE = SMALL | {"map": noise(4_000, 1)}
FEEDS, COMMENTS, FAVORITES = (f"/2/pages/{PAGE}/{name}" for name in ("feeds", "comments", "favorites"))
OTHER = "http://application.example/other"
NEW_USER, NEW_APP, NEW_PAGE = "n1n2n3n4n5n6", "00ff00ff00ff00ff", "30000000000000000000"


@dataclass(frozen=True)
class Deed:
    """One request. `steps`: it is no one transaction, and what is left of it is done when asked again."""

    name: str
    act: Callable[[Faces, Ids], Reply | str]
    before: Callable[[Faces, Ids], Any] = lambda stage, ids: None
    steps: bool = False
    cold: bool = False

    def outcome(self, stage: Faces, ids: Ids) -> str:
        """What whoever asks is told."""
        answer = self.act(stage, ids)
        return answer if isinstance(answer, str) else told(answer)


def prepare(ground: Ground, deed: Deed) -> Ids:
    """HANA and KEN are friends and have the app, HANA has granted it something; a feed with all that hangs on it."""
    saved, ids = furnished(ground)
    ground.restore(saved)
    deed.before(ground.rivals, ids)
    return ids


@cache
def furnished(ground: Ground) -> tuple[Any, Ids]:
    """What was before all deeds, and ids of it."""
    stage: Any = ground.rivals.populate()
    here = stage.platform
    here.directory.befriend(HANA, KEN)
    here.appdata.install(APP, HANA, LARGE)
    here.appdata.install(APP, KEN, SMALL)
    here.pages.add_follower(PAGE, HANA)
    stage.post(renditions=PICTURE)
    ids = {"comment": stage.comment("of hers"), "favorite": stage.favorite()}
    ids["feed"] = here.feeds.get(PAGE, URI)[0].id
    stage.comment("of his", KEN)
    ids["code"] = code = consent(stage, APP)
    ids["public code"] = public = consent(stage, PUBLIC)
    ids["refresh"] = redeem(stage, code)
    ids["public refresh"] = redeem(stage, public, PUBLIC)
    ids["code"], ids["public code"] = consent(stage, APP), consent(stage, PUBLIC)
    ids["state"] = here.states.make(APP)
    return ground.save(), ids


def patiently(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], Reply]:
    """Who is told to come again later, for another reason than that the service is busy, does."""

    def acted(stage: Faces, ids: Ids) -> Reply:
        answer = act(stage, ids)
        while answer.status in (409, 429) and "retry-after" in answer.headers:
            stage.clock.now += 1000 * int(answer.headers["retry-after"])
            answer = act(stage, ids)
        return answer

    return acted


def uncounted(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], str]:
    """How much has gone is for those who ask once."""
    return lambda stage, ids: re.sub(r":\d+", "", told(act(stage, ids)))


def unnumbered(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], str]:
    """A number that was drawn in vain is nobody's."""
    return lambda stage, ids: re.sub(r"feeds/\d+|-\d{14}", "", told(act(stage, ids)))


# OAuth and the pages


def consent(stage: Faces, app: str) -> str:
    """A code for what HANA allows an app."""
    answer = allow(stage, app, user=HANA)
    return answer.headers["location"].partition("code=")[2].partition("&")[0]


def allow(stage: Faces, app: str = APP, *, user: str | None = HANA, **more: str) -> Reply:
    """A step of the page where a user allows an app what it asks for."""
    asked = {"client_id": app, "response_type": "code", "scope": "r_profile", "redirect_uri": BACK}
    if app == PUBLIC:
        asked |= {"redirect_uri": PUBLIC_BACK, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    return stage.fill_in("/connect_authorize.pl", user, **asked | ({"decision": "allow"} if user else {}) | more)


def token(stage: Faces, app: str = APP, **form: str) -> Reply:
    """A request of the token endpoint."""
    own = {"client_id": app} | ({"client_secret": SECRET} if app == APP else {})
    return stage.form("/2/token", **own | form)


def redeem(stage: Faces, code: str, app: str = APP) -> str:
    """The refresh token for a code."""
    refresh: str = trade(stage, code, app).json["refresh_token"]
    return refresh


def trade(stage: Faces, code: str, app: str = APP) -> Reply:
    proof = {"code_verifier": VERIFIER, "redirect_uri": PUBLIC_BACK} if app == PUBLIC else {"redirect_uri": BACK}
    return token(stage, app, grant_type="authorization_code", code=code, **proof)


def refresh(app: str, name: str) -> Callable[[Faces, Ids], Reply]:
    return lambda stage, ids: token(stage, app, grant_type="refresh_token", refresh_token=ids[name])


def sign_in(path: str, password: str = PASSWORD, **more: str) -> Callable[[Faces, Ids], Reply]:
    form = {"login": f"login-of-{HANA}", "password": password} | more
    return lambda stage, ids: stage.fill_in(path, None, **form)


def outdate_password(stage: Faces, ids: Ids) -> None:
    with patch.object(passwords, "R", 4):
        old = passwords.hash_password(PASSWORD)
    stage.platform.users.set_password(HANA, old)


def fail_to_sign_in(stage: Faces, ids: Ids) -> None:
    """But for one time, as often as is free."""
    for _ in range(4):
        sign_in("/settings", "wrong")(stage, ids)


def settings(**form: str) -> Callable[[Faces, Ids], Reply]:
    return lambda stage, ids: stage.fill_in("/settings", HANA, **form)


CONSENT = {"client_id": APP, "response_type": "code", "scope": "r_profile", "redirect_uri": BACK}
ASKING = "/connect_authorize.pl?" + "&".join(f"{name}={value}" for name, value in CONSENT.items())
START = f"/run_page_apps.pl?page_id={PAGE}&module_id={MODULE}&appParams=%7B%7D"
OAUTH = [
    Deed("trade a code", lambda stage, ids: trade(stage, ids["code"])),
    Deed("trade a code without a secret", lambda stage, ids: trade(stage, ids["public code"], PUBLIC)),
    Deed("refresh", refresh(APP, "refresh")),
    Deed("refresh with rotation", refresh(PUBLIC, "public refresh")),
    Deed("an app's own token", lambda stage, ids: token(stage, grant_type="client_credentials"), steps=True),
    Deed("ask for a server_state", lambda stage, ids: token(stage, grant_type="server_state"), steps=True),
    Deed("revoke", lambda stage, ids: stage.form("/2/authorize/revoke", token=ids["refresh"])),
    Deed("ask a user", lambda stage, ids: stage.look_at(ASKING, HANA)),
    Deed("allow", lambda stage, ids: allow(stage), steps=True),
    Deed(
        "allow what installs, with a server_state",
        lambda stage, ids: allow(stage, scope="mixi_apps2 openid", server_state=ids["state"]),
        lambda stage, ids: stage.platform.appdata.uninstall(APP, HANA),
        steps=True,
    ),
    Deed("deny", lambda stage, ids: allow(stage, decision="deny")),
    Deed("sign in to allow", sign_in("/connect_authorize.pl", **CONSENT), steps=True),
    Deed("sign in with a wrong password", sign_in("/connect_authorize.pl", "wrong", **CONSENT), steps=True),
    Deed("sign in to settings", patiently(sign_in("/settings")), fail_to_sign_in, steps=True),
    Deed("sign in with an old hash", sign_in("/settings"), outdate_password, steps=True),
    Deed("see settings", lambda stage, ids: stage.look_at("/settings", HANA)),
    Deed("save settings", settings(save="1", visible="1", age="everyone"), steps=True),
    Deed("end a grant on the page", settings(end=APP), steps=True),
    Deed("uninstall on the page", settings(uninstall=APP), steps=True),
    Deed("see a feed's page", lambda stage, ids: stage.look_at(f"/pages/{PAGE}/feeds/{ids['feed']}")),
    Deed("start an app in a new process", lambda stage, ids: stage.look_at(START, HANA), cold=True),
    Deed("fetch a certificate", lambda stage, ids: stage.look_at("/launch/current.pem"), cold=True),
]

# Data and people


def ask(method: str, path: str, body: Any = None, **more: Any) -> Callable[[Faces, Ids], Reply]:
    """A request with a user's token; `{…}` in the path is one of the ids."""
    user, headers = more.pop("user", HANA), more.pop("headers", None)

    def act(stage: Faces, ids: Ids) -> Reply:
        where = path.format(**ids)
        return stage.send(method, where, body, token=stage.token(user), headers=headers, **more)

    return act


def by_signature(method: str, path: str, body: Any = None, **query: str) -> Callable[[Faces, Ids], Reply]:
    return lambda stage, ids: signed(stage, method, path, body, query=query)  # type: ignore[arg-type]


def in_answers(act: Callable[[Faces, Ids], Reply]) -> Callable[[Faces, Ids], str]:
    """An answer too large for Lambda, and what is found where it leads."""

    def acted(stage: Faces, ids: Ids) -> str:
        with patch.object(answers, "MOST_BYTES", 100):
            answer = act(stage, ids)
        found = stage.cloud.bucket.objects.get(answer.headers.get("location", "").partition(".example/")[2])
        return told(answer, found)

    return acted


OWN, FRIENDS = "/os/0.8/appdata/@me/@self/@app", "/os/0.8/people/@me/@friends"
BATCH = [
    {
        "id": "1",
        "method": "appdata.update",
        "params": {"userId": "@me", "data": {"level": "6", "map": noise(5_000, 3)}},
    },
    {"id": "2", "method": "people.get", "params": {"userId": "@me", "groupId": "@friends"}},
    {"id": "3", "method": "appdata.get", "params": {"userId": "@me"}},
]
DATA = [
    Deed("read data in a new process", ask("GET", ME), cold=True),
    Deed("read data from another origin", ask("GET", ME, headers={"Origin": ORIGIN}), cold=True),
    Deed("read data too large for Lambda", in_answers(ask("GET", ME))),
    Deed("read friends' data too large for Lambda", in_answers(ask("GET", ME.replace("@self", "@friends")))),
    Deed("read usage", ask("GET", ME.replace("@self", "@usage"))),
    Deed("write data", ask("POST", ME, {"level": "6", "map": noise(5_000, 3)})),
    Deed("write data from another origin", ask("PUT", ME, {"level": "6"}, headers={"Origin": ORIGIN}), cold=True),
    Deed("delete data", ask("DELETE", ME)),
    Deed("read data by signature", by_signature("GET", OWN), steps=True),
    Deed("write data by signature", by_signature("POST", OWN, {"level": "6"}), steps=True),
    Deed("replace data by signature", by_signature("PUT", OWN, {"level": "6"}), steps=True),
    Deed("delete data by signature", by_signature("DELETE", OWN, fields="level"), steps=True),
    Deed("read friends' data as a feed", ask("GET", OWN.replace("@self", "@friends"), format="atom")),
    Deed("a batch of calls", ask("POST", "/rpc", BATCH), steps=True),
    Deed("people: oneself", ask("GET", "/2/people/@me/@self")),
    Deed("people: friends", ask("GET", "/2/people/@me/@friends")),
    Deed("people by signature", by_signature("GET", FRIENDS), steps=True),
]

# Pages


KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


def multipart(headers: Mapping[str, str] | None = None, **feed: str) -> Callable[[Faces, Ids], Reply]:
    """A feed with an image attached."""

    def act(stage: Faces, ids: Ids) -> Reply:
        parts = [
            b'Content-Disposition: form-data; name="request"\r\n\r\n' + json.dumps({"title": "title"} | feed).encode(),
            b'Content-Disposition: form-data; name="image1"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
            + png(8, 6),
        ]
        body = b"".join(b"--xyz\r\n" + part + b"\r\n" for part in parts) + b"--xyz--\r\n"
        sent = {"Content-Type": "multipart/form-data; boundary=xyz"} | dict(headers or {})
        return stage.send("POST", FEEDS, body, token=stage.token(MEI), headers=sent)

    return act


on = partial(ask, contentUri=URI)
COMMENT, FEED = {"comment": "another"}, {"title": "title"}
PAGES = [
    Deed("inquire a page", ask("GET", f"/2/pages/{PAGE}")),
    Deed("read feeds", ask("GET", FEEDS)),
    Deed("read one feed", on("GET", FEEDS)),
    Deed("read feeds too large for Lambda", in_answers(ask("GET", f"{FEEDS}.json"))),
    Deed("post a feed", ask("POST", FEEDS, FEED | {"contentUri": OTHER}, user=MEI)),
    Deed("post an image", multipart(contentUri=OTHER)),
    Deed("post an image once", unnumbered(patiently(multipart(KEY))), steps=True),
    Deed("post a feed once", unnumbered(patiently(ask("POST", FEEDS, FEED, user=MEI, headers=KEY))), steps=True),
    Deed("delete a feed", on("DELETE", FEEDS, user=MEI)),
    Deed("read comments", on("GET", COMMENTS)),
    Deed("comment", on("POST", COMMENTS, COMMENT)),
    Deed("comment once", unnumbered(patiently(on("POST", COMMENTS, COMMENT, headers=KEY))), steps=True),
    Deed("delete a comment", on("DELETE", COMMENTS + "/{comment}")),
    Deed("count favorites", on("GET", FAVORITES)),
    Deed("favorite", on("POST", FAVORITES, user=KEN)),
    Deed("favorite no more", on("DELETE", FAVORITES + "/{favorite}")),
]

# Operators


def operate(method: str, path: str, body: Any = None, **query: str) -> Callable[[Faces, Ids], Reply]:
    return lambda stage, ids: stage.operate(method, path, body, **query)


def new_secret(stage: Faces, ids: Ids) -> str:
    """A new secret is the one that was told."""
    answer = stage.operate("POST", f"/apps/{APP}/secret")
    return told(answer, answer.status != 200 or stage.stored_secret(APP) == answer.json["secret"])


def by_queue(stage: Faces, ids: Ids) -> str:
    """The queue's function works at what it is sent; what fails is sent again by SQS."""
    for message in list(stage.cloud.line.messages):
        event = {"Records": [{"body": message, "receiptHandle": "", "messageId": uuid4().hex}]}
        try:
            stage.invoke(CLEAN, event)
        except Refusal as refusal:
            return type(refusal).__name__
        stage.cloud.line.messages.remove(message)
    return "done"


SCHEDULED = dict.fromkeys(("version", "account", "region", "source", "detail-type", "time", "id"), "") | {
    "detail": {},
    "resources": [],
}


def by_schedule(stage: Faces, ids: Ids) -> str:
    try:
        stage.invoke(SWEEP, SCHEDULED)
    except Refusal as refusal:
        return type(refusal).__name__
    return "done"


def bring_in(stage: Faces, ids: Ids) -> str:
    """Whether a record was imported now or before is told, and is no difference."""
    return told(stage.operate("POST", "/import", RECORDS)).replace("created", "unchanged")


def leave_much(stage: Faces, ids: Ids) -> None:
    """A feed and data are deleted."""
    stage.delete()
    stage.send("DELETE", ME, token=stage.token())


def without_posts(stage: Faces, ids: Ids) -> None:
    """A page that has had no feed goes at once."""
    stage.platform.pages.add_follower(QUIET, KEN)


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
    Deed("uninstall", operate("DELETE", f"/users/{HANA}/installs/{APP}")),
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
DEEDS = OAUTH + DATA + PAGES + OPERATORS
