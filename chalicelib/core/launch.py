"""The start of a page app: its start URL with page, module and viewer, signed so that the app may believe it.

The signature is OAuth 1.0's RSA-SHA1 (RFC 5849 §3.4.3) of a GET without a body, all of it in the query. Sources: Page
API ("Parameters passed to apps on startup"), the technical overview of page apps, and what page apps verify.
"""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit

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
class Start:
    """What an app learns of its start; None: not given."""

    page: str
    module: str
    viewer: str | None = None
    app_params: str | None = None

    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the start URL."""
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


def signed_url(start_url: str, client: str, start: Start, key: LaunchKey) -> str:
    """The start URL of the app `client` with its own query, the start's parameters and the signature.

    Names that only a start may give are dropped from the app's own query: no name means two things. A fragment stays.
    Raises NotFound for a start URL whose query is not UTF-8, and so has no signature (RFC 5849 §3.6).
    """
    from oauthlib.oauth1 import SIGNATURE_RSA_SHA1, SIGNATURE_TYPE_QUERY, Client

    parts = urlsplit(start_url)
    try:
        own = parse_qsl(parts.query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise NotFound("The start URL of the app is not UTF-8") from None
    kept = [(name, value) for name, value in own if not name.startswith(_RESERVED)]
    told = [*kept, *start.parameters(), ("xoauth_signature_publickey", key.kid)]
    unsigned = parts._replace(query=urlencode(told), fragment="").geturl()
    signer = Client(
        client, signature_method=SIGNATURE_RSA_SHA1, signature_type=SIGNATURE_TYPE_QUERY, rsa_key=key.private
    )
    address, _, query = str(signer.sign(unsigned)[0]).partition("?")
    # A space as `+` and as `%20` is the same to the signature; not every app knows the former.
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{address}?{query.replace('+', '%20')}{fragment}"
