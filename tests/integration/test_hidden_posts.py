"""Hidden posts: absent in reads and counts, and back in their places when they are shown again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.core.errors import Conflict, NotFound, PermissionDenied
from chalicelib.core.moderation import Post, PostKind
from chalicelib.core.paging import Paging
from chalicelib.store.aws.conditions import PRESENT
from chalicelib.store.contents.items import content_of
from chalicelib.store.contents.numbered_lists import NumberedLists
from chalicelib.store.contents.post_rows import OPEN_MS
from local.in_process import HANA, KEN, MEI
from tests.kit.stage import (
    DAY_MS,
    OTHER_URI,
    PAGE,
    PICTURE,
    QUIET,
    URI,
    Stage,
    one_after_the_other,
)

NOTE = {"by": "user:k3v9x2mtq7ra", "re": "spam"}


@pytest.fixture
def stage() -> Iterator[Stage]:
    with one_after_the_other():
        made = Stage().populate()
        yield made
        assert made.wrongs() == []
        made.settle()
        assert made.wrongs() == []
        assert made.contents().remains() == []


def hide(stage: Stage, post: Post) -> bool:
    return stage.platform.moderated_posts.hide(post, NOTE)


def show(stage: Stage, post: Post) -> bool:
    return stage.platform.moderated_posts.show(post)


def hidden_rows(stage: Stage) -> list[str]:
    return [key[2] for key in stage.cloud.memory.items if key[:2] == ("engawa-local-records", "hidden")]


def ids(stage: Stage, paging: Paging | None = None) -> list[str]:
    return [feed.id for feed in stage.feeds(paging or Paging(count=100)).entries]


def comment_count(stage: Stage) -> int:
    return stage.platform.feeds.get(PAGE, URI)[0].comments


def test_a_hidden_feed_is_absent_and_not_counted(stage: Stage):
    for turn in range(5):
        stage.post(f"http://a.example/{turn}")
    assert hide(stage, Post(PAGE, "3"))
    assert ids(stage) == ["5", "4", "2", "1"]
    assert stage.feeds(Paging()).total == 4
    assert ids(stage, Paging(start=2, count=1)) == ["2"]
    first = stage.feeds(Paging(count=2))
    assert ids(stage, Paging(count=2, cursor=first.following)) == ["2", "1"]
    for read in (
        lambda: stage.platform.feeds.get(PAGE, "http://a.example/2"),
        lambda: stage.feed("3", viewer=None),
        lambda: stage.platform.comments.part(PAGE, "http://a.example/2", Paging()),
        lambda: stage.platform.favorites.count(PAGE, "http://a.example/2"),
        lambda: stage.comment(uri="http://a.example/2"),
        lambda: stage.favorite(uri="http://a.example/2"),
        lambda: stage.delete("http://a.example/2", KEN),
    ):
        with pytest.raises(NotFound):
            read()
    feed = stage.feed("3")
    assert (feed.id, feed.hidden, feed.shown) == ("3", stage.clock(), True)


def test_a_feed_that_is_shown_again_is_back_in_its_place(stage: Stage):
    for turn in range(4):
        stage.post(f"http://a.example/{turn}", renditions=PICTURE)
    stage.comment(uri="http://a.example/1")
    stage.favorite(uri="http://a.example/1")
    before = [stage.feed(each) for each in "1234"]
    hide(stage, Post(PAGE, "2"))
    assert len(hidden_rows(stage)) == 1
    assert show(stage, Post(PAGE, "2"))
    assert [stage.feed(each) for each in "1234"] == before
    assert ids(stage) == ["4", "3", "2", "1"]
    assert ids(stage, Paging(start=2, count=1)) == ["2"]
    assert hidden_rows(stage) == []
    stage.comment(uri="http://a.example/1")


def test_hiding_twice_changes_nothing(stage: Stage):
    stage.post()
    one = Post(PAGE, "1", stage.comment())
    assert [hide(stage, Post(PAGE, "1")), hide(stage, Post(PAGE, "1"))] == [True, False]
    assert [hide(stage, one), hide(stage, one)] == [True, False]
    assert [show(stage, Post(PAGE, "1")), show(stage, Post(PAGE, "1"))] == [True, False]
    assert [show(stage, one), show(stage, one)] == [True, False]
    assert ids(stage) == ["1"]
    assert comment_count(stage) == 1


def test_a_hidden_comment_is_absent_and_not_counted(stage: Stage):
    stage.post()
    posted = [stage.comment(str(turn)) for turn in range(5)]
    assert hide(stage, Post(PAGE, "1", posted[3]))
    assert stage.texts() == ["4", "2", "1", "0"]
    assert comment_count(stage) == 4
    assert stage.texts(Paging(start=1, count=1)) == ["2"]
    show(stage, Post(PAGE, "1", posted[3]))
    assert stage.texts() == ["4", "3", "2", "1", "0"]
    assert stage.texts(Paging(start=1, count=1)) == ["3"]


def test_the_first_comments_are_read_in_one_query_beside_many_hidden_ones(stage: Stage):
    stage.post()
    for turn in range(30):
        posted = stage.comment(str(turn))
        if turn >= 5:
            hide(stage, Post(PAGE, "1", posted))
    assert stage.texts(Paging(count=2)) == ["4", "3"]


def test_only_poster_and_administrators_can_delete_a_hidden_post(stage: Stage):
    stage.post()
    mine, other = stage.comment("mine", HANA), stage.comment("other", HANA)
    for each in (mine, other):
        hide(stage, Post(PAGE, "1", each))
    with pytest.raises(NotFound):
        stage.platform.comments.delete(PAGE, URI, mine, KEN)
    stage.platform.comments.delete(PAGE, URI, mine, HANA)
    stage.platform.comments.delete(PAGE, URI, other, MEI)
    assert hidden_rows(stage) == []
    hide(stage, Post(PAGE, "1"))
    with pytest.raises(NotFound):
        stage.delete(user=KEN)
    stage.delete(user=MEI)
    assert hidden_rows(stage) == []


def test_a_stranger_is_still_refused_what_is_not_hidden(stage: Stage):
    stage.post()
    posted = stage.comment(user=HANA)
    with pytest.raises(PermissionDenied):
        stage.platform.comments.delete(PAGE, URI, posted, KEN)


def test_a_feed_that_is_deleted_and_posted_again_is_not_hidden(stage: Stage):
    stage.post()
    stage.comment()
    hide(stage, Post(PAGE, "1"))
    stage.delete()
    stage.post()
    assert ids(stage) == ["2"]
    assert stage.texts() == []


def test_a_hidden_feed_keeps_its_content_uri(stage: Stage):
    stage.post()
    hide(stage, Post(PAGE, "1"))
    with pytest.raises(Conflict):
        stage.post()


def test_a_hidden_feed_that_the_page_does_not_show_gives_way_to_an_administrator(stage: Stage):
    feed = stage.post(user=HANA)
    assert hide(stage, Post(PAGE, feed.id))
    with pytest.raises(NotFound):
        stage.platform.feeds.get(PAGE, URI)
    with pytest.raises(NotFound):
        stage.feed(feed.id, viewer=None)
    assert stage.feed(feed.id).hidden
    assert show(stage, Post(PAGE, feed.id))
    assert stage.platform.feeds.get(PAGE, URI)[0].hidden is None
    hide(stage, Post(PAGE, feed.id))
    stage.post(user=MEI)
    assert hidden_rows(stage) == []
    assert ids(stage) == ["1"]


def test_moderators_delete_hidden_and_shown_posts(stage: Stage):
    stage.post()
    kept, gone, hidden = (stage.comment(text) for text in ("kept", "gone", "hidden"))
    hide(stage, Post(PAGE, "1", hidden))
    for each in (gone, hidden):
        stage.platform.moderated_posts.delete(Post(PAGE, "1", each))
    assert stage.texts() == ["kept"]
    with pytest.raises(NotFound):
        stage.platform.moderated_posts.delete(Post(PAGE, "1", gone))
    stage.platform.moderated_posts.delete(Post(PAGE, "1"))
    with pytest.raises(NotFound):
        stage.platform.stored_posts.find(Post(PAGE, "1", kept))


@pytest.mark.parametrize("erase", [False, True])
def test_hidden_posts_go_with_their_page_and_their_poster(stage: Stage, erase: bool):
    stage.post(page=QUIET, user=HANA)
    posted = stage.comment(page=QUIET, user=HANA)
    hide(stage, Post(QUIET, "1", posted))
    hide(stage, Post(QUIET, "1"))
    if erase:
        stage.platform.user_data.erase(HANA)
    else:
        stage.platform.cleanup.delete_page(QUIET)
    stage.settle()
    left = [key[2] for key in stage.cloud.memory.items if key[:2] == ("engawa-local-feeds", QUIET)]
    assert not [sort_key for sort_key in left if sort_key.startswith(("c", "C"))]


# The list of newest posts.


def newest(stage: Stage, page: str | None = None, kind: PostKind | None = None, count: int = 20) -> list[str]:
    """Return the newest posts, read part by part: the text of a comment, or the id of a feed."""
    found, cursor = [], None
    while True:
        part = stage.platform.newest_posts.newest(page, kind, cursor, count)
        found += [each.comment.text if each.comment else f"feed {each.feed.id}" for each in part.entries]
        cursor = part.following
        if cursor is None:
            return found


def test_the_newest_posts_come_first(stage: Stage):
    stage.post()
    stage.clock.now += OPEN_MS
    stage.comment("one")
    stage.comment("two")
    stage.clock.now += OPEN_MS
    stage.post(OTHER_URI)
    stage.clock.now += 1
    stage.comment("three")
    assert newest(stage) == ["three", "feed 2", "two", "one", "feed 1"]
    assert newest(stage, kind=PostKind.FEED) == ["feed 2", "feed 1"]
    assert newest(stage, kind=PostKind.COMMENT) == ["three", "two", "one"]
    assert newest(stage, QUIET) == []
    assert newest(stage, PAGE) == newest(stage)


@pytest.mark.parametrize("count", [1, 3, 100])
def test_every_comment_is_listed_once_whatever_the_size_of_the_parts(stage: Stage, count: int):
    stage.post()
    stage.post(OTHER_URI)
    for turn in range(60):
        stage.clock.now += OPEN_MS // 25 if turn % 7 else 1
        stage.comment(str(turn), uri=URI if turn % 3 else OTHER_URI)
    found = newest(stage, count=count)
    assert sorted(found) == sorted([*map(str, range(60)), "feed 1", "feed 2"])
    mine = [int(each) for each in found if each.isdecimal() and int(each) % 3]
    assert mine == sorted(mine, reverse=True)


def test_comments_that_begin_a_row_at_the_same_time_are_listed_once(stage: Stage, monkeypatch: pytest.MonkeyPatch):
    stage.post()
    here = stage.platform.comments
    draw, content = NumberedLists.draw, content_of(PAGE, URI)
    lists = NumberedLists(stage.platform.comments._dynamo, "engawa-local-comments", stage.clock)
    tickets = [lists.draw(content, PRESENT) for _ in range(3)]
    for turn, ticket in enumerate(reversed(tickets)):
        stage.clock.now += 1
        monkeypatch.setattr(NumberedLists, "draw", lambda *_, ticket=ticket: ticket)
        here.post(PAGE, URI, HANA, str(turn))
    monkeypatch.setattr(NumberedLists, "draw", draw)
    assert sorted(newest(stage, kind=PostKind.COMMENT)) == ["0", "1", "2"]


def test_hidden_and_deleted_posts_are_not_among_the_newest(stage: Stage):
    stage.post()
    gone, hidden, _ = (stage.comment(text) for text in ("gone", "hidden", "kept"))
    stage.platform.comments.delete(PAGE, URI, gone, HANA)
    hide(stage, Post(PAGE, "1", hidden))
    assert newest(stage) == ["kept", "feed 1"]
    hide(stage, Post(PAGE, "1"))
    assert newest(stage) == ["kept"]
    stage.delete()
    assert newest(stage) == []


def test_a_list_that_changes_while_it_is_paged_repeats_and_loses_nothing(stage: Stage):
    stage.post()
    for turn in range(40):
        stage.clock.now += OPEN_MS
        stage.comment(str(turn))
    first = stage.platform.newest_posts.newest(None, None, None, 5)
    stage.comment("later")
    hide(stage, Post(PAGE, "1", first.entries[2].post.comment))
    rest, cursor = [], first.following
    while cursor:
        part = stage.platform.newest_posts.newest(None, None, cursor, 5)
        rest += [each.comment.text if each.comment else "feed" for each in part.entries]
        cursor = part.following
    assert rest == [*map(str, range(34, -1, -1)), "feed"]


def test_hidden_posts_are_listed_with_who_hid_them(stage: Stage):
    stage.post()
    posted = [stage.comment(str(turn)) for turn in range(3)]
    for each in posted:
        stage.clock.now += 1
        hide(stage, Post(PAGE, "1", each))
    stage.clock.now += 1
    hide(stage, Post(PAGE, "1"))
    part = stage.platform.newest_posts.hidden(None, None, None, 20)
    assert [each.comment.text if each.comment else "feed" for each in part.entries] == ["feed", "2", "1", "0"]
    assert {(each.by, each.reason) for each in part.entries} == {(NOTE["by"], "spam")}
    show(stage, Post(PAGE, "1", posted[1]))
    part = stage.platform.newest_posts.hidden(PAGE, PostKind.COMMENT, None, 1)
    assert [each.comment and each.comment.text for each in part.entries] == ["2"]
    part = stage.platform.newest_posts.hidden(PAGE, PostKind.COMMENT, part.following, 1)
    assert [each.comment and each.comment.text for each in part.entries] == ["0"]


def test_rows_expire(stage: Stage):
    stage.post()
    hide(stage, Post(PAGE, "1"))
    rows = [item for key, item in stage.cloud.memory.items.items() if key[0] == "engawa-local-records"]
    lives = [(int(row["ttl"]["N"]) * 1000 - stage.clock()) // DAY_MS for row in rows]
    assert sorted(lives) == [29, 364] or sorted(lives) == [30, 365]
