"""Users, apps and pages, with their ids. core/codecs/checks.py checks their fields.

Sources: Available Information (basic and profile information, publication settings) and Page API.
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from chalicelib.core.events import EventKind
from chalicelib.core.model.publication import DEFAULT_PUBLICATION, Publication
from chalicelib.core.roles import Role

_USER_CHARACTERS = string.ascii_lowercase + string.digits


class BloodType(Enum):
    """The blood types of a profile."""

    A = "A"
    B = "B"
    O = "O"  # noqa: E741 (its name)
    AB = "AB"


class Gender(Enum):
    """The genders of a profile, as in the original API."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True)
class User:
    """A user. `""` and None mean: not given.

    `birthday` is "YYYY-MM-DD". `age` is in years and independent of `birthday`. `blood_type` and `gender` are values of
    BloodType and Gender. `login` is in lower case. `created` is in milliseconds since the epoch.
    """

    id: str
    display_name: str
    profile_url: str = ""
    thumbnail_url: str = ""
    blood_type: str | None = None
    address: str | None = None
    birthday: str | None = None
    age: int | None = None
    gender: str | None = None
    publication: Mapping[str, Publication] = field(default_factory=lambda: dict(DEFAULT_PUBLICATION))
    """A setting for each of PROFILE_FIELDS."""
    visible: bool = True
    """Whether apps that the user has not installed may see public fields."""
    login: str | None = None
    created: int = 0
    friends: int = 0
    """The number of friends."""
    role: Role | None = None
    """The role in the console (core/roles.py). Only `Roles` in store/directory/roles.py changes it."""
    suspended: int | None = None
    """When the user was suspended, in ms; None if they are not. A suspended user cannot do anything by themselves."""
    leaving: int | None = None
    """When the account is due to be erased because the user asked for it, in ms; None: it stays."""
    session_epoch: str = ""
    """Only sessions with this value are valid. A new value ends all sessions at once (store/grants/sessions.py)."""


class AppDialect(Enum):
    """The form of the token endpoint's responses: with `token_type` (RFC 6750) or without (draft 10 of OAuth 2)."""

    DRAFT10 = "draft10"
    RFC6750 = "rfc6750"


class StartMethod(Enum):
    """The way an app starts on a page: the browser is redirected to the start URL, or sends a form to it (POST)."""

    REDIRECT = "redirect"
    FORM = "form"


@dataclass(frozen=True)
class App:
    """An app, which is an OAuth client. Its id is the client id.

    A confidential app has a secret. A public app has none and must use PKCE. `secret` is plain text here and encrypted
    in the table; lists of apps do not contain it. `scopes` are the scopes that the app may request. `origins` are the
    web origins ("https://game.example") from which pages may call the API with the app's tokens.

    `icon_url` (https), `developer`, `homepage_url` and `privacy_url` are for the people who are asked to allow the app;
    `""`: not given.
    """

    id: str
    name: str
    confidential: bool = True
    secret: str | None = field(default=None, repr=False)
    redirect_uris: tuple[str, ...] = ()
    start_url: str | None = None
    scopes: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    dialect: AppDialect = AppDialect.RFC6750
    created: int = 0
    start_method: StartMethod = StartMethod.REDIRECT
    events: frozenset[EventKind] = frozenset()
    """The kinds of events that one of the app's endpoints is told of; none while the app is suspended."""
    icon_url: str = ""
    developer: str = ""
    homepage_url: str = ""
    privacy_url: str = ""
    suspended: int | None = None
    """The time (ms) since which an operator has suspended the app; None: it is not suspended."""
    suspension_reason: str = ""
    secret_created: int = 0
    """The time (ms) of the rotation that made the secret; 0: the secret is as old as the app."""
    secret_used: int | None = None
    """A time (ms) on the last day on which the secret was used, None: not used, or not since this is noted."""
    old_secret: str | None = field(default=None, repr=False)
    """The secret before the last rotation, if that rotation kept it; it is valid before `old_secret_until` (ms)."""
    old_secret_until: int | None = None
    old_secret_used: int | None = None


class Category(Enum):
    """The categories of pages."""

    BRAND = "brand"
    EVENT = "event"
    ENTERTAINMENT = "entertainment"
    MEDIA = "media"
    LOCAL = "local"
    ORGANIZATION = "organization"
    CELEBRITY = "celebrity"
    OTHER = "other"


ADDRESS_CATEGORIES = frozenset(
    {
        Category.BRAND,
        Category.EVENT,
        Category.ENTERTAINMENT,
        Category.MEDIA,
        Category.LOCAL,
        Category.ORGANIZATION,
    }
)
"""Pages in these categories show a zip code and an address."""

BIRTHDAY_CATEGORIES = frozenset({Category.CELEBRITY})
"""Pages in these categories show a birthday."""


class FeedSource(Enum):
    """The people whose posts a page shows."""

    ADMINISTRATORS = "administrators"
    EVERYONE = "everyone"


@dataclass(frozen=True)
class Page:
    """A page. `""` means: not given. `followers` is the number of followers."""

    id: str
    name: str
    category: Category = Category.OTHER
    details: str = ""
    zip_code: str = ""
    address: str = ""
    pc_url: str = ""
    mobile_url: str = ""
    smartphone_url: str = ""
    birthday: str = ""
    thumbnail_large: str = ""
    thumbnail_medium: str = ""
    thumbnail_small: str = ""
    feed_source: FeedSource = FeedSource.ADMINISTRATORS
    followers: int = 0
    created: int = 0


@dataclass(frozen=True)
class Module:
    """An app installed on a page; its id is unique within the page."""

    page: str
    id: str
    app: str
    name: str


def new_user_id() -> str:
    """Return a new user id: 12 characters of `a-z 0-9`."""
    return "".join(secrets.choice(_USER_CHARACTERS) for _ in range(12))


def new_app_id() -> str:
    """Return a new app id: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def new_page_id() -> str:
    """Return a new page id: 20 decimal digits, the first is not 0."""
    return str(10**19 + secrets.randbelow(9 * 10**19))


def new_secret() -> str:
    """Return a new client secret: 40 hexadecimal digits."""
    return secrets.token_hex(20)
