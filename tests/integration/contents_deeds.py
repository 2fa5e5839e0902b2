"""What is asked of the contents' stores in test_contents_faults.py, and who may come between."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib.store.contents.cleanup_notes import UPLOAD_MS
from chalicelib.store.contents.numbered_lists import TICKET_MS
from local.in_process import HANA, KEN, MEI, TARO
from tests.integration.contents import MODULE, OTHER_URI, PAGE, PICTURE, QUIET, URI, Stage
from tests.integration.suffering import Ground, Ids, outcome_of

UNSHOWN = "http://application.example/unshown"
"""A feed of KEN's, which the page does not show."""
Act = Callable[[Stage, Ids], Any]


@dataclass(frozen=True)
class Deed:
    """Something that is asked; `steps`: it is no one transaction, and what is left of it is done when asked again."""

    name: str
    act: Act
    before: Callable[[Stage], Any] = lambda stage: None
    """What was before, beside all that `prepare` makes."""
    steps: bool = False
    shards: int = 1
    cold: bool = False

    def outcome(self, stage: Stage, ids: Ids) -> str:
        """What whoever asks is told."""
        return outcome_of(lambda: self.act(stage, ids))


def prepare(ground: Ground, deed: Deed) -> Ids:
    """Feeds, shown and not, with what hangs on them, and remains of one of the same contentUri; ids of some of it."""
    saved, ids = furnished(ground)
    ground.restore(saved)
    deed.before(ground.rivals)
    return ids


@cache
def furnished(ground: Ground) -> tuple[Any, Ids]:
    """What was before all deeds, and ids of it."""
    stage = ground.rivals.populate()
    stage.post()
    for user in (HANA, KEN):
        stage.comment("of the deleted feed", user)
        stage.favorite(user)
    stage.delete()
    stage.clock.now += 1
    stage.post(renditions=PICTURE)
    ids = {f"comment {number}": stage.comment(str(number), user) for number, user in enumerate([HANA, KEN, HANA])}
    stage.platform.comments.delete(PAGE, URI, ids["comment 1"], KEN)
    stage.comment("another", KEN)
    ids["favorite"] = stage.favorite(HANA)
    stage.favorite(TARO)
    stage.post(UNSHOWN, KEN, renditions=PICTURE)
    stage.clock.now += 1
    stage.comment("1", HANA, UNSHOWN)
    for user in (HANA, TARO):
        stage.favorite(user, UNSHOWN)
    return ground.save(), ids


def abandon(stage: Stage) -> None:
    """Someone drew numbers of both lists, died, and is past hope."""
    for table, items in (("comments", stage.contents().heads), ("feeds", stage.contents().lists)):
        for partition, holder in items.items():
            number = holder["nx"]["N"]
            ticket = {"t0MYWPIWW0ABCD": {"N": number}}
            late = holder | {"nx": {"N": str(int(number) + 1)}, "dr": {"M": ticket}}
            stage.cloud.memory.items[f"engawa-local-{table}", partition, "h"] = late
    stage.clock.now += TICKET_MS + 1_000_000


def crash_after_upload(stage: Stage) -> None:
    """An upload is noted and there, and no feed ever came."""
    stage.platform.feed_posting._notes.uploading("0MYWPIWW0DEAD")
    stage.platform.images.keep("0MYWPIWW0DEAD", PICTURE)
    stage.clock.now += UPLOAD_MS


def clear_upload(stage: Stage, ids: Ids) -> None:
    stage.platform.cleanup.work("0MYWPIWW0DEAD", 40)


def work(stage: Stage) -> None:
    """All the messages there are, each of which comes again where it fails, and some of which others take."""
    for message in list(stage.cloud.line.messages):
        if not stage.platform.cleanup.work(message, 40):
            stage.platform.queue.tell(message)
        with suppress(ValueError):
            stage.cloud.line.messages.remove(message)


def remove(uri: str, user: str, page: str = PAGE) -> Act:
    return lambda stage, ids: stage.delete(uri, user, page)


def post(*given: Any, **more: Any) -> Act:
    return lambda stage, ids: stage.post(*given, **more)


def uncomment(stage: Stage, ids: Ids) -> None:
    stage.platform.comments.delete(PAGE, URI, ids["comment 0"], HANA)


def unfavorite(stage: Stage, ids: Ids) -> None:
    stage.platform.favorites.remove(PAGE, URI, ids["favorite"], HANA)


def erase(user: str) -> Act:
    return lambda stage, ids: stage.platform.user_data.erase(user, lambda: 0.0)


def clean(stage: Stage, ids: Ids) -> None:
    work(stage)


def make_administrator(stage: Stage) -> None:
    stage.platform.pages.members.add_administrator(PAGE, KEN)


def close_page(stage: Stage) -> None:
    stage.platform.cleanup.delete_page(PAGE)


def many_shards(name: str, act: Act, **more: Any) -> list[Deed]:
    return [Deed(name, act, **more), Deed(f"{name}, in 4 shards", act, shards=4, **more)]


COMMENT = Deed("comment", lambda stage, ids: stage.comment("new", KEN))
DEEDS = [
    Deed("post a page's first feed", post(page=QUIET, user=KEN)),
    Deed("post a feed", post(OTHER_URI)),
    Deed("post a feed without contentUri", post(None)),
    Deed("post a feed of a source", post(OTHER_URI, source=MODULE)),
    Deed("post a feed with an image", post(OTHER_URI, renditions=PICTURE)),
    Deed("post a feed with an image and nothing else", post(None, renditions=PICTURE)),
    Deed("post a feed with an image that is not shown", post(OTHER_URI, KEN, renditions=PICTURE)),
    Deed("post a feed that is not shown without contentUri", post(None, KEN)),
    Deed("post a feed that is there, with an image", post(URI, renditions=PICTURE)),
    *many_shards("post a feed over one that is not shown", post(UNSHOWN)),
    Deed("post a feed with an image over one that is not shown", post(UNSHOWN, renditions=PICTURE)),
    Deed("post a feed over one's own that was not shown", post(UNSHOWN, KEN), make_administrator),
    Deed("post a feed that is not shown over one that is not either", post(UNSHOWN, TARO, renditions=PICTURE)),
    Deed("post a feed after someone's death", post(OTHER_URI), abandon),
    Deed("post a feed on no page", post(OTHER_URI, page="404")),
    *many_shards("delete a feed", remove(URI, MEI)),
    Deed("delete a feed that is not shown", remove(UNSHOWN, KEN)),
    Deed("comment on a feed that is not shown", lambda stage, ids: stage.comment("new", TARO, UNSHOWN)),
    *many_shards("favorite a feed that is not shown", lambda stage, ids: stage.favorite(MEI, UNSHOWN)),
    Deed("clean what a feed left that gave way", clean, lambda stage: stage.post(UNSHOWN), steps=True, shards=4),
    Deed("delete no feed", remove(OTHER_URI, MEI)),
    COMMENT,
    Deed("comment after someone's death", COMMENT.act, abandon),
    Deed("comment on nothing", lambda stage, ids: stage.comment("new", KEN, OTHER_URI)),
    Deed("comment as nobody", lambda stage, ids: stage.comment("new", "nobody000000")),
    Deed("delete a comment", uncomment),
    *many_shards("favorite", lambda stage, ids: stage.favorite(KEN)),
    *many_shards("favorite again", lambda stage, ids: stage.favorite(HANA)),
    *many_shards("favorite no more", unfavorite),
    Deed("clean what a feed left", clean, lambda stage: stage.delete(), steps=True, shards=4),
    Deed(
        "clean an upload",
        clear_upload,
        crash_after_upload,
        True,
    ),
    Deed("delete a page", lambda stage, ids: close_page(stage), steps=True),
    Deed("clean what a page left", clean, close_page, steps=True),
    Deed("delete a page without feeds", lambda stage, ids: stage.platform.cleanup.delete_page(QUIET), steps=True),
    Deed("erase a user", erase(KEN), steps=True),
    Deed(
        "erase a user of favorites",
        erase(HANA),
        steps=True,
        shards=4,
    ),
    Deed("sweep", lambda stage, ids: stage.platform.sweep(), crash_after_upload, steps=True),
]


def pass_time(stage: Stage, ids: Ids) -> None:
    """So long that nobody's request lives any more, and everything due is cleared."""
    stage.clock.now += UPLOAD_MS + 1
    stage.platform.sweep()
    work(stage)


TIME_PASSES = Deed("time passes", pass_time, steps=True)
RIVALS: dict[str, list[Deed]] = {
    "comments": [Deed("comment", lambda stage, ids: stage.comment("rival", TARO))],
    "deletes the comment": [Deed("uncomment", uncomment)],
    "makes it a favorite": [Deed("favorite", lambda stage, ids: stage.favorite(KEN))],
    "takes the favorite away": [Deed("unfavorite", unfavorite)],
    "takes the favorite away and back": [
        Deed("unfavorite", unfavorite),
        Deed("favorite", lambda stage, ids: stage.favorite(HANA)),
    ],
    "posts the same": [Deed("post", post(OTHER_URI, KEN, renditions=PICTURE))],
    "posts another": [Deed("post", post(None))],
    "deletes the feed": [Deed("delete", remove(URI, MEI))],
    "posts over what is not shown": [Deed("post over", post(UNSHOWN))],
    "posts over what is not shown and cleans": [Deed("post over", post(UNSHOWN)), Deed("clean", clean)],
    "deletes what is not shown": [Deed("delete", remove(UNSHOWN, KEN))],
    "deletes what is not shown, and another posts it": [
        Deed("delete", remove(UNSHOWN, KEN)),
        Deed("post", post(UNSHOWN, TARO, renditions=PICTURE)),
    ],
    "posts it anew": [Deed("delete", remove(URI, MEI)), Deed("post", post(URI))],
    "posts it anew and cleans": [
        Deed("delete", remove(URI, MEI)),
        Deed("post", post(URI)),
        Deed("clean", clean),
    ],
    "cleans": [Deed("clean", clean)],
    "deletes the page": [Deed("delete the page", lambda stage, ids: close_page(stage))],
    "deletes the page and cleans": [
        Deed("delete the page", lambda stage, ids: close_page(stage)),
        Deed("clean", clean),
    ],
    "erases the user": [Deed("erase", erase(KEN))],
    "erases another user": [Deed("erase", erase(HANA))],
    "lets time pass": [TIME_PASSES],
}
