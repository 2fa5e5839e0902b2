"""Endpoints of apps, which are told of events. Their items are rows of the app in the table directory (keys.py).

The app's item has all kinds (`ev`) of the endpoints that are on. One transaction changes both; `en` in the app's item
counts these changes, so that none works on old rows.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.events import (
    BY_OPERATOR,
    ENDPOINTS,
    Endpoint,
    EventKind,
    new_endpoint_id,
    new_signing_secret,
)
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ALIVE, PRESENT, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, SEND, on_index, on_table
from chalicelib.store.aws.items import Item, beginning, key_of
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys
from chalicelib.store.directory.secret_sealing import Sealed, SecretSealing
from chalicelib.store.events.endpoint_items import LIST, EndpointItems
from chalicelib.store.events.log import EventLog

NEEDS = (
    # An endpoint that fails for days, or that answers 410, is switched off by the function that sends.
    on_table("directory", "GetItem", "Query", "PutItem", "UpdateItem", by=(API, SEND)),
    on_table("ephemeral", "PutItem", by=(API, SEND)),
    on_table("directory", "DeleteItem"),
    on_table("directory", "BatchGetItem", by=(SEND,)),
    on_index("directory", by=(SEND,)),
)

_log = logging.getLogger(__name__)

Change = Callable[[dict[str, Endpoint]], dict[str, Endpoint]]
"""A function that returns the next endpoints of an app, by id, from the stored ones. Raises a Refusal."""


class Endpoints:
    """The endpoints of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(
        self, dynamo: Dynamo, table: str, seals: SecretSealing, log: EventLog, clock: Callable[[], int]
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._items = EndpointItems(seals)
        self._log = log
        self._clock = clock

    def of_app(self, app: str) -> list[Endpoint]:
        """Return the endpoints of an app in order of id, without secrets (strongly consistent)."""
        return [self._items.from_item(item, with_secrets=False) for item in self._rows(app)]

    def get(self, app: str, endpoint: str) -> Endpoint:
        """Return an endpoint without its secrets. Raises NotFound."""
        item = self._dynamo.get(self._table, keys.of_app(app, keys.ENDPOINT, endpoint), consistent=True)
        if item is None:
            raise _no_endpoint(endpoint)
        return self._items.from_item(item, with_secrets=False)

    def active(self) -> list[Endpoint]:
        """Return all endpoints that are on, of apps that are not suspended, with their secrets (eventually consistent).

        An endpoint is left out, with an error in the log, if no key opens its secrets: the others must not wait for it.
        """
        rows = {(self._table, key_of(item)): item for item in self._dynamo.listed(self._table, LIST)}
        holders = {place: (self._table, keys.app_key(keys.named(item, "pk"))) for place, item in rows.items()}
        found = self._dynamo.batch_get(dict.fromkeys((*rows, *holders.values())), consistent=False)
        active: list[Endpoint] = []
        for place, holder in holders.items():
            item = found.get(place)
            if item is None or "off" in item or "sp" in found.get(holder, {}):
                continue
            try:
                active.append(self._items.from_item(item))
            except Sealed:
                _log.error("endpoint %s of app %s: no key opens its secrets", keys.named(item), keys.named(item, "pk"))
        return active

    def create(self, app: str, url: str, kinds: Iterable[EventKind], id: str | None = None) -> Endpoint:
        """Store a new endpoint, with a random id by default, and return it with its secret.

        Raises NotFound (app), Conflict (too many, or the id is taken) and Unavailable.
        """
        name, secret = id or new_endpoint_id(), new_signing_secret()
        made = Endpoint(name, app, url, frozenset(kinds), (secret,), created=self._clock())

        def change(known: dict[str, Endpoint]) -> dict[str, Endpoint]:
            if name in known:
                raise Conflict(f"There is an endpoint {name} already")
            if len(known) >= ENDPOINTS:
                raise Conflict(f"An app has at most {ENDPOINTS} endpoints")
            return known | {name: made}

        self._change(app, change)
        return made

    def change(
        self,
        app: str,
        endpoint: str,
        *,
        url: str | None = None,
        kinds: Iterable[EventKind] | None = None,
        is_on: bool | None = None,
        instead_of: Endpoint | None = None,
    ) -> Endpoint:
        """Change an endpoint and return it without its secrets.

        With `instead_of`, its settings must still be as there. Raises NotFound, Conflict (they are not), Unavailable.
        """

        def change(one: Endpoint) -> Endpoint:
            if instead_of and one.settings != instead_of.settings:
                raise Conflict("The endpoint was changed in the meantime")
            changed = replace(one, url=url or one.url)
            if is_on:
                changed = replace(changed, off="", disabled=None, failing=None)
            elif is_on is False:
                changed = self._off(changed, BY_OPERATOR)
            return changed if kinds is None else replace(changed, kinds=frozenset(kinds))

        return replace(self._change_one(app, endpoint, change), secrets=())

    def new_secret(self, app: str, endpoint: str, *, instead_of: Endpoint | None = None) -> str:
        """Give an endpoint a new secret and return it; messages are signed with the one before it, too.

        If there are two, the older one ends. With `instead_of`, the newer one ends, and the secrets must still be those
        of that endpoint. Raises NotFound, Conflict (they are not) and Unavailable.
        """
        secret = new_signing_secret()

        def change(one: Endpoint) -> Endpoint:
            _need_secrets_of(instead_of, one)
            old = one.secrets[-1] if instead_of else one.secrets[0]
            return replace(one, secrets=(secret, old), rotated=max(self._clock(), 1 + (one.rotated or 0)))

        self._change_one(app, endpoint, change)
        return secret

    def end_old_secret(self, app: str, endpoint: str, *, instead_of: Endpoint | None = None) -> None:
        """Sign messages only with the newest secret from now on.

        With `instead_of`, an old one ends only if the secrets are still those of that endpoint. Raises NotFound,
        Conflict (they are not) and Unavailable.
        """

        def change(one: Endpoint) -> Endpoint:
            if one.has_old_secret:
                _need_secrets_of(instead_of, one)
            return replace(one, secrets=one.secrets[:1])

        self._change_one(app, endpoint, change)

    def switch_off(self, app: str, endpoint: str, reason: str) -> None:
        """Switch an endpoint off, if it still exists, and tell the app's other endpoints. Raises Unavailable."""
        try:
            self._change_one(app, endpoint, lambda one: self._off(one, reason))
        except NotFound:
            return

    def delete(self, app: str, endpoint: str) -> bool:
        """Delete an endpoint; return whether it existed. Raises NotFound (app) and Unavailable."""
        existed: list[bool] = []

        def change(known: dict[str, Endpoint]) -> dict[str, Endpoint]:
            existed.append(endpoint in known)
            return {name: each for name, each in known.items() if name != endpoint}

        self._change(app, change)
        return any(existed)

    def failing(self, endpoint: Endpoint, since: int | None) -> None:
        """Store the time since which an endpoint fails (None: it does not), if it still exists."""
        change = Update(removes=["f"]) if since is None else Update({"f": since})
        key = keys.of_app(endpoint.app, keys.ENDPOINT, endpoint.id)
        try:
            self._dynamo.settle(lambda: self._dynamo.update(self._table, key, change, PRESENT))
        except Lost:
            return

    def seal_anew(self) -> int:
        """Encrypt the secrets of all endpoints with the newest key; return their number. Raises Sealed, Unavailable."""
        sealed = 0
        for item in self._dynamo.listed(self._table, LIST):
            try:
                changed = self._change_one(keys.named(item, "pk"), keys.named(item), lambda one: one)
            except NotFound:
                continue
            sealed += len(changed.secrets)
        return sealed

    def _off(self, one: Endpoint, reason: str) -> Endpoint:
        return one if one.off else replace(one, off=reason, disabled=self._clock())

    def _change_one(self, app: str, endpoint: str, change: Callable[[Endpoint], Endpoint]) -> Endpoint:
        def change_all(known: dict[str, Endpoint]) -> dict[str, Endpoint]:
            if endpoint not in known:
                raise _no_endpoint(endpoint)
            return known | {endpoint: change(known[endpoint])}

        return self._change(app, change_all)[endpoint]

    def _change(self, app: str, change: Change) -> dict[str, Endpoint]:
        """Apply a change to the endpoints of an app; return them. Raises NotFound (app) and Unavailable."""
        for wait in races():
            holder = self._dynamo.get(self._table, keys.app_key(app), consistent=True)
            if holder is None or "gone" in holder:
                raise NotFound(f"There is no app {app}")
            known = {keys.named(item): self._items.from_item(item) for item in self._rows(app)}
            changed = change(known)
            try:
                self._dynamo.commit(self._write(app, holder, known, changed))
            except Lost:
                self._dynamo.rest(wait)
            else:
                return changed
        raise Unavailable

    def _write(self, app: str, holder: Item, known: dict[str, Endpoint], changed: dict[str, Endpoint]) -> Transaction:
        kinds = frozenset[EventKind]().union(*(each.kinds for each in changed.values() if not each.off))
        sets = {"ev": frozenset(each.value for each in kinds)} if kinds else {}
        unchanged = equals("en", int(holder["en"]["N"])) if "en" in holder else absent("en")
        write = Transaction()
        update = Update(sets, adds={"en": 1}, removes=[] if kinds else ["ev"])
        write.update("app", self._table, keys.app_key(app), update, ALIVE & unchanged)
        for each in changed.values():
            write.put(f"endpoint {each.id}", self._table, self._items.to_item(each))
            if each.off and each.id in known and not known[each.id].off and EventKind.DISABLED in kinds:
                self._note(write, each)
        for name in known.keys() - changed.keys():
            write.delete(f"endpoint {name}", self._table, keys.of_app(app, keys.ENDPOINT, name))
        return write

    def _note(self, write: Transaction, one: Endpoint) -> None:
        """Tell the app's other endpoints that one is off. The time is in the subject: it may be switched off again."""
        subject = f"endpoint/{one.id}/{one.disabled}"
        self._log.note(write, one.app, EventKind.DISABLED, subject, 1, {"endpoint": one.id, "reason": one.off})

    def _rows(self, app: str) -> Sequence[Item]:
        span = beginning(keys.ENDPOINT)
        return list(self._dynamo.query(self._table, keys.app_key(app)[0], span, consistent=True))


def _no_endpoint(endpoint: str) -> NotFound:
    return NotFound(f"There is no endpoint {endpoint}")


def _need_secrets_of(expected: Endpoint | None, stored: Endpoint) -> None:
    """Raise Conflict if the stored secrets are not those of the endpoint that was read earlier (None: any may be)."""
    if expected and (expected.rotated, expected.has_old_secret) != (stored.rotated, stored.has_old_secret):
        raise Conflict("The secrets were changed in the meantime")
