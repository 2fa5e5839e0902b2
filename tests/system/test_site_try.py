""" "Try it" and the search of the documentation in a real browser, against the platform that serves both.

`ENGAWA_SCREENSHOTS` names the directory for the screenshots; the default is the test's temporary directory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from local.demo_data import CAFE, USERS
from tests.kit.browser import DESKTOP, PHONE, Open, is_there, shoot
from tests.kit.served import Served, running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a platform for this module only, since its tests write."""
    with running(tmp_path_factory.mktemp("try")) as platform:
        yield platform


class Reader:
    """A reader of the documentation with a browser."""

    def __init__(self, browser: Chrome, base_url: str) -> None:
        self.browser = browser
        self._base_url = base_url

    def open(self, page: str, language: str = "en") -> Reader:
        """Open the page of an operation, or another page, by its name."""
        self.browser.get(f"{self._base_url}/docs/{language}/{page}".rstrip("/"))
        return self

    def __getitem__(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """Return the text of an element, also if it is not visible."""
        return str(self[selector].get_attribute("textContent"))

    def fill(self, selector: str, text: str) -> None:
        self[selector].clear()
        self[selector].send_keys(text)

    def sign_in(self, name: str = "hana") -> None:
        """Press the button that gets a token of a user of the demo world."""
        button = self.browser.find_element(By.XPATH, f"//button[.='{name}']")
        # The driver scrolls an element to the edge, where the header of the page covers it.
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
        button.click()
        self.until(lambda: name in self.text("[data-whose]"))

    def send(self) -> str:
        """Send a request that only reads; return the status line, or the reason why there is none."""
        self["form[data-try] button[type=submit]"].click()
        return self.answered()

    def write(self) -> str:
        """Send a request that writes, and agree; return the status line."""
        self["form[data-try] button[type=submit]"].click()
        self["[data-ask-yes]"].click()
        return self.answered()

    def answered(self) -> str:
        self.until(lambda: self["[data-answer]"].is_displayed() and not self["[data-stop]"].is_displayed())
        return self.text("[data-progress]")

    def body(self) -> Any:
        return json.loads(self.text("[data-body]"))

    def search(self, text: str) -> list[str]:
        """Type into the search; return the titles of the results."""
        self["#search"].clear()
        self["#search"].send_keys(text)
        # Each search ends with a count; the one before is replaced after a moment.
        self.until(lambda: bool(self.text("#search-count")) and self._is_of(text))
        script = "return [...document.querySelectorAll('.search-found li b')].map(each => each.innerText)"
        return list(self.browser.execute_script(script))

    def _is_of(self, text: str) -> bool:
        return bool(self.browser.execute_script("return document.querySelector('.search').dataset.shown") == text)

    def focused(self) -> WebElement:
        return self.browser.switch_to.active_element

    def press(self, *keys: str) -> None:
        ActionChains(self.browser).send_keys(*keys).perform()

    def until(self, true: Callable[[], bool]) -> None:
        WebDriverWait(self.browser, 15, 0.05).until(lambda _: true())

    def complaints(self) -> list[str]:
        """Return what the browser has complained about, without the refusals that a test provokes."""
        messages = [str(entry["message"]) for entry in self.browser.get_log("browser")]
        return [each for each in messages if "favicon" not in each and "responded with a status of 4" not in each]


@pytest.fixture
def reader(served: Served, browse: Open) -> Reader:
    return Reader(browse("en", DESKTOP, script=True), served.base_url)


def ask(served: Served, method: str, name: str, body: object = None, **query: str) -> Any:
    token = served.demo["tokens"]["users"][name]["quest"]
    answer = httpx.request(
        method,
        f"{served.base_url}/2/apps/appdata/@me/@self",
        params=query,
        headers={"Authorization": f"OAuth {token}"},
        json=body,
        trust_env=False,
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def stored(served: Served, name: str) -> Any:
    return ask(served, "GET", name)["entry"][0]["data"]


def kept(reader: Reader) -> dict[str, str]:
    """Return what the tab has stored, and check that nothing else of the browser has stored anything."""
    script = "return [{...sessionStorage}, localStorage.length, document.cookie]"
    session, local, cookie = reader.browser.execute_script(script)
    assert (local, cookie) == (0, "")
    return dict(session)


# A token --------------------------------------------------------------------------------------------------------------


def test_read_a_value_as_hana(served: Served, reader: Reader, shots: Path) -> None:
    reader.open("operations/read-data")
    reader.sign_in()
    reader.fill("[data-field=fields]", "greeting,absent")
    assert reader.send().startswith("200 OK · ")
    assert reader.body() == {"entry": [{"id": USERS["hana"], "data": {"greeting": "こんにちは"}}]}
    assert reader.text("[data-sent]") == f"GET {served.base_url}/2/apps/appdata/@me/@self?fields=greeting,absent"
    headers = reader.text("[data-headers]")
    assert "etag" in headers
    assert "x-request-id" in headers
    shoot(reader.browser, shots / "try-read.png")
    assert reader.complaints() == []


def test_the_token_stays_in_the_tab_and_can_be_forgotten(served: Served, reader: Reader) -> None:
    reader.open("operations/read-data")
    reader.sign_in("ken")
    token = str(reader["#try-token"].get_attribute("value"))
    assert kept(reader) == {"engawa.user": json.dumps({"token": token, "name": "ken"}, separators=(",", ":"))}
    assert reader.send().startswith("200 OK")
    assert token not in reader.browser.current_url + reader.text("[data-sent]")
    # Each field is without a name, so that no submission could put its value into a URL.
    assert reader.browser.execute_script("return [...new FormData(document.querySelector('[data-try]'))]") == []

    reader.open("operations/read-people")
    assert reader["#try-token"].get_attribute("value") == token
    assert reader.send().startswith("200 OK")
    assert reader.body()["entry"]["displayName"] == "健 (Ken)"
    # An operator's request does not take it.
    reader.open("operations/list-users")
    assert reader["#try-token"].get_attribute("value") == ""
    assert not reader["[data-demo]"].is_displayed()

    reader.browser.switch_to.new_window("tab")
    reader.open("operations/read-data")
    assert reader["#try-token"].get_attribute("value") == ""
    reader.browser.switch_to.window(reader.browser.window_handles[0])
    reader.open("operations/read-data")
    reader["[data-forget]"].click()
    assert kept(reader) == {}
    assert reader.focused() == reader["#try-token"]
    assert reader.send().startswith("401")
    assert reader.complaints() == []


def test_an_operator_s_token_is_pasted_with_its_header(served: Served, reader: Reader) -> None:
    reader.open("operations/list-users")
    reader.fill("#try-token", f" Authorization: Bearer {served.demo['tokens']['operator']} ")
    assert reader.send().startswith("200 OK")
    assert {each["id"] for each in reader.body()["entry"]} >= set(USERS.values())
    assert list(kept(reader)) == ["engawa.operator"]


def test_a_wrong_token_says_so_and_how_to_get_another(served: Served, reader: Reader, shots: Path) -> None:
    reader.open("operations/read-data")
    expired = served.token(user="hana", app="quest", scope="mixi_apps2", lifetime=-1)
    for token in ("wrong", expired):
        reader.fill("#try-token", token)
        assert reader.send().startswith("401 ")
        problem = reader["[data-problem]"]
        assert "Get another in the field “Token”" in problem.text
        assert reader["#try-token"].get_attribute("aria-invalid") == "true"
        link = problem.find_element(By.TAG_NAME, "a")
        assert link.get_attribute("href") == f"{served.base_url}/docs/en/errors/invalid_token"
    shoot(reader.browser, shots / "try-wrong-token.png")
    reader.sign_in()
    assert reader["#try-token"].get_attribute("aria-invalid") is None
    assert reader.send().startswith("200 OK")
    assert not reader["[data-problem]"].is_displayed()
    reader.fill("#try-token", "全角のトークン")
    reader["form[data-try] button[type=submit]"].click()
    assert "characters that no token has" in reader.text("[data-progress]")
    assert reader.focused() == reader["#try-token"]
    assert reader.complaints() == []


def test_a_token_without_the_scope_names_the_scope(served: Served, reader: Reader) -> None:
    reader.open("operations/read-data")
    reader.fill("#try-token", served.token(user="hana", app="quest", scope="r_profile"))
    assert reader.send().startswith("403 ")
    assert "does not have the scope that this request needs: mixi_apps2" in reader.text("[data-problem]")


# A write --------------------------------------------------------------------------------------------------------------


def test_a_write_asks_first_and_then_writes(served: Served, reader: Reader, shots: Path) -> None:
    reader.open("operations/write-data")
    reader.sign_in("ken")
    before = stored(served, "ken")
    reader.fill("#try-body", '{"greeting": "<b>やあ</b>"}')
    send = reader["form[data-try] button[type=submit]"]
    send.click()
    dialog = reader["dialog"]
    assert dialog.is_displayed()
    for shown in ("Write a user's data", f"POST {served.base_url}/2/apps/appdata/@me/@self", "ken", "<b>やあ</b>"):
        assert shown in dialog.text
    shoot(reader.browser, shots / "try-ask.png")
    # The safe button has the focus; Esc is "no".
    assert reader.focused() == reader["[data-ask-no]"]
    reader.press(Keys.ESCAPE)
    reader.until(lambda: not dialog.is_displayed())
    assert reader.focused() == send
    assert stored(served, "ken") == before

    reader.press(Keys.ENTER)
    reader.until(dialog.is_displayed)
    reader.press(Keys.TAB, Keys.ENTER)
    assert reader.answered().startswith("200 OK")
    assert stored(served, "ken") == {**before, "greeting": "<b>やあ</b>"}
    assert reader.focused() == send
    assert reader.complaints() == []


def test_a_deletion_without_names_says_that_it_deletes_all(served: Served, reader: Reader) -> None:
    reader.open("operations/delete-data")
    reader.sign_in("mei")
    ask(served, "POST", "mei", {"level": "1", "greeting": "a", "other": "b"})
    submit = "form[data-try] button[type=submit]"
    reader[submit].click()
    assert "@me/@self?fields=" in reader["dialog"].text
    assert "every key will be deleted" not in reader["dialog"].text
    reader["[data-ask-no]"].click()
    reader["[data-field=fields]"].clear()
    reader[submit].click()
    assert "every key will be deleted" in reader["dialog"].text
    reader["[data-ask-no]"].click()
    assert stored(served, "mei")["other"] == "b"


def test_post_a_feed_with_an_image(served: Served, reader: Reader, tmp_path: Path, shots: Path) -> None:
    picture = tmp_path / "picture.png"
    Image.new("RGB", (60, 40), "teal").save(picture)
    reader.open("operations/post-feed")
    reader.sign_in("mei")
    uri = "http://quest.example/contents/try"
    feed = json.loads(str(reader["#try-body"].get_attribute("value"))) | {"contentUri": uri}
    reader.fill("#try-body", json.dumps(feed))
    reader["[data-file=image1]"].send_keys(str(picture))
    reader["form[data-try] button[type=submit]"].click()
    assert "image1: picture.png (" in reader["dialog"].text
    shoot(reader.browser, shots / "try-image.png")
    reader["[data-ask-yes]"].click()
    assert reader.answered().startswith("201 Created")
    assert reader.body() == {"contentUri": uri}
    feeds = httpx.get(
        f"{served.base_url}/2/pages/{CAFE.id}/feeds",
        params={"contentUri": uri},
        headers={"Authorization": f"OAuth {served.demo['tokens']['clients']['quest']}"},
        trust_env=False,
    ).json()
    assert "images" in json.dumps(feeds)
    # Without a file, the same JSON is the body.
    reader.open("operations/post-feed")
    reader.fill("#try-body", json.dumps(feed))
    assert reader.write().startswith("409 ")
    assert "What “conflict” means" in reader.text("[data-problem]")
    assert reader.complaints() == []


# Answers --------------------------------------------------------------------------------------------------------------


def test_a_large_answer_shows_its_beginning_and_can_be_saved(served: Served, reader: Reader, shots: Path) -> None:
    for first in "abc":
        ask(served, "POST", "yuki", {f"{first}{number}": "花" * 18_000 for number in range(50)})
        if first == "a":
            continue
        reader.open("operations/read-data")
        reader.sign_in("yuki")
        reader["[data-field=fields]"].clear()
        assert reader.send().startswith("200 OK")
        size = {"b": "5.4 MB", "c": "8.1 MB"}[first]
        assert f"The first 100 KB of {size}." in reader.text("[data-more]")
        assert 30_000 < len(reader.text("[data-body]")) < 40_000
        assert "\ufffd" not in reader.text("[data-body]")
        assert ("sent the browser on (303)" in reader.text("[data-more]")) == (first == "c")
        shoot(reader.browser, shots / f"try-large-{first}.png")
        link = reader["[data-more] a"]
        assert str(link.get_attribute("href")).startswith("blob:")
        assert link.get_attribute("download") == "readData.json"
    ask(served, "DELETE", "yuki")
    assert reader.complaints() == []


def test_an_answer_that_is_not_json_is_shown_as_text(reader: Reader) -> None:
    reader.open("operations/read-library")
    assert reader.send().startswith("200 OK")
    assert "opensocial" in reader.text("[data-body]")
    reader.open("operations/read-open-social-data")
    reader.sign_in()
    reader.browser.execute_script("document.querySelector('.try details').open = true")
    reader["[data-field=format]"].send_keys("atom")
    assert reader.send().startswith("200 OK")
    assert reader.text("[data-body]").startswith("<?xml")
    assert not is_there(reader.browser, "[data-body] *")


def test_no_answer_says_why(served: Served, reader: Reader) -> None:
    reader.open("operations/read-data")
    reader.sign_in()
    browser = reader.browser
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*appdata*"]})
    assert reader.send().startswith("No answer: the server could not be reached")
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})

    slow = {"offline": False, "latency": 5_000, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    reader["form[data-try] button[type=submit]"].click()
    assert reader.text("[data-progress]") == "Waiting for the answer…"
    reader["[data-stop]"].click()
    assert reader.answered().startswith("Stopped.")
    assert reader.focused() == reader["form[data-try] button[type=submit]"]

    hurry = "const late = setTimeout; window.setTimeout = (call, ms) => late(call, ms === 60000 ? 200 : ms)"
    browser.execute_script(hurry)
    assert reader.send().startswith("No answer within 60 seconds")

    browser.execute_cdp_cmd("Network.emulateNetworkConditions", slow | {"offline": True, "latency": 0})
    assert reader.send() == "This computer is offline."
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", slow | {"latency": 0})
    assert reader.send().startswith("200 OK")


@pytest.mark.parametrize(
    ("answer", "shown", "problem"),
    [
        # The connection breaks in the middle of the body.
        (
            "new Response(new ReadableStream({start(c) { c.enqueue(new TextEncoder().encode('[1,')); "
            "setTimeout(() => c.error(new TypeError('x')), 50) }}), {headers: {'content-type': 'application/json'}})",
            "[1,",
            "The connection broke in the middle of the answer, after 3 B.",
        ),
        # A picture.
        (
            "new Response(new Uint8Array(2000), {headers: {'content-type': 'image/png'}})",
            "The answer is not text (image/png, 2 KB). Save the whole answer",
            "",
        ),
        ("new Response(null, {status: 204})", "The answer has no body.", ""),
        # Another server's words; none of them is a link or markup.
        (
            'new Response(\'{"error":"../x","error_description":"<b>no</b>"}\', '
            "{status: 400, headers: {'content-type': 'application/json'}})",
            '"../x"',
            "<b>no</b>",
        ),
        (
            'new Response(\'{"error":[1],"error_description":2}\', '
            "{status: 503, headers: {'content-type': 'application/json', 'retry-after': '7'}})",
            '"error_description": 2',
            "Send it again after 7 seconds.",
        ),
        ("new Response('<script>', {headers: {'content-type': 'text/html'}})", "<script>", ""),
    ],
)
def test_an_unusual_answer_is_shown_as_it_is(reader: Reader, answer: str, shown: str, problem: str) -> None:
    reader.open("operations/read-health")
    reader.browser.execute_script(f"window.fetch = async () => new Promise((done) => setTimeout(() => done({answer})))")
    reader.send()
    where = "[data-body]" if reader.text("[data-body]") else "[data-more]"
    assert shown in reader.text(where).strip()
    assert reader.text("[data-problem]") == problem
    assert not is_there(reader.browser, "[data-problem] a, [data-problem] b, [data-body] *")
    assert reader.complaints() == []


def test_what_the_browser_cannot_send_is_said_at_its_field(reader: Reader) -> None:
    reader.open("operations/read-data")
    reader.sign_in()
    reader.browser.execute_script("document.querySelector('[data-field=If-Match]').value = '花'")
    reader["form[data-try] button[type=submit]"].click()
    assert "cannot send this value in the header If-Match" in reader.text("[data-progress]")
    assert reader.focused() == reader["[data-field=If-Match]"]
    reader["[data-field=If-Match]"].clear()
    reader["[data-field=user]"].clear()
    reader["form[data-try] button[type=submit]"].click()
    assert reader.text("[data-progress]") == "Fill in user."
    assert reader.focused() == reader["[data-field=user]"]
    # What is typed stays inside its part of the path.
    reader.fill("[data-field=user]", "../../x?y#z/花")
    reader.fill("[data-field=fields]", "a&b=c #d")
    reader.send()
    assert reader.text("[data-sent]").endswith("?fields=a%26b%3Dc+%23d")
    assert "/2/apps/appdata/..%2F..%2Fx%3Fy%23z%2F%E8%8A%B1/@self" in reader.text("[data-sent]")


def test_a_header_that_only_the_browser_sets_is_said(reader: Reader) -> None:
    reader.open("operations/read-data")
    script = "const f = document.querySelector('[data-field=If-Match]'); [f.dataset.field, f.value] = ['Cookie', 'a=b']"
    reader.browser.execute_script(script)
    reader["form[data-try] button[type=submit]"].click()
    assert "does not let a page set the header cookie" in reader.text("[data-progress]")


def test_a_value_that_would_change_the_path_is_not_sent(reader: Reader) -> None:
    reader.open("operations/read-page")
    for dots in (".", ".."):
        reader.fill("[data-field=page]", dots)
        reader["form[data-try] button[type=submit]"].click()
        assert f"could not make this request: page: {dots}" in reader.text("[data-progress]")


def test_an_operation_that_a_page_cannot_send_says_why(served: Served, reader: Reader) -> None:
    for name, why in (
        ("show-front", "a page for people"),
        ("authorize", "the browser itself must open this address"),
        ("get-token", "takes the app’s secret"),
    ):
        reader.open(f"operations/{name}")
        assert why in reader["#try"].text
        assert not is_there(reader.browser, "#try form")
    reader.open("operations/show-front")
    assert reader["#try a"].get_attribute("href") == f"{served.base_url}/"
    assert reader.complaints() == []


def test_without_javascript_the_page_says_so_and_can_be_read(served: Served, browse: Open, shots: Path) -> None:
    browser = browse("en", DESKTOP)
    reader = Reader(browser, served.base_url).open("operations/write-data")
    assert "needs JavaScript" in reader["#try"].text
    assert not reader["form[data-try]"].is_displayed()
    assert not reader["form[data-search]"].is_displayed()
    assert "Write a user's data" in reader["h1"].text
    shoot(browser, shots / "try-no-script.png")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_it_fits_its_screen_in_both_languages_light_and_dark(
    served: Served, browse: Open, shots: Path, language: str, size: tuple[int, int]
) -> None:
    reader = Reader(browse(language, size, script=True), served.base_url).open("operations/read-people", language)
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    reader.sign_in()
    assert reader.send().startswith("200 OK")
    name = "phone" if size == PHONE else "desktop"
    reader.browser.execute_script("document.querySelector('#try').scrollIntoView()")
    shoot(reader.browser, shots / f"try-{name}-{language}.png")
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", dark)
    reader.search("エラー" if language == "ja" else "error")
    shoot(reader.browser, shots / f"search-{name}-{language}-dark.png")
    reader.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert reader.complaints() == []


# Search ---------------------------------------------------------------------------------------------------------------


def test_the_index_is_loaded_when_the_field_has_the_focus(reader: Reader) -> None:
    loaded = "return performance.getEntriesByType('resource').filter((each) => each.name.includes('search-en')).length"
    reader.open("operations/read-data")
    assert reader.browser.execute_script(loaded) == 0
    reader["#search"].click()
    reader.until(lambda: bool(reader.browser.execute_script(loaded) == 1))


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("write data", "Write a user's data"),
        ("WRITE   DATA", "Write a user's data"),
        ("ｗｒｉｔｅ ｄａｔａ", "Write a user's data"),
        ("writeData", "Write a user's data"),
        ("comm on", "Comment on a feed"),
        ("/2/apps/appdata", "Read a user's data or that of friends"),
    ],
)
def test_the_best_page_is_found_in_english(reader: Reader, text: str, title: str) -> None:
    assert title in reader.open("").search(text)[:3]


@pytest.mark.parametrize("text", ["友だち", "友人", "友達の一覧", "コメント", "ｺﾒﾝﾄ", "こめんと", "コメント 消す"])
def test_pages_are_found_in_japanese(reader: Reader, shots: Path, text: str) -> None:
    titles = reader.open("", "ja").search(text)
    assert titles
    wanted = "コメント" if "コ" in text or "ｺ" in text or "こ" in text else "友人"
    assert wanted in titles[0]
    shoot(reader.browser, shots / f"search-ja-{text}.png")


def test_markup_in_a_search_is_text(reader: Reader, shots: Path) -> None:
    reader.open("operations/read-data")
    for text in ("<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><b>zzzz'):
        reader.search(text)
        assert not is_there(reader.browser, ".search script, .search img, .search-found p b")
    reader.search("<script>zzzz")
    assert "No page has “<script>zzzz”." in reader.text("#search-count")
    assert "<script>" in "".join(reader.text(".search-found"))
    reader.search("<script>")
    assert reader.text("#search-count")
    shoot(reader.browser, shots / "search-script.png")
    assert reader.complaints() == []


def test_a_search_without_a_result_says_how_to_go_on(served: Served, reader: Reader) -> None:
    assert reader.open("").search("qqqqzzzz") == []
    assert reader["#search-count a"].get_attribute("href") == f"{served.base_url}/docs/en"
    assert reader.search("x") == []
    assert reader.text("#search-count") == "Type two characters or more."
    reader.press(Keys.BACKSPACE)
    reader.until(lambda: not reader[".search-found"].is_displayed())
    reader.press("   ")
    assert not reader[".search-found"].is_displayed()


def test_the_search_works_by_keyboard_alone(served: Served, reader: Reader) -> None:
    reader.open("operations/read-data")
    reader.press("/")
    assert reader.focused() == reader["#search"]
    titles = reader.search("comment")
    assert len(titles) > 2
    reader.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    assert reader.focused().text.startswith(titles[1])
    reader.press(Keys.ARROW_UP, Keys.ARROW_UP)
    assert reader.focused() == reader["#search"]
    reader.press(Keys.ESCAPE)
    assert not reader[".search-found"].is_displayed()
    # In a field, the key is a letter.
    reader["[data-field=user]"].click()
    reader.press("/")
    assert reader.focused() == reader["[data-field=user]"]
    reader.search("comment on a feed")
    reader.press(Keys.ENTER)
    reader.until(lambda: reader.browser.current_url.endswith("/docs/en/operations/post-comment"))
    assert reader.complaints() == []


def test_an_index_that_cannot_be_loaded_is_said(reader: Reader) -> None:
    reader.open("operations/read-data")
    browser = reader.browser
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*search-en*"]})
    assert reader.search("comment") == []
    assert "could not be loaded" in reader.text("#search-count")
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    assert reader.search("comments")
