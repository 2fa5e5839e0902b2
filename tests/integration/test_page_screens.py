"""The reads behind the web pages of a page and of a feed."""

from functools import partial

import pytest

from chalicelib.core.errors import NotFound, ParameterInvalid, PermissionDenied
from chalicelib.core.model.contents import Draft
from chalicelib.core.paging import Paging
from local.in_process import APP, HANA, KEN, MEI
from tests.kit.memory import Cloud
from tests.kit.stage import MODULE, NONE, PAGE, QUIET, URI, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage(Cloud()).populate()


def nobody() -> None:
    return None


def test_a_page_has_its_newest_feeds_its_apps_and_the_relation_of_who_asks(stage: Stage) -> None:
    for number in range(3):
        stage.post(f"{URI}{number}")
    stage.comment(uri=f"{URI}1")
    stage.favorite(uri=f"{URI}1")
    stage.platform.pages.members.add_follower(PAGE, HANA)
    seen = stage.platform.page_screens.page(PAGE, Paging(count=2), lambda: HANA)

    assert (seen.page.id, seen.page.followers) == (PAGE, 1)
    assert [(feed.id, feed.comments, feed.favorites) for feed in seen.feeds.entries] == [("3", 0, 0), ("2", 1, 1)]
    assert (seen.feeds.total, list(seen.feeds.posters)) == (3, [MEI])
    assert [(module.id, seen.apps[module.app].name) for module in seen.modules] == [(MODULE, "Quest")]
    assert (seen.member.follows, seen.member.administers) == (True, False)

    older = stage.platform.page_screens.page(PAGE, Paging(cursor=seen.feeds.following, count=2), lambda: MEI)
    assert [feed.id for feed in older.feeds.entries] == ["1"]
    assert older.feeds.following is None
    assert (older.member.follows, older.member.administers) == (False, True)


def test_a_page_without_feeds(stage: Stage) -> None:
    seen = stage.platform.page_screens.page(QUIET, Paging(), nobody)
    assert (list(seen.feeds.entries), seen.feeds.total, seen.feeds.following) == ([], 0, None)
    assert (seen.member.follows, seen.member.administers) == (False, False)


def test_a_page_that_is_none_or_is_being_deleted_is_not_found(stage: Stage) -> None:
    feed = stage.post()
    screens = stage.platform.page_screens
    with pytest.raises(NotFound):
        screens.page(NONE, Paging(), nobody)
    with pytest.raises(ParameterInvalid):
        screens.page(PAGE, Paging(cursor="nonsense"), nobody)
    stage.platform.pages.close(PAGE)
    for read in (
        lambda: screens.page(PAGE, Paging(), nobody),
        lambda: screens.feed(PAGE, feed.id, None, nobody),
        lambda: stage.platform.page_administration.member(PAGE, MEI),
    ):
        with pytest.raises(NotFound):
            read()


def test_a_feed_has_its_comments_and_the_favorite_of_who_asks(stage: Stage) -> None:
    feed = stage.post()
    comments = [stage.comment(f"comment {number}", user=HANA if number % 2 else KEN) for number in range(25)]
    favorite = stage.favorite(HANA)
    seen = stage.platform.page_screens.feed(PAGE, feed.id, None, lambda: HANA)

    assert (seen.page.id, seen.feed.id, seen.feed.favorites, seen.feed.comments) == (PAGE, "1", 1, 25)
    assert [each.id for each in seen.comments.entries] == comments[:4:-1]
    assert set(seen.posters) == {MEI, HANA, KEN}
    assert seen.favorite == favorite
    stage.platform.favorites.remove(PAGE, URI, favorite, HANA)

    older = stage.platform.page_screens.feed(PAGE, feed.id, seen.comments.following, lambda: HANA)
    assert [each.id for each in older.comments.entries] == comments[4::-1]
    assert older.favorite is None
    assert stage.platform.page_screens.feed(PAGE, feed.id, None, nobody).favorite is None


def test_a_favorite_in_a_shard_is_found_and_all_are_counted() -> None:
    stage = Stage(Cloud(), ENGAWA_FAVORITE_SHARDS="8").populate()
    feed = stage.post()
    for user in (HANA, KEN, MEI):
        favorite = stage.favorite(user)
        seen = stage.platform.page_screens.feed(PAGE, feed.id, None, partial(str, user))
        assert seen.favorite == favorite
    assert seen.feed.favorites == 3


def test_a_feed_that_was_replaced_or_deleted_is_not_found(stage: Stage) -> None:
    feed = stage.post()
    stage.delete()
    again = stage.post()
    screens = stage.platform.page_screens
    with pytest.raises(NotFound):
        screens.feed(PAGE, feed.id, None, nobody)
    assert screens.feed(PAGE, again.id, None, nobody).feed.id == "2"
    for name in ("3", "X" * 13, "X" * 14):
        with pytest.raises(NotFound):
            screens.feed(PAGE, name, None, nobody)


def test_an_administrator_posts_without_an_app(stage: Stage) -> None:
    posting = stage.platform.feed_posting
    admission = posting.admit_administrator(PAGE, MEI, "Engawa")
    feed = posting.post(admission, Draft("title"))
    assert (feed.source_name, feed.shown, feed.poster) == ("Engawa", True, MEI)
    assert [each.id for each in stage.feeds().entries] == [feed.id]
    for page, user, refusal in ((PAGE, HANA, PermissionDenied), (NONE, MEI, NotFound)):
        with pytest.raises(refusal):
            posting.admit_administrator(page, user, "Engawa")
    stage.platform.users.delete(MEI)
    with pytest.raises(PermissionDenied):
        posting.admit_administrator(PAGE, MEI, "Engawa")
    assert stage.platform.apps.get(APP) is not None
