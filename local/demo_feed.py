"""The only feed of the demo world, on the page cafe, with its image, its comments and its favorites."""

import io
from contextlib import suppress

from chalicelib.bootstrap import Platform
from chalicelib.core.errors import Conflict, Refusal
from chalicelib.core.imaging.renditions import Rendition
from chalicelib.core.paging import Paging
from local.demo_data import APPS, CAFE, COMMENTS, CONTENT_URI, FAVORITES, FEED, POSTER, USERS


def make(platform: Platform) -> str | None:
    """Create the feed's missing parts; return its id, or None if a user has changed the page so that it is refused.

    Each step may have been done before, by a start that was interrupted.
    """
    try:
        with suppress(Conflict):
            admission = platform.feed_posting.admit(CAFE.id, USERS[POSTER], APPS["quest"], FEED)
            platform.feed_posting.post(admission, FEED, _renditions(platform))
        feed, _ = platform.feeds.get(CAFE.id, CONTENT_URI)
    except Refusal:
        return None
    there = {(each.poster, each.text) for each in platform.comments.part(CAFE.id, CONTENT_URI, Paging()).entries}
    for name, text in COMMENTS:
        if (USERS[name], text) not in there:
            with suppress(Refusal):  # The user may have been deleted.
                platform.comments.post(CAFE.id, CONTENT_URI, USERS[name], text)
    for name in FAVORITES:
        with suppress(Refusal):
            platform.favorites.add(CAFE.id, CONTENT_URI, USERS[name])
    return feed.id


def _renditions(platform: Platform) -> tuple[Rendition, ...]:
    """Return a picture of the sun over a veranda."""
    from PIL import Image, ImageDraw

    from chalicelib.web.render_images import render

    width, height = 360, 240
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        draw.line([(0, y), (width, y)], fill=(250 - y // 4, 225 - y // 3, 190 - y // 4))
    draw.ellipse([225, 30, 295, 100], fill=(235, 110, 75))
    draw.rectangle([0, 165, width, height], fill=(150, 105, 70))
    for x in range(0, width, 45):
        draw.line([(x, 165), (x * 2 - width // 2, height)], fill=(115, 78, 52), width=2)
    for x in (20, 330):
        draw.rectangle([x, 0, x + 10, 165], fill=(95, 65, 45))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return render(data.getvalue(), platform.settings.image_bounds)
