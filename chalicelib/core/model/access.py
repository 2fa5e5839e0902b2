"""The caller of a request, as the access token names it."""

from dataclasses import dataclass

from chalicelib.core.errors import PermissionDenied
from chalicelib.core.events import EventKind


@dataclass(frozen=True)
class Access:
    """The claims of a valid access token (RFC 9068).

    `viewer` is the user who signed in, or None in a token that an app got for itself. `owner` is the user who owns
    the app (the `owner` claim; without the claim, the owner is the viewer). `app` is the client id. `events` has the
    kinds of events about contents and data that the app had asked for when the token was issued; None: unknown.
    """

    app: str
    viewer: str | None
    owner: str | None
    scopes: frozenset[str]
    events: frozenset[EventKind] | None = frozenset()

    @property
    def user(self) -> str:
        """The viewer, for routes that need one. Raises PermissionDenied for an app's own token."""
        if self.viewer is None:
            raise PermissionDenied("This needs a user's access token")
        return self.viewer
