"""Feeds with an image over HTTP, as part of a form or by URL: responses, stored images and refusals."""

from __future__ import annotations

import base64
import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from PIL import Image

from tests.kit.page_api import (
    FEEDS,
    ISSUER,
    OTHER_APP,
    PAGE,
    URI,
    asked,
    nothing_changes,
    objects,
    populated,
    post,
    send,
)
from tests.kit.pictures import jpeg, png
from tests.kit.worlds import BUCKET, HANA, KEN, World

pytestmark = pytest.mark.moto

FORM = {"Content-Type": "multipart/form-data; boundary=b0undary"}
FEED = {"contentUri": URI, "title": "縁側"}
SIZES = {"large": (180, 135), "medium": (76, 57), "small": (40, 30)}
"""The renditions of a picture of 400 by 300 in the Page API."""


def part(name: str, content: bytes, more: str = "") -> bytes:
    head = f'--b0undary\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def form(fields: Any = FEED, image: bytes | None = None) -> bytes:
    text = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    parts = [part("request", text)]
    if image is not None:
        parts.append(part("image1", image, '; filename="attached image1.jpg"\r\nContent-Type: image/jpeg'))
    return b"".join(parts) + b"--b0undary--\r\n"


class Site:
    """A web site on this machine; `answers` has status, headers and body by path, `asked` the requested paths."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.base = ""

    def has(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        """Set the response for a path. Return its URL."""
        self.answers[path] = (status, headers, body)
        return self.base + path


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()

    class Handler(BaseHTTPRequestHandler):
        answers: ClassVar = made.answers

        def do_GET(self) -> None:
            made.asked.append(self.path)
            status, headers, body = self.answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        made.base = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """Return the usual world, with permission to fetch images from this machine."""
    return populated(make_world(ENGAWA_FETCH_LOOPBACK="1"))


def shown_sizes(world: World, uri: str = URI) -> dict[str, tuple[int, int]]:
    """Return the stored size of each rendition that a feed shows, by name."""
    [image] = asked(world, contentUri=uri)["entry"]["images"]
    assert list(image) == ["large", "medium", "small"]
    sizes = {}
    for name, url in image.items():
        assert url.startswith(f"{ISSUER}/images/")
        stored = world.s3.get_object(Bucket=BUCKET, Key=url.removeprefix(f"{ISSUER}/"))
        assert stored["CacheControl"] == "public, max-age=31536000, immutable"
        picture = Image.open(io.BytesIO(stored["Body"].read()))
        assert stored["ContentType"] == Image.MIME[picture.format or ""]
        sizes[name] = picture.size
    return sizes


@pytest.mark.parametrize("image", [jpeg(), png()], ids=["jpeg", "png"])
def test_an_attached_image_is_shown_in_three_sizes(world: World, image: bytes):
    reply = send(world, "POST", FEEDS, form(FEED, image), headers=FORM)
    assert (reply.status, reply.json) == (201, {"contentUri": URI})
    assert shown_sizes(world) == SIZES
    assert asked(world)["entry"][0]["images"] == asked(world, contentUri=URI)["entry"]["images"]
    assert asked(world, contentUri=URI)["entry"]["title"] == "縁側"


def test_the_page_shows_the_picture_in_a_size_for_desktops(world: World):
    assert send(world, "POST", FEEDS, form({"title": "縁側"}, jpeg(1600, 1200)), headers=FORM).status == 201
    [feed] = asked(world)["entry"]
    page = world.send("GET", feed["contentUri"].removeprefix(ISSUER), user=None)
    [url] = re.findall(r'<img class="big picture" src="([^"]+)"', page.text)
    stored = world.s3.get_object(Bucket=BUCKET, Key=url.removeprefix(f"{ISSUER}/"))["Body"].read()
    assert Image.open(io.BytesIO(stored)).size == (1200, 900)
    assert url not in feed["images"][0].values()


def test_an_image_is_fetched_from_its_url(world: World, site: Site):
    url = site.has("/photo1.jpeg", jpeg())
    assert post(world, contentUri=URI, imageUrls=[url]) == URI
    assert shown_sizes(world) == SIZES
    assert site.asked == ["/photo1.jpeg"]


def test_an_export_has_the_stored_files(world: World):
    assert send(world, "POST", FEEDS, form(FEED, jpeg()), headers=FORM).status == 201
    token = world.token(None, "admin", app="operator")
    reply = world.send("GET", "/admin/export/feeds", user=None, token=token, page=PAGE)
    [record] = reply.json["entry"]
    stored = [world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in record["images"]]
    assert [base64.b64decode(record["imageFiles"][key]) for key in record["images"]] == stored
    assert len(stored) == 4


def test_the_form_of_the_ios_sdk_is_read(world: World):
    body = (
        part("request", b'{"title":"t","contentUri":"' + URI.encode() + b'",}')
        + part("image1", jpeg(), '; filename="1300000000.12345""\r\nContent-Type: application/octet-stream')
        + b"--b0undary--\r\n"
    )
    assert send(world, "POST", FEEDS, body, headers=FORM).status == 201
    assert shown_sizes(world) == SIZES


def test_a_form_may_come_without_an_image_and_with_its_url(world: World, site: Site):
    assert send(world, "POST", FEEDS, form(FEED), headers=FORM).status == 201
    assert asked(world, contentUri=URI)["entry"]["images"] == []
    url = site.has("/a.png", png())
    fields = {"title": "t", "contentUri": URI + "6", "imageUrls": [url]}
    assert send(world, "POST", FEEDS, form(fields), headers=FORM).status == 201
    assert shown_sizes(world, URI + "6") == SIZES


def test_an_image_goes_with_its_feed(world: World):
    send(world, "POST", FEEDS, form(FEED, jpeg()), headers=FORM)
    assert len(objects(world)) == 4
    assert send(world, "DELETE", FEEDS, contentUri=URI).status == 204
    world.clean()
    assert objects(world) == []


INVALID, BAD = "parameter_invalid", "bad_request"


@pytest.mark.parametrize(
    ("body", "error", "said"),
    [
        (form({"contentUri": URI}, jpeg()), INVALID, "title is missing"),
        (form(b"{", jpeg()), BAD, "The body is not valid JSON"),
        (form(b"[]", jpeg()), BAD, "The body must be a JSON object"),
        (form(b"\xff", jpeg()), BAD, 'The part "request" is not UTF-8'),
        (form({"title": "\ud800"}, jpeg()), INVALID, "title is not valid Unicode (a lone surrogate)"),
        (form(FEED, b""), INVALID, "The image must be a jpeg or a png"),
        (form(FEED, b"GIF89a" + bytes(100)), INVALID, "The image must be a jpeg or a png"),
        (form(FEED, b"<svg xmlns='http://www.w3.org/2000/svg'/>"), INVALID, "The image must be a jpeg or a png"),
    ],
    ids=["no title", "no JSON", "no object", "no UTF-8", "no Unicode", "empty", "gif", "svg"],
)
def test_a_form_is_refused_for_what_is_wrong_in_it(world: World, body: bytes, error: str, said: str):
    with nothing_changes(world):
        assert send(world, "POST", FEEDS, body, headers=FORM).error == (400, error, said)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b0undary--\r\n",
        form()[:-20],
        form(FEED, jpeg())[:-200],
        part("image1", jpeg()) + b"--b0undary--\r\n",
        part("Request", b"{}") + b"--b0undary--\r\n",
        part("request", b'{"title":"t"}') + form(),
        form().replace(b"--b0undary--", b"") + part("image2", jpeg()) + b"--b0undary--\r\n",
        form(FEED, jpeg()).replace(b"--b0undary--", b"") + part("image1", jpeg()) + b"--b0undary--\r\n",
        form(FEED, jpeg()[:-5000]),
        form(FEED, png()[:-300]),
        form(FEED, b"\xff\xd8\xff" + bytes(1000)),
    ],
    ids=["empty", "no part", "cut", "cut image", "no request", "wrong name", "twice", "image2", "two images",
         "truncated jpeg", "truncated png", "no jpeg"],
)  # fmt: skip
def test_a_broken_form_or_image_is_refused_and_leaves_nothing(world: World, body: bytes):
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, body, headers=FORM)
    assert reply.status == 400, reply
    assert reply.json["error"] in ("bad_request", "parameter_invalid")


def test_a_form_has_a_boundary(world: World):
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, form(), headers={"Content-Type": "multipart/form-data"})
    assert reply.error[:2] == (400, "bad_request")


def test_a_feed_has_one_image(world: World, site: Site):
    url = site.has("/a.jpg", jpeg())
    with nothing_changes(world):
        reply = send(world, "POST", FEEDS, form(FEED | {"imageUrls": [url]}, jpeg()), headers=FORM)
    assert reply.error == (400, "parameter_invalid", "A feed has one image: either imageUrls or image1")
    assert site.asked == []


def test_an_image_may_be_as_large_as_the_setting_says(make_world: Callable[..., World]):
    image = png(100, 100)
    for most, status in ((len(image), 201), (len(image) - 1, 413)):
        world = make_world(ENGAWA_IMAGE_BYTES=str(most))
        if status == 201:
            populated(world)
        reply = send(world, "POST", FEEDS, form({"title": "t"}, image), headers=FORM)
        assert reply.status == status
    assert reply.error == (413, "request_entity_too_large", f"The image is too large (max={len(image) - 1} bytes)")
    for most, status in ((10_000, 201), (9_999, 400)):
        world = make_world(ENGAWA_IMAGE_PIXELS=str(most))
        reply = send(world, "POST", FEEDS, form({"title": "t"}, image), headers=FORM)
        assert reply.status == status
    assert reply.error == (400, "parameter_invalid", "The image has too many pixels (max=9999)")


def test_an_image_that_cannot_be_fetched_fails_the_post(world: World, site: Site):
    gone = site.base + "/gone.jpg"
    text = site.has("/text.jpg", b"<html>")
    with nothing_changes(world):
        for url in (gone, text, "http://127.0.0.1:1/a.jpg"):
            reply = send(world, "POST", FEEDS, FEED | {"imageUrls": [url]})
            assert reply.error[:2] == (400, "parameter_invalid"), url
    assert site.asked == ["/gone.jpg", "/text.jpg"]


def test_nothing_of_this_machine_is_fetched_unless_the_setting_says_so(make_world: Callable[..., World], site: Site):
    world = make_world(populated)
    url = site.has("/a.jpg", jpeg())
    with nothing_changes(world):
        for each in (url, url.replace("127.0.0.1", "localhost"), "http://169.254.169.254/latest/meta-data/"):
            reply = send(world, "POST", FEEDS, FEED | {"imageUrls": [each]})
            assert reply.error[:2] == (400, "parameter_invalid"), each
    assert site.asked == []


def test_no_image_is_fetched_for_a_post_that_is_refused_anyway(world: World, site: Site):
    url = site.has("/a.jpg", jpeg())
    post(world, contentUri=URI)
    with nothing_changes(world):
        assert send(world, "POST", FEEDS, FEED | {"imageUrls": [url]}).status == 409
        assert send(world, "POST", FEEDS, FEED | {"imageUrls": [url], "sourceId": "9"}).status == 400
        assert send(world, "POST", FEEDS, {"title": "t", "imageUrls": [url]}, app=OTHER_APP).status == 403
        assert send(world, "POST", FEEDS.replace(PAGE, "1"), {"title": "t", "imageUrls": [url]}).status == 404
    assert site.asked == []


def test_an_image_that_came_too_late_is_not_kept(world: World, site: Site, monkeypatch: pytest.MonkeyPatch):
    """Another user posts the same content while the image is fetched."""
    url = site.has("/a.jpg", jpeg())
    posting = world.platform.feed_posting
    admit = posting.admit

    def admit_and_lose(*given: Any, **options: Any) -> Any:
        admission = admit(*given, **options)
        monkeypatch.undo()
        post(world, HANA, contentUri=URI)
        return admission

    monkeypatch.setattr(posting, "admit", admit_and_lose)
    assert send(world, "POST", FEEDS, FEED | {"imageUrls": [url]}, KEN).error[:2] == (409, "conflict")
    assert objects(world) == []
    assert asked(world, contentUri=URI)["entry"]["user"]["id"] == HANA
