"""The user of a session: who is signed in, and how a session begins and ends.

The cookie (web/auth/sessions.py) names a session, and its row (store/grants/sessions.py) decides whether it is still
good. Every page asks here.
"""

from chalice.app import Request

from chalicelib.api.oauth.sign_in_page import SignInResult
from chalicelib.core.model.directory import User
from chalicelib.core.oauth import hashed
from chalicelib.core.sessions import device_words
from chalicelib.platform import Platform
from chalicelib.web.auth.sessions import Session

_VISITOR = "engawa_visitor"
"""The attribute of a request with its session and user, once they are read."""


def visitor(here: Platform, request: Request) -> tuple[Session, User | None]:
    """Return the session of a request, and its user as session_user does; also note them at the request."""
    session = here.sessions.read(request)
    found = session, session_user(here, session)
    vars(request)[_VISITOR] = found
    return found


def known_visitor(request: Request) -> tuple[Session, User | None] | None:
    """Return what `visitor` has returned for a request; None if it was not called, or has failed."""
    return vars(request).get(_VISITOR)


def session_user(here: Platform, session: Session) -> User | None:
    """Return the user of a session (one read), or None: not signed in, session over, suspended, or signed in elsewhere.

    Once an hour, the session is also marked as used (one write).
    """
    if session.user is None or here.settings.openid_issuer:
        return None
    found = here.sessions_of_users.read(session.user, session.id)
    return found[1] if found else None


def begin_session(here: Platform, request: Request, outcome: SignInResult) -> tuple[Session, User] | None:
    """Begin a session after a sign-in; return it with its user.

    None if the sign-in failed, or if the user was suspended or erased, or got another password, in the meantime.
    """
    user = here.users.get(outcome.user) if outcome.user else None
    if user is None:
        return None
    words = device_words(request.headers.get("user-agent", ""))
    name = here.sessions_of_users.begin(user, outcome.password_hash, words)
    return (here.sessions.begin(user.id, outcome.device, name), user) if name else None


def end_session(here: Platform, session: Session) -> Session:
    """End a session at once, and return a new one without a user."""
    if session.user is not None:
        here.sessions_of_users.end(session.user, hashed(session.id))
    return here.sessions.begin()
