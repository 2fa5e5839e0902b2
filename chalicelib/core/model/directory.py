"""Who and what there is: users, apps and pages, with their ids. How each field is checked is in core/codecs/checks.py.

Sources: Available Information (what is basic and what is profile information, publication settings) and Page API.
"""

import hmac
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

MOST_FRIENDS = 1_000
"""Friends one user may have."""

_USER_CHARACTERS = string.ascii_lowercase + string.digits


class Publication(Enum):
    """To whom a user shows a field of profile information."""

    EVERYONE = "everyone"
    FRIENDS_OF_FRIENDS = "friendsOfFriends"
    FRIENDS = "friends"
    NOBODY = "nobody"


PROFILE_FIELDS = ("address", "birthday", "age", "gender")
"""The profile information: each of them has a publication setting. All else of a user is basic information."""

DEFAULT_PUBLICATION: Mapping[str, Publication] = dict.fromkeys(PROFILE_FIELDS, Publication.FRIENDS)


class BloodType(Enum):
    """The blood types that a profile may show."""

    A = "A"
    B = "B"
    O = "O"  # noqa: E741 (its name)
    AB = "AB"


class Gender(Enum):
    """The genders that the original knows."""

    MALE = "male"
    FEMALE = "female"


@dataclass(frozen=True)
class User:
    """A user. `""` and None: not given.

    `birthday` is "YYYY-MM-DD"; `age` is in years and stands on its own; `blood_type` and `gender` are values of
    BloodType and Gender; `login` is in lower case; `created` is in milliseconds since the epoch.
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
    """One for each of PROFILE_FIELDS."""
    visible: bool = True
    """Whether apps that the user has not installed may see what is public."""
    login: str | None = None
    created: int = 0
    friends: int = 0
    """How many friends the user has."""


class AppDialect(Enum):
    """What the token endpoint answers an app: with `token_type` (RFC 6750) or without (draft 10 of OAuth 2)."""

    DRAFT10 = "draft10"
    RFC6750 = "rfc6750"


class StartMethod(Enum):
    """How an app starts on a page: the browser is redirected to its start URL, or sends a form there (POST)."""

    REDIRECT = "redirect"
    FORM = "form"


@dataclass(frozen=True)
class App:
    """An app, a client of OAuth. Its id is the client id.

    A confidential app has a secret, a public one has none and must use PKCE. `secret` is plain here and encrypted where
    it is stored; lists of apps come without. `scopes` are those it may ask for, `origins` the web origins
    ("https://game.example") whose pages may call the API with its tokens.
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
"""Pages of these show zip code and address."""

BIRTHDAY_CATEGORIES = frozenset({Category.CELEBRITY})
"""Pages of these show a birthday."""


class FeedSource(Enum):
    """Whose posts a page shows."""

    ADMINISTRATORS = "administrators"
    EVERYONE = "everyone"


@dataclass(frozen=True)
class Page:
    """A page. `""`: not given; `followers` is how many there are."""

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
    """12 characters of `a-z 0-9`."""
    return "".join(secrets.choice(_USER_CHARACTERS) for _ in range(12))


def new_app_id() -> str:
    """16 hexadecimal digits."""
    return secrets.token_hex(8)


def new_page_id() -> str:
    """20 decimal digits, the first of them no zero."""
    return str(10**19 + secrets.randbelow(9 * 10**19))


def new_secret() -> str:
    """A client secret: 40 hexadecimal digits."""
    return secrets.token_hex(20)


def secret_matches(app: App | None, given: str) -> bool:
    """Whether `given` is the secret of a confidential app.

    Takes as long for an app that does not exist or has no secret, and wherever the first wrong character is.
    """
    known = app.secret if app and app.confidential else None
    same = hmac.compare_digest((known or "0" * 40).encode(), given.encode(errors="surrogatepass"))
    return same and known is not None
