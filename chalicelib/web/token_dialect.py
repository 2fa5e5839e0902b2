"""The two dialects of OAuth 2 that clients speak: RFC 6750 (`Bearer`) and draft 10 (`OAuth`).

They differ in how a token is sent and in the words and quotes of `WWW-Authenticate`. Most clients parse the older
one: `error` first, in single quotes, and nothing else unless it is needed.
"""

from collections.abc import Mapping
from enum import Enum
from urllib.parse import quote


class TokenDialect(Enum):
    """The dialect of a request; OAUTH if the request has no token."""

    OAUTH = "OAuth"
    BEARER = "Bearer"

    def spell(self, error: str) -> str:
        """Return the error in this dialect. RFC 6750 has none for expired tokens; draft 10 clients branch on it."""
        return "invalid_token" if self is TokenDialect.BEARER and error == "expired_token" else error


def challenge(dialect: TokenDialect, error: str, description: str, scope: str | None = None) -> str:
    """Return the value of `WWW-Authenticate`."""
    if dialect is TokenDialect.OAUTH:
        return f"OAuth error='{error}'" + (f",scope='{scope}'" if scope else "")
    bearer = f'Bearer error="{error}", error_description="{description}"'
    return bearer + (f', scope="{scope}"' if scope else "")


def signature_challenge(problem: str, details: Mapping[str, str]) -> str:
    """Return `WWW-Authenticate` for a request signed by OAuth 1.0a: `OAuth realm="…", oauth_problem="…"`, ….

    Values are percent-encoded (RFC 5849 §3.6), so the header is always one line of ASCII.
    """
    told = {"realm": "", "oauth_problem": problem, **details}
    return "OAuth " + ", ".join(f'{name}="{quote(value, safe="~", errors="replace")}"' for name, value in told.items())
