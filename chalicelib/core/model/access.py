"""Who asks: what an access token says of a request."""

from dataclasses import dataclass

from chalicelib.core.errors import PermissionDenied


@dataclass(frozen=True)
class Access:
    """The claims of a valid access token (RFC 9068).

    `viewer` is the user who signed in, None in a token that an app got for itself; `owner` is the user whose app it
    is (the `owner` claim; where it is absent, owner is viewer); `app` is the client id.
    """

    app: str
    viewer: str | None
    owner: str | None
    scopes: frozenset[str]

    @property
    def user(self) -> str:
        """The viewer, where a route needs one. Raises PermissionDenied for an app's own token."""
        if self.viewer is None:
            raise PermissionDenied("This needs a user's access token")
        return self.viewer
