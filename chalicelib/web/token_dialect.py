"""The two dialects of OAuth 2 that clients speak: RFC 6750 (`Bearer`) and draft 10 (`OAuth`).

They differ in how a token is sent and in the words and quotes of `WWW-Authenticate`. The older one is what most
clients parse: `error` first, in single quotes, and nothing else where nothing else is needed.
"""

from collections.abc import Mapping
from enum import Enum
from urllib.parse import quote


class TokenDialect(Enum):
    """How a request spoke; without any token, as for OAUTH."""

    OAUTH = "OAuth"
    BEARER = "Bearer"

    def spell(self, error: str) -> str:
        """RFC 6750 has no word for an expired token of its own; draft 10 clients branch on it."""
        return "invalid_token" if self is TokenDialect.BEARER and error == "expired_token" else error


def challenge(dialect: TokenDialect, error: str, description: str, scope: str | None = None) -> str:
    """The value of `WWW-Authenticate`."""
    if dialect is TokenDialect.OAUTH:
        return f"OAuth error='{error}'" + (f",scope='{scope}'" if scope else "")
    bearer = f'Bearer error="{error}", error_description="{description}"'
    return bearer + (f', scope="{scope}"' if scope else "")


def signature_challenge(problem: str, details: Mapping[str, str]) -> str:
    """The value of `WWW-Authenticate` for a request signed by OAuth 1.0a: `OAuth realm="…", oauth_problem="…"`, ….

    Values are percent-encoded as RFC 5849 §3.6 has it, so whatever they are made of, the header is one line of ASCII.
    """
    told = {"realm": "", "oauth_problem": problem, **details}
    return "OAuth " + ", ".join(f'{name}="{quote(value, safe="~", errors="replace")}"' for name, value in told.items())
