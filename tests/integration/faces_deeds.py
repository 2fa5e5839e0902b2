"""What is asked of each face in test_faces_faults.py: at least one request for every route of the app."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from unittest.mock import patch

from chalicelib.core import passwords
from chalicelib.core.sign_in_delays import Device, mark_of
from local.in_process import APP, HANA, KEN, ME, MEI, Reply
from tests.integration.contents import MODULE, PAGE, URI
from tests.integration.deeds import noise
from tests.integration.faces import BACK, PASSWORD, PUBLIC, Faces
from tests.integration.faces_asking import Deed, allow, in_answers, patiently, token, trade, unnumbered
from tests.integration.faces_operators import OPERATORS
from tests.integration.signing import ORIGIN, signed
from tests.integration.suffering import Ids
from tests.pictures import png

FEEDS, COMMENTS, FAVORITES = (f"/2/pages/{PAGE}/{name}" for name in ("feeds", "comments", "favorites"))
OTHER = "http://application.example/other"


# OAuth and the pages


def refresh(app: str, name: str) -> Callable[[Faces, Ids], Reply]:
    return lambda stage, ids: token(stage, app, grant_type="refresh_token", refresh_token=ids[name])


def sign_in(path: str, password: str = PASSWORD, **more: str) -> Callable[[Faces, Ids], Reply]:
    form = {"login": f"login-of-{HANA}", "password": password} | more
    return lambda stage, ids: stage.fill_in(path, None, **form)


def sign_in_where_known(password: str = PASSWORD) -> Callable[[Faces, Ids], Reply]:
    """Sign in to settings in a browser in which this user has signed in before."""
    login = f"login-of-{HANA}"

    def act(stage: Faces, ids: Ids) -> Reply:
        device = Device("browser", (mark_of("browser", login, ids["password"]),))
        return stage.fill_in("/settings", device=device, login=login, password=password)

    return act


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
    Deed("refresh by a rotated token", refresh(PUBLIC, "public refresh"), refresh(PUBLIC, "public refresh")),
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
    Deed("sign in where known", sign_in_where_known(), steps=True),
    Deed("sign in where known with a wrong password", sign_in_where_known("wrong"), steps=True),
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


DEEDS = OAUTH + DATA + PAGES + OPERATORS
