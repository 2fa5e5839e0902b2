"""The grants table: the grants of users to apps, with their codes and refresh tokens.

| item | pk | sk | attributes |
|---|---|---|---|
| family | `family#<id>` | `#` | those of core/oauth.py's Family; `ttl` |
| session | `user#<id>` | `session#<hash>` | in sessions.py |
| grant | `user#<id>`, or `app#<id>` for an app's own | `grant#<app>` | `families`, `scopes`, `created`, `used`, `ttl` |

One item is a code and then the refresh tokens that follow from it: using the code, and rotating a token, is one
conditional write of it. The id is the hash of the first part of the token; the hash of the whole token is compared. So
a replaced token is recognised as long as the family lives, without being stored. A rotated token is derived from the
previous token with a salt that the family stores: a client that repeats the previous token, because our answer was
lost, gets the same new token. A grant names its families, so that one transaction ends the grant and deletes them,
and no data of the user remain.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from chalicelib.core.errors import Conflict, PermissionDenied, Unavailable
from chalicelib.core.model.directory import App
from chalicelib.core.oauth import (
    CLIENT_FAMILIES,
    CODE_SECONDS,
    REFRESH_SECONDS,
    USER_FAMILIES,
    Family,
    Grant,
    family_of,
    hashed,
    new_salt,
    new_token,
    pruned,
    same,
    successor,
)
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, PRESENT, AttributeValue, Condition, absent, contains, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, SWEEP, on_table
from chalicelib.store.aws.items import Item, Key, Place, beginning
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.keys import INSTALL, of_user, user_key
from chalicelib.store.grants.grant_items import (
    GRANT,
    family_item,
    family_key,
    grant_item,
    grant_key,
    grant_update,
    lasting,
    to_family,
    to_grant,
    unchanged,
)

NEEDS = (
    on_table("grants", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"),
    on_table("grants", "GetItem", "Query", by=(API, SWEEP)),
    # A grant needs the user's install and uses up the server state of its request; apps are read with grants.
    on_table("directory", "GetItem", "BatchGetItem", "ConditionCheckItem"),
    on_table("ephemeral", "PutItem"),
)

_MOST_ID = 64
"""The most characters of a client id that is looked up; the id that a client sends becomes part of a key."""


class Grants:
    """Grants and their families. `apps` converts an app that is read with a family; `clock` returns the time in ms."""

    def __init__(self, dynamo: Dynamo, table: str, directory_table: str, apps: Apps, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._directory_table = directory_table
        self._apps = apps
        self._clock = clock

    def find(self, app: str, token: str) -> tuple[App | None, Family | None]:
        """Return an app and the family of a code or refresh token, in one read (None: missing or expired).

        The caller must check that the token is the family's current one and belongs to the app.
        """
        family = family_of(token)
        places = [(self._table, family_key(family))] if family else []
        told, items = self._with_app(app, places)
        item = items.get(places[0]) if places else None
        return told, self._live(item)

    def find_active(self, app: str, token: str) -> tuple[App | None, Family | None]:
        """Return what `find` returns; no family if its user is suspended. It takes a second read for a user's family.

        The family stays: after the suspension its tokens work again.
        """
        told, family = self.find(app, token)
        if family is None or family.user is None:
            return told, family
        item = self._dynamo.get(self._directory_table, user_key(family.user), consistent=True)
        return told, None if item and "su" in item else family

    def find_own(self, app: str) -> tuple[App | None, Grant | None]:
        """Return an app and its grant to itself, in one read."""
        place = self._table, grant_key(app[:_MOST_ID], None)
        told, items = self._with_app(app, [place])
        return told, to_grant(items[place]) if place in items else None

    def find_with_owner(self, app: str, owner: str | None) -> tuple[App | None, bool]:
        """Return an app and whether the user `owner` has installed it, in one read."""
        place = self._directory_table, of_user(owner or "", INSTALL, app[:_MOST_ID])
        told, items = self._with_app(app, [place] if owner else [])
        return told, place in items

    def allow(self, family: Family, also: Callable[[Transaction], None] = lambda write: None) -> str:
        """Store a user's consent, with the parts that `also` adds; return a code for it.

        `family` needs app, user, scopes and the values that the code is bound to. The user must have installed the app:
        there is no grant without an install. Raises Unavailable if it was uninstalled at that moment, and Lost if a
        condition of those parts does not hold.
        """
        code = new_token()
        now = self._clock()
        made = replace(family, id=_id(code), code=hashed(code), created=now, expires=now // 1000 + CODE_SECONDS)
        grant = self._grant(grant_key(made.app, made.user))
        install = of_user(_known(family.user), INSTALL, family.app)

        def beside(write: Transaction) -> None:
            write.check("install", self._directory_table, install, PRESENT)
            also(write)

        self._begin(made, grant, beside)
        return code

    def begin_own(self, app: str, scopes: frozenset[str], grant: Grant | None) -> str:
        """Return a refresh token for an app's own access; `grant` is what `find_own` returned."""
        token = new_token()
        now = self._clock()
        expires = now // 1000 + REFRESH_SECONDS
        self._begin(
            Family(_id(token), app, None, scopes, now, expires, refresh=hashed(token)), grant, lambda write: None
        )
        return token

    def redeem(self, family: Family, code: str) -> str | None:
        """Return a refresh token for a code; None if the code was used before or its grant has ended."""
        token = new_token(code)
        now = self._clock()
        change = Update({"refresh": hashed(token)} | lasting(now // 1000 + REFRESH_SECONDS))
        unused = equals("code", hashed(code)) & absent("refresh")
        found = self._advance(family, change, unused)
        # If the stored token is ours, an earlier try of this write succeeded but its response was lost.
        return token if found is None or same(found.refresh, hashed(token)) else None

    def renew(self, family: Family, token: str, *, rotate: bool) -> str | None:
        """Record the use of a refresh token; return the token to use next, or None if `token` is not the current one.

        With `rotate`, the next token is a new one with its full lifetime; otherwise it is the same token with its old
        expiry. A token that was rotated a moment ago gets the same new token again, until the new one is used.
        """
        now = self._clock()
        present = equals("refresh", hashed(token))
        if not rotate:
            found = self._advance(family, Update({"used": now}), present)
            return token if found is None or same(found.refresh, hashed(token)) else None
        if again := self.repeated(family, token):
            return again
        salt = new_salt()
        fresh = successor(token, salt)
        rotation: dict[str, AttributeValue] = {"refresh": hashed(fresh), "salt": salt, "rotated": now}
        change = Update(rotation | lasting(now // 1000 + REFRESH_SECONDS))
        found = self._advance(family, change, present)
        # Another request with the same token, or an earlier try of ours without a response, may have rotated it.
        return fresh if found is None else self.repeated(found, token)

    def repeated(self, family: Family, token: str) -> str | None:
        """Return the current refresh token if `token` is the previous one and was replaced a moment ago, else None."""
        return family.repeated(token, self._clock())

    def end_family(self, family: Family) -> None:
        """End one consent: its code and its refresh tokens."""
        write = Transaction()
        write.delete("family", self._table, family_key(family.id))
        unlisted = Update(discards={"families": frozenset({family.label})})
        write.update("grant", self._table, grant_key(family.app, family.user), unlisted, PRESENT)
        # Lost: the whole grant has ended, and this family with it.
        with suppress(Lost):
            self._dynamo.commit(write)

    def of_user(self, user: str) -> list[Grant]:
        """Return the grants of a user that still have an effect, in order of the apps' ids."""
        items = self._dynamo.query(self._table, f"user#{user}", beginning(GRANT), consistent=True)
        return [to_grant(item) for item in items if self._lasts(item)]

    def with_families(self, user: str) -> list[tuple[Grant, list[Family]]]:
        """Return the grants of a user that still have an effect, with their families that have not expired."""
        grants = self.of_user(user)
        labels = [(grant, label) for grant in grants for label in sorted(grant.families)]
        places = [(self._table, family_key(label.partition("#")[2])) for _, label in labels]
        found = self._dynamo.batch_get(places, consistent=True)
        families: dict[str, list[Family]] = {grant.app: [] for grant in grants}
        for (grant, _), place in zip(labels, places, strict=True):
            if family := self._live(found.get(place)):
                families[grant.app].append(family)
        return [(grant, families[grant.app]) for grant in grants]

    def restore(self, grant: Grant, families: Sequence[Family], *, check: bool = False) -> bool:
        """Store an imported grant with its families; return whether it is new. With `check`, nothing is stored.

        Raises PermissionDenied (the user has not installed the app), Conflict (there is another grant, or a family with
        one of these ids) and Unavailable.
        """
        user = _known(grant.user)
        install = (self._directory_table, of_user(user, INSTALL, grant.app))
        place = (self._table, grant_key(grant.app, user))
        places = [(self._table, family_key(family.id)) for family in families] if check else []
        found = self._dynamo.batch_get([install, place, *places], consistent=True)
        if install not in found:
            raise PermissionDenied
        if place in found:
            return _same_grant(found[place], grant)
        if not found.keys().isdisjoint(places):
            raise Conflict("There is another refresh token with one of these ids")
        if check:
            return True
        write = Transaction()
        write.put("grant", self._table, grant_item(grant, families), ABSENT)
        for family in families:
            write.put(f"family {family.label}", self._table, family_item(family), ABSENT)
        write.check("install", *install, PRESENT)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            if there := lost.stored("grant"):
                return _same_grant(there, grant)
            if lost.failed("install"):
                raise PermissionDenied from None
            raise Conflict("There is another refresh token with one of these ids") from None
        return True

    def held(self, user: str, app: str) -> bool:
        """Return whether a user's grant to an app still has an effect."""
        item = self._dynamo.get(self._table, grant_key(app, user), consistent=True)
        return item is not None and self._lasts(item)

    def end(self, user: str, app: str) -> bool:
        """End a user's grant to an app, with all its codes and refresh tokens; return whether there was one."""
        return self._end(grant_key(app, user))

    def ending(self, write: Transaction, user: str, app: str) -> None:
        """Add the deletion of a user's grant to an app to the transaction that uninstalls the app.

        The part "grant" fails if the grant was changed or created after it was read here.
        """
        key = grant_key(app, user)
        grant = self._grant(key)
        write.delete("grant", self._table, key, unchanged(grant))
        self._delete_families(write, sorted(grant.families) if grant else [])

    def end_own(self, app: str) -> bool:
        """End an app's grant to itself; return whether there was one."""
        return self._end(grant_key(app, None))

    def erase(self, user: str) -> None:
        """End all grants of a user; no data of the user are left in this table."""
        for item in self._dynamo.query(self._table, f"user#{user}", beginning(GRANT), consistent=True, only="pk, sk"):
            self._end((item["pk"]["S"], item["sk"]["S"]))

    def _with_app(self, app: str, places: list[Place]) -> tuple[App | None, dict[Place, Item]]:
        # Strongly consistent: a new code or a rotated token may be used within milliseconds.
        known = [self._apps.place(app)] if 0 < len(app) <= _MOST_ID else []
        items = self._dynamo.batch_get([*known, *places], consistent=True)
        return self._apps.from_item(items.get(known[0])) if known else None, items

    def _live(self, item: Item | None) -> Family | None:
        """Return the family of an item, unless its newest token has expired; a used code's family outlives the code."""
        if item is None or int(item["expires"]["N"]) <= self._clock() // 1000:
            return None
        return to_family(item)

    def _lasts(self, grant: Item) -> bool:
        return "families" in grant and int(grant["ttl"]["N"]) > self._clock() // 1000

    def _begin(self, family: Family, known: Grant | None, also: Callable[[Transaction], None]) -> None:
        """Store a new family under its grant; a full grant drops old families. `known` is the grant as read."""
        key = grant_key(family.app, family.user)
        most = USER_FAMILIES if family.user else CLIENT_FAMILIES
        for wait in races():
            kept, gone = pruned(known.families if known else (), most)
            change = grant_update(family, known, kept | {family.label})
            write = Transaction()
            write.update("grant", self._table, key, change, unchanged(known))
            write.put("family", self._table, family_item(family), ABSENT)
            also(write)
            # A transaction takes 100 items. A family that is left is not in the grant any more, and expires.
            self._delete_families(write, gone[:90])
            try:
                self._dynamo.commit(write)
                return
            except Lost as lost:
                if not lost.failed("grant"):
                    if lost.failed("install"):
                        raise Unavailable from None
                    raise
                there = lost.stored("grant")
                known = to_grant(there) if there else None
                if known and family.label in known.families:
                    return  # An earlier try of ours succeeded, but its response was lost.
                self._dynamo.rest(wait)
        raise Unavailable

    def _delete_families(self, write: Transaction, labels: Iterable[str]) -> None:
        for label in labels:
            write.delete(f"family {label}", self._table, family_key(label.partition("#")[2]))

    def _advance(self, family: Family, change: Update, condition: Condition) -> Family | None:
        """Change a family and record the use in its grant. Return None, or the stored family if a condition failed.

        A family that is deleted, or no longer in its grant, is returned without tokens.
        """
        now = self._clock()
        used = Update({"used": now, "ttl": now // 1000 + REFRESH_SECONDS})
        write = Transaction()
        write.update("family", self._table, family_key(family.id), change, condition)
        listed = contains("families", family.label)
        write.update("grant", self._table, grant_key(family.app, family.user), used, listed)
        try:
            self._dynamo.commit(write)
        except Lost as lost:
            item = lost.stored("family")
            if item is None or lost.failed("grant"):
                return replace(family, refresh=None, salt=None)
            return to_family(item)
        return None

    def _grant(self, key: Key) -> Grant | None:
        item = self._dynamo.get(self._table, key, consistent=True)
        return to_grant(item) if item else None

    def _end(self, key: Key) -> bool:
        ended = False
        for wait in races():
            grant = self._grant(key)
            if grant is None:
                return ended
            ended = True
            write = Transaction()
            self._delete_families(write, sorted(grant.families)[:99])
            try:
                if len(grant.families) > len(write):
                    self._dynamo.commit(write)
                    continue
                write.delete("grant", self._table, key, unchanged(grant))
                self._dynamo.commit(write)
                return True
            except Lost:
                self._dynamo.rest(wait)
        raise Unavailable


def _same_grant(item: Item, grant: Grant) -> bool:
    """Return False if an item stores this grant. Raises Conflict if it stores another one."""
    if to_grant(item) != grant:
        raise Conflict("The user has another grant to the app")
    return False


def _known(user: str | None) -> str:
    if user is None:
        raise ValueError("only a user allows")
    return user


def _id(token: str) -> str:
    family = family_of(token)
    if family is None:
        raise ValueError("not a token of ours")
    return family
