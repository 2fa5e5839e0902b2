"""The action log in the table records: one item for each action, which expires after ENGAWA_LOG_DAYS.

| item | pk | sk | attributes |
|---|---|---|---|
| action | `log#<year>-<month>` | `<id>` | `a` actor, `k` kind, `t` target, `w` reason, `b`, `f`, `r`, `o`, `ttl` |

`b` and `f` have what changed, before and after, as JSON; `r` is the request, `o` the outcome. Empty ones are absent.
A month is one partition: it takes some 500 actions a second, and the newest entries are read with one or two queries,
however few there are.

An action is logged in one of two ways. If it is one transaction, its entry is a part of it (`add`). If not, the entry
is stored before it (`begin`), so that no action is without one, and the outcome after it (`finish`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from chalicelib.core.actions import (
    ActionFilter,
    ActionKind,
    LoggedAction,
    Outcome,
    bounded,
    first_action_id,
    first_of_month,
    is_action_id,
    month_of,
    months,
    new_action_id,
    time_of_action,
)
from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.errors import ParameterInvalid
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Transaction

NEEDS = (on_table("records", "PutItem", "DeleteItem", "Query"),)

MOST_READ = 100
"""The most entries that one step of a part of the list reads: of usual size, some five read units."""
MONTHS_AT_ONCE = 12
RECENT_MS = 8 * 86_400_000
"""The first step of a part reads the months of this time: one or, around the first day of a month, two of them."""
_DAY_MS = 86_400_000
_PADDING = "0" * 7
"""Makes an id of the text that sorts before all ids of a time."""


ReadMonths = Mapping[str, list[LoggedAction]]
"""The newest entries of some months that are in a part of the log."""


class ActionLog:
    """The action log of a deployment. `clock` returns milliseconds since the epoch; entries are kept for `days`."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int], days: int) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock
        self._days = days

    def new(self, actor: str, kind: ActionKind, target: str, request: str, **more: Any) -> LoggedAction:
        """Return an entry that begins now and is not stored."""
        now = self._clock()
        return LoggedAction(new_action_id(now), now, actor, kind.value, target, request, **more)

    def add(self, write: Transaction, action: LoggedAction) -> None:
        """Add an entry to the transaction of its action: it is stored exactly if the action happens."""
        write.put("action log", self._table, self._item(replace(action, outcome=Outcome.DONE)))

    def begin(self, action: LoggedAction) -> None:
        """Store an entry before its action. Raises Unavailable: then the action must not happen."""
        # Ids are random: an entry that exists is that of an earlier try. A late try does not replace the outcome.
        with suppress(Lost):
            self._dynamo.settle(lambda: self._dynamo.put(self._table, self._item(action), ABSENT))

    def finish(self, action: LoggedAction, outcome: Outcome) -> None:
        """Store an entry again, with the outcome of its action. Raises Unavailable: then its outcome stays unknown."""
        item = self._item(replace(action, outcome=outcome))
        self._dynamo.settle(lambda: self._dynamo.put(self._table, item))

    def forget(self, action: LoggedAction) -> None:
        """Delete the entry of an action that changed nothing. Raises Unavailable."""
        self._dynamo.settle(lambda: self._dynamo.delete(self._table, _key(action.id)))

    def part(
        self, wanted: ActionFilter, cursor: str | None, count: int, begun: ReadMonths | None = None
    ) -> tuple[list[LoggedAction], str | None]:
        """Return at most `count` entries, the newest first, and the next cursor; eventually consistent.

        It reads some MOST_READ entries in each of two steps: RECENT_MS, and MONTHS_AT_ONCE months before. So a part may
        have fewer than `count` entries, even none, although there are more. `begun` is what `begin_part` returned for
        the same part. Raises ParameterInvalid for a malformed cursor.
        """
        since, before, left = self._bounds(wanted, cursor)
        recent = _recent(since, before)
        found: list[LoggedAction] = []
        for asked, read in ((recent, begun), (left[len(recent) :][:MONTHS_AT_ONCE], None)):
            left = left[len(asked) :]
            limit = _limit(wanted, count - len(found), len(asked))
            read = read or self._read(asked, (first_action_id(since), before), limit)
            for month, entries in read.items():
                for entry in entries:
                    if wanted.matches(entry) and entry.id < before:
                        if len(found) == count:
                            return found, to_cursor(before)
                        found.append(entry)
                    before = min(before, entry.id)
                if len(entries) == limit:
                    return found, to_cursor(before)
                before = first_action_id(first_of_month(month)) + _PADDING
        return found, to_cursor(before) if left else None

    def begin_part(self, wanted: ActionFilter, cursor: str | None, count: int) -> ReadMonths:
        """Make the first calls of `part`, so that they can be made in parallel to another."""
        since, before, _ = self._bounds(wanted, cursor)
        recent = _recent(since, before)
        return self._read(recent, (first_action_id(since), before), _limit(wanted, count, len(recent)))

    def _bounds(self, wanted: ActionFilter, cursor: str | None) -> tuple[int, str, list[str]]:
        """Return the time and the id between which a part is, and the months there, the newest first."""
        now = self._clock()
        since = max(wanted.since, now - self._days * _DAY_MS, 0)
        before = first_action_id(min(wanted.until, now + _DAY_MS))
        if cursor is not None:
            before = min(before, _bound(cursor))
        return since, before, months(since, time_of_action(before) + 1)

    def _read(self, asked: Sequence[str], span: tuple[str, str], limit: int) -> ReadMonths:
        """Return the newest entries of the asked months, at most `limit` of each."""

        def read(month: str) -> list[LoggedAction]:
            items = self._dynamo.query(self._table, f"log#{month}", span, consistent=False, limit=limit, backwards=True)
            return list(map(_from_item, items))

        return dict(zip(asked, side_by_side([partial(read, month) for month in asked]), strict=True))

    def _item(self, action: LoggedAction) -> Item:
        item = typed(_key(action.id)) | {
            "a": {"S": action.actor},
            "k": {"S": action.kind},
            "t": {"S": action.target},
            "r": {"S": action.request},
            "ttl": {"N": str(action.at // 1000 + self._days * 86_400)},
        }
        texts = {"w": action.reason, "b": _json(action.before), "f": _json(action.after)}
        if action.outcome is not Outcome.UNKNOWN:
            texts["o"] = action.outcome.value
        return item | {name: {"S": text} for name, text in texts.items() if text}


def _recent(since: int, before: str) -> list[str]:
    """Return the months that the first step of a part reads."""
    latest = time_of_action(before)
    return months(max(since, latest - RECENT_MS), latest + 1)


def _limit(wanted: ActionFilter, count: int, size: int) -> int:
    """Return how many entries to read of each of `size` months for a part of `count`.

    One entry more than `count` says whether another part follows.
    """
    most = MOST_READ // max(size, 1)
    return most if wanted.is_narrow else min(most, count + 1)


def _bound(cursor: str) -> str:
    """Return the id in a cursor: the list continues with the entries before it. Raises ParameterInvalid."""
    id = from_cursor(cursor)
    if not is_action_id(id):
        raise ParameterInvalid("cursor does not belong to this list")
    return id


def _key(id: str) -> Key:
    return f"log#{month_of(time_of_action(id))}", id


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(bounded(values), ensure_ascii=False, separators=(",", ":")) if values else ""


def _from_item(item: Item) -> LoggedAction:
    def text(name: str) -> str:
        return item[name]["S"] if name in item else ""

    id = item["sk"]["S"]
    return LoggedAction(
        id=id,
        at=time_of_action(id),
        actor=text("a"),
        kind=text("k"),
        target=text("t"),
        request=text("r"),
        reason=text("w"),
        before=json.loads(text("b") or "{}"),
        after=json.loads(text("f") or "{}"),
        outcome=Outcome(text("o")) if "o" in item else Outcome.UNKNOWN,
    )
