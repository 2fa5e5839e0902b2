"""The stores of feeds, comments and favorites: unused numbers, deletions, and new posts after a deletion."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.cursor import to_cursor
from chalicelib.core.errors import Conflict, NotFound, ParameterInvalid, PermissionDenied, Unavailable
from chalicelib.core.model.contents import Draft
from chalicelib.core.model.directory import App, FeedSource, Page, User
from chalicelib.core.paging import Paging
from chalicelib.store.aws.conditions import PRESENT
from chalicelib.store.contents import numbered_lists
from chalicelib.store.contents.cleanup_notes import AGAIN_MS, LATE_MS, SOON_MS, UPLOAD_MS, USER, CleanupNotes
from chalicelib.store.contents.items import content_of, generation_of, head_key
from chalicelib.store.contents.numbered_lists import TICKET_MS, NumberedLists
from local.in_process import APP, BUCKET, HANA, KEN, MEI, TARO, World, empty_aws
from tests.kit import invariants_contents
from tests.kit.memory import Cloud
from tests.kit.stage import (
    DAY_MS,
    ISSUER,
    MODULE,
    NONE,
    OTHER_URI,
    PAGE,
    PICTURE,
    QUIET,
    URI,
    WHOLE,
    Stage,
    one_after_the_other,
    post,
)

SHARDS = 4


@pytest.fixture
def stage() -> Iterator[Stage]:
    with one_after_the_other():
        made = Stage().populate()
        yield made
        assert made.wrongs() == []
        made.settle()
        assert made.wrongs() == []
        assert made.contents().remains() == []


def head(stage: Stage, uri: str = URI) -> dict[str, Any]:
    return stage.cloud.memory.items["engawa-local-comments", *head_key(content_of(PAGE, uri))]


def tickets(stage: Stage) -> list[str]:
    """Return the numbers of a content that were drawn and not used."""
    return sorted(head(stage)["dr"]["M"])


def holes(stage: Stage) -> set[int]:
    """Return the numbers of a content whose comments were deleted or never written."""
    return stage.contents().comments_of(content_of(PAGE, URI), generation_of(head(stage)))[1]


def draw(stage: Stage) -> None:
    """Draw a number and do not use it, like a process that died."""
    lists = NumberedLists(stage.platform.pages._dynamo, "engawa-local-comments", stage.clock)
    lists.draw(content_of(PAGE, URI), PRESENT)


# Numbers


def test_comments_come_newest_first(stage: Stage) -> None:
    stage.post()
    for number in range(5):
        stage.comment(str(number))

    assert stage.texts() == list("43210")
    assert stage.texts(Paging(1, 2)) == ["3", "2"]
    assert stage.texts(Paging(4, 2)) == ["0"]
    assert stage.texts(Paging(5, 2)) == []


def test_a_number_that_was_drawn_and_never_used_is_nobodys_place(stage: Stage) -> None:
    stage.post()
    stage.comment("1")
    draw(stage)
    stage.comment("3")

    assert (stage.texts(), len(tickets(stage))) == (["3", "1"], 1)
    assert stage.texts(Paging(1, 1)) == ["1"]


@pytest.mark.parametrize(("age", "left"), [(TICKET_MS, 1), (TICKET_MS + 1, 0)])
def test_a_ticket_becomes_a_hole_once_its_owner_cannot_live_any_more(stage: Stage, age: int, left: int) -> None:
    stage.post()
    stage.comment("1")
    draw(stage)
    stage.clock.now += age
    stage.comment("3")

    assert len(tickets(stage)) == left
    assert holes(stage) == (set() if left else {2})
    assert stage.texts(Paging(1, 1)) == ["1"]


def test_a_ticket_of_the_pages_list_becomes_a_hole_with_a_later_feed(stage: Stage) -> None:
    stage.post()
    lists = NumberedLists(stage.platform.pages._dynamo, "engawa-local-feeds", stage.clock)
    lists.draw(PAGE, PRESENT)
    stage.clock.now += TICKET_MS + 1
    stage.post(OTHER_URI)

    assert stage.contents().lists_of(PAGE) == ({1, 3}, {2}, set())
    assert [feed.id for feed in stage.feeds(Paging(1, 1)).entries] == ["1"]


def overtake_first_draw(stage: Stage, monkeypatch: pytest.MonkeyPatch, overtake: Callable[[], object]) -> None:
    """Make the next draw sleep until its ticket counts as lost, and run `overtake` meanwhile."""
    real = NumberedLists.draw
    drawn: list[Any] = []

    def slow(lists: NumberedLists, partition: str, alive: Any) -> Any:
        ticket = real(lists, partition, alive)
        if not drawn:
            drawn.append(ticket)
            stage.clock.now += TICKET_MS + 1
            overtake()
        return ticket

    monkeypatch.setattr(NumberedLists, "draw", slow)


def test_who_is_so_late_that_the_ticket_was_struck_draws_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.post()
    overtake_first_draw(stage, monkeypatch, lambda: stage.comment("faster"))
    stage.comment("late")

    assert stage.texts() == ["late", "faster"]
    assert tickets(stage) == []
    assert holes(stage) == {1}


def test_a_late_feed_draws_anew_with_its_image(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.post()
    overtake_first_draw(stage, monkeypatch, lambda: stage.post("http://application.example/faster"))
    late = stage.post(OTHER_URI, renditions=PICTURE)

    assert (late.id, len(late.images)) == ("4", 4)
    assert [feed.id for feed in stage.feeds().entries] == ["4", "3", "1"]


def test_someone_who_is_no_user_gives_the_number_back(stage: Stage) -> None:
    stage.post()
    with pytest.raises(PermissionDenied):
        stage.comment(user="nobody000000")

    assert (stage.texts(), tickets(stage)) == ([], [])
    stage.comment("1")
    assert stage.texts(Paging(0, 1)) == ["1"]


def test_a_feed_that_is_refused_gives_the_number_back(stage: Stage) -> None:
    draft = Draft("title", content_uri=URI)
    admitted = stage.platform.feed_posting.admit(PAGE, MEI, APP, draft)
    stage.post()
    with pytest.raises(Conflict):
        stage.platform.feed_posting.post(admitted, draft, PICTURE)

    assert stage.contents().lists_of(PAGE) == ({1}, {2}, set())
    assert stage.cloud.bucket.objects == {}
    assert stage.contents().remains() == []


def test_a_detail_url_that_somebody_took_beforehand_is_in_nobodys_way(stage: Stage) -> None:
    stage.post(f"{ISSUER}/pages/{PAGE}/feeds/2")

    assert stage.post(None).content_uri == f"{ISSUER}/pages/{PAGE}/feeds/3"


# Deep pages


@dataclass
class Long:
    """A content with many comments, written directly to the table, and their remaining texts, newest first."""

    stage: Stage
    texts: list[str] = field(default_factory=list)

    def fill(self, count: int) -> None:
        held = self.stage.cloud.memory.items
        place = ("engawa-local-comments", *head_key(content_of(PAGE, URI)))
        pattern_id = self.stage.comment("1")
        prefix = generation_of(held[place])
        first = next(item for item in held.values() if item["sk"]["S"].startswith(f"{prefix}#c"))
        assert pattern_id
        for number in range(2, count + 1):
            key = numbered_lists.entry_key(first["pk"]["S"], f"{prefix}#", number)
            held["engawa-local-comments", *key] = first | {"sk": {"S": key[1]}, "t": {"S": str(number)}}
        held[place] = held[place] | {"n": {"N": str(count)}, "nx": {"N": str(count + 1)}}
        self.texts = [str(number) for number in range(count, 0, -1)]

    def delete(self, number: int) -> None:
        content = content_of(PAGE, URI)
        key = numbered_lists.entry_key(content, f"{generation_of(head(self.stage))}#", number)
        item = self.stage.cloud.memory.items["engawa-local-comments", *key]
        assert self.stage.platform.comments.remove(item, generation_of(head(self.stage)))
        self.texts.remove(str(number))


def test_deep_pages_are_right_across_the_borders_of_leaves_with_deletions(stage: Stage) -> None:
    stage.post()
    long = Long(stage)
    long.fill(2_100)
    dice = random.Random(1)
    borders = [1, 2, 99, 100, 101, 998, 999, 1_000, 1_001, 1_999, 2_000, 2_001, 2_100]
    for number in (*borders, *dice.sample(range(3, 90), 40)):
        long.delete(number)

    assert stage.wrongs() == []
    last = len(long.texts)
    for start in (0, 1, 95, 96, 97, 98, 99, 100, *range(1_092, 1_098), 1_990, 2_040, last - 1, last):
        assert stage.texts(Paging(start, 7)) == long.texts[start : start + 7], start
    for start in dice.sample(range(len(long.texts)), 30):
        assert stage.texts(Paging(start, 3)) == long.texts[start : start + 3], start


def test_pages_by_cursor_tell_each_entry_once_while_others_come_and_go(stage: Stage) -> None:
    stage.post()
    ids = {str(number): stage.comment(str(number)) for number in range(20)}
    told: list[str] = []
    cursor: str | None = None
    for turn in range(10):
        part = stage.platform.comments.part(PAGE, URI, Paging(0, 3, cursor))
        told += [each.text for each in part.entries]
        if part.following is None:
            break
        cursor = part.following
        stage.comment(f"new {turn}")
        gone = told[-1] if turn % 2 else str(18 - 3 * turn - 4)
        stage.platform.comments.delete(PAGE, URI, ids[gone], HANA)

    assert told == [str(number) for number in range(19, -1, -1) if str(number) not in {"14", "8", "2"}]


def test_feeds_have_the_same_pages_by_cursor_and_by_index(stage: Stage) -> None:
    for number in range(7):
        stage.post(f"http://application.example/{number}")
    stage.delete("http://application.example/3")
    whole = [feed.id for feed in stage.feeds().entries]
    by_cursor: list[str] = []
    part = stage.feeds(Paging(0, 2))
    while True:
        by_cursor += [feed.id for feed in part.entries]
        if part.following is None:
            break
        part = stage.feeds(Paging(0, 2, part.following))

    assert by_cursor == whole == ["7", "6", "5", "3", "2", "1"]
    assert [feed.id for start in range(7) for feed in stage.feeds(Paging(start, 1)).entries] == whole
    assert (part.total, part.start) == (6, None)


@pytest.mark.parametrize(
    "inside", ["0000000000", "x", "0mywpiww0kce0000000001", "00000000001", "00000000000000000000001"]
)
def test_a_cursor_that_the_list_did_not_give_is_refused(stage: Stage, inside: str) -> None:
    stage.post()
    stage.comment()
    with pytest.raises(ParameterInvalid):
        stage.texts(Paging(0, 2, to_cursor(inside)))
    if inside[-10:].isdecimal() and len(inside) == 10:
        with pytest.raises(ParameterInvalid):
            stage.feeds(Paging(0, 2, to_cursor(inside)))


def test_a_cursor_of_the_comments_before_the_feed_was_posted_anew_is_refused(stage: Stage) -> None:
    stage.post()
    for _ in range(3):
        stage.comment()
    cursor = stage.platform.comments.part(PAGE, URI, Paging(0, 1)).following
    stage.delete()
    stage.clock.now += 1
    stage.post()

    with pytest.raises(ParameterInvalid):
        stage.texts(Paging(0, 1, cursor))


def test_a_cursor_of_another_pages_feeds_is_refused(stage: Stage) -> None:
    for page in (PAGE, QUIET):
        for number in range(3):
            stage.post(f"http://application.example/{number}", page=page)
    cursor = stage.feeds(Paging(0, 1), page=QUIET).following

    with pytest.raises(ParameterInvalid):
        stage.feeds(Paging(0, 1, cursor))


# Deleted and posted again


@pytest.mark.parametrize("passed", [-5_000, 0, 1])
@pytest.mark.parametrize("shards", [1, SHARDS])
def test_what_is_posted_anew_begins_with_nothing_whatever_was_left(shards: int, passed: int) -> None:
    with one_after_the_other():
        stage = Stage(ENGAWA_FAVORITE_SHARDS=str(shards)).populate()
        for turn in range(6):
            stage.post()
            assert (stage.texts(), stage.platform.favorites.count(PAGE, URI)) == ([], 0)
            assert stage.texts(Paging(1, 5)) == []
            old = [stage.comment(f"{turn} {number}") for number in range(5)]
            for user in (HANA, KEN, MEI, TARO):
                stage.favorite(user)
            assert stage.texts(Paging(0, 3)) == [f"{turn} {number}" for number in (4, 3, 2)]
            assert len(stage.texts()) == 5
            assert stage.wrongs() == []
            stage.delete()
            stage.clock.now += passed
        stage.post()
        assert (stage.texts(), stage.platform.favorites.count(PAGE, URI)) == ([], 0)
        with pytest.raises(NotFound):
            stage.platform.comments.delete(PAGE, URI, old[0], HANA)
        stage.comment("new")
        stage.clean()

        assert stage.texts() == ["new"]
        assert stage.wrongs() == []
        assert stage.contents().remains() == []


def test_an_old_favorite_is_not_there_any_more(stage: Stage) -> None:
    stage.post()
    old = stage.favorite()
    stage.delete()
    stage.clock.now += 1
    stage.post()

    with pytest.raises(NotFound):
        stage.platform.favorites.remove(PAGE, URI, old, HANA)
    stage.clock.now += 1
    assert stage.favorite() != old
    with pytest.raises(NotFound):
        stage.platform.favorites.remove(PAGE, URI, old, HANA)
    assert stage.platform.favorites.count(PAGE, URI) == 1


# The feeds that a page shows


def test_a_page_shows_its_administrators_posts_or_everybodys(stage: Stage) -> None:
    unshown = stage.post(user=KEN)
    shown = stage.post(OTHER_URI, user=MEI)
    everybodys = stage.post(user=KEN, page=QUIET)

    assert [feed.id for feed in stage.feeds().entries] == [shown.id]
    assert [feed.id for feed in stage.feeds(page=QUIET).entries] == [everybodys.id]
    assert stage.platform.feeds.get(PAGE, URI)[0] == unshown
    assert stage.feed(unshown.id) == unshown
    assert stage.feed(shown.id) == shown
    stage.comment("1")
    stage.favorite()
    found = stage.platform.feeds.get(PAGE, URI)[0]
    assert (found.comments, found.favorites) == (1, 1)


def test_what_was_posted_stays_where_it_is_when_the_setting_changes(stage: Stage) -> None:
    stage.post(user=KEN)
    stage.platform.pages.change(PAGE, feed_source=FeedSource.EVERYONE)
    assert stage.feeds().total == 0
    stage.post(OTHER_URI, user=KEN)
    stage.platform.pages.change(PAGE, feed_source=FeedSource.ADMINISTRATORS)

    assert [feed.content_uri for feed in stage.feeds().entries] == [OTHER_URI]


def test_an_administrator_s_post_takes_the_place_of_one_that_is_not_shown(stage: Stage) -> None:
    old = stage.post(user=KEN, renditions=PICTURE)
    stage.comment("on the old one")
    stage.favorite(TARO)
    stage.clock.now += 1
    new = stage.post(renditions=PICTURE)

    assert stage.platform.feeds.get(PAGE, URI)[0] == new
    assert [feed.id for feed in stage.feeds().entries] == [new.id]
    with pytest.raises(NotFound):
        stage.feed(old.id)
    assert stage.texts() == []
    assert stage.platform.favorites.count(PAGE, URI) == 0
    stage.favorite(TARO)
    assert stage.platform.favorites.count(PAGE, URI) == 1
    assert stage.clean() == 1
    assert stage.remains() == []
    assert not set(old.images) & stage.cloud.bucket.objects.keys()
    assert set(new.images) <= stage.cloud.bucket.objects.keys()
    stage.delete()
    stage.post(user=KEN)
    assert stage.feeds().total == 0
    assert stage.texts() == []


def test_one_s_own_gives_way_once_one_administers_the_page(stage: Stage) -> None:
    stage.post(user=KEN)
    with pytest.raises(Conflict):
        stage.post(user=KEN)
    stage.platform.pages.members.add_administrator(PAGE, KEN)
    stage.post(user=KEN)
    assert stage.feeds().total == 1
    with pytest.raises(Conflict):
        stage.post(user=MEI)


def test_who_reads_while_a_feed_gives_way_finds_one_of_both(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    old = stage.post(user=KEN)
    reader = stage.wired()
    read, strike = reader.feeds._dynamo.batch_get, [stage.post]

    def between(places: Any, *, consistent: bool) -> Any:
        if strike:
            strike.pop()()
        return read(places, consistent=consistent)

    monkeypatch.setattr(reader.feeds._dynamo, "batch_get", between)
    found = reader.feeds.get(PAGE, URI)[0]
    assert found != old
    assert found == stage.platform.feeds.get(PAGE, URI)[0]


def test_unshown_feeds_without_a_uri_have_pages_of_their_own(stage: Stage) -> None:
    one, other = stage.post(None, user=KEN), stage.post(None, user=KEN)

    assert one.content_uri == f"{ISSUER}/pages/{PAGE}/feeds/{one.id}" != other.content_uri
    stage.delete(one.content_uri, KEN)
    assert stage.platform.feeds.get(PAGE, other.content_uri)[0].id == other.id


def test_who_may_post_and_under_which_name(stage: Stage) -> None:
    assert stage.post().source_name == "Quest"
    assert stage.post(OTHER_URI, source=MODULE).source_name == "menu name"
    with pytest.raises(ParameterInvalid):
        stage.post(None, source="4")
    with pytest.raises(NotFound):
        stage.post(page=NONE)
    with pytest.raises(PermissionDenied):
        stage.post(None, user="nobody000000")
    with pytest.raises(Conflict):
        stage.post(user=KEN)
    stage.platform.apps.create(App("0" * 16, "elsewhere", confidential=False))
    with pytest.raises(PermissionDenied):
        stage.platform.feed_posting.admit(PAGE, MEI, "0" * 16, Draft("t"))
    with pytest.raises(ParameterInvalid):
        stage.platform.feed_posting.admit(PAGE, MEI, "0" * 16, Draft("t", source=MODULE))


def test_who_may_delete(stage: Stage) -> None:
    stage.post(user=KEN)
    comment, favorite = stage.comment(user=HANA), stage.favorite(HANA)
    for act in (
        lambda: stage.delete(user=HANA),
        lambda: stage.platform.comments.delete(PAGE, URI, comment, KEN),
        lambda: stage.platform.favorites.remove(PAGE, URI, favorite, MEI),
    ):
        with pytest.raises(PermissionDenied):
            act()
    stage.platform.comments.delete(PAGE, URI, comment, MEI)
    stage.platform.favorites.remove(PAGE, URI, favorite, HANA)
    stage.delete(user=KEN)
    with pytest.raises(NotFound):
        stage.delete(user=KEN)


@pytest.mark.parametrize("named", ["", "x", f"{HANA}-", f"{HANA}-lower", f"{HANA}-0", "KENS"])
def test_what_is_no_favorites_id_takes_nothing_away(stage: Stage, named: str) -> None:
    stage.post()
    favorite = stage.favorite(HANA)
    for each in (named, favorite.rpartition("-")[2]):
        with pytest.raises(NotFound):
            stage.platform.favorites.remove(PAGE, URI, each, HANA)

    assert stage.platform.favorites.count(PAGE, URI) == 1


# Shards


def favorites_by_shard(stage: Stage) -> dict[int, int]:
    found = stage.contents().favorites
    return {shard: len(items) for (content, shard), items in found.items() if content == content_of(PAGE, URI)}


def test_favorites_are_counted_whatever_the_number_of_shards_is_by_now(stage: Stage) -> None:
    users = [f"user{number:08}" for number in range(24)]
    for user in users:
        stage.platform.users.create(User(user, user))
    four = stage.wired(ENGAWA_FAVORITE_SHARDS=str(SHARDS))
    two = stage.wired(ENGAWA_FAVORITE_SHARDS="2")
    post(four, URI, MEI, PAGE)
    post(stage.platform, OTHER_URI, MEI, PAGE)
    ids = {user: two.favorites.add(PAGE, URI, user) for user in users}
    again = {user: stage.platform.favorites.add(PAGE, URI, user) for user in users}

    assert again == ids
    assert set(favorites_by_shard(stage)) == set(range(SHARDS))
    for here in (four, two, stage.platform):
        assert here.favorites.count(PAGE, URI) == 24
        assert here.feeds.get(PAGE, URI)[0].favorites == 24
        assert [feed.favorites for feed in here.feeds.part(PAGE, WHOLE).entries] == [0, 24]
    for user in users[:5]:
        stage.platform.favorites.remove(PAGE, URI, ids[user], user)
    assert stage.wrongs() == []
    assert two.favorites.count(PAGE, URI) == 19
    stage.delete()
    stage.clock.now += 1
    post(two, URI, MEI, PAGE)
    assert four.favorites.count(PAGE, URI) == 0
    for user in users[:7]:
        four.favorites.add(PAGE, URI, user)
    assert stage.wrongs() == []
    stage.clean()
    assert set(favorites_by_shard(stage)) == {0, 1}
    assert stage.platform.favorites.count(PAGE, URI) == 7


def test_a_feed_of_as_many_shards_as_there_may_be_is_deleted_at_once(stage: Stage) -> None:
    most = stage.wired(ENGAWA_FAVORITE_SHARDS="64")
    post(most, URI, MEI, PAGE, renditions=PICTURE)
    for user in (HANA, KEN, MEI, TARO):
        most.favorites.add(PAGE, URI, user)
    stage.delete()

    assert stage.wrongs() == []
    stage.clean()
    assert stage.contents().remains() == []


# Images


class Died(BaseException):
    """The end of the process."""


def die(*_: Any) -> None:
    raise Died


def test_an_upload_whose_feed_never_came_is_cleared_when_its_time_has_come(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(NumberedLists, "draw", die)
        with pytest.raises(Died):
            stage.post(renditions=PICTURE)
    ((note, _),) = stage.contents().notes.items()
    assert len(stage.cloud.bucket.objects) == 4
    stage.clock.now += UPLOAD_MS - 1
    assert stage.platform.cleanup.due() == []
    assert stage.platform.cleanup.work(note, 40)
    assert len(stage.cloud.bucket.objects) == 4
    stage.clock.now += 1
    assert stage.platform.cleanup.due() == [note]
    assert stage.platform.cleanup.work(note, 40)

    assert stage.cloud.bucket.objects == {}
    assert stage.contents().notes == {}


def test_a_feed_that_is_stored_meanwhile_keeps_its_image(stage: Stage) -> None:
    feed = stage.post(renditions=PICTURE)
    assert stage.contents().notes == {}
    stage.clock.now += DAY_MS

    assert stage.platform.cleanup.work(feed.images[0].split("/")[1], 40)
    assert sorted(stage.cloud.bucket.objects) == sorted(feed.images)


def test_the_image_of_a_feed_that_comes_while_it_is_cleared_goes_too(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = NumberedLists.draw

    def slow(lists: NumberedLists, partition: str, alive: Any) -> Any:
        stage.clock.now += UPLOAD_MS
        for note in stage.platform.cleanup.due():
            stage.platform.cleanup.work(note, 40)
        return real(lists, partition, alive)

    monkeypatch.setattr(NumberedLists, "draw", slow)
    with pytest.raises(Unavailable):
        stage.post(renditions=PICTURE)

    assert stage.cloud.bucket.objects == {}
    assert stage.feeds().total == 0


def test_a_feed_cannot_come_between_the_clearing_of_its_image_and_the_end_of_the_note(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, generation, draft = stage.platform, "0MYWPIWW0SLOW", Draft("slow", content_uri=URI)
    admitted = here.feed_posting.admit(PAGE, MEI, APP, draft)
    here.feed_posting._notes.uploading(generation)
    keys = here.images.keep(generation, PICTURE)
    stage.clock.now += UPLOAD_MS
    real, refused = type(here.images).clear, []

    def clear(images: Any, folder: str) -> None:
        real(images, folder)
        with pytest.raises(Unavailable):
            here.feed_posting._store(admitted, draft, generation, keys, None)
        refused.append(folder)

    monkeypatch.setattr(type(here.images), "clear", clear)
    assert here.cleanup.work(generation, 40)

    assert refused == [generation]
    assert stage.feeds().total == 0


def test_two_feeds_with_one_picture_have_each_their_own(stage: Stage) -> None:
    stage.post(renditions=PICTURE)
    other = stage.post(OTHER_URI, renditions=PICTURE)
    stage.delete()
    stage.clean()

    assert sorted(stage.cloud.bucket.objects) == sorted(other.images)


# Notes and cleanup


def test_the_sweep_tells_of_a_note_when_it_is_due_and_again_only_later(stage: Stage) -> None:
    stage.post()
    stage.comment()
    stage.delete()
    (note,) = stage.contents().notes
    assert stage.cloud.queue.messages == [note]
    stage.cloud.queue.messages.clear()
    for passed, told in ((SOON_MS - 1, 0), (1, 1), (0, 0), (AGAIN_MS - 1, 0), (1, 1)):
        stage.clock.now += passed
        assert stage.platform.cleanup.remind() == told
        assert len(stage.cloud.queue.messages) == told
        stage.cloud.queue.messages.clear()


def test_due_gives_so_many_at_once(stage: Stage) -> None:
    for _ in range(5):
        stage.post()
        stage.delete()
        stage.clock.now += 1
    stage.clock.now += SOON_MS

    assert len(stage.platform.cleanup.due(3)) == 3
    assert len(stage.platform.cleanup.due()) == 5


def test_cleaning_without_any_time_goes_on_each_time(stage: Stage) -> None:
    stage.post(renditions=PICTURE)
    Long(stage).fill(450)
    for user in (HANA, KEN):
        stage.favorite(user)
    stage.delete()
    (note,) = stage.contents().notes
    left = [450]
    while not stage.platform.cleanup.work(note, 0):
        assert stage.wrongs() == []
        left.append(sum(len(each) for each in stage.contents().hung.values()))
        assert left[-1] < left[-2]
        assert note in stage.contents().notes

    assert len(left) > 3
    assert stage.contents().remains() == []
    assert stage.cloud.bucket.objects == {}


def test_a_message_that_comes_twice_or_names_nothing_does_nothing(stage: Stage) -> None:
    stage.post()
    stage.comment()
    stage.delete()
    (note,) = stage.contents().notes
    assert stage.platform.cleanup.work(note, 40)
    stage.post(OTHER_URI)

    for message in (note, "nothing", f"{USER}{MEI}", f"page#{PAGE}"):
        assert stage.platform.cleanup.work(message, 40)
    assert stage.feeds().total == 1


# Pages


def test_a_page_goes_with_all_its_feeds(stage: Stage) -> None:
    stage.post(renditions=PICTURE)
    stage.post(None, user=KEN)
    stage.post(page=QUIET)
    stage.comment()
    stage.favorite()

    assert stage.platform.cleanup.delete_page(PAGE)
    with pytest.raises(NotFound):
        stage.feeds()
    with pytest.raises(NotFound):
        stage.platform.feeds.get(PAGE, URI)
    with pytest.raises(NotFound):
        stage.post(OTHER_URI)
    with pytest.raises(Conflict):
        stage.platform.pages.create(Page(PAGE, "Cafe"))
    while stage.cloud.queue.messages:
        message = stage.cloud.queue.messages.pop(0)
        if not stage.platform.cleanup.work(message, 0):
            stage.platform.queue.tell(message)
        assert stage.wrongs() == []

    assert stage.cloud.bucket.objects == {}
    assert stage.contents().remains() == []
    assert stage.feeds(page=QUIET).total == 1
    stage.platform.pages.create(Page(PAGE, "Cafe"))
    assert stage.feeds().total == 0
    assert not stage.platform.cleanup.delete_page(NONE)


def test_nothing_is_posted_any_more_on_a_page_that_is_going(stage: Stage) -> None:
    stage.post()
    draft = Draft("title", content_uri=OTHER_URI)
    admitted = stage.platform.feed_posting.admit(PAGE, MEI, APP, draft)
    stage.platform.cleanup.delete_page(PAGE)
    with pytest.raises(NotFound):
        stage.platform.feed_posting.post(admitted, draft, PICTURE)

    assert len(stage.contents().feeds) == 1
    assert stage.cloud.bucket.objects == {}


def test_nothing_is_taken_away_from_a_page_that_is_going(stage: Stage) -> None:
    """The page is not found, as in every other request, however far the cleanup has come."""
    stage.post()
    comment, favorite = stage.comment(), stage.favorite()
    stage.platform.cleanup.delete_page(PAGE)
    for user in (MEI, HANA):
        with pytest.raises(NotFound):
            stage.delete(user=user)
        with pytest.raises(NotFound):
            stage.platform.comments.delete(PAGE, URI, comment, user)
        with pytest.raises(NotFound):
            stage.platform.favorites.remove(PAGE, URI, favorite, user)

    assert len(stage.contents().feeds) == 1
    stage.clean()
    assert stage.contents().remains() == []


def test_of_a_page_that_is_being_deleted_no_cursor_is_looked_at(stage: Stage) -> None:
    stage.post()
    stage.platform.cleanup.delete_page(PAGE)
    for paging in (Paging(0, 3), Paging(0, 3, "nonsense")):
        with pytest.raises(NotFound):
            stage.platform.comments.part(PAGE, URI, paging)
        with pytest.raises(NotFound):
            stage.platform.feeds.part(PAGE, paging)


def test_a_page_without_feeds_is_gone_at_once(stage: Stage) -> None:
    assert stage.platform.cleanup.delete_page(PAGE)

    assert (PAGE in stage.contents().pages, stage.cloud.queue.messages) == (False, [])


def test_a_page_that_is_made_anew_is_not_taken_for_the_one_that_was_deleted(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.post()
    stage.platform.cleanup.delete_page(PAGE)
    with monkeypatch.context() as patched:
        patched.setattr(CleanupNotes, "end", die)
        with pytest.raises(Died):
            stage.clean()
    assert PAGE not in stage.contents().pages
    stage.platform.pages.create(Page(PAGE, "another"))
    stage.platform.pages.add_module(PAGE, APP, "menu name", MODULE)
    stage.platform.pages.members.add_administrator(PAGE, MEI)
    stage.post()
    stage.settle()

    assert stage.feeds().total == 1
    assert stage.platform.pages.get(PAGE) is not None


# A user's posts


def test_all_that_a_user_posted_is_told_and_erased(stage: Stage) -> None:
    stage.post(user=KEN, renditions=PICTURE)
    stage.post(user=KEN, page=QUIET)
    stage.post(OTHER_URI, user=MEI)
    for uri in (URI, OTHER_URI):
        for user in (HANA, KEN):
            stage.comment(f"of {user}", user, uri)
            stage.favorite(user, uri)
    stage.clock.now += 1
    stage.post("http://application.example/deleted", user=MEI)
    stage.comment("gone with its feed", KEN, "http://application.example/deleted")
    stage.favorite(KEN, "http://application.example/deleted")
    stage.delete("http://application.example/deleted")
    everything = stage.platform.user_data.export(KEN)
    assert everything
    posted = everything.posted
    on = [(PAGE, URI), (PAGE, OTHER_URI)]

    assert sorted((feed.page, feed.comments, feed.favorites) for feed in posted.feeds) == [(PAGE, 2, 2), (QUIET, 0, 0)]
    assert sorted((at.page, at.content_uri) for at, _ in posted.comments) == on
    assert {each.text for _, each in posted.comments} == {f"of {KEN}"}
    assert sorted((at.page, at.content_uri) for at, _ in posted.favorites) == on

    assert stage.platform.user_data.erase(KEN)["posts"] > 0
    assert stage.wrongs() == []
    assert stage.texts(uri=OTHER_URI) == [f"of {HANA}"]
    assert stage.platform.favorites.count(PAGE, OTHER_URI) == 1
    with pytest.raises(NotFound):
        stage.platform.feeds.get(PAGE, URI)
    stage.clean()
    assert list(stage.contents().notes) == [f"{USER}{KEN}"]
    assert stage.cloud.bucket.objects == {}
    assert KEN not in str(stage.cloud.memory.items.keys()).replace(f"{USER}{KEN}", "")


def test_what_arrives_late_is_found_by_the_note(stage: Stage) -> None:
    stage.post()
    draft = Draft("late", content_uri=OTHER_URI)
    admitted = stage.platform.feed_posting.admit(PAGE, KEN, APP, draft)
    stage.platform.user_data.erase(KEN)
    stage.platform.feed_posting.post(admitted, draft, PICTURE)
    note = f"{USER}{KEN}"

    assert stage.platform.cleanup.work(note, 40)
    stage.clock.now += LATE_MS - 1
    assert stage.platform.cleanup.due() == []
    stage.clock.now += 1
    assert stage.platform.cleanup.due() == [note]
    assert stage.platform.feeds.get(PAGE, OTHER_URI)
    stage.platform.sweep()
    stage.clean()
    with pytest.raises(NotFound):
        stage.platform.feeds.get(PAGE, OTHER_URI)
    assert stage.contents().notes == {}
    assert stage.cloud.bucket.objects == {}


def test_a_user_of_the_same_id_who_is_made_anew_keeps_what_they_post(stage: Stage) -> None:
    stage.post()
    draft = Draft("late", content_uri=OTHER_URI)
    admitted = stage.platform.feed_posting.admit(PAGE, KEN, APP, draft)
    stage.platform.user_data.erase(KEN)
    stage.platform.feed_posting.post(admitted, draft)
    stage.clock.now += 1
    stage.platform.users.create(User(KEN, "another"))
    stage.comment("of another", KEN)
    stage.settle()

    assert stage.texts() == ["of another"]
    with pytest.raises(NotFound):
        stage.platform.feeds.get(PAGE, OTHER_URI)


def test_erasing_goes_on_after_no_time_at_all(stage: Stage) -> None:
    stage.post()
    for number in range(40):
        stage.comment(str(number), KEN)
    clock = iter(range(0, 10_000, 10))
    first = stage.platform.user_data.erase(KEN, lambda: float(next(clock)))["posts"]
    assert 0 < first < 40
    assert stage.wrongs() == []
    stage.clock.now += LATE_MS
    stage.platform.sweep()
    stage.clean(0)

    assert stage.texts() == []
    assert stage.contents().notes == {}


def test_erasing_a_feed_never_takes_one_that_somebody_else_posted_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.post(user=KEN)
    feeds = type(stage.platform.feeds)
    real = feeds.heads_of

    def between(self: Any, items: Any) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(feeds, "heads_of", real)
            stage.delete()
            stage.clock.now += 1
            stage.post(user=HANA)
        return real(self, items)

    monkeypatch.setattr(feeds, "heads_of", between)
    stage.platform.user_data.erase(KEN)
    monkeypatch.setattr(feeds, "heads_of", real)

    assert stage.platform.feeds.get(PAGE, URI)[0].poster == HANA


def test_the_index_may_lag_and_what_it_lists_may_be_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.post()
    stage.comment("1", KEN)
    stage.favorite(KEN)
    listed = dict(stage.cloud.memory.items)
    stage.delete()
    stage.clean()
    real = stage.cloud.memory.query

    def stale(**request: Any) -> Any:
        if "IndexName" not in request or not request["TableName"].endswith(("feeds", "comments", "favorites")):
            return real(**request)
        lagging = Cloud().memory
        lagging.items = listed
        return lagging.query(**request)

    monkeypatch.setattr(stage.cloud.memory, "query", stale)
    everything = stage.platform.user_data.export(KEN)
    assert everything
    assert (everything.posted.comments, everything.posted.favorites) == ([], [])
    assert stage.platform.user_data.erase(KEN)["posts"] == 0


# Over moto


def test_the_tables_in_memory_do_what_motos_do(tmp_path: Path) -> None:
    def story(stage: Any) -> list[Any]:
        here, told = stage.platform, []
        stage.post = lambda uri=URI, **more: post(here, uri, more.pop("user", MEI), PAGE, **more)
        told.append(stage.post(renditions=PICTURE).content_uri)
        for number in range(6):
            here.comments.post(PAGE, URI, HANA, str(number))
        for user in (HANA, KEN):
            here.favorites.add(PAGE, URI, user)
        ids = [each.id for each in here.comments.part(PAGE, URI, WHOLE).entries]
        here.comments.delete(PAGE, URI, ids[2], HANA)
        told.append([each.text for each in here.comments.part(PAGE, URI, Paging(1, 3)).entries])
        here.favorites.remove(PAGE, URI, here.favorites.add(PAGE, URI, KEN), KEN)
        told.append(here.favorites.count(PAGE, URI))
        stage.post(None, user=KEN)
        told.append(here.feeds.part(PAGE, WHOLE).total)
        here.feeds.delete(PAGE, URI, MEI)
        stage.clock.now += 1
        stage.post()
        told.append(here.comments.part(PAGE, URI, WHOLE).total)
        here.user_data.erase(HANA)
        stage.clock.now += DAY_MS
        here.sweep()
        stage.clean()
        here.cleanup.delete_page(PAGE)
        stage.clean()
        return told

    with one_after_the_other(), empty_aws():
        imagined = Stage(ENGAWA_FAVORITE_SHARDS="4").populate()
        world = World(tmp_path, ENGAWA_FAVORITE_SHARDS="4")
        Stage.populate(world)  # type: ignore[arg-type]
        assert story(imagined) == story(world)
        found = invariants_contents.scan(world.dynamodb, world.s3, BUCKET)
        assert (found.wrongs(), found.remains()) == ([], [])


def test_a_word_of_holes_is_kept_to_its_last_bit(tmp_path: Path) -> None:
    with one_after_the_other(), empty_aws():
        world = World(tmp_path)
        Stage.populate(world)  # type: ignore[arg-type]
        here = world.platform
        post(here, URI, MEI, PAGE)
        ids = [here.comments.post(PAGE, URI, HANA, str(number)).id for number in range(1, 102)]
        for number in (1, 50, 98, 99, 100):
            here.comments.delete(PAGE, URI, ids[number - 1], HANA)

        assert invariants_contents.scan(world.dynamodb, world.s3, BUCKET).wrongs() == []
        assert [each.text for each in here.comments.part(PAGE, URI, Paging(1, 2)).entries] == ["97", "96"]
