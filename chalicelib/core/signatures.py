"""OAuth 1.0a for apps that sign each request with their secret (two-legged): the parameters of a signed request.

web/auth/oauth1_signatures.py checks the signature itself. Sources: RFC 5849, the RESTful API pages
(`xoauth_requestor_id`, `oauth_problem`), OAuth Request Body Hash 1.0 and OAuth Problem Reporting 1.0 (drafts of
the community), and docs/internals/decisions.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalicelib.core.errors import SignatureRefused
from chalicelib.core.oauth import USER_SCOPES
from chalicelib.core.opensocial import plain_id

WINDOW_SECONDS = 300
"""The maximum difference between a timestamp and our clock, in either direction."""
METHOD = "HMAC-SHA1"
NONCE_CHARACTERS = 255
SCOPES = frozenset(USER_SCOPES)
"""The scopes of a signature: all. Signed requests have no scopes, so only the permission model decides."""

REQUESTOR = "xoauth_requestor_id"
OWNER = "opensocial_owner_id"
BODY_HASH = "oauth_body_hash"
_NEEDED = (
    "oauth_consumer_key",
    "oauth_signature_method",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    REQUESTOR,
)
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class SignedRequest:
    """The parameters of a signed request.

    The app acts for the user `requestor`. The user `owner` owns the app. `timestamp` is in seconds.
    """

    app: str
    requestor: str
    owner: str
    timestamp: int
    nonce: str
    signature: str
    body_hash: str | None


def read(parameters: Parameters, now: int) -> SignedRequest:
    """Return the protocol's parameters of a request received at `now` (seconds). Raises SignatureRefused.

    The status is 400 if a parameter is missing, repeated or malformed. It is 401 if the timestamp is out of the window,
    or if there is a token: the app must sign for itself.
    """
    counts = Counter(name for name, _ in parameters if name.startswith("oauth_") or name in (REQUESTOR, OWNER))
    if twice := sorted(name for name, count in counts.items() if count > 1):
        raise _rejected(twice, "A parameter appears twice")
    found = dict(parameters)
    if absent := [name for name in _NEEDED if not found.get(name)]:
        raise SignatureRefused(
            "parameter_absent", f"Missing: {', '.join(absent)}", 400, {"oauth_parameters_absent": "&".join(absent)}
        )
    if found.get("oauth_version", "1.0") != "1.0":
        raise SignatureRefused(
            "version_rejected", "The oauth_version must be 1.0", 400, {"oauth_acceptable_versions": "1.0-1.0"}
        )
    if found["oauth_signature_method"] != METHOD:
        raise SignatureRefused("signature_method_rejected", f"The signature method must be {METHOD}", 400)
    if found.get("oauth_token"):
        raise SignatureRefused("token_rejected", "The app signs for itself: it must not send an oauth_token")
    return SignedRequest(
        app=found["oauth_consumer_key"],
        requestor=_user(found, REQUESTOR),
        # The stored data decide later whether the owner has the app, as for the requestor.
        owner=_user(found, OWNER if found.get(OWNER) else REQUESTOR),
        timestamp=_timestamp(found["oauth_timestamp"], now),
        nonce=_nonce(found["oauth_nonce"]),
        signature=found["oauth_signature"],
        body_hash=found.get(BODY_HASH),
    )


def check_body(signed: SignedRequest, digest: str, *, form: bool, needed: bool) -> None:
    """Check a body against the signed request. `digest` is its SHA-1 in base64; `form`: it is form-encoded.

    An empty body is not a form, whatever its content type is. The parameters of a form are signed themselves, so a form
    must have no hash (Request Body Hash §4). Any other hash must be correct. If it is missing, it is an error only with
    `needed`. Raises SignatureRefused.
    """
    if form:
        if signed.body_hash is not None:
            raise _rejected([BODY_HASH], "A form-encoded body must not have an oauth_body_hash")
    elif signed.body_hash is not None:
        if signed.body_hash != digest:
            raise _rejected([BODY_HASH], "The oauth_body_hash does not match the body", 401)
    elif needed:
        raise SignatureRefused("parameter_absent", f"Missing: {BODY_HASH}", 400, {"oauth_parameters_absent": BODY_HASH})


def _rejected(names: Sequence[str], description: str, status: int = 400) -> SignatureRefused:
    known = [name for name in names if name in (*_NEEDED, OWNER, BODY_HASH)] or ["oauth_parameters"]
    return SignatureRefused("parameter_rejected", description, status, {"oauth_parameters_rejected": "&".join(known)})


def _user(found: Mapping[str, str], name: str) -> str:
    user = plain_id(found[name])
    if user is None:
        raise _rejected([name], f"{name} must be the id of a user")
    return user


def _timestamp(text: str, now: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise _rejected(["oauth_timestamp"], "The oauth_timestamp must be whole seconds since 1970")
    first, last = now - WINDOW_SECONDS, now + WINDOW_SECONDS
    if not first <= int(text) <= last:
        raise SignatureRefused(
            "timestamp_refused",
            f"The oauth_timestamp is more than {WINDOW_SECONDS} seconds from this server's clock",
            401,
            {"oauth_acceptable_timestamps": f"{first}-{last}"},
        )
    return int(text)


def _nonce(text: str) -> str:
    if len(text) > NONCE_CHARACTERS:
        raise _rejected(["oauth_nonce"], f"The oauth_nonce is too long (max={NONCE_CHARACTERS})")
    return text
