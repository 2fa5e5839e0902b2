"""The start of a page app: its start URL with page, module and viewer, signed so that the app can verify it.

The signature is OAuth 1.0's RSA-SHA1 (RFC 5849 §3.4.3). It is in the query of a GET without a body, or in the form of a
POST. Sources: Page API ("Parameters passed to apps on startup"), the technical overview of page apps, and the checks in
page apps.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from chalicelib.core.errors import NotFound, ParameterInvalid

APP_PARAMS_BYTES = 1_024
"""UTF-8 bytes of `appParams`, to fit into a URL of a feed and into the request line of web servers."""

_RESERVED = ("mixi_", "oauth_", "xoauth_", "appParams")


@dataclass(frozen=True)
class LaunchKey:
    """A key that signs starts. `private` and `certificate` are PEM. `kid` is the id of the key."""

    kid: str
    private: str = field(repr=False)
    certificate: str


@dataclass(frozen=True)
class PageAppStart:
    """The parameters that an app gets at its start. None means: not given."""

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
    """Return `appParams` unchanged; by convention JSON, only for the app. Raises ParameterInvalid if too long."""
    if text is not None and len(text.encode(errors="surrogatepass")) > APP_PARAMS_BYTES:
        raise ParameterInvalid(f"appParams is too long (max={APP_PARAMS_BYTES})")
    return text


@dataclass(frozen=True)
class StartForm:
    """A start by a form: the URL that receives the form, and its fields in order."""

    action: str
    fields: tuple[tuple[str, str], ...]


def signed_url(start_url: str, client: str, start: PageAppStart, key: LaunchKey) -> str:
    """Return the start URL of the app `client` with its own query, the start's parameters and the signature.

    Reserved names are removed from the app's own query, so that no name has two meanings. A fragment is kept. Raises
    NotFound if the query of the start URL is not UTF-8: it cannot be signed (RFC 5849 §3.6).
    """
    from oauthlib.oauth1 import SIGNATURE_TYPE_QUERY

    parts, own = _own(start_url)
    unsigned = parts._replace(query=urlencode([*own, *_told(start, key)]), fragment="").geturl()
    address, _, query = str(_signer(client, key, SIGNATURE_TYPE_QUERY).sign(unsigned)[0]).partition("?")
    return f"{address}?{_spaced(query)}{_fragment(parts)}"


def signed_form(start_url: str, client: str, start: PageAppStart, key: LaunchKey) -> StartForm:
    """Return the start as a form, signed as a POST. The action keeps the app's query. Raises as `signed_url` does."""
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
    """Return the parts of a start URL, and its query without reserved names. Raises NotFound."""
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
    # `+` and `%20` give the same signature, but not every app decodes `+` as a space.
    return query.replace("+", "%20")


def _fragment(parts: SplitResult) -> str:
    return f"#{parts.fragment}" if parts.fragment else ""


def _as_forms_carry(text: str) -> str:
    """Return a text as a browser sends it in a form, to be signed so: HTML has one kind of line end and no NUL."""
    return re.sub("\r\n|\r|\n", "\r\n", text).replace("\0", "\ufffd")
