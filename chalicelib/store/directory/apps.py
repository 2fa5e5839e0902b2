"""Apps, the clients of OAuth. The keys are in keys.py.

An app's item has `n` name, `k` confidential, `x` sealed secret, `r` redirect URIs, `u` start URL, `s` scopes, `o` web
origins, `d` dialect, `m` start method (absent: redirect), `c` created, and `modules`, the number of its modules. It
does not count installs: they would have to wait for each other (counts.py counts those of all apps). `ev` has the kinds
of events that its endpoints are told of, so that a reader of the app knows them; `en` counts the changes of endpoints
(store/events/endpoints.py).

For people there are `i` icon, `v` developer, `h` homepage and `p` privacy link. `sp` is since when it is suspended, and
`sr` why. `xc` is when the secret was made by a rotation, `xu` a time on the last day of its use; `xo` is the sealed
secret before it, `xe` the end of that one's validity, and `xv` a time on the last day of its use (app_secrets.py).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Any

from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.events import EventKind
from chalicelib.core.model.directory import App, AppDialect, StartMethod, new_secret
from chalicelib.core.search import index_texts
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, ALIVE, Condition, absent, equals
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CANARY, on_index, on_table
from chalicelib.store.aws.items import Item, Place, beginning, key_of
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.directory import keys, search_rows
from chalicelib.store.directory.counted_rows import counts_nothing
from chalicelib.store.directory.counts import Counts, Kind, close
from chalicelib.store.directory.keys import CursorPart
from chalicelib.store.directory.pages import Pages
from chalicelib.store.directory.search_rows import NamedItems, with_texts
from chalicelib.store.directory.secret_sealing import SecretSealing

NEEDS = (
    on_table("directory", "GetItem", "BatchGetItem", "Query", "DeleteItem"),
    on_table("directory", "PutItem", "UpdateItem", by=(API, CANARY)),
    on_index("directory"),
)

LIST = "apps"
COUNT = 100
RECENT_MS = 60_000
"""How old an app may be that `Apps.recent` returns."""
_KEPT = 1_000

_ATTRIBUTES = {
    "name": "n",
    "redirect_uris": "r",
    "start_url": "u",
    "scopes": "s",
    "origins": "o",
    "dialect": "d",
    "start_method": "m",
    "icon_url": "i",
    "developer": "v",
    "homepage_url": "h",
    "privacy_url": "p",
}
_FOR_PEOPLE = ("icon_url", "developer", "homepage_url", "privacy_url")
_TIMES = {
    "suspended": "sp",
    "secret_created": "xc",
    "secret_used": "xu",
    "old_secret_until": "xe",
    "old_secret_used": "xv",
}


class Apps:
    """The apps of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(
        self, dynamo: Dynamo, table: str, seals: SecretSealing, pages: Pages, clock: Callable[[], int]
    ) -> None:
        self._dynamo = dynamo
        self._table = table
        self._seals = seals
        self._pages = pages
        self._counts = Counts(dynamo, table)
        self._clock = clock
        self._named = NamedItems(dynamo, table)
        self._recent: dict[str, tuple[int, App | None]] = {}

    def create(self, app: App) -> App:
        """Store a new app and return it as stored. A confidential app without a secret gets a new one.

        Raises Conflict (its id is taken) and Unavailable.
        """
        secret = (app.secret or new_secret()) if app.confidential else None
        app = replace(app, secret=secret, created=app.created or self._clock())
        write = Transaction()
        item = self._to_item(app)
        write.put("app", self._table, self._counts.add(write, Kind.APPS, item), ABSENT)
        search_rows.add(write, self._table, item)
        try:
            self._dynamo.commit(write)
        except Lost:
            raise Conflict(f"There is an app {app.id} already") from None
        return app

    def get(self, app: str) -> App | None:
        """Return an app with its secret (strongly consistent), or None if it does not exist."""
        item = self._dynamo.get(self._table, keys.app_key(app), consistent=True)
        return self.from_item(item)

    def get_many(self, apps: Iterable[str]) -> dict[str, App]:
        """Return the apps that exist, by id, without secrets (eventually consistent, 100 per call)."""
        items = self._dynamo.batch_get(map(self.place, apps), consistent=False)
        found = [self.from_item(item, with_secret=False) for item in items.values()]
        return {app.id: app for app in found if app}

    def origins(self, app: str) -> tuple[str, ...]:
        """Return the web origins of an app (eventually consistent), or none if it does not exist."""
        found = self.from_item(self._dynamo.get(*self.place(app), consistent=False), with_secret=False)
        return found.origins if found else ()

    def recent(self, app: str) -> App | None:
        """Return an app, without its secret, as it was at most RECENT_MS ago; None if it did not exist then.

        It is for requests whose access token does not say what they need: this process reads an app once a minute.
        """
        now = self._clock()
        kept = self._recent.get(app)
        if kept is None or not 0 <= now - kept[0] < RECENT_MS:
            found = self.from_item(self._dynamo.get(*self.place(app), consistent=True), with_secret=False)
            if len(self._recent) >= _KEPT:
                self._recent.clear()
            kept = self._recent[app] = now, found
        return kept[1]

    def events(self, app: str) -> frozenset[EventKind]:
        """Return the kinds of events that an app asked for, or none if it does not exist, as `recent` does."""
        found = self.recent(app)
        return found.events if found else frozenset()

    def is_suspended(self, app: str) -> bool:
        """Return whether an app is suspended, as `recent` does."""
        found = self.recent(app)
        return found is not None and found.suspended is not None

    def place(self, app: str) -> Place:
        """Return the place of the item that `from_item` converts to an app: for reads of several tables at once."""
        return self._table, keys.app_key(app)

    def from_item(self, item: Item | None, *, with_secret: bool = True) -> App | None:
        """Return the app that an item stores, or None for no item or for an app that is being deleted."""
        if item is None or "gone" in item:
            return None
        has_events = "ev" in item and "sp" not in item
        return App(
            id=keys.named(item, "pk"),
            name=item["n"]["S"],
            confidential=item["k"]["BOOL"],
            secret=self._seals.open(item["x"]["S"]) if with_secret and "x" in item else None,
            old_secret=self._seals.open(item["xo"]["S"]) if with_secret and "xo" in item else None,
            redirect_uris=_texts(item["r"]),
            start_url=item["u"]["S"] if "u" in item else None,
            scopes=_texts(item["s"]),
            origins=_texts(item["o"]),
            dialect=AppDialect(item["d"]["S"]),
            created=int(item["c"]["N"]),
            start_method=StartMethod(item["m"]["S"]) if "m" in item else StartMethod.REDIRECT,
            events=frozenset(map(EventKind, item["ev"]["SS"])) if has_events else frozenset(),
            suspension_reason=item["sr"]["S"] if "sr" in item else "",
            **{name: item[_ATTRIBUTES[name]]["S"] for name in _FOR_PEOPLE if _ATTRIBUTES[name] in item},
            suspended=_time(item, "sp"),
            secret_created=_time(item, "xc") or 0,
            secret_used=_time(item, "xu"),
            old_secret_until=_time(item, "xe"),
            old_secret_used=_time(item, "xv"),
        )

    def change(self, app: str, *, expected: App | None = None, **fields: Any) -> App:
        """Change fields of an app (not id, confidential or secret) and return the changed app.

        With `expected`, these fields must still be as there. Raises NotFound, Conflict (they are not) and Unavailable.
        """
        given = {_ATTRIBUTES[name]: value for name, value in fields.items()}
        sets = {name: _typed(value) for name, value in given.items() if value not in (None, "")}
        change = Update(sets, removes=[name for name in given if name not in sets])
        known = {_ATTRIBUTES[name]: _stored(getattr(expected, name)) for name in fields} if expected else {}
        if expected and expected.start_method is StartMethod.REDIRECT:
            known.pop("m", None)  # It may be stored or absent.
        if "name" in fields:
            if not self._named.change(keys.app_key(app), change, index_texts(fields["name"]), known):
                raise _no_app(app)
        elif given:
            condition = ALIVE
            for attribute, value in known.items():
                condition &= absent(attribute) if value is None else equals(attribute, value)
            try:
                self._settle(app, change, condition)
            except Lost:
                stored = self._known(app)
                # If it has the new values, an earlier try of this write succeeded but its response was lost.
                if any(getattr(stored, name) != value for name, value in fields.items()):
                    raise Conflict("Another request has changed the app meanwhile") from None
        changed = self.get(app)
        if changed is None:
            raise _no_app(app)
        return changed

    def suspend(self, app: str, reason: str) -> bool:
        """Suspend an app; return whether this changes something. A suspended one keeps its time.

        Nobody gets tokens for it from now on, its events are not sent, and it is not started. Access tokens live out
        their 15 minutes. Raises NotFound and Unavailable.
        """
        known = self._known(app)
        if known.suspended is not None and known.suspension_reason == reason:
            return False
        self._update(app, Update({"sp": known.suspended or self._clock(), "sr": reason}))
        return True

    def restore(self, app: str) -> bool:
        """End the suspension of an app; return whether it was suspended. Raises NotFound and Unavailable."""
        if self._known(app).suspended is None:
            return False
        self._update(app, Update(removes=["sp", "sr"]))
        return True

    def _known(self, app: str) -> App:
        """Return an app without its secrets (strongly consistent). Raises NotFound."""
        known = self.from_item(self._dynamo.get(*self.place(app), consistent=True), with_secret=False)
        if known is None:
            raise _no_app(app)
        return known

    def list_part(self, cursor: str | None = None, count: int = COUNT) -> CursorPart[App]:
        """Return part of the list of apps, without secrets, in order of id. The index may lag."""
        ids, following = keys.part(self.ids(cursor, count + 1), count)
        items = self._dynamo.batch_get(map(self.place, ids), consistent=False)
        found = [self.from_item(items.get(self.place(app)), with_secret=False) for app in ids]
        return [app for app in found if app], following

    def ids(self, cursor: str | None = None, limit: int | None = None) -> Iterator[str]:
        """Yield the ids of all apps, in order, or at most `limit` of those after a cursor. The index may lag."""
        for item in self._dynamo.listed(self._table, LIST, keys.after("app#", cursor), limit=limit):
            yield keys.named(item, "pk")

    def close(self, app: str) -> bool:
        """Begin to delete an app: it is no longer found, and no page can add it. Return whether it exists."""
        return close(self._dynamo, self._counts, self._table, Kind.APPS, keys.app_key(app))

    def delete(self, app: str) -> bool:
        """Delete an app and its modules on pages. Return whether it existed. AppData deletes installs with their data.

        Raises Unavailable if something is left; a repeated call continues.
        """
        unused = equals("gone", True) & counts_nothing("modules")
        for turn, wait in enumerate(races()):
            if not self.close(app):
                return turn > 0  # In a later turn: another call has deleted it.
            self._pages.end_modules(app)
            self._end_endpoints(app)
            try:
                self._dynamo.settle(lambda: self._dynamo.delete(self._table, keys.app_key(app), unused))
            except Lost:
                self._dynamo.rest(wait)  # The index has not listed every module yet.
            else:
                return True
        raise Unavailable

    def _end_endpoints(self, app: str) -> None:
        rows = self._dynamo.query(self._table, keys.app_key(app)[0], beginning(keys.ENDPOINT), consistent=True)
        for key in map(key_of, list(rows)):
            self._dynamo.settle(partial(self._dynamo.delete, self._table, key))

    def _update(self, app: str, change: Update, condition: Condition = ALIVE) -> None:
        try:
            self._settle(app, change, condition)
        except Lost:
            raise _no_app(app) from None

    def _settle(self, app: str, change: Update, condition: Condition) -> None:
        self._dynamo.settle(lambda: self._dynamo.update(self._table, keys.app_key(app), change, condition))

    def _to_item(self, app: App) -> Item:
        values = {short: getattr(app, name) for name, short in (_ATTRIBUTES | {"suspension_reason": "sr"}).items()}
        times = {short: getattr(app, name) for name, short in _TIMES.items()}
        item = keys.row(keys.app_key(app.id), LIST) | {"k": {"BOOL": app.confidential}, "c": {"N": str(app.created)}}
        secrets = {"x": app.secret, "xo": app.old_secret if app.confidential else None}
        item |= {short: {"S": self._seals.seal(secret)} for short, secret in secrets.items() if secret}
        item |= {short: {"N": str(time)} for short, time in times.items() if time}
        item |= {short: _typed(value) for short, value in values.items() if value not in (None, "")}
        return with_texts(item)


def _no_app(app: str) -> NotFound:
    return NotFound(f"There is no app {app}")


def _texts(value: dict[str, Any]) -> tuple[str, ...]:
    return tuple(each["S"] for each in value["L"])


def _stored(value: Any) -> dict[str, Any] | None:
    """Return how a field's value is stored; None: it is absent."""
    return None if value is None or value == "" else _typed(value)


def _time(item: Item, attribute: str) -> int | None:
    return int(item[attribute]["N"]) if attribute in item else None


def _typed(value: Any) -> dict[str, Any]:
    if isinstance(value, tuple | list):
        return {"L": [{"S": each} for each in value]}
    return {"S": value.value if isinstance(value, Enum) else value}
