"""One-time links in the ephemeral table: reset links and invitations (core/one_time_links.py).

| item | pk | sk | attributes |
|---|---|---|---|
| one-time link | `link#<hash of the token>` | `#` | `kind`, `user`, `name`, `epoch`, `tries`, `expires`, `ttl` |

The transaction that uses a link deletes its item, so a link works once, even if two requests use it at the same moment.
"""

from collections.abc import Callable

from chalicelib.core.errors import Conflict, NotFound
from chalicelib.core.model.directory import User
from chalicelib.core.oauth import hashed
from chalicelib.core.one_time_links import MOST_TRIES, LinkKind, OneTimeLink, is_link_token, new_link_token
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT, PRESENT, equals, less, more
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory.users import Users

NEEDS = (on_table("ephemeral", "GetItem", "PutItem", "UpdateItem"),)


class OneTimeLinks:
    """The one-time links of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, users: Users, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._users = users
        self._clock = clock

    def make_reset(
        self, user: str, also: Callable[[Transaction], None] = lambda write: None
    ) -> tuple[str, OneTimeLink]:
        """Make a link with which a user sets a new password; return its token and the link.

        Earlier links of the user work, too, until one is used. Raises NotFound, Conflict (the user has no login or is
        suspended) and Unavailable.
        """
        known = self._users.get(user)
        if known is None:
            raise NotFound(f"There is no user {user}")
        if known.login is None:
            raise Conflict("The user has no login")
        if known.suspended is not None:
            raise Conflict("The user is suspended")
        return self._make(OneTimeLink(LinkKind.RESET, 0, user, session_epoch=known.session_epoch), also)

    def make_invitation(
        self, display_name: str = "", also: Callable[[Transaction], None] = lambda write: None
    ) -> tuple[str, OneTimeLink]:
        """Make a link with which a person becomes a user; return its token and the link. Raises Unavailable."""
        return self._make(OneTimeLink(LinkKind.INVITATION, 0, display_name=display_name), also)

    def read(self, kind: LinkKind, token: str | None) -> OneTimeLink | None:
        """Return a link, or None if it was used, has expired, or was tried too often (strongly consistent)."""
        if token is None or not is_link_token(token):
            return None
        item = self._dynamo.get(self._table, _key(token), consistent=True)
        link = _to_link(item) if item else None
        if link is None or link.kind is not kind or link.tries >= MOST_TRIES:
            return None
        return link if link.expires > self._clock() // 1000 else None

    def count_try(self, token: str) -> bool:
        """Count a form sent with a link; return whether the link may still be used. Raises Unavailable."""
        write = Transaction()  # A transaction counts once, even if its answer is lost and it is sent again.
        allowed = PRESENT & less("tries", MOST_TRIES)
        write.update("link", self._table, _key(token), Update(adds={"tries": 1}), allowed)
        try:
            self._dynamo.commit(write)
        except Lost:
            return False
        return True

    def set_password(self, token: str, link: OneTimeLink, password_hash: str) -> bool:
        """Set a new password with a reset link, and end all sessions, in one transaction.

        Returns False, and changes nothing, if the link does not work any more: it was used or has expired, the password
        was changed since, or the user is suspended or erased. Raises Unavailable.
        """
        if link.user is None:
            return False
        use = lambda write, epoch: self._use(write, token, link.kind)  # noqa: E731
        try:
            return self._users.set_password(link.user, password_hash, session_epoch=link.session_epoch, also=use)
        except (Lost, NotFound, Conflict):
            return False

    def join(self, token: str, user: User, password_hash: str) -> User | None:
        """Create a user with an invitation, in one transaction; return the user as stored, or None if it is used up.

        Raises Conflict (the login is taken) and Unavailable.
        """
        try:
            return self._users.create(user, password_hash, lambda write: self._use(write, token, LinkKind.INVITATION))
        except Lost:
            return None

    def _make(self, link: OneTimeLink, also: Callable[[Transaction], None]) -> tuple[str, OneTimeLink]:
        token = new_link_token()
        expires = self._clock() // 1000 + link.kind.seconds
        made = OneTimeLink(link.kind, expires, link.user, link.display_name, link.session_epoch)
        write = Transaction()
        write.put("link", self._table, _to_item(token, made), ABSENT)
        also(write)
        self._dynamo.commit(write)
        return token, made

    def _use(self, write: Transaction, token: str, kind: LinkKind) -> None:
        unused = PRESENT & equals("kind", kind.value) & more("expires", self._clock() // 1000)
        write.delete("link", self._table, _key(token), unused)


def _key(token: str) -> Key:
    return f"link#{hashed(token)}", "#"


def _to_item(token: str, link: OneTimeLink) -> Item:
    expires = {"N": str(link.expires)}
    texts = {"user": link.user, "name": link.display_name, "epoch": link.session_epoch}
    return (
        typed(_key(token))
        | {"kind": {"S": link.kind.value}, "tries": {"N": "0"}, "expires": expires, "ttl": expires}
        | {name: {"S": text} for name, text in texts.items() if text}
    )


def _to_link(item: Item) -> OneTimeLink:
    texts = {name: item[name]["S"] for name in ("user", "name", "epoch") if name in item}
    return OneTimeLink(
        LinkKind(item["kind"]["S"]),
        int(item["expires"]["N"]),
        texts.get("user"),
        texts.get("name", ""),
        texts.get("epoch", ""),
        int(item["tries"]["N"]),
    )
