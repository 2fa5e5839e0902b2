"""Moderation: hidden posts, and the limits of the lists of moderators.

A moderator or operator hides a feed or a comment, or shows it again. In the API, a hidden post is absent for everyone
and not counted; on the pages that people see, its poster, the administrators of its page and moderators see it, marked
(decision). They can delete it, but nobody can comment on it or make it a favorite.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from chalicelib.core.model.contents import Comment, Feed
from chalicelib.core.model.directory import Page, User

NEWEST_DAYS = 30
"""The list of newest posts goes back this far."""
HIDDEN_DAYS = 365
"""The list of hidden posts goes back this far; a post stays hidden after that."""
REASON_CHARACTERS = 500


class PostKind(Enum):
    """The kinds of posts that moderators see."""

    FEED = "feed"
    COMMENT = "comment"


@dataclass(frozen=True)
class Post:
    """A feed of a page, or a comment on it (`comment` is None: the feed itself)."""

    page: str
    feed: str
    comment: str | None = None

    @property
    def kind(self) -> PostKind:
        """The kind of the post."""
        return PostKind.FEED if self.comment is None else PostKind.COMMENT

    @property
    def name(self) -> str:
        """The post as one text, for logs and reports: `<page>/<feed>` or `<page>/<feed>/<comment>`."""
        return "/".join(filter(None, (self.page, self.feed, self.comment)))


def post_named(name: str) -> Post:
    """Return the post with that name, as Post.name gives it."""
    page, feed, *rest = name.split("/")
    return Post(page, feed, rest[0] if rest else None)


def sees_hidden(*, viewer: str | None, poster: str, administers: bool, moderates: bool) -> bool:
    """Return whether a person sees a hidden post of `poster`, marked as hidden."""
    return viewer is not None and (viewer == poster or administers or moderates)


@dataclass(frozen=True)
class ListedPost:
    """A feed, or a comment on it. `by` and `reason`: who hid it and why, if it is hidden."""

    feed: Feed
    comment: Comment | None = None
    by: str = ""
    reason: str = ""

    @property
    def post(self) -> Post:
        """The ids of the post."""
        return Post(self.feed.page, self.feed.id, self.comment.id if self.comment else None)

    @property
    def poster(self) -> str:
        """The user who posted it."""
        return self.comment.poster if self.comment else self.feed.poster


@dataclass(frozen=True)
class PostList:
    """Part of a list of posts, newest first. `people` and `pages` are those of the entries that still exist.

    `following` is the cursor of the next part (None: the list ends here). `until`: the list was searched back to this
    time (ms) for the entries of one page or kind, and there may be more (None: no limit was met).
    """

    entries: Sequence[ListedPost]
    people: Mapping[str, User]
    pages: Mapping[str, Page]
    following: str | None
    until: int | None = None
