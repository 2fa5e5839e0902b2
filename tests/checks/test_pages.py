"""Checks of a page: feeds with images, comments, favorites, the page of a feed, and the launch of the app there."""

from __future__ import annotations

import base64
import io
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1

from tests.checks.site import Site, answered, is_page, refused, require
from tests.checks.world import REDIRECT, World

URI = "https://check.engawa.example/contents/1?a=b&c=%E7%B8%81"


def picture(kind: str, size: tuple[int, int] = (400, 300)) -> bytes:
    from PIL import Image

    body = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(body, kind)
    return body.getvalue()


def test_a_page(site: Site, world: World) -> None:
    for token in (world.client_token(), world.one.token):
        told = answered(site.get(f"/2/pages/{world.page}", token))
        assert told["entry"]["id"] == world.page
    refused(site.get("/2/pages/99999999999999999999", world.one.token), 404, "not_found")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_feed_with_an_image(site: Site, world: World, kind: str) -> None:
    feeds, on = f"/2/pages/{world.page}/feeds", {"contentUri": f"{URI}&kind={kind}"}
    image = picture(kind)
    # API Gateway and Lambda encode these bytes in base64, in both directions.
    parts = {
        "request": (None, f'{{"title": "絵", "contentUri": "{on["contentUri"]}", "sourceId": "{world.module}",}}'),
        "image1": ("drawing", image, "application/octet-stream"),
    }
    posted = site.post(feeds, world.one.token, files=parts)
    assert answered(posted, 201) == on
    [images] = answered(site.get(feeds, world.client_token(), params=on))["entry"]["images"]
    assert set(images) == {"large", "medium", "small"}
    for name, url in images.items():
        answer = site.get(url)
        require(answer, answer.status_code == 200, f"the image {name}")
        require(answer, answer.headers["Content-Type"] == f"image/{kind.lower()}", f"image/{kind.lower()}")
        require(answer, "immutable" in answer.headers.get("Cache-Control", ""), "Cache-Control: immutable")
        require(answer, answer.headers.get("X-Content-Type-Options") == "nosniff", "X-Content-Type-Options: nosniff")
        assert max(_size(answer.content)) == {"large": 180, "medium": 76, "small": 40}[name]
    refused(site.post(feeds, world.one.token, json={"title": "again", **on}), 409, "conflict")
    assert site.send("DELETE", feeds, world.one.token, params=on).status_code == 204
    refused(site.get(feeds, world.client_token(), params=on), 404, "not_found")


def test_what_is_no_image_posts_nothing(site: Site, world: World) -> None:
    feeds, on = f"/2/pages/{world.page}/feeds", {"contentUri": f"{URI}&none"}
    parts = {
        "request": (None, f'{{"title": "x", "contentUri": "{on["contentUri"]}"}}'),
        "image1": ("x.png", b"x" * 100),
    }
    refused(site.post(feeds, world.one.token, files=parts), 400, "parameter_invalid")
    refused(site.get(feeds, world.one.token, params=on), 404, "not_found")


def test_comments_and_favorites(site: Site, world: World) -> None:
    page, on = f"/2/pages/{world.page}", {"contentUri": URI}
    answered(site.post(f"{page}/feeds", world.one.token, json={"title": "x", **on}), 201)
    once = {"headers": {"Idempotency-Key": "check"}, "params": on, "json": {"comment": "きれい \U0001f375"}}
    first = answered(site.post(f"{page}/comments", world.other.token, **once), 201)
    assert answered(site.post(f"{page}/comments", world.other.token, **once), 201) == first
    told = answered(site.get(f"{page}/comments", world.one.token, params=on))
    assert [(each["id"], each["comment"]) for each in told["entry"]] == [(first["id"], "きれい \U0001f375")]
    favorite = answered(site.post(f"{page}/favorites", world.other.token, params=on), 201)
    assert answered(site.post(f"{page}/favorites", world.other.token, params=on), 201) == favorite
    assert answered(site.get(f"{page}/favorites", world.one.token, params=on)) == {"count": 1}
    [feed] = answered(site.get(f"{page}/feeds?count=1", world.one.token))["entry"]
    assert (feed["contentUri"], feed["commentCount"], feed["favoriteCount"]) == (URI, 1, 1)
    gone = site.send("DELETE", f"{page}/comments/{first['id']}", world.other.token, params=on)
    require(gone, gone.status_code == 204, "204")
    refused(site.send("DELETE", f"{page}/feeds", world.other.token, params=on), 403, "permission_denied")
    refused(
        site.post(
            f"{page}/comments", world.one.token, params={"contentUri": "https://none.example/"}, json={"comment": "x"}
        ),
        404,
        "not_found",
    )
    answered(site.send("DELETE", f"{page}/feeds", world.one.token, params=on), 204)


def test_the_page_of_a_feed(site: Site, world: World) -> None:
    title = "<縁側> & co"
    feed = answered(site.post(f"/2/pages/{world.page}/feeds", world.one.token, json={"title": title}), 201)
    answer = site.get(feed["contentUri"], headers={"Accept-Language": "ja"})
    page = is_page(answer)
    require(answer, "&lt;縁側&gt; &amp; co" in page and '<html lang="ja"' in page, "the title, and Japanese")


def test_starting_the_app(site: Site, world: World) -> None:
    asked = {"page_id": world.page, "module_id": world.module, "appParams": '{"uid":"縁 1+1"}'}
    certificate = site.get("/launch/current.pem")
    if certificate.status_code == 404:
        pytest.skip("this platform starts no page apps (it has no launch keys)")
    answer = site.get("/run_page_apps.pl", params=asked)
    require(answer, answer.status_code == 302, "302 to the app")
    target = answer.headers["Location"]
    given = dict(parse_qsl(urlsplit(target).query, strict_parsing=True))
    assert target.startswith(f"{REDIRECT}?")
    assert (given["mixi_page_id"], given["appParams"]) == (world.page, asked["appParams"])
    signature = base64.b64decode(given.pop("oauth_signature"))
    pairs = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in given.items())
    normal = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(["GET", quote(REDIRECT, safe=""), quote(normal, safe="~")])
    key = x509.load_pem_x509_certificate(certificate.content).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, base.encode(), padding.PKCS1v15(), SHA1())


def test_lists_have_bounds(site: Site, world: World) -> None:
    for query in (urlencode({"count": 101}), urlencode({"startIndex": -1}), urlencode({"startIndex": "x"})):
        refused(site.get(f"/2/pages/{world.page}/feeds?{query}", world.one.token), 400, "parameter_invalid")


def _size(content: bytes) -> tuple[int, int]:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        return image.size
