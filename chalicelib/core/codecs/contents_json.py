"""Pages, feeds and comments as the Page API shows them (source: its samples of answers)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.dates import w3cdtf
from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.directory import ADDRESS_CATEGORIES, BIRTHDAY_CATEGORIES, Page, User

_SIZES = ("large", "medium", "small")


@dataclass(frozen=True)
class Shown:
    """How this deployment shows contents: dates `offset` minutes east of UTC, images at `image_url(key)`."""

    offset: int
    image_url: Callable[[str], str]

    def feed(self, feed: Feed, posters: Mapping[str, User]) -> dict[str, Any]:
        """A feed; `images` is empty or has the one image in its three sizes."""
        sizes = dict(zip(_SIZES, map(self.image_url, feed.images), strict=False))
        return {
            "contentUri": feed.content_uri,
            "title": feed.title,
            "body": feed.body,
            "urls": {"pcUrl": feed.pc_url, "mobileUrl": feed.mobile_url, "smartphoneUrl": feed.smartphone_url},
            "images": [sizes] if sizes else [],
            "user": poster_json(feed.poster, posters),
            "favoriteCount": feed.favorites,
            "commentCount": feed.comments,
            "sourceName": feed.source_name,
            "created": self.date(feed.created),
        }

    def comment(self, comment: Comment, posters: Mapping[str, User]) -> dict[str, Any]:
        """A comment."""
        return {
            "id": comment.id,
            "comment": comment.text,
            "user": poster_json(comment.poster, posters),
            "created": self.date(comment.created),
        }

    def date(self, milliseconds: int) -> str:
        """A time since the epoch in W3C-DTF."""
        return w3cdtf(milliseconds, self.offset)


def poster_json(poster: str, posters: Mapping[str, User]) -> dict[str, str]:
    """Who posted; without name and picture where that user is no more."""
    user = posters.get(poster, User(poster, ""))
    return {"id": poster, "displayName": user.display_name, "thumbnailUrl": user.thumbnail_url}


def page_information(page: Page) -> dict[str, Any]:
    """A page; `options` has what was given of what pages of its category show."""
    options = {"pcUrl": page.pc_url, "mobileUrl": page.mobile_url, "smartphoneUrl": page.smartphone_url}
    if page.category in ADDRESS_CATEGORIES:
        options = {"zipCode": page.zip_code, "address": page.address} | options
    if page.category in BIRTHDAY_CATEGORIES:
        options |= {"birthday": page.birthday}
    return {
        "id": page.id,
        "displayName": page.name,
        "thumbnailUrls": {
            "large": page.thumbnail_large,
            "medium": page.thumbnail_medium,
            "small": page.thumbnail_small,
        },
        "details": page.details,
        "options": {name: value for name, value in options.items() if value},
        "followerCount": page.followers,
    }
