"""Operations on the stores of contents, and operations of rivals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from chalicelib.core.moderation import Post
from chalicelib.store.contents.cleanup_notes import UPLOAD_MS
from chalicelib.store.contents.numbered_lists import TICKET_MS
from local.in_process import HANA, KEN, MEI, TARO
from tests.faults.scene import Ids, Operation, Scene, outcome_of
from tests.kit.request_stage import BUSY
from tests.kit.stage import MODULE, OTHER_URI, PAGE, PICTURE, QUIET, URI, WHOLE, Stage

Act = Callable[[Stage, Ids], Any]


def operation(name: str, act: Act, before: Callable[[Stage], Any] = lambda stage: None, **more: Any) -> Operation:
    """Return an operation on the stores; its outcome is "done" or a refusal."""
    return Operation(
        name,
        lambda stage, ids: outcome_of(lambda: act(stage, ids), "done"),
        lambda stage, ids: before(stage),
        **more,
    )


class ContentsScene(Scene):
    """An operation on feeds, comments, favorites, images and pages."""

    kind = "contents"

    def excuses(self, outcome: Any, rivals: Sequence[Operation]) -> list[Any]:
        """Return BUSY if time passed, and PermissionDenied for NotFound if the page, being deleted, has no app now."""
        names = {each.name for each in rivals}
        late = [BUSY] if TIME_PASSES.name in names else []
        return late + (["PermissionDenied"] if outcome == "NotFound" and CLOSE_PAGE.name in names else [])


def furnish(stage: Stage, *, told: bool = False) -> Ids:
    """Post shown and hidden feeds with comments and favorites; leave remains of one of the same contentUri.

    If `told`, the app asks for all kinds of events.
    """
    stage.populate()
    if told:
        stage.tell()
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
    return ids


def abandon(stage: Stage) -> None:
    """Draw numbers of both lists, as by a process that died so long ago that it cannot continue."""
    for table, items in (("comments", stage.contents().heads), ("feeds", stage.contents().lists)):
        for partition, holder in items.items():
            number = holder["nx"]["N"]
            ticket = {"t0MYWPIWW0ABCD": {"N": number}}
            late = holder | {"nx": {"N": str(int(number) + 1)}, "dr": {"M": ticket}}
            stage.cloud.memory.items[f"engawa-local-{table}", partition, "h"] = late
    stage.clock.now += TICKET_MS + 1_000_000


UPLOAD = "0MYWPIWW0DEAD"


def upload(stage: Stage) -> None:
    """Note an upload and make it, as by a process that died before it posted the feed."""
    stage.platform.feed_posting._notes.uploading(UPLOAD)
    stage.platform.images.keep(UPLOAD, PICTURE)
    stage.clock.now += UPLOAD_MS


def work(stage: Stage) -> None:
    """Process all messages; those that fail are delivered again, and other workers may take some meanwhile."""
    for message in list(stage.cloud.queue.messages):
        stage.platform.cleanup.process(message, 40)
        with suppress(ValueError):
            stage.cloud.queue.messages.remove(message)


def clean(stage: Stage, ids: Ids) -> None:
    work(stage)


def pass_time(stage: Stage) -> None:
    """Let enough time pass that no request still runs, and clear everything that is due."""
    stage.clock.now += UPLOAD_MS + 1
    stage.platform.sweep()
    work(stage)


def make_administrator(stage: Stage) -> None:
    stage.platform.pages.members.add_administrator(PAGE, KEN)


def close_page(stage: Stage) -> None:
    stage.platform.cleanup.delete_page(PAGE)


def remove(uri: str, user: str) -> Act:
    return lambda stage, ids: stage.delete(uri, user)


def post(*given: Any, **more: Any) -> Act:
    return lambda stage, ids: stage.post(*given, **more)


def comment(*given: Any) -> Act:
    return lambda stage, ids: stage.comment(*given)


def favorite(user: str, uri: str = URI) -> Act:
    return lambda stage, ids: stage.favorite(user, uri)


def unfavorite(stage: Stage, ids: Ids) -> None:
    stage.platform.favorites.remove(PAGE, URI, ids["favorite"], HANA)


def erase(user: str) -> Act:
    return lambda stage, ids: stage.platform.user_data.erase(user, lambda: 0.0)


def many_shards(name: str, act: Act) -> list[Operation]:
    return [operation(name, act), operation(f"{name}, in 4 shards", act, shards=4)]


def hide(post: str, *, again: bool = True) -> Act:
    """Return the hiding of a post, or (`again` is False) the showing of a hidden one: "feed", or the name of an id."""

    def act(stage: Stage, ids: Ids) -> None:
        posts, feed = stage.platform.moderated_posts, Post(PAGE, "2", ids.get(post))
        if again:
            posts.hide(feed, {"by": "a moderator"})
        else:
            posts.show(feed)

    return act


def show(post: str) -> Act:
    return hide(post, again=False)


def hide_and_show(stage: Stage, ids: Ids) -> None:
    for act in (hide, show):
        act("comment 0")(stage, ids)


def moderate_away(post: str) -> Act:
    return lambda stage, ids: stage.platform.moderated_posts.delete(Post(PAGE, "2", ids.get(post)))


def with_hidden(stage: Stage) -> None:
    """Hide the feed and its newest comment."""
    posts = stage.platform.moderated_posts
    newest = stage.platform.comments.part(PAGE, URI, WHOLE).entries[0]
    for each in (newest.id, None):
        posts.hide(Post(PAGE, "2", each), {"by": "a moderator"})


UNSHOWN = "http://application.example/unshown"
"""The contentUri of a feed by KEN that the page does not show."""
UNCOMMENT = operation(
    "delete a comment", lambda stage, ids: stage.platform.comments.delete(PAGE, URI, ids["comment 0"], HANA)
)
CLEAN = operation("clean", clean, steps=True)
CLOSE_PAGE = operation("delete a page", lambda stage, ids: close_page(stage), steps=True)
OPERATIONS = [
    operation("post a page's first feed", post(page=QUIET, user=KEN)),
    operation("post a feed", post(OTHER_URI)),
    operation("post a feed without contentUri", post(None)),
    operation("post a feed of a source", post(OTHER_URI, source=MODULE)),
    operation("post a feed with an image", post(OTHER_URI, renditions=PICTURE)),
    operation("post a feed with an image and nothing else", post(None, renditions=PICTURE)),
    operation("post a feed with an image that is not shown", post(OTHER_URI, KEN, renditions=PICTURE)),
    operation("post a feed that is not shown without contentUri", post(None, KEN)),
    operation("post a feed that is there, with an image", post(URI, renditions=PICTURE)),
    *many_shards("post a feed over one that is not shown", post(UNSHOWN)),
    operation("post a feed with an image over one that is not shown", post(UNSHOWN, renditions=PICTURE)),
    operation("post a feed over one's own that was not shown", post(UNSHOWN, KEN), make_administrator),
    operation("post a feed that is not shown over one that is not either", post(UNSHOWN, TARO, renditions=PICTURE)),
    operation("post a feed after another process died", post(OTHER_URI), abandon),
    operation("post a feed on no page", post(OTHER_URI, page="404")),
    *many_shards("delete a feed", remove(URI, MEI)),
    operation("delete a feed that is not shown", remove(UNSHOWN, KEN)),
    operation("delete no feed", remove(OTHER_URI, MEI)),
    operation("comment", comment("new", KEN)),
    operation("comment after another process died", comment("new", KEN), abandon),
    operation("comment on a feed that is not shown", comment("new", TARO, UNSHOWN)),
    operation("comment on nothing", comment("new", KEN, OTHER_URI)),
    operation("comment as an unknown user", comment("new", "unknown00000")),
    UNCOMMENT,
    *many_shards("favorite", favorite(KEN)),
    *many_shards("favorite a feed that is not shown", favorite(MEI, UNSHOWN)),
    *many_shards("favorite again", favorite(HANA)),
    *many_shards("take a favorite back", unfavorite),
    operation("hide a feed", hide("feed")),
    operation("hide a feed again", hide("feed"), with_hidden),
    operation("show a hidden feed", show("feed"), with_hidden),
    operation("delete a hidden feed", moderate_away("feed"), with_hidden, shards=4),
    operation("hide a comment", hide("comment 0")),
    operation("hide and show a comment", hide_and_show, steps=True),
    operation("delete a comment as a moderator", moderate_away("comment 0")),
    operation("comment on a hidden feed", comment("new", KEN), with_hidden),
    operation("favorite a hidden feed", favorite(KEN), with_hidden),
    operation("clean what a feed left", clean, lambda stage: stage.delete(), steps=True, shards=4),
    operation("clean what a feed left that gave way", clean, lambda stage: stage.post(UNSHOWN), steps=True, shards=4),
    operation("clean an upload", lambda stage, ids: stage.platform.cleanup.work(UPLOAD, 40), upload, steps=True),
    CLOSE_PAGE,
    operation("clean what a page left", clean, close_page, steps=True),
    operation("delete a page without feeds", lambda stage, ids: stage.platform.cleanup.delete_page(QUIET), steps=True),
    operation("erase a user", erase(KEN), steps=True),
    operation("erase a user of favorites", erase(HANA), steps=True, shards=4),
    operation("sweep", lambda stage, ids: stage.platform.sweep(), upload, steps=True),
]

TOLD = [replace(each, name=f"{each.name}, told", told=True) for each in OPERATIONS]

TIME_PASSES = operation("time passes", lambda stage, ids: pass_time(stage), steps=True)
DELETE, POST = operation("delete", remove(URI, MEI)), operation("post", post(URI))
HIDE = operation("hide", hide("feed"))
POST_OVER = operation("post over", post(UNSHOWN))
DELETE_UNSHOWN = operation("delete", remove(UNSHOWN, KEN))
UNFAVORITE = operation("take a favorite back", unfavorite)
RIVALS: dict[str, list[Operation]] = {
    "comments": [operation("comment", comment("rival", TARO))],
    "deletes the comment": [UNCOMMENT],
    "makes it a favorite": [operation("favorite", favorite(KEN))],
    "takes the favorite back": [UNFAVORITE],
    "takes the favorite back and makes it again": [UNFAVORITE, operation("favorite", favorite(HANA))],
    "posts the same": [operation("post", post(OTHER_URI, KEN, renditions=PICTURE))],
    "posts another": [operation("post", post(None))],
    "deletes the feed": [DELETE],
    "posts over what is not shown": [POST_OVER],
    "posts over what is not shown and cleans": [POST_OVER, CLEAN],
    "deletes what is not shown": [DELETE_UNSHOWN],
    "deletes what is not shown, and another posts it": [
        DELETE_UNSHOWN,
        operation("post", post(UNSHOWN, TARO, renditions=PICTURE)),
    ],
    "posts it anew": [DELETE, POST],
    "posts it anew and cleans": [DELETE, POST, CLEAN],
    "hides the feed": [HIDE],
    "hides the feed and shows it again": [HIDE, operation("show", show("feed"))],
    "hides the comment": [operation("hide", hide("comment 0"))],
    "cleans": [CLEAN],
    "deletes the page": [CLOSE_PAGE],
    "deletes the page and cleans": [CLOSE_PAGE, CLEAN],
    "erases the user": [operation("erase", erase(KEN))],
    "erases another user": [operation("erase", erase(HANA))],
    "lets time pass": [TIME_PASSES],
}
