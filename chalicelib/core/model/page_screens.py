"""What the web pages of pages and feeds show, as the store reads it (store/contents/page_screens.py)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.core.model.contents import Comment, ContentsPart, Feed
from chalicelib.core.model.directory import App, Module, Page, User


@dataclass(frozen=True)
class Membership:
    """The relation of the user who asks to a page."""

    follows: bool = False
    administers: bool = False


@dataclass(frozen=True)
class PageScreen:
    """A page with a part of its feeds, its modules, and those apps of the modules that exist, by id."""

    page: Page
    feeds: ContentsPart[Feed]
    modules: Sequence[Module]
    apps: Mapping[str, App]
    member: Membership = field(default_factory=Membership)


@dataclass(frozen=True)
class FeedScreen:
    """A feed with its page, a part of its comments, and all posters who exist, by id.

    `favorite` is the id of the favorite of the user who asks, or None.
    """

    page: Page
    feed: Feed
    comments: ContentsPart[Comment]
    posters: Mapping[str, User]
    member: Membership = field(default_factory=Membership)
    favorite: str | None = None
    hidden: Sequence[Comment] = ()
    """The newest hidden comments that the user who asks may see."""


@dataclass(frozen=True)
class PostScreen:
    """A feed or a comment with its page: its text (a feed's title), and its poster, who may be gone."""

    page: Page
    content_uri: str
    text: str
    poster: str
    user: User | None
    member: Membership


@dataclass(frozen=True)
class PageOverview:
    """A page with the first of its administrators and of its modules, and the apps that exist, by id.

    `more_administrators` and `more_modules` say whether there are others.
    """

    page: Page
    administrators: Sequence[User]
    more_administrators: bool
    modules: Sequence[Module]
    more_modules: bool
    apps: Mapping[str, App]


@dataclass(frozen=True)
class MembersScreen:
    """Part of a page's administrators: their ids, and the users who exist, by id."""

    page: Page
    ids: Sequence[str]
    users: Mapping[str, User]
    following: str | None
    member: Membership


@dataclass(frozen=True)
class ModulesScreen:
    """Part of a page's modules, and the apps that exist, by id."""

    page: Page
    modules: Sequence[Module]
    apps: Mapping[str, App]
    following: str | None
    member: Membership
