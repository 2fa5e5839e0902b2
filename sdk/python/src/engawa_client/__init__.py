"""The client of Engawa for apps. `Engawa` is for threads, `AsyncEngawa` for tasks."""

from engawa_client.authorization import AsyncAuthorization, Authorization, AuthorizationRequest
from engawa_client.base import EngawaError, NotEngawa, Unreachable
from engawa_client.client import ALL, AsyncEngawa, Changed, Engawa, Ranking, Stored, Values
from engawa_client.connection import Retry
from engawa_client.flow import AsyncEntries, Entries
from engawa_client.tokens import FileTokenStore, MemoryTokenStore, Token, TokenStore

__all__ = [
    "ALL",
    "AsyncAuthorization",
    "AsyncEngawa",
    "AsyncEntries",
    "Authorization",
    "AuthorizationRequest",
    "Changed",
    "Engawa",
    "EngawaError",
    "Entries",
    "FileTokenStore",
    "MemoryTokenStore",
    "NotEngawa",
    "Ranking",
    "Retry",
    "Stored",
    "Token",
    "TokenStore",
    "Unreachable",
    "Values",
]
__version__ = "0.2.0"
