"""examples/game, started by the commands of its README and played by two friends in real browsers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from local.environment import free_port
from tests.kit.browser import DESKTOP, PHONE, Open, await_url, button, shoot, sign_in
from tests.kit.documents import ROOT
from tests.kit.guides import blocks, server, shell
from tests.kit.served import Served
from tests.kit.typescript import built

EXAMPLE = ROOT / "examples" / "game"


@pytest.fixture
def game(serve: Callable[..., Served], tmp_path: Path) -> Iterator[tuple[Served, str]]:
    """Return a platform, and the address of the game beside it."""
    served, port, copy = serve(), free_port(), tmp_path / "game"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("engawa"))
    shutil.copytree(built() / "dist", copy / "engawa")
    code = copy / "game.js"
    code.write_text(
        code.read_text(encoding="utf-8").replace("http://127.0.0.1:8000", served.base_url), encoding="utf-8"
    )
    readme = (copy / "README.md").read_text(encoding="utf-8")
    [commands] = [block.text for block in blocks(readme) if block.language == "sh"]
    build, create, start = commands.replace("5500", str(port)).replace("examples/game", str(copy)).splitlines()
    assert "npm run build" in build
    with shell(tmp_path, ENGAWA_LOCAL_DIR=str(served.local_dir)) as terminal:
        terminal.check(create, "id            00000000f1ef1e99\n...")
    with server(start, port, tmp_path):
        yield served, f"http://127.0.0.1:{port}/"


def find(browser: Chrome, name: str) -> str:
    return str(browser.find_element(By.ID, name).text)


def board(browser: Chrome) -> list[str]:
    script = "return [...document.querySelectorAll('#board li')].map((row) => row.innerText.replace(/\\s+/g, ' '))"
    return list(browser.execute_script(script))


def until(browser: Chrome, true: Callable[[], bool], what: str) -> None:
    WebDriverWait(browser, 30, 0.05).until(lambda _: true(), what)


def enter(browser: Chrome, url: str, served: Served, name: str, *, again: bool = False) -> None:
    """Sign in from the game, and allow it. `again`: the server knows the browser's user already."""
    browser.get(url)
    browser.find_element(By.ID, "sign-in").click()
    if not again:
        sign_in(browser, served.demo["users"][name])
    button(browser, "decision", "allow").click()
    await_url(browser, url)
    until(browser, lambda: find(browser, "name") == served.demo["users"][name]["displayName"], name)
    assert browser.current_url == url


def play(browser: Chrome, took: int) -> None:
    """Tap when the firefly has glowed for `took` milliseconds by the page's clock."""
    garden = browser.find_element(By.ID, "garden")
    browser.execute_script("performance.now = () => 0")
    garden.click()
    until(browser, lambda: garden.get_attribute("data-state") == "lit", "lit")
    browser.execute_script(f"performance.now = () => {took}")
    garden.click()
    # The client measures its waits by this clock.
    browser.execute_script("delete performance.now")


def test_friends_play_and_see_each_other(game: tuple[Served, str], browse: Open, shots: Path) -> None:
    served, url = game
    ken, hana = browse("en", PHONE, script=True), browse("en", DESKTOP, script=True)
    enter(ken, url, served, "ken")
    play(ken, took=385)
    until(ken, lambda: board(ken) == ["1. 健 (Ken) (you) 6150"], "Ken's score")
    assert find(ken, "says") == "6150 points\nYour best!"

    enter(hana, url, served, "hana")
    until(hana, lambda: board(hana) == ["1. 健 (Ken) 6150"], "Ken in Hana's ranking")
    play(hana, took=300)
    until(hana, lambda: board(hana) == ["1. 花 (Hana) (you) 7000", "2. 健 (Ken) 6150"], "Hana first")
    # A worse round does not replace the best.
    play(hana, took=500)
    until(hana, lambda: find(hana, "says") == "5000 points\nYour best: 7000", "the best stands")
    assert board(hana)[0] == "1. 花 (Hana) (you) 7000"
    shoot(hana, shots / "example-game.png")

    # The tab's tokens outlive the page.
    ken.get(url)
    until(ken, lambda: board(ken) == ["1. 花 (Hana) 7000", "2. 健 (Ken) (you) 6150"], "Hana in Ken's ranking")
    shoot(ken, shots / "example-game-phone.png")
    ken.find_element(By.ID, "sign-out").click()
    until(ken, lambda: ken.find_element(By.ID, "sign-in").is_displayed(), "signed out")
    assert board(ken) == []
    assert ken.execute_script("return localStorage.length") == 0
    play(ken, took=100)
    assert find(ken, "says") == "9000 points. Sign in to save your best"


def test_it_says_what_is_wrong(game: tuple[Served, str], browse: Open) -> None:
    served, url = game
    browser = browse("en", DESKTOP, script=True)
    browser.get(url)
    browser.find_element(By.ID, "sign-in").click()
    sign_in(browser, served.demo["users"]["mei"])
    button(browser, "decision", "deny").click()
    await_url(browser, url)
    until(browser, lambda: find(browser, "problem") == "You have not allowed the game.", "refused")
    # The access is ended elsewhere, and the access token has expired: the user has to sign in again.
    enter(browser, url, served, "mei", again=True)
    browser.execute_script(
        "const tokens = JSON.parse(localStorage.tokens);"
        "localStorage.tokens = JSON.stringify({ ...tokens, renewAt: 0, refresh: tokens.refresh.replace(/.$/, 'x') })"
    )
    play(browser, took=100)
    until(browser, lambda: find(browser, "problem") == "Please sign in again.", "signed out")
    assert browser.find_element(By.ID, "sign-in").is_displayed()
    enter(browser, url, served, "mei", again=True)
    served.stop()
    play(browser, took=100)
    until(browser, lambda: "does not answer" in find(browser, "problem"), "unreachable")
