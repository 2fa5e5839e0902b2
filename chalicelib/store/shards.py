"""The shards that count a content's favorites, where there are several; the first of them is its head."""

from collections import Counter
from collections.abc import Mapping

from chalicelib.store.aws.client import Dynamo
from chalicelib.store.aws.iam_needs import on_table
from chalicelib.store.aws.items import Item
from chalicelib.store.contents.feed_posting import Tables
from chalicelib.store.contents.items import favorites_in, generation_of, shard_key, shards_of

NEEDS = (on_table("favorites", "BatchGetItem"),)


def more_favorites(dynamo: Dynamo, tables: Tables, heads: Mapping[str, Item]) -> Counter[str]:
    """What shards count besides these heads, by content: one call, none where no content has any."""
    places = {
        (tables.favorites, shard_key(content, shard)): content
        for content, head in heads.items()
        for shard in range(1, shards_of(head))
    }
    more: Counter[str] = Counter()
    for place, item in dynamo.batch_get(places, consistent=False).items():
        if generation_of(item) == generation_of(heads[places[place]]):
            more[places[place]] += favorites_in(item)
    return more
