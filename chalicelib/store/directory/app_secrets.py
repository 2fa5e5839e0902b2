"""The secrets of apps: rotation, notes of their use, and sealing with newer keys. They are in the app's item (apps.py).

A write to them has the condition that the secret is still the one that was read: so two operators at once, or a
repeated try, end no secret that the app's servers use.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from chalicelib.core.client_secrets import (
    OLD_SECRET_MS,
    WhichSecret,
    has_old_secret,
    matching_secret,
    replaces_unused,
    should_note_use,
)
from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.model.directory import App, new_secret
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ALIVE, AttributeValue, Condition, absent, equals
from chalicelib.store.aws.failures import Lost, StoreFailure
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Update
from chalicelib.store.directory import keys
from chalicelib.store.directory.apps import Apps
from chalicelib.store.directory.secret_sealing import SecretSealing

NEEDS = (on_table("directory", "GetItem", "UpdateItem"),)

T = TypeVar("T")

_OLD = ("xo", "xe", "xv")
_log = logging.getLogger(__name__)


class AppSecrets:
    """The secrets of the apps of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, seals: SecretSealing, apps: Apps, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._seals = seals
        self._apps = apps
        self._clock = clock

    def rotate(self, app: str, *, keep_old: bool = False, made: int | None = None) -> str:
        """Give a confidential app a new secret and return it in plain text.

        The old one becomes invalid at once, or, with `keep_old`, after 30 days or when it is ended. If the newest
        secret of two was never used, `keep_old` replaces that one. With `made`, the secret must be that of this time
        (`App.secret_created`). Raises NotFound, Conflict (a public app has none, with `keep_old` both secrets may be in
        use, or the secret is another) and Unavailable.
        """
        secret = new_secret()
        sealed = self._seals.seal(secret)
        for wait in races():
            item, known = self._read(app)
            if item["x"]["S"] == sealed:
                return secret  # An earlier try of this write, whose answer was lost.
            if made not in (None, known.secret_created):
                raise Conflict("The secret was rotated meanwhile")
            now = self._clock()
            sets: dict[str, AttributeValue] = {"x": sealed, "xc": now}
            if not keep_old:
                removes = ["xu", *_OLD]
            elif replaces_unused(known, now):
                removes = ["xu"]
            else:
                sets |= {"xo": item["x"], "xe": now + OLD_SECRET_MS} | ({"xv": item["xu"]} if "xu" in item else {})
                removes = ["xu"] + (["xv"] if "xu" not in item else [])
            if self._write(app, Update(sets, removes=removes), _unchanged(item)):
                return secret
            self._dynamo.rest(wait)
        raise Unavailable

    def end_old(self, app: str) -> bool:
        """End the old secret of an app; return whether it was still valid. Raises NotFound, Conflict, Unavailable."""
        for turn, wait in enumerate(races()):
            item, known = self._read(app)
            if "xo" not in item:
                return turn > 0  # In a later turn: an earlier try of this write, or another call, has ended it.
            if self._write(app, Update(removes=list(_OLD)), _unchanged(item)):
                return has_old_secret(known, self._clock())
            self._dynamo.rest(wait)
        raise Unavailable

    def matching(self, app: App | None, given: str) -> WhichSecret | None:
        """Return which secret of an app `given` is; None if it is not valid now."""
        return matching_secret(app, given, self._clock())

    def noting_use(self, app: App, which: WhichSecret, job: Callable[[], T]) -> T:
        """Return the result of `job`, the work of a request that a secret opened; note its use beside it.

        There is one note a day and secret, in one try: if it fails, the next use notes its day.
        """
        now = self._clock()
        if not should_note_use(app, which, now):
            return job()
        made: list[T] = []
        jobs: list[Callable[[], None]] = [partial(self._note_use, app, which, now), lambda: made.append(job())]
        side_by_side(jobs)
        return made[0]

    def _note_use(self, app: App, which: WhichSecret, now: int) -> None:
        if which is WhichSecret.CURRENT:
            change = Update({"xu": now})
            same = equals("xc", app.secret_created) if app.secret_created else absent("xc")
        else:
            change = Update({"xv": now})
            same = equals("xe", app.old_secret_until or 0)
        try:
            self._dynamo.update(self._table, keys.app_key(app.id), change, ALIVE & same)
        except (StoreFailure, Unavailable) as failure:
            _log.info("the use of a secret of app %s was not noted: %s", app.id, type(failure).__name__)

    def seal_anew(self) -> int:
        """Encrypt every secret with the newest key, so that older keys can be dropped. Return the number of secrets.

        Raises Sealed (no key opens a secret) and Unavailable; a repeated call starts from the beginning.
        """
        sealed = 0
        for app in self._apps.ids():
            for wait in races():
                stored = self._dynamo.get(*self._apps.place(app), consistent=True)
                held = [name for name in ("x", "xo") if name in (stored or {})]
                if stored is None or not held:
                    break
                fresh = Update({name: self._seals.seal(self._seals.open(stored[name]["S"])) for name in held})
                if self._write(app, fresh, _unchanged(stored)):
                    sealed += len(held)
                    break
                self._dynamo.rest(wait)
            else:
                raise Unavailable
        return sealed

    def _read(self, app: str) -> tuple[Item, App]:
        item = self._dynamo.get(*self._apps.place(app), consistent=True)
        known = self._apps.from_item(item, with_secret=False)
        if item is None or known is None:
            raise NotFound(f"There is no app {app}")
        if not known.confidential:
            raise Conflict("A public app has no secret")
        return item, known

    def _write(self, app: str, change: Update, condition: Condition) -> bool:
        """Change an app's item; return whether the condition held."""
        try:
            self._dynamo.settle(lambda: self._dynamo.update(self._table, keys.app_key(app), change, condition))
        except Lost:
            return False
        return True


def _unchanged(item: Item) -> Condition:
    """Return the condition that an app still has the same secrets."""
    same = equals("x", item["x"])
    return same & (equals("xo", item["xo"]) if "xo" in item else absent("xo"))
