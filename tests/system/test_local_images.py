"""Images over HTTP: the URLs in API responses serve the images from the embedded AWS's bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.store.contents.images import Images
from chalicelib.web.render_images import render
from tests.kit.pictures import jpeg

if TYPE_CHECKING:
    from tests.kit.served import Served

BUCKET = "engawa-local-000000000000"


def test_an_image_comes_and_goes(served: Served) -> None:
    images = Images(served.aws("s3"), BUCKET)
    renditions = render(jpeg(), ImageBounds())
    keys = images.keep("system-test", renditions)
    urls = [f"{served.base_url}/{key}" for key in keys]

    for url, rendition in zip(urls, renditions, strict=True):
        answer = httpx.get(url)
        assert (answer.status_code, answer.content) == (200, rendition.body)
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert httpx.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
        head = httpx.head(url)
        assert (head.content, head.headers["Content-Length"]) == (b"", str(len(rendition.body)))

    images.remove(keys)
    for url in urls:
        assert httpx.get(url).json()["error"] == "not_found"
