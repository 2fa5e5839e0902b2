"""The invariants of events to apps, which hold between any two writes: what is there was told, and nothing else.

A scan is not a snapshot, so no client may write during it. Apps must ask for all kinds of events, or for none.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from chalicelib.core.base36 import base36
from chalicelib.core.events import LIVES, OF_CONTENTS, EventKind
from chalicelib.store.aws.items import Item
from chalicelib.store.contents.items import generation_of, poster_of, shards_of, to_comment, told_app
from tests.kit.invariants_contents import Contents

PARTITION = "event#"
_MADE = {life[0] for life in LIVES}

Subject = tuple[str, str, str]
"""The subject of an event of a content: `feed`, `comment` or `favorite`, the generation, and the id of the last two."""


class Told(NamedTuple):
    """An event, as stored."""

    kind: EventKind
    subject: str
    sequence: int
    data: dict[str, Any]

    @property
    def shown(self) -> tuple[Any, ...]:
        """The event without its id and time, which differ from run to run."""
        return self.kind.value, self.sequence, json.dumps(self.data, sort_keys=True)

    @property
    def content(self) -> Subject:
        """The subject of an event of a content. A comment's id is compared without the time in it."""
        thing, generation, one = (*self.subject.split("/"), "")[:3]
        return thing, generation, one.partition("-")[0] if thing == "comment" else one


class Events:
    """The events in the table ephemeral, as found by a scan."""

    def __init__(self, ephemeral: Iterable[Item]) -> None:
        self.all = [
            Told(EventKind(item["k"]["S"]), item["s"]["S"], int(item["n"]["N"]), json.loads(item["d"]["S"]))
            for item in ephemeral
            if item["pk"]["S"].startswith(PARTITION)
        ]

    def shown(self) -> list[tuple[Any, ...]]:
        """Return the events in an order that is the same in each run.

        Those of contents are left out, as they depend on more than the state: a comment may be deleted before its feed
        or with it. `wrongs` compares them with the contents.
        """
        return sorted(each.shown for each in self.all if each.kind not in OF_CONTENTS)

    def wrongs(self, contents: Contents) -> list[str]:
        """Return all violated invariants."""
        there: set[Subject] = set()
        silent: set[Subject] = set()
        for content, head in contents.heads.items():
            (there if told_app(head) else silent).update(_subjects(contents, content, head))
        generations = {generation_of(head) for head in contents.heads.values()}
        return [*self._wrongs(there, silent, generations)]

    def wrongs_of_data(self, versions: Mapping[str, int]) -> list[str]:
        """Return what is wrong with the events of data, by the number of writes of each user in the one install."""
        numbers: dict[str, list[int]] = {}
        for each in self.all:
            if each.kind is EventKind.DATA_CHANGED:
                numbers.setdefault(each.data["user"], []).append(each.sequence)
        return [
            f"the data of {user} have {version} writes, and the events {sorted(numbers.get(user, []))}"
            for user, version in versions.items()
            if sorted(numbers.get(user, [])) != list(range(1, version + 1))
        ]

    def _wrongs(self, there: set[Subject], silent: set[Subject], generations: set[str]) -> Iterator[str]:
        balance: Counter[Subject] = Counter(dict.fromkeys(there, 0))
        for each in self.all:
            if each.kind in OF_CONTENTS:
                balance[each.content] += 1 if each.kind in _MADE else -1
        for subject, count in balance.items():
            thing, generation, _ = subject
            # What is deleted together with its feed has no event of its own.
            right = {1} if subject in there else {0, 1} if thing != "feed" and generation not in generations else {0}
            if count not in right:
                yield f"{subject} was made and ended {count} times in the events, and not {right}"
        if odd := silent & {each.content for each in self.all if each.kind in OF_CONTENTS}:
            yield f"events that nobody asked for: {sorted(odd)}"


def scan(dynamodb: Any, prefix: str = "engawa-local-") -> Events:
    """Return the events of a deployment, read with a boto3 client."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=f"{prefix}ephemeral", ConsistentRead=True)
    return Events(item for page in pages for item in page["Items"])


def _subjects(contents: Contents, content: str, head: Item) -> Iterator[Subject]:
    generation = generation_of(head)
    yield "feed", generation, ""
    shown, _, hidden = contents.comments_of(content, generation)
    for item in shown + hidden:
        yield "comment", generation, to_comment(item, 0).id.partition("-")[0]
    for shard in range(shards_of(head)):
        for item in contents.favorites.get((content, shard), []):
            if item["sk"]["S"].startswith(f"{generation}#"):
                yield "favorite", generation, f"{poster_of(item)}-{base36(int(item['c']['N']), 1)}"
