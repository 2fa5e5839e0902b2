"""The operations that an app may call.

Generated from openapi.yaml by sdk/python/generate.py: do not edit it.
"""

from typing import NamedTuple


class Operation(NamedTuple):
    """A request. `keyed`: it takes an `Idempotency-Key`."""

    method: str
    path: str
    keyed: bool


OPERATIONS = {
    "readData": Operation("GET", "/2/apps/appdata/{user}/{group}", keyed=False),
    "writeData": Operation("POST", "/2/apps/appdata/{user}/{group}", keyed=False),
    "mergeData": Operation("PUT", "/2/apps/appdata/{user}/{group}", keyed=False),
    "patchData": Operation("PATCH", "/2/apps/appdata/{user}/{group}", keyed=True),
    "deleteData": Operation("DELETE", "/2/apps/appdata/{user}/{group}", keyed=False),
    "readPeople": Operation("GET", "/2/people/{user}/{group}", keyed=False),
    "readPage": Operation("GET", "/2/pages/{page}", keyed=False),
    "readFeeds": Operation("GET", "/2/pages/{page}/feeds", keyed=False),
    "postFeed": Operation("POST", "/2/pages/{page}/feeds", keyed=True),
    "deleteFeed": Operation("DELETE", "/2/pages/{page}/feeds", keyed=False),
    "readComments": Operation("GET", "/2/pages/{page}/comments", keyed=False),
    "postComment": Operation("POST", "/2/pages/{page}/comments", keyed=True),
    "deleteComment": Operation("DELETE", "/2/pages/{page}/comments/{comment}", keyed=False),
    "countFavorites": Operation("GET", "/2/pages/{page}/favorites", keyed=False),
    "addFavorite": Operation("POST", "/2/pages/{page}/favorites", keyed=False),
    "removeFavorite": Operation("DELETE", "/2/pages/{page}/favorites/{favorite}", keyed=False),
    "getToken": Operation("POST", "/2/token", keyed=False),
    "revokeToken": Operation("POST", "/2/authorize/revoke", keyed=False),
    "readAuthorizationServer": Operation("GET", "/.well-known/oauth-authorization-server", keyed=False),
    "authorize": Operation("GET", "/connect_authorize.pl", keyed=False),
    "readCertificate": Operation("GET", "/launch/{certificate}", keyed=False),
    "callMethods": Operation("POST", "/rpc", keyed=False),
    "readOpenSocialPeople": Operation("GET", "/os/0.8/people/{guid}/{selector}", keyed=False),
    "readOpenSocialData": Operation("GET", "/os/0.8/appdata/{guid}/{selector}/{app}", keyed=False),
    "writeOpenSocialData": Operation("POST", "/os/0.8/appdata/{guid}/{selector}/{app}", keyed=False),
    "mergeOpenSocialData": Operation("PUT", "/os/0.8/appdata/{guid}/{selector}/{app}", keyed=False),
    "deleteOpenSocialData": Operation("DELETE", "/os/0.8/appdata/{guid}/{selector}/{app}", keyed=False),
}
