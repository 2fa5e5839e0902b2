"""Consistent reads of a ledger's values: all as of one moment, though they are stored in many items.

A ledger of version V and own values read after it are consistent exactly if none of the values was written or deleted
after V. An own value has the version that wrote it, and a ledger lists the versions it expects. If the two differ,
another write came between the reads (the read is "torn"), and the caller reads the ledger again.

A requested key that a ledger neither contains nor lists is an unlisted own value or does not exist; the look-up costs
the same. If there are at least as many such keys as a query of all own values has read units, that query (a "pass") is
made instead.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from chalicelib.core.appdata import utf8_bytes
from chalicelib.core.limits import Limits
from chalicelib.store.appdata import own_values
from chalicelib.store.appdata.ledger import SORT_KEY, AskedKeys, Ledger, from_item
from chalicelib.store.appdata.own_values import OwnValue
from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.item_size import read_units
from chalicelib.store.aws.items import Item, Key, Place, beginning
from chalicelib.store.aws.side_by_side import side_by_side

NEEDS = (on_table("appdata", "BatchGetItem", "Query"),)

_PASS_BYTES = 2_000_000
"""Two pages of a query always have room for this. A longer pass takes more calls, one after the other."""


def inline_values(ledger: Ledger, keys: AskedKeys) -> dict[str, str]:
    """Return the requested values that the ledger itself contains."""
    return {key: value for key, value in ledger.inline.items() if keys is None or key in keys}


def listed_keys(ledger: Ledger, keys: AskedKeys) -> list[str]:
    """Return the requested keys whose values are own items that the ledger lists."""
    return [key for key in ledger.listed if keys is None or key in keys]


def unlisted_keys(ledger: Ledger, keys: AskedKeys) -> frozenset[str]:
    """Return the requested keys that may be own items the ledger does not list; none if every key is requested."""
    if keys is None or not ledger.unlisted:
        return frozenset()
    return keys - ledger.inline.keys() - ledger.listed.keys()


def is_vague(ledger: Ledger, keys: AskedKeys) -> bool:
    """Return whether own values that the ledger does not list may be among the requested ones."""
    return ledger.unlisted > 0 and (keys is None or bool(unlisted_keys(ledger, keys)))


def reads_all(ledger: Ledger, keys: AskedKeys) -> bool:
    """Return whether a pass reads all own values: all keys are requested and some unlisted, or look-ups cost more."""
    if keys is None:
        return ledger.unlisted > 0
    names = len(unlisted_keys(ledger, keys))
    if not names:
        return False
    size = own_values.most_bytes(ledger)
    return size <= _PASS_BYTES and _pass_units(size) <= names


def lookups(ledger: Ledger, keys: AskedKeys) -> int:
    """Return the cost of reading the requested own values in units of the smallest read: one per key, or a pass's.

    A pass for every key counts as 0: it reads only values that are in the response.
    """
    if reads_all(ledger, keys):
        return 0 if keys is None else _pass_units(own_values.most_bytes(ledger))
    return len(listed_keys(ledger, keys)) + len(unlisted_keys(ledger, keys))


def _pass_units(size: int) -> int:
    """Return the most read units of a pass over `size` bytes; a unit may be lost at the end of its first page."""
    return int(read_units(size, consistent=True)) + 1


def asked_bytes(ledger: Ledger, keys: AskedKeys) -> int:
    """Return the bytes of the requested values, as far as the ledger alone tells them."""
    if keys is None:
        return ledger.total
    inline = sum(utf8_bytes(value) for value in inline_values(ledger, keys).values())
    return inline + sum(ledger.listed[key].size for key in listed_keys(ledger, keys))


def unlisted_bytes(ledger: Ledger, keys: AskedKeys) -> int:
    """Return the most bytes that the requested values outside the ledger's list can have."""
    names = ledger.unlisted if keys is None else min(ledger.unlisted, len(unlisted_keys(ledger, keys)))
    known = sum(map(utf8_bytes, ledger.inline.values())) + sum(each.size for each in ledger.listed.values())
    return min(ledger.total - known, names * Limits.value_bytes)


class Values:
    """A reader of the values of one table's ledgers. It keeps the values read, so a second try reads only the rest."""

    def __init__(self, dynamo: Dynamo, table: str) -> None:
        self._dynamo = dynamo
        self._table = table
        self._read: dict[Key, OwnValue] = {}

    def collect(self, ledger: Ledger, keys: AskedKeys, *, consistent: bool) -> dict[str, str] | None:
        """Return the requested values of one ledger, as `collect_all` does."""
        return self.collect_all([ledger], keys, consistent=consistent)[0]

    def collect_all(
        self, ledgers: Sequence[Ledger], keys: AskedKeys, *, consistent: bool
    ) -> list[dict[str, str] | None]:
        """Return the requested values of each ledger, all as of its version, or None if they are torn.

        Keys without a value are absent. Listed values may be read eventually consistent, since their versions are
        compared with the ledger's list.
        """
        at_once: list[Ledger] = []
        one_by_one: list[Ledger] = []
        for ledger in ledgers:
            (at_once if reads_all(ledger, keys) else one_by_one).append(ledger)
        found = dict(
            zip(
                (ledger.partition for ledger in at_once),
                side_by_side([partial(self._pass, ledger, keys) for ledger in at_once]),
                strict=True,
            )
        )
        found |= self._look_up(one_by_one, keys, consistent=consistent)
        return [found[ledger.partition] for ledger in ledgers]

    def sizes_of_unlisted(self, ledger: Ledger, keys: frozenset[str]) -> dict[str, int]:
        """Return the sizes in bytes of the unlisted own values among the keys, strongly consistent."""
        asked = unlisted_keys(ledger, keys)
        if reads_all(ledger, asked):
            items: Iterable[Item] = self._all(ledger)
        else:
            places = [(self._table, ledger.own_key(key)) for key in asked]
            items = self._dynamo.batch_get(places, consistent=True).values() if places else ()
        found = {own_values.key_in(item, ledger): item for item in items}
        return {key: utf8_bytes(own_values.from_item(found[key]).value) for key in asked & found.keys()}

    def _look_up(
        self, ledgers: Sequence[Ledger], keys: AskedKeys, *, consistent: bool
    ) -> dict[str, dict[str, str] | None]:
        """Return the requested values by the ledgers' partitions; read each own value by its key."""
        stale = [
            ledger.own_key(key)
            for ledger in ledgers
            for key in listed_keys(ledger, keys)
            if not self._is_current(ledger, key)
        ]
        names = [ledger.own_key(key) for ledger in ledgers for key in unlisted_keys(ledger, keys)]
        self._fetch(stale + names, consistent=consistent or bool(names))
        found = {ledger.partition: self._named(ledger, keys) for ledger in ledgers}
        # If the ledger is unchanged, a key that was not found does not exist.
        lacking = [
            ledger
            for ledger in ledgers
            if (values := found[ledger.partition]) is not None and not unlisted_keys(ledger, keys) <= values.keys()
        ]
        places: dict[str, Place] = {each.partition: (self._table, (each.partition, SORT_KEY)) for each in lacking}
        items = self._dynamo.batch_get(places.values(), consistent=True) if places else {}
        for ledger in lacking:
            item = items.get(places[ledger.partition])
            if item is None or from_item(item).etag != ledger.etag:
                found[ledger.partition] = None
        return found

    def _named(self, ledger: Ledger, keys: AskedKeys) -> dict[str, str] | None:
        """Return the requested values of a ledger from the values read so far, or None if they are torn."""
        listed = listed_keys(ledger, keys)
        if not all(self._is_current(ledger, key) for key in listed):
            return None
        values = inline_values(ledger, keys) | {key: self._read[ledger.own_key(key)].value for key in listed}
        for key in unlisted_keys(ledger, keys):
            value = self._read.get(ledger.own_key(key))
            if value and value.version > ledger.version:
                return None
            if value:
                values[key] = value.value
        return values

    def _pass(self, ledger: Ledger, keys: AskedKeys) -> dict[str, str] | None:
        """Return the requested values of a ledger by a query for all own values, or None if they are torn."""
        found, values = 0, inline_values(ledger, keys)
        for item in self._all(ledger):
            found += 1
            if own_values.version_of(item) > ledger.version:
                return None
            key = own_values.key_in(item, ledger)
            if keys is None or key in keys:
                values[key] = own_values.from_item(item).value
        return values if found == len(ledger.listed) + ledger.left_out + ledger.unlisted else None

    def _all(self, ledger: Ledger) -> Iterator[Item]:
        return self._dynamo.query(self._table, ledger.partition, beginning(ledger.epoch), consistent=True)

    def _fetch(self, own_keys: list[Key], *, consistent: bool) -> None:
        places = [(self._table, key) for key in own_keys]
        for key in own_keys:
            self._read.pop(key, None)
        found = self._dynamo.batch_get(places, consistent=consistent) if places else {}
        self._read.update((key, own_values.from_item(item)) for (_, key), item in found.items())

    def _is_current(self, ledger: Ledger, key: str) -> bool:
        value = self._read.get(ledger.own_key(key))
        return value is not None and value.version == ledger.listed[key].version
