"""The ids of feeds and comments identify their items, and items fit in one write unit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.model.contents import Draft
from chalicelib.store.aws.item_size import WRITE_UNIT, item_size
from chalicelib.store.aws.items import Item
from chalicelib.store.contents.items import (
    NUMBER,
    RANDOM,
    comment_item,
    content_of,
    favorite_key,
    feed_id,
    feed_item,
    feed_key,
    head_item,
    is_shown,
    number_in,
    poster_of,
    shard_of,
    to_comment,
    to_feed,
    unshown_key,
)
from chalicelib.store.contents.numbered_lists import entry_key, new_id, number_of

PAGE = "9" * 20
USER = "k3v9x2mtq7ra"
NOW = 1_800_000_000_000
GENERATION = new_id(NOW)
CONTENT = content_of(PAGE, "http://application.example/id=1")
HIGHEST = 9_999_999_999
DRAFT = Draft("title", content_uri="http://application.example/id=1")
SMALL_DRAFT = Draft("t" * 100, "", "http://a.example/1", content_uri="http://a.example/" + "1" * 100)


def feed(number: int | None, draft: Draft = DRAFT) -> Item:
    key = unshown_key(PAGE, GENERATION) if number is None else entry_key(PAGE, "", number)
    return feed_item(key, GENERATION, USER, draft, "menu name", (), NOW)


def comment(number: int, text: str = "text") -> Item:
    return comment_item(entry_key(CONTENT, f"{GENERATION}#", number), USER, text, "A1B2C3D", NOW)


@given(st.integers(1, HIGHEST))
def test_a_shown_feeds_id_is_its_number_and_leads_back(number: int) -> None:
    item = feed(number)

    assert feed_id(item) == str(number)
    assert feed_key(PAGE, feed_id(item)) == (PAGE, item["sk"]["S"])
    assert is_shown(item["sk"]["S"])
    assert item["sk"]["S"][-11:-10] == "c"


@given(st.integers(0, 4_102_444_800_000))
def test_an_unshown_feeds_id_is_its_generation_and_leads_back(now: int) -> None:
    generation = new_id(now)
    key = unshown_key(PAGE, generation)

    assert len(generation) == 13
    assert feed_id(feed_item(key, generation, USER, DRAFT, "", (), now)) == generation
    assert feed_key(PAGE, generation) == key
    assert not is_shown(key[1])


@pytest.mark.parametrize("feed_named", ["", "x", "12345678901", "１２", "-1", "1.0", "c0000000001"])
def test_what_is_no_feeds_id_leads_to_no_shown_feed(feed_named: str) -> None:
    assert not is_shown(feed_key(PAGE, feed_named)[1])


@given(st.integers(1, 36**NUMBER - 1))
def test_a_comments_id_leads_back(number: int) -> None:
    item = comment(number)
    told = to_comment(item, 540)

    assert number_in(told.id) == (number, "A1B2C3D")
    assert number_of(item) == number
    name, dash, time = told.id.partition("-")
    assert (len(name), dash, time) == (NUMBER + RANDOM, "-", "20270115170000")


@pytest.mark.parametrize(
    "named",
    [
        "",
        "-",
        "000001A1B2C3D",
        "000001A1B2C3D-2027011517000",
        "000001A1B2C3D-202701151700000",
        "000001A1B2C3-20270115170000",
        "000001A1B2C3DE-20270115170000",
        "00001_A1B2C3D-20270115170000",
        "00001éA1B2C3D-20270115170000",
        "000001A1B2C3D-2027011517000x",
        "000001A1B2C3D-２０２７０１１５１７００００",
        "000001A1B2C3D-20270115170000-1",
    ],
)
def test_what_is_no_comments_id(named: str) -> None:
    assert number_in(named) is None


def test_a_comment_of_900_bytes_is_one_write_unit() -> None:
    for text in ("x" * 900, "縁" * 300):
        assert item_size(comment(36**NUMBER - 1, text)) <= WRITE_UNIT


def head(shards: int, tickets: int = 0) -> Item:
    item = head_item(CONTENT, feed(HIGHEST), shards)
    full = {"N": "9" * 10}
    drawn = {f"t{new_id(NOW)}": full for _ in range(tickets)}
    return item | {"n": full, "nx": full, "fv": full, "dr": {"M": drawn}}


def test_a_head_is_one_write_unit_while_many_comment_at_once() -> None:
    assert item_size(head(64)) < 256
    assert len(head(1, 30)["dr"]["M"]) == 30
    assert item_size(head(64, 30)) <= WRITE_UNIT


def test_a_feed_comes_back_as_it_was_posted() -> None:
    draft = Draft("題", "body", "http://pc.example/", "", "http://sp.example/", "http://a.example/?縁", None, None)
    item = feed_item(entry_key(PAGE, "", 7), GENERATION, USER, draft, "menu", ("images/a/1.jpg", "b", "c"), NOW)
    told = to_feed(item, head_item(CONTENT, item, 1) | {"n": {"N": "3"}, "fv": {"N": "2"}}, 4)

    assert (told.page, told.id, told.content_uri, told.title, told.body) == (PAGE, "7", draft.content_uri, "題", "body")
    assert (told.pc_url, told.mobile_url, told.smartphone_url) == ("http://pc.example/", "", "http://sp.example/")
    assert (told.images, told.poster, told.source_name) == (("images/a/1.jpg", "b", "c"), USER, "menu")
    assert (told.created, told.comments, told.favorites) == (NOW, 3, 6)


def test_a_small_feed_is_one_write_unit() -> None:
    assert item_size(feed(HIGHEST, SMALL_DRAFT)) <= WRITE_UNIT


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_contents_partition_is_short_and_its_own(one: str, other: str) -> None:
    assert len(content_of(PAGE, one)) == 32
    assert (content_of(PAGE, one) == content_of(PAGE, other)) == (one == other)
    assert content_of("1", one) != content_of("2", one)


def test_the_partition_holds_for_a_uri_that_is_no_unicode() -> None:
    assert content_of(PAGE, "http://a/\ud800") != content_of(PAGE, "http://a/\ud801")


def test_a_user_has_one_shard_of_a_content_and_users_are_spread_over_them() -> None:
    item = head(64)
    shards = {shard_of(f"user{number}", item) for number in range(2_000)}

    assert shards == set(range(64))
    assert {shard_of(USER, item) for _ in range(3)} == {shard_of(USER, item)}
    assert shard_of(USER, head(1)) == 0
    assert poster_of(feed(1)) == USER
    assert favorite_key(CONTENT, 3, GENERATION, USER) == (f"{CONTENT}#3", f"{GENERATION}#{USER}")
