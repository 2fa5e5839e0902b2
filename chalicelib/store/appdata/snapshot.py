"""Reading the values of a ledger whole: as of one moment, though they are spread over many items.

A ledger of version V and own values read after it belong together exactly if none of them was written or deleted
after V. Own values carry the version that wrote them, and a ledger lists what it expects; where the two disagree,
another write has passed between the reads ("torn"), and the caller reads the ledger again.
"""

from collections.abc import Iterable

from chalicelib.core.appdata import utf8_bytes
from chalicelib.store.appdata import own_values
from chalicelib.store.appdata.ledger import SORT_KEY, Ledger, from_item
from chalicelib.store.appdata.own_values import OwnValue
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.item_size import READ_UNIT
from chalicelib.store.aws.items import Key, beginning

NEEDS = (on_table("appdata", "GetItem", "BatchGetItem", "Query"),)

AskedKeys = frozenset[str] | None
"""The keys asked for; None for every key."""


def inline_values(ledger: Ledger, keys: AskedKeys) -> dict[str, str]:
    """Those of the asked values that the ledger holds itself."""
    return {key: value for key, value in ledger.inline.items() if keys is None or key in keys}


def listed_keys(ledger: Ledger, keys: AskedKeys) -> list[str]:
    """Those of the asked keys whose values are own items that the ledger lists."""
    return [key for key in ledger.listed if keys is None or key in keys]


def unlisted_keys(ledger: Ledger, keys: AskedKeys) -> frozenset[str]:
    """Those of the keys asked by name that may be own items the ledger does not list."""
    if keys is None or not ledger.unlisted:
        return frozenset()
    return keys - ledger.inline.keys() - ledger.listed.keys()


def is_vague(ledger: Ledger, keys: AskedKeys) -> bool:
    """Whether own values that the ledger does not list may be among the asked ones."""
    return ledger.unlisted > 0 and (keys is None or bool(unlisted_keys(ledger, keys)))


def lookups(ledger: Ledger, keys: AskedKeys) -> int:
    """Read units that finding the unlisted values among the asked ones may take: one a name, or one pass over all."""
    return min(len(unlisted_keys(ledger, keys)), _one_pass(ledger))


def _one_pass(ledger: Ledger) -> int:
    """Read units of reading every value of the ledger at once."""
    return ledger.total // READ_UNIT + 1


def asked_bytes(ledger: Ledger, keys: AskedKeys) -> int:
    """Bytes of the asked values, as far as the ledger knows them without reading further."""
    if keys is None:
        return ledger.total
    inline = sum(utf8_bytes(value) for value in inline_values(ledger, keys).values())
    return inline + sum(ledger.listed[key].size for key in listed_keys(ledger, keys))


class Values:
    """Collects the values of ledgers of one table. Keeps what it has read, so that a second try reads only the rest."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table
        self._read: dict[Key, OwnValue] = {}

    def prefetch(self, ledgers: Iterable[Ledger], keys: AskedKeys) -> None:
        """Read the listed own values of several ledgers side by side, so that `collect` finds them here."""
        listing = [ledger for ledger in ledgers if not is_vague(ledger, keys)]
        self._fetch([ledger.own_key(key) for ledger in listing for key in listed_keys(ledger, keys)], consistent=False)

    def collect(self, ledger: Ledger, keys: AskedKeys, *, consistent: bool) -> dict[str, str] | None:
        """The asked values that exist, all as of this ledger's version; None where they are torn.

        Listed values may be read eventually consistent, since their versions are checked against the ledger's list.
        """
        listed, unlisted = listed_keys(ledger, keys), unlisted_keys(ledger, keys)
        if ledger.unlisted and (keys is None or len(unlisted) > _one_pass(ledger)):
            return self._collect_all(ledger, keys)
        stale = [ledger.own_key(key) for key in listed if not self._is_current(ledger, key)]
        self._fetch(stale + [ledger.own_key(key) for key in unlisted], consistent=consistent or bool(unlisted))
        if not all(self._is_current(ledger, key) for key in listed):
            return None
        values = inline_values(ledger, keys) | {key: self._read[ledger.own_key(key)].value for key in listed}
        for key in unlisted:
            value = self._read.get(ledger.own_key(key))
            if value and value.version > ledger.version:
                return None
            if value:
                values[key] = value.value
        if not unlisted <= values.keys() and not self._still(ledger):
            return None
        return values

    def _collect_all(self, ledger: Ledger, keys: AskedKeys) -> dict[str, str] | None:
        """The asked values of a ledger that does not list all, by a query for all of them.

        None if the query's count or versions are not the ledger's: another write has passed between the two reads.
        """
        span = beginning(ledger.epoch)
        found, values = 0, inline_values(ledger, keys)
        for item in self._dynamo.query(self._table, ledger.partition, span, consistent=True):
            found += 1
            if own_values.version_of(item) > ledger.version:
                return None
            key = own_values.key_in(item, ledger)
            if keys is None or key in keys:
                values[key] = own_values.from_item(item).value
        return values if found == len(ledger.listed) + ledger.unlisted else None

    def _fetch(self, own_keys: list[Key], *, consistent: bool) -> None:
        places = [(self._table, key) for key in own_keys]
        for key in own_keys:
            self._read.pop(key, None)
        found = self._dynamo.batch_get(places, consistent=consistent) if places else {}
        self._read.update((key, own_values.from_item(item)) for (_, key), item in found.items())

    def _is_current(self, ledger: Ledger, key: str) -> bool:
        value = self._read.get(ledger.own_key(key))
        return value is not None and value.version == ledger.listed[key].version

    def _still(self, ledger: Ledger) -> bool:
        """Whether the ledger is unchanged: an unlisted key that was not found is then known not to exist."""
        item = self._dynamo.get(self._table, (ledger.partition, SORT_KEY), consistent=True)
        return item is not None and from_item(item).etag == ledger.etag
