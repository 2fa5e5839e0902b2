"""Migration: items of older formats are rewritten to the newest one, while the platform runs.

`STEPS` has the step from each format to the next: a pure function of a table's name and an item. Its result becomes an
update of what differs, under the condition that the item still exists, has the same number, and has the same values in
what differs. So a concurrent writer loses nothing, and nothing that was deleted returns.

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
from chalicelib.store.aws.items import Item, key_of
from chalicelib.store.aws.side_by_side import side_by_side
from chalicelib.store.aws.transactions import Update

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


class Migration:
    """The migration of all tables. `name` returns the full name of a table of the deployment."""

    def __init__(self, dynamo: Dynamo, name: Callable[[str], str], steps: Mapping[int, Step] = STEPS) -> None:
        self._dynamo = dynamo
        self._name = name
        self._steps = steps

    def run(self, part: MigrationPart) -> MigrationResult:
        """Rewrite the items of a part that have an older format (or count them). Idempotent. Raises Unavailable."""
        table = self._name(part.table)
        items, after = self._dynamo.scan(table, part.segment, SEGMENTS, part.after, limit=MOST_ITEMS)
        old = [item for item in items if format_of(item) < NEWEST]
        fresh = [upgraded(part.table, item, self._steps) for item in old]
        units = sum(write_units(max(map(item_size, pair))) for pair in zip(old, fresh, strict=True))
        newer = sum(format_of(item) > NEWEST for item in items)
        jobs = [] if part.check else [partial(self._rewrite, part.table, item) for item in old]
        return MigrationResult(len(items), len(old), newer, sum(side_by_side(jobs)), units, after)

    def _rewrite(self, table: str, item: Item) -> bool:
        """Rewrite an item; return False if it was deleted or another write has already raised its number."""
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
