"""Operations of all faces: at least one request for each route of the app, and the functions for cleanup and sweep."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx

from chalicelib.api.account import profile
from chalicelib.api.scheduled import CLEAN, SWEEP
from chalicelib.core import passwords
from chalicelib.core.events import EventKind
from chalicelib.core.moderation import Post
from chalicelib.core.oauth import hashed
from chalicelib.core.page_forms import version_of
from chalicelib.core.reports import ReportReason
from chalicelib.core.request_records import RequestRecord, Sampling
from chalicelib.core.roles import Role
from chalicelib.core.sign_in_delays import Device, mark_of
from chalicelib.store.aws import formats
from chalicelib.web import json_answers
from local.in_process import APP, HANA, KEN, ME, MEI, TARO, Reply
from tests.faults import console_apps
from tests.faults.scene import Ids, Operation, Scene, outcome_of
from tests.kit import pictures
from tests.kit.noise import noise
from tests.kit.pictures import png
from tests.kit.request_stage import BACK, PASSWORD, PUBLIC, RequestStage, outcome_of_reply
from tests.kit.signing import ORIGIN, SECRET, signed
from tests.kit.stage import MODULE, PAGE, PICTURE, QUIET, URI
from tests.kit.worlds import SCHEDULED

Act = Callable[[RequestStage, Ids], Reply | str]
Ask = Callable[[RequestStage, Ids], Reply]
NUMBER = r"feeds/\d+|-\d{14}"
"""Matches the number of a feed: a failed try may have used up a number."""
COUNT = r":\d+"
"""Matches the number of deleted items, which differs if the request is repeated."""
SMALL = {"level": "5", "name": "花"}
LARGE = SMALL | {"map": noise(4_000, 1)}


def request(name: str, act: Act, *before: Any, ignore: str = "", **more: Any) -> Operation:
    """Return an operation that sends one request; matches of `ignore` are removed from its response."""
    return Operation(name, lambda stage, ids: re.sub(ignore, "", outcome_of_reply(act(stage, ids))), *before, **more)


class RequestScene(Scene):
    """A request of a face."""

    kind = "faces"
    asked: RequestStage


def furnish(stage: RequestStage) -> Ids:
    """Make HANA and KEN friends who have the app, a grant of HANA's, and a feed with comments and favorites."""
    here = stage.populate().platform
    here.friends_and_installs.befriend(HANA, KEN)
    here.appdata.install(APP, HANA, LARGE)
    here.appdata.install(APP, KEN, SMALL)
    here.pages.members.add_follower(PAGE, HANA)
    stage.post(renditions=PICTURE)
    ids = {"comment": stage.comment("of hers"), "favorite": stage.favorite()}
    ids["feed"] = here.feeds.get(PAGE, URI)[0].id
    ids["his"] = stage.comment("of his", KEN)
    for kind, app in (("", APP), ("public ", PUBLIC)):
        ids[f"{kind}refresh"] = stage.redeem(stage.code(app), app).json["refresh_token"]
        ids[f"{kind}code"] = stage.code(app)
    ids["state"] = here.states.make(APP)
    ids["password"] = (here.users.credential(f"login-of-{HANA}") or ("", ""))[1]
    return ids


def patiently(act: Ask) -> Ask:
    """Send the request again while a 409 or 429 says when to retry."""

    def acted(stage: RequestStage, ids: Ids) -> Reply:
        answer = act(stage, ids)
        while answer.status in (409, 429) and "retry-after" in answer.headers:
            stage.clock.now += 1000 * int(answer.headers["retry-after"])
            answer = act(stage, ids)
        return answer

    return acted


def in_answers(act: Ask) -> Act:
    """Make the response too large for Lambda, and add the object that its Location points to."""

    def acted(stage: RequestStage, ids: Ids) -> str:
        with patch.object(json_answers, "MOST_BYTES", 100):
            answer = act(stage, ids)
        found = stage.cloud.bucket.objects.get(answer.headers.get("location", "").partition(".example/")[2])
        return outcome_of_reply(answer, found)

    return acted


KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
FEEDS, COMMENTS, FAVORITES = (f"/2/pages/{PAGE}/{name}" for name in ("feeds", "comments", "favorites"))
OTHER = "http://application.example/other"


def refresh(app: str, name: str) -> Ask:
    return lambda stage, ids: stage.ask_token(app, grant_type="refresh_token", refresh_token=ids[name])


def sign_in(path: str, password: str = PASSWORD, **more: str) -> Ask:
    form: dict[str, Any] = {"login": f"login-of-{HANA}", "password": password} | more
    return lambda stage, ids: stage.fill_in(path, None, **form)


def sign_in_where_known(password: str = PASSWORD) -> Ask:
    """Sign in in a browser that this user has used before."""
    login = f"login-of-{HANA}"

    def act(stage: RequestStage, ids: Ids) -> Reply:
        device = Device("browser", (mark_of("browser", login, ids["password"]),))
        return stage.fill_in("/sign_in", device=device, login=login, password=password)

    return act


def outdate_password(stage: RequestStage, ids: Ids) -> None:
    with patch.object(passwords, "R", 4):
        old = passwords.hash_password(PASSWORD)
    stage.platform.users.set_password(HANA, old)


def be_operator(stage: RequestStage, ids: Ids) -> None:
    stage.platform.roles.give(HANA, Role.OPERATOR)


def fail_to_sign_in(stage: RequestStage, ids: Ids) -> None:
    """Fail to sign in four times, one less than is free."""
    for _ in range(4):
        sign_in("/sign_in", "wrong")(stage, ids)


def access(**form: Any) -> Ask:
    return lambda stage, ids: stage.fill_in("/settings/apps", HANA, **form)


CONSENT = {"client_id": APP, "response_type": "code", "scope": "r_profile", "redirect_uri": BACK}
ASKING = "/connect_authorize.pl?" + "&".join(f"{name}={value}" for name, value in CONSENT.items())
START = f"/run_page_apps.pl?page_id={PAGE}&module_id={MODULE}&appParams=%7B%7D"
TIMES = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def make_operator(stage: RequestStage, ids: Ids) -> None:
    stage.platform.roles.give(HANA, Role.OPERATOR)


def record_failure(stage: RequestStage, ids: Ids) -> None:
    found = Sampling()
    found.add(RequestRecord("failed", stage.clock.now, "GET /health", 500, "internal_error", "", APP, "1", 1))
    stage.platform.request_log.write(found)


def make_operator_with_failure(stage: RequestStage, ids: Ids) -> None:
    make_operator(stage, ids)
    record_failure(stage, ids)


OAUTH = [
    request("trade a code", lambda stage, ids: stage.redeem(ids["code"])),
    request("trade a code without a secret", lambda stage, ids: stage.redeem(ids["public code"], PUBLIC)),
    request("refresh", refresh(APP, "refresh")),
    request("refresh with rotation", refresh(PUBLIC, "public refresh")),
    request("refresh by a rotated token", refresh(PUBLIC, "public refresh"), refresh(PUBLIC, "public refresh")),
    request("an app's own token", lambda stage, ids: stage.ask_token(grant_type="client_credentials"), steps=True),
    request("ask for a server_state", lambda stage, ids: stage.ask_token(grant_type="server_state"), steps=True),
    request("revoke", lambda stage, ids: stage.form("/2/authorize/revoke", token=ids["refresh"])),
    request("ask a user", lambda stage, ids: stage.look_at(ASKING, HANA)),
    request("allow", lambda stage, ids: stage.allow(), steps=True),
    request(
        "allow what installs, with a server_state",
        lambda stage, ids: stage.allow(scope="mixi_apps2 openid", server_state=ids["state"]),
        lambda stage, ids: stage.platform.appdata.uninstall(APP, HANA),
        steps=True,
    ),
    request("deny", lambda stage, ids: stage.allow(decision="deny")),
    request("sign in to allow", sign_in("/connect_authorize.pl", **CONSENT), steps=True),
    request("sign in with a wrong password", sign_in("/connect_authorize.pl", "wrong", **CONSENT), steps=True),
    request("sign in after failures", patiently(sign_in("/sign_in")), fail_to_sign_in, steps=True),
    request("sign in where known", sign_in_where_known(), steps=True),
    request("sign in where known with a wrong password", sign_in_where_known("wrong"), steps=True),
    request("sign in with an old hash", sign_in("/sign_in"), outdate_password, steps=True),
    request("sign in on a page", sign_in("/sign_in", to="/apps"), steps=True),
    request("open the sign-in page while signed in", lambda stage, ids: stage.look_at("/sign_in", HANA)),
    request("sign out", lambda stage, ids: stage.fill_in("/sign_out", HANA)),
    request(
        "give the password again",
        lambda stage, ids: stage.fill_in("/confirm_password", HANA, password_again=PASSWORD, to="/console"),
        steps=True,
    ),
    request("see the console", lambda stage, ids: stage.look_at("/console", HANA), be_operator),
    request("see my apps", lambda stage, ids: stage.look_at("/apps", HANA)),
    request("see my friends", lambda stage, ids: stage.look_at("/friends", HANA)),
    request("see my pages", lambda stage, ids: stage.look_at("/pages", HANA)),
    request("see a person", lambda stage, ids: stage.look_at(f"/people/{KEN}", HANA)),
    request("see the front page", lambda stage, ids: stage.look_at("/", HANA)),
    request("see settings", lambda stage, ids: stage.look_at("/settings", HANA)),
    request("see the console", lambda stage, ids: stage.look_at("/console", HANA), make_operator, ignore=TIMES),
    request("see refusals", lambda stage, ids: stage.look_at("/console/errors", HANA), make_operator),
    request(
        "look up a request",
        lambda stage, ids: stage.look_at("/console/requests?id=failed", HANA),
        make_operator_with_failure,
    ),
    request("end a grant on the page", access(end=APP), steps=True),
    request("uninstall on the page", access(uninstall=APP), steps=True),
    request("start an app in a new process", lambda stage, ids: stage.look_at(START, HANA), cold=True),
    request("fetch a certificate", lambda stage, ids: stage.look_at("/launch/current.pem"), cold=True),
]


def ask(method: str, path: str, body: Any = None, **more: Any) -> Ask:
    """Send a request with a user's token; `{…}` in the path is replaced by an id."""
    user, headers = more.pop("user", HANA), more.pop("headers", None)

    def act(stage: RequestStage, ids: Ids) -> Reply:
        return stage.send(method, path.format(**ids), body, token=stage.token(user), headers=headers, **more)

    return act


def by_signature(method: str, path: str, body: Any = None, **query: str) -> Ask:
    return lambda stage, ids: signed(stage, method, path, body, query=query)


OWN, FRIENDS = "/os/0.8/appdata/@me/@self/@app", "/os/0.8/people/@me/@friends"
MAP = {"level": "6", "map": noise(5_000, 3)}
BATCH = [
    {"id": "1", "method": "appdata.update", "params": {"userId": "@me", "data": MAP}},
    {"id": "2", "method": "people.get", "params": {"userId": "@me", "groupId": "@friends"}},
    {"id": "3", "method": "appdata.get", "params": {"userId": "@me"}},
]
DATA = [
    request("read data in a new process", ask("GET", ME), cold=True),
    request("read data from another origin", ask("GET", ME, headers={"Origin": ORIGIN}), cold=True),
    request("read data too large for Lambda", in_answers(ask("GET", ME))),
    request("read friends' data too large for Lambda", in_answers(ask("GET", ME.replace("@self", "@friends")))),
    request("read usage", ask("GET", ME.replace("@self", "@usage"))),
    request("write data", ask("POST", ME, MAP)),
    request("write data from another origin", ask("PUT", ME, {"level": "6"}, headers={"Origin": ORIGIN}), cold=True),
    request("change data", ask("PATCH", ME, {"level": {"add": "1"}})),
    request("change data once", patiently(ask("PATCH", ME, {"level": {"add": "1"}}, headers=KEY)), steps=True),
    request("delete data", ask("DELETE", ME)),
    request("read data by signature", by_signature("GET", OWN), steps=True),
    request("write data by signature", by_signature("POST", OWN, {"level": "6"}), steps=True),
    request("replace data by signature", by_signature("PUT", OWN, {"level": "6"}), steps=True),
    request("delete data by signature", by_signature("DELETE", OWN, fields="level"), steps=True),
    request("read friends' data as a feed", ask("GET", OWN.replace("@self", "@friends"), format="atom")),
    request("a batch of calls", ask("POST", "/rpc", BATCH), steps=True),
    request("people: oneself", ask("GET", "/2/people/@me/@self")),
    request("people: friends", ask("GET", "/2/people/@me/@friends")),
    request("people by signature", by_signature("GET", FRIENDS), steps=True),
]


def multipart(headers: Mapping[str, str] | None = None, **feed: str) -> Ask:
    """Post a feed with an image attached."""

    text = json.dumps({"title": "title"} | feed)
    files: Any = {"request": (None, text), "image1": ("a.png", png(8, 6), "image/png")}
    form = httpx.Request("POST", "http://127.0.0.1", files=files)
    sent = {"Content-Type": form.headers["Content-Type"]} | dict(headers or {})
    return lambda stage, ids: stage.send("POST", FEEDS, form.read(), token=stage.token(MEI), headers=sent)


on = partial(ask, contentUri=URI)
COMMENT, FEED = {"comment": "another"}, {"title": "title"}
PAGES = [
    request("inquire a page", ask("GET", f"/2/pages/{PAGE}")),
    request("read feeds", ask("GET", FEEDS)),
    request("read one feed", on("GET", FEEDS)),
    request("read feeds too large for Lambda", in_answers(ask("GET", f"{FEEDS}.json"))),
    request("post a feed", ask("POST", FEEDS, FEED | {"contentUri": OTHER}, user=MEI)),
    request("post an image", multipart(contentUri=OTHER)),
    request("post an image once", patiently(multipart(KEY)), ignore=NUMBER, steps=True),
    request("post a feed once", patiently(ask("POST", FEEDS, FEED, user=MEI, headers=KEY)), ignore=NUMBER, steps=True),
    request("delete a feed", on("DELETE", FEEDS, user=MEI)),
    request("read comments", on("GET", COMMENTS)),
    request("comment", on("POST", COMMENTS, COMMENT)),
    request("comment once", patiently(on("POST", COMMENTS, COMMENT, headers=KEY)), ignore=NUMBER, steps=True),
    request("delete a comment", on("DELETE", COMMENTS + "/{comment}")),
    request("delete another's comment", on("DELETE", COMMENTS + "/{comment}", user=MEI)),
    request("count favorites", on("GET", FAVORITES)),
    request("favorite", on("POST", FAVORITES, user=KEN)),
    request("favorite no more", on("DELETE", FAVORITES + "/{favorite}")),
]


def look(path: str, user: str | None = HANA) -> Ask:
    """Open a page of the web in a user's session; `{…}` in the path is replaced by an id."""
    return lambda stage, ids: stage.look_at(path.format(**ids), user)


def send_form(path: str, sender: str, /, **form: Any) -> Ask:
    """Send a form of the web in a user's session; `{…}` in its path and fields is replaced by an id."""

    def act(stage: RequestStage, ids: Ids) -> Reply:
        sent: dict[str, Any] = {name: value.format(**ids) for name, value in form.items()}
        return stage.fill_in(path.format(**ids), sender, **sent)

    return act


def second_administrator(stage: RequestStage, ids: Ids) -> None:
    stage.platform.pages.members.add_administrator(PAGE, KEN)


def version_seen(stage: RequestStage, ids: Ids) -> None:
    page = stage.platform.pages.get(PAGE)
    ids["version"] = version_of(page) if page else ""


WEB_PAGE = f"/pages/{PAGE}"
WEB_FEED = WEB_PAGE + "/feeds/{feed}"
FORM_KEY = "0123456789abcdef0123456789abcdef"
SETTINGS = {"version": "{version}", "name": "New name", "category": "local", "feedSource": "everyone"}
SCREENS = [
    request("see a page", look(WEB_PAGE)),
    request("follow", send_form(WEB_PAGE, KEN, action="follow"), steps=True),
    request("see a feed's page", look(WEB_FEED, None)),
    request("see a feed's page when signed in", look(WEB_FEED)),
    request("comment on the page", send_form(WEB_FEED, HANA, action="comment", comment="another")),
    request(
        "comment on the page once",
        patiently(send_form(WEB_FEED, HANA, action="comment", comment="another", key=FORM_KEY)),
        ignore=NUMBER,
        steps=True,
    ),
    request("favorite on the page", send_form(WEB_FEED, KEN, action="favorite")),
    request("ask to delete a comment", look(WEB_FEED + "/delete?comment={comment}")),
    request("delete a comment on the page", send_form(WEB_FEED + "/delete", HANA, comment="{comment}")),
    request("delete a feed on the page", send_form(WEB_FEED + "/delete", MEI, reason="spam"), steps=True),
    request("see the form of a post", look(WEB_PAGE + "/post", MEI)),
    request(
        "post on the page once",
        patiently(send_form(WEB_PAGE + "/post", MEI, title="new", key=FORM_KEY)),
        ignore=NUMBER,
        steps=True,
    ),
    request("see settings of a page", look(WEB_PAGE + "/settings", MEI)),
    request("save settings of a page", send_form(WEB_PAGE + "/settings", MEI, **SETTINGS), version_seen, steps=True),
    request("see administrators", look(WEB_PAGE + "/administrators", MEI)),
    request(
        "find an administrator",
        send_form(WEB_PAGE + "/administrators", MEI, action="find", person=HANA),
        steps=True,
    ),
    request("add an administrator", send_form(WEB_PAGE + "/administrators", MEI, action="add", user=HANA), steps=True),
    request(
        "remove an administrator",
        send_form(WEB_PAGE + "/administrators", MEI, action="remove", user=KEN),
        second_administrator,
        steps=True,
    ),
    request("see apps of a page", look(WEB_PAGE + "/apps", MEI)),
    request("find an app", send_form(WEB_PAGE + "/apps", MEI, action="find", app=PUBLIC)),
    request(
        "add an app to a page once",
        patiently(send_form(WEB_PAGE + "/apps", MEI, action="add", app=PUBLIC, key=FORM_KEY)),
        steps=True,
    ),
    request("remove an app", send_form(WEB_PAGE + "/apps", MEI, action="remove", module=MODULE), steps=True),
]

NEW_USER, NEW_APP, NEW_PAGE = "n1n2n3n4n5n6", "00ff00ff00ff00ff", "30000000000000000000"


def operate(method: str, path: str, body: Any = None, **query: str) -> Ask:
    return lambda stage, ids: stage.operate(method, path, body, **query)


def new_secret(stage: RequestStage, ids: Ids) -> str:
    """Compare the new secret with the one that is stored."""
    answer = stage.operate("POST", f"/apps/{APP}/secret")
    return outcome_of_reply(answer, answer.status != 200 or stage.stored_secret(APP) == answer.json["secret"])


def rotation(stage: RequestStage, ids: Ids) -> str:
    """Rotate a secret and compare both with those that are stored: the old one must still be valid."""
    answer = stage.operate("POST", f"/apps/{APP}/secret", {"keepOld": True})
    right = answer.status != 200 or (stage.stored_secret(APP), stage.stored_secret(APP, "xo")) == (
        answer.json["secret"],
        SECRET,
    )
    return outcome_of_reply(answer, right)


def rotated(stage: RequestStage, ids: Ids) -> None:
    """Give the app a second secret."""
    stage.platform.app_secrets.rotate(APP, keep_old=True)


def suspended(stage: RequestStage, ids: Ids) -> None:
    """Suspend the app."""
    stage.platform.apps.suspend(APP, "It asks for passwords")


def by_queue(stage: RequestStage, ids: Ids) -> Any:
    """Let the queue's function process all messages; SQS delivers a message again if it fails."""

    def work() -> None:
        for message in list(stage.cloud.queue.messages):
            stage.invoke(CLEAN, {"Records": [{"body": message, "receiptHandle": "", "messageId": uuid4().hex}]})
            stage.cloud.queue.messages.remove(message)

    return outcome_of(work, "done")


def by_schedule(stage: RequestStage, ids: Ids) -> Any:
    return outcome_of(lambda: stage.invoke(SWEEP, SCHEDULED), "done")


def leave_much(stage: RequestStage, ids: Ids) -> None:
    """Delete a feed and app data."""
    stage.delete()
    stage.send("DELETE", ME, token=stage.token())


def without_posts(stage: RequestStage, ids: Ids) -> None:
    """Add a follower to a page without feeds: such a page is deleted at once."""
    stage.platform.pages.members.add_follower(QUIET, KEN)


REWRITTEN = r'"(old|rewritten|writeUnits)":\d+,?'
"""Matches the counts of a migration, which differ if the request is repeated."""
MIGRATED = {"appdata": 3, "directory": 4, "records": 2}
"""Tables and a segment of each with items."""


def make_old(stage: RequestStage, ids: Ids) -> None:
    """Give all items format 1."""
    for place, item in stage.cloud.memory.items.items():
        stage.cloud.memory.items[place] = {name: value for name, value in item.items() if name != formats.ATTRIBUTE}


RECORDS = {
    "users": [
        {"id": NEW_USER, "displayName": "New", "login": "new", "password": PASSWORD},
        {"id": KEN, "displayName": "Other"},
    ],
    "friendships": [{"user": NEW_USER, "friend": HANA}, {"user": NEW_USER, "friend": KEN}],
    "installs": [{"user": NEW_USER, "app": APP}, {"user": HANA, "app": PUBLIC}],
}
ON_NEW = {"contentUri": "https://game.example/new", "user": KEN, "created": 1_767_193_200_000}
NEW_FEED = ON_NEW | {"generation": "A" * 13, "title": "New", "sourceName": "New"}
_NEW_KEYS = [f"images/{'A' * 13}/{sha256(name).hexdigest()[:32]}.png" for name in (b"l", b"m", b"s")]
NEW_IMAGES = {
    "images": _NEW_KEYS,
    "imageFiles": dict(zip(_NEW_KEYS, (b64encode(name).decode() for name in (b"l", b"m", b"s")), strict=True)),
}
NEW_FAMILY = {"id": "imported", "scopes": [], "created": 7, "expires": 4_000_000_000, "refresh": "hash"}
MORE_RECORDS = {
    "apps": [{"id": NEW_APP, "name": "New", "secret": "a-secret-of-before"}],
    "data": [{"user": HANA, "app": APP, "data": {"imported": "1"}}, {"user": HANA, "app": APP, "data": {"other": "2"}}],
    "pages": [{"id": NEW_PAGE, "name": "New"}],
    "modules": [{"page": NEW_PAGE, "id": "4", "app": APP, "name": "New"}],
    "administrators": [{"page": NEW_PAGE, "user": KEN}],
    "followers": [{"page": NEW_PAGE, "user": HANA}],
    "grants": [{"user": MEI, "app": APP, "scopes": [], "created": 7, "used": 8, "families": [NEW_FAMILY]}],
}
CONTENT_RECORDS = {
    "feeds": [{"page": PAGE, "id": "90", **NEW_FEED, **NEW_IMAGES}],
    "comments": [
        {"page": PAGE, **ON_NEW, "id": "000002ABCDEFG-20260101000000", "comment": "c"},
        {"page": PAGE, **ON_NEW, "id": "000003ABCDEFG-20260101000000", "comment": "c", "hidden": 1_767_193_300_000},
    ],
    "favorites": [{"page": PAGE, **ON_NEW}],
}
EXPORTS = f"""
    users users?secrets=true users?app={APP} apps?secrets=true friendships friendships?app={APP} installs
    installs?app={APP} data?app={APP} data?app={APP}&user={HANA} pages modules administrators followers?page={PAGE}
    feeds comments favorites feeds?page={PAGE} grants
"""
LISTS = f"""
    /users /users/{HANA} /users/{HANA}/friends /users/{HANA}/installs /users/{HANA}/grants /users/{HANA}/sessions
    /apps /apps/{APP} /apps/{APP}/installs /log
    /pages /pages/{PAGE} /pages/{PAGE}/modules /pages/{PAGE}/administrators /pages/{PAGE}/followers
"""
ENDPOINT = f"/apps/{APP}/endpoints/4f1d2c3b4a59"
TOLD: dict[str, Any] = {"id": ENDPOINT[-12:], "url": "https://quest.example/events", "kinds": ["app.installed"]}
CASE = r'"id":"[0-9a-z]{16}"'
"""Matches the id of a report, which is random."""
UNIQUE = r'"(id|secret)":"(whsec_|[0-9a-f]{12}")[^,}]*'
"""Matches ids and secrets of endpoints, which are random."""


def tell(stage: RequestStage, ids: Ids) -> None:
    """Register an endpoint, and install the app for TARO, which is an event."""
    stage.platform.endpoints.create(APP, TOLD["url"], [EventKind.INSTALLED], TOLD["id"])
    app = stage.platform.apps.get(APP)
    assert app
    stage.platform.user_data.install(app, TARO)


def resend(stage: RequestStage, ids: Ids) -> Reply:
    return stage.operate("POST", f"/apps/{APP}/events/resend", {"since": 0, "until": stage.clock.now + 1})


def moderate(method: str, path: str, body: Any = None, **query: str) -> Ask:
    """Send a request about the feed or the comment of `furnish`, or about the report of `reported`."""

    def act(stage: RequestStage, ids: Ids) -> Reply:
        return stage.operate(method, path.format(page=PAGE, **ids), body, **query)

    return act


def hidden(stage: RequestStage, ids: Ids) -> None:
    """Hide the comment and its feed."""
    for comment in (ids["comment"], None):
        stage.platform.moderated_posts.hide(Post(PAGE, ids["feed"], comment), {"by": "a moderator"})


def reported(stage: RequestStage, ids: Ids) -> None:
    """Let KEN report the comment."""
    post = Post(PAGE, ids["feed"], ids["comment"])
    ids["report"] = stage.platform.reports.report(post, KEN, ReportReason.SPAM, "").case


def fill(path: str, **form: str) -> Ask:
    """Send a form as HANA, about the comment of `furnish`."""

    def act(stage: RequestStage, ids: Ids) -> Reply:
        post: dict[str, Any] = {"page": PAGE, "feed": ids["feed"], "comment": ids["his"]}
        return stage.fill_in(path.format(**ids), HANA, **(post | form))

    return act


def moderator(stage: RequestStage, ids: Ids) -> None:
    """Make HANA a moderator, and let KEN report her comment."""
    stage.platform.roles.give(HANA, Role.MODERATOR)
    reported(stage, ids)


def reported_by_her(stage: RequestStage, ids: Ids) -> None:
    """Let HANA report the comment of KEN."""
    stage.platform.reports.report(Post(PAGE, ids["feed"], ids["his"]), HANA, ReportReason.SPAM, "")


ABOUT = f"?page={PAGE}&feed={{feed}}&comment={{his}}"
SHOWN_CASE = r"/console/reports/[0-9a-z]{16}"
"""Matches the path of a report, which is random."""
POST_FEED = "/pages/{page}/feeds/{feed}"
POST_COMMENT = POST_FEED + "/comments/{comment}"
MODERATION = [
    request("see the form of a report", look(f"/report{ABOUT}")),
    request("report a comment", fill("/report", reason="spam", words="words"), steps=True),
    request("see one's reports", look("/reports"), reported_by_her),
    request("see the newest posts", look("/console/moderation"), moderator),
    request("see hidden posts", look("/console/moderation/hidden"), moderator),
    request("see a post as a moderator", look(f"/console/moderation/post{ABOUT}"), moderator),
    request("hide on the page", fill("/console/moderation/post", do="hide", reason="spam"), moderator, steps=True),
    request("delete on the page", fill("/console/moderation/post", do="delete", reason="spam"), moderator, steps=True),
    request("see reports", look("/console/reports"), moderator, ignore=SHOWN_CASE),
    request("see a report", look("/console/reports/{report}"), moderator, ignore=SHOWN_CASE),
    request(
        "handle a report on the page",
        fill("/console/reports/{report}", outcome="hidden", word="", reason="spam"),
        moderator,
        steps=True,
    ),
    request("list newest posts", moderate("GET", "/moderation/posts")),
    request("list hidden posts of a page", moderate("GET", "/moderation/posts", state="hidden", page=PAGE), hidden),
    request("delete a feed as a moderator", moderate("DELETE", POST_FEED), steps=True),
    request("hide a feed", moderate("PUT", f"{POST_FEED}/hidden"), steps=True),
    request("show a feed again", moderate("DELETE", f"{POST_FEED}/hidden"), hidden, steps=True),
    request("delete a comment as a moderator", moderate("DELETE", POST_COMMENT), steps=True),
    request("hide a comment", moderate("PUT", f"{POST_COMMENT}/hidden"), steps=True),
    request("show a comment again", moderate("DELETE", f"{POST_COMMENT}/hidden"), hidden, steps=True),
    request("list reports", moderate("GET", "/reports"), reported, ignore=CASE),
    request("read a report", moderate("GET", "/reports/{report}"), reported, ignore=CASE),
    request(
        "handle a report",
        moderate("POST", "/reports/{report}/outcome", {"outcome": "hidden", "word": "Thank you"}),
        reported,
        ignore=CASE,
        steps=True,
    ),
]

FINDS = "/users?find=ha /apps?find=q /pages?find=c"


def suspend(stage: RequestStage, ids: Ids) -> None:
    stage.platform.roles.suspend(TARO)


def make_operators(stage: RequestStage, ids: Ids) -> None:
    for user in (TARO, KEN):
        stage.platform.roles.give(user, Role.OPERATOR)


def begin_session(stage: RequestStage, ids: Ids) -> None:
    """Begin a session of HANA."""
    here = stage.platform
    user = here.users.get(HANA)
    known = here.users.credential(f"login-of-{HANA}")
    assert user
    assert known
    session = here.sessions_of_users.begin(user, known[1], "Firefox, Windows")
    assert session
    ids["session"] = hashed(session)


def end_session(stage: RequestStage, ids: Ids) -> Reply:
    return stage.operate("DELETE", f"/users/{HANA}/sessions/{ids['session']}")


OWN_PICTURE = pictures.png()
NEW_PASSWORD = "a later password of hana"
NEW_PASSWORDS: dict[str, Any] = {"new_password": NEW_PASSWORD, "new_password_again": NEW_PASSWORD}


def note_version(stage: RequestStage, ids: Ids) -> None:
    user = stage.platform.users.get(HANA)
    assert user
    ids["version"] = profile.version_of(user)


def make_links(stage: RequestStage, ids: Ids) -> None:
    ids["reset"] = stage.platform.one_time_links.make_reset(HANA)[0]
    ids["join"] = stage.platform.one_time_links.make_invitation()[0]


def leave(stage: RequestStage, ids: Ids) -> None:
    stage.platform.leaving_users.leave(HANA)


def mine(path: str, **form: Any) -> Ask:
    return lambda stage, ids: stage.fill_in(f"/settings/{path}", HANA, **form)


def look_at_mine(path: str) -> Ask:
    return lambda stage, ids: stage.look_at(f"/settings/{path}", HANA)


def change_profile(stage: RequestStage, ids: Ids) -> Reply:
    form: dict[str, Any] = {
        "displayName": "Other",
        "address": "Kyoto",
        "version": ids["version"],
        "publish_age": "nobody",
    }
    return stage.fill_in("/settings/profile", HANA, **form)


def reset_password(stage: RequestStage, ids: Ids) -> Reply:
    return stage.fill_in("/reset", link=ids["reset"], **NEW_PASSWORDS)


def join(stage: RequestStage, ids: Ids) -> Reply:
    with patch("chalicelib.api.account.join.new_user_id", return_value=NEW_USER):
        return stage.fill_in("/join", link=ids["join"], login="new", display_name="New", **NEW_PASSWORDS)


def upload_own_picture(stage: RequestStage, ids: Ids) -> Reply:
    return stage.upload("/settings/picture", HANA, "picture", OWN_PICTURE)


MY_LOGIN = f"login-of-{HANA}"
OWN_PAGES = "profile apps password sessions data delete"
ACCOUNTS = [
    *(
        request(f"see {path}", look_at_mine(path))
        for path in ("profile", "apps", "password", "sessions", "data", "delete")
    ),
    request("see an invitation", lambda stage, ids: stage.look_at(f"/join?link={ids['join']}"), make_links),
    request("see a reset link", lambda stage, ids: stage.look_at(f"/reset?link={ids['reset']}"), make_links),
    request("change a profile", change_profile, note_version, steps=True),
    request("change a password", mine("password", password=PASSWORD, **NEW_PASSWORDS), steps=True),
    request("end other sessions on the page", mine("sessions", others="1"), begin_session, steps=True),
    request("download everything", mine("data"), steps=True),
    request("upload a picture of oneself", upload_own_picture, steps=True),
    request("delete the account", mine("delete", typed=MY_LOGIN, password=PASSWORD), steps=True),
    request("keep the account", mine("delete", stay="1"), leave, steps=True),
    request("reset a password", reset_password, make_links, steps=True),
    request("join", join, make_links, steps=True),
]
MENU = {"app": PUBLIC, "name": "name"}
NEW = {"displayName": "New", "id": NEW_USER, "login": "new", "password": PASSWORD}
OPERATORS = [
    *(request(f"list {path}", operate("GET", path)) for path in LISTS.split()),
    request("export a user", operate("GET", f"/users/{HANA}/export")),
    request("export a user too large for Lambda", in_answers(operate("GET", f"/users/{HANA}/export"))),
    *(request(f"export {path}", operate("GET", f"/export/{path}")) for path in EXPORTS.split()),
    request("create a user", operate("POST", "/users", NEW)),
    request("change a user", operate("PATCH", f"/users/{HANA}", {"displayName": "Other"}), steps=True),
    request("rename a user", operate("PATCH", f"/users/{HANA}", {"login": "other", "age": 30}), steps=True),
    request("set a password", operate("PUT", f"/users/{HANA}/password", {"password": "another one"})),
    *(request(f"find {path}", operate("GET", path)) for path in FINDS.split()),
    request("suspend a user", operate("PUT", f"/users/{TARO}/suspension", {"reason": "spam"}), steps=True),
    request("restore a user", operate("DELETE", f"/users/{TARO}/suspension"), suspend, steps=True),
    request("give a role", operate("PUT", f"/users/{TARO}/role", {"role": "operator"}), steps=True),
    request("take a role", operate("PUT", f"/users/{TARO}/role", {"role": None}), make_operators, steps=True),
    request("befriend", operate("PUT", f"/users/{HANA}/friends/{TARO}")),
    request("unfriend", operate("DELETE", f"/users/{HANA}/friends/{KEN}")),
    request("install", operate("PUT", f"/users/{TARO}/installs/{APP}")),
    request("uninstall", operate("DELETE", f"/users/{HANA}/installs/{APP}"), steps=True),
    request("end a grant", operate("DELETE", f"/users/{HANA}/grants/{APP}")),
    request("make a reset link", operate("POST", f"/users/{HANA}/reset-link")),
    request("make an invitation", operate("POST", "/invitations", {"displayName": "New"})),
    request("end all sessions", operate("DELETE", f"/users/{HANA}/sessions"), begin_session, steps=True),
    request("end a session", end_session, begin_session),
    request("erase a user", operate("DELETE", f"/users/{HANA}"), ignore=COUNT, steps=True),
    request("create an app", operate("POST", "/apps", {"name": "New", "id": NEW_APP})),
    request("change an app", operate("PATCH", f"/apps/{APP}", {"name": "Other"}), steps=True),
    request("give an app a new secret", new_secret),
    request("give an app a new secret in a new process", new_secret, cold=True),
    request("rotate an app's secret", rotation),
    request("end the old secret of an app", operate("DELETE", f"/apps/{APP}/old-secret"), rotated),
    request("suspend an app", operate("PUT", f"/apps/{APP}/suspension", {"reason": "It asks for passwords"})),
    request("end the suspension of an app", operate("DELETE", f"/apps/{APP}/suspension"), suspended),
    request("create an endpoint", operate("POST", ENDPOINT[:-13], TOLD), ignore=UNIQUE),
    request("list endpoints", operate("GET", ENDPOINT[:-13]), tell),
    request("change an endpoint", operate("PATCH", ENDPOINT, {"active": False}), tell),
    request("give an endpoint a new secret", operate("POST", f"{ENDPOINT}/secret"), tell, ignore=UNIQUE),
    request("end an old secret of an endpoint", operate("DELETE", f"{ENDPOINT}/secret"), tell),
    request("delete an endpoint", operate("DELETE", ENDPOINT), tell),
    request("list events", operate("GET", f"/apps/{APP}/events"), tell),
    request("send events again", resend, tell, steps=True),
    request("delete an app", operate("DELETE", f"/apps/{APP}"), ignore=COUNT, steps=True),
    request("create a page", operate("POST", "/pages", {"name": "New", "id": NEW_PAGE})),
    request("change a page", operate("PATCH", f"/pages/{PAGE}", {"name": "Other"}), steps=True),
    request("delete a page", operate("DELETE", f"/pages/{PAGE}"), steps=True),
    request("delete a page without feeds", operate("DELETE", f"/pages/{QUIET}"), without_posts, steps=True),
    request("add a module", operate("POST", f"/pages/{PAGE}/modules", MENU)),
    request("add a module by its number", operate("POST", f"/pages/{PAGE}/modules", MENU | {"id": "9"})),
    request("remove a module", operate("DELETE", f"/pages/{PAGE}/modules/{MODULE}")),
    request("add an administrator", operate("PUT", f"/pages/{PAGE}/administrators/{KEN}")),
    request("remove an administrator", operate("DELETE", f"/pages/{PAGE}/administrators/{MEI}")),
    request("add a follower", operate("PUT", f"/pages/{PAGE}/followers/{KEN}")),
    request("remove a follower", operate("DELETE", f"/pages/{PAGE}/followers/{HANA}")),
    request("import", operate("POST", "/import", RECORDS), ignore="created|unchanged", steps=True),
    request("import apps and pages", operate("POST", "/import", MORE_RECORDS), ignore="created|unchanged", steps=True),
    request("import contents", operate("POST", "/import", CONTENT_RECORDS), ignore="created|unchanged", steps=True),
    request("try an import", operate("POST", "/import", RECORDS | MORE_RECORDS | CONTENT_RECORDS | {"dryRun": True})),
    request("overview", operate("GET", "/overview"), ignore=r'"time":\d+'),
    request("list requests", operate("GET", "/requests", kind="not_found")),
    request("show a request", operate("GET", "/requests/failed"), record_failure),
    request("show a migration", operate("GET", "/migrations")),
    *(
        request(
            f"migrate {name}",
            operate("POST", "/migrations", {"table": name, "segment": segment}),
            make_old,
            ignore=REWRITTEN,
            steps=True,
        )
        for name, segment in MIGRATED.items()
    ),
    request("clean", by_queue, leave_much, steps=True),
    request("sweep", by_schedule, leave_much, steps=True),
]


CONSOLE = "/console/users"
ON_KEN = f"{CONSOLE}/{KEN}"


def console(path: str) -> Callable[[RequestStage, Ids], Reply]:
    """Return what opens a page of the console as HANA, an operator."""
    return lambda stage, ids: stage.look_at(path, HANA)


def command(path: str, **form: Any) -> Callable[[RequestStage, Ids], Reply]:
    """Return what sends a form of the console as HANA, an operator, who has given the password again."""
    return lambda stage, ids: stage.fill_in(path, HANA, confirmed=True, **form)


def suspend_ken(stage: RequestStage, ids: Ids) -> None:
    make_operator(stage, ids)
    stage.platform.roles.suspend(KEN)


EDITED = {
    "displayName": "Ken",
    "was_displayName": f"name of {KEN}",
    "login": f"login-of-{KEN}",
    "was_login": f"login-of-{KEN}",
    "address": "Kyoto",
}
USERS_IN_CONSOLE = [
    request("console: find users", console(f"{CONSOLE}?q=k"), make_operator),
    request("console: see a person", console(ON_KEN), make_operator),
    *(
        request(f"console: see {name} of a person", console(f"{ON_KEN}/list/{name}"), make_operator)
        for name in ("friends", "apps", "administers", "follows", "feeds", "comments")
    ),
    request("console: find pages", console("/console/pages?q=x"), make_operator),
    request("console: see a page", console(f"/console/pages/{PAGE}"), make_operator),
    request("console: see data", console(f"{ON_KEN}/apps/{APP}"), make_operator),
    request("console: see a value", command(f"{ON_KEN}/apps/{APP}/value", key="level"), make_operator, steps=True),
    request("console: delete a key", command(f"{ON_KEN}/apps/{APP}/delete", key="level"), make_operator, steps=True),
    request("console: suspend", command(f"{ON_KEN}/suspension", reason="spam"), make_operator, steps=True),
    request("console: restore", command(f"{ON_KEN}/suspension", reason="r", end="1"), suspend_ken, steps=True),
    request("console: end sessions", command(f"{ON_KEN}/sessions"), make_operator, steps=True),
    request("console: reset link", command(f"{ON_KEN}/reset-link"), make_operator, steps=True),
    request("console: give a role", command(f"{ON_KEN}/role", role="moderator"), make_operator, steps=True),
    request("console: see the form of a person", console(f"{ON_KEN}/edit"), make_operator),
    request("console: edit a person", command(f"{ON_KEN}/edit", **EDITED), make_operator, steps=True),
    request("console: export a person", command(f"{ON_KEN}/export"), make_operator, steps=True),
    request("console: see the erasure", console(f"{ON_KEN}/erase"), make_operator),
    request(
        "console: erase a person",
        command(f"{ON_KEN}/erase", typed=f"login-of-{KEN}", reason="asked"),
        make_operator,
        steps=True,
    ),
    request("console: see the invitation", console("/console/invitations"), make_operator),
    request("console: invite", command("/console/invitations", name="Yumi"), make_operator, steps=True),
]
"""The pages of users in the console."""

UNTOLD = OAUTH + DATA + PAGES + SCREENS + OPERATORS + ACCOUNTS + USERS_IN_CONSOLE + MODERATION
_OF_INSTALLS = {
    "allow what installs, with a server_state",
    "uninstall on the page",
    "install",
    "uninstall",
    "erase a user",
    "import",
}


def _told(untold: Operation) -> Operation:
    """Return the operation for an app that asks for all kinds of events."""

    def before(stage: RequestStage, ids: Ids) -> None:
        untold.before(stage, ids)
        stage.tell()

    return replace(untold, name=f"{untold.name}, told", before=before)


TOLD_INSTALLS = [_told(each) for each in UNTOLD if each.name in _OF_INSTALLS]
"""The requests that install and uninstall, which tell the app. Those of data and contents are in the other modules."""
OPERATIONS = UNTOLD + TOLD_INSTALLS + console_apps.OPERATIONS
