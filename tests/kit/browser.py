"""A real headless browser, and helpers for its tests.

`ENGAWA_SCREENSHOTS` names a directory for the screenshots; by default, they are in the test's temporary directory.
"""

from __future__ import annotations

import os
import shutil
from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

DESKTOP, PHONE = (1280, 900), (390, 844)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
Open = Callable[..., Chrome]


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    directory = Path(os.environ.get("ENGAWA_SCREENSHOTS") or tmp_path / "screenshots")
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@pytest.fixture(scope="session")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browsers]:
    """The browsers of this process; each serves one test after the other, since a start takes seconds."""
    driver = shutil.which("chromedriver")
    assert driver, "chromedriver is needed; make chromium installs it on Debian"
    made = Browsers(driver, tmp_path_factory.mktemp("profiles"))
    yield made
    made.quit()


@pytest.fixture
def browse(browsers: Browsers) -> Iterator[Open]:
    """Return a function that opens a browser without cookies, storage, cache or history: `browse("ja", PHONE)`."""
    yield browsers.open
    browsers.take_back()


class Browsers:
    """Browsers by their language and whether they run scripts, in use or idle."""

    def __init__(self, driver: str, profiles: Path) -> None:
        self._driver = driver
        self._profiles = profiles
        self._idle: dict[tuple[str, bool], list[Chrome]] = defaultdict(list)
        self._used: list[tuple[tuple[str, bool], Chrome]] = []
        self._numbers = count()

    def open(self, language: str, size: tuple[int, int], *, script: bool = False) -> Chrome:
        """Return a browser with a page of this size."""
        kind = language, script
        browser = self._idle[kind].pop() if self._idle[kind] else self._start(*kind)
        self._used.append((kind, browser))
        resize(browser, size)
        return browser

    def take_back(self) -> None:
        """Make the browsers in use as new ones."""
        while self._used:
            kind, browser = self._used.pop()
            _forget(browser)
            self._idle[kind].append(browser)

    def quit(self) -> None:
        """End all browsers."""
        for browser in [each for idle in self._idle.values() for each in idle]:
            browser.quit()

    def _start(self, language: str, script: bool) -> Chrome:
        options = ChromeOptions()
        profile = self._profiles / str(next(self._numbers))
        for flag in [*QUIET, f"--user-data-dir={profile}", f"--lang={language}", f"--accept-lang={language}"]:
            options.add_argument(flag)
        scripts = {} if script else {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", {"intl.accept_languages": language, **scripts})
        browser = Chrome(options, Service(self._driver))
        browser.set_page_load_timeout(30)
        browser.implicitly_wait(5)
        return browser


def is_there(browser: Chrome, selector: str) -> bool:
    """Return whether the page has such an element now; `find_elements` would wait for one for seconds."""
    return bool(browser.execute_script("return document.querySelector(arguments[0]) !== null", selector))


def _forget(browser: Chrome) -> None:
    """Close all windows but one, and remove what the visited sites stored."""
    origins: set[str] = set()
    first, *others = browser.window_handles
    for window in [*others, first]:
        browser.switch_to.window(window)
        history = browser.execute_cdp_cmd("Page.getNavigationHistory", {})["entries"]
        origins |= {"{0.scheme}://{0.netloc}".format(urlsplit(entry["url"])) for entry in history}
        if window != first:
            browser.close()
    browser.switch_to.window(first)
    browser.get("about:blank")
    for origin in origins:
        browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
    for command in ("Network.clearBrowserCookies", "Network.clearBrowserCache", "Page.resetNavigationHistory"):
        browser.execute_cdp_cmd(command, {})
    browser.get_log("browser")  # type: ignore[no-untyped-call]


def resize(browser: Chrome, size: tuple[int, int]) -> None:
    """Set the size of the page. A browser window cannot be as narrow as a phone, so the metrics are overridden."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def color_scheme(browser: Chrome, scheme: str = "") -> None:
    """Let pages see that the reader prefers `light` or `dark`; with "", what the system says."""
    features = [{"name": "prefers-color-scheme", "value": scheme}] if scheme else []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def shoot(browser: Chrome, path: Path, *, check: bool = True, whole: bool = False) -> None:
    """Save a screenshot (`whole`: also of what is below the screen); `check`: the page is not wider than the screen."""
    layout = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})
    content, screen = layout["cssContentSize"], layout["cssLayoutViewport"]
    assert not check or content["width"] <= screen["clientWidth"], path.name
    if whole:
        height = max(content["height"], screen["clientHeight"])
        clip = {"x": 0, "y": 0, "width": screen["clientWidth"], "height": height, "scale": 1}
        taken = browser.execute_cdp_cmd("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})
        path.write_bytes(b64decode(taken["data"]))
    else:
        assert browser.save_screenshot(str(path))
    assert path.stat().st_size > 5_000


def await_url(browser: Chrome, start: str) -> None:
    """Wait until a form's redirect has led to a URL that begins with `start`."""
    WebDriverWait(browser, 10).until(lambda each: each.current_url.startswith(start))


def button(browser: Chrome, name: str, value: str) -> Any:
    return browser.find_element(By.CSS_SELECTOR, f"button[name='{name}'][value='{value}']")


def sign_in(browser: Chrome, person: dict[str, str], password: str | None = None) -> None:
    login = browser.find_element(By.NAME, "login")
    login.clear()
    login.send_keys(person["login"])
    browser.find_element(By.NAME, "password").send_keys(password or person["password"])
    browser.find_element(By.CSS_SELECTOR, "button.whole").click()


def authorize_url(served: Any, **more: str) -> str:
    quest = served.demo["apps"]["quest"]
    asked = {"client_id": quest["clientId"], "response_type": "code", "scope": "r_profile mixi_apps2 w_pagefeed"}
    return f"{served.base_url}/connect_authorize.pl?{urlencode(asked | more)}"
