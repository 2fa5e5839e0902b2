"""Contents of pages: feeds, comments and favorites.

A content is what an app has made (a drawing, a recipe), known by its `contentUri`; a page has a feed of it, and people
leave comments and favorites there. How each field is checked is in core/feed_fields.py. Source: Page API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chalicelib.core.model.directory import User

T = TypeVar("T")


@dataclass(frozen=True)
class Draft:
    """A feed as it is posted. `""`: not given.

    `content_uri` None: the URL of the feed's detail page; `source` is the id of a module of the page (None: the app
    itself is named); `image_url` is where to fetch an image from.
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
    """A feed of a page. `id` ends the URL of its detail page; `created` is in milliseconds since the epoch.

    `images` are the keys of its image's renditions, large, medium and small, or nothing; `poster` is a user's id.
    `shown`: it is in its page's list.
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


@dataclass(frozen=True)
class Comment:
    """A comment on a feed; `poster` is a user's id, `created` in milliseconds since the epoch."""

    id: str
    text: str
    poster: str
    created: int


@dataclass(frozen=True)
class ContentsPart(Generic[T]):
    """Part of a list, newest first.

    `posters` has those of the entries' posters who exist; `total` is how many entries the whole list has, `start` the
    index of the first (None: it was asked for by a cursor), `following` the cursor of what comes after (None: nothing).
    """

    entries: Sequence[T]
    total: int
    start: int | None
    following: str | None
    posters: Mapping[str, User] = field(default_factory=dict)
