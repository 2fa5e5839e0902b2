"""The secrets of a confidential app: the newest, and for a while the one before it.

A rotation may keep the old secret valid, so that the app's servers can take the new one, one after the other, while
none of their requests is refused. Both then work for the token endpoint and for signed requests (OAuth 1.0a). The day
of the last use of each is noted, so that operators see when no server uses the old one any more.
"""

import hmac
from enum import Enum

from chalicelib.core.errors import Conflict
from chalicelib.core.model.directory import App

OLD_SECRET_MS = 30 * 86_400_000
"""How long the old secret is valid after a rotation that keeps it."""
_DAY_MS = 86_400_000
_NO_SECRET = "0" * 40


class WhichSecret(Enum):
    """One of the two secrets of an app."""

    CURRENT = "current"
    OLD = "old"


def valid_secrets(app: App | None, now: int) -> dict[WhichSecret, str]:
    """Return the secrets of an app that are valid at `now` (ms); none for a public app, or for None."""
    if app is None or not app.confidential or app.secret is None:
        return {}
    known = {WhichSecret.CURRENT: app.secret}
    if app.old_secret is not None and has_old_secret(app, now):
        known[WhichSecret.OLD] = app.old_secret
    return known


def has_old_secret(app: App, now: int) -> bool:
    """Return whether an app, read with or without its secrets, has an old secret that is valid at `now` (ms)."""
    return app.old_secret_until is not None and now < app.old_secret_until


def matching_secret(app: App | None, given: str, now: int) -> WhichSecret | None:
    """Return which secret of an app `given` is; None if it is not valid.

    The time is the same if the app does not exist or has no secret. It does not depend on the first wrong character.
    """
    known = valid_secrets(app, now)
    sent = given.encode(errors="surrogatepass")
    # Two comparisons in any case, so that the time does not show whether there is an old secret.
    same = {which: hmac.compare_digest(known.get(which, _NO_SECRET).encode(), sent) for which in WhichSecret}
    return next((which for which in known if same[which]), None)


def should_note_use(app: App, which: WhichSecret, now: int) -> bool:
    """Return whether a use at `now` (ms) is the first of its day (UTC), which is noted."""
    noted = app.secret_used if which is WhichSecret.CURRENT else app.old_secret_used
    return noted is None or noted // _DAY_MS < now // _DAY_MS


def replaces_unused(app: App, now: int) -> bool:
    """Return whether a rotation that keeps the old secret replaces the newest one, because nobody has used that yet.

    So a rotation whose answer was lost is repeated without ending the secret that the app's servers use. Raises
    Conflict if both secrets may be in use: a third one would end the old one.
    """
    if not has_old_secret(app, now):
        return False
    if app.secret_used is not None:
        raise Conflict("The app has two secrets in use; end the old one first")
    return True
