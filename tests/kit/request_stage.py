"""A stage for whole requests: the app over an AWS in memory, called as by API Gateway."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from chalice.app import Chalice
from chalice.local import LambdaContext

import app as entry
from chalicelib.core.events import Endpoint
from chalicelib.core.model.directory import App, Page, User
from chalicelib.core.passwords import hash_password
from chalicelib.core.sign_in_delays import Device
from chalicelib.store.aws import deadline
from chalicelib.store.aws.formats import numbered
from chalicelib.store.directory.secret_sealing import SecretSealing
from chalicelib.store.grants.sessions import SESSION
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.auth.sessions import Session, Sessions
from chalicelib.web.telemetry import RunFailed
from local.gateway import Answer, Gateway, Request
from local.in_process import APP, HANA, KEN, MEI, TARO, Caller, Reply, reply
from tests.kit import invariants, invariants_events
from tests.kit.invariants_directory import People
from tests.kit.memory import Cloud
from tests.kit.sending import multipart
from tests.kit.sessions import NAME, session_row
from tests.kit.signing import ORIGIN, SECRET
from tests.kit.stage import ISSUER, MODULE, PAGE, QUIET, Stage

BUSY = "Unavailable"
"""The outcome of a request with the response 503 "The service is busy"."""
PUBLIC = "c07be4915fa2d386"
"""An app without a secret."""
BACK, PUBLIC_BACK = "https://quest.example/back", "com.example.album:/back"
VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
FUNCTION_SECONDS = 60
PASSWORD = "correct horse battery"
SCOPES = ("mixi_apps2", "r_profile", "w_pagefeed", "r_page", "openid")
_RANDOM = re.compile(
    r"link=[\w-]{43}|eyJ[\w.-]+|[0-9a-f]{24,}|answers/[\w/-]+|\b0[0-9A-Z]{12}\b|\"\w{8}\.\d+\""
    r"|oauth_(signature|timestamp|nonce)=[^&\"]*|<code>[0-9a-f-]{36}</code>"
)
"""Matches text that differs from run to run.

These are one-time links, tokens, secrets, hashes, `answers/` keys, ids, entity tags, signatures, and ids of requests.
"""


class TimedGateway(Gateway):
    """A gateway that records each route, and the duration of its longest request by the clock of deadline.py."""

    longest = 0.0

    def __init__(self, app: Chalice) -> None:
        super().__init__(app)
        self.asked: set[tuple[str, str | None]] = set()

    def handle(self, request: Request) -> Answer:
        self.asked.add((request.method, self._match(request.target.partition("?")[0])[0]))
        begun = deadline._now()
        try:
            return super().handle(request)
        finally:
            self.longest = max(self.longest, deadline._now() - begun)


class RequestStage(Stage, Caller):
    """The app over `cloud`, called through `client`. Its keys in `directory` are files, or secrets if `cold`."""

    def __init__(
        self, directory: Path, cloud: Cloud, client: Any, environment: Mapping[str, str] = {}, *, cold: bool = False
    ) -> None:
        names = ("token-keys", "secret-keys", "launch-keys")
        files = {name: str(directory / f"{name}.json") for name in names}
        cloud.secrets.values = {name: Path(file).read_text() for name, file in files.items()}
        read = dict(environment)
        for name, file in files.items():
            setting = f"ENGAWA_{name.upper().replace('-', '_')}"
            read |= {f"{setting}_FILE": "" if cold else file, f"{setting}_SECRET": name if cold else ""}
        super().__init__(cloud, client, **read)
        self.app = entry.create_app(lambda: self.platform)
        self.gateway: TimedGateway = TimedGateway(self.app)
        # Tokens and sessions are made without calls by the platform.
        keys = TokenKeys(Path(files["token-keys"]).read_text)
        self._sessions = Sessions(keys, ISSUER)
        self._issue = cache(AccessTokens(keys, ISSUER).issue)
        self._seals = SecretSealing(Path(files["secret-keys"]).read_text)

    def token(self, user: str | None = HANA, *scopes: str, app: str = APP, **more: Any) -> str:
        """Return an access token; the same arguments give the same token."""
        return self._issue(app=app, viewer=user, scopes=scopes or SCOPES, lifetime=36_000, **more)

    def populate(self) -> RequestStage:
        here = self.platform
        for user in (HANA, KEN, MEI, TARO):
            login = f"login-of-{user}" if user in (HANA, KEN) else None
            here.users.create(User(user, f"name of {user}", login=login), _hash() if login else None)
        here.apps.create(
            App(APP, "Quest", True, SECRET, (BACK,), "https://quest.example/start", (*SCOPES, "admin"), (ORIGIN,))
        )
        here.apps.create(App(PUBLIC, "Album", False, None, (PUBLIC_BACK,), scopes=SCOPES))
        for page in (PAGE, QUIET):
            here.pages.create(Page(page, "Cafe"))
            here.pages.members.add_administrator(page, MEI)
            here.pages.add_module(page, APP, "menu name", MODULE)
        for user in (HANA, KEN, MEI):
            self._session(user)
        return self

    def stored_secret(self, app: str, attribute: str = "x") -> str:
        """Return the stored secret of an app, or with "xo" its old one, unsealed."""
        return self._seals.open(self.cloud.memory.items["engawa-local-directory", f"app#{app}", "#"][attribute]["S"])

    def cloud_app(self, app: str) -> App:
        """Return an app as stored, without a call."""
        item = self.cloud.memory.items["engawa-local-directory", f"app#{app}", "#"]
        known = self.platform.apps.from_item(item, with_secret=False)
        assert known
        return known

    def cloud_endpoint(self, app: str, endpoint: str) -> Endpoint:
        """Return an endpoint as stored, without a call."""
        item = self.cloud.memory.items["engawa-local-directory", f"app#{app}", f"endpoint#{endpoint}"]
        return self.platform.endpoints._items.from_item(item, with_secrets=False)

    def operate(self, method: str, path: str, body: Any = None, **query: Any) -> Reply:
        """Send a request to `/admin…` as the operator."""
        return self.send(method, f"/admin{path}", body, token=self.token(None, "admin"), **query)

    def fill_in(
        self,
        path: str,
        user: str | None = None,
        /,
        *,
        device: Device | None = None,
        confirmed: bool = False,
        **form: Any,
    ) -> Reply:
        """Send a page's form in the session of a user (None: not signed in), from the browser `device`, if given.

        `confirmed`: the user has given the password again a moment ago.
        """
        session = self._session(user, device)
        if confirmed:
            session = self._sessions.confirm(session)
        cookies = [each.partition(";")[0] for each in self._sessions.headers(session)["Set-Cookie"]]
        headers = [("Cookie", "; ".join(cookies))]
        return self.form(path, headers, csrf=session.masked_csrf(), **form)

    def upload(self, path: str, user: str, name: str, content: bytes, **form: str) -> Reply:
        """Send a page's form with a file, in the session of a user."""
        session = self._session(user)
        cookie = self._sessions.cookie(session).partition(";")[0]
        kind, body = multipart({"csrf": session.masked_csrf()} | form, name, content)
        sent = [("Cookie", cookie), ("Content-Type", kind)]
        return reply(self.gateway.handle(Request("POST", path, sent, body)))

    def look_at(self, target: str, user: str | None = None, *, confirmed: bool = False) -> Reply:
        """Open a page, in the session of a user (None: not signed in); `confirmed`: the password was given again."""
        session = self._session(user)
        cookie = self._sessions.cookie(self._sessions.confirm(session) if confirmed else session).partition(";")[0]
        return reply(self.gateway.handle(Request("GET", target, [("Cookie", cookie)])))

    def _session(self, user: str | None, device: Device | None = None) -> Session:
        """Return a session whose row is in the table, without calls; the same for each form of a user."""
        if user is None:
            return self._sessions.begin(None, device)
        owner = self.cloud.memory.items.get(("engawa-local-directory", f"user#{user}", "#"), {})
        row = numbered(session_row(user, self.clock.now, owner["se"]["S"] if "se" in owner else ""))
        self.cloud.memory.items["engawa-local-grants", row["pk"]["S"], row["sk"]["S"]] = row
        return self._sessions.begin(user, device, NAME)

    def form(self, path: str, headers: list[tuple[str, str]] | None = None, /, **form: str) -> Reply:
        """Send a form."""
        sent = [*(headers or []), ("Content-Type", "application/x-www-form-urlencoded")]
        return reply(self.gateway.handle(Request("POST", path, sent, urlencode(form).encode())))

    def allow(self, app: str = APP, *, user: str | None = HANA, **more: str) -> Reply:
        """Send a step of the consent page, on which a user grants an app its scopes."""
        asked: dict[str, Any] = {"client_id": app, "response_type": "code", "scope": "r_profile", "redirect_uri": BACK}
        if app == PUBLIC:
            asked |= {"redirect_uri": PUBLIC_BACK, "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return self.fill_in("/connect_authorize.pl", user, **asked | ({"decision": "allow"} if user else {}) | more)

    def code(self, app: str = APP) -> str:
        """Return an authorization code of HANA for an app."""
        return self.allow(app).headers["location"].partition("code=")[2].partition("&")[0]

    def ask_token(self, app: str = APP, **form: str) -> Reply:
        """Send a form to the token endpoint."""
        own = {"client_id": app} | ({"client_secret": SECRET} if app == APP else {})
        return self.form("/2/token", None, **own | form)

    def redeem(self, code: str, app: str = APP) -> Reply:
        """Exchange an authorization code for tokens."""
        proof = {"code_verifier": VERIFIER, "redirect_uri": PUBLIC_BACK} if app == PUBLIC else {"redirect_uri": BACK}
        return self.ask_token(app, grant_type="authorization_code", code=code, **proof)

    def invoke(self, function: str, event: Any) -> None:
        """Invoke a function with an event, and check its duration (deadline.py). Raises the cause of a failed run."""
        begun = deadline._now()
        try:
            self.app.handler_map[function](event, LambdaContext(function, 512, 1000 * FUNCTION_SECONDS))
        except RunFailed as failed:
            raise (failed.__context__ or failed) from None
        finally:
            assert deadline._now() - begun <= FUNCTION_SECONDS

    def _table(self, name: str) -> list[Any]:
        return list(self.cloud.memory.table(f"engawa-local-{name}"))

    def tables(self) -> invariants.Tables:
        """Return the current app data and installs."""
        return self.looked_at("data", lambda: invariants.Tables(self._table("appdata"), self._table("directory")))

    def people(self) -> People:
        """Return the current directory and grants."""
        return self.looked_at("people", lambda: People(self._table("directory"), self._table("grants")))

    def look_for_wrongs(self) -> list[str]:
        return super().look_for_wrongs() + self.tables().wrongs(self.platform.settings.limits) + self.people().wrongs()

    def remains(self) -> list[str]:
        return super().remains() + self.tables().remains()

    def go_on(self) -> None:
        """Do nothing: test_contents_faults.py tests that posts find late tickets."""

    def seen(self) -> Any:
        held = self.tables().held
        data = {key: (each.data, each.ledger.version, len(each.ledger.window.times)) for key, each in held.items()}
        directory = sorted(map(_shown, self._table("directory")))
        grants = sorted(map(_shown, self._table("grants")))
        now = self.clock.now // 1000
        live = [each for each in self._table("ephemeral") if int(each["ttl"]["N"]) > now]
        passing = sorted(_shown(each) for each in live if not each["pk"]["S"].startswith(invariants_events.PARTITION))
        return super().seen(), data, directory, grants, passing


def outcome_of_reply(answer: Reply | str, *more: Any) -> str:
    """Return the outcome of a request and `more`, without the parts that differ from run to run."""
    if isinstance(answer, str):
        return answer
    if answer.status == 503:
        assert int(answer.headers["retry-after"]) >= 1
        return BUSY
    if answer.status == 200 and re.search('"service_unavailable"|The service is busy', answer.text):
        return BUSY  # At least one record of an import, or one call of a JSON-RPC batch.
    return plain(f"{answer.status} {answer.headers.get('location', '')} {answer.text} {more}")


def plain(text: str) -> str:
    """Return a text without the parts that differ from run to run."""
    return _RANDOM.sub("*", text)


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


def _shown(item: Any) -> Any:
    """Return an item as text, without the parts that differ from run to run."""
    if id(item) not in _known:
        shown = {name: plain(repr(value)) for name, value in item.items()}
        if "h" in shown and item["pk"]["S"].startswith("login#"):
            shown["h"] = item["h"]["S"].rpartition("$")[0].rpartition("$")[0]
        # A sign-in that is tried again begins its session later.
        timed = ("created", "seen", "expires", "ttl") if item["sk"]["S"].startswith(SESSION) else ()
        hidden = ("x", "runner", "by", "deadline", *timed)
        text = repr({name: "" if name in hidden else value for name, value in sorted(shown.items())})
        _known[id(item)] = item, text
    return _known[id(item)][1]


_known: dict[int, tuple[Any, str]] = {}
"""Items and their texts, by the item's identity, which stays valid: items are only replaced, never changed."""
