"""Rows about posts in the table records, for moderators: the newest posts of the platform, and those that are hidden.

| row | pk | sk | attributes |
|---|---|---|---|
| new feed | `newest` | `<created>#<content>#` | `pg` page, `g` generation, `ttl` |
| new comments of a feed | `newest` | `<created>#<content>#<number>` | the same |
| hidden feed | `hidden` | `<hidden>#<content>#` | the same, and `by`, `re` who hid it and why |
| hidden comment | `hidden` | `<hidden>#<content>#<number>` | the same |

A row of comments names the first of them; each comment says how far behind the first of its row it is (`o`). A comment
begins a row if the latest row of its feed is older than OPEN_MS, or has MOST comments. So most comments of a busy feed
cost nothing more, a row never changes, and each comment belongs to one row, even if two of them begin one at the
same time. Rows have no texts. If the post is gone, readers skip its row.

The rows are in one partition: DynamoDB takes 1,000 write units a second there, that is 500 rows.
"""

from collections.abc import Mapping

from chalicelib.core.moderation import HIDDEN_DAYS, NEWEST_DAYS
from chalicelib.store.aws.conditions import AttributeValue
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.items import generation_of, hidden_at

NEWEST, HIDDEN = "newest", "hidden"
OPEN_MS = 600_000
MOST = 16
_DAY_SECONDS = 86_400


class PostRows:
    """The rows about posts of one deployment. Every method adds to the transaction that changes the post."""

    def __init__(self, table: str) -> None:
        self.table = table

    def posted(self, write: Transaction, head: Item, created: int) -> None:
        """Add the row of a new feed."""
        self._put_newest(write, head, None, created)

    def first_of(self, head: Item, number: int, created: int) -> int:
        """Return the number of the comment whose row has a new comment; its own number if it begins a row."""
        if "on" not in head:
            return number
        first, opened = int(head["on"]["N"]), int(head["oa"]["N"])
        return first if number - first < MOST and created - opened < OPEN_MS else number

    def commented(
        self, write: Transaction, head: Item, number: int, first: int, created: int
    ) -> dict[str, AttributeValue]:
        """Add the row that a new comment begins, if it does; return what the head must then store."""
        if first != number:
            return {}
        self._put_newest(write, head, number, created)
        return {"on": number, "oa": created}

    def hidden(self, write: Transaction, head: Item, number: int | None, at: int, note: Mapping[str, str]) -> None:
        """Add the row of a post that is being hidden: a comment, or the feed (None). `note`: `by` and `re`."""
        own = {name: {"S": text} for name, text in note.items() if text}
        key = hidden_row_key(head["pk"]["S"], number, at)
        write.put("hidden row", self.table, typed(key) | _attributes(head, at, HIDDEN_DAYS) | own)

    def no_longer_hidden(self, write: Transaction, content: str, number: int | None, post: Item) -> None:
        """Delete the row of a post that is shown again or deleted, if it is hidden."""
        at = hidden_at(post)
        if at is not None:
            write.delete("hidden row", self.table, hidden_row_key(content, number, at))

    def _put_newest(self, write: Transaction, head: Item, number: int | None, created: int) -> None:
        key = (NEWEST, _sort_key(created, head["pk"]["S"], number))
        write.put("newest row", self.table, typed(key) | _attributes(head, created, NEWEST_DAYS))


def hidden_row_key(content: str, number: int | None, at: int) -> Key:
    """Return the key of the row of a post that was hidden at that time (ms)."""
    return HIDDEN, _sort_key(at, content, number)


def post_in(row: Item) -> tuple[int, str, int | None]:
    """Return the time in a row's key, its content, and the number of its comment (None: the feed)."""
    time, content, number = row["sk"]["S"].split("#")
    return int(time), content, int(number) if number else None


def _sort_key(at: int, content: str, number: int | None) -> str:
    return f"{at:013}#{content}#{'' if number is None else number}"


def _attributes(head: Item, at: int, days: int) -> Item:
    return {"pg": head["pg"], "g": {"S": generation_of(head)}, "ttl": {"N": str(at // 1000 + days * _DAY_SECONDS)}}
