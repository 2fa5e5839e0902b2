"""The start of a page app: its start URL with page, module and viewer, signed so that the app may believe it.

The signature is OAuth 1.0's RSA-SHA1 (RFC 5849 §3.4.3): of a GET without a body, all of it in the query; or of a POST
with a form. Sources: Page API ("Parameters passed to apps on startup"), the technical overview of page apps, and what
page apps verify.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from chalicelib.core.errors import NotFound, ParameterInvalid

APP_PARAMS_BYTES = 1_024
"""UTF-8 bytes of `appParams`: what a URL of a feed can carry, and what web servers take in a request line."""

_RESERVED = ("mixi_", "oauth_", "xoauth_", "appParams")


@dataclass(frozen=True)
class LaunchKey:
    """A key that signs starts: `private` and `certificate` are PEM, `kid` names it."""

    kid: str
    private: str = field(repr=False)
    certificate: str


@dataclass(frozen=True)
class PageAppStart:
    """What an app learns of its start; None: not given."""

    page: str
    module: str
    viewer: str | None = None
    app_params: str | None = None

    def parameters(self) -> list[tuple[str, str]]:
        """Return the parameters of the start URL."""
        named = {
            "mixi_page_id": self.page,
            "mixi_module_id": self.module,
            "mixi_viewer_id": self.viewer,
            "appParams": self.app_params,
        }
        return [(name, value) for name, value in named.items() if value is not None]


def check_app_params(text: str | None) -> str | None:
    """`appParams` as it came: JSON by convention, which is between the app and itself. Raises ParameterInvalid."""
    if text is not None and len(text.encode(errors="surrogatepass")) > APP_PARAMS_BYTES:
        raise ParameterInvalid(f"appParams is too long (max={APP_PARAMS_BYTES})")
    return text


@dataclass(frozen=True)
class StartForm:
    """A start by a form: the address that it is sent to, and its fields in order."""

    action: str
    fields: tuple[tuple[str, str], ...]


def signed_url(start_url: str, client: str, start: PageAppStart, key: LaunchKey) -> str:
    """The start URL of the app `client` with its own query, the start's parameters and the signature.

    Names that only a start may give are dropped from the app's own query: no name means two things. A fragment stays.
    Raises NotFound for a start URL whose query is not UTF-8, and so has no signature (RFC 5849 §3.6).
    """
    from oauthlib.oauth1 import SIGNATURE_TYPE_QUERY

    parts, own = _own(start_url)
    unsigned = parts._replace(query=urlencode([*own, *_told(start, key)]), fragment="").geturl()
    address, _, query = str(_signer(client, key, SIGNATURE_TYPE_QUERY).sign(unsigned)[0]).partition("?")
    return f"{address}?{_spaced(query)}{_fragment(parts)}"


def signed_form(start_url: str, client: str, start: PageAppStart, key: LaunchKey) -> StartForm:
    """Return the same start as a form, signed as a POST: the app's own query stays in its action. Raises as above."""
    from oauthlib.oauth1 import SIGNATURE_TYPE_BODY

    parts, own = _own(start_url)
    address = parts._replace(query=_spaced(urlencode(own)), fragment="").geturl()
    if start.app_params is not None:
        start = replace(start, app_params=_as_forms_carry(start.app_params))
    body = urlencode(_told(start, key))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    signed = _signer(client, key, SIGNATURE_TYPE_BODY).sign(address, "POST", body, headers)[2]
    return StartForm(address + _fragment(parts), tuple(parse_qsl(str(signed), keep_blank_values=True)))


def _own(start_url: str) -> tuple[SplitResult, list[tuple[str, str]]]:
    """The parts of a start URL, and what stays of its query. Raises NotFound."""
    parts = urlsplit(start_url)
    try:
        own = parse_qsl(parts.query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise NotFound("The start URL of the app is not UTF-8") from None
    return parts, [(name, value) for name, value in own if not name.startswith(_RESERVED)]


def _told(start: PageAppStart, key: LaunchKey) -> list[tuple[str, str]]:
    return [*start.parameters(), ("xoauth_signature_publickey", key.kid)]


def _signer(client: str, key: LaunchKey, place: str) -> Any:
    from oauthlib.oauth1 import SIGNATURE_RSA_SHA1, Client

    return Client(client, signature_method=SIGNATURE_RSA_SHA1, signature_type=place, rsa_key=key.private)


def _spaced(query: str) -> str:
    # A space as `+` and as `%20` is the same to the signature; not every app knows the former.
    return query.replace("+", "%20")


def _fragment(parts: SplitResult) -> str:
    return f"#{parts.fragment}" if parts.fragment else ""


def _as_forms_carry(text: str) -> str:
    """The text as a browser sends it from a form, and so as it must be signed: HTML has one line end and no NUL."""
    return re.sub("\r\n|\r|\n", "\r\n", text).replace("\0", "\ufffd")
