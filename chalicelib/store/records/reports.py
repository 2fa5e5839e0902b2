"""Reports of posts, by case (core/reports.py), in the table records.

| item | pk | sk | attributes |
|---|---|---|---|
| open case | `reports#open` | `<case>` | `t` post, `p` poster, `n` reports, `at` latest, `r_<reason>` their numbers |
| handled case | `reports#done` | `<case>` | the same, and `oc` outcome, `w` word, `by` who handled it, `d` when |
| the open case of a post | `reported#<post>` | `#` | `c` case |
| report | `report#<case>` | `<user>` | `t` post, `re` reason, `w` words, `at` |
| report in the list of its person | `reporter#<user>` | `case#<case>` | |
| number of a person's reports in a day | `reporter#<user>` | `day#<date>` | `n` |

All have `ttl`. A case's id sorts by the time of its first report, so that a list of cases keeps its order while more
reports come in. A report is one transaction, and so is the handling of a case, whatever the number of its reports.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from chalicelib.core.actions import is_action_id, new_action_id, time_of_action
from chalicelib.core.cursor import from_cursor, to_cursor
from chalicelib.core.errors import Conflict, NotFound, Unavailable
from chalicelib.core.moderation import Post, post_named
from chalicelib.core.reports import MOST_A_DAY, REPORT_DAYS, Case, Report, ReportOutcome, ReportReason, TooManyReports
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import ABSENT, PRESENT, absent, equals, less
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, SWEEP, on_table
from chalicelib.store.aws.items import Item, Key, beginning, key_of, typed
from chalicelib.store.aws.transactions import Transaction, Update

NEEDS = (
    on_table("records", "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem"),
    # The reports of an erased person.
    on_table("records", "Query", "BatchWriteItem", by=(API, SWEEP)),
)

MOST_SHOWN = 100
"""The most reports of a case that are listed."""
_OPEN, _DONE = "reports#open", "reports#done"
_DAY_SECONDS = 86_400
_CASE = "case#"


class Reports:
    """The reports of one deployment. `clock` returns milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def report(self, post: Post, user: str, reason: ReportReason, words: str, poster: str = "") -> Report:
        """Store a report of a post by `poster`, and return it.

        Raises Conflict (the person has reported the post, and it is not handled yet), TooManyReports and Unavailable.
        """
        for wait in races():
            now = self._clock()
            known = self._dynamo.get(self._table, _pointer_key(post), consistent=True)
            case = known["c"]["S"] if known else new_action_id(now)
            ttl = _ttl(now)
            about = {"t": {"S": post.name}, "re": {"S": reason.value}, "at": {"N": str(now)}, **ttl}
            said = {"w": {"S": words}} if words else {}
            write = Transaction()
            write.put("report", self._table, typed(_report_key(case, user)) | about | said, ABSENT)
            write.put("own", self._table, typed((_of(user), _CASE + case)) | ttl)
            day = (_of(user), f"day#{datetime.fromtimestamp(now / 1000, UTC):%Y-%m-%d}")
            counted = Update({"ttl": {"N": str(now // 1000 + 2 * _DAY_SECONDS)}}, adds={"n": 1})
            write.update("day", self._table, day, counted, absent("n") | less("n", MOST_A_DAY))
            if known:
                more = Update({"at": now}, adds={"n": 1, f"r_{reason.value}": 1})
                write.update("case", self._table, (_OPEN, case), more, PRESENT)
            else:
                first = {"n": {"N": "1"}, f"r_{reason.value}": {"N": "1"}, "at": {"N": str(now)}}
                of = {"t": {"S": post.name}} | ({"p": {"S": poster}} if poster else {})
                write.put("case", self._table, typed((_OPEN, case)) | of | first | ttl, ABSENT)
                write.put("post", self._table, typed(_pointer_key(post)) | {"c": {"S": case}} | ttl, ABSENT)
            try:
                self._dynamo.commit(write)
            except Lost as lost:
                if lost.failed("report"):
                    raise Conflict("You have reported this post already") from None
                if lost.failed("day"):
                    raise TooManyReports from None
                # Another began a case, or a moderator handled it. An expired case may have left its post's item.
                if known and lost.failed("case") and self.get(case) is None:
                    self._dynamo.delete_all(self._table, [_pointer_key(post)])
                self._dynamo.rest(wait)
            else:
                return Report(case, post, user, reason, words, now)
        raise Unavailable

    def has_reported(self, post: Post, user: str) -> bool:
        """Return whether a person has reported a post that is not handled yet."""
        known = self._dynamo.get(self._table, _pointer_key(post), consistent=True)
        if known is None:
            return False
        return self._dynamo.get(self._table, _report_key(known["c"]["S"], user), consistent=True) is not None

    def list_part(self, cursor: str | None, count: int, *, handled: bool = False) -> tuple[list[Case], str | None]:
        """Return part of the open or of the handled cases, those that began last first, and the next cursor.

        Raises ParameterInvalid (cursor).
        """
        partition = _DONE if handled else _OPEN
        items = self._backwards(partition, "", cursor, count)
        return [_to_case(item) for item in items[:count]], _next(items, count, "")

    def get(self, case: str) -> Case | None:
        """Return a case, open or handled (strongly consistent), or None."""
        opened, done = self._items(case)
        item = opened or done
        return _to_case(item) if item else None

    def get_open(self, case: str) -> Case:
        """Return an open case (strongly consistent). Raises NotFound and Conflict (it was handled before)."""
        return _to_case(self._open_item(case))

    def of_case(self, case: str, after: str = "", count: int = MOST_SHOWN) -> list[Report]:
        """Return the reports of a case by users after `after`, in order of user, at most `count`."""
        span = (f"{after}!", "~")
        items = self._dynamo.query(self._table, f"report#{case}", span, consistent=False, limit=count)
        return list(map(_to_report, items))

    def handle(self, case: str, outcome: ReportOutcome, word: str, by: str) -> Case:
        """Close a case and return it. Raises NotFound, Conflict (it was handled before) and Unavailable."""
        for wait in races():
            write = Transaction()
            closed = self.close(write, case, outcome, word, by)
            try:
                self._dynamo.commit(write)
            except Lost:
                self._dynamo.rest(wait)  # Another report came in, or another moderator was first.
            else:
                return closed
        raise Unavailable

    def close(self, write: Transaction, case: str, outcome: ReportOutcome, word: str, by: str) -> Case:
        """Add the closing of a case to the transaction of what is done with its post; return the closed case.

        The transaction is lost if another report comes in. Raises NotFound and Conflict (it was handled before).
        """
        item, now = self._open_item(case), self._clock()
        handled = {"oc": {"S": outcome.value}, "by": {"S": by}, "d": {"N": str(now)}, **_ttl(now)}
        said = {"w": {"S": word}} if word else {}
        closed = item | typed((_DONE, case)) | handled | said
        pointer = _pointer_key(post_named(item["t"]["S"]))
        write.delete("open case", self._table, (_OPEN, case), equals("n", int(item["n"]["N"])))
        write.put("handled case", self._table, closed, ABSENT)
        write.delete("case of the post", self._table, pointer, absent() | equals("c", case))
        return _to_case(closed)

    def of_user(
        self, user: str, cursor: str | None, count: int, *, consistent: bool = False
    ) -> tuple[list[tuple[Report, Case]], str | None]:
        """Return part of a person's reports with their cases, the newest cases first, and the next cursor.

        It takes two calls. `consistent` is for the first read after a report; it doubles their cost. Raises
        ParameterInvalid (cursor).
        """
        items = self._backwards(_of(user), _CASE, cursor, count, consistent=consistent)
        cases = [item["sk"]["S"].removeprefix(_CASE) for item in items[:count]]
        keys = [((_OPEN, case), (_DONE, case), _report_key(case, user)) for case in cases]
        found = self._dynamo.batch_get([(self._table, key) for some in keys for key in some], consistent=consistent)
        reports = []
        for some in keys:
            opened, done, own = (found.get((self._table, key)) for key in some)
            known = done or opened
            if known and own:
                reports.append((_to_report(own), _to_case(known)))
        return reports, _next(items, count, _CASE)

    def erase(self, user: str) -> int:
        """Delete a person's reports, also from their cases, which keep their counts; return their number."""
        own = [key_of(item) for item in self._dynamo.query(self._table, _of(user), consistent=True, only="pk, sk")]
        cases = [sort_key.removeprefix(_CASE) for _, sort_key in own if sort_key.startswith(_CASE)]
        self._dynamo.delete_all(self._table, [_report_key(case, user) for case in cases])
        self._dynamo.delete_all(self._table, own)
        return len(cases)

    def _items(self, case: str) -> tuple[Item | None, Item | None]:
        """Return the items of a case, if it is open and if it was handled (strongly consistent)."""
        if not is_action_id(case):
            return None, None
        opened, done = ((self._table, (partition, case)) for partition in (_OPEN, _DONE))
        found = self._dynamo.batch_get([opened, done], consistent=True)
        return found.get(opened), found.get(done)

    def _open_item(self, case: str) -> Item:
        opened, done = self._items(case)
        if done:
            raise Conflict("The report was handled already")
        if opened is None:
            raise NotFound("There is no such report")
        return opened

    def _backwards(
        self, partition: str, prefix: str, cursor: str | None, count: int, *, consistent: bool = False
    ) -> list[Item]:
        """Return up to `count` + 1 items before the cursor's, in descending order."""
        first, last = beginning(prefix)
        if cursor is not None:
            last = prefix + from_cursor(cursor)
        found = self._dynamo.query(
            self._table, partition, (first or " ", last), consistent=consistent, limit=count + 2, backwards=True
        )
        items = [item for item in found if cursor is None or item["sk"]["S"] != last]
        return items[: count + 1]


def _next(items: list[Item], count: int, prefix: str) -> str | None:
    return to_cursor(items[count - 1]["sk"]["S"].removeprefix(prefix)) if len(items) > count else None


def _of(user: str) -> str:
    return f"reporter#{user}"


def _report_key(case: str, user: str) -> Key:
    return f"report#{case}", user


def _pointer_key(post: Post) -> Key:
    return f"reported#{post.name}", "#"


def _ttl(now: int) -> Item:
    return {"ttl": {"N": str(now // 1000 + REPORT_DAYS * _DAY_SECONDS)}}


def _to_report(item: Item) -> Report:
    return Report(
        item["pk"]["S"].partition("#")[2],
        post_named(item["t"]["S"]),
        item["sk"]["S"],
        ReportReason(item["re"]["S"]),
        item["w"]["S"] if "w" in item else "",
        int(item["at"]["N"]),
    )


def _to_case(item: Item) -> Case:
    reasons = {reason: int(item[f"r_{reason.value}"]["N"]) for reason in ReportReason if f"r_{reason.value}" in item}
    return Case(
        id=item["sk"]["S"],
        post=post_named(item["t"]["S"]),
        poster=item["p"]["S"] if "p" in item else "",
        first=time_of_action(item["sk"]["S"]),
        latest=int(item["at"]["N"]),
        reports=int(item["n"]["N"]),
        reasons=reasons,
        outcome=ReportOutcome(item["oc"]["S"]) if "oc" in item else None,
        word=item["w"]["S"] if "w" in item else "",
        by=item["by"]["S"] if "by" in item else "",
        handled=int(item["d"]["N"]) if "d" in item else None,
    )
