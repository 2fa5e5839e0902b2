"""Contents with very many comments, put into a world past everything: moto takes a minute for as many requests."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from bench.world import REGION, World
from chalicelib.core.ranks import FIRST, bit
from chalicelib.store.content_items import comment_item, content_of, head_key, prefix_of
from chalicelib.store.dynamo import BATCH_WRITE, typed
from chalicelib.store.itemsize import Item
from chalicelib.store.numbered import entry_key

TEXT = "縁側でお茶を飲みながら、話をした。" * 4
"""A comment as long as comments usually are."""


def flood(
    world: World, page: str, content_uri: str, count: int, posters: int, deleted: Callable[[int], bool] | None = None
) -> None:
    """Give a content, which has none, so many comments by so many users in turn, and delete those of some numbers.

    What is stored is what `count` posts and the deletions would have left.
    """
    platform, gone = world.platform, deleted or (lambda number: False)
    table, content = platform.settings.table("comments"), content_of(page, content_uri)
    head = world.dynamodb.get_item(TableName=table, Key=typed(head_key(content)))["Item"]
    numbers = range(FIRST, FIRST + count)
    left = [number for number in numbers if not gone(number)]
    entries = (
        comment_item(entry_key(content, prefix_of(head), number), user(number % posters), TEXT, "0000000", 0)
        for number in left
    )
    counted = head | {"n": {"N": str(len(left))}, "nx": {"N": str(FIRST + count)}}
    put_all(world, "comments", [counted, *entries, *_leaves(content, prefix_of(head), filter(gone, numbers))])


def user(turn: int) -> str:
    """The id of a user."""
    return f"u{turn:011}"


def _leaves(content: str, prefix: str, holes: Iterable[int]) -> Iterable[Item]:
    words: dict[int, dict[int, int]] = {}
    for number in holes:
        where = bit(number)
        leaf = words.setdefault(where.leaf, {})
        leaf[where.word] = leaf.get(where.word, 0) + where.value
    for each, bits in words.items():
        yield typed((content, f"{prefix}b{each:07}")) | {f"w{word}": {"N": str(value)} for word, value in bits.items()}


def put_all(world: World, table: str, items: Iterable[Item]) -> None:
    """Put items into one of a world's tables (`directory`, …), past everything and whatever stands there."""
    name = world.platform.settings.table(table)
    if os.environ.get("AWS_ENDPOINT_URL"):
        puts: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        for start in range(0, len(puts), BATCH_WRITE):
            world.dynamodb.batch_write_item(RequestItems={name: puts[start : start + BATCH_WRITE]})
        return
    stored: Any = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(name)
    for item in items:
        stored.put_item(item)
