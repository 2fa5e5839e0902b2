"""The sample app at `/sample`: a small game for Hana and Ken, in plain JavaScript with `/js/opensocial.js`.

Only the local platform has it: its pages contain short-lived tokens of the demo world's users, and anyone on this
machine can open them.

| path | content |
|---|---|
| /sample | the two players side by side; also the redirect URI of sign-in, with `code` or `error` |
| /sample/play?as=hana | one player: the game, with a token of that user in the page |
| /sample/token?as=hana | `{"token": …}`, a new token |
| /sample/events | POST: the receiver of events; GET: the last events, as JSON |
| /sample/NAME | style and scripts |
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from urllib.parse import parse_qs, quote

from chalicelib.web.auth.access_tokens import AccessTokens
from chalicelib.web.html.texts import preferred
from local.demo_data import APPS, USERS
from local.gateway import Answer, Request, error, own_hosts
from local.sample.events import EventReceiver

PATH = "/sample"
LIFETIME = 900
EVENTS = PATH + "/events"
_METHODS = ("GET", "HEAD")
SCOPES = ("mixi_apps2", "r_profile")
_FILES = Path(__file__).parent
_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_NAMES = frozenset(path.name for path in _FILES.iterdir() if path.suffix in _MEDIA_TYPES)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; "
    "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)


class Sample:
    """A handler of requests for `/sample` and below; it returns None for other paths."""

    def __init__(self, tokens: AccessTokens, base_url: str, receiver: EventReceiver) -> None:
        self._tokens = tokens
        self._receiver = receiver
        self._hosts = own_hosts(base_url)

    def __call__(self, request: Request) -> Answer | None:
        path, _, query = request.target.partition("?")
        if path.rstrip("/") != PATH and not path.startswith(f"{PATH}/"):
            return None
        # Against DNS rebinding: a page of another site must not get the tokens.
        if request.header("host") not in self._hosts:
            return error(403, "permission_denied", "The sample is for this machine alone.")
        if request.method == "POST" and path == EVENTS:
            if self._receiver.receive(request):
                return Answer(204, [])
            return error(401, "signature_invalid", "The signature or its time is wrong.")
        if request.method not in _METHODS:
            return error(405, "method_not_allowed", "Method not allowed.", ("Allow", ", ".join(_METHODS)))
        asked = {name: values[-1] for name, values in parse_qs(query).items()}
        language = preferred(asked.get("lang"), request.header("accept-language")).value
        return self._answer(path.removeprefix(PATH).strip("/"), asked.get("as", ""), language)

    def _answer(self, name: str, player: str, language: str) -> Answer:
        if name == "":
            other = {"ja": "en", "en": "ja"}[language]
            return _page("index.html", lang=language, other=other, client=APPS["quest"], scope=quote(" ".join(SCOPES)))
        if name == "play" and player in USERS:
            return _page("play.html", lang=language, player=player, token=self._token(player))
        if name == "token" and player in USERS:
            return _answer(json.dumps({"token": self._token(player)}), "application/json; charset=utf-8")
        if name == "events":
            return _answer(json.dumps(self._receiver.received), "application/json; charset=utf-8")
        if name in _NAMES:
            return _answer(_read(name), _MEDIA_TYPES[Path(name).suffix])
        return error(404, "not_found", "No such resource.")

    def _token(self, player: str) -> str:
        return self._tokens.issue(
            app=APPS["quest"], viewer=USERS[player], scopes=SCOPES, lifetime=LIFETIME, events=None
        )


def _page(name: str, **values: str) -> Answer:
    text = _read(name)
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", html.escape(value))
    return _answer(text, "text/html; charset=utf-8")


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


def _answer(text: str, media_type: str) -> Answer:
    headers = {
        "Content-Type": media_type,
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    return Answer(200, [*headers.items()], text.encode())
