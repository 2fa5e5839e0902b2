"""The page of a feed in a real browser, headless and without JavaScript: its picture, its comments, and the start of
its app with a signature that the certificate verifies.

`ENGAWA_SCREENSHOTS` names the directory for the screenshots; the default is the test's temporary directory.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from chalicelib.core.imaging.renditions import Rendition
from chalicelib.core.model.contents import Draft, Feed
from tests.kit.browser import DESKTOP, PHONE, Open, authorize_url, await_url, button, resize, shoot, sign_in
from tests.kit.crowd import Crowd
from tests.kit.launches import verify

BODY = """今朝、庭の梅が咲きました。縁側でお茶をどうぞ。

季節の和菓子は桜餅です。お品書きは https://cafe.example/menu?season=spring&lang=ja をご覧ください。
<b>太字にはなりません</b> & "引用" もそのままです。"""


def png(width: int, height: int) -> bytes:
    """Return a picture with a colour gradient."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (
        b"\0" + b"".join(bytes((90 + 140 * x // width, 150, 120 + 90 * y // height)) for x in range(width))
        for y in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"".join(rows)))
        + chunk(b"IEND", b"")
    )


@pytest.fixture
def feed(served: Any) -> Feed:
    """Create a feed by mei on the cafe with a picture, links into quest, 25 comments and two favourites."""
    demo, platform = served.demo, Crowd(served).platform
    cafe, quest = demo["pages"]["cafe"], demo["apps"]["quest"]["id"]
    start = {"page_id": cafe["id"], "module_id": cafe["moduleId"], "appParams": '{"id":"1","名":"花 & 鳥"}'}
    address = f"{served.base_url}/run_page_appli.pl?{urlencode(start)}"
    draft = Draft(
        "春のおすすめ：桜餅とほうじ茶のセットをはじめました",
        BODY,
        pc_url=address,
        smartphone_url=f"{address}&device=smartphone",
        source=cafe["moduleId"],
    )
    pictures = [
        Rendition(name, png(edge, edge * 2 // 3), "image/png", edge, edge * 2 // 3)
        for name, edge in (("large", 180), ("medium", 76), ("small", 40))
    ]
    users = {name: user["id"] for name, user in demo["users"].items()}
    posting = platform.feed_posting
    posted = posting.post(posting.admit(cafe["id"], users["mei"], quest, draft), draft, pictures)
    for number in range(25):
        text = (
            f"{number + 1} 番目のコメントです。\n次の週末に行きます。"
            if number % 3
            else f"Comment {number + 1}: see you!"
        )
        platform.comments.post(cafe["id"], posted.content_uri, users[("hana", "ken", "taro")[number % 3]], text)
    for name in ("hana", "ken"):
        platform.favorites.add(cafe["id"], posted.content_uri, users[name])
    return posted


def comments(browser: Chrome) -> int:
    return len(browser.find_elements(By.CLASS_NAME, "comment"))


@pytest.mark.parametrize(("language", "size", "name"), [("ja", PHONE, "phone"), ("en", DESKTOP, "desktop")])
def test_the_page_of_a_feed(
    served: Any, feed: Feed, browse: Open, shots: Path, language: str, size: tuple[int, int], name: str
) -> None:
    browser = browse(language, size)
    browser.get(feed.content_uri)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
    assert browser.find_element(By.TAG_NAME, "h1").text == feed.title
    body = browser.find_element(By.CSS_SELECTOR, ".content .said")
    assert "<b>太字にはなりません</b>" in body.text
    picture = browser.find_element(By.CLASS_NAME, "picture")
    # The content security policy allows the picture, and it has loaded.
    assert picture.get_property("naturalWidth") == 180
    link = browser.find_element(By.CSS_SELECTOR, "a.button.pc")
    assert link.value_of_css_property("text-decoration-line") == "none"
    phone = browser.find_element(By.CSS_SELECTOR, "a.button.smartphone")
    first, second = (phone, link) if size == PHONE else (link, phone)
    assert (first.location["y"], first.location["x"]) < (second.location["y"], second.location["x"])
    assert comments(browser) == 20
    shoot(browser, shots / f"feed-{name}.png")
    height = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]["height"]
    resize(browser, (size[0], int(height)))
    shoot(browser, shots / f"feed-{name}-whole.png")
    resize(browser, size)
    browser.find_element(By.CSS_SELECTOR, "a[rel=next]").click()
    WebDriverWait(browser, 10).until(lambda each: comments(each) == 5)
    # The page opens at the comments, not at the top.
    assert browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssVisualViewport"]["pageY"] > 100
    shoot(browser, shots / f"feed-{name}-older.png")
    browser.find_element(By.CSS_SELECTOR, "a[hreflang]").click()
    WebDriverWait(browser, 10).until(
        lambda each: each.find_element(By.TAG_NAME, "html").get_attribute("lang") != language
    )
    assert comments(browser) == 5


def test_a_feed_that_is_not_there(served: Any, browse: Open, shots: Path) -> None:
    browser = browse("ja", PHONE)
    browser.get(f"{served.base_url}/pages/{served.demo['pages']['cafe']['id']}/feeds/999999")
    assert "お探しのページはありません。" in browser.page_source
    shoot(browser, shots / "feed-missing-phone.png")


def test_an_app_is_started_from_its_feed_and_knows_who_has_granted_it(served: Any, feed: Feed, browse: Open) -> None:
    quest, person = served.demo["apps"]["quest"], served.demo["users"]["ken"]
    browser = browse("ja", DESKTOP)
    told: list[dict[str, list[str]]] = []

    def start() -> None:
        browser.get(feed.content_uri)
        browser.find_element(By.CSS_SELECTOR, "a.button.pc").click()
        await_url(browser, f"{quest['redirectUri']}?")
        pem = httpx.get(f"{served.base_url}/launch/current.pem", trust_env=False).text
        verify(browser.current_url, pem)
        told.append(parse_qs(urlsplit(browser.current_url).query))

    start()
    browser.get(authorize_url(served))
    sign_in(browser, person)
    button(browser, "decision", "allow").click()
    await_url(browser, f"{quest['redirectUri']}?code=")
    start()
    before, after = told
    assert before["mixi_page_id"] == [served.demo["pages"]["cafe"]["id"]]
    assert before["appParams"] == ['{"id":"1","名":"花 & 鳥"}']
    assert "mixi_viewer_id" not in before
    assert after["mixi_viewer_id"] == [person["id"]]
