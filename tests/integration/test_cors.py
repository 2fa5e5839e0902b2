"""CORS: the origins whose pages may read responses, and the requests that are carried out."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest

from chalicelib.core.errors import Unavailable
from chalicelib.web.cors import KEEP_SECONDS, MOST_APPS, Origins
from local.gateway import Request
from local.in_process import reply
from tests.kit.appdata_api import nothing_changes, own_data
from tests.kit.routes import routes
from tests.kit.signing import ORIGIN, create_app, signature_of
from tests.kit.worlds import APP, HANA, ME, Reply, World

OWN, OTHER = "http://127.0.0.1:8000", "https://evil.example"
PAIRS = {"level": "5"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REFUSED = (403, "permission_denied", "The origin of the page is not registered with the app")


@pytest.fixture
def app(world: World) -> World:
    create_app(world)
    return world


def send(world: World, method: str, path: str, origin: str | None, body: Any = None, **more: Any) -> Reply:
    headers = more.pop("headers", {}) | ({"Origin": origin} if origin is not None else {})
    return world.send(method, path, body, headers=headers, **more)


def allowed(answer: Reply) -> str | None:
    """Return the origin whose pages may read the response, after a check of the other CORS headers."""
    assert "access-control-allow-credentials" not in answer.headers
    assert "Origin" in answer.headers["vary"]
    origin = answer.headers.get("access-control-allow-origin")
    assert (origin is not None) == ("access-control-expose-headers" in answer.headers)
    return origin


# --- reading and writing


@pytest.mark.parametrize("origin", [ORIGIN, OWN])
def test_a_registered_origin_reads_and_writes(app: World, origin: str) -> None:
    written = send(app, "POST", ME, origin, PAIRS)

    assert (written.status, allowed(written)) == (200, origin)
    assert allowed(send(app, "GET", ME, origin)) == origin
    assert own_data(app) == PAIRS
    shown = written.headers["access-control-expose-headers"].split(", ")
    assert {"ETag", "Retry-After", "WWW-Authenticate", "Location", "X-RateLimit-Remaining"} <= set(shown)


@pytest.mark.parametrize(
    "origin",
    [
        OTHER,
        "null",
        "http://game.example",
        "https://game.example:8443",
        "https://game.example.evil.example",
        "*",
        "x" * 9000,
    ],
)
def test_an_origin_that_is_not_registered(app: World, origin: str) -> None:
    """Its writes are not carried out, and the responses to its reads cannot be read."""
    with nothing_changes(app):
        for method in ("POST", "PUT", "DELETE"):
            written = send(app, method, ME, origin, PAIRS)
            assert (written.error, allowed(written)) == (REFUSED, None)
    read = send(app, "GET", ME, origin)
    assert (read.status, allowed(read)) == (200, None)


def test_who_sends_no_origin_notices_nothing(app: World) -> None:
    written = send(app, "POST", ME, None, PAIRS)

    assert (written.status, allowed(written)) == (200, None)
    assert [call.operation for call in app.calls] == ["get_item", "put_item"]


def test_the_host_that_was_asked_is_no_other_origin(app: World) -> None:
    """The request's own host, such as `localhost`: the browser asks for no permission, and none is needed."""
    here = {"Host": "localhost:8000"}
    assert send(app, "POST", ME, "http://localhost:8000", PAIRS, headers=here).status == 200
    assert send(app, "POST", ME, "http://localhost:8001", PAIRS, headers=here).error == REFUSED
    assert send(app, "POST", ME, "null", PAIRS, headers={"Host": ""}).error == REFUSED


def test_an_origin_is_registered_with_one_app(app: World) -> None:
    token = app.token(HANA, app="c07be4915fa2d386")

    assert send(app, "POST", ME, ORIGIN, PAIRS, token=token).error == REFUSED


@pytest.mark.parametrize("name", ["oauth_token", "access_token"])
def test_a_token_in_the_query(app: World, name: str) -> None:
    found = send(app, "GET", ME, ORIGIN, user=None, **{name: app.token()})

    assert (found.status, allowed(found)) == (200, ORIGIN)


def test_rpc_with_a_token_of_its_own_place(app: World) -> None:
    call = {"method": "system.listMethods", "id": 1}

    for origin, status in ((ORIGIN, 200), (OTHER, 403)):
        answer = send(app, "POST", "/rpc", origin, call, user=None, st=app.token())
        assert (answer.status, allowed(answer)) == (status, ORIGIN if status == 200 else None)


@pytest.mark.parametrize(("origin", "status"), [(ORIGIN, 200), (OTHER, 403)])
def test_a_signed_request(app: World, origin: str, status: int) -> None:
    target, headers, body = signature_of(app, "POST", "/os/0.8/appdata/@me/@self/@app", PAIRS)

    sent = [*headers.items(), ("Origin", origin)]
    answer = reply(app.gateway.handle(Request("POST", target, sent, (body or "").encode())))

    assert answer.status == status
    assert own_data(app) == (PAIRS if status == 200 else {})


# --- refusals


def test_refusals_can_be_read(app: World) -> None:
    """A page fetches a new token after a 401, and waits after a 503."""
    expired = send(app, "GET", ME, ORIGIN, token=app.token(HANA, lifetime=-60))
    wrong = send(app, "POST", ME, ORIGIN, {"a": 5})
    scope = send(app, "GET", "/2/people/@me/@self", ORIGIN)
    forged = send(app, "GET", ME, ORIGIN, token=app.token()[:-8] + "AAAAAAAA")

    assert [each.status for each in (expired, wrong, scope, forged)] == [401, 400, 403, 401]
    assert {allowed(each) for each in (expired, wrong, scope, forged)} == {ORIGIN}
    assert expired.headers["www-authenticate"] == "OAuth error='expired_token'"


@pytest.mark.parametrize("token", ["nonsense", "x" * 5000, "e30.e30.e30"])
def test_what_names_no_app_is_refused_for_that(app: World, token: str) -> None:
    answer = send(app, "POST", ME, ORIGIN, PAIRS, token=token)

    assert (answer.status, answer.json["error"], allowed(answer)) == (401, "invalid_token", ORIGIN)
    assert app.calls == []


def test_without_any_token(app: World) -> None:
    answer = send(app, "POST", ME, ORIGIN, PAIRS, user=None)

    assert (answer.status, allowed(answer)) == (401, ORIGIN)


@pytest.mark.parametrize("path", [ME, "/rpc", "/os/0.8/appdata/@me/@self/@app"])
def test_every_origin_reads_that_a_token_is_refused(app: World, path: str) -> None:
    """No app is known, so no origin is registered; and a page without a response cannot know the error."""
    for more in ({"token": "nonsense"}, {"user": None}, {"user": None, "oauth_token": "nonsense"}):
        answer = send(app, "POST", path, OTHER, PAIRS, **more)
        assert (answer.status, allowed(answer), answer.headers["vary"]) == (401, OTHER, "Origin")
        assert "access-control-allow-credentials" not in answer.headers
    assert allowed(send(app, "POST", path, None, PAIRS, token="nonsense")) is None
    expired = app.token(HANA, lifetime=-60)
    assert send(app, "POST", path, OTHER, PAIRS, token=expired).error == REFUSED


def test_a_database_that_does_not_answer(app: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: str) -> Any:
        raise Unavailable

    monkeypatch.setattr(app.platform.origins, "_find", unavailable)

    with nothing_changes(app):
        assert send(app, "POST", ME, OTHER, PAIRS).status == 503
    assert send(app, "POST", ME, OWN, PAIRS).status == 200


# --- the token endpoint


def test_the_token_endpoint_takes_the_app_from_the_form(app: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": APP, "client_secret": "7c" * 20}

    for origin, status in ((ORIGIN, 200), (OTHER, 403)):
        answer = send(app, "POST", "/2/token", origin, urlencode(form).encode(), user=None, headers=FORM)
        assert (answer.status, allowed(answer)) == (status, ORIGIN if status == 200 else None)
    wrong = urlencode(form | {"client_secret": "x"}).encode()
    answer = send(app, "POST", "/2/token", ORIGIN, wrong, user=None, headers=FORM)
    assert (answer.status, answer.json["error"], allowed(answer)) == (401, "invalid_client", ORIGIN)


def test_the_token_endpoint_takes_the_app_from_the_header_or_a_multipart_form(app: World) -> None:
    credentials = b64encode(f"{APP}:{'7c' * 20}".encode()).decode()
    basic = {"Authorization": f"Basic {credentials}"} | FORM
    parts = {"Content-Type": "multipart/form-data; boundary=xyz"}
    form = {"grant_type": "client_credentials", "client_id": APP, "client_secret": "7c" * 20}
    body = [f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{form[name]}\r\n' for name in form]

    for headers, sent in (
        (basic, b"grant_type=client_credentials"),
        (parts, "".join([*body, "--xyz--\r\n"]).encode()),
    ):
        for origin, status in ((ORIGIN, 200), (OTHER, 403)):
            answer = send(app, "POST", "/2/token", origin, sent, user=None, headers=headers)
            assert (answer.status, allowed(answer)) == (status, ORIGIN if status == 200 else None)
    for headers, sent in ((basic | {"Authorization": "Basic !"}, b"x=y"), (parts, b"--xyz\r\nbroken")):
        assert send(app, "POST", "/2/token", ORIGIN, sent, user=None, headers=headers).error == REFUSED


def test_a_form_that_names_no_app(app: World) -> None:
    for path, form in (("/2/token", b"grant_type=refresh_token"), ("/2/authorize/revoke", b"token=x")):
        assert send(app, "POST", path, ORIGIN, form, user=None, headers=FORM).error == REFUSED
        named = form + f"&client_id={APP}".encode()
        assert allowed(send(app, "POST", path, ORIGIN, named, user=None, headers=FORM)) == ORIGIN
        assert send(app, "POST", path, None, form, user=None, headers=FORM).status in (200, 400)


def test_what_the_server_can_do_is_for_everyone(app: World) -> None:
    answer = send(app, "GET", "/.well-known/oauth-authorization-server", OTHER, user=None)

    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "*")


# --- preflights


def shared_routes() -> list[str]:
    return sorted(path for method, path, _ in routes() if method == "OPTIONS")


def test_which_paths_have_a_preflight() -> None:
    """Paths that apps call have preflights; the pages for users and the operator's paths do not."""
    found = set(shared_routes())

    assert {"/2/apps/appdata/{user}/{group}", "/2/people/{user}/{group}", "/2/pages/{page}/feeds"} <= found
    assert {"/rpc", "/os/0.8/people/{guid}/{selector}", "/os/0.8/appdata/{guid}/{selector}/{app}"} <= found
    assert {"/2/token", "/2/authorize/revoke"} <= found
    assert not [path for path in found if path.startswith(("/admin", "/settings", "/connect_", "/pages", "/run_"))]


@pytest.mark.parametrize("path", shared_routes())
def test_a_preflight_promises_what_the_path_takes(app: World, path: str) -> None:
    asked = {"Origin": OTHER, "Access-Control-Request-Method": "POST"}

    answer = app.send("OPTIONS", path.replace("{", "").replace("}", ""), user=None, headers=asked)

    assert (answer.status, answer.text) == (204, "")
    methods = set(app.app.routes[path]) - {"OPTIONS"}
    assert set(answer.headers["access-control-allow-methods"].split(", ")) == methods
    taken = answer.headers["access-control-allow-headers"].split(", ")
    assert {"Authorization", "Content-Type", "If-Match", "If-None-Match"} <= set(taken)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-max-age"] == "7200"
    assert "access-control-allow-credentials" not in answer.headers
    assert app.calls == []


@pytest.mark.parametrize("path", ["/settings", "/connect_authorize.pl", "/admin/users"])
def test_a_path_without_a_preflight(app: World, path: str) -> None:
    assert app.send("OPTIONS", path, user=None).status == 405
    headers = app.send("GET", path, headers={"Origin": ORIGIN}).headers
    assert "Origin" not in headers.get("vary", "")
    assert "access-control-allow-origin" not in headers


# --- how origins are looked up


class Apps:
    """Apps with one origin each, and a list of the reads; `now` is in seconds."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.now = 0.0
        self.origins = Origins(self._find, "https://api.engawa.example/base", lambda: self.now)

    def _find(self, app: str) -> tuple[str, ...]:
        self.read.append(app)
        return (f"https://{app}.example",)


def test_an_app_is_read_once_a_minute() -> None:
    apps = Apps()

    for at, reads in ((0, 1), (KEEP_SECONDS - 1, 1), (KEEP_SECONDS, 2), (KEEP_SECONDS + 1, 2)):
        apps.now = at
        assert apps.origins.allows("https://a.example", "", "a")
        assert not apps.origins.allows("https://b.example", "", "a")
        assert len(apps.read) == reads


def test_no_app_is_read_for_our_own_origin() -> None:
    apps = Apps()

    assert apps.origins.allows("https://api.engawa.example", "", "a")
    assert apps.origins.allows("https://gateway.internal", "gateway.internal", None)
    assert not apps.origins.allows("https://a.example", "", None)
    assert apps.read == []


def test_how_many_apps_are_remembered() -> None:
    apps = Apps()
    for number in range(MOST_APPS + 1):
        apps.origins.allows("null", "", str(number))

    apps.read.clear()
    apps.origins.allows("null", "", "1")
    assert apps.read == []
    apps.origins.allows("null", "", "0")
    assert apps.read == ["0"]


def test_a_new_origin_works_within_a_minute(app: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(app, "POST", ME, OTHER, PAIRS).error == REFUSED
    app.platform.apps.change(APP, origins=(ORIGIN, OTHER))
    monkeypatch.setattr(app.platform.origins, "_now", lambda: time.monotonic() + KEEP_SECONDS)

    assert allowed(send(app, "POST", ME, OTHER, PAIRS)) == OTHER
    assert json.loads(send(app, "GET", ME, OTHER).text)["entry"][0]["data"] == PAIRS
