"""The sample at `/sample`, played as Hana and as Ken in a real browser, headless.

`ENGAWA_SCREENSHOTS` names the directory for the screenshots; the default is the test's temporary directory.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.kit.browser import DESKTOP, PHONE, Open, authorize_url, await_url, button, is_there, resize, shoot, sign_in
from tests.kit.served import Served, running

HANA, KEN = 0, 1
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a platform for this module only, since the game changes Hana's and Ken's data."""
    with running(tmp_path_factory.mktemp("sample")) as platform:
        yield platform


@contextmanager
def panel(browser: Chrome, which: int) -> Iterator[Chrome]:
    """Switch to one player's part of the page."""
    browser.switch_to.frame(which)
    yield browser
    browser.switch_to.default_content()


def text(browser: Chrome, selector: str) -> str:
    return str(browser.find_element(By.CSS_SELECTOR, selector).text)


def board(browser: Chrome) -> dict[str, str]:
    """Return the list of friends: points by name, in order."""
    script = (
        "return [...document.querySelectorAll('#board li')].map((row) => [...row.children].map((c) => c.innerText))"
    )
    return dict(browser.execute_script(script))


def await_board(browser: Chrome, name: str, points: str) -> None:
    WebDriverWait(browser, 10).until(lambda each: board(each).get(name) == points, f"{name}: {points}")


def await_state(browser: Chrome, state: str) -> None:
    garden = browser.find_element(By.ID, "garden")
    WebDriverWait(browser, 10, 0.02).until(lambda _: garden.get_attribute("data-state") == state)


def play_a_round(browser: Chrome, took: int = 50) -> int:
    """Tap when the firefly has glowed for `took` milliseconds by the page's clock. Return the points."""
    browser.execute_script("performance.now = () => 0")
    browser.find_element(By.ID, "garden").click()
    await_state(browser, "lit")
    browser.execute_script(f"performance.now = () => {took}")
    browser.find_element(By.ID, "garden").click()
    await_state(browser, "ready")
    return int(text(browser, "#says").split("→")[1].split()[0].replace(",", ""))


def ask(served: Served, method: str, name: str, body: object = None) -> Any:
    """Send a request for the user's own data to `/2`. Return the JSON."""
    token = served.demo["tokens"]["users"][name]["quest"]
    url = f"{served.base_url}/2/apps/appdata/@me/@self?fields=high_score"
    answer = httpx.request(method, url, headers={"Authorization": f"OAuth {token}"}, json=body, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def stored(served: Served, name: str) -> Any:
    return ask(served, "GET", name)["entry"][0]["data"].get("high_score")


def fits(browser: Chrome) -> None:
    """Assert that both players' parts are completely visible."""
    root = "document.documentElement"
    cut = f"return [{root}.scrollHeight - innerHeight, {root}.scrollWidth - innerWidth]"
    for which in (HANA, KEN):
        with panel(browser, which):
            WebDriverWait(browser, 5).until(lambda each: each.execute_script(cut) == [0, 0], "cut off")


def test_save_a_score_see_it_as_a_friend_and_clear_it(served: Served, browse: Open, shots: Path) -> None:
    # A low score, so that every round except the slowest is better.
    ask(served, "POST", "hana", {"high_score": "100"})
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{served.base_url}/sample")
    with panel(browser, KEN):
        await_board(browser, "花 (Hana)", "100")
        assert board(browser) == {"健 (Ken) · you": "6,150", "花 (Hana)": "100", "芽衣 (Mei)": "–"}
    with panel(browser, HANA):
        await_board(browser, "花 (Hana) · you", "100")
        assert not browser.find_element(By.ID, "save").is_enabled()
        points = play_a_round(browser)
        # Better than the saved score, but not than the previous round.
        assert 100 < play_a_round(browser, took=550) < points
        assert browser.find_element(By.ID, "save").is_enabled()
    shoot(browser, shots / "sample-played.png")
    with panel(browser, HANA):
        browser.find_element(By.ID, "save").click()
        await_board(browser, "花 (Hana) · you", f"{points:,}")
        assert f'newUpdatePersonAppDataRequest(VIEWER, "high_score", "{points}")' in text(browser, "#calls")
        assert not browser.find_element(By.ID, "save").is_enabled()
    with panel(browser, KEN):
        await_board(browser, "花 (Hana)", f"{points:,}")
    assert stored(served, "hana") == str(points)
    fits(browser)
    shoot(browser, shots / "sample-saved.png")
    with panel(browser, HANA):
        browser.find_element(By.ID, "clear").click()
        await_board(browser, "花 (Hana) · you", "–")
        assert text(browser, "#best") == ""
        assert not browser.find_element(By.ID, "clear").is_enabled()
    with panel(browser, KEN):
        await_board(browser, "花 (Hana)", "–")
    assert stored(served, "hana") is None


def test_a_tap_before_the_glow_is_no_score(served: Served, browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{served.base_url}/sample/play?as=ken")
    await_board(browser, "健 (Ken) · you", "6,150")
    garden = browser.find_element(By.ID, "garden")
    garden.click()
    garden.click()
    assert text(browser, "#says") == "Too early! Try again"
    assert not browser.find_element(By.ID, "save").is_enabled()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_it_fits_its_screen_in_both_languages(
    served: Served, browse: Open, shots: Path, size: str, language: str
) -> None:
    browser = browse(language, SIZES[size], script=True)
    browser.get(f"{served.base_url}/sample")
    title = {"ja": "ほたる", "en": "Firefly"}
    assert text(browser, "h1") == title[language]
    for which in (HANA, KEN):
        with panel(browser, which):
            WebDriverWait(browser, 10).until(lambda each: len(board(each)) == 3)
    fits(browser)
    shoot(browser, shots / f"sample-{size}-{language}.png")
    frames = browser.find_elements(By.TAG_NAME, "iframe")
    assert (frames[0].location["y"] == frames[1].location["y"]) == (size == "desktop")
    if size == "phone":
        browser.execute_script("scrollTo(0, document.querySelectorAll('iframe')[1].offsetTop)")
        shoot(browser, shots / f"sample-{size}-{language}-below.png")
    browser.find_element(By.CSS_SELECTOR, "header a").click()
    WebDriverWait(browser, 5).until(lambda each: text(each, "h1") != title[language])


def test_it_goes_on_with_a_fresh_token_where_the_page_s_has_expired(served: Served, browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{served.base_url}/sample/play?as=ken")
    await_board(browser, "健 (Ken) · you", "6,150")
    old = served.token(user="ken", app="quest", scope="mixi_apps2", lifetime=-1)
    browser.execute_script(
        "pageToken = arguments[0]; document.getElementById('board').replaceChildren(); refresh()", old
    )
    await_board(browser, "健 (Ken) · you", "6,150")
    assert browser.execute_script("return pageToken") != old


def test_it_says_what_is_wrong(served: Served, browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{served.base_url}/sample/play?as=taro")
    WebDriverWait(browser, 10).until(lambda each: "forbidden" in text(each, "#calls"))
    assert text(browser, "#problem") == "This user has not installed the app."


def test_sign_in_leads_back_to_it_with_a_code(served: Served, browse: Open, shots: Path) -> None:
    browser = browse("ja", PHONE, script=True)
    browser.get(f"{served.base_url}/sample")
    browser.find_element(By.ID, "sign-in").click()
    sign_in(browser, served.demo["users"]["hana"])
    button(browser, "decision", "allow").click()
    await_url(browser, f"{served.base_url}/sample?code=")
    assert "許可されました" in text(browser, "#arrived")
    command = text(browser, "#exchange")
    code = text(browser, "#told dd")
    assert f"-d code={code}" in command
    shoot(browser, shots / "sample-arrived.png")

    quest = served.demo["apps"]["quest"]
    form = {"grant_type": "authorization_code", "client_id": quest["clientId"], "client_secret": quest["clientSecret"]}
    for value in form.values():
        assert value == quest["clientSecret"] or value in command
    tokens = httpx.post(
        f"{served.base_url}/2/token", data=form | {"code": code, "redirect_uri": quest["redirectUri"]}, trust_env=False
    )
    assert tokens.status_code == 200, tokens.text


def test_sign_in_that_was_refused_leads_back_to_it(served: Served, browse: Open, shots: Path) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(authorize_url(served, state="s 花"))
    sign_in(browser, served.demo["users"]["ken"])
    button(browser, "decision", "deny").click()
    await_url(browser, f"{served.base_url}/sample?error=")
    told = text(browser, "#arrived")
    assert "has not been allowed" in told
    assert "access_denied" in told
    assert "s 花" in told
    resize(browser, PHONE)
    shoot(browser, shots / "sample-refused.png")


def test_what_arrives_is_shown_as_text(served: Served, browse: Open) -> None:
    browser = browse("en", DESKTOP, script=True)
    browser.get(f"{served.base_url}/sample?code=%3Cimg+src%3Dx%3E%3B+rm&state=%3Cb%3E")
    assert "<img src=x>; rm" in text(browser, "#told")
    assert "-d code=CODE" in text(browser, "#exchange")
    assert not is_there(browser, "#arrived img, #arrived b")


def test_its_pages_are_for_this_machine_alone(served: Served) -> None:
    port = int(served.base_url.rpartition(":")[2])
    for host, status in ((f"127.0.0.1:{port}", 200), (f"localhost:{port}", 200), (f"evil.example:{port}", 403)):
        for path in ("/sample", "/sample/play?as=hana", "/sample/token?as=hana"):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", path, headers={"Host": host})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            assert (answer.status, b"eyJ" in body) == (status, status == 200 and path != "/sample"), (host, path)
            assert answer.headers["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize("path", ["/play", "/play?as=nobody", "/token", "/__init__.py", "/../demo.py", "/index.html"])
def test_there_is_nothing_else(served: Served, path: str) -> None:
    assert httpx.get(f"{served.base_url}/sample{path}", trust_env=False).status_code == 404


def test_it_is_only_read(served: Served) -> None:
    answer = httpx.post(f"{served.base_url}/sample", trust_env=False)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
