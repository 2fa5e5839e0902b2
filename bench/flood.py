"""Very many comments and feeds, put directly into a world's tables: with requests, moto would need a minute."""

from collections.abc import Callable, Iterable, Iterator

from bench.seed import put_items
from chalicelib.core.model.contents import Draft
from chalicelib.core.numbered_list_index import FIRST, bit
from chalicelib.store.aws.items import Item, typed
from chalicelib.store.contents.items import comment_item, content_of, feed_item, head_item, head_key, prefix_of
from chalicelib.store.contents.numbered_lists import entry_key, holder_key, new_holder
from local.in_process import World

TEXT = "縁側でお茶を飲みながら、話をした。" * 4
"""A comment of usual length."""

REACH = 100
"""Number of entries stored around each place that is read."""

Numbers = Callable[[int], bool]
"""Selects some of the numbers of a list's entries."""


def flood(
    world: World,
    page: str,
    content_uri: str,
    count: int,
    posters: int,
    deleted: Numbers | None = None,
    only: Numbers | None = None,
) -> None:
    """Give a content without comments `count` comments by `posters` users in turn; delete those with `deleted` numbers.

    The stored items are those that the posts and the deletions would have left. With `only`, just the comments of these
    numbers are stored: enough for requests that touch no others, and the cost is the same.
    """
    content = content_of(page, content_uri)
    head = world.dynamodb.get_item(TableName=world.platform.settings.table("comments"), Key=typed(head_key(content)))
    counted, left = _counted(head["Item"], count, deleted, only)
    prefix = prefix_of(counted)
    entries = (
        comment_item(entry_key(content, prefix, number), user(number % posters), TEXT, "0000000", 0) for number in left
    )
    put_all(world, "comments", [counted, *entries, *_leaves(content, prefix, count, deleted)])


def flood_feeds(
    world: World, page: str, count: int, posters: int, deleted: Numbers | None = None, only: Numbers | None = None
) -> None:
    """Give a page without feeds `count` feeds, as `flood` does for comments."""
    counted, left = _counted(typed(holder_key(page)) | new_holder(), count, deleted, only)
    feeds, heads = [], []
    for number in left:
        uri = f"http://quest.example/contents/{number:010}"
        draft = Draft("新しいお菓子", "今日から、" * 20, "http://quest.example/", content_uri=uri)
        key = entry_key(page, "", number)
        feeds.append(feed_item(key, f"{number:013}", user(number % posters), draft, "クエスト (Quest)", (), 0))
        heads.append(head_item(content_of(page, uri), feeds[-1], 1))
    put_all(world, "feeds", [counted, *feeds, *_leaves(page, "", count, deleted)])
    put_all(world, "comments", heads)


def near(entries: int, place: int) -> Numbers:
    """Return a test whether an entry is near the newest of `entries` entries, or near the entry with number `place`."""
    return lambda number: number > entries - REACH or abs(number - place) < REACH


def user(turn: int) -> str:
    """Return the id of a user."""
    return f"u{turn:011}"


def _counted(holder: Item, count: int, deleted: Numbers | None, only: Numbers | None) -> tuple[Item, list[int]]:
    """Return the holder of a list after `count` entries and the deletions, and the numbers of the remaining entries."""
    numbers = range(FIRST, FIRST + count)
    left = [number for number in numbers if not (deleted and deleted(number))]
    counts = {"n": {"N": str(len(left))}, "nx": {"N": str(FIRST + count)}}
    return holder | counts, [number for number in left if only is None or only(number)]


def _leaves(partition: str, prefix: str, count: int, deleted: Numbers | None) -> Iterator[Item]:
    words: dict[int, dict[int, int]] = {}
    for number in filter(deleted, range(FIRST, FIRST + count)) if deleted else ():
        where = bit(number)
        leaf = words.setdefault(where.leaf, {})
        leaf[where.word] = leaf.get(where.word, 0) + where.value
    for each, bits in words.items():
        yield typed((partition, f"{prefix}b{each:07}")) | {
            f"w{word}": {"N": str(value)} for word, value in bits.items()
        }


def put_all(world: World, table: str, items: Iterable[Item]) -> None:
    """Put items directly into one of a world's tables (`directory`, …), and overwrite existing items."""
    put_items(world.dynamodb, world.platform.settings.table(table), items)
