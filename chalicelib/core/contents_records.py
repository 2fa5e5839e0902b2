"""The records of feeds, comments and favorites in an export, and their reading at an import.

The images of a feed are files with the names of their keys. A request has their bytes in the record, in base64, as
`imageFiles`.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.core.bulk_import import check_created
from chalicelib.core.codecs import checks
from chalicelib.core.codecs.contents_json import read_comment, read_content_uri, read_draft
from chalicelib.core.errors import ParameterInvalid
from chalicelib.core.imaging.renditions import API_NAMES, NAMES, is_key
from chalicelib.core.model.contents import Comment, Draft, Feed

IMAGE_FILE_BYTES = 300_000
"""The most bytes of one rendition: 180 by 180 pixels take less in each format."""
_GENERATION = re.compile(r"[0-9A-Z]{13}")
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_COMMENT = re.compile(r"[0-9A-Z]{13}-[0-9]{14}")
_FEED_FIELDS = (
    *("page", "id", "generation", "contentUri", "title", "body", "urls"),
    *("user", "sourceName", "created", "images", "imageFiles", "hidden"),
)
_NEEDED_OF_FEED = [each for each in _FEED_FIELDS if each not in ("body", "urls", "images", "imageFiles", "hidden")]


@dataclass(frozen=True)
class FeedRecord:
    """A feed with its ids. `id` is its generation if the page does not show it. `files` has its images by key.

    `hidden` is the time (ms) when a moderator hid it, or None.
    """

    page: str
    id: str
    generation: str
    draft: Draft
    poster: str
    source_name: str
    created: int
    images: tuple[str, ...]
    files: Mapping[str, bytes]
    hidden: int | None = None

    @property
    def number(self) -> int | None:
        """The number in the page's list of feeds; None if the page does not show the feed."""
        return None if self.id == self.generation else int(self.id)


@dataclass(frozen=True)
class CommentRecord:
    """A comment of a content, with its id."""

    page: str
    content_uri: str
    comment: Comment


@dataclass(frozen=True)
class FavoriteRecord:
    """A favorite of a content. `created` is in milliseconds since the epoch."""

    page: str
    content_uri: str
    user: str
    created: int


def feed_record(feed: Feed, generation: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the record of a feed."""
    record = {
        "page": feed.page,
        "id": feed.id,
        "generation": generation,
        "contentUri": feed.content_uri,
        "title": feed.title,
        "body": feed.body,
        "urls": {"pcUrl": feed.pc_url, "mobileUrl": feed.mobile_url, "smartphoneUrl": feed.smartphone_url},
        "user": feed.poster,
        "sourceName": feed.source_name,
        "created": feed.created,
        "images": list(feed.images),
    }
    encoded = {key: base64.b64encode(body).decode() for key, body in files.items()}
    return record | ({"imageFiles": encoded} if encoded else {}) | _hidden(feed)


def comment_record(page: str, content_uri: str, comment: Comment) -> dict[str, Any]:
    """Return the record of a comment."""
    own = {"id": comment.id, "comment": comment.text, "user": comment.poster, "created": comment.created}
    return {"page": page, "contentUri": content_uri, **own, **_hidden(comment)}


def favorite_record(page: str, content_uri: str, user: str, created: int) -> dict[str, Any]:
    """Return the record of a favorite."""
    return {"page": page, "contentUri": content_uri, "user": user, "created": created}


def read_feed(record: object) -> FeedRecord:
    """Return the feed of a record. Raises BadRequest and ParameterInvalid."""
    given = checks.check_record(record, _FEED_FIELDS, _NEEDED_OF_FEED)
    generation, name = given["generation"], given["id"]
    if not isinstance(generation, str) or not _GENERATION.fullmatch(generation):
        raise ParameterInvalid("generation must be 13 of 0-9 A-Z")
    if not isinstance(name, str) or (name != generation and not _NUMBER.fullmatch(name)):
        raise ParameterInvalid("id must be a number of up to 10 digits, or equal generation")
    # No URI begins with a space: the URLs of our own detail pages are taken here.
    draft = read_draft({each: given.get(each) for each in ("title", "body", "contentUri", "urls")}, " ")
    images = given.get("images") or []
    if not isinstance(images, list) or not all(isinstance(key, str) and is_key(key) for key in images):
        raise ParameterInvalid("images must be keys of images, as an export writes them")
    counts = (0, len(API_NAMES), len(NAMES))
    if len(images) not in counts or not all(key.startswith(f"images/{generation}/") for key in images):
        raise ParameterInvalid(
            f"images must be none, or {len(API_NAMES)} or {len(NAMES)} in the folder of the feed's generation"
        )
    return FeedRecord(
        page=_id("page", given),
        id=name,
        generation=generation,
        draft=draft,
        poster=_id("user", given),
        source_name=checks.text(checks.NAME_CHARACTERS, required=True)("sourceName", given["sourceName"]),
        created=check_created(given["created"]),
        images=tuple(images),
        files=_files(given.get("imageFiles") or {}, images),
        hidden=_read_hidden(given),
    )


def read_comment_record(record: object) -> CommentRecord:
    """Return the comment of a record. Raises BadRequest and ParameterInvalid."""
    names = ("page", "contentUri", "id", "comment", "user", "created")
    given = checks.check_record(record, (*names, "hidden"), names)
    if not isinstance(given["id"], str) or not _COMMENT.fullmatch(given["id"]):
        raise ParameterInvalid("id is not the id of a comment")
    text = read_comment({"comment": given["comment"]})
    created = check_created(given["created"])
    comment = Comment(given["id"], text, _id("user", given), created, _read_hidden(given))
    return CommentRecord(_id("page", given), read_content_uri(given["contentUri"]), comment)


def read_favorite(record: object) -> FavoriteRecord:
    """Return the favorite of a record. Raises BadRequest and ParameterInvalid."""
    names = ("page", "contentUri", "user", "created")
    given = checks.check_record(record, names, names)
    uri, created = read_content_uri(given["contentUri"]), check_created(given["created"])
    return FavoriteRecord(_id("page", given), uri, _id("user", given), created)


def _hidden(post: Feed | Comment) -> dict[str, Any]:
    return {} if post.hidden is None else {"hidden": post.hidden}


def _read_hidden(given: Mapping[str, Any]) -> int | None:
    return None if given.get("hidden") is None else check_created(given["hidden"])


def _id(kind: str, given: Mapping[str, Any]) -> str:
    name: str = checks.check_id(kind)(kind, given[kind])
    return name


def _files(given: object, images: list[str]) -> dict[str, bytes]:
    """Return the bytes of images by key. A key contains a hash of them, which must be right."""
    if not isinstance(given, dict) or set(given) != set(images):
        raise ParameterInvalid("imageFiles must have the bytes of each of images, and no others")
    files = {}
    for key, text in given.items():
        try:
            body = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise ParameterInvalid(f"The bytes of {key} are not in base64") from None
        if len(body) > IMAGE_FILE_BYTES:
            raise ParameterInvalid(f"The image {key} is too large (max={IMAGE_FILE_BYTES})")
        if hashlib.sha256(body).hexdigest()[:32] != key.rpartition("/")[2].partition(".")[0]:
            raise ParameterInvalid(f"The bytes of {key} are not those of its key")
        files[key] = body
    return files
