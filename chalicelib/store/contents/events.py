"""The events of contents, for the app that posted the feed: each is written in the transaction that it tells of.

A content tells an app only if its head names one (`ap`), and only of the kinds there (`ev`): those that the app that
posted it had asked for then. So other contents and kinds cost nothing, and nothing is read to learn that.
"""

from chalicelib.core.events import EventKind, number_in_life
from chalicelib.core.model.contents import Comment
from chalicelib.store.aws.items import Item, typed
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.items import feed_id, generation_of, told_app
from chalicelib.store.events.log import EventLog


class ContentEvents:
    """The events of the contents of one deployment. `head` is always a head; nothing is done if it names no app."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def posted(self, write: Transaction, head: Item) -> None:
        """Tell of a new feed."""
        self._note(write, EventKind.FEED_POSTED, head, "", head["p"]["S"])

    def deleted(self, write: Transaction, head: Item) -> None:
        """Tell of a deleted feed. Its comments and favorites are deleted with it, without events."""
        self._note(write, EventKind.FEED_DELETED, head, "", head["p"]["S"])

    def commented(self, write: Transaction, head: Item, comment: Comment) -> None:
        """Tell of a new comment."""
        self._note(write, EventKind.COMMENT_POSTED, head, comment.id, comment.poster)

    def uncommented(self, write: Transaction, head: Item, comment: Comment) -> None:
        """Tell of a deleted comment."""
        self._note(write, EventKind.COMMENT_DELETED, head, comment.id, comment.poster)

    def liked(self, write: Transaction, head: Item, favorite: str, user: str) -> None:
        """Tell of a new favorite."""
        self._note(write, EventKind.FAVORITE_ADDED, head, favorite, user)

    def unliked(self, write: Transaction, head: Item, favorite: str, user: str) -> None:
        """Tell of a removed favorite."""
        self._note(write, EventKind.FAVORITE_REMOVED, head, favorite, user)

    def _note(self, write: Transaction, kind: EventKind, head: Item, one: str, user: str) -> None:
        told = told_app(head)
        if told is None or kind not in told.kinds:
            return
        page, generation, thing = head["pg"]["S"], generation_of(head), kind.value.partition(".")[0]
        feed = feed_id(typed((page, head["f"]["S"])) | {"g": head["g"]})
        data = {"page": page, "feed": feed, "contentUri": head["u"]["S"], "user": user} | ({thing: one} if one else {})
        # A feed's id may be given again on a page that was deleted and created again; a generation is not.
        subject = "/".join(filter(None, (thing, generation, one)))
        self._log.note(write, told.id, kind, subject, number_in_life(kind, told.kinds), data)
