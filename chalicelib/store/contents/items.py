"""The items of contents, feeds, comments and favorites in the tables feeds, comments and favorites.

| table | item | pk | sk | list |
|---|---|---|---|---|
| feeds | a page's list of feeds (numbered_lists.py) | `<page>` | `h` | |
| feeds | feed that the page shows, an entry of that list | `<page>` | `c<number>` | `user#<poster>` |
| feeds | such a feed, hidden by a moderator | `<page>` | `C<number>` | `user#<poster>` |
| feeds | feed that the page does not show, hidden or not | `<page>` | `a#<generation>` | `user#<poster>` |
| feeds | note of data to clear (cleanup_notes.py) | `trash` | | |
| comments | head of a content, holder of its list of comments | `<content>` | `h` | |
| comments | comment, an entry of that list | `<content>` | `<generation>#c<number>` | `user#<poster>` |
| comments | comment, hidden by a moderator | `<content>` | `<generation>#C<number>` | `user#<poster>` |
| favorites | favorite | `<content>#<shard>` | `<generation>#<user>` | `user#<user>` |
| favorites | count of a shard, except the first, which the head counts | `<content>#<shard>` | `h` | |

`<content>` is a digest of page and contentUri. Every feed has its own *generation*, an id that sorts by time: data that
a deleted feed leaves behind have the old one, so they stay invisible when the same contentUri is posted again.

A head has `g` generation, `pg` page, `f` the feed's sort key, `p` poster, `fv` favorites counted here, and `k` the
number of shards if there are several; `ap` the app that is told of its events, if there is one, and then `ev`
the kinds and `u` contentUri (events.py). `on` and `oa` are the number and the time of the latest comment with a row in
the list of newest posts (post_rows.py), `hc` is the number of hidden comments. A hidden feed has `hd`, the time when it
was hidden, and so have its head and a hidden comment. A feed has `g`, `u` contentUri, `t` title, `b` body, `up` `um`
`us` URLs, `i` the keys of its images, `s` source name, `c` created (ms). A comment has `t` text, `r` the second half of
its id, `c` created; `ap` if its deletion will be told, and `o`, the distance to the comment whose row it belongs to. A
favorite has `c` created; a shard's count `g` and `fv`.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from chalicelib.core.base36 import base36, from_base36
from chalicelib.core.dates import compact
from chalicelib.core.errors import NotFound
from chalicelib.core.events import OF_CONTENTS, EventKind, ToldApp
from chalicelib.core.model.contents import Comment, Draft, Feed
from chalicelib.store.aws.conditions import PRESENT, Condition, absent, equals
from chalicelib.store.aws.items import Item, Key, Place, typed
from chalicelib.store.aws.transactions import Transaction
from chalicelib.store.contents.numbered_lists import HOLDER, hidden_key, is_entry, new_holder, number_of, total

NUMBER, RANDOM = 6, 7
"""Characters of a comment's number and of its random part in the comment's id."""
_DIGEST = 32
_SHOWN, _UNSHOWN = "c", "a#"
SORT_KEYS = (_SHOWN, _UNSHOWN, "C")
"""The prefixes of the sort keys of feeds."""
VISIBLE = PRESENT & absent("hd")
"""The condition that a head exists and its feed is not hidden."""
_FEED_TEXTS = {
    "u": "content_uri",
    "t": "title",
    "b": "body",
    "up": "pc_url",
    "um": "mobile_url",
    "us": "smartphone_url",
}


def content_of(page: str, content_uri: str) -> str:
    """Return the partition of a content: a digest (192 bits), so that it is short for any URI."""
    digest = hashlib.sha256(f"{page}\n{content_uri}".encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest).decode()[:_DIGEST]


def head_key(content: str) -> Key:
    """Return the key of a content's head."""
    return content, HOLDER


def generation_of(item: Item) -> str:
    """Return the generation that a head, a feed or a shard belongs to."""
    generation: str = item["g"]["S"]
    return generation


def generation_in(item: Item) -> str:
    """Return the generation that a comment or a favorite belongs to; its sort key begins with it."""
    sort_key: str = item["sk"]["S"]
    return sort_key.partition("#")[0]


def content_in(item: Item) -> str:
    """Return the content that a comment or a favorite belongs to."""
    partition: str = item["pk"]["S"]
    return partition.partition("#")[0]


def no_content() -> NotFound:
    """Return the error for a content that the page does not have."""
    return NotFound("There is no such content on the page")


def hidden_at(item: Item) -> int | None:
    """Return the time (ms) when a feed, the feed of a head, or a comment was hidden, or None."""
    return int(item["hd"]["N"]) if "hd" in item else None


def hidden_since(at: int | None) -> Item:
    """Return the attributes of a post that was hidden at that time (None: it is not hidden)."""
    return {} if at is None else {"hd": {"N": str(at)}}


def visible(head: Item | None, *, hidden: bool = False) -> Item:
    """Return a head. Raises NotFound without one, and if its feed is hidden, unless `hidden` asks for those, too."""
    if head is None or ("hd" in head and not hidden):
        raise no_content()
    return head


def hidden_comments(head: Item) -> int:
    """Return the number of hidden comments of a content."""
    return int(head["hc"]["N"]) if "hc" in head else 0


def prefix_of(head: Item) -> str:
    """Return the prefix of the sort keys of all items that belong to a head."""
    return f"{generation_of(head)}#"


def head_item(content: str, feed: Item, shards: int, told: ToldApp | None = None) -> Item:
    """Return the head of a new content with that feed; `told` is the app that is told of its events."""
    own = {"g": feed["g"], "pg": feed["pk"], "f": feed["sk"], "p": {"S": poster_of(feed)}, "fv": {"N": "0"}}
    if shards > 1:
        own["k"] = {"N": str(shards)}
    if "hd" in feed:
        own["hd"] = feed["hd"]
    if told and told.kinds & OF_CONTENTS:
        kinds = sorted(kind.value for kind in told.kinds & OF_CONTENTS)
        own |= {"ap": {"S": told.id}, "ev": {"SS": kinds}, "u": feed["u"]}
    return typed(head_key(content)) | new_holder() | own


def of_generation(generation: str) -> Condition:
    """Return the condition that the item exists and has that generation."""
    return equals("g", generation)


def by(user: str) -> str:
    """Return the name of the list of a user's posts."""
    return f"user#{user}"


def unshown_key(page: str, generation: str) -> Key:
    """Return the key of a feed that the page does not show."""
    return page, _UNSHOWN + generation


def feed_key(page: str, feed: str) -> Key:
    """Return the key of the feed with an id: its number in the page's list, or its generation if it has no number."""
    if feed.isascii() and feed.isdecimal() and len(feed) <= 10:
        return page, f"{_SHOWN}{int(feed):010}"
    return unshown_key(page, feed)


def hidden_feed_key(page: str, feed: str) -> Key:
    """Return the key that the feed with an id has while it is hidden."""
    key = feed_key(page, feed)
    return hidden_key(page, "", int(feed)) if is_entry(key[1]) else key


def is_shown(sort_key: str) -> bool:
    """Return whether the page shows the feed with that sort key, unless it is hidden."""
    return not sort_key.startswith(_UNSHOWN)


def is_listed(sort_key: str) -> bool:
    """Return whether the feed with that sort key is in its page's list: shown, and not hidden."""
    return is_entry(sort_key)


def feed_id(item: Item) -> str:
    """Return the id of a stored feed."""
    return str(number_of(item)) if is_shown(item["sk"]["S"]) else generation_of(item)


def feed_of(head: Item) -> str:
    """Return the id of the feed of a head."""
    key = head["f"]["S"]
    return str(number_of({"sk": {"S": key}})) if is_shown(key) else generation_of(head)


def feed_item(
    key: Key, generation: str, poster: str, draft: Draft, source_name: str, images: tuple[str, ...], created: int
) -> Item:
    """Return the item that stores a new feed; `draft` must have a contentUri."""
    texts = {short: {"S": value} for short, name in _FEED_TEXTS.items() if (value := getattr(draft, name))}
    own = {"list": {"S": by(poster)}, "g": {"S": generation}, "s": {"S": source_name}, "c": {"N": str(created)}}
    pictures = {"i": {"L": [{"S": image} for image in images]}} if images else {}
    return typed(key) | own | texts | pictures


def to_feed(item: Item, head: Item | None, more_favorites: int = 0) -> Feed:
    """Return the feed that an item stores, with the counts of its head."""
    texts = {name: item[short]["S"] if short in item else "" for short, name in _FEED_TEXTS.items()}
    return Feed(
        page=item["pk"]["S"],
        id=feed_id(item),
        **texts,
        images=tuple(image["S"] for image in item.get("i", {"L": []})["L"]),
        poster=poster_of(item),
        source_name=item["s"]["S"],
        created=int(item["c"]["N"]),
        favorites=favorites_in(head) + more_favorites,
        comments=total(head) if head else 0,
        shown=is_shown(item["sk"]["S"]),
        hidden=hidden_at(item),
    )


def poster_of(item: Item) -> str:
    """Return the user of a feed, a comment or a favorite."""
    listed: str = item["list"]["S"]
    return listed.partition("#")[2]


def favorites_in(holder: Item | None) -> int:
    """Return the number of favorites that a head or a shard counts."""
    return int(holder["fv"]["N"]) if holder else 0


def shards_of(head: Item) -> int:
    """Return the number of shards that count a content's favorites."""
    return int(head["k"]["N"]) if "k" in head else 1


def shard_of(user: str, head: Item) -> int:
    """Return the shard that has a user's favorite."""
    return hashlib.sha256(user.encode()).digest()[0] % shards_of(head)


def favorite_key(content: str, shard: int, generation: str, user: str) -> Key:
    """Return the key of a favorite."""
    return f"{content}#{shard}", f"{generation}#{user}"


def shard_key(content: str, shard: int) -> Key:
    """Return the key of the item that counts a shard's favorites: the head for the first shard."""
    return (f"{content}#{shard}", HOLDER) if shard else head_key(content)


def comment_item(
    key: Key,
    poster: str,
    text: str,
    random: str,
    created: int,
    told: ToldApp | None = None,
    distance: int | None = None,
) -> Item:
    """Return the item that stores a new comment.

    `told` is the app that is told of the content's events. `distance` leads to the comment whose row in the list of
    newest posts has this one (None: that list does not have it).
    """
    own = {"list": {"S": by(poster)}, "t": {"S": text}, "r": {"S": random}, "c": {"N": str(created)}}
    if told is not None and EventKind.COMMENT_DELETED in told.kinds:
        own["ap"] = {"S": told.id}
    if distance is not None:
        own["o"] = {"N": str(distance)}
    return typed(key) | own


def told_app(head: Item) -> ToldApp | None:
    """Return the app that is told of the events of a head's content, or None."""
    return ToldApp(head["ap"]["S"], frozenset(map(EventKind, head["ev"]["SS"]))) if "ap" in head else None


def tells_its_end(comment: Item) -> bool:
    """Return whether an app is told when this comment is deleted."""
    return "ap" in comment


def to_comment(item: Item, offset: int) -> Comment:
    """Return the comment that an item stores. Its id has the form of the original API: 13 characters and a time."""
    created = int(item["c"]["N"])
    name = base36(number_of(item), NUMBER) + item["r"]["S"]
    return Comment(f"{name}-{compact(created, offset)}", item["t"]["S"], poster_of(item), created, hidden_at(item))


def number_in(comment: str) -> tuple[int, str] | None:
    """Return the number and the random part in a comment's id, or None if the text cannot be such an id."""
    name, dash, time = comment.partition("-")
    well_formed = len(name) == NUMBER + RANDOM and name.isascii() and name.isalnum() and dash
    if not (well_formed and time.isascii() and time.isdecimal() and len(time) == 14):
        return None
    return from_base36(name[:NUMBER]), name[NUMBER:]


class NoteOfDeletion(Protocol):
    """Adds what tells of a deletion by an administrator to its transaction."""

    def __call__(self, write: Transaction, /, *, feed: str, poster: str) -> None: ...


@dataclass(frozen=True)
class Tables:
    """The names of the tables that store contents."""

    feeds: str
    comments: str
    favorites: str

    def heads(self, found: Mapping[Place, Item]) -> dict[str, Item]:
        """Return the heads among items that were read without comments, by content."""
        return {key[0]: item for (table, key), item in found.items() if table == self.comments}
