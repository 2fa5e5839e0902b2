"""Requests signed by OAuth 1.0a: RFC 5849's own examples, every way a client may write a URL, and refusals."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, unquote, urlencode

import pytest
from chalice.app import Chalice, Response
from chalice.app import Request as Asked
from chalice.local import LambdaContext
from hypothesis import given
from hypothesis import strategies as st
from oauthlib.oauth1 import SIGNATURE_TYPE_BODY, SIGNATURE_TYPE_QUERY, Client

from chalicelib.core.client_secrets import WhichSecret
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import App
from chalicelib.core.oauth import USER_SCOPES
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
from chalicelib.web.auth.oauth1_signatures import Signatures, base_strings, signed_parameters, signs
from chalicelib.web.face import Face, Token
from local.gateway import Answer, Gateway, Request

NOW = 1_800_000_000
KEY, SECRET, PUBLIC = "6d1f0c2ab4e79853", "kd94hf93k423kf44", "0123456789abcdef"
HANA, KEN = "k3v9x2mtq7ra", "a8d1p0zzk4wn"
ISSUER, OLD = "https://api.engawa.example/api", "http://old.example"
FORM = "application/x-www-form-urlencoded"
APPS = {
    KEY: App(KEY, "quest", secret=SECRET, scopes=("mixi_apps2", "r_profile", "r_profile_gender", "admin")),
    PUBLIC: App(PUBLIC, "album", confidential=False),
}


class Door:
    """A face that accepts signatures, behind the gateway; `used` lists the nonces that were used."""

    def __init__(self, urls: tuple[str, ...] = (ISSUER, OLD), **settings: Any) -> None:
        self.used: list[tuple[str, int, str]] = []
        self.asked: list[str] = []
        self.now = NOW
        signatures = Signatures(self._app, self._use, lambda: self.now * 1000 + 999, urls, **settings)
        tokens = AccessTokens(TokenKeys(lambda: '{"keys":[]}'), ISSUER)
        face, self.app = Face(), Chalice("test")

        @face.route("/os/{guid}/{group}", methods=["GET", "POST"], token=Token.USER, scope=None, signed=True)
        def view(here, request: Asked, access: Access, guid: str, group: str) -> Response:
            told = {"app": access.app, "viewer": access.viewer, "owner": access.owner, "guid": guid}
            return Response(told | {"scopes": sorted(access.scopes)})

        face.register(self.app, lambda: SimpleNamespace(tokens=tokens, signatures=signatures))
        self.gateway = Gateway(self.app)

    def _app(self, app: str) -> App | None:
        self.asked.append(app)
        return APPS.get(app)

    def _use(self, app: App, which: WhichSecret, timestamp: int, nonce: str) -> bool:
        assert which is WhichSecret.CURRENT
        fresh = (app.id, timestamp, nonce) not in self.used
        self.used.append((app.id, timestamp, nonce))
        return fresh

    def send(
        self, url: str, headers: Mapping[str, str], method: str = "GET", body: str | bytes | None = None
    ) -> Answer:
        """Send a request to the URL as a server sees it: without a scheme, and with another host."""
        path = "/" + url.partition("://")[2].partition("/")[2].removeprefix("api/")
        raw = body.encode() if isinstance(body, str) else body or b""
        return self.gateway.handle(Request(method, path, [*headers.items(), ("Host", "gateway.internal")], raw))


def target(base: str = ISSUER, path: str = "/os/@me/@self", /, **query: str) -> str:
    asked = {"xoauth_requestor_id": HANA} | query
    return base + path + "?" + urlencode(asked, quote_via=quote)


def sign(
    url: str, method: str = "GET", body: str | None = None, headers: dict[str, str] | None = None, **more: Any
) -> tuple[str, dict[str, str], str | None]:
    secret = more.pop("secret", SECRET)
    settings = {"timestamp": str(NOW), "nonce": "n1"} | more
    client: Any = Client(settings.pop("key", KEY), client_secret=secret, **settings)
    signed: tuple[str, dict[str, str], str | None] = client.sign(url, method, body=body, headers=headers)
    return signed


def knock(door: Door, url: str, method: str = "GET", body: str | None = None, **more: Any) -> Answer:
    """Send a request that oauthlib's client has signed."""
    url, headers, body = sign(url, method, body, **more)
    return door.send(url, headers, method, body)


def problem(answer: Answer) -> tuple[int, str]:
    """Return the status, and the problem, which both the header and the body name."""
    told = json.loads(answer.body)
    header = dict(answer.headers)["WWW-Authenticate"]
    assert header.startswith(f'OAuth realm="", oauth_problem="{told["error"]}"')
    assert header.isascii()
    assert header.isprintable()
    assert set(told) == {"error", "error_description"}
    return answer.status, told["error"]


def details(answer: Answer) -> dict[str, str]:
    parts = [
        part.partition("=") for part in dict(answer.headers)["WWW-Authenticate"].removeprefix("OAuth ").split(", ")
    ]
    return {name: unquote(value.strip('"')) for name, _, value in parts}


# --- RFC 5849


def asked(method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], body: str = "") -> Asked:
    event = {
        "path": path,
        "multiValueQueryStringParameters": query or None,
        "headers": headers,
        "pathParameters": None,
        "requestContext": {"httpMethod": method, "resourcePath": path},
        "stageVariables": None,
        "body": body,
    }
    return Asked(event)


def test_the_base_string_of_the_rfc():
    """Section 3.4.1.1: parameters of header, query and form, repeated names, and no realm."""
    header = (
        'OAuth realm="Example", oauth_consumer_key="9djdj82h48djs9d2", oauth_token="kkk9d7dh3k39sjv7", '
        'oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="7d8f3e4a", '
        'oauth_signature="bYT5CMsGcbgUdFHObYMEfcx6bsw%3D"'
    )
    query = {"b5": ["=%3D"], "a3": ["a"], "c@": [""], "a2": ["r b"]}
    request = asked("POST", "/request", query, {"content-type": FORM, "authorization": header}, "c2&a3=2+q")

    base, slashed = base_strings(request, signed_parameters(request), ["http://EXAMPLE.COM:80"])
    assert slashed == base.replace("%2Frequest&", "%2Frequest%2F&", 1)

    assert base == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_the_signature_of_the_test_cases():
    """The signature is from oauth.net's test cases for HMAC-SHA1 without a token secret."""
    signature = "egQqG5AJep5sJ7anhXju1unge2I="

    assert signs(signature, ["bs"], "cs")
    assert signs(signature, ["other", "bs"], "cs")
    assert not signs(signature, ["bt"], "cs")
    assert not signs(signature, ["bs"], "ct")
    assert not signs(signature.replace("e", "f", 1), ["bs"], "cs")
    assert not signs("", ["bs"], "cs")


# --- accepted requests


def test_a_signature_names_app_and_user_and_has_every_scope_of_a_user():
    answer = knock(Door(), target())

    assert answer.status == 200
    assert json.loads(answer.body) == {
        "app": KEY,
        "viewer": HANA,
        "owner": HANA,
        "guid": "@me",
        "scopes": sorted(USER_SCOPES),
    }


@pytest.mark.parametrize("owner", [KEN, f"mixi.jp:{KEN}", f"urn:guid:mixi.jp:{KEN}"])
def test_a_signature_may_name_another_owner(owner):
    told = json.loads(knock(Door(), target(opensocial_owner_id=owner)).body)

    assert (told["viewer"], told["owner"]) == (HANA, KEN)


def test_an_empty_owner_is_none():
    assert json.loads(knock(Door(), target(opensocial_owner_id="")).body)["owner"] == HANA


@pytest.mark.parametrize("owner", ["ken", "@owner", f"other.jp:{KEN}", "k" * 5000])
def test_what_is_no_users_id_is_no_owner(owner):
    answer = knock(Door(), target(opensocial_owner_id=owner))

    assert problem(answer) == (400, "parameter_rejected")
    assert 'oauth_parameters_rejected="opensocial_owner_id"' in dict(answer.headers)["WWW-Authenticate"]


def test_an_owner_is_named_once_and_signed():
    door = Door()
    twice = target(opensocial_owner_id=HANA) + f"&opensocial_owner_id={KEN}"
    added = Client(KEY, client_secret=SECRET, timestamp=str(NOW)).sign(target())[1]

    assert problem(knock(door, twice)) == (400, "parameter_rejected")
    assert problem(door.send(target() + f"&opensocial_owner_id={KEN}", added)) == (401, "signature_invalid")


@pytest.mark.parametrize(
    "requestor", [HANA, f"mixi.jp:{HANA}", f"urn:guid:mixi.jp:{HANA}", f"mixi.jp:{HANA}{'7z' * 20}"]
)
def test_the_requestor_in_any_form_of_an_id(requestor):
    assert json.loads(knock(Door(), target(xoauth_requestor_id=requestor)).body)["viewer"] == HANA


@pytest.mark.parametrize("requestor", ["", "hana", "@me", f"mixi.jp:{HANA}7", f"other.jp:{HANA}", "k" * 5000])
def test_what_is_no_users_id_is_no_requestor(requestor):
    answer = knock(Door(), target(xoauth_requestor_id=requestor))

    assert problem(answer) == (400, "parameter_rejected" if requestor else "parameter_absent")


@pytest.mark.parametrize("base", [ISSUER, ISSUER.replace("https", "http"), OLD, "https://old.example", OLD + ":80"])
@pytest.mark.parametrize("guid", ["@me", "%40me", f"mixi.jp:{HANA}", f"mixi.jp%3A{HANA}", "@me,b:c", "%40me%2Cb%3Ac"])
@pytest.mark.parametrize("group", ["@self", "%40self"])
@pytest.mark.parametrize("decoded", [True, False])
def test_every_url_that_leads_here_may_be_signed(base, guid, group, decoded):
    """Lambda gets the path decoded or as it was sent, depending on the server in front of it."""
    door = Door()
    url, headers, _ = sign(target(base, f"/os/{guid}/{group}"))
    if not decoded:
        assert door.send(url.replace(OLD + ":80", OLD), headers).status == 200
        return
    path = f"/stage/os/{unquote(guid)}/{unquote(group)}"
    event = {
        "path": path,
        "multiValueQueryStringParameters": {"xoauth_requestor_id": [HANA]},
        "headers": headers,
        "pathParameters": {"guid": unquote(guid), "group": unquote(group)},
        "requestContext": {"httpMethod": "GET", "resourcePath": "/os/{guid}/{group}"},
        "stageVariables": None,
        "body": None,
    }
    assert door.app(event, LambdaContext("test", 1, 1))["statusCode"] == 200


@pytest.mark.parametrize(
    "base", ["https://api.engawa.example", "https://gateway.internal/api", "https://api.engawa.example:8443/api"]
)
def test_what_was_signed_for_another_server_is_refused(base):
    headers = sign(target(base))[1]

    assert problem(Door().send(target(), headers)) == (401, "signature_invalid")


@pytest.mark.parametrize(
    ("kind", "more"), [(SIGNATURE_TYPE_QUERY, {}), (SIGNATURE_TYPE_BODY, {"body": "a=1&a=%E8%8A%B1+x"})]
)
def test_the_parameters_in_query_or_form(kind, more):
    headers = {"Content-Type": FORM} if more else {}

    assert knock(Door(), target(), "POST", headers=headers, signature_type=kind, **more).status == 200


def test_a_form_is_signed():
    url, headers, body = sign(target(), "POST", "level=5", {"Content-Type": FORM})

    assert Door().send(url, headers, "POST", body).status == 200
    assert problem(Door().send(url, headers, "POST", "level=6")) == (401, "signature_invalid")
    assert Door().send(url, headers, "POST", "x" * 65_537).status == 413
    assert problem(Door().send(url, headers, "POST", b"\xff=1")) == (400, "parameter_rejected")


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(NAMES.filter(lambda name: not name.startswith(("oauth_", "xoauth_"))), VALUES, min_size=1))
def test_whatever_is_in_the_query(query):
    """A signed query passes; it fails with one value changed or left out."""
    url, headers, _ = sign(target(**query))
    first = min(query)

    assert Door().send(url, headers).status == 200
    for other in (query | {first: query[first] + "!"}, {name: query[name] for name in query if name != first}):
        assert problem(Door().send(target(**other), headers)) == (401, "signature_invalid")


# --- refusals


def test_a_wrong_signature_is_told_our_base_string():
    door = Door()
    answer = knock(door, target(), secret="another")

    assert problem(answer) == (401, "signature_invalid")
    told = details(answer)["oauth_problem_advice"]
    assert told.startswith("GET&https%3A%2F%2Fapi.engawa.example%2Fapi%2Fos%2F%40me%2F%40self&oauth_consumer_key%3D")
    assert told.endswith(f"%26xoauth_requestor_id%3D{HANA}")
    assert SECRET not in told
    assert door.used == []


def test_what_a_client_is_told_is_bounded():
    answer = knock(Door(), target(long='"\r\n花' * 2_000), secret="another")

    assert problem(answer) == (401, "signature_invalid")
    assert len(details(answer)["oauth_problem_advice"]) == 2_000


@pytest.mark.parametrize("key", ["fedcba9876543210", PUBLIC, "no-such-form", "x" * 5_000])
def test_an_app_that_is_not_known_or_has_no_secret(key):
    door = Door()

    assert problem(knock(door, target(), key=key, secret="")) == (401, "consumer_key_unknown")
    assert door.used == []
    assert len(door.asked) == (len(key) == 16)


@pytest.mark.parametrize(("off", "taken"), [(-300, True), (-301, False), (300, True), (301, False), (0, True)])
def test_the_timestamp_may_be_five_minutes_off(off, taken):
    answer = knock(Door(), target(), timestamp=str(NOW + off))

    if taken:
        assert answer.status == 200
    else:
        assert problem(answer) == (401, "timestamp_refused")
        assert details(answer)["oauth_acceptable_timestamps"] == f"{NOW - 300}-{NOW + 300}"


@pytest.mark.parametrize("timestamp", ["now", "-5", "1.8e9", f"{NOW}.0", "9" * 13, "１２"])
def test_a_timestamp_is_whole_seconds(timestamp):
    assert problem(knock(Door(), target(), timestamp=timestamp)) == (400, "parameter_rejected")


def test_a_nonce_is_good_once_for_each_timestamp():
    door = Door()

    assert knock(door, target()).status == 200
    assert problem(knock(door, target())) == (401, "nonce_used")
    assert knock(door, target(), nonce="n2").status == 200
    assert knock(door, target(), timestamp=str(NOW - 1)).status == 200


def test_the_length_of_a_nonce():
    assert knock(Door(), target(), nonce="n" * 255).status == 200
    assert problem(knock(Door(), target(), nonce="n" * 256)) == (400, "parameter_rejected")


@pytest.mark.parametrize("name", ["consumer_key", "signature_method", "timestamp", "nonce", "signature"])
def test_each_parameter_is_needed(name):
    url, headers, _ = sign(target())
    parts = headers["Authorization"].removeprefix("OAuth ").split(", ")
    left = [part for part in parts if not part.startswith(f"oauth_{name}=")]
    assert len(left) == len(parts) - 1

    answer = Door().send(url, {"Authorization": "OAuth " + ", ".join(left)})

    assert problem(answer) == (400, "parameter_absent")
    assert details(answer)["oauth_parameters_absent"] == f"oauth_{name}"


def test_the_requestor_is_needed():
    answer = knock(Door(), ISSUER + "/os/@me/@self")

    assert problem(answer) == (400, "parameter_absent")
    assert details(answer)["oauth_parameters_absent"] == "xoauth_requestor_id"


@pytest.mark.parametrize("more", ["oauth_nonce=n1", "xoauth_requestor_id=a8d1p0zzk4wn", "oauth_signature=x"])
def test_a_parameter_that_stands_twice(more):
    url, headers, _ = sign(target())

    answer = Door().send(f"{url}&{more}", headers)

    assert problem(answer) == (400, "parameter_rejected")
    assert details(answer)["oauth_parameters_rejected"] == more.partition("=")[0]


@pytest.mark.parametrize("method", ["PLAINTEXT", "HMAC-SHA256"])
def test_another_method(method):
    assert problem(knock(Door(), target(), signature_method=method)) == (400, "signature_method_rejected")


@pytest.mark.parametrize(("version", "taken"), [("1.0", True), ("2.0", False)])
def test_the_version(version, taken):
    url, headers, _ = sign(target(oauth_version=version))
    # oauthlib's client writes its own version: remove it, and sign the rest by hand.
    parts = [each for each in headers["Authorization"].removeprefix("OAuth ").split(", ") if "version" not in each]
    request = asked("GET", "/os/@me/@self", {}, {"authorization": "OAuth " + ", ".join(parts)})
    found = [*signed_parameters(request), ("xoauth_requestor_id", HANA), ("oauth_version", version)]
    base = base_strings(request, found, [ISSUER])[0]
    digest = hmac.new(f"{SECRET}&".encode(), base.encode(), hashlib.sha1).digest()
    left = [each for each in parts if "oauth_signature=" not in each]
    left.append(f'oauth_signature="{quote(base64.b64encode(digest), safe="")}"')

    answer = Door().send(url, {"Authorization": "OAuth " + ", ".join(left)})

    if taken:
        assert answer.status == 200
    else:
        assert problem(answer) == (400, "version_rejected")
        assert details(answer)["oauth_acceptable_versions"] == "1.0-1.0"


def test_an_app_that_signs_with_a_token():
    assert problem(knock(Door(), target(), resource_owner_key="t")) == (401, "token_rejected")
    assert knock(Door(), target(oauth_token="")).status == 200


@pytest.mark.parametrize("header", ['OAuth oauth_nonce="1", x', "Bearer abc"])
def test_a_header_that_is_none(header):
    url, _, _ = sign(target(), signature_type=SIGNATURE_TYPE_QUERY)

    assert problem(Door().send(url, {"Authorization": header})) == (400, "parameter_rejected")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60), st.text("%0aF&=+@", max_size=12))
def test_whatever_is_in_the_header(header, query):
    """Nonsense is refused, and never causes a server error."""
    answer = Door().send(f"{target()}&{query}", {"Authorization": f'OAuth oauth_nonce="1", {header}'})

    assert problem(answer)[1] in ("parameter_absent", "parameter_rejected")


def test_without_a_signature_an_access_token_is_missed():
    for url, headers in ((target(), {}), (target(), {"Authorization": "OAuth abc"}), (target(x="1"), {})):
        answer = Door().send(url, headers)
        assert answer.status == 401
        assert dict(answer.headers)["WWW-Authenticate"].startswith("OAuth error='inval")


# --- bodies


BODY = '{"level":"5"}'
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("needed", [True, False])
def test_the_hash_of_a_body(needed):
    """oauthlib's client sends a hash with every body that is not a form."""
    url, headers, body = sign(target(), "POST", BODY, dict(JSON))
    assert "oauth_body_hash" in headers["Authorization"]

    assert Door(body_hash=needed).send(url, headers, "POST", body).status == 200
    for other in (BODY.replace("5", "6"), None, BODY + " "):
        door = Door(body_hash=needed)
        answer = door.send(url, headers, "POST", other)
        assert problem(answer) == (401, "parameter_rejected")
        assert details(answer)["oauth_parameters_rejected"] == "oauth_body_hash"
        assert door.used == []


@pytest.mark.parametrize("needed", [True, False])
def test_a_body_without_a_hash(needed):
    url, headers, _ = sign(target(), "POST")
    assert "oauth_body_hash" not in headers["Authorization"]

    answer = Door(body_hash=needed).send(url, headers | JSON, "POST", BODY)

    if needed:
        assert problem(answer) == (400, "parameter_absent")
        assert details(answer)["oauth_parameters_absent"] == "oauth_body_hash"
        assert Door(body_hash=True).send(url, headers, "POST").status == 200
    else:
        assert answer.status == 200


@pytest.mark.parametrize("base", ["http://127.0.0.1:8000", "http://localhost:8000"])
@pytest.mark.parametrize("issuer", ["http://127.0.0.1:8000", "http://localhost:8000"])
def test_a_laptop_has_two_names(issuer, base):
    assert knock(Door(urls=(issuer,)), target(base)).status == 200


@pytest.mark.parametrize("base", ["http://localhost:8001", "http://localhost", "http://localhost.example:8000"])
def test_another_port_or_host_is_another_server(base):
    assert problem(knock(Door(urls=("http://127.0.0.1:8000",)), target(base))) == (401, "signature_invalid")
    assert problem(knock(Door(), target(base))) == (401, "signature_invalid")


@pytest.mark.parametrize("guid", ["@me", "%40me"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_path_that_ends_in_a_slash(guid, kept):
    """The slash is signed; a server in front of the app may drop it."""
    url, headers, _ = sign(target(ISSUER, f"/os/{guid}/@self/"))
    asked_for = url if kept else url.replace("@self/?", "@self?")

    assert Door().send(asked_for, headers).status == 200
    wrong = sign(target(ISSUER, f"/os/{guid}/@self//"))[1]
    assert problem(Door().send(asked_for, wrong)) == (401, "signature_invalid")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_body_is_no_form_whatever_its_content_type(method):
    """Libraries send the content type of a form with every request, and the hash of an empty body."""
    empty = base64.b64encode(hashlib.sha1(b"").digest()).decode()
    url, headers, _ = sign(target(oauth_body_hash=empty), method)

    for needed in (True, False):
        assert Door(body_hash=needed).send(url, headers | {"Content-Type": FORM}, method).status == 200
    wrong = base64.b64encode(hashlib.sha1(b"x").digest()).decode()
    url, headers, _ = sign(target(oauth_body_hash=wrong), method)
    assert problem(Door().send(url, headers | {"Content-Type": FORM}, method)) == (401, "parameter_rejected")


def test_a_form_has_no_hash_of_its_body():
    digest = base64.b64encode(hashlib.sha1(b"level=5").digest()).decode()
    url, headers, body = sign(target(oauth_body_hash=digest), "POST", "level=5", {"Content-Type": FORM})

    assert problem(Door().send(url, headers, "POST", body)) == (400, "parameter_rejected")


def test_a_signature_stands_for_a_user():
    with pytest.raises(ValueError, match="/os"):
        Face().route("/os", methods=["GET"], token=Token.CLIENT, signed=True)
