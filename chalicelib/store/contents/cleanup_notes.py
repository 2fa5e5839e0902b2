"""Notes of data to clear, written in the transaction that leaves the data behind, or before it if that is impossible.

| note | pk | sk | attributes |
|---|---|---|---|
| a deleted feed's comments, favorites and images | `trash` | `<generation>` | `p` content, `k` shards |
| an upload whose feed is not stored yet | `trash` | `<generation>` | `doomed` once it is being cleared |
| a deleted page's feeds | `trash` | `page#<page>` | |
| an erased user's posts, so that late ones are found | `trash` | `user#<user>` | |

Each note has `due`, the time (ms) from which the sweep handles it; work that is ready at once goes through the queue
before that. `told` is the time when the sweep sent the note to the queue.
"""

from collections.abc import Callable
from contextlib import suppress

from chalicelib.core.overview import Waiting
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.conditions import ABSENT, PRESENT, absent, exists
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.iam_needs import API, CLEAN, SWEEP, on_table
from chalicelib.store.aws.items import Item, Key, typed
from chalicelib.store.aws.transactions import Transaction, Update
from chalicelib.store.contents.cleanup_queue import CleanupQueue

NEEDS = (
    on_table("feeds", "PutItem", by=(API, SWEEP)),
    # The check that an imported feed is not stored yet.
    on_table("comments", "ConditionCheckItem"),
    on_table("feeds", "Query", by=(API, SWEEP)),
    # The sweep stores that it sent a note to the queue, `clean` that an upload is too late or that the sweep must send
    # the note again.
    on_table("feeds", "UpdateItem", by=(SWEEP, CLEAN)),
    on_table("feeds", "GetItem", by=(CLEAN,)),
    # A refused post deletes its own upload and the note of it.
    on_table("feeds", "BatchWriteItem", by=(API, CLEAN)),
)

PARTITION = "trash"
UPLOAD = "upload note"
"""The name, in a transaction, of the upload's note that it deletes."""
PAGE, USER = "page#", "user#"
SOON_MS = 60_000
"""The sweep waits this long for work that the queue should do."""
UPLOAD_MS = 600_000
"""If an upload's feed is not stored by then, its request has ended."""
LATE_MS = 120_000
"""How long posts of an erased user may still appear: from a running request, or because an index lags."""
AGAIN_MS = 3_600_000
"""The sweep sends a note again after this time; long work queues itself, failed messages are dead letters by then."""
_READ = 1_000


def note_key(note: str) -> Key:
    """Return the key of a note."""
    return PARTITION, note


class CleanupNotes:
    """The cleanup notes in the table feeds, and the queue that they are sent to. `clock` returns milliseconds."""

    def __init__(self, dynamo: Dynamo, table: str, queue: CleanupQueue, clock: Callable[[], int]) -> None:
        self._dynamo = dynamo
        self._table = table
        self._queue = queue
        self._clock = clock

    def deleted(self, write: Transaction, generation: str, content: str, shards: int) -> None:
        """Add a note of what a deleted feed leaves behind to the transaction that deletes it."""
        left = {"p": {"S": content}, "k": {"N": str(shards)}}
        write.put("note", self._table, self._note(generation, SOON_MS) | left, ABSENT)

    def uploading(self, generation: str, also: Callable[[Transaction], None] = lambda write: None) -> None:
        """Write the note of an upload before it begins, with the parts that `also` adds. Raises Lost if one fails."""
        # A transaction has a token: a late retry, after the feed is stored and the note deleted, writes no new note.
        write = Transaction()
        write.put("note", self._table, self._note(generation, UPLOAD_MS), ABSENT)
        also(write)
        self._dynamo.commit(write)

    def uploaded(self, write: Transaction, generation: str) -> None:
        """Delete that note in the transaction that stores the feed; the part UPLOAD fails if the note is doomed."""
        write.delete(UPLOAD, self._table, note_key(generation), exists() & absent("doomed"))

    def leave(self, note: str, after: int) -> None:
        """Write a note of a page or a user (PAGE or USER and the id) that is due after `after` milliseconds."""
        item = self._note(note, after)
        self._dynamo.settle(lambda: self._dynamo.put(self._table, item))

    def send(self, note: str, number: int = 1) -> bool:
        """Send a note that is stored to the queue, for this round; return whether it was sent. If not, the sweep sends
        it.
        """
        return self._queue.tell(note if number == 1 else f"{note} {number}")

    def doom(self, generation: str) -> None:
        """Mark an upload so that its feed can no longer be stored. Raises Lost if the note is gone."""
        self._change(generation, Update({"doomed": True}))

    def get(self, note: str) -> Item | None:
        """Return the item of a note, or None."""
        return self._dynamo.get(self._table, note_key(note), consistent=True)

    def end(self, note: str) -> None:
        """Delete a note after all that it names is cleared."""
        self._dynamo.delete_all(self._table, [note_key(note)])

    def is_due(self, note: Item) -> bool:
        """Return whether a note is due."""
        return int(note["due"]["N"]) <= self._clock()

    def due(self, limit: int) -> list[str]:
        """Return some of the notes that are due and were not sent to the queue recently, at most `limit`."""
        notes = self._dynamo.query(self._table, PARTITION, consistent=False, limit=_READ)
        return [note["sk"]["S"] for note in notes if self.is_due(note) and self._is_untold(note)][:limit]

    def waiting(self, limit: int) -> Waiting:
        """Return the notes that are due, of at most `limit` that are read."""
        notes = list(self._dynamo.query(self._table, PARTITION, consistent=False, limit=limit))
        due = [int(note["due"]["N"]) for note in notes if self.is_due(note)]
        return Waiting(len(due), len(notes) == limit, min(due, default=None))

    def told(self, note: str) -> None:
        """Store that a note was sent to the queue now, if the note still exists."""
        with suppress(Lost):
            self._change(note, Update({"told": self._clock()}))

    def release(self, note: str) -> None:
        """Make a note due and remove `told`, so that the next sweep sends it, if the note still exists."""
        with suppress(Lost):
            self._change(note, Update({"due": self._clock()}, removes=("told",)))

    def _change(self, note: str, change: Update) -> None:
        self._dynamo.settle(lambda: self._dynamo.update(self._table, note_key(note), change, PRESENT))

    def _is_untold(self, note: Item) -> bool:
        return "told" not in note or int(note["told"]["N"]) + AGAIN_MS <= self._clock()

    def _note(self, note: str, after: int) -> Item:
        return typed(note_key(note)) | {"due": {"N": str(self._clock() + after)}}
