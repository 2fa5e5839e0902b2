"""The film of web pages: one strip for each page, in the order of its screenshots."""

import os
from pathlib import Path

from PIL import Image

from local.film import GAP, HEIGHT, index, strips


def test_the_screenshots_of_a_page_are_side_by_side(tmp_path: Path):
    shots = {"page-ja-360-light": (36, 80), "page-en-1280-light": (128, HEIGHT + 9), "feed-ja-360-light": (36, 50)}
    for turn, (name, size) in enumerate(shots.items()):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
        os.utime(tmp_path / f"{name}.png", (turn, turn))
    made = strips(tmp_path)
    assert [path.name for path in made] == ["strip-page.png", "strip-feed.png"]
    assert [Image.open(path).size for path in made] == [(36 + GAP + 128, HEIGHT), (36, 50)]
    page = index(tmp_path, made).read_text()
    assert page.index("strip-page.png") < page.index("strip-feed.png")
    assert strips(tmp_path) == made
