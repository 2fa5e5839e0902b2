"""Requests signed by OAuth 1.0a (RFC 5849): HMAC-SHA1 with an app's client secret, without a token secret.

The client signs the URL that it used. Neither Lambda nor a proxy passes on this URL: path segments may arrive decoded,
and the host is the gateway's. So every URL that the client may have used is tried: each public base URL with http and
https; the path as received, and with `@`, `:` and `,` in each segment plain or percent-encoded; with and without a
trailing slash. On a laptop, `localhost` and `127.0.0.1` are the same host. The `Host` header is not trusted: a request
signed for another server is not valid here.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from urllib.request import parse_http_list

from chalice.app import Request

from chalicelib.core.client_secrets import WhichSecret, valid_secrets
from chalicelib.core.errors import SignatureRefused, TooLarge
from chalicelib.core.ids import is_id
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import App
from chalicelib.core.signatures import SCOPES, Parameters, SignedRequest, check_body, read
from chalicelib.web.requests import decoded, is_form, parameters

FORM_BYTES = 65_536
ADVICE_CHARACTERS = 2_000
"""The characters of our base string that a client is shown, before it is percent-encoded for the header."""
_MOST_PARAMETERS = 200
_LOOPBACK = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


@dataclass(frozen=True)
class _Client:
    """The secrets that oauthlib signs with."""

    client_secret: str
    resource_owner_secret: str = ""


class Signatures:
    """The check of signed requests of one deployment.

    `apps` returns an app with its secrets. `use` uses up a nonce of an app and timestamp and returns whether it was
    fresh; it also notes the use of the secret. `clock` returns milliseconds since the epoch. `urls` are the public base
    URLs. With `body_hash`, JSON needs its hash.
    """

    def __init__(
        self,
        apps: Callable[[str], App | None],
        use: Callable[[App, WhichSecret, int, str], bool],
        clock: Callable[[], int],
        urls: Sequence[str],
        *,
        body_hash: bool = False,
    ) -> None:
        self._apps = apps
        self._use = use
        self._clock = clock
        self._urls = tuple(dict.fromkeys(_spellings(urls)))
        self._body_hash = body_hash

    def check(self, request: Request) -> Access:
        """Return the access of a signed request: the app, on behalf of the user that `xoauth_requestor_id` names.

        That user is also the owner, unless `opensocial_owner_id` names another. As with a token, the data later shows
        whether they have installed the app. Costs two calls: one reads the app, strongly consistent; if the signature
        is valid, one uses up the nonce, and beside it, once a day, one notes the use of the secret. Raises
        SignatureRefused, TooLarge and Unavailable.
        """
        found = signed_parameters(request)
        signed = read(found, self._clock() // 1000)
        app = self._apps(signed.app) if is_id("app", signed.app) else None
        secrets = valid_secrets(app, self._clock())
        if app is None or not secrets:
            raise SignatureRefused("consumer_key_unknown", "There is no app with this key that has a secret")
        which = self._signing_secret(request, found, signed, secrets)
        if app.suspended is not None:
            raise SignatureRefused("consumer_key_refused", "The app is suspended")
        body = _body(request)
        digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
        check_body(signed, digest, form=is_form(request) and bool(body), needed=self._body_hash and bool(body))
        if not self._use(app, which, signed.timestamp, signed.nonce):
            raise SignatureRefused("nonce_used", "A request with this timestamp and nonce was already received")
        return Access(app=app.id, viewer=signed.requestor, owner=signed.owner, scopes=SCOPES, events=app.events)

    def _signing_secret(
        self, request: Request, found: Parameters, signed: SignedRequest, secrets: Mapping[WhichSecret, str]
    ) -> WhichSecret:
        """Return which of an app's valid secrets a request is signed with. Raise SignatureRefused if none."""
        try:
            bases = base_strings(request, found, self._urls)
        except ValueError:
            raise SignatureRefused("parameter_rejected", "The request is not valid Unicode", 400) from None
        matching = [which for which, secret in secrets.items() if signs(signed.signature, bases, secret)]
        if not matching:
            raise SignatureRefused(
                "signature_invalid",
                "The signature does not match this request; oauth_problem_advice has our base string",
                details={"oauth_problem_advice": bases[0][:ADVICE_CHARACTERS]},
            )
        return matching[0]


def base_strings(request: Request, found: Parameters, urls: Sequence[str]) -> list[str]:
    """Return the base strings (§3.4.1) that a client may have signed, the most likely first.

    `found` are the parameters, `urls` the base URLs. Raises ValueError for text that UTF-8 cannot encode.
    """
    # oauthlib is imported by the first request that needs it, not at every cold start.
    from oauthlib.oauth1.rfc5849 import signature

    # oauthlib takes pairs, because a name may repeat, but its type stubs declare a mapping.
    pairs: Any = [each for each in found if each[0] != "oauth_signature"]
    normal = signature.normalize_parameters(pairs)
    method: Any = request.method
    uris = [signature.base_string_uri(url + path) for path in _paths(request) for url in urls]
    return [signature.signature_base_string(method, uri, normal) for uri in dict.fromkeys(uris)]


def signs(given: str, bases: Sequence[str], secret: str) -> bool:
    """Return whether a signature matches one of the base strings. All are compared, so that the time is constant."""
    from oauthlib.oauth1.rfc5849 import signature

    ours = [signature.sign_hmac_sha1_with_client(base, _Client(secret)) for base in bases]
    text = given.encode("utf-8", "surrogatepass")
    found = [hmac.compare_digest(each.encode(), text) for each in ours]
    return any(found)


def _spellings(urls: Sequence[str]) -> Iterator[str]:
    """Yield each URL, then each with the other scheme (HTTP and HTTPS may both lead here) and loopback's other name."""
    yield from urls
    for url in urls:
        scheme, _, rest = url.partition("://")
        yield f"{'http' if scheme == 'https' else 'https'}://{rest}"
        parts = urlsplit(url)
        if other := _LOOPBACK.get(parts.hostname or ""):
            yield parts._replace(netloc=other + (f":{parts.port}" if parts.port else "")).geturl()


def _paths(request: Request) -> list[str]:
    """Return the path as received and as clients may have written it, without a gateway's prefix."""
    names = request.path.split("/")
    asked = request.to_original_event()["path"]
    came = asked.rstrip("/").split("/")[-len(names) + 1 :]
    given = request.uri_params or {}
    values = [decoded(given[name[1:-1]]) if name.startswith("{") else name for name in names[1:]]
    spellings = [(quote(value, safe="@:,"), quote(value, safe="")) for value in values]
    paths = ["/" + "/".join(path) for path in [came, *product(*spellings)]]
    # A proxy in front of a function may drop a trailing slash.
    ends = ("/", "") if asked.endswith("/") else ("", "/")
    return list(dict.fromkeys(path + end for end in ends for path in paths))


def signed_parameters(request: Request) -> list[tuple[str, str]]:
    """Return all signed parameters, decoded, from the query, the Authorization header and a form (§3.4.1.3.1)."""
    found = [(name, value) for name in request.query_params or () for value in parameters(request, name)]
    found += _header_parameters(request.headers.get("authorization", ""))
    if is_form(request):
        try:
            form = _body(request).decode()
            found += parse_qsl(form, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
        except ValueError:
            raise SignatureRefused("parameter_rejected", "The body is not form-encoded UTF-8", 400) from None
    return found


def _header_parameters(header: str) -> Iterator[tuple[str, str]]:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "oauth":
        if scheme:
            raise SignatureRefused("parameter_rejected", "Send either a signature or an access token, not both", 400)
        return
    for part in parse_http_list(rest):
        name, equals, value = part.partition("=")
        if not equals:
            raise SignatureRefused("parameter_rejected", "The Authorization header is malformed", 400)
        if name != "realm":
            yield unquote(name), unquote(value.removeprefix('"').removesuffix('"'))


def _body(request: Request) -> bytes:
    raw = request.raw_body
    body: bytes = raw.encode() if isinstance(raw, str) else raw
    if is_form(request) and len(body) > FORM_BYTES:
        raise TooLarge(f"The form is too large (max={FORM_BYTES})")
    return body
