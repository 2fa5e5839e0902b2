"""Contents of pages: feeds, comments and favorites.

A content is a work made in an app (a drawing, a recipe). Its `contentUri` identifies it. A page has a feed for the
content, and people add comments and favorites to the feed. core/codecs/contents_json.py checks the fields. Source: Page
API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chalicelib.core.model.directory import User

T = TypeVar("T")


@dataclass(frozen=True)
class Draft:
    """A feed before it is posted. `""` means: not given.

    If `content_uri` is None, the URL of the feed's detail page is used. `source` is the id of a module of the page
    (None: the app itself is the source). `image_url` is the URL to fetch an image from.
    """

    title: str
    body: str = ""
    pc_url: str = ""
    mobile_url: str = ""
    smartphone_url: str = ""
    content_uri: str | None = None
    source: str | None = None
    image_url: str | None = None


@dataclass(frozen=True)
class Feed:
    """A feed of a page. The URL of its detail page ends with `id`. `created` is in milliseconds since the epoch.

    `images` has the keys of the image's renditions (large, medium, small, wide), or is empty. Feeds of earlier versions
    have no wide one. `poster` is a user's id. `shown` is True if the feed is in the list of its page. `hidden` is the
    time when a moderator hid it, or None.
    """

    page: str
    id: str
    content_uri: str
    title: str
    body: str
    pc_url: str
    mobile_url: str
    smartphone_url: str
    images: tuple[str, ...]
    poster: str
    source_name: str
    created: int
    favorites: int = 0
    comments: int = 0
    shown: bool = True
    hidden: int | None = None


@dataclass(frozen=True)
class Comment:
    """A comment on a feed. `poster` is a user's id, `created` is in milliseconds since the epoch.

    `hidden` is the time when a moderator hid it, or None.
    """

    id: str
    text: str
    poster: str
    created: int
    hidden: int | None = None


@dataclass(frozen=True)
class ContentsPart(Generic[T]):
    """A part of a list, newest first.

    `posters` has the posters of the entries, except those who no longer exist. `total` is the length of the whole list.
    `start` is the index of the first entry (None: the request had a cursor). `following` is the cursor of the next part
    (None: this is the last part).
    """

    entries: Sequence[T]
    total: int
    start: int | None
    following: str | None
    posters: Mapping[str, User] = field(default_factory=dict)
