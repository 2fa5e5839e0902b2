"""Parsing of a URL that a client names, once and strictly: the server connects to the target parsed here.

Source: RFC 3986. URLs that parsers read differently (backslashes, control characters, user names) are refused.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from chalicelib.core.errors import ParameterInvalid
from chalicelib.web.fetch.public_addresses import LOOPBACK, Address

PORTS = (80, 443, 8080, 8443)
"""The ports of web servers: no client may reach other ports of a host through us. Loopback addresses: any port."""
MAX_URL = 2_048

_HOST = re.compile(r"[a-z0-9_.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True)
class Target:
    """The target of a fetch: `host` is in lower case and ASCII, an IPv6 address in brackets.

    `path` is the path and query, as in a request line.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def name(self) -> str:
        """The host as resolvers and certificates write it."""
        return self.host.strip("[]").rstrip(".")

    @property
    def authority(self) -> str:
        """The value of the `Host` header."""
        standard = self.port == (443 if self.scheme == "https" else 80)
        return self.host if standard else f"{self.host}:{self.port}"

    def may_be_at(self, address: Address) -> bool:
        """Return whether the server may connect to the port at this address."""
        return self.port in PORTS or address in LOOPBACK


def target_of(url: str, of: str = "the image") -> Target:
    """Return the target of a URL. Raises ParameterInvalid; `of` is the thing whose URL it is, for the message."""
    if len(url) > MAX_URL:
        raise ParameterInvalid(f"The URL of {of} is too long (max={MAX_URL} characters)")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode().lower()
    except ValueError:
        raise ParameterInvalid(f"The URL of {of} is not valid") from None
    if parts.scheme not in ("http", "https"):
        raise ParameterInvalid(f"The URL of {of} must begin with http:// or https://")
    if "@" in parts.netloc:
        raise ParameterInvalid(f"The URL of {of} must not have a user name")
    host = f"[{host}]" if "[" in parts.netloc else host
    if _FORBIDDEN.search(url) or not _HOST.fullmatch(host) or port == 0:
        raise ParameterInvalid(f"The URL of {of} is not valid")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(
        parts.scheme,
        host,
        port or (443 if parts.scheme == "https" else 80),
        quote(path, safe="!#$%&'()*+,/:;=?@[]~", errors="replace"),
    )
