"""Requests signed by OAuth 1.0a (RFC 5849): an app's HMAC-SHA1 with its client secret, without a token's.

The client signs the URL as it knows it, and neither Lambda nor a proxy tells which that was: path segments may come
decoded, and the host is the gateway's. So every URL that the client may have meant is tried: each public base URL by
http and by https, with the path as it came and with `@`, `:` and `,` in each segment plain or percent-encoded, with and
without a slash at its end; on a laptop, `localhost` and `127.0.0.1` are the same host. The
`Host` header is not believed: a request that was signed for another server is not one for this.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from urllib.request import parse_http_list

from chalice.app import Request

from chalicelib.core.codecs.checks import is_id
from chalicelib.core.errors import SignatureRefused, TooLarge
from chalicelib.core.model.access import Access
from chalicelib.core.model.directory import App
from chalicelib.core.signatures import SCOPES, Parameters, SignedRequest, check_body, read
from chalicelib.web.requests import decoded, is_form, parameters

FORM_BYTES = 65_536
ADVICE_CHARACTERS = 2_000
"""How much of our base string a client is told, before it is percent-encoded for the header."""
_MOST_PARAMETERS = 200
_LOOPBACK = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}


@dataclass(frozen=True)
class _Client:
    """What oauthlib signs with."""

    client_secret: str
    resource_owner_secret: str = ""


class Signatures:
    """Checks signed requests of one deployment.

    `apps` gives an app with its secret; `use` uses up a nonce of an app and timestamp and tells whether it was fresh;
    `clock` gives milliseconds since the epoch; `urls` are the public base URLs; `body_hash`: JSON needs its hash.
    """

    def __init__(
        self,
        apps: Callable[[str], App | None],
        use: Callable[[str, int, str], bool],
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
        """Who asks: the app, on behalf of the user that `xoauth_requestor_id` names.

        That user is also the owner, unless `opensocial_owner_id` names another. Whether either has installed the app is
        for the data to say, as with a token. Costs two calls: the app is read, strongly consistent, and where its
        signature holds the nonce is used up. Raises SignatureRefused, TooLarge and Unavailable.
        """
        found = signed_parameters(request)
        signed = read(found, self._clock() // 1000)
        app = self._apps(signed.app) if is_id("app", signed.app) else None
        if app is None or app.secret is None:
            raise SignatureRefused("consumer_key_unknown", "There is no app with this key that has a secret")
        self._check_signature(request, found, signed, app.secret)
        body = _body(request)
        digest = base64.b64encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
        check_body(signed, digest, form=is_form(request) and bool(body), needed=self._body_hash and bool(body))
        if not self._use(app.id, signed.timestamp, signed.nonce):
            raise SignatureRefused("nonce_used", "A request with this timestamp and nonce was already received")
        return Access(app=app.id, viewer=signed.requestor, owner=signed.owner, scopes=SCOPES)

    def _check_signature(self, request: Request, found: Parameters, signed: SignedRequest, secret: str) -> None:
        try:
            bases = base_strings(request, found, self._urls)
        except ValueError:
            raise SignatureRefused("parameter_rejected", "The request is not valid Unicode", 400) from None
        if not signs(signed.signature, bases, secret):
            raise SignatureRefused(
                "signature_invalid",
                "The signature does not match this request; oauth_problem_advice has our base string",
                details={"oauth_problem_advice": bases[0][:ADVICE_CHARACTERS]},
            )


def base_strings(request: Request, found: Parameters, urls: Sequence[str]) -> list[str]:
    """The base strings (§3.4.1) that a client may have signed, the likeliest first.

    `found` are the parameters, `urls` the base URLs. Raises ValueError for what has no UTF-8.
    """
    # oauthlib is loaded with the first request that needs it, not with every cold start.
    from oauthlib.oauth1.rfc5849 import signature

    # The stubs want a mapping where oauthlib takes pairs, since a name may stand twice.
    pairs: Any = [each for each in found if each[0] != "oauth_signature"]
    normal = signature.normalize_parameters(pairs)
    method: Any = request.method
    uris = [signature.base_string_uri(url + path) for path in _paths(request) for url in urls]
    return [signature.signature_base_string(method, uri, normal) for uri in dict.fromkeys(uris)]


def signs(given: str, bases: Sequence[str], secret: str) -> bool:
    """Whether a signature is that of one of the base strings; takes as long for the first as for none."""
    from oauthlib.oauth1.rfc5849 import signature

    ours = [signature.sign_hmac_sha1_with_client(base, _Client(secret)) for base in bases]
    text = given.encode("utf-8", "surrogatepass")
    found = [hmac.compare_digest(each.encode(), text) for each in ours]
    return any(found)


def _spellings(urls: Sequence[str]) -> Iterator[str]:
    """Each URL, then each by the other scheme: plain HTTP and HTTPS may both lead here. Loopback has two names."""
    yield from urls
    for url in urls:
        scheme, _, rest = url.partition("://")
        yield f"{'http' if scheme == 'https' else 'https'}://{rest}"
        parts = urlsplit(url)
        if other := _LOOPBACK.get(parts.hostname or ""):
            yield parts._replace(netloc=other + (f":{parts.port}" if parts.port else "")).geturl()


def _paths(request: Request) -> list[str]:
    """The path as it came and as clients may have written it, without what a gateway puts before a route."""
    names = request.path.split("/")
    asked = request.to_original_event()["path"]
    came = asked.rstrip("/").split("/")[-len(names) + 1 :]
    given = request.uri_params or {}
    values = [decoded(given[name[1:-1]]) if name.startswith("{") else name for name in names[1:]]
    spellings = [(quote(value, safe="@:,"), quote(value, safe="")) for value in values]
    paths = ["/" + "/".join(path) for path in [came, *product(*spellings)]]
    # What is in front of a function may drop a slash at the end.
    ends = ("/", "") if asked.endswith("/") else ("", "/")
    return list(dict.fromkeys(path + end for end in ends for path in paths))


def signed_parameters(request: Request) -> list[tuple[str, str]]:
    """Every parameter that is signed, decoded: those of the query, the Authorization header and a form (§3.4.1.3.1)."""
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
