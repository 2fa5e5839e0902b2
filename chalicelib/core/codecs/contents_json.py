"""The JSON of pages, feeds and comments in the Page API (source: its sample responses)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.codecs import checks
from chalicelib.core.dates import w3cdtf
from chalicelib.core.errors import BadRequest, ParameterInvalid
from chalicelib.core.imaging.renditions import API_NAMES
from chalicelib.core.model.contents import Comment, Draft, Feed
from chalicelib.core.model.directory import ADDRESS_CATEGORIES, BIRTHDAY_CATEGORIES, Page, User


@dataclass(frozen=True)
class ContentsFormat:
    """The format of contents in this deployment: dates `offset` minutes east of UTC, images at `image_url(key)`."""

    offset: int
    image_url: Callable[[str], str]

    def feed(self, feed: Feed, posters: Mapping[str, User]) -> dict[str, Any]:
        """Return the JSON of a feed; `images` is empty or has one image in three sizes."""
        sizes = dict(zip(API_NAMES, map(self.image_url, feed.images), strict=False))
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
        """Return the JSON of a comment."""
        return {
            "id": comment.id,
            "comment": comment.text,
            "user": poster_json(comment.poster, posters),
            "created": self.date(comment.created),
        }

    def date(self, milliseconds: int) -> str:
        """Return a time (milliseconds since the epoch) in W3C-DTF."""
        return w3cdtf(milliseconds, self.offset)


def poster_json(poster: str, posters: Mapping[str, User]) -> dict[str, str]:
    """Return the JSON of a poster; name and picture are empty if the user no longer exists."""
    user = posters.get(poster, User(poster, ""))
    return {"id": poster, "displayName": user.display_name, "thumbnailUrl": user.thumbnail_url}


def page_information(page: Page) -> dict[str, Any]:
    """Return the JSON of a page; `options` has the fields of its category that are not empty."""
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


TITLE_CHARACTERS = 255


BODY_CHARACTERS = 10_000


COMMENT_CHARACTERS = 10_000


CONTENT_URI_BYTES = 1_024


LINK_BYTES = 4_096
"""Bytes of one of `urls`. The URL may start an app, with parameters that are escaped twice."""


IMAGES = 1


IMAGE_URL_BYTES = 2_048


_URLS = {"pcUrl": "pc_url", "mobileUrl": "mobile_url", "smartphoneUrl": "smartphone_url"}


def read_draft(body: object, details: str) -> Draft:
    """Return a feed from a request: `title`; optional `body`, `contentUri`, `urls`, `sourceId` and `imageUrls`.

    `details` is the start of the URLs of our detail pages. A `contentUri` must not begin with it: only the server
    assigns these URLs.
    """
    given = _object(body)
    title = _text("title", _required("title", given), TITLE_CHARACTERS, least=1)
    text = _text("body", _or("", given.get("body")), BODY_CHARACTERS, least=0)
    content_uri = given.get("contentUri")
    if content_uri is not None:
        content_uri = read_content_uri(content_uri)
        if content_uri.startswith(details):
            raise ParameterInvalid(f"contentUri must not begin with {details}")
    return Draft(
        title=title,
        body=text,
        content_uri=content_uri,
        source=checks.optional(_module)("sourceId", given.get("sourceId")),
        image_url=_image_url(given.get("imageUrls")),
        **_urls(given.get("urls")),
    )


def read_comment(body: object) -> str:
    """Return the text of a comment from a request: `comment`."""
    return _text("comment", _required("comment", _object(body)), COMMENT_CHARACTERS, least=1)


def read_content_uri(value: object) -> str:
    """Return the URI of a content: http or https, at most 1,024 bytes."""
    return _uri("contentUri", value, CONTENT_URI_BYTES)


def _object(body: object) -> Mapping[str, Any]:
    if not isinstance(body, dict):
        raise BadRequest("The body must be a JSON object")
    return body


def _required(name: str, given: Mapping[str, Any]) -> Any:
    if given.get(name) is None:
        raise ParameterInvalid(f"{name} is missing")
    return given[name]


def _or(default: Any, value: Any) -> Any:
    return default if value is None else value


def _text(name: str, value: Any, most: int, *, least: int) -> str:
    if not isinstance(value, str):
        raise ParameterInvalid(f"{name} must be a string")
    if len(value) < least:
        raise ParameterInvalid(f"{name} must not be empty")
    if len(value) > most:
        raise ParameterInvalid(f"{name} is too long (max={most})")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ParameterInvalid(f"{name} is not valid Unicode (a lone surrogate)") from None
    return value


def _urls(value: Any) -> dict[str, str]:
    given = _or({}, value)
    if not isinstance(given, dict):
        raise ParameterInvalid("urls must be an object")
    return {ours: checks.url(f"urls.{name}", given.get(name), LINK_BYTES) for name, ours in _URLS.items()}


def _module(name: str, value: Any) -> str:
    """Return a module's id, given as a string of digits or as a number, as clients without types send it."""
    number = isinstance(value, int) and not isinstance(value, bool)
    # The bound comes first, so that a number with more digits than an id is not converted.
    text = str(value) if number and abs(value) < 10**9 else value
    checked: str = checks.check_id("module")(name, text)
    return checked


def _image_url(value: Any) -> str | None:
    given = _or([], value)
    if not isinstance(given, list):
        raise ParameterInvalid("imageUrls must be a list")
    if len(given) > IMAGES:
        raise ParameterInvalid(f"imageUrls has too many entries (max={IMAGES})")
    return _uri("imageUrls", given[0], IMAGE_URL_BYTES) if given else None


def _uri(name: str, value: object, most: int) -> str:
    """Return a URL as `checks.url` does, but refuse null and `""`."""
    if value in (None, ""):
        raise ParameterInvalid(f"{name} must be an http or https URL")
    return checks.url(name, value, most)
