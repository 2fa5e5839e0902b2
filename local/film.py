"""A film of all web pages: `make film` opens each page of tests/kit/web_pages.py in a browser and keeps screenshots.

    python -m local.film DIRECTORY

puts the screenshots of each page side by side (phone in Japanese, phone in the dark in English, desktop), in the order
in which they were taken, and writes `index.html`, which shows all of them.
"""

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path

from PIL import Image

STRIP = "strip-"
HEIGHT = 1_400
"""The most pixels of a screenshot's height: what is below is cut off."""
GAP = 24


def strips(directory: Path) -> list[Path]:
    """Write a strip for each page, from the screenshots `<page>-<language>-<width>-<scheme>.png`; return them."""
    pages: dict[str, list[Path]] = {}
    taken = [path for path in directory.glob("*.png") if not path.name.startswith(STRIP)]
    for path in sorted(taken, key=lambda each: each.stat().st_mtime_ns):
        pages.setdefault(path.stem.rsplit("-", 3)[0], []).append(path)
    return [_strip(directory / f"{STRIP}{name}.png", shots) for name, shots in pages.items()]


def index(directory: Path, made: Iterable[Path]) -> Path:
    """Write the page that shows all strips."""
    figures = "".join(
        f'<figure><figcaption>{escape(path.stem.removeprefix(STRIP))}</figcaption><img src="{escape(path.name)}" '
        f'alt="{escape(path.stem.removeprefix(STRIP))}" loading="lazy"></figure>'
        for path in made
    )
    page = directory / "index.html"
    style = "body{font:16px sans-serif;margin:2rem}img{max-width:100%}figure{margin:0 0 3rem}"
    page.write_text(f"<!doctype html><meta charset=utf-8><title>Film</title><style>{style}</style>{figures}")
    return page


def _strip(path: Path, shots: Iterable[Path]) -> Path:
    images = [Image.open(shot).convert("RGB") for shot in shots]
    images = [image.crop((0, 0, image.width, min(image.height, HEIGHT))) for image in images]
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    strip = Image.new("RGB", (width, max(image.height for image in images)), "grey")
    left = 0
    for image in images:
        strip.paste(image, (left, 0))
        left += image.width + GAP
    strip.save(path)
    return path


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(index(folder, strips(folder)))
