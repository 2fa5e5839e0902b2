"""Random posts to a page: never a 5xx, always JSON in the documented shape, and a refusal changes nothing.

One of five goes through a function URL, the others through API Gateway.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.kit.function_url import BothFronts
from tests.kit.page_api import COMMENTS, FAVORITES, FEEDS, PATH, URI, ask, objects, populated, post, send
from tests.kit.pictures import png
from tests.kit.worlds import HANA, World

pytestmark = pytest.mark.moto

KEY = "a-key-of-cloudfront-alone"
any_example = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

texts = st.text(max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
uris = st.sampled_from([URI, URI + "6", "http://a.example/", "https://", "ftp://a", "", "http://127.0.0.1:1/a.png"])
feeds = st.fixed_dictionaries(
    {},
    optional={
        "title": texts | values,
        "body": texts | values,
        "contentUri": uris | values,
        "urls": st.dictionaries(st.sampled_from(["pcUrl", "mobileUrl", "smartphoneUrl"]), uris | values) | values,
        "sourceId": st.sampled_from(["3", 3, "4"]) | values,
        "imageUrls": st.lists(uris | values, max_size=2) | values,
        "comment": texts | values,
    },
)
lines = st.sampled_from(
    [b"\r\n", b"--b\r\n", b"--b--\r\n", b"--b", b"Content-Disposition: form-data; name=\"request\"\r\n",
     b"Content-Disposition: form-data; name=\"image1\"; filename=\"a\"\"\r\n", b"{\"title\":\"t\"}", b"{", png(4, 4),
     b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"Content-Type: image/png\r\n", b"\x00"]
)  # fmt: skip
queries = st.dictionaries(
    st.sampled_from(["contentUri", "startIndex", "count", "cursor", "format"]),
    st.sampled_from([URI, "0", "1", "100", "-1", "json", "", "MDAwMDAwMDAwMg", "\x00", "縁"]) | texts,
    max_size=3,
)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    made = make_world(populated, ENGAWA_PROXY_KEY=KEY)
    post(made, contentUri=URI)
    made.gateway = BothFronts(made.gateway, made.app, KEY)  # type: ignore[assignment]
    return made


@any_example
@given(body=feeds | values, path=st.sampled_from([FEEDS, COMMENTS]))
def test_any_json(world: World, body: Any, path: str):
    _posted(world, path, json.dumps(body).encode(), "application/json")


@any_example
@given(body=st.binary(max_size=40) | st.lists(lines, max_size=12).map(b"".join))
def test_any_form(world: World, body: bytes):
    _posted(world, FEEDS, body, "multipart/form-data; boundary=b")


@any_example
@given(query=queries, path=st.sampled_from([PATH, FEEDS, COMMENTS, FAVORITES]))
def test_any_inquiry(world: World, query: dict[str, str], path: str):
    reply = ask(world, path, **query)
    assert reply.status in (200, 400, 404), reply
    assert "entry" in reply.json or "count" in reply.json or reply.json.keys() == {"error", "error_description"}


def _posted(world: World, path: str, body: bytes, media_type: str) -> None:
    """Post the body. Assert that it succeeds, or that it is refused as documented and nothing has changed."""
    before = _everything(world)
    reply = send(world, "POST", path, body, HANA, headers={"Content-Type": media_type}, contentUri=URI)
    if reply.status == 201:
        return
    assert reply.status in (400, 409, 413), reply
    assert reply.json.keys() == {"error", "error_description"}
    assert _everything(world) == before


def _everything(world: World) -> list[Any]:
    return [*(world.items(table) for table in ("feeds", "comments", "favorites", "ephemeral")), objects(world)]
