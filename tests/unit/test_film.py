"""The film of web pages: one strip for each part and page, in the order of its screenshots."""

import os
from pathlib import Path

from PIL import Image

from tests.film import GAP, HEIGHT, index, strips


def test_the_screenshots_of_a_part_are_side_by_side(tmp_path: Path):
    shots = {"page--b": (360, 80), "page--a": (1280, 2 * HEIGHT + 9), "feed--en--1": (360, 50)}
    for turn, (name, size) in enumerate(shots.items()):
        Image.new("RGB", size).save(tmp_path / f"{name}.png")
        os.utime(tmp_path / f"{name}.png", (turn, turn))
    made = strips(tmp_path)
    assert [path.name for path in made] == ["strip-page.png", "strip-feed--en.png"]
    assert [Image.open(path).size for path in made] == [(360 + GAP + 640, HEIGHT), (360, 50)]
    page = index(tmp_path, made).read_text()
    assert page.index("strip-feed--en.png") < page.index("strip-page.png")
    assert strips(tmp_path) == made
