"""docs/reference/limits.md: every limit of the tables is the code's, with the setting that changes it."""

from __future__ import annotations

import re
from dataclasses import asdict, fields

from chalicelib import settings
from chalicelib.api.admin import routes
from chalicelib.api.oauth import endpoints
from chalicelib.api.page import requests
from chalicelib.core import appdata_changes, launch, oauth, opensocial, paging, people, signatures
from chalicelib.core.codecs import contents_json, jsonrpc
from chalicelib.core.imaging import renditions
from chalicelib.core.limits import MOST_FRIENDS, Limits
from chalicelib.store import oversized_answers
from chalicelib.store.appdata import appdata, placement
from chalicelib.web import json_answers, multipart
from chalicelib.web.auth import access_tokens, oauth_forms
from chalicelib.web.fetch import fetch_image
from local.gateway import MAX_PAYLOAD
from tests.kit.documents import DOCS, cells

PAGE = DOCS / "reference" / "limits.md"
LIMITS, IMAGES = Limits(), renditions.ImageBounds()
CODE = {
    "bytes of all values": LIMITS.quota_bytes,
    "keys": LIMITS.keys,
    "writes and deletes in a window": LIMITS.writes,
    "seconds of that window": LIMITS.window_ms / 1000,
    "characters of a key": LIMITS.key_characters,
    "bytes of a value": LIMITS.value_bytes,
    "pairs in a write, keys in a deletion": LIMITS.pairs,
    "bytes of all values in a write": LIMITS.request_bytes,
    "keys named in a read": LIMITS.read_keys,
    "keys in a change (`PATCH`) with an `Idempotency-Key`": placement.MOST_OWN - 1,
    "bytes of new values in such a change": appdata.MOST_ANSWER_BYTES,
    "digits of a number that a change adds or compares": appdata_changes.DIGITS,
    "`last`: entries that `append` keeps": appdata_changes.MOST_KEPT,
    "bytes of values in an answer to `@friends`": LIMITS.friends_bytes,
    "pairs in an answer to `@friends`": LIMITS.friends_pairs,
    "values looked up one by one for `@friends`": LIMITS.friends_lookups,
    "friends of a user": MOST_FRIENDS,
    "`count` of people": people.MOST_PEOPLE,
    "`count` of feeds, comments and the operator's lists": requests.MOST_ENTRIES,
    "`count` if absent": paging.DEFAULT_COUNT,
    "characters of a title": contents_json.TITLE_CHARACTERS,
    "characters of a body": contents_json.BODY_CHARACTERS,
    "characters of a comment": contents_json.COMMENT_CHARACTERS,
    "bytes of `contentUri`": contents_json.CONTENT_URI_BYTES,
    "bytes of a URL in `urls`": contents_json.LINK_BYTES,
    "images of a feed": contents_json.IMAGES,
    "bytes of an image": IMAGES.bytes,
    "pixels of an image": IMAGES.pixels,
    "pixels of an image's longer side": renditions.MAX_SIDE,
    "bytes of a URL in `imageUrls`": contents_json.IMAGE_URL_BYTES,
    "seconds to fetch an image": fetch_image.SECONDS,
    "bytes of the part `request` of a form": multipart.MAX_REQUEST,
    "bytes of `appParams`": launch.APP_PARAMS_BYTES,
    "requests in a batch": jsonrpc.MOST_REQUESTS,
    "seconds until the last request of a batch begins": jsonrpc.SECONDS,
    "bytes of all results of a batch": jsonrpc.MOST_BYTES,
    "items of 4 KB that a batch reads": jsonrpc.MOST_BLOCKS,
    "users named in one request": opensocial.MOST_IDS,
    "seconds between `oauth_timestamp` and the server's clock": signatures.WINDOW_SECONDS,
    "characters of `oauth_nonce`": signatures.NONCE_CHARACTERS,
    "seconds that an access token is valid": oauth.ACCESS_SECONDS,
    "seconds that a code is valid": oauth.CODE_SECONDS,
    "days that a refresh token is valid": oauth.REFRESH_SECONDS / 86_400,
    "seconds in which a public app may repeat a refresh": oauth.REPEAT_SECONDS,
    "seconds that a `server_state` is valid": oauth.STATE_SECONDS,
    "characters of an access token": access_tokens.MOST_CHARACTERS,
    "bytes of a form": endpoints.MOST_BYTES,
    "parameters of a form": oauth_forms.MOST_PARAMETERS,
    "bytes of a request, as an event of Lambda": MAX_PAYLOAD,
    "bytes of an answer": json_answers.MOST_BYTES,
}
NEEDED = {
    "ENGAWA_STAGE": "prod",
    "ENGAWA_BUCKET": "files",
    "ENGAWA_ISSUER": "https://api.example.com",
    "ENGAWA_TOKEN_KEYS_FILE": "token-keys.json",
    "ENGAWA_SECRET_KEYS_FILE": "secret-keys.json",
}


def rows() -> list[list[str]]:
    """Return the rows of the tables, without their heads."""
    return [row for row in cells(PAGE.read_text(encoding="utf-8")) if row[0] not in ("limit", "---")]


def test_the_values_are_those_of_the_code() -> None:
    assert {row[0]: float(row[1].replace(",", "")) for row in rows()} == CODE
    assert routes.MOST_ENTRIES == requests.MOST_ENTRIES
    assert f"valid for {oversized_answers.URL_SECONDS} seconds" in rows()[-1][3]


def test_every_limit_of_app_data_has_a_row() -> None:
    for field in fields(Limits):
        value = getattr(LIMITS, field.name) / (1000 if field.name == "window_ms" else 1)
        assert value in CODE.values(), field.name


def test_the_settings_set_the_limits_beside_which_they_stand() -> None:
    named = {row[2].strip("`"): row for row in rows() if row[2]}
    assert len(named) == 7
    for name, row in named.items():
        less = int(float(row[1].replace(",", ""))) // 2
        read = settings.read(NEEDED | {name: str(less)})
        given = asdict(read.limits) | asdict(read.image_bounds)
        usual = asdict(LIMITS) | asdict(IMAGES)
        (value,) = [value for each, value in given.items() if value != usual[each]]
        assert value == less * (1000 if name.endswith("SECONDS") else 1)


def test_the_pages_of_errors_exist() -> None:
    for target in re.findall(r"\]\((\.\./errors/\w+\.md)\)", PAGE.read_text(encoding="utf-8")):
        assert (PAGE.parent / target).exists(), target
