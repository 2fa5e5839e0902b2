"""Notes of what has to be cleared away, in the transaction that leaves it behind (or before, where none can be).

| note | pk | sk | attributes |
|---|---|---|---|
| a deleted feed's comments, favorites and images | `trash` | `<generation>` | `p` content, `k` shards |
| an upload whose feed is not stored yet | `trash` | `<generation>` | `doomed` once it is being cleared |
| a deleted page's feeds | `trash` | `page#<page>` | |
| an erased user's posts, that a late one is found | `trash` | `user#<user>` | |

Each has `due`, the time (ms) from which the sweep takes it up; what is there at once goes through the queue before.
`told` is when the sweep has told the queue of it.
"""

from collections.abc import Callable
from contextlib import suppress

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT, PRESENT, absent, exists
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, SWEEP, on_table
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import Transaction, Update

NEEDS = (
    on_table("feeds", "PutItem"),
    on_table("feeds", "Query", by=(SWEEP,)),
    # The sweep notes that it told the queue, the cleaning that an upload comes too late.
    on_table("feeds", "UpdateItem", by=(SWEEP, CLEAN)),
    on_table("feeds", "GetItem", by=(CLEAN,)),
    # A post that is refused clears its own upload away, and its note.
    on_table("feeds", "BatchWriteItem", by=(API, CLEAN)),
)

PARTITION = "trash"
UPLOAD = "upload note"
"""The name in a transaction of the note that ends with it."""
PAGE, USER = "page#", "user#"
SOON_MS = 60_000
"""When the sweep looks for what the queue should have brought."""
UPLOAD_MS = 600_000
"""An upload whose feed has not come by then belongs to no request any more."""
LATE_MS = 120_000
"""How long something of an erased user may still arrive: a request under way, and the index behind its table."""
AGAIN_MS = 3_600_000
"""When the sweep tells the queue again: what takes long tells of itself, what fails has gone to the dead letters."""
_READ = 1_000


def note_key(note: str) -> Key:
    """A note."""
    return PARTITION, note


class CleanupNotes:
    """The notes in the table feeds. `clock` gives milliseconds since the epoch."""

    def __init__(self, dynamo: Dynamo, table: str, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._clock = clock

    def deleted(self, write: Transaction, generation: str, content: str, shards: int) -> None:
        """Add the note of what a deleted feed leaves to the transaction that deletes it."""
        left = {"p": {"S": content}, "k": {"N": str(shards)}}
        write.put("note", self._table, self._note(generation, SOON_MS) | left, ABSENT)

    def uploading(self, generation: str) -> None:
        """Note an upload before it begins."""
        # A transaction, for its token: a try that arrives late, the feed stored and the note gone, is no new one.
        write = Transaction()
        write.put("note", self._table, self._note(generation, UPLOAD_MS), ABSENT)
        self._dynamo.commit(write)

    def uploaded(self, write: Transaction, generation: str) -> None:
        """Add the end of that note to the transaction that stores the feed; UPLOAD fails once the note is doomed."""
        write.delete(UPLOAD, self._table, note_key(generation), exists() & absent("doomed"))

    def leave(self, note: str, after: int) -> None:
        """Note a page or a user (PAGE or USER and the id), to be due `after` milliseconds."""
        item = self._note(note, after)
        self._dynamo.settle(lambda: self._dynamo.put(self._table, item))

    def doom(self, generation: str) -> None:
        """From now on the feed of that upload cannot be stored any more. Raises Lost where the note is gone."""
        self._change(generation, Update({"doomed": True}))

    def get(self, note: str) -> Item | None:
        """A note."""
        return self._dynamo.get(self._table, note_key(note), consistent=True)

    def end(self, note: str) -> None:
        """What a note names is cleared away."""
        self._dynamo.delete_all(self._table, [note_key(note)])

    def is_due(self, note: Item) -> bool:
        """Whether its time has come."""
        return int(note["due"]["N"]) <= self._clock()

    def due(self, limit: int) -> list[str]:
        """Some of those whose time has come, and that were not told lately."""
        notes = self._dynamo.query(self._table, PARTITION, consistent=False, limit=_READ)
        return [note["sk"]["S"] for note in notes if self.is_due(note) and self._is_untold(note)][:limit]

    def told(self, note: str) -> None:
        """The queue was told of a note now, if it is still there."""
        with suppress(Lost):
            self._change(note, Update({"told": self._clock()}))

    def _change(self, note: str, change: Update) -> None:
        self._dynamo.settle(lambda: self._dynamo.update(self._table, note_key(note), change, PRESENT))

    def _is_untold(self, note: Item) -> bool:
        return "told" not in note or int(note["told"]["N"]) + AGAIN_MS <= self._clock()

    def _note(self, note: str, after: int) -> Item:
        return typed(note_key(note)) | {"due": {"N": str(self._clock() + after)}}
