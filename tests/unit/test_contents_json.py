"""Pages, feeds and comments as the Page API shows them."""

from dataclasses import replace

import pytest

from chalicelib.core.codecs.contents_json import ContentsFormat, page_information, poster_json
from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.directory import Category, Page, User

HANA = User("k3v9x2mtq7ra", "花 (Hana)", thumbnail_url="https://people.example/hana.jpg")
POSTERS = {HANA.id: HANA}
AT = 1_288_662_177_999
SHOWN = ContentsFormat(540, lambda key: f"https://cdn.example/{key}")
FEED = Feed(
    page="1",
    id="f",
    content_uri="http://www.application.com/id=12345",
    title="title",
    body="body",
    pc_url="http://pc.example/",
    mobile_url="",
    smartphone_url="",
    images=("l.jpg", "m.jpg", "s.jpg"),
    poster=HANA.id,
    source_name="menu name",
    created=AT,
    favorites=4632,
    comments=274,
)
PAGE = Page(
    id="12345678901234567890",
    name="mixi page name",
    details="mixi page description",
    zip_code="150-0011",
    address="Tokyo",
    pc_url="http://pc.example",
    mobile_url="http://mb.example",
    smartphone_url="http://sp.example",
    birthday="1991-04-02",
    thumbnail_large="http://img.example/l.gif",
    thumbnail_medium="http://img.example/m.gif",
    thumbnail_small="http://img.example/s.gif",
    followers=1000,
)
URLS = {"pcUrl": PAGE.pc_url, "mobileUrl": PAGE.mobile_url, "smartphoneUrl": PAGE.smartphone_url}
PLACE = {"zipCode": PAGE.zip_code, "address": PAGE.address}
BIRTHDAY = {"birthday": PAGE.birthday}


def test_a_feed_has_these_fields():
    assert SHOWN.feed(FEED, POSTERS) == {
        "contentUri": "http://www.application.com/id=12345",
        "title": "title",
        "body": "body",
        "urls": {"pcUrl": "http://pc.example/", "mobileUrl": "", "smartphoneUrl": ""},
        "images": [
            {
                "large": "https://cdn.example/l.jpg",
                "medium": "https://cdn.example/m.jpg",
                "small": "https://cdn.example/s.jpg",
            }
        ],
        "user": {
            "id": "k3v9x2mtq7ra",
            "displayName": "花 (Hana)",
            "thumbnailUrl": "https://people.example/hana.jpg",
        },
        "favoriteCount": 4632,
        "commentCount": 274,
        "sourceName": "menu name",
        "created": "2010-11-02T10:42:57+09:00",
    }


def test_a_feed_without_an_image_has_none():
    assert SHOWN.feed(replace(FEED, images=()), POSTERS)["images"] == []


def test_a_comment_has_these_fields():
    comment = Comment("1FZ3P4ACUWBBC-20090520180336", "comment body", HANA.id, AT)
    assert SHOWN.comment(comment, POSTERS) == {
        "id": "1FZ3P4ACUWBBC-20090520180336",
        "comment": "comment body",
        "user": poster_json(HANA.id, POSTERS),
        "created": "2010-11-02T10:42:57+09:00",
    }


@pytest.mark.parametrize(
    ("offset", "created"),
    [(0, "2010-11-02T01:42:57+00:00"), (-570, "2010-11-01T16:12:57-09:30"), (540, "2010-11-02T10:42:57+09:00")],
)
def test_dates_are_in_the_time_of_the_deployment(offset, created):
    shown = replace(SHOWN, offset=offset)
    assert shown.feed(FEED, {})["created"] == shown.comment(Comment("1", "", HANA.id, AT), {})["created"] == created


def test_who_is_no_more_has_no_name():
    assert poster_json("gone", POSTERS) == {"id": "gone", "displayName": "", "thumbnailUrl": ""}
    assert SHOWN.feed(FEED, {})["user"] == {"id": HANA.id, "displayName": "", "thumbnailUrl": ""}


def test_a_page_has_these_fields():
    assert page_information(PAGE) == {
        "id": "12345678901234567890",
        "displayName": "mixi page name",
        "thumbnailUrls": {
            "large": "http://img.example/l.gif",
            "medium": "http://img.example/m.gif",
            "small": "http://img.example/s.gif",
        },
        "details": "mixi page description",
        "options": URLS,
        "followerCount": 1000,
    }


@pytest.mark.parametrize(
    ("category", "options"),
    [
        (Category.BRAND, PLACE | URLS),
        (Category.EVENT, PLACE | URLS),
        (Category.ENTERTAINMENT, PLACE | URLS),
        (Category.MEDIA, PLACE | URLS),
        (Category.LOCAL, PLACE | URLS),
        (Category.ORGANIZATION, PLACE | URLS),
        (Category.CELEBRITY, URLS | BIRTHDAY),
        (Category.OTHER, URLS),
    ],
)
def test_what_options_has_depends_on_the_category(category, options):
    assert page_information(replace(PAGE, category=category))["options"] == options


@pytest.mark.parametrize("category", Category)
def test_options_have_nothing_that_was_not_given(category):
    assert page_information(Page("1", "name", category=category))["options"] == {}
