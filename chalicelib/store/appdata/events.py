"""The event `data.changed`: it is written in the transaction of each accepted write, and names only keys."""

from collections.abc import Iterable

from chalicelib.core.events import EventKind
from chalicelib.store.appdata.ledger import Ledger
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.events.log import EventLog


class DataEvents:
    """The events of the data of one deployment, for apps that asked for them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def changed(self, write: Transaction, ledger: Ledger, keys: Iterable[str] | None) -> None:
        """Tell of a write that made this ledger and changed these keys (None: it deleted all).

        The ledger's version is the sequence number: it increases by one with each write.
        """
        what = {"all": True} if keys is None else {"keys": sorted(keys)}
        data = {"user": ledger.user, **what}
        self._log.note(write, ledger.app, EventKind.DATA_CHANGED, f"data/{ledger.user}", ledger.version, data)
