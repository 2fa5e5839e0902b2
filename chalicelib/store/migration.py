"""Migration: items of older formats are rewritten to the newest one, while the platform runs.

`STEPS` has the step from each format to the next: a pure function of a table's name and an item. Its result becomes an
update of what differs, under the condition that the item still exists, has the same number, and has the same values in
what differs. So a concurrent writer loses nothing, and nothing that was deleted returns.

Users, apps and pages that lack rows of the search (directory/search_rows.py) get them; those, and installs, that are
not counted yet (directory/counts.py) are counted.

It is in store/, above the tables' modules, since it reads all tables. aws/formats.py has the table of formats.
"""

from collections.abc import Callable, Mapping
from functools import partial

from chalicelib.core.errors import Unavailable
from chalicelib.core.migration import MOST_ITEMS, SEGMENTS, TABLES, MigrationPart, MigrationResult
from chalicelib.store.aws.client import Dynamo, races
from chalicelib.store.aws.conditions import Condition, absent, equals, exists
from chalicelib.store.aws.failures import Lost
from chalicelib.store.aws.formats import ATTRIBUTE, FIRST, NEWEST, NUMBER, format_of, numbered
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.item_size import item_size, write_units
from chalicelib.store.aws.items import Item, Key, key_of
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Update
from chalicelib.store.directory.counts import Counts, counting_units, uncounted
from chalicelib.store.directory.search_rows import NamedItems, expected, is_named, texts_of

NEEDS = tuple(on_table(name, "Scan", "UpdateItem") for name in TABLES)

Step = Callable[[str, Item], Item]
"""A function of a table's name (without stage) and an item that returns the item in the next format."""


def _number_only(table: str, item: Item) -> Item:
    """Return the item unchanged: format 2 only adds the number."""
    return item


STEPS: Mapping[int, Step] = {1: _number_only}
"""The step from each format to the next."""
ROLLBACK = (
    "Versions before 0.2.0 ignore the number, so they read and write items of format 2, too: a rollback needs no "
    "restore. They write items of format 1; after the next upgrade, run this command again."
)
"""What a rollback to versions that do not know the newest format needs, for operators."""


def upgraded(table: str, item: Item, steps: Mapping[int, Step] = STEPS) -> Item:
    """Return an item in the newest format."""
    for number in range(format_of(item), NEWEST):
        item = steps[number](table, item)
    return numbered(item)


def rewriting(item: Item, fresh: Item) -> tuple[Update, Condition]:
    """Return the update that makes `fresh` of a stored item, and its condition."""
    number = format_of(item)
    condition = exists() & (absent(ATTRIBUTE) if number == FIRST else equals(ATTRIBUTE, number))
    names = (item.keys() | fresh.keys()) - {ATTRIBUTE}
    differing = sorted(name for name in names if item.get(name) != fresh.get(name))
    for name in differing:
        condition &= equals(name, item[name]) if name in item else absent(name)
    sets = {name: fresh[name] for name in differing if name in fresh} | {ATTRIBUTE: NUMBER}
    return Update(sets, removes=[name for name in differing if name not in fresh]), condition


def _lacks_rows(table: str, item: Item) -> bool:
    """Return whether an item needs other rows of the search than it has."""
    return table == "directory" and format_of(item) <= NEWEST and is_named(item) and expected(item) != texts_of(item)


def _units_of_rows(item: Item) -> int:
    """Return the write units of the rows that an item lacks; in a transaction each write costs two."""
    return 2 * len(expected(item) ^ texts_of(item)) + write_units(item_size(item))


class Migration:
    """The migration of all tables. `name` returns the full name of a table of the deployment."""

    def __init__(self, dynamo: Dynamo, name: Callable[[str], str], steps: Mapping[int, Step] = STEPS) -> None:
        self._dynamo = dynamo
        self._name = name
        self._steps = steps
        self._named = NamedItems(dynamo, name("directory"))
        self._counts = Counts(dynamo, name("directory"))

    def run(self, part: MigrationPart) -> MigrationResult:
        """Rewrite the items of a part that have an older format (or count them). Idempotent. Raises Unavailable."""
        table = self._name(part.table)
        items, after = self._dynamo.scan(table, part.segment, SEGMENTS, part.after, limit=MOST_ITEMS)
        old = [item for item in items if format_of(item) < NEWEST or _lacks_rows(part.table, item)]
        fresh = [upgraded(part.table, item, self._steps) for item in old]
        units = sum(write_units(max(map(item_size, pair))) for pair in zip(old, fresh, strict=True))
        units += sum(_units_of_rows(item) for item in old if _lacks_rows(part.table, item))
        newer = sum(format_of(item) > NEWEST for item in items)
        known = [item for item in items if format_of(item) <= NEWEST]
        to_count = uncounted(known) if part.table == "directory" else []
        units += counting_units(to_count)
        rewritten: set[Key] = set()
        if not part.check:
            found = side_by_side([partial(self._rewrite, part.table, item) for item in old])
            rewritten |= {key_of(item) for item, done in zip(old, found, strict=True) if done}
            rewritten |= self._counts.count_existing(to_count)
        changing = {key_of(item) for item in (*old, *to_count)}
        return MigrationResult(len(items), len(changing), newer, len(rewritten), units, after)

    def _rewrite(self, table: str, item: Item) -> bool:
        """Rewrite an item; return False if it was deleted or another write has already done so."""
        completed = _lacks_rows(table, item) and self._named.complete(key_of(item))
        return self._renumber(table, item) or completed

    def _renumber(self, table: str, item: Item) -> bool:
        if format_of(item) >= NEWEST:
            return False
        for wait in races():
            change, condition = rewriting(item, upgraded(table, item, self._steps))
            send = partial(self._dynamo.update, self._name(table), key_of(item), change, condition)
            try:
                self._dynamo.settle(send)
            except Lost as lost:
                if lost.item is None or format_of(lost.item) >= NEWEST:
                    return False
                item = lost.item
                self._dynamo.rest(wait)
            else:
                return True
        raise Unavailable
