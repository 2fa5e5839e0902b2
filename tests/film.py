"""A film of the web pages: screenshots of the story in tests/kit/story.py, and of every page of tests/kit/web_pages.py.

    python -m tests.film DIRECTORY [story|pages]

The story is told four times (VIEWS), each time on a platform of its own. Each part of it becomes one strip for each
view, and each page becomes a strip of its views; `index.html` shows all strips.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path

from PIL import Image

from tests.kit.browser import Browsers, color_scheme, shoot
from tests.kit.served import running
from tests.kit.story import MEI, RIKU, TARO, Mouse, Story

WIDE, NARROW = (1280, 900), (360, 780)
VIEWS = (("en", WIDE, "light"), ("ja", NARROW, "light"), ("en", NARROW, "dark"), ("ja", WIDE, "dark"))
PAGES = "tests/system/test_browser_web_pages.py"
STRIP = "strip-"
HEIGHT = 1_400
"""The most pixels of a screenshot's height in a strip: what is below is cut off."""
GAP = 24


def tell(directory: Path) -> None:
    """Take the screenshots of the story: `<part>--<view>--<number> <step>.png`."""
    driver = shutil.which("chromedriver")
    assert driver, "chromedriver is needed; make chromium installs it on Debian"
    for language, size, scheme in VIEWS:
        view = f"{language}-{size[0]}-{scheme}"
        with tempfile.TemporaryDirectory(prefix="engawa-film-") as name, running(Path(name) / "served") as served:
            browsers = Browsers(driver, Path(name) / "profiles")
            try:
                cast = {who: browsers.open(language, size) for who in (RIKU, MEI, TARO)}
                for browser in cast.values():
                    color_scheme(browser, scheme)
                story = Story(served, cast, language, Path(name) / "downloads")
                for number, (step, browser) in enumerate(story.steps(Mouse()), 1):
                    path = directory / f"{step.part}--{view}--{number:02} {step.name}.png"
                    shoot(browser, path, whole=True)
                    print(path.stem, flush=True)
            finally:
                browsers.take_back()
                browsers.quit()


def strips(directory: Path) -> list[Path]:
    """Write a strip for each name before the last `--` of the screenshots, in the order of their times."""
    groups: dict[str, list[Path]] = {}
    taken = [path for path in directory.glob("*--*.png") if not path.name.startswith(STRIP)]
    for path in sorted(taken, key=lambda each: each.stat().st_mtime_ns):
        groups.setdefault(path.stem.rpartition("--")[0], []).append(path)
    return [_strip(directory / f"{STRIP}{name}.png", shots) for name, shots in groups.items()]


def index(directory: Path, made: Iterable[Path]) -> Path:
    """Write the page that shows all strips."""
    figures = "".join(
        f'<figure><figcaption>{escape(path.stem.removeprefix(STRIP))}</figcaption><img src="{escape(path.name)}" '
        f'alt="{escape(path.stem.removeprefix(STRIP))}" loading="lazy"></figure>'
        for path in sorted(made)
    )
    page = directory / "index.html"
    style = "body{font:16px sans-serif;margin:2rem}img{max-width:100%}figure{margin:0 0 3rem}"
    page.write_text(f"<!doctype html><meta charset=utf-8><title>Film</title><style>{style}</style>{figures}")
    return page


def _strip(path: Path, shots: Iterable[Path]) -> Path:
    images = [_reduced(Image.open(shot).convert("RGB")) for shot in shots]
    width = sum(image.width for image in images) + GAP * (len(images) - 1)
    strip = Image.new("RGB", (width, max(image.height for image in images)), "grey")
    left = 0
    for image in images:
        strip.paste(image, (left, 0))
        left += image.width + GAP
    strip.save(path)
    return path


def _reduced(image: Image.Image) -> Image.Image:
    """Return a screenshot of a desktop in half of its size, and of at most HEIGHT."""
    if image.width >= WIDE[0]:
        image = image.resize((image.width // 2, image.height // 2))
    return image.crop((0, 0, image.width, min(image.height, HEIGHT)))


def main(directory: Path, what: str) -> int:
    """Make the film, or only `what`; return the exit status."""
    directory.mkdir(parents=True, exist_ok=True)
    failed = 0
    if what in ("", "story"):
        tell(directory)
    if what in ("", "pages"):
        environment = os.environ | {"ENGAWA_SCREENSHOTS": str(directory)}
        failed = subprocess.run([sys.executable, "-m", "pytest", "-q", PAGES], env=environment, check=False).returncode
    print(index(directory, strips(directory)))
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""))
