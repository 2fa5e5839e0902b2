"""Sign-in with a login name and a password, for the pages that require a signed-in user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chalice.app import Request, Response

from chalicelib.core import passwords
from chalicelib.core.oauth import is_one_of
from chalicelib.core.password_rules import normalized
from chalicelib.core.sign_in_delays import Device, mark_of, network
from chalicelib.platform import Platform
from chalicelib.store.grants.ephemeral import Attempt, AttemptKind, Wait
from chalicelib.web.auth.sessions import Session
from chalicelib.web.html.rendering import page
from chalicelib.web.html.texts import Language, word
from chalicelib.web.requests import PROXY_KEY, header_list

MOST_CHARACTERS = 1024
"""The length limit of passwords, and of login names in bytes of UTF-8; longer ones always fail."""


@dataclass(frozen=True)
class SignInResult:
    """The result of a sign-in: user and browser; or None and the seconds to wait (0: wrong login or password).

    `suspended` says that login and password were right, but the user is suspended.
    """

    user: str | None
    wait: int = 0
    suspended: bool = False
    device: Device | None = None
    password_hash: str = ""
    """The stored hash that the password matched; a session begins only if it is still the user's."""


@dataclass(frozen=True)
class SignInPage:
    """The page with the sign-in form, for the page at `action`.

    `carried` contains the fields that the form passes on, `app` is the name of the app that requires the sign-in (None:
    no app), and `other_url` is the URL of the page in the other language.
    """

    here: Platform
    language: Language
    action: str
    other_url: str
    carried: Mapping[str, str]
    app: str | None

    def shown(
        self, session: Session, login: str = "", *, problem: str | None = None, status: int = 200, wait: int = 0
    ) -> Response:
        """Return the page, with the login name of the last attempt; `wait` is the Retry-After in seconds (0: none)."""
        return page(
            "sign_in",
            self.language,
            self.here.site,
            status=status,
            headers=self.here.sessions.headers(session),
            wait=wait,
            action=self.action,
            carried=self.carried,
            csrf=session.masked_csrf(),
            other_url=self.other_url,
            app=self.app,
            login=login,
            problem=problem,
        )

    def refused(self, session: Session, login: str, outcome: SignInResult) -> Response:
        """Return the page after a failed attempt: wrong login or password (403), or too soon (429)."""
        if outcome.wait:
            told = word(self.language, "slow", seconds=outcome.wait)
            return self.shown(session, login, problem=told, status=429, wait=outcome.wait)
        problem = word(self.language, "suspended" if outcome.suspended else "wrong")
        return self.shown(session, login, problem=problem, status=403)


def sign_in(here: Platform, request: Request, form: Mapping[str, str]) -> SignInResult:
    """Check the `login` and `password` of a form.

    An unknown login and a wrong password cause the same work, the same count and the same response. Failures in a
    browser in which this user has signed in before are counted for that browser; all others, for account and address.
    """
    login, password = form.get("login", "").strip().lower(), form.get("password", "")
    # A key of a table has a limit in bytes.
    fits = max(len(login.encode("utf-8", "surrogatepass")), len(password)) <= MOST_CHARACTERS
    known = here.users.credential(login) if login and fits else None
    device = here.sessions.device(request)
    mark = mark_of(device.id, login, known[1]) if known else ""
    if device.knows(mark):
        counters = [(AttemptKind.DEVICE, mark)]
    else:
        address = address_of(request, here.settings.proxies, here.settings.proxy_keys)
        counters = [(AttemptKind.ADDRESS, address), (AttemptKind.ACCOUNT, login)]
    counted: list[Attempt] = []
    for kind, name in counters:
        begun = here.sign_in_attempts.begin(kind, name)
        if isinstance(begun, Wait):
            _forgive(here, counted)
            return SignInResult(None, begun.seconds)
        counted.append(begun)
    if not _matches(password[:MOST_CHARACTERS], known[1] if known else None) or known is None or not fits:
        return SignInResult(None)
    _forgive(here, counted)
    user, password_hash = known
    person = here.users.get(user)
    if person and person.suspended is not None:
        return SignInResult(None, suspended=True)
    if passwords.is_outdated(password_hash):
        made = passwords.hash_password(normalized(password))
        if here.users.upgrade_hash(user, login, made, instead_of=password_hash):
            password_hash = made
    device = device.with_mark(mark_of(device.id, login, password_hash), instead_of=[mark])
    return SignInResult(user, device=device, password_hash=password_hash)


def _matches(password: str, known: str | None) -> bool:
    """Return whether a password matches a hash: in Unicode's NFC, or, for older hashes, as it came."""
    composed = normalized(password)
    return passwords.matches(composed, known) or (composed != password and passwords.matches(password, known))


def _forgive(here: Platform, attempts: Sequence[Attempt]) -> None:
    for attempt in attempts:
        here.sign_in_attempts.forgive(attempt)


def address_of(request: Request, proxies: int, keys: Sequence[str] = ()) -> str:
    """Return the client address of a request (for IPv6: its network) behind this number of own proxies.

    Entries further left in `X-Forwarded-For` come from the client and are not trusted. If the proxies have
    `keys` and the request does not contain one, the whole header is ignored.
    """
    source = str(request.context.get("identity", {}).get("sourceIp") or "")
    if keys and not is_one_of(keys, request.headers.get(PROXY_KEY)):
        return network(source)
    hops = [each.strip() for each in (header_list(request, "x-forwarded-for") or "").split(",")]
    return network(hops[-1 - proxies] if 0 < proxies < len(hops) else source)
